"""The pictures of rows that every problem has: how they arrive, their gaps, their values.

Those of the target are in `lib.views.target`. All words are computed from the rows that are shown.
"""

import pandas as pd
from matplotlib.figure import Figure

from lib import profiling
from lib.plots import data, shapes
from lib.problem import Dataset
from lib.profiling import association
from lib.views.view import View, named
from lib.wording import few


def arrivals(dataset: Dataset) -> View:
    """How many rows came about on each day."""

    def a_day(rows: pd.DataFrame) -> pd.Series:
        days = rows[dataset.when].dropna().dt.normalize()
        low, high = days.quantile([0.001, 0.999]).dt.normalize()
        inside = days[days.between(low, high)]
        return inside.value_counts().reindex(pd.date_range(low, high), fill_value=0).sort_index()

    def read(rows: pd.DataFrame, _: pd.DataFrame) -> str:
        counts = a_day(rows)
        strays = int(rows[dataset.when].notna().sum() - counts.sum())
        quiet, busy = counts.idxmin(), counts.idxmax()
        empty = int((counts == 0).sum())
        text = f"{len(counts)} days, {counts.mean():,.0f} {dataset.words.rows} a day on average"
        if association.even(counts):
            text += "; the days differ no more than chance makes them differ. "
        else:
            text += (
                f"; fewest on {quiet:%A %-d %B %Y} ({counts.min():,}), most on {busy:%A %-d %B %Y} "
                f"({counts.max():,}). "
            )
        if empty and counts.mean() < 5:  # of so few rows a day, empty ones are chance
            text += f"{empty} days have none. "
        elif empty:
            text += f"{empty} days have none at all: is that a gap or a holiday? "
        return text + (f"{strays:,} rows lie outside these days and are not drawn." if strays else "")

    return View(
        "Rows a day",
        f"A dot is a day, by {dataset.when}. A week has a rhythm; what breaks it is a holiday, a storm, or "
        "a fault.",
        lambda rows, _: shapes.over_time(a_day(rows), "rows a day"),
        read,
        of_raw=True,
    )


def order(dataset: Dataset) -> View:
    """The target along the file, for rows that have no order in time."""

    def read(rows: pd.DataFrame, _: pd.DataFrame) -> str:
        target, word = dataset.label(rows).reset_index(drop=True), dataset.words.row
        there = target.notna()
        blocks = pd.Series(range(len(rows))) * 40 // max(len(rows), 1)
        share = association.explained(blocks[there], target[there], "category")
        text = f"The place of a {word} in the file tells {share:.1%} of the variance of {dataset.target.name}"
        if share > 0.2:
            return (
                f"{text}: the file is sorted. A split that takes its end would examine on what was never "
                "taught; these rows must be shuffled."
            )
        if association.tells(share, int(there.sum())):
            return f"{text}: little, but more than chance. Rows that were shuffled are the safer split."
        return f"{text}: they come in no order that matters."

    return View(
        "Rows in the order of the file",
        "From left to right as they lie in the file. Blocks or slopes mean that the file is sorted, and "
        "that its end is not like its beginning.",
        lambda rows, _: data.in_order(dataset.label(rows), dataset.target.name, dataset.target.unit),
        read,
        of_raw=True,
    )


def missing(dataset: Dataset) -> View:
    """The columns with gaps."""

    def read(rows: pd.DataFrame, _: pd.DataFrame) -> str:
        share = profiling.missing(rows)
        if share.empty:
            return "Nothing is missing, so no encoder needs a plan for gaps here; the next batch may differ."
        equal = [name for name in share.index if abs(share[name] - share.iloc[0]) < 1e-12]
        together = len(equal) > 1 and rows[equal].isna().all(axis=1).mean() == share.iloc[0]
        most, part = share.index[0], share.iloc[0]
        text = _drawn(share.index, "have the most gaps")
        text += f"{len(share)} of {rows.shape[1]} columns have gaps, {most} the most ({part:.1%}). "
        if together:
            text += (
                f"{few(equal)} are missing in the very same {dataset.words.rows}: one cause, not "
                f"{len(equal)}. "
                if part * len(rows) >= association.ENOUGH
                else ""
            )
        return text + "A gap can carry news, so an encoder should be able to tell it from a common value."

    return View(
        "Missing values",
        "A bar for each column with gaps. Bars of the same length suggest that the same rows lack them all.",
        lambda rows, _: data.missing(profiling.missing(rows).head(profiling.MOST), len(rows)),
        read,
        of_raw=True,
        rest=lambda rows, _: profiling.missing(rows).to_frame("share"),
    )


