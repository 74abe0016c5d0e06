"""Rows into train, validation and test, by time or at random, and into folds; groups stay together.

A split is `{"train": ..., "validation": ..., "test": ...}`, or says which part would be empty.
What rows mean is `lib.datasets`; that no row is in two parts is checked by `lib.quality`.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from lib.errors import DataError
from lib.runtime import folds as hashed

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
    that column is shared out by itself, and has rows in each part. Where all, or a class, are fewer than
    `FEW` rows or groups, their shares are counted out in the order of the hashes: a row more or less moves
    the borders, and some change sides.
    """
    for name, share in (("test", test), ("validation", validation)):
        if not 0 < share < 1:
            raise DataError(f"The {name} share is {share}; it must lie between 0 and 1.")
    part = _dealt(rows, seed, by, groups, len(PARTS), lambda places: _shared_out(places, test, validation))
    return _whole({name: rows[part == number] for number, name in enumerate(PARTS)})


def folds(
    rows: pd.DataFrame, k: int, seed: int, by: str | None = None, groups: Sequence[str] = ()
) -> list[tuple[np.ndarray, np.ndarray]]:
    """`k` times the positions of rows to fit on and of those held out, each row held out once.

    Dealt as by `at_random`: by a hash, classes of `by` and `groups` likewise. What scikit-learn takes as `cv`
    (its `GroupKFold` deals by position: with a row more, others change sides).
    """
    if k < 2:
        raise DataError(f"{k} folds were asked for; it takes two to hold one out.")
    fold = _dealt(rows, seed, by, groups, k, lambda places: _evenly(places, k))
    return [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(k)]


def _dealt(
    rows: pd.DataFrame,
    seed: int,
    by: str | None,
    groups: Sequence[str],
    least: int,
    deal: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """The number that `deal` gives the place of each row or group, each class of `by` by itself."""
    place = hashed.places(rows[list(groups)] if groups else rows, seed)
    units, first, unit = np.unique(place, return_index=True, return_inverse=True)  # rows that stay together
    classes = rows[by].to_numpy()[first] if by else np.zeros(len(units))
    number = np.zeros(len(units), dtype=int)
    for name in pd.unique(classes):
        members = np.flatnonzero(classes == name)  # in the order of their places
        if len(members) < least:
            counts = f" Rows a class of {by!r}: {rows[by].value_counts().to_dict()}." if by else ""
            raise DataError(
                f"{len(rows)} rows cannot be split.{counts} Use more rows, or merge rare classes."
            )
        number[members] = deal(units[members])
    return number[unit]


def _evenly(places: np.ndarray, k: int) -> np.ndarray:
    """The fold of each of these sorted places; few are counted out."""
    few = len(places) < FEW
    return np.arange(len(places)) * k // len(places) if few else np.floor(places * k).astype(int)


def _shared_out(places: np.ndarray, test: float, validation: float) -> np.ndarray:
    """The part of each of these sorted places; of few the shares are counted out, as luck would rule them."""
    n = len(places)
    if n < FEW:
        last = min(max(round(test * n), 1), n - 2)
        middle = min(max(round(validation * (n - last)), 1), n - last - 1)
        return np.repeat([2, 1, 0], [last, middle, n - last - middle])
    return np.select([places < test, places < test + validation * (1 - test)], [2, 1], 0)


def disorder(parts: Mapping[str, pd.DataFrame], when: str) -> str:
    """Which part does not come after the one before it, by its column of time `when`; empty where all do.

    Clocks go wrong: a twentieth of the rows of a part may come too early, and as many too late.
    """
    times = {name: pd.to_datetime(parts[name][when]).dropna() for name in PARTS} if when else {}
    spans = {name: tuple(time.quantile([0.05, 0.95])) for name, time in times.items() if len(time)}
    found = [
        f"{before} goes on to {spans[before][1]:%Y-%m-%d}, and {after} begins on {spans[after][0]:%Y-%m-%d}"
        for before, after in itertools.combinations(spans, 2)
        if spans[after][0] < spans[before][1]
    ]
    return f"out of order in time: {'; '.join(found)}" if found else ""


def require_order(parts: Mapping[str, pd.DataFrame], when: str, any_order: bool) -> str:
    """Refuse splits that are not in order of time, unless `any_order`; what is to be told of them."""
    found = disorder(parts, when)
    if not found:
        return ""
    if not any_order:
        raise DataError(
            f"The splits are {found}. A model that has seen the future must not judge the past: choose "
            "periods in order, or admit it by any_order=true, which every page with a figure then says."
        )
    return f"The splits are {found}. That was admitted (any_order=true): the future judges the past here."


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
