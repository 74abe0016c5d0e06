"""`make status`: the last run of each run name, step by step. Standard library only."""

from pathlib import Path

from lib.files import alive
from lib.pipeline import project as files
from lib.pipeline import record, summary, terminal


def show() -> int:
    """Print every run there is, the latest first."""
    project = files.here()
    runs = sorted(project.outputs.glob("*/run.json"), key=lambda path: -path.stat().st_mtime)
    if not runs:
        print(f"No run yet in {project.shown(project.outputs)}: `make pipeline` makes the first.")
    for path in runs:
        print("\n".join(lines(path.parent, project)))
    return 0


def lines(folder: Path, project: files.Project) -> list[str]:
    """One run: its name and file, a line a step, its headline."""
    about = files.read_json(folder / "run.json")
    over = "".join(f"  {key}={value}" for key, value in about.get("overrides", {}).items())
    found = [f"{about.get('run')}  {about.get('started')}  {about.get('parameters_file')}{over}"]
    sign = terminal.Terminal().mark
    for name in about.get("graph", {}):
        step = state(folder, name)
        found.append(f"  {sign(_SIGNS[step['status']])} {name:<14} {_said(step)}")
    found += [f"  {line.strip()}" for line in summary.headline(folder)]
    return [*found, f"  {project.shown(folder)}/index.html", ""]


_SIGNS = {"done": "✓", "failed": "✗", "running": "…", "not run": "·"}


def _said(step: dict) -> str:
    if step["status"] == "failed":
        error = step["error"].strip().splitlines()[0]
        return f"failed in cell [{step['cell']}]: {error}" if step.get("cell") else f"failed: {error}"
    if step["status"] != "done":
        return step["status"]
    memory = f"{step['peak_memory_mb']:6,.0f} MB" if step.get("peak_memory_mb") else ""
    return f"{terminal.seconds(step['seconds']):>12}  {memory}  {step['started']}"


def state(folder: Path, name: str) -> dict:
    """A step's status with the figures of its last run: done, failed, running or not run."""
    place = record.Place(folder, name)
    kept, failure = files.read_json(place.record), files.read_json(place.failure)
    if kept:
        return {"status": "done", **kept}
    if failure:
        return {"status": "failed", **failure}
    pid = files.read_json(place.opened).get("pid")
    return {"status": "running" if pid and alive(int(pid)) else "not run"}
