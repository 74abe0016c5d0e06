"""How a notebook shows things: a figure and what it says, a table to be read, text that was computed."""

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib.step import Step

if TYPE_CHECKING:
    from IPython.display import Markdown
    from matplotlib.figure import Figure

#: What a Markdown renderer takes for the beginning of HTML: a tag, a comment, an instruction.
_TAG = re.compile("<(?=[A-Za-z/!?])")


def figure(step: Step, name: str, drawn: "Figure | None", text: str = "") -> None:
    """Display `drawn` (if there was anything to draw) and below it `text`; log it under `name`."""
    import matplotlib.pyplot as plt
    from IPython.display import display

    if drawn is None:
        display(markdown(text))
        return
    display(step.tracked.figure(name.replace(" ", "_"), drawn) if step.tracked else drawn)
    if text:
        display(markdown(text))
    plt.close(drawn)


def markdown(text: str) -> "Markdown":
    """Text computed from the run, as the value of a cell; names and categories of the data may be in it.

    So its dollars are money, never mathematics, and a `<` that would begin an HTML tag is shown as it is.
    """
    from IPython.display import Markdown

    return Markdown(_TAG.sub("&lt;", text).replace("$", r"\$"))


class Table:
    """A table to be read: long texts whole, shares as percents, whole numbers with their thousands marked."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def _formatted(self) -> pd.DataFrame:
        shown = {name: [_cell(name, value) for value in self.table[name]] for name in self.table}
        return pd.DataFrame(shown, index=self.table.index)

    def __repr__(self) -> str:
        return self._formatted().to_string(max_colwidth=60)

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return self._formatted().to_html(border=0, justify="left", render_links=False)


def _cell(name: str, value: object) -> str:
    if isinstance(value, bool | np.bool_ | str) or not isinstance(value, int | float | np.number):
        return "" if value is None or value is pd.NaT or value is pd.NA else str(value)
    number = float(value)
    if np.isnan(number):
        return ""
    if name in ("share", "explained") or name.startswith("share "):
        return f"{number:.1%}"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return f"{number:,.4g}" if abs(number) < 1e4 else f"{number:,.0f}"
