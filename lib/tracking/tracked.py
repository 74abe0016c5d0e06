"""A step's tracked run: each figure goes to both trackers, and calls return at once.

Each tracker has a thread that does the work in order (`lib.tracking.backend`); `close` waits for both.
"""

import atexit
import contextlib
import dataclasses
import functools
import os
import secrets
import tempfile
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib import files, paths, redaction
from lib.errors import StepError
from lib.records import OpenStep
from lib.tracking import database, picture, tags, wandb_run
from lib.tracking.backend import Backend, TrackerRun, Trial
from lib.tracking.mlflow_run import MlflowRun
from lib.tracking.picture import Picture
from lib.tracking.wandb_run import WandbRun

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Tags that are of a result, whichever run it was made in.
_OF_THE_RESULT = ("workbook.data", "workbook.generated", "workbook.parameters")
_LIVING: "weakref.WeakSet[Tracked]" = weakref.WeakSet()


def open_tracked(
    step: str,
    run: str,
    problem: str,
    parameters: Mapping[str, object],
    tags: Mapping[str, str],
    outputs: Path,
    note: Path | None = None,
) -> "Tracked":
    """Open one run in each tracker. `note` is the file that says which, for whoever finds the step dead."""
    return Tracked(step, run, problem, parameters, tags, outputs, note)


def _close_what_is_open() -> None:
    """A process that ends with a step open has not finished it: MLflow would leave the run running."""
    for tracked in list(_LIVING):
        with contextlib.suppress(StepError):  # said already, when it happened
            tracked.close("FAILED", patience=5)


def _close_at_exit() -> None:
    """Have open runs closed before W&B's own exit hook ends its service: the last hook set runs first."""
    atexit.unregister(_close_what_is_open)
    atexit.register(_close_what_is_open)


