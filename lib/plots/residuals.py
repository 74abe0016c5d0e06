"""Pictures of errors: predictions against the truth, residuals, slices, and models side by side.

What only classes have is in `classes`.
"""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lib import evaluation
from lib.plots import classes, shapes, style
from lib.plots.classes import ENOUGH, LUCK
from lib.quality import sidak
from lib.wording import rounded


def against(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> Figure:
    """Predictions against the truth: a density of numbers, a normalised confusion matrix of classes."""
    return numbers(y, prediction, unit) if task == "regression" else classes.confusion(y, prediction)


def read_against(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> str:
    """The same in words."""
    return (
        _read_numbers(y, prediction, unit) if task == "regression" else classes.read_confusion(y, prediction)
    )


def errors(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> Figure:
    """Where the errors are: by size of the prediction for numbers, ROC curves for classes."""
    return by_prediction(y, prediction, unit) if task == "regression" else classes.roc(y, prediction)


def read_errors(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> str:
    """The same in words."""
    return _read_residuals(y, prediction, unit) if task == "regression" else classes.read_roc(y, prediction)


@style.figure
def numbers(y: ArrayLike, prediction: ArrayLike, unit: str = "") -> Figure:
    """A density of predictions over the truth; the diagonal is a perfect model."""
    y, prediction = np.asarray(y, dtype=float), np.asarray(prediction, dtype=float)
    low = min(0.0, float(np.quantile(y, 0.001)))
    high = float(np.quantile(np.concatenate([y, prediction]), 0.999))
    figure, axes = plt.subplots(figsize=(6.2, 5.2))
    colours = {"cmap": style.SEQUENTIAL, "norm": LogNorm(), "vmin": None, "vmax": None}
    bar = {"label": "rows (log scale)", "shrink": 0.85}
    limits = (low, high)
    sns.histplot(x=y, y=prediction, bins=60, binrange=limits, cbar=True, cbar_kws=bar, ax=axes, **colours)
    axes.plot(limits, limits, color=style.RED, linewidth=1.2)
    axes.set(xlabel=style.with_unit("truth", unit), ylabel=style.with_unit("prediction", unit))
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    return figure


def _read_numbers(y: ArrayLike, prediction: ArrayLike, unit: str) -> str:
    y, prediction = np.asarray(y, dtype=float), np.asarray(prediction, dtype=float)
    unit = f" {unit}" if unit else ""
    if len(y) < ENOUGH:
        return f"{len(y)} rows are too few to say how near the predictions are: it takes {ENOUGH}."
    top = y >= np.quantile(y, 0.95)
    near = np.abs(y - prediction) <= np.abs(y).mean() * 0.2
    short = prediction[top].mean() < y[top].mean()
    turn = "The cloud turns away from it at the right: the" if short else "The"
    why = "A model answers towards the middle where it does not know. " if short else ""
    largest = (
        f"{turn} 5 % of rows with the largest truth, {rounded(y[top].mean())}{unit} on average, are "
        f"predicted at {rounded(prediction[top].mean())}{unit}. {why}"
    )
    return (
        f"{near.mean():.0%} of the rows lie within {rounded(np.abs(y).mean() * 0.2, 2)}{unit} of the "
        "diagonal. "
        f"{largest if top.sum() >= ENOUGH else ''}How sure it is of a single row, this picture cannot show."
    )


@style.figure
def by_prediction(y: ArrayLike, prediction: ArrayLike, unit: str = "") -> Figure:
    """Truth minus prediction over the prediction: median, and the bands that hold half and nine tenths."""
    table = _bands(y, prediction)
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.set_prop_cycle(color=[style.BLUE])
    axes.fill_between(table.index, table[0.05], table[0.95], alpha=0.15, label="nine tenths of rows")
    axes.fill_between(table.index, table[0.25], table[0.75], alpha=0.35, label="half of the rows")
    axes.plot(table.index, table[0.5], marker="o", markersize=3.5, label="median")
    axes.axhline(0, color=style.RED, linewidth=1.2)
    axes.set_xlabel(style.with_unit("prediction", unit))
    axes.set_ylabel(style.with_unit("truth minus prediction", unit))
    axes.legend(fontsize=8)
    return figure


def _bands(y: ArrayLike, prediction: ArrayLike) -> pd.DataFrame:
    """Quantiles of the residuals in at most 20 equal parts of the rows, at the mean prediction of each.

    `rows` are those of the part, `above` those of them whose truth lies above the prediction.
    """
    x = pd.Series(np.asarray(prediction, dtype=float))
    parts = max(1, min(20, len(x) // ENOUGH))
    bins = pd.qcut(x, parts, duplicates="drop", labels=False).fillna(0)
    residuals = (np.asarray(y, dtype=float) - x).groupby(bins)
    found: dict[object, pd.Series] = {s: residuals.quantile(s) for s in (0.05, 0.25, 0.5, 0.75, 0.95)}
    found |= {"rows": residuals.size(), "above": residuals.agg(lambda part: (part > 0).sum())}
    return pd.DataFrame(found).set_index(x.groupby(bins).mean())


def _read_residuals(y: ArrayLike, prediction: ArrayLike, unit: str) -> str:
    table, unit = _bands(y, prediction), f" {unit}" if unit else ""
    table = table[table["rows"] >= ENOUGH]
    if len(table) < 2:
        return f"There are not two parts of {ENOUGH} rows with like predictions: nothing is read of so few."
    left, right = table.iloc[0], table.iloc[-1]
    off = np.asarray(y, dtype=float) - np.asarray(prediction, dtype=float)
    large = off[np.abs(off) >= np.quantile(np.abs(off), 0.9)] > 0
    tail = "Neither tail is longer than the other by more than luck."
    if _uneven(large.sum(), len(large)) < LUCK:
        side = "upper" if large.mean() > 0.5 else "lower"
        tail = f"The {side} tail is the longer one: the large errors are mostly on that side."
    leaning = _uneven(table["above"], table["rows"]) < sidak(LUCK, len(table))
    lean = table.loc[leaning, 0.5].abs().idxmax() if leaning.any() else None
    low, high = (
        f"{rounded(part[0.25], 2, '+')} to {rounded(part[0.75], 2, '+')}{unit}" for part in (left, right)
    )
    return (
        f"Half of the rows predicted lowest are off by {low}, of those predicted highest by {high}. "
        + (
            "Nowhere does the median lean from zero by more than luck. "
            if lean is None
            else f"The median leans furthest from zero, {rounded(table.loc[lean, 0.5], 2, '+')}{unit}, at "
            f"predictions around {rounded(lean)}{unit}. "
        )
        + tail
    )


def _uneven(above: ArrayLike, rows: ArrayLike) -> np.ndarray:
    """How likely a share so far from one half is as luck (the sign test)."""
    from scipy import stats

    above, rows = np.asarray(above), np.asarray(rows)
    return np.minimum(2 * stats.binom.cdf(np.minimum(above, rows - above), rows, 0.5), 1)


@style.figure
def slices(table: pd.DataFrame, metric: str, overall: float, unit: str = "") -> Figure:
    """The metric of each group, slice by slice, against the line of all rows; the worst is marked."""
    if table.empty:
        return plt.figure(figsize=(8, 0.3))
    table = table.assign(
        name=table["slice"] + ": " + table["group"].astype(str),
        colour=[style.RED] + [style.BLUE] * (len(table) - 1),  # the worst comes first
        place=pd.factorize(table["slice"])[0],
    ).sort_values(["place", metric])
    figure, axes = plt.subplots(figsize=(8, 0.8 + 0.27 * len(table)))
    axes.hlines(table["name"], overall, table[metric], color=table["colour"], linewidth=1.4)
    sizes = 12 + 160 * table["rows"] / table["rows"].max()
    axes.scatter(table[metric], table["name"], c=table["colour"], s=sizes, zorder=3)
    axes.axvline(overall, color=style.INK, linewidth=1, linestyle=":")
    worst = table.loc[table["colour"] == style.RED].iloc[0]
    axes.annotate(
        "worst", (worst[metric], worst["name"]), (0, 8), textcoords="offset points", ha="center", fontsize=8
    )
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=8)
    axes.set_xlabel(f"{style.with_unit(metric, unit)} (dotted: all rows; the larger the dot, the more rows)")
    return figure


def read_slices(table: pd.DataFrame, metric: str, overall: float, unit: str = "", sure: bool = True) -> str:
    """The worst and the best group in words; where nobody is `sure`, that one of them has to come last."""
    if table.empty:
        return "No group has the 30 rows that it takes to tell a bad one from an unlucky one."
    worst, best, unit = table.iloc[0], table.iloc[-1], f" {unit}" if unit else ""
    if not sure:
        return (
            f"No group stands out by more than luck explains. {worst['slice']}, {worst['group']} comes last "
            f"({metric} {rounded(worst[metric])}{unit} over {worst['rows']:,} rows, {rounded(overall)} over "
            f"all), but of {len(table)} groups one has to."
        )
    return (
        f"**Worst: {worst['slice']}, {worst['group']}**, {metric} {rounded(worst[metric])}{unit} over "
        f"{worst['rows']:,} rows, against {rounded(overall)}{unit} over all. Best: {best['slice']}, "
        f"{best['group']}, {rounded(best[metric])}{unit}. Groups of fewer than 30 rows are left out: "
        "there, luck would speak."
    )


def models(table: pd.DataFrame, metric: str, unit: str = "") -> Figure:
    """The metric of several models on the same rows, best on top."""
    lower = evaluation.sign(metric) > 0
    table = table.sort_values(metric, ascending=lower)
    label = f"{style.with_unit(f'test {metric}', unit)} ({'lower' if lower else 'higher'} is better)"
    texts = [f"{score:.3f}" for score in table[metric]]
    colours = [style.BLUE if kept else style.GREY for kept in table["kept"]]
    return shapes.bars(table[metric], label, texts=texts, colours=colours)
