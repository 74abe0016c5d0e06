"""A cold `make pipeline` beside one plain Python process with the same `lib` calls; no work; one edit.

Both sides start from nothing (their own outputs folder, a database to be made), in turn, so that whatever
else the machine does falls on both. Generated data: no network, no mirror.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: The work: a month of green taxi in size, EDA, prep, 3 XGBoost trials, train, register.
WORK = "rows=66000 models=[xgboost] max_evals=3"
MAKE = ["make", "--no-print-directory", "pipeline", f"P={WORK}", "RUN=bench"]
TURNS = int(os.environ.get("TURNS") or 3)


def run() -> dict[str, float]:
    """Measure, print the table, and give the figures for outputs/bench.json."""
    with tempfile.TemporaryDirectory(prefix="workbook-bench-") as folder:
        checkout = copy(Path(folder))
        turns = [(pipeline(checkout, turn), plain(checkout, turn)) for turn in range(TURNS)]
        noop = [timed(checkout, "m0", MAKE) for _ in range(5)]
        provenance = json.loads((Path(folder) / "m0" / "bench" / "provenance.json").read_text())
        edits = [one_edit(checkout, number) for number in range(TURNS)]
    ratios = [one / other for one, other in turns]
    print(f"\n{WORK}\n\n  turn   make pipeline   plain Python   ratio")
    for number, (one, other) in enumerate(turns, 1):
        print(f"  {number:>4} {one:13.1f} s {other:12.1f} s {one / other:7.2f}")
    figures = {
        "pipeline_rows": provenance["rows"],
        "pipeline_over_plain": round(statistics.median(ratios), 3),
        "pipeline_seconds": round(statistics.median(one for one, _ in turns), 2),
        "plain_seconds": round(statistics.median(other for _, other in turns), 2),
        "noop_seconds": round(statistics.median(noop), 3),
        "one_edit_seconds": round(statistics.median(edits), 2),
    }
    print(f"\n  median ratio {figures['pipeline_over_plain']}, to beat: 1.2")
    print(f"  no work {figures['noop_seconds']} s, the last notebook edited: {figures['one_edit_seconds']} s")
    return figures


def copy(folder: Path) -> Path:
    """A checkout of its own, so that an edit disturbs nobody; the environment is this one's."""
    checkout = folder / "checkout"
    skip = shutil.ignore_patterns("outputs", ".venv", ".git", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, checkout, ignore=skip)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    for name in ("requirements.txt", "pyproject.toml"):  # not newer than the environment
        shutil.copystat(ROOT / name, checkout / name)
    return checkout


def timed(checkout: Path, run_name: str, words: list[str], fresh: bool = False) -> float:
    """Seconds of one command; its outputs stand in a folder named for the run."""
    outputs = checkout.parent / run_name
    if fresh:
        shutil.rmtree(outputs, ignore_errors=True)
    left_out = ("MAKEFLAGS", "MAKELEVEL", "PYTHONDONTWRITEBYTECODE", "P", "PARAMS", "STEPS", "FORCE", "JOBS")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment |= {"WORKBOOK_OUTPUTS": str(outputs), "PYTHONPATH": str(checkout)}
    started = time.perf_counter()
    result = subprocess.run(words, cwd=checkout, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if result.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
    return seconds


def pipeline(checkout: Path, turn: int) -> float:
    """A cold `make pipeline`."""
    return timed(checkout, f"m{turn}", MAKE, fresh=True)


def plain(checkout: Path, turn: int) -> float:
    """The plain process, cold."""
    return timed(checkout, f"p{turn}", [sys.executable, "-m", "benchmarks.plain", WORK], fresh=True)


def one_edit(checkout: Path, number: int) -> float:
    """`make pipeline` after a line was added to the last notebook."""
    path = sorted((checkout / "notebooks").glob("[0-9]*.ipynb"))[-1]
    content = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    code[1]["source"] = ["".join(code[1]["source"]) + f"\nedited = {number}"]
    path.write_text(json.dumps(content), encoding="utf-8")
    return timed(checkout, "m0", MAKE)
