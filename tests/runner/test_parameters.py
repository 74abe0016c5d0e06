"""Parameters are checked by reading alone; a message names the file, the key and the nearest known one."""

import json

import pytest
import tiny as tiny_project

from lib import paths
from lib import problem as problems_there
from lib.errors import ParameterError
from lib.notebook_source import gpu, limits, parameters, problems
from lib.runner import graph
from lib.runtime import models

PROBLEM = """
from lib.datasets.months import Months


@dataclass(frozen=True)
class TinyOptions(Options):
    noise: Annotated[float, Range(0, 10), "how much"] = 0.1
    kind: Annotated[Literal["plain", "odd"], "which"] = "plain"
    train_months: Annotated[Sequence[str], "as 2023-01"] = ("2023-01",)
    base: Annotated[str | None, "where"] = None
    strict: Annotated[bool, "whether"] = True
    cap: int = 9


def generate(rows, seed, options):
    import sklearn_that_is_not_there
"""


@pytest.fixture
def problem(tiny):
    """The tiny project with a problem that has options."""
    for name, text in {"tiny": PROBLEM, "other": "DATASET = Dataset()\n"}.items():
        (tiny.root / "lib" / "datasets" / name).mkdir(parents=True)
        tiny.module(f"datasets/{name}/training", text)
    tiny.module("datasets/_months", "")
    return tiny


def ask(tiny, p: str = "", **environment):
    return tiny_project.ask(tiny.project, P=p, **environment)


def test_an_override_reaches_every_notebook_that_declares_it_and_no_other(tiny):
    asked = ask(tiny, "max_evals=50 models=[xgboost,lasso]")
    assert asked.given("04_tune")["max_evals"] == 50
    assert asked.given("04_tune")["models"] == ["xgboost", "lasso"]
    assert "max_evals" not in asked.given("03_prep")


def test_the_file_overrides_the_notebook_and_p_overrides_the_file(tiny):
    assert ask(tiny).given("01_ingest")["rows"] == 4
    assert ask(tiny, "rows=7").given("01_ingest")["rows"] == 7
    tiny.yaml("{}")
    assert ask(tiny).given("01_ingest")["rows"] == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=1 b=[1, 2]  c={x: [1, 2]}", {"a": 1, "b": [1, 2], "c": {"x": [1, 2]}}),
        ("options.months=[2023-01,2023-02]", {"options.months": ["2023-01", "2023-02"]}),
        ("b=1.0e-3 c=.5 d=-2", {"b": 0.001, "c": 0.5, "d": -2}),
        ("b=true c=null", {"b": True, "c": None}),
        (
            "c='two words' d=\"x=y\"",
            {"c": "two words", "d": "x=y"},
        ),
        ("b=0x1f", {"b": 31}),
        ("a=don't rows=6", {"a": "don't", "rows": 6}),
        ("a=[don't, 'so, so'] rows=6", {"a": ["don't", "so, so"], "rows": 6}),
        ("", {}),
    ],
)
def test_values_of_p_are_what_yamls_safe_reader_says(text, found):
    assert parameters.overrides(text) == found


@pytest.mark.parametrize(
    "text", ["max_evals", "=3", "max evals=3", "a=[1", "--rows=3", "a='b c=1", "a={x: [1} c=2"]
)
def test_what_is_not_key_and_value_is_refused(tiny, text):
    with pytest.raises(ParameterError, match="P: "):
        ask(tiny, text)


@pytest.mark.parametrize(
    ("yaml", "p", "message"),
    [
        ("row: 3", "", r"params/quickstart.yaml: no notebook has a parameter 'row'. Did you mean 'rows'"),
        ("rows: 3", "max_eval=3", r"P: no notebook has a parameter 'max_eval'. Did you mean 'max_evals'"),
        ("rows: many", "", r"params/quickstart.yaml: rows must be int, not 'many'"),
        ("rows: true", "", r"rows must be int, not True"),
        ("rows: 3", "models=xgboost", r"P: models must be list, not 'xgboost'; write it as \[a, b\]"),
        ("rows: 3", "models=[1]", r"P: models must be str, not 1"),
        ("keep: yes", "", r"params/quickstart.yaml: keep must be float, not True"),
        ("models: [no]", "", r"models must be str, not False; put it in quotes"),
        ("rows: 3", "run=mine", r"P: `run` is not a parameter to give; name the run with RUN=name"),
        ("[1, 2]", "", r"must hold `key: value` lines, not list"),
        ("rows: [", "", r"params/quickstart.yaml is not YAML"),
        ("rows: 3\nrows: 4", "", r"params/quickstart.yaml is not YAML in line 2: 'rows' is given twice"),
        ("rows: 3", "rows=4 rows=5", r"P: rows is given twice: take one away"),
        ("options: {a: 1, a: 2}", "", r"'a' is given twice"),
        ("{1: a, 0x1: b}", "", r"'0x1' is given twice"),
        ("<<: {rows: 3}", "", r"`<<` is not read"),
        ("rows: 3", "models=['open] rows=6", r"P: the quote ' is opened and not closed"),
        ("rows: 3", 'problem="open rows=6', r'P: the quote " is opened and not closed'),
        ("rows: 0", "", r"params/quickstart.yaml: rows must be at least 1, not 0"),
        ("rows: 3", "max_evals=-2", r"P: max_evals must be at least 1, not -2"),
        ("rows: 3", "step_timeout_s=.nan", r"P: step_timeout_s must be a finite number, not nan"),
        ("rows: 3", "keep=1e999", r"P: keep must be a finite number, not inf"),
        ("rows: 3", "models=[]", r"P: models must be one family or more, each named once, not \[\]"),
        ("rows: 3", "models=[mean,mean]", r"P: models must be one family or more, each named once"),
    ],
)
def test_a_mistake_is_refused_and_says_where_it_stands(tiny, yaml, p, message):
    tiny.yaml(yaml)
    with pytest.raises(ParameterError, match=message):
        ask(tiny, p)


