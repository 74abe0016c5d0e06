"""How good predictions are: metrics, and the same within named slices.

A prediction is one array of numbers, or for classes a frame (or array) with a column of probabilities
a class. Nothing here fits anything; how sure a figure is says `lib.uncertainty`, and `lib.plots` draws it.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from lib.errors import DataError
from lib.records import HIGHER_IS_BETTER

#: The target of some rows.
Truth: TypeAlias = "Sequence[float] | Sequence[str] | np.ndarray | pd.Series"
#: The best constant of numbers by a metric, where it is not their mean.
CONSTANTS = {"mae": "median"}
#: What a model says of some rows.
Prediction: TypeAlias = "Sequence[float] | np.ndarray | pd.DataFrame"

#: Metrics that are best where the mean is answered; the mean absolute error is where the median is.
OF_MEANS = ("rmse", "r2")


def sign(metric: str) -> int:
    """+1 where less is better, -1 where more is: `sign * score` always falls as models improve."""
    return -1 if metric in HIGHER_IS_BETTER else 1


def metrics(
    task: str, y: Truth, prediction: Prediction, classes: Sequence[str] | None = None
) -> dict[str, float]:
    """`rmse`, `mae`, `r2` of numbers; of classes `auc` and `f1` (macro), `log_loss` and `accuracy`.

    A row of a class that the model has not got is an error to all of them: its class had no chance.
    """
    if task == "regression":
        return _of_numbers(np.asarray(y, dtype=float), np.asarray(prediction, dtype=float))
    chances, names = probabilities(prediction, classes)
    return _of_classes(np.asarray(y).astype(str), chances, names)


def metric(
    name: str, task: str, y: Truth, prediction: Prediction, classes: Sequence[str] | None = None
) -> float:
    """One of `metrics`, without the cost of the others."""
    if name == "auc":
        chances, names = probabilities(prediction, classes)
        return _auc(np.asarray(y).astype(str), chances, names)
    scores = metrics(task, y, prediction, classes)
    if name not in scores:
        raise DataError(f"There is no {task} metric {name!r}; there are {sorted(scores)}.")
    return scores[name]


def _of_numbers(y: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    error = y - prediction
    spread = float(((y - y.mean()) ** 2).mean())
    squared = float((error**2).mean())
    r2 = 1 - squared / spread if spread > 0 else float("nan")
    return {"rmse": squared**0.5, "mae": float(np.abs(error).mean()), "r2": r2}


def _of_classes(y: np.ndarray, chances: np.ndarray, names: list[str]) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score

    chances, names = with_unseen(y, chances, names)
    best = np.asarray(names)[chances.argmax(axis=1)]
    f1 = f1_score(y, best, average="macro")
    given = chances[np.arange(len(y)), pd.Index(names).get_indexer(y)].astype(float)
    return {
        "auc": _auc(y, chances, names),
        "log_loss": float(-np.log(given.clip(np.finfo(float).eps, 1)).mean()),
        "accuracy": float(accuracy_score(y, best)),
        "f1": float(f1),
    }


def _auc(y: np.ndarray, chances: np.ndarray, names: list[str]) -> float:
    """Macro AUC over pairs of classes that are there; not a number where fewer than two are."""
    return Ranks(y, chances, names).auc()


def with_unseen(y: np.ndarray, chances: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """The same with a column of no chance for each class of `y` that has none: training had not seen it."""
    new = unseen(y, names)
    return np.hstack([chances, np.zeros((len(chances), len(new)))]), [*names, *new]


def unseen(y: Truth, names: Sequence[str]) -> list[str]:
    """The classes of `y` that are not among `names`, in their order."""
    return sorted(set(np.asarray(y).astype(str)) - set(names))


class Ranks:
    """Rows by the place of their probability of each class: the AUC is a count of pairs of them.

    It is Hand and Till's, as scikit-learn's one-against-one macro average: the mean over pairs of classes
    of how often a row of one has a larger probability of it than a row of the other, ties counting half;
    `make bench ONLY=scores` compares the time of the two.
    """

    def __init__(self, y: np.ndarray, chances: np.ndarray, names: list[str]) -> None:
        chances, names = with_unseen(y, chances, names)
        codes = pd.Index(names).get_indexer(y)
        there = np.unique(codes)
        self.codes, self.classes = np.searchsorted(there, codes), len(there)
        chosen = chances.astype(float)
        if (
            len(there) < len(names) and len(names) > 2
        ):  # what was given to classes that are absent is shared out
            chosen = chosen[:, there]
            chosen = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1e-300)
        columns = [1] if len(names) == 2 else range(self.classes)
        self.places = {c: np.unique(chosen[:, c], return_inverse=True)[1] for c in columns}

    def auc(self) -> float:
        """The area for these rows."""
        if self.classes < 2:
            return float("nan")
        return float(np.mean([self._of(column, place) for column, place in self.places.items()]))

    def _of(self, column: int, place: np.ndarray) -> float:
        """The mean over the other classes of how often `column`'s rows stand above theirs."""
        size = (place.max() + 1) * self.classes
        counts = np.bincount(place * self.classes + self.codes, minlength=size).reshape(-1, self.classes)
        sizes, others = counts.sum(axis=0), np.arange(self.classes) != column
        below = counts.cumsum(axis=0) - 0.5 * counts
        return float(((counts[:, column] @ below)[others] / (sizes[column] * sizes[others])).mean())


