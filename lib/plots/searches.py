"""Pictures of a search: trials as they went by, families, parameters, and the choice between equals.

Each takes the trials of a search and returns a figure, of a single trial none. Scores are drawn as they
are: for an error lower is better, for an AUC higher; the axis says which.
"""

import functools
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import ParamSpec

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib import evaluation
from lib.plots import shapes, style
from lib.wording import rounded

Arguments = ParamSpec("Arguments")


def label(metric: str, unit: str = "") -> str:
    """The score's axis: name, unit, and which way is better."""
    better = "lower" if evaluation.sign(metric) > 0 else "higher"
    return f"{style.with_unit(f'validation {metric}', unit)} ({better} is better)"


def of_several(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure | None]:
    """A function that draws trials in the shared look; of a single one there is nothing to be seen."""

    @functools.wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure | None:
        trials: pd.DataFrame = args[0]
        return style.figure(draw)(*args, **kwargs) if len(_finished(trials)) > 1 else None

    return drawn


def _finished(trials: pd.DataFrame) -> pd.DataFrame:
    return trials[trials["status"] == "ok"]


def _window(scores: pd.Series, metric: str) -> tuple[float, float]:
    """The range of scores without the worst seventh, which would flatten the differences; of two, both."""
    way = evaluation.sign(metric)
    loss = np.sort(way * scores.to_numpy())
    best, far = loss[0], loss[min(len(loss) - 1, max(1, int(0.85 * (len(loss) - 1))))]
    room = max(far - best, 1e-3 * abs(best), 1e-6)  # of scores that are all but equal the axis stays readable
    low, high = sorted((way * (best - 0.08 * room), way * (far + 0.15 * room)))
    return low, high


@of_several
def over_time(trials: pd.DataFrame, metric: str, unit: str = "") -> Figure:
    """Each trial's score by its number, coloured by family, and the best so far as a line."""
    finished, way = _finished(trials), evaluation.sign(metric)
    colours = dict(zip(trials["family"].unique(), cycle(style.COLOURS), strict=False))
    figure, axes = plt.subplots(figsize=(8.5, 3.8))
    dots = {"hue": "family", "hue_order": list(colours), "palette": colours, "s": 45, "zorder": 3}
    sns.scatterplot(finished, x="number", y="score", ax=axes, **dots)
    best = way * (way * finished["score"]).cummin()
    axes.step(finished["number"], best, where="post", color=style.INK, linewidth=1.3, label="best so far")
    axes.set(xlabel="trial, in the order of submission", ylabel=label(metric, unit))
    axes.set_ylim(_window(finished["score"], metric))
    axes.legend(bbox_to_anchor=(1.01, 1), loc="upper left", fontsize=8)
    return figure


