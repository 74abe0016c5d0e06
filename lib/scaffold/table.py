"""A problem that is one table in a file of the user's: reading it, checking it, drawing rows like it.

`make new-problem` writes packages that call these functions; what it infers is in `inspection`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lib import quality, sources, splits
from lib.errors import DataError
from lib.problem import Rule
from lib.runtime import schema
from lib.runtime.schema import Column, Field
from lib.runtime.values import date_order

Slice = Callable[[pd.DataFrame], pd.Series]
QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


@dataclass(frozen=True)
class Marginal:
    """What a column looked like when the problem was written: generated rows and ranges come from it."""

    missing: float = 0.0  # share of the rows
    quantiles: Sequence[float] = ()  # of a number, at `QUANTILES`
    whole: bool = False  # a number without a fraction
    shares: Mapping[str, float] = field(default_factory=dict)  # of the commonest names, or of words
    days: tuple[str, str] = ("", "")  # the first and the last

    def draw(self, kind: str, rows: int, random: np.random.Generator) -> pd.Series:
        """`rows` values of this column, drawn by itself."""
        if kind == "id":
            return pd.Series([str(number) for number in range(1, rows + 1)], dtype="str")
        if kind == "number":
            drawn = np.interp(random.random(rows), QUANTILES, self.quantiles)
            values = pd.Series(drawn.round() if self.whole else drawn)
        elif kind == "time":
            first, last = map(pd.Timestamp, self.days)
            values = pd.Series(first + (last - first) * random.random(rows)).astype("datetime64[us]")
        else:
            values = pd.Series(self._names(kind, rows, random), dtype="str")
        return values.mask(random.random(rows) < self.missing)

    def _names(self, kind: str, rows: int, random: np.random.Generator) -> list[str]:
        names, share = list(self.shares), np.array(list(self.shares.values()), dtype=float)
        if kind == "category":
            return list(random.choice(names, rows, p=share / share.sum()))
        return [" ".join(random.choice(names, 5, p=share / share.sum())) for _ in range(rows)]


def fetch(file: str | Path) -> list[sources.Fetched]:
    """The user's file, checked where it lies: a Parquet file, else a table of text."""
    check = sources.parquet if str(file).lower().endswith((".parquet", ".pq")) else sources.text_table
    return [sources.local(file, check)]


def read(path: Path, separator: str = ",") -> pd.DataFrame:
    """A file as it is: of a CSV file every field as text."""
    if path.suffix.lower() in (".parquet", ".pq"):
        return pd.read_parquet(path)
    return sources.csv_table(path, separator)


def load(
    paths: Sequence[Path], columns: Mapping[str, Column], separator: str = ",", decimal: str = "."
) -> pd.DataFrame:
    """The declared columns of these files, each as its kind says; `row` is added where it is declared.

    What a model would refuse to read is a gap here: a row to learn from may do without a value.
    """
    parts = []
    for path in map(Path, paths):
        rows = read(path, separator)
        if rows.empty:
            raise DataError(f"{path} has no rows below its header.")
        if "row" in columns and "row" not in rows:
            rows = rows.assign(row=range(1, len(rows) + 1))
        missing = [name for name in columns if name not in rows]
        if missing:
            raise DataError(f"{path.name} has no column {missing}; it has {list(rows)}.")
        parts.append(rows[list(columns)])
    rows = pd.concat(parts, ignore_index=True)
    return pd.DataFrame({name: converted(rows[name], column, decimal) for name, column in columns.items()})


def converted(given: pd.Series, column: Column, decimal: str = ".") -> pd.Series:
    """A column as its kind: floats, times in microseconds without a zone, or names; else gaps.

    What the declaration leaves open (the order of days, whether names are whole numbers) all values decide.
    """
    text = pd.api.types.is_string_dtype(given)
    if column.kind == "number":
        array, _ = Field("", "number", column).convert(with_point(given, decimal) if text else given)
        return pd.Series(array, given.index, "float64")
    if column.kind == "time":
        if text and not column.order:
            column = dataclasses.replace(column, order=date_order(given.dropna().unique())[0])
        array, _ = Field("", "time", column).convert(given)
        return pd.Series(array, given.index).astype("datetime64[us]")
    if column.whole is None and column.kind != "text":
        column = dataclasses.replace(column, whole=schema.whole(given.unique()))
    return pd.Series(Field("", "text", column).convert(given)[0], given.index)


def with_point(text: pd.Series, decimal: str) -> pd.Series:
    """Numbers as text, with a point where the file has another decimal mark."""
    return text if decimal == "." else text.str.replace(decimal, ".", regex=False)


def generate(
    rows: int, seed: int, columns: Mapping[str, Column], marginals: Mapping[str, Marginal]
) -> pd.DataFrame:
    """Rows whose columns look like the file's, each by itself: what goes with what is not kept."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {name: marginals[name].draw(column.kind, rows, random) for name, column in columns.items()}
    )


def rules(target: str, least: int = 0) -> tuple[Rule, ...]:
    """Rows without a target cannot teach; nor can a class of fewer than `least` rows, or a double."""
    known = Rule(
        f"{target} is known", "There is nothing to learn from them.", lambda rows: rows[target].notna()
    )
    common = Rule(
        f"{least} rows a class",
        "A class so rare cannot train, choose and judge: merge it with another, or leave it out.",
        lambda rows: rows.groupby(target)[target].transform("size") >= least,
    )
    once = Rule("no double", "The same row again would be learnt twice.", lambda rows: ~rows.duplicated())
    return (known, common, once) if least else (known, once)


def checks(columns: Mapping[str, Column], marginals: Mapping[str, Marginal]) -> tuple[quality.Check, ...]:
    """The columns and their kinds must hold; values unlike those that were seen are warnings."""
    kinds = {"number": "number", "time": "time"}
    needed = [quality.schema({name: kinds.get(column.kind, "text") for name, column in columns.items()})]
    for name, column in columns.items():
        seen, why = marginals[name], "None was seen when this problem was written."
        if column.kind == "number":
            low, high = seen.quantiles[0], seen.quantiles[-1]
            slack = 1e-3 * max(abs(low), abs(high))  # quantiles are written with four digits
            needed.append(quality.between(name, low - slack, high + slack, why).as_warning())
        elif column.kind == "category" and sum(seen.shares.values()) > 0.999:
            needed.append(
                quality.known(name, [*seen.shares, *([np.nan] if seen.missing else [])], why).as_warning()
            )
    return tuple(needed)


def split(
    rows: pd.DataFrame,
    seed: int,
    test_share: float,
    validation_share: float,
    classes: str | None = None,
    groups: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:
    """At random, groups whole; each class has rows in each part, unless one group is of several classes."""
    if classes and groups and rows.groupby(list(groups), dropna=False)[classes].nunique().max() > 1:
        classes = None
    return splits.at_random(rows, test_share, validation_share, seed, classes, groups)


def slices(columns: Mapping[str, Column], marginals: Mapping[str, Marginal], target: str) -> dict[str, Slice]:
    """Up to three columns of few values that errors are reported by."""
    few = [
        name
        for name, column in columns.items()
        if column.kind == "category" and name != target and 2 <= len(marginals[name].shares) <= 8
    ]
    return {name: _values_of(name) for name in few[:3]}


def _values_of(name: str) -> Slice:
    return lambda rows: rows[name].astype("str").fillna("missing")
