"""What a prediction costs: one raw row, and a million, by a stored `rich` pipeline in a clean process."""

import tempfile
from pathlib import Path

from benchmarks.encoding import million

ROWS = 1_000_000
#: About what the search on the published months ends with.
PARAMETERS = {
    "max_depth": 8,
    "learning_rate": 0.09,
    "min_child_weight": 15,
    "reg_lambda": 20,
    "target": "sqrt",
}
ROUNDS = 400


def run() -> dict[str, float]:
    """Fit on 60,000 rows, store, and measure; gives the figures for outputs/bench.json."""
    from lib import packaging, problem
    from lib.runtime.inference import InferencePipeline

    rows = million(ROWS)
    choice = {"family": "xgboost", "parameters": PARAMETERS, "rounds": ROUNDS}
    serving = problem.load("green_taxi").serving
    known = rows.head(60_000)
    pipeline = InferencePipeline.chosen(serving, "rich", choice, n_jobs=2).fit(known, known["duration"])
    with tempfile.TemporaryDirectory(prefix="workbook-bench-") as folder:
        packaging.save_model(pipeline, Path(folder) / "model", rows.head(3))
        _, times = packaging.ask(Path(folder) / "model", rows[list(pipeline.inputs_)], measure=True)
    figures = {
        "predict_one_ms": round(times["one_row_us"] / 1000, 3),
        "predict_million_seconds": round(times["bulk_row_us"] * ROWS / 1e6, 2),
    }
    one, million_rows = figures["predict_one_ms"], figures["predict_million_seconds"]
    print(f"\none raw row {one:.2f} ms; a million {million_rows:.1f} s")
    return figures