def test_a_whole_number_is_a_float_where_one_is_wanted_and_not_another_value(tiny):
    given = ask(tiny, "keep=2").given("03_prep")
    assert json.dumps(given["keep"]) == "2.0"


def test_a_number_that_yaml_reads_as_text_and_a_day_are_taken_to_the_declared_type(tiny):
    assert ask(tiny, "keep=1e-3").given("03_prep")["keep"] == 0.001
    assert ask(tiny, "models=[2023-01-05]").given("04_tune")["models"] == ["2023-01-05"]


def test_a_file_that_is_not_there_is_named_beside_those_that_are(tiny):
    with pytest.raises(ParameterError, match=r"PARAMS=params/gone.yaml.*\['quickstart.yaml'\]"):
        ask(tiny, PARAMS="params/gone.yaml")


@pytest.mark.parametrize(
    ("p", "option", "value"),
    [
        ("options.noise=1", "noise", 1.0),
        ("options.kind=odd", "kind", "odd"),
        ("options.train_months=[2023-01]", "train_months", ["2023-01"]),
        ("options.base=null", "base", None),
        ("options.strict=false", "strict", False),
        ("options.cap=3", "cap", 3),
        ("options={noise: 0.5}", "noise", 0.5),
    ],
)
def test_options_are_the_fields_of_the_problems_class_and_take_its_types(problem, p, option, value):
    assert ask(problem, p).given("01_ingest")["options"] == {option: value}


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ("options.nois=1", r"P: tiny has no option 'options.nois'. Did you mean 'options.noise'"),
        ("options.train_months=2023-01", r"P: options.train_months must be list"),
        ("options.noise=11", r"P: options.noise must be at least 0 and at most 10, not 11"),
        ("options.kind=even", r"P: options.kind must be 'plain' or 'odd', not 'even'"),
        ("options.strict=maybe", r"P: options.strict must be bool, not 'maybe'; write true or false"),
        (
            "problem=tini",
            r"There is no problem 'tini'. Did you mean 'tiny'.* Known are: other, tiny",
        ),
    ],
)
def test_an_option_that_the_problem_has_not_or_a_value_out_of_range_is_refused(problem, p, message):
    with pytest.raises(ParameterError, match=message):
        ask(problem, p)


def test_p_adds_to_the_options_of_the_file(problem):
    problem.yaml("options:\n  noise: 0.5\n  kind: odd\n")
    assert ask(problem, "options.noise=2").given("01_ingest")["options"] == {"noise": 2.0, "kind": "odd"}


