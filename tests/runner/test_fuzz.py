"""Whatever is typed in is taken, or refused in one line that says what to do; never a traceback.

The command line runs in this process, on the real notebooks and problems; `plan` reads and checks all that is
asked for and runs nothing. The same values are tried in every run.
"""

import contextlib
import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lib.cli.__main__ import DONE, REFUSED, boundary
from lib.errors import RunError
from lib.notebook_source import grids

FEW = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
#: What YAML has beyond plain values, and what Python does not take kindly.
HARD = [
    "!!int abc",
    "!!timestamp x",
    "!!python/object/apply:os.getcwd []",
    "&a [*a]",
    "&a {b: *a}",
    "*a",
    "<<: {rows: 3}",
    "{1: 2}",
    "{null: 3}",
    "{[a]: 3}",
    "{true: 1, yes: 2}",
    "=",
    "2023-99-99",
    "1e999",
    ".nan",
    "-.inf",
    "0x" + "f" * 5000,
    "9" * 5000,
    "[" * 4000,
    "{a: " * 4000,
    "[" * 45 + "]" * 45,
    "x" * 5000,
    '"\\ud800"',
    '"\\UFFFFFFFF"',
    '"\\0"',
    "\udcff",
    "'open",
    "a\u2028b",
]
KEYS = [
    *("rows", "seed", "max_evals", "models", "feature_set", "problem", "alias", "source", "alpha", "small"),
    *(
        "options",
        "options.taxi",
        "options.train_months",
        "options.max_miles",
        "step_timeout_s",
        "run",
        "nosuch",
    ),
]
PLAIN = [
    "3",
    "-1",
    "0",
    "1e-3",
    "true",
    "null",
    "[a, b]",
    "[]",
    "{}",
    "{taxi: yellow}",
    "xgboos",
    "richh",
    "''",
]
#: What is said where a sweep would start.
TAKEN = "✗ Every point is taken.\n"
VALUES = st.sampled_from(HARD + PLAIN) | st.text(max_size=20)
PAIRS = st.builds("{}={}".format, st.sampled_from(KEYS) | st.text(max_size=8), VALUES)
LINES = st.builds("{}: {}".format, st.sampled_from(KEYS) | VALUES, VALUES)


@pytest.fixture
def outputs(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(tmp_path / "outputs"))
    for name in ("P", "PARAMS", "RUN", "STEPS", "FORCE", "JOBS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "outputs"


def told(*words: str) -> tuple[int, str]:
    """The command's exit code, and what it said of an error."""
    said, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(error):
        code = boundary([*words])
    return code, error.getvalue()


def in_one_line(*words: str) -> None:
    code, error = told(*words)
    if code == DONE:
        assert error == ""
        return
    assert code == REFUSED
    assert error.startswith("✗ ")
    assert error.endswith("\n")
    assert len(error.splitlines()) == 1
    assert len(error) <= 600


def each(argument: str, texts: list[str]):
    """A decorator that has a test tried with each of these first."""

    def decorate(test):
        for text in texts:
            test = example(**{argument: text})(test)
        return test

    return decorate


@FEW
@each("p", [f"models={text}" for text in HARD] + HARD)
@given(p=st.lists(PAIRS, max_size=3).map(" ".join) | st.text(max_size=40))
def test_any_p_is_taken_or_refused_in_one_line(outputs, p):
    in_one_line("plan", "--overrides", p)


@FEW
@each("text", HARD + [f"rows: {text}" for text in HARD] + ["1: 2", "null: 3", "? [a]\n: 3", "a: 1\na: 2"])
@given(text=st.lists(LINES, max_size=3).map("\n".join))
def test_any_parameters_file_is_taken_or_refused_in_one_line(outputs, tmp_path, text):
    file = tmp_path / "typed.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    in_one_line("plan", "--params", str(file))


@FEW
@each("content", [b"\xff\xfe", b"rows: \xe9", b"\x00", "rows: 3".encode("utf-16")])
@given(content=st.binary(max_size=40))
def test_any_bytes_as_a_parameters_file_are_taken_or_refused_in_one_line(outputs, tmp_path, content):
    file = tmp_path / "typed.yaml"
    file.write_bytes(content)
    in_one_line("plan", "--params", str(file))


@FEW
@each("jobs", ["²", "٣", "9" * 5000, "-1", "1.5", " 1", "1\n2", "\udcff"])
@given(jobs=st.text(max_size=8))
def test_any_jobs_run_name_step_and_file_name_are_taken_or_refused_in_one_line(outputs, jobs):
    for option in ("--jobs", "--run", "--steps", "--params"):
        in_one_line("plan", option, jobs)


@FEW
@each("text", [*HARD, "~nobody-of-that-name/x", os.fsdecode(b"caf\xe9.csv"), "n" * 300, "a/b"])
@given(text=st.text(max_size=40))
def test_any_name_file_and_target_that_no_problem_can_be_written_of_is_refused_in_one_line(
    outputs, tmp_path, text
):
    file = tmp_path / "mine.csv"
    file.write_text("x,y\n1,2\n3,4\n")
    for words in ((text, str(file), "z"), ("never_there", text, "y"), ("never_there", str(file), f"{text}z")):
        options = zip(("--name", "--data", "--target"), words, strict=True)
        code, error = told("new-problem", *(word for option in options for word in option))
        assert code == REFUSED
        assert error.startswith("✗ ")
        assert len(error.splitlines()) == 1
        assert len(error) <= 600


@pytest.fixture
def checked(outputs, monkeypatch) -> None:
    """A sweep ends where its points are checked, before anything is started."""

    def over(project):
        raise RunError("Every point is taken.")

    monkeypatch.setattr("lib.runner.kernels.environment", over)


@FEW
@each("p", [f"seed={text},{text}1" for text in HARD] + ["x=range(0,1e9)", "seed=range(0,1000000000)"])
@given(
    p=st.lists(st.builds("{}={},{}".format, st.sampled_from(KEYS), VALUES, VALUES), max_size=2).map(" ".join)
)
def test_any_grid_is_taken_or_refused_in_one_line_that_says_where_the_mistake_stands(checked, p):
    code, error = told("sweep", "--overrides", p)
    assert code == REFUSED
    assert len(error.splitlines()) == 1
    assert len(error) <= 600
    if error == TAKEN:
        assert len(grids.read(p, "quickstart")) > 1
    else:
        assert re.match(r"✗ (P|by default|params/quickstart\.yaml): |✗ There is no problem ", error), error


@pytest.mark.parametrize(
    "p", ["seed=1,2", "rows=range(300,500,100) models=[lasso],[lasso,xgboost]", "alpha=1e-3,.5"]
)
def test_a_grid_that_can_be_is_taken_and_with_a_key_that_is_not_known_it_is_refused_for_that(checked, p):
    assert told("sweep", "--overrides", p) == (REFUSED, TAKEN)
    code, error = told("sweep", "--overrides", f"{p} nosuch=1")
    assert code == REFUSED
    assert error.startswith("✗ P: no notebook has a parameter 'nosuch'")
