"""Parameters are checked by reading alone; a message names the file, the key and the nearest known one."""

import json

import pytest

from lib.errors import ParameterError
from lib.pipeline import params, project, session

PROBLEM = """
from lib.datasets import months
from lib.datasets.months import load as read_all


def generate(rows, seed, *, noise: float = 0.1, kind: "str" = "plain"):
    import sklearn_that_is_not_there


DATASET = Dataset(
    name="tiny", generate=generate, fetch=months.fetch, load=read_all, rules=lambda *, cap=9: ()
)
"""
MONTHS = """
def fetch(*, train_months: "Sequence[str]" = ("2023-01",), base: str | None = None):
    pass


def load(paths, *, strict: bool = True):
    pass
"""


@pytest.fixture
def problem(tiny):
    """The tiny project with a problem whose functions have options."""
    (tiny.root / "lib" / "datasets").mkdir()
    tiny.module("datasets/base", 'FUNCTIONS = ("fetch", "load", "generate", "rules")\n')
    tiny.module("datasets/tiny", PROBLEM)
    tiny.module("datasets/_months", "")
    tiny.module("datasets/other", "DATASET = Dataset()\n")
    tiny.module("datasets/months", MONTHS)
    return tiny


def ask(tiny, p: str = "", **environment):
    where = project.Project(tiny.root, tiny.outputs)
    return session.ask({"P": p} | environment, [], where)


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
    "text, found",
    [
        ("a=1 b=[1, 2]  c={x: [1, 2]}", {"a": 1, "b": [1, 2], "c": {"x": [1, 2]}}),
        ("options.months=[2023-01,2023-02]", {"options.months": ["2023-01", "2023-02"]}),
        ("a=1e-3 b=1.0e-3 c=.5 d=-2 e=010", {"a": 0.001, "b": 0.001, "c": 0.5, "d": -2, "e": 10}),
        ("a=no b=true c=null d=on", {"a": "no", "b": True, "c": None, "d": "on"}),
        (
            "a=12:30 b=2023-01-05 c='two words' d=\"x=y\"",
            {"a": "12:30", "b": "2023-01-05", "c": "two words", "d": "x=y"},
        ),
        ("a=1_000 b=0x1f", {"a": "1_000", "b": 31}),
        ("", {}),
    ],
)
def test_values_of_p_are_yaml_in_which_a_month_and_a_no_stay_text(text, found):
    assert params.overrides(text) == found


@pytest.mark.parametrize("text", ["max_evals", "=3", "max evals=3", "a=[1", "--rows=3"])
def test_what_is_not_key_and_value_is_refused(tiny, text):
    with pytest.raises(ParameterError, match="P: "):
        ask(tiny, text)


@pytest.mark.parametrize(
    "yaml, p, message",
    [
        ("row: 3", "", r"params/quickstart.yaml: no notebook has a parameter 'row'. Did you mean 'rows'"),
        ("rows: 3", "max_eval=3", r"P: no notebook has a parameter 'max_eval'. Did you mean 'max_evals'"),
        ("rows: many", "", r"params/quickstart.yaml: rows must be int, not 'many'"),
        ("rows: true", "", r"rows must be int, not True"),
        ("rows: 3", "models=xgboost", r"P: models must be list, not 'xgboost'; write it as \[a, b\]"),
        ("rows: 3", "models=[1]", r"P: models must be str, not 1"),
        ("keep: yes", "", r"line 1: `yes` is str to some readers of YAML and bool to others; write"),
        ("keep: 1e-3", "", r"line 1: `1e-3` is float .* write 1.0e-3"),
        ("rows: 3", "run=mine", r"P: `run` is not a parameter to give; name the run with RUN=name"),
        ("[1, 2]", "", r"must hold `key: value` lines, not list"),
        ("rows: [", "", r"params/quickstart.yaml is not YAML"),
    ],
)
def test_a_mistake_is_refused_and_says_where_it_stands(tiny, yaml, p, message):
    tiny.yaml(yaml)
    with pytest.raises(ParameterError, match=message):
        ask(tiny, p)


def test_a_whole_number_is_a_float_where_one_is_wanted_and_not_another_value(tiny):
    given = ask(tiny, "keep=2").given("03_prep")
    assert json.dumps(given["keep"]) == "2.0"


def test_a_file_that_is_not_there_is_named_beside_those_that_are(tiny):
    with pytest.raises(ParameterError, match=r"PARAMS=params/gone.yaml.*\['quickstart.yaml'\]"):
        ask(tiny, PARAMS="params/gone.yaml")


@pytest.mark.parametrize(
    "p, option, value",
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
def test_options_are_the_keyword_arguments_of_the_problem_wherever_its_functions_are_defined(
    problem, p, option, value
):
    assert ask(problem, p).given("01_ingest")["options"] == {option: value}


@pytest.mark.parametrize(
    "p, message",
    [
        ("options.nois=1", r"P: tiny has no option 'options.nois'. Did you mean 'options.noise'"),
        ("options.train_months=2023-01", r"P: options.train_months must be list"),
        ("options.strict=no", r"P: options.strict must be bool, not 'no'; write true or false"),
        (
            "problem=tini",
            r"P: there is no problem 'tini'. Did you mean 'tiny'.* Known are: months, other, tiny",
        ),
    ],
)
def test_an_option_that_no_function_takes_is_refused(problem, p, message):
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


def test_every_parameters_file_of_the_project_is_valid():
    here = project.here()
    files = sorted((here.root / "params").glob("*.yaml"))
    assert files, "no parameters file in params/"
    for file in files:
        asked = session.ask({"PARAMS": str(file)}, [], here)
        assert asked.parameters.values["problem"], f"{file} names no problem"
