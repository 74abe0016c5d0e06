"""The search over the zoo: one budget of trials and seconds, workers in parallel, TPE within each family.

`search` runs it and gives a `SearchResult`: the trials as a frame, the best of each family, the choice. Where
trials run is in `lib.compute.pool`, what is tried next in `suggest`, one trial in `trial`, the choice in
`selection`.
"""

import functools
import io
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pandas as pd
from tqdm.std import tqdm

from lib import compute, evaluation, files, records, tracking
from lib.compute.pool import Outcome, Pool, Prepare, Processes, Trial
from lib.problem import Dataset
from lib.runtime import models
from lib.runtime.features import FeatureSet
from lib.tuning import selection, spaces, suggest, trial
from lib.tuning.checkpoint import Checkpoint, fingerprint
from lib.tuning.matrices import Matrices

#: A trial may take this share of the whole time, and never less than these seconds.
SHARE, LEAST = 0.5, 20.0

#: Called with the row of each finished trial.
OnTrial = Callable[[Outcome], None]
#: Called with what prepares a worker, how many there are, the width, and the limit of a trial's seconds.
MakePool = Callable[[Prepare, int, int, Callable[[], float]], Pool]


@dataclass
class SearchResult:
    """The outcome of a search. `trials` has a row a trial, in the order of submission."""

    trials: pd.DataFrame
    metric: str
    seconds: float
    reason: str
    budget: int
    settings: dict[str, spaces.Point]
    spaces: dict[str, spaces.Space]

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
        failed = int((self.trials["status"] != "ok").sum())
        return records.Tuned(
            feature_set=feature_set,
            metric=self.metric,
            choice=self._plain(self.choice),
            best=best,
            trials=len(self.trials),
            budget=self.budget,
            failed=failed,
            ended=self.reason,
            unit=unit,
        )

    def _plain(self, row: pd.Series) -> Outcome:
        names = ["number", "family", "parameters", "encoding", "score", "rounds", "comparisons"]
        rounds = None if pd.isna(row["rounds"]) else int(row["rounds"])
        plain: Outcome = files.plain({name: row[name] for name in names} | {"rounds": rounds})
        return plain | {"settings": self.settings[row["encoding"]]}


def preload() -> None:
    """Have the libraries of the workers imported meanwhile; a search that comes later need not wait."""
    compute.preload(trial.PRELOAD)


