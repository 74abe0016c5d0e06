"""One tracker behind a thread of its own, so that the notebook does not wait for a database or a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Protocol

from lib import redaction

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
    def curve(self, points: Sequence[tuple[int, Mapping[str, float]]]) -> None: ...
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
    """Calls handed over with `do` run one after another; after the first that fails the rest are dropped.

    With a `limit` whoever waits does so for that many seconds at most; what takes longer has failed. The
    thread ends with the process, whatever it hangs in.
    """

    def __init__(self, name: str, open_run: Callable[[], TrackerRun], limit: float | None = None) -> None:
        self.error: Exception | None = None
        self._run: TrackerRun | None = None
        self._limit = limit
        self._calls: SimpleQueue[tuple[Callable[[], None], Event] | None] = SimpleQueue()
        self._last = Event()
        self._hand_over(lambda: self._open(open_run))
        Thread(target=self._work, name=f"workbook-{name}", daemon=True).start()

    def _open(self, open_run: Callable[[], TrackerRun]) -> None:
        self._run = open_run()

    def do(self, call: Callable[[TrackerRun], object]) -> None:
        """Hand over what is to be done with the tracker's run, and return at once."""

        def on_run() -> None:
            if self._run is not None:
                call(self._run)

        self._hand_over(on_run)

    def _hand_over(self, call: Callable[[], None]) -> None:
        self._last = Event()
        self._calls.put((call, self._last))

    def _work(self) -> None:
        """In the thread: one call after another, until there are no more."""
        for call, done in iter(self._calls.get, None):
            try:
                if self.error is None:
                    call()
            except Exception as error:  # noqa: BLE001 - raised in the notebook's own thread, by whoever waits
                self.error = error
            finally:
                done.set()

    def wait(self, patience: float | None = None) -> None:
        """Wait until all that was handed over is done, at most `patience` seconds."""
        within = min((t for t in (patience, self._limit) if t is not None), default=None)
        if self.error is None and not self._last.wait(within) and within == self._limit:
            self.error = TimeoutError(f"it did not answer in {within:g} s")

    @property
    def trouble(self) -> str:
        """Its error in words, without secrets."""
        return f"{type(self.error).__name__}: {redaction.text(str(self.error))}"

    def stop(self) -> None:
        """Let the thread end after what was handed over."""
        self._calls.put(None)
