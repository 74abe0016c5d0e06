"""The sources of the book, laid out for Sphinx: executed notebooks with the prose of today, docs/, the API.

The folders are those of the repository, so that a link from page to page is the same in both.
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from lib.cli.book import courses, links
from lib.dependencies import module_name
from lib.notebook_source import lessons, prose, saved
from lib.paths import Project
from lib.records import RunRecord

#: Pages of docs/ in the order in which they are listed; others follow by their names.
FIRST = (
    "start",
    "architecture",
    "exercises",
    "capstone",
    "search",
    "tracking",
    "bring-your-own-problem",
    "add-a-step",
)
LAST = ("options", "troubleshooting", "times", "glossary", "from-an-earlier-workbook")


def stage(project: Project, run: Path, into: Path) -> None:
    """Lay out the whole book in the folder `into`, its numbered pages as the run in `run` has left them."""
    notebooks = PurePosixPath("notebooks")
    numbered = lessons.find(project.notebooks)
    taught = lessons.find(project.notebooks / "lessons")
    for page in numbered:
        _notebook(project, into, notebooks / page.name, run / "notebooks" / page.name)
    for page in taught:
        _notebook(project, into, notebooks / "lessons" / page.name, project.outputs / "lessons" / page.name)
    for page in lessons.find(project.exercises):
        _notebook(project, into, notebooks / "exercises" / page.name)
    docs = sorted((project.root / "docs").glob("*.md"), key=_order)
    for page in [*docs, project.root / "DATA.md"]:
        _page(project, into, PurePosixPath(page.relative_to(project.root)), page.read_text(encoding="utf-8"))
    rooms = _api(project, into)
    found = courses.read(project.root / "docs" / "courses.yaml")
    if found:
        _page(project, into, PurePosixPath("docs/course-map.md"), courses.page(project, found))
    contents: Mapping[str, Sequence[object]] = {
        "The line": [notebooks / page.name for page in numbered],
        "Lessons": [notebooks / "lessons" / page.name for page in taught],
        "Exercises": [notebooks / "exercises" / page.name for page in lessons.find(project.exercises)],
        "To look up": [
            *(["docs/course-map.md"] if found else []),
            *(f"docs/{page.name}" for page in docs),
            "DATA.md",
        ],
        "The code": rooms,
    }
    readme = (project.root / "README.md").read_text(encoding="utf-8")
    text = f"{readme.rstrip()}\n\n## This book\n\n{_about(run)}\n\n{_trees(contents)}"
    _page(project, into, PurePosixPath("README.md"), text, "index.md")


def _order(page: Path) -> tuple[int, str]:
    names = (*FIRST, "", *LAST)
    return names.index(page.stem if page.stem in names else ""), page.stem


def _about(run: Path) -> str:
    """Which run the numbered pages show."""
    record = RunRecord.read(run / "run.json")
    said = f"`{run.name}`" + (f", with `{record.parameters_file}`, {record.started[:10]}" if record else "")
    return (
        f"The numbered pages are shown as they were executed in the run {said}, the lessons as `make "
        "lessons` executed them; nothing was executed for the book. Exercises are shown with their blanks. A "
        "word of the field leads to [the glossary](docs/glossary.md) where a page uses it first."
    )


def _trees(contents: Mapping[str, Sequence[object]]) -> str:
    """The table of contents that stands beside every page."""
    return "\n".join(
        "\n".join([f"```{{toctree}}\n:hidden:\n:caption: {caption}\n", *map(str, pages), "```\n"])
        for caption, pages in contents.items()
        if pages
    )


def _page(project: Project, into: Path, page: PurePosixPath, text: str, name: str = "") -> None:
    """Put a Markdown page in place, with the files that it links."""
    _linked(project, into, page, links.targets(text))
    place = into / (name or page)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(links.mapped(text, page, project.root), encoding="utf-8")


def _notebook(project: Project, into: Path, page: PurePosixPath, executed: Path | None = None) -> None:
    """Put a notebook in place: as executed, with the prose of today; a heading names the figures below it."""
    source = saved(project.root / page)
    notebook = prose.with_prose(saved(executed), source) if executed else source
    heading, cells = "", []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            _linked(project, into, page, links.targets(text))
            headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
            heading = headings[-1] if headings else heading
            cells.append({**cell, "source": links.mapped(text, page, project.root)})
        else:
            named = {**cell["metadata"], "mystnb": {"image": {"alt": heading or page.stem}}}
            cells.append({**cell, "metadata": named})
    place = into / page
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({**notebook, "cells": cells}), encoding="utf-8")


def _linked(project: Project, into: Path, page: PurePosixPath, targets: Iterable[str]) -> None:
    """Copy the files that a page links and that are no pages: pictures, a licence, parameters, a test."""
    for target in filter(links.relative, targets):
        path = links.place(target, page)
        found = project.root / path
        inside = found.resolve().is_relative_to(project.root.resolve())
        shown = path.suffix in (".md", ".ipynb") or (path.suffix == ".py" and path.parts[0] == "lib")
        if inside and found.is_file() and not shown:
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, into / path)


def _api(project: Project, into: Path) -> list[str]:
    """A page a room of lib/, with the docstrings of all its modules; their names, the list of them first."""
    rooms: dict[str, list[str]] = {}
    for path in sorted(project.lib.rglob("*.py")):
        name = module_name(str(path.relative_to(project.root)))
        if name != "lib":
            rooms.setdefault(name.split(".")[1], []).append(name)
    (into / "api").mkdir(parents=True)
    for room, modules in rooms.items():
        text = [f"lib.{room}", "=" * (len(room) + 4), ""]
        for name in modules:
            if name != f"lib.{room}":
                text += [name, "-" * len(name), ""]
            below = [one.rpartition(".")[2] for one in modules if one.rpartition(".")[0] == name]
            text += [f".. automodule:: {name}", "   :members:", "   :ignore-module-all:"]
            text += [f"   :exclude-members: {', '.join(below)}", ""] if below else [""]
        (into / "api" / f"{room}.rst").write_text("\n".join(text), encoding="utf-8")
    listed = "\n".join(["```{toctree}", ":maxdepth: 2", "", *rooms, "```"])
    intro = (
        "# The modules of lib\n\nWhat notebooks call, by the docstrings of the code; a page a room. "
        "What stands above what is drawn in [the architecture](../docs/architecture.md).\n\n"
    )
    (into / "api" / "index.md").write_text(intro + listed + "\n", encoding="utf-8")
    return ["api/index"]
