"""How far the truth may lie from one prediction: split-conformal intervals of numbers, and sets of classes.

Learnt from rows that the model was not fitted on: errors there, by size of the prediction, are taken for
those to come. It holds on average for rows like these, whatever the model, and is kept as plain numbers.
"""

import numpy as np
import pandas as pd

from .errors import InferenceError
from .schema import Settings

#: Predictions are cut in so many bins, each with at least so many rows.
BINS, FEWEST = 10, 100
#: The shares at which quantiles are kept.
SHARES = np.linspace(0.005, 0.995, 199)


def learn(y: np.ndarray, prediction: np.ndarray | pd.DataFrame) -> Settings:
    """Quantiles of the errors of numbers, or of 1 less the true class's chance, in bins of the prediction.

    Rows without a prediction have no error.
    """
    if isinstance(prediction, pd.DataFrame):
        chances = prediction.to_numpy(dtype=float)
        truth = np.asarray(y).astype(str)[:, None] == np.asarray(prediction.columns).astype(str)
        size, error = chances.max(axis=1), 1 - (chances * truth).sum(axis=1)
    else:
        size = np.asarray(prediction, dtype=float)
        error = np.asarray(y, dtype=float) - size
    size, error = size[~np.isnan(size)], error[~np.isnan(size)]
    bins = max(1, min(BINS, len(size) // FEWEST))
    edges = np.unique(np.quantile(size, np.arange(1, bins) / bins))
    which = np.searchsorted(edges, size, side="right")
    # n + 1 in place of n, so that the next row is counted, too: `weibull` is that
    kept = [np.quantile(error[which == i], SHARES, method="weibull").tolist() for i in np.unique(which)]
    edges = edges[: len(kept) - 1]
    return {"edges": edges.tolist(), "quantiles": kept}


def around(prediction: np.ndarray | pd.DataFrame, learnt: Settings, level: float) -> pd.DataFrame:
    """`prediction`, `low` and `high` of each row; for classes, whether each is in the row's set."""
    if not 0.5 <= level <= 0.99:
        raise InferenceError(f"An interval of {level} was asked for; it can be of 0.5 to 0.99.")
    quantiles, edges = np.array(learnt["quantiles"]), np.array(learnt["edges"])

    def at(share: float, size: np.ndarray) -> np.ndarray:
        by_bin = np.array([np.interp(share, SHARES, one) for one in quantiles])
        return by_bin[np.searchsorted(edges, size, side="right")]

    if isinstance(prediction, pd.DataFrame):
        chances = prediction.to_numpy(dtype=float)
        least = 1 - at(level, chances.max(axis=1))
        return pd.DataFrame(chances >= least[:, None], columns=prediction.columns, index=prediction.index)
    low, high = (prediction + at(share, prediction) for share in ((1 - level) / 2, (1 + level) / 2))
    return pd.DataFrame({"prediction": prediction, "low": low, "high": high})


def covered(y: np.ndarray, around: pd.DataFrame) -> np.ndarray:
    """Which rows' truth lies in the interval, or is in the set."""
    if list(around) == ["prediction", "low", "high"]:  # names of classes are sorted
        inside: np.ndarray = ((around["low"] <= y) & (y <= around["high"])).to_numpy()
        return inside
    truth = np.asarray(y).astype(str)[:, None] == np.asarray(around.columns).astype(str)
    held: np.ndarray = (around.to_numpy(dtype=bool) & truth).any(axis=1)
    return held
