"""Figures whose scale must not depend on what happens to be in them."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from lib import uncertainty
from lib.plots import calibration, classes, data, residuals, searches, shapes, style, versions


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_bars_below_zero_are_drawn_with_their_texts():
    """An R² may be negative: the constant's is, a little, on other rows."""
    table = pd.DataFrame({"r2": [0.8, -0.02, -0.3], "kept": [True, False, False]}, index=["a", "b", "c"])
    axes = residuals.models(table, "r2").axes[0]
    low, high = axes.get_xlim()
    assert low < -0.3
    assert high > 0.8
    assert sorted(bar.get_width() for bar in axes.patches if bar.get_width()) == [-0.3, -0.02, 0.8]
    assert [text.get_text().strip() for text in axes.texts] == ["0.800", "-0.020", "-0.300"]


def test_where_all_bars_are_negative_the_axis_is_not_turned_round():
    axes = shapes.bars(pd.Series([-2.0, -1.0], index=["a", "b"]), "r2", texts=["-2", "-1"]).axes[0]
    low, high = axes.get_xlim()
    assert low < -2 < high


#: Each is a formula to matplotlib, and the last ones none that it could read.
DOLLARS = ["$x$", "cost_$_per_$", "$50%_$", "$^$", "rent_$"]


def test_dollars_in_names_and_categories_are_drawn_as_they_are(tmp_path):
    rng = np.random.default_rng(0)
    names = pd.Series(rng.choice(DOLLARS, 300))
    rows = pd.DataFrame(rng.lognormal(1, 2, size=(300, 2)), columns=["rent_$ in $", "%_$_$"]).assign(
        band=names
    )
    chances = pd.DataFrame(rng.random((300, len(DOLLARS))), columns=DOLLARS)
    counts = pd.DataFrame({"n": [3, 2], "share": [0.6, 0.4]}, index=DOLLARS[:2])
    groups = pd.DataFrame({"slice": "$_$", "group": DOLLARS, "rows": 9, "rmse": np.arange(5.0)})
    gains = pd.DataFrame({"gain": 1.0, "low": -1.0, "high": 2.0, "rows": 9}, index=DOLLARS)
    drawn = [
        data.target_number(rows["rent_$ in $"], rows["%_$_$"], "$^$", "$_$"),
        data.target_classes(counts, "a_$_b_$"),
        data.frequent(rows, {"band": str}),
        data.numbers(rows, {"rent_$ in $": "$_$", "%_$_$": ""}),
        data.with_target(pd.DataFrame({"explained": 0.5, "known": "after"}, index=DOLLARS), "$_$"),
        data.by_column(
            rows,
            {"%_$_$": "%_$_$", "band": "$_$"},
            {"%_$_$": str, "band": str},
            {"%_$_$": "$"},
            "rent_$ in $",
            "$_$",
        ),
        data.class_profile(rows, ["%_$_$"], "band"),
        data.in_order(names, "$_$", ""),
        classes.confusion(names, chances),
        classes.roc(names, chances),
        residuals.slices(groups, "rmse", 2.0, "$_$"),
        versions.gains(gains, "rmse", "$_$", "mine_$_$"),
        shapes.points(rows["%_$_$"], rows["%_$_$"], ("$_$", "$^$"), names),
    ]
    for number, figure in enumerate(drawn):
        figure.savefig(tmp_path / f"{number}.png")  # a formula that cannot be read is an error here
        labels = [text for text in figure.findobj(Text) if "$" in text.get_text() and text.get_visible()]
        said = [text for text in labels if "mathdefault" not in text.get_text()]  # a power of ten
        assert said, number
        assert not any(text.get_parse_math() for text in said), number


def test_powers_of_ten_are_still_set_as_such():
    @style.figure
    def powers():
        figure, axes = plt.subplots()
        axes.plot([1, 1e6])
        axes.set_yscale("log")
        return figure

    labels = powers().axes[0].get_yticklabels()
    powers_of_ten = [label for label in labels if "mathdefault" in label.get_text()]
    assert powers_of_ten
    assert all(label.get_parse_math() for label in powers_of_ten)


def test_better_and_worse_are_told_by_their_shape_and_by_a_word():
    table = pd.DataFrame(
        {"gain": [2.0, -2, 0], "low": [1.0, -3, -1], "high": [3.0, -1, 1], "rows": [9, 9, 9]}
    )
    axes = versions.gains(table, "rmse", "min", "the mean").axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["better", "worse", "undecided"]
    silent = pd.concat([table, table.assign(low=np.nan, high=np.nan)], ignore_index=True)
    legend = versions.gains(silent, "rmse", "min", "the mean").axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["better", "worse", "undecided", "no interval"]
    marks = [dots for dots in axes.collections if isinstance(dots, PathCollection)]
    assert len({dots.get_paths()[0].vertices.tobytes() for dots in marks}) == 3


