"""Metrics as functions of weights: how often each unit (a row, or a block of rows) was drawn.

A statistic gives for weights (draws, units) its values (draws,) and the influence (draws, units) of each
unit, what adding it moves the value by: the squares of these, summed, are the variance of the value. That is
the delta method for functions of means, and DeLong's variance for areas under the curve.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import pandas as pd

from lib import evaluation
from lib.errors import DataError
from lib.evaluation import Prediction, Ranks

#: Means (draws, k) -> values (draws,) and gradients (draws, k).
Function: TypeAlias = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Statistic(Protocol):
    """A metric of some rows."""

    def at(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (draws,) and influences (draws, units), of units drawn so many times (draws, units)."""
        ...

    def sizes(self) -> np.ndarray:
        """What each row adds (rows,), as far as the value is linear in it."""
        ...


@dataclass(frozen=True)
class Units:
    """Rows in an order that is theirs whatever order they came in, unit by unit: each begins at `starts`."""

    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, predictions: list[Prediction], blocks: pd.Series | None) -> "Units":
        """Every row a unit, or every block of them."""
        keys = [pd.factorize(y, sort=True)[0]]
        keys += [column for side in predictions for column in _numbers(side).reshape(len(y), -1).T]
        if blocks is None:
            return cls(np.lexsort(keys), np.arange(len(y)))
        codes = pd.factorize(np.asarray(blocks.astype(str)), sort=True)[0]
        order = np.lexsort([*keys, codes])
        return cls(order, np.unique(codes[order], return_index=True)[1])

    @property
    def counts(self) -> np.ndarray:
        """Rows a unit."""
        return np.diff([*self.starts, len(self.order)])

    def sums(self, values: np.ndarray, axis: int = 0) -> np.ndarray:
        """Sums a unit, of values of rows that stand in `order`."""
        return values if len(self.starts) == len(self.order) else np.add.reduceat(values, self.starts, axis)


