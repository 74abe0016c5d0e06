"""Rows into train, validation and test: by time, at random, or with equal shares of a class.

Each function returns `{"train": ..., "validation": ..., "test": ...}`, or says which part would be empty.
What rows mean is `lib.datasets`; that no row is in two parts is checked by `lib.quality`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.errors import DataError

PARTS = ("train", "validation", "test")


def by_period(
    rows: pd.DataFrame, column: str, periods: Mapping[str, Sequence[str]]
) -> dict[str, pd.DataFrame]:
    """Each part takes the rows whose `column` is among its periods: the past trains, the future tests.

    A period in two parts is refused, and so is one that no row has.
    """
    names = [name for part in PARTS for name in periods[part]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{twice} stand in more than one split; each period may train, validate or test, once."
        )
    there = set(rows[column].unique())
    for part in PARTS:
        missing = [name for name in periods[part] if name not in there]
        if missing:
            raise DataError(
                f"The {part} split has no rows for {missing}; the rows have {sorted(there)}. "
                "Ingest these periods, or name others in the options."
            )
    return _whole({part: rows[rows[column].isin(list(periods[part]))] for part in PARTS})


def at_random(
    rows: pd.DataFrame, test: float, validation: float, seed: int, by: str | None = None
) -> dict[str, pd.DataFrame]:
    """`test` of the rows, then `validation` of the rest; with `by`, that column's classes in equal shares."""
    from sklearn.model_selection import train_test_split

    for name, share in (("test", test), ("validation", validation)):
        if not 0 < share < 1:
            raise DataError(f"The {name} share is {share}; it must lie between 0 and 1.")
    numbers = np.arange(len(rows))
    try:
        rest, last = train_test_split(
            numbers, test_size=test, random_state=seed, stratify=rows[by] if by else None
        )
        first, middle = train_test_split(
            rest, test_size=validation, random_state=seed, stratify=rows[by].iloc[rest] if by else None
        )
    except ValueError as error:
        counts = f" Rows a class of {by!r}: {rows[by].value_counts().to_dict()}." if by else ""
        raise DataError(
            f"{len(rows)} rows cannot be split ({error}).{counts} Use more rows, or merge rare classes."
        ) from error
    return _whole({"train": rows.iloc[first], "validation": rows.iloc[middle], "test": rows.iloc[last]})


def alike(rows: pd.DataFrame, parts: Mapping[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """The same rows shuffled into parts of the same sizes: what a split by time is compared with."""
    order = np.random.default_rng(seed).permutation(len(rows))
    cuts = np.cumsum([len(parts[name]) for name in PARTS])[:-1]
    return _whole({name: rows.iloc[part] for name, part in zip(PARTS, np.split(order, cuts), strict=True)})


def _whole(parts: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    for name, part in parts.items():
        if part.empty:
            raise DataError(
                f"The {name} split has no rows. Use more rows, or change what the options leave in it."
            )
    return {name: part.reset_index(drop=True) for name, part in parts.items()}
