"""An executed notebook as one HTML page that opens without the network: nbconvert's body in our frame."""

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from markupsafe import Markup

from lib import files, paths
from lib.notebook_source import prose
from lib.records import RunRecord, StepRecord
from lib.runner.report import pages
from lib.runner.staleness import Place

if TYPE_CHECKING:
    from nbconvert import HTMLExporter

_HEADING = re.compile(r'<h2 id="([^"]*)">(.*?)(?:<a class="anchor-link".*?</a>)?</h2>', re.DOTALL)


@functools.cache
def _exporter() -> "HTMLExporter":
    """nbconvert's plainest template; a line that a progress bar rewrote is shown as it ended."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="basic")
    exporter.register_preprocessor("nbconvert.preprocessors.CoalesceStreamsPreprocessor", enabled=True)
    return exporter


def render(notebook: nbformat.NotebookNode, links: pages.Links, note: str) -> str:
    """The page of a notebook; `links` (text, address) stand above it, `note` below them."""
    heading = "figure"
    for cell in notebook.cells:
        heading = _last_heading(cell, heading)
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.metadata.setdefault("image/png", {}).setdefault("alt", heading)
    body, _ = _exporter().from_notebook_node(notebook)
    contents = [(name, _plain(text)) for name, text in _HEADING.findall(body)]
    titles = re.findall(r"<h1[^>]*>(.*?)</h1>", body, re.DOTALL)
    return pages.render(
        "base.html.j2",
        title=_plain(titles[0]) if titles else "Notebook",
        links=links,
        note=note,
        contents=contents,
        body=Markup(body),  # noqa: S704 - text is escaped: by nbconvert, pandas, `display.markdown`
    )


def _last_heading(cell: nbformat.NotebookNode, before: str) -> str:
    headings = re.findall(r"^#+\s+(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
    return str(headings[-1]) if headings else before


def _plain(text: str) -> str:
    """HTML as text."""
    return Markup(re.sub(r'<a class="anchor-link".*?</a>', "", text, flags=re.DOTALL)).striptags()  # noqa: S704


def pictures(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """The headline pictures as (caption, image): of cells tagged `headline`, else the notebook's first."""
    found, heading = [], ""
    for cell in notebook.cells:
        heading = _last_heading(cell, heading)
        tagged = "headline" in cell.metadata.get("tags", [])
        for output in cell.get("outputs", []):
            content = output.get("data", {}).get("image/png")
            if content:
                caption = output.metadata.get("image/png", {}).get("alt", heading)
                found.append((tagged, caption, f"data:image/png;base64,{content.strip()}"))
    chosen = [picture for picture in found if picture[0]] or found[:1]
    return [(caption, image) for _, caption, image in chosen]


def write(folder: Path, step: str) -> None:
    """The page of a step's notebook: as it was executed, with the prose of today, or as far as it got."""
    place, run = Place(folder, step), RunRecord.read(folder / "run.json")
    record = StepRecord.read(place.record)
    executed = place.executed if record else place.failed
    if run is None or not executed.exists():
        return
    links = [("Run", "../index.html"), *pages.links(folder, "")[1:]]
    bar = [(text, "" if text.split()[0] == step else to) for text, to in links]
    note = f"Run {run.run}"
    notebook = nbformat.reads(executed.read_text(encoding="utf-8"), as_version=4)
    if record:
        note += f", {record.started}, {record.seconds:.1f} s, {record.peak_memory_mb or 0:,.0f} MB at most"
        note += f", linked from run {record.linked_from}" if record.linked_from else ""
        source = paths.here().notebooks / f"{step}.ipynb"
        if source.exists():
            now = nbformat.read(source, as_version=4)
            notebook = nbformat.from_dict(prose.with_prose(notebook, now))
    files.write_text(executed.with_suffix(".html"), render(notebook, bar, note))
