"""The real six notebooks: the same commit, parameters and data give the same bytes, however they are run."""

import hashlib
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
import test_page_text
from tiny import ROOT, kill_group, wait_for

from lib import files

pytestmark = pytest.mark.slow  # two whole pipelines before the first of them

#: Small, but every step does all that it does.
WORK = (
    "rows=2000 models=[linear_regression,xgboost] max_evals=2 timeout_s=600 parallel=1 "
    "draws=20 explained=40 sample=300"
)
#: Times and names of runs may differ; what was drawn, searched, fitted and predicted may not.
SAME = ("data/raw.parquet", "data/train.parquet", "data/validation.parquet", "data/test.parquet")


def command(outputs, **environment):
    left_out = ("P", "PARAMS", "RUN", "STEPS", "FORCE", "JOBS", "MAKELEVEL")
    inherited = {k: v for k, v in os.environ.items() if k not in left_out}
    return (
        inherited
        | {"WORKBOOK_OUTPUTS": str(outputs), "P": WORK, "WANDB_MODE": "disabled", "PYTHONPATH": ""}
        | environment
    )


def start(checkout, outputs, **environment):
    """Start the runner up to training."""
    return subprocess.Popen(
        [sys.executable, "-m", "lib.cli", "pipeline", "train"],
        cwd=checkout,
        env=command(outputs, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process):
    """Wait for a runner's end and give what it said."""
    said, _ = process.communicate(timeout=900)
    assert process.returncode == 0, said[-5000:]
    return said


def digests(folder):
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in SAME}
    found["model"] = files.digest(folder / "model")  # but for when and by which run it was made
    return found


def trials(folder):
    """What was tried and what it scored; not how long it took."""
    import pandas as pd

    frame = pd.read_parquet(folder / "data" / "trials.parquet")
    timed = [name for name in frame if "second" in name or name == "elapsed"]
    return frame.drop(columns=timed).astype(str).to_dict("list")


def predictions(folder):
    """The kept model's predictions of the test rows, by a clean process."""
    import pandas as pd

    from lib import packaging

    found, _ = packaging.ask(folder / "model", pd.read_parquet(folder / "data" / "test.parquet"))
    return hashlib.sha256(found.astype("float64").tobytes()).hexdigest()


def metrics(folder):
    found = json.loads((folder / "metrics.json").read_text())
    timed = ("seconds", "_us")
    return {name: value for name, value in found.items() if not name.endswith(timed)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the project, so that an edit while the tests run changes nothing."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("lib", "notebooks", "params"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def both(checkout, tmp_path_factory):
    """Two runs: warm kernels and steps side by side; ordinary kernels, one step at a time."""
    warm, ordinary = tmp_path_factory.mktemp("warm"), tmp_path_factory.mktemp("ordinary")
    started = [start(checkout, warm), start(checkout, ordinary, WORKBOOK_WARM="0", JOBS="1")]
    for process in started:
        finish(process)
    return warm / "quickstart", ordinary / "quickstart"


@pytest.fixture(scope="module")
def first(both):
    """The warm run."""
    return both[0]


def test_ordinary_kernels_one_step_at_a_time_give_the_same_splits_trials_and_model(both):
    first, second = both
    kinds = {json.loads((folder / "notebooks" / "04_tune.json").read_text())["kernel"] for folder in both}
    assert kinds == {"warm", "ordinary"}
    assert digests(second) == digests(first)
    assert trials(second) == trials(first)
    assert metrics(second) == metrics(first)
    assert predictions(second) == predictions(first)


def test_no_page_leaves_bytecode_in_the_model_that_it_loads(first):
    assert [*first.rglob("model/**/*.pyc"), *first.parent.rglob("mlartifacts/**/*.pyc")] == []


def test_every_step_closes_its_run_and_has_its_notebook_attached(first):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{first.parent / 'mlflow.db'}")
    for path in sorted((first / "notebooks").glob("0*.json")):
        record = json.loads(path.read_text())
        found = client.get_run(record["mlflow_run_id"])
        assert found.info.status == "FINISHED"
        attached = [item.path for item in client.list_artifacts(found.info.run_id, "notebook")]
        assert attached == [f"notebook/{record['step']}.ipynb"]


def test_no_page_shows_a_sign_of_markdown_as_it_was_typed(first):
    pages = sorted((first / "notebooks").glob("0*.html"))
    assert [page.name[:2] for page in pages] == ["01", "03", "04", "05"]
    for page in pages:
        shown = page.read_text().partition("<body")[2]
        shown = re.sub(r"<(script|style|pre|code)\b.*?</\1>", "", shown, flags=re.DOTALL)
        lines = html.unescape(re.sub("<[^>]+>", "\n", shown)).splitlines()
        assert [line for line in lines if re.search(r"[*`]|&#|\\\$", line)] == [], page.name


def test_pages_of_numbers_have_no_empty_heading_no_odd_sign_and_one_word_of_the_problem_a_section(first):
    """Those after the first three, which are executed in `test_page_text`."""
    found = {
        name: page for name, page in test_page_text.read(first.parent).items() if name[:2] in ("04", "05")
    }
    assert len(found) == 2
    test_page_text.test_under_every_heading_of_a_page_something_is_shown(found)
    test_page_text.test_what_is_announced_with_a_colon_is_shown(found)
    test_page_text.test_no_computed_text_of_a_page_has_a_sign_out_of_place(found)
    test_page_text.test_no_section_says_the_problem_s_word_in_more_than_one_computed_sentence(found)


def test_a_stopped_training_is_failed_in_mlflow_and_goes_on_to_the_same_model(first, checkout, tmp_path):
    process = start(checkout, tmp_path)
    try:
        note = tmp_path / "quickstart" / "notebooks" / ".05_train.open.json"
        wait_for(lambda: note.exists() and json.loads(note.read_text()).get("mlflow_run_id"), 240)
        run_id = json.loads(note.read_text())["mlflow_run_id"]
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130
    finally:
        kill_group(process)
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert client.get_run(run_id).info.status == "FAILED"
    assert not (tmp_path / "quickstart" / "notebooks" / "05_train.ipynb").exists()
    assert "✓ 04_tune" not in finish(start(checkout, tmp_path))
    assert digests(tmp_path / "quickstart") == digests(first)