class Means:
    """A function of means over rows, such as the root of the mean of squares."""

    def __init__(self, rows: np.ndarray, function: Function, units: Units) -> None:
        self.rows, self.function = rows[units.order], function
        self.sums, self.counts = units.sums(self.rows), units.counts.astype(float)

    def at(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Statistic`."""
        totals = (weights @ self.counts)[:, None]
        means = weights @ self.sums / totals
        values, gradients = self.function(means)
        moved = gradients @ self.sums.T
        moved -= (gradients * means).sum(axis=1)[:, None] * self.counts
        return values, moved / totals

    def sizes(self) -> np.ndarray:
        """See `Statistic`."""
        gradient = self.function(self.rows.mean(axis=0)[None, :])[1][0]
        return self.rows @ gradient


class Areas:
    """The area under the curve as `evaluation` has it: for several classes the mean over their pairs."""

    def __init__(self, ranks: Ranks, units: Units) -> None:
        at = units.order
        self.codes, self.classes = ranks.codes[at], ranks.classes
        known_places = ranks.places if ranks.classes > 1 else {}
        self.orders = {
            column: _Order(place[at], self.codes, column) for column, place in known_places.items()
        }
        self.unit = np.repeat(np.arange(len(units.starts)), units.counts)
        self.units = len(units.starts)

    def at(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Statistic`."""
        if self.classes < 2:
            return np.full(len(weights), np.nan), np.zeros_like(weights)
        rows = weights[:, self.unit]
        sizes, moved, values = _by_class(rows, self.codes, self.classes), np.zeros_like(rows), []
        for column, order in self.orders.items():
            value, there = self._of(column, order, rows[:, order.rows], sizes)
            moved += there[:, order.back]
            values.append(value)
        scored = np.isfinite(values).sum(axis=0)
        with np.errstate(invalid="ignore"):
            return np.nansum(values, axis=0) / np.where(scored, scored, np.nan), self._by_unit(
                moved / np.maximum(scored, 1)[:, None]
            )

    def _of(
        self, column: int, order: "_Order", rows: np.ndarray, sizes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """How often rows of a class stand above those of each other one; what each row moves it by."""
        codes, own = self.codes[order.rows], sizes[:, [column]]
        others = (sizes > 0) & (np.arange(self.classes) != column)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(others, 1 / sizes, 0) / others.sum(axis=1)[:, None]
            spread = share[:, codes]
            below = order.below_own(rows * spread)
            above = 1 - order.own_below(rows[:, order.own] / own)
            value = (rows[:, order.own] * below).sum(axis=1) / own[:, 0]
            areas = _by_class(rows * above, codes, self.classes) / sizes
            moved = (above - areas[:, codes]) * spread
            moved[:, order.own] = (below - value[:, None]) / own
        scored = np.isfinite(value)
        moved[~scored] = 0  # a draw without this class, or without any other
        return np.where(scored, value, np.nan), np.where(rows > 0, moved, 0)

    def _by_unit(self, moved: np.ndarray) -> np.ndarray:
        if len(self.unit) == self.units:
            return moved
        from scipy import sparse

        rows = np.arange(len(self.unit))
        joined = sparse.csr_array((np.ones(len(rows)), (self.unit, rows)), shape=(self.units, len(rows)))
        return np.asarray((joined @ moved.T).T)

    def sizes(self) -> np.ndarray:
        """A row's place lies between 0 and 1: there is no tail to look at."""
        return np.zeros(0)


class _Order:
    """Rows by their probability of a class, and where each stands among that class's rows; ties are half."""

    def __init__(self, place: np.ndarray, codes: np.ndarray, column: int) -> None:
        self.rows = np.argsort(place, kind="stable")
        self.back = np.argsort(self.rows)
        place = place[self.rows]
        is_own = codes[self.rows] == column
        self.own = np.flatnonzero(is_own)
        self.all_first, self.all_after = (
            np.searchsorted(place, place[self.own], s) for s in ("left", "right")
        )
        self.own_first, self.own_after = (
            np.searchsorted(place[self.own], place, s) for s in ("left", "right")
        )
        self.others = ~is_own

    def below_own(self, weights: np.ndarray) -> np.ndarray:
        """The others' weight below each row of the class (draws, rows of the class)."""
        return _between(weights * self.others, self.all_first, self.all_after)

    def own_below(self, weights: np.ndarray) -> np.ndarray:
        """The weight of the class's rows below each row (draws, rows)."""
        return _between(weights, self.own_first, self.own_after)


def _by_class(values: np.ndarray, codes: np.ndarray, classes: int) -> np.ndarray:
    """Sums (draws, classes) of values (draws, rows); on two busy cores sooner than a product of matrices."""
    draws = len(values)
    places = codes + classes * np.arange(draws)[:, None]
    return np.bincount(places.ravel(), values.ravel(), draws * classes).reshape(draws, classes)


def _between(weights: np.ndarray, first: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The weight before each place, and half of that at it."""
    before = np.zeros((len(weights), weights.shape[1] + 1))
    weights.cumsum(axis=1, out=before[:, 1:])
    return 0.5 * (before[:, first] + before[:, after])


def _numbers(side: Prediction) -> np.ndarray:
    return (
        evaluation.probabilities(side)[0] if isinstance(side, pd.DataFrame) else np.asarray(side, dtype=float)
    )


def alike(one: Prediction, other: Prediction) -> bool:
    """Whether two models say the very same of all rows."""
    return np.array_equal(_numbers(one), _numbers(other))


def build(name: str, task: str, y: np.ndarray, prediction: Prediction, units: Units) -> Statistic:
    """The metric `name` of these rows."""
    if task == "regression":
        error, y = y - np.asarray(prediction, dtype=float), y - y.mean()
        numbers: dict[str, tuple[list[np.ndarray], Function]] = {
            "rmse": ([error**2], _root),
            "mae": ([np.abs(error)], _itself),
            "r2": ([error**2, y, y**2], _explained),
        }
        if name in numbers:
            columns, function = numbers[name]
            return Means(np.stack(columns, axis=1), function, units)
        raise DataError(f"There is no {task} metric {name!r}; there are {sorted(numbers)}.")
    chances, names = evaluation.with_unseen(y, *evaluation.probabilities(prediction))
    if name == "auc":
        return Areas(Ranks(y, chances, names), units)
    truth = y[:, None] == np.asarray(names)
    said = np.eye(len(names))[chances.argmax(axis=1)]
    if name == "accuracy":
        return Means((truth * said).sum(axis=1)[:, None], _itself, units)
    if name == "log_loss":
        given = np.clip((truth * chances).sum(axis=1), np.finfo(float).eps, 1)
        return Means(-np.log(given)[:, None], _itself, units)
    if name == "f1":
        there = (truth.any(axis=0)) | (said.any(axis=0))
        hits, sizes = (truth * said)[:, there], (truth + said)[:, there]
        return Means(np.hstack([hits, sizes]), _f1, units)
    raise DataError(f"There is no {task} metric {name!r}; there are ['accuracy', 'auc', 'f1', 'log_loss'].")


def _root(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    root = np.sqrt(means[:, 0])
    with np.errstate(divide="ignore"):
        return root, (0.5 / root)[:, None]


def _itself(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return means[:, 0], np.ones_like(means)


def _explained(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the means of squared errors, of truths and of their squares: 1 - errors / variance."""
    error, first, second = means.T
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = second - first**2
        slope = error / spread**2
        return 1 - error / spread, np.stack([-1 / spread, -2 * first * slope, slope], axis=1)


def _f1(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the shares of hits a class and of truths and answers a class: the mean of 2 hits / size."""
    hits, sizes = np.hsplit(means, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        each, slope = np.nan_to_num(2 * hits / sizes), np.nan_to_num(2 / sizes)
    classes = hits.shape[1]
    return each.mean(axis=1), np.hstack([slope, -each * slope / 2]) / classes
