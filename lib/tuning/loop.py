"""A search under way: what is out and what came back, how much is left of trials and time, when it ends.

What is tried next is in `suggest`, where trials run in `lib.compute.pool`, what an earlier try left in
`checkpoint`.
"""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pandas as pd

from lib import evaluation
from lib.compute.pool import Outcome, Pool, Trial
from lib.problem import Dataset
from lib.runtime.features import FeatureSet
from lib.tuning import bar, selection, spaces, suggest, trial
from lib.tuning.checkpoint import Checkpoint, fingerprint
from lib.tuning.matrices import Matrices
from lib.tuning.plan import Plan
from lib.tuning.result import SearchResult
from lib.wording import rounded

#: A trial may take this share of the whole time, and never less than these seconds.
SHARE, LEAST = 0.5, 20.0
#: Called with the row of each finished trial.
OnTrial = Callable[[Outcome], None]


class Loop:
    """The state of one search: what was submitted and observed, and how much of the budget is left."""

    def __init__(
        self, dataset: Dataset, features: FeatureSet, matrices: Matrices, plan: Plan, on_trial: OnTrial | None
    ) -> None:
        self.metric, self.way, self.plan = dataset.metric, evaluation.sign(dataset.metric), plan
        self.families, self.on_trial, self.settings = list(plan.models), on_trial, matrices.settings
        given, encodings = plan.given, list(matrices.settings)
        extra: spaces.Space = {"encoding": ("choice", encodings)} if len(encodings) > 1 else {}
        self.fixed: dict[str, spaces.Point] = {}
        self.spaces: dict[str, spaces.Space] = {}
        for name in self.families:
            searched, alone = spaces.parted(
                given.space(name, spaces.space(name, matrices.dense, features.spaces))
            )
            self.spaces[name], self.fixed[name] = {**searched, **extra}, {**alone, **given.fixed(name)}
        self.searches = {
            name: suggest.FamilySearch(name, space, plan.seed, plan.max_evals, plan.algo)
            for name, space in self.spaces.items()
        }
        points = sum(one.size for one in self.searches.values())
        self.budget = int(min(plan.max_evals * len(self.families), points))
        self.best: dict[str, float | None] = dict.fromkeys(self.families)
        self.rows: list[Outcome] = []
        self.proposed: tuple[str, int, int] | None = None  # the last trial of TPE's that ran
        self.stop, self.stopped = suggest.stopper(plan.patience), False
        self.dropped = 0  # trials that were due when the time was over, and never began
        self.before, self.began = 0.0, time.monotonic()

    def resume(self, folder: Path | None, bench: trial.Bench) -> None:
        """Find what an earlier, unfinished run of this very search left."""
        key = ""
        if folder:
            splits = [split for splits in bench.splits.values() for split in splits]
            arrays = [array for split in splits for array in vars(split).values()]
            key = fingerprint(self.spaces, vars(self.plan), self.metric, *arrays)
        self.checkpoint = Checkpoint(folder, key)
        self.before = self.checkpoint.seconds

    def elapsed(self) -> float:
        """Seconds of search so far, those of an earlier part included."""
        return self.before + time.monotonic() - self.began

    def time_for_a_trial(self) -> float:
        """Seconds that a trial starting now may take: a share of the whole, never beyond its end."""
        left = self.plan.timeout_s - self.elapsed()
        return (
            min(max(LEAST, SHARE * self.plan.timeout_s), left)
            if left > min(4.0, 0.1 * self.plan.timeout_s)
            else 0.0
        )

    def go(self, pool: Pool) -> SearchResult:
        """Submit, wait for the oldest, observe it, until the budget is used up."""
        self.began = time.monotonic()  # how long the workers took to start is not the search's time
        pending: deque[tuple[Trial, Outcome | Future[Outcome]]] = deque()
        reason, over = "all trials were run", "its time was over"
        try:
            with bar.of(self.budget) as shown:
                while pending or (self._submitted() < self.budget and not self.stopped):
                    while len(pending) < self.plan.parallel and self._may_submit():
                        pending.append(self._submit(pool))
                    if not pending:
                        reason = over
                        break
                    self._observe(*pending.popleft())
                    shown.set_description_str(self._best_so_far(), refresh=False)
                    shown.update()
                reason = f"{self.plan.patience} trials brought nothing better" if self.stopped else reason
                reason = over if self.dropped else reason
            self.checkpoint.done()
        except KeyboardInterrupt:
            reason = "it was interrupted"
        finally:
            pool.close()
        trials = pd.DataFrame(self.rows)
        selection.require_a_score(trials, reason)
        return SearchResult(
            trials,
            self.metric,
            self.elapsed(),
            reason,
            self.budget,
            self.settings,
            self.spaces,
            self.plan,
            self._asked(),
        )

    def _asked(self) -> suggest.Asked | None:
        if self.proposed is None:
            return None
        family, number, own = self.proposed
        return self.searches[family].asked(number, own)

    def _submitted(self) -> int:
        return sum(one.suggested for one in self.searches.values())

    def _may_submit(self) -> bool:
        if self._submitted() >= self.budget or self.stopped:
            return False
        return self._submitted() in self.checkpoint.rows or self.time_for_a_trial() > 0  # the known cost none

    def _submit(self, pool: Pool) -> tuple[Trial, "Outcome | Future[Outcome]"]:
        submitted = {name: one.suggested for name, one in self.searches.items()}
        able = [name for name in self.families if not self.searches[name].exhausted]
        family = suggest.next_family(able, submitted, self.best)
        number = self._submitted()
        search = self.searches[family]
        point = search.suggest()
        encoding = point.pop("encoding", next(iter(self.settings)))
        point |= self.fixed[family]
        next_trial = {"number": number, "family": family, "parameters": point, "encoding": encoding}
        next_trial |= {"own": submitted[family], "by": search.by}
        return next_trial, self.checkpoint.outcome(next_trial) or pool.submit(next_trial)

    def _observe(self, finished: Trial, result: "Outcome | Future[Outcome]") -> None:
        outcome = result if isinstance(result, dict) else result.result()
        loss = None if outcome["score"] is None else self.way * outcome["score"]
        family = finished["family"]
        self.searches[family].observe(finished["own"], loss)
        best = self.best[family]
        if loss is not None and (best is None or loss < best):
            self.best[family] = loss
        self.stopped = self.stop(loss) or self.stopped
        if outcome["status"] == "not begun":
            self.dropped += 1
            return
        empty: Outcome = {"blocks": [], "rounds": None, "comparisons": None, "cut": False}
        row = {**finished, **empty, **outcome, "elapsed": self.elapsed()}
        del row["repeatable"], row["own"]
        self.rows.append(row)
        if finished["by"] == "tpe":
            self.proposed = family, finished["number"], finished["own"]
        self.checkpoint.add(finished, outcome, row["elapsed"])
        if self.on_trial:
            self.on_trial(row)

    def _best_so_far(self) -> str:
        losses = {name: loss for name, loss in self.best.items() if loss is not None}
        if not losses:
            return "no score yet"
        name, loss = min(losses.items(), key=lambda item: item[1])
        return f"best {self.metric} {rounded(self.way * loss, 4)} ({name})"
