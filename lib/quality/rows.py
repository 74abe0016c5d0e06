"""Checks of rows by themselves: columns, ranges, known values, gaps, and that splits are apart."""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from lib.quality.check import Check, Frames, each
from lib.runtime.schema import kind, kinds, marks
from lib.wording import few


def schema(columns: Mapping[str, str], ordered: bool = False) -> Check:
    """Every column is there with its kind: integer, number, text, time, or any; `ordered`: just these, so."""

    def finds(rows: pd.DataFrame) -> str:
        missing = [name for name in columns if name not in rows]
        if missing:
            return f"no column {few(map(repr, missing))}, there are {few(map(repr, rows), 60)}"
        if ordered and list(rows) != list(columns):
            return f"the columns are {list(rows)}, in this order"
        wrong = {name: str(rows[name].dtype) for name, kind in columns.items() if not _is(rows[name], kind)}
        return f"not of the kind asked for: {wrong}" if wrong else ""

    return each("columns", "Code that reads a column by name needs it there, and of one kind.", finds)


def _is(values: pd.Series, kind: str) -> bool:
    types = pd.api.types
    tests = {
        "integer": types.is_integer_dtype,
        "float": types.is_float_dtype,
        "number": types.is_numeric_dtype,
        "time": types.is_datetime64_any_dtype,
        "text": lambda x: types.is_string_dtype(x) or isinstance(x.dtype, pd.CategoricalDtype),
        "any": lambda _: True,
    }
    return bool(tests[kind](values))


def between(column: str, low: float, high: float, why: str = "") -> Check:
    """Every value that is not missing lies from `low` to `high`, both included."""

    def finds(rows: pd.DataFrame) -> str:
        values = rows[column].dropna()
        out = values[~values.between(low, high)]
        return f"{len(out):,} outside, from {out.min():,g} to {out.max():,g}" if len(out) else ""

    why = why or "Values outside are not of this world."
    return each(f"{column} from {low:,.9g} to {high:,.9g}", why, finds)


def known(column: str, values: Sequence[object], why: str = "") -> Check:
    """Every value is one of `values`; a missing one is not."""

    def finds(rows: pd.DataFrame) -> str:
        odd = rows.loc[~rows[column].isin(list(values)), column]
        return f"{len(odd):,} others: {few(map(repr, odd.unique()))}" if len(odd) else ""

    return each(
        f"{column} is one of {len(values)}", why or "A new name is a new thing, or a typing error.", finds
    )


def filled(*columns: str, why: str = "") -> Check:
    """No value is missing in these columns."""

    def finds(rows: pd.DataFrame) -> str:
        missing = {name: int(rows[name].isna().sum()) for name in columns}
        return ", ".join(f"{count:,} of {name}" for name, count in missing.items() if count)

    why = why or "The pipeline reads them without a plan for missing values."
    return each(f"no value missing: {', '.join(columns)}", why, finds)


def row_count(low: int, high: int) -> Check:
    """More rows than `low` and fewer than `high`."""

    def finds(rows: pd.DataFrame) -> str:
        return "" if low < len(rows) < high else f"{len(rows):,} rows"

    return each(
        f"more than {low:,} and fewer than {high:,} rows", "Half a file looks like a whole one.", finds
    )


def not_empty() -> Check:
    """Every frame has rows."""
    return each(
        "rows in every split", "A split without rows measures nothing.", lambda r: "" if len(r) else "no rows"
    )


def apart(groups: Sequence[str] = ()) -> Check:
    """No row stands in two frames, compared over all columns that both have, whatever types these are of.

    With `groups`, the columns that say which rows belong together, no group does either.
    """
    more = f" and {len(groups) - 3} columns more" if len(groups) > 3 else ""
    together = f"{', '.join(groups[:3])}{more}" if more else " and ".join(groups)

    def finds(frames: Frames) -> str:
        shared = _shared(frames, lambda a, b: {name: kind for name, kind in kinds(a).items() if name in b})
        found = [f"{count:,} rows of {b} stand in {a}" for (a, b), count in shared.items() if count]
        if groups:
            shared = _shared(frames, lambda a, _: {name: kind(a[name]) for name in groups})
            found += [
                f"{n:,} rows of {b} have the {together} of one in {a}" for (a, b), n in shared.items() if n
            ]
        return "; ".join(found)

    return Check(
        f"no row, and no {together}, in two splits" if groups else "no row in two splits",
        "A model must not be evaluated on rows that it was trained on, nor on others of their group.",
        finds,
    )


def _shared(
    frames: Frames, columns: Callable[[pd.DataFrame, pd.DataFrame], Mapping[str, str]]
) -> dict[tuple[str, str], int]:
    """For each pair of frames how many rows of the second are like one of the first in these `columns`."""
    found = {}
    for (a, first), (b, second) in itertools.combinations(frames.items(), 2):
        wanted = columns(first, second)
        found[a, b] = int(np.isin(marks(second, wanted), marks(first, wanted)).sum())
    return found
