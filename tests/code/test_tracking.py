"""Both trackers get the same figures; what ends badly is closed as failed; nothing is asked or leaked."""

import contextlib
import dataclasses
import http.server
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from lib import files, notebook_source, paths, redaction, tracking
from lib.errors import ParameterError, StepError
from lib.records import OpenStep, StepRecord
from lib.runner import recovery
from lib.tracking import database, tags
from lib.tracking.backend import Backend

PROGRAM = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from lib import tracking
outputs = Path(os.environ["WORKBOOK_OUTPUTS"])
tracked = tracking.open("04_tune", "r1", "green_taxi", {"seed": 42}, {}, outputs, outputs / "note.json")
tracked.metrics({"validation_rmse": 5.25})
tracked.trial(1, "lasso", {"alpha": 0.5}, {"validation_rmse": 6.5}, 1.5)
tracked.trial(2, "lasso", {"alpha": 0.1}, {}, 0.5, status="failed", reason="it diverged")
tracked.table("best", pd.DataFrame({"family": ["lasso"], "score": [6.5]}))
tracked.wait()
"""


def opened(outputs, **tags):
    parameters = {
        "seed": 42,
        "options": {"months": ["2023-01"]},
        "api_key": "k-123",
        "url": "http://me:pw@h/x",
    }
    return tracking.open("04_tune", "r1", "green_taxi", parameters, tags, outputs, outputs / "note.json")


def noted(outputs):
    return OpenStep.read(outputs / "note.json")


def runs(outputs, query=""):
    client = tracking.client(paths.tracking_uri(outputs))
    known = [one.experiment_id for one in client.search_experiments()]
    return {run.info.run_name: run for run in client.search_runs(known, query)}


def python(program, outputs, **environment):
    """Run a program in a process of its own, as a notebook's kernel is."""
    known = os.environ | {"WORKBOOK_OUTPUTS": str(outputs)} | environment
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=known, capture_output=True, text=True, timeout=120, check=False)


