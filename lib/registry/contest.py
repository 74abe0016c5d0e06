"""A candidate against the present champion: predictions of the same rows, each model by its own stored code.

Only what can be compared fairly is: a champion that was fitted on some of these rows knows the answers. Who
holds which alias afterwards is in `lib.registry`.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lib import evaluation, packaging
from lib.errors import RegistryError
from lib.packaging import Prediction, marks
from lib.problem import Dataset
from lib.runtime import schema


@dataclass(frozen=True)
class Contest:
    """Two predictions of the same rows; `rival` says whose the second one is.

    `rival_leaked` counts the rows that the rival was fitted on and the candidate was not, `leaked` those that
    the candidate was fitted on; None where this machine cannot know.
    """

    dataset: Dataset
    rows: pd.DataFrame
    candidate: Prediction
    champion: Prediction
    rival: str
    rival_leaked: int | None = 0
    leaked: int | None = 0

    @property
    def y(self) -> pd.Series:
        """The true targets."""
        return self.rows[self.dataset.target.name]

    def scores(self) -> pd.DataFrame:
        """All metrics of both, a row each."""
        task, y = self.dataset.task, self.y
        predictions = {"candidate": self.candidate, self.rival: self.champion}
        scores = {name: evaluation.metrics(task, y, one) for name, one in predictions.items()}
        return pd.DataFrame(scores).T

    @functools.cached_property
    def resamples(self) -> pd.DataFrame:
        """The bootstrap: both scores and the gain, for rows drawn with replacement, the same for both."""
        rng, n = np.random.default_rng(42), len(self.rows)
        scores = [self._scores_of(rng.integers(0, n, n)) for _ in range(self._draws)]
        table = pd.DataFrame(scores, columns=["candidate", "rival"])
        sign = evaluation.sign(self.dataset.metric)
        return table.assign(gain=sign * (table["rival"] - table["candidate"]))

    @property
    def _draws(self) -> int:
        """Scores of classes cost a hundred times what those of numbers do."""
        return 200 if self.dataset.task == "regression" else 30

    def _scores_of(self, picked: np.ndarray) -> tuple[float, float]:
        """The metric of candidate and rival on some of the rows."""
        y, metric, task = self.y.to_numpy()[picked], self.dataset.metric, self.dataset.task
        candidate, rival = (_take(one, picked) for one in (self.candidate, self.champion))
        return evaluation.metric(metric, task, y, candidate), evaluation.metric(metric, task, y, rival)

    def gain(self) -> dict[str, float]:
        """How much better the candidate is on the problem's metric, with its 95 % bootstrap interval."""
        candidate, rival = self._scores_of(np.arange(len(self.rows)))
        low, high = self.resamples["gain"].quantile([0.025, 0.975])
        return {"gain": evaluation.sign(self.dataset.metric) * (rival - candidate), "low": low, "high": high}

    def read(self) -> str:
        """What the resamples say, in a sentence."""
        gain, unit, metric = self.gain(), self.dataset.target.unit, self.dataset.metric.upper()
        ahead = (self.resamples["gain"] > 0).mean()
        words = "better" if gain["gain"] > 0 else "worse" if gain["gain"] < 0 else "neither better nor worse"
        luck = "luck alone does not explain it" if gain["low"] * gain["high"] > 0 else "that may be luck"
        return (
            f"On these {len(self.rows):,} rows the candidate is {words} than {self.rival}: {metric} gained "
            f"{gain['gain']:+.3g} {unit}".rstrip()
            + f", with {gain['low']:+.3g} to {gain['high']:+.3g} in 95 % of "
            f"the resamples, so {luck}. It was ahead in {ahead:.0%} of them."
        )

    def gains(self, most: int = 24, least: int = 30) -> pd.DataFrame:
        """The same for all rows and for the largest groups of the problem's slices, a row each."""
        groups = {("all rows", ""): np.arange(len(self.rows))} | self._groups(most, least)
        table = pd.DataFrame([self._interval(picked) for picked in groups.values()])
        table.index = pd.Index([" ".join(filter(None, key)) for key in groups], name="rows of the test set")
        return table.assign(rows=[len(picked) for picked in groups.values()])

    def _groups(self, most: int, least: int) -> dict[tuple[str, str], np.ndarray]:
        """The groups of each slice that has two to eight, slice by slice while they fit, sorted by number."""
        selected: dict[tuple[str, str], np.ndarray] = {}
        for name, cut in self.dataset.slices.items():
            values = np.asarray(cut(self.rows).astype(str))
            groups = {value: np.flatnonzero(values == value) for value in sorted(set(values), key=_natural)}
            large = {(name, value): at for value, at in groups.items() if len(at) >= least}
            if 1 < len(groups) <= 8 and len(selected) + len(large) <= most:
                selected |= large
        return selected

    def _interval(self, picked: np.ndarray) -> dict[str, float]:
        candidate, rival = (_take(one, picked) for one in (self.candidate, self.champion))
        y, metric, task = self.y.to_numpy()[picked], self.dataset.metric, self.dataset.task
        return evaluation.interval(metric, task, y, candidate, rival, self._draws)

    def read_gains(self, table: pd.DataFrame) -> str:
        """What the picture of the groups says, in a sentence."""
        groups = table.iloc[1:]
        if groups.empty:
            return "The problem has no slices with two groups of 30 rows: there is nothing to compare apart."
        best, worst = groups["gain"].idxmax(), groups["gain"].idxmin()
        unit = f" {self.dataset.target.unit}".rstrip()
        lost = ", ".join(groups.index[groups["high"] < 0])
        verdict = (
            f"Surely worse, by the interval: {lost}." if lost else "By the intervals none is surely worse."
        )
        return (
            f"The candidate is ahead in {(groups['gain'] > 0).sum()} of {len(groups)} groups. It gains most "
            f"where {best} ({groups.loc[best, 'gain']:+.3g}{unit}), least where {worst} "
            f"({groups.loc[worst, 'gain']:+.3g}{unit}). {verdict}"
        )


