"""One trial: fit a family with one setting on the training matrix, score it on the validation matrix.

A `Bench` is stored once and memory-mapped by every worker: they share its matrices without a copy.
XGBoost's bins are cut once a worker and encoding, not once a trial.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lib import evaluation, files
from lib.compute.pool import Evaluate, Outcome, Trial
from lib.runtime import models
from lib.runtime.encoders import Matrix

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


@dataclass
class Bench:
    """What every trial works on: encoded rows by encoder setting, targets, task, metric, threads a trial."""

    matrices: Mapping[str, tuple[Matrix, Matrix]]
    y_train: np.ndarray
    y_validation: np.ndarray
    task: str
    metric: str
    seed: int
    threads: int
    _bins: dict[object, tuple[Any, Any, np.ndarray | None]] = field(default_factory=dict)

    def evaluate(self, trial: Trial) -> Outcome:
        """Fit and score `trial`: family, parameters, and which encoding."""
        from threadpoolctl import threadpool_limits

        train, validation = self.matrices[trial["encoding"]]
        start = time.perf_counter()
        dense = isinstance(train, np.ndarray)
        model = models.build(trial["family"], trial["parameters"], self.task, self.seed, self.threads, dense)
        with threadpool_limits(self.threads):
            if isinstance(model, models.Boosted):
                prediction = self._boost(model, trial["encoding"], trial.get("seconds"))
            else:
                prediction = models.response(model.fit(train, self.y_train), validation)
        return self._outcome(model, prediction, validation, time.perf_counter() - start)

    def _boost(self, model: models.Boosted, encoding: str, seconds: float | None) -> np.ndarray:
        """XGBoost on shared bins, stopped early on validation, or when most of its time is over."""
        key = encoding, getattr(model, "target", None), getattr(model, "balance", None)
        if key not in self._bins:
            train, validation = self.matrices[encoding]
            bins = model.binned(train, self.y_train)
            watched = model.binned(validation, self.y_validation, ref=bins)
            self._bins[key] = bins, watched, getattr(model, "classes_", None)
        train, validation, classes = self._bins[key]
        model.fit_watching(train, validation, classes, seconds and 0.8 * seconds - 1)
        return model.predict_binned(validation)

    def _outcome(
        self, model: models.Model, prediction: np.ndarray, validation: Matrix, seconds: float
    ) -> Outcome:
        classes = models.classes(model)
        score = evaluation.metric(self.metric, self.task, self.y_validation, prediction, classes)
        if not np.isfinite(score):
            raise ValueError(f"the validation {self.metric} is {score}")
        parts = evaluation.block_scores(self.metric, self.task, self.y_validation, prediction, classes)
        cut = getattr(model, "cut_", False)
        return {
            "status": "ok",
            "reason": "ended by the clock, with the rounds it had" if cut else "",
            "repeatable": not cut,
            "score": float(score),
            "blocks": [float(part) for part in parts],
            "seconds": seconds,
            "rounds": getattr(model, "rounds_", None),
            "comparisons": model.comparisons(validation),
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
