"""`outputs/<run>/index.html`: one page that says what a run was, what came out, and where everything is.

Built from the records and from what the steps wrote; nothing here knows a problem.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lib import files, paths
from lib.records import Registration, RunRecord, StepRecord, Tuned, cautions
from lib.runner import status
from lib.runner.report import drawing, pages
from lib.runner.staleness import Place


def write(folder: Path) -> None:
    """Write the run's index page, whole or not at all."""
    run = RunRecord.read(folder / "run.json")
    if run is None:
        return
    standing = status.steps(folder)
    provenance = files.read_json(folder / "provenance.json")
    records = {name: one.record for name, one in standing.items() if one.record}
    page = pages.render(
        "run.html.j2",
        title=f"Run {run.run}",
        links=pages.links(folder),
        run=run,
        heading=run.problem.replace("_", " ").capitalize() + " — generated data" * status.generated(folder),
        cautions=cautions(folder),
        boxes=_boxes(folder),
        graph=Markup(drawing.draw(run.graph, standing)),  # noqa: S704 - of our own template, which escapes
        old=[(name, one.reason) for name, one in standing.items() if one.reason],
        failures=[one.failure for one in standing.values() if one.failure],
        pictures=_pictures(folder, records),
        provenance=[(k, _shown(k, v)) for k, v in provenance.items() if not isinstance(v, dict | list)],
        sources=[[_shown(k, v) for k, v in source.items()] for source in provenance.get("files") or []],
        about_sources=list(next(iter(provenance.get("files") or []), ())),
        parameters=_parameters(run, records),
        written=_files(folder, run),
        tracked=[(name, record.mlflow_run_id) for name, record in records.items() if record.mlflow_run_id],
    )
    files.write_text(folder / "index.html", page)


def _boxes(folder: Path) -> list[tuple[str, str]]:
    """The headline: the test figure first, then the baselines', the family and the version."""
    boxes = []
    out_of_date = status.out_of_date(folder)
    old = {n: " (out of date)" * (n in out_of_date) for n in ("metrics", "tuned", "registry")}
    score, tuned = status.comparison(folder), status.result(folder, "tuned", Tuned)
    if score:
        name, value, baselines = score
        unit = f" {tuned.unit}" if tuned and tuned.unit and tuned.metric == name else ""
        boxes.append((f"test {name}{old['metrics']}", f"{status.figure(value)}{unit}"))
        boxes += [(f"{key} baseline", f"{status.figure(other)}{unit}") for key, other in baselines.items()]
    if tuned:
        about = f"best of {tuned.told}, features {tuned.features}{old['tuned']}"
        boxes.append((about, tuned.choice["family"]))
    registered = status.result(folder, "registry", Registration)
    if registered:
        boxes.append((f"{registered.name}{old['registry']}", f"version {registered.version}"))
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


def _parameters(run: RunRecord, records: Mapping[str, StepRecord]) -> list[list[object]]:
    """Each parameter with the value that its steps were made with, and where that came from.

    A step that has not run for this request shows what it was made with, or, before that, what it is given.
    """
    over, from_file = _flat(run.overrides), _flat(run.values)
    takers: dict[tuple[str, str], list[str]] = {}
    for step, given in run.given.items():
        made_with = records[step].parameters if step in records else given
        for name, value in _flat(made_with).items():
            takers.setdefault((name, json.dumps(value, ensure_ascii=False)), []).append(step)
    rows: list[list[object]] = []
    for (name, text), steps in takers.items():
        asked = {json.dumps(_flat(run.given[step]).get(name), ensure_ascii=False) for step in steps}
        origin = "P" if name in over else run.parameters_file if name in from_file else "notebook"
        if asked != {text}:
            origin = "an earlier request"
        shown: object = text.strip('"')
        shown = Markup("<span class='over'>{}</span>").format(shown) if origin == "P" else shown
        rows.append([Markup("<code>{}</code>").format(name), shown, origin, ", ".join(steps)])
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
            rows.append([Markup("<a href='{0}'>{0}</a>").format(shown), files.size(path), name])
    return rows
