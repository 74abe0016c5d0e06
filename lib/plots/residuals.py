"""Pictures of errors: predictions against the truth, residuals, slices, and models side by side."""

import functools

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lib import evaluation
from lib.evaluation import classes
from lib.plots import shapes, style
from lib.wording import few, rounded, signed


def against(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> Figure:
    """Predictions against the truth: a density of numbers, a normalised confusion matrix of classes."""
    return numbers(y, prediction, unit) if task == "regression" else confusion(y, prediction)


def read_against(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> str:
    """The same in words."""
    return _read_numbers(y, prediction, unit) if task == "regression" else _read_confusion(y, prediction)


def errors(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> Figure:
    """Where the errors are: by size of the prediction for numbers, ROC curves for classes."""
    return by_prediction(y, prediction, unit) if task == "regression" else roc(y, prediction)


def read_errors(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> str:
    """The same in words."""
    return _read_residuals(y, prediction, unit) if task == "regression" else _read_roc(y, prediction)


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
    top = y >= np.quantile(y, 0.95)
    near = np.abs(y - prediction) <= np.abs(y).mean() * 0.2
    short = prediction[top].mean() < y[top].mean()
    turn = "The cloud turns away from it at the right: the" if short else "The"
    why = "A model answers towards the middle where it does not know. " if short else ""
    return (
        f"{near.mean():.0%} of the rows lie within {rounded(np.abs(y).mean() * 0.2, 2)}{unit} of the "
        f"diagonal. {turn} 5 % of rows with the largest truth, {rounded(y[top].mean())}{unit} on average, "
        f"are predicted at {rounded(prediction[top].mean())}{unit}. {why}How sure it is of a single row, "
        "this picture cannot show."
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


def _bands(y: ArrayLike, prediction: ArrayLike, count: int = 20) -> pd.DataFrame:
    """Quantiles of the residuals in equal parts of the rows, at the mean prediction of each part."""
    x = pd.Series(np.asarray(prediction, dtype=float))
    bins = pd.qcut(x, count, duplicates="drop", labels=False).fillna(0)
    residuals = (np.asarray(y, dtype=float) - x).groupby(bins)
    quantiles = {share: residuals.quantile(share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)}
    return pd.DataFrame(quantiles).set_index(x.groupby(bins).mean())


def _read_residuals(y: ArrayLike, prediction: ArrayLike, unit: str) -> str:
    table, unit = _bands(y, prediction), f" {unit}" if unit else ""
    left, right = table.iloc[0], table.iloc[-1]
    lean = table[0.5].abs().idxmax()
    side = "upper" if table[0.95].mean() > -table[0.05].mean() else "lower"
    off = functools.partial(signed, digits=2)
    return (
        f"Half of the rows predicted lowest are off by {off(left[0.25])} to {off(left[0.75])}{unit}, of "
        f"those predicted highest by {off(right[0.25])} to {off(right[0.75])}{unit}. The median leans "
        f"furthest from zero, {off(table.loc[lean, 0.5])}{unit}, at predictions around "
        f"{rounded(lean)}{unit}. "
        f"The {side} tail is the longer one: the large errors are mostly on that side."
    )


def confusion(y: ArrayLike, prediction: pd.DataFrame) -> Figure:
    """Each true class in a row, the share of it that is predicted as each class."""
    table = 100 * _confusion(y, prediction).rename_axis(index="true class", columns="predicted class")
    return shapes.heat_map(table, "% of the true class", digits=0, least=10, unit="%", limits=(0, 100))


def _confusion(y: ArrayLike, prediction: pd.DataFrame) -> pd.DataFrame:
    from sklearn.metrics import confusion_matrix

    truth, predicted = np.asarray(y).astype(str), prediction.idxmax(axis=1).to_numpy().astype(str)
    names = [str(name) for name in prediction.columns]
    names += evaluation.unseen(truth, names)
    return pd.DataFrame(confusion_matrix(truth, predicted, labels=names, normalize="true"), names, names)


def _read_confusion(y: ArrayLike, prediction: pd.DataFrame) -> str:
    table = _confusion(y, prediction)
    right = pd.Series(np.diag(table), index=table.index)
    off = np.where(np.eye(len(table), dtype=bool), 0.0, table)
    i, j = np.unravel_index(off.argmax(), off.shape)
    true, called, share = table.index[i], table.columns[j], off[i, j]
    counts = pd.Series(np.asarray(y).astype(str)).value_counts()
    sure = [name for name, share in right.items() if share >= 0.995 and counts.get(name, 0) >= 30]
    text = (
        f"**{right.idxmax()}** is predicted best ({right.max():.0%} of its rows), **{right.idxmin()}** worst "
        f"({right.min():.0%}). The commonest mix-up: {share:.0%} of {true} is called {called}. A row of the "
        "matrix adds up to all rows of that class, so a rare class weighs as much here as a common one. "
        + classes.read_unseen(y, prediction.columns)
    )
    if not sure:
        return text
    which = "is a class" if len(sure) == 1 else f"are {len(sure)} of {len(table)} classes"
    return (
        f"**{few(sure)} {which} without a mistake to speak of** (99.5 % and more). Hardly anything is so "
        f"clear in the world: look below which column gives them away. {text}"
    )


@style.figure
def roc(y: ArrayLike, prediction: pd.DataFrame) -> Figure:
    """One ROC curve a class, it against all others; the best and the worst are named."""
    from sklearn.metrics import roc_curve

    areas, truth = _areas(y, prediction), np.asarray(y).astype(str)
    ends = {areas.index[-1]: (style.ORANGE, "--"), areas.index[0]: (style.BLUE, "-")}
    figure, axes = plt.subplots(figsize=(5.4, 5))
    for name, area in areas.items():
        false, true, _ = roc_curve(truth == name, prediction[name])
        if name in ends:
            colour, dashes = ends[name]
            axes.plot(false, true, dashes, color=colour, linewidth=2, label=f"{name} ({area:.3f})", zorder=3)
        else:
            axes.plot(false, true, color=style.GREY, linewidth=0.8)
    axes.plot([0, 1], [0, 1], color=style.INK, linestyle=":", linewidth=1)
    axes.set(
        xlabel="false positive rate: share of the others", ylabel="true positive rate: share of the class"
    )
    axes.set_aspect("equal")
    axes.legend(title="area under the curve", fontsize=8)
    return figure


def _areas(y: ArrayLike, prediction: pd.DataFrame) -> pd.Series:
    from sklearn.metrics import roc_auc_score

    truth = np.asarray(y).astype(str)
    present = [name for name in prediction.columns if 0 < (truth == name).sum() < len(truth)]
    areas = {name: roc_auc_score(truth == name, prediction[name]) for name in present}
    return pd.Series(areas).sort_values(ascending=False)


def _read_roc(y: ArrayLike, prediction: pd.DataFrame) -> str:
    areas = _areas(y, prediction)
    return (
        f"The solid curve, **{areas.index[0]}**, encloses {areas.iloc[0]:.3f}; the dashed one, "
        f"**{areas.index[-1]}**, {areas.iloc[-1]:.3f}: so often a row of the class gets a higher score than "
        "one of the others. One half would be chance. The curve says nothing of where to set the threshold."
    )


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
            f"({metric} {worst[metric]:.3g}{unit} over {worst['rows']:,} rows, {overall:.3g} over all), "
            f"but of {len(table)} groups one has to."
        )
    return (
        f"**Worst: {worst['slice']}, {worst['group']}**, {metric} {worst[metric]:.3g}{unit} over "
        f"{worst['rows']:,} rows, against {overall:.3g}{unit} over all. Best: {best['slice']}, "
        f"{best['group']}, {best[metric]:.3g}{unit}. Groups of fewer than 30 rows are left out: there, luck "
        "would speak."
    )


def models(table: pd.DataFrame, metric: str, unit: str = "") -> Figure:
    """The metric of several models on the same rows, best on top."""
    lower = evaluation.sign(metric) > 0
    table = table.sort_values(metric, ascending=lower)
    label = f"{style.with_unit(f'test {metric}', unit)} ({'lower' if lower else 'higher'} is better)"
    texts = [f"{score:.3f}" for score in table[metric]]
    colours = [style.BLUE if kept else style.GREY for kept in table["kept"]]
    return shapes.bars(table[metric], label, texts=texts, colours=colours)
