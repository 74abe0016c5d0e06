"""Pictures by their shape: squares, bars, a line over time, dots, and the page of small pictures.

What they show of data is in `data`; the shared look is in `style`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from lib.plots import style


@style.figure
def heat_map(
    table: pd.DataFrame, label: str, title: str = "", digits: int | None = None, centre: float | None = None
) -> Figure:
    """A table as coloured squares, with its numbers where `digits` says how many; `centre` is white."""
    rows, columns = table.shape
    made, axes = plt.subplots(figsize=(min(11, 2.8 + 0.42 * columns), 1.3 + 0.32 * rows))
    values = table.to_numpy(dtype=float)
    reach = {} if centre is None else {"vmin": centre - np.nanmax(np.abs(values - centre))}
    if centre is not None:
        reach["vmax"] = 2 * centre - reach["vmin"]
    cmap = style.SEQUENTIAL if centre is None else style.DIVERGING
    image = axes.imshow(values, aspect="auto", cmap=cmap, **reach)
    turn = 45 if max(len(str(name)) for name in table.columns) > 3 else 0
    axes.set_xticks(range(columns), table.columns, rotation=turn, ha="right" if turn else "center")
    axes.set_yticks(range(rows), table.index)
    axes.set(title=title, xlabel=table.columns.name or "", ylabel=table.index.name or "")
    if digits is not None:
        low, high = image.get_clim()
        for (row, column), value in np.ndenumerate(values):
            part = (value - low) / (high - low or 1)
            dark = part > 0.6 if centre is None else abs(part - 0.5) > 0.33
            colour = "white" if dark else style.INK
            axes.text(
                column,
                row,
                f"{value + 0.0:.{digits}f}".replace("-0.0", "0.0"),
                ha="center",
                va="center",
                fontsize=8,
                color=colour,
            )
    made.colorbar(image, ax=axes, label=label, shrink=0.9)
    style.no_grid(axes)
    return made


@style.figure
def bars(values: pd.Series, label: str, title: str = "", texts: Sequence[str] | None = None) -> Figure:
    """One bar a row of the Series, the first on top."""
    made, axes = plt.subplots(figsize=(8.5, 0.9 + 0.28 * len(values)))
    lay_bars(axes, values, texts)
    axes.set(xlabel=label, title=title)
    if texts:
        axes.set_xlim(0, values.max() * 1.2)
    return made


@style.figure
def over_time(counts: pd.Series, label: str, title: str = "") -> Figure:
    """A count along time, with the band from its 5th to its 95th percentile."""
    made, axes = plt.subplots(figsize=(11, 2.8))
    axes.axhspan(*np.percentile(counts, [5, 95]), color=style.BLUE, alpha=0.1, label="9 of 10 lie here")
    axes.plot(counts.index, counts, color=style.BLUE, marker="o", markersize=3 if len(counts) < 150 else 0)
    axes.set(ylabel=label, title=title, ylim=(0, None))
    axes.legend(loc="lower right")
    style.thousands(axes.yaxis)
    return made


@style.figure
def points(x: pd.Series, y: pd.Series, labels: tuple[str, str], classes: pd.Series | None = None) -> Figure:
    """A dot a row, coloured by class where there are classes."""
    made, axes = plt.subplots(figsize=(8.5, 5.5))
    if classes is None:
        axes.scatter(x, y, s=6, alpha=0.35, color=style.BLUE, linewidths=0)
    else:
        names, colours = sorted(classes.unique()), plt.get_cmap("tab20").colors
        for number, name in enumerate(names):
            mine = classes == name
            axes.scatter(
                x[mine], y[mine], s=10, alpha=0.75, color=colours[number % 20], label=name, linewidths=0
            )
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2.5, fontsize=9)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    if not any(labels):  # a map, whose axes have no meaning
        axes.set(xticks=[], yticks=[])
    return made


@style.figure
def places(east: pd.Series, north: pd.Series, values: pd.Series, label: str) -> Figure:
    """A dot a row on the map, the darker the larger its value (log scale); a degree is as long both ways."""
    from matplotlib.colors import LogNorm

    made, axes = plt.subplots(figsize=(8, 6.5))
    low, high = values.quantile([0.02, 0.98])
    order = values.sort_values().index
    dots = axes.scatter(
        east[order],
        north[order],
        c=values[order],
        s=7,
        alpha=0.8,
        cmap=style.SEQUENTIAL,
        linewidths=0,
        norm=LogNorm(max(low, 1e-9), max(high, low * 1.01, 1e-8)),
    )
    axes.set(xlabel="longitude", ylabel="latitude", aspect=1 / np.cos(np.radians(north.mean())))
    bar = made.colorbar(dots, ax=axes, label=label, shrink=0.8, extend="both")
    ticks = [tick for power in range(-3, 7) for tick in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)]
    bar.set_ticks([tick for tick in ticks if low <= tick <= high], minor=False)
    bar.set_ticks([], minor=True)
    style.thousands(bar.ax.yaxis)
    return made


def lay_bars(
    axes: plt.Axes,
    values: pd.Series,
    texts: Sequence[str] | None,
    names: Sequence[str] | None = None,
    colours: Sequence[str] | str = style.BLUE,
) -> None:
    """Lay one bar a value into `axes`, the first on top, each with its text at its end."""
    places = np.arange(len(values))
    axes.barh(places, values, color=colours, height=0.72)
    axes.set_yticks(places, [str(name) for name in (values.index if names is None else names)])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    for place, value, text in zip(places, values, texts or [], strict=False):
        axes.annotate(f" {text}", (value, place), va="center", fontsize=8.5)


def grid(count: int, height: float, columns: int = 3, sharey: bool = False) -> tuple[Figure, list]:
    """A page of `count` small pictures, three a line."""
    if not count:
        made, axes = plt.subplots(figsize=(8, 0.8))
        axes.text(0.0, 0.5, "There is nothing of this kind to draw.", va="center")
        axes.set_axis_off()
        return made, []
    columns = 2 if count == 4 else min(columns, count)
    lines = -(-count // columns)
    made, grid = plt.subplots(lines, columns, figsize=(11, height * lines), squeeze=False, sharey=sharey)
    cells = list(grid.ravel())
    for spare in cells[count:]:
        spare.set_axis_off()
    return made, cells[:count]
