"""A candidate against the present champion: the same rows, each in a clean process with its own stored code.

Only what can be compared fairly is: a champion that was fitted on some of these rows knows the answers. Who
holds which alias afterwards is in `lib.registry`.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib import evaluation, inference
from lib.datasets.base import Dataset
from lib.errors import RegistryError


@dataclass(frozen=True)
class Contest:
    """Two predictions of the same rows; `rival` says whose the second one is.

    `seen` counts the rows that the rival was fitted on and the candidate was not, `leaked` those that the
    candidate was fitted on.
    """

    dataset: Dataset
    rows: pd.DataFrame
    candidate: Any
    champion: Any
    rival: str
    seen: int = 0
    leaked: int = 0

    @property
    def y(self) -> pd.Series:
        """The answers."""
        return self.rows[self.dataset.target.name]

    def scores(self) -> pd.DataFrame:
        """All metrics of both, a row each, and the difference."""
        task, y = self.dataset.task, self.y
        sides = {"candidate": self.candidate, self.rival: self.champion}
        return pd.DataFrame({who: evaluation.metrics(task, y, found) for who, found in sides.items()}).T

    @functools.cached_property
    def resamples(self) -> pd.DataFrame:
        """Both scores and the gain, for rows drawn again and again, the same for both."""
        rng, draws = np.random.default_rng(42), self._draws
        picks = [rng.integers(0, len(self.rows), len(self.rows)) for _ in range(draws)]
        table = pd.DataFrame([self._pair(pick) for pick in picks], columns=["candidate", "rival"])
        way = evaluation.sign(self.dataset.metric)
        return table.assign(gain=way * (table["rival"] - table["candidate"]))

    @property
    def _draws(self) -> int:
        """Scores of classes cost a hundred times what those of numbers do."""
        return 200 if self.dataset.task == "regression" else 30

    def _pair(self, picked: np.ndarray) -> list[float]:
        y, name, task = self.y.to_numpy()[picked], self.dataset.metric, self.dataset.task
        sides = (_take(side, picked) for side in (self.candidate, self.champion))
        return [evaluation.metric(name, task, y, side) for side in sides]

    def gain(self) -> dict[str, float]:
        """How much better the candidate is on the problem's metric, with its 95 % bootstrap interval."""
        mine, theirs = self._pair(np.arange(len(self.rows)))
        low, high = self.resamples["gain"].quantile([0.025, 0.975])
        return {"gain": evaluation.sign(self.dataset.metric) * (theirs - mine), "low": low, "high": high}

    def read(self) -> str:
        """What the resamples say, in a sentence."""
        gain, unit, metric = self.gain(), self.dataset.target.unit, self.dataset.metric.upper()
        apart = (self.resamples["gain"] > 0).mean()
        words = "better" if gain["gain"] > 0 else "worse" if gain["gain"] < 0 else "neither better nor worse"
        luck = "luck alone does not explain it" if gain["low"] * gain["high"] > 0 else "that may be luck"
        return (
            f"On these {len(self.rows):,} rows the candidate is {words} than {self.rival}: {metric} gained "
            f"{gain['gain']:+.3g} {unit}".rstrip()
            + f", with {gain['low']:+.3g} to {gain['high']:+.3g} in 95 % of "
            f"the resamples, so {luck}. It was ahead in {apart:.0%} of them."
        )

    def gains(self, most: int = 24, least: int = 30) -> pd.DataFrame:
        """The same for all rows and for the largest groups of the problem's slices, a row each."""
        found = {("all rows", ""): np.arange(len(self.rows))} | self._groups(most, least)
        table = pd.DataFrame([self._interval(picked) for picked in found.values()])
        table.index = pd.Index([" ".join(filter(None, key)) for key in found], name="rows of the test set")
        return table.assign(rows=[len(picked) for picked in found.values()])

    def _groups(self, most: int, least: int) -> dict[tuple[str, str], np.ndarray]:
        """The groups of each slice that has two to eight, slice by slice while they fit, sorted by number."""
        found: dict[tuple[str, str], np.ndarray] = {}
        for name, cut in self.dataset.slices.items():
            values = np.asarray(cut(self.rows).astype(str))
            groups = {value: np.flatnonzero(values == value) for value in sorted(set(values), key=_natural)}
            large = {(name, value): at for value, at in groups.items() if len(at) >= least}
            if 1 < len(groups) <= 8 and len(found) + len(large) <= most:
                found |= large
        return found

    def _interval(self, picked: np.ndarray) -> dict[str, float]:
        one, other = (_take(side, picked) for side in (self.candidate, self.champion))
        y = self.y.to_numpy()[picked]
        return evaluation.interval(self.dataset.metric, self.dataset.task, y, one, other, self._draws)

    def read_gains(self, table: pd.DataFrame) -> str:
        """What the picture of the groups says, in a sentence."""
        groups = table.iloc[1:]
        if groups.empty:
            return "The problem has no slices with two groups of 30 rows: there is nothing to compare apart."
        best, worst = groups["gain"].idxmax(), groups["gain"].idxmin()
        unit = f" {self.dataset.target.unit}".rstrip()
        lost = ", ".join(groups.index[groups["high"] < 0])
        return (
            f"The candidate is ahead in {(groups['gain'] > 0).sum()} of {len(groups)} groups. It gains most "
            f"where {best} ({groups.loc[best, 'gain']:+.3g}{unit}), least where {worst} "
            f"({groups.loc[worst, 'gain']:+.3g}{unit}). "
            + (
                f"Surely worse, by the interval: {lost}."
                if lost
                else "By the intervals none is surely worse."
            )
        )