@pytest.mark.parametrize("name", ["scratch", "cache", "a/b", "../up", "", "a b", "-x"])
def test_a_name_that_is_no_run_is_refused(tiny, name):
    if name:
        with pytest.raises(ParameterError, match="cannot name a run"):
            ask(tiny, RUN=name)
    else:
        assert ask(tiny, RUN=name).run == "quickstart"


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (
            "models=[xgboos]",
            r"models must be families for regression, .*; not 'xgboos' \(the nearest is 'xgb",
        ),
        ("models=[logistic_regression]", r"families for regression.*; not 'logistic_regression'"),
        ("feature_set=richh", r"a feature set of green_taxi, .*; not 'richh' \(the nearest is 'rich'\)"),
        (
            "problem=music_genres feature_set=audio",
            r"quickstart.yaml: models must be families for classification.* not 'linear_reg",
        ),
        ("problem=nyc_rentals feature_set=zoomcamp", r"P: feature_set must be a feature set of nyc_rentals"),
        ("seed=-1", r"P: seed must be at least 0 and at most 4,294,967,295, not -1"),
        ("draws=0", r"P: draws must be at least 1"),
        ("explained=0", r"P: explained must be at least 1"),
        ("alpha=1.5", r"P: alpha must be above 0 and below 1"),
        ("timeout_s=.inf", r"P: timeout_s must be a finite number"),
        ("source=made", r"P: source must be 'generated' or 'published', not 'made'"),
        ("on_drift=cry", r"P: on_drift must be 'warn' or 'fail'"),
        ("alias='a b'", r"P: alias must be of letters, digits, - and _.* not 'a b'"),
        ("alias=v3", r"P: alias must be of letters"),
        ("alias=challenger", r"P: alias must be another name than 'challenger'"),
        ("options.min_minutes=.nan", r"P: options.min_minutes must be a finite number"),
        ("workers=2", r"P: no notebook has a parameter 'workers': it is called 'parallel' now"),
        ("fixed.max_dept=13", r"P: fixed must be of hyperparameters: .*'max_dept'; did you mean 'max_depth'"),
        ("fixed.max_depth=deep", r"P: fixed must be with max_depth as int"),
        ("fixed.lasso.alpha=.1", r"P: fixed must be of the families in `models`, .*, not 'lasso'"),
        ("fixed.tfid.words=50", r"P: fixed must be of families or encoders .*did you mean 'tfidf'"),
        ("space.max_depth=[4,8]", r"P: space must be a distribution as \[uniform, 0.5, 1\]"),
        ("algo=grid", r"P: algo must be 'tpe' or 'random' or 'anneal'"),
        ("folds=1", r"P: folds must be 0 .* or at least 2, not 1"),
        ("early_stopping_metric=auc", r"P: early_stopping_metric must be '' or 'rmse' or 'mae' or 'r2'"),
    ],
)
def test_names_of_what_there_is_not_and_numbers_out_of_range_are_refused_before_anything_runs(p, message):
    with pytest.raises(ParameterError, match=message):
        tiny_project.ask(paths.here(), P=p)


@pytest.mark.parametrize(
    "p",
    [
        "fixed.max_depth=13",
        "fixed.tfidf.words=50",
        "models=[xgboost] space.xgboost={} fixed.learning_rate=0.09585355369315604 fixed.max_depth=30 "
        "fixed.min_child_weight=1.060597050922164 fixed.reg_alpha=0.018060244040060163 "
        "fixed.reg_lambda=0.011658731377413597 fixed.num_boost_round=1000 early_stopping_rounds=50",
        "models=[random_forest] space.random_forest={} fixed.n_estimators=100 fixed.max_depth=13",
        "space.max_depth=[quniform,4,10,1] space.xgboost={learning_rate:[loguniform,-4,-2]}",
    ],
)
def test_hyperparameters_that_the_families_have_may_be_set_and_searched(p):
    asked = tiny_project.ask(paths.here(), P=p)
    assert asked.given("04_tune")["fixed"] or asked.given("04_tune")["space"]


@pytest.mark.skipif(gpu.count() > 0, reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused_in_a_line_before_anything_runs():
    with pytest.raises(ParameterError, match=r"P: device must be 'cpu' here: there is no NVIDIA GPU"):
        tiny_project.ask(paths.here(), P="device=cuda")


def test_every_number_that_a_notebook_declares_has_a_range():
    declared = {
        name
        for notebook in graph.read(paths.here()).notebooks
        for name, parameter in notebook.parameters.items()
        if parameter.annotation in ("int", "float")
    }
    assert declared
    assert declared <= limits.RANGES.keys()


@pytest.mark.parametrize("problem", problems_there.names())
def test_what_is_read_of_a_problem_is_what_it_has(problem):
    dataset = problems_there.load(problem)
    here = paths.here()
    assert problems.task(here, problem) == dataset.task
    assert problems.feature_sets(here, problem) == list(dataset.feature_sets)
    families = [family.name for family in models.ZOO.values() if dataset.task in family.tasks]
    assert problems.families(here, dataset.task) == families


@pytest.mark.parametrize(
    "text",
    [
        "FEATURE_SETS = dict(a=1)",
        "FEATURE_SETS = {'a': 1}\nFEATURE_SETS['b'] = 2",
        "FEATURE_SETS = {'a': 1}\nFEATURE_SETS |= {'b': 2}",
        "",
    ],
)
def test_feature_sets_that_are_computed_are_left_to_the_code_that_uses_them(problem, text):
    problem.module("datasets/tiny/serving", text)
    assert problems.feature_sets(problem.project, "tiny") == []


def test_every_parameters_file_of_the_project_is_valid():
    here = paths.here()
    files = sorted((here.root / "params").glob("*.yaml"))
    assert files, "no parameters file in params/"
    for file in files:
        asked = tiny_project.ask(here, PARAMS=str(file))
        assert asked.parameters.values["problem"], f"{file} names no problem"
