"""How steps and runs stand, and what came out: as `make status`, the closing lines and the pages show it.

Every name comes from what the steps wrote (`metrics.json`, `tuned.json`, `registry.json`, `provenance.json`):
nothing here knows a problem. Standard library only.
"""

import graphlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lib import files, paths
from lib.paths import Project
from lib.records import FailedStep, Metrics, Record, Registration, RunRecord, StepRecord, Tuned, cautions
from lib.runner import terminal
from lib.runner.staleness import Place, changed_parameters, deciding
from lib.wording import rounded

_SIGNS = {"done": "✓", "failed": "✗", "running": "…", "not run": "·", "out of date": "!"}
#: Which figure is shown where the search did not say its metric.
_FIRST = ("rmse", "auc", "mae", "accuracy", "r2")
_R = TypeVar("_R", bound=Record)


@dataclass(frozen=True)
class Standing:
    """How a step stands: done, out of date, failed, running or not run, with the record of its last run."""

    status: str
    record: StepRecord | None = None
    failure: FailedStep | None = None
    reason: str = ""  # why it is out of date


def steps(folder: Path) -> dict[str, Standing]:
    """How each step of the run in `folder` stands, in the order of its graph, by the records alone.

    What was made of other things than those that are there now, or with other parameters than the run was
    last asked for, is out of date; whether code has changed since is what `make plan` says.
    """
    run = RunRecord.read(folder / "run.json")
    if run is None:
        return {}
    writers = {thing: name for name, edges in run.graph.items() for thing in edges["writes"]}
    needs = {name: {writers[thing]: None for thing in edges["reads"]} for name, edges in run.graph.items()}
    found: dict[str, Standing] = {}
    for name in graphlib.TopologicalSorter(needs).static_order():
        found[name] = _by_itself(folder, name)
        record = found[name].record
        if record:
            given = changed_parameters(record.parameters, deciding(run.given[name]))
            reason = "; ".join([*given, *_made_of(record, run, {need: found[need] for need in needs[name]})])
            found[name] = Standing("out of date" if reason else "done", record, reason=reason)
    return {name: found[name] for name in run.graph}


def _made_of(record: StepRecord, run: RunRecord, writers: Mapping[str, Standing]) -> Iterator[str]:
    """Which of what a step has read its writers have written anew since."""
    for name, writer in writers.items():
        there = writer.record.outputs if writer.record else {}
        read = [thing for thing in run.graph[name]["writes"] if thing in record.inputs]
        other = [thing for thing in read if there.get(thing) != record.inputs[thing]]
        if other:
            yield f"made of an earlier {' and '.join(filter(None, (', '.join(other[:-1]), other[-1])))}"
        elif writer.reason:
            yield f"{name} is"


def _by_itself(folder: Path, name: str) -> Standing:
    place = Place(folder, name)
    record, failure = StepRecord.read(place.record), FailedStep.read(place.failure)
    if record:
        return Standing("done", record)
    if failure:
        return Standing("failed", failure=failure)
    return Standing("running" if files.in_hand(place.opened) else "not run")


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
    for name, standing in steps(folder).items():
        lines.append(f"  {sign(_SIGNS[standing.status])} {name:<14} {_words(standing)}")
    lines += [f"  {line.strip()}" for line in headline(folder)]
    return [*lines, f"  {project.shown(folder)}/index.html", ""]


def _words(standing: Standing) -> str:
    if standing.failure:
        error, cell = standing.failure.error.strip().splitlines()[0], standing.failure.cell
        return f"failed in cell [{cell}]: {error}" if cell else f"failed: {error}"
    if standing.record is None:
        return standing.status
    record = standing.record
    memory = f"{record.peak_memory_mb:6,.0f} MB" if record.peak_memory_mb else ""
    more = f"  linked from run {record.linked_from}" if record.linked_from else ""
    more += f"  out of date: {standing.reason}" if standing.reason else ""
    return f"{terminal.seconds(record.seconds):>12}  {memory}  {record.started}{more}"


