"""The pictures of a target: by itself before and after cleaning, and along the columns that go with it.

The other pictures that every problem has are in `lib.views.rows`.
"""

import pandas as pd
from matplotlib.figure import Figure

from lib import profiling
from lib.plots import data
from lib.problem import Dataset
from lib.views.view import View


def amount(value: float, unit: str, digits: int = 1) -> str:
    """A number with its unit as it is read aloud: `12.5 min`, `$94.0`."""
    return f"{unit}{value:,.{digits}f}" if unit in ("$", "€", "£") else f"{value:,.{digits}f} {unit}".rstrip()


def _to_beat(values: pd.Series, unit: str, metric: str) -> str:
    """What a constant answer costs, in the metric that models are chosen by."""
    if metric == "mae":
        off = (values - values.median()).abs().mean()
        answer = (
            f"the median ({amount(values.median(), unit)}) is off by {amount(off, unit, 2)} on average (MAE)"
        )
    else:
        off = values.std(ddof=0)
        answer = f"the mean ({amount(values.mean(), unit)}) is off by {amount(off, unit, 2)} (RMSE)"
    return f"A model that always says {answer}; that is the figure to beat."


def number(dataset: Dataset) -> View:
    """The target of a regression, before and after the cleaning rules, with its percentiles."""
    name, unit = dataset.target.name, dataset.target.unit

    def read(raw: pd.DataFrame, clean: pd.DataFrame) -> str:
        before, after = raw[name], clean[name]
        out = len(before) - len(after)
        low, mid, high, top = after.quantile([0.05, 0.5, 0.95, 0.99])
        text = f"The rules refuse {out:,} of {len(before):,} rows ({out / max(len(before), 1):.1%}). "
        if before.std() > 1.05 * after.std():
            text += (
                f"Those few made the standard deviation {before.std() / after.std():.1f} times what it is "
                f"now ({amount(before.std(), unit)} to {amount(after.std(), unit)}). "
            )
        tail = "the right tail is long: " if high - mid > 1.5 * (mid - low) else ""
        return text + (
            f"Of what stays, half lies below {amount(mid, unit)} and nine in ten rows between "
            f"{amount(low, unit)} and {amount(high, unit)}; {tail}one row in a hundred is above "
            f"{amount(top, unit)}. {_to_beat(after, unit, dataset.metric)}"
        )

    return View(
        f"The target, {name}",
        f"It is {dataset.target.meaning}. Left, all rows as they came, on scales that squeeze the extremes "
        "together (rows on a log scale, so that a crowd of ten shows beside one of thousands); right, on "
        "plain scales, what the cleaning rules keep, with the percentiles that a report would quote. How "
        "many crowds are there on the left, and which of them can be true?",
        lambda raw, clean: data.target_number(raw[name], clean[name], name, unit),
        read,
    )


