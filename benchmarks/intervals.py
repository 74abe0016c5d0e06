"""Do 95 % intervals hold what they say, and does luck promote a model? Simulations whose truth is known.

Coverage is that of the intervals that were given; how often one was refused stands beside it. Taxi errors are
those of a quick model, on published months where there is a DATA_MIRROR, else on generated ones; the output
says which.
"""

import dataclasses
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from statistics import NormalDist

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lib import problem, uncertainty
from lib.registry.contest import Contest
from lib.runtime.inference import InferencePipeline
from lib.uncertainty import Interval

#: Samples a case, of so many a task; draws an interval.
SAMPLES, TASK, DRAWS = 2000, 100, 199
#: Contests between equals, and as many against a better challenger.
CONTESTS = 600
#: Rows of a contest, how their errors correlate, and how much less a better challenger errs.
ROWS, CORRELATION, BETTER = 5000, 0.9, 0.03
#: How far the scores of positive rows lie above those of negative ones, in deviations.
SHIFT = 1.2


def run() -> dict[str, float]:
    """Simulate, print the table, and give the figures for outputs/bench.json."""
    figures: dict[str, float] = {}
    context = multiprocessing.get_context("spawn")
    one_thread = {"initializer": threadpool_limits, "initargs": (1,)}
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, **one_thread) as pool:
        print(f"\n{SAMPLES:,} samples a case         covered   refused\n")
        for case in CASES:
            found = pd.concat(pool.map(_covered, repeat(case), range(SAMPLES // TASK)))
            given = found[~found["refused"]]
            figures[f"interval_coverage_{case}"] = round(float(given["covered"].mean()), 4)
            print(f"  {case:<24}{given['covered'].mean():9.1%} {found['refused'].mean():9.1%}", flush=True)
        for name in ("t3", "t5"):
            shares = [*pool.map(_refused, repeat(name), range(SAMPLES // TASK))]
            figures[f"interval_refused_{name}"] = round(float(np.mean(shares)), 4)
        for name, less in (("equal", 0.0), ("better", BETTER)):
            shares = [*pool.map(_promoted, repeat(less), range(CONTESTS // TASK))]
            figures[f"promoted_when_{name}"] = round(float(np.mean(shares)), 4)
    errors, source = _taxi_errors()
    figures["interval_refused_taxi"] = _refused_of(errors)
    print("\n  refused at 2,000 rows")
    for name in ("t3", "t5", "taxi"):
        print(f"  {name:<24}{figures[f'interval_refused_{name}']:9.1%}")
    print(f"  taxi errors are of {source}; all {len(errors):,} of them: RMSE {_rmse(errors).said('min')}")
    print("\n  promoted")
    for name in ("equal", "better"):
        print(f"  {name:<24}{figures[f'promoted_when_{name}']:9.1%}")
    return figures


def _rmse(
    errors: np.ndarray, blocks: pd.Series | None = None, seed: int = 42, name: str = "rmse"
) -> Interval:
    zeros = np.zeros(len(errors))
    return uncertainty.of_metric(name, "regression", errors, zeros, blocks=blocks, draws=DRAWS, seed=seed)


def _normal(count: int) -> Callable[[np.random.Generator, int], tuple[Interval, float]]:
    return lambda rng, seed: (_rmse(rng.normal(size=count), seed=seed), 1.0)


def _auc(rng: np.random.Generator, seed: int) -> tuple[Interval, float]:
    positive = np.arange(300) < 30
    scores = rng.normal(size=300) + SHIFT * positive
    chances = pd.DataFrame({"no": -scores, "yes": scores})
    y = np.where(positive, "yes", "no")
    interval = uncertainty.of_metric("auc", "classification", y, chances, draws=DRAWS, seed=seed)
    return interval, NormalDist().cdf(SHIFT / 2**0.5)


def _groups(rng: np.random.Generator, seed: int) -> tuple[Interval, float]:
    group = np.repeat(np.arange(200), 10)
    errors = rng.normal(size=200)[group] + rng.normal(size=2000)
    return _rmse(errors, pd.Series(group, name="groups"), seed), 2**0.5


#: By name: a sample's interval and the truth that it should hold.
CASES: dict[str, Callable[[np.random.Generator, int], tuple[Interval, float]]] = {
    "normal_30": _normal(30),
    "normal_2000": _normal(2000),
    "t3_mae": lambda rng, seed: (_rmse(rng.standard_t(3, 2000), seed=seed, name="mae"), 2 * 3**0.5 / np.pi),
    "t5": lambda rng, seed: (_rmse(rng.standard_t(5, 2000), seed=seed), (5 / 3) ** 0.5),
    "groups": _groups,
    "auc": _auc,
}


def _covered(case: str, task: int) -> pd.DataFrame:
    """Of a task's samples: whether an interval was refused, and whether it holds the truth."""
    rng, rows = np.random.default_rng([7, list(CASES).index(case), task]), []
    for sample in range(TASK):
        interval, truth = CASES[case](rng, task * TASK + sample)
        rows.append((bool(interval.reason), interval.low <= truth <= interval.high))
    return pd.DataFrame(rows, columns=["refused", "covered"])


def _refused(name: str, task: int) -> float:
    """The share of a task's samples of Student's t at 2,000 rows whose RMSE gets no interval."""
    rng = np.random.default_rng([8, int(name[1:]), task])
    samples = rng.standard_t(int(name[1:]), (TASK, 2000))
    return float(np.mean([_is_refused(errors) for errors in samples]))


def _is_refused(errors: np.ndarray) -> bool:
    zeros = np.zeros(len(errors))
    few = uncertainty.DRAWS  # the tail is judged before, and whatever the draws say
    return bool(uncertainty.of_metric("rmse", "regression", errors, zeros, draws=few).reason)


def _promoted(less: float, task: int) -> float:
    """The share of a task's challengers that the contest promotes, each with errors smaller by `less`."""
    rng, dataset = np.random.default_rng([9, task]), dataclasses.replace(problem.load("green_taxi"), when="")
    won = []
    for _ in range(TASK):
        both, own = rng.normal(size=ROWS), rng.normal(size=(2, ROWS))
        champion, candidate = CORRELATION**0.5 * both + (1 - CORRELATION) ** 0.5 * own
        rows = pd.DataFrame({dataset.target.name: np.zeros(ROWS)})
        contest = Contest(dataset, rows, candidate * (1 - less), champion, "champion", draws=DRAWS)
        won.append(contest.won)
    return float(np.mean(won))


def _refused_of(errors: np.ndarray) -> float:
    """The share of samples of 2,000 of these errors whose RMSE gets no interval."""
    rng = np.random.default_rng(10)
    samples = [rng.choice(errors, 2000, replace=False) for _ in range(500)]
    return round(float(np.mean([_is_refused(sample) for sample in samples])), 4)


def _taxi_errors() -> tuple[np.ndarray, str]:
    """Errors in minutes of a quick model on the test rows of green taxi, and what these are."""
    dataset = problem.load("green_taxi")
    published = bool(os.environ.get("DATA_MIRROR"))
    raw, _ = dataset.ingest("published" if published else "generated", 60_000, 11)
    parts = dataset.split(dataset.clean(dataset.labelled(raw)).rows, 11)
    parameters = {"max_depth": 8, "learning_rate": 0.15, "min_child_weight": 15}
    choice = {"family": "xgboost", "parameters": parameters, "rounds": 60}
    train, test, target = parts["train"], parts["test"], dataset.target.name
    model = InferencePipeline.chosen(dataset.serving, "rich", choice, 11, n_jobs=2).fit(train, train[target])
    errors = test[target].to_numpy() - model.predict(test)
    return errors, "published months" if published else "generated trips"
