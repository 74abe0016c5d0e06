"""Pictures of why: shuffled columns, shares of many predictions, shares of one."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lib.explain import Shares
from lib.plots import shapes, style
from lib.wording import few, rounded, signed

#: Fewer rows than this say nothing of what a model leans on.
FEWEST = 100
LATE = "known only after the prediction is made"


@style.figure
def permutation(table: pd.DataFrame, metric: str, unit: str = "", most: int = 12) -> Figure:
    """How much worse the metric gets with each raw column shuffled, most needed on top.

    A diamond is what a fit without the column loses, an orange bar a column that is known only afterwards.
    """
    shown = table.head(most)
    late = shown["known"] == "after"
    colours = [style.ORANGE if after else style.BLUE for after in late]
    figure = shapes.bars(shown["worse"], style.with_unit(f"{metric} lost", unit), colours=colours)
    axes, places = figure.axes[0], np.arange(len(shown))
    ends = np.maximum([shown["worse"] - shown["low"], shown["high"] - shown["worse"]], 0)
    axes.errorbar(shown["worse"], places, xerr=ends, fmt="none", ecolor=style.INK)
    key: list[Artist] = [Patch(color=style.BLUE, label="shuffled")]
    key += [Patch(color=style.ORANGE, label=f"shuffled, and {LATE}")] if late.any() else []
    refit = shown["refit"].notna().to_numpy() if "refit" in shown else np.zeros(len(shown), dtype=bool)
    if refit.any():
        look: dict[str, Any] = {"color": style.INK, "edgecolor": "white", "marker": "D", "s": 42, "zorder": 4}
        key += [axes.scatter(shown["refit"][refit], places[refit], label="refitted without it", **look)]
    axes.margins(x=0.06)
    figure.legend(handles=key, loc="outside upper left", ncols=3, fontsize=8)
    return figure


def read_permutation(table: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The picture of shuffled columns in words; silent where rows are few, or nothing is beyond chance."""
    rows, unit = int(table["rows"].iloc[0]), f" {unit}" if unit else ""
    if rows < FEWEST:
        return f"{rows} rows are too few to tell a column that matters from chance: it takes {FEWEST}."
    needed = table[table["worse"] > table["chance"]]
    idle = [name for name in table.index if name not in needed.index]
    if needed.empty:
        return (
            "Shuffling any one column loses no more than chance: on none of them alone does the model lean."
        )
    said = [f"**{needed.index[0]}** loses {rounded(needed['worse'].iloc[0])}{unit} of {metric}"]
    said += [f"{name} {rounded(needed['worse'][name])}{unit}" for name in needed.index[1:2]]
    text = f"Shuffled, {', '.join(said)}: so far the model is misled by a value that is not the row's own. "
    refit = needed["refit"].dropna() if "refit" in needed else pd.Series(dtype=float)
    if len(refit):
        each = ", ".join(f"{name} {rounded(max(worse, 0))}{unit}" for name, worse in refit.items())
        text += (
            f"A quick booster that is fitted anew without the column loses {each}: that is what the column "
            "is worth, as the others stand in. "
        )
    late = [name for name in needed.index if table["known"][name] == "after"]
    if late:
        verb = "is" if len(late) == 1 else "are"
        text += f"**{few(late)}** {verb} {LATE}: without a stand-in no service has it. "
    return text + (f"No more than chance is lost by shuffling {few(idle, 8)}." if idle else "")


