"""What is read of a notebook without running it."""

import json
import re
from pathlib import Path

import pytest

from lib import notebook_source
from lib.cli import kernel_name
from lib.errors import ParameterError, StepError
from lib.notebook_source import Declared, prose

STEP = 'step = Step("04_tune", run, problem, reads=["train"], writes=["tuned", "trials"])'


def cell(source, *tags, kind="code"):
    return {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": source}


@pytest.fixture
def read(tmp_path):
    """Reads a notebook of these cells; text stands for a code cell."""

    def made(*cells, name="04_tune"):
        cells = [cell(one) if isinstance(one, str) else one for one in cells]
        path = tmp_path / f"{name}.ipynb"
        path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
        return notebook_source.read(path)

    return made


def test_the_step_line_may_say_nothing_but_its_name(read):
    found = read('Step("04_tune", run, problem)')
    assert (found.reads, found.writes, found.acts_on) == ((), (), ())


def test_what_a_step_acts_on_outside_of_its_run_is_read(read):
    found = read(
        'from lib import step\nstep.Step("04_tune", run, reads=["a"], acts_on=["registry"], other=f())'
    )
    assert (found.reads, found.writes, found.acts_on) == (("a",), (), ("registry",))


def test_each_page_that_reads_rows_to_score_says_what_goes_with_their_figures():
    pages = map(notebook_source.read, sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb")))
    scoring = [page for page in pages if {"validation", "test"} & set(page.reads)]
    assert [page.target for page in scoring] == ["tune", "train", "registry"]
    for page in scoring:
        assert "cautions" in page.reads
        assert any('step.read("cautions")' in cell for cell in page.cells)


def test_what_only_looks_like_a_step_line_is_none(read):
    found = read(STEP, '# Step("05_train")\nFirstStep(x)\nStep', "not ( python Step(")
    assert found.writes == ("tuned", "trials")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            [],
            'has 0 Step lines; it needs one: `step = Step("04_tune", run, problem, ',
        ),
        (["Step(run)"], "04_tune.ipynb: write the Step line with literal names"),
        (["Step()"], "its Step line names []; it must be the notebook's own"),
        ([f"{STEP}\n{STEP}"], "has 2 Step lines"),
    ],
)
def test_a_step_line_that_cannot_be_planned_with_is_refused(read, cells, said):
    with pytest.raises(StepError, match=re.escape(said)):
        read(*cells)


def test_cells_are_the_code_after_the_parameters_with_the_tags_that_decide_how_they_run(read):
    found = read(
        cell("# Prose", "skip-execution", kind="markdown"),
        cell(["a: int = 1\n", "b = 2"], "parameters"),
        STEP,
        cell(["x = 1\n", "y = 2"], "wide", "skip-execution", "raises-exception"),
        {"cell_type": "code"},
    )
    assert found.cells == (STEP, "x = 1\ny = 2", "")
    assert found.tags == ("", "raises-exception skip-execution", "")
    assert found.parameters == {"a": Declared("a", "int", 1), "b": Declared("b", "", 2)}
    assert (found.name, found.target) == ("04_tune", "tune")


def test_a_notebook_s_target_is_all_of_its_name_after_the_number(read):
    assert read(STEP.replace("04_tune", "07_all_rows"), name="07_all_rows").target == "all_rows"


def test_content_may_be_read_in_the_place_of_the_file(tmp_path):
    content = json.dumps({"cells": [cell(STEP)]}).encode()
    assert notebook_source.read(tmp_path / "04_tune.ipynb", content).writes == ("tuned", "trials")


#: Half saved, of something else, or edited by hand.
NO_NOTEBOOKS = [
    *("{", "{}", '{"nbformat": 4}', "[]", "7", "null", '"cells"'),
    *('{"cells": null}', '{"cells": {}}', '{"cells": 3}', '{"cells": [1]}', '{"cells": [null]}'),
    *('{"cells": [{"cell_type": "code", "source": 1}]}', '{"cells": [{"source": [1]}]}'),
    *('{"cells": [{"metadata": null}]}', '{"cells": [{"metadata": {"tags": null}}]}'),
    *('{"cells": [{"metadata": {"tags": [1]}}]}', '{"cells": [], "metadata": []}'),
    '{"cells": [], "metadata": {"kernelspec": 1}}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", NO_NOTEBOOKS)
def test_what_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "04_tune.ipynb"
    with pytest.raises(StepError, match=r"04_tune\.ipynb is not a notebook \(nbformat 4 JSON\)"):
        notebook_source.read(path, text.encode())
    path.write_text(text)
    for read in (lambda: kernel_name.check([path]), lambda: kernel_name.mend([path])):
        with pytest.raises(StepError, match=r"04_tune\.ipynb is not a notebook \(nbformat 4 JSON\)"):
            read()
    assert path.read_text() == text
    assert prose.digest(path) == ""


def test_bytes_that_are_no_text_are_no_notebook(tmp_path):
    path = tmp_path / "04_tune.ipynb"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StepError, match=r"is not a notebook"):
        notebook_source.read(path)


