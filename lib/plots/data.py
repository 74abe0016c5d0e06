"""Pictures of rows before any model: the target, single columns, pairs of them. Problem-neutral.

Each function takes plain data, draws and returns a Figure. The words around a picture are `View`s of
`lib.datasets`; pictures of searches and of errors are in the other modules of this package.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from lib import profile
from lib.plots import shapes, style


@style.figure
def target_number(
    before: pd.Series, after: pd.Series, name: str, unit: str, kept: str = "After the rules"
) -> Figure:
    """A number before cleaning, on scales that show all crowds, and after it, with its percentiles."""
    made, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), width_ratios=[1, 1.15])
    values = before.dropna()
    left.hist(values, bins=_stretched(values), color=style.GREY)
    if len(after):
        left.axvspan(after.min(), after.max(), color=style.BLUE, alpha=0.13, label="shown on the right")
        left.legend(loc="upper right")
    left.set(
        xscale="asinh" if _spread(values) else "linear",
        yscale="log",
        title=f"As it came: {len(values):,} rows",
    )
    left.set(xlabel=_with_unit(name, unit), ylabel="rows (log scale)")
    if _spread(values):
        _few_ticks(left, values)
    right.hist(after, bins=60, color=style.BLUE)
    top = right.get_ylim()[1]
    right.set_ylim(0, 1.6 * top)  # room for the labels above the bars
    for step, percent in enumerate(profile.PERCENTILES):
        value = np.nanpercentile(after, percent)
        height = top * (1.56 - 0.09 * step)
        right.vlines(value, 0, height, color=style.ORANGE, linewidth=1.2)
        right.annotate(
            f" {percent} %: {value:,.4g}", (value, height), color=style.INK, fontsize=8.5, va="top"
        )
    right.set(title=f"{kept}: {len(after):,} rows", xlabel=_with_unit(name, unit), ylabel="rows")
    style.thousands(right.yaxis)
    return made


@style.figure
def target_classes(counts: pd.DataFrame, name: str) -> Figure:
    """Rows of each class, the most frequent first, with its share."""
    made, axes = plt.subplots(figsize=(8, 0.6 + 0.3 * len(counts)))
    shapes.lay_bars(axes, counts.iloc[:, -2], [f"{share:.1%}" for share in counts["share"]])
    axes.set(title=f"Rows of each {name}", xlabel="rows after the rules")
    style.thousands(axes.xaxis)
    return made


@style.figure
def missing(share: pd.Series, rows: int) -> Figure:
    """The share of missing values of each column that has any."""
    made, axes = plt.subplots(figsize=(8, 0.9 + 0.3 * max(len(share), 1)))
    if share.empty:
        axes.text(0.5, 0.5, "No value is missing in any column.", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return made
    shapes.lay_bars(axes, 100 * share, [f"{100 * value:.2g} % ({value * rows:,.0f})" for value in share])
    axes.set(title="Missing values", xlabel="% of the rows", xlim=(0, max(100 * share.max() * 1.25, 1)))
    return made


@style.figure
def frequent(rows: pd.DataFrame, columns: Sequence[str], most: int = 8) -> Figure:
    """The most frequent values of each column, as shares of all rows; beside its name how many there are."""
    made, grid = shapes.grid(len(columns), height=2.3)
    for axes, name in zip(grid, columns, strict=True):
        found = rows[name].value_counts(normalize=True)
        top = found.head(most)
        shapes.lay_bars(axes, 100 * top, None, [str(value)[:22] for value in top.index])
        axes.set_title(f"{name}: {len(found):,} values", fontsize=10)
        axes.set(ylim=(max(len(top), 4) - 0.4, -0.6))
        axes.set_xlabel(f"% of rows; {top.sum():.0%} shown", fontsize=9)
    return made


@style.figure
def numbers(rows: pd.DataFrame, units: Mapping[str, str]) -> Figure:
    """The distribution of each number, on stretched axes where its tails are long, with its median."""
    made, grid = shapes.grid(len(units), height=2.5)
    for axes, (name, unit) in zip(grid, units.items(), strict=True):
        values = rows[name].dropna().astype(float)
        stretched = _spread(values)
        if values.nunique() <= 25:
            found = values.value_counts()
            axes.bar(
                found.index,
                found,
                width=0.8 * min(np.diff(np.sort(found.index)), default=1),
                color=style.BLUE,
            )
        else:
            axes.hist(values, bins=_stretched(values) if stretched else 50, color=style.BLUE)
        crowded = values.median() - values.min() < 0.04 * (values.max() - values.min())
        if stretched or crowded or values.nunique() <= 25:
            axes.set_yscale("log")
        if stretched and values.nunique() > 25:
            axes.set_xscale("asinh")
            _few_ticks(axes, values)
        axes.axvline(values.median(), color=style.ORANGE)
        style.thousands(axes.yaxis)
        median = f"{values.median():,.0f}" if abs(values.median()) >= 1000 else f"{values.median():.3g}"
        axes.set(title=name, xlabel=f"{unit or 'value'}; median {median}")
        if not stretched and values.abs().max() >= 10_000:
            axes.locator_params(axis="x", nbins=5)
            style.thousands(axes.xaxis)
    return made


@style.figure
def with_target(table: pd.DataFrame, target: str, most: int = 14) -> Figure:
    """Bars of what each column explains of the target; those known only after the prediction stand out."""
    if table.empty:
        return shapes.grid(0, 1)[0]
    shown = table.head(most)
    made, axes = plt.subplots(figsize=(8, 1.2 + 0.28 * len(shown)))
    colours = [style.BLUE if known == "before" else style.ORANGE for known in shown["known"]]
    shapes.lay_bars(
        axes,
        100 * shown["explained"],
        [f"{100 * value:.1f} %" for value in shown["explained"]],
        colours=colours,
    )
    axes.set(
        title=f"What goes with {target}", xlabel=f"% of the variance of {target} between groups of the column"
    )
    axes.set_xlim(0, max(1.15 * 100 * shown["explained"].max(), 1))
    if "after" in set(shown["known"]):
        for colour, label in (
            (style.BLUE, "known before the prediction"),
            (style.ORANGE, "known only after"),
        ):
            axes.barh([0], [0], color=colour, label=label)
        axes.legend(loc="lower right")
    return made


@style.figure
def by_column(rows: pd.DataFrame, columns: Sequence[str], target: str, unit: str) -> Figure:
    """The target along each column: its median, and the band that holds the middle half of the rows."""
    made, grid = shapes.grid(len(columns), height=2.7, sharey=True)
    for axes, name in zip(grid, columns, strict=True):
        if pd.api.types.is_numeric_dtype(rows[name]) and rows[name].nunique() > 12:
            _band(axes, rows[name], rows[target])
        else:
            top = rows[name].value_counts().head(10).index
            boxes = [rows.loc[rows[name] == value, target] for value in sorted(top)]
            axes.boxplot(boxes, showfliers=False, patch_artist=True, widths=0.6, **_BOX)
            labels = [f"{v:g}" if isinstance(v, float) else str(v)[:12] for v in sorted(top)]
            axes.set_xticks(range(1, len(top) + 1), labels, rotation=60 if max(map(len, labels)) > 3 else 0)
        axes.set(title=name)
    for axes in grid[:: 2 if len(columns) == 4 else 3]:
        axes.set_ylabel(_with_unit(target, unit))
    return made


_BOX = {
    "boxprops": {"facecolor": "#c5d8e7", "edgecolor": style.BLUE},
    "medianprops": {"color": style.ORANGE, "linewidth": 2},
    "whiskerprops": {"color": style.BLUE},
    "capprops": {"color": style.BLUE},
}


def _band(axes: plt.Axes, column: pd.Series, target: pd.Series) -> None:
    """Median and quartiles of the target in equal parts of a number."""
    parts = target.groupby(pd.qcut(column, profile.BINS, duplicates="drop"), observed=True)
    middle = column.groupby(pd.qcut(column, profile.BINS, duplicates="drop"), observed=True).median()
    low, mid, high = parts.quantile(0.25), parts.median(), parts.quantile(0.75)
    axes.fill_between(middle, low, high, color=style.BLUE, alpha=0.2, linewidth=0)
    axes.plot(middle, mid, color=style.ORANGE, marker="o", markersize=3)


@style.figure
def class_profile(rows: pd.DataFrame, columns: Sequence[str], target: str) -> Figure:
    """The mean of each number in each class, in standard deviations from the mean of all rows."""
    if not columns:
        return shapes.grid(0, 1)[0]
    numbers = rows[list(columns)].astype(float)
    table = ((numbers - numbers.mean()) / numbers.std()).groupby(rows[target]).mean()
    table = table.loc[table.iloc[:, 0].sort_values().index]
    return shapes.heat_map(table, "standard deviations from the mean of all rows", digits=1, centre=0.0)


@style.figure
def in_order(target: pd.Series, name: str, unit: str) -> Figure:
    """The target along the file: its median and middle half in blocks of rows, or where each class lies."""
    made, axes = plt.subplots(figsize=(11, 3.2))
    place = pd.Series(range(len(target)))
    if pd.api.types.is_numeric_dtype(target):
        _band(axes, place, target.reset_index(drop=True))
        axes.set(ylabel=_with_unit(name, unit), ylim=(0 if target.min() >= 0 else None, None))
    else:
        codes, names = target.factorize(sort=True)
        thin = np.linspace(0, len(target) - 1, min(len(target), 4000)).astype(int)
        axes.scatter(thin, codes[thin], s=14, marker="|", color=style.BLUE, linewidths=0.5)
        axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="place in the file")
    style.thousands(axes.xaxis)
    return made


def _spread(values: pd.Series) -> bool:
    """Whether a linear axis would show one bar: the extremes lie far outside the middle of the values."""
    low, high = np.percentile(values, [1, 99])
    return bool(len(values)) and (values.max() - values.min()) > 6 * max(high - low, 1e-12)


def _stretched(values: pd.Series) -> np.ndarray:
    """Edges of equal width on an asinh scale: linear around zero, logarithmic far out."""
    return np.sinh(np.linspace(np.arcsinh(values.min()), np.arcsinh(values.max()), 70))


def _few_ticks(axes: plt.Axes, values: pd.Series) -> None:
    """At most six marks, powers of ten, on an axis that is stretched."""
    low, high = values.min(), values.max()
    powers = [0.0, *(sign * 10.0**power for power in range(0, 9) for sign in (1, -1))]
    ticks = sorted(tick for tick in powers if low <= tick <= high)
    while len(ticks) > 6:
        kept = [tick for tick in ticks if tick == 0 or round(np.log10(abs(tick))) % 2 == 0]
        ticks = kept if len(kept) < len(ticks) else ticks[::2]
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks], minor=False)
    axes.set_xticks([], minor=True)
    pad = 0.03 * (np.arcsinh(high) - np.arcsinh(low))
    axes.set_xlim(np.sinh(np.arcsinh(low) - pad), np.sinh(np.arcsinh(high) + pad))


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name
