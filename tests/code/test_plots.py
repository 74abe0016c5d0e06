"""Figures whose scale must not depend on what happens to be in them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from lib import uncertainty
from lib.plots import data, residuals, shapes, style, versions


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
        residuals.confusion(names, chances),
        residuals.roc(names, chances),
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
        axes = residuals.confusion(truth, prediction).axes[0]
        assert axes.collections[0].get_clim() == (0, 100)
        assert all(text.get_text().endswith("%") for text in axes.texts if text.get_text())


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
