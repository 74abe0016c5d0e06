"""The pictures that every problem has: its target, its gaps, its values, and what goes with the target.

All words are computed from the rows that are shown. A problem's own pictures stand beside its module.
"""

import pandas as pd

from lib import profile
from lib.datasets.base import Dataset, View
from lib.plots import data


def standard(dataset: Dataset) -> dict[str, View]:
    """The views of any problem, in the order in which they are best looked at."""
    kind = _number_target if dataset.task == "regression" else _class_target
    return {
        "arrivals": _arrivals(dataset) if dataset.when else _order(dataset),
        "target": kind(dataset),
        "missing": _missing(dataset),
        "frequent": _frequent(dataset),
        "numbers": _numbers(dataset),
        "with_target": _with_target(dataset),
        "closest": _closest_number(dataset) if dataset.task == "regression" else _closest_class(dataset),
    }


def _both(dataset: Dataset, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows with their target, and those of them that the rules keep, with all derived columns."""
    rows = rows if dataset.target.name in rows else dataset.labelled(rows)
    return rows, dataset.engineer(dataset.clean(rows).rows)


def _arrivals(dataset: Dataset) -> View:
    def a_day(rows: pd.DataFrame) -> pd.Series:
        days = rows[dataset.when].dropna().dt.normalize()
        low, high = days.quantile([0.001, 0.999]).dt.normalize()
        inside = days[days.between(low, high)]
        return inside.value_counts().reindex(pd.date_range(low, high), fill_value=0).sort_index()

    def read(rows: pd.DataFrame) -> str:
        counts = a_day(rows)
        strays = int(rows[dataset.when].notna().sum() - counts.sum())
        quiet, busy = counts.idxmin(), counts.idxmax()
        empty = int((counts == 0).sum())
        return (
            f"{len(counts)} days, {counts.mean():,.0f} rows a day on average; fewest on "
            f"{quiet:%A %-d %B %Y} ({counts.min():,}), most on {busy:%A %-d %B %Y} ({counts.max():,}). "
            + (
                f"{empty} days have no row at all: is that a gap or a holiday? "
                if empty
                else "No day is empty. "
            )
            + (f"{strays:,} rows lie outside these days and are not drawn." if strays else "")
        )

    return View(
        "Rows a day",
        f"A dot is a day, by {dataset.when}. A week has a rhythm; what breaks it is a holiday, a storm, or "
        "a fault.",
        lambda rows: data.over_time(a_day(rows), "rows a day"),
        read,
    )


def _order(dataset: Dataset) -> View:
    def read(rows: pd.DataFrame) -> str:
        target = dataset.label(rows)
        codes = target if dataset.task == "regression" else pd.Series(target.factorize(sort=True)[0])
        blocks = pd.Series(range(len(rows))) * 40 // max(len(rows), 1)
        told = profile.explained(blocks, codes.reset_index(drop=True))
        if told > 0.2:
            return (
                f"The place of a row in the file tells {told:.0%} of its {dataset.target.name}: the file is "
                "sorted. A split that takes the last rows would examine on what was never taught; these "
                "rows must be shuffled."
            )
        return (
            f"The place of a row in the file tells {told:.1%} of its {dataset.target.name}: the rows come "
            "in no order that matters."
        )

    return View(
        "Rows in the order of the file",
        "From left to right as they lie in the file. Blocks or slopes mean that the file is sorted, and "
        "that its end is not like its beginning.",
        lambda rows: data.in_order(dataset.label(rows), dataset.target.name, dataset.target.unit),
        read,
    )


def _number_target(dataset: Dataset) -> View:
    name, unit = dataset.target.name, dataset.target.unit

    def read(rows: pd.DataFrame) -> str:
        raw, clean = _both(dataset, rows)
        before, after = raw[name], clean[name]
        out = len(before) - len(after)
        low, mid, high, top = after.quantile([0.05, 0.5, 0.95, 0.99])
        spread = before.std() / after.std() if after.std() else float("nan")
        text = f"The rules refuse {out:,} of {len(before):,} rows ({out / max(len(before), 1):.1%}). "
        if spread > 1.05:
            text += (
                f"Those few made the standard deviation {spread:.1f} times what it is now "
                f"({before.std():,.1f} to {after.std():,.1f} {unit}). "
            )
        return text + (
            f"Of what stays, half lies below {mid:,.1f} {unit} and nine in ten rows between {low:,.1f} and "
            f"{high:,.1f}; {'the right tail is long: ' if high - mid > 1.5 * (mid - low) else ''}one row in "
            f"a hundred is above {top:,.1f}. A model that always says the mean ({after.mean():,.1f} {unit}) "
            f"is off by {after.std(ddof=0):,.2f} {unit} (RMSE); that is the figure to beat."
        )

    return View(
        f"The target, {name}",
        f"It is {dataset.target.meaning}. Left, all rows as they came, on scales that squeeze the extremes "
        "together (rows on a log scale, so that a crowd of ten shows beside one of thousands); right, on "
        "plain scales, what the cleaning rules keep, with the percentiles that a report would quote. How "
        "many crowds are there on the left, and which of them can be true?",
        lambda rows: data.target_number(*(part[name] for part in _both(dataset, rows)), name, unit),
        read,
    )


def _class_target(dataset: Dataset) -> View:
    name = dataset.target.name

    def table(rows: pd.DataFrame) -> pd.DataFrame:
        raw, clean = _both(dataset, rows)
        return profile.counts({"as it came": raw[name], "after the rules": clean[name]})

    def read(rows: pd.DataFrame) -> str:
        found = table(rows)
        first, last = found.iloc[0], found.iloc[-1]
        return (
            f"{len(found)} classes. The largest, {found.index[0]}, has {first['share']:.1%} of the rows: a "
            f"model that always says it is right that often. The smallest, {found.index[-1]}, has "
            f"{last['after the rules']:,.0f} rows, "
            f"{first['after the rules'] / max(last['after the rules'], 1):.1f} times fewer; a mean over "
            "rows hides it, a mean over classes does not."
        )

    return View(
        f"Class balance of {name}",
        f"It is {dataset.target.meaning}. Bars of equal length would let accuracy be trusted; long beside "
        "short ones mean that the rare classes need a metric of their own.",
        lambda rows: data.target_classes(table(rows), name),
        read,
    )


def _missing(dataset: Dataset) -> View:
    def read(rows: pd.DataFrame) -> str:
        share = profile.missing(rows)
        if share.empty:
            return "Nothing is missing, so no encoder needs a plan for gaps here; the next batch may differ."
        equal = [name for name in share.index if abs(share[name] - share.iloc[0]) < 1e-12]
        together = len(equal) > 1 and rows[equal].isna().all(axis=1).mean() == share.iloc[0]
        most, part = share.index[0], share.iloc[0]
        text = f"{len(share)} of {rows.shape[1]} columns have gaps, {most} the most ({part:.1%}). "
        if together:
            text += f"{', '.join(equal)} are missing in the very same rows: one cause, not {len(equal)}. "
        return text + "A gap can carry news, so an encoder should be able to tell it from a common value."

    return View(
        "Missing values",
        "A bar for each column with gaps. Bars of the same length suggest that the same rows lack them all.",
        lambda rows: data.missing(profile.missing(rows), len(rows)),
        read,
    )


def _frequent(dataset: Dataset) -> View:
    columns = dataset.of_kind("category", "id") or list(dataset.columns)[:1]

    def shown(rows: pd.DataFrame) -> list[str]:
        return [name for name in columns if name in rows and rows[name].notna().any()]

    def read(rows: pd.DataFrame) -> str:
        found = profile.uniques(rows[shown(rows)]).sort_values("unique")
        few, many = found.iloc[0], found.iloc[-1]
        text = f"From {few['unique']:,} value(s) in {few.name} to {many['unique']:,} in {many.name}. "
        sure = found[found["share"] > 0.9]
        if len(sure):
            text += f"Nearly constant: {', '.join(f'{n} ({s:.0%})' for n, s in sure['share'].items())}. "
        if many["unique"] > 50:
            counted = rows[found.index[-1]].value_counts()
            rare = int((counted < 10).sum())
            text += f"Of the values of {many.name}, {rare:,} have fewer than ten rows: too few to learn each."
        return text

    return View(
        "Most frequent values",
        "The commonest values of each named thing. One that holds nearly all rows tells little; a long "
        "tail of rare ones is what makes one-hot encoding wide.",
        lambda rows: data.frequent(rows, shown(rows)),
        read,
    )


def _numbers(dataset: Dataset) -> View:
    names = [name for name in dataset.of_kind("number") if name != dataset.target.name]

    def shown(rows: pd.DataFrame) -> dict[str, str]:
        return {n: dataset.columns[n].unit for n in names if n in rows and rows[n].notna().any()}

    def read(rows: pd.DataFrame) -> str:
        table = rows[list(shown(rows))].astype(float)
        far = (table.max() / table.quantile(0.99).clip(lower=1e-9)).sort_values(ascending=False)
        zero = (table == 0).mean().sort_values(ascending=False)
        negative = (table < 0).sum().sort_values(ascending=False)
        text = (
            f"The longest tail is that of {far.index[0]}: its largest value, "
            f"{table[far.index[0]].max():,.0f}, is {far.iloc[0]:,.0f} times its 99th percentile. "
            if far.iloc[0] > 5
            else "No tail runs far off. "
        )
        if zero.iloc[0] > 0.02:
            text += f"{zero.index[0]} is zero in {zero.iloc[0]:.0%} of the rows. "
        if 0 < negative.iloc[0] < 0.01 * len(table):
            text += f"{negative.index[0]} is negative in {negative.iloc[0]:,} rows. "
        return text + "Trees cut such tails off by themselves; a linear model is bent by them."

    return View(
        "Each number",
        "The orange line is the median. Where a few values lie far outside the rest, both axes are "
        "stretched (logarithmic far out), else they would be one bar.",
        lambda rows: data.numbers(rows, shown(rows)),
        read,
    )


def _with_target(dataset: Dataset) -> View:
    name = dataset.target.name

    def read(rows: pd.DataFrame) -> str:
        table = profile.with_target(dataset, _both(dataset, rows)[1])
        before, after = (table[table["known"] == when] for when in ("before", "after"))
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
        f"into {profile.BINS} equal parts; the count of groups is corrected for). Blue bars may be used, "
        "orange ones tempt.",
        lambda rows: data.with_target(profile.with_target(dataset, _both(dataset, rows)[1]), name),
        read,
    )


def _closest(dataset: Dataset, clean: pd.DataFrame, numbers_only: bool = False) -> list[str]:
    """Up to six columns that explain most of the target, of those that a model may use."""
    table = profile.with_target(dataset, clean)
    admitted = {name for found in dataset.feature_sets.values() for name in found.admits}
    table = table[(table["known"] == "before") | table.index.isin(admitted)]
    names = [n for n in table.index if clean[n].nunique() <= 60 or pd.api.types.is_numeric_dtype(clean[n])]
    if numbers_only:
        names = [n for n in names if pd.api.types.is_numeric_dtype(clean[n])]
    return names[: 12 if numbers_only else 6]


def _closest_number(dataset: Dataset) -> View:
    name, unit = dataset.target.name, dataset.target.unit

    def draw(rows: pd.DataFrame) -> data.Figure:
        clean = _both(dataset, rows)[1]
        return data.by_column(clean, _closest(dataset, clean), name, unit)

    def read(rows: pd.DataFrame) -> str:
        clean = _both(dataset, rows)[1]
        first = _closest(dataset, clean)[0]
        middle = clean.groupby(profile.groups(clean[first]))[name].median()
        inside = clean.groupby(profile.groups(clean[first]))[name].std().median()
        return (
            f"Along {first} the median goes from {middle.min():,.1f} to {middle.max():,.1f} {unit}, and "
            f"within one part of it the rows still differ by {inside:,.1f} {unit} (standard deviation): "
            "what remains for the other columns, and for chance. A bend says that a straight line will not "
            "do."
        )

    return View(
        "Along the closest columns",
        "The orange line is the median of the target, the band holds the middle half of the rows; boxes do "
        "the same for names. Is the line straight? Does the band widen?",
        draw,
        read,
    )


def _closest_class(dataset: Dataset) -> View:
    name = dataset.target.name

    def draw(rows: pd.DataFrame) -> data.Figure:
        clean = _both(dataset, rows)[1]
        return data.class_profile(clean, _closest(dataset, clean, numbers_only=True), name)

    def read(rows: pd.DataFrame) -> str:
        clean = _both(dataset, rows)[1]
        columns = _closest(dataset, clean, numbers_only=True)
        numbers = clean[columns].astype(float)
        table = ((numbers - numbers.mean()) / numbers.std()).groupby(clean[name]).mean()
        klass, column = profile.farthest(table.abs())
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