def wandb_run(outputs):
    """What W&B's own reader finds in the one offline run."""
    (folder,) = (outputs / "wandb").glob("offline-run-*")
    command = [Path(sys.executable).with_name("wandb"), "leet", "inspect", "--summary", "--json", folder]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def artifacts(outputs):
    """The artifacts of the one offline run, as W&B's own reader finds them."""
    (folder,) = (outputs / "wandb").glob("offline-run-*")
    command = [Path(sys.executable).with_name("wandb"), "leet", "inspect", "--json", folder]
    read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    records = map(json.loads, read.splitlines())
    return [record["artifact"] for record in records if record["type"] == "artifact"]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_importing_costs_neither_tracker():
    program = "import sys; from lib import step, tracking; print({'mlflow', 'wandb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_page_shows_no_warning_of_a_progress_bar_when_its_trackers_are_loaded():
    """In a kernel tqdm looks for one of widgets where it is imported, and warns that there is none."""
    program = (
        "import ipykernel.zmqshell; from lib.tracking import tags; tags.load(['mlflow.tracking', 'wandb'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Warning" not in done.stderr


def test_rows_and_models_are_handed_on_by_no_page_unless_its_parameter_is_set():
    pages = [notebook_source.read(path) for path in sorted(paths.here().notebooks.glob("*.ipynb"))]
    declared = [page.parameters["wandb_upload"] for page in pages if "wandb_upload" in page.parameters]
    assert len(declared) > 1
    assert {one.default for one in declared} == {False}


def test_a_curve_goes_to_both_trackers_round_by_round(outputs, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    tracked = opened(outputs)
    curve = pd.DataFrame({"train_rmse": [3.0, 2.0], "validation_rmse": [4.0, 3.5]}, index=[1, 9])
    tracked.curve(curve.rename_axis("round"))
    tracked.curve(pd.DataFrame())  # of a model that is not boosted
    tracked.close()
    history = tracking.client(tracked.uri).get_metric_history(tracked.run_id, "validation_rmse")
    assert [(point.step, point.value) for point in history] == [(1, 4.0), (9, 3.5)]
    summary = wandb_run(outputs)["summary"]
    assert {name: summary[name] for name in ("round", "train_rmse", "validation_rmse")} == {
        "round": 9, "train_rmse": 2.0, "validation_rmse": 3.5,
    }  # fmt: skip


def test_every_run_says_what_it_was(outputs, monkeypatch):
    monkeypatch.setenv("WORKBOOK_PIPELINE_ID", "p7")
    tracked = opened(outputs, **{"workbook.data": "d1", "workbook.generated": "yes"})
    tracked.close()
    run = runs(outputs)["r1/04_tune"]
    tags = {name.removeprefix("workbook."): value for name, value in run.data.tags.items()}
    assert run.info.status == "FINISHED"
    assert (tags["run"], tags["step"], tags["problem"]) == ("r1", "04_tune", "green_taxi")
    assert (tags["pipeline"], tags["data"], tags["generated"]) == ("p7", "d1", "yes")
    assert len(tags["parameters"]) == 16
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert tags["dirty"] in ("yes", "no")


def test_git_is_asked_once_a_step_and_again_by_the_next_step_of_a_page_that_lives_on(
    outputs, tmp_path, monkeypatch
):
    asked = tmp_path / "asked"
    (tmp_path / "git").write_text(
        f'#!/bin/sh\ntest "$1" = status || exit 1  # W&B asks for itself\n'
        f'echo "$@" >> {asked}\necho "# branch.oid $(wc -l < {asked})"\n'
    )
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("WANDB_MODE", "offline")
    for number in ("1", "2"):
        tracked = opened(outputs)
        tracked.close()
        assert len(asked.read_text().splitlines()) == int(number)
        tags = tracking.client(tracked.uri).get_run(tracked.run_id).data.tags
        assert (tags["workbook.commit"], tags["workbook.dirty"]) == (number, "no")


def test_a_repository_says_its_commit_and_whether_files_differ_from_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tags, "__file__", str(tmp_path / "tags.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert tracking.commit() == {}  # no repository
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    assert tracking.commit() == {}  # one without a commit
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "first"], check=True)
    made = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert (tracking.commit()["workbook.commit"], tracking.commit()["workbook.dirty"]) == (made, "no")
    (tmp_path / "new.txt").write_text("")
    assert tracking.commit()["workbook.dirty"] == "yes"


def test_parameters_are_flat_and_hold_no_secret(outputs):
    opened(outputs).close()
    assert runs(outputs)["r1/04_tune"].data.params == {
        "seed": "42",
        "options.months": "['2023-01']",
        "api_key": redaction.hidden("k-123"),
        "url": f"http://{redaction.hidden('me:pw')}@h/x",
    }
    database = (outputs / "mlflow.db").read_bytes()
    assert b"k-123" not in database
    assert b"me:pw" not in database


def test_a_run_started_by_mlflow_becomes_the_parent_and_is_not_resumed(outputs, monkeypatch):
    parent = opened(outputs)
    monkeypatch.setenv("MLFLOW_RUN_ID", parent.run_id)
    child = opened(outputs)
    assert "MLFLOW_RUN_ID" not in os.environ
    assert child.run_id != parent.run_id
    tags = tracking.client(child.uri).get_run(child.run_id).data.tags
    assert tags["mlflow.parentRunId"] == parent.run_id
    child.close(), parent.close()
    monkeypatch.delenv("WORKBOOK_PARENT_RUN_ID")


def test_a_trial_is_a_child_run_and_a_failed_one_gives_its_reason(outputs):
    tracked = opened(outputs)
    tracked.trial(1, "lasso", {"alpha": 0.5}, {"validation_rmse": 6.5}, 1.5)
    tracked.trial(2, "xgboost", {"depth": 9}, {}, 0.5, status="failed", reason="it diverged")
    tracked.close()
    found = runs(outputs, f"tags.mlflow.parentRunId = '{tracked.run_id}'")
    good, bad = found["lasso 1"], found["xgboost 2"]
    assert good.data.metrics == {"validation_rmse": 6.5, "seconds": 1.5}
    assert good.info.status == "FINISHED"
    assert good.data.params == {"family": "lasso", "alpha": "0.5"}
    assert bad.info.status == "FAILED"
    assert bad.data.tags["workbook.reason"] == "it diverged"


def test_a_trial_is_three_calls_of_mlflow_whatever_it_holds(outputs, monkeypatch):
    from mlflow import MlflowClient

    calls = []

    def counted(name):
        real = getattr(MlflowClient, name)
        return lambda self, *args, **kwargs: (calls.append(name), real(self, *args, **kwargs))[1]

    for name in ("create_run", "log_batch", "log_param", "log_metric", "set_tag", "set_terminated"):
        monkeypatch.setattr(MlflowClient, name, counted(name))
    tracked = opened(outputs)
    tracked.wait()
    calls.clear()
    parameters = {f"p{i}": i for i in range(10)}
    tracked.trial(1, "xgboost", parameters, {f"m{i}": i for i in range(5)}, 1.0)
    tracked.wait()
    assert calls == ["create_run", "log_batch", "set_terminated"]
    tracked.close()


def test_figures_tables_and_texts_are_kept_and_a_figure_says_that_its_data_were_generated(outputs):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    tracked, figure = opened(outputs, **{"workbook.generated": "yes"}), plt.figure()
    shown = tracked.figure("residuals", figure)
    tracked.figure("residuals again", figure)
    plt.close(figure)
    tracked.table("best", pd.DataFrame({"score": [6.5, None]}, index=pd.Index(["lasso", "x"], name="family")))
    tracked.text("report", "all well")
    tracked.close()
    kept = Path(
        tracking.client(tracked.uri).get_run(tracked.run_id).info.artifact_uri.removeprefix("file://")
    )
    assert [text.get_text() for text in figure.texts] == ["generated data"]
    assert shown._repr_png_().startswith(b"\x89PNG")
    assert (kept / "figures" / "residuals.png").read_bytes() == shown._repr_png_()
    table = json.loads((kept / "tables" / "best.json").read_text())
    assert table == {"columns": ["family", "score"], "data": [["lasso", 6.5], ["x", None]]}
    assert (kept / "report.txt").read_text() == "all well"


def test_what_is_on_its_way_to_the_trackers_is_known_as_a_living_run_s(outputs, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tracked = opened(outputs)
    tracked.text("note", "on its way")
    (left,) = tmp_path.glob("workbook-*")
    assert files.held(left)
    tracked.close()
    assert list(tmp_path.glob("workbook-*")) == []


def test_data_have_our_digest(outputs):
    tracked, path = opened(outputs), outputs / "train.parquet"
    path.write_bytes(b"rows")
    tracked.data("train", path, "a" * 64, rows=12)
    tracked.close()
    (found,) = tracking.client(tracked.uri).get_run(tracked.run_id).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("train", "a" * 36)
    assert json.loads(found.dataset.profile) == {"num_rows": 12}


def test_a_model_is_stored_once_a_digest(outputs):
    tracked, folder, other = opened(outputs), outputs / "model", outputs / "other"
    for number, one in enumerate((folder, other)):
        one.mkdir()
        (one / "MLmodel").write_text(f"flavors: {number}")
    first = tracked.stored(folder, files.digest(folder))
    again = tracked.stored(folder, files.digest(folder))
    assert again == first != tracked.stored(other, files.digest(other))
    tracked.close()


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("flavors: 7")])
def test_a_stored_model_that_is_not_whole_is_stored_anew(outputs, damage):
    tracked, folder = opened(outputs), outputs / "model"
    folder.mkdir()
    for name in ("MLmodel", "weights"):
        (folder / name).write_text("flavors: {}")
    first = tracked.stored(folder, files.digest(folder))
    location = tracking.client(tracked.uri).get_logged_model(first).artifact_location
    damage(Path(location.removeprefix("file://")) / "MLmodel")
    again = tracked.stored(folder, files.digest(folder))
    assert first != again == tracked.stored(folder, files.digest(folder))
    tracked.close()


