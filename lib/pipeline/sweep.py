"""`make sweep`: the runs of a grid, side by side, what they share run once; one table, one chart.

Every run is an ordinary `make pipeline` under a name of its own; what no varying parameter reaches (ingest,
say) is run once and handed on by links, as its record would be the same. The grid is in `lib.pipeline.grid`.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lib.errors import RunError
from lib.pipeline import grid, plan, record, session, summary, terminal
from lib.pipeline import project as files


@dataclasses.dataclass
class Result:
    """How one run of the sweep ended."""

    point: grid.Point
    status: int
    seconds: float
    metrics: dict[str, Any]


def run(environment: Mapping[str, str]) -> int:
    """Check every point, run what they share, run them all, compare."""
    plain = {name: value for name, value in environment.items() if name not in ("P", "STEPS")}
    base = session.ask(plain, [])
    points = grid.points(environment.get("P", ""), base.run)
    asked = [session.ask({**plain, "P": point.p, "RUN": point.run}, []) for point in points]
    folder = base.project.outputs / "sweeps" / base.run
    with session.locked(folder):
        print(f"{len(points)} runs: " + ", ".join(f"{key}" for key in points[0].values))
        with _tracked(base, points) as tracked:
            shared = common(base.graph, points)
            source = _shared(asked[0], points, shared, plain, base.run)
            results = _all(points, asked, source, shared, plain)
            table = compare(results, [one.folder for one in asked])
            _report(folder, table, tracked)
    return int(any(result.status for result in results))


def common(graph: plan.Graph, points: list[grid.Point]) -> list[str]:
    """The steps that no varying parameter reaches, directly or through what they read."""
    varying = {key.partition(".")[0] for key in points[0].values}
    touched = [n.name for n in graph.notebooks if varying & set(n.parameters)]
    return [n.name for n in graph.notebooks if not set(graph.needed([n.name])) & set(touched)]


def _shared(
    first: session.Session, points: list[grid.Point], shared: list[str], plain: Mapping[str, str], base: str
) -> Path | None:
    """Run once what all have in common, as run `<base>-shared`."""
    if not shared:
        return None
    name = f"{base}-shared"
    print(f"  once for all: {', '.join(shared)}", flush=True)
    words = [first.graph[step].target for step in shared]
    one = {
        **plain,
        "P": points[0].p,
        "RUN": name,
        "STEPS": ",".join(words),
    }
    status, _ = _pipeline(one, first.project)
    if status:
        shown = first.project.shown(first.project.outputs / name)
        raise RunError(f"What the runs have in common did not finish; see {shown}/pipeline.log.")
    return first.project.outputs / name


def _all(
    points: list[grid.Point],
    asked: list[session.Session],
    source: Path | None,
    shared: list[str],
    plain: Mapping[str, str],
) -> list[Result]:
    """All runs, as many at once as there are cores."""
    lock = threading.Lock()

    def one(point: grid.Point, mine: session.Session) -> Result:
        started = time.monotonic()
        if source:
            hand_on(source, mine.folder, mine.graph, shared)
        status, output = _pipeline(
            {**plain, "P": point.p, "RUN": point.run, "JOBS": "1", "STEPS": ""}, mine.project
        )
        seconds = time.monotonic() - started
        with lock:
            said = "done" if status == 0 else "failed: " + _last_error(output)
            print(f"  {point.run}  {terminal.seconds(seconds)}  {said}", flush=True)
        return Result(
            point, status, seconds, files.read_json(mine.folder / "metrics.json") if not status else {}
        )

    with ThreadPoolExecutor(session._cores()) as pool:
        return list(pool.map(one, points, asked))


def _pipeline(environment: Mapping[str, str], project: files.Project) -> tuple[int, str]:
    command = [sys.executable, "-m", "lib.pipeline", "run"]
    parent = {name: os.environ[name] for name in ("WORKBOOK_PARENT_RUN_ID",) if name in os.environ}
    done = subprocess.run(
        command, cwd=project.root, env={**environment, **parent}, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if "Error" in line or line.startswith("✗")]
    return lines[-1] if lines else "see its pipeline.log"


def hand_on(source: Path, target: Path, graph: plan.Graph, steps: Iterable[str]) -> None:
    """Give a run the outputs, notebooks and records of steps that another run has done."""
    for name in steps:
        there, here = record.Place(source, name), record.Place(target, name)
        if here.record.exists() or not there.record.exists():
            continue
        for thing in graph[name].writes:
            path = files.find(source, thing)
            if path:
                _link(path, target / path.relative_to(source))
        for one in (there.executed, there.record):
            _link(one, here.folder / "notebooks" / one.name)


def _link(source: Path, target: Path) -> None:
    """The same content under another name: a hard link where the disk can, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
        return
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def compare(results: list[Result], folders: list[Path]) -> list[dict[str, Any]]:
    """One row a run, best on validation first: what varied, validation and test figures, seconds."""
    told = (files.read_json(folder / "tuned.json").get("metric") for folder in folders)
    metric = next(filter(None, told), "")  # the first run may have failed
    names = [f"{part}_{metric}" for part in ("validation", "test")]
    rows = [
        {
            **result.point.values,
            **{n: result.metrics.get(n) for n in names},
            "seconds": round(result.seconds, 1),
            "run": result.point.run,
        }
        for result in results
    ]
    best_first = -1 if metric in summary.HIGHER_IS_BETTER else 1
    return sorted(rows, key=lambda row: (row[names[0]] is None, best_first * (row[names[0]] or 0)))


def _tracked(base: session.Session, points: list[grid.Point]) -> Any:
    """The sweep's own run in the trackers; the runs' steps are its children."""
    from lib.pipeline import sweep_report

    return sweep_report.tracked(base, points)


def _report(folder: Path, table: list[dict[str, Any]], tracked: Any) -> None:
    from lib.pipeline import sweep_report

    head = list(table[0])
    shown = [head, *([summary.figure(row[name]) for name in head] for row in table)]
    print()
    for line in terminal.table(shown):
        print(line)
    page = sweep_report.write(folder, table, tracked)
    print(f"\nThe table and its chart: {page}")
