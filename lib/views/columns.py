"""The pictures of a target along the columns that go with it. By itself it is in `lib.views.target`.

What a column tells is measured on rows held out (`association.told`), so that noise tells nothing.
"""

import pandas as pd
from matplotlib.figure import Figure

from lib import profiling
from lib.plots import data
from lib.problem import Dataset
from lib.profiling import association
from lib.views.target import amount
from lib.views.view import View, named


def with_columns(dataset: Dataset) -> View:
    """How much of the target each column tells by itself, and whether it is known in time."""
    name, words = dataset.target.name, dataset.words

    def read(_: pd.DataFrame, clean: pd.DataFrame) -> str:
        table = _told(dataset, clean)
        before, after = (table[table["known"] == when] for when in ("before", "after"))
        text = f"By itself, no column that is known beforehand tells anything of {words.target}. "
        if len(before) and association.tells(before["explained"].iloc[0], len(clean)):
            text = (
                f"Known beforehand, {before.index[0]} tells the most of {words.target}: "
                f"{before['explained'].iloc[0]:.0%}. "
            )
        after = after[[association.tells(share, len(clean)) for share in after["explained"]]]
        if len(after):
            text += (
                f"{', '.join(after.index[:3])} {'are' if len(after) > 1 else 'is'} known only after; the "
                f"best of them tells {after['explained'].iloc[0]:.0%}. A model given such a column scores "
                "splendidly in validation and has nothing to say when it is needed: that is a leak. "
            )
        return text.rstrip()

    apart = f" (no {words.group} is on both sides)" if dataset.when or dataset.groups else ""
    return View(
        "What goes with the target",
        f"The share of the variance of {name} that a column tells of rows **held out**: each is guessed by "
        f"the mean of those like it in the other four fifths{apart}, numbers being cut into "
        f"{association.BINS} equal parts. A column of names has no advantage by having many: a name that "
        "comes once tells nothing. Blue bars may be used, orange ones tempt. Each is of one column alone: "
        "two that say the same are not worth twice as much.",
        lambda _, clean: data.with_target(_told(dataset, clean), name),
        read,
    )


def _told(dataset: Dataset, clean: pd.DataFrame) -> pd.DataFrame:
    """What each column, raw or derived, tells of the target."""
    return profiling.with_target(dataset, dataset.engineer(clean))


def _closest(dataset: Dataset, rows: pd.DataFrame, numbers_only: bool = False) -> list[str]:
    """The columns that tell most of the target, known before or admitted by a feature set.

    Six of any kind or, for classes, twelve numbers.
    """
    table = profiling.with_target(dataset, rows)
    admitted = {name for features in dataset.feature_sets.values() for name in features.admits}
    table = table[(table["known"] == "before") | table.index.isin(admitted)]
    if numbers_only:
        return [name for name in table.index if profiling.kind(dataset, name) == "number"][:12]
    return list(table.index[:6])


def along_columns(dataset: Dataset) -> View:
    """How the target moves along the columns that tell most and are known in time."""
    name, unit = dataset.target.name, dataset.target.unit

    def draw(_: pd.DataFrame, clean: pd.DataFrame) -> Figure:
        rows = dataset.engineer(clean)
        closest = _closest(dataset, rows)
        titles = {each: f"{each}{_late(dataset, each)}" for each in closest}
        numbers = {
            each: dataset.columns[each].unit if each in dataset.columns else ""
            for each in closest
            if profiling.kind(dataset, each) == "number"
        }
        names = {each: named(dataset, each) for each in closest}
        return data.by_column(rows, titles, names, numbers, name, unit)

    def read(_: pd.DataFrame, clean: pd.DataFrame) -> str:
        rows = dataset.engineer(clean)
        table = profiling.with_target(dataset, rows)
        first = next(iter(_closest(dataset, rows)), None)
        if first is None or not association.tells(table.loc[first, "explained"], len(rows)):
            return f"No column moves {dataset.words.target} more than chance would."
        is_number = profiling.kind(dataset, first) == "number"
        parts = rows.groupby(association.groups(rows[first], profiling.kind(dataset, first)))[name]
        parts = parts.agg(["size", "median", "std"])
        parts = parts[parts["size"] >= association.ENOUGH]
        if len(parts) < 2:
            return f"No two values of {first} have {association.ENOUGH} rows: too few to compare."
        text = (
            f"Along {first}{_late(dataset, first)} the median goes from "
            f"{amount(parts['median'].min(), unit)} to {amount(parts['median'].max(), unit)}, and within "
            f"one part of it the rows still differ by {amount(parts['std'].median(), unit)} "
            "(standard deviation): what remains for the other columns, and for chance."
        )
        bent = association.bend(rows[first], rows[name], dataset.blocks(rows)) if is_number else 0.0
        return text + (
            f" It bends: a straight line through the dots tells {bent:.0%} of the variance less."
            if association.tells(bent, len(rows))
            else ""
        )

    return View(
        "Along the closest columns",
        "The six columns that tell most, of those that may be used. The orange line is the median of the "
        "target, the band holds the middle half of the rows; boxes do the same for names, the commonest of "
        f"many, where {association.ENOUGH} rows have one. Is the line straight? Does the band widen?",
        draw,
        read,
    )


def _late(dataset: Dataset, name: str) -> str:
    return " (known only after)" if profiling.known(dataset, name) == "after" else ""


def class_profile(dataset: Dataset) -> View:
    """Where the classes lie on the numbers that tell them apart best."""
    name = dataset.target.name

    def draw(_: pd.DataFrame, clean: pd.DataFrame) -> Figure:
        rows = dataset.engineer(clean)
        return data.class_profile(rows, _closest(dataset, rows, numbers_only=True), name)

    def read(_: pd.DataFrame, clean: pd.DataFrame) -> str:
        rows = dataset.engineer(clean)
        told = profiling.with_target(dataset, rows)["explained"]
        columns = [
            each
            for each in _closest(dataset, rows, numbers_only=True)
            if association.tells(told[each], len(rows))
        ]
        if not columns:
            return "No number tells the classes apart by itself; see the named things above."
        counts = rows[name].value_counts()
        table = data.profile(rows, columns, name).loc[counts.index[counts >= association.ENOUGH]]
        klass, column = profiling.farthest(table.abs())
        return (
            f"The farthest square: the rows of {klass} lie {table.loc[klass, column]:+.1f} "
            f"standard deviations from the mean in {column}{_late(dataset, str(column))}. "
            f"{table.abs().max(axis=1).idxmin()} is the class nearest to the mean of all: single numbers "
            "tell it worst."
        )

    return View(
        "What a class is like",
        "One line a class, one column a number, red above the mean of all rows and blue below. A class "
        "whose line is pale looks like everything else; two lines alike are two classes that a model will "
        "confuse.",
        draw,
        read,
    )
