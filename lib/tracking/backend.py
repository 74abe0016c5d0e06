"""One tracker behind a thread of its own, so that the notebook does not wait for a database or a network."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Cell = object  # of a table: a number, a text or nothing


@dataclass(frozen=True)
class Trial:
    """A trial of a search, as both trackers log it."""

    number: int
    family: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    status: str = "ok"
    reason: str = ""


class TrackerRun(Protocol):
    """One open run of one tracker."""

    def tag(self, tags: Mapping[str, str]) -> None: ...
    def metrics(self, metrics: Mapping[str, float | None]) -> None: ...
    def figure(self, name: str, path: Path) -> None: ...
    def table(
        self, name: str, path: Path, columns: Sequence[str], rows: Sequence[Sequence[Cell]]
    ) -> None: ...
    def text(self, name: str, path: Path, text: str) -> None: ...
    def data(self, name: str, path: Path, digest: str, rows: int | None) -> None: ...
    def trial(self, trial: Trial) -> None: ...
    def model(self, folder: Path, tags: Mapping[str, str]) -> object: ...
    def close(self, status: str) -> None: ...


class Backend:
    """Calls handed over with `do` run one after another; after the first that fails the rest are dropped."""

    def __init__(self, name: str, open_run: Callable[[], TrackerRun]) -> None:
        self.error: Exception | None = None
        self._run: TrackerRun | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"workbook-{name}")
        self._last: Future[None] = self._thread.submit(self._guarded, lambda: self._open(open_run))

    def _open(self, open_run: Callable[[], TrackerRun]) -> None:
        self._run = open_run()

    def do(self, call: Callable[[TrackerRun], object]) -> None:
        """Hand over what is to be done with the tracker's run, and return at once."""

        def on_run() -> None:
            if self._run is not None:
                call(self._run)

        try:
            self._last = self._thread.submit(self._guarded, on_run)
        except RuntimeError:  # the interpreter is ending, and its threads have ended before
            self._guarded(on_run)

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            if self.error is None:
                call()
        except Exception as error:  # noqa: BLE001 - raised in the notebook's own thread, by whoever waits
            self.error = error

    def wait(self, patience: float | None = None) -> None:
        """Wait until all that was handed over is done, at most `patience` seconds."""
        wait([self._last], patience)

    def stop(self) -> None:
        """Let the thread end after what was handed over."""
        self._thread.shutdown(wait=False)
