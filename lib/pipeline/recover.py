"""After a failure or a crash: what is kept of a notebook, and what is cleaned or closed at the next start.

Nothing here runs when all went well the last time.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib.pipeline import project as files
from lib.pipeline import record, session, terminal


def keep_failed(place: record.Place, notebook: Any, failure: Any, seconds: float) -> None:
    """Keep the notebook as far as it got, its error on top, under the name that says it failed."""
    import nbformat

    facts = {
        "step": place.step,
        "cell": failure.cell,
        "cells": failure.cells,
        "source": failure.source,
        "error": failure.error,
        "seconds": round(seconds, 2),
    }
    files.write_json(place.failure, facts)
    if notebook is None:
        notebook = nbformat.v4.new_notebook()
    top = nbformat.v4.new_markdown_cell(
        _top(place.step, failure), metadata={"tags": ["papermill-error-cell-tag"]}
    )
    notebook.cells.insert(0, top)
    try:
        files.write_text(place.failed, nbformat.writes(notebook))
    finally:
        notebook.cells.pop(0)


def _top(step: str, failure: Any) -> str:
    where = f"in cell `[{failure.cell}]` of {failure.cells}" if failure.cell else "before its first cell"
    lines = terminal.excerpt(failure.source, failure.line, 12) if failure.cell else []
    cell = "\n```python\n" + "\n".join(lines) + "\n```\n" if lines else ""
    return (
        f"# ✗ {step} failed {where}\n\n```text\n{failure.error.strip()}\n```\n{cell}\n"
        "The cells below hold what they gave until then; mend `notebooks/` or `lib/`, not this copy. "
        "The next `make pipeline` goes on from this step."
    )


def after_a_crash(asked: session.Session, say: Callable[[str], None]) -> None:
    """Clean what a killed run has left: half-written files, notebooks cut off, tracked runs left open."""
    if not asked.folder.exists():
        return
    files.sweep(asked.folder)
    for path in sorted((asked.folder / "notebooks").glob(".*.running.ipynb")):
        name = path.name.removeprefix(".").removesuffix(".running.ipynb")
        _keep_cut_off(record.Place(asked.folder, name), say)
    notes = sorted((asked.folder / "notebooks").glob(".*.open.json"))
    close_notes(notes, say)


def _keep_cut_off(place: record.Place, say: Callable[[str], None]) -> None:
    import nbformat

    from lib.pipeline.execute import Failure

    try:
        notebook = nbformat.read(place.running, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        statuses = [cell.metadata.get("papermill", {}).get("status") for cell in code]
        cell = statuses.index("running") if "running" in statuses else None
        text = "The run was killed while this cell ran." if cell is not None else "The run was killed."
        failure = Failure(
            None if cell is None else cell + 1, len(code), "" if cell is None else code[cell].source, text
        )
        keep_failed(place, notebook, failure, 0.0)
        say(f"  {place.step} was cut off last time; as far as it got: {place.failed.name}")
    except (OSError, ValueError) as error:
        say(f"  {place.step} was cut off last time; its notebook cannot be read: {error}")
    place.running.unlink(missing_ok=True)


def close_tracked(asked: session.Session, failed: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """Close the tracked runs of steps that failed just now."""
    places = [record.Place(asked.folder, name) for name in failed if name != "the run"]
    close_notes([place.opened for place in places], say)


def close_notes(notes: list[Path], say: Callable[[str], None]) -> None:
    """Mark as failed the runs that these notes name, then remove the notes."""
    for path in notes:
        note = files.read_json(path)
        if note:
            try:
                from lib import tracking

                tracking.close_dead(note)
            except Exception as error:  # a tracker that is away must not hide the failure itself
                say(f"  The tracked run of {path.name} could not be closed: {error}")
                continue
        path.unlink(missing_ok=True)
