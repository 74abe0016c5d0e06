"""A Sphinx extension: where a page first uses a term of the glossary, the word leads there.

The glossary is a page of bullets, `- **alias** (aliases): what it means`; in the brackets stand other forms
of the word. Titles, code, links and what cells have printed are left alone, and so is the API.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

PAGE = "docs/glossary"
_ENTRY = re.compile(
    r"^- \*\*(?P<term>.+?)\*\*(?: \((?P<forms>[^)]+)\))?: (?P<meaning>.+(?:\n  .+)*)", re.MULTILINE
)


@dataclass(frozen=True)
class Term:
    """A word of the field: the forms in which it is written, and what it means."""

    name: str
    forms: tuple[str, ...]
    meaning: str

    @property
    def anchor(self) -> str:
        """Its place on the glossary's page."""
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def read(text: str) -> list[Term]:
    """The terms of a glossary, in its order."""
    return [
        Term(
            entry["term"],
            (entry["term"], *filter(None, re.split(r",\s*", entry["forms"] or ""))),
            " ".join(entry["meaning"].split()),
        )
        for entry in _ENTRY.finditer(text)
    ]


class Finder:
    """Finds terms in text: a form in small letters in any case, one with capitals (MAE) as it is written."""

    def __init__(self, terms: list[Term]) -> None:
        self._terms = {form.lower(): (form, term) for term in terms for form in term.forms}
        longest = sorted(self._terms, key=len, reverse=True)
        either = "|".join(r"\s+".join(map(re.escape, form.split())) for form in longest)
        self._pattern = re.compile(rf"(?<![\w-])(?:{either})(?![\w-])", re.IGNORECASE)

    def find(self, text: str, known: set[str]) -> list[tuple[int, int, Term]]:
        """The first uses in `text` of terms that are not among the `known`, which they join."""
        found = []
        for match in self._pattern.finditer(text) if self._terms else ():
            form, term = self._terms[" ".join(match[0].lower().split())]
            as_written = form == form.lower() or " ".join(match[0].split()) == form
            if as_written and term.name not in known:
                known.add(term.name)
                found.append((match.start(), match.end(), term))
        return found


#: Under which name Sphinx's environment has the terms while it builds.
KEPT = "workbook_glossary"


def _begin(app: "Sphinx") -> None:
    path = Path(app.srcdir) / f"{PAGE}.md"
    terms = read(path.read_text(encoding="utf-8")) if path.is_file() else []
    setattr(app.env, KEPT, {term.name: term for term in terms})


def _anchor(app: "Sphinx", doctree: "nodes.document") -> None:
    """Give each entry of the glossary's page its place."""
    from docutils import nodes

    if app.env.docname != PAGE:
        return
    terms = getattr(app.env, KEPT)
    for item in doctree.findall(nodes.list_item):
        strong = next(item.findall(nodes.strong), None)
        if strong is not None and strong.astext() in terms:
            item["ids"].append(terms[strong.astext()].anchor)


def _link(app: "Sphinx", doctree: "nodes.document", page: str) -> None:
    """Make links of the first uses on a page."""
    from docutils import nodes

    terms = list(getattr(app.env, KEPT).values())
    if page == PAGE or page.startswith("api/") or not terms:
        return
    finder, known, place = Finder(terms), set[str](), app.builder.get_relative_uri(page, PAGE)
    for parent in list(doctree.findall(lambda node: isinstance(node, nodes.TextElement))):
        if not _speaks(parent):
            continue
        children: list[nodes.Node] = []
        for text in _joined(parent.children):
            if not isinstance(text, nodes.Text):
                children.append(text)
                continue
            at, plain = 0, str(text)
            for start, end, term in finder.find(plain, known):
                where = {"refuri": f"{place}#{term.anchor}", "reftitle": term.meaning, "classes": ["term"]}
                link = nodes.reference("", "", nodes.inline("", plain[start:end]), internal=True, **where)
                children += [nodes.Text(plain[at:start]), link]
                at = end
            children.append(nodes.Text(plain[at:]))
        parent.children = []
        parent.extend(children)


def _joined(children: "list[nodes.Node]") -> "list[nodes.Node]":
    """Texts that stand side by side as one, as a line's end divides them."""
    from docutils import nodes

    joined: list[nodes.Node] = []
    for child in children:
        if joined and isinstance(child, nodes.Text) and isinstance(joined[-1], nodes.Text):
            joined[-1] = nodes.Text(f"{joined[-1]}{child}")
        else:
            joined.append(child)
    return joined


def _speaks(node: "nodes.Element | None") -> bool:
    """Whether this is prose of the page: no title, no code, no link, nothing that a cell has given out."""
    from docutils import nodes

    silent = (nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.raw, nodes.caption)
    while node is not None:
        if isinstance(node, silent) or {"cell_output", "cell_input"} & set(node.get("classes", ())):
            return False
        node = node.parent
    return True


def setup(app: "Sphinx") -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", _begin)
    app.connect("doctree-read", _anchor)
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
