"""One notebook through papermill's API: cell by cell, with progress, a way to stop it, and a failure's facts.

The only module of the pipeline that calls papermill (lessons have a call of their own, in `lib.cli.lessons`).
What is kept of a finished or failed notebook is decided in `lib.runner.run`.
"""

import contextlib
import json
import logging
import re
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers
from papermill.log import logger

from lib import compute, dependencies, files, notebook_source, redaction
from lib.notebook_source.modules import Modules, imported
from lib.records import FailedStep, OpenStep, StepRecord, now
from lib.runner.kernels import Kernels
from lib.runner.plan import Request

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
#: Seconds that an interrupted cell has to say where it was, before its kernel is killed.
GRACE = 3.0


class Execution:
    """A step under way, seen from the runner's main thread: what it started from, and how far it is."""

    def __init__(self, request: Request, name: str, reasons: list[str], kernels: Kernels) -> None:
        self.request, self.name, self.reasons, self.kernels = request, name, reasons, kernels
        self.place = request.place(name)
        path = request.project.notebooks / f"{name}.ipynb"
        self.text = path.read_bytes()  # as it is now: it may be edited while it runs
        self.page = notebook_source.read(path, self.text)
        self.kept = redaction.redact(request.given(name))  # the parameters, as the notebook may show them
        self.modules = Modules(request.project).freeze()
        self.inputs = request.state.contents.digests(self.page.reads)
        self.log = kernels.folder / f"{request.run}.{name}.log"  # what the kernel prints past the notebook
        self.started, self._clock = now(), time.monotonic()
        self.notebook: NotebookNode | None = None
        self.cells, self.cell, self.source = 0, 0, ""
        self.stopped = ""  # why it was stopped from outside
        self._cell_started, self._saved_cell, self._interrupted = 0.0, -1, 0.0
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return round(time.monotonic() - self._clock, 2)

    def record(self, note: OpenStep | None, outputs: dict[str, str]) -> StepRecord:
        """The record of the step, done; `note` says what its page has used."""
        used = note.modules if note and note.modules is not None else self.modules.names()
        used = [name for name in used if name in self.modules]
        imports = set().union(*map(imported, self.page.cells), *map(self.modules.imports, used))
        return StepRecord(
            step=self.name,
            code=self.page.code,
            source=self.page.source,
            parameters=self.request.state.parameters[self.name],
            modules={name: self.modules.digests(name) for name in used},
            inputs=self.inputs,
            outputs=outputs,
            started=self.started,
            seconds=self.seconds,
            reasons=self.reasons,
            kernel=self.kernels.kind(self.log),
            peak_memory_mb=note.peak_memory_mb if note else None,
            mlflow_uri=note.mlflow_uri if note else "",
            mlflow_run_id=note.mlflow_run_id if note else None,
            taken=note.taken if note else [],
            key=note.key if note else "",
            metrics=note.metrics if note else {},
            tags=note.tags if note else {},
            stamps=note.stamps if note else {},
            libraries=dependencies.libraries(imports),
        )

    def run(self) -> FailedStep | None:
        """Run the notebook to its end, in whichever thread calls; None if all went well."""
        logger.setLevel(logging.CRITICAL)  # what goes wrong is told by us
        try:
            self.notebook = papermill.execute_notebook(
                nbformat.reads(self.text.decode(), as_version=4),
                None,
                parameters=self.request.given(self.name),
                engine_name="workbook",
                kernel_name="python3",
                language="python",
                progress_bar=False,
                autosave_cell_every=0,
                execution=self,
            )
            # a cell that swallows the interrupt goes on: what it then makes is no result
            return self.failure(self.stopped) if self.stopped else None
        except Exception as error:  # noqa: BLE001 - the kernel died, was killed or never started
            return self._failed(error)
        finally:
            ensure_event_loop().close()  # this thread's, which the client has left open

    def _failed(self, error: Exception) -> FailedStep:
        if self.notebook is not None:
            remove_error_markers(self.notebook)
        trace, process = "", self.kernels.processes.get(self.log)
        if isinstance(error, PapermillExecutionError):
            trace = _COLOURS.sub("", "\n".join(error.traceback))
            text = f"{error.ename}: {_COLOURS.sub('', str(error.evalue))}".rstrip(": ")
        elif process and (isinstance(error, DeadKernelError) or not self.cell):
            died = str(error).startswith("Kernel died")
            how = f"it {compute.ending(process.poll())}." if died else f"{type(error).__name__}: {error}"
            text = f"The kernel {'died' if self.cell else 'could not start'}: {how}{self._last_words()}"
        else:
            text = f"{type(error).__name__}: {error}"
        return self.failure(self.stopped or text, trace)

    def failure(self, error: str, trace: str = "") -> FailedStep:
        """The record of this notebook's failure, in the cell where it is now."""
        line = re.findall(r"Cell In\[\d+\], line (\d+)", trace)
        cell, where = self.cell or None, int(line[0]) if line else None
        return FailedStep(self.name, cell, self.cells, self.source, error, self.seconds, trace, where)

    def failed_at_its_end(self, error: str) -> FailedStep:
        """A failure that no cell has: what was missing at the end, or could not be kept."""
        return FailedStep(self.name, None, self.cells, "", error, self.seconds)

    def unfinished(self, outputs: Mapping[str, str], note: OpenStep | None) -> str:
        """What a notebook that ran to its end has left undone; empty if nothing."""
        absent = [thing for thing in self.page.writes if thing not in outputs]
        if absent:
            return f"StepError: it ended without writing {', '.join(absent)}, which its Step line declares."
        if note and not note.closed:
            return "StepError: it ended without step.close(), which belongs into its last cell."
        return ""

    def _last_words(self) -> str:
        """What the kernel's process printed last, past the notebook."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
            return "".join(f"\n  {line}" for line in lines)
        return ""

    # --- from the main thread -----------------------------------------------------------------------

    def stop(self, why: str, grace: float = GRACE) -> None:
        """Interrupt the cell, so that its trace says where it was; kill the kernel if that does not help.

        To be called until the step has ended: its kernel may only be starting.
        """
        self.stopped = self.stopped or why
        process = self.kernels.processes.get(self.log)
        if process is None:
            return
        if not self._interrupted and grace:
            self._interrupted = time.monotonic()
            process.send_signal(signal.SIGINT)
        elif time.monotonic() > self._interrupted + grace and process.poll() is None:
            compute.kill_group(process.pid)

    def save_if_slow(self) -> None:
        """Keep the notebook as far as it got, once a cell, when a cell takes longer than half a second."""
        if self._saved_cell != self.cell and time.monotonic() - self._cell_started > 0.5 and self.cell:
            self._saved_cell = self.cell
            with contextlib.suppress(RuntimeError, OSError):  # it changed while it was written: next time
                self.save(self.place.running)

    def save(self, path: Path) -> None:
        """Write the notebook as it is now, whole or not at all."""
        with self._lock:
            files.write_json(path, json.loads(nbformat.writes(self.notebook)))

    # --- from the client's hooks --------------------------------------------------------------------

    def begin(self, notebook: NotebookNode) -> None:
        """The notebook has its parameters and is about to run."""
        self.notebook = notebook
        self.cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        notebook.metadata.papermill.update(input_path=f"notebooks/{self.name}.ipynb", parameters=self.kept)

    def cell_starts(self, cell: NotebookNode, **_: object) -> None:
        """A code cell starts."""
        if cell.cell_type == "code":
            self.cell += 1
            self.source, self._cell_started = cell.source, time.monotonic()


class _Engine(NBClientEngine):
    """Papermill's own engine, with our kernel manager and our hooks."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **settings: Any) -> None:
        execution: Execution = settings["execution"]
        execution.begin(nb_man.nb)
        client = PapermillNotebookClient(
            nb_man,
            kernel_name=kernel_name,
            log=logger,
            timeout=None,
            startup_timeout=settings.get("start_timeout", 60),
            kernel_manager_class=execution.kernels.manager(execution.log),
            shutdown_kernel="immediate",
            coalesce_streams=True,
            resources={"metadata": {"path": str(execution.request.project.notebooks)}},
            on_cell_start=execution.cell_starts,
            on_cell_complete=lambda cell, **_: notebook_source.keep_given(cell, execution.kept),
        )
        if execution.stopped:
            raise RuntimeError(execution.stopped)
        client.execute()


papermill_engines.register("workbook", _Engine)
