"""What counts as code: the syntax of code cells and modules, and nothing else."""

import json
import re

import pytest

from lib import notebook_source
from lib.errors import ParameterError, StepError
from lib.notebook_source import annotations, problems

STEP = 'step = Step("04_tune", run, problem, reads=["train"], writes=["tuned", "trials"])'


def notebook(folder, *cells, name="04_tune"):
    code = [
        {
            "cell_type": "code",
            "metadata": {"tags": tags},
            "source": text.splitlines(keepends=True),
            "outputs": [],
        }
        for text, tags in cells
    ]
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": code, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    return path


def test_a_notebook_says_its_parameters_and_what_it_reads_and_writes(tmp_path):
    path = notebook(
        tmp_path, ("# many\nrows: int = 5\nname = 'x'\nmonths: list[str] = ['a']", ["parameters"]), (STEP, [])
    )
    found = notebook_source.read(path)
    assert {d.name: (d.annotation, d.default) for d in found.parameters.values()} == {
        "rows": ("int", 5),
        "name": ("", "x"),
        "months": ("list[str]", ["a"]),
    }
    assert (found.name, found.target, found.reads, found.writes) == (
        "04_tune",
        "tune",
        ("train",),
        ("tuned", "trials"),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x   =   1   # a comment"),
        ("f(a,\n  b)", "f(a, b)"),
        ("x = 'a'", 'x = "a"'),
        ("%matplotlib inline\nx = 1", "%matplotlib inline   \nx = 1  # drawn"),
        ("!ls\nx = 1", "!ls\n\n\nx = 1"),
        ("files = !ls\nx = 1", "files = !ls\nx = 1  # c"),
        ("if a:\n    %time b()", "if a:\n    # why\n    %time b()"),
        ("# only a comment", ""),
        ("def f():\n    return 1", "def f():\n\n    return (1)"),
    ],
)
def test_spelling_and_comments_mean_nothing(one, other):
    assert notebook_source.meaning(one) == notebook_source.meaning(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("%matplotlib inline", "%matplotlib widget"),
        ("!ls a", "!ls b"),
        ("%%bash\nls", "%%bash\nls -a"),
        ("not ( python", "not ( python either"),
        ("a.b", "a.c"),
        ("x = '# 1'", "x = '# 2'"),
    ],
)
def test_another_program_is_another_meaning(one, other):
    assert notebook_source.meaning(one) != notebook_source.meaning(other)


def test_outputs_counts_and_markdown_are_no_code(tmp_path):
    path = notebook(tmp_path, (STEP, []), ("x = 1", []))
    before = notebook_source.read(path).code
    content = json.loads(path.read_text())
    content["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": ["# New words"]})
    content["cells"][2] |= {
        "execution_count": 7,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1"]}],
    }
    path.write_text(json.dumps(content, indent=4))
    assert notebook_source.read(path).code == before


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([("x = 1", [])], "has 0 Step lines; it needs one"),
        ([(STEP, []), (STEP, [])], "has 2 Step lines"),
        ([(STEP.replace("04", "05"), [])], r"names \['05_tune'\]; it must be the notebook's own"),
        ([(STEP.replace('["train"]', "inputs"), [])], "with literal names"),
        ([(STEP, []), ("a = 1", ["parameters"]), ("b = 1", ["parameters"])], "2 cells tagged `parameters`"),
    ],
)
def test_a_notebook_that_cannot_be_planned_is_refused(tmp_path, cells, message):
    with pytest.raises(StepError, match=message):
        notebook_source.read(notebook(tmp_path, *cells))


@pytest.mark.parametrize(
    ("code", "moved"),
    [
        ("from lib.steps import Step", "lib.steps (now lib.step"),
        ("from lib import show", "lib.show (now lib.display"),
        ("from lib.plots import residuals, show", "lib.plots.show (now lib.display"),
        ("import lib.inference", "lib.inference (now lib.packaging"),
        ("import lib\nlib.scores.read(x)", "lib.scores (now lib.evaluation.scores"),
        ("import lib.pages as pages", "lib.pages (now lib.notebook_source"),
        ("from lib import datasets\ndatasets.load(problem)", "lib.datasets.load (now lib.problem.load"),
        ("import lib.datasets as d\nd.names()", "lib.datasets.names (now lib.problem.names"),
        ("from lib.problem import load\nd = load(problem)\nd.views['x']", "(now lib.views.of(dataset))"),
    ],
)
def test_what_has_moved_since_an_earlier_workbook_is_refused_with_its_place(tmp_path, code, moved):
    with pytest.raises(StepError, match=re.escape(moved)):
        notebook_source.read(notebook(tmp_path, (STEP, []), (code, []))).refuse_earlier()


@pytest.mark.parametrize(
    "code",
    [
        "from sklearn import datasets\nfrom lib import display\ndatasets.load()",
        "from lib import profiling, views\nfrom lib.problem import load\nd = load(problem)\nviews.of(d)['x']",
        "from lib.plots import searches\nfrom lib.runtime import models",
        "library = lib\nlibrary.show()",
    ],
)
def test_what_only_has_such_a_name_is_not_refused(tmp_path, code):
    read = notebook_source.read(notebook(tmp_path, (STEP, []), (code, [])))
    assert read.refuse_earlier() is None  # it raises what it refuses


@pytest.mark.parametrize("line", ["import os", "rows: int = len(x)", "print(1)", "rows: int"])
def test_a_parameters_cell_holds_literals_alone(tmp_path, line):
    with pytest.raises(ParameterError, match="04_tune"):
        notebook_source.read(notebook(tmp_path, (line, ["parameters"]), (STEP, [])))


@pytest.mark.parametrize("content", [b"# %% not json", b'{"cells": ["\xc3'], ids=["text", "half a letter"])
def test_a_file_that_is_no_notebook_is_named(tmp_path, content):
    path = tmp_path / "04_tune.ipynb"
    path.write_bytes(content)
    with pytest.raises(StepError, match=r"04_tune\.ipynb is not a notebook"):
        notebook_source.read(path)


def test_a_problem_s_module_that_is_half_saved_is_named(tmp_path):
    path = tmp_path / "training.py"
    path.write_bytes("NAME = 'é".encode()[:-1])
    with pytest.raises(ParameterError, match=r"training\.py: line 1 is no Python"):
        problems.options(path)


@pytest.mark.parametrize(
    ("value", "annotation", "fitted"),
    [("1e4", "int", 10_000), ("1e1", "int", 10), ("1e-3", "float", 0.001), (5, "float", 5.0)],
)
def test_a_number_that_yaml_reads_as_text_is_the_number_that_is_declared(value, annotation, fitted):
    found = annotations.fit(value, annotation)
    assert (found, type(found)) == (fitted, type(fitted))


@pytest.mark.parametrize(("value", "annotation"), [("1.5e0", "int"), ("ten", "int"), ("1e4", "str | None")])
def test_and_no_other_text_is_a_number(value, annotation):
    if annotation == "int":
        with pytest.raises(annotations.Misfit):
            annotations.fit(value, annotation)
    else:
        assert annotations.fit(value, annotation) == value
