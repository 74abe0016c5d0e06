"""A search's progress bar: on a page one line that is rewritten, in a terminal tqdm's, elsewhere nothing."""

import io
import sys
from typing import NoReturn

from tqdm.std import tqdm


def of(total: int) -> "tqdm[NoReturn]":
    """A bar of `total` trials; where there is neither a notebook nor a terminal nothing is shown."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        return _OneOutput(total)
    return tqdm(file=sys.stderr, disable=None, total=total, unit=" trials", ncols=110, ascii=False)


class _OneOutput(tqdm):
    """Rewritten in place, so that an executed page has its last state alone.

    `tqdm.notebook` does so with widgets, which need an extension and leave nothing in the file.
    """

    def __init__(self, total: int) -> None:
        from IPython.display import display

        self._output = display({"text/plain": ""}, raw=True, display_id=True)
        super().__init__(file=io.StringIO(), total=total, unit=" trials", ncols=110, ascii=False)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002 - tqdm's signature
        """Show the line as it is now."""
        self._output.update({"text/plain": msg or str(self)}, raw=True)
