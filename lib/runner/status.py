"""How steps and runs stand, as `make status` and the pages show it."""

from dataclasses import dataclass
from pathlib import Path

from lib import files
from lib.paths import Project
from lib.records import FailedStep, OpenStep, RunRecord, StepRecord
from lib.runner import summary, terminal
from lib.runner.staleness import Place

_SIGNS = {"done": "✓", "failed": "✗", "running": "…", "not run": "·"}


@dataclass(frozen=True)
class Standing:
    """How a step stands: done, failed, running or not run, with the record of its last run."""

    status: str
    record: StepRecord | None = None
    failure: FailedStep | None = None


def of_step(folder: Path, name: str) -> Standing:
    """How the step `name` of the run in `folder` stands."""
    place = Place(folder, name)
    record, failure = StepRecord.read(place.record), FailedStep.read(place.failure)
    if record:
        return Standing("done", record)
    if failure:
        return Standing("failed", failure=failure)
    note = OpenStep.read(place.opened)
    return Standing("running" if note and files.alive(note.pid) else "not run")


def show(project: Project) -> int:
    """Print every run there is, the latest first."""
    runs = sorted(project.outputs.glob("*/run.json"), key=lambda path: -path.stat().st_mtime)
    if not runs:
        print(f"No run yet in {project.shown(project.outputs)}: `make pipeline` makes the first.")
    for path in runs:
        print("\n".join(_lines(path.parent, project)))
    return 0


def _lines(folder: Path, project: Project) -> list[str]:
    """One run: its name and file, a line a step, its headline."""
    run = RunRecord.read(folder / "run.json")
    if run is None:
        return [f"{folder.name}  made by an earlier workbook: run it again, or remove its folder", ""]
    over = "".join(f"  {key}={value}" for key, value in run.overrides.items())
    lines, sign = [f"{run.run}  {run.started}  {run.parameters_file}{over}"], terminal.Terminal().mark
    for name in run.graph:
        standing = of_step(folder, name)
        lines.append(f"  {sign(_SIGNS[standing.status])} {name:<14} {_words(standing)}")
    lines += [f"  {line.strip()}" for line in summary.headline(folder)]
    return [*lines, f"  {project.shown(folder)}/index.html", ""]


def _words(standing: Standing) -> str:
    if standing.failure:
        error, cell = standing.failure.error.strip().splitlines()[0], standing.failure.cell
        return f"failed in cell [{cell}]: {error}" if cell else f"failed: {error}"
    if standing.record is None:
        return standing.status
    record = standing.record
    memory = f"{record.peak_memory_mb:6,.0f} MB" if record.peak_memory_mb else ""
    linked = f"  linked from run {record.linked_from}" if record.linked_from else ""
    return f"{terminal.seconds(record.seconds):>12}  {memory}  {record.started}{linked}"