def test_code_goes_by_meaning_and_tags_and_source_by_the_letter(read):
    before, spelt, other = read(STEP, "x = 1"), read(STEP, "x = (1)", "# why"), read(STEP, "x = 2")
    assert before.code == spelt.code
    assert before.source != spelt.source
    assert before.code[0] == other.code[0]
    assert before.code[1] != other.code[1]
    assert len(before.code) == len(spelt.code) == 2
    tagged = read(STEP, cell("x = 1", "skip-execution"))
    assert tagged.code != before.code
    assert tagged.source != before.source
    assert read(STEP, cell("x = 1", "wide")).source == before.source


def test_a_parameters_cell_may_have_words_and_values_of_any_literal(read):
    text = '"""What it takes."""\nn: int = -1\ns: str | None = None\nd: dict[str, int] = {"a": 1}\nt = (1, 2)'
    found = read(cell(text, "parameters"), STEP).parameters
    assert {name: (one.annotation, one.default) for name, one in found.items()} == {
        "n": ("int", -1),
        "s": ("str | None", None),
        "d": ("dict[str, int]", {"a": 1}),
        "t": ("", (1, 2)),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: int", "holds `a: int`; it may hold only lines such as `max_evals: int = 5`"),
        ("a.b = 1", "holds `a.b = 1`"),
        ("a.b: int = 1", "holds `a.b: int = 1`"),
        ("f(1)", "holds `f(1)`"),
        ("if a:\n    b = 1", "holds `if a:"),
        ("a = f(2)", "parameter 'a' must have a literal default, not `f(2)`"),
        ("a = 1\nb = = 2  ", "line 2 is no Python (invalid syntax): `b = = 2`."),
    ],
)
def test_a_parameters_cell_with_more_than_literals_is_refused_with_the_line(read, text, said):
    with pytest.raises(ParameterError, match=re.escape(said)) as refused:
        read(cell(text, "parameters"), STEP)
    assert "04_tune.ipynb" in str(refused.value)


@pytest.mark.parametrize(
    ("code", "moved"),
    [
        ("import lib.show as s, lib.used", "lib.show (now lib.display), lib.used (now lib.dependencies)"),
        ("import lib as l\nl.scores.read(x)", "lib.scores (now lib.evaluation.scores)"),
        ("from lib import plots as p\np.search.draw()", "lib.plots.search (now lib.plots.searches)"),
        ("from lib.plots import explain as e", "lib.plots.explain (now lib.plots.attributions)"),
        (
            "from lib.problem import load as l\nx = y = l(p)\ny.own_views",
            "lib.problem.Dataset.own_views (now",
        ),
        ("from lib import problem\nd = problem.load(p)\nd.views", "lib.problem.Dataset.views (now"),
        ("def f():\n    from lib import steps", "lib.steps (now lib.step)"),
    ],
)
def test_what_has_moved_is_refused_however_it_is_reached(read, code, moved):
    with pytest.raises(
        StepError, match=re.escape(f"04_tune.ipynb is of an earlier workbook: it uses {moved}")
    ):
        read(STEP, code).refuse_earlier()


@pytest.mark.parametrize(
    "code",
    [
        "import library.show",
        "import os.path as lib\nlib.show",
        "from other.lib import show",
        "from lib.problem import load\nd = other(p)\nd.views",
        "from lib.problem import load\nd = load(p)\ne.views",
        "from lib import display as show\nshow.table()",
        "import lib\nlib.showing()",
        "not ( python lib.show",
    ],
)
def test_what_has_not_moved_is_not_refused(read, code):
    assert read(STEP, code).refuse_earlier() is None  # it raises what it refuses


def test_who_writes_a_name_is_told_by_the_step_lines(tmp_path, read):
    read(STEP)
    read('Step("03_prep", run, writes=["train"])', name="03_prep")
    (tmp_path / "notes.ipynb").write_text("{")  # has no number: no step
    assert notebook_source.writers(tmp_path) == {"train": "03_prep", "tuned": "04_tune", "trials": "04_tune"}
