"""The closing lines of a run say what is in its files, and no more."""

import dataclasses
import json
import os
import re
import time
from pathlib import Path

import pytest

from lib.records import Cautions, Metrics, Registration, RunRecord, StepRecord, Tuned
from lib.runner import status
from lib.runner.report import index as report_index

DONE = StepRecord(
    step="06_registry",
    code=[],
    parameters={},
    modules={},
    inputs={},
    outputs={"registry": "0" * 64},
    started="2026-03-01T14:05:09+01:00",
    seconds=1.0,
    reasons=[],
    kernel="warm",
)


@pytest.mark.parametrize(
    ("holder", "outcome", "line"),
    [
        (2, "better", "Registered: taxi version 2, now champion"),
        (1, "not better", "Registered: taxi version 2; champion stays version 1 (not better)"),
        (1, "unfair", "Registered: taxi version 2; champion stays version 1 (unfair)"),
    ],
)
def test_the_alias_is_told_of_the_version_that_holds_it(tmp_path, holder, outcome, line):
    registered = Registration(
        name="taxi",
        version=2,
        digest="d",
        outcome=outcome,
        reason="",
        alias="champion",
        holder=holder,
        metric="rmse",
        test_rows=9,
        score=1.0,
        rival="version 1",
        rival_score=2.0,
    )
    registered.write(tmp_path / "registry.json")
    assert status.headline(tmp_path) == []  # the step that writes it is not done
    DONE.write(tmp_path / "notebooks" / "06_registry.json")
    assert line in status.headline(tmp_path)


def of_a_search(folder, made_of, unit="min"):
    """The records of a search, and of figures of the model that the search `made_of` has chosen."""
    Tuned("all", "rmse", {"family": "forest"}, {}, 1, unit=unit).write(folder / "tuned.json")
    Metrics({"test_rmse": 5.1, "baseline_constant_test_rmse": 9.3}).write(folder / "metrics.json")
    for step, inputs, outputs in (
        ("04_tune", {}, {"tuned": "new"}),
        ("05_train", {"tuned": made_of}, {"metrics": "m"}),
    ):
        record = dataclasses.replace(
            DONE, step=step, inputs=inputs, outputs=outputs, mlflow_run_id=f"{step}-id"
        )
        record.write(folder / "notebooks" / f"{step}.json")


def test_a_score_never_stands_beside_a_model_that_did_not_make_it(tmp_path):
    of_a_search(tmp_path, made_of="new")
    assert status.comparison(tmp_path) == ("rmse", 5.1, {"constant": 9.3})
    of_a_search(tmp_path, made_of="an earlier one")
    assert status.comparison(tmp_path) is None
    assert "5.1" not in "\n".join(status.headline(tmp_path))
    assert not any("5.1" in value for _, value in report_index._boxes(tmp_path))


@pytest.mark.parametrize(("unit", "value"), [("min", "5.1 min"), ("", "5.1")])
def test_a_score_has_its_unit_where_there_is_one(tmp_path, unit, value):
    of_a_search(tmp_path, made_of="new", unit=unit)
    assert report_index._boxes(tmp_path)[0] == ("test rmse", value)


@pytest.mark.parametrize(
    ("trials", "budget", "failed", "ended", "line"),
    [
        (12, 12, 0, "all trials were run", "12 trials"),
        (12, 12, 2, "all trials were run", "12 trials; 2 failed"),
        (12, 50, 0, "its time was over", "12 of 50 trials, as its time was over"),
        (7, 50, 1, "it was interrupted", "7 of 50 trials, as it was interrupted; 1 failed"),
    ],
)
def test_the_closing_lines_say_how_far_the_search_came(tmp_path, trials, budget, failed, ended, line):
    Tuned("rich", "rmse", {"family": "lasso"}, {}, trials, budget, failed, ended).write(
        tmp_path / "tuned.json"
    )
    dataclasses.replace(DONE, step="04_tune", outputs={"tuned": "d"}).write(
        tmp_path / "notebooks" / "04_tune.json"
    )
    assert status.headline(tmp_path) == ["Best model: lasso, features rich", f"  the best of {line}"]