def test_what_comes_after_the_end_is_refused(outputs):
    tracked = opened(outputs)
    tracked.close()
    with pytest.raises(StepError, match=r"is closed \(FINISHED\)\. Run the cell that opens the step again"):
        tracked.metrics({"rmse": 1.0})
    tracked.wait()


def test_a_dead_run_and_its_trials_are_marked_failed(outputs):
    dead = opened(outputs)
    dead.wait()
    note, client = noted(outputs), tracking.client(dead.uri)
    experiment = client.get_run(dead.run_id).info.experiment_id
    child = client.create_run(experiment, tags={"mlflow.parentRunId": dead.run_id})
    tracking.close_dead(dataclasses.replace(note, mlflow_run_id=None))
    status = {one: client.get_run(one).info.status for one in (dead.run_id, child.info.run_id)}
    assert set(status.values()) == {"FAILED"}


def test_a_step_that_failed_after_it_was_closed_has_failed(outputs):
    done = opened(outputs)
    done.close()
    assert noted(outputs).status == "FINISHED"
    assert runs(outputs)["r1/04_tune"].info.status == "FINISHED"
    tracking.close_dead(noted(outputs))
    assert runs(outputs)["r1/04_tune"].info.status == "FAILED"


SWEEP = """
import sys
from types import SimpleNamespace
from lib import paths
from lib.runner.report import comparison
base = SimpleNamespace(run=sys.argv[1], problem="green_taxi", project=paths.here())
folder = base.project.outputs / "sweeps" / base.run
folder.mkdir(parents=True, exist_ok=True)
with comparison.tracked(base, folder, {"max_evals": "1, 5"}, {}) as run:
    run.wait()
    print("opened", flush=True)
    input()
"""


def test_a_sweep_s_run_is_closed_at_its_end_or_by_a_later_start_when_it_was_killed(outputs):
    def status():
        recovery.beside_the_runs(outputs, print)
        return runs(outputs)[f"{end}-sweep/sweep"].info.status

    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    for end in ("killed", "ended"):
        with subprocess.Popen([sys.executable, "-c", SWEEP, end], **how) as process:
            assert process.stdout.readline() == "opened\n"
            assert status() == "RUNNING"  # a living one's is left to it
            process.kill() if end == "killed" else process.communicate("\n")
        assert status() == {"killed": "FAILED", "ended": "FINISHED"}[end]
        assert list((outputs / "sweeps" / end).iterdir()) == []


