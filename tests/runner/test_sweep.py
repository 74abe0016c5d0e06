"""A sweep: the grid that P says, what its runs share, and the table at the end."""

import json
import shutil

import pytest
from tiny import ROOT

from lib.errors import ParameterError
from lib.pipeline import grid, plan, project, sweep

TRACKED = """
class _Run:
    run_id = "sweep-run"
    def table(self, name, frame): print("table", len(frame))
    def figure(self, name, figure): pass
    def close(self, status): print("closed", status)


def open(**about):
    return _Run()
"""


@pytest.mark.parametrize(
    "text, found",
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
    assert grid.values(text, "key") == found


def test_every_combination_is_a_run_with_its_values_in_its_name():
    points = grid.points("feature_set=zoomcamp,rich seed=1 max_evals=10,20", "taxi")
    assert [point.p for point in points] == [
        "feature_set=zoomcamp seed=1 max_evals=10",
        "feature_set=zoomcamp seed=1 max_evals=20",
        "feature_set=rich seed=1 max_evals=10",
        "feature_set=rich seed=1 max_evals=20",
    ]
    assert points[0].run == "taxi-feature_set-zoomcamp-max_evals-10"
    assert dict(points[3].values) == {"feature_set": "rich", "max_evals": "20"}


def test_names_that_would_be_too_long_stay_apart():
    points = grid.points("models=" + ",".join(f"[{'x' * 90}{n}]" for n in range(3)), "taxi")
    assert len({point.run for point in points}) == 3
    assert all(len(point.run) <= 80 for point in points)


@pytest.mark.parametrize(
    "text, message",
    [
        ("seed=1", "nothing varies"),
        ("seed", "a sweep is told as"),
        ("seed=range(a,b)", "needs whole numbers"),
        ("seed=range(5,1,1)", "holds nothing"),
        ("seed=1,,2", "empty value"),
    ],
)
def test_a_grid_that_is_none_is_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        grid.points(text, "taxi")


def test_what_no_varying_parameter_reaches_is_shared(tiny):
    graph = plan.graph(project.Project(tiny.root, tiny.outputs))
    assert sweep.common(graph, grid.points("max_evals=1,2", "x")) == ["01_ingest", "02_eda", "03_prep"]
    assert sweep.common(graph, grid.points("keep=1,2", "x")) == ["01_ingest", "02_eda"]
    assert sweep.common(graph, grid.points("rows=1,2", "x")) == []


def test_a_sweep_runs_ingest_once_and_ends_with_a_table(tiny):
    tiny.module("tracking", (tiny.root / "lib" / "tracking.py").read_text() + TRACKED)
    (tiny.root / "lib" / "plots").mkdir()
    shutil.copy(ROOT / "lib" / "plots" / "style.py", tiny.root / "lib" / "plots" / "style.py")
    tiny.replace("04_tune", '{"test_rmse":', '{"validation_rmse": 10 - max_evals, "test_rmse":')
    tiny.replace(
        "04_tune",
        "step.close",
        'step.folder.joinpath("tuned.json").write_text(\'{"metric": "rmse"}\')\nstep.close',
    )
    result = tiny.run("sweep", P="max_evals=1,5")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["max_evals", "validation_rmse", "test_rmse", "seconds", "run"] in lines
    table = json.loads((tiny.outputs / "sweeps" / "quickstart" / "sweep.json").read_text())["runs"]
    assert [row["max_evals"] for row in table] == ["5", "1"]  # best on validation first
    assert "closed FINISHED" in result.stdout
    logs = {path.parent.name: path.read_text() for path in tiny.outputs.glob("quickstart-*/pipeline.log")}
    assert sorted(name for name, text in logs.items() if "01_ingest" in text and "✓ 01_ingest" in text) == [
        "quickstart-shared"
    ]
    assert "<svg" in (tiny.outputs / "sweeps" / "quickstart" / "index.html").read_text()


def test_a_mistake_in_any_point_is_refused_before_the_first_runs(tiny):
    result = tiny.run("sweep", P="max_evals=1,two")
    assert result.returncode == 2
    assert "max_evals must be int, not 'two'" in result.stderr
    assert not tiny.outputs.exists()


def test_a_first_run_that_failed_takes_no_figures_from_the_others(tmp_path):
    points = grid.points("seed=1,2", "taxi")
    folders = [tmp_path / point.run for point in points]
    for folder in folders:
        folder.mkdir()
    (folders[1] / "tuned.json").write_text('{"metric": "rmse"}')
    metrics = {"validation_rmse": 5.0, "test_rmse": 6.0}
    results = [sweep.Result(points[0], 1, 1.0, {}), sweep.Result(points[1], 0, 1.0, metrics)]
    table = sweep.compare(results, folders)
    assert [(row["seed"], row["validation_rmse"], row["test_rmse"]) for row in table] == [
        ("2", 5.0, 6.0),
        ("1", None, None),
    ]
