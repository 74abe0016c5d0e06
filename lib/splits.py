"""Rows into train, validation and test: by time, or at random, where groups stay together.

Each function returns `{"train": ..., "validation": ..., "test": ...}`, or says which part would be empty.
What rows mean is `lib.datasets`; that no row is in two parts is checked by `lib.quality`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.errors import DataError
from lib.runtime import schema

PARTS = ("train", "validation", "test")
#: Of fewer, shares are counted out; of more, a hash alone says where a row stands.
FEW = 200


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
    rows: pd.DataFrame,
    test: float,
    validation: float,
    seed: int,
    by: str | None = None,
    groups: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:
    """`test` of the rows, then `validation` of the rest, drawn by a hash of each row's values.

    So a row keeps its side whatever rows come or go beside it, and equal rows stand on one side. With
    `groups` the hash is of these columns: rows that are alike in them stay together. With `by` each class of
    that column is shared out by itself, and has rows in each part.
    """
    for name, share in (("test", test), ("validation", validation)):
        if not 0 < share < 1:
            raise DataError(f"The {name} share is {share}; it must lie between 0 and 1.")
    place = _places(rows[list(groups)] if groups else rows, seed)
    units, first, unit = np.unique(place, return_index=True, return_inverse=True)  # rows that stay together
    classes = rows[by].to_numpy()[first] if by else np.zeros(len(units))
    part = np.zeros(len(units), dtype=int)
    for name in pd.unique(classes):
        members = np.flatnonzero(classes == name)  # in the order of their places
        if len(members) < len(PARTS):
            counts = f" Rows a class of {by!r}: {rows[by].value_counts().to_dict()}." if by else ""
            raise DataError(
                f"{len(rows)} rows cannot be split.{counts} Use more rows, or merge rare classes."
            )
        part[members] = _shared_out(units[members], test, validation)
    part = part[unit]
    return _whole({name: rows[part == number] for number, name in enumerate(PARTS)})


def _places(rows: pd.DataFrame, seed: int) -> np.ndarray:
    """For each row a number from 0 to 1 that its values and the seed decide, evenly spread."""
    marks = schema.marks(rows, schema.kinds(rows))
    mixed = pd.util.hash_array(marks ^ np.random.default_rng(seed).integers(2**64, dtype=np.uint64))
    return (mixed >> np.uint64(11)) / 2.0**53


def _shared_out(places: np.ndarray, test: float, validation: float) -> np.ndarray:
    """The part of each of these sorted places; of few the shares are counted out, as luck would rule them."""
    n = len(places)
    if n < FEW:
        last = min(max(round(test * n), 1), n - 2)
        middle = min(max(round(validation * (n - last)), 1), n - last - 1)
        return np.repeat([2, 1, 0], [last, middle, n - last - middle])
    return np.select([places < test, places < test + validation * (1 - test)], [2, 1], 0)


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