def recorded(note, **more):
    """The record of a finished step, as the runner makes it from the step's note."""
    fields = {"code": [], "modules": {}, "inputs": {}, "outputs": {}, "reasons": [], "kernel": "warm"}
    return StepRecord(
        step="04_tune",
        parameters={"problem": "green_taxi", "seed": 42},
        started="2026-03-01T14:05:09+01:00",
        seconds=0.0,
        mlflow_uri=note.mlflow_uri,
        mlflow_run_id=note.mlflow_run_id,
        **fields,
        **{"key": note.key, "metrics": note.metrics, "tags": note.tags} | more,
    )


def finished(outputs):
    """The note of a step that has logged a figure, and its executed notebook."""
    tracked = opened(outputs, **{"workbook.data": "d1", "workbook.generated": "yes"})
    tracked.metrics({"validation_rmse": 5.25})
    tracked.note()
    tracked.close()
    executed = outputs / "04_tune.ipynb"
    executed.write_text("{}")
    return noted(outputs), executed


def attached(outputs, run_id):
    client = tracking.client(paths.tracking_uri(outputs))
    return [one.path for one in client.list_artifacts(run_id, "notebook")]


def test_an_executed_notebook_is_attached_to_its_run_once(outputs):
    note, executed = finished(outputs)
    for _ in range(2):
        assert tracking.keep(recorded(note), "r1", executed, outputs) == ""
    assert attached(outputs, note.mlflow_run_id) == ["notebook/04_tune.ipynb"]
    assert len(runs(outputs)) == 1


def test_a_step_linked_from_another_run_is_tracked_once_with_the_figures_and_the_data_of_that_run(outputs):
    note, executed = finished(outputs)
    for _ in range(2):
        tracking.keep(recorded(note, linked_from="r1", key="k2"), "r2", executed, outputs)
    here = runs(outputs)["r2/04_tune"]
    assert here.info.status == "FINISHED"
    assert here.data.metrics["validation_rmse"] == 5.25
    tags = {name.removeprefix("workbook."): value for name, value in here.data.tags.items()}
    assert (tags["data"], tags["generated"], tags["run"]) == ("d1", "yes", "r2")
    assert (tags["linked_from"], tags["first_run_id"]) == ("r1", note.mlflow_run_id)
    assert tags["parameters"] == runs(outputs)["r1/04_tune"].data.tags["workbook.parameters"]
    assert len(runs(outputs)) == 2


def test_what_a_step_has_logged_is_logged_again_from_its_record_where_the_database_is_new(
    outputs, monkeypatch
):
    note, executed = finished(outputs)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{outputs}/new.db")
    told = tracking.keep(recorded(note), "r1", executed, outputs)
    assert told == (
        "04_tune is logged again, without its trials, figures and model, as MLflow no longer had its run"
    )
    here = runs(outputs)["r1/04_tune"]
    assert here.info.run_id != note.mlflow_run_id
    assert (here.info.status, here.data.metrics) == ("FINISHED", {"validation_rmse": 5.25})
    assert here.data.params == {"seed": "42"}
    assert here.data.tags["workbook.data"] == "d1"
    assert attached(outputs, here.info.run_id) == ["notebook/04_tune.ipynb"]
    assert tracking.keep(recorded(note), "r1", executed, outputs) == ""


