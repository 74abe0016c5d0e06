"""How far off one answer may be: prediction intervals, or sets of classes, held against the truth."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from lib.plots import style
from lib.wording import rounded

#: The bins of a picture have so many rows at least; of fewer than two bins nothing is drawn.
FEWEST, BINS = 100, 10


def bins(size: np.ndarray, around: pd.DataFrame, held: np.ndarray, level: float, learnt: int) -> pd.DataFrame:
    """A row a bin by the size of the prediction: how often the truth was inside, and how wide it was.

    `size` is the prediction, of classes its largest probability; `width` that of the interval, or how many
    classes the set has. Where the level holds, all of `inside` lies between `low` and `high` in 95 of 100
    pictures: chance is in these rows and in the `learnt` ones, from which the errors are known.
    """
    from scipy import stats

    count = min(BINS, len(size) // FEWEST)
    if count < 2:
        return pd.DataFrame(columns=["size", "inside", "width", "rows", "low", "high"], dtype=float)
    # probabilities near one are told apart by nobody: they share a bin
    which = pd.qcut(size if "low" in around else np.round(size, 2), count, labels=False, duplicates="drop")
    widths = around["high"] - around["low"] if "low" in around else around.sum(axis=1)
    parts = pd.DataFrame({"size": size, "inside": held, "width": np.asarray(widths, dtype=float)}).groupby(
        which
    )
    middle = parts.median() if "low" in around else parts.mean()
    table = pd.DataFrame({"size": parts["size"].mean(), "inside": parts["inside"].mean()})
    table = table.assign(width=middle["width"], rows=parts.size())
    error = np.sqrt(level * (1 - level) * (1 / table["rows"] + len(table) / learnt))
    reach = stats.norm.ppf(1 - 0.025 / len(table)) * error
    return table.assign(low=level - reach, high=(level + reach).clip(upper=1))


def size(prediction: np.ndarray | pd.DataFrame) -> np.ndarray:
    """By what predictions are ordered: the number, or the largest probability."""
    said = np.asarray(prediction, dtype=float)
    return said.max(axis=1) if said.ndim > 1 else said


def drawn(table: pd.DataFrame, level: float, numbers: bool, unit: str = "") -> Figure | None:
    """Width on the left and coverage on the right, by the size of the prediction; None of too few rows."""
    return None if table.empty else _drawn(table, level, numbers, unit)


@style.figure
def _drawn(table: pd.DataFrame, level: float, numbers: bool, unit: str) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
    said = style.with_unit("prediction", unit) if numbers else "probability of the likeliest class"
    left.plot(table["size"], table["width"], marker="o", color=style.BLUE)
    left.set(xlabel=said, ylim=(0, None), title="How wide?")
    left.set_ylabel(style.with_unit("width of the interval", unit) if numbers else "classes in the set")
    right.fill_between(
        table["size"], table["low"], table["high"], color=style.GREY, alpha=0.25, label="chance"
    )
    right.axhline(level, color=style.RED, linewidth=1.2, label=f"promised: {level:.0%}")
    right.plot(table["size"], table["inside"], marker="o", color=style.BLUE, label="truth inside")
    right.set(xlabel=said, title="How often right?")
    right.yaxis.set_major_formatter(PercentFormatter(1))
    right.margins(y=0.25)
    right.legend(fontsize=8)
    return figure


def read(table: pd.DataFrame, held: np.ndarray, level: float, numbers: bool, unit: str = "") -> str:
    """How often the truth was inside, how wide it is, and where the level is missed by more than chance."""
    if table.empty:
        return f"{len(held):,} test rows are too few to say how often the truth lies inside."
    first, last = table.iloc[0], table.iloc[-1]
    what = "in the interval" if numbers else "in the set"
    text = f"Of the {len(held):,} test rows {held.mean():.1%} are {what}, of {level:.0%} that were promised. "
    if numbers:
        ends = [f"{rounded(row['width'])} {unit}".rstrip() for row in (first, last)]
        text += f"It is {ends[0]} wide for the smallest predictions and {ends[1]} for the largest. "
    else:
        text += (
            f"It has {first['width']:.2f} classes on average where the model is least sure, "
            f"{last['width']:.2f} where it is surest. "
        )
    above = numbers & (table["inside"] > table["high"])  # a set of one class cannot be made smaller
    missed = table[(table["inside"] < table["low"]) | above]
    if missed.empty:
        return text + f"In none of {len(table)} bins by the prediction does it miss by more than chance."
    worst = missed.loc[(missed["inside"] - level).abs().idxmax()]
    around = (
        f"{rounded(worst['size'])} {unit}".rstrip() if numbers else f"a probability of {worst['size']:.2f}"
    )
    return text + (
        f"In {len(missed)} of {len(table)} bins by the prediction it misses by more than chance, most around "
        f"{around}: {worst['inside']:.1%}. Test rows are not quite like those that the errors were learnt on."
    )
