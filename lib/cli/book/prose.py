"""A Sphinx extension: docstrings are prose with `names` in backticks; here they become reStructuredText.

Whatever stands in one, a tree or a star, comes out as it was written, and none can be a warning.
"""

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils.nodes import document
    from sphinx.application import Sphinx

_NAME = re.compile(r"(``?)(?=\S)(.+?)(?<=\S)\1")
#: Signs of a constant's value that are shown.
_LONGEST = 60
#: Signs that mean something to reStructuredText.
_MARKUP = re.compile(r"([\\*`|_])")


def as_rst(docstring: str) -> str:
    """A docstring in reStructuredText: paragraphs, lists, and as it stands whatever is indented or drawn."""
    blocks = re.split(r"\n\s*\n", textwrap.dedent(docstring).strip("\n"))
    return "\n\n".join(_block(block) for block in blocks if block.strip()) + "\n"


def _block(block: str) -> str:
    lines = block.splitlines()
    if lines[0].startswith("  ") or re.search(r"[├└│]", block) or ">>>" in block:
        return "::\n\n" + textwrap.indent(block, "    ")
    lead = []
    while lines and not lines[0].startswith("- "):
        lead.append(lines.pop(0))
    parts = [_inline(" ".join(lead))] if lead else []
    if lines:
        items = re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]
        parts.append("\n".join(f"- {_inline(' '.join(item.split()))}" for item in items))
    return "\n\n".join(parts)


def _inline(text: str) -> str:
    """Text whose names are literals and of which nothing else is markup; `\\ ` keeps a sign from counting."""
    parts, at = [], 0
    for name in _NAME.finditer(text):
        parts += [_MARKUP.sub(r"\\\1", text[at : name.start()]), rf"\ ``{name[2]}``\ "]
        at = name.end()
    return "\\ " + "".join([*parts, _MARKUP.sub(r"\\\1", text[at:])]) + "\\ "


def _process(_app: "Sphinx", _what: str, _name: str, _of: object, _options: object, lines: list[str]) -> None:
    lines[:] = as_rst("\n".join(lines)).splitlines()


def _shorten(_app: "Sphinx", doctree: "document") -> None:
    """Leave out the value of a constant where it is long: it says less than the line below it."""
    from sphinx import addnodes

    for value in list(doctree.findall(addnodes.desc_annotation)):
        text = value.astext().strip()
        if text.startswith("=") and len(text) > _LONGEST:
            value.parent.remove(value)


def setup(app: "Sphinx") -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process)
    app.connect("doctree-read", _shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
