"""What a search is to do, as the parameters of its page say it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from lib.errors import ParameterError
from lib.notebook_source import limits
from lib.problem import Dataset
from lib.runtime import models
from lib.runtime.schema import Settings
from lib.tuning.given import Given


@dataclass(frozen=True)
class Plan:
    """The parameters of a search: their meaning stands in the parameters cell of `04_tune`."""

    models: Sequence[str]
    max_evals: int
    timeout_s: float
    parallel: int = 2
    threads: int = 1
    seed: int = 42
    algo: str = "tpe"
    patience: int = 0
    folds: int = 0
    fixed: Settings = field(default_factory=dict)
    space: Settings = field(default_factory=dict)
    early_stopping_rounds: int = 30
    early_stopping_metric: str = ""
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse one fold alone: it would leave nothing to learn from."""
        if self.folds == 1:
            raise ParameterError("folds must be 0 (the validation rows score) or at least 2, not 1.")

    @classmethod
    def of(cls, parameters: Settings) -> Self:
        """The plan among a page's parameters."""
        return cls(**{f.name: parameters[f.name] for f in dataclasses.fields(cls)})

    @property
    def given(self) -> Given:
        """What is set and searched in place of the families' own; on a GPU XGBoost is told so."""
        always = {} if self.device == "cpu" else {"xgboost": {"device": self.device}}
        return Given(self.models, self.fixed, self.space, always)

    def watched(self, dataset: Dataset) -> str:
        """The metric by which boosting stops early: the problem's own unless another was asked for."""
        return self.early_stopping_metric or dataset.metric

    def check(self, dataset: Dataset) -> None:
        """Refuse what no search could do."""
        models.named(self.models, dataset.task)
        known = limits.METRICS[dataset.task]
        if self.watched(dataset) not in known:
            raise ParameterError(
                f"early_stopping_metric must be one of {known}, not {self.early_stopping_metric!r}."
            )
