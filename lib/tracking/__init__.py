"""One face over MLflow and W&B: a step opens a run, and both trackers get the same figures.

MLflow is the record (`lib.tracking.record`): its failure fails the step. W&B (`lib.tracking.board`) is
offline by default, needs no account and never prompts: its failure is told once. Calls return at once:
each tracker has a thread that does the work in order (`lib.tracking.lane`), and `close` waits for both.
"""

import atexit
import contextlib
import os
import secrets
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib import files
from lib.errors import StepError
from lib.tracking import about, board
from lib.tracking.about import PRELOAD, environment
from lib.tracking.lane import Lane
from lib.tracking.record import Record, attach, client, locked, prepare, uri
from lib.tracking.rescue import close_dead

__all__ = [
    "PRELOAD",
    "Tracked",
    "attach",
    "client",
    "close_dead",
    "environment",
    "locked",
    "open",
    "prepare",
    "uri",
]

_LIVING: "weakref.WeakSet[Tracked]" = weakref.WeakSet()


def open(
    step: str,
    run: str,
    problem: str,
    parameters: Mapping[str, Any],
    tags: Mapping[str, str],
    outputs: Path,
    note: Path | None = None,
) -> "Tracked":
    """Open one run in each tracker. `note` is the file that says which, for whoever finds the step dead."""
    os.environ.update(environment(outputs))
    about.take_parent()
    parameters = {name: about.without_secrets(name, value) for name, value in parameters.items()}
    tags = about.tags(step, run, problem, parameters) | dict(tags)
    tracked = Tracked(tags, parameters, outputs, note)
    _LIVING.add(tracked)
    _close_at_exit()
    return tracked


def _close_what_is_open() -> None:
    """A process that ends with a step open has not finished it: MLflow would leave the run running."""
    for tracked in list(_LIVING):
        with contextlib.suppress(StepError):  # told already, when it happened
            tracked.close("FAILED", patience=5)


def _close_at_exit() -> None:
    """Have open runs closed before W&B's own exit hook ends its service: the last hook set runs first."""
    atexit.unregister(_close_what_is_open)
    atexit.register(_close_what_is_open)


@dataclass(frozen=True)
class Picture:
    """A figure as it was drawn: a notebook shows it as an image."""

    name: str
    png: bytes = field(repr=False)

    def _repr_png_(self) -> bytes:
        return self.png


