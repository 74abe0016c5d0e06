"""A step runs again exactly when something that it used has changed, and the plan says what."""

import json
import os
import shutil

import pytest
from tiny import ROOT, ask

from lib import notebook_source, paths
from lib.errors import ParameterError, StepError
from lib.runner import graph


def planned(tiny, words=(), **environment):
    """The plan, as {step: reasons joined}; `~` marks a step that may or may not run."""
    found = ask(tiny.project, words, **environment).plan()
    return {s.name: "~" + s.reasons[0] if s.maybe else "; ".join(s.reasons) for s in found if s.reasons}


def test_before_the_first_run_every_step_has_not_run_yet(tiny):
    assert planned(tiny) == dict.fromkeys(["01_ingest", "02_eda", "03_prep", "04_tune"], "has not run yet")


def test_after_a_run_everything_is_up_to_date(done):
    assert planned(done) == {}


def test_a_step_and_what_it_needs_can_be_asked_for(tiny):
    assert list(planned(tiny, ["prep"])) == ["01_ingest", "03_prep"]
    assert list(planned(tiny, ["04"])) == ["01_ingest", "03_prep", "04_tune"]


def test_steps_runs_only_those_that_it_names(done):
    assert list(planned(done, STEPS="tune,eda", FORCE="1")) == ["02_eda", "04_tune"]


def test_steps_says_what_must_run_before_them(tiny):
    with pytest.raises(
        StepError, match=r"04_tune reads 'train'.*run `make prep` first, or add prep to STEPS"
    ):
        planned(tiny, STEPS="tune")


def test_steps_takes_nothing_from_a_step_that_was_cut_off(done):
    (done.folder() / "notebooks" / "03_prep.json").unlink()
    with pytest.raises(StepError, match=r"04_tune reads 'train', which is not done.*run `make prep` first"):
        planned(done, STEPS="tune")


def test_force_runs_all(done):
    assert set(planned(done, FORCE="1").values()) == {"FORCE=1"}
    assert planned(done, FORCE="0") == {}


# --- changes that are changes ------------------------------------------------------------------------


def test_a_changed_parameter_is_named_with_both_values(done):
    assert planned(done, P="max_evals=9") == {"04_tune": "parameter max_evals 5 -> 9"}


def test_a_changed_option_is_named_alone(done):
    found = planned(done, P="options.noise=2")
    assert found["01_ingest"] == "parameter options.noise is new (2)"


def test_a_changed_default_counts_only_where_nothing_overrides_it(done):
    done.replace("01_ingest", "rows: int = 3", "rows: int = 8")
    assert planned(done) == {}
    done.replace("04_tune", "max_evals: int = 5", "max_evals: int = 6")
    assert planned(done) == {"04_tune": "parameter max_evals 5 -> 6"}


def test_changed_code_is_named_by_its_cell(done):
    done.replace("03_prep", "kept[:1]", "kept[:2]")
    found = planned(done)
    assert found["03_prep"] == "its code changed (code cell 4 after the parameters)"
    assert found["04_tune"] == "~if 03_prep changes train or test"
    assert list(found) == ["03_prep", "04_tune"]


def test_a_module_that_was_used_counts_and_one_that_was_not_does_not(done):
    done.module("beta", "def keep(rows, most):\n    return rows\n")
    done.module("gamma", "UNUSED = 2\n")
    found = planned(done)
    assert found["03_prep"] == "lib/beta.py changed"
    assert "01_ingest" not in found
    assert "02_eda" not in found


def test_a_module_that_is_gone_counts(done):
    (done.root / "lib" / "alpha.py").unlink()
    assert planned(done)["01_ingest"] == "lib/alpha.py is gone"


def test_the_runner_itself_does_not_count(done):
    for path in (done.root / "lib" / "runner").rglob("*.py"):
        path.write_text(path.read_text() + "\nEDITED = 1\n")
    assert planned(done) == {}


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (lambda path: path.write_text("[1]"), "output raw was changed by something else"),
        (lambda path: path.unlink(), "output raw was deleted"),
    ],
)
def test_an_output_that_someone_touched_is_noticed_whatever_its_time(done, do, reason):
    path = done.folder() / "raw.json"
    times = path.stat()
    do(path)
    if path.exists():
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert planned(done)["01_ingest"] == reason


