"""Pictures of a search: trials as they went by, families, parameters, and the choice between equals.

Each takes the trials of `tuning.Found` and returns a figure. Scores are drawn as they are: for an error
lower is better, for an AUC higher; the axis says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib import evaluation
from lib.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def label(metric: str, unit: str = "") -> str:
    """The score's axis: name, unit, and which way is better."""
    better = "lower" if evaluation.sign(metric) > 0 else "higher"
    return f"validation {metric}{f', {unit}' if unit else ''} ({better} is better)"


def _good(trials: pd.DataFrame) -> pd.DataFrame:
    return trials[trials["status"] == "ok"]


def _colours(trials: pd.DataFrame) -> dict[str, str]:
    names = list(dict.fromkeys(trials["family"]))
    return {name: style.COLOURS[i % len(style.COLOURS)] for i, name in enumerate(names)}


def _window(axes: Axes, scores: pd.Series, metric: str, vertical: bool = True) -> None:
    """Show all but the worst, a seventh or so: far ones would flatten all differences. Two are both shown."""
    way = evaluation.sign(metric)
    loss = np.sort(way * scores.to_numpy())
    best, far = loss[0], loss[min(len(loss) - 1, max(1, int(0.85 * (len(loss) - 1))))]
    room = max(far - best, 1e-9)
    low, high = sorted((way * (best - 0.08 * room), way * (far + 0.15 * room)))
    (axes.set_ylim if vertical else axes.set_xlim)(low, high)


@style.figure
def over_time(trials: pd.DataFrame, metric: str, unit: str = "") -> Figure:
    """Each trial's score by its number, coloured by family, and the best so far as a line."""
    import matplotlib.pyplot as plt

    good, way = _good(trials), evaluation.sign(metric)
    figure, axes = plt.subplots(figsize=(8.5, 3.8))
    for name, colour in _colours(trials).items():
        mine = good[good["family"] == name]
        axes.scatter(mine["number"], mine["score"], s=28, color=colour, label=name, zorder=3)
    best = way * (way * good["score"]).cummin()
    axes.step(good["number"], best, where="post", color=style.INK, linewidth=1.3, label="best so far")
    _window(axes, good["score"], metric)
    axes.set(xlabel="trial, in the order of submission", ylabel=label(metric, unit))
    axes.legend(bbox_to_anchor=(1.01, 1), loc="upper left", fontsize=8)
    return figure


@style.figure
def families(trials: pd.DataFrame, metric: str, unit: str = "") -> Figure:
    """All scores of each family on one line, best family on top, its best marked."""
    import matplotlib.pyplot as plt

    good, way = _good(trials), evaluation.sign(metric)
    best = (way * good["score"]).groupby(good["family"]).min().sort_values(ascending=False)
    figure, axes = plt.subplots(figsize=(8, 0.5 + 0.42 * len(best)))
    for place, (name, loss) in enumerate(best.items()):
        mine = good[good["family"] == name]
        axes.scatter(mine["score"], [place] * len(mine), s=22, color=style.GREY, alpha=0.8)
        axes.scatter([way * loss], [place], s=55, color=style.BLUE, zorder=3)
        note = f"{way * loss:.4g}  ({len(mine)} trial{'s' if len(mine) > 1 else ''})"
        axes.annotate(note, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.set_yticks(range(len(best)), list(best.index))
    axes.set_ylim(-0.6, len(best) - 0.4)
    worst_best = good[good["family"] == best.index[0]]["score"]
    _window(axes, pd.concat([good["score"], worst_best]), metric, vertical=False)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, (way * best).min()), max(high, (way * best).max() + 0.02 * (high - low)))
    axes.set_xlabel(label(metric, unit))
    return figure


