"""Search spaces as plain data: a parameter's name, the kind of its distribution, and its bounds.

("uniform", low, high), ("loguniform", log low, log high), ("quniform", low, high, step) gives integers,
("choice", [values]). The default spaces of the course's features; `DENSE` where the matrix is dense.
"""

import math
from collections.abc import Mapping
from typing import Any

from lib.errors import ParameterError

#: One parameter's distribution: its kind, then its bounds or choices.
Spec = tuple[Any, ...]
Space = Mapping[str, Spec]
#: A value for each parameter.
Point = dict[str, Any]

FOREST: dict[str, Spec] = {
    "max_depth": ("quniform", 5, 45, 5),
    "min_samples_leaf": ("quniform", 1, 10, 1),
    "min_samples_split": ("quniform", 2, 20, 1),
    "n_estimators": ("quniform", 10, 60, 10),
}

SPARSE: dict[str, dict[str, Spec]] = {
    "linear_regression": {"fit_intercept": ("choice", [True, False])},
    "logistic_regression": {"C": ("loguniform", -5, 3)},
    "lasso": {"alpha": ("uniform", 1e-4, 1.0), "max_iter": ("quniform", 1000, 5000, 100)},
    "linear_svr": {
        "epsilon": ("uniform", 0.0, 1.0),
        "C": ("loguniform", -7, 3),
        "max_iter": ("quniform", 1000, 5000, 100),
    },
    "random_forest": FOREST,
    "extra_trees": FOREST
    | {
        "max_depth": ("quniform", 5, 30, 5),
        "min_samples_split": ("quniform", 2, 20, 2),
        "n_estimators": ("quniform", 10, 40, 10),
    },
    "gradient_boosting": {
        "learning_rate": ("loguniform", -5, 0),
        "max_depth": ("quniform", 5, 40, 1),
        "min_samples_leaf": ("quniform", 1, 10, 1),
        "min_samples_split": ("quniform", 2, 20, 1),
        "n_estimators": ("quniform", 10, 50, 10),
    },
    "xgboost": {
        "colsample_bytree": ("uniform", 0.5, 1.0),
        "gamma": ("uniform", 0.1, 1.0),
        "learning_rate": ("loguniform", -3, 0),
        "max_depth": ("quniform", 4, 100, 1),
        "min_child_weight": ("loguniform", -1, 3),
        "num_boost_round": ("quniform", 500, 1000, 10),
        "reg_alpha": ("loguniform", -5, -1),
        "reg_lambda": ("loguniform", -6, -1),
        "subsample": ("uniform", 0.1, 1.0),
    },
}

#: Where features are few and dense, forests try fewer columns a split and boosting is done on histograms.
DENSE: dict[str, dict[str, Spec]] = SPARSE | {
    "random_forest": FOREST | {"max_features": ("uniform", 0.2, 0.8), "max_depth": ("quniform", 8, 26, 2)},
    "extra_trees": FOREST | {"max_features": ("uniform", 0.3, 1.0), "max_depth": ("quniform", 10, 40, 2)},
    "gradient_boosting": {
        "learning_rate": ("loguniform", -3.5, -1.2),
        "max_leaf_nodes": ("quniform", 15, 63, 4),
        "min_samples_leaf": ("quniform", 5, 100, 5),
        "l2_regularization": ("loguniform", -4, 3),
        "max_iter": ("quniform", 50, 300, 50),
    },
    "xgboost": {
        "colsample_bytree": ("uniform", 0.3, 1.0),
        "learning_rate": ("loguniform", -3.5, -1.2),
        "max_depth": ("quniform", 4, 10, 1),
        "min_child_weight": ("loguniform", 0, 5),
        "num_boost_round": ("quniform", 500, 1000, 100),
        "reg_alpha": ("loguniform", -5, 1),
        "reg_lambda": ("loguniform", -3, 3),
        "subsample": ("uniform", 0.5, 1.0),
    },
}

#: A family's first trial: settings known to do decently, so that even one trial is a fair one.
FIRST: dict[str, Point] = {
    "linear_regression": {"fit_intercept": True},
    "logistic_regression": {"C": 1.0},
    "lasso": {"alpha": 0.01, "max_iter": 1000},
    "linear_svr": {"epsilon": 0.1, "C": 0.1, "max_iter": 1000},
}


def space(family: str, dense: bool, override: Mapping[str, Space] | None = None) -> Space:
    """The space of `family`: the feature set's own where it has one, else the default for its matrix."""
    if override and family in override:
        return override[family]
    return (DENSE if dense else SPARSE)[family]


def middle(spec: Spec) -> Any:
    """A distribution's middle, where a family has no first guess of its own."""
    kind = spec[0]
    if kind == "choice":
        return spec[1][0]
    centre = (spec[1] + spec[2]) / 2
    if kind == "loguniform":
        return math.exp(centre)
    return round(centre / spec[3]) * spec[3] if kind == "quniform" else centre


def first(family: str, space_: Space) -> Point:
    """The parameters of a family's first trial."""
    known = FIRST.get(family, {})
    return {name: known.get(name, middle(spec)) for name, spec in space_.items()}


def for_hyperopt(space_: Space) -> dict[str, object]:
    """The same space as hyperopt's expressions."""
    from hyperopt import hp

    kinds = {"uniform": hp.uniform, "loguniform": hp.loguniform, "quniform": hp.quniform, "choice": hp.choice}
    for name, (kind, *_) in space_.items():
        if kind not in kinds:
            raise ParameterError(
                f"Parameter {name!r} has the distribution {kind!r}; there are {sorted(kinds)}."
            )
    return {name: kinds[kind](name, *bounds) for name, (kind, *bounds) in space_.items()}


def plain(space_: Space, values: Mapping[str, Any]) -> Point:
    """A point of the search as plain Python: integers where the step is one, no numpy scalars."""
    point = {}
    for name, (kind, *_) in space_.items():
        value = values[name]
        value = value.item() if hasattr(value, "item") else value
        point[name] = round(value) if kind == "quniform" else value
    return point
