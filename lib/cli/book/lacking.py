"""What the book is made of and no run has left: it is run first, and nothing else is.

An executed page counts while its code cells are those of its source; prose may have changed, as the book
shows that of today.
"""

from collections.abc import Iterator
from pathlib import Path

from lib.cli import lessons as running
from lib.errors import RunError, StepError
from lib.notebook_source import Saved, saved, tags_of
from lib.notebook_source import lessons as numbered
from lib.paths import Project
from lib.records import RunRecord
from lib.runner import plan, start, status
from lib.runner.terminal import Terminal


def pages(project: Project, wishes: plan.Wishes, terminal: Terminal) -> Path | None:
    """The folder of the run that is shown: that of the wishes, brought up to date, or the last whole one.

    Without either the quickstart is run. None where that failed. A run that is named alone is shown as it is.
    """
    if wishes == plan.Wishes() and (last := _last_whole(project)):
        return last
    if wishes.run and wishes == plan.Wishes(run=wishes.run):
        folder = project.outputs / wishes.run
        if not _is_whole(folder, project):
            raise RunError(
                f"Run {wishes.run!r} has not every page as it is now. Say `make pipeline RUN={wishes.run}` "
                "with the PARAMS and P that it was made with, then `make book` again."
            )
        return folder
    request = plan.ask(wishes, project)
    terminal.say(f"Pages of run {request.run}:")
    return request.folder if start.pipeline(request) == 0 else None


def lessons(project: Project, terminal: Terminal) -> int:
    """Run the lessons that were not executed as they stand; 0 when all came to their end."""
    done = project.outputs / running.FOLDER
    missing = [
        page
        for page in numbered.find(project.notebooks / running.FOLDER)
        if not is_executed(done / page.name, page)
    ]
    return max((running.run(project, page.stem, terminal) for page in missing), default=0)


def is_executed(executed: Path, source: Path) -> bool:
    """Whether a page was executed with the code cells that its source has now."""
    try:
        ran, now = saved(executed)["cells"], saved(source)["cells"]
    except (OSError, StepError):
        return False
    return list(_code(ran)) == list(_code(now))


def _code(cells: list[Saved]) -> Iterator[tuple[object, str]]:
    """Id and source of each code cell, but for the parameters that papermill put in."""
    for cell in cells:
        if cell["cell_type"] == "code" and "injected-parameters" not in tags_of(cell):
            yield cell.get("id"), "".join(cell["source"])


def _last_whole(project: Project) -> Path | None:
    """The run that was started last, of those that have every numbered page as its source is now."""
    records = [(RunRecord.read(path), path.parent) for path in project.outputs.glob("[!.]*/run.json")]
    whole = sorted((run.started, folder) for run, folder in records if run and _is_whole(folder, project))
    return whole[-1][1] if whole else None


def _is_whole(folder: Path, project: Project) -> bool:
    """Whether every numbered page was executed as its source is now, and each with what the others wrote."""
    pages = numbered.find(project.notebooks)
    executed = all(is_executed(folder / "notebooks" / page.name, page) for page in pages)
    return executed and all(step.status == "done" for step in status.steps(folder).values())
