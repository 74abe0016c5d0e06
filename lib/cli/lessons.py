"""`make lessons`: every lesson by papermill, each with a kernel of its own, in a folder that goes after it.

Nothing is planned and nothing taken from before, as a lesson reads nothing of others: that is
`lib.runner.run`.
"""

import logging
import time
from pathlib import Path

import papermill
from papermill.exceptions import PapermillExecutionError
from papermill.log import logger

from lib import files
from lib.errors import one_line
from lib.notebook_source import lessons
from lib.paths import Project
from lib.runner.terminal import Terminal, seconds

#: Below the outputs: the executed pages, and the seconds that each took.
FOLDER, SUMMARY = "lessons", ".lessons.json"
#: Seconds that one cell may take: a whole lesson is to be done in a minute.
CELL_TIMEOUT = 120


def run(project: Project, lesson: str = "", terminal: Terminal | None = None) -> int:
    """Run every lesson, or one; a line each. 0 when all came to their end, else 1 after the last of them."""
    terminal = terminal or Terminal()
    pages, failed, began = lessons.find(project.notebooks / FOLDER, lesson), 0, time.monotonic()
    width = max((len(page.stem) for page in pages), default=0)
    for page in pages:
        start = time.monotonic()
        error = _execute(page, project.outputs / FOLDER)
        took = time.monotonic() - start
        terminal.say(f"{terminal.mark('✗' if error else '✓')} {page.stem:<{width}}  {took:6.1f} s")
        if error:
            failed += 1
            kept = _kept(page, project.outputs / FOLDER, "failed")
            terminal.say(f"  {error}\n  open {project.shown(kept)}")
        done = {"seconds": round(took, 2), "failed": error}
        files.update_json(project.outputs / FOLDER / SUMMARY, {page.stem: done})
    count = f"{len(pages)} lesson{'' if len(pages) == 1 else 's'}"
    end = f"{failed} of {count} failed" if failed else f"{count} done"
    took, where = time.monotonic() - began, project.shown(project.outputs / FOLDER)
    terminal.say(f"{end} in {seconds(took)}; the executed pages are in {where}.")
    return int(failed > 0)


def _kept(page: Path, folder: Path, ending: str = "") -> Path:
    """Where the executed page is kept, done or `failed`."""
    return folder / ".".join(filter(None, [page.stem, ending, "ipynb"]))


def _execute(page: Path, folder: Path) -> str:
    """Run one page and keep what it gave; empty, or what went wrong in a line."""
    logger.setLevel(logging.CRITICAL)  # what goes wrong is told by us
    folder.mkdir(parents=True, exist_ok=True)
    done, failed, error = _kept(page, folder), _kept(page, folder, "failed"), ""
    with files.temporary_folder() as work, files.temporary_folder(folder, ".lesson-") as unfinished:
        executed = unfinished / page.name
        try:
            papermill.execute_notebook(
                page,
                executed,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                execution_timeout=CELL_TIMEOUT,
                cwd=work,
            )
        except PapermillExecutionError as wrong:
            error = one_line(f"cell [{wrong.exec_count}]: {wrong.ename}: {wrong.evalue}")
        except Exception as wrong:  # noqa: BLE001 - the kernel died, hung or never started: the next lesson runs
            error = one_line(f"{type(wrong).__name__}: {wrong}")
        files.remove(done)
        files.remove(failed)
        if executed.is_file():
            executed.replace(failed if error else done)
    return error
