"""The map from what the courses teach, section by section, to where it is met here: of docs/courses.yaml.

That file is a list of mappings: `document`, `section`, and either `met` (paths from the project's folder,
with a `#heading` where it helps) or `left_out` (why). `level`, where it is given, is one of maturity.
"""

from pathlib import Path
from typing import TypedDict

import yaml

from lib.errors import ParameterError
from lib.notebook_source import saved
from lib.paths import Project


class Entry(TypedDict, total=False):
    """A section of a course, and where its matter is met, or why it is not."""

    document: str
    section: str
    met: list[str]
    left_out: str
    level: int


def read(path: Path) -> list[Entry]:
    """The entries; none where the file is not there, and refused where one is not as it should be."""
    if not path.is_file():
        return []
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    for entry in entries:
        keys = entry.keys() if isinstance(entry, dict) else set()
        known = {"document", "section"} <= keys <= Entry.__annotations__.keys()
        if not known or bool(entry.get("met")) == bool(entry.get("left_out")):
            raise ParameterError(
                f"{path.name}: {entry!r} needs document, section, and either met (paths) "
                "or left_out (a reason)."
            )
    return list(entries)


def page(project: Project, entries: list[Entry]) -> str:
    """The map as Markdown, a table a document; one of the levels of maturity where entries name them."""
    lines = [
        "# Where the courses' chapters are met",
        "",
        "This workbook takes the place of several courses. Each of their sections stands here, with the "
        "pages on which its matter is met, or with why it was left out.",
    ]
    levels = sorted({entry["level"] for entry in entries if "level" in entry})
    for level in levels:
        lines += ["", f"## Maturity level {level}", ""]
        lines += _table(project, [entry for entry in entries if entry.get("level") == level])
    for document in dict.fromkeys(entry["document"] for entry in entries):
        lines += ["", f"## {document}", ""]
        lines += _table(project, [entry for entry in entries if entry["document"] == document])
    return "\n".join([*lines, ""])


def _table(project: Project, entries: list[Entry]) -> list[str]:
    rows = ["| section | met in |", "|---|---|"]
    for entry in entries:
        where = ", ".join(_link(project, path) for path in entry.get("met") or [])
        rows.append(f"| {_cell(entry['section'])} | {where or 'left out: ' + _cell(entry['left_out'])} |")
    return rows


def _cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _link(project: Project, path: str) -> str:
    """A link, by the title of the page and the heading."""
    file, _, heading = path.partition("#")
    title, found = Path(file).stem, project.root / file
    if found.suffix == ".md" and found.is_file():
        title = found.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    if found.suffix == ".ipynb" and found.is_file():
        title = "".join(saved(found)["cells"][0]["source"]).splitlines()[0].lstrip("# ")
    text = f"{title}: {heading.replace('-', ' ')}" if heading else title
    return f"[{_cell(text)}](../{path})"
