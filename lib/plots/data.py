"""Pictures of rows before any model: the target, single columns, pairs of them. Problem-neutral.

Each function takes plain data, draws and returns a Figure. The words around a picture are in `lib.views`;
pictures of searches and of errors are in the other modules of this package.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator, SymmetricalLogLocator

from lib import profiling
from lib.plots import shapes, style
from lib.profiling import association
from lib.wording import rounded

FEW = 8  # values of a column that have a box each


@style.figure
def target_number(
    before: pd.Series, after: pd.Series, name: str, unit: str, selection: str = "After the rules"
) -> Figure:
    """A number before cleaning, on scales that show all crowds, and after it, with its percentiles."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), width_ratios=[1, 1.15])
    values = before.dropna()
    _histogram(left, values, style.GREY, stretched=_spread(values))
    label = style.with_unit(name, unit)
    left.set(yscale="log", title=f"As it came: {len(values):,} rows", xlabel=label, ylabel="rows (log scale)")
    if len(after):
        left.axvspan(after.min(), after.max(), color=style.BLUE, alpha=0.13, label="shown on the right")
        low, high = left.get_ylim()
        left.set_ylim(low, high * (high / low) ** 0.15)  # room for the legend above the bars
        left.legend(loc="upper right")
    _histogram(right, after, style.BLUE)
    top = right.get_ylim()[1]
    right.set_ylim(0, 1.6 * top)  # room for the labels above the bars
    for step, percent in enumerate(profiling.PERCENTILES):
        value = np.nanpercentile(after, percent)
        height = top * (1.56 - 0.09 * step)
        right.vlines(value, 0, height, color=style.ORANGE, linewidth=1.2)
        right.annotate(f" {percent} %: {rounded(value, 4)}", (value, height), fontsize=8.5, va="top")
    right.set(title=f"{selection}: {len(after):,} rows", xlabel=label, ylabel="rows")
    style.thousands(right.yaxis)
    return figure


def target_classes(counts: pd.DataFrame, name: str) -> Figure:
    """Rows of each class, the most frequent first, with its share."""
    texts = [f"{share:.1%}" for share in counts["share"]]
    return shapes.bars(counts.iloc[:, -2], "rows after the rules", f"Rows of each {name}", texts)


@style.figure
def missing(share: pd.Series, rows: int) -> Figure:
    """The share of missing values of each column that has any."""
    if share.empty:
        return shapes.grid(0, 1, nothing="No value is missing in any column.")[0]
    texts = [f"{100 * value:.2g} % ({value * rows:,.0f})" for value in share]
    return shapes.bars(100 * share, "% of the rows", "Missing values", texts)


@style.figure
def frequent(rows: pd.DataFrame, names: Mapping[str, Callable[[object], str]], most: int = 8) -> Figure:
    """The most frequent values of each column of `names`, by name, as shares; above it how many there are."""
    figure, grid = shapes.grid(len(names), height=2.3)
    for axes, (name, called) in zip(grid, names.items(), strict=True):
        shares = 100 * rows[name].value_counts(normalize=True)
        top = shares.head(most).rename(lambda value, called=called: style.short(called(value)))
        shapes.lay_bars(axes, top)
        axes.set_title(f"{name}: {len(shares):,} value{'' if len(shares) == 1 else 's'}", fontsize=10)
        axes.set_ylim(max(len(top), 4) - 0.4, -0.6)
        axes.set_xlabel(f"% of rows; {top.sum():.0f}% shown", fontsize=9)
    return figure


@style.figure
def numbers(rows: pd.DataFrame, units: Mapping[str, str]) -> Figure:
    """The distribution of each number, on stretched axes where its tails are long, with its median."""
    figure, grid = shapes.grid(len(units), height=2.5)
    for axes, (name, unit) in zip(grid, units.items(), strict=True):
        values = rows[name].dropna().astype(float)
        few, stretched, median = values.nunique() <= 25, _spread(values), values.median()
        if few:
            sns.countplot(x=values, native_scale=True, color=style.BLUE, saturation=1, ax=axes)
        else:
            _histogram(axes, values, style.BLUE, stretched=stretched)
        if few or stretched or median - values.min() < 0.04 * (values.max() - values.min()):
            axes.set_yscale("log")
        axes.axvline(median, color=style.ORANGE)
        style.thousands(axes.yaxis)
        axes.set(title=name, xlabel=f"{unit or 'value'}; median {rounded(median, 4)}", ylabel="")
        if not stretched:
            digits = len(f"{values.abs().max():,.0f}")
            nbins = max(2, min(5, 10 - digits))  # long numbers would touch
            axes.xaxis.set_major_locator(MaxNLocator(nbins, integer=few and values.mod(1).eq(0).all()))
            style.thousands(axes.xaxis)
    return figure


@style.figure
def with_target(table: pd.DataFrame, target: str, most: int = 14) -> Figure:
    """Bars of what each column explains of the target; those known only after the prediction stand out."""
    if table.empty:
        return shapes.grid(0, 1)[0]
    table = table.head(most)
    colours = {"before": style.BLUE, "after": style.ORANGE}
    figure = shapes.bars(
        100 * table["explained"],
        f"% of the variance of {target} told, on rows held out",
        f"What goes with {target}",
        [f"{value:.1%}" for value in table["explained"]],
        list(table["known"].map(colours)),
    )
    if "after" in set(table["known"]):
        labels = {"before": "known before the prediction", "after": "known only after"}
        patches = [Patch(color=colour, label=labels[known]) for known, colour in colours.items()]
        figure.axes[0].legend(handles=patches, loc="lower right")
    return figure