def test_the_squares_of_two_confusion_matrices_can_be_compared():
    """The same share has the same colour in each: the scale is 0 to 100 %, whatever the largest share."""
    rng = np.random.default_rng(1)
    names = ["a", "b", "c"]
    truth = rng.choice(names, 300)
    guessed = pd.DataFrame(rng.random((300, 3)), columns=names)
    perfect = pd.get_dummies(pd.Series(truth)).astype(float)
    for prediction in (guessed, perfect):
        axes = classes.confusion(truth, prediction).axes[0]
        assert axes.collections[0].get_clim() == (0, 100)
        assert all(text.get_text().endswith("%") for text in axes.texts if text.get_text())


def chances(rows, names, seed):
    return pd.DataFrame(np.random.default_rng(seed).dirichlet([1.0] * len(names), rows), columns=names)


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c", "d"]])
def test_of_answers_that_are_luck_no_class_is_named(names):
    """Of 60 pages whose classes are drawn by a coin at most one may name a class, by either picture."""
    named = 0
    for seed in range(60):
        truth = np.random.default_rng(100 + seed).choice(names, 300)
        asked = "classification", truth, chances(300, names, seed)
        named += "**" in residuals.read_against(*asked) + residuals.read_errors(*asked)
    assert named <= 1


def test_a_model_that_calls_all_rows_alike_is_not_said_to_know_one_class():
    truth = np.repeat(["a", "b", "c"], 100)
    constant = pd.DataFrame({"a": 0.4, "b": 0.3, "c": 0.3}, index=range(300))
    assert "**" not in residuals.read_against("classification", truth, constant)
    assert "**" not in residuals.read_errors("classification", truth, constant)


def test_a_class_of_few_rows_is_neither_best_nor_worst_nor_mixed_up():
    """`gone` has no row in test and `rare` five, all wrong; `a` is found nine times of ten, `b` always."""
    names = ["a", "b", "c", "gone", "rare"]
    truth = np.repeat(["a", "b", "c", "rare"], [200, 200, 200, 5])
    called = truth.copy()
    called[:20], called[400:500], called[600:] = "c", "b", "a"
    said = pd.get_dummies(pd.Series(called)).reindex(columns=names, fill_value=0).astype(float)
    text = residuals.read_against("classification", truth, said)
    assert "**b** is predicted best (100% of its rows), **c** worst (50%)" in text
    assert "mix-up: 50% of c is called b" in text
    assert "gone" not in text
    assert "rare is" not in text
    curves = residuals.read_errors("classification", truth, said)
    assert "rare" not in curves
    assert "gone" not in curves
    squares = residuals.against("classification", truth, said).axes[0].collections[0].get_array()
    assert np.ma.masked_invalid(squares).reshape(5, 5).mask.all(axis=1).tolist() == [False] * 3 + [
        True,
        False,
    ]
    assert "nothing is read of so few" in residuals.read_against("classification", truth[:210], said[:210])
    assert "of so few no area" in residuals.read_errors("classification", truth[:210], said[:210])


def test_of_errors_that_are_luck_neither_a_lean_nor_a_longer_tail_is_read():
    """Of 60 pages with even errors at most one may read either; of a lean and a tail that are there, both."""
    loud = 0
    for seed in range(60):
        prediction, error = np.random.default_rng(seed).normal(size=(2, 1000))
        text = residuals.read_errors("regression", prediction + error, prediction)
        loud += "Nowhere does the median lean" not in text or "Neither tail" not in text
    assert loud <= 1
    skewed = residuals.read_errors("regression", prediction + np.exp(error), prediction)
    assert "The median leans furthest from zero, +" in skewed
    assert "The upper tail is the longer one" in skewed
    few = residuals.read_errors("regression", error[:50], prediction[:50])
    assert few.endswith("nothing is read of so few.")
    assert "largest truth" not in residuals.read_against("regression", error[:500], prediction[:500])
    assert "too few" in residuals.read_against("regression", error[:20], prediction[:20])


def test_large_errors_are_written_as_people_write_them():
    """Prices of houses: 43,512 and not 4.35e+04."""
    prediction, error = 1e6 * np.random.default_rng(0).random((2, 1000))
    y = prediction + error
    said = residuals.read_errors("regression", y, prediction) + residuals.read_against("regression", y, error)
    assert "e+0" not in said
    assert re.search(r"\+\d{2,3},\d{3}", said)


def overlapping(figure) -> list[tuple[str, str]]:
    """Pairs of neighbouring labels of an axis below the picture that touch."""
    figure.canvas.draw()
    found = []
    for axes in figure.axes:
        low, high = axes.get_xlim()
        labels = [label for label in axes.get_xticklabels() if low <= label.get_position()[0] <= high]
        boxes = [label.get_window_extent() for label in labels]
        pairs = zip(labels, labels[1:], boxes, boxes[1:], strict=False)
        found += [(a.get_text(), b.get_text()) for a, b, left, right in pairs if left.x1 > right.x0]
    return found


