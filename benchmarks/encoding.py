"""The course's `to_dict` and DictVectorizer beside our encoding, a million rows each in a process of its own.

The same matrix comes out of both (a test compares them); here it is only time and memory.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROWS = 1_000_000


def run() -> dict[str, float]:
    """Measure, print the table, and give the figures for outputs/bench.json."""
    with tempfile.TemporaryDirectory(prefix="workbook-bench-") as folder:
        path = Path(folder) / "rows.parquet"
        million(ROWS).to_parquet(path)
        figures = {side: _alone(side, path) for side in ("dictionaries", "columns", "rich")}
    by_row, by_column = figures["dictionaries"], figures["columns"]
    assert by_row["shape"] == by_column["shape"], "both must make the same matrix"
    print(f"\n{ROWS:,} rows        seconds   peak memory\n")
    for side, row in figures.items():
        print(f"  {side:<14}{row['seconds']:9.2f} {row['peak_mb']:10,.0f} MB")
    return {
        "encode_speedup": round(by_row["seconds"] / by_column["seconds"], 1),
        "encode_memory": round(by_column["peak_mb"] / by_row["peak_mb"], 4),
        "encode_rich_seconds": round(figures["rich"]["seconds"], 3),
    }


def million(rows: int) -> pd.DataFrame:
    """Generated trips, cleaned, drawn again and again until there are enough."""
    from lib import problem

    dataset = problem.load("green_taxi")
    trips = dataset.clean(dataset.labelled(dataset.generate(60_000, 1))).rows
    drawn = trips.sample(rows, replace=True, random_state=2, ignore_index=True)
    return dataset.engineer(drawn, ["PU_DO"])


def _alone(side: str, path: Path) -> dict:
    """One side in a fresh process."""
    words = [sys.executable, "-m", "benchmarks.encoding", side, str(path)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return json.loads(done.stdout.splitlines()[-1])


def dictionaries(path: Path) -> dict:
    """As the course does it."""
    from sklearn.feature_extraction import DictVectorizer

    rows = pd.read_parquet(path, columns=["PU_DO", "trip_distance"])
    DictVectorizer().fit_transform(rows.head(10).to_dict(orient="records"))
    return _measured(lambda: DictVectorizer().fit_transform(rows.to_dict(orient="records")), 2)


def columns(path: Path) -> dict:
    """The same matrix from columns."""
    from lib import problem
    from lib.runtime import encoders

    encodes = problem.load("green_taxi").feature_set("zoomcamp").encodes
    rows = pd.read_parquet(path, columns=["PU_DO", "trip_distance"])
    encoders.Encoding(encodes).fit_transform(rows.head(1000), np.zeros(1000))
    y = np.zeros(len(rows))
    return _measured(lambda: encoders.Encoding(encodes).fit_transform(rows, y))


def rich(path: Path) -> dict:
    """The fitted `rich` encoding of engineered rows."""
    from lib import problem
    from lib.runtime import encoders

    dataset = problem.load("green_taxi")
    encoding = encoders.Encoding(dataset.feature_set("rich").encodes)
    rows = dataset.engineer(pd.read_parquet(path))
    encoding.fit_transform(rows.head(60_000), rows["duration"].head(60_000))
    encoding.transform(rows.head(1000))
    return _measured(lambda: encoding.transform(rows))


def _measured(work: Callable[[], Any], turns: int = 5) -> dict:
    """The quickest turn's seconds, and how far the first one raised the process's memory."""
    before, seconds, peaks = _reset_peak(), [], []
    for _ in range(turns):
        start = time.perf_counter()
        matrix = work()
        seconds.append(time.perf_counter() - start)
        peaks.append(_peak())
    return {"seconds": min(seconds), "peak_mb": peaks[0] - before, "shape": list(matrix.shape)}


def _reset_peak() -> float:
    """Start a new peak where the system can (Linux); returns the memory in use now, MB."""
    import psutil

    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")
    return psutil.Process().memory_info().rss / 2**20


def _peak() -> float:
    """The most memory this process has had, MB."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    print(
        json.dumps(
            {"dictionaries": dictionaries, "columns": columns, "rich": rich}[sys.argv[1]](Path(sys.argv[2]))
        )
    )
