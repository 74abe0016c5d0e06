"""Pictures of why: shuffled columns, shares of many predictions, shares of one."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from lib.explain import Shares
from lib.plots import shapes, style
from lib.wording import few


@style.figure
def permutation(table: pd.DataFrame, metric: str, unit: str = "", most: int = 12) -> Figure:
    """How much worse the metric gets without each raw column, most needed on top."""
    worse, spread = table["worse"].head(most), table["spread"].head(most)
    figure = shapes.bars(worse, style.with_unit(f"{metric} lost when shuffled", unit))
    figure.axes[0].errorbar(worse, range(len(worse)), xerr=spread / 2, fmt="none", ecolor=style.INK)
    return figure


def read_permutation(table: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The picture of shuffled columns in words."""
    first, idle = table.iloc[0], list(table.index[table["worse"] <= table["spread"]])
    unit = f" {unit}" if unit else ""
    text = f"Without **{table.index[0]}** the {metric} would be {first['worse']:.3g}{unit} worse"
    if len(table) > 1:
        text += f", without {table.index[1]} {table.iloc[1]['worse']:.3g}{unit}"
    text += "."
    if idle:
        text += f" No more than chance is lost without {few(idle, 8)}."
    return text + " Columns that tell the same can each look idle, as the other stands in."


@style.figure
def summary(shares: Shares, unit: str = "", most: int = 12) -> Figure:
    """One dot a row and feature: how far it moved the prediction, coloured by the feature's own value."""
    order = shares.moves.abs().mean().nlargest(most).index
    figure, axes = plt.subplots(figsize=(8.5, 0.9 + 0.36 * len(order)))
    rng = np.random.default_rng(0)
    for place, name in enumerate(order):
        moves, ranks = shares.moves[name].to_numpy(), shares.features[name].rank(pct=True)
        heights = place + _swarm(moves, rng)
        dots = axes.scatter(moves, heights, c=ranks, cmap="coolwarm", s=7, alpha=0.8, vmin=0, vmax=1, lw=0)
    axes.axvline(0, color=style.GREY, linewidth=1)
    axes.set_yticks(range(len(order)), list(order))
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlabel(style.with_unit(f"moves the {shares.label} by", unit))
    bar = figure.colorbar(dots, ax=axes, ticks=[0, 1], aspect=40, pad=0.01)
    bar.set_ticklabels(["low", "high"])
    bar.set_label("value of the feature", labelpad=-12)
    return figure


def _swarm(moves: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Heights that spread dots where they are many; seaborn's swarm takes seconds, its jitter no seed."""
    counts, edges = np.histogram(moves, bins=40)
    bins = np.clip(np.digitize(moves, edges) - 1, 0, len(counts) - 1)
    return rng.uniform(-0.38, 0.38, len(moves)) * (counts[bins] / max(counts.max(), 1)) ** 0.5


def read_summary(shares: Shares, unit: str = "") -> str:
    """The picture of shares in words: the strongest feature, and which way it pushes."""
    size = shares.moves.abs().mean().nlargest(2)
    unit = f" {unit}" if unit else ""
    texts = []
    for name in size.index:
        values, moves = shares.features[name], shares.moves[name]
        slope = values.rank().corr(moves.rank()) if values.max() > values.min() else 0.0
        way = f"high values push {'up' if slope > 0 else 'down'}" if abs(slope) > 0.3 else "both ways"
        texts.append(f"**{name}** moves a prediction by {size[name]:.3g}{unit} on average ({way})")
    text = f"Over {len(shares.moves)} rows, {'; '.join(texts)}."
    return f"{text} These are shares in what the model says, not causes."


@style.figure
def one_row(shares: Shares, unit: str = "", row: int = 0, most: int = 10) -> Figure:
    """From what the model says of the usual row to what it says of this one, step by step."""
    moves = shares.moves.iloc[row].sort_values(key=abs, ascending=False)
    steps, rest = moves[:most], moves[most:]
    if len(rest):
        steps = pd.concat([steps, pd.Series({f"{len(rest)} others": rest.sum()})])
    ends = shares.base + steps.cumsum()
    starts = ends - steps
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.34 * len(steps)))
    places = range(len(steps))
    axes.barh(places, steps, left=starts, color=np.where(steps > 0, style.RED, style.BLUE))
    for place, value, right in zip(places, steps, np.maximum(starts, ends), strict=True):
        axes.annotate(f" {value:+.2f}", (right, place), va="center", fontsize=8)
    values = {name: f"{name} = {value:.3g}" for name, value in shares.features.iloc[row].items()}
    axes.set_yticks(places, [values.get(name, name) for name in steps.index])
    axes.invert_yaxis()
    for value in (shares.base, ends.iloc[-1]):
        axes.axvline(value, color=style.GREY, linestyle=":", linewidth=1.2)
    low, high = min(starts.min(), ends.min()), max(starts.max(), ends.max())
    axes.set_xlim(low - 0.05 * (high - low), high + 0.12 * (high - low))
    axes.set_xlabel(style.with_unit(shares.label, unit))
    return figure


def read_row(shares: Shares, unit: str = "", row: int = 0) -> str:
    """One row's shares in words."""
    moves, unit = shares.moves.iloc[row], f" {unit}" if unit else ""
    top = moves.abs().idxmax()
    return (
        f"The model starts at {shares.base:.3g}{unit}, what it says of the usual row, and ends at "
        f"{shares.base + moves.sum():.3g}{unit}; the longest step is {moves[top]:+.3g}{unit} for {top}."
    )
