"""What the source of `lib` and of notebooks means, and what only looks otherwise."""

import json
import py_compile
import shutil
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from lib import files
from lib.notebook_source import prose
from lib.notebook_source.meaning import digest_module, meaning, parse
from lib.notebook_source.modules import Modules, imported
from lib.paths import Project


@pytest.fixture
def project(tmp_path):
    """A project with these modules in `lib`."""

    def make(**modules):
        for name, text in modules.items():
            path = tmp_path / "lib" / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Modules(Project(tmp_path, tmp_path / "outputs"))

    return make


# --- modules -----------------------------------------------------------------------------------------


def test_modules_go_by_the_names_that_python_gives_them(project):
    found = project(alpha="", plots__init="", plots__shapes="", deep__er__one="")
    assert found.names() == ["lib.alpha", "lib.deep.er.one", "lib.plots.init", "lib.plots.shapes"]
    assert "lib.alpha" in found
    assert "lib.beta" not in found


def test_what_runs_notebooks_is_no_module_that_a_result_depends_on(project):
    assert project(alpha="", runner__plan="", cli__main="", other__runner="").names() == [
        "lib.alpha",
        "lib.other.runner",
    ]


def test_a_package_hides_the_module_of_its_name(project, tmp_path):
    project(splits="OLD = 1")
    (tmp_path / "lib" / "splits").mkdir()
    (tmp_path / "lib" / "splits" / "__init__.py").write_text("NEW = 1")
    found = project()
    assert found.path("lib.splits") == "lib/splits/__init__.py"


def test_a_module_is_named_by_its_file_even_when_it_is_gone(project):
    found = project(plots__shapes="")
    assert found.path("lib.plots.shapes") == "lib/plots/shapes.py"
    assert found.path("lib.plots.gone") == "lib/plots/gone.py"


def test_a_module_has_a_digest_of_its_bytes_and_one_of_what_they_mean(project):
    before = project(alpha="ONE = 1\n").digests("lib.alpha")
    assert before["bytes"] == files.digest_of(b"ONE = 1\n")
    spelt = project(alpha="ONE  =  1  # so\n").digests("lib.alpha")
    assert spelt["meaning"] == before["meaning"]
    assert spelt["bytes"] != before["bytes"]
    assert project(alpha="ONE = 2\n").digests("lib.alpha")["meaning"] != before["meaning"]


def test_a_module_is_the_same_while_it_means_the_same(project):
    before = project(alpha="ONE = 1\n").digests("lib.alpha")
    assert project().same("lib.alpha", before)
    assert project(alpha='"""Numbers."""\nONE = (1)\n').same("lib.alpha", before)
    assert not project(alpha="ONE = 2\n").same("lib.alpha", before)
    assert not project().same("lib.gone", before)


def test_the_same_bytes_are_not_read_for_what_they_mean(project):
    same = {"bytes": files.digest_of(b"ONE = 1\n"), "meaning": "by another reader"}
    assert project(alpha="ONE = 1\n").same("lib.alpha", same)


def test_what_was_frozen_stays_as_it_was_read(project, tmp_path):
    frozen, open_ = project(alpha="ONE = 1\n").freeze(), project()
    before = frozen.digests("lib.alpha")
    (tmp_path / "lib" / "alpha.py").write_text("ONE = 2\n")
    assert frozen.digests("lib.alpha") == before
    assert open_.digests("lib.alpha") != before


def test_one_digest_stands_for_all_modules_by_their_bytes(project):
    before = project(alpha="ONE = 1\n", beta="").digest()
    assert project().digest() == before
    assert project(beta="# a comment\n").digest() != before
    assert project(beta="").digest() == before
    assert project(gamma="").digest() != before


def test_imports_are_those_at_the_start_of_a_line(project):
    text = "import numpy as np\nfrom pandas.api import types\n\ndef f():\n    import scipy\n    # from here\n"
    text += "words = 'what we import sometimes'\nfrom . import near\nfromage = 1\n"
    assert imported(text) == {"numpy", "pandas", "scipy"}
    assert project(alpha=text).imports("lib.alpha") == {"numpy", "pandas", "scipy"}


