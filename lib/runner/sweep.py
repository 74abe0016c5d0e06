"""`make sweep`: the runs of a grid in one start, what they share run once; one table, one chart.

What P says of a grid is read in `lib.notebook_source.grids`. Every run is an ordinary one under a name of its
own. What no varying parameter reaches (ingest, say) is run by the first of them and linked by the
others. One step runs at a time, so that no point is compared under starvation; JOBS says otherwise.
`all_problems` runs the problems in the same way.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.notebook_source import grids, parameters, problems
from lib.notebook_source.grids import Point
from lib.paths import Project
from lib.plots.comparison import LATE
from lib.records import HIGHER_IS_BETTER, Metrics, Tuned, cautions_of
from lib.runner import kernels, plan, start, status, terminal
from lib.runner.plan import Wishes
from lib.runner.report import comparison
from lib.runner.run import Runner


def sweep(wishes: Wishes, project: Project | None = None) -> int:
    """Check every point, run them all, compare; the exit code."""
    base = plan.ask(dataclasses.replace(wishes, overrides="", steps=""), project)
    points = grids.read(wishes.overrides, base.run)
    wanted = [dataclasses.replace(wishes, overrides=point.p, run=point.run, steps="") for point in points]
    requests = [plan.ask(wish, project) for wish in wanted]
    folder = base.project.outputs / "sweeps" / base.run
    varying = {key: ", ".join(dict.fromkeys(p.values[key] for p in points)) for key in points[0].values}
    print(f"{len(points)} runs: {', '.join(varying)}")
    folders = [folder, *(request.folder for request in requests)]
    environment = kernels.environment(base.project)
    with start.locked(*folders), comparison.tracked(base, folder, varying, environment) as tracked:
        runner = Runner(requests, base.jobs or 1, environment)
        code = runner.go()
        if code != 130:
            seconds = {name: progress.seconds for name, progress in runner.runs.items()}
            done = {name for name, progress in runner.runs.items() if not progress.failed}
            table = compare(points, base.project, seconds, done)
            minded = cautions_of([base.project.outputs / row["run"] for row in table if row["trials"]])
            _show(table, minded, comparison.write(folder, table, minded, tracked))
        if code:
            tracked.close("KILLED" if code == 130 else "FAILED")
    return code


def all_problems(wishes: Wishes, project: Project) -> int:
    """Run every problem there is, small and on generated data; the exit code."""
    requests = []
    for problem, file in problems.parameter_files(project).items():
        name = f"{problem}-generated"
        small = plan.ask(Wishes(file=file, run=name), project).setting("small")
        given = parameters.overrides(wishes.overrides)
        words = [word for word in parameters.split(small, " ") if word.partition("=")[0] not in given]
        wish = dataclasses.replace(
            wishes, file=file, run=name, overrides=" ".join([*words, wishes.overrides])
        )
        requests.append(plan.ask(wish, project))
    with start.locked(*(request.folder for request in requests)):
        runner = Runner(requests)
        code = runner.go()
    for request in requests:
        progress = runner.runs[request.run]
        state = "failed" if progress.failed else "done"
        print(f"{request.run}: {terminal.seconds(progress.seconds)}, {state}")
        print("\n".join(f"  {line.strip()}" for line in status.headline(request.folder)))
    return code


def compare(
    points: Sequence[Point], project: Project, seconds: dict[str, float], done: set[str]
) -> list[dict[str, Any]]:
    """One row a run, best on validation first: what varied, the figures, which trials ran, seconds.

    Where a run is told what is known only after the prediction, each row says what, if anything, it is told.
    """
    folders = {point.run: project.outputs / point.run for point in points}
    searches = {run: Tuned.read(folder / "tuned.json") for run, folder in folders.items()}
    metric = next((tuned.metric for tuned in searches.values() if tuned), "")  # the first run may have failed
    validation, test = f"validation_{metric}", f"test_{metric}"
    told = any(tuned.late for run, tuned in searches.items() if tuned and run in done)
    rows = []
    for point in points:
        metrics = Metrics.read(folders[point.run] / "metrics.json") if point.run in done else None
        figures = metrics.figures if metrics else {}
        tuned = searches[point.run] if point.run in done else None
        rows.append(
            {
                **point.values,
                validation: figures.get(validation),
                test: figures.get(test),
                **({LATE: ", ".join(tuned.late) if tuned else None} if told else {}),
                "trials": tuned.told.removesuffix(" trials") if tuned else None,
                "seconds": round(seconds[point.run], 1),
                "run": point.run,
            }
        )
    best_first = -1 if metric in HIGHER_IS_BETTER else 1
    return sorted(rows, key=lambda row: (row[validation] is None, best_first * (row[validation] or 0)))


def _show(table: list[dict[str, Any]], minded: list[str], page: Path) -> None:
    head = list(table[0])
    lines = terminal.table([head, *([status.figure(row[name]) for name in head] for row in table)])
    lines += [f"Mind: {one}" for one in minded]
    print("\n".join(["", *lines, f"\nThe table and its chart: {page}"]))
