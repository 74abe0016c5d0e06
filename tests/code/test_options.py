"""What is read of a problem and its options without running it."""

import pytest

from lib.errors import ParameterError
from lib.notebook_source import problems
from lib.paths import Project

OPTIONS = '''
"""A problem."""


class Other:
    wrong: int = 1


class TinyOptions(problem.Options):
    """What can be said."""

    months: Annotated[Sequence[str], "as 2023-01,", "in order"] = ("2023-01",)
    colour: Annotated[Literal["green", "yellow"], "which"] = "green"
    share: Annotated[float, Range(0.25, 0.75), "how much"] = 0.5
    least: Annotated[int | None, Range(1, None)] = None
    file: str | None = None
    TABLE = 3
'''


@pytest.fixture
def problem(tmp_path):
    """A project with the problem `tiny`, which has options, and `plain`, which has none."""
    project = Project(tmp_path, tmp_path / "outputs")
    for name, text in {"tiny": OPTIONS, "plain": "class Other:\n    x: int = 1\n"}.items():
        (project.datasets / name).mkdir(parents=True)
        (project.datasets / name / "training.py").write_text(text, encoding="utf-8")
    return project


def test_options_are_the_annotated_fields_of_the_options_class_with_their_meanings(problem):
    found = problems.options(problem.datasets / "tiny" / "training.py")
    assert {name: (option.type, option.meaning) for name, option in found.items()} == {
        "months": ("list of text", "as 2023-01, in order"),
        "colour": ("green or yellow", "which"),
        "share": ("float, at least 0.25, at most 0.75", "how much"),
        "least": ("int or null, at least 1", ""),
        "file": ("str or null", ""),
    }
    assert found["share"] == problems.Option(
        "share", "Annotated[float, Range(0.25, 0.75), 'how much']", "how much"
    )
    assert problems.options(problem.datasets / "plain" / "training.py") == {}
    path = problem.datasets / "plain" / "training.py"
    path.write_text("class Other(Base):\n    x: int = 1\nclass Mine(Options):\n    y: int = 2\n")
    assert list(problems.options(path)) == ["y"]


def test_a_problem_is_its_training_module(problem):
    assert problems.training(problem, "tiny") == problem.datasets / "tiny" / "training.py"


def test_a_problem_that_is_not_there_is_answered_by_those_that_are(problem):
    with pytest.raises(
        ParameterError, match=r"no problem 'tini'. Did you mean 'tiny'\? Known are: plain, tiny\."
    ):
        problems.training(problem, "tini")


def test_a_problem_of_an_earlier_workbook_is_refused_with_what_to_do(problem):
    (problem.datasets / "old.py").write_text("")
    with pytest.raises(
        ParameterError, match=r"lib/datasets/old\.py is a problem of an earlier.*NAME=old DATA"
    ):
        problems.training(problem, "old")


def test_a_problem_s_module_that_is_no_python_is_named_with_its_line(problem):
    path = problem.datasets / "tiny" / "training.py"
    path.write_text("x = 1\ny = = 2\n")
    with pytest.raises(ParameterError, match=r"training\.py: line 2 is no Python"):
        problems.options(path)
