"""One trial: fit a family with one setting on the rows that learn, score it on those that score.

A `Bench` is stored once and memory-mapped by every worker: they share its matrices without a copy.
XGBoost's bins are cut once a worker and encoding, not once a trial.
"""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lib import evaluation, files
from lib.compute.pool import Evaluate, Outcome, Trial
from lib.runtime import models
from lib.tuning import endings
from lib.tuning.matrices import Split
from lib.tuning.plan import Plan

#: What the fork server of the workers imports beforehand; nothing of `lib`, whose edits count at once.
PRELOAD = (
    "numpy",
    "scipy.sparse",
    "pandas",
    *(
        f"sklearn.{name}"
        for name in ("ensemble", "impute", "linear_model", "metrics", "pipeline", "preprocessing", "svm")
    ),
    "threadpoolctl",
    "joblib",
    "xgboost",
)


#: Of the seconds that a trial may take, boosting takes this share: then it keeps the rounds that it has.
BOOSTING = 0.8


@dataclass
class Bench:
    """What every trial works on: splits by encoder setting, and what of the plan concerns one fit."""

    splits: Mapping[str, Sequence[Split]]
    task: str
    metric: str
    watched: str
    plan: Plan
    _bins: dict[object, tuple[Any, np.ndarray | None]] = field(default_factory=dict)

    def evaluate(self, trial: Trial) -> Outcome:
        """Fit and score `trial`: family, parameters, and which encoding; with folds the mean over these."""
        from threadpoolctl import threadpool_limits

        start, splits, parts = time.monotonic(), self.splits[trial["encoding"]], []
        with threadpool_limits(self.plan.threads):
            for number, split in enumerate(splits):
                gone = time.monotonic() - start
                left = (BOOSTING * trial.get("seconds", math.inf) - gone) / (len(splits) - number)
                parts.append(self._fit(trial, split, number, left))
        whole = parts[0] if len(parts) == 1 else _mean(parts)
        return {"status": "ok", **whole, "repeatable": not whole["cut"], "seconds": time.monotonic() - start}

    def _fit(self, trial: Trial, split: Split, number: int, seconds: float) -> Outcome:
        dense, plan = isinstance(split.train, np.ndarray), self.plan
        end = time.monotonic() + seconds
        model = models.build(trial["family"], trial["parameters"], self.task, plan.seed, plan.threads, dense)
        if isinstance(model, models.Boosted):
            self._boost(model, split, (trial["encoding"], number), end)
        else:
            model.fit(split.train, split.y_train, end)
        response = models.response(model, split.validation)
        classes = models.classes(model)
        score = evaluation.metric(self.metric, self.task, split.y_validation, response, classes)
        if not np.isfinite(score):
            raise ValueError(f"the validation {self.metric} is {score}")
        blocks = evaluation.block_scores(self.metric, self.task, split.y_validation, response, classes)
        cut = getattr(model, "cut_", False)
        return {
            "reason": endings.of(model),
            "cut": cut,
            "score": float(score),
            "blocks": [float(part) for part in blocks],
            "rounds": getattr(model, "rounds_", None),
            "comparisons": model.comparisons(split.validation),
        }

    def _boost(self, model: models.Boosted, split: Split, place: object, end: float) -> None:
        """XGBoost on shared bins, stopped by the metric on the rows that score, or when its time is over."""
        cut = tuple(model.get_params().get(name) for name in ("target", "balance", "max_bin"))
        key = place, cut
        if key not in self._bins:
            self._bins[key] = model.binned(split.train, split.y_train), getattr(model, "classes_", None)
        train, classes = self._bins[key]
        way = evaluation.sign(self.watched)

        def loss(response: np.ndarray) -> float:
            names = models.classes(model)
            return way * evaluation.metric(self.watched, self.task, split.y_validation, response, names)

        patience = self.plan.early_stopping_rounds
        model.fit_watching(train, split.validation, loss, patience, classes=classes, end=end)


def _mean(parts: Sequence[Outcome]) -> Outcome:
    """The outcome of a trial that was scored by folds: means, and a fold's score as one of the blocks."""
    scores, rounds = [part["score"] for part in parts], [part["rounds"] for part in parts]
    return {
        "reason": next((part["reason"] for part in parts if part["reason"]), ""),
        "cut": any(part["cut"] for part in parts),
        "score": float(np.mean(scores)),
        "blocks": scores,
        "rounds": None if None in rounds else round(np.mean(rounds)),
        "comparisons": float(np.mean([part["comparisons"] for part in parts])),
    }


@contextlib.contextmanager
def on_disk(bench: Bench, checkpoint: Path | None) -> Iterator[Path]:
    """`bench` in a file that `load` maps into memory, gone when the block ends.

    It lies beside the checkpoint, where a step that is opened later sweeps what a dead one left.
    """
    import joblib

    with files.temporary(checkpoint) if checkpoint else files.temporary_folder() as folder:
        with files.writing(folder):
            joblib.dump(bench, folder / "bench")
        yield folder / "bench"


def load(path: Path) -> Evaluate:
    """What evaluates trials on the stored bench: a worker's first call."""
    import joblib

    bench: Bench = joblib.load(path, mmap_mode="c")  # copy on write: nobody's change is another's
    return bench.evaluate