def test_a_server_that_does_not_answer_is_told_at_once(outputs, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    start = time.perf_counter()
    with pytest.raises(StepError, match=r"does not answer at http://127.0.0.1:9 .*unset MLFLOW_TRACKING_URI"):
        opened(outputs).wait()
    assert time.perf_counter() - start < 15


@pytest.fixture
def behind_a_proxy(monkeypatch):
    """A proxy that answers nobody, as where a company's is set and cannot reach this machine."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://me:pw@127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "intranet.example")


def test_a_server_on_this_machine_is_asked_past_the_proxy(outputs, behind_a_proxy):
    class Healthy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        assert tracking.client(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert os.environ["NO_PROXY"].split(",") == ["intranet.example", "localhost", "127.0.0.1", "::1"]


def test_where_a_proxy_stands_between_it_is_named_without_its_password(outputs, behind_a_proxy):
    with pytest.raises(
        StepError, match=r"at http://mlflow\.example through the proxy http://\(hidden \w+\)@127\.0\.0\.1:9"
    ):
        tracking.client("http://mlflow.example")


def test_a_database_of_another_version_is_named(outputs):
    import sqlite3

    with sqlite3.connect(outputs / "mlflow.db") as database:
        database.execute("update alembic_version set version_num = 'older'")
    with pytest.raises(StepError, match=r"cannot keep its record in .*mlflow.db .*move it away"):
        opened(outputs).wait()


def test_the_database_file_alone_holds_a_closed_run(outputs):
    import shutil

    tracked = opened(outputs)
    tracked.metrics({"rmse": 5.0})
    tracked.close()
    (outputs / "copy").mkdir()
    shutil.copyfile(outputs / "mlflow.db", outputs / "copy" / "mlflow.db")
    run = tracking.client(f"sqlite:///{outputs / 'copy' / 'mlflow.db'}").get_run(tracked.run_id)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"rmse": 5.0})


def test_a_database_that_was_moved_away_leaves_no_log_for_the_next_one(outputs, tmp_path):
    program = PROGRAM + "tracked.close()\nos._exit(0)"  # as a kernel is killed
    assert python(program, outputs).returncode == 0
    (outputs / "mlflow.db").rename(tmp_path / "kept.db")
    (outputs / "mlflow.db-wal").write_bytes(b"of the other")
    tracking.prepare(outputs)
    assert not (outputs / "mlflow.db-wal").exists()
    assert python(program, outputs).returncode == 0
    with contextlib.closing(sqlite3.connect(outputs / "mlflow.db")) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert "r1/04_tune" in runs(outputs)


def test_after_it_is_settled_a_database_has_no_log_beside_it(outputs):
    assert python(PROGRAM + "tracked.close()\nos._exit(0)", outputs).returncode == 0
    assert (outputs / "mlflow.db-wal").exists()
    tracking.settle(paths.tracking_uri(outputs))
    assert not (outputs / "mlflow.db-wal").exists()
    tracking.settle(f"sqlite:///{outputs / 'nothing.db'}")
    assert not (outputs / "nothing.db").exists()


def test_copied_outputs_keep_their_artifacts_to_themselves(outputs, tmp_path):
    first = opened(outputs)
    first.text("note", "before")
    first.close()
    copy = tmp_path / "copy"
    shutil.copytree(outputs, copy)
    before = sorted(path for path in outputs.rglob("*") if path.is_file())
    tracked = opened(copy)
    tracked.text("note", "after")
    tracked.close()
    client = tracking.client(paths.tracking_uri(copy))
    for run_id, text in ((first.run_id, "before"), (tracked.run_id, "after")):
        found = client.download_artifacts(run_id, "note.txt", str(tmp_path))
        assert Path(found).read_text() == text
        assert str(copy.as_uri()) in client.get_run(run_id).info.artifact_uri
    assert sorted(path for path in outputs.rglob("*") if path.is_file()) == before


def test_three_processes_may_meet_a_database_that_is_not_there_yet(tmp_path):
    program = (
        "import os; from pathlib import Path; from lib import tracking\n"
        "o = Path(os.environ['WORKBOOK_OUTPUTS'])\n"
        "tracking.open('s', 'r', 'p', {}, {}, o).close()"
    )
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: python(program, tmp_path, WANDB_MODE="disabled"), range(3)))
    assert [one.returncode for one in done] == [0] * 3, done[0].stderr
    client = tracking.client(f"sqlite:///{tmp_path / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("p").experiment_id])
    assert [run.info.status for run in found] == ["FINISHED"] * 3


class TestBothTrackers:
    """In a process of its own, as a kernel is, with W&B offline."""

    def test_both_have_the_same_figures_without_an_account_or_a_file_elsewhere(self, outputs, tmp_path):
        home = tmp_path / "home"
        home.mkdir()
        done = python(PROGRAM + "tracked.close()", outputs, WANDB_MODE="", HOME=str(home))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        found, run = wandb_run(outputs), runs(outputs)["r1/04_tune"]
        assert found["state"] == "finished"
        assert run.info.status == "FINISHED"
        assert found["summary"]["validation_rmse"] == run.data.metrics["validation_rmse"] == 5.25
        assert found["summary"]["trials"]["nrows"] == 2
        assert found["config"]["seed"] == 42
        shared = {name: value for name, value in run.data.tags.items() if name.startswith("workbook.")}
        assert shared.items() <= found["config"]["tags"].items()
        assert not [path for path in home.rglob("*") if path.is_file()]

    @pytest.mark.parametrize("end", ["tracked.close()", "raise ValueError"])
    def test_nothing_is_left_in_the_temporary_folder_by_a_run_that_ended(self, outputs, tmp_path, end):
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        (outputs / "model").mkdir()
        (outputs / "model" / "weights").write_text("1 2 3")
        program = PROGRAM + (
            "import matplotlib.pyplot as plt\n"
            "tracked.text('note', 'on its way')\ntracked.figure('residuals', plt.figure())\n"
            "tracked.data('train', outputs / 'mlflow.db', 'd' * 64, 1)\n"
            "tracked.model(outputs / 'model', 'e' * 64)\ntracked.wait()\n"
            f"import tempfile; assert os.listdir(tempfile.gettempdir()), 'it uses the folder'\n{end}"
        )
        environment = {"WANDB_MODE": "offline", "TMPDIR": str(temporary), "MPLBACKEND": "agg"}
        done = python(program, outputs, **environment)
        assert done.returncode == (end != "tracked.close()"), done.stderr
        assert wandb_run(outputs)["summary"]["trials"]["nrows"] == 2
        assert [path.name for path in temporary.iterdir()] == []

    def test_a_process_that_ends_by_an_exception_leaves_failed_runs(self, outputs):
        done = python(PROGRAM + "raise ValueError('a cell raised')", outputs, WANDB_MODE="offline")
        assert "a cell raised" in done.stderr
        assert wandb_run(outputs)["state"] == "failed"
        assert runs(outputs)["r1/04_tune"].info.status == "FAILED"

    def test_of_a_killed_process_mlflow_s_run_is_closed_as_failed_and_w_and_b_s_stays_as_it_was(
        self, outputs
    ):
        done = python(PROGRAM + "os.kill(os.getpid(), signal.SIGKILL)", outputs, WANDB_MODE="offline")
        assert done.returncode == -signal.SIGKILL
        assert runs(outputs)["r1/04_tune"].info.status == "RUNNING"
        before = contents(outputs / "wandb")
        tracking.close_dead(noted(outputs))
        run = runs(outputs)["r1/04_tune"]
        assert run.info.status == "FAILED"
        assert run.data.metrics["validation_rmse"] == 5.25
        assert contents(outputs / "wandb") == before != {}

    def test_a_server_that_takes_the_call_and_never_answers_is_told_in_a_line_and_the_step_goes_on(
        self, outputs
    ):
        patience = "from lib.tracking import wandb_run; wandb_run.PATIENCE = 1.0\n"
        with socket.create_server(("127.0.0.1", 0)) as silent:
            environment = {
                "WANDB_MODE": "online",
                "WANDB_API_KEY": "0" * 40,
                "WANDB_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            }
            done = python(patience + PROGRAM + "tracked.close()\nos._exit(0)", outputs, **environment)
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.splitlines()
        assert line == (
            "W&B took no more of this step (TimeoutError: it did not answer in 1 s); MLflow has it all."
        )
        assert runs(outputs)["r1/04_tune"].info.status == "FINISHED"

    def test_a_wandb_that_cannot_be_imported_is_told_and_the_step_goes_on(self, outputs):
        broken = "import sys; sys.modules['wandb'] = None\n"
        done = python(broken + PROGRAM + "tracked.close()", outputs, WANDB_MODE="offline")
        assert done.returncode == 0, done.stderr
        assert "W&B took no more of this step (ModuleNotFoundError" in done.stdout
        assert runs(outputs)["r1/04_tune"].info.status == "FINISHED"

    @pytest.mark.parametrize("uploads", [False, True])
    def test_rows_and_models_are_referred_to_by_their_digest_and_copied_only_where_a_parameter_says_so(
        self, outputs, uploads
    ):
        (outputs / "train.parquet").write_bytes(b"a row of somebody's")
        (outputs / "model").mkdir()
        (outputs / "model" / "weights").write_bytes(b"learnt of somebody's")
        program = PROGRAM.replace('{"seed": 42}', f'{{"seed": 42, "wandb_upload": {uploads}}}') + (
            "tracked.data('train', outputs / 'train.parquet', 'd' * 64, 1)\n"
            "tracked.model(outputs / 'model', 'e' * 64)\ntracked.close()"
        )
        done = python(program, outputs, WANDB_MODE="offline", WANDB_DATA_DIR="")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        kept = [content for content in contents(outputs / "wandb").values() if b"somebody's" in content]
        assert len(kept) == 2 * uploads
        entries = {
            one["name"]: (one["manifest"]["contents"][0], json.loads(one["metadata"])["digest"])
            for one in artifacts(outputs)
            if one["type"] in ("dataset", "model")
        }
        data, model = entries["green_taxi-train"], entries["green_taxi-model"]
        assert (data[1], model[1]) == ("d" * 64, "e" * 64)
        if not uploads:
            assert (data[0]["ref"], model[0]["ref"]) == ("sha256:" + "d" * 64, "sha256:" + "e" * 64)

    def test_disabled_keeps_nothing_and_imports_nothing(self, outputs):
        done = python(
            PROGRAM + "tracked.close(); print('wandb' in sys.modules)", outputs, WANDB_MODE="disabled"
        )
        assert done.stdout.strip() == "False"
        assert not (outputs / "wandb").exists()

    def test_online_without_a_key_stays_offline_and_asks_nothing(self, outputs, tmp_path):
        environment = {
            "WANDB_MODE": "online",
            "WANDB_API_KEY": "",
            "HOME": str(tmp_path),
            "NETRC": "/dev/null",
        }
        done = python(PROGRAM + "tracked.close()", outputs, **environment)
        assert done.returncode == 0, done.stderr
        assert "there is no key" in done.stdout
        assert wandb_run(outputs)["state"] == "finished"


def test_sending_offline_runs_without_a_key_says_what_to_do(outputs, monkeypatch, capsys):
    (outputs / "wandb" / "offline-run-20230101_000000-abc").mkdir(parents=True)
    (sent := outputs / "wandb" / "offline-run-20230101_000000-def").mkdir()
    (sent / "run-def.wandb.synced").touch()
    monkeypatch.setenv("NETRC", os.devnull)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    assert tracking.sync(outputs) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"1 offline run waits in {outputs / 'wandb'}. Nothing was sent")
    assert "https://wandb.ai/authorize" in said
    assert "WANDB_API_KEY" in said


def test_where_no_offline_run_waits_nothing_is_sent(outputs, capsys):
    assert tracking.sync(outputs) == 0
    assert "No offline run waits" in capsys.readouterr().out


class TestBackend:
    """The thread of one tracker, with a stand-in for its run."""

    def test_calls_are_done_in_order_and_those_after_the_first_failure_are_dropped(self):
        done = []

        def fail(run):
            raise ValueError("the disk is full")

        backend = Backend("test", lambda: done)
        backend.do(lambda run: (time.sleep(0.05), run.append(1)))
        backend.do(lambda run: run.append(2))
        backend.do(fail)
        backend.do(lambda run: run.append(3))
        backend.wait()
        assert done == [1, 2]
        assert str(backend.error) == "the disk is full"
        backend.stop()

    def test_handing_over_does_not_wait_and_waiting_has_a_patience(self):
        go = threading.Event()
        began = time.monotonic()
        backend = Backend("test", go.wait)
        backend.do(lambda run: None)
        backend.wait(patience=0.1)
        assert 0.1 <= time.monotonic() - began < 5
        assert not go.is_set()
        go.set()
        backend.wait()
        backend.stop()

    def test_what_takes_longer_than_its_limit_has_failed_and_what_was_to_follow_is_dropped(self):
        go, called = threading.Event(), []
        backend = Backend("test", lambda: called, limit=0.1)
        backend.do(lambda run: go.wait())
        backend.do(lambda run: run.append("after"))
        backend.wait()
        assert backend.trouble == "TimeoutError: it did not answer in 0.1 s"
        go.set()
        backend.wait()
        backend.do(lambda run: run.append("later"))
        backend.stop()
        assert called == []

    def test_a_thread_that_hangs_holds_no_process_at_its_end(self, outputs):
        program = (
            "import threading; from lib.tracking.backend import Backend\n"
            "backend = Backend('test', threading.Event().wait, limit=0.1)\n"
            "backend.wait(); print(backend.error)"
        )
        assert python(program, outputs).stdout == "it did not answer in 0.1 s\n"

    def test_a_tracker_that_could_not_be_opened_is_given_nothing(self):
        def refuse():
            raise OSError("no such server")

        called = []
        backend = Backend("test", refuse)
        backend.do(called.append)
        backend.wait()
        assert called == []
        assert str(backend.error) == "no such server"
        backend.stop()


def test_w_and_b_s_failure_is_told_once_and_costs_the_step_nothing(outputs, monkeypatch, capsys):
    def refuse(*_):
        raise ConnectionError("no network")

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr("lib.tracking.tracked.WandbRun", refuse)
    tracked = opened(outputs)
    tracked.wait()
    tracked.metrics({"rmse": 5.0})
    tracked.close()
    assert capsys.readouterr().out.count("W&B took no more of this step (ConnectionError: no network)") == 1
    assert runs(outputs)["r1/04_tune"].data.metrics == {"rmse": 5.0}


@pytest.mark.parametrize(
    ("place", "first", "remedy"),
    [
        ("file:{}", "PRAGMA max_page_count = 2", "the disk is full: free some space"),
        ("file:{}?mode=ro", "SELECT 1", "it may not be written: change its permissions"),
    ],
    ids=["full", "read-only"],
)
def test_a_database_that_cannot_be_written_is_not_called_broken(tmp_path, place, first, remedy):
    path = tmp_path / "mlflow.db"
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE runs (name)")
    with contextlib.closing(sqlite3.connect(place.format(path), uri=True)) as opened:
        opened.execute(first)
        with pytest.raises(sqlite3.OperationalError) as refused:
            opened.execute("INSERT INTO runs VALUES (zeroblob(100000))")
    assert remedy in database.remedy(refused.value, "sqlite:///mlflow.db")
    assert "broken" in database.remedy(
        sqlite3.DatabaseError("database disk image is malformed"), "sqlite:///mlflow.db"
    )


def test_sqlite_writes_ahead_on_a_disk_of_this_machine(outputs):
    if database.file_system(outputs) not in database.LOCAL:
        pytest.skip(f"the temporary folder lies on {database.file_system(outputs)}")
    with contextlib.closing(sqlite3.connect(outputs / "mlflow.db")) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_sqlite_does_not_write_ahead_on_a_disk_that_others_may_write_to(tmp_path):
    """A network's disk cannot be had here: any that the workbook does not know is taken for one."""
    if not shutil.which("unshare"):
        pytest.skip("no `unshare` here: a disk cannot be mounted")
    program = (
        "import sqlite3, sys; from pathlib import Path; from lib.tracking import database\n"
        "database.prepare(Path(sys.argv[1]))\n"
        "print(sqlite3.connect(Path(sys.argv[1], 'mlflow.db')).execute('PRAGMA journal_mode').fetchone()[0])"
    )
    script = 'mount -t ramfs ramfs "$2" || exit 77; exec "$0" -c "$1" "$2"'
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, sys.executable, program, tmp_path]
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(words, cwd=paths.ROOT, env=environment, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("a disk cannot be mounted here")
    assert done.stdout.split()[-1:] == ["delete"], done.stderr


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("/dev/vda on / type ext4 (rw)\nhost:/x on /data type nfs4 (rw,addr=10.0.0.1)\n", "nfs4"),
        ("/dev/disk3s1 on / (apfs, sealed, local)\n//me@host/x on /data (smbfs, nodev)\n", "smbfs"),
    ],
    ids=["Linux", "macOS"],
)
def test_what_mount_says_is_understood_on_linux_and_on_macos(tmp_path, monkeypatch, said, kind):
    (tmp_path / "mount").write_text(f"#!/bin/sh\ncat <<'END'\n{said}END\n")
    (tmp_path / "mount").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert database.file_system(Path("/data/ann")) == kind
    assert database.file_system(Path("/")) != kind


