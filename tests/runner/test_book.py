"""`make book`: a tiny one is built by Sphinx without a warning; its links hold and nothing is fetched."""

import io
import json
import re
import shutil
from urllib.parse import unquote

import pytest
from test_make import make
from tiny import ROOT, cell

from lib.cli import book, lessons
from lib.cli.book import lacking, staging, terms
from lib.cli.kernel_name import KERNEL
from lib.errors import RunError
from lib.paths import Project
from lib.records import RunRecord
from lib.runner.plan import Wishes
from lib.runner.terminal import Terminal

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def _page(*cells: dict) -> str:
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    )


def _prose(text: str, number: int = 9) -> dict:
    return {"cell_type": "markdown", "id": f"prose-{number}", "metadata": {}, "source": [text]}


@pytest.fixture
def project(tmp_path) -> Project:
    """One numbered page that was executed, one lesson, two docs and one module."""
    found = Project(tmp_path / "project", tmp_path / "project" / "outputs")
    (found.notebooks / "lessons").mkdir(parents=True)
    (found.root / "docs").mkdir()
    (found.lib).mkdir()
    (found.lib / "errors.py").write_text((ROOT / "lib" / "errors.py").read_text())
    for name in ("conf.py", "book.css"):
        shutil.copy(ROOT / "docs" / name, found.root / "docs")
    (found.root / "docs" / "glossary.md").write_text(
        "# Glossary\n\n- **fold** (folds): a part of the rows.\n"
    )
    (found.root / "docs" / "architecture.md").write_text(
        "# Architecture\n\n[Licence](../LICENSE), [all](../README.md)\n"
    )
    (found.root / "LICENSE").write_text("MIT\n")
    (found.root / "DATA.md").write_text("# Data\n\nFrom [a place](https://example.org/data).\n")
    (found.root / "README.md").write_text(
        "# Tiny\n\n[One](notebooks/01_one.ipynb), [lessons](notebooks/lessons/).\n"
    )
    text = "# One\n\nFolds, and a fold; half is $\\frac{1}{2}$. [On](lessons/01_first.ipynb#why)."
    text += " [Code](../lib/errors.py)."
    drawn = cell("draw()", number=1)
    (found.notebooks / "01_one.ipynb").write_text(_page(_prose(text), drawn))
    lesson = _page(_prose("# First\n\n## Why\n\nA fold."), cell("1", number=1))
    (found.notebooks / "lessons" / "01_first.ipynb").write_text(lesson)

    run = found.outputs / "mine"
    (run / "notebooks").mkdir(parents=True)
    shown = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/png": PIXEL, "text/plain": "a fold"},
    }
    executed = _page(_prose("# One\n\nOf before."), drawn | {"outputs": [shown], "execution_count": 1})
    (run / "notebooks" / "01_one.ipynb").write_text(executed)
    RunRecord("mine", "tiny", "params/tiny.yaml", {}, {}, {}, "", "2026-01-01T00:00:00+00:00", {}).write(
        run / "run.json"
    )
    (found.outputs / "lessons").mkdir()
    (found.outputs / "lessons" / "01_first.ipynb").write_text(lesson)
    return found


def test_nothing_is_run_where_all_was_executed_and_else_only_what_lacks(project, monkeypatch):
    ran = []
    monkeypatch.setattr(lessons, "run", lambda _project, name, _terminal: ran.append(name) or 0)
    quiet = Terminal(io.StringIO())
    assert lacking.pages(project, Wishes(), quiet) == project.outputs / "mine"
    assert lacking.lessons(project, quiet) == 0
    assert ran == []
    page = project.notebooks / "lessons" / "01_first.ipynb"
    page.write_text(page.read_text().replace('["1"]', '["2"]'))
    assert lacking.lessons(project, quiet) == 0
    assert ran == ["01_first"]


