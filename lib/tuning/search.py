"""The search over the zoo: one budget of trials and seconds, workers in parallel, hyperopt in each family.

`search` runs a `Plan` and gives a `SearchResult`. How it goes on is in `loop`, one trial in `trial`, what
is tried next in `suggest`, the choice in `selection`.
"""

import functools
from collections.abc import Callable
from pathlib import Path

from lib import compute, tracking
from lib.compute.pool import Outcome, Pool, Prepare, Processes
from lib.problem import Dataset
from lib.runtime.features import FeatureSet
from lib.tuning import trial
from lib.tuning.loop import Loop, OnTrial
from lib.tuning.matrices import Matrices
from lib.tuning.plan import Plan
from lib.tuning.result import SearchResult

#: Called with what prepares a worker, how many there are, and the limit of a trial's seconds.
MakePool = Callable[[Prepare, int, Callable[[], float]], Pool]


def preload() -> None:
    """Have the libraries of the workers imported meanwhile; a search that comes later need not wait."""
    compute.preload(trial.PRELOAD)


def search(
    dataset: Dataset,
    features: FeatureSet,
    matrices: Matrices,
    plan: Plan,
    *,
    on_trial: OnTrial | None = None,
    checkpoint: Path | None = None,
    make_pool: MakePool = Processes,
) -> SearchResult:
    """Try up to `max_evals` trials a family, shared among them by merit, for at most `timeout_s` seconds.

    How many cores there are changes the time alone: `parallel` trials are out at once, by that many
    workers or by as many as there are cores. `on_trial(row)` is called with each finished trial, in
    order. `checkpoint` is a folder where these are stored, so that the same search goes on where it was.
    Ctrl-C ends the search and keeps what is finished. A search in which no trial gave a score is a
    ModelError with the reasons.
    """
    plan.check(dataset)
    preload()
    bench = trial.Bench(matrices.splits, dataset.task, dataset.metric, plan.watched(dataset), plan)
    loop = Loop(dataset, features, matrices, plan, on_trial)
    loop.resume(checkpoint, bench)
    with trial.on_disk(bench, checkpoint) as stored:
        workers = min(plan.parallel, compute.cores())
        pool = make_pool(functools.partial(trial.load, stored), workers, loop.time_for_a_trial)
        return loop.go(pool)


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
