"""A lane: one thread that does calls in order, so that the notebook does not wait for a tracker."""

import queue
import threading
from collections.abc import Callable
from typing import Any


class Lane:
    """Calls handed over with `do` run one after another; after the first that fails the rest are dropped."""

    def __init__(self, name: str) -> None:
        self.error: Exception | None = None
        self._stopped = False
        self._calls: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"workbook-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            call, arguments, done = self._calls.get()
            if call is None:
                return
            try:
                if self.error is None:
                    call(*arguments)
            except Exception as error:  # told to whoever waits; the notebook's thread must not die of it
                self.error = error
            finally:
                if done:
                    done.set()

    def do(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Hand a call over and return at once."""
        self._calls.put((call, arguments, None))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything handed over so far is done; false when `timeout` seconds were not enough."""
        if self._stopped:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        done = threading.Event()
        self._calls.put((lambda: None, (), done))
        return done.wait(timeout)

    def stop(self) -> None:
        """Let the thread end after what was handed over; what comes later is never done."""
        self._stopped = True
        self._calls.put((None, (), None))
