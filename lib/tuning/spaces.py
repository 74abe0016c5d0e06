"""Search spaces as plain data: a parameter's name, the kind of its distribution, and its bounds.

("uniform", low, high), ("loguniform", log low, log high), ("quniform", low, high, step) gives the integers
low, low + step and so on up to high, ("choice", [values]). The default spaces of the course's features, and
`DENSE` where the matrix is dense. What `fixed` and `space` change of them is in `lib.tuning.given`.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

#: One parameter's distribution: its kind, then its bounds or choices.
Value: TypeAlias = Any
Spec = tuple[Value, ...]
Space = Mapping[str, Spec]
#: A value for each parameter.
Point = dict[str, Value]

FOREST: dict[str, Spec] = {
    "max_depth": ("quniform", 5, 45, 5),
    "min_samples_leaf": ("quniform", 1, 10, 1),
    "min_samples_split": ("quniform", 2, 20, 1),
    "n_estimators": ("quniform", 10, 60, 10),
}

SPARSE: dict[str, dict[str, Spec]] = {
    "linear_regression": {"fit_intercept": ("choice", [True, False])},
    "logistic_regression": {"C": ("loguniform", -5, 3)},
    "lasso": {"alpha": ("uniform", 1e-4, 1.0)},
    "linear_svr": {"epsilon": ("uniform", 0.0, 1.0), "C": ("loguniform", -7, 3)},
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

#: A family's first trial: settings known to do decently, and soon, so that even one trial is a fair one.
FIRST: dict[str, Point] = {
    "linear_regression": {"fit_intercept": True},
    "logistic_regression": {"C": 1.0},
    "lasso": {"alpha": 0.01},
    "linear_svr": {"epsilon": 0.1, "C": 0.1},
    "random_forest": {"n_estimators": 20, "min_samples_leaf": 4},
    "extra_trees": {"n_estimators": 20, "min_samples_leaf": 4},
    "gradient_boosting": {"learning_rate": 0.15, "max_depth": 6, "n_estimators": 30},
    "xgboost": {
        "learning_rate": 0.15,
        "max_depth": 7,
        "min_child_weight": 12.0,
        "num_boost_round": 500,
        "subsample": 0.75,
        "colsample_bytree": 0.5,
    },
}


def space(family: str, dense: bool, override: Mapping[str, Space] | None = None) -> Space:
    """The space of `family`: the feature set's own where it has one, else the default for its matrix."""
    if override and family in override:
        return override[family]
    return (DENSE if dense else SPARSE)[family]


def parted(space_: Space) -> tuple[Space, Point]:
    """What there is to search of a space, and the values that have no other beside them."""
    alone = {name: spec[1][0] for name, spec in space_.items() if spec[0] == "choice" and len(spec[1]) == 1}
    return {name: spec for name, spec in space_.items() if name not in alone}, alone


def first(family: str, space_: Space) -> Point:
    """The parameters of a family's first trial: those known, as near as the space has them, else middles."""
    known = FIRST.get(family, {})
    return {name: _near(known.get(name, _middle(spec)), spec) for name, spec in space_.items()}


def _near(value: Value, spec: Spec) -> Value:
    """The point of a distribution that is nearest to `value`."""
    if spec[0] == "choice":
        return value if value in spec[1] else spec[1][0]
    place = math.log(value) if spec[0] == "loguniform" else value
    place = min(max(place, spec[1]), spec[2])
    return math.exp(place) if spec[0] == "loguniform" else _point(spec, _place(spec, place))


def _middle(spec: Spec) -> Value:
    if spec[0] == "choice":
        return spec[1][0]
    centre = (spec[1] + spec[2]) / 2
    return math.exp(centre) if spec[0] == "loguniform" else centre


def for_hyperopt(space_: Space) -> dict[str, object]:
    """The same space as hyperopt's expressions; of steps and choices it is given the place in the list."""
    from hyperopt import hp

    expressions: dict[str, object] = {}
    for name, spec in space_.items():
        if spec[0] == "choice":
            expressions[name] = hp.choice(name, list(range(len(spec[1]))))
        elif spec[0] == "quniform":  # its own would round to multiples of the step, beyond the bounds
            steps = int((spec[2] - spec[1]) / spec[3] + 1e-9)
            expressions[name] = hp.uniformint(name, -0.499, steps + 0.499)  # the ends as often as any other
        else:
            expressions[name] = getattr(hp, spec[0])(name, *spec[1:])
    return expressions


def point(space_: Space, places: Mapping[str, Value]) -> Point:
    """A point of the search from hyperopt's values, as plain Python."""
    return {name: _point(spec, places[name]) for name, spec in space_.items()}


def places(space_: Space, point_: Mapping[str, Value]) -> dict[str, Value]:
    """The same the other way."""
    return {name: _place(spec, point_[name]) for name, spec in space_.items()}


def _point(spec: Spec, place: Value) -> Value:
    if spec[0] == "choice":
        return spec[1][int(place)]
    return round(spec[1] + int(place) * spec[3]) if spec[0] == "quniform" else float(place)


def _place(spec: Spec, value: Value) -> Value:
    if spec[0] == "choice":
        return list(spec[1]).index(value)
    return round((value - spec[1]) / spec[3]) if spec[0] == "quniform" else value
