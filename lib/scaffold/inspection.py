"""What the columns of an unknown table are: kinds, gaps, ranges, and which to leave out, and why."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from lib import sources
from lib.errors import DataError, ParameterError
from lib.runtime.schema import Column
from lib.scaffold import evidence, table

SEPARATORS = (",", ";", "\t", "|")
FEW = 50  # names of a category that are worth a column each
CLASSES = 60  # more different values than that are no classes
MANY_NAMES = 12  # commonest names that generated rows are drawn from
LEAST = 30  # rows that can be split into three and still say something
RARE = 8  # rows of a class that still reach all three splits


Kind = Literal["number", "category", "text", "time", "id"]
Task = Literal["regression", "classification"]


@dataclass(frozen=True)
class InferredColumn:
    """One column: its kind, or why it is left out; `example` for the reader's eye."""

    name: str
    kind: Kind | Literal[""]  # empty where it is left out
    why: str
    example: str = ""
    marginal: table.Marginal | None = None
    distinct: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)  # what else its `Column` says


@dataclass(frozen=True)
class Inspection:
    """All that was inferred of a file."""

    path: Path
    separator: str
    decimal: str
    rows: int
    target: str
    task: Task
    classes: int
    least: int  # rows of a class that is kept, 0 where all are
    unknown: int  # rows without a target
    columns: tuple[InferredColumn, ...]

    @property
    def used(self) -> tuple[InferredColumn, ...]:
        """The columns that the problem will have."""
        return tuple(column for column in self.columns if column.kind)


def inspect_file(path: Path, target: str) -> Inspection:
    """Read the file and infer its columns; what cannot be worked with is refused, with what to do."""
    if not path.is_file():
        raise ParameterError(f"DATA={path}: there is no such file.")
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError:
        why = "the name of the file, or of a folder above it, is no UTF-8"
        raise ParameterError(f"DATA={path}: {why}. Rename it.") from None
    separator, decimal = (",", ".") if path.suffix.lower() in (".parquet", ".pq") else dialect(path)
    table.fetch(path.resolve())
    rows = table.read(path, separator)
    rows.columns = [str(name) for name in rows.columns]
    if target not in rows:
        raise ParameterError(f"TARGET={target}: {path.name} has no such column; it has {list(rows)[:60]}.")
    if rows.empty:
        raise DataError(f"{path.name} has a header and no rows.")
    task, classes = _task(rows[target], target, decimal)
    twins = _twins(rows, target)
    columns = [_column(rows, name, target, task, twins.get(name), decimal) for name in rows]
    if not any(column.kind == "id" for column in columns) and rows.duplicated().mean() > 0.05:
        reason = "its place in the file: without it, equal rows would count as one"
        columns.insert(0, InferredColumn("row", "id", reason))
    least = 0
    if task == "classification":
        counts = evidence.names(rows[target]).value_counts()
        least = RARE if (counts < RARE).any() and (counts >= RARE).sum() > 1 else 0
    unknown = int(rows[target].isna().sum())
    return Inspection(
        path, separator, decimal, len(rows), target, task, classes, least, unknown, tuple(columns)
    )


