"""One notebook through papermill's API: cell by cell, with progress, a way to stop it, and a failure's facts.

The only module that knows papermill. What is kept of a finished or failed notebook is decided in
`lib.pipeline.run`.
"""

import contextlib
import logging
import re
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers
from papermill.log import logger

from lib.pipeline import project as files
from lib.pipeline.kernels import Kernels, kill_group

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
#: Seconds that an interrupted cell has to say where it was, before its kernel is killed.
GRACE = 3.0


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not finish: in which cell, what the cell says, the error and its trace."""

    cell: int | None  # as in `In [5]`
    cells: int
    source: str
    error: str
    traceback: str = ""
    line: int | None = None  # of the cell's source, where the trace says so


@dataclass
class Execution:
    """A notebook that runs, seen from the runner's main thread."""

    name: str
    text: str  # the notebook's file as it was when the step started
    parameters: Mapping[str, Any]
    kernels: Kernels
    folder: Path  # where the kernel runs: the notebooks' own
    running: Path  # where it is kept while it runs
    log: Path  # what the kernel's process prints past the notebook
    notebook: Any = None
    cells: int = 0
    cell: int = 0
    source: str = ""
    started: float = field(default_factory=time.monotonic)
    peak_memory_mb: float | None = None
    warm: bool = False
    _cell_started: float = 0.0
    _saved_cell: int = -1
    _stopped: str = ""
    _client: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.started

    def run(self) -> Failure | None:
        """Run the notebook to its end, in whichever thread calls; None if all went well."""
        logger.setLevel(logging.ERROR)
        node = nbformat.reads(self.text, as_version=4)
        try:
            self.notebook = papermill.execute_notebook(
                node,
                None,
                parameters=dict(self.parameters),
                engine_name="workbook",
                kernel_name="python3",
                language="python",
                progress_bar=False,
                autosave_cell_every=0,
                execution=self,
            )
            return None
        except PapermillExecutionError as error:
            return self._failed(error)
        except Exception as error:  # the kernel died, was killed or never started
            return self._failed(error)

    def _failed(self, error: Exception) -> Failure:
        if self.notebook is not None:
            remove_error_markers(self.notebook)
        trace = ""
        if isinstance(error, PapermillExecutionError):
            trace = _COLOURS.sub("", "\n".join(error.traceback))
            text = f"{error.ename}: {_COLOURS.sub('', str(error.evalue))}".rstrip(": ")
        elif type(error).__name__ == "DeadKernelError":
            text = "The kernel died without a word: it was killed, or ran out of memory." + self._last_words()
        else:
            text = f"{type(error).__name__}: {error}"
        line = re.findall(r"Cell In\[\d+\], line (\d+)", trace)
        return Failure(
            self.cell or None,
            self.cells,
            self.source,
            self._stopped or text,
            trace,
            int(line[0]) if line else None,
        )

    def _last_words(self) -> str:
        """What the kernel's process printed last, past the notebook."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
            return "".join(f"\n  {line}" for line in lines)
        return ""

    # --- from the main thread -----------------------------------------------------------------------

    def stop(self, why: str, grace: float = GRACE) -> None:
        """Interrupt the cell, so that its trace says where it was; kill the kernel if that does not help."""
        if self._stopped:
            return
        self._stopped = why
        provisioner = self._provisioner()
        if provisioner is None or not provisioner.process:
            return
        if not grace:
            kill_group(provisioner.pid)
            return
        with contextlib.suppress(OSError):
            provisioner.process.send_signal(signal.SIGINT)
        last_word = threading.Timer(grace, self._kill, [provisioner])
        last_word.daemon = True
        last_word.start()

    def _kill(self, provisioner: Any) -> None:
        if provisioner.process and provisioner.process.poll() is None:
            kill_group(provisioner.pid)

    def _provisioner(self) -> Any:
        manager = getattr(self._client, "km", None)
        return manager.provisioner if manager else None

    def save_if_slow(self) -> None:
        """Keep the notebook as far as it got, once a cell, when a cell takes longer than half a second."""
        if self._saved_cell != self.cell and time.monotonic() - self._cell_started > 0.5 and self.cell:
            self._saved_cell = self.cell
            with contextlib.suppress(RuntimeError, OSError):  # it changed while it was written: next time
                self.save(self.running)

    def save(self, path: Path) -> None:
        """Write the notebook as it is now, whole or not at all."""
        with self._lock:
            files.write_text(path, nbformat.writes(self.notebook))

    # --- from the client's hooks --------------------------------------------------------------------

    def begin(self, notebook: Any) -> None:
        """The notebook has its parameters and is about to run."""
        self.notebook = notebook
        self.cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        notebook.metadata.papermill["input_path"] = f"notebooks/{self.name}.ipynb"

    def cell_starts(self, cell: Any, cell_index: int) -> None:
        """A code cell starts."""
        if cell.cell_type == "code":
            self.cell += 1
            self.source, self._cell_started = cell.source, time.monotonic()

    def measure(self) -> None:
        """The kernel's peak memory, while it is still there."""
        provisioner = self._provisioner()
        self.warm = bool(provisioner and provisioner.forked)
        with contextlib.suppress(OSError, AttributeError, IndexError):
            status = Path(f"/proc/{provisioner.pid}/status").read_text()
            self.peak_memory_mb = round(int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024, 1)


class _Client(PapermillNotebookClient):
    """Papermill's client, which measures the kernel before it is shut down."""

    execution: Execution

    def papermill_execute_cells(self) -> None:
        """Run the cells."""
        try:
            super().papermill_execute_cells()
        finally:
            self.execution.measure()


class _Engine(NBClientEngine):
    """Papermill's own engine, with our kernel manager and our hooks."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> None:
        execution: Execution = settings["execution"]
        execution.begin(nb_man.nb)
        client = execution._client = _Client(
            nb_man,
            kernel_name=kernel_name,
            log=logger,
            timeout=None,
            startup_timeout=settings.get("start_timeout", 60),
            kernel_manager_class=execution.kernels.manager(execution.log),
            shutdown_kernel="immediate",
            coalesce_streams=True,
            resources={"metadata": {"path": str(execution.folder)}},
            on_cell_start=execution.cell_starts,
        )
        client.execution = execution
        if execution._stopped:
            raise RuntimeError(execution._stopped)
        client.execute()


papermill_engines.register("workbook", _Engine)
