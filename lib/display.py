"""How a notebook shows things: a figure and what it says, a table to be read, text that was computed."""

import html
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib.step import Step
from lib.tracking import Tracked

if TYPE_CHECKING:
    from IPython.display import Markdown
    from matplotlib.figure import Figure

#: What would begin HTML or a link wherever it stands; none of our own sentences needs it.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|\](?=[(\[:])")
#: Signs that would set text in another way, outside of `code`; our own sentences use **, ` and lists alone.
_SETTING = re.compile(r"[\\~]|&(?=#?\w+;)|(?<!\*)\*(?!\*)|(?<!\w)_|_(?!\w)")
_CODE = re.compile(r"(`[^`\n]*`)")
#: A text of more letters than that has a column of its own width, and is wrapped in it.
PROSE = 40


def figure(step: Step, name: str, drawn: "Figure | None", text: str = "") -> None:
    """Display `drawn` (if there was anything to draw) and below it `text`; log it under `name`."""
    from IPython.display import display

    if drawn is not None:
        picture(step.tracked, name, drawn)
    if text or drawn is None:
        display(markdown(text))


def picture(tracked: Tracked | None, title: str, drawn: "Figure") -> None:
    """Display a figure, described by its `title`, and give it to the trackers under a name made of that."""
    import matplotlib.pyplot as plt
    from IPython.display import display

    name = re.sub(r"[^\w,-]+", "_", title.lower())[:80]  # what a file may be called
    shown = tracked.figure(name, drawn) if tracked else drawn
    display(shown, metadata={"image/png": {"alt": title[:1].upper() + title[1:]}})
    plt.close(drawn)


def markdown(text: str) -> "Markdown":
    """Text computed from the run, as the value of a cell; names and categories of the data may be in it.

    So of Markdown it can have what our own sentences have: bold, code, lists, quotes and tables. There is no
    HTML in it, no link and no picture, and its dollars are money, never mathematics.
    """
    from IPython.display import Markdown

    parts = _CODE.split(text)
    parts[::2] = [_SETTING.sub(_entity, part).replace("$", r"\$") for part in parts[::2]]
    return Markdown(_ACTIVE.sub(_entity, "".join(parts)))


def _entity(sign: re.Match[str]) -> str:
    return "&lt;" if sign[0] == "<" else f"&#{ord(sign[0])};"


class Table:
    """A table to be read: long texts whole, shares as percents, whole numbers with their thousands marked.

    With `exact` its values are those of rows, where 1019 may be an id. Of more than `most` columns it shows
    the first ones, and says how many more there are.
    """

    def __init__(self, table: pd.DataFrame, exact: bool = False, most: int = 20) -> None:
        self.table, self.left_out = table.iloc[:, :most], max(table.shape[1] - most, 0)
        self.exact = exact

    def _formatted(self) -> pd.DataFrame:
        names = list(self.table)
        columns = [
            [_cell(str(name), value, self.exact) for value in self.table.iloc[:, i]]
            for i, name in enumerate(names)
        ]
        shown = pd.DataFrame(dict(enumerate(columns)), index=self.table.index, dtype="str")
        return shown.set_axis(names, axis=1)

    def __repr__(self) -> str:
        return self._formatted().to_string(max_colwidth=60) + self._more()

    def _more(self) -> str:
        return f"\n… and {self.left_out:,} more columns." if self.left_out else ""

    def _repr_html_(self) -> str:
        if self.table.shape == (0, 0):
            return ""  # not the rule of a head without names
        rows, index = self._formatted(), self.table.index
        styles = [_style(rows.iloc[:, i], self.table.dtypes.iloc[i]) for i in range(rows.shape[1])]
        head = [_html("th", index.name or "", _LEFT), *map(_html, ["th"] * len(styles), rows, styles)]
        lines = [
            [_html("th", name, _LEFT), *map(_html, ["td"] * len(styles), values, styles)]
            for name, values in zip(index, rows.to_numpy(), strict=True)
        ]
        body = "\n".join(f"<tr>{''.join(line)}</tr>" for line in lines)
        return (
            # MathJax, which JupyterLab has, leaves these classes alone
            f'<table class="dataframe tex2jax_ignore mathjax_ignore"><thead><tr>{"".join(head)}</tr></thead>'
            f"<tbody>{body}</tbody></table>" + (f"<p>{self._more()}</p>" if self.left_out else "")
        )


_LEFT, _RIGHT, _PROSE = (
    "text-align:left",
    "text-align:right;white-space:nowrap",
    "text-align:left;min-width:16em",
)


def _style(shown: pd.Series, dtype: object) -> str:
    """How a column stands: numbers to the right, texts to the left, long ones wide enough to be read."""
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        return _RIGHT
    longest = max(shown.str.len(), default=0)
    return _PROSE if longest > PROSE else f"{_LEFT};white-space:nowrap"


def _html(tag: str, text: object, style: str) -> str:
    return f'<{tag} style="{style}">{html.escape(str(text))}</{tag}>'


def _cell(name: str, value: object, exact: bool = False) -> str:
    if isinstance(value, bool | np.bool_ | str) or not isinstance(value, int | float | np.number):
        return "" if value is None or value is pd.NaT or value is pd.NA else str(value)
    number = float(value)
    if np.isnan(number):
        return ""
    if exact:
        if 1e6 <= abs(number) < 1e16 and not isinstance(value, int | np.integer):
            return np.format_float_positional(number, trim="-")  # whole numbers with all their digits
        return str(value) if isinstance(value, int | np.integer) else f"{number:.7g}"
    if name in ("share", "explained") or name.startswith("share "):
        return f"{number:.1%}"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return f"{number:,.4g}" if abs(number) < 1e4 else f"{number:,.0f}"
