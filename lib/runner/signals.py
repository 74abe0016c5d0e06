"""What ends a run from outside: Ctrl-C, SIGTERM, SIGHUP, and the death of the make that started it."""

import contextlib
import os
import signal
from collections.abc import Iterator

_SET_DEATH_SIGNAL = 1


class Stopped(BaseException):
    """A signal asked the runner to stop."""


def die_with_make() -> None:
    """On Linux, have the system send SIGTERM to this process when the make that started it dies."""
    if os.environ.get("MAKELEVEL"):
        with contextlib.suppress(OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Within the block a signal to stop is an exception in the main thread; a second one changes nothing."""
    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def stop(number: int, _: object) -> None:
        for name in names:
            signal.signal(name, signal.SIG_IGN)
        by = signal.Signals(number).name
        raise Stopped("interrupted with Ctrl-C" if by == "SIGINT" else f"stopped by {by}")

    before = {number: signal.signal(number, stop) for number in names}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
