"""`outputs/<run>/index.html`: one page that says what a run was, what came out, and where everything is.

Built from the records and from what the steps wrote; nothing here knows a problem.
"""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.pipeline import drawing, page, record, status, summary
from lib.pipeline import project as files


def write(folder: Path) -> None:
    """Write the run's index page, whole or not at all."""
    about = files.read_json(folder / "run.json")
    steps = {name: status.state(folder, name) for name in about.get("graph", {})}
    parts = [
        f"<h1>{html.escape(_title(folder, about))}</h1>",
        _headline(folder),
        f"<h2>Steps</h2><div class='graph'>{drawing.graph(about.get('graph', {}), steps)}</div>",
        _failures(steps),
        _pictures(folder, steps),
        _data(folder),
        _parameters(about),
        _files(folder, about, steps),
    ]
    note = f"Run <b>{html.escape(about.get('run', ''))}</b>, {html.escape(about.get('started', ''))}"
    if about.get("commit"):
        note += f", git commit <code>{html.escape(about['commit'])}</code>"
    files.write_text(
        folder / "index.html",
        page.document(f"Run {about.get('run')}", "".join(parts), links(folder, about), note),
    )


def links(folder: Path, about: Mapping[str, Any], below: str = "notebooks/") -> list[tuple[str, str]]:
    """The bar above the page: every notebook that has one of its own, and where that lies."""
    found = [("Run", "")]
    for name in about.get("graph", {}):
        there = record.Place(folder, name)
        if there.record.exists():
            found.append((name, f"{below}{name}.html"))
        elif there.failed.exists():
            found.append((f"{name} (failed)", f"{below}{name}.failed.html"))
    return found


def _title(folder: Path, about: Mapping[str, Any]) -> str:
    problems = [given["problem"] for given in about.get("given", {}).values() if "problem" in given]
    problem = problems[0] if problems else folder.name
    generated = files.read_json(folder / "provenance.json").get("generated")
    return str(problem).replace("_", " ").capitalize() + (" — generated data" if generated else "")


def _headline(folder: Path) -> str:
    boxes = "".join(
        f"<div{' class=main' if first else ''}><span>{html.escape(label)}</span>"
        f"<b>{html.escape(value)}</b></div>"
        for first, label, value in summary.boxes(folder)
    )
    return f"<div class='figures'>{boxes}</div>" if boxes else ""


def _failures(steps: Mapping[str, dict[str, Any]]) -> str:
    found = ""
    for name, step in steps.items():
        if step["status"] == "failed":
            where = f" in cell [{step['cell']}] of {step['cells']}" if step.get("cell") else ""
            found += (
                f"<div class='failed'><h3>{name} failed{where}</h3><pre>{html.escape(step['error'])}</pre>"
                f"<pre class='code'>{page.coloured(step.get('source', ''))}</pre>"
                f"<p><a href='notebooks/{name}.failed.html'>The notebook as far as it got</a></p></div>"
            )
    return found


def _pictures(folder: Path, steps: Mapping[str, dict[str, Any]]) -> str:
    figures = ""
    for name, step in steps.items():
        if step["status"] != "done":
            continue
        for heading, source in page.pictures(files.read_json(record.Place(folder, name).executed)):
            figures += (
                f"<figure><a href='notebooks/{name}.html'>"
                f"<img alt='{html.escape(heading)}' src='{source}'></a>"
                f"<figcaption>{html.escape(heading)} <span class='soft'>({name})</span></figcaption></figure>"
            )
    return f"<h2>Pictures</h2><div class='gallery'>{figures}</div>" if figures else ""


def _data(folder: Path) -> str:
    """Where the data came from, as the provenance says it."""
    provenance = files.read_json(folder / "provenance.json")
    if not provenance:
        return ""
    plain = {k: v for k, v in provenance.items() if k != "files" and not isinstance(v, dict | list)}
    table = _table((), [(html.escape(str(key)), _shown(value)) for key, value in plain.items()])
    fetched = provenance.get("files") or []
    if fetched:
        rows = [[_shortened(key, value) for key, value in one.items()] for one in fetched]
        table += _table(tuple(fetched[0]), rows)
    return f"<h2>Data</h2>{table}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table of cells that are HTML already."""
    top = (
        f"<thead><tr>{''.join(f'<th>{html.escape(name)}</th>' for name in head)}</tr></thead>" if head else ""
    )
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table class='left'>{top}{lines}</table>"


def _shortened(key: str, value: Any) -> str:
    text = _shown(value)
    if key == "sha256":
        return f"<code title='{text}'>{text[:12]}</code>"
    return f"<a href='{text}'>{text}</a>" if text.startswith("http") else text


def _shown(value: Any) -> str:
    """A value as HTML: numbers of rows with their commas, yes and no, lists as JSON."""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, int):
        text = f"{value:,}"
    else:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return html.escape(text)


def _parameters(about: Mapping[str, Any]) -> str:
    """Every parameter that a step was given, and whether it came from P, the file or the notebook."""
    takers: dict[str, list[str]] = {}
    shown: dict[str, Any] = {}
    for step, parameters in about.get("given", {}).items():
        for name, value in _flat(parameters).items():
            shown[name] = value
            takers.setdefault(name, []).append(step)
    over, from_file = _flat(about.get("overrides", {})), _flat(about.get("values", {}))
    rows = []
    for name, value in shown.items():
        text, origin = html.escape(json.dumps(value, ensure_ascii=False).strip('"')), "notebook"
        if name in over:
            text, origin = f"<span class='over'>{text}</span>", "P"
        elif name in from_file:
            origin = html.escape(about.get("parameters_file", ""))
        used = f"<span class='soft'>{', '.join(takers[name])}</span>"
        rows.append((f"<code>{html.escape(name)}</code>", text, origin, used))
    return f"<h2>Parameters</h2>{_table(('parameter', 'value', 'from', 'steps'), rows)}" if rows else ""


def _flat(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`options` spread out as `options.key`; the run's name is not a parameter."""
    flat = {key: value for key, value in parameters.items() if key not in ("run", "options")}
    return flat | {f"options.{key}": value for key, value in (parameters.get("options") or {}).items()}


def _files(folder: Path, about: Mapping[str, Any], steps: Mapping[str, dict[str, Any]]) -> str:
    rows = []
    for name, entry in about.get("graph", {}).items():
        for path in filter(None, (files.find(folder, thing) for thing in entry["writes"])):
            shown = path.relative_to(folder).as_posix() + ("/" if path.is_dir() else "")
            rows.append((f"<a href='{shown}'>{shown}</a>", summary.size(path), name))
    return (
        f"<h2>Files</h2>{_table(('file', 'size', 'written by'), rows)}"
        "<p class='soft'>Executed notebooks are in <code>notebooks/</code>, each with its record "
        "(<code>.json</code>) and as a page (<code>.html</code>); what the terminal said is in "
        "<code>pipeline.log</code>.</p>" + _tracked(steps)
    )


def _tracked(steps: Mapping[str, dict[str, Any]]) -> str:
    ids = {name: step.get("tracked", {}).get("mlflow_run_id") for name, step in steps.items()}
    rows = [(name, f"<code>{html.escape(run)}</code>") for name, run in ids.items() if run]
    if not rows:
        return ""
    return (
        "<h2>In MLflow</h2><p><code>make mlflow</code> opens it on "
        "<a href='http://127.0.0.1:5000'>127.0.0.1:5000</a>; the runs of these steps are:</p>"
        + _table(("step", "run"), rows)
    )