class Tracked:
    """A step's run in both trackers. Methods hand the work over to the trackers' threads and return."""

    def __init__(
        self,
        step: str,
        run: str,
        problem: str,
        parameters: Mapping[str, object],
        more_tags: Mapping[str, str],
        outputs: Path,
        note: Path | None,
        key: str = "",
        wandb: bool = True,
    ) -> None:
        """`key` is a tag of the run, and W&B's id of it; without `wandb` that gets nothing."""
        os.environ.update(tags.environment(outputs))
        tags.take_parent()
        mode = wandb_run.mode() if wandb else "disabled"
        tags.load(["mlflow", "mlflow.tracking"])
        if mode != "disabled":
            with contextlib.suppress(Exception):  # said where its run is opened, and no matter of the step's
                tags.load(["wandb"])
        self.uri = database.prepare(outputs)
        self.status, self._closed, self._wandb_told = "RUNNING", False, False
        self._metrics: dict[str, float | None] = {}
        self._held = contextlib.ExitStack()  # until the run is closed it tells that this process lives
        self._files: Path | None = None
        shown = redaction.redact(parameters)
        self._open_step = OpenStep(
            pid=os.getpid(),
            key=key or secrets.token_hex(8),
            problem=problem,
            mlflow_uri=paths.kept_uri(self.uri, outputs),
        )
        self._tags = (
            tags.of(step, run, problem, shown)
            | {"workbook.key": self._open_step.key}
            | redaction.texts(more_tags)
        )
        asking = ThreadPoolExecutor(1)  # git takes its time in a large repository: the step does not wait
        self._commit = asking.submit(tags.commit)
        asking.shutdown(wait=False)
        self.note_path = note
        if note:
            self._held.enter_context(files.temporary(note))
        self._write_note()
        first = dict(self._tags)
        self._mlflow = Backend("mlflow", lambda: self._open_mlflow(first, shown, outputs))
        self._backends = [self._mlflow]
        if mode != "disabled":
            open_wandb = functools.partial(self._open_wandb, first, shown, outputs, mode)
            self._backends.append(Backend("wandb", open_wandb, wandb_run.PATIENCE))
        _LIVING.add(self)
        _close_at_exit()

    def _open_mlflow(
        self, first: Mapping[str, str], parameters: Mapping[str, object], outputs: Path
    ) -> MlflowRun:
        run = MlflowRun(self.uri, {**first, **self._commit.result()}, parameters, outputs)
        self._open_step = dataclasses.replace(self._open_step, mlflow_run_id=run.run_id)
        self._write_note()
        return run

    def _open_wandb(
        self, first: Mapping[str, str], parameters: Mapping[str, object], outputs: Path, mode: wandb_run.Mode
    ) -> WandbRun:
        run = WandbRun({**first, **self._commit.result()}, parameters, outputs, mode)
        _close_at_exit()
        return run

    def _write_note(self) -> None:
        if self.note_path:
            with files.writing(self.note_path):
                self._open_step.write(self.note_path)

    def __repr__(self) -> str:
        run, step, problem = (self._tags[f"workbook.{name}"] for name in ("run", "step", "problem"))
        return f"Recorded in MLflow as {run}/{step}, experiment {problem}; W&B {wandb_run.mode()}."

    def note(self, **used: Any) -> None:
        """Say in the note what the step used, as fields of `OpenStep`; waits for MLflow's id."""
        self._wait_for_mlflow()
        tags = {name: self._tags[name] for name in _OF_THE_RESULT if name in self._tags}
        self._open_step = dataclasses.replace(self._open_step, metrics=self._metrics, tags=tags, **used)
        self._write_note()

    @property
    def run_id(self) -> str:
        """The id of the MLflow run, once that is open."""
        self._wait_for_mlflow()
        return self._open_step.mlflow_run_id or ""

    # --- handing over -------------------------------------------------------------------------------

    def wait(self, patience: float | None = None) -> None:
        """Wait until both trackers have what they were given; raises if MLflow could not take it.

        W&B is waited for as long as its `PATIENCE` lasts: what it does decides nothing.
        """
        for backend in self._backends:
            backend.wait(patience)
        self._check()

    def _wait_for_mlflow(self) -> None:
        self._mlflow.wait()
        self._check()

    def _check(self) -> None:
        failed = self._mlflow.error
        if isinstance(failed, StepError):
            raise failed
        if failed:
            raise StepError(
                f"MLflow at {redaction.text(self.uri)} could not record this step ({self._mlflow.trouble}). "
                f"{database.remedy(failed, self.uri)}"
            ) from failed
        wandb = self._backends[-1]
        if wandb.error and not self._wandb_told:
            self._wandb_told = True
            line = wandb.trouble.splitlines()[0]
            print(f"W&B took no more of this step ({line}); MLflow has it all.")

    def _do(self, call: Callable[[TrackerRun], object]) -> None:
        """Hand one piece of work to each tracker, which is given its run when its turn comes."""
        if self._closed:
            raise StepError(
                f"The run of this step is closed ({self.status}). Run the cell that opens the step again."
            )
        self._check()
        for backend in self._backends:
            backend.do(call)

    # --- what is logged -----------------------------------------------------------------------------

    def tags(self, tags: Mapping[str, str]) -> None:
        """Tags of the run; those that were there are replaced."""
        told = redaction.texts(tags)
        self._tags |= told
        self._do(lambda run: run.tag(told))

    def metrics(self, metrics: Mapping[str, float | None]) -> None:
        """Figures of the run, by name; None is left out, and what is no finite number refused."""
        plain = files.plain(metrics)
        for name, value in metrics.items():
            if value is not None and plain[name] is None:
                raise StepError(
                    f"The figure {name!r} is {value}: only a finite number can be recorded and compared. "
                    "Look at the rows that it is computed from."
                )
        self._metrics |= plain
        self._do(lambda run: run.metrics(plain))

    def curve(self, table: "pd.DataFrame") -> None:
        """Figures along an axis of whole numbers, the table's index; a column is a figure."""
        points = [(int(str(step)), one) for step, one in table.to_dict("index").items()]
        self._do(lambda run: run.curve(points))

    def figure(self, name: str, figure: "Figure") -> Picture:
        """A matplotlib figure, drawn here and now; show what this returns, and it is drawn only once.

        One of generated data is marked as such in its corner, wherever it is shown from here on.
        """
        if self._tags.get("workbook.generated") == "yes":
            picture.mark(figure, "generated data")
        drawn = picture.draw(figure, path := self._file(f"{name}.png"))
        self._do(lambda run: run.figure(name, path))
        return drawn

    def table(self, name: str, frame: "pd.DataFrame") -> None:
        """A small data frame, as a table; its index becomes columns unless it only counts the rows."""
        shown = frame if frame.index.name is None and frame.index.dtype == "int64" else frame.reset_index()
        columns = [str(column) for column in shown.columns]
        path = self._file(f"{name}.json")
        files.write_json(path, {"columns": columns, "data": shown.to_numpy(dtype=object)})
        told = files.read_json(path)
        self._do(lambda run: run.table(name, path, told["columns"], told["data"]))

    def text(self, name: str, text: str) -> None:
        """A text file."""
        told, path = redaction.text(text), self._file(f"{name}.txt")
        path.write_text(told, encoding="utf-8")
        self._do(lambda run: run.text(name, path, told))

    def _file(self, name: str) -> Path:
        """A file on its way to the trackers, in a temporary folder that goes when the run is closed."""
        if self._files is None:
            self._files = self._held.enter_context(files.temporary_folder())
        return Path(tempfile.mkdtemp(dir=self._files)) / name

    def data(self, name: str, path: Path, digest: str, rows: int | None = None) -> None:
        """Data that the step wrote: a dataset of the MLflow run, an artifact of the W&B run."""
        self._do(lambda run: run.data(name, path, digest, rows))

    def trial(
        self,
        number: int,
        family: str,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        seconds: float,
        status: str = "ok",
        reason: str = "",
    ) -> None:
        """A trial of a search: a child run in MLflow, in one batch, and a row of one table in W&B."""
        figures = files.plain(metrics) | {"seconds": round(float(seconds), 4)}
        trial = Trial(number, family, files.plain(parameters), figures, status, redaction.text(reason))
        self._do(lambda run: run.trial(trial))

    def model(self, folder: Path, digest: str, tags: Mapping[str, str] | None = None) -> None:
        """A model's folder: a logged model in MLflow, stored once a digest, and a W&B artifact."""
        about = dict(tags or {}) | {"workbook.digest": digest}
        self._do(lambda run: run.model(folder, about))

    def stored(self, folder: Path, digest: str) -> str:
        """MLflow's id of a model that an earlier step gave to `model`; it is stored now if none did."""
        ids: list[str] = []
        self._mlflow.do(lambda run: ids.append(str(run.model(folder, {"workbook.digest": digest}))))
        self._wait_for_mlflow()
        return ids[0]

    def close(self, status: str = "FINISHED", patience: float | None = None) -> None:
        """Close the run in both trackers, and wait for them; a second call does nothing."""
        if self.status != "RUNNING":
            return
        self.status = status
        try:
            self._do(lambda run: run.close(status))
            self.wait(patience)
        finally:
            self._closed = True
            for backend in self._backends:
                backend.stop()
            self._held.close()
        self._open_step = dataclasses.replace(self._open_step, status=status)
        with contextlib.suppress(StepError):  # a full disk: the note then says less than it could
            self._write_note()
