"""Content is known by its digest, and a byte is read once for it, however many processes ask."""

import os
import sys

import pandas as pd
import pytest

from lib import files, records
from lib.records import OpenStep, StepRecord
from lib.runner.staleness import Contents
from lib.step import Step

_OPENED: list[str] = []
sys.addaudithook(lambda event, about: _OPENED.append(str(about[0])) if event == "open" else None)


@pytest.fixture
def read():
    """How often a file was opened since."""
    since = len(_OPENED)
    return lambda path: _OPENED[since:].count(str(path))


def test_a_file_is_read_once_for_its_digest_and_again_when_it_may_have_changed(tmp_path, read):
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"one")
    first = files.digest(path)
    assert (files.digest(path), read(path)) == (first, 2)  # once to write, once to read
    was = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))  # as `rsync --times --inplace` does
    assert files.digest(path) != first


def test_a_folder_is_read_again_when_a_file_in_it_changed_its_content_its_name_or_went(tmp_path, read):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(name)
    found = [files.digest(folder), files.digest(folder)]
    assert read(folder / "a") == 2
    (folder / "a").write_text("A")
    found.append(files.digest(folder))
    (folder / "b").rename(folder / "c")
    found.append(files.digest(folder))
    (folder / "c").unlink()
    found.append(files.digest(folder))
    assert len(set(found)) == 4
    assert found[0] == found[1]


def test_what_a_step_has_written_is_read_for_no_digest_after_it(outputs, monkeypatch, read):
    monkeypatch.setenv("WORKBOOK_PIPELINE_ID", "p7")
    step = Step("03_prep", "r1", "green_taxi", writes=["train"])
    step.open()
    step.write("train", pd.DataFrame({"x": range(1000)}))
    step.close()
    path = step.folder_of_run / "data" / "train.parquet"
    before, note = read(path), OpenStep.read(step.note)

    monkeypatch.setattr(files.content, "_KNOWN", {})  # as in the process of the runner
    records.hand_on_digests(step.folder_of_run)
    assert Contents(step.folder_of_run).digests(["train"]) == note.outputs
    record = StepRecord(
        step="03_prep",
        code=[],
        parameters={},
        modules={},
        inputs={},
        outputs=note.outputs,
        started="",
        seconds=1.0,
        reasons=[],
        kernel="warm",
        stamps=note.stamps,
    )
    record.write(step.folder_of_run / "notebooks" / "03_prep.json")
    step.note.unlink()

    monkeypatch.setattr(files.content, "_KNOWN", {})  # as in the process of the next step
    later = Step("04_tune", "r1", "green_taxi", reads=["train"])
    later.open()
    assert read(path) == before
    assert files.digest(path) == note.outputs["train"]
    later.tracked.close()
