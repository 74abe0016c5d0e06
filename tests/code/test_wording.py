"""Figures in sentences: a gain with its sign or its word, and no number as machines write it."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from lib import explain
from lib.evaluation import admissions, scores
from lib.plots import attributions, calibration, data, intervals, residuals, searches
from lib.problem import load
from lib.records import Tuned
from lib.registry import verdict
from lib.registry.contest import Contest
from lib.registry.location import Version
from lib.runtime import conformal
from lib.tuning import insight, selection
from lib.uncertainty import gains
from lib.wording import lead, rounded, signed


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.37, "+0.37"), (-8.48e-5, "-0.0000848"), (1234.5, "+1,230"), (-123456.0, "-123,000"), (0.0, "+0"),
        (-0.0, "+0"), (-3e-17, "+0"), (2.0, "+2"), (np.float64(0.1), "+0.1"),
    ],
)  # fmt: skip
def test_a_difference_has_its_sign_three_digits_and_no_exponent(value, said):
    assert signed(value) == said
    assert signed(value, "min") == f"{said} min"
    assert rounded(value) == said.removeprefix("+")


@pytest.mark.parametrize(
    ("gain", "of", "said"),
    [
        (0.37, 5.0, "0.37 min better"), (-0.37, 5.0, "0.37 min worse"), (4e-4, 5.0, "no better"),
        (-8.48e-5, 0.5, "0.0000848 min worse"), (2500.0, 9000.0, "2,500 min better"), (0.0, 0.0, "no better"),
    ],
)  # fmt: skip
def test_a_lead_says_better_or_worse_or_that_there_is_none(gain, of, said):
    assert lead(gain, of, "min") == said


def of_scale(scale):
    """What the pages say of gains where all errors are about as large as `scale`."""
    rng = np.random.default_rng(0)
    y = scale * rng.normal(size=400)
    near, far = y + scale * rng.normal(size=400), y + 1.01 * scale * rng.normal(size=400)
    problem = SimpleNamespace(
        task="regression", metric="rmse", slices={}, blocks=lambda rows: None,
        target=SimpleNamespace(name="y", unit="$"), words=SimpleNamespace(rows="rows"),
    )  # fmt: skip
    rows = pd.DataFrame({"y": y})
    contest = Contest(problem, rows, near, y + 3 * (far - y), "version 1")
    yield contest.read()
    yield contest.read_pairing()
    gained = pd.DataFrame({"gain": [0.0, 9.0, -9.0], "low": [-1.0, 8.0, -10.0], "high": [1.0, 10.0, -8.0]})
    yield contest.read_gains(scale * gained.set_axis(["all rows", "a", "b"]))
    reported = {"workbook.test_score": f"rmse {2 * scale}"}
    old, new = (Version("rooms", number, "d" * 64, "", reported) for number in (1, 2))
    yield verdict.of(new, old, contest, "champion")[1]
    yield verdict.of(new, old, Contest(problem, rows, far, near, "version 1"), "champion")[1]
    yield verdict.read_reported(verdict.Verdict(new, old, "better", "", contest, old))
    yield gains.read(gains.over("rmse", "regression", y, {"kept": near, "line": far}, "kept"), "$")
    table = pd.DataFrame({"known only after": ["none", "x"], "rmse": [scale, 1.01 * scale]}, ["a", "b"])
    yield admissions.read(table, "a")
    figures = scores.Scores("regression")
    sides = {"validation": far, "constant": 0 * y, "linear": far, "on train alone": far, "refitted": near}
    figures.add_all(y, sides)
    yield figures.read("rmse")
    trials = pd.DataFrame(
        {
            "number": [0, 1], "family": ["f", "g"], "status": "ok", "score": [scale, 1.01 * scale],
            "blocks": [[scale] * 10, [0.9 * scale, 1.12 * scale] * 5], "comparisons": [9.0, 1.0],
        }
    )  # fmt: skip
    yield selection.read_selection(trials, "rmse")
    curve = pd.DataFrame({"train_rmse": scale, "validation_rmse": [3 * scale, scale]}, index=[1, 9])
    yield searches.read_rounds(curve, "rmse")
    lost = {"worse": [scale], "chance": 0.0, "rows": 400, "known": "before", "refit": scale}
    yield attributions.read_permutation(pd.DataFrame(lost, ["x"]), "rmse")
    yield residuals.read_errors("regression", y, near)


@pytest.mark.parametrize("scale", [2e-5, 1.0, 3e6])
def test_no_sentence_about_a_gain_has_an_exponent(scale):
    said = list(of_scale(scale))
    assert len(said) == 13
    for one in said:
        assert one
        assert not pd.Series([one]).str.contains(r"\d[eE][+-]\d").any(), one


def of_numbers(scale, folder):
    """What the pages say of targets and errors that are about as large as `scale`."""
    rng = np.random.default_rng(0)
    y = scale * rng.uniform(1, 9, 3000)
    near = y + 0.3 * scale * rng.normal(size=3000)
    yield calibration.read("regression", y, 1.5 * near, "$")
    around = conformal.around(near, conformal.learn(y, 0.9 * near), 0.8)
    held = conformal.covered(y, around)
    yield intervals.read(intervals.bins(near, around, held, 0.8, 3000), held, 0.8, True, "$")
    figures = scores.Scores("regression")
    figures.add("validation", y, near)
    now = figures.of("validation", "rmse")
    yield scores.read_repeat(figures, Tuned("all", "rmse", {"score": now}, {}, 1))
    yield scores.read_repeat(figures, Tuned("all", "rmse", {"score": 1.1 * now}, {}, 1))
    yield scores.read_repeat(figures, Tuned("all", "rmse", {"score": 1.1 * now}, {}, 1, folds=3))
    times = dict.fromkeys(["load_seconds", "one_row_us", "bulk_row_us"], 1.0)
    yield scores.read_reload(y, near, times, folder)
    choice = {"family": "lasso", "parameters": {"alpha": scale}, "rounds": None, "reason": ""}
    yield insight.read_settings(pd.Series(choice))
    taxi = dataclasses.replace(load("green_taxi"), slices={})
    yield "; ".join(taxi.sliced(pd.DataFrame({"duration": y}))["quarter of duration"].unique())
    yield explain._plain(float(y[0]))
    trials = pd.DataFrame({"status": "ok", "score": [now, 2 * now], "family": ["a", "b"]})
    trials["parameters"] = [{"x": scale}] * 2
    space = {"x": ("uniform", scale / 3, 3 * scale)}
    drawn = searches.families(trials, "rmse"), searches.parallel(trials, "rmse", space)
    for one in (*drawn, data.target_number(pd.Series(y), pd.Series(near), "price", "$", "all")):
        for text in one.findobj(Text):
            yield f"picture: {text.get_text()}"


@pytest.mark.parametrize("scale", [2e-5, 1.0, 3e6])
def test_no_figure_of_a_page_is_written_as_machines_do(scale, tmp_path):
    for one in of_numbers(scale, tmp_path):
        assert one
        assert not pd.Series([one]).str.contains(r"\d[eE][+-]?\d").any(), one


@pytest.mark.parametrize(
    ("told", "said"), [(1.2, "(0.2 worse)"), (0.9, "(0.1 better)"), (1.00001, "(no better)")]
)
def test_what_columns_known_only_after_bring_may_be_nothing_or_less(told, said):
    table = pd.DataFrame({"known only after": ["none", "x"], "rmse": [1.0, told]}, ["honest", "told"])
    assert said in admissions.read(table, "honest")