def test_imports_are_found_in_a_module_that_is_no_utf_8(project, tmp_path):
    found = project(alpha="")
    (tmp_path / "lib" / "alpha.py").write_bytes(b"# \xff\nimport numpy\n")
    assert found.imports("lib.alpha") == {"numpy"}


def flags(path):
    """What stands in bytecode of how it is checked: 0 by time, 3 by the source's hash."""
    return Path(cache_from_source(str(path))).read_bytes()[4:8]


def test_bytecode_is_checked_by_hash_also_where_there_was_some_that_goes_by_time(project, tmp_path):
    found, path = project(alpha="ONE = 1\n", broken="def", beta="TWO = 2\n"), tmp_path / "lib" / "alpha.py"
    py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    assert flags(path) == bytes([0, 0, 0, 0])
    found.compile()
    assert flags(path) == bytes([3, 0, 0, 0])
    assert flags(tmp_path / "lib" / "beta.py") == bytes([3, 0, 0, 0])


def test_bytecode_that_is_checked_by_hash_already_is_left_alone(project, tmp_path):
    found = project(alpha="ONE = 1\n")
    found.compile()
    bytecode = Path(cache_from_source(str(tmp_path / "lib" / "alpha.py")))
    content = bytecode.read_bytes() + b"mine"
    bytecode.write_bytes(content)
    found.compile()
    assert bytecode.read_bytes() == content


# --- meaning -----------------------------------------------------------------------------------------


def digest(text):
    return digest_module(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        '"""What is here."""\nX = 1\n',
        "# why\nX = (1)\n\n\n",
        "X=1",
    ],
)
def test_a_docstring_and_spelling_are_no_part_of_a_module_s_meaning(text):
    assert digest(text) == digest("X = 1\n")


@pytest.mark.parametrize("head", ["def f():", "async def f():", "class F:"])
def test_nor_is_the_docstring_of_what_it_defines(head):
    with_words, without = f'{head}\n    """Words."""\n    x = 1\n', f"{head}\n    x = 1\n"
    assert digest(with_words) == digest(without)
    assert digest(with_words) != digest(with_words.replace("x = 1", "x = 2"))
    nested = "class G:\n" + "".join(f"    {line}\n" for line in with_words.splitlines())
    assert digest(nested) == digest(nested.replace('"""Words."""', '"""Other words."""'))


def test_a_string_that_is_no_docstring_counts():
    assert digest("def f():\n    x = 1\n    'words'\n") != digest("def f():\n    x = 1\n    'others'\n")
    assert digest("X = 1\n'words'\n") != digest("X = 1\n'others'\n")


def test_a_module_that_is_no_python_goes_by_its_text():
    assert digest("def f(") != digest("def f((")
    assert digest("def f(") == digest("def f(")
    assert digest_module(b"# \xff\nX = 1\n") == digest("X = 1\n")
    assert digest_module(b"X = '\0'") != digest_module(b"X = ''")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x;", "x"),
        ("x;  # hidden", "x"),
        ("'shown'", "'shown otherwise'"),
        ("?len", "?max"),
        ("len?", "max?"),
        ("a = %pwd", "a = %time"),
        ("if a:\n    !ls", "if a:\n    !ls -a"),
    ],
)
def test_what_a_cell_shows_and_its_magics_are_what_it_means(one, other):
    assert meaning(one) != meaning(other)
    assert meaning(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x;", "x ;  "),
        ("x;", "x;  # hidden\n\n"),
        ("%%bash\nls\n", "\n%%bash\nls"),
        ("not ( python  ", "\nnot ( python"),
        ("a ( b  \nc ( d", "a ( b\nc ( d  "),
        ("def f():\n    'words'\n    return 1", "def f():\n    return 1"),
    ],
)
def test_spelling_of_a_cell_means_nothing(one, other):
    assert meaning(one) == meaning(other)


def test_a_cell_of_two_lines_is_not_what_either_is():
    assert meaning("x = 1\ny = 2") != meaning("x = 1")
    assert meaning("a ( b\nc ( d") != meaning("a ( b c ( d")
    assert meaning("# nothing\n") == ""


