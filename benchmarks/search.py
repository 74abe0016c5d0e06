"""Does TPE find more than chance does? Searches of one family with one budget, ten seeds, on two problems.

A seed's regret is how far its best validation score lies behind the best that any run of its problem reached.
Rows are generated: no network, no mirror.
"""

import dataclasses
import time

from lib import evaluation, problem
from lib.tuning import search
from lib.tuning.matrices import Matrices
from lib.tuning.plan import Plan

#: Trials a search, and how many searches by each algorithm.
TRIALS, SEEDS = 30, 10
ROWS = 1500
#: Problem and its options; the family that is searched, with what is fixed of it so that a trial is short.
CASES: dict[str, tuple[dict[str, object], str, dict[str, object]]] = {
    "green_taxi": ({}, "xgboost", {"num_boost_round": 150}),
    "nyc_rentals": ({"min_rows": 100}, "gradient_boosting", {"max_iter": 60}),
}


def run() -> dict[str, float]:
    """Search, print the table, and give the figure for outputs/bench.json."""
    search.preload()
    ratios = {}
    print(f"\n{TRIALS} trials a search, {SEEDS} seeds     regret: random        TPE      ratio\n")
    for name, (options, family, fixed) in CASES.items():
        start = time.perf_counter()
        losses = _losses(name, options, family, fixed)
        best = min(min(found) for found in losses.values())
        regret = {algo: sum(loss - best for loss in found) / SEEDS for algo, found in losses.items()}
        ratios[name] = regret["random"] / regret["tpe"]
        said = f"{regret['random']:15.5f} {regret['tpe']:10.5f} {ratios[name]:10.2f}"
        print(f"  {name:<28}{said}   ({time.perf_counter() - start:.0f} s)", flush=True)
    return {"tpe_over_random": round(min(ratios.values()), 3)}


def _losses(
    name: str, options: dict[str, object], family: str, fixed: dict[str, object]
) -> dict[str, list[float]]:
    """The best validation loss of each search, by algorithm; rows are encoded once for all."""
    dataset = problem.load(name, options)
    features = dataset.feature_set("rich")
    raw, _ = dataset.ingest("generated", ROWS, 42)
    parts = dataset.split(dataset.clean(dataset.labelled(raw)).rows, 42)
    plan = Plan([family], TRIALS, 3600.0, fixed=fixed)
    matrices = Matrices(dataset, features, parts["train"], parts["validation"], plan)
    way, losses = evaluation.sign(dataset.metric), {}
    for algo in ("random", "tpe"):
        losses[algo] = []
        for seed in range(SEEDS):
            asked = dataclasses.replace(plan, algo=algo, seed=seed)
            result = search.search(dataset, features, matrices, asked)
            losses[algo].append(float((way * result.trials["score"]).min()))
    return losses
