"""A picture of a problem's rows, words and all."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from IPython.display import display as show
from matplotlib.figure import Figure

from lib import display, profiling
from lib.errors import DataError
from lib.problem import Dataset
from lib.tracking import Tracked


@dataclass(frozen=True)
class View:
    """A picture of these data: what to look for, how it is drawn, and what it says, read from the rows.

    `draw` and `read` are given the raw rows and those that the cleaning rules keep, both with their target.
    """

    title: str
    look_for: str
    draw: Callable[[pd.DataFrame, pd.DataFrame], Figure]
    read: Callable[[pd.DataFrame, pd.DataFrame], str]
    costly: bool = False  # drawn from a sample of the rows
    of_raw: bool = False  # of the raw rows alone, as they come
    rest: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame] | None = (
        None  # all columns, where few are drawn
    )

    def show(
        self,
        raw: pd.DataFrame,
        clean: pd.DataFrame | None = None,
        tracked: Tracked | None = None,
        sample: int = 5_000,
    ) -> None:
        """Display, in a notebook, the question, the figure and the answer; `tracked` gets the figure too.

        `raw` are the rows with their target, as `dataset.labelled(raw)` gives them, and `clean` those of them
        that `dataset.clean` keeps; a picture `of_raw` rows needs neither.
        """
        if clean is None and not self.of_raw:
            raise DataError(
                f"{self.title!r} is drawn of two sets of rows: raw = dataset.labelled(raw), then "
                "show(raw, dataset.clean(raw).rows)."
            )
        clean = raw if clean is None else clean
        if self.costly:
            raw, clean = (rows.sample(min(len(rows), sample), random_state=0) for rows in (raw, clean))
        show(display.markdown(f"**{self.title}.** {self.look_for}"))
        display.picture(tracked, self.title, self.draw(raw, clean))
        show(display.markdown(self.read(raw, clean)))
        rest = self.rest(raw, clean) if self.rest else None
        if rest is not None and len(rest) > profiling.MOST:
            show(display.Table(rest))


def named(dataset: Dataset, column: str) -> Callable[[object], str]:
    """How a value of a column is written in a picture: by `NAMES` of the problem's views, or as it is."""
    return dataset.value_names.get(column, plain)


def plain(value: object) -> str:
    """A value as a label has it: whole numbers without a point."""
    return f"{value:g}" if isinstance(value, float) else str(value)
