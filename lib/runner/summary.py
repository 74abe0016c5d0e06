"""The closing words of a run: best model, its figures beside the baselines, version, where to look.

Every name comes from what the steps wrote (`metrics.json`, `tuned.json`, `registry.json`, `provenance.json`):
nothing here knows a problem. Standard library only.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from lib import files, paths
from lib.records import Metrics, Record, Registration, StepRecord, Tuned

#: Which figure is shown where the search did not say its metric.
_FIRST = ("rmse", "auc", "mae", "accuracy", "r2")
_R = TypeVar("_R", bound=Record)


def result(folder: Path, name: str, kind: type[_R]) -> _R | None:
    """The record `name`, if the step that writes it is done: what a failed step has left is no result."""
    return kind.read(folder / f"{name}.json") if _done(folder, name) else None


def _done(folder: Path, name: str) -> bool:
    records = (StepRecord.read(path) for path in folder.glob("notebooks/[0-9][0-9]_*.json"))
    return any(record is not None and name in record.outputs for record in records)


def generated(folder: Path) -> bool:
    """Whether the run's data were generated."""
    return bool(files.read_json(folder / "provenance.json").get("generated"))


def headline(folder: Path) -> list[str]:
    """The lines after the table; those whose file is not there are left out."""
    tuned, registered = result(folder, "tuned", Tuned), result(folder, "registry", Registration)
    lines = []
    if tuned:
        note = " (generated data)" if generated(folder) else ""
        lines.append(f"Best model: {tuned.choice['family']}, features {tuned.feature_set}{note}")
    score = comparison(folder)
    if score:
        name, value, baselines = score
        others = ", ".join(f"{key} {figure(other)}" for key, other in baselines.items())
        lines.append(f"  test {name} {figure(value)}" + (f"   baselines: {others}" if others else ""))
    if registered:
        lines.append(_registered(registered))
    return lines


def comparison(folder: Path) -> tuple[str, float | None, dict[str, float | None]] | None:
    """The metric that models are chosen by (or the first there is), its test figure, and the baselines'."""
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
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def _registered(registered: Registration) -> str:
    """The version, and who holds the alias since: it, or the one that stays."""
    line = f"Registered: {registered.name} version {registered.version}"
    if registered.holder == registered.version:
        return f"{line}, now {registered.alias}"
    return f"{line}; {registered.alias} stays version {registered.holder} ({registered.outcome})"


def produced(folder: Path, names: Iterable[str]) -> str:
    """What a step wrote, as names and sizes."""
    there = [path for name in names if (path := paths.find(folder, name))]
    return ", ".join(f"{p.relative_to(folder)}{'/' if p.is_dir() else ''} {size(p)}" for p in there)


def size(path: Path) -> str:
    """`4.1 MB`."""
    parts = path.rglob("*") if path.is_dir() else [path]
    total: float = sum(part.stat().st_size for part in parts if part.is_file())
    for unit in ("B", "kB", "MB"):
        if total < 1000:
            return f"{total:.0f} {unit}" if unit == "B" else f"{total:.1f} {unit}"
        total /= 1000
    return f"{total:.1f} GB"
