"""What a regressor is fitted to in place of the target, and how its answer becomes the target again.

A model of √y that is right on average is not so of y: squared back it answers too little, nearer to the
median than to the mean. `spread` of its errors on rows that it was not fitted on says by how much (Duan 1983,
"Smearing estimate", JASA 78).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

#: Answers on the log scale beyond this are no numbers of this world.
MOST = 50.0


@dataclass(frozen=True)
class Transform:
    """`forward` takes the target to the scale of the fit, `back` an answer (and a spread) to the target.

    `spread` is of centred errors on the scale of the fit; with that of none, `none`, `back` undoes `forward`.
    """

    forward: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray, float], np.ndarray]
    spread: Callable[[np.ndarray], float]
    none: float


TARGETS = {
    "identity": Transform(lambda y: y, lambda p, _: p, lambda _: 0.0, 0.0),
    "sqrt": Transform(
        np.sqrt, lambda p, spread: np.square(np.maximum(p, 0.0)) + spread, lambda e: float(np.var(e)), 0.0
    ),
    "log": Transform(
        np.log1p,
        lambda p, spread: spread * np.exp(np.minimum(p, MOST)) - 1,
        lambda e: float(np.mean(np.exp(e))),
        1.0,
    ),
}


class Transformed:
    """What regressors of either kind share: the `target` they are fitted to, and the way back."""

    target: str
    spread_: float

    def learn_means(self, y: ArrayLike, prediction: np.ndarray) -> None:
        """Answer the mean from now on, by the `prediction` of a like model for rows it was not fitted on."""
        scale = TARGETS[self.target]
        error = scale.forward(np.asarray(y, dtype=float)) - scale.forward(np.asarray(prediction, dtype=float))
        self.spread_ = scale.spread(error - error.mean())

    def _forward(self, y: ArrayLike) -> np.ndarray:
        return TARGETS[self.target].forward(np.asarray(y, dtype=float))

    def back(self, output: np.ndarray) -> np.ndarray:
        """From the scale of the fit to the target, and to its mean where the spread is known."""
        scale = TARGETS[self.target]
        return scale.back(output.astype(float), getattr(self, "spread_", scale.none))
