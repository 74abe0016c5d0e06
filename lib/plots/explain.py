"""Pictures of why: shuffled columns, shares of many predictions, shares of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lib.explain import Shares


@style.figure
def permutation(table: pd.DataFrame, metric: str, unit: str = "", most: int = 12) -> Figure:
    """How much worse the metric gets without each raw column, most needed on top."""
    import matplotlib.pyplot as plt

    shown = table.head(most).iloc[::-1]
    figure, axes = plt.subplots(figsize=(7.5, 0.8 + 0.32 * len(shown)))
    axes.barh(shown.index, shown["worse"], xerr=shown["spread"] / 2, color=style.BLUE, ecolor=style.INK)
    axes.set_xlabel(f"{metric} lost when shuffled{f', {unit}' if unit else ''}")
    return figure


def read_permutation(table: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The picture of shuffled columns in words."""
    first, idle = table.iloc[0], list(table.index[table["worse"] <= table["spread"]])
    unit = f" {unit}" if unit else ""
    said = f"Without **{table.index[0]}** the {metric} would be {first['worse']:.3g}{unit} worse"
    if len(table) > 1:
        said += f", without {table.index[1]} {table.iloc[1]['worse']:.3g}{unit}"
    said += "."
    if idle:
        said += f" No more than chance is lost without {', '.join(idle)}."
    return said + " Columns that tell the same can each look idle, as the other stands in."


@style.figure
def summary(shares: Shares, unit: str = "", most: int = 12) -> Figure:
    """One dot a row and feature: how far it moved the prediction, coloured by the feature's own value."""
    import matplotlib.pyplot as plt

    order = shares.moves.abs().mean().sort_values(ascending=False).index[:most][::-1]
    figure, axes = plt.subplots(figsize=(8.5, 0.9 + 0.36 * len(order)))
    rng, dots = np.random.default_rng(0), None
    for place, name in enumerate(order):
        moved, own = shares.moves[name].to_numpy(), shares.features[name].rank(pct=True).to_numpy()
        lift = place + _swarm(moved, rng)
        dots = axes.scatter(moved, lift, c=own, cmap="coolwarm", s=7, alpha=0.8, vmin=0, vmax=1, linewidths=0)
    axes.axvline(0, color=style.GREY, linewidth=1)
    axes.set_yticks(range(len(order)), list(order))
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.set_xlabel(f"moves the {shares.label} by{f', {unit}' if unit else ''}")
    bar = figure.colorbar(dots, ax=axes, ticks=[0, 1], aspect=40, pad=0.01)
    bar.ax.set_yticklabels(["low", "high"])
    bar.set_label("value of the feature", labelpad=-12)
    bar.outline.set_visible(False)
    return figure


def _swarm(moved: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Heights that spread dots where they are many."""
    counts, edges = np.histogram(moved, bins=40)
    where = np.clip(np.digitize(moved, edges) - 1, 0, len(counts) - 1)
    return rng.uniform(-0.38, 0.38, len(moved)) * (counts[where] / max(counts.max(), 1)) ** 0.5


def read_summary(shares: Shares, unit: str = "") -> str:
    """The picture of shares in words: the strongest feature, and which way it pushes."""
    size = shares.moves.abs().mean().sort_values(ascending=False)
    unit = f" {unit}" if unit else ""
    said = []
    for name in size.index[:2]:
        own, moved = shares.features[name], shares.moves[name]
        slope = own.rank().corr(moved.rank()) if own.max() > own.min() else 0.0
        way = (
            "high values push up" if slope > 0.3 else "high values push down" if slope < -0.3 else "both ways"
        )
        said.append(f"**{name}** moves a prediction by {size[name]:.3g}{unit} on average ({way})")
    told = "; ".join(said)
    return f"Over {len(shares.moves)} rows, {told}. These are shares in what the model says, not causes."


@style.figure
def one_row(shares: Shares, unit: str = "", row: int = 0, most: int = 10) -> Figure:
    """From what the model says of the usual row to what it says of this one, step by step."""
    import matplotlib.pyplot as plt

    moved = shares.moves.iloc[row]
    order = moved.abs().sort_values(ascending=False).index
    steps = moved[order[:most]]
    if len(order) > most:
        steps = pd.concat([steps, pd.Series({f"{len(order) - most} others": moved[order[most:]].sum()})])
    ends = shares.base + steps.cumsum()
    starts = ends - steps
    places = np.arange(len(steps))[::-1]
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.34 * len(steps)))
    axes.barh(places, steps, left=starts, color=[style.RED if v > 0 else style.BLUE for v in steps])
    for place, value, end, start in zip(places, steps, ends, starts, strict=True):
        axes.annotate(f"{value:+.2f}", (max(end, start), place), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=8)  # fmt: skip
    labels = [_with_value(name, shares.features.iloc[row]) for name in steps.index]
    axes.set_yticks(places, labels)
    for value in (shares.base, float(ends.iloc[-1])):
        axes.axvline(value, color=style.GREY, linestyle=":", linewidth=1.2)
    low, high = min(starts.min(), ends.min()), max(starts.max(), ends.max())
    axes.set_xlim(low - 0.05 * (high - low), high + 0.12 * (high - low))
    axes.set_xlabel(f"{shares.label}{f', {unit}' if unit else ''}")
    return figure


def _with_value(name: str, features: pd.Series) -> str:
    return f"{name} = {features[name]:.3g}" if name in features else name


def read_row(shares: Shares, unit: str = "", row: int = 0) -> str:
    """One row's shares in words."""
    moved, unit = shares.moves.iloc[row], f" {unit}" if unit else ""
    top = moved.abs().sort_values(ascending=False).index[0]
    return (
        f"The model starts at {shares.base:.3g}{unit}, what it says of the usual row, and ends at "
        f"{shares.base + moved.sum():.3g}{unit}; the longest step is {moved[top]:+.3g}{unit} for {top}."
    )
