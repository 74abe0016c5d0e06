"""A sweep: the grid that P says, what its runs share, and the table at the end."""

import json
import re
import signal

import pytest
from tiny import ROOT, kill_group, processes, wait_for

from lib import paths
from lib.errors import ParameterError
from lib.notebook_source import grids
from lib.plots import comparison as pictures
from lib.records import Cautions, Metrics, Tuned, cautions_of
from lib.runner import plan, sweep
from lib.runner.plan import Wishes
from lib.tuning.plan import Plan

TRACKED = """
import contextlib
from lib import files


class _Run:
    run_id = "sweep-run"
    def table(self, name, frame): print("table", len(frame))
    def figure(self, name, figure): pass
    def close(self, status):
        _held.close()
        print("closed", status)


_held = contextlib.ExitStack()


def open(note, **about):
    _held.enter_context(files.temporary(note))
    note.write_text(json.dumps({"format": 2, "pid": os.getpid()}))
    return _Run()
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10,20", ["10", "20"]),
        ("range(10,50,15)", ["10", "25", "40"]),
        ("range(0,4,2),7", ["0", "2", "7"]),
        ("[a,b],[c]", ["[a,b]", "[c]"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ("{x: [1,2]}", ["{x: [1,2]}"]),
        ("5,5", ["5"]),
    ],
)
def test_commas_and_ranges_make_values_but_not_within_brackets(text, found):
    assert grids.values(text, "key") == found


def test_every_combination_is_a_run_with_its_values_in_its_name():
    points = grids.read("feature_set=zoomcamp,rich seed=1 max_evals=10,20", "taxi")
    assert [point.p for point in points] == [
        "feature_set=zoomcamp seed=1 max_evals=10",
        "feature_set=zoomcamp seed=1 max_evals=20",
        "feature_set=rich seed=1 max_evals=10",
        "feature_set=rich seed=1 max_evals=20",
    ]
    assert points[0].run == "taxi-feature_set-zoomcamp-max_evals-10"
    assert dict(points[3].values) == {"feature_set": "rich", "max_evals": "20"}


def test_the_sweep_of_depth_by_words_that_the_page_on_search_has_is_planned_point_by_point(tmp_path):
    """14 depths by 3 numbers of words; each reaches the search as `fixed`, and the features as a setting."""
    text = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
    file, p = re.search(r'make sweep PARAMS=(\S+) P="(.*fixed\.tfidf\.words=\S+)"', text).groups()
    points = grids.read(p, "songs")
    assert len({point.run for point in points}) == 14 * 3
    for point in (points[0], points[-1]):
        wish = Wishes(file=file, overrides=point.p, run=point.run)
        request = plan.ask(wish, paths.Project(ROOT, tmp_path))
        given, depth, words = request.given("04_tune"), *map(int, point.values.values())
        assert given["fixed"] == {"max_depth": depth, "tfidf": {"words": words}}
        assert given["models"] == ["random_forest"]
        assert given["feature_set"] == "course_with_playlist"
        tuning = Plan(given["models"], 1, 60.0, fixed=given["fixed"])
        assert tuning.given.encoders({}) == {"tfidf.words": ("choice", [words])}


def test_names_that_would_be_too_long_stay_apart():
    points = grids.read("models=" + ",".join(f"[{'x' * 90}{n}]" for n in range(3)), "taxi")
    assert len({point.run for point in points}) == 3
    assert all(len(point.run) <= 80 for point in points)


@pytest.mark.parametrize(
    "text",
    [
        "models=[a,b],[a-b]",
        "a=1-b-2,1 b=3,2-b-3",
        "feature_set=Rich,rich",
        "a=x/y,x?y,x-y",
        "a=\udcff,\udcfe",
    ],
)
def test_no_two_points_have_one_name_not_even_without_capitals(text):
    points = grids.read(text, "taxi")
    assert len({point.run.lower() for point in points}) == len(points) > 1
    assert [point.run for point in grids.read(text, "taxi")] == [point.run for point in points]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed=1", "nothing varies"),
        ("seed", "a sweep is written as"),
        ("seed=range(a,b)", "needs whole numbers"),
        ("seed=range(5,1,1)", "holds nothing"),
        ("seed=1,,2", "empty value"),
        ("seed=1,2 seed=3", "'seed' is given twice"),
        ("x=range(0,1000000000)", r"x=range\(0,1000000000\) has more than 1,000 values"),
        ("x=range(0,1e9)", "needs whole numbers"),
        (f"x=range(0,{10**30})", "has more than 1,000 values"),
        ("a=range(0,100) b=range(0,100)", "the grid has 10,000 points; a sweep runs at most 1,000"),
    ],
)
def test_a_grid_that_is_none_is_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        grids.read(text, "taxi")


@pytest.fixture
def swept(tiny):
    """A tiny project whose search leaves what a sweep compares."""
    tiny.module("tracking", (tiny.root / "lib" / "tracking.py").read_text() + TRACKED)
    tiny.replace("04_tune", '{"test_rmse":', '{"validation_rmse": 10 - max_evals, "test_rmse":')
    tuned = Tuned(feature_set="all", metric="rmse", choice={"family": "mean"}, best={}, trials=1)
    write = f"step.folder.joinpath('tuned.json').write_text({json.dumps(json.dumps(tuned.to_mapping()))})"
    tiny.replace("04_tune", "step.close", f"{write}\nstep.close")
    return tiny


def test_a_sweep_runs_ingest_once_and_ends_with_a_table(swept):
    tiny = swept
    result = tiny.run("sweep", P="max_evals=1,5")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["max_evals", "validation_rmse", "test_rmse", "trials", "seconds", "run"] in lines
    table = json.loads((tiny.outputs / "sweeps" / "quickstart" / "sweep.json").read_text())["runs"]
    assert [row["max_evals"] for row in table] == ["5", "1"]  # best on validation first
    assert "closed FINISHED" in result.stdout
    logs = {path.parent.name: path.read_text() for path in tiny.outputs.glob("quickstart-*/pipeline.log")}
    ran = {
        run: [s for s in ("01_ingest", "02_eda", "03_prep", "04_tune") if f"{run}/{s} started" in text]
        for run, text in logs.items()
    }
    first, second = (f"quickstart-max_evals-{evals}" for evals in (1, 5))
    assert ran == {first: ["01_ingest", "02_eda", "03_prep", "04_tune"], second: ["04_tune"]}
    assert f"{second}/01_ingest linked from run {first}" in logs[second]
    kept = sorted((tiny.outputs / "kept.txt").read_text().splitlines())
    assert [line for line in kept if not line.endswith("from ")] == [
        f"{second}/{step} from {first}" for step in ("01_ingest", "02_eda", "03_prep")
    ]
    assert "<svg" in (tiny.outputs / "sweeps" / "quickstart" / "index.html").read_text()


def test_the_tracked_run_of_a_sweep_with_a_failed_point_has_failed(swept):
    swept.replace("04_tune", "step.write(", "assert max_evals != 5, 'five'\nstep.write(")
    result = swept.run("sweep", P="max_evals=1,5")
    assert result.returncode == 1
    assert next(line for line in result.stdout.splitlines() if line.startswith("closed")) == "closed FAILED"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_tracked_run_of_a_sweep_that_was_interrupted_was_killed(swept, number):
    swept.replace("04_tune", "step.write(", "import time; time.sleep(60)\nstep.write(")
    started = swept.start("sweep", P="max_evals=1,5")
    try:
        wait_for((swept.folder("quickstart-max_evals-1") / "notebooks" / "03_prep.json").exists)
        wait_for((swept.folder("quickstart-max_evals-1") / "notebooks" / ".04_tune.open.json").exists)
        started.send_signal(number)
        said, _ = started.communicate(timeout=60)
        wait_for(lambda: processes(swept) == [])
        assert list(swept.sockets.iterdir()) == []
    finally:
        kill_group(started)
    assert started.returncode == 130
    assert next(line for line in said.splitlines() if line.startswith("closed")) == "closed KILLED"


@pytest.mark.parametrize("next_start", ["sweep", "pipeline"])
def test_the_tracked_run_of_a_sweep_that_was_killed_is_closed_at_the_next_start(swept, next_start):
    swept.replace("04_tune", "step.write(", "import time; time.sleep(60)\nstep.write(")
    if next_start == "pipeline":  # one that has nothing else to do
        assert swept.run("pipeline", "prep").returncode == 0
    started = swept.start("sweep", P="max_evals=1,5")
    wait_for((swept.folder("quickstart-max_evals-1") / "notebooks" / ".04_tune.open.json").exists)
    kill_group(started)
    wait_for(lambda: processes(swept) == [])
    assert not (swept.outputs / "closed.txt").exists()
    swept.replace("04_tune", "import time; time.sleep(60)\n", "")
    words = {"sweep": ["sweep"], "pipeline": ["pipeline", "prep"]}[next_start]
    result = swept.run(*words, **({"P": "max_evals=1,5"} if next_start == "sweep" else {}))
    assert result.returncode == 0, result.stdout + result.stderr
    closed = (swept.outputs / "closed.txt").read_text()
    assert closed == "FAILED\n" * (2 if next_start == "sweep" else 1)  # the sweep's, and its step's
    assert list((swept.outputs / "sweeps").rglob(".*.open.json")) == []


@pytest.mark.parametrize("command", ["pipeline", "sweep"])
def test_no_run_takes_the_name_of_what_is_kept_beside_the_runs(tiny, command):
    for name in ("mlflow.db", "MLflow.db-wal", "last.json", "cache", "n" * 101):
        result = tiny.run(command, RUN=name, P="max_evals=1,2" if command == "sweep" else "")
        assert result.returncode == 2
        assert re.fullmatch(r"✗ RUN='.*' cannot name a run: .* are taken\.\n", result.stderr)
    assert not tiny.outputs.exists()


def test_the_tracked_run_of_a_sweep_that_was_stopped_before_its_first_step_is_closed(swept):
    path = swept.root / "lib" / "tracking.py"
    slow = 'run_id = property(lambda self: print("opened", flush=True) or __import__("time").sleep(60))'
    path.write_text(path.read_text().replace('run_id = "sweep-run"', slow))
    started = swept.start("sweep", P="max_evals=1,5")
    wait_for(lambda: "opened" in started.stdout.readline())
    started.send_signal(signal.SIGTERM)
    said, _ = started.communicate(timeout=30)
    assert started.returncode == 130
    assert "closed FAILED" in said
    assert "stopped by SIGTERM" in said


def test_a_mistake_in_any_point_is_refused_before_the_first_runs(tiny):
    result = tiny.run("sweep", P="max_evals=1,two")
    assert result.returncode == 2
    assert "max_evals must be int, not 'two'" in result.stderr
    assert not tiny.outputs.exists()


def test_a_run_under_another_name_links_what_would_come_out_the_same_but_not_with_force(done):
    result = done.run(RUN="other", P="max_evals=9")
    assert result.returncode == 0, result.stdout + result.stderr
    linked = [line.split()[1] for line in result.stdout.splitlines() if "linked from run quickstart" in line]
    assert sorted(linked) == [
        "01_ingest",
        "02_eda",
        "03_prep",
    ]
    assert "04_tune        started" in result.stdout
    assert (done.folder("other") / "raw.json").read_text() == (done.folder() / "raw.json").read_text()
    assert "All 4 steps of run other are up to date" in done.run(RUN="other", P="max_evals=9").stdout
    forced = done.run(RUN="third", FORCE="1")
    assert "linked" not in forced.stdout
    assert len(done.ran(forced)) == 4


def test_a_step_that_acts_outside_of_its_run_is_never_linked(done):
    done.replace("03_prep", 'writes=["train", "test"])', 'writes=["train", "test"], acts_on=["registry"])')
    assert done.run().returncode == 0
    result = done.run(RUN="other")
    assert "01_ingest      linked from run quickstart" in result.stdout
    assert "03_prep        started" in result.stdout


def test_what_was_changed_in_the_other_run_is_not_linked(done):
    (done.folder() / "raw.json").write_text("[1]")
    result = done.run("pipeline", "ingest", RUN="other")
    assert "01_ingest      started" in result.stdout


def test_a_first_run_that_failed_takes_no_figures_from_the_others(tmp_path):
    points = grids.read("seed=1,2", "taxi")
    project = paths.Project(tmp_path, tmp_path)
    cut = Tuned("all", "rmse", {}, {}, 12, 50, 2, "its time was over")
    cut.write(tmp_path / points[1].run / "tuned.json")
    for point in points:
        Metrics({"validation_rmse": 5.0, "test_rmse": 6.0}).write(tmp_path / point.run / "metrics.json")
    seconds = dict.fromkeys([point.run for point in points], 1.0)
    table = sweep.compare(points, project, seconds, done={points[1].run})
    assert [(row["seed"], row["validation_rmse"], row["test_rmse"], row["trials"]) for row in table] == [
        ("2", 5.0, 6.0, "12 of 50 trials, as its time was over; 2 failed"),
        ("1", None, None, None),
    ]


def test_what_goes_with_the_figures_of_a_sweep_is_said_in_its_table_its_chart_and_beside_them(tmp_path):
    points = grids.read("feature_set=honest,told", "taxi")
    project = paths.Project(tmp_path, tmp_path)
    for point, late in zip(points, ([], ["title", "album"]), strict=True):
        search = Tuned(point.values["feature_set"], "rmse", {}, {}, 12, 12).admitting(late)
        search.write(tmp_path / point.run / "tuned.json")
        Metrics({"validation_rmse": 5.0, "test_rmse": 6.0}).write(tmp_path / point.run / "metrics.json")
        Cautions(["The future judges the past here."]).write(tmp_path / point.run / "cautions.json")
    runs = [point.run for point in points]
    table = sweep.compare(points, project, dict.fromkeys(runs, 1.0), done=set(runs))
    assert [row["known only after"] for row in table] == ["", "title, album"]
    assert cautions_of([tmp_path / run for run in runs]) == [
        f"The future judges the past here. ({', '.join(runs)})"
    ]
    labels = [label.get_text() for label in pictures.runs(table).axes[0].get_yticklabels()]
    assert labels == ["feature_set=honest", "feature_set=told\nknown only after: title, album"]
    first = sweep.compare(points[:1], project, dict.fromkeys(runs, 1.0), done=set(runs[:1]))
    assert "known only after" not in first[0]


def test_the_page_and_the_closing_lines_of_a_sweep_say_what_must_be_minded(swept):
    said = json.dumps(json.dumps(Cautions(["The future judges the past here."]).to_mapping()))
    write = f"step.folder.joinpath('cautions.json').write_text({said})"
    swept.replace("04_tune", "step.close", f"{write}\nstep.close")
    result = swept.run("sweep", P="max_evals=1,5")
    runs = "quickstart-max_evals-5, quickstart-max_evals-1"
    assert f"Mind: The future judges the past here. ({runs})" in result.stdout
    page = (swept.outputs / "sweeps" / "quickstart" / "index.html").read_text()
    assert "<b>Mind:</b> The future judges the past here." in page


def test_the_seconds_of_a_point_are_of_its_own_steps(swept):
    tiny = swept
    tiny.replace("04_tune", "step.write(", "import time; time.sleep(2)\nstep.write(")
    assert tiny.run("sweep", P="max_evals=1,5").returncode == 0
    table = json.loads((tiny.outputs / "sweeps" / "quickstart" / "sweep.json").read_text())["runs"]
    for row in table:
        paths_of_records = (tiny.folder(row["run"]) / "notebooks").glob("[0-9]*.json")
        seconds = sum(json.loads(path.read_text())["seconds"] for path in paths_of_records)
        assert row["seconds"] == pytest.approx(seconds, abs=0.1)


def test_a_linked_step_leaves_nothing_of_what_was_there_before(done):
    other = done.run(RUN="other", P="rows=5")
    assert other.returncode == 0, other.stdout + other.stderr
    page = done.folder("other") / "notebooks" / "01_ingest.html"
    assert "rows = 5" in "".join(re.sub(r"<[^>]*>", "", page.read_text()).split("\n"))
    page.with_suffix(".failed.html").write_text("of an earlier attempt")
    again = done.run(RUN="other")
    assert "01_ingest      linked from run quickstart" in again.stdout
    shown = re.sub(r"<[^>]*>", "", page.read_text())
    assert "rows = 5" not in shown
    assert "alpha.rows(rows)" in shown
    assert not page.with_suffix(".failed.html").exists()


def test_files_from_outside_are_read_again_by_a_run_of_another_name(done):
    done.replace("01_ingest", 'problem: str = "tiny"', 'problem: str = "tiny"\nsource: str = "generated"')
    assert done.run(P="source=published").returncode == 0
    result = done.run(RUN="other", P="source=published")
    assert "01_ingest      started" in result.stdout
    assert "02_eda         linked from run quickstart" in result.stdout


def test_what_is_written_into_a_linked_run_changes_no_other(done):
    assert done.run("pipeline", "ingest", RUN="other").returncode == 0
    before = (done.folder() / "raw.json").read_text()
    for name in ("raw.json", "notebooks/01_ingest.ipynb"):
        with (done.folder("other") / name).open("r+") as file:  # as JupyterLab saves
            file.truncate(0)
    assert (done.folder() / "raw.json").read_text() == before
    assert "All 1 steps of run quickstart are up to date" in done.run("pipeline", "ingest").stdout
    third = done.run("pipeline", "ingest", RUN="third")
    assert "linked from run quickstart" in third.stdout


def test_a_result_that_is_linked_on_says_which_run_made_it(done):
    assert done.run("pipeline", "ingest", RUN="another").returncode == 0
    assert done.run("pipeline", "ingest", RUN="third").returncode == 0
    record = json.loads((done.folder("third") / "notebooks" / "01_ingest.json").read_text())
    assert record["linked_from"] == "quickstart"
