"""Boosting round by round: when it ends, the response on the way, and what its trees cost a row."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..encoders.matrix import Matrix
from . import trees

if TYPE_CHECKING:
    import xgboost
    from sklearn.base import BaseEstimator


#: How sums of trees become what a booster says, by its objective, where that is plain.
LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "reg:squarederror": lambda sums: sums,
    "reg:absoluteerror": lambda sums: sums,
    "multi:softprob": lambda sums: _shares(sums.reshape(len(sums), -1)),
}


def watch(
    X: Matrix, loss: Callable[[np.ndarray], float], patience: int, end: float, objective: str = ""
) -> Any:
    """A callback that ends a fit when `loss` of the response for `X` has not fallen in `patience` rounds.

    Or, after one round at least, when `time.monotonic()` is past `end`: `over` says whether that did it.
    `best` is the number of rounds with the lowest loss. Each round asks its own tree alone; XGBoost's own
    evaluation of binned rows takes longer than the round.
    """
    import xgboost

    class Watch(xgboost.callback.TrainingCallback):
        over = False
        best, lowest = 0, np.inf
        sums: np.ndarray | None = None

        def after_iteration(self, model: "xgboost.Booster", epoch: int, _: object) -> bool:
            self.sums, response = _further(model, X, (epoch, epoch + 1), self.sums, LINKS.get(objective))
            found = loss(response)
            if self.best == 0 or found < self.lowest:
                self.best, self.lowest = epoch + 1, found
            self.over = time.monotonic() > end
            return self.over or epoch + 1 - self.best >= patience

    return Watch()


def grow(estimator: "BaseEstimator", X: Matrix, y: ArrayLike, end: float) -> bool:
    """Fit scikit-learn's boosting some rounds at a time, to the last bit as at once; whether `end` cut it.

    First a tenth of its rounds, then as many as should take half of the time that is left.
    """
    name = "max_iter" if "max_iter" in estimator.get_params() else "n_estimators"
    wanted, done = estimator.get_params()[name], 0
    step = max(wanted // 10, 1)
    estimator.set_params(warm_start=True)
    while done < wanted and step > 0:
        begun, before = time.monotonic(), done
        done = min(done + step, wanted)
        estimator.set_params(**{name: done}).fit(X, y)
        now = time.monotonic()
        step = int((end - now) / 2 * (done - before) / (now - begun))
    estimator.set_params(warm_start=False)
    return bool(done < wanted)


def _shares(sums: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    return softmax(sums, axis=1)


def staged(
    booster: "xgboost.Booster", X: Matrix, rounds: int, most: int = 30
) -> Iterator[tuple[int, np.ndarray]]:
    """What a booster says after so many of its `rounds`, at `most` places from the first to the last."""
    sums, before = None, 0
    for reached in np.unique(np.linspace(1, rounds, min(most, rounds)).round().astype(int)):
        sums, response = _further(booster, X, (before, int(reached)), sums)
        before = int(reached)
        yield before, response


def _further(
    booster: "xgboost.Booster",
    X: Matrix,
    span: tuple[int, int],
    sums: np.ndarray | None,
    link: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The sums of the trees before `span` (none yet: None) and of those in it, and the response by them.

    With a `link` the rows are gone through once, else twice.
    """
    asked = {"iteration_range": span, "base_margin": sums, "validate_features": False}
    further = booster.inplace_predict(X, predict_type="margin", **asked)
    return further, link(further) if link else booster.inplace_predict(X, **asked)


def comparisons(booster: "xgboost.Booster") -> float:
    """Comparisons that one row costs: the share of rows that reach each inner node, summed.

    `get_score(importance_type="total_cover")` is not that: it adds up Hessians over all trees, whose
    roots differ with subsampling, weights and any loss but the squared one.
    """
    total = 0.0
    for tree in trees.learnt(booster)["gradient_booster"]["model"]["trees"]:
        cover, left = np.asarray(tree["sum_hessian"]), np.asarray(tree["left_children"])
        total += float(cover[left >= 0].sum() / max(cover[0], 1e-9))
    return total
