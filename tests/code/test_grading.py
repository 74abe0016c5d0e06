"""Exercises: every solution passes and every blank fails, the hints in turn, and what is kept of it."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib import grading, paths
from lib.errors import ParameterError
from lib.grading import blanks, progress
from lib.notebook_source import lessons

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = ROOT / "notebooks" / "exercises"
SOURCES = sorted((EXERCISES / "sources").glob("[0-9][0-9]_*.ipynb"))
LESSONS = sorted((ROOT / "notebooks" / "lessons").glob("[0-9][0-9]_*.ipynb"))


def code(text: str | bytes) -> list[tuple[str, str]]:
    """The code cells of a notebook: id and source."""
    cells = json.loads(text)["cells"]
    return [(cell["id"], "".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]


def run(text: str | bytes) -> dict[str, grading.Outcome]:
    """What the checks of a page say when its cells are run from the top, past errors, without a kernel."""
    space: dict = {}
    for name, cell in code(text):
        try:
            exec(compile(cell, name, "exec"), space)  # noqa: S102 - as a kernel would
        except Exception as error:  # noqa: BLE001
            pytest.fail(f"cell {name} raised {error!r}: a page with blanks runs to its end")
    return space["exercise"].outcomes


@pytest.fixture
def outputs(tmp_path, monkeypatch) -> Iterator[Path]:
    """An empty folder; what an exercise sets in the environment, as MLflow's address, goes with it."""
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    yield tmp_path / "outputs"
    if mlflow := sys.modules.get("mlflow"):
        mlflow.set_tracking_uri(None)
    os.environ.clear()
    os.environ.update(before)