def test_a_magic_line_leaves_the_rest_of_its_cell_python():
    tree = parse("%time f()\nx = 1")
    assert [type(node).__name__ for node in tree.body] == ["Expr", "Assign"]
    assert parse("not ( python") is None


def test_a_cell_magic_takes_its_whole_cell_whatever_that_says():
    assert [type(node).__name__ for node in parse("\n%%bash\nif [ -f a ]; then").body] == ["Expr"]
    assert meaning("%%bash\nif [ -f a ]; then") != meaning("%%bash\nif [ -f b ]; then")


# --- prose -------------------------------------------------------------------------------------------


def cell(kind, source, name, *tags):
    return {"cell_type": kind, "id": name, "source": source, "metadata": {"tags": list(tags)}}


def page(*cells):
    return {"cells": list(cells), "nbformat": 4}


SOURCE = page(
    cell("markdown", "# Old", "m1"),
    cell("code", "seed = 1", "c1", "parameters"),
    cell("markdown", "Why", "m2"),
    cell("code", "x = 1", "c2"),
)
EXECUTED = page(
    cell("markdown", "# Old", "m1"),
    cell("code", "seed = 1", "c1", "parameters"),
    cell("code", "seed = 2", "in", "injected-parameters"),
    cell("markdown", "Why", "m2"),
    cell("code", "x = 1", "c2") | {"outputs": [{"text": "1"}]},
)


def edited(cells):
    """The source, some of its cells replaced or taken away (None), by their ids."""
    made = [cells.get(one["id"], one) for one in SOURCE["cells"]]
    return page(*[one for one in made if one])


def test_an_executed_notebook_whose_prose_stands_is_as_it_was():
    assert prose.with_prose(EXECUTED, SOURCE) == EXECUTED


def test_changed_prose_is_put_in_and_marked_as_newer():
    new = cell("markdown", "# New", "m1", "wide")
    found = prose.with_prose(EXECUTED, edited({"m1": new}))
    assert found["cells"][0] == cell("markdown", "# New", "m1", "wide", "newer")
    assert found["cells"][1:] == EXECUTED["cells"][1:]
    assert found["nbformat"] == 4
    assert new["metadata"]["tags"] == ["wide"]  # the source itself stays as it is


def test_prose_that_is_gone_goes_and_new_prose_comes_in():
    source = edited({"m2": None})
    source["cells"].append(cell("markdown", "The end", "m3"))
    found = prose.with_prose(EXECUTED, source)
    assert [one["id"] for one in found["cells"]] == ["m1", "c1", "in", "c2", "m3"]
    assert found["cells"][-1]["metadata"]["tags"] == ["newer"]
    assert found["cells"][3]["outputs"] == [{"text": "1"}]


@pytest.mark.parametrize(
    "cells", [{"c2": None}, {"c2": cell("code", "x = 1", "c3")}], ids=["one fewer", "another"]
)
def test_a_notebook_whose_code_cells_are_others_stays_as_it_was_executed(cells):
    assert prose.with_prose(EXECUTED, edited({"m1": cell("markdown", "# New", "m1"), **cells})) == EXECUTED


def test_a_digest_of_prose_goes_by_the_text_of_markdown_cells_alone(tmp_path):
    def of(source):
        (tmp_path / "n.ipynb").write_text(json.dumps(source))
        return prose.digest(tmp_path / "n.ipynb")

    before = of(SOURCE)
    assert before
    assert of(edited({"m1": cell("markdown", ["# ", "Old"], "m1")})) == before
    assert of(edited({"c2": cell("code", "x = 2", "c2")})) == before
    assert of(edited({"m1": cell("markdown", "# New", "m1")})) != before
    assert of(edited({"m1": None})) != before


def test_a_notebook_that_cannot_be_read_has_no_digest_of_prose(tmp_path):
    path = tmp_path / "n.ipynb"
    assert prose.digest(path) == ""
    for text in ("{", "{}", "\udcff"):
        path.write_text(text, errors="surrogateescape")
        assert prose.digest(path) == ""
    shutil.rmtree(tmp_path)
    assert prose.digest(path) == ""
