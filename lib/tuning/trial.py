"""One trial: fit a family with one setting on the training matrix, score it on the validation matrix.

The `Bench` is made before the workers are forked: they see its matrices without a copy. XGBoost's bins
are cut once a worker and encoding, not once a trial.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lib import evaluation, models


@dataclass
class Bench:
    """What every trial works on: encoded rows by encoder setting, targets, task, metric, threads a trial."""

    matrices: Mapping[str, tuple[Any, Any]]
    y_train: np.ndarray
    y_validation: np.ndarray
    task: str
    metric: str
    seed: int
    threads: int
    _bins: dict = field(default_factory=dict)

    def evaluate(self, trial: Mapping[str, Any]) -> dict[str, Any]:
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
                prediction = model.fit(train, self.y_train).predict(validation)
        return self._outcome(model, prediction, validation, time.perf_counter() - start)

    def _boost(self, model: models.Boosted, encoding: str, seconds: float | None) -> np.ndarray:
        """XGBoost on shared bins, stopped early on validation, or when most of its time is over."""
        key = encoding, model.target, model.balance
        if key not in self._bins:
            train, validation = self.matrices[encoding]
            bins = model.binned(train, self.y_train)
            self._bins[key] = bins, model.binned(validation, self.y_validation, ref=bins), model.classes
        train, validation, classes = self._bins[key]
        model.fit_watching(train, validation, classes, seconds and 0.8 * seconds - 1)
        return model.predict_binned(validation)

    def _outcome(self, model: Any, prediction: np.ndarray, validation: Any, seconds: float) -> dict[str, Any]:
        score = evaluation.metric(self.metric, self.task, self.y_validation, prediction, model.classes)
        if not np.isfinite(score):
            raise ValueError(f"the validation {self.metric} is {score}")
        parts = evaluation.block_scores(self.metric, self.task, self.y_validation, prediction, model.classes)
        return {
            "status": "ok",
            "reason": "ended by the clock, with the rounds it had" if getattr(model, "cut", False) else "",
            "score": float(score),
            "blocks": [float(part) for part in parts],
            "seconds": seconds,
            "rounds": getattr(model, "rounds", None),
            "comparisons": model.comparisons(validation),
        }
