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

from lib import evaluation, packaging, uncertainty
from lib.errors import RegistryError
from lib.packaging import Prediction, marks
from lib.problem import Dataset
from lib.runtime import schema
from lib.uncertainty import Interval
from lib.wording import rounded, signed

#: Draws of each group's interval: the ends are a little rougher, and as honest.
GROUP_DRAWS = 99


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
    draws: int = 399  # of the bootstrap; the gains in areas of 15 classes take seconds

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
    def interval(self) -> Interval:
        """How much better the candidate is on the problem's metric, and its 95 % interval."""
        return self._interval(np.arange(len(self.rows)), self.draws)

    @property
    def won(self) -> bool:
        """Whether the candidate is better beyond chance: the interval of its gain lies above zero.

        Where heavy tails forbid the metric's own interval, the one in its place must, and the metric gain.
        """
        usable = self.interval.usable
        return usable is not None and usable.low > 0 and self.interval.value > 0

    @functools.cached_property
    def digest(self) -> str:
        """By what these rows are known again, in whatever order they come."""
        return schema.digest(np.sort(schema.marks(self.rows, schema.kinds(self.rows[sorted(self.rows)]))))

    def read(self) -> str:
        """What the interval says, in a sentence, or why there is none."""
        found, unit, metric = self.interval, self.dataset.target.unit, self.dataset.metric.upper()
        words = "better" if found.value > 0 else "worse" if found.value < 0 else "neither better nor worse"
        gained = f"{metric} gained {signed(found.value, unit)}"
        asked = f"these {len(self.rows):,} {self.dataset.words.rows}"
        said = f"On {asked} the candidate is {words} than {self.rival}: {gained}"
        if found.reason:
            said += f". There is no interval of that: {found.reason}."
            other = found.instead
            return said + (
                f" In its place: {other.metric.upper()} gained {other.said(unit)}." if other else ""
            )
        luck = "luck alone does not explain it" if found.low * found.high > 0 else "that may be luck"
        return (
            f"{said}, with a 95 % interval of {signed(found.low)} to {signed(found.high)} ({found.drawn} "
            f"drawn with replacement), so {luck}."
        )

    def read_pairing(self) -> str:
        """What the same draws for both are worth; nothing of few rows, or of two that say the same."""
        draws = self.interval.draws
        one, other, gain = (float(draws[name].std()) for name in ("one", "other", "gain"))
        apart = float(np.hypot(one, other))
        if len(self.rows) < 30 or not gain > 1e-9 * apart:
            return "Here nothing: rows are too few, or the two say the same of each."
        if min(one, other) <= 1e-9 * apart:
            return (
                "Here nothing: one of the two scores the same in every draw, so there is no pair to speak of."
            )
        unit = f" {self.dataset.target.unit}".rstrip()
        said = (
            f"The scores waver by {rounded(one, 2)} and {rounded(other, 2)}{unit}, so on draws of their own "
            f"the difference would waver by {rounded(apart, 2)}; on the same draws it wavers by "
            f"{rounded(gain, 2)}: "
        )
        if gain < 0.9 * apart:
            return said + f"pairing makes it {apart / gain:.1f} times narrower."
        why = "what is hard for the one is not hard for the other"
        return said + f"pairing makes it {'no narrower' if gain < 1.1 * apart else 'wider'} here, as {why}."

    def gains(self, most: int = 24, least: int = 30) -> pd.DataFrame:
        """The same for all rows and for the largest groups of the problem's slices, a row each."""
        groups = {("all rows", ""): np.arange(len(self.rows))} | self._groups(most, least)
        parts = [*groups.values()][1:]
        found = [self.interval, *(self._interval(picked, min(self.draws, GROUP_DRAWS)) for picked in parts)]
        table = pd.DataFrame({"gain": one.value, "low": one.low, "high": one.high} for one in found)
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

    def _interval(self, picked: np.ndarray, draws: int) -> Interval:
        candidate, rival = (evaluation.take(one, picked) for one in (self.candidate, self.champion))
        y, metric, task = self.y.to_numpy()[picked], self.dataset.metric, self.dataset.task
        blocks = self.dataset.blocks(self.rows.iloc[picked])
        return uncertainty.of_gain(metric, task, y, candidate, rival, blocks=blocks, draws=draws)

    def read_gains(self, table: pd.DataFrame) -> str:
        """What the picture of the groups says, in a sentence."""
        groups = table.iloc[1:]
        if groups.empty:
            return "The problem has no slices with two groups of 30 rows: there is nothing to compare apart."
        silent, unit = int(groups["low"].isna().sum()), self.dataset.target.unit
        far, lost = _extremes(groups.dropna())
        best, worst = (f"{name} ({signed(groups['gain'][name], unit)})" for name in far) if far else ("", "")
        return (
            f"The candidate is ahead in {(groups['gain'] > 0).sum()} of {len(groups)} groups. "
            + (f"It gains most where {best}, least where {worst}. " if far else "")
            + (f"Surely worse: {', '.join(lost)}." if lost else "By the intervals none is surely worse.")
            + (f" Of {silent} there is none, as it would not hold." if silent else "")
        )


