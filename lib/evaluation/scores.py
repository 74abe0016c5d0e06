"""The figures of the training page: gathered under their names, and said in words.

The metrics themselves are in `lib.evaluation`; here is which model predicted which rows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from lib import evaluation
from lib.evaluation import Prediction, Truth
from lib.records import Tuned
from lib.runtime import encoders, models
from lib.runtime.inference import InferencePipeline
from lib.wording import lead, rounded, signed

#: What the models of the page are called in `metrics.json`.
NAMES = {
    "validation": "validation",
    "on train alone": "train_only_test",
    "refitted": "test",
    "constant": "baseline_constant_test",
    "linear": "baseline_linear_test",
}


#: So many training rows are enough for a curve.
MOST = 5_000


class Scores:
    """All metrics of each model, by the model's name on the page."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.by_model: dict[str, dict[str, float]] = {}

    def add(self, name: str, truth: Truth, prediction: Prediction) -> None:
        """Score one prediction."""
        self.by_model[name] = evaluation.metrics(self.task, truth, prediction)

    def add_all(self, truth: Truth, predictions: Mapping[str, Prediction]) -> None:
        """Score several predictions of the same rows."""
        for name, prediction in predictions.items():
            self.add(name, truth, prediction)

    def add_constant(self, truth: Truth, known: Truth) -> None:
        """Score by each metric the best constant of the targets `known`: their mean, or their median."""
        for name in evaluation.metrics(self.task, truth, evaluation.constant(self.task, known, len(truth))):
            said = evaluation.constant(self.task, known, len(truth), name)
            scored = evaluation.metric(name, self.task, truth, said)
            self.by_model.setdefault("constant", {})[name] = scored

    def of(self, name: str, metric: str) -> float:
        """One figure."""
        return self.by_model[name][metric]

    def table(self, selected: str) -> pd.DataFrame:
        """The models on test, a row each; the column `kept` marks the one that is `selected`."""
        shown = pd.DataFrame({k: v for k, v in self.by_model.items() if k != "validation"}).T
        return shown.assign(kept=shown.index == selected)

    def named(self) -> dict[str, float]:
        """Flat figures, named as in `metrics.json` and both trackers."""
        flat = {
            f"{NAMES[name]}_{key}": value
            for name, kinds in self.by_model.items()
            for key, value in kinds.items()
        }
        return {name: float(value) for name, value in flat.items() if np.isfinite(value)}

    def read(self, metric: str, unit: str = "") -> str:
        """The bars in words: how much of the constant's error is gone, and what more rows were worth."""
        way, score = evaluation.sign(metric), {name: self.of(name, metric) for name in self.by_model}
        kept, alone = score["refitted"], score["on train alone"]

        def over(name: str) -> str:
            return lead(way * (score[name] - kept), kept)

        more, drift = way * (alone - kept), way * (score["validation"] - alone)
        told = lead(more, kept) != "no better"
        worth = f"were worth {signed(more, digits=2)}" if told else "made no difference"
        why = {"better": "rows differ.", "worse": "in part the search's own luck, in part rows that differ."}
        how = lead(drift, alone)
        return (
            f"The refitted model has a test {metric} of **{rounded(kept, 4)}{f' {unit}' if unit else ''}**, "
            f"{over('constant')} than the constant and {over('linear')} than the line. "
            f"The additional rows {worth}. The fit on training rows alone is {how} on test than it was on "
            f"validation ({rounded(score['validation'], 4)})"
            + (f": {why[how.split()[-1]]}" if how != "no better" else ".")
        )


def read_repeat(scores: Scores, tuned: Tuned) -> str:
    """Whether the fit on training rows scores on validation what the search wrote down."""
    now, then = scores.of("validation", tuned.metric), float(tuned.choice["score"])
    if tuned.folds:
        return (
            f"The search scored {tuned.folds} folds of training and validation rows, {tuned.metric} "
            f"{rounded(then, 6)} on average; fitted on training rows alone it has {rounded(now, 6)} on the "
            "validation rows."
        )
    if abs(now - then) <= 1e-6 * max(1.0, abs(then)):
        return f"It is: {tuned.metric} {rounded(now, 6)} then and now."
    return (
        f"**It is not**: {rounded(now, 6)} now, {rounded(then, 6)} in the search. Was a library or a feature "
        "set changed since? Tune again before trusting what follows."
    )


