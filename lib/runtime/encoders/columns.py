"""Encoders of single columns that do not look at the target: numbers, categories, ordered codes, days."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import InferenceError
from .base import Encoder, State, Vocabulary, numeric
from .matrix import Codes


class Number(Encoder):
    """Numbers as they are; `impute` fills what is missing, `scale` gives mean 0 and deviation 1.

    Whole numbers that 32 bits would merge, as 20230130 and 20230131, are measured from their middle.
    """

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        impute: Literal["median", "mean", "most_frequent", "zero"] | float | None = None,
        scale: bool = False,
    ) -> None:
        self.columns = columns
        self.impute = impute
        self.scale = scale

    def learn(self, rows: pd.DataFrame, y: ArrayLike | None = None) -> np.ndarray:  # noqa: ARG002
        self.names_ = list(self.columns_)
        values = self._stack(rows)
        self.fill_ = np.array([self._fill(values[:, i]) for i in range(values.shape[1])])
        values = np.where(np.isnan(values), self.fill_, values)
        self.mean_, self.scale_ = np.zeros(values.shape[1]), np.ones(values.shape[1])
        if self.scale:
            self.mean_, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
            self.scale_ = np.where(spread > 0, spread, 1.0)
        else:
            self.mean_ = np.array([_middle(values[:, i]) for i in range(values.shape[1])])
        return (values - self.mean_) / self.scale_

    def block(self, rows: pd.DataFrame) -> np.ndarray:
        values = self._stack(rows)
        if self.impute is not None:
            values = np.where(np.isnan(values), self.fill_, values)
        return (values - self.mean_) / self.scale_ if self.scale or self.mean_.any() else values

    def _stack(self, rows: pd.DataFrame) -> np.ndarray:
        return np.column_stack([numeric(rows[name]) for name in self.columns_])

    def _fill(self, values: np.ndarray) -> float:
        """What a missing value becomes; NaN where it stays missing."""
        how = self.impute
        seen = values[~np.isnan(values)]
        if how is None or (len(seen) == 0 and isinstance(how, str)):
            return np.nan if how is None else 0.0
        if isinstance(how, str):
            if how not in WAYS:
                raise InferenceError(f"number has no impute={how!r}; it has {sorted(WAYS)}, or a constant.")
            return float(WAYS[how](seen))
        return float(how)

    def state(self) -> State:
        return {"fill": self.fill_, "centre": self.mean_, "spread": self.scale_}

    def restore(self, state: State) -> None:
        self.names_ = list(self.columns_)
        self.fill_, self.mean_, self.scale_ = state["fill"], state["centre"], state["spread"]


class OneHot(Encoder):
    """A column of 0 and 1 for each value that was seen, in sorted order; an unseen value is all zeros."""

    def __init__(
        self, columns: Sequence[str] | None = None, *, impute: Literal["most_frequent"] | None = None
    ) -> None:
        self.columns = columns
        self.impute = impute

    def learn(self, rows: pd.DataFrame, y: ArrayLike | None = None) -> list[Codes]:  # noqa: ARG002
        common = self.impute == "most_frequent"
        self.fill_ = [_common(rows[name]) if common else None for name in self.columns_]
        learnt = [Vocabulary.learn(column) for column in self._filled(rows)]
        self._take([vocabulary for vocabulary, _ in learnt])
        return [Codes(codes, len(vocabulary)) for vocabulary, codes in learnt]

    def block(self, rows: pd.DataFrame) -> list[Codes]:
        return [
            Codes(vocabulary.positions(column), len(vocabulary))
            for vocabulary, column in zip(self.vocabularies_, self._filled(rows), strict=True)
        ]

    def _filled(self, rows: pd.DataFrame) -> list[pd.Series]:
        pairs = zip(self.columns_, self.fill_, strict=True)
        return [rows[name] if fill is None else rows[name].fillna(fill) for name, fill in pairs]

    def _take(self, vocabularies: list[Vocabulary]) -> None:
        self.vocabularies_ = vocabularies
        pairs = zip(self.columns_, vocabularies, strict=True)
        self.names_ = [f"{name}={value}" for name, vocabulary in pairs for value in vocabulary.known]

    def state(self) -> State:
        return {f"values_{i}": v.stored() for i, v in enumerate(self.vocabularies_)} | {"fill": self.fill_}

    def restore(self, state: State) -> None:
        self.fill_ = state["fill"]
        self._take([Vocabulary(state[f"values_{i}"]) for i in range(len(self.columns_))])


class Ordinal(Encoder):
    """Each value's place among the sorted ones that were seen (or in `order`); unseen and missing give -1.

    `fill` replaces missing values before anything else, so that they count as a value of their own.
    """

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        fill: object = None,
        order: Sequence[object] | None = None,
    ) -> None:
        self.columns = columns
        self.fill = fill
        self.order = order

    def learn(self, rows: pd.DataFrame, y: ArrayLike | None = None) -> np.ndarray:  # noqa: ARG002
        self.names_, order = list(self.columns_), self.order
        columns = [self._filled(rows[name]) for name in self.columns_]
        self.vocabularies_ = [Vocabulary(list(order)) if order else Vocabulary.learn(c)[0] for c in columns]
        return self.block(rows)

    def block(self, rows: pd.DataFrame) -> np.ndarray:
        pairs = zip(self.vocabularies_, self.columns_, strict=True)
        return np.column_stack([v.positions(self._filled(rows[name])) for v, name in pairs]).astype(
            np.float64
        )

    def _filled(self, column: pd.Series) -> pd.Series:
        return column if self.fill is None else column.fillna(self.fill)

    def state(self) -> State:
        return {f"values_{i}": v.stored() for i, v in enumerate(self.vocabularies_)}

    def restore(self, state: State) -> None:
        self.names_ = list(self.columns_)
        self.vocabularies_ = [Vocabulary(state[f"values_{i}"]) for i in range(len(self.columns_))]


class DaysBefore(Encoder):
    """Whole days from a time to the latest one of the training rows, kept with the encoder.

    A single row is thus measured from the same day as the rows that the model learnt from.
    """

    def __init__(self, columns: Sequence[str] | None = None, *, fill: str | None = None) -> None:
        self.columns = columns
        self.fill = fill

    def learn(self, rows: pd.DataFrame, y: ArrayLike | None = None) -> np.ndarray:  # noqa: ARG002
        self.names_ = [f"days before: {name}" for name in self.columns_]
        latest = [self._days(rows[name]) for name in self.columns_]
        self.reference_ = np.array([np.nanmax(days) if len(days) else 0.0 for days in latest])
        return self.block(rows)

    def block(self, rows: pd.DataFrame) -> np.ndarray:
        return self.reference_ - np.column_stack([self._days(rows[name]) for name in self.columns_])

    def _days(self, column: pd.Series) -> np.ndarray:
        """Days since 1970, missing as `fill` or NaN."""
        times = pd.to_datetime(column)
        if self.fill is not None:
            times = times.fillna(pd.Timestamp(self.fill))
        days = times.to_numpy(dtype="datetime64[D]")
        return np.where(np.isnat(days), np.nan, days.astype(np.float64))

    def state(self) -> State:
        return {"reference": self.reference_}

    def restore(self, state: State) -> None:
        self.names_ = [f"days before: {name}" for name in self.columns_]
        self.reference_ = state["reference"]


def _middle(values: np.ndarray) -> float:
    """The middle of whole numbers too large for 32 bits; 0 of others, which lose less than they vary by."""
    seen = values[~np.isnan(values)]
    if not len(seen) or np.abs(seen).max() <= 2**24 or (seen % 1).any():
        return 0.0
    return float((seen.min() + seen.max()) // 2)


def _most_frequent(values: np.ndarray) -> float:
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()])


def _common(column: pd.Series) -> object:
    """The most frequent value of a column, the first in sorted order where several are."""
    counts = column.value_counts().sort_index()
    return None if counts.empty else counts.idxmax()


#: What `number` can put in the place of a missing value, from those that are there.
WAYS: dict[str, Callable[[np.ndarray], float]] = {
    "median": np.median,
    "mean": np.mean,
    "most_frequent": _most_frequent,
    "zero": lambda _: 0.0,
}
