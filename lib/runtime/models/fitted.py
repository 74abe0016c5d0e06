"""A model that can be fitted, asked, weighed and stored, whatever library it is from.

`Sklearn` holds any scikit-learn estimator, `Boosted` an XGBoost booster. Both take a matrix of
`encoders`; classes come back as a column of probabilities each, numbers as one array.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..encoders.base import Matrix
from ..errors import InferenceError
from ..schema import Settings
from . import stored

if TYPE_CHECKING:
    import xgboost
    from sklearn.base import BaseEstimator

#: What the model is fitted to, and how its answer becomes the target again.
TARGETS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "identity": (lambda y: y, lambda p: p),
    "sqrt": (np.sqrt, lambda p: np.square(np.maximum(p, 0.0))),
    "log": (np.log1p, lambda p: np.expm1(np.minimum(p, 50.0))),
}


#: Fewer rows than this are predicted by one thread.
FEW = 1000


class Model(Protocol):
    """What the rest of the project asks of a model."""

    classes: list[str] | None

    def fit(self, matrix: Matrix, y: np.ndarray) -> "Model": ...
    def predict(self, matrix: Matrix) -> np.ndarray: ...
    def comparisons(self, matrix: Matrix, /) -> float: ...
    def save(self, folder: Path) -> Settings: ...


class Sklearn:
    """A scikit-learn estimator, stored by skops with an explicit list of trusted types."""

    def __init__(self, estimator: "BaseEstimator", task: str, target: str = "identity") -> None:
        self.estimator, self.task, self.target = estimator, task, target
        self.classes: list[str] | None = None

    def fit(self, matrix: Matrix, y: np.ndarray) -> "Sklearn":
        """Fit; a solver that ran out of steps is no news in a search, so its warning is silenced."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.estimator.fit(matrix, y if self.task == "classification" else TARGETS[self.target][0](y))
        if "n_jobs" in self.estimator.get_params(deep=False):
            self.estimator.set_params(n_jobs=None)  # threads add up trees in any order: not twice the same
        if self.task == "classification":
            self.classes = [str(name) for name in self.estimator.classes_]
        return self

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Numbers, or one column of probabilities a class."""
        if self.task == "classification":
            return self.estimator.predict_proba(matrix)
        return TARGETS[self.target][1](self.estimator.predict(matrix))

    def comparisons(self, matrix: Matrix, /) -> float:
        """Steps that one row costs: comparisons in trees, multiplications in a line."""
        last = self.estimator[-1] if hasattr(self.estimator, "steps") else self.estimator
        if hasattr(last, "_predictors"):  # histogram boosting has no public face for its trees
            trees = [tree.nodes for stage in last._predictors for tree in stage]  # noqa: SLF001
            return sum(float(t["count"][t["is_leaf"] == 0].sum() / t["count"][0]) for t in trees)
        if hasattr(last, "estimators_"):
            trees = [tree.tree_ for tree in np.ravel(last.estimators_)]
            inner = [t.n_node_samples[t.children_left >= 0].sum() / t.n_node_samples[0] for t in trees]
            return float(sum(inner))
        filled = matrix.nnz / matrix.shape[0] if hasattr(matrix, "nnz") else matrix.shape[1]
        return float(filled * (len(self.classes) if self.classes else 1))

    def save(self, folder: Path) -> Settings:
        """Write `model.skops`; returns what `load` needs to know."""
        stored.dump(self.estimator, folder / "model.skops")
        return {"kind": "sklearn", "task": self.task, "target": self.target, "classes": self.classes}

    @classmethod
    def load(cls, folder: Path, about: Settings) -> "Sklearn":
        """What `save` wrote; a type that is not on the trusted list is refused."""
        model = cls(stored.load(folder / "model.skops"), about["task"], about["target"])
        model.classes = about["classes"]
        return model


class Boosted:
    """An XGBoost booster. It is fitted for `num_boost_round` rounds, or stopped early on validation rows."""

    PATIENCE = 30

    def __init__(self, parameters: Settings, task: str, seed: int = 42, threads: int = 1) -> None:
        self.parameters = dict(parameters)
        self.rounds = int(self.parameters.pop("num_boost_round", 500))
        self.target = self.parameters.pop("target", "identity")
        self.balance = float(self.parameters.pop("balance", 0.0))
        self.task, self.seed, self.threads = task, seed, threads
        self.classes: list[str] | None = None
        self.booster: xgboost.Booster | None = None
        self.cut = False  # whether the clock ended the fit
        self._threads_set: int | None = None

    def binned(
        self, matrix: Matrix, y: np.ndarray, ref: "xgboost.QuantileDMatrix | None" = None
    ) -> "xgboost.QuantileDMatrix":
        """The matrix cut into 256 bins a column, to be shared by all trials; `ref` gives the cuts."""
        import xgboost

        labels = self._labels(y)
        weights = self._weights(labels)
        return xgboost.QuantileDMatrix(matrix, labels, weight=weights, ref=ref, nthread=self.threads)

    def _weights(self, labels: np.ndarray) -> np.ndarray | None:
        """Rare classes count more: with `balance` 1 each class as much as any other, with 0 each row."""
        if self.task == "regression" or self.balance == 0:
            return None
        counts = np.bincount(labels, minlength=len(self.classes or ()))
        return ((len(labels) / len(counts) / np.maximum(counts, 1)) ** self.balance)[labels]

    def _labels(self, y: np.ndarray) -> np.ndarray:
        if self.task == "regression":
            return TARGETS[self.target][0](np.asarray(y, dtype=float))
        if self.classes is None:
            self.classes = sorted(str(name) for name in np.unique(y))
        return np.searchsorted(self.classes, np.asarray(y).astype(str))

    def _settings(self) -> Settings:
        objective: Settings = {"objective": "reg:squarederror"}
        if self.task == "classification":
            objective = {"objective": "multi:softprob", "num_class": len(self.classes or ())}
        fixed = {"tree_method": "hist", "seed": self.seed, "nthread": self.threads, "verbosity": 0}
        return {**objective, **fixed, **self.parameters}

    def fit(self, matrix: Matrix, y: np.ndarray) -> "Boosted":
        """Fit for the rounds that were asked for."""
        import xgboost

        data = self.binned(matrix, y)
        self.booster = xgboost.train(self._settings(), data, self.rounds, verbose_eval=False)
        return self

    def fit_watching(
        self,
        train: "xgboost.QuantileDMatrix",
        validation: "xgboost.QuantileDMatrix",
        classes: list[str] | None = None,
        seconds: float | None = None,
    ) -> "Boosted":
        """Fit on binned rows until the validation error has not fallen for `PATIENCE` rounds.

        After `seconds` it ends with the rounds it has: the best of them count.
        """
        import xgboost

        self.classes = classes
        end = time.monotonic() + (seconds or float("inf"))

        class Clock(xgboost.callback.TrainingCallback):
            over = False

            def after_iteration(self, *_: object) -> bool:
                self.over = time.monotonic() > end
                return self.over

        clock = Clock()
        booster = xgboost.train(
            self._settings(),
            train,
            self.rounds,
            evals=[(validation, "validation")],
            early_stopping_rounds=self.PATIENCE,
            callbacks=[clock],
            verbose_eval=False,
        )
        if booster.num_boosted_rounds() < 2:
            raise InferenceError("the clock ended it before the second round")
        self.rounds, self.cut = booster.best_iteration + 1, clock.over
        self.booster = booster[: self.rounds]
        return self

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Numbers, or one column of probabilities a class."""
        booster = self.fitted()
        threads = 1 if matrix.shape[0] < FEW else 0  # waking threads takes longer than a few rows do
        if threads != self._threads_set:
            booster.set_param({"nthread": threads})
            self._threads_set = threads
        return self._back(booster.inplace_predict(matrix, validate_features=False))

    def predict_binned(self, data: "xgboost.QuantileDMatrix") -> np.ndarray:
        """The same of rows that were binned already."""
        return self._back(self.fitted().predict(data))

    def fitted(self) -> "xgboost.Booster":
        """The booster, or an error that says that there is none yet."""
        if self.booster is None:
            raise InferenceError("This XGBoost model has not been fitted; call fit first.")
        return self.booster

    def _back(self, output: np.ndarray) -> np.ndarray:
        return output if self.task == "classification" else TARGETS[self.target][1](output.astype(float))

    def comparisons(self, matrix: Matrix) -> float:  # noqa: ARG002 - as every model has it
        """Comparisons that one row costs: the share of rows that reach each inner node, summed.

        `get_score(importance_type="total_cover")` is not that: it adds up Hessians over all trees, whose
        roots differ with subsampling, weights and any loss but the squared one.
        """
        import json

        learner = json.loads(bytes(self.fitted().save_raw("json")))["learner"]
        total = 0.0
        for tree in learner["gradient_booster"]["model"]["trees"]:
            cover, left = np.asarray(tree["sum_hessian"]), np.asarray(tree["left_children"])
            total += float(cover[left >= 0].sum() / max(cover[0], 1e-9))
        return total

    def save(self, folder: Path) -> Settings:
        """Write `model.ubj`; returns what `load` needs to know."""
        self.fitted().save_model(folder / "model.ubj")
        return {"kind": "xgboost", "task": self.task, "target": self.target, "classes": self.classes}

    @classmethod
    def load(cls, folder: Path, about: Settings) -> "Boosted":
        """What `save` wrote."""
        import xgboost

        model = cls({"target": about["target"]}, about["task"])
        model.classes = about["classes"]
        model.booster = xgboost.Booster(model_file=str(folder / "model.ubj"))
        return model
