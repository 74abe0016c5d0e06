"""What the shipped files reach on the published rows, by whole runs: needs DATA_MIRROR, and minutes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib import problem, uncertainty
from lib.records import Tuned
from lib.runtime import conformal
from lib.runtime.inference import InferencePipeline

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.mirror,
    pytest.mark.skipif(
        not os.environ.get("DATA_MIRROR"), reason="DATA_MIRROR names no folder with the published files"
    ),
]
#: Parameters file, what is said beside it, and the bounds of figures in `metrics.json`.
RUNS = [
    ("green_taxi_rich", "", {"train_only_test_rmse": (0, 4.25)}),
    ("green_taxi_rich", "feature_set=rich_no_distance", {"train_only_test_rmse": (0, 5.44)}),
    ("nyc_rentals", "", {"test_mae": (0, 32.0)}),
    ("music_genres", "", {"test_log_loss": (0, 0.90)}),
    (
        "music_genres",
        "feature_set=course_with_playlist",
        {"test_log_loss": (0, 0.66), "test_auc": (0.955, 1)},
    ),
]


@pytest.mark.parametrize(("file", "more", "bounds"), RUNS, ids=lambda given: given if given else "")
def test_a_shipped_file_reaches_its_figure_by_count_and_its_intervals_hold(file, more, bounds, tmp_path):
    """Nine answers of ten in their interval, and not many fewer in any quarter of the prediction."""
    left_out = ("P", "PARAMS", "RUN", "STEPS", "FORCE", "JOBS", "MAKELEVEL")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    given = {"PARAMS": f"params/{file}.yaml", "P": more, "WORKBOOK_OUTPUTS": str(tmp_path)}
    words = [sys.executable, "-m", "lib.cli", "pipeline", "train"]
    done = subprocess.run(
        words, cwd=ROOT, env=kept | given | {"WANDB_MODE": "disabled"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    run = tmp_path / file
    tuned = Tuned.read(run / "tuned.json")
    assert (tuned.trials, tuned.failed, tuned.cut) == (tuned.budget, 0, 0), tuned.told
    metrics = json.loads((run / "metrics.json").read_text())
    for name, (low, high) in (bounds | {"test_interval_coverage": (0.885, 0.915)}).items():
        assert low <= metrics[name] <= high, (name, metrics[name])
    dataset = problem.load(json.loads((run / "run.json").read_text())["problem"])
    test = pd.read_parquet(run / "data" / "test.parquet")
    model = InferencePipeline.load(run / "model" / "artifacts" / "pipeline", dataset.serving)
    truth, response = test[dataset.target.name], model.response(test)
    whole = uncertainty.of_metric(
        dataset.metric, dataset.task, truth, response, blocks=dataset.blocks(test), draws=99
    )
    assert not whole.reason
    held = conformal.covered(truth.to_numpy(), model.predict(test, interval=0.9))
    answer = np.asarray(response)
    quarter = pd.qcut(answer if answer.ndim == 1 else answer.max(axis=1), 4, labels=False)
    assert pd.Series(held).groupby(quarter).mean().min() >= 0.86