def test_a_deleted_executed_notebook_is_noticed(done):
    (done.folder() / "notebooks" / "02_eda.ipynb").unlink()
    assert planned(done) == {"02_eda": "its executed notebook 02_eda.ipynb was deleted"}


def test_a_new_notebook_joins_by_being_there(done):
    cells = ('step = Step("05_more", run, reads=["metrics"], writes=["more"])',)
    done.notebook("05_more", 'run: str = "scratch"', *cells)
    assert planned(done) == {"05_more": "has not run yet"}


# --- changes that are none ---------------------------------------------------------------------------


def test_a_comment_and_a_touch_in_a_module_are_no_change(done):
    path = done.root / "lib" / "beta.py"
    path.write_text("# keeps rows\n\n" + path.read_text().replace("return [", "return  [  "))
    os.utime(done.root / "lib" / "alpha.py")
    assert planned(done) == {}


def test_a_docstring_is_no_change_and_what_a_cell_shows_is(done):
    path = done.root / "lib" / "beta.py"
    path.write_text(path.read_text().replace("most):\n", 'most):\n    """Keep few."""\n'))
    path.write_text('"""Rows."""\n' + path.read_text())
    assert planned(done) == {}
    done.replace("03_prep", "kept = beta", "'shown'\nkept = beta")
    assert "03_prep" in planned(done)


@pytest.mark.parametrize("tag", ["skip-execution", "raises-exception"])
def test_a_tag_that_decides_how_a_cell_runs_is_a_change_and_another_is_not(done, tag):
    path = done.root / "notebooks" / "02_eda.ipynb"
    content = json.loads(path.read_text())
    content["cells"][2]["metadata"] = {"tags": ["headline"]}
    path.write_text(json.dumps(content))
    assert planned(done) == {}
    content["cells"][2]["metadata"] = {"tags": [tag]}
    path.write_text(json.dumps(content))
    assert planned(done) == {"02_eda": "its code changed (code cell 2 after the parameters)"}


def test_a_semicolon_that_hides_a_value_is_a_change(done):
    done.replace("02_eda", '"sample": sample})', '"sample": sample});  # hushed')
    assert planned(done) == {"02_eda": "its code changed (code cell 2 after the parameters)"}


def test_a_package_beside_a_module_of_its_name_is_what_python_imports(done):
    package = done.root / "lib" / "beta"
    package.mkdir()
    (package / "__init__.py").write_text("def keep(rows, most):\n    return rows[:1]\n")
    assert "lib/beta/__init__.py changed" in planned(done)["03_prep"]


def test_a_notebook_that_was_run_and_saved_in_jupyterlab_is_no_change(done):
    path = done.root / "notebooks" / "03_prep.ipynb"
    content = json.loads(path.read_text())
    for number, cell in enumerate(content["cells"], 1):
        cell["execution_count"] = number
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["hello\n"]}]
    content["metadata"]["language_info"] = {"name": "python", "version": "3.11.7"}
    path.write_text(json.dumps(content, indent=1))
    assert planned(done) == {}


def test_a_comment_and_another_order_in_the_yaml_are_no_change(done):
    done.yaml("# a note\nkeep: 2.5\nrows:   4\n")
    assert planned(done) == {}


def test_a_runner_key_of_the_yaml_is_no_change(done):
    done.yaml("rows: 4\nstep_timeout_s: 60\n")
    assert planned(done) == {}


def test_a_module_that_nothing_used_may_be_broken(done):
    done.module("gamma", "this is ( no python")
    assert planned(done) == {}


# --- graphs ------------------------------------------------------------------------------------------


def step(name, reads=(), writes=()):
    return f'step = Step("{name}", run, reads={list(reads)}, writes={list(writes)})'


