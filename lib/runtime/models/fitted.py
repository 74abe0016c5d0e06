"""Models as scikit-learn estimators that also say what a prediction costs, and are stored without pickle.

`Sklearn…` holds any scikit-learn estimator (here), `Boosted…` an XGBoost booster (in `boosted`), each as a
regressor and as a classifier. They take a matrix of `encoders`, or any array.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from ..encoders.matrix import Matrix
from ..schema import Settings
from . import rounds, stored
from .classes import Weighted
from .targets import Transformed


class Model(Protocol):
    """What the rest of the project asks of a model: an estimator that says its cost and can be stored."""

    def fit(self, X: Matrix, y: ArrayLike) -> "Model": ...
    def predict(self, X: Matrix) -> np.ndarray: ...
    def learn_means(self, y: ArrayLike, response: Any, /) -> None: ...
    def comparisons(self, X: Matrix, /) -> float: ...
    def staged(self, X: Matrix) -> Iterator[tuple[int, np.ndarray]]: ...
    def save(self, folder: Path) -> Settings: ...


@runtime_checkable
class Classifier(Model, Protocol):
    """A fitted model of classes: what it has beside."""

    classes_: np.ndarray

    def predict_proba(self, X: Matrix) -> np.ndarray: ...


class Sklearn(MetaEstimatorMixin, BaseEstimator):
    """A scikit-learn estimator; `estimator_` is the one that was fitted, a clone of the argument."""

    estimator: BaseEstimator
    estimator_: BaseEstimator
    converged_: bool  # whether its solver came to an end by itself
    cut_: bool  # whether the clock ended its boosting

    def _fit(self, X: Matrix, y: ArrayLike, end: float) -> None:
        """Fit; of a solver that ran out of steps `converged_` says so, in place of a warning.

        Boosting ends with the rounds it has when `time.monotonic()` comes near `end`.
        """
        import warnings

        from sklearn.exceptions import ConvergenceWarning

        self.estimator_, self.cut_ = clone(self.estimator), False
        *before, last = self._steps
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            if end < math.inf and hasattr(last, "staged_predict"):
                for step in before:
                    X = step.fit_transform(X, y)
                self.cut_ = rounds.grow(last, X, y, end)
            else:
                self.estimator_.fit(X, y)
        self.converged_ = not any(issubclass(one.category, ConvergenceWarning) for one in caught)
        for one in caught:
            if not issubclass(one.category, ConvergenceWarning):
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        if "n_jobs" in self.estimator_.get_params(deep=False):
            self.estimator_.set_params(n_jobs=None)  # threads add up trees in any order: not twice the same

    @property
    def _steps(self) -> list[BaseEstimator]:
        """What is done to a matrix, one after another; the last one predicts."""
        return [step for _, step in getattr(self.estimator_, "steps", [("", self.estimator_)])]

    @property
    def rounds_(self) -> int | None:
        """How many rounds of boosting it keeps; None of what does not boost."""
        last = self._steps[-1]
        kept = getattr(last, "n_estimators_", getattr(last, "n_iter_", None))
        return kept if hasattr(last, "staged_predict") else None

    @property
    def n_features_in_(self) -> int:
        """How many columns it was fitted on."""
        count: int = self.estimator_.n_features_in_
        return count

    def comparisons(self, X: Matrix, /) -> float:
        """Steps that one row costs: comparisons in trees, multiplications in a line."""
        last = self._steps[-1]
        if hasattr(last, "_predictors"):  # histogram boosting has no public face for its trees
            trees = [tree.nodes for stage in last._predictors for tree in stage]  # noqa: SLF001
            return sum(float(t["count"][t["is_leaf"] == 0].sum() / t["count"][0]) for t in trees)
        if hasattr(last, "estimators_"):
            trees = [tree.tree_ for tree in np.ravel(last.estimators_)]
            inner = [t.n_node_samples[t.children_left >= 0].sum() / t.n_node_samples[0] for t in trees]
            return float(sum(inner))
        filled = X.nnz / X.shape[0] if hasattr(X, "nnz") else X.shape[1]
        return float(filled * len(getattr(self, "classes_", "1")))

    def staged(self, X: Matrix) -> Iterator[tuple[int, np.ndarray]]:
        """The response after each round of boosting; of an estimator that does not boost nothing."""
        *before, last = self._steps
        if not hasattr(last, "staged_predict"):
            return
        for step in before:
            X = step.transform(X)
        ask = last.staged_predict_proba if hasattr(self, "classes_") else last.staged_predict
        for number, output in enumerate(ask(X), start=1):
            yield number, self.back(output)

    def back(self, output: np.ndarray) -> np.ndarray:
        """What the estimator says as the target has it."""
        return output

    def save(self, folder: Path) -> Settings:
        """Write `model.skops`; returns what `load` needs to know."""
        stored.dump(self.estimator_, folder / "model.skops")
        return {"kind": "sklearn", **described(self)}

    def restore(self, folder: Path, about: Settings) -> None:
        """Take back what `save` wrote; a type that is not on the trusted list is refused."""
        self.estimator = self.estimator_ = stored.load(folder / "model.skops")
        restored(self, about)

    def __sklearn_tags__(self) -> Tags:
        """It takes what the estimator takes."""
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        return tags


class SklearnRegressor(RegressorMixin, Transformed, Sklearn):
    """Fitted to the target as `target` of `TARGETS` transforms it; answers are in the target's own unit."""

    def __init__(self, estimator: BaseEstimator, target: str = "identity") -> None:
        self.estimator = estimator
        self.target = target

    def fit(self, X: Matrix, y: ArrayLike, end: float = math.inf) -> "SklearnRegressor":
        """Learn numbers from the rows of `X`."""
        self._fit(X, y if self.target == "identity" else self._forward(y), end)
        return self

    def predict(self, X: Matrix) -> np.ndarray:
        """A number for each row."""
        check_is_fitted(self)
        return self.back(self.estimator_.predict(X))