def compare(
    dataset: Dataset,
    rows: pd.DataFrame,
    candidate: Path,
    champion: Path | None = None,
    rival: str = "champion",
) -> Contest:
    """Score two model folders on `rows`, side by side.

    Without a champion the rival always predicts these rows' own mean (of classes, their shares).
    """
    inputs = rows.drop(columns=dataset.target.name)
    prediction, own = packaging.load(candidate).predict(inputs), seen(candidate, rows)
    leaked = None if own is None else int(own.sum())
    if champion is None:
        mean = evaluation.constant(dataset.task, rows[dataset.target.name], len(rows))
        return Contest(dataset, rows, prediction, mean, "these rows' own mean", leaked=leaked)
    rivals = prediction if champion == candidate else packaging.load(champion).predict(inputs)
    theirs = seen(champion, rows)
    alone = theirs if theirs is None or own is None else theirs & ~own
    rival_leaked = None if alone is None else int(alone.sum())
    return Contest(dataset, rows, prediction, rivals, rival, rival_leaked, leaked)


def seen(folder: Path, rows: pd.DataFrame) -> np.ndarray | None:
    """Which of `rows` the stored model was fitted on, by its marks; None where this machine has not these."""
    about = packaging.about(folder)
    columns, known = about["row_columns"], marks.find(folder, about)
    if known is None or not isinstance(
        columns, dict
    ):  # a list: of an earlier workbook, which marked otherwise
        return None
    if not set(columns) <= set(rows):
        lacking = sorted(set(columns) - set(rows))
        raise RegistryError(
            f"Its training rows had {lacking}, which these have not: nobody can tell if it is fair."
        )
    return np.isin(schema.marks(rows, columns), known)


def _natural(group: str) -> tuple[float, float, str]:
    """Sorts "to 1 mile", "1-2 miles", "10-20 miles" by their numbers, and words after them by letter."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", group)]
    return (numbers[0], numbers[-1], group) if numbers else (float("inf"), float("inf"), group)


def _take(prediction: Prediction, picked: np.ndarray) -> Prediction:
    return prediction.iloc[picked] if isinstance(prediction, pd.DataFrame) else np.asarray(prediction)[picked]
