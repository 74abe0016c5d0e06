"""After a failure or a crash: what is kept of a notebook, and what is cleaned or closed at the next start.

Nothing here runs when all went well the last time.
"""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat

from lib import files, paths, redaction, tracking
from lib.errors import one_line
from lib.records import FailedStep, OpenStep, StepRecord
from lib.runner import terminal
from lib.runner.plan import Request
from lib.runner.staleness import Place, dead_sweeps

#: Folders of outputs beside the runs in which, and in whose folders, files appear whole or not at all.
_SHARED = ("cache", "marks", "sweeps", "lessons", "learner")


def keep_failed(place: Place, notebook: nbformat.NotebookNode | None, failure: FailedStep) -> None:
    """Keep the notebook as far as it got, its error on top, under the name that says it failed."""
    failure.write(place.failure)
    if notebook is None:
        notebook = nbformat.v4.new_notebook()
    tags = {"tags": ["papermill-error-cell-tag"]}
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(_top(failure), metadata=tags))
    try:
        files.write_json(place.failed, json.loads(nbformat.writes(notebook)))
    finally:
        notebook.cells.pop(0)


def _top(failure: FailedStep) -> str:
    where = f"in cell `[{failure.cell}]` of {failure.cells}" if failure.cell else "before its first cell"
    lines = terminal.excerpt(failure.source, failure.line, 12) if failure.cell else []
    ticks = re.findall("`{3,}", failure.error + failure.source)
    fence = max(["``", *ticks], key=len) + "`"  # longer than any in the text, which ends none
    cell = "\n".join(["", f"{fence}python", *lines, fence, ""]) if lines else ""
    return (
        f"# ✗ {failure.step} failed {where}\n\n{fence}text\n{failure.error.strip()}\n{fence}\n{cell}\n"
        "The cells below hold what they gave until then; mend `notebooks/` or `lib/`, not this copy. "
        "The next `make pipeline` goes on from this step."
    )


def beside_the_runs(outputs: Path, say: Callable[[str], None]) -> None:
    """Clean what killed processes have left in `outputs` beside the runs: half-written files, open sweeps."""
    below = [part for name in _SHARED for part in (outputs / name, *(outputs / name).glob("*/"))]
    for part in (outputs, *below):
        files.sweep(part)
    close_tracked(dead_sweeps(outputs), say)


def after_a_crash(request: Request, say: Callable[[str], None]) -> None:
    """Clean what a killed run has left: half-written files, notebooks cut off, tracked runs left open."""
    for part in (request.folder, *(path for path in request.folder.glob("*") if path.is_dir())):
        files.sweep(part)
    for path in sorted((request.folder / "notebooks").glob(".*.running.ipynb")):
        step = path.name.removeprefix(".").removesuffix(".running.ipynb")
        _keep_cut_off(step, request.place(step), say)
    notes = sorted((request.folder / "notebooks").glob(".*.open.json"))
    for path in notes:
        note = OpenStep.read(path)
        record = StepRecord.read(path.with_name(path.name.removeprefix(".").replace(".open.", ".")))
        if note and record and note.key == record.key:  # killed when all was kept: the step is done
            path.unlink()
    close_tracked(filter(Path.exists, notes), say)


def _keep_cut_off(step: str, place: Place, say: Callable[[str], None]) -> None:
    try:
        notebook = nbformat.read(place.running, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        statuses = [cell.metadata.get("papermill", {}).get("status") for cell in code]
        running = statuses.index("running") if "running" in statuses else None
        text = "The run was killed while this cell ran." if running is not None else "The run was killed."
        cell, source = (None, "") if running is None else (running + 1, code[running].source)
        keep_failed(place, notebook, FailedStep(step, cell, len(code), source, text))
        say(f"  {step} was cut off last time; as far as it got: {place.failed.name}")
    except (OSError, ValueError) as error:
        say(f"  {step} was cut off last time; its notebook cannot be read: {error}")
    place.running.unlink(missing_ok=True)


def close_tracked(notes: Iterable[Path], say: Callable[[str], None]) -> None:
    """Mark as failed the tracked runs that these notes name, then remove the notes.

    A note that is left is of a step that did not finish, though its page may have closed the run. A run that
    cannot be closed is tried again while its place is where the record is now.
    """
    outputs = paths.outputs()
    for path in notes:
        note = OpenStep.read(path)
        if note:
            try:
                tracking.close_dead(note)
            except Exception as error:  # noqa: BLE001 - a tracker that is away must not hide the failure itself
                said = one_line(redaction.text(str(error)))
                say(f"  The tracked run of {path.name} could not be closed: {said}")
                if note.mlflow_uri == paths.kept_uri(paths.tracking_uri(outputs), outputs):
                    continue
        path.unlink(missing_ok=True)
