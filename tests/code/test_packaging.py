"""A stored model runs by its own code, checked before it runs, beside others and beside today's."""

import ast
import datetime
import importlib.util
import json
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lib import files, notebook_source, packaging, paths, problem
from lib.errors import ModelError
from lib.packaging import marks
from lib.runtime import schema
from lib.runtime.inference import InferencePipeline

GOLDEN = Path(__file__).parents[1] / "golden"
LIB = paths.here().lib
CHOICE = {"family": "xgboost", "parameters": {"max_depth": 3, "num_boost_round": 8}}


@pytest.fixture(scope="module")
def trips() -> pd.DataFrame:
    dataset = problem.load("green_taxi")
    return dataset.clean(dataset.labelled(dataset.generate(500, 3))).rows


@pytest.fixture(scope="module")
def pipeline(trips) -> InferencePipeline:
    return InferencePipeline.chosen(problem.load("green_taxi").serving, "rich", CHOICE, 1).fit(
        trips, trips["duration"]
    )


@pytest.fixture(scope="module")
def rows(trips, pipeline) -> pd.DataFrame:
    return trips[list(pipeline.inputs_)].head(20)


@pytest.fixture(scope="module")
def stored(pipeline, rows, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "model"
    packaging.save_model(pipeline, folder, rows.head(2), run_id="0123")
    return folder


@pytest.fixture
def folder(stored, tmp_path) -> Path:
    """A copy that a test may spoil, without what loading the original has compiled."""
    return Path(shutil.copytree(stored, tmp_path / "model", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture
def of_other_code(pipeline, rows, tmp_path) -> Path:
    """The same pipeline, stored by a project whose runtime adds 1000 to each prediction."""
    lib = Path(shutil.copytree(LIB, tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__")))
    module = lib / "runtime" / "inference.py"
    source, ours = module.read_text(), "self._answers(rows, self._fitted().model_.predict, np.empty(0))"
    assert source.count(ours) == 1
    module.write_text(source.replace(ours, f"{ours} + 1000"))
    packaging.save_model(pipeline, tmp_path / "other", rows.head(2), lib=lib)
    return tmp_path / "other"


def test_models_of_different_code_answer_in_one_process_each_by_its_own(
    stored, of_other_code, pipeline, rows
):
    ours = pipeline.predict(rows)
    for model, more in ((stored, 0), (of_other_code, 1000), (stored, 0)):
        np.testing.assert_array_equal(packaging.load(model).predict(rows), ours + more)
    np.testing.assert_array_equal(pipeline.predict(rows), ours)


def test_through_mlflow_too_each_answers_by_its_own_code(stored, of_other_code, pipeline, rows):
    import mlflow.pyfunc

    models = [mlflow.pyfunc.load_model(str(folder)) for folder in (stored, of_other_code)]
    for model, more in zip(models, (0, 1000), strict=True):
        np.testing.assert_array_equal(model.predict(rows), pipeline.predict(rows) + more)


def test_stored_code_is_no_module_of_this_project(stored):
    program = (
        "import runpy, sys, pathlib; folder = pathlib.Path(sys.argv[1])\n"
        "runpy.run_path(str(folder / 'entry.py'))['load'](folder)\n"
        "print(sorted({name.split('.')[0][:7] for name in sys.modules} & {'lib', 'stored_', 'mlflow'}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, stored], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['stored_']"


def edited(folder, name):
    with (folder / name).open("a") as file:
        file.write("\n# edited\n")


SPOILT = {
    "code edited": lambda folder: edited(folder, "artifacts/code/runtime/inference.py"),
    "code added": lambda folder: (folder / "artifacts/code/runtime/more.py").write_text("x = 1"),
    "code taken away": lambda folder: (folder / "artifacts/code/runtime/schema.py").unlink(),
    "code compiled": lambda folder: compiled(folder / "artifacts/code/runtime"),
    "problem edited": lambda folder: edited(folder, "artifacts/code/datasets/green_taxi/serving/zones.py"),
    "model edited": lambda folder: edited(folder, "artifacts/pipeline/model.ubj"),
    "facts edited": lambda folder: edited(folder, "artifacts/pipeline/about.json"),
    "entry edited": lambda folder: edited(folder, "entry.py"),
    "served edited": lambda folder: edited(folder, "served.py"),
    "MLmodel edited": lambda folder: edited(folder, "MLmodel"),
    "requirements edited": lambda folder: edited(folder, "requirements.txt"),
    "example taken away": lambda folder: (folder / "input_example.json").unlink(),
    "file added": lambda folder: (folder / "pandas.py").write_text("x = 1"),
    "entry compiled": lambda folder: compiled(folder),
}
NAMED = {
    "code edited": r"inference\.py was changed",
    "code added": r"more\.py was added",
    "code taken away": r"schema\.py is missing",
    "code compiled": r"__pycache__.*was added",
    "problem edited": r"zones\.py was changed",
    "model edited": r"model\.ubj was changed",
    "facts edited": r"about\.json was changed",
    "entry edited": r"entry\.py was changed",
    "served edited": r"served\.py was changed",
    "MLmodel edited": r"MLmodel was changed",
    "requirements edited": r"requirements\.txt was changed",
    "example taken away": r"input_example\.json is missing",
    "file added": r"pandas\.py was added",
    "entry compiled": r"__pycache__/inference.*was added",
}


def compiled(code):
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "inference.cpython-311.pyc").write_bytes(b"anything")


@pytest.mark.parametrize("how", SPOILT)
def test_a_folder_that_is_not_as_it_was_written_is_refused_by_the_name_of_the_file(folder, how):
    SPOILT[how](folder)
    with pytest.raises(ModelError, match=NAMED[how]):
        packaging.load(folder)


@pytest.mark.parametrize("call", [lambda folder, _: packaging.load(folder), packaging.ask])
def test_a_stored_entry_that_would_not_check_itself_is_not_run(folder, rows, call):
    (folder / "entry.py").write_text(f"open({str(folder / 'it_ran')!r}, 'w').close()")
    with pytest.raises(ModelError, match=r"entry\.py was changed"):
        call(folder, rows)
    assert not (folder / "it_ran").exists()


def test_every_file_has_a_digest_but_the_one_that_holds_them(folder):
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    digests = json.loads((folder / "digests.json").read_text())
    assert set(digests) == found - {"digests.json"}
    assert digests == {name: files.digest(folder / name) for name in digests}


def test_what_mlflow_leaves_when_it_loads_a_folder_is_not_held_against_it(folder, rows, tmp_path):
    before = files.digest(folder)
    program = (
        "import sys, mlflow.pyfunc\n"
        "for _ in range(2): mlflow.pyfunc.load_model(sys.argv[1])\n"
        "from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository as Models\n"
        "models = Models.__new__(Models); models.model_name, models.model_version = 'taxi', 1\n"
        "models._add_registered_model_meta_file(sys.argv[1])\n"
    )
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", program, folder],
            env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            cwd=tmp_path,
            check=True,
        )
    left = [path.name for path in (folder / "__pycache__").iterdir()]
    assert [name.split(".")[0] for name in left] == ["served"]
    assert (folder / "registered_model_meta").exists()
    assert files.digest(folder) == before
    assert len(packaging.load(folder).predict(rows)) == len(rows)


def test_mlflow_refuses_edited_code_as_well(folder):
    import mlflow.pyfunc

    edited(folder, "artifacts/code/runtime/inference.py")
    with pytest.raises(Exception, match=r"inference\.py was changed since the model was stored"):
        mlflow.pyfunc.load_model(str(folder))


def test_nothing_is_compiled_into_the_folder_and_it_may_be_loaded_again(folder, rows):
    first, again = (packaging.load(folder).predict(rows) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not list(folder.rglob("*.pyc"))


def test_what_is_stored_is_what_a_prediction_needs_and_no_more(stored):
    code = stored / "artifacts" / "code"
    found = {path.relative_to(code).as_posix() for path in code.rglob("*") if path.is_file()}
    runtime = {path.relative_to(LIB).as_posix() for path in (LIB / "runtime").rglob("*.py")}
    serving = {
        path.relative_to(LIB).as_posix() for path in (LIB / "datasets/green_taxi/serving").rglob("*.py")
    }
    assert found == runtime | serving


def test_no_row_that_a_model_was_fitted_on_can_be_found_or_asked_for_in_its_folder(pipeline, trips, tmp_path):
    lookalikes = problem.load("green_taxi").generate(300, 8)
    packaging.save_model(pipeline, tmp_path / "model", lookalikes)
    example = json.loads((tmp_path / "model" / "input_example.json").read_text())
    shown = pd.DataFrame(example["data"], columns=example["columns"])
    assert len(shown) == 3
    assert shown.notna().all(axis=None)
    times = pd.to_datetime(shown["pickup_datetime"])
    assert times.isin(lookalikes["pickup_datetime"]).all()
    assert not times.isin(trips["pickup_datetime"]).any()
    for file in (path for path in (tmp_path / "model").rglob("*") if path.is_file()):
        content = file.read_bytes()
        assert not [mark for mark in pipeline.seen_ if mark.tobytes() in content], file


def test_the_page_that_stores_a_model_gives_it_generated_rows_and_keeps_its_marks_apart():
    page = notebook_source.read(paths.here().notebooks / "05_train.ipynb")
    (cell,) = [cell for cell in page.cells if "packaging.save_model(" in cell]
    calls = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)]
    (example,) = [one.args[2] for one in calls if ast.unparse(one.func) == "packaging.save_model"]
    assert ast.unparse(example.func) == "dataset.generate"
    assert "marks.keep" in map(ast.unparse, (one.func for one in calls))


def test_the_marks_of_the_rows_lie_beside_the_runs_under_the_name_that_the_folder_has_of_them(
    pipeline, trips, stored, outputs
):
    assert marks.find(stored, packaging.about(stored)) is None
    marks.keep(pipeline)
    assert [path.parent for path in outputs.rglob("*.npy")] == [outputs / "marks"]
    found = marks.find(stored, packaging.about(stored))
    np.testing.assert_array_equal(found, np.unique(schema.marks(trips, schema.kinds(trips))))


def test_a_model_of_an_earlier_workbook_has_its_marks_with_it():
    assert len(marks.find(GOLDEN / "model", packaging.about(GOLDEN / "model"))) > 100


def test_the_same_pipeline_has_the_same_digest_whenever_and_by_whatever_run_it_was_stored(
    stored, pipeline, rows, tmp_path
):
    again = packaging.save_model(pipeline, tmp_path / "again", rows.head(2), run_id="4567")
    assert again == files.digest(stored) == files.digest(tmp_path / "again")
    times = {
        yaml.safe_load((folder / "MLmodel").read_text())["utc_time_created"]
        for folder in (stored, tmp_path / "again")
    }
    assert len(times) == 2


def test_mlmodel_has_the_true_time_and_run_and_no_path_of_this_machine(stored, tmp_path_factory):
    text = (stored / "MLmodel").read_text()
    content = yaml.safe_load(text)
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(
        content["utc_time_created"]
    ).replace(tzinfo=datetime.UTC)
    assert datetime.timedelta(0) < age < datetime.timedelta(hours=1)
    assert content["run_id"] == "0123"
    assert str(paths.ROOT) not in text
    assert "/tmp" not in text  # noqa: S108  that it is not there
    assert json.loads((stored / "artifacts/pipeline/about.json").read_text())["format"] == 3


def test_rows_that_do_not_fit_are_refused_as_by_the_code_of_today(stored, rows):
    with pytest.raises(ModelError, match=r"no column \['trip_distance'\]; they have"):
        packaging.load(stored).predict(rows.drop(columns="trip_distance"))


def test_a_folder_alone_gives_the_same_answer_and_says_how_long_it_took(stored, pipeline, rows):
    prediction, times = packaging.ask(stored, rows, measure=True)
    np.testing.assert_array_equal(prediction, pipeline.predict(rows))
    assert set(times) == {"load_seconds", "one_row_us", "bulk_row_us"}
    assert min(times.values()) > 0


def test_a_folder_that_is_no_model_says_which_target_writes_one(tmp_path):
    with pytest.raises(ModelError, match="make train"):
        packaging.load(tmp_path)
    with pytest.raises(ModelError, match="make train"):
        packaging.ask(tmp_path, pd.DataFrame({"x": [1]}))


def test_a_model_of_an_earlier_workbook_answers_as_on_its_day(tmp_path):
    model = Path(shutil.copytree(GOLDEN / "model", tmp_path / "model"))
    rows = pd.read_parquet(GOLDEN / "model_rows.parquet")
    expected = json.loads((GOLDEN / "model_answers.json").read_text())["predictions"]
    np.testing.assert_allclose(packaging.load(model).predict(rows), expected, rtol=1e-6)
    assert packaging.about(model)["family"] == "xgboost"
    assert not list(model.rglob("*.pyc"))


def test_what_lies_compiled_beside_code_of_an_earlier_workbook_is_not_used(tmp_path):
    model = Path(shutil.copytree(GOLDEN / "model", tmp_path / "model"))
    (tmp_path / "bad.py").write_text("raise SystemExit('compiled code ran')")
    source = model / "code" / "lib" / "inference.py"
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    target = importlib.util.cache_from_source(str(source))
    py_compile.compile(str(tmp_path / "bad.py"), target, invalidation_mode=unchecked)
    rows = pd.read_parquet(GOLDEN / "model_rows.parquet")
    assert len(packaging.load(model).predict(rows)) == len(rows)


def test_a_model_of_an_earlier_workbook_says_why_it_cannot_answer(tmp_path):
    model = Path(shutil.copytree(GOLDEN / "model", tmp_path / "model"))
    with pytest.raises(ModelError, match=r"could not predict in a process of its own: .*no column"):
        packaging.load(model).predict(pd.DataFrame({"x": [1]}))


STORED_HALF = [
    *(LIB / "runtime").rglob("*.py"),
    *LIB.glob("datasets/*/serving.py"),
    *LIB.glob("datasets/*/serving/**/*.py"),
]


@pytest.mark.parametrize("module", STORED_HALF, ids=lambda path: path.relative_to(LIB).as_posix())
def test_what_is_stored_imports_only_what_is_stored_and_that_relatively(module):
    inside = module.relative_to(LIB).parts
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            assert not [name.name for name in node.names if name.name.split(".")[0] == "lib"]
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "lib"
            if node.level:
                target = (*inside[: len(inside) - node.level], *(node.module or "").split("."))
                own = inside[:1] if inside[0] == "runtime" else (*inside[:2], "serving")
                assert target[0] == "runtime" or target[: len(own)] == own
