"""Encoders of single columns that do not look at the target: numbers, categories, ordered codes, days."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pandas as pd

from ..errors import InferenceError
from ..schema import Settings
from .base import Codes, Encoder, State, Vocabulary, numeric


class Number(Encoder):
    """Numbers as they are; `impute` fills what is missing, `scale` gives mean 0 and deviation 1."""

    settings: ClassVar[Settings] = {"impute": None, "scale": False}

    def learn(self, rows: pd.DataFrame) -> np.ndarray:
        self.names = list(self.columns)
        values = self._stack(rows)
        self.fill = np.array([self._fill(values[:, i]) for i in range(values.shape[1])])
        values = np.where(np.isnan(values), self.fill, values)
        self.centre, self.spread = np.zeros(values.shape[1]), np.ones(values.shape[1])
        if self.options["scale"]:
            self.centre, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
            self.spread = np.where(spread > 0, spread, 1.0)
        return (values - self.centre) / self.spread

    def transform(self, rows: pd.DataFrame) -> np.ndarray:
        values = self._stack(rows)
        if self.options["impute"] is not None:
            values = np.where(np.isnan(values), self.fill, values)
        return (values - self.centre) / self.spread if self.options["scale"] else values

    def _stack(self, rows: pd.DataFrame) -> np.ndarray:
        return np.column_stack([numeric(rows[name]) for name in self.columns])

    def _fill(self, values: np.ndarray) -> float:
        """What a missing value becomes; NaN where it stays missing."""
        how = self.options["impute"]
        seen = values[~np.isnan(values)]
        if how is None or (len(seen) == 0 and isinstance(how, str)):
            return np.nan if how is None else 0.0
        if isinstance(how, str):
            if how not in WAYS:
                raise InferenceError(f"number has no impute={how!r}; it has {sorted(WAYS)}, or a constant.")
            return float(WAYS[how](seen))
        return float(how)

    def state(self) -> State:
        return {"fill": self.fill, "centre": self.centre, "spread": self.spread}

    def restore(self, state: State) -> None:
        self.names = list(self.columns)
        self.fill, self.centre, self.spread = state["fill"], state["centre"], state["spread"]


class OneHot(Encoder):
    """A column of 0 and 1 for each value that was seen, in sorted order; an unseen value is all zeros."""

    settings: ClassVar[Settings] = {"impute": None}

    def learn(self, rows: pd.DataFrame) -> list[Codes]:
        common = self.options["impute"] == "most_frequent"
        self.fill = [_common(rows[name]) if common else None for name in self.columns]
        learnt = [Vocabulary.learn(column) for column in self._filled(rows)]
        self._take([vocabulary for vocabulary, _ in learnt])
        return [Codes(codes, len(vocabulary)) for vocabulary, codes in learnt]

    def transform(self, rows: pd.DataFrame) -> list[Codes]:
        return [
            Codes(vocabulary.positions(column), len(vocabulary))
            for vocabulary, column in zip(self.vocabularies, self._filled(rows), strict=True)
        ]

    def _filled(self, rows: pd.DataFrame) -> list[pd.Series]:
        pairs = zip(self.columns, self.fill, strict=True)
        return [rows[name] if fill is None else rows[name].fillna(fill) for name, fill in pairs]

    def _take(self, vocabularies: list[Vocabulary]) -> None:
        self.vocabularies = vocabularies
        pairs = zip(self.columns, vocabularies, strict=True)
        self.names = [f"{name}={value}" for name, vocabulary in pairs for value in vocabulary.known]

    def state(self) -> State:
        return {f"values_{i}": v.stored() for i, v in enumerate(self.vocabularies)} | {"fill": self.fill}

    def restore(self, state: State) -> None:
        self.fill = state["fill"]
        self._take([Vocabulary(state[f"values_{i}"]) for i in range(len(self.columns))])


class Ordinal(Encoder):
    """Each value's place among the sorted ones that were seen (or in `order`); unseen and missing give -1.

    `fill` replaces missing values before anything else, so that they count as a value of their own.
    """

    settings: ClassVar[Settings] = {"fill": None, "order": None}

    def learn(self, rows: pd.DataFrame) -> np.ndarray:
        self.names, order = list(self.columns), self.options["order"]
        columns = [self._filled(rows[name]) for name in self.columns]
        self.vocabularies = [Vocabulary(list(order)) if order else Vocabulary.learn(c)[0] for c in columns]
        return self.transform(rows)

    def transform(self, rows: pd.DataFrame) -> np.ndarray:
        pairs = zip(self.vocabularies, self.columns, strict=True)
        return np.column_stack([v.positions(self._filled(rows[name])) for v, name in pairs]).astype(
            np.float64
        )

    def _filled(self, column: pd.Series) -> pd.Series:
        return column if self.options["fill"] is None else column.fillna(self.options["fill"])

    def state(self) -> State:
        return {f"values_{i}": v.stored() for i, v in enumerate(self.vocabularies)}

    def restore(self, state: State) -> None:
        self.names = list(self.columns)
        self.vocabularies = [Vocabulary(state[f"values_{i}"]) for i in range(len(self.columns))]


class DaysBefore(Encoder):
    """Whole days from a time to the latest one of the training rows, kept with the encoder.

    A single row is thus measured from the same day as the rows that the model learnt from.
    """

    settings: ClassVar[Settings] = {"fill": None}

    def learn(self, rows: pd.DataFrame) -> np.ndarray:
        self.names = [f"days before: {name}" for name in self.columns]
        latest = [self._days(rows[name]) for name in self.columns]
        self.reference = np.array([np.nanmax(days) if len(days) else 0.0 for days in latest])
        return self.transform(rows)

    def transform(self, rows: pd.DataFrame) -> np.ndarray:
        return self.reference - np.column_stack([self._days(rows[name]) for name in self.columns])

    def _days(self, column: pd.Series) -> np.ndarray:
        """Days since 1970, missing as `fill` or NaN."""
        times = pd.to_datetime(column)
        if self.options["fill"] is not None:
            times = times.fillna(pd.Timestamp(self.options["fill"]))
        days = times.to_numpy(dtype="datetime64[D]")
        return np.where(np.isnat(days), np.nan, days.astype(np.float64))

    def state(self) -> State:
        return {"reference": self.reference}

    def restore(self, state: State) -> None:
        self.names = [f"days before: {name}" for name in self.columns]
        self.reference = state["reference"]


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