def test_a_relative_database_counts_from_the_projects_folder(outputs, monkeypatch):
    """The courses' own form: in each notebook's folder there would be another database."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    assert paths.tracking_uri(outputs) == f"sqlite:///{paths.ROOT / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{outputs}/mine.db")
    assert paths.tracking_uri(outputs) == f"sqlite:///{outputs}/mine.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert paths.tracking_uri(outputs) == "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    "named", ["mlruns", "./mlruns", "/data/mlruns", "file:mlruns", "file:///data/mlruns"]
)
def test_a_folder_for_mlflow_s_record_is_refused_in_a_line(outputs, monkeypatch, named):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", named)
    with pytest.raises(ParameterError, match=rf"MLFLOW_TRACKING_URI={named} names no database and no server"):
        paths.tracking_uri(outputs)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nosuch://u:pw@x", "Is MLFLOW_TRACKING_URI what you mean"),
        ("mysql://u:pw@127.0.0.1:9/x", "Install the driver 'MySQLdb' in this project's .venv, or unset"),
        ("sqlite:///{}/broken.db", "if the database is broken or of another version, move it away"),
    ],
)
def test_an_address_that_mlflow_cannot_use_is_told_in_a_line(outputs, monkeypatch, capsys, named, said):
    from lib.cli import __main__ as cli

    (outputs / "broken.db").write_text("no database " * 100)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", named.format(outputs))
    assert cli.boundary(["versions"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("✗ MLflow cannot keep its record in ")
    assert "pw" not in line
    assert said.lower() in line.lower()
    with pytest.raises(StepError, match="MLflow cannot keep its record in"):
        opened(outputs).wait()


@pytest.mark.parametrize(
    ("content", "said"),
    [("no database " * 100, "file is not a"), ("", "no such table")],
    ids=["text", "emptied"],
)
def test_a_database_that_is_none_is_told_with_the_remedy_which_helps(outputs, capsys, content, said):
    from lib.cli import __main__ as cli

    assert python(PROGRAM + "tracked.close()\nos._exit(0)", outputs).returncode == 0
    (outputs / "mlflow.db").write_text(content)  # its log stays, as the process was killed
    with pytest.raises(StepError, match=rf"mlflow\.db cannot be read \({said}.*move it away, with its -wal"):
        opened(outputs)
    assert cli.boundary(["versions"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    for path in outputs.glob("mlflow.db*"):
        path.unlink()
    assert python(PROGRAM + "tracked.close()", outputs).returncode == 0
    with contextlib.closing(sqlite3.connect(outputs / "mlflow.db")) as opened_again:
        assert opened_again.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert "r1/04_tune" in runs(outputs)


def test_remedies_speak_of_moving_a_database_only_where_it_is_a_file_of_ours():
    refused = RuntimeError("of another schema")
    assert "move it away" in database.remedy(refused, "sqlite:////o/mlflow.db")
    assert "move it away" not in database.remedy(refused, "http://127.0.0.1:5000")
