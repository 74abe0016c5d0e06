"""What makes a step out of date, each cause alone and in a user's words, without running anything."""

import json
from dataclasses import replace

import pytest

from lib import files, notebook_source
from lib.files import content
from lib.notebook_source.modules import Modules
from lib.paths import Project
from lib.records import StepRecord
from lib.runner import staleness
from lib.runner.staleness import Contents, Place, State

CELLS = ['step = Step("04_tune", run, problem, reads=["train"], writes=["tuned"])', "x = 1", "y = 2"]


def notebook(folder, cells):
    """A notebook with these code cells after its parameters."""
    made = [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "seed: int = 1"}]
    made += [{"cell_type": "code", "metadata": {}, "source": cell} for cell in cells]
    path = folder / "04_tune.ipynb"
    path.write_text(json.dumps({"cells": made, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    return notebook_source.read(path)


class Finished:
    """A finished step in a project of one module, and what is there now."""

    def __init__(self, root):
        self.root, self.folder = root, root / "outputs" / "run"
        (root / "lib").mkdir(parents=True)
        (root / "lib" / "alpha.py").write_text("ONE = 1\n")
        self.place = Place(self.folder, "04_tune")
        self.place.executed.parent.mkdir(parents=True)
        self.place.executed.write_text("{}")
        for name in ("train", "tuned"):
            (self.folder / f"{name}.json").write_text(json.dumps({"name": name}))
        self.parameters = {"04_tune": {"seed": 1}}
        self.notebook = notebook(root, CELLS)
        state = self.state()
        self.record = StepRecord(
            step="04_tune",
            code=self.notebook.code,
            parameters={"seed": 1},
            modules={"lib.alpha": state.modules.digests("lib.alpha")},
            inputs=state.contents.digests(["train"]),
            outputs=state.contents.digests(["tuned"]),
            started="2026-03-01T14:05:09+01:00",
            seconds=1.0,
            reasons=["has not run yet"],
            kernel="warm",
            source=self.notebook.source,
        )
        self.record.write(self.place.record)

    def state(self, force=False):
        modules = Modules(Project(self.root, self.root / "outputs"))
        return State(self.folder, self.parameters, modules, Contents(self.folder), force)

    def rewrite(self, **fields):
        replace(self.record, **fields).write(self.place.record)

    def reasons(self, **options):
        return self.state(**options).reasons(self.notebook)


@pytest.fixture
def step(tmp_path):
    return Finished(tmp_path)


def test_a_step_whose_record_is_true_is_up_to_date(step):
    assert step.reasons() == []


def test_force_is_a_reason_of_its_own(step):
    assert step.reasons(force=True) == ["FORCE=1"]


def test_without_a_record_it_has_not_run(step):
    step.place.record.unlink()
    assert step.reasons() == ["has not run yet"]


@pytest.mark.parametrize("left", ["failed", "running", "opened"])
def test_what_an_attempt_left_behind_tells_that_it_did_not_finish(step, left):
    step.place.record.unlink()
    getattr(step.place, left).write_text("{}")
    assert step.reasons() == ["did not finish last time"]


def test_a_record_of_another_format_is_of_an_earlier_workbook(step):
    step.place.record.write_text('{"format": 1}')
    assert step.reasons() == ["its record is of an earlier workbook"]


def test_a_deleted_executed_notebook_is_named(step):
    step.place.executed.unlink()
    assert step.reasons() == ["its executed notebook 04_tune.ipynb was deleted"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([CELLS[0], "x = 2", "y = 2"], ["its code changed (code cell 2 after the parameters)"]),
        ([CELLS[0], "x = 2", "y = 3"], ["its code changed (code cell 2, 3 after the parameters)"]),
        ([*CELLS, "z = 3"], ["its code changed (3 -> 4 code cells)"]),
        ([CELLS[0], "x = 1  # why", "y = 2"], []),
    ],
)
def test_changed_code_is_told_by_its_cells(step, cells, said):
    step.notebook = notebook(step.root, cells)
    assert step.reasons() == said


@pytest.mark.parametrize(("name", "kind"), [("train", "input"), ("tuned", "output")])
def test_an_input_or_output_that_is_another_is_told(step, name, kind):
    path, words = (
        step.folder / f"{name}.json",
        {"input": "changed", "output": "was changed by something else"},
    )
    path.write_text("{}")
    assert step.reasons() == [f"{kind} {name} {words[kind]}"]
    path.unlink()
    assert step.reasons() == [f"{kind} {name} was deleted"]
    step.rewrite(**{f"{kind}s": {}})
    assert step.reasons() == [f"{kind} {name} is new"]


def test_a_module_that_was_used_is_told_by_its_file(step):
    module = step.root / "lib" / "alpha.py"
    module.write_text("ONE = 1  # a comment\n")
    assert step.reasons() == []
    module.write_text("ONE = 2\n")
    assert step.reasons() == ["lib/alpha.py changed"]
    module.unlink()
    assert step.reasons() == ["lib/alpha.py is gone"]


def test_a_parameter_that_is_given_otherwise_is_told(step):
    step.parameters = {"04_tune": {"seed": 2}}
    assert step.reasons() == ["parameter seed 1 -> 2"]


def test_another_version_of_a_library_is_told_with_both(step):
    there = staleness.dependencies.installed()["python"]
    step.rewrite(libraries={"python": there})
    assert step.reasons() == []
    step.rewrite(libraries={"python": "3.0.1", "vanished": "1.2"})
    assert step.reasons() == [f"python 3.0.1 -> {there}", "vanished 1.2 -> gone"]


@pytest.fixture
def taken(step):
    """A file from outside, and what the record says of it."""
    path = step.root / "rows.csv"
    path.write_text("a\n1\n")

    def note(kind="file", **changes):
        fields = {"name": str(path), "digest": files.digest(path), "stamp": files.stamp(path)}
        step.rewrite(taken=[{"kind": kind, **fields, **changes}])
        return path

    return note


@pytest.mark.parametrize("kind", ["file", "mirror"])
def test_a_file_from_outside_that_is_another_is_told(step, taken, kind, monkeypatch):
    monkeypatch.setenv("DATA_MIRROR", str(step.root))
    path = taken(kind)
    assert step.reasons() == []
    path.write_text("a\n2\n3\n")
    assert step.reasons() == [f"{path} changed"]


def test_a_file_from_outside_is_the_same_while_its_stamp_or_its_content_is(step, taken):
    taken(stamp=[0, 0, 0])
    assert step.reasons() == []
    taken(digest="of another day")
    assert step.reasons() == []
    path = taken(stamp=[0, 0, 0], digest="of another day")
    assert step.reasons() == [f"{path} changed"]


def test_a_user_s_file_must_still_be_there_and_one_of_a_mirror_need_not(step, taken):
    path = taken("mirror")
    path.rename(path.with_suffix(".away"))
    assert step.reasons() == []
    path.with_suffix(".away").rename(path)
    taken("file").unlink()
    assert step.reasons() == [f"{path} is gone"]


@pytest.mark.parametrize("kind", ["mirror", "address"])
def test_what_another_mirror_has_under_the_same_name_is_what_would_be_read_today(
    step, taken, kind, tmp_path, monkeypatch
):
    url = {"name": "https://example.org/data/rows.csv?raw=true"} if kind == "address" else {}
    path = taken(kind, **url)
    before = url.get("name", str(path))
    (tmp_path / "b").mkdir()
    monkeypatch.setenv("DATA_MIRROR", str(tmp_path / "b"))
    assert step.reasons() == []  # it has no such file: the address stands
    other = tmp_path / "b" / "rows.csv"
    other.write_text("a\n2\n3\n")
    assert step.reasons() == [f"{other} is not what {before} was"]
    other.write_text(path.read_text())
    assert step.reasons() == []
    other.write_text("a\n2\n3\n")
    monkeypatch.delenv("DATA_MIRROR")
    path.write_text("a\n4\n")
    assert step.reasons() == []  # neither is read without a mirror


def test_an_address_is_not_asked(step):
    step.rewrite(taken=[{"kind": "address", "name": "https://example.org/a.csv", "digest": "x", "stamp": []}])
    assert step.reasons() == []


def test_several_causes_are_all_told(step):
    step.parameters = {"04_tune": {"seed": 2}}
    (step.root / "lib" / "alpha.py").write_text("ONE = 2\n")
    (step.folder / "train.json").write_text("{}")
    (step.folder / "tuned.json").write_text("{}")
    assert step.reasons() == [
        "parameter seed 1 -> 2",
        "lib/alpha.py changed",
        "input train changed",
        "output tuned was changed by something else",
    ]


# --- parameters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["parameter a 1 -> 2"]),
        ({}, {"a": 2}, ["parameter a is new (2)"]),
        ({"a": 1}, {}, ["parameter a is gone (was 1)"]),
        ({"a": None}, {"a": None}, []),
        ({"a": None}, {}, ["parameter a is gone (was None)"]),
        ({"a": ["x"]}, {"a": ["x", "é"]}, ['parameter a ["x"] -> ["x", "é"]']),
        ({"a": {"x": 1}}, {"a": {"x": 2}}, ['parameter a {"x": 1} -> {"x": 2}']),
        ({"options": {"x": 1, "y": 2}}, {"options": {"x": 3, "y": 2}}, ["parameter options.x 1 -> 3"]),
        ({"options": {}}, {"options": {"x": 3}}, ["parameter options.x is new (3)"]),
        ({"options": {"x": 1}}, {"options": {}}, ["parameter options.x is gone (was 1)"]),
        ({"options": None}, {"options": {"x": 1}}, ['parameter options None -> {"x": 1}']),
        ({"options": {"x": 1}}, {"options": None}, ['parameter options {"x": 1} -> None']),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ["parameter b 1 -> 2", "parameter a 1 -> 2"]),
    ],
)
def test_a_changed_parameter_is_told_with_both_values(before, now, said):
    assert staleness.changed_parameters(before, now) == said


