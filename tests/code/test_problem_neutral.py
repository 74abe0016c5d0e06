"""A problem's columns are named in its own modules and nowhere else: in no notebook, in no other room."""

import re
from pathlib import Path

import nbformat
import pytest

from lib import datasets

ROOT = Path(__file__).resolve().parents[2]
PROBLEMS = ("green_taxi", "music_genres", "nyc_rentals")
#: Names of columns that are words of everybody's: found anywhere, they say nothing.
_TAGS = {"id", "name", "key", "mode", "type", "title", "month", "pair", "text", "texts"}
_MEASURES = {"price", "distance", "energy", "tempo", "duration", "speed", "latitude", "longitude", "genre"}
WORDS = _TAGS | _MEASURES


def columns(problem: str) -> set[str]:
    """The distinctive names of a problem's raw and derived columns, and of its target."""
    dataset = datasets.load(problem)
    return {*dataset.columns, *dataset.derived, dataset.target.name} - WORDS


def named(text: str, names: set[str]) -> set[str]:
    """Which of the names stand in a text as words of their own."""
    return {name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)}


def other_rooms() -> list[Path]:
    """Every module of lib but the problems' own."""
    return [path for path in sorted((ROOT / "lib").rglob("*.py")) if path.parent.name != "datasets"]


def neutral_parts() -> list[Path]:
    """What lies beside the problems and belongs to none of them."""
    shared = ("__init__", "base", "_view", "_views", "_views_target", "_table")
    return [ROOT / "lib" / "datasets" / f"{name}.py" for name in shared]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_no_notebook_names_a_column(problem):
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            assert not named(cell.source, columns(problem)), f"{path.name}: {cell.source[:200]}"


@pytest.mark.parametrize("problem", PROBLEMS)
def test_no_other_module_names_a_column(problem):
    found = {
        str(path.relative_to(ROOT)): names
        for path in [*other_rooms(), *neutral_parts()]
        if (names := named(path.read_text(encoding="utf-8"), columns(problem)))
    }
    assert not found


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_names_no_column_of_another(problem):
    mine = columns(problem)
    for other in PROBLEMS:
        theirs = columns(other) - mine
        for path in (ROOT / "lib" / "datasets").glob(f"*{problem}*.py"):
            if other != problem:
                assert not named(path.read_text(encoding="utf-8"), theirs), path.name


def test_the_search_would_find_one():
    assert named('rows["PULocationID"]', columns("green_taxi")) == {"PULocationID"}
    assert named("the pickup_hours of", columns("green_taxi")) == set()
