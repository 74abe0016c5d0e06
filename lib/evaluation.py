"""How good predictions are: metrics, their uncertainty, named slices, and two models on the same rows.

A prediction is one array of numbers, or for classes a frame (or array) with a column of probabilities
a class. Nothing here fits anything; what is drawn from it is in `lib.plots`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import DataError

#: Metrics of which more is better; of all others less is.
RISING = ("r2", "auc", "accuracy", "f1")


def sign(metric: str) -> int:
    """+1 where less is better, -1 where more is: `sign * score` always falls as models improve."""
    return -1 if metric in RISING else 1


def metrics(task: str, y: Any, prediction: Any, classes: Sequence[str] | None = None) -> dict[str, float]:
    """`rmse`, `mae`, `r2` of numbers; `auc` (macro, one against one), `accuracy`, `f1` (macro) of classes."""
    if task == "regression":
        return _of_numbers(np.asarray(y, dtype=float), np.asarray(prediction, dtype=float))
    chances, names = _chances(prediction, classes)
    return _of_classes(np.asarray(y).astype(str), chances, names)


def metric(name: str, task: str, y: Any, prediction: Any, classes: Sequence[str] | None = None) -> float:
    """One of `metrics`, without the cost of the others."""
    if name == "auc":
        chances, names = _chances(prediction, classes)
        return _auc(np.asarray(y).astype(str), chances, names)
    found = metrics(task, y, prediction, classes)
    if name not in found:
        raise DataError(f"There is no {task} metric {name!r}; there are {sorted(found)}.")
    return found[name]


def _of_numbers(y: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    error = y - prediction
    spread = float(((y - y.mean()) ** 2).mean())
    squared = float((error**2).mean())
    r2 = 1 - squared / spread if spread > 0 else float("nan")
    return {"rmse": squared**0.5, "mae": float(np.abs(error).mean()), "r2": r2}


def _of_classes(y: np.ndarray, chances: np.ndarray, names: list[str]) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score

    best = np.asarray(names)[chances.argmax(axis=1)]
    f1 = f1_score(y, best, average="macro", zero_division=0)
    return {
        "auc": _auc(y, chances, names),
        "accuracy": float(accuracy_score(y, best)),
        "f1": float(f1),
    }


def _auc(y: np.ndarray, chances: np.ndarray, names: list[str]) -> float:
    """Macro AUC over pairs of classes that are there; not a number where fewer than two are."""
    from sklearn.metrics import roc_auc_score

    there = [i for i, name in enumerate(names) if (y == name).any()]
    if len(there) < 2:
        return float("nan")
    if len(names) == 2:
        return float(roc_auc_score(y == names[1], chances[:, 1]))
    chosen = chances[:, there].astype(float)
    chosen = np.where(chosen.sum(axis=1, keepdims=True) > 0, chosen, 1.0)
    chosen /= chosen.sum(axis=1, keepdims=True)
    known = np.isin(y, [names[i] for i in there])
    if len(there) == 2:
        return float(roc_auc_score(y[known] == names[there[1]], chosen[known, 1]))
    labels = [names[i] for i in there]
    return float(roc_auc_score(y[known], chosen[known], multi_class="ovo", average="macro", labels=labels))


def _chances(prediction: Any, classes: Sequence[str] | None) -> tuple[np.ndarray, list[str]]:
    """Probabilities and the names of their columns; a column `label` beside them is not one."""
    if isinstance(prediction, pd.DataFrame):
        prediction = prediction.drop(columns="label", errors="ignore")
        return prediction.to_numpy(dtype=float), [str(name) for name in prediction.columns]
    if classes is None:
        raise DataError("Probabilities without names: give a data frame with a column a class, or `classes`.")
    return np.asarray(prediction, dtype=float), [str(name) for name in classes]


def blocks(y: Any, count: int = 10) -> np.ndarray:
    """Which of `count` blocks each row is in, the target spread evenly; the same rows, the same blocks."""
    order = np.argsort(np.asarray(pd.factorize(pd.Series(y), sort=True)[0]), kind="stable")
    found = np.empty(len(order), dtype=int)
    found[order] = np.arange(len(order)) % count
    return found


def block_scores(name: str, task: str, y: Any, prediction: Any, classes: Any = None) -> list[float]:
    """The metric in each of ten blocks of the same rows: how far two models' scores differ by luck."""
    which, y = blocks(y), np.asarray(y)
    pick = (
        (lambda m: prediction[m])
        if not isinstance(prediction, pd.DataFrame)
        else (lambda m: prediction.loc[m])
    )
    return [metric(name, task, y[which == b], pick(which == b), classes) for b in np.unique(which)]


def interval(
    name: str, task: str, y: Any, one: Any, other: Any, draws: int = 200, seed: int = 42
) -> dict[str, float]:
    """How much `one` is better than `other` on the same rows: difference, and its 95 % bootstrap interval.

    Rows are drawn with replacement, the same ones for both. Positive means that `one` is better.
    """
    y, one, other = np.asarray(y), _frame(one), _frame(other)
    way, rng = sign(name), np.random.default_rng(seed)

    def gain(pick: np.ndarray) -> float:
        scores = [metric(name, task, y[pick], _rows(side, pick)) for side in (one, other)]
        return way * (scores[1] - scores[0])

    found = np.array([gain(rng.integers(0, len(y), len(y))) for _ in range(draws)])
    low, high = np.nanquantile(found, [0.025, 0.975])
    return {"gain": gain(np.arange(len(y))), "low": float(low), "high": float(high)}


def _frame(side: Any) -> Any:
    return side.drop(columns="label", errors="ignore") if isinstance(side, pd.DataFrame) else np.asarray(side)


def _rows(side: Any, pick: np.ndarray) -> Any:
    return side.iloc[pick] if isinstance(side, pd.DataFrame) else side[pick]


def by_slice(
    name: str, task: str, y: Any, prediction: Any, groups: Mapping[str, pd.Series], least: int = 30
) -> pd.DataFrame:
    """The metric within each group of each slice, worst first; not for fewer than `least` rows."""
    y, way, rows = np.asarray(y), sign(name), []
    for label, group in groups.items():
        values = group.astype(str).to_numpy()
        for value in np.unique(values):
            picked = np.flatnonzero(values == value)
            if len(picked) >= least:
                score = metric(name, task, y[picked], _rows(_frame(prediction), picked))
                rows.append((label, value, len(picked), score))
    table = pd.DataFrame(rows, columns=["slice", "group", "rows", name]).dropna(subset=[name])
    return table.sort_values(name, ascending=way < 0, ignore_index=True)


def constant(task: str, y: Any, rows: int) -> Any:
    """What a model without features says of `rows` rows: the mean of `y`, or the share of each class."""
    if task == "regression":
        return np.full(rows, float(np.mean(np.asarray(y, dtype=float))))
    shares = pd.Series(np.asarray(y).astype(str)).value_counts(normalize=True).sort_index()
    return pd.DataFrame(np.tile(shares.to_numpy(), (rows, 1)), columns=shares.index)
