"""The model zoo: families of estimators by name, each with its search space.

A family says how an estimator is built and for which task; `spaces` says where its parameters are searched.
Fitting, predicting, counting the cost of a prediction and storing are in `lib.models.fitted`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.errors import ParameterError
from lib.models import spaces
from lib.models.fitted import Boosted, Model, Sklearn

REGRESSION, CLASSIFICATION = "regression", "classification"


@dataclass(frozen=True)
class Family:
    """One kind of model: its tasks, how one is built, and what a reader should know of it."""

    name: str
    about: str
    tasks: tuple[str, ...]
    build: Callable[..., Any]  # (parameters, task, seed, threads, dense) -> scikit-learn estimator


def build(
    family: str, parameters: Mapping[str, Any], task: str, seed: int, threads: int, dense: bool
) -> Model:
    """An unfitted model of `family` with these parameters."""
    known = named([family], task)[0]
    if family == "xgboost":
        return Boosted(parameters, task, seed, threads)
    parameters = dict(parameters)
    target = parameters.pop("target", "identity")
    return Sklearn(known.build(parameters, task, seed, threads, dense), task, target)


def named(names: Sequence[str], task: str) -> list[Family]:
    """The families by name, refused if one is unknown or not made for the task."""
    able = [name for name, family in ZOO.items() if task in family.tasks]
    for name in names:
        if name not in able:
            raise ParameterError(f"There is no {task} family {name!r}; there are {able}.")
    return [ZOO[name] for name in names]


def load(folder: Any, about: Mapping[str, Any]) -> Model:
    """A model that `save` wrote, of the kind that `about` says."""
    return {"xgboost": Boosted, "sklearn": Sklearn}[about["kind"]].load(folder, about)


def _prepared(estimator: Any, dense: bool, scale: bool) -> Any:
    """Of dense columns: fill what is missing for estimators that refuse it, scale for those that mind."""
    if not dense:
        return estimator
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(fill, StandardScaler(), estimator) if scale else make_pipeline(fill, estimator)


def _linear(parameters: dict, task: str, seed: int, threads: int, dense: bool) -> Any:
    from sklearn.linear_model import LinearRegression

    return _prepared(LinearRegression(**parameters), dense, scale=True)


def _logistic(parameters: dict, task: str, seed: int, threads: int, dense: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    return _prepared(LogisticRegression(max_iter=300, **parameters), dense, scale=True)


def _lasso(parameters: dict, task: str, seed: int, threads: int, dense: bool) -> Any:
    from sklearn.linear_model import Lasso

    return _prepared(Lasso(random_state=seed, **parameters), dense, scale=True)


def _svr(parameters: dict, task: str, seed: int, threads: int, dense: bool) -> Any:
    from sklearn.svm import LinearSVR

    return _prepared(LinearSVR(random_state=seed, **parameters), dense, scale=True)


def _forest(parameters: dict, task: str, seed: int, threads: int, dense: bool) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if task == REGRESSION else RandomForestClassifier
    return kind(random_state=seed, n_jobs=threads, **parameters)


def _extra(parameters: dict, task: str, seed: int, threads: int, dense: bool) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if task == REGRESSION else ExtraTreesClassifier
    return kind(random_state=seed, n_jobs=threads, **parameters)


def _boosting(parameters: dict, task: str, seed: int, threads: int, dense: bool) -> Any:
    from sklearn import ensemble

    kind = "Regressor" if task == REGRESSION else "Classifier"
    if dense and "n_estimators" not in parameters:
        made = getattr(ensemble, f"HistGradientBoosting{kind}")
        return made(random_state=seed, early_stopping=False, **parameters)
    made = getattr(ensemble, f"GradientBoosting{kind}")
    return _prepared(made(random_state=seed, **parameters), dense, scale=False)


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
        Family(
            "xgboost", "The same, faster, stopped when validation no longer improves.", BOTH, lambda: None
        ),
    )
}

__all__ = ["ZOO", "Boosted", "Family", "Model", "Sklearn", "build", "load", "named", "spaces"]
