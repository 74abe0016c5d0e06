"""What logging one trial of a search costs: child run, ten parameters, five metrics, in both trackers."""

import tempfile
import time
from pathlib import Path

TRIALS = 60


def run() -> dict[str, float]:
    """Time with `TRIALS` trials less time with none, for each; gives the figure for outputs/bench.json."""
    from lib import tracking

    with tempfile.TemporaryDirectory(prefix="workbook-bench-") as folder:
        tracking.prepare(Path(folder))
        _search(Path(folder), 3)  # first use: imports
        without, whole = _search(Path(folder), 0), _search(Path(folder), TRIALS)
    each = round(1000 * (whole - without) / TRIALS, 2)
    print(f"\nlogging a trial takes {each:.1f} ms")
    return {"trial_logging_ms": each}


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