def stems(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


@pytest.mark.parametrize("page", LESSONS + SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_code_cell_has_more_lines_than_are_seen_at_once(page):
    """Of an exercise, its source and what is made of it: a learner may write as many lines as they like."""
    made = [page.read_bytes()] + ([blanks.blank(page)] if page in SOURCES else [])
    cells = [(name, len(cell.splitlines())) for text in made for name, cell in code(text)]
    assert [(name, count) for name, count in cells if count > 25] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
class TestEveryExercise:
    def test_every_solution_passes(self, source, outputs):
        found = run(source.read_text())
        assert found.keys() == blanks.answers(source).keys()
        assert [one.text for one in found.values() if not one.passed] == []
        assert all("It saw: " in one.text for one in found.values())

    def test_every_blank_fails_its_own_check_with_a_hint(self, source, outputs):
        found = run(blanks.blank(source))
        assert found.keys() == blanks.answers(source).keys()
        assert [one.text for one in found.values() if one.passed] == []
        assert all("Hint 1 of 2: " in one.text for one in found.values())

    @pytest.mark.slow
    def test_one_blank_among_solutions_fails_its_own_check(self, source, outputs):
        blank = dict(code(blanks.blank(source)))
        for name in blanks.answers(source):
            page = json.loads(source.read_text())
            for cell in page["cells"]:
                if cell["id"] == name:
                    cell["source"] = blank[name]
            assert not run(json.dumps(page))[name].passed, name

    def test_it_has_two_to_four_blanks_and_every_assert_has_words(self, source, outputs):
        assert 2 <= len(blanks.answers(source)) <= 4
        for _, cell in code(source.read_text()):
            asserts = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Assert)]
            assert all(node.msg for node in asserts), cell

    def test_its_committed_blanks_are_those_of_its_source(self, source, outputs, tmp_path):
        """What git has, so that a learner may fill in the page; without git, what lies there."""

        def kept(path: Path) -> bytes:
            name = path.relative_to(ROOT).as_posix()
            shown = subprocess.run(["git", "show", f":{name}"], cwd=ROOT, capture_output=True, check=False)
            return path.read_bytes() if shown.returncode else shown.stdout

        copy = tmp_path / source.name
        copy.write_bytes(kept(source))
        assert kept(EXERCISES / source.name) == blanks.blank(copy), "`make exercises` makes the blanks anew"

    def test_it_has_a_lesson(self, source, outputs):
        assert source.stem in stems(LESSONS)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_its_headings_in_their_order_and_all_its_links_lead_somewhere(lesson):
    cells = json.loads(lesson.read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    asked = ["why", "wrong way", "right way", "picture", "cost", "where this project", "three questions"]
    heads = [line.lower() for line in text.splitlines() if line.startswith("## ")]
    assert len(heads) == len(asked)
    assert all(words in head for words, head in zip(asked, heads, strict=True)), heads
    links = [part.split(")")[0].split("#")[0] for part in text.split("](")[1:]]
    assert [link for link in links if "://" not in link and not (lesson.parent / link).exists()] == []
    assert 150 <= sum(len("".join(cell["source"]).splitlines()) for cell in cells) <= 400


def exercise(tmp_path) -> grading.Exercise:
    """An exercise of its own project, with one answer."""
    project = paths.Project(tmp_path, tmp_path / "outputs")
    source = project.exercises / "sources" / "01_small.ipynb"
    source.parent.mkdir(parents=True, exist_ok=True)
    text = "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION\n"
    cell = {"cell_type": "code", "id": "half", "metadata": {}, "execution_count": 3, "outputs": []}
    page = {"cells": [cell | {"source": text}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    source.write_text(json.dumps(page))
    return grading.Exercise("01_small", project)


def asked(exercise: grading.Exercise, cell: str) -> str:
    """What the check of `half` says when a learner's cell is this."""
    space = {"exercise": exercise}
    check = "with exercise.check('half', 'Divide.', 'By two.') as check:\n    check.saw(half(8))\n"
    exec(cell, space)  # noqa: S102
    exec(check + "    assert half(8) == 4, f'half of 8 is 4, not {half(8)}.'\n", space)  # noqa: S102
    return exercise.outcomes["half"].text


def test_a_hint_then_a_second_one_then_the_answer_and_a_right_answer_begins_anew(tmp_path):
    small = exercise(tmp_path)
    wrong = "def half(x): return x"
    first, second, third = (asked(small, wrong) for _ in range(3))
    assert first.splitlines()[:2] == ["✗ half: half of 8 is 4, not 8.", "  It saw: 8"]
    assert "Hint 1 of 2: Divide. (The next failing run gives another one.)" in first
    assert "Hint 2 of 2: By two. (The next failing run gives the answer.)" in second
    assert third.endswith("  The answer:\n    return x / 2")
    assert asked(small, "def half(x): return x / 2") == "✓ half\n  It saw: 4.0"
    assert "Hint 1 of 2" in asked(small, wrong)


def test_a_blank_is_told_and_gives_its_hints_away_only_when_its_turn_has_come(tmp_path):
    small = exercise(tmp_path)
    blank = f"def half(x): raise NotImplementedError({blanks.INVITATION!r})"
    small.outcomes["before"] = grading.Outcome("before", False, "✗ before")
    said = [asked(small, blank) for _ in range(3)]
    assert all("`half` is still blank" in one and one.endswith("Hint 1 of 2: Divide.") for one in said)
    small.outcomes["before"] = grading.Outcome("before", True, "✓ before")
    said = [asked(small, blank) for _ in range(3)]
    assert [one.splitlines()[1].split(":")[0] for one in said] == [
        "  Hint 1 of 2",
        "  Hint 2 of 2",
        "  The answer",
    ]


def test_what_a_learner_s_cell_raises_is_one_line_that_names_its_function_and_no_traceback(tmp_path):
    said = asked(exercise(tmp_path), "def half(x):\n    y = {}\n    return y['two']\n")
    assert said.splitlines()[0] == "✗ half: KeyError: 'two', in `half`"
    assert "Traceback" not in said
    assert "there is no `half` yet" in asked(exercise(tmp_path), "")


def test_ctrl_c_is_no_wrong_answer(tmp_path):
    small = exercise(tmp_path)
    with pytest.raises(KeyboardInterrupt), small.check("half", "Divide."):
        raise KeyboardInterrupt
    assert small.outcomes == {}


def test_progress_is_kept_and_shown_and_what_has_passed_once_has_passed(tmp_path):
    small = exercise(tmp_path)
    for cell in ("def half(x): return x", "def half(x): return x"):
        asked(small, cell)
    assert progress.table(small.project)[1][:3] == ["01_small", "0 of 1", "half (2 tries)"]
    asked(small, "def half(x): return x / 2")
    asked(small, "def half(x): return x")
    assert progress.table(small.project)[1][:3] == ["01_small", "1 of 1", "–"]
    (tmp_path / "outputs" / progress.NAME).write_text("{half")
    assert progress.table(small.project)[1][1] == "0 of 1"


def test_what_was_filled_in_is_kept_aside_before_the_blanks_are_made_anew(tmp_path):
    project = exercise(tmp_path).project
    path = project.exercises / "01_small.ipynb"
    assert list(blanks.write(project)) == ["✓ notebooks/exercises/01_small.ipynb"]
    made = path.read_bytes()
    assert list(blanks.write(project)) == ["· notebooks/exercises/01_small.ipynb is as its source has it"]
    mine = made.replace(b'raise NotImplementedError(\\"your lines here\\")', b"return 0.5 * x")
    assert mine != made
    path.write_bytes(mine)
    (said,) = blanks.write(project, "1")
    assert path.read_bytes() == made
    assert (tmp_path / said.split(" is in ")[1]).read_bytes() == mine


def test_a_solution_gives_way_to_an_error_in_a_function_and_to_dots_elsewhere():
    marked = "x = 1\n### BEGIN SOLUTION\nx = 2\n### END SOLUTION\n"
    marked += "def f():\n    ### BEGIN SOLUTION\n    return 3\n    ### END SOLUTION"
    left = f'x = 1\n...  # your lines here\ndef f():\n    raise NotImplementedError("{blanks.INVITATION}")'
    assert blanks.cleared(marked) == left


def test_a_mark_without_its_other_half_is_refused_by_the_name_of_its_cell(tmp_path):
    source = exercise(tmp_path).project.exercises / "sources" / "01_small.ipynb"
    source.write_text(source.read_text().replace("### END SOLUTION", ""))
    with pytest.raises(ParameterError, match="cell 'half' has a mark without its other half"):
        blanks.blank(source)


@pytest.mark.parametrize(
    "word", ["01", "1", "01_small", "01_small.ipynb", "notebooks/exercises/01_small.ipynb"]
)
def test_a_lesson_is_named_by_its_number_or_its_file(tmp_path, word):
    folder = exercise(tmp_path).project.exercises / "sources"
    assert stems(lessons.find(folder, word)) == stems(lessons.find(folder)) == ["01_small"]
    with pytest.raises(ParameterError, match=r"no LESSON=01_smal, but 01_small\. Did you mean"):
        lessons.find(folder, "01_smal")