def dialect(path: Path) -> tuple[str, str]:
    """The separator that cuts the first lines into the same number of parts, and the decimal mark."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = [line for _, line in zip(range(60), file, strict=False) if line.strip()]
    best, width = ",", 1
    for separator in SEPARATORS:
        widths = [len(row) for row in sources.csv_rows(lines, separator)]
        same = max(set(widths), key=widths.count) if widths else 1
        if widths.count(same) >= 0.9 * len(widths) and same > width:
            best, width = separator, same
    comma = best != "," and re.search(
        rf"(^|{re.escape(best)})-?\d+,\d+({re.escape(best)}|\s*$)", "".join(lines), re.M
    )
    return best, "," if comma else "."


def _task(values: pd.Series, name: str, decimal: str) -> tuple[Task, int]:
    """Classes or numbers? Names, and at most ten whole numbers, are classes."""
    there = values.dropna()
    distinct = there.nunique()
    if distinct < 2:
        only = repr(there.iloc[0]) if distinct else "nothing but gaps"
        raise DataError(
            f"TARGET={name} has only {only}: there is nothing to tell apart. Name another column."
        )
    number = _numeric(there, decimal)
    if number is not None and not pd.api.types.is_bool_dtype(there):
        distinct = number.nunique()
        if distinct > 10 or (number.dropna() % 1 != 0).any():
            return "regression", 0
        return "classification", distinct
    if distinct > min(CLASSES, len(there) / 2):
        raise DataError(
            f"TARGET={name} has {distinct:,} different values in {len(there):,} rows: names, not classes. "
            "Name another column, or put the values into a few groups first."
        )
    return "classification", distinct


def _numeric(values: pd.Series, decimal: str) -> pd.Series | None:
    """The column as numbers if nearly all of its values are such, even where they were written as text.

    Codes are none, though they look like numbers: "01234" is not 1234.
    """
    if pd.api.types.is_bool_dtype(values):
        return None
    if pd.api.types.is_numeric_dtype(values):
        return table.converted(values, evidence.NUMBER)
    if not pd.api.types.is_string_dtype(values):
        return None
    text = evidence.names(values).dropna()
    if text.str.fullmatch(r"-?0\d+").any():
        return None
    numbers = table.converted(text, evidence.NUMBER, decimal)
    such = numbers.notna() | text.str.lower().isin(evidence.INFINITE)
    return numbers.dropna() if len(text) and such.mean() > 0.97 else None


def _column(
    rows: pd.DataFrame, name: str, target: str, task: Task, twin: str | None, decimal: str
) -> InferredColumn:
    """What one column is, or why it is left out."""
    values = rows[name]
    if values.dropna().map(lambda value: isinstance(value, (list, dict, np.ndarray))).any():
        return InferredColumn(name, "", "holds lists or records, not single values")
    distinct, there = values.nunique(), values.dropna()
    example = str(there.iloc[0])[:40] if len(there) else ""
    if name == target:
        of_target: Kind = "number" if task == "regression" else "category"
        return _inferred(values, name, of_target, "the target", example, distinct, decimal)
    if distinct < 2:
        return InferredColumn(name, "", "always the same" if distinct else "always missing", example)
    if twin:
        return InferredColumn(name, "", f"the same as {twin!r}", example)
    kind, why = _kind(name, values, distinct, decimal)
    return _inferred(values, name, kind, why, example, distinct, decimal)


def _twins(rows: pd.DataFrame, target: str) -> dict[str, str]:
    """For each column that says the same as the target or an earlier one, perhaps in other words, which."""
    twins: dict[str, str] = {}
    first: dict[bytes, str] = {}
    for name in (target, *(name for name in rows if name != target)):
        try:
            mark = pd.util.hash_pandas_object(rows[name], index=False).to_numpy().tobytes()
        except TypeError:  # lists and records
            continue
        if mark in first:
            twins[name] = first[mark]
        elif name != target and rows[name].nunique() < CLASSES:
            pairs = rows[[name, target]].drop_duplicates()
            if len(pairs) == rows[target].nunique(dropna=False) == rows[name].nunique(dropna=False):
                twins[name] = target
        first.setdefault(mark, name)
    return twins


def _kind(name: str, values: pd.Series, distinct: int, decimal: str) -> tuple[Kind, str]:
    """The kind of a column that varies, and the evidence for it."""
    count = values.notna().sum()
    if pd.api.types.is_datetime64_any_dtype(values):
        return "time", "times"
    if pd.api.types.is_bool_dtype(values):
        return "category", "true or false"
    if _is_time(values):
        return "time", "reads as days or times"
    number = _numeric(values, decimal)
    if number is not None:
        return _number_or_id(name, number, distinct, count)
    text = evidence.names(values).dropna()
    words = text.str.split().str.len().mean()
    if distinct > 0.9 * count and count > 20:
        return (
            ("text", "texts, nearly all different")
            if words >= 3
            else ("id", "a name tag: nearly all different")
        )
    if words >= 4 and distinct > 0.3 * count:
        return "text", "texts of several words"
    return "category", f"{distinct:,} names"


def _number_or_id(name: str, number: pd.Series, distinct: int, count: int) -> tuple[Kind, str]:
    """A number; or a name tag, if whole numbers count the rows or all differ under a name like `id`."""
    if not (number % 1 == 0).all():
        return "number", f"{distinct:,} numbers"
    steps = number.diff().dropna()
    counts_rows = distinct == count and len(steps) > 5 and steps.min() == steps.max()
    if counts_rows or (TAG.search(name) and distinct > 0.9 * count and count > 20):
        return "id", "a name tag: whole numbers, all different"
    return ("category", "two values") if distinct == 2 else ("number", f"{distinct:,} whole numbers")


#: Names that tags have: id, user_id, customerId, No., Unnamed: 0.
TAG = re.compile(r"(?i:(^|[^a-z])(id|nr|no|number|index|key|uuid|row)([^a-z]|$))|[a-z](Id|ID)$|^Unnamed")
#: What days look like: 2023-01-31, 31/1/23, 2023-01, 3 January.
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? "
_DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|^\d{4}-\d{2}$|" + _MONTH)


def _is_time(values: pd.Series) -> bool:
    """Whether nearly all of some text looks like a day, and can be read as one."""
    if not pd.api.types.is_string_dtype(values):
        return False
    text = evidence.names(values).dropna()
    text = text.sample(min(len(text), 500), random_state=0)
    if not len(text) or text.map(lambda value: bool(_DAY.search(value))).mean() < 0.9:
        return False
    return bool(table.converted(text, Column("time", "")).notna().mean() > 0.9)


def _inferred(
    values: pd.Series, name: str, kind: Kind, why: str, example: str, distinct: int, decimal: str
) -> InferredColumn:
    """A column that is used, with what generated rows are drawn from."""
    facts, note = evidence.facts(values, kind, decimal)
    why = f"{why}; {note}" if note else why
    typed = table.converted(values, Column(kind, "", **facts), decimal)
    gaps = float(typed.isna().mean())
    there = typed.dropna()
    if kind == "number" and len(there):
        quantiles = [float(f"{value:.4g}") for value in there.quantile(list(table.QUANTILES))]
        marginal = table.Marginal(round(gaps, 4), quantiles, bool((there % 1 == 0).all()))
    elif kind == "time" and len(there):
        marginal = table.Marginal(round(gaps, 4), days=(str(there.min()), str(there.max())))
    elif kind == "text":
        words = there.str.lower().str.findall(r"\w{3,}").explode().value_counts()
        marginal = table.Marginal(
            round(gaps, 4), shares=_shares(words if len(words) else pd.Series({"text": 1}))
        )
    elif kind == "category":
        marginal = table.Marginal(round(gaps, 4), shares=_shares(there.value_counts(), values.nunique()))
    else:
        marginal = table.Marginal()
    return InferredColumn(name, kind, why, example, marginal, distinct, facts)


def _shares(counts: pd.Series, distinct: int = 0) -> dict[str, float]:
    """The commonest values with their shares of all: of a small category, every one."""
    most = distinct if 0 < distinct <= CLASSES else MANY_NAMES
    shares = (counts / counts.sum()).head(most)
    return {str(name): float(f"{share:.3g}") for name, share in shares.items()}