def read_means(pipeline: InferencePipeline, metric: str, unit: str = "") -> str:
    """What was done so that answers are right on average."""
    model: Any = pipeline.model_
    if hasattr(model, "classes_"):
        if len(model.classes_) < 2:
            return "Training has one class alone, which has every chance: there are no odds to change."
        logs = pd.Series(-np.log(model.weights_), index=model.classes_)
        moved = pd.Series({name: log - logs.drop(name).median() for name, log in logs.items()})
        most = moved.abs().idxmax()
        return (
            "On the validation rows each class is now promised as often as it comes. Against the bare "
            f"fit the odds of **{most}** against the others were changed most, by "
            f"{rounded(np.exp(moved[most]), 2)} times."
        )
    if model.target == "identity":
        return "This model was fitted to the target itself: it answers the mean already."
    if metric not in evaluation.OF_MEANS:
        return (
            f"It was fitted to the {model.target} of the target and stays near the median, as {metric} asks."
        )
    more = f"times {rounded(model.spread_)}" if model.target == "log" else signed(model.spread_, unit)
    return f"It was fitted to the {model.target} of the target; answers are taken to the mean: {more}."


def stacked(*parts: pd.DataFrame) -> pd.DataFrame:
    """Frames of rows as one."""
    return pd.concat(parts, ignore_index=True)


def costs(pipeline: InferencePipeline, folder: Path, times: Mapping[str, float]) -> dict[str, float]:
    """Size on disk, time to load, time a row alone and in bulk, and the columns of the matrix."""
    return {
        "model_mb": _megabytes(folder),
        "load_seconds": times["load_seconds"],
        "one_row_us": times["one_row_us"],
        "bulk_row_us": times["bulk_row_us"],
        "columns": float(len(pipeline.encoding_.get_feature_names_out())),
    }


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def read_reload(before: Prediction, after: Prediction, times: Mapping[str, float], folder: Path) -> str:
    """Whether the stored model predicts the same, and what it costs."""
    gap = np.abs(np.asarray(before, dtype=float) - np.asarray(after, dtype=float)).max()
    same = (
        f"All {len(after):,} predictions are the same"
        if gap == 0
        else f"The predictions differ by at most {rounded(gap, 2)}"
    )
    return (
        f"{same}. The folder takes {_megabytes(folder):.1f} MB; loading takes {times['load_seconds']:.2f} s, "
        f"one row alone {times['one_row_us'] / 1000:.1f} ms, a row among many {times['bulk_row_us']:.1f} µs."
    )


def some_answers(
    target: str, pipeline: InferencePipeline, rows: pd.DataFrame, predictions: Prediction, most: int = 5
) -> pd.DataFrame:
    """The truth and the prediction of a few raw rows, and beside them the rows: no two alike."""
    inputs = list(pipeline.inputs_)
    picked = np.flatnonzero(~rows[inputs].duplicated().to_numpy())[:most]
    rows, predictions = rows.iloc[picked], evaluation.take(predictions, picked)
    answers = {"truth": rows[target].to_numpy()}
    if isinstance(predictions, pd.DataFrame):
        answers |= {"prediction": predictions.idxmax(axis=1), "chance": predictions.max(axis=1).round(2)}
    else:
        answers |= {"prediction": np.round(predictions, 2)}
    shown = [pd.DataFrame(answers).reset_index(drop=True), rows[inputs].reset_index(drop=True)]
    return pd.concat(shown, axis=1)


def by_round(
    pipeline: InferencePipeline, train: pd.DataFrame, validation: pd.DataFrame, metric: str
) -> pd.DataFrame:
    """The metric of a fitted boosted model round by round; of any other model an empty table.

    One column is of (some of) the rows that it was fitted on, encoded as they were then, the other of rows
    it has not seen.
    """
    serving, target = pipeline.serving, pipeline.serving.target.name

    def curve(matrix: encoders.Matrix, truth: pd.Series) -> dict[int, float]:
        names = models.classes(pipeline.model_)
        return {
            rounds: evaluation.metric(metric, serving.task, truth, response, names)
            for rounds, response in pipeline.model_.staged(matrix)
        }

    unseen = curve(pipeline.matrix(validation), validation[target])
    if not unseen:
        return pd.DataFrame()
    encoding = clone(pipeline.encoding_)
    derived = [name for name in encoding.training_columns if name in serving.derived]
    learnt = encoding.fit_transform(serving.engineer(train, derived), train[target].to_numpy())
    some = np.linspace(0, len(train) - 1, min(len(train), MOST)).astype(int)
    seen = curve(learnt[some], train[target].iloc[some])
    columns = {f"train_{metric}": seen, f"validation_{metric}": unseen}
    return pd.DataFrame(columns).rename_axis("round")