def frequent(dataset: Dataset) -> View:
    """The commonest values of each named thing."""

    columns = dataset.of_kind("category", "id") or list(dataset.columns)[:1]

    def present(rows: pd.DataFrame) -> list[str]:
        filled = [name for name in columns if name in rows and rows[name].notna().any()]
        return [name for name in filled if rows[name].nunique() < 0.9 * len(rows)] or filled[:1]

    def read(rows: pd.DataFrame, _: pd.DataFrame) -> str:
        uniques = profiling.uniques(rows[present(rows)]).sort_values("unique")
        least, many = uniques.iloc[0], uniques.iloc[-1]
        text = _drawn(uniques.index, f"tell most of {dataset.target.name}")
        values = f"{least['unique']:,} value{'' if least['unique'] == 1 else 's'}"
        text += f"From {values} in {least.name} to {many['unique']:,} in {many.name}. "
        constant = uniques[uniques["share"] > 0.9]
        if len(constant):
            text += f"Nearly constant: {few(f'{n} ({s:.0%})' for n, s in constant['share'].items())}. "
        if many["unique"] > 50:
            counted = rows[uniques.index[-1]].value_counts()
            rare = int((counted < 10).sum())
            text += (
                f"Of the values of {many.name}, {rare:,} have fewer than ten {dataset.words.rows}: too few "
                "to learn each."
            )
        return text

    return View(
        "Most frequent values",
        "The commonest values of each named thing. One that holds nearly all rows tells little; a long "
        "tail of rare ones is what makes one-hot encoding wide.",
        lambda rows, clean: data.frequent(
            rows, {name: named(dataset, name) for name in profiling.foremost(dataset, clean, present(rows))}
        ),
        read,
        of_raw=True,
        rest=lambda rows, _: profiling.uniques(rows[present(rows)]),
    )


def numbers(dataset: Dataset) -> View:
    """The distribution of each number but the target."""

    names = [name for name in dataset.of_kind("number") if name != dataset.target.name]

    def present(rows: pd.DataFrame) -> list[str]:
        return [name for name in names if name in rows and rows[name].notna().any()]

    def draw(rows: pd.DataFrame, clean: pd.DataFrame) -> Figure:
        drawn = profiling.foremost(dataset, clean, present(rows))
        return data.numbers(rows, {name: dataset.columns[name].unit for name in drawn})

    def read(rows: pd.DataFrame, _: pd.DataFrame) -> str:
        if not present(rows):
            return "There are 0 numbers besides the target."
        table = rows[present(rows)].astype(float)
        top, middle = table.quantile(0.99), table.median()
        varied = top > middle  # of a number that is nearly always the same, no percentile gives a scale
        far = ((table.max() - middle)[varied] / (top - middle)[varied]).sort_values(ascending=False)
        zero = (table == 0).mean().sort_values(ascending=False)
        negative = (table < 0).sum().sort_values(ascending=False)
        text = _drawn(table.columns, f"tell most of {dataset.target.name}") + (
            f"The longest tail is that of {far.index[0]}: its largest value, "
            f"{table[far.index[0]].max():,.0f}, is {far.iloc[0]:,.0f} times as far from the median as its "
            "99th percentile. Trees cut such a tail off by themselves; a linear model is bent by it. "
            if len(far) and far.iloc[0] > 5 and len(table) >= 10 * association.ENOUGH
            else "No tail runs far off. "
        )
        if zero.iloc[0] > 0.02:
            text += f"{zero.index[0]} is zero in {zero.iloc[0]:.0%} of the {dataset.words.rows}. "
        if 0 < negative.iloc[0] < 0.01 * len(table):
            text += f"{negative.index[0]} is negative in {negative.iloc[0]:,}. "
        return text.rstrip()

    return View(
        "Each number",
        "The orange line is the median. Where a few values lie far outside the rest, both axes are "
        "stretched (logarithmic far out), else they would be one bar.",
        draw,
        read,
        of_raw=True,
        rest=lambda rows, _: profiling.percentiles({name: rows[name] for name in present(rows)}),
    )


def _drawn(names: pd.Index, which: str) -> str:
    """That a picture shows few of many columns, and `which`; nothing where it shows them all."""
    most = profiling.MOST
    return (
        f"Drawn are the {most} of {len(names):,} columns that {which}; the table below has all. "
        if len(names) > most
        else ""
    )
