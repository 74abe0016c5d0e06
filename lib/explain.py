"""Why a model predicts what it does: shuffled raw columns, and shares of single predictions (SHAP).

Both start from a fitted `inference.Pipeline`. What they find is drawn in `lib.plots.explain`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lib import evaluation, models

#: Deeper trees get the quick form of SHAP: the exact one grows with the square of the depth.
DEEP = 16


def permutation(
    pipeline: Any,
    rows: pd.DataFrame,
    y: Any,
    metric: str,
    repeats: int = 3,
    seed: int = 42,
    most: int = 6_000,
) -> pd.DataFrame:
    """How much worse the metric gets when one raw column is shuffled; a row a column, the worst first.

    Rows beyond `most` are left out. `spread` is the range over the `repeats`.
    """
    rng = np.random.default_rng(seed)
    if len(rows) > most:
        picked = np.sort(rng.choice(len(rows), most, replace=False))
        rows, y = rows.iloc[picked], np.asarray(y)[picked]
    rows, task, way = rows.reset_index(drop=True), pipeline.about["task"], evaluation.sign(metric)
    whole = evaluation.metric(metric, task, y, pipeline.predict(rows))
    found = []
    for name in pipeline.inputs:
        worse = []
        for _ in range(repeats):
            shuffled = rows.assign(**{name: rows[name].to_numpy()[rng.permutation(len(rows))]})
            worse.append(way * (evaluation.metric(metric, task, y, pipeline.predict(shuffled)) - whole))
        found.append((name, float(np.mean(worse)), float(np.ptp(worse))))
    table = pd.DataFrame(found, columns=["column", "worse", "spread"]).set_index("column")
    return table.sort_values("worse", ascending=False)


@dataclass
class Shares:
    """SHAP values: `moves` (rows × groups) add up, with `base`, to what the model says of each row.

    `features` holds the encoded values behind them (the sum, where a group has many columns); `label` says
    what is explained.
    """

    moves: pd.DataFrame
    features: pd.DataFrame
    base: float
    label: str


def shares(pipeline: Any, rows: pd.DataFrame, background: pd.DataFrame, label: str | None = None) -> Shares:
    """Each feature's share of each prediction, columns of one word list or one-hot block added up.

    Of classes, the shares in the score of class `label` (by default the one predicted most often here).
    """
    matrix, classes = pipeline.matrix(rows), pipeline.model.classes
    which = 0
    if classes:
        label = label or pipeline.predict(rows).idxmax(axis=1).mode()[0]
        which = classes.index(label)
    if isinstance(pipeline.model, models.Boosted):
        values, base = _boosted(pipeline.model, matrix, which)
    else:
        values, base = _sklearn(pipeline.model, matrix, pipeline.matrix(background), which)
    groups = pipeline.encoding.groups
    plain = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    said = f"score of {label}" if classes else pipeline.about["target"]
    return Shares(_summed(values, groups), _summed(plain, groups), float(base), said)


def _summed(values: np.ndarray, groups: list[str]) -> pd.DataFrame:
    codes, names = pd.factorize(pd.Series(groups))
    out = np.zeros((len(names), len(values)))
    np.add.at(out, codes, np.asarray(values, dtype=float).T)
    return pd.DataFrame(out.T, columns=list(names))


def _boosted(model: models.Boosted, matrix: Any, which: int) -> tuple[np.ndarray, float]:
    import xgboost

    deep = int(model.booster.num_boosted_rounds() > 0 and _depth(model) > DEEP)
    found = model.booster.predict(xgboost.DMatrix(matrix), pred_contribs=True, approx_contribs=bool(deep))
    found = found[:, which, :] if found.ndim == 3 else found
    return found[:, :-1], float(found[0, -1])


def _depth(model: models.Boosted) -> int:
    import json

    config = json.loads(model.booster.save_config())
    return int(config["learner"]["gradient_booster"]["tree_train_param"]["max_depth"])


def _sklearn(model: models.Sklearn, matrix: Any, background: Any, which: int) -> tuple[np.ndarray, float]:
    last, prepared = model.estimator, (matrix, background)
    if hasattr(last, "steps"):
        prepared = tuple(last[:-1].transform(part) for part in prepared)
        last = last[-1]
    here, usual = (part.toarray() if hasattr(part, "toarray") else np.asarray(part) for part in prepared)
    if hasattr(last, "coef_"):
        weights = np.atleast_2d(last.coef_)
        way = _way(model, which) if len(weights) == 1 else 1
        weights = way * weights[min(which, len(weights) - 1)]
        base = way * float(np.atleast_1d(last.intercept_)[min(which, np.size(last.intercept_) - 1)])
        return (here - usual.mean(axis=0)) * weights, base + float(usual.mean(axis=0) @ weights)
    if np.ndim(trees := getattr(last, "estimators_", None)) == 2 and trees.shape[1] > 1:
        return _stages(last, here, which)
    import shap

    explained = shap.TreeExplainer(last)(here, check_additivity=False)
    values, base = np.asarray(explained.values), np.asarray(explained.base_values)
    if values.ndim == 3:
        return values[:, :, which], float(np.mean(base[..., which]))
    way = _way(model, which)
    return way * values, way * float(np.mean(base))


def _way(model: models.Sklearn, which: int) -> int:
    """Of two classes most models score the second alone: the first one's score is the same turned round."""
    return -1 if model.classes and len(model.classes) == 2 and which == 0 else 1


def _stages(last: Any, here: np.ndarray, which: int) -> tuple[np.ndarray, float]:
    """Gradient boosting of several classes tree by tree: shap takes it as a whole for two only."""
    import shap

    trees = last.estimators_[:, which]
    parts = (shap.TreeExplainer(tree).shap_values(here, check_additivity=False) for tree in trees)
    values = last.learning_rate * sum(np.asarray(part) for part in parts)
    return values, float(np.mean(last.decision_function(here)[:, which] - values.sum(axis=1)))
