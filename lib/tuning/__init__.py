"""The search over the zoo: one budget of trials and seconds, workers in parallel, TPE within each family.

`search` runs it and gives a `Found`: the trials as a frame, the best of each family, the choice. Where trials
run is in `pool`, what is tried next in `suggest`, one trial in `trial`, the choice in `choose`.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib import evaluation, features, models
from lib.models import spaces
from lib.tuning import choose, ledger, pool, progress, suggest
from lib.tuning.data import Data
from lib.tuning.trial import Bench

#: A trial may take this share of the whole time, and never less than these seconds.
SHARE, LEAST = 0.5, 20.0


@dataclass
class Found:
    """What a search found. `trials` has a row a trial, in the order of submission."""

    trials: pd.DataFrame
    metric: str
    seconds: float
    reason: str
    settings: dict[str, dict[str, Any]]
    spaces: dict[str, spaces.Space]

    @property
    def best(self) -> pd.DataFrame:
        """The best trial of each family, best first."""
        return choose.best_of_families(self.trials, self.metric)

    @property
    def choice(self) -> pd.Series:
        """The trial to keep."""
        return choose.chosen(self.trials, self.metric)

    def of(self, family: str) -> pd.DataFrame:
        """The trials of one family, the encoder's setting among their parameters where it was searched."""
        mine = self.trials[self.trials["family"] == family]
        if "encoding" not in self.spaces[family]:
            return mine
        points = [row.parameters | {"encoding": row.encoding} for row in mine.itertuples()]
        return mine.assign(parameters=pd.Series(points, index=mine.index, dtype=object))

    def tuned(self, feature_set: str) -> dict[str, Any]:
        """The result as plain data that is the same for the same trials: no times."""
        keys = ["number", "family", "parameters", "encoding", "score", "rounds", "comparisons"]

        def plain(row: pd.Series) -> dict[str, Any]:
            found = {key: row[key] for key in keys}
            rounds = None if pd.isna(row["rounds"]) else int(row["rounds"])
            settings = self.settings[row["encoding"]]
            return found | {"number": int(row["number"]), "rounds": rounds, "settings": settings}

        best = {row["family"]: plain(row) for _, row in self.best.iterrows()}
        return {
            "feature_set": feature_set,
            "metric": self.metric,
            "choice": plain(self.choice),
            "best": best,
            "trials": len(self.trials),
        }


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def search(
    dataset: Any,
    feature_set: Any,
    data: Data,
    names: Sequence[str],
    max_evals: int,
    timeout_s: float,
    workers: int = 2,
    seed: int = 42,
    told: Callable[[dict[str, Any]], None] | None = None,
    memory: Path | None = None,
    make_pool: Callable[..., pool.Pool] | None = None,
) -> Found:
    """Try up to `max_evals` trials a family, shared among them by merit, for at most `timeout_s` seconds.

    `told(row)` is called with each finished trial, in order. `memory` is a folder where finished trials
    are kept, so that the same search goes on where it was. Ctrl-C ends the search and keeps what is finished.
    A search in which no trial gave a score is a ModelError with the reasons.
    """
    workers = max(1, min(int(workers), cores()))
    threads = max(1, cores() // workers)
    models.named(names, dataset.task)
    _import_all()
    bench = Bench(data.matrices, data.y_train, data.y_validation, dataset.task, dataset.metric, seed, threads)
    run = _Search(dataset, feature_set, data, list(names), max_evals, timeout_s, seed, told)
    run.remember(memory, bench, workers)
    made = (make_pool or _processes)(bench.evaluate, workers, 2 * workers, run.time_for_a_trial)
    return run.go(made)


def reporter(tracked: Any, metric: str) -> Callable[[dict[str, Any]], None]:
    """A `told` that gives each finished trial to the trackers."""

    def told(row: dict[str, Any]) -> None:
        figures = {f"validation_{metric}": row["score"], "rounds": row["rounds"]}
        tracked.trial(
            number=row["number"],
            family=row["family"],
            parameters=row["parameters"] | {"encoding": row["encoding"]},
            metrics={name: value for name, value in figures.items() if value is not None},
            seconds=row["seconds"],
            status=row["status"],
            reason=row["reason"],
        )

    return told


def _processes(evaluate: Any, workers: int, width: int, late: Callable[[], float]) -> pool.Pool:
    return pool.Processes(evaluate, workers, width, late)


class _Search:
    """The state of one search: what was asked, told, and how much of the budget is left."""

    def __init__(self, dataset, feature_set, data, names, max_evals, timeout_s, seed, told):
        self.metric, self.way, self.names = dataset.metric, evaluation.sign(dataset.metric), names
        self.timeout, self.told = float(timeout_s), told
        dense = isinstance(data.matrices[data.first][0], np.ndarray)
        self.settings, self.all_settings = list(data.settings), data.settings
        extra = {"encoding": ("choice", self.settings)} if len(self.settings) > 1 else {}
        self.spaces = {n: dict(spaces.space(n, dense, feature_set.spaces)) | extra for n in names}
        start = max(5, max_evals // 3)
        self.searches = {n: suggest.FamilySearch(n, self.spaces[n], seed, start) for n in names}
        points = sum(one.size for one in self.searches.values())
        self.budget = int(min(max_evals * len(names), points))
        self.best: dict[str, float | None] = dict.fromkeys(names)
        self.rows: list[dict[str, Any]] = []
        self.dropped = 0  # trials that were due when the time was over, and never began
        self.seed = seed

    def remember(self, folder: Path | None, bench: Bench, workers: int) -> None:
        """Find what an earlier, unfinished run of this very search left."""
        arrays = [a for pair in bench.matrices.values() for a in pair] if folder else []
        code = [features.matrix, features.means, models, models.fitted, models.spaces, suggest]
        key = ledger.fingerprint(
            self.names,
            self.spaces,
            self.seed,
            workers,
            self.metric,
            bench.y_train,
            bench.y_validation,
            *arrays,
            *code,
        )
        self.ledger = ledger.Ledger(folder, key)
        self.before, self.began = self.ledger.seconds, time.monotonic()

    def elapsed(self) -> float:
        """Seconds of search so far, those of an earlier part included."""
        return self.before + time.monotonic() - self.began

    def time_for_a_trial(self) -> float:
        """Seconds that a trial starting now may take: a share of the whole, never beyond its end."""
        left = self.timeout - self.elapsed()
        return min(max(LEAST, SHARE * self.timeout), left) if left > min(4.0, 0.1 * self.timeout) else 0.0

    def go(self, made: pool.Pool) -> Found:
        """Submit, wait for the oldest, tell, until the budget is used up."""
        pending: deque = deque()
        reason, over = "all trials were run", f"the {self.timeout:.0f} s were over"
        bar = progress.Bar(self.budget)
        try:
            while pending or self._asked() < self.budget:
                while (
                    len(pending) < made.width and self._asked() < self.budget and self.time_for_a_trial() > 0
                ):
                    pending.append(self._submit(made))
                if not pending:
                    reason = over
                    break
                self._tell(*pending.popleft())
                bar.show(len(self.rows), self._best_so_far())
            reason = over if self.dropped else reason
        except KeyboardInterrupt:
            reason = "it was interrupted"
        finally:
            made.close()
        trials = pd.DataFrame(self.rows)
        choose.require_a_score(trials, reason)
        return Found(trials, self.metric, self.elapsed(), reason, self.all_settings, self.spaces)

    def _asked(self) -> int:
        return sum(one.asked for one in self.searches.values())

    def _submit(self, made: pool.Pool) -> tuple[dict[str, Any], Any]:
        asked = {name: one.asked for name, one in self.searches.items()}
        family = suggest.next_family([n for n in self.names if self.searches[n].left], asked, self.best)
        number = self._asked()
        point = self.searches[family].ask()
        encoding = point.pop("encoding", self.settings[0])
        trial = {"number": number, "family": family, "parameters": point, "encoding": encoding}
        known = self.ledger.recall(trial)
        return trial, known if known else made.submit(trial)

    def _tell(self, trial: dict[str, Any], answer: Any) -> None:
        outcome = answer if isinstance(answer, dict) else answer.result()
        loss = None if outcome["score"] is None else self.way * outcome["score"]
        family = trial["family"]
        point = dict(trial["parameters"])
        if len(self.settings) > 1:
            point["encoding"] = trial["encoding"]
        self.searches[family].tell(point, loss)
        if loss is not None and (self.best[family] is None or loss < self.best[family]):
            self.best[family] = loss
        empty = {"blocks": [], "rounds": None, "comparisons": None}
        row = trial | empty | outcome | {"elapsed": self.elapsed()}
        if "the time for the search was over" in outcome["reason"]:
            self.dropped += 1
            return
        self.rows.append(row)
        self.ledger.add(trial, outcome, row["elapsed"])
        if self.told:
            self.told(row)

    def _best_so_far(self) -> str:
        known = {name: loss for name, loss in self.best.items() if loss is not None}
        if not known:
            return "no score yet"
        name = min(known, key=known.get)
        return f"best {self.metric} {self.way * known[name]:.4g} ({name})"


def _import_all() -> None:
    """Import what the workers need: a module half imported by another thread at a fork stays locked."""
    import importlib

    for name in ("ensemble", "impute", "linear_model", "metrics", "pipeline", "preprocessing", "svm"):
        importlib.import_module(f"sklearn.{name}")
    for name in ("scipy.sparse", "threadpoolctl", "xgboost"):
        importlib.import_module(name)