def _extremes(groups: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The groups that gain most and least, if they differ, and those that lose: for sure, for all together.

    Of many groups that are all alike some two lie far apart, and some bar misses the line: so the first asks
    the studentised range (Tukey and Kramer), the second a bar that is longer the more groups there are.
    """
    from scipy import stats

    count = len(groups)
    if count < 2:
        return [], list(groups.index[groups["high"] < 0])
    gain, error = groups["gain"], (groups["high"] - groups["low"]) / (2 * stats.norm.ppf(0.975))
    far = [gain.idxmax(), gain.idxmin()]
    wavers = float((error[far] ** 2).mean()) ** 0.5
    apart = (gain[far[0]] - gain[far[1]]) / wavers if wavers else 0.0  # a model against itself
    lost = gain + stats.norm.ppf(1 - 0.025 / count) * error < 0
    differ = stats.studentized_range.sf(apart, count, np.inf) < 0.05
    return far if differ else [], list(groups.index[lost])


def compare(
    dataset: Dataset,
    rows: pd.DataFrame,
    candidate: Path,
    champion: Path | None = None,
    rival: str = "champion",
) -> Contest:
    """Score two model folders on `rows`, side by side.

    Without a champion the rival is the best constant: these rows' own mean, median (by MAE), or shares.
    """
    inputs = rows.drop(columns=dataset.target.name)
    prediction, own = packaging.load(candidate).predict(inputs), seen(candidate, rows)
    leaked = None if own is None else int(own.sum())
    if champion is None:
        y, metric = rows[dataset.target.name], dataset.metric
        said = evaluation.constant(dataset.task, y, len(rows), metric)
        own_kind = "shares" if dataset.task == "classification" else evaluation.CONSTANTS.get(metric, "mean")
        return Contest(dataset, rows, prediction, said, f"these rows' own {own_kind}", leaked=leaked)
    rivals = prediction if champion == candidate else packaging.load(champion).predict(inputs)
    theirs = seen(champion, rows)
    alone = theirs if theirs is None or own is None else theirs & ~own
    rival_leaked = None if alone is None else int(alone.sum())
    return Contest(dataset, rows, prediction, rivals, rival, rival_leaked, leaked)


def seen(folder: Path, rows: pd.DataFrame) -> np.ndarray | None:
    """Which of `rows` the stored model was fitted on, by its marks; None where this machine has not these."""
    about = packaging.about(folder)
    columns, known = about["row_columns"], marks.find(folder, about)
    if known is None:
        return None
    if not set(columns) <= set(rows):
        lacking = sorted(set(columns) - set(rows))
        raise RegistryError(
            f"Its training rows had {lacking}, which these have not: nobody can tell if it is fair."
        )
    if isinstance(columns, list):  # of an earlier workbook, whose marks went by the values' types, too
        return np.isin(pd.util.hash_pandas_object(rows[columns], index=False), known)
    return np.isin(schema.marks(rows, columns), known)


def _natural(group: str) -> tuple[float, float, str]:
    """Sorts "to 1 mile", "1-2 miles", "10-20 miles" by their numbers, and words after them by letter."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", group)]
    return (numbers[0], numbers[-1], group) if numbers else (float("inf"), float("inf"), group)
