"""Answers that are classes: how often each is right, and what a threshold costs where there are two."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import evaluation
from lib.evaluation import Prediction, Truth

#: Thresholds that are compared, and the one that `predict` has.
THRESHOLDS, USUAL = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), 0.5
#: Of fewer rows of a class no share is told in a sentence.
LEAST = 30


def by_class(task: str, y: Truth, prediction: Prediction) -> pd.DataFrame:
    """Of classes (of numbers nothing) a row each: of rows called so how many are, of its rows how many found.

    A class that training had not seen is there too: none of its rows can be found.
    """
    from sklearn.metrics import precision_recall_fscore_support

    if task == "regression":
        return pd.DataFrame()
    truth, chances, names = _sides(y, prediction)
    called = np.asarray(names)[chances.argmax(axis=1)]
    said = precision_recall_fscore_support(truth, called, labels=names, zero_division=np.nan)
    table = pd.DataFrame(dict(zip(("precision", "recall", "f1", "rows"), said, strict=True)), index=names)
    table.insert(0, "rows", table.pop("rows").astype(int))
    return table.rename_axis("class").sort_values("rows", ascending=False, kind="stable")


def _sides(y: Truth, prediction: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, list[str]]:
    truth = np.asarray(y).astype(str)
    return truth, *evaluation.with_unseen(truth, *evaluation.probabilities(prediction))


def read(task: str, y: Truth, prediction: Prediction) -> str:
    """Precision, recall and the threshold in words."""
    if task == "regression":
        return "The target is a number: there are no classes to find or to miss."
    return f"{read_by_class(y, prediction)}\n\n{read_thresholds(y, prediction)}"


def read_by_class(y: Truth, prediction: pd.DataFrame) -> str:
    """Which class is found least and which is called wrongly most, and what training had not seen."""
    table = by_class("classification", y, prediction)
    new = evaluation.unseen(y, [str(name) for name in prediction.columns])
    said = [read_unseen(y, prediction.columns)] if new else []
    common = table[(table["rows"] >= LEAST) & ~table.index.isin(new)]
    if len(common):
        least, wrong = common["recall"].idxmin(), common["precision"].fillna(0).idxmin()
        said.append(
            f"Of the classes with {LEAST} rows or more **{least}** is found least "
            f"({common['recall'][least]:.0%} of its rows); where it is called, **{wrong}** is right least "
            f"often ({common['precision'].fillna(0)[wrong]:.0%})."
        )
    return " ".join(said) or f"No class has {LEAST} rows: shares of so few would be luck."


def read_unseen(y: Truth, names: Sequence[str]) -> str:
    """The classes of `y` that the model has never seen, each row an error; empty where all are known."""
    new = pd.Series(np.asarray(y).astype(str))
    new = new[new.isin(evaluation.unseen(y, [str(name) for name in names]))].value_counts()
    if new.empty:
        return ""
    named = ", ".join(f"{name} ({count:,} rows)" for name, count in new.items())
    return f"**Not seen in training: {named}.** The model cannot give this answer: each such row is an error."


def thresholds(y: Truth, prediction: pd.DataFrame) -> pd.DataFrame:
    """For two classes what each threshold finds and costs; the positive class is the second by name."""
    truth, positive = np.asarray(y).astype(str), str(prediction.columns[1])
    chance, is_it = prediction.iloc[:, 1].to_numpy(dtype=float), truth == positive
    rows = []
    for threshold in THRESHOLDS:
        called = chance >= threshold
        hits = int((called & is_it).sum())
        rows.append((threshold, hits, int(called.sum()) - hits, int(is_it.sum()) - hits))
    columns = ["threshold", "found", "false alarms", "missed"]
    return pd.DataFrame(rows, columns=columns).set_index("threshold")


def read_thresholds(y: Truth, prediction: pd.DataFrame) -> str:
    """Which class is the positive one, from which probability on it is called, and what that costs."""
    if prediction.shape[1] != 2:
        return (
            f"There are {prediction.shape[1]} classes: the likeliest is the answer, and no threshold is set. "
            "Which mistake costs more, a miss or a wrong call, is for whoever uses the probabilities."
        )
    table, positive = thresholds(y, prediction), prediction.columns[1]
    usual, low = table.loc[USUAL], table.loc[0.2]
    return (
        f"The positive class is **{positive}** (the second by name). It is the answer from a probability of "
        f"{USUAL:g} on: that finds {usual['found']:,} of {usual['found'] + usual['missed']:,} rows, misses "
        f"{usual['missed']:,}, and gives {usual['false alarms']:,} false alarms. From 0.2 on it would miss "
        f"{low['missed']:,} at {low['false alarms']:,} false alarms. Where a miss costs m, a false alarm f, "
        "the cheapest threshold is f / (m + f), if the probabilities are what they say."
    )
