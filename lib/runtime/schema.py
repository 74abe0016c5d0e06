"""What raw columns are, how rows in any form become the values that a model was trained on, marks of rows.

A `Schema` is written when a model is trained and stored with it. It converts column by column, and each value
by itself (`values`): what one row gets never depends on the rows beside it.
"""

import dataclasses
import functools
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from . import values
from .errors import InferenceError
from .values import Faults

#: Settings or parameters by name: plain data, whose types whoever reads them knows.
Settings: TypeAlias = Mapping[str, Any]
Array: TypeAlias = Any  # a column's values, of numpy or of pandas
#: So few values are read one by one, of more equal ones once: pandas takes a hundred times longer to begin.
FEW = 32


@dataclass(frozen=True)
class Column:
    """A raw column. `known` says whether its value exists before the prediction is made, or only after.

    `unit` of a time is what its numbers count since 1970 (s, ms, us, ns); without one a number is no time.
    Times are kept by the clocks of `zone`, and what says another zone is converted; `order` is whether
    05/02/2020 has the day or the month first. Names of a `whole` column are whole numbers, so that "130.0" is
    "130" (None: if all of the rows that a model learns from are). Values in `gaps` count as missing, beside
    empty ones. A row whose value is `missing` is kept for the encoders or gets no prediction (the default of
    times alone); a value that cannot be read or lies outside of `between` is `impossible`: its row gets no
    prediction, or it counts as missing.
    """

    kind: Literal["number", "category", "text", "time", "id"]
    meaning: str
    unit: str = ""
    known: Literal["before", "after"] = "before"
    zone: str = "UTC"
    order: values.Order = ""
    whole: bool | None = None
    gaps: Sequence[str] = ()
    missing: Literal["", "keep", "refuse"] = ""
    impossible: Literal["refuse", "missing"] = "refuse"
    between: tuple[float, float] | None = None


@dataclass(frozen=True)
class Target:
    """What is predicted: the column's name in the splits, its unit (empty for classes), its meaning."""

    name: str
    unit: str
    meaning: str


class Converted(NamedTuple):
    """Rows as the schema has them, an array a column, and why some cannot be: reasons by the row's place."""

    columns: Mapping[str, Array]
    index: pd.Index
    refused: Faults

    @property
    def rows(self) -> pd.DataFrame:
        """All of them as a frame."""
        return pd.DataFrame(self.columns, index=self.index, copy=False)  # of arrays: nothing is aligned

    def only(self, kept: np.ndarray) -> "Converted":
        """Some of them; no reasons."""
        return Converted({name: array[kept] for name, array in self.columns.items()}, self.index[kept], {})

    @property
    def kept(self) -> np.ndarray:
        """Which rows can be answered."""
        kept = np.ones(len(self.index), dtype=bool)
        kept[list(self.refused)] = False
        return kept

    def summary(self) -> str:
        """For which columns so many rows are refused."""
        columns = pd.Series([why.partition(":")[0] for why in self.refused.values()]).value_counts()
        told = ", ".join(f"{name} of {count:,}" for name, count in columns.items())
        return f"No model could be asked about them: {told} is missing or impossible."


@dataclass(frozen=True)
class Field:
    """How one column's values are kept: as a `number`, `text` or `time`, read as its `Column` says."""

    name: str
    type: str
    column: Column

    def convert(self, given: pd.Series) -> tuple[Array, Faults]:
        """The values as an array, missing where they cannot be read, and why rows are refused, by place."""
        array, faults = _CONVERT[self.type](given, self.column)
        if faults and self.column.impossible == "missing":
            faults = {}
        if self.column.missing == "refuse":
            faults = dict.fromkeys(_missing(array).tolist(), "missing") | faults
        return array, {i: f"{self.name}: {why}" for i, why in faults.items()} if faults else faults


