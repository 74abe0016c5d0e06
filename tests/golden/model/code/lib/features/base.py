"""What every encoder is: fitted on a frame, then a matrix block from any frame; its state is plain data.

`state()` gives arrays and JSON values only, so that an encoder is stored without pickle.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from lib.errors import DataError

#: A state: arrays are stored in an .npz, all else as JSON.
State = dict[str, Any]


class Encoder:
    """Base of the encoders: `columns` in, one block of `names` out. Subclasses fit and transform."""

    settings: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, columns: Sequence[str], **settings: Any):
        unknown = set(settings) - set(self.settings)
        if unknown:
            known = sorted(self.settings)
            raise DataError(f"{type(self).__name__} has no setting {sorted(unknown)}; it takes {known}.")
        self.columns = list(columns)
        self.options = dict(self.settings) | settings
        self.names: list[str] = []

    def fit(self, rows: pd.DataFrame, y: np.ndarray | None, seed: int) -> Any:
        """Learn from `rows`; return their own block (cross-fitted where the target was used)."""
        raise NotImplementedError

    def transform(self, rows: pd.DataFrame) -> Any:
        """The block of `rows`: an array of floats, or a `Codes`, or a sparse matrix."""
        raise NotImplementedError

    def state(self) -> State:
        """What was learnt, as arrays and JSON values."""
        return {}

    def restore(self, state: State) -> None:
        """Take back what `state` gave."""


class Codes:
    """A one-hot block before it is a matrix: which of `width` columns is 1 in each row (-1: none)."""

    def __init__(self, codes: np.ndarray, width: int):
        self.codes, self.width = codes, width


class Vocabulary:
    """The values that a column had, sorted; and where any value stands among them (-1: unseen)."""

    def __init__(self, values: Any):
        self.seen = pd.Index(values)

    @classmethod
    def learn(cls, column: pd.Series) -> tuple["Vocabulary", np.ndarray]:
        """The vocabulary of `column` and the positions of its rows."""
        codes, values = pd.factorize(column, sort=True)
        return cls(values), codes

    def __len__(self) -> int:
        return len(self.seen)

    def positions(self, column: pd.Series) -> np.ndarray:
        """Where each row's value stands in the vocabulary; missing and unseen values give -1."""
        codes, values = pd.factorize(column)
        if len(values) == 0:
            return np.full(len(column), -1)
        places = np.append(self.seen.get_indexer(pd.Index(values)), -1)
        return places[codes]

    def stored(self) -> Any:
        """The values as an array (numbers) or a list (text)."""
        return self.seen.to_numpy() if self.seen.dtype.kind in "iufb" else [str(v) for v in self.seen]


def numeric(column: pd.Series) -> np.ndarray:
    """A column as floats, missing as NaN."""
    if column.dtype.kind in "iufb" and not pd.api.types.is_extension_array_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
