"""What every encoder is: a scikit-learn transformer of a frame's columns, whose state is plain data.

`state()` gives arrays and JSON values only, so that an encoder is stored without pickle.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..schema import Settings
from .matrix import Block, Matrix, assemble

#: So few rows are looked up one by one: pandas takes a hundred times longer to begin.
FEW = 32
#: A state: arrays are stored in an .npz, all else as JSON.
State: TypeAlias = dict[str, Any]


class Encoder(TransformerMixin, BaseEstimator):
    """Base of the encoders: `columns` of a frame in (None: all of them), one block of a matrix out.

    The columns of an array are called x0, x1, …. Subclasses say how to `learn` a frame and make a `block` of
    one; learnt are `columns_`, the names of what goes in, and `names_`, of what comes out.
    """

    columns: Sequence[str] | None
    columns_: list[str]
    names_: list[str]

    def fit(self, X: pd.DataFrame | ArrayLike, y: ArrayLike | None = None) -> "Encoder":
        """Learn from rows `X` (n × columns), and from their target `y` where means are taken of it."""
        self.learn(self._first(X), y)
        return self

    def fit_transform(self, X: pd.DataFrame | ArrayLike, y: ArrayLike | None = None) -> Matrix:
        """The matrix of the rows learnt from: that of `transform`, but cross-fitted where `y` was used."""
        return assemble([self.learn(self._first(X), y)])

    def transform(self, X: pd.DataFrame | ArrayLike) -> Matrix:
        """The matrix of any rows, in the columns that were learnt: n × len(`names_`)."""
        check_is_fitted(self)
        return assemble([self.block(self._again(X))])

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:  # noqa: ARG002
        """The names of the matrix's columns; they were learnt, so `input_features` has no part in them."""
        check_is_fitted(self)
        return np.asarray(self.names_, dtype=object)

    def learn(self, rows: pd.DataFrame, y: ArrayLike | None = None) -> Block:
        """Learn from a frame and give its own block, before it is a matrix."""
        raise NotImplementedError

    def block(self, rows: pd.DataFrame) -> Block:
        """The block of a frame, before it is a matrix."""
        raise NotImplementedError

    def state(self) -> State:
        """What was learnt, as arrays and JSON values."""
        return {}

    def restore(self, state: State) -> None:
        """Take back what `state` gave; `columns_` are there already."""

    def settings(self) -> Settings:
        """The constructor's arguments that are stored: not the columns, nor what only fitting asks for."""
        given = self.get_params(deep=False)
        return {n: value for n, value in given.items() if n not in ("columns", "groups", "random_state")}

    def take(self, columns: Sequence[str]) -> None:
        """Note what goes in, by name."""
        self.columns_ = list(columns)
        self.n_features_in_ = len(self.columns_)

    def _first(self, X: pd.DataFrame | ArrayLike) -> pd.DataFrame:
        """The frame that is learnt from, its columns noted."""
        rows = self._frame(X, reset=True)
        self.take(list(rows) if self.columns is None else self.columns)
        return rows

    def _again(self, X: pd.DataFrame | ArrayLike) -> pd.DataFrame:
        return self._frame(X, reset=False)

    def _frame(self, X: pd.DataFrame | ArrayLike, reset: bool) -> pd.DataFrame:
        """A frame as it is, as columns are picked by name; an array checked, as scikit-learn does."""
        if isinstance(X, pd.DataFrame):
            return validate_data(self, X, reset=reset, skip_check_array=True) if self.columns is None else X
        X = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])

    def __sklearn_tags__(self) -> Tags:
        """Gaps are taken as they come, and what comes out is 32-bit whatever goes in."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


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
    if len(column) > FEW and isinstance(column.dtype, pd.StringDtype):
        codes, values = pd.factorize(column)  # each text is read once
        return np.append(_read(pd.Series(values)), np.nan)[codes]
    return _read(column)


def _read(column: pd.Series) -> np.ndarray:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(column.isna(), np.nan, numbers) if column.dtype.kind in "mM" else numbers