def compare(
    dataset: Dataset,
    rows: pd.DataFrame,
    candidate: Path,
    champion: Path | None = None,
    rival: str = "champion",
) -> Contest:
    """Score two model folders on `rows`, side by side.

    Without a champion the rival always answers these rows' own mean (of classes, their shares).
    """
    inputs = rows.drop(columns=dataset.target.name)
    folders = [candidate] + ([champion] if champion and champion != candidate else [])
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda folder: inference.ask(folder, inputs)[0], folders))
    own = seen(candidate, rows)
    if champion is None:
        guess = evaluation.constant(dataset.task, rows[dataset.target.name], len(rows))
        return Contest(dataset, rows, found[0], guess, "these rows' own mean", leaked=int(own.sum()))
    theirs = int((seen(champion, rows) & ~own).sum())
    return Contest(dataset, rows, found[0], found[-1], rival, theirs, int(own.sum()))


def seen(folder: Path, rows: pd.DataFrame) -> np.ndarray:
    """Which of `rows` the stored model was fitted on, by the marks that are stored with it."""
    marks = folder / inference.INSIDE / "seen.npy"
    if not marks.exists():
        raise RegistryError(
            f"{folder} does not tell which rows it was fitted on (no seen.npy): train it again."
        )
    columns: Sequence[str] = about(folder)["row_columns"]
    if not set(columns) <= set(rows):
        lacking = sorted(set(columns) - set(rows))
        raise RegistryError(
            f"Its training rows had {lacking}, which these have not: nobody can tell if it is fair."
        )
    return np.isin(inference.marks(rows, list(columns)), np.load(marks))


def about(folder: Path) -> Mapping[str, Any]:
    """What a model folder says of itself: family, feature set, parameters, rows it was fitted on."""
    return json.loads((folder / inference.INSIDE / "about.json").read_text(encoding="utf-8"))


def _natural(group: str) -> tuple:
    """Sorts "to 1 mile", "1-2 miles", "10-20 miles" by their numbers, and words after them by letter."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", group)]
    return (numbers[0], numbers[-1], group) if numbers else (float("inf"), float("inf"), group)


def _take(side: Any, picked: np.ndarray) -> Any:
    return side.iloc[picked] if isinstance(side, pd.DataFrame) else np.asarray(side)[picked]