@style.figure
def summary(shares: Shares, most: int = 12) -> Figure:
    """One dot a row and feature: how far it moved the prediction, coloured by the feature's own value."""
    order = shares.top(most)
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.42 * len(order)))
    rng = np.random.default_rng(0)
    dots = None
    for place, name in enumerate(order):
        moves, values = shares.moves[name].to_numpy(), shares.features[name]
        look: dict[str, Any] = {"s": 7, "alpha": 0.8, "lw": 0, "color": style.GREY}
        if ordered := values.notna().any():
            look |= {"color": None, "c": values.rank(pct=True), "cmap": "coolwarm", "vmin": 0, "vmax": 1}
        drawn = axes.scatter(moves, place + _swarm(moves, rng), **look)
        dots = drawn if ordered else dots
    axes.axvline(0, color=style.GREY, linewidth=1)
    _name(axes, [shares.called(name) for name in order], [shares.about["known"].get(name) for name in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlabel(style.with_unit(f"moves the {shares.label} by", shares.unit))
    if dots is not None:
        bar = figure.colorbar(dots, ax=axes, ticks=[0, 1], aspect=40, pad=0.01)
        bar.set_ticklabels(["low", "high"])
        bar.set_label("value of the feature (grey: no order)", labelpad=-12)
    return figure


def _name(axes: Axes, names: list[str], known: list[str | None]) -> None:
    """Long names on two lines; orange what is known only afterwards."""
    axes.set_yticks(range(len(names)), [textwrap.fill(name, 40) for name in names], fontsize=8)
    for label, when in zip(axes.get_yticklabels(), known, strict=True):
        label.set_color(style.ORANGE if when == "after" else style.INK)


def _swarm(moves: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Heights that spread dots where they are many; seaborn's swarm takes seconds, its jitter no seed."""
    counts, edges = np.histogram(moves, bins=40)
    bins = np.clip(np.digitize(moves, edges) - 1, 0, len(counts) - 1)
    return rng.uniform(-0.38, 0.38, len(moves)) * (counts[bins] / max(counts.max(), 1)) ** 0.5


def read_summary(shares: Shares) -> str:
    """The picture of shares in words: the strongest features, and which way they push."""
    count = len(shares.moves)
    if count < FEWEST:
        return f"{count} rows are too few to say which feature moves predictions most: it takes {FEWEST}."
    unit = f" {shares.unit}" if shares.unit else ""
    texts = []
    for name in shares.top(2):
        size = f"{rounded(shares.moves[name].abs().mean())}{unit} on average"
        texts.append(f"**{shares.called(name)}** moves the {shares.label} by {size}{_way(shares, name)}")
    text = f"Over {count} rows, {'; '.join(texts)}. These are shares in what the model says, not causes."
    late = any(shares.about["known"].get(name) == "after" for name in shares.top(12))
    return text + (f" Orange names rest on a column that is {LATE}." if late else "")


def _way(shares: Shares, name: str) -> str:
    """Which way a feature pushes: high values up or down, or the categories at both ends."""
    values, moves = shares.features[name], shares.moves[name]
    if values.isna().all():
        means = moves.groupby(shares.shown[name].to_numpy()).agg(["mean", "size"])
        means = means.loc[means["size"] >= 30, "mean"]
        return f" (furthest up: {means.idxmax()}, down: {means.idxmin()})" if len(means) > 1 else ""
    slope = values.rank().corr(moves.rank()) if values.max() > values.min() else 0.0
    if abs(slope) <= 0.3:
        return " (high values push both ways)"
    return f" (high values push {'up' if slope > 0 else 'down'})"


@style.figure
def one_row(shares: Shares, row: int = 0, most: int = 10) -> Figure:
    """From what the model says of the usual row to what it says of this one, step by step."""
    moves = shares.moves.iloc[row].sort_values(key=abs, ascending=False)
    steps, rest = moves[:most], moves[most:]
    if len(rest):
        steps = pd.concat([steps, pd.Series({f"{len(rest)} others": rest.sum()})])
    ends = shares.base + steps.cumsum()
    starts = ends - steps
    figure, axes = plt.subplots(figsize=(8.5, 0.9 + 0.42 * len(steps)))
    places = range(len(steps))
    axes.barh(places, steps, left=starts, color=np.where(steps > 0, style.RED, style.BLUE))
    for place, value, right in zip(places, steps, np.maximum(starts, ends), strict=True):
        axes.annotate(f" {rounded(value, 2, '+')}", (right, place), va="center", fontsize=8)
    values = {name: f"{shares.called(name)} = {text}" for name, text in shares.shown.iloc[row].items()}
    known = [shares.about["known"].get(name) for name in steps.index]
    _name(axes, [values.get(name, str(name)) for name in steps.index], known)
    axes.invert_yaxis()
    for value in (shares.base, ends.iloc[-1]):
        axes.axvline(value, color=style.GREY, linestyle=":", linewidth=1.2)
    low, high = min(starts.min(), ends.min()), max(starts.max(), ends.max())
    axes.set_xlim(low - 0.05 * (high - low), high + 0.12 * (high - low))
    axes.set_xlabel(style.with_unit(shares.label, shares.unit))
    return figure


def read_row(shares: Shares, row: int = 0) -> str:
    """One row's shares in words."""
    moves, unit = shares.moves.iloc[row], f" {shares.unit}" if shares.unit else ""
    top = moves.abs().idxmax()
    return (
        f"The model starts at {rounded(shares.base)}{unit}, what it says of the usual row, and ends at "
        f"{rounded(shares.base + moves.sum())}{unit}; the longest step is {signed(moves[top])}{unit} for "
        f"{shares.called(top)}."
    )
