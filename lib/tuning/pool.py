"""Where trials run: one seam, `submit(trial) -> Future`, with processes, threads or nothing behind it.

`Processes` forks its workers at once, before this process has fitted anything (after an OpenMP region in
the parent a forked child hangs); they see the encoded data without a copy, and one that hangs or dies is
killed and replaced. A cluster's client has the same seam.
"""

import multiprocessing
import os
import queue
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

Evaluate = Callable[[Mapping[str, Any]], dict[str, Any]]


class Pool(Protocol):
    """The seam. `width` trials are worth having under way at once."""

    width: int

    def submit(self, trial: Mapping[str, Any]) -> "Future[dict]": ...
    def close(self) -> None: ...


def failed(reason: str) -> dict[str, Any]:
    """The outcome of a trial that gave no score."""
    return {"status": "failed", "reason": reason, "score": None, "seconds": 0.0}


def guarded(evaluate: Evaluate, trial: Mapping[str, Any]) -> dict[str, Any]:
    """`evaluate(trial)`, an exception becoming a failed outcome with its reason."""
    try:
        return evaluate(trial)
    except Exception as error:  # whatever a library throws costs this trial only
        return failed(f"{type(error).__name__}: {error}"[:300])


class Inline:
    """No parallelism: a trial runs when it is submitted. What a debugger wants."""

    def __init__(self, evaluate: Evaluate, width: int = 1):
        self.evaluate, self.width = evaluate, width

    def submit(self, trial: Mapping[str, Any]) -> "Future[dict]":
        done: Future[dict] = Future()
        done.set_result(guarded(self.evaluate, trial))
        return done

    def close(self) -> None:
        """Nothing to close."""


class Threads:
    """Threads of this process: no fork, all shared, but a trial that hangs cannot be killed."""

    def __init__(self, evaluate: Evaluate, workers: int, width: int | None = None):
        self.evaluate, self.width = evaluate, width or workers
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, trial: Mapping[str, Any]) -> "Future[dict]":
        return self._threads.submit(guarded, self.evaluate, trial)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Processes:
    """Forked workers, each tended by a thread here that waits for its answer and kills it when late."""

    def __init__(
        self,
        evaluate: Evaluate,
        workers: int,
        width: int | None = None,
        late: Callable[[], float] | None = None,
    ):
        """`late()` says how many seconds a trial that starts now may take."""
        self.evaluate, self.width = evaluate, width or workers
        self.late = late or (lambda: 3600.0)
        self._fork = multiprocessing.get_context("fork")
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all = [_Worker(self._fork, evaluate) for _ in range(workers)]
        for worker in self._all:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, trial: Mapping[str, Any]) -> "Future[dict]":
        return self._threads.submit(self._run, dict(trial))

    def _run(self, trial: dict[str, Any]) -> dict[str, Any]:
        worker, seconds = self._idle.get(), self.late()
        outcome = worker.ask(trial | {"seconds": seconds}, seconds) if seconds > 0 else None
        if outcome is None:
            outcome = failed(
                "stopped: the time for the search was over" if seconds <= 0 else worker.end(seconds)
            )
        if not worker.alive:
            self._all.remove(worker)
            worker = _Worker(self._fork, self.evaluate)
            self._all.append(worker)
        self._idle.put(worker)
        return outcome

    def close(self) -> None:
        self.late = lambda: 0.0
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in list(self._all):
            worker.kill()


class _Worker:
    """One forked process and the pipe to it."""

    def __init__(self, context: Any, evaluate: Evaluate):
        for _ in range(3):
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, evaluate), daemon=True)
            self._process.start()
            theirs.close()
            self.alive = True
            if self._ready():
                return
            self.kill()

    def _ready(self, seconds: float = 15.0) -> bool:
        """Whether it says so: one forked while another thread held a lock never would, so fork again."""
        try:
            return self._pipe.poll(seconds) and self._pipe.recv() == "ready"
        except (EOFError, OSError):
            return False

    def ask(self, trial: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The outcome of a trial, or None if it did not come in time or the process died."""
        try:
            self._pipe.send(trial)
            return self._pipe.recv() if self._pipe.poll(seconds) else None
        except (EOFError, OSError):  # its end of the pipe is gone: it died
            self._process.join(5)
            return None

    def end(self, seconds: float) -> str:
        """Kill the process; the reason that its trial failed."""
        died = not self._process.is_alive()
        self.kill()
        if died:
            return f"its process died (exit code {self._process.exitcode}); was there enough memory?"
        return f"stopped after {seconds:.0f} s: it took longer than a trial, or the search, may"

    def kill(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.join(5)


def _serve(pipe: Any, evaluate: Evaluate) -> None:
    """A worker's life: trials in, outcomes out; silent, and deaf to Ctrl-C, which its parent acts on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - a notebook's stream is the parent's
    _touch_locks()
    pipe.send("ready")
    while True:
        try:
            trial = pipe.recv()
        except EOFError:
            os._exit(0)
        pipe.send(guarded(evaluate, trial))


def _touch_locks() -> None:
    """Take the locks that a trial will need: of imports, of logging, of the libraries' loader."""
    import logging

    import threadpoolctl

    logging.getLogger("xgboost")
    threadpoolctl.threadpool_info()