def test_without_sphinx_it_says_how_it_is_installed(project, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(RunError, match="Sphinx is not installed: say `make book`"):
        book.make(project, Wishes())


def test_make_n_runs_nothing(tmp_path):
    assert make("-n", "book", WORKBOOK_OUTPUTS=str(tmp_path / "outputs")).returncode == 0
    assert not (tmp_path / "outputs").exists()


def _installed() -> None:
    for name in ("sphinx", "myst_nb", "furo"):
        pytest.importorskip(name, reason="`make book` installs it: the main lock does not")


def test_a_tiny_book_has_no_warning_no_dead_link_and_fetches_nothing(project):
    _installed()
    conf = project.root / "docs" / "conf.py"
    conf.write_text(conf.read_text().replace("str(Path(__file__).resolve().parents[1])", repr(str(ROOT))))
    shown = io.StringIO()
    assert book.make(project, Wishes(), Terminal(shown)) == 0, shown.getvalue()
    built = project.outputs / "book"
    assert [path.name for path in project.outputs.glob(".*")] == []  # what was staged is gone

    pages = {path: path.read_text() for path in built.rglob("*.html")}
    for path, html in pages.items():
        tags = re.findall(r"<(?!a\b)\w+[^>]*?(?:src|href)=\"(?:https?:)?//[^\"]*\"", html)
        assert tags == [], path.name
        for link in re.findall(r'<a [^>]*?href="([^"]*)"', html):
            where, _, anchor = unquote(link).partition("#")
            if not re.match(r"https?:", where):
                target = (path.parent / where).resolve() if where else path
                assert target.is_file(), (path.name, link)
                if anchor and target.suffix == ".html":
                    assert f'id="{anchor}"' in target.read_text(), (path.name, link)

    one = pages[built / "notebooks" / "01_one.html"]
    assert "Of before" not in one  # the prose of today
    assert 'alt="One"' in one
    assert "<math" in one
    assert re.findall(r'<a class="term[^>]*href="([^"]*)"[^>]*><span>(\w+)<', one) == [
        ("../docs/glossary.html#term-fold", "Folds")
    ]
    assert 'title="a part of the rows."' in one
    assert "lib.errors.ParameterError" in pages[built / "api" / "errors.html"]
    assert "├── ParameterError" in pages[built / "api" / "errors.html"]
    assert "`mine`" not in pages[built / "index.html"]
    assert "mine" in pages[built / "index.html"]


def test_a_dead_link_is_told_and_the_book_from_before_stays(project):
    _installed()
    conf = project.root / "docs" / "conf.py"
    conf.write_text(conf.read_text().replace("str(Path(__file__).resolve().parents[1])", repr(str(ROOT))))
    (project.outputs / "book").mkdir()
    (project.outputs / "book" / "index.html").write_text("before")
    page = project.root / "docs" / "architecture.md"
    page.write_text(page.read_text() + "\n[gone](../notebooks/02_gone.ipynb)\n")
    shown = io.StringIO()
    assert book.make(project, Wishes(), Terminal(shown)) == 1
    assert "docs/architecture.md:5: WARNING" in shown.getvalue()
    assert (project.outputs / "book" / "index.html").read_text() == "before"


def test_every_page_lesson_and_doc_of_the_repository_is_staged_and_links_to_what_is_there(tmp_path):
    project = Project(ROOT, tmp_path / "outputs")
    for source in (project.notebooks, project.notebooks / "lessons"):
        folder = project.outputs / ("lessons" if source.name == "lessons" else "mine/notebooks")
        folder.mkdir(parents=True)
        for page in source.glob("[0-9][0-9]_*.ipynb"):
            shutil.copy(page, folder)
    staging.stage(project, project.outputs / "mine", tmp_path / "source")
    staged = {path.relative_to(tmp_path / "source").as_posix() for path in (tmp_path / "source").rglob("*.*")}
    wanted = [*(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").rglob("[0-9][0-9]_*.ipynb")]
    names = {path.relative_to(ROOT).as_posix() for path in wanted if path.parent.name != "sources"}
    assert names <= staged
    assert not [name for name in staged if "exercises/sources" in name]
    listed = (tmp_path / "source" / "index.md").read_text()
    assert [name for name in names if name not in listed] == []


def test_the_words_of_the_glossary_are_used_on_pages():
    glossary = terms.read((ROOT / "docs" / "glossary.md").read_text())
    texts = [path.read_text() for path in (ROOT / "docs").glob("*.md") if path.name != "glossary.md"]
    for path in (ROOT / "notebooks").rglob("[0-9][0-9]_*.ipynb"):
        texts += ["".join(one["source"]) for one in json.loads(path.read_text())["cells"]]
    finder, used = terms.Finder(glossary), set()
    for text in texts:
        finder.find(text, used)
    assert len(used) >= 60
