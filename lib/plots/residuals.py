"""Pictures of errors: predictions against the truth, residuals, slices, and models side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lib import evaluation
from lib.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def against(task: str, y: Any, prediction: Any, unit: str = "") -> Figure:
    """Predictions against the truth: a density of numbers, a normalised confusion matrix of classes."""
    return numbers(y, prediction, unit) if task == "regression" else confusion(y, prediction)


def read_against(task: str, y: Any, prediction: Any, unit: str = "") -> str:
    """The same in words."""
    return _read_numbers(y, prediction, unit) if task == "regression" else _read_confusion(y, prediction)


def errors(task: str, y: Any, prediction: Any, unit: str = "") -> Figure:
    """Where the errors are: by size of the prediction for numbers, ROC curves for classes."""
    return by_prediction(y, prediction, unit) if task == "regression" else roc(y, prediction)


def read_errors(task: str, y: Any, prediction: Any, unit: str = "") -> str:
    """The same in words."""
    return _read_residuals(y, prediction, unit) if task == "regression" else _read_roc(y, prediction)


@style.figure
def numbers(y: Any, prediction: Any, unit: str = "") -> Figure:
    """A density of predictions over the truth; the diagonal is a perfect model."""
    import matplotlib.pyplot as plt

    y, prediction = np.asarray(y, dtype=float), np.asarray(prediction, dtype=float)
    low = min(0.0, float(np.quantile(y, 0.001)))
    high = float(np.quantile(np.concatenate([y, prediction]), 0.999))
    figure, axes = plt.subplots(figsize=(6.2, 5.2))
    cells = axes.hexbin(y, prediction, gridsize=55, extent=(low, high, low, high), bins="log", mincnt=1)
    axes.plot([low, high], [low, high], color=style.RED, linewidth=1.2)
    said = f", {unit}" if unit else ""
    axes.set(xlabel=f"truth{said}", ylabel=f"prediction{said}", xlim=(low, high), ylim=(low, high))
    axes.set_aspect("equal")
    figure.colorbar(cells, ax=axes, label="rows (log scale)", shrink=0.85).outline.set_visible(False)
    return figure


def _read_numbers(y: Any, prediction: Any, unit: str) -> str:
    y, prediction = np.asarray(y, dtype=float), np.asarray(prediction, dtype=float)
    unit = f" {unit}" if unit else ""
    top = y >= np.quantile(y, 0.95)
    near = np.abs(y - prediction) <= np.abs(y).mean() * 0.2
    short = prediction[top].mean() < y[top].mean()
    turn = "The cloud turns away from it at the right: the" if short else "The"
    why = "A model answers towards the middle where it does not know. " if short else ""
    return (
        f"{near.mean():.0%} of the rows lie within {np.abs(y).mean() * 0.2:.2g}{unit} of the diagonal. "
        f"{turn} 5 % of rows with the largest truth, {y[top].mean():.3g}{unit} on average, are predicted at "
        f"{prediction[top].mean():.3g}{unit}. {why}How sure it is of a single row, this picture cannot show."
    )


@style.figure
def by_prediction(y: Any, prediction: Any, unit: str = "") -> Figure:
    """Truth minus prediction over the prediction: median, and the bands that hold half and nine tenths."""
    import matplotlib.pyplot as plt

    table = _bands(y, prediction)
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.fill_between(
        table.index, table[0.05], table[0.95], color=style.BLUE, alpha=0.15, label="nine tenths of rows"
    )
    axes.fill_between(
        table.index, table[0.25], table[0.75], color=style.BLUE, alpha=0.35, label="half of the rows"
    )
    axes.plot(table.index, table[0.5], color=style.BLUE, marker="o", markersize=3.5, label="median")
    axes.axhline(0, color=style.RED, linewidth=1.2)
    said = f", {unit}" if unit else ""
    axes.set(xlabel=f"prediction{said}", ylabel=f"truth minus prediction{said}")
    axes.legend(fontsize=8)
    return figure


def _bands(y: Any, prediction: Any, count: int = 20) -> pd.DataFrame:
    y, prediction = np.asarray(y, dtype=float), np.asarray(prediction, dtype=float)
    bins = pd.qcut(pd.Series(prediction), count, duplicates="drop", labels=False).fillna(0)
    table = pd.Series(y - prediction).groupby(bins).quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    table = table.unstack()  # noqa: PD010 - of a series, which has no pivot_table
    return table.set_index(pd.Series(prediction).groupby(bins).mean().to_numpy())


def _read_residuals(y: Any, prediction: Any, unit: str) -> str:
    table, unit = _bands(y, prediction), f" {unit}" if unit else ""
    left, right = table.iloc[0], table.iloc[-1]
    lean = table[0.5].abs().idxmax()
    longer = table[0.95].mean() > -table[0.05].mean()
    side = "upper" if longer else "lower"
    tail = f"The {side} tail is the longer one: the large errors are mostly on that side."
    return (
        f"Half of the rows predicted lowest are off by {left[0.25]:+.2g} to {left[0.75]:+.2g}{unit}, of "
        f"those predicted highest by {right[0.25]:+.2g} to {right[0.75]:+.2g}{unit}. The median leans "
        f"furthest from zero, {table.loc[lean, 0.5]:+.2g}{unit}, at predictions around {lean:.3g}{unit}. "
        f"{tail}"
    )


@style.figure
def confusion(y: Any, prediction: pd.DataFrame) -> Figure:
    """Each true class in a row, the share of it that was called each class."""
    import matplotlib.pyplot as plt

    table = _confusion(y, prediction)
    size = 1.8 + 0.42 * len(table)
    figure, axes = plt.subplots(figsize=(size + 1.2, size))
    image = axes.imshow(table, vmin=0, vmax=1)
    for i, j in np.argwhere(table.to_numpy() >= 0.1):
        share = table.iloc[i, j]
        axes.text(
            j,
            i,
            f"{share:.0%}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if share > 0.5 else style.INK,
        )
    axes.set_xticks(range(len(table)), list(table.columns), rotation=60, ha="right")
    axes.set_yticks(range(len(table)), list(table.index))
    axes.set(xlabel="called", ylabel="is")
    style.no_grid(axes)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8).outline.set_visible(False)
    return figure


def _confusion(y: Any, prediction: pd.DataFrame) -> pd.DataFrame:
    names = list(prediction.columns)
    table = pd.crosstab(pd.Series(np.asarray(y).astype(str)), pd.Series(prediction.idxmax(axis=1).to_numpy()))
    table = table.reindex(index=names, columns=names, fill_value=0)
    return table.div(table.sum(axis=1).clip(lower=1), axis=0)


def _read_confusion(y: Any, prediction: pd.DataFrame) -> str:
    table = _confusion(y, prediction)
    right = pd.Series(np.diag(table), index=table.index)
    off = np.where(np.eye(len(table), dtype=bool), 0.0, table)
    i, j = np.unravel_index(off.argmax(), off.shape)
    true, called, share = table.index[i], table.columns[j], off[i, j]
    return (
        f"**{right.idxmax()}** is told best ({right.max():.0%} of its rows), **{right.idxmin()}** worst "
        f"({right.min():.0%}). The commonest mix-up: {share:.0%} of {true} is called {called}. A row of the "
        "matrix adds up to all rows of that class, so a rare class weighs as much here as a common one."
    )


@style.figure
def roc(y: Any, prediction: pd.DataFrame) -> Figure:
    """One ROC curve a class, it against all others; the best and the worst are named."""
    import matplotlib.pyplot as plt
    from sklearn.metrics import roc_curve

    areas, truth = _areas(y, prediction), np.asarray(y).astype(str)
    figure, axes = plt.subplots(figsize=(5.4, 5))
    for name in areas.index:
        false, true, _ = roc_curve(truth == name, prediction[name])
        end = {areas.index[0]: style.GREEN, areas.index[-1]: style.RED}.get(name)
        said = f"{name} ({areas[name]:.3f})" if end else None
        axes.plot(
            false,
            true,
            color=end or style.GREY,
            linewidth=2 if end else 0.8,
            label=said,
            zorder=3 if end else 2,
        )
    axes.plot([0, 1], [0, 1], color=style.INK, linestyle=":", linewidth=1)
    axes.set(xlabel="share of the others that is let in", ylabel="share of the class that is found")
    axes.set_aspect("equal")
    axes.legend(title="area under the curve", fontsize=8)
    return figure


def _areas(y: Any, prediction: pd.DataFrame) -> pd.Series:
    from sklearn.metrics import roc_auc_score

    truth = np.asarray(y).astype(str)
    there = [name for name in prediction.columns if 0 < (truth == name).sum() < len(truth)]
    areas = {name: roc_auc_score(truth == name, prediction[name]) for name in there}
    return pd.Series(areas).sort_values(ascending=False)


def _read_roc(y: Any, prediction: pd.DataFrame) -> str:
    areas = _areas(y, prediction)
    return (
        f"The green curve, **{areas.index[0]}**, encloses {areas.iloc[0]:.3f}; the red one, "
        f"**{areas.index[-1]}**, {areas.iloc[-1]:.3f}: so often a row of the class gets a higher score than "
        "one of the others. One half would be chance. The curve says nothing of where to set the threshold."
    )


@style.figure
def slices(table: pd.DataFrame, metric: str, overall: float, unit: str = "") -> Figure:
    """The metric of each group, slice by slice, against the line of all rows; the worst in red."""
    import matplotlib.pyplot as plt

    if table.empty:
        return plt.figure(figsize=(8, 0.3))
    worst, names = table.iloc[0], list(dict.fromkeys(table["slice"]))
    table = table.assign(order=table["slice"].map(names.index)).sort_values(["order", metric]).iloc[::-1]
    figure, axes = plt.subplots(figsize=(8, 0.8 + 0.27 * len(table)))
    red = (table["slice"] == worst["slice"]) & (table["group"] == worst["group"])
    colours = np.where(red, style.RED, style.BLUE)
    places = np.arange(len(table))
    axes.hlines(places, overall, table[metric], color=colours, linewidth=1.4)
    axes.scatter(table[metric], places, c=colours, s=12 + 160 * table["rows"] / table["rows"].max(), zorder=3)
    axes.axvline(overall, color=style.INK, linewidth=1, linestyle=":")
    axes.set_yticks(places, [f"{r.slice}: {r.group}" for r in table.itertuples()], fontsize=8)
    axes.set_xlabel(
        f"{metric}{f', {unit}' if unit else ''} (dotted: all rows; the larger the dot, the more rows)"
    )
    return figure


def read_slices(table: pd.DataFrame, metric: str, overall: float, unit: str = "") -> str:
    """The worst and the best group in words."""
    if table.empty:
        return "No group has the 30 rows that it takes to tell a bad one from an unlucky one."
    worst, best, unit = table.iloc[0], table.iloc[-1], f" {unit}" if unit else ""
    return (
        f"**Worst: {worst['slice']}, {worst['group']}**, {metric} {worst[metric]:.3g}{unit} over "
        f"{worst['rows']:,} rows, against {overall:.3g}{unit} over all. Best: {best['slice']}, "
        f"{best['group']}, {best[metric]:.3g}{unit}. Groups of fewer than 30 rows are left out: there, luck "
        "would speak."
    )


@style.figure
def models(table: pd.DataFrame, metric: str, unit: str = "") -> Figure:
    """The metric of several models on the same rows, best on top."""
    import matplotlib.pyplot as plt

    way = evaluation.sign(metric)
    shown = table.sort_values(metric, ascending=way > 0)
    figure, axes = plt.subplots(figsize=(7.5, 0.8 + 0.42 * len(shown)))
    colours = [style.BLUE if kept else style.GREY for kept in shown["kept"]]
    bars = axes.barh(shown.index[::-1], shown[metric][::-1], color=colours[::-1])
    axes.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
    axes.margins(x=0.12)
    axes.set_xlabel(
        f"test {metric}{f', {unit}' if unit else ''} ({'lower' if way > 0 else 'higher'} is better)"
    )
    return figure
