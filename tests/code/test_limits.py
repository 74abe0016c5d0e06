"""What a parameter may be beyond its type, what a problem is read to have, and the points of a grid."""

import contextlib
import re

import pytest

from lib.errors import ParameterError
from lib.notebook_source import gpu, grids, limits, problems
from lib.notebook_source.annotations import Misfit
from lib.paths import Project

SERVING = """
FEATURE_SETS = {"plain": FeatureSet("plain"), "rich": FeatureSet("rich")}
SERVING = Serving("tiny", task="regression")
"""
TRAINING = """
def generate(rows: Annotated[int, Range(40, None)], seed: int):
    return drawn(rows, seed)
"""
ZOO = """
BOTH = ("regression", "classification")
REGRESSION = ("regression",)
FAMILIES = [
    Family("lasso", "a line", REGRESSION, build),
    Family("logistic", "a line for classes", CLASSIFICATION),
    Family("forest", "trees", BOTH, other=1),
    other.Family("none", "not ours", BOTH),
]
"""


HYPERPARAMETERS = """
DEPTH = {"max_depth": "int"}
TABLE = {"lasso": {"alpha": "float"}, "forest": DEPTH}
"""


@pytest.fixture
def project(tmp_path):
    """A project with the problem `tiny`, two feature sets, three families and hyperparameters of two."""
    made = Project(tmp_path, tmp_path / "outputs")
    files = {
        "datasets/tiny/training": TRAINING,
        "datasets/tiny/serving": SERVING,
        "runtime/models/__init__": ZOO,
        "tuning/hyperparameters": HYPERPARAMETERS,
    }
    for name, text in files.items():
        path = made.lib / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return made


# --- limits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", 40),
        ("seed", 0),
        ("seed", 2**32 - 1),
        ("alpha", 1e-9),
        ("alpha", 0.999),
        ("timeout_s", None),
        ("anything", -5),
        ("source", "published"),
        ("on_drift", "warn"),
        ("problem", "tiny"),
        ("alias", "staging"),
        ("feature_set", "rich"),
        ("models", ["lasso", "forest"]),
        ("folds", 0),
        ("folds", 2),
        ("early_stopping_metric", ""),
        ("early_stopping_metric", "mae"),
        ("device", "cpu"),
    ],
)
def test_what_something_can_be_done_with_passes(project, name, value):
    limits.check(project, "tiny", name, value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rows", 0, "at least 1, not 0"),
        ("seed", -1, "at least 0 and at most 4,294,967,295, not -1"),
        ("seed", 2**32, "not 4294967296"),
        ("rows", 39, "at least 40, not 39"),
        ("alpha", 1.5, "above 0 and below 1, not 1.5"),
        ("alpha", 0, "above 0 and below 1, not 0"),
        ("alpha", 1.0, "above 0 and below 1, not 1.0"),
        ("step_timeout_s", float("nan"), "a finite number and at least 1, not nan"),
        ("draws", float("inf"), "a finite number and at least 1, not inf"),
        ("source", "elsewhere", "'generated' or 'published', not 'elsewhere'"),
        ("on_drift", None, "'warn' or 'fail', not None"),
        (
            "alias",
            "challenger",
            "another name than 'challenger', which is what a model that does not win is called",
        ),
        ("alias", "v2", "not 'v2'"),
        ("feature_set", "richh", "a feature set of tiny, plain, rich; not 'richh' (the nearest is 'rich')"),
        ("feature_set", "xyz", "a feature set of tiny, plain, rich; not 'xyz'"),
        ("models", [], "one family or more, each named once, not []"),
        ("models", ["lasso", "lasso"], "each named once, not ['lasso', 'lasso']"),
        ("models", ["logistic"], "families for regression, lasso, forest; not 'logistic'"),
        ("folds", 1, "0 (the validation rows score) or at least 2, not 1"),
        ("early_stopping_metric", "auc", "'' or 'rmse' or 'mae' or 'r2', not 'auc'"),
    ],
)
def test_what_nothing_could_be_done_with_is_refused(project, name, value, said):
    with pytest.raises(Misfit, match=f"{re.escape(said)}$"):
        limits.check(project, "tiny", name, value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("fixed", {"max_depth": 4}, None),
        ("fixed", {"forest": {"max_depth": 4}}, None),
        ("fixed", {}, None),
        ("space", {"max_depth": ["choice", [4, 8]]}, None),
        ("other", {"max_depth": "deep"}, None),
        ("fixed", "max_depth", None),  # which its annotation refuses
        ("fixed", {"max_depth": "deep"}, "with max_depth as int, not 'deep'"),
        ("fixed", {"alpha": 1.0}, "of hyperparameters: max_depth; not 'alpha'"),
        ("fixed", {"lasso": {"alpha": 1.0}}, "of the families in `models`, forest, not 'lasso'"),
        ("space", {"max_depth": 4}, "a distribution as [uniform, 0.5, 1]"),
    ],
)
def test_hyperparameters_are_those_of_the_families_that_are_searched(project, name, value, said):
    for families in (["forest"], ["forest", "unknown"]):  # of whose hyperparameters nothing is known
        with pytest.raises(Misfit, match=re.escape(said)) if said else contextlib.nullcontext():
            limits.check(project, "tiny", name, value, families)
    limits.check(project, "tiny", name, value, ["unknown"])