def result(folder: Path, name: str, kind: type[_R]) -> _R | None:
    """The record `name`, if the step that writes it is done: what a failed step has left is no result."""
    return kind.read(folder / f"{name}.json") if name in _written(folder) else None


def _written(folder: Path) -> dict[str, StepRecord]:
    """Each thing that a step of the run wrote, with that step's record."""
    records = (StepRecord.read(path) for path in folder.glob("notebooks/[0-9][0-9]_*.json"))
    return {thing: record for record in records if record for thing in record.outputs}


def generated(folder: Path) -> bool:
    """Whether the run's data were generated."""
    return bool(files.read_json(folder / "provenance.json").get("generated"))


def headline(folder: Path) -> list[str]:
    """The lines after the table; those whose file is not there, or is of an earlier model, are left out."""
    tuned, registered = result(folder, "tuned", Tuned), result(folder, "registry", Registration)
    old = out_of_date(folder)
    lines = []
    if tuned:
        model = f"Best model: {tuned.choice['family']}, features {tuned.features}"
        lines.append(model + " (generated data)" * generated(folder))
        lines.append(f"  the best of {tuned.told}")
    score = comparison(folder)
    if score:
        name, value, baselines = score
        others = ", ".join(f"{key} {figure(other)}" for key, other in baselines.items())
        lines.append(f"  test {name} {figure(value)}" + (f"   baselines: {others}" if others else ""))
        lines += [f"  Mind: {one}" for one in cautions(folder)]
    if registered and not (tuned and "tuned" not in old and "registry" in old):
        lines.append(_registered(registered))
    why = "; ".join(dict.fromkeys(old[thing] for thing in ("tuned", "metrics", "registry") if thing in old))
    return [*lines, f"  out of date: {why}"] if lines and why else lines


def out_of_date(folder: Path) -> dict[str, str]:
    """Each thing that a step wrote that is out of date, with that step and why."""
    return {
        thing: f"{name} ({standing.reason})"
        for name, standing in steps(folder).items()
        if standing.record and standing.reason
        for thing in standing.record.outputs
    }


def comparison(folder: Path) -> tuple[str, float | None, dict[str, float | None]] | None:
    """The metric that models are chosen by (or the first there is), its test figure, and the baselines'.

    Nothing where a search has come to another choice since: these are not its figures.
    """
    searched, measured = map(_written(folder).get, ("tuned", "metrics"))
    if searched and measured and measured.inputs.get("tuned") not in (None, searched.outputs["tuned"]):
        return None
    metrics, tuned = result(folder, "metrics", Metrics), result(folder, "tuned", Tuned)
    figures = metrics.figures if metrics else {}
    wanted = ([tuned.metric] if tuned else []) + list(_FIRST)
    name = next((metric for metric in wanted if f"test_{metric}" in figures), None)
    if name is None:
        return None
    ending = f"_test_{name}"
    baselines = {
        key.removeprefix("baseline_").removesuffix(ending): value
        for key, value in sorted(figures.items())
        if key.startswith("baseline_") and key.endswith(ending)
    }
    return name, figures[f"test_{name}"], baselines


def figure(value: object) -> str:
    """A number to four digits; nothing as a dash."""
    if value is None:
        return "–"
    return rounded(value, 4) if isinstance(value, int | float) else str(value)


def _registered(registered: Registration) -> str:
    """The version, and who holds the alias since: it, or the one that stays."""
    line = f"Registered: {registered.name} version {registered.version}"
    if registered.holder == registered.version:
        return f"{line}, now {registered.alias}"
    if registered.outcome in ("first", "better"):  # moved since then, by hand or by another run
        return f"{line}; {registered.alias} is version {registered.holder} now"
    return f"{line}; {registered.alias} stays version {registered.holder} ({registered.outcome})"


def produced(folder: Path, names: Iterable[str]) -> str:
    """What a step wrote, as names and sizes."""
    there = [path for name in names if (path := paths.find(folder, name))]
    return ", ".join(f"{p.relative_to(folder)}{'/' if p.is_dir() else ''} {files.size(p)}" for p in there)