class SklearnClassifier(ClassifierMixin, Weighted, Sklearn):
    """A scikit-learn classifier that gives probabilities: what `class_weight` does to them is undone."""

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator = estimator

    def fit(self, X: Matrix, y: ArrayLike, end: float = math.inf) -> "SklearnClassifier":
        """Learn classes from the rows of `X`."""
        self._fit(X, y, end)
        self.classes_ = self.estimator_.classes_
        if weight := getattr(self._steps[-1], "class_weight", None):
            weight = "balanced" if weight == "balanced_subsample" else weight
            self.weights_ = compute_class_weight(weight, classes=self.classes_, y=np.asarray(y))
        return self

    def predict(self, X: Matrix) -> np.ndarray:
        """The likeliest class of each row."""
        check_is_fitted(self)
        if self.weights_ is None:
            return self.estimator_.predict(X)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X: Matrix) -> np.ndarray:
        """Probabilities, rows × `classes_`."""
        check_is_fitted(self)
        return self.back(self.estimator_.predict_proba(X))

    def back(self, output: np.ndarray) -> np.ndarray:
        return self._unweighted(output)


def described(model: BaseEstimator) -> Settings:
    """What a stored model of any kind says of itself."""
    return {
        "task": "classification" if hasattr(model, "classes_") else "regression",
        "target": getattr(model, "target", "identity"),
        "classes": model.classes_.tolist() if hasattr(model, "classes_") else None,
        **{name: np.asarray(getattr(model, name)).tolist() for name in LEARNT if _has(model, name)},
    }


#: What a model may have learnt beside its estimator, stored as plain numbers.
LEARNT = ("weights_", "spread_")


def _has(model: BaseEstimator, name: str) -> bool:
    return getattr(model, name, None) is not None


def restored(model: BaseEstimator, about: Settings) -> None:
    """Give a stored model back what `described` says of it."""
    if about["classes"]:
        model.classes_ = np.array(about["classes"])
    for name in LEARNT:
        if name in about:
            setattr(model, name, np.array(about[name]) if isinstance(about[name], list) else about[name])
