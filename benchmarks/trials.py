"""What one trial of a search costs: to log it in both trackers, and to watch validation rows each round."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TRIALS = 60
#: Rows that learn, rows that are watched, columns and boosting rounds; turns of either way.
LEARN, WATCHED, COLUMNS, ROUNDS, TURNS = 60_000, 60_000, 60, 40, 3


def run() -> dict[str, float]:
    """Log, watch, and give the figures for outputs/bench.json."""
    return {"trial_logging_ms": _logging(), "watching_speedup": _watching()}


def _watching() -> float:
    """How many times quicker a round is than with XGBoost's own evaluation of binned rows; in turns."""
    import numpy as np
    import xgboost

    from lib.runtime import models

    rng = np.random.default_rng(42)
    X = rng.normal(size=(LEARN + WATCHED, COLUMNS)).astype(np.float32)
    y = X[:, :8].sum(axis=1) + rng.normal(size=len(X))
    model = models.BoostedRegressor(num_boost_round=ROUNDS, max_depth=8, learning_rate=0.05)
    bins, other, truth = model.binned(X[:LEARN], y[:LEARN]), X[LEARN:], y[LEARN:]
    parameters = {**model.parameters, "nthread": 1, "max_depth": 8, "learning_rate": 0.05}

    def ours() -> None:
        model.fit_watching(bins, other, lambda said: float(np.sqrt(np.mean((said - truth) ** 2))), ROUNDS)

    def theirs() -> None:
        watched = xgboost.QuantileDMatrix(other, truth, ref=bins, nthread=1)
        xgboost.train(parameters, bins, ROUNDS, evals=[(watched, "validation")], verbose_eval=False)

    turns = [[_seconds(each) for each in (ours, theirs)] for _ in range(TURNS)]
    ratio = statistics.median(other / one for one, other in turns)
    each = [1000 * statistics.median(column) / ROUNDS for column in zip(*turns, strict=True)]
    print(f"\na watched round takes {each[0]:.0f} ms, by XGBoost's own evaluation {each[1]:.0f} ms")
    return round(ratio, 2)


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _logging() -> float:
    """Milliseconds: time with `TRIALS` trials less time with none, for each."""
    from lib import tracking

    with tempfile.TemporaryDirectory(prefix="workbook-bench-") as folder:
        tracking.prepare(Path(folder))
        _search(Path(folder), 3)  # first use: imports
        without, whole = _search(Path(folder), 0), _search(Path(folder), TRIALS)
    each = round(1000 * (whole - without) / TRIALS, 2)
    print(f"\nlogging a trial takes {each:.1f} ms")
    return each


def _search(outputs: Path, trials: int) -> float:
    """Seconds of a step that logs so many trials, from open to closed."""
    from lib import tracking

    start = time.perf_counter()
    tracked = tracking.open(
        step="04_tune", run="bench", problem="bench", parameters={}, tags={}, outputs=outputs
    )
    for number in range(trials):
        tracked.trial(
            number=number,
            family="xgboost",
            parameters={f"parameter_{i}": 0.1 * i for i in range(10)},
            metrics={f"metric_{i}": float(i) for i in range(5)},
            seconds=1.0,
        )
    tracked.close()
    return time.perf_counter() - start