@pytest.mark.parametrize(
    ("notebooks", "message"),
    [
        ({"05_a": (["y"], ["x"]), "06_b": (["x"], ["y"])}, "wait for one another in a circle: 05_a, 06_b"),
        ({"05_a": ([], ["raw"])}, "Both 01_ingest and 05_a write 'raw'; only one step may"),
        (
            {"05_a": ([], ["run"])},
            "05_a writes 'run': such a name is .*none of those that a run keeps for itself",
        ),
        ({"05_a": ([], ["Run"])}, "05_a writes 'Run': such a name is .*none of those that a run keeps"),
        (
            {"05_a": ([], ["Train"])},
            r"Both 03_prep and 05_a write 'Train' \(to a disk that knows no capitals 'train' is the same\)",
        ),
        ({"05_a": ([], ["x", "X"])}, "Both 05_a and 05_a write 'X'"),
        ({"05_a": ([], ["../x"])}, "05_a writes '../x': such a name is of letters"),
        ({"05_a": (["trian"], [])}, "05_a reads 'trian', which no step writes. Did you mean 'train'"),
    ],
)
def test_a_graph_that_cannot_run_is_refused(tiny, notebooks, message):
    for name, (reads, writes) in notebooks.items():
        tiny.notebook(name, 'run: str = "scratch"', step(name, reads, writes))
    with pytest.raises(StepError, match=message):
        planned(tiny)


def test_no_step_writes_over_anything_that_a_run_keeps_for_itself(done):
    folder, steps = done.folder(), graph.read(done.project).notebooks
    there = {
        path.name.partition(".")[0] for path in (*folder.glob("[!.]*"), paths.memory(folder, "x").parent)
    }
    kept = there - {thing for notebook in steps for thing in notebook.writes}
    assert {"run", "index", "pipeline", "notebooks", "data"} <= kept
    for name in sorted(kept):
        done.notebook("05_a", 'run: str = "scratch"', step("05_a", ["metrics"], [name]))
        with pytest.raises(StepError, match=f"05_a writes '{name}': such a name is"):
            planned(done)


def test_order_follows_reads_and_writes_and_not_numbers(tiny):
    tiny.notebook("00_last", 'run: str = "scratch"', step("00_last", ["metrics"], ["end"]))
    steps = graph.read(tiny.project)
    assert [n.name for n in steps.notebooks] == ["01_ingest", "02_eda", "03_prep", "04_tune", "00_last"]


def test_an_unknown_step_is_refused_with_a_near_one(tiny):
    with pytest.raises(StepError, match=r"no step 'tun'. Did you mean 'tune'"):
        planned(tiny, ["tun"])


def test_without_notebooks_the_error_says_how_they_are_named(tmp_path):
    with pytest.raises(StepError, match=r"no notebooks named like 01_ingest.ipynb"):
        graph.read(paths.Project(tmp_path, tmp_path / "outputs"))


def test_a_parameters_cell_that_is_no_python_is_named_with_its_line(tiny):
    tiny.notebook("05_more", 'run: str = "scratch"\nrows: int = = 3', step("05_more", ["metrics"], ["more"]))
    with pytest.raises(
        ParameterError,
        match=r"05_more.ipynb, the cell tagged `parameters`: line 2 is no Python.*rows: int = =",
    ):
        planned(tiny)


def test_a_notebook_of_an_earlier_workbook_is_refused_in_a_line_that_says_what_to_do(tiny):
    page = (ROOT / "tests" / "golden" / "notebook" / "07_mine.ipynb").read_text(encoding="utf-8")
    there = page.replace('[\\"model\\", \\"test\\"]', '[\\"metrics\\"]')  # what the steps of here write
    (tiny.root / "notebooks" / "07_mine.ipynb").write_text(there, encoding="utf-8")
    with pytest.raises(
        StepError,
        match=r"07_mine.ipynb is of an earlier workbook: it uses lib.steps \(now lib.step\), lib.inf.*Change",
    ):
        planned(tiny)


def test_the_records_of_an_earlier_workbook_make_its_steps_run_again(done):
    golden = ROOT / "tests" / "golden" / "run" / "quickstart" / "notebooks"
    shutil.copy(golden / "03_prep.json", done.folder() / "notebooks" / "03_prep.json")
    assert planned(done)["03_prep"] == "its record is of an earlier workbook"


def test_a_notebook_whose_cells_stand_as_they_did_is_not_parsed_for_what_they_mean(done, monkeypatch):
    monkeypatch.setattr(notebook_source, "meaning", lambda cell: pytest.fail("parsed"))
    assert planned(done) == {}