class Schema:
    """The columns that a model needs of a row, in order."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)
        self.names = [field.name for field in fields]

    @classmethod
    def learn(cls, rows: pd.DataFrame, columns: Mapping[str, Column]) -> "Schema":
        """Columns as these rows keep them: a category of numbers stays one of numbers."""
        _complete(rows, list(columns))
        return cls([_learnt(name, column, rows[name]) for name, column in columns.items()])

    @classmethod
    def of(cls, plain: Settings) -> "Schema":
        """What `plain` gave."""
        return cls([Field(name, said["type"], Column(**said["column"])) for name, said in plain.items()])

    def plain(self) -> dict[str, Settings]:
        """It as it is stored, by column."""
        return {field.name: {"type": field.type, "column": _plain(field.column)} for field in self.fields}

    def convert(self, rows: pd.DataFrame) -> Converted:
        """The columns of `rows` that it has; a row is refused for the first of its columns that says why."""
        _complete(rows, self.names)
        columns, refused = {}, Faults()
        for field in self.fields:
            columns[field.name], faults = field.convert(rows[field.name])
            refused = faults | refused if faults else refused
        return Converted(columns, rows.index, dict(sorted(refused.items())))


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


def _canonical(column: pd.Series, kind: str) -> Array:
    """The values in the form in which they are compared: 1, 1.0 and True are equal, and so are two gaps."""
    array, _ = _CONVERT[kind](column, _ANY)
    if kind == "number":
        numbers = np.asarray(array, dtype=np.float64)
        return np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one zero, one NaN
    return np.asarray(array).astype("datetime64[us]") if kind == "time" else array


def _plain(column: Column) -> Settings:
    facts = dataclasses.asdict(column)
    return {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in facts.items()}


def _complete(rows: pd.DataFrame, names: Sequence[str]) -> None:
    lacking = [name for name in names if name not in rows]
    if lacking:
        raise InferenceError(f"The rows have no column {lacking}; they have {list(rows)}.")


def _learnt(name: str, column: Column, given: pd.Series) -> Field:
    """How a column of training rows is kept; what its declaration leaves open is decided by all of them."""
    type_ = column.kind if column.kind in ("number", "time") else kind(given)
    said = column.missing or ("refuse" if type_ == "time" else "keep")
    column = dataclasses.replace(column, missing=said)
    if type_ == "text" and column.whole is None:
        names = pd.unique(_text(given, column)[0])
        column = dataclasses.replace(column, whole=column.kind != "text" and whole(names))
    return Field(name, type_, column)


def whole(names: Sequence[object]) -> bool:
    """Whether all of these names are whole numbers, as 130 and "130.0" are, and "0130" is not."""
    text = [str(one).strip() for one in names if not values.missing(one)]
    return bool(text) and all(_INTEGER.fullmatch(one) for one in text)


def _number(given: pd.Series, column: Column) -> tuple[Array, Faults]:
    dtype = given.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _by_categories(_number, given, column)
    if not pd.api.types.is_numeric_dtype(dtype) or dtype.kind == "c":
        found, faults = values.each(given.tolist(), functools.partial(values.number, gaps=column.gaps))
        array = np.array([np.nan if one is None else one for one in found], dtype=np.float64)
    elif isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        array, faults = given.to_numpy(), {}
    else:
        array, faults = given.to_numpy(dtype=np.float64, na_value=np.nan), {}
    return _within(array, column, faults)


def _within(array: np.ndarray, column: Column, faults: Faults) -> tuple[np.ndarray, Faults]:
    """Numbers without those that count as missing, and without those that cannot be."""
    gap = bad = np.isinf(array) if array.dtype.kind == "f" else np.zeros(len(array), dtype=bool)
    if column.between:
        bad = bad | (array < column.between[0]) | (array > column.between[1])
    if column.gaps:
        gap = np.isin(array, [float(one) for one in column.gaps if _DECIMAL.fullmatch(one)])
        bad = bad & ~gap
    out = bad | gap
    if not out.any():
        return array, faults
    cut = array.astype(np.result_type(array, np.float32))
    cut[out] = np.nan
    return cut, faults | {i: f"{array[i]:.15g} is impossible" for i in np.flatnonzero(bad).tolist()}


def _text(given: pd.Series, column: Column) -> tuple[Array, Faults]:
    if isinstance(given.dtype, pd.CategoricalDtype):
        return _by_categories(_text, given, column)
    read = functools.partial(values.name, whole=bool(column.whole), gaps=column.gaps)
    if given.dtype == "str":  # in most batches every name is as it should be
        items = given.array.tolist() if len(given) <= FEW else given.unique().tolist()
        if all(map(_same, map(read, items), items)):
            return given.array, {}
    items, codes = _distinct(given)
    found, faults = values.each(items, read)
    return _spread(pd.array(found, dtype="str"), faults, codes)


def _time(given: pd.Series, column: Column) -> tuple[Array, Faults]:
    if isinstance(given.dtype, pd.DatetimeTZDtype):
        return given.dt.tz_convert(column.zone).dt.tz_localize(None).array, {}
    if given.dtype.kind == "M":
        return given.array, {}
    read = functools.partial(
        values.moment, zone=column.zone, order=column.order, unit=column.unit, gaps=column.gaps
    )
    items, codes = _distinct(given)
    found, faults = values.each(items, read)
    stamps = [np.datetime64("NaT") if one is None else np.datetime64(one, "us") for one in found]
    return _spread(pd.array(np.array(stamps, dtype="datetime64[us]")), faults, codes)


def _distinct(given: pd.Series) -> tuple[list[object], np.ndarray | None]:
    """The values to read, and which of them each row has (None: all of them, in order)."""
    array = given.array
    if len(given) <= FEW or given.dtype == object:  # of objects 1 and True are equal, and two things
        return list(given.to_numpy() if isinstance(given.dtype, np.dtype) else array.tolist()), None
    codes, distinct = pd.factorize(array)
    return list(distinct), codes


def _same(one: object, other: object) -> bool:
    return one is other or one == other or (one is None and other != other)


def _missing(array: Array) -> np.ndarray:
    return np.flatnonzero(np.isnan(array) if isinstance(array, np.ndarray) else array.isna())


def _by_categories(convert: "Converter", given: pd.Series, column: Column) -> tuple[Array, Faults]:
    array, faults = convert(pd.Series(given.cat.categories), column)
    return _spread(array, faults, given.cat.codes.to_numpy())


def _spread(array: Array, faults: Faults, codes: np.ndarray | None) -> tuple[Array, Faults]:
    """Distinct values, and what is wrong with some, to the rows that have them (-1: none)."""
    if codes is None:
        return array, faults
    if faults:
        faults = {i: faults[code] for i, code in enumerate(codes.tolist()) if code in faults}
    return pd.api.extensions.take(array, codes, allow_fill=True), faults


Converter: TypeAlias = Callable[[pd.Series, Column], tuple[Array, Faults]]
_CONVERT = {"number": _number, "text": _text, "time": _time}
#: What a mark is made by, whatever the column.
_ANY = Column("text", "")
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)(\.0+)?")