def test_what_boosting_watches_is_a_metric_of_the_problem_s_task(project):
    path = project.datasets / "tiny" / "serving.py"
    path.write_text(SERVING.replace("regression", "classification"))
    limits.check(project, "tiny", "early_stopping_metric", "auc")
    with pytest.raises(Misfit, match="'' or 'auc' or 'log_loss' or 'accuracy' or 'f1', not 'rmse'"):
        limits.check(project, "tiny", "early_stopping_metric", "rmse")
    path.write_text("SERVING = made\n")
    limits.check(project, "tiny", "early_stopping_metric", "any")
    limits.check(project, None, "early_stopping_metric", "any")


def test_a_gpu_is_asked_for_where_it_is_wanted_and_nowhere_else(project, monkeypatch):
    asked = []
    monkeypatch.setattr(gpu, "require", lambda: asked.append(1))
    for name, value in (("device", "cpu"), ("alias", "cuda"), ("device", "cuda")):
        assert not asked
        limits.check(project, "tiny", name, value)
    assert asked


def test_a_problem_that_is_not_there_is_refused_and_no_problem_is_not(project):
    with pytest.raises(ParameterError, match="There is no problem 'tini'"):
        limits.check(project, "tini", "problem", "tini")
    limits.check(project, None, "problem", None)
    limits.check(project, None, "feature_set", "any")
    limits.check(project, None, "models", ["any"])
    limits.check(project, None, "rows", 1)


@pytest.mark.parametrize(
    "text", ["", "def generate(rows, seed): ...", "generate = drawn", "def generate(): ..."]
)
def test_a_problem_that_does_not_say_how_many_rows_it_can_generate_takes_any(project, text):
    (project.datasets / "tiny" / "training.py").write_text(text)
    limits.check(project, "tiny", "rows", 1)


def test_where_it_cannot_be_read_what_there_is_any_name_passes(project):
    (project.datasets / "tiny" / "serving.py").write_text("FEATURE_SETS = made()\nSERVING = other\n")
    limits.check(project, "tiny", "feature_set", "any")
    limits.check(project, "tiny", "models", ["any"])


@pytest.mark.parametrize("name", ["a", "my-alias_2", "x" * 100, "latest2", "1a"])
def test_an_alias_is_a_word(name):
    assert limits.alias(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 101, "latest", "Latest", "3", "v3", "V3"])
def test_an_alias_that_is_none_or_means_a_version_is_refused(name):
    with pytest.raises(Misfit, match="of letters, digits"):
        limits.alias(name)


# --- what a problem has ------------------------------------------------------------------------------


def test_what_a_problem_has_is_read_of_its_serving_half(project):
    assert problems.task(project, "tiny") == "regression"
    assert problems.feature_sets(project, "tiny") == ["plain", "rich"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SERVING = made\nFEATURE_SETS = made",
        f"{SERVING}\nSERVING = other\nFEATURE_SETS['more'] = 1",
        "SERVING = Serving('tiny')\nFEATURE_SETS = {name: 1 for name in names}",
    ],
)
def test_what_is_computed_or_changed_later_is_not_read(project, text):
    (project.datasets / "tiny" / "serving.py").write_text(text)
    assert problems.task(project, "tiny") == ""
    assert problems.feature_sets(project, "tiny") == []


def test_a_serving_half_may_be_a_package_and_may_be_absent(project):
    (project.datasets / "tiny" / "serving.py").unlink()
    assert problems.feature_sets(project, "tiny") == []
    (project.datasets / "tiny" / "serving").mkdir()
    (project.datasets / "tiny" / "serving" / "__init__.py").write_text(SERVING)
    assert problems.feature_sets(project, "tiny") == ["plain", "rich"]


