"""A problem that is one table in a file of the user's: reading it, checking it, drawing rows like it.

`make new-problem` writes packages that call these functions; what it infers is in `inspection`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lib import quality, sources, splits
from lib.errors import DataError
from lib.problem import Rule
from lib.runtime.schema import Column

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


def read(path: Path, separator: str = ",", decimal: str = ",.") -> pd.DataFrame:
    """A file as it is, every column that pandas does not know a number for as text."""
    if path.suffix.lower() in (".parquet", ".pq"):
        return pd.read_parquet(path)
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return pd.read_csv(path, sep=separator, decimal=decimal[-1], encoding=encoding, low_memory=False)
        except UnicodeDecodeError:
            continue
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise DataError(f"{path} is no table separated by {separator!r}: {error}") from error
    raise DataError(f"{path} is neither UTF-8 nor Windows text. Save it as UTF-8.")


def load(
    paths: Sequence[Path], columns: Mapping[str, Column], separator: str = ",", decimal: str = "."
) -> pd.DataFrame:
    """The declared columns of these files, each as its kind says; `row` is added where it is declared."""
    parts = []
    for path in map(Path, paths):
        rows = read(path, separator, decimal)
        if rows.empty:
            raise DataError(f"{path} has no rows below its header.")
        if "row" in columns and "row" not in rows:
            rows = rows.assign(row=range(1, len(rows) + 1))
        missing = [name for name in columns if name not in rows]
        if missing:
            raise DataError(f"{path.name} has no column {missing}; it has {list(rows)}.")
        parts.append(rows[list(columns)])
    rows = pd.concat(parts, ignore_index=True)
    return pd.DataFrame({name: cast(rows[name], column.kind) for name, column in columns.items()})


def cast(values: pd.Series, kind: str) -> pd.Series:
    """A column as its kind: what is no number or no time becomes missing; names become text."""
    if kind == "number":
        if not pd.api.types.is_numeric_dtype(values):
            values = values.astype("str").str.strip()
        return finite(pd.to_numeric(values, errors="coerce"))
    if kind == "time":
        return times(values)
    return names(values)


def finite(values: pd.Series) -> pd.Series:
    """Numbers as floats; what a division by zero has left is a gap."""
    numbers = values.astype("float64")
    return numbers.mask(np.isinf(numbers))


def names(values: pd.Series) -> pd.Series:
    """Names as text; numbers that are whole without a fraction: 1.0 is "1"."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    text = values.astype("str").str.strip()
    return text.mask(values.isna() | (text == ""))


def times(values: pd.Series) -> pd.Series:
    """Days and times in any of the usual forms, even mixed; without a zone, in microseconds."""
    if not pd.api.types.is_datetime64_any_dtype(values):
        text = names(values)
        first = text.str.extract(r"^(\d{1,2})[./-](\d{1,2})[./-]", expand=True).astype(float)
        day_first = bool((first[0] > 12).any()) and not (first[1] > 12).any()
        values = pd.to_datetime(text, format="mixed", dayfirst=day_first, errors="coerce", utc=True)
    if values.dt.tz is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    return values.astype("datetime64[us]")


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
    rows: pd.DataFrame, seed: int, test_share: float, validation_share: float, classes: str | None = None
) -> dict[str, pd.DataFrame]:
    """At random; where the target is a class, each class has rows in each part."""
    return splits.at_random(rows, test_share, validation_share, seed, by=classes)


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
