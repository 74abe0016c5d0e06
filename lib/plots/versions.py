"""Pictures of a contest between two versions of a model."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from lib.plots import style
from lib.uncertainty import Interval

#: What is surely better or worse is told by its shape and its colour, and the colours by everybody.
_MARKS = {"better": ("^", style.BLUE), "worse": ("v", style.ORANGE), "undecided": ("o", style.GREY)}
#: Of a group that has no interval nothing is known but the gain.
_SILENT = ("x", style.GREY)


def luck(interval: Interval, unit: str, rival: str) -> Figure | None:
    """The bootstrap distributions of two models' scores over the same draws, and of their difference.

    The band is the 95 % interval of the difference, where there is one. Where the two say the same of every
    row there is nothing to draw.
    """
    return None if _still(interval.draws["gain"], interval.draws["one"]) else _luck(interval, unit, rival)


def _still(values: pd.Series, beside: pd.Series) -> bool:
    """Whether values do not waver at all, but for the last digits of what they are made of."""
    return bool(np.ptp(values) <= 1e-9 * np.abs(beside).max())


@style.figure
def _luck(interval: Interval, unit: str, rival: str) -> Figure:
    metric = interval.metric.upper()
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    sides = {"candidate": ("one", style.BLUE), rival: ("other", style.ORANGE)}
    for name, (side, colour) in sides.items():
        values = interval.draws[side]
        if _still(values, values):  # a constant's AUC is one half in every draw
            left.axvline(values.iloc[0], color=colour, lw=2, label=f"{name} (the same in every draw)")
        else:
            sns.histplot(values, bins=24, element="step", alpha=0.4, color=colour, label=name, ax=left)
    left.set(xlabel=style.with_unit(metric, unit), ylabel="draws", title="Each by itself")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2, fontsize=8)
    if not interval.reason:
        right.axvspan(interval.low, interval.high, color=style.GREEN, alpha=0.15, lw=0)
    gains = interval.draws["gain"]
    sns.histplot(gains, bins=24, color=style.GREEN, element="step", alpha=0.6, ax=right)
    right.axvline(0, color=style.INK, lw=1)
    gained = style.with_unit(f"{metric} gained", unit)
    right.set(xlabel=f"{gained} (right of the line: better)", title="On the same rows")
    return figure


@style.figure
def gains(table: pd.DataFrame, metric: str, unit: str, rival: str) -> Figure:
    """How much better the candidate is, for all rows and by group, with its 95 % interval if there is one."""
    places = np.arange(len(table))
    sure = np.select([table["low"] > 0, table["high"] < 0], ["better", "worse"], "undecided")
    figure, axes = plt.subplots(figsize=(7.5, 1.2 + 0.34 * len(table)))
    silent = table["low"].isna().to_numpy()
    sure = np.where(silent, "no interval", sure)
    marks = _MARKS | ({"no interval": _SILENT} if silent.any() else {})
    for which, (mark, colour) in marks.items():
        here = sure == which
        axes.hlines(places[here], table["low"][here], table["high"][here], color=colour, lw=3, alpha=0.5)
        axes.scatter(
            table["gain"][here], places[here], color=colour, marker=mark, s=49, zorder=3, label=which
        )
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=8)
    axes.axvline(0, color=style.INK, lw=1)
    axes.set_yticks(places, [f"{name}  ({rows:,})" for name, rows in table["rows"].items()])
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.axhline(0.5, color=style.FAINT, lw=1.5)
    axes.invert_yaxis()
    gained = style.with_unit(f"{metric.upper()} gained over {rival}", unit)
    axes.set_xlabel(f"{gained}  (right of the line: better)")
    axes.margins(x=0.08)
    return figure
