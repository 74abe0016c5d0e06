"""Exercises with blanks, made of their sources: what stands between nbgrader's marks goes, all else stays.

A source is a notebook with the solution; the id of a cell with marks is the name of the check that asks it.
nbgrader itself would serve, but brings a server and a database for what are ten lines here.
"""

import datetime
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from lib import files, notebook_source
from lib.errors import ParameterError
from lib.notebook_source import lessons, text_of
from lib.paths import Project

#: Below `notebooks/exercises/`, where the sources lie.
SOURCES = "sources"
#: Below the outputs, the folder of what is a learner's own.
LEARNER = "learner"
#: What a blank says when it is called.
INVITATION = "your lines here"
_MARKED = re.compile(r"^([ ]*)### BEGIN SOLUTION\n(.*?)^[ ]*### END SOLUTION$", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"###\s*(BEGIN|END)\s+SOLUTION")


def cleared(text: str) -> str:
    """A cell's source with its solution taken out.

    In a function stands an error in its place, which says so when it is called; elsewhere only `...`, so that
    a page with blanks runs to its end.
    """
    return _MARKED.sub(
        lambda found: (
            f'{found[1]}raise NotImplementedError("{INVITATION}")' if found[1] else f"...  # {INVITATION}"
        ),
        text,
    )


def answers(source: Path) -> dict[str, str]:
    """The solutions in a source by the ids of their cells."""
    found = {}
    for cell in notebook_source.saved(source)["cells"]:
        parts = [textwrap.dedent(part[2]).rstrip() for part in _MARKED.finditer(text_of(cell))]
        if parts:
            found[str(cell["id"])] = "\n".join(parts)
    return found


def blank(source: Path) -> bytes:
    """The notebook with blanks that a source gives, as it is kept."""
    page = notebook_source.saved(source)
    for cell in page["cells"]:
        text = cleared(text_of(cell))
        if _MARK.search(text):
            raise ParameterError(
                f"{source}: cell {cell.get('id')!r} has a mark without its other half. A solution stands "
                "between the lines `### BEGIN SOLUTION` and `### END SOLUTION`."
            )
        cell["source"] = text.splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    return files.as_json(page)


def write(project: Project, lesson: str = "") -> Iterator[str]:
    """Make the blanks of every source, or of one; a line each. What was filled in is kept aside first."""
    for source in lessons.find(project.exercises / SOURCES, lesson):
        made, path = blank(source), project.exercises / source.name
        if path.is_file() and path.read_bytes() == made:
            yield f"· {project.shown(path)} is as its source has it"
            continue
        aside = _kept_aside(project, path, made)
        with files.whole(path) as file:
            file.write(made)
        said = f"; what stood there is in {project.shown(aside)}" if aside else ""
        yield f"✓ {project.shown(path)}{said}"


def _kept_aside(project: Project, path: Path, made: bytes) -> Path | None:
    """Where a notebook that says something else than `made` was copied to, if it does."""
    if not path.is_file() or _sources(path) == _sources(path, made):
        return None
    now = datetime.datetime.now().astimezone()
    aside = project.outputs / LEARNER / f"{path.stem}.{now:%Y%m%d-%H%M%S}.ipynb"
    aside.parent.mkdir(parents=True, exist_ok=True)
    files.copy(path, aside)
    return aside


def _sources(path: Path, content: bytes | None = None) -> list[str]:
    return [text_of(cell) for cell in notebook_source.saved(path, content)["cells"]]