def test_what_is_known_only_after_is_said_beside_the_figures_that_use_it(tmp_path):
    tuned = Tuned("zoomcamp", "rmse", {"family": "lasso"}, {}, 3, 3).admitting(["trip_distance"])
    tuned.write(tmp_path / "tuned.json")
    record = dataclasses.replace(DONE, step="04_tune", outputs={"tuned": "d"})
    (tmp_path / "notebooks").mkdir(exist_ok=True)
    record.write(tmp_path / "notebooks" / "04_tune.json")
    said = "features zoomcamp, told trip_distance, known only after"
    assert status.headline(tmp_path)[0] == f"Best model: lasso, {said}"
    assert (f"best of 3 trials, {said}", "lasso") in report_index._boxes(tmp_path)
    assert "told" not in dataclasses.replace(tuned, late=[]).features


def test_what_must_be_minded_stands_in_the_closing_lines_and_on_the_index(tmp_path):
    """What page 03 found in the data, and what the figures themselves say."""
    of_a_search(tmp_path, made_of="new")
    RunRecord("tiny", "tiny", "params/tiny.yaml", {}, {}, {}, "", "now", {}).write(tmp_path / "run.json")
    Cautions(["The splits are <out of order>."]).write(tmp_path / "cautions.json")
    Metrics({"test_rmse": 9.4, "beats_constant": 0.0}).write(tmp_path / "metrics.json")
    useless = "The model is no better than one that always answers the same."
    minded = [line for line in status.headline(tmp_path) if "Mind" in line]
    assert minded == ["  Mind: The splits are <out of order>.", f"  Mind: {useless}"]
    report_index.write(tmp_path)
    page = (tmp_path / "index.html").read_text()
    for said in ("The splits are &lt;out of order&gt;.", useless):
        assert f"<li><b>Mind:</b> {said}</li>" in page


def test_no_score_stands_beside_a_model_that_did_not_make_it(tmp_path):
    """`make tune` after a whole run: the test figure and the champion are of the model before."""
    graph = {
        "04_tune": {"reads": [], "writes": ["tuned"]},
        "05_train": {"reads": ["tuned"], "writes": ["metrics"]},
    }
    given = {"04_tune": {}, "05_train": {}}
    RunRecord("r", "taxi", "p.yaml", {}, {}, given, "", "", graph).write(tmp_path / "run.json")
    Tuned("rich", "rmse", {"family": "lasso"}, {}, 3, 3).write(tmp_path / "tuned.json")
    Metrics({"test_rmse": 5.0}).write(tmp_path / "metrics.json")
    tuned = dataclasses.replace(DONE, step="04_tune", outputs={"tuned": "one"})
    trained = dataclasses.replace(DONE, step="05_train", inputs={"tuned": "one"}, outputs={"metrics": "m"})
    tuned.write(tmp_path / "notebooks" / "04_tune.json")
    trained.write(tmp_path / "notebooks" / "05_train.json")
    assert "  test rmse 5" in status.headline(tmp_path)
    dataclasses.replace(tuned, outputs={"tuned": "another"}).write(tmp_path / "notebooks" / "04_tune.json")
    assert status.headline(tmp_path) == [
        "Best model: lasso, features rich",
        "  the best of 3 trials",
        "  out of date: 05_train (made of an earlier tuned)",
    ]


def test_a_champion_that_is_of_an_earlier_model_is_not_named(tmp_path):
    """`make tune` after a whole run: what is registered is not the best model that the lines begin with."""
    made = {"04_tune": ("", "tuned"), "05_train": ("tuned", "model"), "06_registry": ("model", "registry")}
    graph = {
        step: {"reads": [read] if read else [], "writes": [wrote]} for step, (read, wrote) in made.items()
    }
    RunRecord("r", "taxi", "p.yaml", {}, {}, {step: {} for step in made}, "", "", graph).write(
        tmp_path / "run.json"
    )
    Tuned("rich", "rmse", {"family": "lasso"}, {}, 3, 3).write(tmp_path / "tuned.json")
    fields = {"alias": "champion", "holder": 2, "metric": "rmse", "test_rows": 9, "score": 1.0}
    Registration("taxi", 2, "d", "better", "", rival="version 1", rival_score=2.0, **fields).write(
        tmp_path / "registry.json"
    )

    def done(step, number="1"):
        read, wrote = made[step]
        record = dataclasses.replace(
            DONE, step=step, inputs={read: "1"} if read else {}, outputs={wrote: number}
        )
        record.write(tmp_path / "notebooks" / f"{step}.json")

    for step in made:
        done(step)
    assert "Registered: taxi version 2, now champion" in status.headline(tmp_path)
    done("04_tune", "another")
    assert not [line for line in status.headline(tmp_path) if "champion" in line]
    assert ("taxi (out of date)", "version 2") in report_index._boxes(tmp_path)


