"""`make sweep`: the runs of a grid in one start, what they share run once; one table, one chart.

Every run is an ordinary one under a name of its own. What no varying parameter reaches (ingest, say) is run
by the first of them and linked by the others. One step runs at a time, so that no point is compared under
starvation; JOBS says otherwise. `all_problems` runs the problems in the same way.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.errors import ParameterError
from lib.paths import Project
from lib.records import HIGHER_IS_BETTER, Metrics, Tuned
from lib.runner import grid, kernels, parameters, plan, signals, start, summary, terminal
from lib.runner.plan import Wishes
from lib.runner.report import comparison
from lib.runner.run import Runner


def sweep(wishes: Wishes, project: Project | None = None) -> int:
    """Check every point, run them all, compare; the exit code."""
    base = plan.ask(dataclasses.replace(wishes, overrides="", steps=""), project)
    points = grid.points(wishes.overrides, base.run)
    requests = [
        plan.ask(dataclasses.replace(wishes, overrides=point.p, run=point.run, steps=""), project)
        for point in points
    ]
    folder = base.project.outputs / "sweeps" / base.run
    print(f"{len(points)} runs: {', '.join(points[0].values)}")
    signals.die_with_make()
    folders = [folder, *(request.folder for request in requests)]
    environment = kernels.environment(base.project)
    with start.locked(*folders), comparison.tracked(base, points, environment) as tracked:
        runner = Runner(requests, base.jobs or 1, environment)
        code = runner.go()
        if code != 130:
            seconds = {name: progress.seconds for name, progress in runner.runs.items()}
            done = {name for name, progress in runner.runs.items() if not progress.failed}
            table = compare(points, base.project, seconds, done)
            _show(table, comparison.write(folder, table, tracked))
        if code:
            tracked.close("KILLED" if code == 130 else "FAILED")
    return code


def all_problems(wishes: Wishes, project: Project) -> int:
    """Run every problem there is, small and on generated data; the exit code."""
    requests = []
    for problem, file in parameter_files(project).items():
        name = f"{problem}-generated"
        small = plan.ask(Wishes(file=file, run=name), project).parameters.runner("small")
        given = parameters.overrides(wishes.overrides)
        words = [word for word in small.split() if word.partition("=")[0] not in given]
        overrides = " ".join([*words, wishes.overrides])
        requests.append(
            plan.ask(dataclasses.replace(wishes, file=file, run=name, overrides=overrides), project)
        )
    signals.die_with_make()
    with start.locked(*(request.folder for request in requests)):
        runner = Runner(requests)
        code = runner.go()
    for request in requests:
        progress = runner.runs[request.run]
        state = "failed" if progress.failed else "done"
        print(f"{request.run}: {terminal.seconds(progress.seconds)}, {state}")
        print("\n".join(f"  {line.strip()}" for line in summary.headline(request.folder)))
    return code


def parameter_files(project: Project) -> dict[str, str]:
    """One parameters file a problem: the one that has its name, else the first that names it."""
    files: dict[str, str] = {}
    for path in sorted(project.params.glob("*.yaml"), key=lambda path: path.name):
        shown = f"params/{path.name}"
        problem = parameters.load(path, shown).get("problem")
        if problem and (problem not in files or path.stem == problem):
            files[problem] = shown
    if not files:
        raise ParameterError(f"No file in {project.params} names a problem.")
    return files


def compare(
    points: Sequence[grid.Point], project: Project, seconds: dict[str, float], done: set[str]
) -> list[dict[str, Any]]:
    """One row a run, best on validation first: what varied, validation and test figures, seconds."""
    folders = {point.run: project.outputs / point.run for point in points}
    searches = (Tuned.read(folder / "tuned.json") for folder in folders.values())
    metric = next((tuned.metric for tuned in searches if tuned), "")  # the first run may have failed
    validation, test = f"validation_{metric}", f"test_{metric}"
    rows = []
    for point in points:
        metrics = Metrics.read(folders[point.run] / "metrics.json") if point.run in done else None
        figures = metrics.figures if metrics else {}
        rows.append(
            {
                **point.values,
                validation: figures.get(validation),
                test: figures.get(test),
                "seconds": round(seconds[point.run], 1),
                "run": point.run,
            }
        )
    best_first = -1 if metric in HIGHER_IS_BETTER else 1
    return sorted(rows, key=lambda row: (row[validation] is None, best_first * (row[validation] or 0)))


def _show(table: list[dict[str, Any]], page: Path) -> None:
    head = list(table[0])
    print()
    for line in terminal.table([head, *([summary.figure(row[name]) for name in head] for row in table)]):
        print(line)
    print(f"\nThe table and its chart: {page}")
