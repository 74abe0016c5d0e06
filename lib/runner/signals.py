"""What ends a run from outside: Ctrl-C, SIGTERM, SIGHUP."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

_Handler = Callable[[int, FrameType | None], None] | signal.Handlers


class Stopped(BaseException):
    """A signal asked the runner to stop."""

    def __init__(self, number: int) -> None:
        by = signal.Signals(number).name
        super().__init__("interrupted with Ctrl-C" if by == "SIGINT" else f"stopped by {by}")


@contextlib.contextmanager
def handled(handler: _Handler) -> Iterator[None]:
    """Within the block the signals to stop go to `handler`; with `signal.SIG_IGN` they change nothing."""
    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, handler) for number in names}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def raises(number: int, _: FrameType | None) -> None:
    """A handler: an exception in the main thread, wherever that is."""
    raise Stopped(number)


@contextlib.contextmanager
def noted() -> Iterator[list[Stopped]]:
    """Within the block the first signal is noted, for whoever looks between two pieces of work.

    An exception could be swallowed by what is under way, or cut it in two; a second signal still is one.
    """
    asked: list[Stopped] = []

    def note(number: int, _: FrameType | None) -> None:
        asked.append(Stopped(number))
        if len(asked) > 1:
            raise asked[-1]

    with handled(note):
        yield asked