def test_a_long_value_is_cut_to_what_a_line_holds():
    fits, long = "x" * 60, "y" * 61
    assert staleness.changed_parameters({}, {"a": fits}) == [f"parameter a is new ({fits})"]
    assert staleness.changed_parameters({}, {"a": long}) == [f"parameter a is new ({'y' * 57}...)"]


def test_the_run_s_name_decides_nothing_and_values_are_as_json_has_them():
    assert staleness.deciding({"run": "mine", "months": ("a", "b"), "rows": 3}) == {
        "months": ["a", "b"],
        "rows": 3,
    }


# --- the place and its contents ----------------------------------------------------------------------


def test_clearing_removes_what_an_attempt_left_but_the_executed_notebook_and_the_note_of_its_run(step):
    place = step.place
    pages = place.executed.with_suffix(".html"), place.failed.with_suffix(".html")
    gone = [place.record, place.failed, place.failure, place.running, *pages]
    for path in (*gone, place.opened):
        path.write_text("{}")
    place.clear()
    assert [path for path in gone if path.exists()] == []
    assert place.executed.exists()
    assert place.opened.exists()
    place.clear()  # and again, with nothing there


def test_a_digest_is_that_of_the_file_as_it_is(step):
    contents, path = Contents(step.folder), step.folder / "train.json"
    before = contents.digest("train")
    assert before == files.digest(path)
    path.write_text("[]")
    assert contents.digest("train") == files.digest(path) != before


