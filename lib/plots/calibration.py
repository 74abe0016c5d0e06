"""Does what was promised come true? Promises against what became of them, for classes and for numbers."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lib import evaluation
from lib.plots import style
from lib.quality import sidak
from lib.wording import rounded

#: Promises are sorted into so many bins of equal width (numbers: of equal rows), read from so many rows on.
BINS, LEAST = 10, 50


def table(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame) -> pd.DataFrame:
    """Bins of promises: `rows`, mean `promised`, mean that `came`, and its standard `error`.

    Of classes every probability of every class is a promise; of numbers every prediction. The means of
    classes are those of scikit-learn's `calibration_curve`, which has neither rows nor errors.
    """
    if task == "regression":
        promised, came = np.asarray(prediction, dtype=float), np.asarray(y, dtype=float)
        bins = pd.qcut(promised, BINS, labels=False, duplicates="drop")
    else:
        chances = pd.DataFrame(prediction)
        promised = chances.to_numpy(dtype=float).ravel()
        came = (np.asarray(y).astype(str)[:, None] == np.asarray(chances.columns).astype(str)).ravel() * 1.0
        bins = np.minimum((promised * BINS).astype(int), BINS - 1)
    frame = pd.DataFrame({"promised": promised, "came": came, "gap": came - promised})
    by_bin = frame.groupby(bins)
    found = by_bin[["promised", "came"]].mean().assign(rows=by_bin.size(), error=by_bin["gap"].sem())
    return found[found["rows"] >= LEAST].reset_index(drop=True)


@style.figure
def figure(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> Figure:
    """What came over what was promised; on the diagonal promises are kept, bars are two standard errors."""
    found = table(task, y, prediction)
    drawn, axes = plt.subplots(figsize=(5.4, 5))
    if found.empty:
        return drawn
    ends = [0.0, 1.0] if task != "regression" else [found["promised"].min(), found["promised"].max()]
    axes.plot(ends, ends, color=style.RED, linewidth=1.2, label="promises kept")
    axes.errorbar(found["promised"], found["came"], 2 * found["error"], fmt="o-", color=style.BLUE, capsize=3)
    what = (
        ("prediction", "truth") if task == "regression" else ("promised probability", "share that came true")
    )
    axes.set(xlabel=style.with_unit(f"{what[0]} (mean of a bin)", unit))
    axes.set(ylabel=style.with_unit(f"{what[1]} (mean of a bin)", unit))
    axes.legend(fontsize=8)
    return drawn


def read(task: str, y: ArrayLike, prediction: ArrayLike | pd.DataFrame, unit: str = "") -> str:
    """The bin that is furthest off by its standard error, if that is no chance; of classes more figures."""
    found = table(task, y, prediction)
    if found.empty:
        return f"No bin has {LEAST} promises: of so few nothing is read."
    from scipy import stats

    gap = found["came"] - found["promised"]
    distance = gap.abs() / found["error"].where(found["error"] > 0)
    level = stats.norm.isf(sidak(0.05, len(found)) / 2)
    unit = f" {unit}" if unit else ""
    if not distance.max() > level:
        said = f"None of the {len(found)} bins is further from the diagonal than chance alone brings it."
    else:
        worst = distance.idxmax()
        promised, came = found.loc[worst, "promised"], found.loc[worst, "came"]
        shown = (f"{rounded(promised)}{unit}", f"{rounded(came)}{unit}")
        if task != "regression":
            shown = (f"{promised:.1%}", f"{came:.1%}")
        said = (
            f"{int((distance > level).sum())} of the {len(found)} bins are further from the diagonal than "
            f"chance brings them. Most surely so the {found.loc[worst, 'rows']:,.0f} promises around "
            f"{shown[0]}: what came was {shown[1]}."
        )
    if task == "regression":
        return said
    loss = rounded(evaluation.metric("log_loss", task, y, prediction))
    by_class = _by_class(y, pd.DataFrame(prediction))
    return f"{said} All promises in one figure, the log loss: **{loss}**. {by_class}".rstrip()


def _by_class(y: ArrayLike, prediction: pd.DataFrame) -> str:
    """The class whose mean promise is furthest from its share, of those with rows enough."""
    truth = pd.Series(np.asarray(y).astype(str))
    counts = truth.value_counts().reindex([str(name) for name in prediction.columns], fill_value=0)
    common = counts[counts >= LEAST]
    if common.empty:
        return ""
    promised = prediction.mean().set_axis(counts.index)[common.index]
    ratio = promised / (common / len(truth))
    worst = np.log(ratio).abs().idxmax()
    return (
        f"Over all rows **{worst}** is promised {ratio[worst]:.2f} times as often as it comes, and no class "
        f"with {LEAST} rows is further from 1."
    )
