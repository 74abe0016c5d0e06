"""What was written on an earlier day (`tests/golden/`) answers today as it did then."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from lib import inference, pages
from lib.pipeline import project, summary

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
FILES = sorted(path for path in GOLDEN.rglob("*") if path.is_file())
#: Where a path of somebody's machine begins, in text or in bytes; `www.nyc.gov/home/` is none.
ABSOLUTE = re.compile(rb"(?<![\w.}-])/(?:work|tmp|root|home|Users|private|var|mnt|opt|usr)\b")
#: Loads a model by MLflow where this project's `lib` cannot be found, and says which `lib` answered.
THROUGH_MLFLOW = """
import json, sys
from pathlib import Path
sys.path[:] = [place for place in sys.path if not Path(place, "lib", "__init__.py").exists()]
import mlflow.pyfunc
import pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
answers = model.predict(pd.read_parquet(sys.argv[2]))
from lib import inference
print(json.dumps({"answers": [float(one) for one in answers], "lib": inference.__file__}))
"""


@pytest.fixture
def golden(tmp_path) -> Path:
    """A copy of the golden files: what is loaded or run leaves something beside itself."""
    return Path(shutil.copytree(GOLDEN, tmp_path / "golden"))


def expected() -> np.ndarray:
    """What the stored model answered for the stored rows on its day."""
    return np.array(json.loads((GOLDEN / "model_answers.json").read_text())["predictions"])


def test_the_stored_model_answers_as_on_its_day(golden):
    answers, _ = inference.ask(golden / "model", pd.read_parquet(golden / "model_rows.parquet"))
    np.testing.assert_allclose(answers, expected(), rtol=1e-6)


def test_mlflow_alone_gets_the_same_answers_from_the_code_in_the_folder(golden, tmp_path):
    known = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MLFLOW_RUN_ID")}
    known |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    words = [sys.executable, "-c", THROUGH_MLFLOW, golden / "model", golden / "model_rows.parquet"]
    away = tmp_path / "away"
    away.mkdir()
    done = subprocess.run(
        words, env=known, cwd=away, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert Path(found["lib"]).is_relative_to(golden / "model" / "code")
    np.testing.assert_allclose(found["answers"], expected(), rtol=1e-6)


def test_the_users_problem_still_reads_its_file_and_splits_it(golden):
    folder = golden / "problem"
    module = folder / "churn.py"
    module.write_text(module.read_text().replace("{folder}", str(folder)))
    spec = importlib.util.spec_from_file_location("churn", module)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    dataset = loaded.DATASET.with_options({})
    rows, provenance = dataset.ingest("published", 0, 0)
    assert len(rows) == 60 and not provenance["generated"]
    parts = dataset.split(dataset.clean(rows).rows, 42)
    assert {name: len(part) for name, part in parts.items()} == {"train": 38, "validation": 10, "test": 12}


def test_the_users_notebook_still_runs_beside_a_run_of_its_day(golden, outputs):
    shutil.copytree(golden / "run", outputs, dirs_exist_ok=True)
    shutil.copytree(golden / "model", outputs / "quickstart" / "model")
    (outputs / "quickstart" / "data").mkdir()
    shutil.copy(golden / "model_rows.parquet", outputs / "quickstart" / "data" / "test.parquet")
    (outputs / "scratch" / "mine.json").unlink()
    notebook = nbformat.read(golden / "notebook" / "07_mine.ipynb", as_version=4)
    names = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, cell.id, "exec"), names)
    mine = json.loads((outputs / "scratch" / "mine.json").read_text())
    errors = (pd.read_parquet(GOLDEN / "model_rows.parquet")["duration"] - expected()).abs()
    assert mine["rows"] == 20
    assert mine["mae"] == pytest.approx(errors.mean(), rel=1e-6)
    assert mine["worst"] == pytest.approx(errors.nlargest(5).tolist(), rel=1e-6)


def test_the_users_notebook_is_a_step_like_ours():
    notebook = nbformat.read(GOLDEN / "notebook" / "07_mine.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
    assert all(cell.id.startswith("mine-") for cell in notebook.cells)
    assert pages.makers(GOLDEN / "notebook") == {"mine": "07_mine"}


def test_a_run_of_its_day_still_tells_its_result():
    assert summary.headline(GOLDEN / "run" / "quickstart") == [
        "Best model: linear_regression, features rich (generated data)",
        "  test rmse 6.318   baselines: linear 6.318, mean 9.66",
        "Registered: green_taxi-generated version 1, now champion",
    ]


def test_what_the_run_wrote_is_what_its_records_say():
    folder, found = GOLDEN / "run" / "quickstart", {}
    for path in sorted((folder / "notebooks").glob("[0-9]*.json")):
        kept = json.loads(path.read_text())
        assert kept["format"] == 1 and kept["step"] == path.stem
        found |= kept["outputs"]
    written = ["metrics", "profile", "provenance", "quality", "registry", "tuned"]
    assert {name: project.digest(folder / f"{name}.json") for name in written} == {
        name: found[name] for name in written
    }


def test_no_golden_file_holds_an_absolute_path_or_compiled_code():
    for path in FILES:
        content = path.read_bytes()
        assert not ABSOLUTE.search(content) and str(ROOT).encode() not in content, path
    assert not [path for path in FILES if path.suffix == ".pyc"]
