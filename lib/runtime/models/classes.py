"""Weights of classes, and what they do to probabilities undone.

A fit in which a rare class counts more promises it too often: by Bayes' rule its odds are those of the rows
as they came times the ratio of the weights (Elkan 2001, "The Foundations of Cost-Sensitive Learning").
"""

import numpy as np
from numpy.typing import ArrayLike

#: What is learnt of held-out rows counts as if so many more had come as promised: rare classes come by luck.
AS_PROMISED = 10


def weights_of(labels: np.ndarray, classes: int, balance: float) -> np.ndarray:
    """A weight a class: with `balance` 1 all classes count alike, with 0 all rows do."""
    counts = np.bincount(labels, minlength=classes)
    weights: np.ndarray = (len(labels) / classes / np.maximum(counts, 1)) ** float(balance)
    return weights


class Weighted:
    """What classifiers of either kind share: `weights_` of the classes in the fit, if there were any."""

    classes_: np.ndarray
    weights_: np.ndarray | None = None

    def learn_means(self, y: ArrayLike, prediction: np.ndarray) -> None:
        """Promise each class as often as it comes, by a like model's `prediction` (rows × `classes_`).

        A fit that follows its rows too closely leaves weights half undone: the factors of the classes are set
        so that promises and shares agree on rows that it was not fitted on (iterative proportional fitting).
        """
        chances = np.asarray(prediction, dtype=float)
        came = (np.asarray(y).astype(str)[:, None] == self.classes_.astype(str)).sum(axis=0)
        wanted = (came + AS_PROMISED * chances.mean(axis=0)) / (came.sum() + AS_PROMISED)
        factors = np.ones(len(wanted))
        for _ in range(200):
            scaled = chances * factors
            factors *= wanted / (scaled / scaled.sum(axis=1, keepdims=True)).mean(axis=0)
        self.weights_ = (1.0 if self.weights_ is None else self.weights_) / factors

    def _unweighted(self, chances: np.ndarray) -> np.ndarray:
        """Probabilities (rows × classes) as if no class had counted more than its rows."""
        if self.weights_ is None:
            return chances
        plain = chances / self.weights_
        return plain / plain.sum(axis=1, keepdims=True)
