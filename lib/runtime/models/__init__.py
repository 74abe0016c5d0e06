"""The model zoo: families of estimators by name.

A family says how an estimator is built and for which task; where its parameters are searched is said
elsewhere. Fitting, predicting, counting the cost of a prediction and storing are in `fitted` and `boosted`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..encoders.matrix import Matrix
from ..errors import InferenceError
from ..schema import Settings
from .boosted import Boosted, BoostedClassifier, BoostedRegressor
from .fitted import Classifier, Model, Sklearn, SklearnClassifier, SklearnRegressor

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

REGRESSION, CLASSIFICATION = "regression", "classification"


@dataclass(frozen=True)
class Setup:
    """What an estimator is built from; `dense` says which kind of matrix it will be given."""

    parameters: Settings
    task: str
    seed: int | None
    threads: int
    dense: bool


@dataclass(frozen=True)
class Family:
    """One kind of model: its tasks, how one is built, and what a reader should know of it."""

    name: str
    about: str
    tasks: tuple[str, ...]
    estimator: "Callable[[Setup], BaseEstimator] | None" = None  # None: XGBoost's own booster


def build(
    family: str, parameters: Settings, task: str, seed: int | None, threads: int, dense: bool
) -> "Boosted | Sklearn":
    """An unfitted model of `family` with these parameters."""
    (known,) = named([family], task)
    if known.estimator is None:
        return KINDS["xgboost", task](**parameters, random_state=seed, n_jobs=threads)
    own = {name: value for name, value in parameters.items() if name != "target"}
    estimator = known.estimator(Setup(own, task, seed, threads, dense))
    if task == CLASSIFICATION:
        return SklearnClassifier(estimator)
    return SklearnRegressor(estimator, parameters.get("target", "identity"))


def named(names: Sequence[str], task: str) -> list[Family]:
    """The families by name, refused if one is unknown or not made for the task."""
    able = [name for name, family in ZOO.items() if task in family.tasks]
    for name in names:
        if name not in able:
            raise InferenceError(f"There is no {task} family {name!r}; there are {able}.")
    return [ZOO[name] for name in names]


def load(folder: Path, about: Settings) -> Model:
    """A model that `save` wrote, of the kind that `about` says."""
    target = {"target": about["target"]} if about["task"] == REGRESSION else {}
    kind = KINDS[about["kind"], about["task"]]
    model = kind(**target) if about["kind"] == "xgboost" else kind(None, **target)
    model.restore(folder, about)
    return model


def response(model: Model, X: Matrix) -> np.ndarray:
    """What metrics ask of a fitted model: the probabilities of a classifier, the numbers of a regressor."""
    return model.predict_proba(X) if isinstance(model, Classifier) else model.predict(X)


def classes(model: Model) -> list[str] | None:
    """The names of a classifier's classes, in the order of its probabilities; a regressor has none."""
    return [str(name) for name in model.classes_] if isinstance(model, Classifier) else None


def _prepared(estimator: "BaseEstimator", setup: Setup, scale: bool = True) -> "BaseEstimator":
    """Fill what is missing in dense columns for estimators that refuse it, scale for those that mind.

    Sparse columns have nothing missing and keep their zeros: they are scaled without being centred.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, StandardScaler

    if not setup.dense:
        return make_pipeline(MaxAbsScaler(), estimator) if scale else estimator
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(fill, StandardScaler(), estimator) if scale else make_pipeline(fill, estimator)


def _linear(setup: Setup) -> "BaseEstimator":
    from sklearn.linear_model import LinearRegression

    return _prepared(LinearRegression(**setup.parameters), setup, scale=setup.dense)  # it has no penalty


def _logistic(setup: Setup) -> "BaseEstimator":
    from sklearn.linear_model import LogisticRegression

    return _prepared(LogisticRegression(max_iter=300, **setup.parameters), setup)


def _lasso(setup: Setup) -> "BaseEstimator":
    from sklearn.linear_model import Lasso

    return _prepared(Lasso(random_state=setup.seed, **setup.parameters), setup)


def _svr(setup: Setup) -> "BaseEstimator":
    from sklearn.svm import LinearSVR

    return _prepared(LinearSVR(random_state=setup.seed, **setup.parameters), setup)


def _forest(setup: Setup) -> "BaseEstimator":
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if setup.task == REGRESSION else RandomForestClassifier
    return kind(random_state=setup.seed, n_jobs=setup.threads, **setup.parameters)


def _extra(setup: Setup) -> "BaseEstimator":
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if setup.task == REGRESSION else ExtraTreesClassifier
    return kind(random_state=setup.seed, n_jobs=setup.threads, **setup.parameters)


def _boosting(setup: Setup) -> "BaseEstimator":
    from sklearn import ensemble

    kind = "Regressor" if setup.task == REGRESSION else "Classifier"
    given, histogram = dict(setup.parameters), setup.dense and "n_estimators" not in setup.parameters
    if kept := given.pop("num_boost_round", None):  # the rounds that a search has kept
        given["max_iter" if histogram else "n_estimators"] = kept
    if histogram:
        binned = getattr(ensemble, f"HistGradientBoosting{kind}")
        return binned(random_state=setup.seed, early_stopping=False, **given)
    exact = getattr(ensemble, f"GradientBoosting{kind}")
    return _prepared(exact(random_state=setup.seed, **given), setup, scale=False)


KINDS: dict[tuple[str, str], type[Boosted] | type[Sklearn]] = {
    ("xgboost", REGRESSION): BoostedRegressor,
    ("xgboost", CLASSIFICATION): BoostedClassifier,
    ("sklearn", REGRESSION): SklearnRegressor,
    ("sklearn", CLASSIFICATION): SklearnClassifier,
}
BOTH = (REGRESSION, CLASSIFICATION)
ZOO = {
    family.name: family
    for family in (
        Family("linear_regression", "A straight line; the one to beat.", (REGRESSION,), _linear),
        Family("logistic_regression", "Straight boundaries between classes.", (CLASSIFICATION,), _logistic),
        Family("lasso", "A line that drops columns.", (REGRESSION,), _lasso),
        Family("linear_svr", "A line that forgives small errors.", (REGRESSION,), _svr),
        Family("random_forest", "Many deep trees, each on other rows, averaged.", BOTH, _forest),
        Family("extra_trees", "Many trees with random splits, averaged.", BOTH, _extra),
        Family("gradient_boosting", "Trees that mend each other's errors.", BOTH, _boosting),
        Family("xgboost", "The same, faster, stopped when validation no longer improves.", BOTH),
    )
}

__all__ = [
    "ZOO",
    "Boosted",
    "BoostedClassifier",
    "BoostedRegressor",
    "Classifier",
    "Family",
    "Model",
    "Sklearn",
    "SklearnClassifier",
    "SklearnRegressor",
    "build",
    "classes",
    "load",
    "named",
    "response",
]
