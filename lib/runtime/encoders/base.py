"""What every encoder is: fitted on a frame, then a matrix block from any frame; its state is plain data.

`state()` gives arrays and JSON values only, so that an encoder is stored without pickle.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import pandas as pd

from ..errors import InferenceError
from ..schema import Settings

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: So few rows are looked up one by one: pandas takes a hundred times longer to begin.
FEW = 32
#: A state: arrays are stored in an .npz, all else as JSON.
State: TypeAlias = dict[str, Any]
#: What encoders make and models take: dense 32-bit floats, or a sparse matrix in rows.
Matrix: TypeAlias = "np.ndarray | csr_matrix"


class Codes:
    """A one-hot block before it is a matrix: which of `width` columns is 1 in each row (-1: none)."""

    def __init__(self, codes: np.ndarray, width: int) -> None:
        self.codes, self.width = codes, width


#: One block of a matrix, and what one encoder makes of a frame: several blocks are a list of codes.
Part: TypeAlias = "Matrix | Codes"
Block: TypeAlias = "Matrix | list[Codes]"


class Encoder:
    """Base of the encoders: `columns` in, one block of `names` out. Subclasses learn and transform."""

    settings: ClassVar[Settings] = {}

    def __init__(self, columns: Sequence[str], **settings: object) -> None:
        unknown = set(settings) - set(self.settings)
        if unknown:
            known = sorted(self.settings)
            raise InferenceError(f"{type(self).__name__} has no setting {sorted(unknown)}; it takes {known}.")
        self.columns = list(columns)
        self.options: Settings = {**self.settings, **settings}
        self.names: list[str] = []

    def fit(self, rows: pd.DataFrame, y: np.ndarray | None, seed: int) -> Block:  # noqa: ARG002  for target means
        """Learn from `rows`; return their own block (cross-fitted where the target was used)."""
        return self.learn(rows)

    def learn(self, rows: pd.DataFrame) -> Block:
        """`fit` of an encoder that does not look at the target."""
        raise NotImplementedError

    def transform(self, rows: pd.DataFrame) -> Block:
        """The block of `rows`."""
        raise NotImplementedError

    def state(self) -> State:
        """What was learnt, as arrays and JSON values."""
        return {}

    def restore(self, state: State) -> None:
        """Take back what `state` gave."""


class Vocabulary:
    """The values that a column had, sorted; and where any value stands among them (-1: unseen)."""

    def __init__(self, values: Iterable[object]) -> None:
        self.known = pd.Index(values)

    @classmethod
    def learn(cls, column: pd.Series) -> tuple["Vocabulary", np.ndarray]:
        """The vocabulary of `column` and the positions of its rows."""
        codes, values = pd.factorize(column, sort=True)
        return cls(values), codes

    def __len__(self) -> int:
        return len(self.known)

    def positions(self, column: pd.Series) -> np.ndarray:
        """Where each row's value stands in the vocabulary; missing and unseen values give -1."""
        if len(column) <= FEW:
            return np.array([self._places.get(value, -1) for value in column.tolist()], dtype=np.intp)
        codes, values = pd.factorize(column)
        if len(values) == 0:
            return np.full(len(column), -1)
        places = np.append(self.known.get_indexer(pd.Index(values)), -1)
        return places[codes]

    @functools.cached_property
    def _places(self) -> dict[object, int]:
        return {value: place for place, value in enumerate(self.known.tolist())}

    def stored(self) -> np.ndarray | list[str]:
        """The values as an array (numbers) or a list (text)."""
        return self.known.to_numpy() if self.known.dtype.kind in "iufb" else [str(v) for v in self.known]


def numeric(column: pd.Series) -> np.ndarray:
    """A column as floats, missing as NaN."""
    if column.dtype.kind in "iufb":
        return column.to_numpy(dtype=np.float64)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
