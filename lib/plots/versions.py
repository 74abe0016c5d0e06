"""Pictures of a contest between two versions of a model."""

from typing import TYPE_CHECKING

import pandas as pd

from lib.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@style.figure
def luck(resamples: pd.DataFrame, metric: str, unit: str, rival: str) -> "Figure":
    """The scores of two models over resampled rows: as two heaps, and as one heap of differences."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    bins = 24
    left.hist(resamples["candidate"], bins, color=style.BLUE, alpha=0.7, label="candidate")
    left.hist(resamples["rival"], bins, color=style.ORANGE, alpha=0.7, label=rival)
    unit = f", {unit}" if unit else ""
    left.set(xlabel=f"{metric.upper()}{unit}", ylabel="resamples", title="Each by itself")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)
    right.hist(resamples["gain"], bins, color=style.GREEN, alpha=0.8)
    right.axvline(0, color=style.INK, lw=1)
    right.set(xlabel=f"{metric.upper()} gained{unit} (right of the line: better)", title="On the same rows")
    return figure


@style.figure
def gains(table: pd.DataFrame, metric: str, unit: str, rival: str) -> "Figure":
    """How much better the candidate is, for all rows and group by group: a dot and its 95 % interval each."""
    import matplotlib.pyplot as plt
    import numpy as np

    at = np.arange(len(table))[::-1]
    figure, axes = plt.subplots(figsize=(7.5, 1.2 + 0.34 * len(table)))
    for y, (low, gain, high) in zip(at, table[["low", "gain", "high"]].to_numpy(), strict=True):
        colour = style.GREEN if low > 0 else style.RED if high < 0 else style.GREY
        axes.plot([low, high], [y, y], color=colour, lw=3, alpha=0.5, solid_capstyle="butt")
        axes.plot(gain, y, "o", color=colour, ms=7)
    axes.axvline(0, color=style.INK, lw=1)
    axes.set_yticks(at, [f"{name}  ({rows:,})" for name, rows in table["rows"].items()])
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.axhline(at[0] - 0.5, color=style.FAINT, lw=1.5)
    axes.set_xlabel(
        f"{metric.upper()} gained over {rival}"
        + (f", {unit}" if unit else "")
        + "  (right of the line: better)"
    )
    axes.margins(x=0.08)
    return figure
