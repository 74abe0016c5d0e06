"""A step that another run has done is linked: with what its record says, or not at all."""

import shutil

import pytest
from tiny import ask

from lib import files
from lib.records import StepRecord
from lib.runner import cache
from lib.runner.staleness import Contents


@pytest.fixture
def asked(done, monkeypatch):
    """Run `other`, which may link 01_ingest from a run that is done, and the folder of that."""
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(done.outputs))
    return ask(done.project, RUN="other"), done.folder()


def test_what_is_linked_is_what_its_record_says(asked):
    request, source = asked
    notebook = request.graph["01_ingest"]
    folder, record = cache.find(request, notebook)
    assert (folder, record) == (source, StepRecord.read(source / "notebooks" / "01_ingest.json"))
    linked = cache.link(folder, record, request, notebook, ["has not run yet"])
    assert linked == StepRecord.read(request.place("01_ingest").record)
    assert (linked.linked_from, linked.outputs) == (source.name, Contents(request.folder).digests(["raw"]))


@pytest.mark.parametrize("how", ["its output", "its record"])
def test_nothing_is_linked_of_a_step_that_its_run_makes_anew_at_that_moment(asked, monkeypatch, how):
    request, source = asked
    notebook = request.graph["01_ingest"]
    folder, record = cache.find(request, notebook)
    raw, kept = source / "raw.json", source / "notebooks" / "01_ingest.json"
    copy = files.copy

    def made_anew(path, target):
        if path == raw and how == "its output":
            raw.write_text("[7]")
        if path == raw and how == "its record":
            files.update_json(kept, {"parameters": {"rows": 7}})
        copy(path, target)

    monkeypatch.setattr(files, "copy", made_anew)
    assert cache.link(folder, record, request, notebook, []) is None
    assert not request.place("01_ingest").record.exists()


def test_a_step_that_cannot_be_linked_fails_and_the_run_comes_to_its_end(tiny, done):
    blocked = tiny.folder("other") / "data"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("no folder")
    shutil.copytree(done.folder(), tiny.folder())
    result = tiny.run(RUN="other")
    assert result.returncode == 1
    assert "could not go on" not in result.stdout
    assert "01_ingest failed" in result.stdout
    assert "02_eda         not run: it needs 01_ingest" in result.stdout
    assert (tiny.folder("other") / "notebooks" / "01_ingest.failed.ipynb").exists()