def classes(dataset: Dataset) -> View:
    """How many rows each class has, before and after the cleaning rules."""
    name = dataset.target.name

    def table(raw: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
        return profiling.counts({"as it came": raw[name], "after the rules": clean[name]})

    def read(raw: pd.DataFrame, clean: pd.DataFrame) -> str:
        counts = table(raw, clean)
        first, last = counts.iloc[0], counts.iloc[-1]
        return (
            f"{len(counts)} classes. The largest, {counts.index[0]}, has {first['share']:.1%} of the rows: a "
            f"model that always says it is right that often. The smallest, {counts.index[-1]}, has "
            f"{last['after the rules']:,.0f} rows, "
            f"{first['after the rules'] / max(last['after the rules'], 1):.1f} times fewer; a mean over "
            "rows hides it, a mean over classes does not."
        )

    return View(
        f"Class balance of {name}",
        f"It is {dataset.target.meaning}. Bars of equal length would let accuracy be trusted; long beside "
        "short ones mean that the rare classes need a metric of their own.",
        lambda raw, clean: data.target_classes(table(raw, clean), name),
        read,
    )


def with_columns(dataset: Dataset) -> View:
    """How much of the target each column tells by itself, and whether it is known in time."""
    name = dataset.target.name

    def read(_: pd.DataFrame, clean: pd.DataFrame) -> str:
        table = _explained(dataset, clean)
        before, after = (table[table["known"] == when] for when in ("before", "after"))
        text = "0 columns that vary are known beforehand. "
        if len(before):
            text = f"Known beforehand, {before.index[0]} tells the most: {before['explained'].iloc[0]:.0%}. "
        if len(after):
            text += (
                f"{', '.join(after.index[:3])} {'are' if len(after) > 1 else 'is'} known only after; the "
                f"best of them tells {after['explained'].iloc[0]:.0%}. A model given such a column scores "
                "splendidly in validation and has nothing to say when it is needed: that is a leak. "
            )
        return (
            text + "Each bar stands for one column alone: two that say the same are not worth twice as much."
        )

    return View(
        "What goes with the target",
        f"The share of the variance of {name} that lies between the groups of a column (numbers are cut "
        f"into {profiling.BINS} equal parts; the count of groups is corrected for). Blue bars may be used, "
        "orange ones tempt.",
        lambda _, clean: data.with_target(_explained(dataset, clean), name),
        read,
    )


def _explained(dataset: Dataset, clean: pd.DataFrame) -> pd.DataFrame:
    """What each column, raw or derived, explains of the target."""
    return profiling.with_target(dataset, dataset.engineer(clean))


def _closest(dataset: Dataset, rows: pd.DataFrame, numbers_only: bool = False) -> list[str]:
    """Up to six columns that explain most of the target, known before or admitted by a feature set."""
    table = profiling.with_target(dataset, rows)
    admitted = {name for features in dataset.feature_sets.values() for name in features.admits}
    table = table[(table["known"] == "before") | table.index.isin(admitted)]
    numbers = [name for name in table.index if profiling.kind(dataset, name) == "number"]
    names = numbers if numbers_only else [n for n in table.index if n in numbers or rows[n].nunique() <= 30]
    return names[: 12 if numbers_only else 6]


def along_columns(dataset: Dataset) -> View:
    """How the target moves along the columns that tell most and are known in time."""
    name, unit = dataset.target.name, dataset.target.unit

    def draw(_: pd.DataFrame, clean: pd.DataFrame) -> Figure:
        rows = dataset.engineer(clean)
        names = _closest(dataset, rows)
        named = [each for each in names if profiling.kind(dataset, each) != "number"]
        return data.by_column(rows.astype(dict.fromkeys(named, "str")), names, name, unit)

    def read(_: pd.DataFrame, clean: pd.DataFrame) -> str:
        rows = dataset.engineer(clean)
        names = _closest(dataset, rows)
        if not names:
            return "No column with values that come again is known beforehand: 0 pictures."
        first = names[0]
        parts = rows.groupby(profiling.groups(rows[first], profiling.kind(dataset, first)))[name]
        middle, inside = parts.median(), parts.std().median()
        return (
            f"Along {first} the median goes from {amount(middle.min(), unit)} to "
            f"{amount(middle.max(), unit)}, and within one part of it the rows still differ by "
            f"{amount(inside, unit)} (standard deviation): what remains for the other columns, and for "
            "chance. A bend says that a straight line will not do."
        )

    return View(
        "Along the closest columns",
        "The orange line is the median of the target, the band holds the middle half of the rows; boxes do "
        "the same for names. Is the line straight? Does the band widen?",
        draw,
        read,
    )


def class_profile(dataset: Dataset) -> View:
    """Where the classes lie on the numbers that tell them apart best."""
    name = dataset.target.name

    def draw(_: pd.DataFrame, clean: pd.DataFrame) -> Figure:
        rows = dataset.engineer(clean)
        return data.class_profile(rows, _closest(dataset, rows, numbers_only=True), name)

    def read(_: pd.DataFrame, clean: pd.DataFrame) -> str:
        rows = dataset.engineer(clean)
        columns = _closest(dataset, rows, numbers_only=True)
        if not columns:
            return "There are 0 numbers to tell the classes by; see the named things above."
        numbers = rows[columns].astype(float)
        table = ((numbers - numbers.mean()) / numbers.std()).groupby(rows[name]).mean()
        klass, column = profiling.farthest(table.abs())
        return (
            f"The farthest square: {klass} lies {table.loc[klass, column]:+.1f} standard deviations from "
            f"the mean in {column}. {table.abs().max(axis=1).idxmin()} is the class nearest to the mean of "
            "all, the hardest to tell by single numbers."
        )

    return View(
        "What a class is like",
        "One line a class, one column a number, red above the mean of all rows and blue below. A class "
        "whose line is pale looks like everything else; two lines alike are two classes that a model will "
        "confuse.",
        draw,
        read,
    )