def test_what_is_absent_has_no_digest(step):
    contents = Contents(step.folder)
    assert contents.digest("nothing") is None
    assert contents.digests(["train", "nothing"]) == {"train": contents.digest("train")}


@pytest.fixture
def known(monkeypatch):
    """The digests that this process knows: none."""
    monkeypatch.setattr(content, "_KNOWN", {})
    return content._KNOWN


def test_several_large_files_are_digested_beforehand_and_others_when_asked(step, known, monkeypatch):
    monkeypatch.setattr(staleness, "_LARGE", 100)
    for name in ("one", "two"):
        (step.folder / f"{name}.json").write_text(json.dumps("x" * 200))
    (step.folder / "bound.json").write_text("x" * 100)
    Contents(step.folder).prepare(["one", "train", "bound", "nothing", "two"])
    assert {path.stem for path in known} == {"one", "two"}


def test_a_single_large_file_is_worth_no_thread(step, known, monkeypatch):
    monkeypatch.setattr(staleness, "_LARGE", 10)
    Contents(step.folder).prepare(["train"])
    assert known == {}


@pytest.mark.parametrize(("large", "wanted"), [(10, "as noted"), (10_000, None)])
def test_what_a_step_has_noted_of_a_large_file_stands_for_its_content(
    step, known, monkeypatch, large, wanted
):
    monkeypatch.setattr(staleness, "_LARGE", large)
    path = step.folder / "tuned.json"
    step.rewrite(outputs={"tuned": "as noted"}, stamps={"tuned": files.stamp(path)})
    contents = Contents(step.folder)
    contents.prepare(["tuned"])
    found = contents.digest("tuned")
    assert (found == "as noted") == (wanted == "as noted")
    path.write_text("{}")
    assert contents.digest("tuned") == files.digest(path) != "as noted"
