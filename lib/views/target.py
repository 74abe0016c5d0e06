"""The pictures of a target by itself, before and after cleaning.

Those along the columns that go with it are in `lib.views.columns`, the other ones in `lib.views.rows`.
"""

import pandas as pd

from lib import profiling
from lib.plots import data
from lib.problem import Dataset
from lib.profiling import association
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
    name, unit, words = dataset.target.name, dataset.target.unit, dataset.words

    def read(raw: pd.DataFrame, clean: pd.DataFrame) -> str:
        before, after = raw[name], clean[name]
        out = len(before) - len(after)
        low, mid, high, top = after.quantile([0.05, 0.5, 0.95, 0.99])
        text = f"The rules refuse {out:,} of {len(before):,} {words.rows}"
        text += f" ({out / len(before):.1%}). " if out else ". "
        if out and before.std() > 1.05 * after.std():
            text += (
                f"Those made the standard deviation {before.std() / after.std():.1f} times what it is "
                f"now ({amount(before.std(), unit)} to {amount(after.std(), unit)}). "
            )
        text += f"Of what stays, half lies below {amount(mid, unit)}"
        if len(after) >= association.ENOUGH * 10:
            tail = "the right tail is long: " if high - mid > 1.5 * (mid - low) else ""
            text += (
                f" and nine in ten between {amount(low, unit)} and {amount(high, unit)}; {tail}one in a "
                f"hundred is above {amount(top, unit)}"
            )
        return f"{text}. {_to_beat(after, unit, dataset.metric)}"

    return View(
        f"The target, {name}",
        f"It is {dataset.target.meaning}. Left, all rows as they came, on scales that squeeze the extremes "
        "together (rows on a log scale, so that ten of them show beside thousands); right, on plain scales, "
        "what the cleaning rules keep, with the percentiles that a report would quote. Do some rows on the "
        "left lie apart from the rest, and can they be true?",
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
        text = (
            f"{len(counts)} classes. The largest, {counts.index[0]}, has {first['share']:.1%} of the "
            f"{dataset.words.rows}: a model that always says it is right that often. "
        )
        if association.even(counts["after the rules"]):
            return text + "The classes differ in size no more than chance makes them differ."
        return text + (
            f"The smallest, {counts.index[-1]}, has {last['after the rules']:,.0f}, "
            f"{first['after the rules'] / max(last['after the rules'], 1):.1f} times fewer; a mean over "
            "all hides it, a mean over classes does not."
        )

    return View(
        f"Class balance of {name}",
        f"It is {dataset.target.meaning}. Bars of equal length would let accuracy be trusted; long beside "
        "short ones mean that the rare classes need a metric of their own.",
        lambda raw, clean: data.target_classes(table(raw, clean), name),
        read,
    )