def test_families_are_those_made_for_the_task(project):
    assert problems.families(project, "regression") == ["lasso", "forest"]
    assert problems.families(project, "classification") == ["logistic", "forest"]
    (project.lib / "runtime" / "models" / "__init__.py").unlink()
    assert problems.families(project, "regression") == []


def test_a_problem_has_the_parameters_file_of_its_name_else_the_first_that_names_it(project):
    project.params.mkdir()
    for name, text in {
        "b.yaml": "problem: tiny",
        "a.yaml": "problem: other",
        "c.yaml": "problem: other",
        "tiny.yaml": "problem: tiny",
        "z.yaml": "problem: tiny",
        "none.yaml": "rows: 3",
        "notes.txt": "problem: third",
    }.items():
        (project.params / name).write_text(text)
    assert problems.parameter_files(project) == {"other": "params/a.yaml", "tiny": "params/tiny.yaml"}
    (project.params / "d.yaml").write_text("problem: [")
    with pytest.raises(ParameterError, match=r"params/d\.yaml"):
        problems.parameter_files(project)


def test_where_no_file_names_a_problem_that_is_said(project):
    with pytest.raises(ParameterError, match=re.escape(f"No file in {project.params} names a problem.")):
        problems.parameter_files(project)


def test_a_problem_of_an_earlier_workbook_is_told_how_it_moves(project):
    (project.datasets / "old.py").write_text("")
    with pytest.raises(ParameterError) as refused:
        problems.training(project, "old")
    assert str(refused.value) == (
        "lib/datasets/old.py is a problem of an earlier workbook, where it was one module; it is a package "
        "now. Move it and params/old.yaml away, run `make new-problem NAME=old DATA=… TARGET=…` again, and "
        "carry over what you had changed."
    )


# --- grids -------------------------------------------------------------------------------------------


def test_every_combination_is_a_point_in_the_order_it_is_written():
    found = grids.read("a=1,2 b=x c=range(10,30,10)", "base")
    assert [point.values for point in found] == [
        {"a": "1", "c": "10"}, {"a": "1", "c": "20"}, {"a": "2", "c": "10"}, {"a": "2", "c": "20"},
    ]  # fmt: skip
    assert found[1].p == "a=1 b=x c=20"
    assert found[1].run == "base-a-1-c-20"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2", ["1", "2"]),
        ("1, 1,2", ["1", "2"]),
        ("[a,b],[c]", ["[a,b]", "[c]"]),
        ("range(3)", ["0", "1", "2"]),
        ("range(1,2),7", ["1", "7"]),
        ("range(5,1,-2)", ["5", "3"]),
    ],
)
def test_a_comma_outside_of_brackets_makes_values_and_so_does_a_range(text, values):
    assert grids.values(text, "a") == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=1", "P: nothing varies"),
        ("a=1,2 a=3", "P: 'a' is given twice"),
        ("a=1,2 b", "P: 'b' has no values"),
        ("a=1,,2", "P: 'a' has an empty value in '1,,2'"),
        ("a=range(x)", "P: a=range(x) needs whole numbers"),
        ("a=range(1,2,3,4)", "needs whole numbers"),
        ("a=range(1,1)", "P: a=range(1,1) holds nothing"),
        ("a=range(1001)", "P: a=range(1001) has more than 1,000 values"),
        ("a=range(26) b=range(40)", "P: the grid has 1,040 points; a sweep runs at most 1,000"),
    ],
)
def test_a_grid_that_cannot_be_run_is_refused(text, said):
    with pytest.raises(ParameterError, match=re.escape(said)):
        grids.read(text, "base")


def test_a_thousand_points_are_a_grid():
    assert len(grids.read("a=range(25) b=range(40)", "base")) == 1000


def test_a_long_name_is_cut_and_stays_apart_from_others():
    fits, long = grids.run_name("base", {"a": "x" * 73}), grids.run_name("base", {"a": "x" * 74})
    assert fits == "base-a-" + "x" * 73
    assert len(long) == 79
    assert long.startswith("base-a-xxx")
    assert grids.run_name("base", {"a": "x" * 90 + "1"}) != grids.run_name("base", {"a": "x" * 90 + "2"})


def test_names_say_the_last_word_of_a_key_and_no_sign_that_a_file_s_name_has_not():
    assert grids.run_name("base", {"options.months": "[2023-01, 2023-02]"}) == "base-months-2023-01-2023-02"


def test_points_whose_names_would_be_one_are_told_apart():
    runs = [point.run for point in grids.read("a='x y','X:y',z", "base")]
    assert len({run.lower() for run in runs}) == 3
    assert runs[2] == "base-a-z"