@pytest.mark.parametrize("largest", [9_000, 90_000, 900_000, 9_000_000, 90_000_000])
def test_long_numbers_on_an_axis_do_not_touch(largest):
    rows = pd.DataFrame(np.random.default_rng(0).random((400, 3)) * largest, columns=["a", "b", "c"])
    assert overlapping(data.numbers(rows, dict.fromkeys(rows, "ms"))) == []


def test_a_name_that_is_cut_says_so():
    room = ["Manhattan|Entire home/apt", "Manhattan|Private room", "Bronx|Shared room"] * 30
    rows = pd.DataFrame({"room": room, "price": range(90)})
    figure = data.by_column(rows, {"room": "room"}, {"room": lambda value: 3 * value}, {}, "price", "$")
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert shown[0] == "Bronx|Shared roomBronx|Shared roomBronx|Sha…"
    assert all(len(label) == 44 for label in shown)
    shown = [label.get_text() for label in data.frequent(rows, {"room": str}).axes[0].get_yticklabels()]
    assert set(shown) == {"Bronx|Shared room", "Manhattan|Entire ho…", "Manhattan|Private r…"}


def test_the_interval_of_a_gain_is_a_band_where_there_is_one():
    y = np.random.default_rng(0).normal(size=(3, 60))
    for draws, bands in ((99, 1), (20, 0)):
        found = uncertainty.of_gain("rmse", "regression", *y, draws=draws)
        right = versions.luck(found, "min", "version 1").axes[1]
        spans = [patch for patch in right.patches if patch.get_alpha() == 0.15]
        assert len(spans) == bands


def test_an_axis_has_numbers_as_they_are_and_not_from_an_offset():
    @style.figure
    def close():
        figure, axes = plt.subplots()
        axes.plot([5.3, 5.3 + 1e-10], [0, 1])
        figure.canvas.draw()
        return figure

    assert close().axes[0].xaxis.get_major_formatter().get_offset() == ""


@pytest.mark.parametrize("metric", ["rmse", "auc"])
def test_no_error_bar_of_the_choice_between_equals_is_cut_off(metric):
    """Eight trials that are all but equal, and one whose bar is longer than all scores lie apart."""
    table = pd.DataFrame({"score": 5 + 0.001 * np.arange(9), "comparisons": 2.0 ** np.arange(9)})
    table = table.assign(error=[0.001] * 8 + [1.0], equal=True, family="a", number=range(9), status="ok")
    axes = searches.choice(table, table.iloc[0], metric).axes[0]
    low, high = axes.get_ylim()
    assert low <= 5.008 - 1
    assert high >= 5.008 + 1


def test_the_bins_of_promises_are_those_of_scikit_learn():
    from sklearn.calibration import calibration_curve

    said = chances(3000, ["a", "b", "c"], 1)
    y = np.random.default_rng(2).choice(list("abc"), 3000)
    found = calibration.table("classification", y, said)
    asked = (y[:, None] == np.array(list("abc"))).ravel()
    came, promised = calibration_curve(asked, said.to_numpy().ravel(), n_bins=calibration.BINS)
    assert np.allclose(found["came"], came[: len(found)])
    assert np.allclose(found["promised"], promised[: len(found)])
    assert len(found) >= 9


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_no_error_bar_of_the_promises_is_cut_off(task):
    """Of 60 rows a bin the bars are long, and reach beyond the dots at both ends."""
    rng = np.random.default_rng(0)
    if task == "regression":
        prediction = rng.normal(size=600)
        y = prediction + 20 * rng.normal(size=600)
    else:
        prediction = pd.DataFrame({"no": (no := rng.uniform(0, 1, 600)), "yes": 1 - no})
        y = np.where(rng.random(600) < no, "no", "yes")
    found = calibration.table(task, y, prediction)
    low, high = calibration.figure(task, y, prediction).axes[0].get_ylim()
    assert low <= (found["came"] - 2 * found["error"]).min()
    assert high >= (found["came"] + 2 * found["error"]).max()


def test_two_models_that_say_the_same_are_not_drawn_and_a_constant_s_score_is_a_line():
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b"], 200)
    guess = pd.DataFrame(rng.dirichlet([1, 1], 200), columns=["a", "b"])
    flat = pd.DataFrame({"a": 0.5, "b": 0.5}, index=range(200))
    same = uncertainty.of_gain("auc", "classification", y, guess, guess.copy(), draws=99)
    assert versions.luck(same, "", "version 1") is None
    other = uncertainty.of_gain("auc", "classification", y, guess, flat, draws=99)
    left = versions.luck(other, "", "shares").axes[0]
    assert [line.get_xdata()[0] for line in left.lines] == pytest.approx([0.5])
    assert left.get_legend().get_texts()[-1].get_text() == "shares (the same in every draw)"
