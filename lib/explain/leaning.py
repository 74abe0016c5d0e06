"""What a model leans on: raw columns shuffled one by one, and what is lost by a fit that never had them.

Shuffled, a column misleads a model that trusts it; refitted without it, the others stand in. The first says
how much this model leans on the column, the second what the column is worth.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from sklearn.base import clone

from lib import evaluation
from lib.runtime.inference import InferencePipeline

#: Cells of shuffled rows that are predicted at once: where columns are many, a call costs more than its rows.
#: `sklearn.inspection.permutation_importance` makes a call a column: `make bench ONLY=scores` compares them.
CELLS = 2_000_000
#: The booster that is fitted with and without a column: quick, and the same whatever model is explained.
QUICK = {"max_depth": 5, "learning_rate": 0.25, "num_boost_round": 30}
#: It is fitted to so many rows at most.
FITTED = 6_000


def permutation(
    pipeline: InferencePipeline,
    rows: pd.DataFrame,
    y: evaluation.Truth,
    metric: str,
    *,
    repeats: int = 5,
    seed: int = 42,
    most: int = 2_500,
) -> pd.DataFrame:
    """How much worse the metric gets when one raw column is shuffled; a row a column, the worst first.

    Rows beyond `most` are left out. `low` and `high` are the ends over the `repeats`; `worse` beyond `chance`
    is more than a useless column would lose on any of these. `known` is before or after.
    """
    from scipy import stats

    rng = np.random.default_rng(seed)
    rows, y = _thinned(rows, y, most, rng)
    rows, task, way = rows[list(pipeline.inputs_)], pipeline.serving.task, evaluation.sign(metric)
    whole = evaluation.metric(metric, task, y, pipeline.response(rows))
    cases = [(name, rng.permutation(len(rows))) for name in pipeline.inputs_ for _ in range(repeats)]
    together, losses = max(1, CELLS // max(rows.size, 1)), []
    for start in range(0, len(cases), together):
        for prediction in _shuffled(pipeline, rows, cases[start : start + together]):
            losses.append(way * (evaluation.metric(metric, task, y, prediction) - whole))
    worse = np.reshape(losses, (len(pipeline.inputs_), repeats))
    # of a useless column the order that rows came in is one more shuffle: a t test, all columns together
    t = stats.t.ppf(1 - 0.05 / len(worse), repeats - 1) if repeats > 1 else np.inf
    spread = worse.std(axis=1, ddof=1) if repeats > 1 else np.ones(len(worse))
    found = {
        "worse": worse.mean(axis=1),
        "low": worse.min(axis=1),
        "high": worse.max(axis=1),
        "chance": t * spread * np.sqrt(1 + 1 / repeats),
        "known": [pipeline.serving.columns[name].known for name in pipeline.inputs_],
    }
    table = pd.DataFrame(found, list(pipeline.inputs_)).rename_axis("column")
    return table.assign(rows=len(rows)).sort_values("worse", ascending=False)


def _thinned(
    rows: pd.DataFrame, y: evaluation.Truth, most: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """At most so many rows, in their order, and their targets."""
    if len(rows) <= most:
        return rows, np.asarray(y)
    picked = np.sort(rng.choice(len(rows), most, replace=False))
    return rows.iloc[picked], np.asarray(y)[picked]


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


def refitted(
    lost: pd.DataFrame,
    pipeline: InferencePipeline,
    train: pd.DataFrame,
    test: pd.DataFrame,
    metric: str,
    *,
    most: int = 2,
    seed: int = 42,
) -> pd.DataFrame:
    """`lost` with a column `refit`: how much worse a fit is that never had the column, of the first `most`.

    Both fits, with and without, are of the `QUICK` booster on the same features and at most `FITTED` rows;
    without a column means that it says the same of every row. Columns that lose no more than chance are not
    asked.
    """
    target, task, rng = pipeline.serving.target.name, pipeline.serving.task, np.random.default_rng(seed)
    train, y = _thinned(train, train[target], FITTED, rng)
    test, truth = _thinned(test, test[target], FITTED, rng)
    quick = clone(pipeline).set_params(family="xgboost", parameters=QUICK)

    def score(column: str | None) -> float:
        parts = [part if column is None else _without(part, column, train) for part in (train, test)]
        fitted = clone(quick).fit(parts[0], y)
        return evaluation.metric(metric, task, truth, fitted.response(parts[1]))

    asked = list(lost.index[lost["worse"] > lost["chance"]][:most]) if len(lost) > 1 else []
    whole = score(None) if asked else 0.0
    worse = {name: evaluation.sign(metric) * (score(name) - whole) for name in asked}
    return lost.assign(refit=pd.Series(worse, dtype=float))


def _without(rows: pd.DataFrame, column: str, train: pd.DataFrame) -> pd.DataFrame:
    """`rows` with one value of the column, the first there is in `train`, everywhere."""
    first = int(train[column].notna().to_numpy().argmax())
    return rows.assign(**{column: train[column].array.take(np.full(len(rows), first))})
