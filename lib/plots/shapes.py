"""Pictures by their shape: squares, bars, a line over time, dots, and the page of small pictures.

What they show of data is in `data`; the shared look is in `style`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from lib.plots import style


@style.figure
def heat_map(
    table: pd.DataFrame,
    label: str,
    title: str = "",
    digits: int | None = None,
    centre: float | None = None,
    least: float = -np.inf,
    unit: str = "",
    limits: tuple[float, float] | None = None,
) -> Figure:
    """A table as coloured squares, `centre` white, or the colours between `limits`.

    With `digits`, numbers of at least `least` are written, each with its `unit`. What is missing is white.
    """
    if table.isna().all(axis=None):
        return grid(0, 1, nothing="No square has rows enough to be drawn.")[0]
    rows, columns = table.shape
    figure, axes = plt.subplots(figsize=(min(11, 2.8 + 0.42 * columns), 1.3 + 0.32 * rows))
    values = table.astype(float)
    look: dict[str, object] = {"cmap": style.SEQUENTIAL}
    if centre is not None:
        reach = np.nanmax(np.abs(values - centre))
        look |= {"cmap": style.DIVERGING, "vmin": centre - reach, "vmax": centre + reach}
    if limits:
        look |= {"vmin": limits[0], "vmax": limits[1]}
    if digits is not None:
        rounded = values.round(digits) + 0.0  # no -0.0
        texts = rounded.map(lambda value: f"{value:.{digits}f}{unit}" if value >= least else "")
        look |= {"annot": texts, "fmt": "", "annot_kws": {"fontsize": 8}}
    bar = {"label": label, "shrink": 0.9}
    sns.heatmap(values, ax=axes, xticklabels=True, yticklabels=True, cbar_kws=bar, **look)
    turned = max(len(str(name)) for name in table.columns) > 3
    plt.setp(axes.get_xticklabels(), rotation=45 if turned else 0, ha="right" if turned else "center")
    axes.tick_params(length=0)
    axes.tick_params(axis="y", rotation=0)
    axes.grid(False)
    axes.set_title(title)
    return figure


@style.figure
def bars(
    values: pd.Series, label: str, title: str = "", texts: Sequence[str] = (), colours: Sequence[str] = ()
) -> Figure:
    """One bar a row of the Series, the first on top."""
    if values.empty:
        return grid(0, 1)[0]
    figure, axes = plt.subplots(figsize=(8.5, 0.9 + 0.28 * len(values)))
    lay_bars(axes, values, texts, colours)
    axes.set(xlabel=label, title=title)
    style.thousands(axes.xaxis)
    return figure


def lay_bars(axes: Axes, values: pd.Series, texts: Sequence[str] = (), colours: Sequence[str] = ()) -> None:
    """Lay one bar a value into `axes`, the first on top, each with its text at its end."""
    places = np.arange(len(values))  # names may come twice
    look = {"palette": list(colours or [style.BLUE] * len(values)), "saturation": 1, "width": 0.72}
    sns.barplot(x=values.to_numpy(), y=places, hue=places, orient="h", legend=False, ax=axes, **look)
    axes.set_yticks(places, [str(name) for name in values.index])
    axes.grid(False, axis="y")
    for place, value, text in zip(places, values, texts, strict=False):
        side = "left" if value >= 0 else "right"
        axes.annotate(f" {text} ", (value, place), va="center", ha=side, fontsize=8.5)
    if len(texts):
        low, high = 1.3 * min(values.min(), 0), 1.2 * max(values.max(), 0)
        axes.set_xlim(low, high if high > low else 1)


@style.figure
def over_time(counts: pd.Series, label: str, title: str = "") -> Figure:
    """A count along time, with the band from its 5th to its 95th percentile."""
    figure, axes = plt.subplots(figsize=(11, 2.8))
    axes.axhspan(*np.percentile(counts, [5, 95]), color=style.BLUE, alpha=0.1, label="9 of 10 lie here")
    axes.plot(counts.index, counts, color=style.BLUE, marker="o", markersize=3 if len(counts) < 150 else 0)
    axes.set(ylabel=label, title=title, ylim=(0, None))
    axes.legend(loc="lower right")
    style.thousands(axes.yaxis)
    return figure


@style.figure
def points(x: pd.Series, y: pd.Series, labels: tuple[str, str], classes: pd.Series) -> Figure:
    """A dot a row, coloured by class."""
    figure, axes = plt.subplots(figsize=(8.5, 5.5))
    colours = {"hue": classes, "hue_order": sorted(classes.unique()), "palette": "tab20"}
    sns.scatterplot(x=x, y=y, s=10, alpha=0.75, linewidth=0, ax=axes, **colours)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2.5, fontsize=9)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    if not any(labels):  # a map, whose axes have no meaning
        axes.set(xticks=[], yticks=[])
    return figure


@style.figure
def places(east: pd.Series, north: pd.Series, values: pd.Series, label: str) -> Figure:
    """A dot a row on the map, the darker the larger its value (log scale); a degree is as long both ways."""
    figure, axes = plt.subplots(figsize=(8, 6.5))
    low, high = values.quantile([0.02, 0.98])
    scale = LogNorm(max(low, 1e-9), max(high, low * 1.01, 1e-8))
    east, north, values = (part[values.sort_values().index] for part in (east, north, values))
    dots = axes.scatter(east, north, c=values, s=7, alpha=0.8, linewidths=0, norm=scale)
    axes.set(xlabel="longitude", ylabel="latitude", aspect=1 / np.cos(np.radians(north.mean())))
    ticks = LogLocator(subs=(1, 2, 5))
    bar = figure.colorbar(dots, ax=axes, label=label, shrink=0.8, extend="both", ticks=ticks)
    bar.minorticks_off()
    style.thousands(bar.ax.yaxis)
    return figure


def grid(
    count: int,
    height: float,
    sharey: bool = False,
    nothing: str = "There is nothing of this kind to draw.",
    wide: bool = False,
) -> tuple[Figure, list[Axes]]:
    """A page of `count` small pictures, three a line (`wide`: two), or the words that there is `nothing`."""
    if not count:
        figure, axes = plt.subplots(figsize=(8, 0.8))
        axes.text(0.0, 0.5, nothing, va="center")
        axes.set_axis_off()
        return figure, []
    columns = 2 if count == 4 or (wide and count > 1) else min(3, count)
    lines = -(-count // columns)
    figure, table = plt.subplots(lines, columns, figsize=(11, height * lines), squeeze=False, sharey=sharey)
    cells = list(table.flat)
    for spare in cells[count:]:
        spare.set_axis_off()
    return figure, cells[:count]
