"""The closing words of a run: best model, its figures beside the baselines, version, where to look.

Every name comes from what the steps wrote (`metrics.json`, `tuned.json`, `registry.json`, `provenance.json`):
nothing here knows a problem. Standard library only.
"""

from pathlib import Path
from typing import Any

from lib.pipeline import project as files

#: The metrics of which more is better.
HIGHER_IS_BETTER = ("auc", "accuracy", "f1", "r2")


def headline(folder: Path) -> list[str]:
    """The lines after the table; those whose file is not there are left out."""
    metrics, tuned = made(folder, "metrics"), made(folder, "tuned")
    registry, provenance = made(folder, "registry"), made(folder, "provenance")
    choice = tuned.get("choice") or {}
    generated = " (generated data)" if provenance.get("generated") else ""
    lines = []
    if choice.get("family"):
        lines.append(f"Best model: {choice['family']}, features {tuned.get('feature_set', '?')}{generated}")
    lines += [f"  {line}" for line in comparison(metrics, tuned.get("metric"))]
    if registry:
        lines.append(_registered(registry))
    return lines


def made(folder: Path, name: str) -> dict[str, Any]:
    """The mapping `name`, if the step that writes it is done: what a failed step has left is no result."""
    for path in folder.glob("notebooks/[0-9][0-9]_*.json"):
        if name in files.read_json(path).get("outputs", {}):
            return files.read_json(folder / f"{name}.json")
    return {}


def comparison(metrics: dict[str, Any], metric: str | None) -> list[str]:
    """`test rmse 4.512   baselines: mean 9.1, linear 6.2`, for the problem's metric or the first there is."""
    name = metric if metric and f"test_{metric}" in metrics else _first_metric(metrics)
    if name is None:
        return []
    ending = f"_test_{name}"
    others = {
        key.removeprefix("baseline_").removesuffix(ending): value
        for key, value in metrics.items()
        if key.startswith("baseline_") and key.endswith(ending)
    }
    baselines = ", ".join(f"{key} {figure(value)}" for key, value in sorted(others.items()))
    text = f"test {name} {figure(metrics[f'test_{name}'])}"
    return [text + (f"   baselines: {baselines}" if baselines else "")]


def boxes(folder: Path) -> list[tuple[bool, str, str]]:
    """The headline of the index page: whether it is the main one, label, value."""
    metrics, tuned, registry = made(folder, "metrics"), made(folder, "tuned"), made(folder, "registry")
    wanted = tuned.get("metric")
    name = wanted if f"test_{wanted}" in metrics else _first_metric(metrics)
    found = []
    if name:
        found.append((True, f"test {name}", figure(metrics[f"test_{name}"])))
        ending = f"_test_{name}"
        for key, value in sorted(metrics.items()):
            if key.startswith("baseline_") and key.endswith(ending):
                found.append(
                    (False, f"{key.removeprefix('baseline_').removesuffix(ending)} baseline", figure(value))
                )
    family = (tuned.get("choice") or {}).get("family")
    if family:
        found.append((False, f"best of the search, features {tuned.get('feature_set', '?')}", family))
    if registry.get("version"):
        found.append((False, registry.get("name", "registered"), f"version {registry['version']}"))
    return found


def _first_metric(metrics: dict[str, Any]) -> str | None:
    for name in ("rmse", "auc", "mae", "accuracy", "r2"):
        if f"test_{name}" in metrics:
            return name
    return None


def figure(value: Any) -> str:
    """A number to four digits; nothing as a dash."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def _registered(registry: dict[str, Any]) -> str:
    """The version, and who holds the alias since: it, or the one that stays."""
    version, holder = registry.get("version", "?"), registry.get("holder")
    line = f"Registered: {registry.get('name', '?')} version {version}"
    if "alias" not in registry:
        return line
    if holder == version:
        return f"{line}, now {registry['alias']}"
    return f"{line}; {registry['alias']} stays version {holder} ({registry.get('outcome', 'not compared')})"


def produced(folder: Path, writes: tuple[str, ...]) -> str:
    """What a step wrote, as names and sizes."""
    found = []
    for name in writes:
        path = files.find(folder, name)
        if path:
            found.append(f"{path.relative_to(folder)}{'/' if path.is_dir() else ''} {size(path)}")
    return ", ".join(found)


def size(path: Path) -> str:
    """`4.1 MB`."""
    if path.is_dir():
        total = sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    else:
        total = path.stat().st_size
    for unit in ("B", "kB", "MB"):
        if total < 1000:
            return f"{total:.0f} {unit}" if unit == "B" else f"{total:.1f} {unit}"
        total /= 1000
    return f"{total:.1f} GB"
