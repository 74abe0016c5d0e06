"""A start of the runner: the lock of each run, and whether there is anything to do at all.

Standard library and YAML only; what runs notebooks is imported where there is something to run.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from lib import files
from lib.errors import RunError
from lib.records import now
from lib.runner.plan import Request
from lib.runner.report import freshness
from lib.runner.staleness import dead_sweeps


def pipeline(request: Request) -> int:
    """`make pipeline`: plan, and run what is out of date; the exit code."""
    started = time.monotonic()
    with locked(request.folder):
        planned = request.plan()
        if not any(step.reasons for step in planned) and not _left_open(request.folder):
            _make_pages(request.folder)
            spent = time.monotonic() - started
            print(f"All {len(planned)} steps of run {request.run} are up to date ({spent:.2f} s to see it).")
            return 0
        from lib.runner.run import Runner

        return Runner([request]).go()


def _make_pages(folder: Path) -> None:
    """Make what is missing of the report, or not as it was made; no step runs for it."""
    if freshness.stale(folder):
        from lib.runner.report import process

        process.make(folder)
        print("Pages of the report were missing, or their prose had changed: they are made again.")


def _left_open(folder: Path) -> bool:
    """Whether a tracked run was not closed, or a notebook was cut off."""
    notebooks = folder / "notebooks"
    cut = [*notebooks.glob(".*.open.json"), *notebooks.glob(".*.running.ipynb")]
    return bool(cut or dead_sweeps(folder.parent))


@contextlib.contextmanager
def locked(*folders: Path) -> Iterator[None]:
    """Hold the locks of runs; a second start of the same run is refused, naming who has it."""
    with contextlib.ExitStack() as stack:
        for folder in folders:
            try:
                handle = stack.enter_context(files.locked(folder / ".lock", wait=False))
            except BlockingIOError:
                holder = (folder / ".lock").read_text(encoding="utf-8").strip() or "another process"
                what = f"Run {folder.name} is already running ({holder})"
                raise RunError(f"{what}. Wait for it, or name another: RUN=name.") from None
            except OSError as error:
                what = f"{folder} cannot be written ({error.strerror})"
                raise RunError(f"{what}; set WORKBOOK_OUTPUTS to a folder that can.") from error
            with contextlib.suppress(OSError):  # a full disk: the lock does not say whose it is
                handle.truncate(0)
                os.write(handle.fileno(), f"process {os.getpid()}, since {now()}".encode())
        yield
