"""What raw columns are, and how a value that comes as JSON becomes the value that a model was trained on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from .errors import InferenceError

#: Settings or parameters by name: plain data, whose types whoever reads them knows.
Settings: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A raw column. `known` says whether its value exists before the prediction is made, or only after."""

    kind: Literal["number", "category", "text", "time", "id"]
    meaning: str
    unit: str = ""
    known: Literal["before", "after"] = "before"


@dataclass(frozen=True)
class Target:
    """What is predicted: the column's name in the splits, its unit (empty for classes), its meaning."""

    name: str
    unit: str
    meaning: str


def marks(rows: pd.DataFrame, columns: Mapping[str, str]) -> np.ndarray:
    """A 64-bit mark for each row, by its values in `columns` ({name: number, text or time}).

    Rows that are alike in these have the same mark, in any process, whatever types the values are kept in.
    """
    canonical = {name: _canonical(rows[name], kind) for name, kind in columns.items()}
    return pd.util.hash_pandas_object(pd.DataFrame(canonical), index=False).to_numpy()


def kinds(rows: pd.DataFrame) -> dict[str, str]:
    """What each column of `rows` is: number, text or time."""
    return {name: kind(rows[name]) for name in rows}


def digest(marks: np.ndarray) -> str:
    """A name for marks as a whole, which tells of no row whether it is among them."""
    return hashlib.sha256(marks.tobytes()).hexdigest()[:32]


def kind(column: pd.Series) -> str:
    """number, time or text: what a column is when it comes as JSON."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return "time"
    return "number" if pd.api.types.is_numeric_dtype(column) else "text"


def coerced(rows: pd.DataFrame, inputs: Mapping[str, str]) -> pd.DataFrame:
    """The input columns of `rows` in their kinds: 74, 74.0 and "74" are one id, a time may be text."""
    missing = [name for name in inputs if name not in rows]
    if missing:
        raise InferenceError(f"The rows have no column {missing}; they have {list(rows)}.")
    columns = {name: _AS[kind](rows[name]).array for name, kind in inputs.items()}
    return pd.DataFrame(columns, index=rows.index, copy=False)  # of arrays: nothing is aligned


def _number(column: pd.Series) -> pd.Series:
    return column if column.dtype.kind in "iuf" else pd.to_numeric(column, errors="coerce").astype("float64")


def _text(column: pd.Series) -> pd.Series:
    if column.dtype.kind in "iuf":
        whole = column.dropna().mod(1).eq(0).all()
        text = column.astype("Int64" if whole else column.dtype).astype("str")
        return text.where(column.notna()).astype("str")
    return column if column.dtype == "str" else column.where(column.isna(), column.astype(str)).astype("str")


def _time(column: pd.Series) -> pd.Series:
    return column if column.dtype.kind == "M" else pd.to_datetime(column, format="ISO8601")


def _canonical(column: pd.Series, kind: str) -> np.ndarray | pd.Series:
    """The values in the form in which they are compared: 1, 1.0 and True are equal, and so are two gaps."""
    if kind == "number":
        numbers = _number(column).to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one zero, one NaN
    if kind == "time":
        times = _time(column)
        times = times if times.dt.tz is None else times.dt.tz_convert("UTC").dt.tz_localize(None)
        return times.astype("datetime64[us]").reset_index(drop=True)
    return _text(column).reset_index(drop=True)


_AS = {"number": _number, "text": _text, "time": _time}
