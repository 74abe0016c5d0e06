"""`make lessons` and `make check`: pages of their own kernels, a line each, and how it ends."""

import io
import json
import shutil

import pytest
from tiny import ROOT, cell

from lib.cli import check, lessons
from lib.cli.kernel_name import KERNEL
from lib.errors import ParameterError
from lib.grading import blanks, progress
from lib.paths import Project
from lib.runner.terminal import Terminal


@pytest.fixture
def project(tmp_path) -> Project:
    """Three lessons, the second of which fails, and the first exercise."""
    pages = {
        "01_first": "open('left', 'w').close(); 1",
        "02_second": "import os\nassert 'left' in os.listdir(), 'nothing is left of the first'",
        "03_third": "3",
    }
    folder = tmp_path / "notebooks" / "lessons"
    folder.mkdir(parents=True)
    for name, source in pages.items():
        page = {
            "cells": [cell(source)],
            "metadata": {"kernelspec": KERNEL},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (folder / f"{name}.ipynb").write_text(json.dumps(page))
    return Project(tmp_path, tmp_path / "outputs")


def test_a_failed_lesson_is_told_and_kept_and_the_next_one_runs(project):
    shown = io.StringIO()
    assert lessons.run(project, terminal=Terminal(shown)) == 1
    first, second, why, where, third, end = shown.getvalue().splitlines()
    assert first.startswith("✓ 01_first ")
    assert first.endswith(" s")
    assert second.startswith("✗ 02_second ")
    assert why.strip() == "cell [1]: AssertionError: nothing is left of the first"
    assert where == "  open outputs/lessons/02_second.failed.ipynb"
    assert third.startswith("✓ 03_third ")
    assert end.startswith("1 of 3 lessons failed in ")
    left = {path.name for path in (project.outputs / "lessons").glob("[!.]*")}
    assert left == {"01_first.ipynb", "02_second.failed.ipynb", "03_third.ipynb"}
    assert not list((project.notebooks / "lessons").glob("left"))
    took = json.loads((project.outputs / "lessons" / ".lessons.json").read_text())
    assert [bool(took[name]["failed"]) for name in sorted(took)] == [False, True, False]


def test_one_lesson_runs_alone_and_one_that_is_not_there_is_refused(project):
    assert lessons.run(project, "3", Terminal(io.StringIO())) == 0
    assert [path.name for path in (project.outputs / "lessons").glob("*.ipynb")] == ["03_third.ipynb"]
    with pytest.raises(ParameterError, match="no LESSON=9, but 01_first, 02_second, 03_third"):
        lessons.run(project, "9")


def test_a_page_half_filled_in_is_checked_in_plain_lines_and_its_solution_leaves_no_progress(project):
    source = ROOT / "notebooks" / "exercises" / "sources" / "01_twenty_lines.ipynb"
    (project.exercises / "sources").mkdir(parents=True)
    shutil.copy(source, project.exercises / "sources")
    list(blanks.write(project))
    page = project.exercises / source.name
    answer = json.loads(source.read_text())
    mine = json.loads(page.read_text())
    for theirs, own in zip(answer["cells"], mine["cells"], strict=True):
        if own["id"] == "minutes":
            own["source"] = theirs["source"]
        elif own["id"] == "features":
            own["source"] = "def features(rides):\n    return rides['no such column']"
    page.write_text(json.dumps(mine))

    shown = io.StringIO()
    assert check.check(project, "01", solution=True, terminal=Terminal(shown)) == 0
    assert "4 of 4 checks passed." in shown.getvalue()
    assert not (project.outputs / progress.NAME).exists()

    shown = io.StringIO()
    assert check.check(project, "01", terminal=Terminal(shown)) == 1
    said = shown.getvalue()
    assert "  ✓ minutes\n    It saw: [12.0, 1500.0, -3.0, 7.5]" in said
    assert "✗ features: KeyError: 'no such column', in `features`: `return rides['no such column']`" in said
    assert said.endswith("1 of 4 checks passed.\n")
    assert "Traceback" not in said
    assert progress.standing(project.outputs, "01_twenty_lines", "minutes").passed
    assert json.loads(page.read_text()) == mine  # a check writes nothing into the learner's page
