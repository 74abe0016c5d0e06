"""A picture of a problem, words and all; its drawing is imported only when it is looked at."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class View:
    """A picture of these data: what to look for, how it is drawn, and what it says, read from the rows."""

    title: str
    look_for: str
    draw: Callable[[pd.DataFrame], Any]
    read: Callable[[pd.DataFrame], str]
    costly: bool = False  # drawn from a sample of the rows

    def show(self, rows: pd.DataFrame, tracked: Any = None, sample: int = 5_000) -> None:
        """Display, in a notebook, the question, the figure and the answer; `tracked` gets the figure too."""
        import matplotlib.pyplot as plt
        from IPython.display import display

        from lib.plots.show import words

        if self.costly and len(rows) > sample:
            rows = rows.sample(sample, random_state=0)
        figure = self.draw(rows)
        shown = figure if tracked is None else tracked.figure(self.title.lower().replace(" ", "_"), figure)
        display(words(f"**{self.title}.** {self.look_for}"), shown, words(self.read(rows)))
        plt.close(figure)


class Later(Mapping):
    """The mapping `VIEWS` of a module that is imported at first use: most steps never draw."""

    def __init__(self, module: str) -> None:
        self.module = module

    def _all(self) -> Mapping[str, View]:
        return importlib.import_module(self.module).VIEWS

    def __getitem__(self, name: str) -> View:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
