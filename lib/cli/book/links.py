"""Links of pages, as they stand in the repository, to where the book has the same thing.

A link to another page or to a file is left as it is, as the book keeps the folders of the repository. One to
a module leads to its docstrings, one to a folder to the book's first page.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from lib.dependencies import module_name

_CODE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)[ \t]*$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(r"(?<=\]\()[^)\s]+(?=\))")
#: The folder of the exercises' solutions, which are not shown: a link to one leads to the page with blanks.
_SOURCES = "exercises/sources/"


def prose(text: str, change: Callable[[str], str]) -> str:
    """Markdown with each stretch that is no code changed."""
    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [change(text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*parts, change(text[at:])])


def targets(text: str) -> Iterator[str]:
    """Where the links of a Markdown text lead, those in code left out."""
    found: list[str] = []

    def look(part: str) -> str:
        found.extend(_TARGET.findall(part))
        return part

    prose(text, look)
    yield from found


def relative(target: str) -> bool:
    """Whether a link leads to a file of the repository."""
    return not re.match(r"[a-z][a-z0-9+.-]*:|#|/", target)


def place(target: str, page: PurePosixPath) -> PurePosixPath:
    """The file or folder that a relative link of a page leads to, counted from the project's folder."""
    return PurePosixPath(os.path.normpath(page.parent / target.partition("#")[0]))


def mapped(text: str, page: PurePosixPath, root: Path) -> str:
    """The text of a page with its links as the book has them."""
    return prose(text, lambda part: _TARGET.sub(lambda link: _target(link[0], page, root), part))


def _target(target: str, page: PurePosixPath, root: Path) -> str:
    if not relative(target):
        return target
    path, up = place(target, page), "../" * (len(page.parts) - 1)
    if path.parts[:1] == ("lib",) and path.suffix == ".py":
        return f"#{module_name(str(path))}"
    if path.parts[:1] == ("lib",) and (root / path / "__init__.py").is_file():
        return f"#{'.'.join(path.parts)}"
    if path.name == "README.md" or (root / path).is_dir():
        return f"{up}index.md{'#' + target.partition('#')[2] if '#' in target else ''}"
    return target.replace(_SOURCES, "exercises/")