@style.figure
def by_column(
    rows: pd.DataFrame,
    titles: Mapping[str, str],
    names: Mapping[str, Callable[[object], str]],
    numbers: Mapping[str, str],
    target: str,
    unit: str,
) -> Figure:
    """The target along each column of `titles`: its median, and the band of the middle half of the rows.

    Of what is not among `numbers` (with their units), and of numbers of few values, a box for each.
    """
    named = {name: not (name in numbers and rows[name].nunique() > FEW) for name in titles}
    figure, grid = shapes.grid(len(titles), height=2.6, wide=any(named.values()))
    label, reach = style.with_unit(target, unit), []
    for axes, (name, title) in zip(grid, titles.items(), strict=True):
        axes.set_title(title)
        if named[name]:
            _boxes(axes, rows[name], rows[target], names[name])
            axes.set_xlabel(label)
            reach.append(axes.get_xlim())
        else:
            _band(axes, rows[name], rows[target])
            axes.set(xlabel=numbers[name], ylabel=label)
            reach.append(axes.get_ylim())
    for axes, name in zip(grid, titles, strict=True):  # one scale for the target
        (axes.set_xlim if named[name] else axes.set_ylim)(min(reach)[0], max(high for _, high in reach))
    return figure


def _boxes(axes: Axes, column: pd.Series, target: pd.Series, name: Callable[[object], str]) -> None:
    """A box of the target for each of the most frequent values that enough rows have, the first on top."""
    counts = column.value_counts()
    counts = counts[counts >= association.ENOUGH]
    order = sorted(counts.index) if len(counts) <= FEW else list(counts.index[:FEW])
    blue = {"color": style.BLUE}
    if not order:
        axes.text(0.5, 0.5, f"no value has {association.ENOUGH} rows", ha="center", transform=axes.transAxes)
        axes.set_yticks([])
        return
    axes.boxplot(  # by matplotlib: seaborn 0.13 calls this with an argument that is deprecated
        [target[column == value] for value in order],
        tick_labels=[style.short(name(value), 44) for value in order],
        orientation="horizontal",
        showfliers=False,
        patch_artist=True,
        widths=0.6,
        boxprops={"facecolor": "#c5d8e7", "edgecolor": style.BLUE},
        medianprops={"color": style.ORANGE, "linewidth": 2},
        whiskerprops=blue,
        capprops=blue,
    )
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=8)


def _band(axes: Axes, column: pd.Series, target: pd.Series) -> None:
    """Median and quartiles of the target in equal parts of a number."""
    parts = pd.qcut(column, association.BINS, duplicates="drop")
    middle = column.groupby(parts, observed=True).transform("median")
    look = {"color": style.ORANGE, "marker": "o", "markersize": 4, "markeredgewidth": 0}
    sns.lineplot(x=middle, y=target, estimator="median", errorbar=("pi", 50), ax=axes, **look)


@style.figure
def class_profile(rows: pd.DataFrame, columns: Sequence[str], target: str) -> Figure:
    """The mean of each number in each class, in standard deviations from the mean of all rows."""
    if not columns:
        return shapes.grid(0, 1)[0]
    table = profile(rows, columns, target)
    table = table.sort_values(table.columns[0])
    return shapes.heat_map(table, "standard deviations from the mean of all rows", digits=1, centre=0.0)


def profile(rows: pd.DataFrame, columns: Sequence[str], target: str) -> pd.DataFrame:
    """The mean of each number in each class, in standard deviations from the mean of all rows."""
    numbers = rows[list(columns)].astype(float)
    return ((numbers - numbers.mean()) / numbers.std()).groupby(rows[target]).mean()


@style.figure
def in_order(target: pd.Series, name: str, unit: str) -> Figure:
    """The target along the file: its median and middle half in blocks of rows, or where each class lies."""
    figure, axes = plt.subplots(figsize=(11, 3.2))
    target = target.reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(target):
        _band(axes, target.index.to_series(), target)
        axes.set(ylabel=style.with_unit(name, unit), ylim=(0 if target.min() >= 0 else None, None))
    else:
        thin = target.iloc[:: -(-len(target) // 4000)]
        ticks = {"marker": "|", "size": 4, "linewidth": 0.5, "color": style.BLUE, "jitter": False}
        sns.stripplot(x=thin.index, y=thin, order=sorted(thin.dropna().unique()), ax=axes, **ticks)
        axes.set_ylabel("")
    axes.set_xlabel("place in the file")
    style.thousands(axes.xaxis)
    return figure


def _spread(values: pd.Series) -> bool:
    """Whether a linear axis would show one bar: the extremes lie far outside the middle of the values."""
    low, high = np.percentile(values, [1, 99])
    return bool(values.max() - values.min() > 6 * max(high - low, 1e-12))


def _histogram(axes: Axes, values: pd.Series, colour: str, stretched: bool = False) -> None:
    """Bars of equal width on a linear or an asinh scale, which is linear around zero, logarithmic far out."""
    if stretched:
        axes.set_xscale("asinh")
    sns.histplot(x=values, bins=70 if stretched else 50, color=colour, alpha=1, linewidth=0, ax=axes)
    if stretched:
        ticks = SymmetricalLogLocator(base=10, linthresh=1)
        ticks.set_params(numticks=6)
        axes.xaxis.set_major_locator(ticks)
        axes.xaxis.set_minor_locator(NullLocator())
        style.thousands(axes.xaxis)
