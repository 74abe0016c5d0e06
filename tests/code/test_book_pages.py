"""What of the book needs no Sphinx: links, terms, docstrings, the map of courses, pages made of code."""

import ast
import json
import re
from pathlib import Path, PurePosixPath

import pytest
from test_house import ROOMS

from lib.cli import options_page
from lib.cli.book import courses, lacking, links, prose, terms
from lib.errors import ParameterError
from lib.paths import Project

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GLOSSARY = terms.read((DOCS / "glossary.md").read_text(encoding="utf-8"))


def test_the_page_of_options_is_what_the_code_says():
    text = options_page.text(Project(ROOT, ROOT / "outputs"))
    assert (DOCS / options_page.PAGE).read_text(encoding="utf-8") == text, "`make docs` writes it anew"


def test_the_picture_of_the_architecture_has_every_room_and_in_its_rank():
    picture = re.sub(r"[/·]", " ", (DOCS / "architecture.svg").read_text(encoding="utf-8"))
    shown = re.findall(r'<text class="t" x="710"[^>]*>([^<]+)<', picture)
    at = {room: number for number, row in enumerate(shown) for room in row.split()}
    assert set(at) == set().union(*ROOMS)
    ranks = [at[room] for line in ROOMS for room in sorted(line)]
    assert ranks == sorted(ranks)


def _messages() -> str:
    """Every text in the code of `lib`, `{}` in place of what is filled in, and the Makefile's."""
    found = [(ROOT / "Makefile").read_text(encoding="utf-8")]
    for path in (ROOT / "lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def test_every_message_that_is_explained_is_one_of_the_code():
    said, text = _messages(), (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = [
        part
        for bold in re.findall(r"^- \*\*(.+?)\*\*:", text, re.MULTILINE)
        for part in bold.split("`")[1::2]
    ]
    assert len(quoted) > 30
    pieces = {piece.strip(" ✗") for one in quoted for piece in one.split("…")}
    gone = sorted(piece for piece in pieces if piece not in said)
    assert gone == []


def test_the_glossary_is_in_order_and_each_form_has_one_meaning():
    names = [term.anchor for term in GLOSSARY]
    assert len(names) >= 60
    assert len(set(names)) == len(names)
    forms = [form.lower() for term in GLOSSARY for form in set(map(str.lower, term.forms))]
    assert sorted(forms) == sorted(set(forms))
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    assert text.count("\n- **") == len(GLOSSARY)


def test_a_term_is_found_once_in_any_of_its_forms_and_capitals_count():
    finder = terms.Finder(
        terms.read("- **fold** (folds): a part.\n- **test set**: kept\n  apart.\n- **MAE**: an error.\n")
    )
    known = set()
    text = "Folds, a mae, an MAE. A fold and the test\nset; blindfolds, k-folds."
    found = [(text[start:end], term.name) for start, end, term in finder.find(text, known)]
    assert found == [("Folds", "fold"), ("MAE", "MAE"), ("test\nset", "test set")]
    assert finder.find("The folds again.", known) == []


@pytest.mark.parametrize(
    ("docstring", "rst"),
    [
        ("Read `path`s, 2 * 3.", "\\ Read \\ ``path``\\ s, 2 \\* 3.\\ \n"),
        ("Two\nlines.\n\n    a = 1\n", "\\ Two lines.\\ \n\n::\n\n        a = 1\n"),
        ("Root\n├── One_   x\n", "::\n\n    Root\n    ├── One_   x\n"),
        ("- one\n  and more\n- `two`\n", "- \\ one and more\\ \n- \\ \\ ``two``\\ \\ \n"),
    ],
)
def test_a_docstring_comes_out_as_it_was_written(docstring, rst):
    assert prose.as_rst(docstring) == rst


@pytest.mark.parametrize(
    ("link", "mapped"),
    [
        ("[a](../03_prep.ipynb#why)", "[a](../03_prep.ipynb#why)"),
        ("[a](../../lib/splits.py)", "[a](#lib.splits)"),
        ("[`a`](../../lib/step/__init__.py)", "[`a`](#lib.step)"),
        ("[a](../../README.md#real-data)", "[a](../../index.md#real-data)"),
        ("[a](../exercises/sources/01_x.ipynb)", "[a](../exercises/01_x.ipynb)"),
        ("[a](https://x.org/a.py)", "[a](https://x.org/a.py)"),
        ("```\n[a](../../lib/splits.py)\n```", "```\n[a](../../lib/splits.py)\n```"),
        ("`[a](../../lib/splits.py)`", "`[a](../../lib/splits.py)`"),
    ],
)
def test_a_link_leads_to_the_same_thing_in_the_book(link, mapped):
    assert links.mapped(link, PurePosixPath("notebooks/lessons/02_x.ipynb"), ROOT) == mapped


def test_the_map_of_the_courses_has_a_table_a_document_and_refuses_an_entry_without_a_place(tmp_path):
    file = tmp_path / "courses.yaml"
    assert courses.read(file) == []
    file.write_text(
        "- {document: Intro, section: 1.1 Why, met: ['docs/search.md#set-or-search']}\n"
        "- {document: Intro, section: 1.2 A | B, left_out: a screen of a tool}\n"
    )
    page = courses.page(Project(ROOT, tmp_path), courses.read(file))
    assert "## Intro" in page
    assert (
        "| 1.1 Why | [The search: what can be said of it: set or search](../docs/search.md#set-or-search) |"
        in page
    )
    assert "| 1.2 A \\| B | left out: a screen of a tool |" in page
    file.write_text("- {document: Intro, section: 1.1}\n")
    with pytest.raises(ParameterError, match=r"courses.yaml: .* needs document, section, and either met"):
        courses.read(file)


def test_a_page_counts_as_executed_while_its_code_is_that_of_its_source(tmp_path):
    def page(name, *cells):
        made = [{"cell_type": kind, "id": text[:1], "source": [text], "metadata": {}} for kind, text in cells]
        (tmp_path / name).write_text(
            json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        )
        return tmp_path / name

    executed = page("executed.ipynb", ("code", "a = 1"), ("markdown", "before"))
    assert lacking.is_executed(executed, page("same.ipynb", ("code", "a = 1"), ("markdown", "after")))
    assert not lacking.is_executed(executed, page("other.ipynb", ("code", "a = 2"), ("markdown", "before")))
    assert not lacking.is_executed(tmp_path / "none.ipynb", executed)