class Tracked:
    """A step's run in both trackers. Methods hand the work over to the trackers' threads and return."""

    def __init__(
        self, tags: Mapping[str, str], parameters: Mapping[str, Any], outputs: Path, note: Path | None
    ) -> None:
        self.uri = prepare(outputs)
        self._tags = dict(tags)
        self.status, self._closed = "RUNNING", False
        self.note, self._board_told = note, False
        self._record: Record | None = None
        self._board: board.Board | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        key = secrets.token_hex(8)
        tags = dict(tags) | {"workbook.key": key}
        self._about = {
            "key": key,
            "problem": tags["workbook.problem"],
            "outputs": str(outputs),
            "mlflow_uri": self.uri,
            "wandb_id": key,
            "pid": os.getpid(),
        }
        self._write_note()
        mode = board.mode()
        about.load(
            ("mlflow", "mlflow.tracking") if mode == "disabled" else ("mlflow", "mlflow.tracking", "wandb")
        )
        self._lanes = {"record": Lane("mlflow")} | ({} if mode == "disabled" else {"board": Lane("wandb")})
        self._lanes["record"].do(self._open_record, tags, parameters, outputs)
        if mode != "disabled":
            self._lanes["board"].do(self._open_board, key, tags, parameters, outputs, mode)

    def _open_record(self, tags: Mapping[str, str], parameters: Mapping[str, Any], outputs: Path) -> None:
        name = f"{tags['workbook.run']}/{tags['workbook.step']}"
        self._record = Record(self.uri, name, tags["workbook.problem"], outputs, dict(tags) | about.commit())
        self._about["mlflow_run_id"] = self._record.run_id
        self._write_note()
        self._record.log(parameters=parameters)

    def _open_board(self, *arguments: Any) -> None:
        key, tags, *others = arguments
        self._board = board.Board(key, dict(tags) | about.commit(), *others)
        _close_at_exit()

    def _write_note(self) -> None:
        if self.note:
            with files.whole(self.note) as file:
                file.write(files.as_json(self._about))

    def __repr__(self) -> str:
        told = self._tags
        return (
            f"Recorded in MLflow as {told['workbook.run']}/{told['workbook.step']}, "
            f"experiment {told['workbook.problem']}; W&B {board.mode()}."
        )

    def noted(self, **more: Any) -> None:
        """Add to the note; waits for the trackers, whose ids must stand in it."""
        self.wait()
        self._about |= more
        self._write_note()

    @property
    def run_id(self) -> str:
        """The id of the MLflow run, once that is open."""
        self.wait()
        return self._about["mlflow_run_id"]

    def wait(self, patience: float | None = None) -> None:
        """Wait until both trackers have what they were given; raises if MLflow could not take it."""
        for lane in self._lanes.values():
            lane.wait(patience)
        self._check()

    def _check(self) -> None:
        failed = self._lanes["record"].error
        if isinstance(failed, StepError):
            raise failed
        if failed:
            raise StepError(
                f"MLflow at {self.uri} could not record this step ({type(failed).__name__}: {failed}). "
                "If the database is broken or of another version, move it away, then run the step again."
            ) from failed
        lost = self._lanes["board"].error if "board" in self._lanes else None
        if lost and not self._board_told:
            self._board_told = True
            print(f"W&B took no more of this step ({type(lost).__name__}: {lost}); MLflow has it all.")

    def _both(self, to_record: Any, to_board: Any) -> None:
        """Hand one piece of work to each tracker; each callable is given its tracker when its turn comes."""
        if self._closed:
            raise StepError(
                f"The run of this step is closed ({self.status}). Run the cell that opens the step again."
            )
        self._check()
        self._lanes["record"].do(lambda: to_record(self._record))
        if "board" in self._lanes:
            self._lanes["board"].do(lambda: to_board(self._board))

    def tags(self, tags: Mapping[str, str]) -> None:
        """Tags of the run; those that were there are replaced."""
        self._tags |= tags
        self._both(lambda record: record.tag(tags), lambda board: board.tag(tags))

    def metrics(self, metrics: Mapping[str, float]) -> None:
        """Figures of the run, by name; None is left out."""
        metrics = files.plain(metrics)
        self._both(lambda record: record.log(metrics=metrics), lambda board: board.metrics(metrics))

    def figure(self, name: str, figure: Any) -> Picture:
        """A matplotlib figure, drawn here and now; show what this returns, and it is drawn only once.

        One of generated data is marked as such in its corner, wherever it is shown from here on.
        """
        if self._tags.get("workbook.generated") == "yes":
            _mark(figure, "generated data")
        path = self._shelf() / f"{name}.png"
        figure.savefig(path, format="png", dpi="figure", bbox_inches="tight")
        self._both(
            lambda record: record.artifact(path, "figures"),
            lambda board: board.picture(f"figures/{name}", path),
        )
        return Picture(name, path.read_bytes())

    def table(self, name: str, frame: Any) -> None:
        """A small data frame, as a table; its index becomes columns unless it only counts the rows."""
        shown = frame if frame.index.name is None and frame.index.dtype == "int64" else frame.reset_index()
        columns = [str(column) for column in shown.columns]
        rows = files.plain(shown.to_numpy(dtype=object))
        path = self._shelf() / f"{name}.json"
        path.write_bytes(files.as_json({"columns": columns, "data": rows}))
        self._both(
            lambda record: record.artifact(path, "tables"),
            lambda board: board.table(f"tables/{name}", columns, rows),
        )

    def text(self, name: str, text: str) -> None:
        """A text file."""
        path = self._shelf() / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        self._both(lambda record: record.artifact(path), lambda board: board.text(name, text))

    def _shelf(self) -> Path:
        """A temporary folder for what is on its way to the trackers; it goes when the run is closed.

        Its name tells the process, so that the next pipeline removes what a killed one has left.
        """
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix=f"workbook-{os.getpid()}-")
        return Path(tempfile.mkdtemp(dir=self._folder.name))

    def data(self, name: str, path: Path, digest: str, rows: int | None = None) -> None:
        """Data that the step wrote: a dataset of the MLflow run, an artifact of the W&B run."""
        about = {"digest": digest, "rows": rows}
        self._both(
            lambda record: record.data(name, path, digest, rows),
            lambda board: board.artifact("dataset", name, path, about),
        )

    def trial(
        self,
        number: int,
        family: str,
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        seconds: float,
        status: str = "ok",
        reason: str = "",
    ) -> None:
        """A trial of a search: a child run in MLflow, in one batch, and a row of one table in W&B."""
        about = {"number": number, "family": family, "status": status, "reason": reason}
        metrics = {**files.plain(metrics), "seconds": round(float(seconds), 4)}
        row = about | files.plain(parameters) | metrics
        self._both(lambda record: record.trial(about, parameters, metrics), lambda board: board.trial(row))

    def model(self, folder: Path, digest: str, tags: Mapping[str, str] | None = None) -> None:
        """A model's folder: a logged model in MLflow, kept once a digest, and a W&B artifact."""
        about = dict(tags or {}) | {"workbook.digest": digest}
        self._both(
            lambda record: record.model(folder, about),
            lambda board: board.artifact("model", "model", folder, about),
        )

    def stored(self, folder: Path, digest: str) -> str:
        """MLflow's id of a model that an earlier step gave to `model`; it is stored now if none did."""
        found: list[str] = []
        about = {"workbook.digest": digest}
        self._lanes["record"].do(lambda: found.append(self._record.model(folder, about)))
        self.wait()
        return found[0]

    def close(self, status: str = "FINISHED", patience: float | None = None) -> None:
        """Close the run in both trackers, and wait for them; a second call does nothing."""
        if self.status != "RUNNING":
            return
        self.status = status
        try:
            self._both(
                lambda record: record.close(status),
                lambda board: board.close(int(status != "FINISHED")),
            )
            self.wait(patience)
        finally:
            self._closed = True
            for lane in self._lanes.values():
                lane.stop()
            if self._folder:
                self._folder.cleanup()
                self._folder = None
        with contextlib.suppress(StepError):  # a full disk: the note then says less than it could
            self._about["status"] = status
            self._write_note()


def _mark(figure: Any, text: str) -> None:
    """Write `text` below the figure's lower right corner, in grey and once."""
    if text not in [one.get_text() for one in figure.texts]:
        figure.text(1, -0.005, text, ha="right", va="top", fontsize=7, color="#9aa5b1")
