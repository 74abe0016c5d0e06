"""Results that other runs have already: a step whose record would be the same is linked, not run again.

The runs' own folders are the cache, and what `make clean` removes is gone. Each run has files of its own, so
that an edit in one changes no other. Points of a sweep share what no varying parameter reaches by this alone.
"""

import dataclasses
import secrets
from collections.abc import Iterable
from pathlib import Path

from lib import files, paths
from lib.notebook_source import Notebook
from lib.records import StepRecord, now
from lib.runner.plan import Request
from lib.runner.staleness import Contents, Place


def find(request: Request, notebook: Notebook, beside: Iterable[str] = ()) -> tuple[Path, StepRecord] | None:
    """The folder of another run in which this very step is done (same code, parameters, modules, inputs),
    and the step's record there.

    Steps that act outside of their run's folder (a registry, say) are never looked up, nor is anything with
    FORCE. A step that took data from outside and did not note what is linked from the runs `beside` this one,
    of the same start.
    """
    if request.force or notebook.acts_on:
        return None
    for path in sorted(request.project.outputs.glob(f"*/notebooks/{notebook.name}.json")):
        folder = path.parents[1]
        if folder == request.folder or folder.name == paths.SCRATCH:
            continue
        record = StepRecord.read(path)
        noted = record is not None and (record.taken or not _from_outside(request, notebook))
        if record is None or not (noted or folder.name in beside):
            continue
        there = Place(folder, notebook.name).executed.exists() and _whole(folder, record, notebook)
        if there and not request.state.causes(record, notebook):
            return folder, record
    return None


def _from_outside(request: Request, notebook: Notebook) -> bool:
    """Whether a step's data are not of this project: it reads nothing of its run, and generates nothing."""
    return not notebook.reads and request.given(notebook.name).get("source", "generated") != "generated"


def _whole(folder: Path, record: StepRecord, notebook: Notebook) -> bool:
    """Whether all that the record says was written is still there, and as it was."""
    wanted = set(notebook.writes)
    return wanted <= set(record.outputs) and Contents(folder).digests(wanted) == {
        name: record.outputs[name] for name in wanted
    }


def link(
    source: Path, record: StepRecord, request: Request, notebook: Notebook, reasons: list[str]
) -> StepRecord | None:
    """Give a run the outputs, the executed notebook and the record of a step that another run has done.

    None where that run is making the step anew: then what was copied is none of its record.
    """
    there, here = Place(source, notebook.name), request.place(notebook.name)
    stamps: dict[str, list[int]] = {}
    for thing in notebook.writes:
        path = paths.find(source, thing)
        if path:
            for other in paths.candidates(request.folder, thing):
                files.remove(other)
            target = request.folder / path.relative_to(source)
            files.copy(path, target)
            stamps[thing] = files.stamp(target)
    here.clear()
    files.copy(there.executed, here.executed)
    if StepRecord.read(there.record) != record or not _whole(source, record, notebook):
        return None
    origin = record.linked_from or source.name
    linked = dataclasses.replace(
        record,
        linked_from=origin,
        started=now(),
        seconds=0.0,
        reasons=reasons,
        stamps=stamps,
        key=secrets.token_hex(8),  # a tracked run's of its own
    )
    linked.write(here.record)
    return linked