def test_the_index_says_how_far_the_search_came(tmp_path):
    Tuned("rich", "rmse", {"family": "lasso"}, {}, 12, 50, 2, "its time was over").write(
        tmp_path / "tuned.json"
    )
    dataclasses.replace(DONE, step="04_tune", outputs={"tuned": "d"}).write(
        tmp_path / "notebooks" / "04_tune.json"
    )
    said = "best of 12 of 50 trials, as its time was over; 2 failed, features rich"
    assert report_index._boxes(tmp_path) == [(said, "lasso")]


# --- what is out of date, and pages --------------------------------------------------------------------


def index(tiny):
    """The text of the run's page."""
    return re.sub(r"<[^>]*>", " ", (tiny.folder() / "index.html").read_text())


def test_what_was_made_with_other_parameters_than_were_asked_for_last_says_so(done):
    result = done.run("pipeline", "eda", P="sample=3 max_evals=99")
    assert result.returncode == 0, result.stdout
    said = "04_tune (parameter max_evals 5 -> 99)"
    assert f"out of date: {said}" in result.stdout
    shown = done.run("status").stdout
    assert re.search(r"! 04_tune .*out of date: parameter max_evals 5 -> 99", shown)
    assert re.search(r"✓ 02_eda ", shown)
    assert re.search(r"max_evals\s+5\s+an earlier request\s+04_tune", index(done))
    assert re.search(r"sample\s+3\s+P\s+02_eda", index(done))
    assert "04_tune is out of date" in index(done)
    assert "test rmse (out of date)" in index(done)
    assert done.run().returncode == 0
    assert "out of date" not in done.run("status").stdout + index(done)


def test_a_figure_of_what_is_there_no_more_is_out_of_date(done):
    done.replace("03_prep", "kept = beta", "1 / 0\nkept = beta")
    result = done.run(P="rows=5")
    assert result.returncode == 1
    shown = done.run("status").stdout
    assert "✗ 03_prep" in shown
    assert re.search(r"! 04_tune .*out of date: made of an earlier train and test", shown)
    assert "out of date: 04_tune (made of an earlier train and test)" in shown
    assert "test rmse (out of date)" in index(done)


def test_what_comes_after_a_step_that_is_out_of_date_is_so_too(done):
    assert done.run("pipeline", "eda", P="sample=3 keep=1.5").returncode == 0
    shown = done.run("status").stdout
    assert re.search(r"! 03_prep .*out of date: parameter keep 2.5 -> 1.5", shown)
    assert re.search(r"! 04_tune .*out of date: 03_prep is", shown)


def broken(page):
    page.write_text(page.read_text()[:200])


def of_tomorrow(page):
    later = time.time() + 86_400
    page.write_text("of another day")
    os.utime(page, (later, later))


@pytest.mark.parametrize("harm", [Path.unlink, broken, of_tomorrow])
@pytest.mark.parametrize("name", ["index.html", "notebooks/02_eda.html"])
def test_a_page_that_was_lost_or_harmed_is_made_again_and_no_step_runs(done, name, harm):
    page = done.folder() / name
    before = page.read_text()
    harm(page)
    result = done.run()
    assert "All 4 steps of run quickstart are up to date" in result.stdout
    assert "are made again" in result.stdout
    assert page.read_text() == before
    assert "are made again" not in done.run().stdout


def test_changed_prose_reaches_the_page_and_no_step_runs(done):
    path = done.root / "notebooks" / "02_eda.ipynb"
    content = json.loads(path.read_text())
    told = {"cell_type": "markdown", "id": "told", "metadata": {}, "source": ["What *this* says."]}
    content["cells"].insert(1, told)
    path.write_text(json.dumps(content))
    result = done.run()
    assert "All 4 steps of run quickstart are up to date" in result.stdout
    page = (done.folder() / "notebooks" / "02_eda.html").read_text()
    assert "What <em>this</em> says." in page
    assert "celltag_newer" in page.partition("</style>")[2]
    assert "are made again" not in done.run().stdout
