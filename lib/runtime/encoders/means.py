"""Target means: what rows of the same zone, pair or hour took, shrunk where few were seen, and cross-fitted.

A training row must never meet its own target among its features, nor that of its group, so its means come
from the other folds; rows to predict get the means of all training rows.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Tags
from sklearn.utils.validation import check_consistent_length, column_or_1d

from ..errors import InferenceError
from ..folds import places
from .base import Encoder, State, Vocabulary, numeric

#: By key and number of the statistic its estimates, a row each; with "n" how many rows they rest on.
Estimates: TypeAlias = dict[tuple[str, int] | tuple[str, int, str], np.ndarray]


class TargetMean(Encoder):
    """Smoothed means by each of the key columns.

    `of` names what is averaged: "target", a column, or a ratio of two ("target/distance" is a pace).
    `prior` gives a key's parents: few rows shrink towards the mean of the parents' estimates, else to the
    overall mean, as if `smooth` rows had been seen there. `counts` adds how many rows a key had. `usual`
    adds, where a row has the column itself, a pace times it, or the column over its usual value.

    As with scikit-learn's TargetEncoder, `fit_transform(X, y)` is not `fit(X, y).transform(X)`: the first
    describes each row by the other `folds`, dealt by `random_state`, the second rows that are new. `groups`
    are columns: rows that are alike in them are in one fold.
    """

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        of: Sequence[str] = ("target",),
        prior: Mapping[str, Sequence[str]] | None = None,
        smooth: float = 10.0,
        counts: bool = False,
        folds: int = 8,
        usual: bool = False,
        groups: Sequence[str] = (),
        random_state: int | None = 42,
    ) -> None:
        self.columns = columns
        self.of = of
        self.prior = prior
        self.smooth = smooth
        self.counts = counts
        self.folds = folds
        self.usual = usual
        self.groups = groups
        self.random_state = random_state

    def learn(self, rows: pd.DataFrame, y: ArrayLike | None = None) -> np.ndarray:
        if y is None:
            raise InferenceError("target_mean needs the target of the training rows.")
        wanted: np.ndarray = column_or_1d(np.asarray(y, dtype=np.float64), warn=True)
        check_consistent_length(rows, wanted)
        self._order()
        folds = self._deal(rows)
        learnt = {key: Vocabulary.learn(rows[key]) for key in self.keys_}
        self.vocabularies_ = {key: vocabulary for key, (vocabulary, _) in learnt.items()}
        self.tables_: dict[str, np.ndarray] = {}
        self.overall_, estimates = np.zeros(len(self.of)), Estimates()
        for i, what in enumerate(self.of):
            values = _statistic(what, rows, wanted)
            self.overall_[i] = np.nanmean(values)
            estimates |= self._cross_fit(i, values, {key: codes for key, (_, codes) in learnt.items()}, folds)
        self._name()
        return self._stacked(rows, estimates)

    def block(self, rows: pd.DataFrame) -> np.ndarray:
        places = {key: vocabulary.positions(rows[key]) for key, vocabulary in self.vocabularies_.items()}
        estimates: Estimates = {}
        for i in range(len(self.of)):
            for key in self.keys_:
                # -1, unseen: the last column, of zeros
                sums, counts = (part.take(places[key], mode="wrap") for part in self.tables_[f"{key}|{i}"])
                estimates[key, i, "n"] = counts
                estimates[key, i] = (sums + self.smooth * self._prior(key, i, estimates)) / (
                    counts + self.smooth
                )
        return self._stacked(rows, estimates)

    def _deal(self, rows: pd.DataFrame) -> np.ndarray:
        """The fold of each row."""
        if self.groups:
            place = places(rows[list(self.groups)], self.random_state)
            return np.floor(place * self.folds).astype(np.intp)
        return np.random.default_rng(self.random_state).integers(0, self.folds, len(rows))

    def _order(self) -> None:
        """Parents before their children."""
        self.keys_: list[str] = []
        waiting, prior = list(self.columns_), self.prior or {}
        while waiting:
            ready = [key for key in waiting if set(prior.get(key, ())) <= set(self.keys_)]
            if not ready:
                raise InferenceError(f"prior={prior} names a key that is not among {self.columns_}.")
            self.keys_ += ready
            waiting = [key for key in waiting if key not in ready]

    def _prior(
        self, key: str, i: int, estimates: Estimates, overall: np.ndarray | None = None
    ) -> np.ndarray | float:
        parents = [estimates[parent, i] for parent in (self.prior or {}).get(key, ())]
        if parents:
            return sum(parents[1:], parents[0]) / len(parents)
        return float(self.overall_[i]) if overall is None else overall

    def _cross_fit(
        self, i: int, values: np.ndarray, codes: dict[str, np.ndarray], folds: np.ndarray
    ) -> Estimates:
        """Each row's estimates from the other folds; stores the tables of all rows on the way."""
        k, seen = self.folds, ~np.isnan(values)
        clean = np.where(seen, values, 0.0)
        sums, counts = np.bincount(folds, clean, k), np.bincount(folds, seen, k)
        others = ((sums.sum() - sums) / np.maximum(counts.sum() - counts, 1))[folds]
        estimates: Estimates = {}
        for key in self.keys_:
            size = len(self.vocabularies_[key])
            code = np.where(codes[key] < 0, size, codes[key])
            cell = code * k + folds
            total = np.stack([np.bincount(cell, w, (size + 1) * k).reshape(-1, k) for w in (clean, seen)])
            whole = total.sum(axis=2)
            whole[:, size] = 0.0
            self.tables_[f"{key}|{i}"] = whole
            left_sum, left_count = (whole[j][code] - total[j][code, folds] for j in (0, 1))
            missing = code == size
            left_sum, left_count = np.where(missing, 0, left_sum), np.where(missing, 0, left_count)
            estimates[key, i, "n"] = np.where(missing, 0, whole[1][code] - seen)  # how many *other* rows
            prior = self._prior(key, i, estimates, others)
            estimates[key, i] = (left_sum + self.smooth * prior) / (left_count + self.smooth)
        return estimates

    def _name(self) -> None:
        """The names of the block's columns, in the order in which `_stacked` writes them."""
        self.names_ = [f"{what} by {key}" for what in self.of for key in self.keys_]
        self.names_ += [f"rows by {key}" for key in self.keys_] if self.counts else []
        self.names_ += [f"{label} by {key}" for _, label, _ in self.held_against() for key in self.keys_]

    def held_against(self) -> list[tuple[int, str, str]]:
        """Statistics that a row's own column can be held against: (which, label, column)."""
        columns = []
        for i, what in enumerate(self.of if self.usual else ()):
            top, _, bottom = what.partition("/")
            if top == "target" and bottom:
                columns.append((i, f"target at {bottom}", bottom))
            elif top != "target" and not bottom:
                columns.append((i, f"{top} over usual", top))
        return columns

    def _stacked(self, rows: pd.DataFrame, estimates: Estimates) -> np.ndarray:
        block = np.empty((len(rows), len(self.names_)), dtype=np.float32)
        columns = [estimates[key, i] for i in range(len(self.of)) for key in self.keys_]
        columns += [estimates[key, 0, "n"] for key in self.keys_] if self.counts else []
        for j, values in enumerate(columns):
            block[:, j] = values
        j = len(columns)
        for i, label, column in self.held_against():
            own = numeric(rows[column])
            for key in self.keys_:
                usual = estimates[key, i]
                block[:, j] = own * usual if label.startswith("target at") else own / np.maximum(usual, 0.1)
                j += 1
        return block

    def __sklearn_tags__(self) -> Tags:
        """Its means need a target."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def state(self) -> State:
        stored = {f"values {key}": vocabulary.stored() for key, vocabulary in self.vocabularies_.items()}
        return (
            stored
            | {f"table {name}": table.T for name, table in self.tables_.items()}
            | {"overall": self.overall_}
        )

    def restore(self, state: State) -> None:
        self._order()
        self.overall_ = state["overall"]
        self.vocabularies_ = {key: Vocabulary(state[f"values {key}"]) for key in self.keys_}
        wanted = [f"{key}|{i}" for i in range(len(self.of)) for key in self.keys_]
        self.tables_ = {name: np.ascontiguousarray(state[f"table {name}"].T) for name in wanted}
        self._name()


def _statistic(what: str, rows: pd.DataFrame, y: np.ndarray) -> np.ndarray:
    """ "target", a column's numbers, or a ratio; a ratio is missing where a side is not above zero."""

    def side(name: str) -> np.ndarray:
        return y if name == "target" else numeric(rows[name])

    top, _, bottom = what.partition("/")
    if not bottom:
        return side(top)
    over, under = side(top), side(bottom)
    good = (over > 0) & (under > 0)
    return _trimmed(np.where(good, over / np.where(good, under, 1.0), np.nan))


def _trimmed(values: np.ndarray, share: float = 0.005) -> np.ndarray:
    """Values beyond the outer percentiles pulled in to them, so that no single row rules a mean."""
    low, high = np.nanquantile(values, [share, 1 - share])
    return np.clip(values, low, high)
