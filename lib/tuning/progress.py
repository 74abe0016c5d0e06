"""How far a search has got, in one line that is rewritten in place, in a notebook or a terminal."""

import sys
import time
from typing import Any


class Bar:
    """A bar of `total` trials with the best so far; a notebook keeps its last state only."""

    def __init__(self, total: int, every: float = 0.3):
        self.total, self.every = total, every
        self._began = time.monotonic()
        self._last, self._handle = 0.0, self._display()

    def _display(self) -> Any:
        """A display that can be updated, where there is a notebook."""
        ipython = sys.modules.get("IPython")
        if ipython is None or ipython.get_ipython() is None:
            return None
        from IPython.display import display

        return display({"text/plain": self._line(0, "")}, raw=True, display_id=True)

    def show(self, done: int, best: str) -> None:
        """Say that `done` trials are done; more often than `every` seconds only the last one is shown."""
        now = time.monotonic()
        if now - self._last < self.every and done < self.total:
            return
        self._last = now
        if self._handle is not None:
            self._handle.update({"text/plain": self._line(done, best)}, raw=True)
        elif sys.stderr.isatty():
            print(f"\r{self._line(done, best)}", end="\n" if done >= self.total else "", file=sys.stderr)

    def _line(self, done: int, best: str) -> str:
        filled = round(24 * done / max(self.total, 1))
        seconds = time.monotonic() - self._began
        return f"{'█' * filled}{'░' * (24 - filled)} {done} of {self.total} trials, {seconds:.0f} s  {best}"
