"""Why a model predicts what it does: shuffled raw columns, and shares of single predictions (SHAP).

Both start from a fitted `InferencePipeline`. What they find is drawn in `lib.plots.attributions`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib import evaluation
from lib.runtime import models
from lib.runtime.encoders import Matrix
from lib.runtime.inference import InferencePipeline

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

#: Deeper trees get the quick form of SHAP: the exact one grows with the square of the depth.
DEEP = 16
#: Cells of shuffled rows that are predicted at once: where columns are many, a call costs more than its rows.
#: `sklearn.inspection.permutation_importance`, a call a column, takes five times as long for 500 columns.
CELLS = 2_000_000


def permutation(
    pipeline: InferencePipeline,
    rows: pd.DataFrame,
    y: evaluation.Truth,
    metric: str,
    *,
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
    rows, task, way = rows[list(pipeline.inputs_)], pipeline.serving.task, evaluation.sign(metric)
    whole = evaluation.metric(metric, task, y, pipeline.response(rows))
    cases = [(name, rng.permutation(len(rows))) for name in pipeline.inputs_ for _ in range(repeats)]
    together, losses = max(1, CELLS // max(rows.size, 1)), []
    for start in range(0, len(cases), together):
        for prediction in _shuffled(pipeline, rows, cases[start : start + together]):
            losses.append(way * (evaluation.metric(metric, task, y, prediction) - whole))
    worse = np.reshape(losses, (len(pipeline.inputs_), repeats))
    table = pd.DataFrame(
        {"worse": worse.mean(axis=1), "spread": np.ptp(worse, axis=1)}, list(pipeline.inputs_)
    )
    return table.rename_axis("column").sort_values("worse", ascending=False)


def _shuffled(
    pipeline: InferencePipeline, rows: pd.DataFrame, cases: Sequence[tuple[str, np.ndarray]]
) -> Iterator[evaluation.Prediction]:
    """What is predicted of `rows` with one column in another order, case by case, all asked at once."""
    places = np.arange(len(rows))
    stacked = pd.concat([rows] * len(cases), ignore_index=True)
    for name in dict(cases):
        orders = [order if shuffled == name else places for shuffled, order in cases]
        stacked[name] = rows[name].array.take(np.concatenate(orders))
    predictions = pipeline.response(stacked)
    for start in range(0, len(stacked), len(rows)):
        yield predictions[start : start + len(rows)]


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


def shares(
    pipeline: InferencePipeline, rows: pd.DataFrame, background: pd.DataFrame, label: str | None = None
) -> Shares:
    """Each feature's share of each prediction, columns of one word list or one-hot block added up.

    Of classes, the shares in the score of class `label` (by default the one predicted most often here).
    """
    matrix, classes = pipeline.matrix(rows), models.classes(pipeline.model_)
    which = 0
    if classes:
        label = label or str(pd.DataFrame(pipeline.response(rows)).idxmax(axis=1).mode()[0])
        which = classes.index(label)
    model = pipeline.model_
    if isinstance(model, models.Sklearn):
        values, base = _sklearn(model, matrix, pipeline.matrix(background), which)
    elif isinstance(model, models.Boosted):
        values, base = _boosted(model, matrix, which)
    else:
        raise TypeError(f"No shares are known of a {type(model).__name__}.")
    groups = pipeline.encoding_.groups_
    said = f"score of {label}" if classes else pipeline.serving.target.name
    return Shares(_summed(values, groups), _summed(_dense(matrix), groups), float(base), said)


def _dense(matrix: Matrix) -> np.ndarray:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def _summed(values: np.ndarray, groups: list[str]) -> pd.DataFrame:
    codes, names = pd.factorize(pd.Series(groups))
    out = np.zeros((len(names), len(values)))
    np.add.at(out, codes, np.asarray(values, dtype=float).T)
    return pd.DataFrame(out.T, columns=list(names))


def _boosted(model: models.Boosted, matrix: Matrix, which: int) -> tuple[np.ndarray, float]:
    import xgboost

    booster = model.booster_
    deep = booster.num_boosted_rounds() > 0 and _depth(model) > DEEP
    values = booster.predict(xgboost.DMatrix(matrix), pred_contribs=True, approx_contribs=deep)
    values = values[:, which, :] if values.ndim == 3 else values
    return values[:, :-1], float(values[0, -1])


def _depth(model: models.Boosted) -> int:
    import json

    config = json.loads(model.booster_.save_config())
    return int(config["learner"]["gradient_booster"]["tree_train_param"]["max_depth"])


def _sklearn(
    model: models.Sklearn, matrix: Matrix, background: Matrix, which: int
) -> tuple[np.ndarray, float]:
    last, parts = model.estimator_, [matrix, background]
    if hasattr(last, "steps"):
        parts = [last[:-1].transform(part) for part in parts]
        last = last[-1]
    here, usual = (_dense(part) for part in parts)
    if hasattr(last, "coef_"):
        weights = np.atleast_2d(last.coef_)
        way = _way(model, which) if len(weights) == 1 else 1
        weights = way * weights[min(which, len(weights) - 1)]
        base = way * float(np.atleast_1d(last.intercept_)[min(which, np.size(last.intercept_) - 1)])
        return (here - usual.mean(axis=0)) * weights, base + float(usual.mean(axis=0) @ weights)
    trees = getattr(last, "estimators_", None)
    if isinstance(trees, np.ndarray) and trees.ndim == 2 and trees.shape[1] > 1:
        return _stages(last, here, which)
    import shap

    explained = shap.TreeExplainer(last)(here, check_additivity=False)
    values, bases = np.asarray(explained.values), np.asarray(explained.base_values)
    if values.ndim == 3:
        return values[:, :, which], float(np.mean(bases[..., which]))
    way = _way(model, which)
    return way * values, way * float(np.mean(bases))


def _way(model: models.Sklearn, which: int) -> int:
    """Of two classes most models score the second alone: the first one's score is the same turned round."""
    return -1 if len(models.classes(model) or ()) == 2 and which == 0 else 1


def _stages(last: "BaseEstimator", here: np.ndarray, which: int) -> tuple[np.ndarray, float]:
    """Gradient boosting of several classes tree by tree: shap takes it as a whole for two only."""
    import shap

    trees = last.estimators_[:, which]
    parts = (shap.TreeExplainer(tree).shap_values(here, check_additivity=False) for tree in trees)
    values = last.learning_rate * sum(np.asarray(part) for part in parts)
    return values, float(np.mean(last.decision_function(here)[:, which] - values.sum(axis=1)))


def scale(pipeline: InferencePipeline) -> str:
    """In what the model's shares are counted: the target's unit, unless it was fitted to something else."""
    if pipeline.serving.task == "classification":
        return "log odds" if isinstance(pipeline.model_, models.Boosted) else ""
    unit = pipeline.serving.target.unit
    roots = {"identity": unit, "sqrt": f"√{unit}" if unit else "square root", "log": f"log {unit}".strip()}
    return roots[getattr(pipeline.model_, "target", "identity")]