@style.figure
def parameters(trials: pd.DataFrame, metric: str, space: dict[str, tuple], unit: str = "") -> Figure:
    """The score against each parameter of one family, one small panel each."""
    import matplotlib.pyplot as plt

    good = _good(trials)
    count = len(space)
    across = min(4, count)
    down = -(-count // across)
    shape = {"figsize": (2.6 * across + 0.6, 2.3 * down), "sharey": True, "squeeze": False}
    figure, grid = plt.subplots(down, across, **shape)
    for axes, (name, spec) in zip(grid.flat, space.items(), strict=False):
        values = good["parameters"].map(lambda point, name=name: point.get(name))
        axes.scatter(_places(values, spec), good["score"], s=24, color=style.BLUE)
        if spec[0] == "choice":
            axes.set_xticks(range(len(spec[1])), [str(v) for v in spec[1]])
        _axis(axes, spec)
        axes.set_xlabel(name)
        _window(axes, good["score"], metric)
    for axes in list(grid.flat)[count:]:
        axes.set_visible(False)
    figure.supylabel(label(metric, unit), fontsize=9)
    return figure


def _axis(axes: Axes, spec: tuple) -> None:
    """An axis as wide as the space, with few ticks: ends and middle where it is logarithmic."""
    from matplotlib.ticker import NullLocator

    if spec[0] == "loguniform":
        ticks = np.exp(np.linspace(spec[1], spec[2], 3))
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(ticks, [f"{tick:,.0f}" if tick >= 100 else f"{tick:.2g}" for tick in ticks])
        axes.set_xlim(0.8 * ticks[0], 1.25 * ticks[-1])
    elif spec[0] in ("uniform", "quniform"):
        room = 0.06 * (spec[2] - spec[1])
        axes.set_xlim(spec[1] - room, spec[2] + room)


def _places(values: pd.Series, spec: tuple) -> list[float]:
    """A parameter's values as numbers: a choice's place in its list."""
    return [list(spec[1]).index(v) if spec[0] == "choice" else float(v) for v in values]


@style.figure
def parallel(trials: pd.DataFrame, metric: str, space: dict[str, tuple]) -> Figure:
    """Parallel coordinates: one line a trial, from parameter to parameter to its score, best drawn last."""
    import matplotlib.pyplot as plt

    good, way = _good(trials).copy(), evaluation.sign(metric)
    good = good.assign(loss=way * good["score"]).sort_values("loss", ascending=False)
    names = [*space, metric]
    lines = np.column_stack(
        [_unit_places(good["parameters"].map(lambda p, n=n: p.get(n)), s) for n, s in space.items()]
    )
    rank = good["loss"].rank(method="first", ascending=False).to_numpy()
    height = (rank - 1) / max(len(good) - 1, 1)
    figure, axes = plt.subplots(figsize=(1.1 * len(names) + 1.6, 3.8))
    shades = plt.get_cmap("viridis")
    for line, end in zip(lines, height, strict=True):
        axes.plot(range(len(names)), [*line, end], color=shades(end), alpha=0.25 + 0.7 * end, linewidth=1.4)
    axes.set_xticks(range(len(names)), names, rotation=25, ha="right")
    for place, spec in enumerate(space.values()):
        low, high = _ends(spec)
        axes.annotate(low, (place, -0.02), ha="center", va="top", fontsize=7, color=style.GREY)
        axes.annotate(high, (place, 1.02), ha="center", va="bottom", fontsize=7, color=style.GREY)
    axes.set(yticks=[], ylim=(-0.1, 1.1))
    ends = good["score"].iloc[[0, -1]]
    axes.annotate(f"{ends.iloc[1]:.4g} best", (len(names) - 0.95, 1), va="center", fontsize=8)
    axes.annotate(f"{ends.iloc[0]:.4g} worst", (len(names) - 0.95, 0), va="center", fontsize=8)
    axes.set_xlim(-0.3, len(names) + 0.1)
    return figure


def _unit_places(values: pd.Series, spec: tuple) -> np.ndarray:
    """Values as places from 0 to 1 within the space."""
    if spec[0] == "choice":
        return np.array(_places(values, spec)) / max(len(spec[1]) - 1, 1)
    low, high = spec[1], spec[2]
    numbers = values.astype(float).to_numpy()
    numbers = np.log(numbers) if spec[0] == "loguniform" else numbers
    return np.clip((numbers - low) / (high - low), 0, 1)


def _ends(spec: tuple) -> tuple[str, str]:
    if spec[0] == "choice":
        return str(spec[1][0]), str(spec[1][-1])
    low, high = (np.exp(spec[1]), np.exp(spec[2])) if spec[0] == "loguniform" else spec[1:3]
    return tuple(f"{end:,.0f}" if abs(end) >= 100 else f"{end:.3g}" for end in (low, high))


@style.figure
def importance(weights: pd.Series) -> Figure | None:
    """How much of the score's ups and downs goes with each parameter; no figure of no weights."""
    import matplotlib.pyplot as plt

    if weights.empty:
        return None
    weights = weights.sort_values()
    figure, axes = plt.subplots(figsize=(7, 0.7 + 0.3 * len(weights)))
    axes.barh(weights.index, weights, color=style.BLUE)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("share of the ups and downs that goes with it")
    return figure


@style.figure
def choice(table: pd.DataFrame, kept: pd.Series, metric: str, unit: str = "") -> Figure:
    """Score against what a prediction costs; those that luck cannot tell from the best, and the one kept."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 3.8))
    other, equal = table[~table["equal"]], table[table["equal"]]
    axes.scatter(other["comparisons"], other["score"], s=22, color=style.GREY, label="behind")
    axes.errorbar(
        equal["comparisons"],
        equal["score"],
        yerr=equal["error"],
        fmt="o",
        color=style.BLUE,
        capsize=2,
        label="within one standard error of the best",
    )
    axes.scatter(
        [kept["comparisons"]],
        [kept["score"]],
        s=190,
        facecolors="none",
        edgecolors=style.RED,
        linewidths=2,
        label=f"kept: {kept['family']}, trial {kept['number']}",
        zorder=4,
    )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:,.0f}" if str(value)[0] in "25" else "")
    _window(axes, table["score"], metric)
    axes.set(xlabel="comparisons or multiplications for one row", ylabel=label(metric, unit))
    axes.legend(fontsize=8)
    return figure
