"""What was written on an earlier day (`tests/golden/`) answers as it did then, or is refused in one line."""

import hashlib
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

from lib import packaging, paths, problem, records
from lib.errors import ParameterError

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
    answers, times = packaging.ask(golden / "model", pd.read_parquet(golden / "model_rows.parquet"))
    np.testing.assert_allclose(answers, expected(), rtol=1e-6)
    assert times["load_seconds"] > 0


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


def test_the_users_problem_of_one_module_is_refused_with_what_to_do(golden, monkeypatch):
    datasets = golden / "lib" / "datasets"
    datasets.mkdir(parents=True)
    shutil.copy(golden / "problem" / "churn.py", datasets)
    monkeypatch.setattr(paths, "ROOT", golden)
    with pytest.raises(ParameterError, match=r"it is a package now.*make new-problem NAME=churn"):
        problem.load("churn")


def test_the_users_notebook_is_a_notebook_without_outputs():
    notebook = nbformat.read(GOLDEN / "notebook" / "07_mine.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
    assert all(cell.id.startswith("mine-") for cell in notebook.cells)


def test_records_of_an_earlier_run_count_as_none_and_raise_nothing():
    folder = GOLDEN / "run" / "quickstart"
    steps = sorted((folder / "notebooks").glob("[0-9]*.json"))
    assert len(steps) == 6
    assert [records.StepRecord.read(path) for path in steps] == [None] * 6
    assert records.RunRecord.read(folder / "run.json") is None
    assert records.OpenStep.read(folder / "notebooks" / ".03_prep.open.json") is None
    for name, kind in records.BY_NAME.items():
        assert kind.read(folder / f"{name}.json") is None


def test_what_the_run_wrote_is_what_its_records_say():
    folder, written = GOLDEN / "run" / "quickstart", {}
    for path in sorted((folder / "notebooks").glob("[0-9]*.json")):
        record = json.loads(path.read_text())
        assert (record["format"], record["step"]) == (1, path.stem)
        written |= record["outputs"]
    names = ["metrics", "profile", "provenance", "quality", "registry", "tuned"]
    contents = {name: (folder / f"{name}.json").read_bytes() for name in names}
    digests = {name: hashlib.sha256(content).hexdigest()[:32] for name, content in contents.items()}
    assert digests == {name: written[name] for name in names}


def test_no_golden_file_holds_an_absolute_path_or_compiled_code():
    for path in FILES:
        content = path.read_bytes()
        assert not ABSOLUTE.search(content), path
        assert str(ROOT).encode() not in content, path
    assert not [path for path in FILES if path.suffix == ".pyc"]


def test_an_import_of_an_earlier_workbook_is_told_where_that_is_now():
    with pytest.raises(ImportError, match=r"lib.inference is lib.packaging and .* now; docs/from-an-earlier"):
        from lib import inference  # noqa: F401
