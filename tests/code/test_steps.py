"""A step writes whole or not at all, reads what it declared, and says which command brings the rest."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

from lib import dependencies, files, paths, records
from lib.errors import ParameterError, StepError
from lib.notebook_source.modules import Modules
from lib.step import Step

FRAME = pd.DataFrame({"zone": ["74", "75", None], "miles": [1.5, np.nan, 3.0]})


def made(run="r1", reads=(), writes=("train", "quality", "model"), problem="green_taxi", name="03_prep"):
    return Step(name, run, problem, reads=list(reads), writes=list(writes))


def test_each_kind_of_thing_lies_where_its_kind_does_and_reads_back_the_same(outputs):
    step = made()
    step.write("train", FRAME)
    step.write("quality", {"passed": True})
    with step.folder("model") as folder:
        (folder / "weights.txt").write_text("1 2 3")
    names = ["data/train.parquet", "quality.json", "model/weights.txt"]
    assert [name for name in names if (outputs / "r1" / name).exists()] == names
    later = made(name="04_tune", reads=["train", "quality", "model"])
    pd.testing.assert_frame_equal(later.read("train"), FRAME)
    assert later.read("quality") == {"passed": True}
    assert (later.read("model") / "weights.txt").read_text() == "1 2 3"


def test_a_mapping_may_hold_what_numpy_and_pandas_make(outputs):
    step = made()
    step.write(
        "quality",
        {
            "rows": np.int64(3),
            "share": np.float32(0.5),
            "ok": np.bool_(True),
            "each": np.array([1, 2]),
            "when": pd.Timestamp("2023-01-31"),
            "nothing": float("nan"),
            "gaps": [pd.NaT, pd.NA, np.datetime64("NaT"), float("-inf")],
            3: {"b", "a"},
        },
    )
    found = json.loads((outputs / "r1" / "quality.json").read_text())
    assert found == {
        "rows": 3,
        "share": 0.5,
        "ok": True,
        "each": [1, 2],
        "when": "2023-01-31T00:00:00",
        "nothing": None,
        "gaps": [None] * 4,
        "3": ["a", "b"],
    }


def test_the_same_content_gives_the_same_bytes(outputs):
    once, again = made(run="once"), made(run="again")
    once.write("train", FRAME), again.write("train", FRAME.copy())
    once.write("quality", {"a": 1, "b": [2]}), again.write("quality", {"b": [2], "a": 1})
    for name in ("data/train.parquet", "quality.json"):
        assert (outputs / "once" / name).read_bytes() == (outputs / "again" / name).read_bytes()


def test_a_page_of_another_checkout_is_not_run_with_this_ones_code(outputs, tmp_path, monkeypatch):
    for folder in ("copy/lib/step", "copy/notebooks/lessons"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "copy" / "notebooks" / "lessons")
    with pytest.raises(
        StepError, match=rf"started in {tmp_path}/copy, but its code comes from {paths.ROOT}, "
    ):
        made()
    monkeypatch.chdir(paths.ROOT / "notebooks")
    assert made().run == "r1"


def test_a_name_that_was_not_declared_is_neither_read_nor_written(outputs):
    step = made(reads=["raw"])
    with pytest.raises(StepError, match=r"does not declare 'test'; it reads \['raw'\]"):
        step.read("test")
    with pytest.raises(StepError, match=r"writes 'test'; it writes \['train', 'quality', 'model'\]"):
        step.write("test", FRAME)


@pytest.mark.parametrize(
    ("name", "target"), [("raw", "make ingest"), ("train", "make prep"), ("tuned", "make tune")]
)
def test_a_missing_input_names_the_target_that_makes_it(outputs, name, target):
    with pytest.raises(StepError, match=rf"reads '{name}', which is not in .*r1.*`{target}.* RUN=r1`"):
        made(reads=[name]).read(name)


def test_a_step_that_did_not_write_all_that_it_declared_does_not_close(outputs):
    step = made(writes=["train", "quality"])
    step.write("train", FRAME)
    with pytest.raises(StepError, match=r"writes \['quality'\] but did not. It wrote \['train'\]"):
        step.close()


def test_what_a_step_remembers_is_no_output_and_is_gone_when_anything_else_is_asked(outputs, monkeypatch):
    made(writes=["raw"]).write("raw", FRAME)
    places = []

    def look(**given):
        step = made(reads=["raw"])
        step.parameters = {"run": "r1", "seed": 1} | given
        place = step.memory("search")
        places.append(place)
        place.mkdir(parents=True)
        assert [path for path in place.parents[1].iterdir() if path != place.parent] == []  # none of before

    look()
    assert places[0].is_relative_to(outputs / "r1" / "memory")
    look(seed=2)
    monkeypatch.setattr(Modules, "digest", lambda self: "another lib")
    look(seed=2)
    monkeypatch.setattr(dependencies, "installed", lambda: {"numpy": "3.0"})
    look(seed=2)
    made(writes=["raw"]).write("raw", FRAME.head(1))
    look(seed=2)
    assert len(set(places)) == 5
    step = made(reads=["raw"])
    step.parameters = {"run": "another name", "seed": 2}
    assert step.memory("search") == places[-1]


def test_what_a_step_remembers_is_of_its_notebook_s_code_and_not_of_its_comments(
    outputs, tmp_path, monkeypatch
):
    made(writes=["raw"]).write("raw", FRAME)
    step, page = made(reads=["raw"]), tmp_path / "notebooks" / "03_prep.ipynb"
    page.parent.mkdir()
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    source = (Path(__file__).parents[2] / "notebooks" / page.name).read_text()
    places = []
    for call in ("dataset.clean(raw)", "dataset.clean(raw)  # all of them", "dataset.clean(raw[1:])"):
        page.write_text(source.replace("dataset.clean(raw)", call))
        places.append(step.memory("search"))
    assert places[0] == places[1] != places[2]


def test_what_another_start_is_at_work_on_is_left_to_it(outputs):
    other = made().memory("search").parents[1] / "other"
    with files.temporary(other / "search") as busy:
        dead = other / ".search.dead.tmp"
        dead.mkdir()
        made().memory("search")
        assert busy.exists()
        assert not dead.exists()
    made().memory("search")
    assert not other.exists()


def break_off(step):
    with step.folder("model") as folder:
        (folder / "weights.txt").write_text("new")
        raise KeyError("the fit failed")


def write_half(path):
    with files.whole(path) as file:
        file.write(b"half")
        raise KeyError("killed")


def test_what_breaks_off_leaves_the_older_thing_and_nothing_half_done(outputs):
    step = made()
    step.write("train", FRAME)
    with step.folder("model") as folder:
        (folder / "weights.txt").write_text("old")
    with pytest.raises(KeyError, match="the fit failed"):
        break_off(step)
    with pytest.raises(KeyError, match="killed"):
        write_half(outputs / "r1" / "data" / "train.parquet")
    later = made(name="04_tune", reads=["train", "model"])
    assert len(later.read("train")) == 3
    assert (later.read("model") / "weights.txt").read_text() == "old"
    assert not list(outputs.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(errno.ENOSPC, "disk is full: free some space"), (errno.EROFS, "read-only: set WORKBOOK_OUTPUTS")],
)
def test_a_disk_that_takes_nothing_more_is_named_with_the_remedy(outputs, monkeypatch, code, remedy):
    def refuse(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StepError, match=rf"Could not write .*train.parquet: .*{remedy}"):
        made().write("train", FRAME)
    assert not list(outputs.rglob("*.parquet*"))


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("no route to the registry"),
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        TimeoutError("timed out"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "/elsewhere/booster.ubj"),
    ],
)
def test_what_fails_while_a_folder_is_filled_is_told_as_it_is_unless_it_could_not_be_written(outputs, error):
    def fill():
        with made().folder("model"):
            raise error

    with pytest.raises(type(error), match=str(error.args[-1])):
        fill()


def test_outputs_that_cannot_be_made_are_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(tmp_path / "file" / "outputs"))
    with pytest.raises(StepError, match=r"Could not write .*file/outputs"):
        made().open()


def test_a_thing_written_in_another_form_replaces_the_older_form(outputs):
    step = made()
    step.write("quality", {"a": 1})
    step.write("quality", FRAME)
    assert paths.find(outputs / "r1", "quality").name == "quality.parquet"
    assert not (outputs / "r1" / "quality.json").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"problem": "nosuch"},
            r"There is no problem 'nosuch'\. Known are: green_taxi, music_genres, nyc_ren",
        ),
        ({"seed": "seven"}, "The parameter seed must be int, not 'seven'"),
        ({"seed": -1}, "The parameter seed must be at least 0 and at most"),
        ({"max_evals": 0}, "The parameter max_evals must be at least 1, not 0"),
        ({"timeout_s": float("nan")}, "The parameter timeout_s must be a finite number"),
        ({"models": "[]"}, r"The parameter models must be one family or more.* not \[\]"),
        (
            {"models": ["xgboos"]},
            r"must be families for regression.* not 'xgboos' \(the nearest is 'xgboost'\)",
        ),
        (
            {"feature_set": "richh"},
            r"must be a feature set of green_taxi.* not 'richh' \(the nearest is 'rich'\)",
        ),
        ({"options": "[1]"}, "The parameter options must be dict"),
    ],
)
def test_a_page_that_is_given_what_cannot_be_says_so_before_its_step_begins(outputs, values, message):
    page = {"Step": Step, "problem": "green_taxi"} | values
    with pytest.raises(ParameterError, match=message):
        exec("Step('04_tune', 'scratch', problem)", page)  # noqa: S102 - as a notebook's cell is run
    assert not (outputs / "scratch").exists()


class TestScratch:
    """Opened in JupyterLab: exploring starts at once, at any step."""

    @pytest.fixture
    def last(self, outputs):
        made(run="quickstart").write("train", FRAME)
        (outputs / "last.json").write_text(json.dumps({"green_taxi": "quickstart"}))

    def test_what_scratch_lacks_comes_from_the_last_pipeline_which_is_said_once(self, last, capsys):
        step = made(run="scratch", reads=["train"], name="04_tune")
        assert len(step.read("train")) == len(step.read("train")) == 3
        said = capsys.readouterr().out
        assert said.count("train: taken from the last `make pipeline`") == 1
        assert "quickstart" in said

    def test_with_what_it_takes_come_the_options_that_made_it_under_those_of_the_page(self, outputs, capsys):
        made(run="quickstart", name="01_ingest", writes=["raw"]).write("raw", FRAME)
        theirs = {"train_months": ["2024-01"], "max_minutes": 45.0}
        record = records.StepRecord(
            "01_ingest", [], {"options": theirs}, {}, {}, {"raw": "digest"}, "", 0.0, [], "warm"
        )
        record.write(outputs / "quickstart" / "notebooks" / "01_ingest.json")
        (outputs / "last.json").write_text(json.dumps({"green_taxi": "quickstart"}))
        page = {"Step": Step, "problem": "green_taxi", "options": {"max_minutes": 50.0}}
        line = "step = Step('03_prep', 'scratch', problem, reads=['raw'], writes=['train'])"
        exec(line, page)  # noqa: S102 - as a notebook's cell is run
        assert page["options"] == {"train_months": ["2024-01"], "max_minutes": 50.0}
        assert page["step"].parameters["options"] == page["options"]
        assert (
            "options: {'train_months': ['2024-01']} are those of the last `make pip"
            in capsys.readouterr().out
        )
        made(run="scratch", name="01_ingest", writes=["raw"]).write("raw", FRAME)
        page["options"] = {}
        exec(line, page)  # noqa: S102
        assert page["options"] == {}, "scratch has raw rows of its own"

    def test_what_scratch_has_goes_before_the_last_pipeline(self, last, capsys):
        made(run="scratch").write("train", FRAME.head(1))
        assert len(made(run="scratch", reads=["train"], name="04_tune").read("train")) == 1
        assert capsys.readouterr().out == ""

    def test_what_another_problem_left_in_scratch_is_not_taken_for_ours(self, last):
        made(run="scratch", problem="music_genres").write("train", FRAME.head(1))
        assert len(made(run="scratch", reads=["train"], name="04_tune").read("train")) == 3

    def test_without_a_pipeline_the_notebook_to_run_is_named(self, outputs):
        with pytest.raises(StepError, match=r"Run notebooks/03_prep.ipynb first, or `make prep"):
            made(run="scratch", reads=["train"], name="04_tune").read("train")


class TestTrackedRun:
    """Open to close, with MLflow for real."""

    def status(self, step_run, outputs):
        from lib import tracking

        return tracking.client(paths.tracking_uri(outputs)).get_run(step_run).info.status

    def test_a_closed_step_notes_its_run_its_modules_and_its_memory(self, outputs, monkeypatch):
        monkeypatch.setenv("WORKBOOK_PIPELINE_ID", "p7")
        step = made(writes=["train"])
        step.open()
        step.write("train", FRAME)
        step.close(rows=3)
        note = json.loads((outputs / "r1" / "notebooks" / ".03_prep.open.json").read_text())
        assert note["status"] == self.status(note["mlflow_run_id"], outputs) == "FINISHED"
        assert {"lib.step", "lib.files"} <= set(note["modules"])
        assert note["peak_memory_mb"] > 20

    def test_running_the_cells_again_closes_the_run_before_as_killed(self, outputs):
        first, second = made(writes=["train"]), made(writes=["train"])
        first.open(), second.open()
        assert self.status(first.tracked.run_id, outputs) == "KILLED"
        second.write("train", FRAME)
        second.close()
        assert self.status(second.tracked.run_id, outputs) == "FINISHED"

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("-inf"), pd.NaT, pd.NA])
    def test_a_figure_that_is_not_finite_fails_the_step_and_is_named(self, outputs, value):
        step = made(writes=[])
        step.open()
        with pytest.raises(StepError, match=rf"The figure 'test_rmse' is {value}: only a finite number"):
            step.close(rows=3, test_rmse=value, rival=None)
        assert (
            self.status(step.tracked.run_id, outputs) == "RUNNING"
        )  # whoever runs the page closes it as failed

    def test_a_step_that_another_container_has_open_is_not_closed_as_dead(self, outputs, monkeypatch):
        first, second = made(writes=["train"]), made(writes=["train"])
        first.open()
        monkeypatch.setattr("lib.step._OPEN", {})  # as another process sees it
        note = json.loads(first.note.read_text())
        first.note.write_text(json.dumps(note | {"pid": 999999999}))  # one that is none of ours
        second.open()
        assert self.status(first.tracked.run_id, outputs) == "RUNNING"
        for step in (first, second):
            step.tracked.close("KILLED")
        assert list(first.note.parent.glob("*.tmp")) == []

    def test_what_a_killed_page_left_open_is_closed_as_failed_when_its_step_opens_again(
        self, outputs, monkeypatch
    ):
        monkeypatch.setattr("lib.step._OPEN", {})  # another process had it open
        program = (
            "import os, signal; from lib.step import Step\n"
            "step = Step('03_prep', 'scratch', 'green_taxi', writes=['train'])\n"
            "step.open(); print(step.tracked.run_id, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
        )
        killed = subprocess.run(
            [sys.executable, "-c", program], cwd=paths.ROOT, capture_output=True, text=True
        )
        assert killed.returncode == -signal.SIGKILL
        run_id = killed.stdout.strip()
        assert self.status(run_id, outputs) == "RUNNING"
        step = made(run="scratch", writes=["train"])
        step.open()
        assert self.status(run_id, outputs) == "FAILED"
        step.tracked.close("KILLED")

    @pytest.mark.parametrize(
        "fate", ["moved away", "of a new database", "deleted", "erased", "server is off"]
    )
    def test_a_dead_run_that_is_gone_or_out_of_reach_does_not_keep_its_step_from_opening(
        self, outputs, monkeypatch, capsys, fate
    ):
        from lib import tracking

        first, second = made(writes=["train"]), made(writes=["train"])
        first.open()
        note = json.loads(first.note.read_text()) | {"mlflow_run_id": first.tracked.run_id}
        first.tracked.close("KILLED")
        monkeypatch.setattr("lib.step._OPEN", {})  # as another process sees it
        if fate == "moved away":
            note["mlflow_uri"] = f"sqlite:///{outputs}/elsewhere.db"
        elif fate == "of a new database":
            note["mlflow_run_id"] = "abc"
        elif fate == "deleted":
            tracking.client(paths.tracking_uri(outputs)).delete_run(note["mlflow_run_id"])
        elif fate == "erased":
            note |= {"mlflow_run_id": None, "key": "of nobody"}
        else:
            note["mlflow_uri"] = "http://127.0.0.1:9"
        first.note.write_text(json.dumps(note))
        second.open()
        said = capsys.readouterr().out
        if fate == "server is off":
            assert "The run that 03_prep left open stays so: MLflow does not" in said
            assert said.count("\n") == 1
            assert "unset" not in said  # nothing is set
        else:
            assert said == ""
        assert not (outputs / "elsewhere.db").exists()
        second.tracked.close("KILLED")

    def test_a_step_whose_tracker_failed_opens_at_the_next_try(self, outputs, monkeypatch, capsys):
        step = made(writes=["train"])
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        step.open()
        with pytest.raises(StepError, match=r"does not answer at http://127\.0\.0\.1:9"):
            step.tracked.wait()
        monkeypatch.delenv("MLFLOW_TRACKING_URI")
        step.open()
        assert "The run that 03_prep left open stays so: MLflow does not answer" in capsys.readouterr().out
        assert self.status(step.tracked.run_id, outputs) == "RUNNING"
        step.tracked.close("KILLED")

    def test_a_step_that_cannot_note_its_end_is_not_recorded_as_finished(self, outputs):
        step = made(writes=["train"])
        step.open()
        step.write("train", FRAME)
        step.tracked.wait()
        step.tracked.note_path = outputs / "mlflow.db" / "note.json"
        with pytest.raises(StepError, match=r"Could not write .*note\.json"):
            step.close()
        assert self.status(step.tracked.run_id, outputs) == "RUNNING"
        step.tracked.close("FAILED")
        assert self.status(step.tracked.run_id, outputs) == "FAILED"

    def test_scratch_leaves_no_note_behind(self, outputs):
        step = made(run="scratch", writes=["train"])
        step.open()
        step.write("train", FRAME)
        step.close()
        assert not step.note.exists()

    def test_whether_data_are_generated_is_read_from_the_provenance(self, outputs):
        made(writes=["provenance"], name="01_ingest").write("provenance", {"generated": np.bool_(True)})
        step = made(reads=["provenance"], writes=[])
        step.open()
        assert step.generated is True
        assert step.tracked._tags["workbook.generated"] == "yes"
        step.close()


def step_of(**page):
    """The step of a page of `04_tune` with these parameters."""
    page = {"Step": Step, "run": "r1", "problem": "green_taxi"} | page
    exec('step = Step("04_tune", run, problem, reads=["train"])', page)  # noqa: S102 - as a kernel does
    return page["step"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["lasso", "xgboost"], ["lasso", "xgboost"]),
        ("[xgboost, lasso]", ["xgboost", "lasso"]),
        ("['xgboost']", ["xgboost"]),
    ],
)
def test_a_list_is_taken_as_papermill_gives_it(outputs, given, expected):
    assert step_of(models=given).parameters["models"] == expected


def test_a_step_has_the_parameters_of_its_page_each_as_its_annotation_says(outputs):
    step = step_of(seed=7, timeout_s=60, options={"train_months": ["2023-01"]}, elsewhere="x")
    assert step.parameters == {
        "run": "r1",
        "problem": "green_taxi",
        "seed": 7,
        "timeout_s": 60.0,
        "options": {"train_months": ["2023-01"]},
    }


def test_a_parameter_of_the_wrong_type_is_refused_before_the_step_opens(outputs):
    with pytest.raises(ParameterError, match="The parameter seed must be"):
        step_of(seed="soon")


def test_what_is_tracked_are_the_parameters_of_the_page(outputs):
    step = step_of(seed=7, options={"train_months": ["2023-01"]})
    step.reads = []
    step.open()
    from lib import tracking

    run = tracking.client(paths.tracking_uri(outputs)).get_run(step.tracked.run_id)
    assert run.data.params == {"seed": "7", "options.train_months": "['2023-01']"}
    step.tracked.close("KILLED")


@pytest.mark.parametrize("run", ["a/b", "..", "", "a b"])
def test_a_run_cannot_be_named_as_another_folder(run):
    with pytest.raises(StepError, match="cannot name a run"):
        made(run=run)


def test_what_a_step_takes_from_outside_stands_in_its_note(outputs, tmp_path, monkeypatch):
    monkeypatch.setattr(dependencies, "_TAKEN", {})
    monkeypatch.setenv("WORKBOOK_PIPELINE_ID", "p7")
    mine = tmp_path / "mine.csv"
    mine.write_text("x")
    step = made(writes=["raw"])
    step.open()
    step.uses("file", str(mine), "d1")
    step.uses("address", "https://example.org/x", "d2")
    step.write("raw", FRAME)
    step.close()
    assert records.OpenStep.read(step.note).taken == [
        {"kind": "file", "name": str(mine), "digest": "d1", "stamp": files.stamp(mine)},
        {"kind": "address", "name": "https://example.org/x", "digest": "d2", "stamp": []},
    ]


def test_a_plain_mapping_under_the_name_of_a_record_is_one_or_is_refused_at_once(outputs):
    step = made(writes=["metrics", "tuned", "notes"])
    step.write("metrics", {"test_rmse": 5.1, "validation_rmse": np.float64(4.9)})
    assert made(reads=["metrics"]).read("metrics")["test_rmse"] == 5.1
    with pytest.raises(StepError, match=r"'tuned' must have the fields of `lib.records.Tuned`"):
        step.write("tuned", {"alpha": 1})
    step.write("notes", {})
    assert made(reads=["notes"]).read("notes") == {}


@pytest.mark.parametrize(
    "path", sorted(paths.here().notebooks.glob("[0-9][0-9]_*.ipynb")), ids=lambda p: p.stem
)
def test_a_notebook_closes_its_step_in_its_last_code_cell(path):
    """Where nobody else sets a run's status, what fails after the close would stay finished."""
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    closing = [number for number, cell in enumerate(cells) if "step.close(" in "".join(cell["source"])]
    assert closing == [len(cells) - 1]
