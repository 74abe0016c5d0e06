"""Boosting round by round: a clock that ends it, the response on the way, and what its trees cost a row."""

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..encoders.matrix import Matrix

if TYPE_CHECKING:
    import xgboost


def clock(end: float) -> Any:
    """A callback that ends a fit, after one round at least, when `time.monotonic()` is past `end`.

    Its `over` says whether it did.
    """
    import xgboost

    class Clock(xgboost.callback.TrainingCallback):
        over = False

        def after_iteration(self, *_: object) -> bool:
            self.over = time.monotonic() > end
            return self.over

    return Clock()


def staged(
    booster: "xgboost.Booster", X: Matrix, rounds: int, most: int = 30
) -> Iterator[tuple[int, np.ndarray]]:
    """What a booster says after so many of its `rounds`, at `most` places from the first to the last."""
    import xgboost

    data, before = xgboost.DMatrix(X), 0
    for reached in np.unique(np.linspace(1, rounds, min(most, rounds)).round().astype(int)):
        span = (before, int(reached))
        sums = booster.predict(data, iteration_range=span, output_margin=True)
        response = booster.predict(data, iteration_range=span)
        data.set_base_margin(sums)
        before = int(reached)
        yield before, response


def comparisons(booster: "xgboost.Booster") -> float:
    """Comparisons that one row costs: the share of rows that reach each inner node, summed.

    `get_score(importance_type="total_cover")` is not that: it adds up Hessians over all trees, whose
    roots differ with subsampling, weights and any loss but the squared one.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    total = 0.0
    for tree in learner["gradient_booster"]["model"]["trees"]:
        cover, left = np.asarray(tree["sum_hessian"]), np.asarray(tree["left_children"])
        total += float(cover[left >= 0].sum() / max(cover[0], 1e-9))
    return total
