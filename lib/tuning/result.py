"""The outcome of a search: the trials as a frame, the best of each family, the choice, all as a record."""

from dataclasses import dataclass

import pandas as pd

from lib import files, records
from lib.compute.pool import Outcome
from lib.tuning import selection, spaces, suggest
from lib.tuning.plan import Plan


@dataclass
class SearchResult:
    """The outcome of a search. `trials` has a row a trial, in the order of submission.

    `asked` is what TPE was asked for the last trial that it proposed, if it proposed one.
    """

    trials: pd.DataFrame
    metric: str
    seconds: float
    reason: str
    budget: int
    settings: dict[str, spaces.Point]
    spaces: dict[str, spaces.Space]
    plan: Plan
    asked: suggest.Asked | None = None

    @property
    def best(self) -> pd.DataFrame:
        """The best trial of each family, best first."""
        return selection.best_of_families(self.trials, self.metric)

    @property
    def choice(self) -> pd.Series:
        """The trial that is selected."""
        return selection.select(self.trials, self.metric)

    def of(self, family: str) -> pd.DataFrame:
        """The trials of one family, the encoder's setting among their parameters where it was searched."""
        trials = self.trials[self.trials["family"] == family]
        if "encoding" not in self.spaces[family]:
            return trials
        points = [row.parameters | {"encoding": row.encoding} for row in trials.itertuples()]
        return trials.assign(parameters=pd.Series(points, index=trials.index, dtype=object))

    def tuned(self, feature_set: str, unit: str = "") -> records.Tuned:
        """The result as a record, the same for the same trials and end: no times. `unit` is the target's."""
        best = {row["family"]: self._plain(row) for _, row in self.best.iterrows()}
        unit = unit if self.metric in ("rmse", "mae") else ""
        good = self.trials["status"] == "ok"
        return records.Tuned(
            feature_set=feature_set,
            metric=self.metric,
            choice=self._plain(self.choice),
            best=best,
            trials=len(self.trials),
            budget=self.budget,
            failed=int((~good).sum()),
            cut=int(self.trials.loc[good, "cut"].astype(bool).sum()),
            folds=self.plan.folds,
            ended=self.reason,
            unit=unit,
        )

    def _plain(self, row: pd.Series) -> Outcome:
        names = ["number", "family", "parameters", "encoding", "score", "rounds", "comparisons", "reason"]
        rounds = None if pd.isna(row["rounds"]) else int(row["rounds"])
        plain: Outcome = files.plain({name: row[name] for name in names} | {"rounds": rounds})
        return plain | {"settings": self.settings[row["encoding"]]}
