"""XGBoost boosters as scikit-learn estimators, with what a search needs of them and `XGBRegressor` has not.

Bins are cut once and shared by all trials, a fit may be ended by the clock, and a few rows are predicted
without waking threads.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..encoders.matrix import Matrix
from ..schema import Settings
from . import rounds
from .classes import Weighted, weights_of
from .fitted import described, restored
from .targets import Transformed
from .trees import Trees

if TYPE_CHECKING:
    import xgboost

#: So many rows at most are walked through `Trees`, and fewer than this are predicted by one thread.
A_FEW, FEW = 16, 1000
#: Rows times trees from which on a walk is worth the second that compiling it takes.
MANY = 200_000_000
#: Bins that a column is cut into, as XGBoost does.
MAX_BIN = 256
#: What is taken of input: gaps are XGBoost's own business.
CHECKS: Settings = {"accept_sparse": "csr", "ensure_all_finite": "allow-nan"}


class Boosted(BaseEstimator):
    """An XGBoost booster. It is fitted for `num_boost_round` rounds, or stopped early on validation rows.

    Arguments that the signature does not name go to XGBoost as they are. Learnt are `booster_`, `rounds_`
    (how many it keeps) and `cut_` (whether the clock ended the fit).
    """

    classes_: np.ndarray
    parameters: Settings = MappingProxyType({})
    num_boost_round: int
    random_state: int | None
    n_jobs: int | None

    # --- the constructor's arguments, XGBoost's among them

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments by name."""
        return {**super().get_params(deep), **self.parameters}

    def set_params(self, **given: object) -> "Boosted":
        """Change arguments; a name that the signature has not is XGBoost's."""
        named = set(super().get_params(deep=False))
        others = {name: value for name, value in given.items() if name not in named}
        if others:
            self.parameters = {**self.parameters, **others}
        super().set_params(**{name: value for name, value in given.items() if name in named})
        return self

    # --- fitting

    def fit(self, X: Matrix, y: ArrayLike) -> "Boosted":
        """Learn from the rows of `X` for the rounds that were asked for."""
        import xgboost

        X, y = validate_data(self, X, y, **CHECKS)
        data = self.binned(X, y)
        self._note(data)
        booster = xgboost.train(self._settings(), data, int(self.num_boost_round), verbose_eval=False)
        return self._keep(booster, int(self.num_boost_round), cut=False)

    def fit_watching(
        self,
        train: "xgboost.QuantileDMatrix",
        validation: Matrix,
        loss: Callable[[np.ndarray], float],
        patience: int,
        *,
        classes: np.ndarray | None = None,
        end: float = math.inf,
    ) -> "Boosted":
        """Learn from binned rows until `loss` of the validation response has not fallen in `patience` rounds.

        `classes` are those of the model that cut the bins, if it was a classifier. When
        `time.monotonic()` is past `end` it stops with the rounds it has, one at least: the best of them
        count.
        """
        import xgboost

        if classes is not None:
            self.classes_ = classes
        self._note(train)
        settings = self._settings()

        def judged(output: np.ndarray) -> float:
            return loss(self.back(output))

        watch = rounds.watch(validation, judged, patience, end, settings["objective"])
        booster = xgboost.train(
            settings, train, int(self.num_boost_round), callbacks=[watch], verbose_eval=False
        )
        return self._keep(booster[: watch.best], watch.best, cut=watch.over)

    def binned(self, X: Matrix, y: ArrayLike) -> "xgboost.QuantileDMatrix":
        """The matrix cut into `max_bin` bins a column (256), to be shared by all trials."""
        import xgboost

        labels, bins = self._labels(y), self.parameters.get("max_bin", MAX_BIN)
        return xgboost.QuantileDMatrix(
            X, labels, weight=self._weights(labels), max_bin=bins, nthread=self.n_jobs or 1
        )

    def _labels(self, y: ArrayLike) -> np.ndarray:
        """The target as the booster sees it."""
        raise NotImplementedError

    def _weights(self, labels: np.ndarray) -> np.ndarray | None:  # noqa: ARG002 - for classes
        return None

    def _note(self, train: "xgboost.QuantileDMatrix") -> None:
        """What else is learnt from the rows of the fit."""

    def _settings(self) -> Settings:
        fixed = {"tree_method": "hist", "nthread": self.n_jobs or 1, "verbosity": 0}
        seed = {} if self.random_state is None else {"seed": self.random_state}
        return {**self._objective(), **fixed, **seed, **self.parameters}

    def _objective(self) -> Settings:
        return {"objective": "reg:squarederror"}

    def _keep(self, booster: "xgboost.Booster", count: int, cut: bool) -> "Boosted":
        self.booster_, self.rounds_, self.cut_ = booster, count, cut
        self.n_features_in_ = booster.num_features()
        # threads as set last, and the booster as arrays; lists, as predicting changes no attribute
        self._threads: list[int] = []
        self._trees: list[Trees | None] = []
        return self

    # --- predicting

    def _response(self, X: Matrix) -> np.ndarray:
        """What the booster says of rows: numbers, or probabilities of classes."""
        if not hasattr(self, "booster_"):  # the check itself takes longer than this question
            check_is_fitted(self)
        if not self._is_ours(X):
            X = validate_data(self, X, reset=False, **CHECKS)
        elif (sums := self._walked(X)) is not None:
            return self.back(sums)
        threads = 1 if X.shape[0] < FEW else 0  # waking threads takes longer than a few rows do
        if self._threads != [threads]:  # setting them anew costs half of what a row does
            self.booster_.set_param({"nthread": threads})
            self._threads[:] = [threads]
        return self.back(self.booster_.inplace_predict(X, validate_features=False))

    def _walked(self, X: np.ndarray) -> np.ndarray | None:
        """What a walk of our own says of a few rows or of very many, where it is quicker than XGBoost's."""
        if len(X) > A_FEW and len(X) * self.rounds_ < MANY:
            return None
        if not self._trees:  # read when they are asked for the first time
            self._trees.append(Trees.of(self.booster_))
        trees = self._trees[0]
        if trees is None:
            return None
        if len(X) <= A_FEW:
            return trees.sums(X)
        try:
            from . import walk
        except ImportError:  # a model is answered without numba, too: by XGBoost, with the same numbers
            return None
        return walk.sums(trees, X)

    def _is_ours(self, X: Matrix) -> bool:
        """Whether it is what encoders make: to look through it again would take longer than one row does."""
        return type(X) is np.ndarray and X.dtype == np.float32 and X.shape[1:] == (self.n_features_in_,)

    def back(self, output: np.ndarray) -> np.ndarray:
        """What the booster says as the target has it."""
        return output

    def comparisons(self, X: Matrix, /) -> float:  # noqa: ARG002 - as every model has it
        """Comparisons that one row costs."""
        return rounds.comparisons(self.booster_)

    def staged(self, X: Matrix) -> Iterator[tuple[int, np.ndarray]]:
        """The response after so many rounds, at some places from the first round to the last."""
        for number, output in rounds.staged(self.booster_, X, self.rounds_):
            yield number, self.back(output)

    # --- storing

    def save(self, folder: Path) -> Settings:
        """Write `model.ubj`; returns what `load` needs to know."""
        self.booster_.save_model(folder / "model.ubj")
        return {"kind": "xgboost", **described(self)}

    def restore(self, folder: Path, about: Settings) -> None:
        """Take back what `save` wrote."""
        import xgboost

        booster = xgboost.Booster(model_file=str(folder / "model.ubj"))
        self._keep(booster, booster.num_boosted_rounds(), cut=False)
        restored(self, about)

    def __sklearn_tags__(self) -> Tags:
        """Gaps and sparse rows are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags


class BoostedRegressor(RegressorMixin, Transformed, Boosted):
    """Fitted to the target as `target` of `TARGETS` transforms it; answers are in the target's own unit."""

    def __init__(
        self,
        *,
        num_boost_round: int = 500,
        target: str = "identity",
        random_state: int | None = 42,
        n_jobs: int | None = 1,
        **parameters: Any,
    ) -> None:
        self.num_boost_round = num_boost_round
        self.target = target
        self.random_state = random_state
        self.n_jobs = n_jobs
        if parameters:
            self.parameters = parameters

    def predict(self, X: Matrix) -> np.ndarray:
        """A number for each row."""
        return self._response(X)

    def _labels(self, y: ArrayLike) -> np.ndarray:
        return self._forward(y)


