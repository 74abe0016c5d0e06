"""Where trials run: one seam, `submit(trial) -> Future`, with worker processes behind it.

Each worker is a child of the fork server, whatever threads its parent has running; one that hangs or dies
is killed and replaced. A cluster's client has the same seam.
"""

import multiprocessing
import os
import queue
import re
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from lib import redaction
from lib.compute import Child, Surroundings, ending

Trial = Mapping[str, Any]
Outcome = dict[str, Any]
Evaluate = Callable[[Trial], Outcome]
#: Called once in each worker, for what evaluates its trials; it is pickled, so it names data by their path.
Prepare = Callable[[], Evaluate]

#: What a library says in an error of its own, as XGBoost does, where the system gave no memory or no thread.
_OF_THE_MACHINE = re.compile("(?i)bad_?alloc|out of memory|failed to allocate|start new thread")
#: Seconds that a worker may take to come up, its imports included.
STARTUP = 60.0


class Pool(Protocol):
    """The seam: whoever submits says how many trials are out at once."""

    def submit(self, trial: Trial) -> "Future[Outcome]": ...
    def close(self) -> None: ...


class WorkerDied(Exception):
    """A worker's process ended while it had a trial."""


def failed(reason: str, repeatable: bool = False) -> Outcome:
    """The outcome of a trial without a score; `repeatable` if it would end so again, on any machine."""
    told = redaction.text(reason)
    return {"status": "failed", "reason": told, "score": None, "seconds": 0.0, "repeatable": repeatable}


def not_begun() -> Outcome:
    """The outcome of a trial whose turn came when the time of the search was over."""
    return failed("the time for the search was over") | {"status": "not begun"}


def guarded(evaluate: Evaluate, trial: Trial) -> Outcome:
    """`evaluate(trial)`, an exception becoming a failed outcome with its reason."""
    try:
        return evaluate(trial)
    except Exception as error:  # noqa: BLE001 - whatever a library throws costs this trial only
        of_the_machine = isinstance(error, MemoryError | OSError) or _OF_THE_MACHINE.search(str(error))
        return failed(f"{type(error).__name__}: {error}"[:300], repeatable=not of_the_machine)


class Processes:
    """Worker processes, each tended by a thread here that waits for its outcome and kills it when late."""

    def __init__(
        self,
        prepare: Prepare,
        workers: int,
        limit: Callable[[], float] | None = None,
    ) -> None:
        """`limit()` says how many seconds a trial that starts now may take."""
        self._prepare, self._limit = prepare, limit or (lambda: 3600.0)
        self._closed = False
        self._workers = [_Worker(prepare) for _ in range(workers)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, trial: Trial) -> "Future[Outcome]":
        """Have the next idle worker evaluate `trial`."""
        return self._threads.submit(self._run, dict(trial))

    def _run(self, trial: Outcome) -> Outcome:
        """The outcome of a trial; one whose process was killed is tried once more, so that results stay."""
        reason = ""
        for _ in range(2):
            worker = self._idle.get()
            try:
                return self._attempt(worker, trial)
            except WorkerDied as error:
                reason = str(error)
            finally:
                self._idle.put(self._living(worker))
            if self._closed:
                break
        return failed(reason)

    def _attempt(self, worker: "_Worker", trial: Outcome) -> Outcome:
        if not worker.ready():
            return failed(worker.end("its worker process did not come up"))
        seconds = self._limit()
        if seconds <= 0:
            return not_begun()
        late = f"stopped after {seconds:.0f} s: it took longer than a trial, or the search, may"
        return worker.evaluate(trial | {"seconds": seconds}, seconds) or failed(worker.end(late))

    def _living(self, worker: "_Worker") -> "_Worker":
        """`worker`, or another in its place."""
        if worker.alive or self._closed:
            return worker
        self._workers.remove(worker)
        self._workers.append(_Worker(self._prepare))
        return self._workers[-1]

    def close(self) -> None:
        """Kill the workers; a trial that is under way fails, one that waits never begins."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in list(self._workers):
            worker.kill()
        self._threads.shutdown()
        for worker in self._workers:  # one that was being replaced meanwhile
            worker.kill()


class _Worker:
    """One child of the fork server and the pipe to it."""

    def __init__(self, prepare: Prepare) -> None:
        self._pipe, far_end = multiprocessing.Pipe()
        quiet = Surroundings(log=Path(os.devnull))  # a notebook's streams are its own
        self._child = Child(_serve, far_end, prepare, around=quiet)
        far_end.close()
        self.alive, self._ready = True, False

    def ready(self) -> bool:
        """Wait until it says that it is."""
        self._ready = self._ready or self._receive(STARTUP) is not None
        return self._ready

    def evaluate(self, trial: Outcome, seconds: float) -> Outcome | None:
        """The outcome of a trial, or None if it did not come in time or the process died."""
        try:
            self._pipe.send(trial)
        except OSError:  # its end of the pipe is gone: it died
            return None
        return self._receive(seconds)

    def _receive(self, seconds: float) -> Outcome | None:
        try:
            outcome: Outcome | None = self._pipe.recv() if self._pipe.poll(seconds) else None
        except (EOFError, OSError):  # its end of the pipe is gone: it died
            self._child.wait(5)
            return None
        return outcome

    def end(self, late: str) -> str:
        """Kill the process; `late` is why its trial failed, unless it had died: then a WorkerDied says so."""
        code = self._child.poll()
        self.kill()
        if code is not None:
            raise WorkerDied(f"its process {ending(code)}")
        return late

    def kill(self) -> None:
        """Kill the process with all that it started."""
        self.alive = False
        self._child.kill()
        self._child.wait(5)


def _serve(pipe: Connection, prepare: Prepare) -> None:
    """A worker's life: trials in, outcomes out; deaf to Ctrl-C, which its parent acts on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    evaluate = prepare()
    pipe.send({"status": "ready"})
    while True:
        try:
            trial = pipe.recv()
        except EOFError:
            return
        pipe.send(guarded(evaluate, trial))