def search(
    dataset: Dataset,
    features: FeatureSet,
    matrices: Matrices,
    families: Sequence[str],
    *,
    max_evals: int,
    timeout_s: float,
    workers: int = 2,
    seed: int = 42,
    on_trial: OnTrial | None = None,
    checkpoint: Path | None = None,
    make_pool: MakePool = Processes,
) -> SearchResult:
    """Try up to `max_evals` trials a family, shared among them by merit, for at most `timeout_s` seconds.

    `on_trial(row)` is called with each finished trial, in order. `checkpoint` is a folder where these are
    stored, so that the same search goes on where it was. Ctrl-C ends the search and keeps what is finished.
    A search in which no trial gave a score is a ModelError with the reasons.
    """
    models.named(families, dataset.task)
    preload()
    cores = compute.cores()
    workers = max(1, min(int(workers), cores))
    threads = max(1, cores // workers)
    bench = trial.Bench(
        matrices.pairs, matrices.y_train, matrices.y_validation, dataset.task, dataset.metric, seed, threads
    )
    run = _Search(
        dataset.metric, features, matrices, list(families), max_evals, float(timeout_s), seed, on_trial
    )
    run.resume(checkpoint, bench, workers)
    with trial.on_disk(bench, checkpoint) as stored:
        pool = make_pool(functools.partial(trial.load, stored), workers, 2 * workers, run.time_for_a_trial)
        return run.go(pool)


def log_to(tracked: tracking.Tracked, metric: str) -> OnTrial:
    """An `on_trial` that logs each finished trial to the trackers."""

    def log(row: Outcome) -> None:
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

    return log


class _Search:
    """The state of one search: what was submitted and observed, and how much of the budget is left."""

    def __init__(
        self,
        metric: str,
        features: FeatureSet,
        matrices: Matrices,
        families: list[str],
        max_evals: int,
        timeout: float,
        seed: int,
        on_trial: OnTrial | None,
    ) -> None:
        self.metric, self.way, self.families = metric, evaluation.sign(metric), families
        self.timeout, self.seed, self.on_trial = timeout, seed, on_trial
        self.settings, encodings = matrices.settings, list(matrices.settings)
        extra: spaces.Space = {"encoding": ("choice", encodings)} if len(encodings) > 1 else {}
        self.spaces: dict[str, spaces.Space] = {
            name: {**spaces.space(name, matrices.dense, features.spaces), **extra} for name in families
        }
        start = max(5, max_evals // 3)
        self.searches = {n: suggest.FamilySearch(n, self.spaces[n], seed, start) for n in families}
        points = sum(one.size for one in self.searches.values())
        self.budget = int(min(max_evals * len(families), points))
        self.best: dict[str, float | None] = dict.fromkeys(families)
        self.rows: list[Outcome] = []
        self.dropped = 0  # trials that were due when the time was over, and never began
        self.before, self.began = 0.0, time.monotonic()

    def resume(self, folder: Path | None, bench: trial.Bench, workers: int) -> None:
        """Find what an earlier, unfinished run of this very search left."""
        key = ""
        if folder:
            arrays = [matrix for pair in bench.matrices.values() for matrix in pair]
            setting = [self.families, self.spaces, self.seed, workers, self.metric]
            key = fingerprint(*setting, bench.y_train, bench.y_validation, *arrays)
        self.checkpoint = Checkpoint(folder, key)
        self.before = self.checkpoint.seconds

    def elapsed(self) -> float:
        """Seconds of search so far, those of an earlier part included."""
        return self.before + time.monotonic() - self.began

    def time_for_a_trial(self) -> float:
        """Seconds that a trial starting now may take: a share of the whole, never beyond its end."""
        left = self.timeout - self.elapsed()
        return min(max(LEAST, SHARE * self.timeout), left) if left > min(4.0, 0.1 * self.timeout) else 0.0

    def go(self, pool: Pool) -> SearchResult:
        """Submit, wait for the oldest, observe it, until the budget is used up."""
        self.began = time.monotonic()  # how long the workers took to start is not the search's time
        pending: deque[tuple[Trial, Outcome | Future[Outcome]]] = deque()
        reason, over = "all trials were run", "its time was over"
        try:
            with _bar(self.budget) as bar:
                while pending or self._submitted() < self.budget:
                    while len(pending) < pool.width and self._may_submit():
                        pending.append(self._submit(pool))
                    if not pending:
                        reason = over
                        break
                    self._observe(*pending.popleft())
                    bar.set_description_str(self._best_so_far(), refresh=False)
                    bar.update()
                reason = over if self.dropped else reason
            self.checkpoint.done()
        except KeyboardInterrupt:
            reason = "it was interrupted"
        finally:
            pool.close()
        trials = pd.DataFrame(self.rows)
        selection.require_a_score(trials, reason)
        return SearchResult(
            trials, self.metric, self.elapsed(), reason, self.budget, self.settings, self.spaces
        )

    def _submitted(self) -> int:
        return sum(one.suggested for one in self.searches.values())

    def _may_submit(self) -> bool:
        if self._submitted() >= self.budget:
            return False
        return self._submitted() in self.checkpoint.rows or self.time_for_a_trial() > 0  # the known cost none

    def _submit(self, pool: Pool) -> tuple[Trial, "Outcome | Future[Outcome]"]:
        submitted = {name: one.suggested for name, one in self.searches.items()}
        able = [name for name in self.families if not self.searches[name].exhausted]
        family = suggest.next_family(able, submitted, self.best)
        number = self._submitted()
        point = self.searches[family].suggest()
        encoding = point.pop("encoding", next(iter(self.settings)))
        next_trial = {"number": number, "family": family, "parameters": point, "encoding": encoding}
        return next_trial, self.checkpoint.outcome(next_trial) or pool.submit(next_trial)

    def _observe(self, finished: Trial, result: "Outcome | Future[Outcome]") -> None:
        outcome = result if isinstance(result, dict) else result.result()
        loss = None if outcome["score"] is None else self.way * outcome["score"]
        family, point = finished["family"], dict(finished["parameters"])
        if len(self.settings) > 1:
            point["encoding"] = finished["encoding"]
        self.searches[family].observe(point, loss)
        best = self.best[family]
        if loss is not None and (best is None or loss < best):
            self.best[family] = loss
        if outcome["status"] == "not begun":
            self.dropped += 1
            return
        empty: Outcome = {"blocks": [], "rounds": None, "comparisons": None}
        row = {**finished, **empty, **outcome, "elapsed": self.elapsed()}
        del row["repeatable"]
        self.rows.append(row)
        self.checkpoint.add(finished, outcome, row["elapsed"])
        if self.on_trial:
            self.on_trial(row)

    def _best_so_far(self) -> str:
        losses = {name: loss for name, loss in self.best.items() if loss is not None}
        if not losses:
            return "no score yet"
        name, loss = min(losses.items(), key=lambda item: item[1])
        return f"best {self.metric} {self.way * loss:.4g} ({name})"


def _bar(total: int) -> "tqdm[NoReturn]":
    """A bar of `total` trials; where there is neither a notebook nor a terminal nothing is shown."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        return _OneOutput(total)
    return tqdm(file=sys.stderr, disable=None, total=total, unit=" trials", ncols=110, ascii=False)


class _OneOutput(tqdm):
    """Rewritten in place, so that an executed page has its last state alone.

    `tqdm.notebook` does so with widgets, which need an extension and leave nothing in the file.
    """

    def __init__(self, total: int) -> None:
        from IPython.display import display

        self._output = display({"text/plain": ""}, raw=True, display_id=True)
        super().__init__(file=io.StringIO(), total=total, unit=" trials", ncols=110, ascii=False)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG002 - tqdm's signature
        """Show the line as it is now."""
        self._output.update({"text/plain": msg or str(self)}, raw=True)