class BoostedClassifier(ClassifierMixin, Weighted, Boosted):
    """Rare classes count more in the fit: with `balance` 1 each class as much as any other, with 0 each row.

    Its probabilities are those of the rows as they came: what the weights did is undone.
    """

    def __init__(
        self,
        *,
        num_boost_round: int = 500,
        balance: float = 0.0,
        random_state: int | None = 42,
        n_jobs: int | None = 1,
        **parameters: Any,
    ) -> None:
        self.num_boost_round = num_boost_round
        self.balance = balance
        self.random_state = random_state
        self.n_jobs = n_jobs
        if parameters:
            self.parameters = parameters

    def predict(self, X: Matrix) -> np.ndarray:
        """The likeliest class of each row."""
        best = self._response(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Matrix) -> np.ndarray:
        """Probabilities, rows × `classes_`."""
        return self._response(X)

    def binned(self, X: Matrix, y: ArrayLike) -> "xgboost.QuantileDMatrix":
        """As of any booster; the rows say which classes there are."""
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        return super().binned(X, y)

    def _labels(self, y: ArrayLike) -> np.ndarray:
        """The place of each row's class."""
        return np.searchsorted(self.classes_, np.asarray(y))

    def _weights(self, labels: np.ndarray) -> np.ndarray | None:
        if self.balance == 0:
            return None
        return weights_of(labels, len(self.classes_), self.balance)[labels]

    def _note(self, train: "xgboost.QuantileDMatrix") -> None:
        """The weight of each class in the fit."""
        if self.balance:
            self.weights_ = weights_of(train.get_label().astype(int), len(self.classes_), self.balance)

    def back(self, output: np.ndarray) -> np.ndarray:
        # of a single class XGBoost gives one dimension
        return self._unweighted(output.reshape(-1, len(self.classes_)))

    def _objective(self) -> Settings:
        return {"objective": "multi:softprob", "num_class": len(self.classes_)}
