"""Figures whose scale must not depend on what happens to be in them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from lib.plots import residuals, shapes


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
