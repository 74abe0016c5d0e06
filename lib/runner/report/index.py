"""`outputs/<run>/index.html`: one page that says what a run was, what came out, and where everything is.

Built from the records and from what the steps wrote; nothing here knows a problem.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lib import files, paths
from lib.records import Registration, RunRecord, Tuned
from lib.runner import status
from lib.runner.report import drawing, pages
from lib.runner.staleness import Place


def write(folder: Path) -> None:
    """Write the run's index page, whole or not at all."""
    run = RunRecord.read(folder / "run.json")
    if run is None:
        return
    standing = {name: status.of_step(folder, name) for name in run.graph}
    provenance = files.read_json(folder / "provenance.json")
    generated = " — generated data" if status.generated(folder) else ""
    records = {name: one.record for name, one in standing.items() if one.record}
    page = pages.render(
        "run.html.j2",
        title=f"Run {run.run}",
        links=pages.links(folder),
        run=run,
        heading=run.problem.replace("_", " ").capitalize() + generated,
        boxes=_boxes(folder),
        graph=Markup(drawing.draw(run.graph, standing)),  # noqa: S704 - of our own template, which escapes
        failures=[one.failure for one in standing.values() if one.failure],
        pictures=_pictures(folder, records),
        provenance=[(k, _shown(k, v)) for k, v in provenance.items() if not isinstance(v, dict | list)],
        sources=[[_shown(k, v) for k, v in source.items()] for source in provenance.get("files") or []],
        about_sources=list(next(iter(provenance.get("files") or []), ())),
        parameters=_parameters(run),
        written=_files(folder, run),
        tracked=[
            (name, Markup("<code>{}</code>").format(record.mlflow_run_id))
            for name, record in records.items()
            if record.mlflow_run_id
        ],
    )
    files.write_text(folder / "index.html", page)


def _boxes(folder: Path) -> list[tuple[str, str]]:
    """The headline: the test figure first, then the baselines', the family and the version."""
    boxes = []
    score = status.comparison(folder)
    if score:
        name, value, baselines = score
        boxes.append((f"test {name}", status.figure(value)))
        boxes += [(f"{key} baseline", status.figure(other)) for key, other in baselines.items()]
    tuned = status.result(folder, "tuned", Tuned)
    if tuned:
        boxes.append((f"best of the search, features {tuned.feature_set}", tuned.choice["family"]))
    registered = status.result(folder, "registry", Registration)
    if registered:
        boxes.append((registered.name, f"version {registered.version}"))
    return boxes


def _pictures(folder: Path, done: Mapping[str, object]) -> list[tuple[str, str, str]]:
    import nbformat

    from lib.runner.report import executed

    found = []
    for name in done:
        page = nbformat.read(Place(folder, name).executed, as_version=4)
        found += [(name, heading, image) for heading, image in executed.pictures(page)]
    return found


def _shown(key: str, value: object) -> object:
    """A value as a reader wants it: numbers with commas, yes and no, short digests, links, lists as JSON."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    if key == "sha256":
        return Markup("<code title='{}'>{}</code>").format(text, text[:12])
    return Markup("<a href='{0}'>{0}</a>").format(text) if text.startswith("http") else text


def _parameters(run: RunRecord) -> list[list[object]]:
    """Every parameter that a step was given, and whether it came from P, the file or the notebook."""
    takers: dict[str, list[str]] = {}
    shown: dict[str, object] = {}
    for step, parameters in run.given.items():
        for name, value in _flat(parameters).items():
            shown[name] = value
            takers.setdefault(name, []).append(step)
    over, from_file = _flat(run.overrides), _flat(run.values)
    rows: list[list[object]] = []
    for name, value in shown.items():
        text: object = json.dumps(value, ensure_ascii=False).strip('"')
        origin = "P" if name in over else run.parameters_file if name in from_file else "notebook"
        text = Markup("<span class='over'>{}</span>").format(text) if name in over else text
        rows.append([Markup("<code>{}</code>").format(name), text, origin, ", ".join(takers[name])])
    return rows


def _flat(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`options` spread out as `options.key`; the run's name is not a parameter."""
    flat = {key: value for key, value in parameters.items() if key not in ("run", "options")}
    return flat | {f"options.{key}": value for key, value in (parameters.get("options") or {}).items()}


def _files(folder: Path, run: RunRecord) -> list[list[object]]:
    rows: list[list[object]] = []
    for name, entry in run.graph.items():
        for path in filter(None, (paths.find(folder, thing) for thing in entry["writes"])):
            shown = path.relative_to(folder).as_posix() + ("/" if path.is_dir() else "")
            rows.append([Markup("<a href='{0}'>{0}</a>").format(shown), status.size(path), name])
    return rows
