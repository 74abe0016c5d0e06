"""Pictures of answers that are classes: what is called what, and how well each is told from the others."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lib import evaluation
from lib.evaluation import classes
from lib.plots import shapes, style
from lib.quality import sidak
from lib.wording import few

#: Rows that a class, or a part of the predictions, needs before a sentence speaks of it.
ENOUGH = 30
#: How likely a difference may be as luck where a sentence tells of it.
LUCK = 0.001


def confusion(y: ArrayLike, prediction: pd.DataFrame) -> Figure:
    """Each true class in a row, the share of it that is predicted as each class."""
    counts = _confusion(y, prediction).rename_axis(index="true class", columns="predicted class")
    table = 100 * counts.div(counts.sum(axis=1), axis=0)  # a class without rows stays white
    return shapes.heat_map(table, "% of the true class", digits=0, least=10, unit="%", limits=(0, 100))


def _confusion(y: ArrayLike, prediction: pd.DataFrame) -> pd.DataFrame:
    from sklearn.metrics import confusion_matrix

    truth, predicted = np.asarray(y).astype(str), prediction.idxmax(axis=1).to_numpy().astype(str)
    names = [str(name) for name in prediction.columns]
    names += evaluation.unseen(truth, names)
    return pd.DataFrame(confusion_matrix(truth, predicted, labels=names), names, names)


def read_confusion(y: ArrayLike, prediction: pd.DataFrame) -> str:
    """The matrix in words; silent of classes with few rows, and where it is as luck would have it."""
    counts, unseen = _confusion(y, prediction), classes.read_unseen(y, prediction.columns)
    rows = counts.sum(axis=1)
    rows = rows[rows >= ENOUGH]
    if len(rows) < 2:
        return f"Not two classes have {ENOUGH} rows: nothing is read of so few. {unseen}".rstrip()
    if not _differ(counts.loc[rows.index].to_numpy()):
        return f"What is predicted goes with no class by more than luck: no class is named. {unseen}".rstrip()
    hits = pd.Series({name: counts.loc[name, name] for name in rows.index})
    cells = [(true, called) for true in rows.index for called in counts if called != true]
    mixed, of = np.array([[counts.loc[cell], rows[cell[0]]] for cell in cells]).T
    right, text = hits / rows, f"{hits.sum() / rows.sum():.0%} of the rows are called by their class. "
    if _differ(np.column_stack([hits, rows - hits])):
        text = (
            f"**{right.idxmax()}** is predicted best ({right.max():.0%} of its rows), **{right.idxmin()}** "
            f"worst ({right.min():.0%}). "
        )
    if _differ(np.column_stack([mixed, of - mixed])):
        true, called = cells[(mixed / of).argmax()]
        text += f"The commonest mix-up: {(mixed / of).max():.0%} of {true} is called {called}. "
    text += (
        "A row of the matrix adds up to all rows of that class, so a rare class weighs as much here as a "
        f"common one; of classes with fewer than {ENOUGH} rows nothing is said. {unseen}"
    ).rstrip()
    sure = [name for name, share in right.items() if share >= 0.995]
    if not sure:
        return text
    which = "is a class" if len(sure) == 1 else f"are {len(sure)} of {len(counts)} classes"
    return (
        f"**{few(sure)} {which} without a mistake to speak of** (99.5 % and more). Hardly anything is so "
        f"clear in the world: look below which column gives them away. {text}"
    )


def _differ(counts: np.ndarray) -> bool:
    """Whether the rows of a table of counts differ by more than luck (chi-squared)."""
    from scipy import stats

    counts = counts[:, counts.any(axis=0)]
    return counts.shape[1] > 1 and bool(stats.chi2_contingency(counts).pvalue < LUCK)


@style.figure
def roc(y: ArrayLike, prediction: pd.DataFrame) -> Figure:
    """One ROC curve a class, it against all others; of those with rows enough the ends are named."""
    from sklearn.metrics import roc_curve

    areas, truth = _areas(y, prediction), np.asarray(y).astype(str)
    known = _areas(y, prediction, ENOUGH).index
    ends = {known[-1]: (style.ORANGE, "--"), known[0]: (style.BLUE, "-")} if len(known) else {}
    figure, axes = plt.subplots(figsize=(5.4, 5))
    for name, area in areas.items():
        false, true, _ = roc_curve(truth == str(name), prediction[name])
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
    if ends:
        axes.legend(title="area under the curve", fontsize=8)
    return figure


def _areas(y: ArrayLike, prediction: pd.DataFrame, least: int = 1) -> pd.Series:
    """The area of each class with so many rows beside as many others, the largest first."""
    from sklearn.metrics import roc_auc_score

    truth = np.asarray(y).astype(str)
    present = [n for n in prediction.columns if least <= (truth == str(n)).sum() <= len(truth) - least]
    areas = {name: roc_auc_score(truth == str(name), prediction[name]) for name in present}
    return pd.Series(areas, dtype=float).sort_values(ascending=False)


def read_roc(y: ArrayLike, prediction: pd.DataFrame) -> str:
    """The curves in words; silent of classes with few rows, and where luck alone would bend them so."""
    from scipy import stats

    areas, truth = _areas(y, prediction, ENOUGH), np.asarray(y).astype(str)
    if areas.empty:
        return f"No class has {ENOUGH} rows beside as many others: of so few no area is read."
    own = np.array([(truth == name).sum() for name in areas.index])
    error = np.sqrt((len(truth) + 1) / (12.0 * own * (len(truth) - own)))  # of ranks by chance: the widest
    if not ((areas - 0.5) / error).max() > stats.norm.isf(sidak(LUCK, len(areas))):
        return "No curve is further from the diagonal than luck brings it: no class is named."
    text = f"The areas lie between {areas.iloc[-1]:.3f} and {areas.iloc[0]:.3f}"
    gap = (areas.iloc[0] - areas.iloc[-1]) / np.hypot(error[0], error[-1])
    if gap > stats.norm.isf(sidak(LUCK, len(areas) * (len(areas) - 1) // 2) / 2):
        text = (
            f"The solid curve, **{areas.index[0]}**, encloses {areas.iloc[0]:.3f}; the dashed one, "
            f"**{areas.index[-1]}**, {areas.iloc[-1]:.3f}"
        )
    return (
        f"{text}: so often a row of the class gets a higher score than one of the others. One half would be "
        "chance. The curve says nothing of where to set the threshold."
    )