@of_several
def families(trials: pd.DataFrame, metric: str, unit: str = "") -> Figure:
    """All scores of each family on one line, best family on top, its best marked."""
    finished, way = _finished(trials), evaluation.sign(metric)
    groups = (way * finished["score"]).groupby(finished["family"])
    table = pd.DataFrame({"best": groups.min(), "trials": groups.size()}).sort_values("best")
    table["best"] *= way
    figure, axes = plt.subplots(figsize=(8, 0.5 + 0.42 * len(table)))
    dots = {"x": "score", "y": "family", "jitter": False, "ax": axes}
    sns.stripplot(finished, order=table.index, size=5, color=style.GREY, alpha=0.8, **dots)
    sns.stripplot(table.rename(columns={"best": "score"}), size=7.5, color=style.BLUE, **dots)
    for place, (best, count) in enumerate(table.itertuples(index=False)):
        text = f"{rounded(best, 4)}  ({count} trial{'s' if count > 1 else ''})"
        axes.annotate(text, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    low, high = _window(finished["score"], metric)
    low, high = min(low, table["best"].min()), max(high, table["best"].max())
    margin = 0.02 * (high - low)  # room for the dots of the best and of the last
    axes.set_xlim(low - margin, high + margin)
    axes.set(xlabel=label(metric, unit), ylabel="")
    return figure


@of_several
def parameters(trials: pd.DataFrame, metric: str, space: Mapping[str, tuple], unit: str = "") -> Figure:
    """The score against each parameter of one family, one small panel each."""
    finished = _finished(trials)
    figure, grid = shapes.grid(len(space), height=2.3, sharey=True)
    for axes, (name, spec) in zip(grid, space.items(), strict=True):
        values = finished["parameters"].str[name]
        axes.scatter(_places(values, spec), finished["score"], s=24, color=style.BLUE)
        _span(axes, spec)
        axes.set_xlabel(name)
    grid[0].set_ylim(_window(finished["score"], metric))
    figure.supylabel(label(metric, unit), fontsize=9)
    return figure


def _span(axes: Axes, spec: tuple) -> None:
    """An axis as wide as the space, with few ticks: ends and middle where it is logarithmic."""
    marks = _marks(spec)
    if spec[0] == "choice":
        axes.set_xticks(range(len(marks)), marks)
    elif spec[0] == "loguniform":
        low, middle, high = np.exp(np.linspace(spec[1], spec[2], 3))
        axes.set_xscale("log")
        axes.set_xticks([low, middle, high], marks)
        axes.set_xticks([], minor=True)
        axes.set_xlim(0.8 * low, 1.25 * high)
    else:
        room = 0.06 * (spec[2] - spec[1])
        axes.set_xlim(spec[1] - room, spec[2] + room)


def _marks(spec: tuple) -> list[str]:
    """What is written along a parameter: its choices, or its lowest, middle and highest value."""
    if spec[0] == "choice":
        return [str(value) for value in spec[1]]
    places = np.linspace(spec[1], spec[2], 3)
    numbers = np.exp(places) if spec[0] == "loguniform" else places
    return [f"{number:,.0f}" if abs(number) >= 100 else rounded(number, 2) for number in numbers]


def _places(values: pd.Series, spec: tuple) -> np.ndarray:
    """A parameter's values as numbers: a choice's place in its list."""
    return np.array([list(spec[1]).index(v) if spec[0] == "choice" else float(v) for v in values])


@of_several
def parallel(trials: pd.DataFrame, metric: str, space: Mapping[str, tuple]) -> Figure:
    """Parallel coordinates: one line a trial, from parameter to parameter to its score, best drawn last."""
    finished = _finished(trials)
    finished = finished.sort_values("score", ascending=evaluation.sign(metric) < 0)
    names, height = [*space, metric], np.linspace(0, 1, len(finished))
    lines = [_unit_places(finished["parameters"].str[name], spec) for name, spec in space.items()]
    figure, axes = plt.subplots(figsize=(1.1 * len(names) + 1.6, 3.8))
    for *line, end in zip(*lines, height, strict=True):
        colour = plt.get_cmap("viridis")(end)
        axes.plot([*line, end], color=colour, alpha=0.25 + 0.7 * end, linewidth=1.4)
    axes.set_xticks(range(len(names)), names, rotation=25, ha="right")
    for place, spec in enumerate(space.values()):
        low, *_, high = _marks(spec)
        axes.annotate(low, (place, -0.02), ha="center", va="top", fontsize=7, color=style.INK)
        axes.annotate(high, (place, 1.02), ha="center", va="bottom", fontsize=7, color=style.INK)
    worst, best = finished["score"].iloc[[0, -1]]
    for y, text in enumerate((f"{rounded(worst, 4)} worst", f"{rounded(best, 4)} best")):
        axes.annotate(text, (len(names) - 0.95, y), va="center", fontsize=8)
    axes.set(yticks=[], ylim=(-0.1, 1.1), xlim=(-0.3, len(names) + 0.1))
    return figure


def _unit_places(values: pd.Series, spec: tuple) -> np.ndarray:
    """Values as places from 0 to 1 within the space."""
    places = _places(values, spec)
    if spec[0] == "choice":
        return places / max(len(spec[1]) - 1, 1)
    places = np.log(places) if spec[0] == "loguniform" else places
    return np.clip((places - spec[1]) / (spec[2] - spec[1]), 0, 1)


def importance(weights: pd.Series) -> Figure | None:
    """How much of the score's variance goes with each parameter; no figure of no weights."""
    if weights.empty:
        return None
    shares = 100 * weights.sort_values(ascending=False)
    return shapes.bars(shares, "% of the score's ups and downs that goes with it")


@of_several
def choice(table: pd.DataFrame, chosen: pd.Series, metric: str, unit: str = "") -> Figure:
    """Score against what a prediction costs; those that luck cannot tell from the best, and the one kept."""
    figure, axes = plt.subplots(figsize=(8, 3.8))
    behind, equal = table[~table["equal"]], table[table["equal"]]
    place = ("comparisons", "score")
    axes.scatter(*place, data=behind, s=22, color=style.GREY, label="behind")
    near = "within one standard error of the best"
    axes.errorbar(*place, yerr="error", data=equal, fmt="o", color=style.BLUE, capsize=2, label=near)
    text = f"kept: {chosen['family']}, trial {chosen['number']}"
    x, y = chosen[[*place]]
    axes.scatter(x, y, s=190, c="none", edgecolors=style.RED, lw=2, zorder=4, label=text)
    axes.set_xscale("log")
    style.thousands(axes.xaxis)
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:,.0f}" if str(value)[0] in "25" else "")
    low, high = _window(table["score"], metric)
    ends = equal["score"] - equal["error"], equal["score"] + equal["error"]  # no bar is cut off
    axes.set_ylim(min(low, ends[0].min()), max(high, ends[1].max()))
    axes.set(xlabel="comparisons or multiplications for one row", ylabel=label(metric, unit))
    axes.legend(fontsize=8)
    return figure


