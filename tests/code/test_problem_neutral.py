"""A problem's columns are named in its own modules and nowhere else: in no notebook, in no other room."""

import re
from pathlib import Path

import nbformat
import pytest

from lib import problem

ROOT = Path(__file__).resolve().parents[2]
PROBLEMS = ("green_taxi", "music_genres", "nyc_rentals")
#: Names of columns that are words of everybody's: found anywhere, they say nothing.
_TAGS = {"id", "name", "key", "mode", "type", "title", "month", "pair", "text", "texts"}
_MEASURES = {"price", "distance", "energy", "tempo", "duration", "speed", "latitude", "longitude", "genre"}
WORDS = _TAGS | _MEASURES


def columns(name: str) -> set[str]:
    """The distinctive names of a problem's raw and derived columns, and of its target."""
    dataset = problem.load(name)
    return {*dataset.columns, *dataset.derived, dataset.target.name} - WORDS


def named(text: str, names: set[str]) -> set[str]:
    """Which of the names stand in a text as words of their own."""
    return {name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)}


def other_rooms() -> list[Path]:
    """Every module of lib but the problems' own."""
    rooms = (path for path in sorted((ROOT / "lib").rglob("*.py")) if "datasets" not in path.parts)
    return [*rooms, ROOT / "lib" / "datasets" / "__init__.py"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_notebook_names_a_column(name):
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            assert not named(cell.source, columns(name)), f"{path.name}: {cell.source[:200]}"


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_other_module_names_a_column(name):
    by_path = {
        str(path.relative_to(ROOT)): named(path.read_text(encoding="utf-8"), columns(name))
        for path in other_rooms()
    }
    assert len(by_path) > 50
    assert not {path: names for path, names in by_path.items() if names}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_names_no_column_of_another(name):
    modules = sorted((ROOT / "lib" / "datasets" / name).rglob("*.py"))
    assert len(modules) >= 4
    for other in PROBLEMS:
        foreign = columns(other) - columns(name)
        for path in modules:
            assert other == name or not named(path.read_text(encoding="utf-8"), foreign), path


def test_the_search_would_find_one():
    assert named('rows["PULocationID"]', columns("green_taxi")) == {"PULocationID"}
    assert named("the pickup_hours of", columns("green_taxi")) == set()