def probabilities(
    prediction: Prediction, classes: Sequence[str] | None = None
) -> tuple[np.ndarray, list[str]]:
    """Probabilities and the names of their columns; a column `label` beside them is not one."""
    if isinstance(prediction, pd.DataFrame):
        prediction = prediction.drop(columns="label", errors="ignore")
        return prediction.to_numpy(dtype=float), [str(name) for name in prediction.columns]
    if classes is None:
        raise DataError("Probabilities without names: give a data frame with a column a class, or `classes`.")
    return np.asarray(prediction, dtype=float), [str(name) for name in classes]


def blocks(y: Truth, count: int = 10) -> np.ndarray:
    """Which of `count` blocks each row is in, the target spread evenly; the same rows, the same blocks."""
    order = np.argsort(np.asarray(pd.factorize(pd.Series(y), sort=True)[0]), kind="stable")
    numbers = np.empty(len(order), dtype=int)
    numbers[order] = np.arange(len(order)) % count
    return numbers


def block_scores(
    name: str, task: str, y: Truth, prediction: Prediction, classes: Sequence[str] | None = None
) -> list[float]:
    """The metric in each of ten blocks of the same rows: how far two models' scores differ by luck."""
    which, y = blocks(y), np.asarray(y)
    picks = [np.flatnonzero(which == block) for block in np.unique(which)]
    return [metric(name, task, y[pick], take(prediction, pick), classes) for pick in picks]


def take(prediction: Prediction, places: np.ndarray) -> np.ndarray | pd.DataFrame:
    """What is said of the rows at these places."""
    return prediction.iloc[places] if isinstance(prediction, pd.DataFrame) else np.asarray(prediction)[places]


def by_slice(
    name: str,
    task: str,
    y: Truth,
    prediction: Prediction,
    groups: Mapping[str, pd.Series],
    least: int = 30,
) -> pd.DataFrame:
    """The metric within each group of each slice, worst first; not for fewer than `least` rows."""
    y, rows = np.asarray(y), []
    for label, group in groups.items():
        values = group.astype(str).to_numpy()
        for value in np.unique(values):
            picked = np.flatnonzero(values == value)
            if len(picked) >= least:
                score = metric(name, task, y[picked], take(prediction, picked))
                rows.append((label, value, len(picked), score))
    table = pd.DataFrame(rows, columns=["slice", "group", "rows", name]).dropna(subset=[name])
    return table.sort_values(name, ascending=name in HIGHER_IS_BETTER, ignore_index=True)


def constant(task: str, y: Truth, rows: int, metric: str = "") -> np.ndarray | pd.DataFrame:
    """What a model without features says of `rows` rows: the mean of `y`, or the share of each class.

    Where `metric` is the MAE it is the median, of all constants the one that errs least by it.
    """
    from sklearn.dummy import DummyClassifier, DummyRegressor

    fitted, asked = np.zeros((len(y), 0)), np.zeros((rows, 0))
    if task == "regression":
        model = DummyRegressor(strategy=CONSTANTS.get(metric, "mean"))
        return model.fit(fitted, np.asarray(y, dtype=float)).predict(asked)
    model = DummyClassifier(strategy="prior").fit(fitted, np.asarray(y).astype(str))
    return pd.DataFrame(model.predict_proba(asked), columns=model.classes_)