def rounds(table: pd.DataFrame, metric: str, unit: str = "") -> Figure | None:
    """The metric by boosting round, of rows learnt from and of others; no figure of no rounds."""
    return _rounds(table, metric, unit) if len(table) > 1 else None


@style.figure
def _rounds(table: pd.DataFrame, metric: str, unit: str) -> Figure:
    figure, axes = plt.subplots(figsize=(8, 3.6))
    for name, colour in zip(table, (style.BLUE, style.ORANGE), strict=True):
        axes.plot(table.index, table[name], color=colour, label=str(name).partition("_")[0])
    way = evaluation.sign(metric)
    losses = np.sort(way * table.to_numpy().ravel())
    room = losses[int(0.9 * len(losses)) - 1] - losses[0]
    axes.set_ylim(*sorted((way * (losses[0] - 0.05 * room), way * (losses[0] + 1.1 * room))))
    axes.set(xlabel="rounds of boosting", ylabel=style.with_unit(metric, unit))
    axes.legend()
    return figure


def read_rounds(table: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The curve in words: where both ends are, and what the last tenth of the rounds still brought."""
    if len(table) < 2:
        return "This model is not boosted: it has no rounds."
    way, (train, validation) = evaluation.sign(metric), (table[name] for name in table)
    last, before = int(table.index[-1]), int(table.index[int(0.9 * (len(table) - 1))])
    gain, unit = way * (validation[before] - validation[last]), f" {unit}" if unit else ""
    end = (
        f"the last {last - before} rounds brought {rounded(gain, 2)}{unit}"
        if gain > 1e-4 * abs(validation[last])
        else f"the last {last - before} rounds brought nothing"
    )
    return (
        f"After {last} rounds the {metric} is {rounded(train[last], 4)}{unit} on the rows that it learnt "
        f"from and {rounded(validation[last], 4)}{unit} on the validation rows; there {end}."
    )
