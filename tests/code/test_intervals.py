"""The picture of prediction intervals: how wide, how often right, and silent where chance explains it."""

import numpy as np
import pandas as pd

from lib.plots import intervals
from lib.runtime import conformal


def numbers(rows, seed, shift=0.0):
    random = np.random.default_rng(seed)
    prediction = random.uniform(1, 10, rows)
    return prediction + prediction * random.normal(shift, 1, rows), prediction


def page(seed, test_rows=1000, shift=0.0, learnt=1000):
    around = conformal.around(numbers(test_rows, seed + 1)[1], conformal.learn(*numbers(learnt, seed)), 0.9)
    y, prediction = numbers(test_rows, seed + 1, shift)
    held = conformal.covered(y, around)
    return intervals.bins(intervals.size(prediction), around, held, 0.9, learnt), held


def test_width_grows_with_the_prediction_and_coverage_is_told():
    table, held = page(1, 3000, learnt=3000)
    assert len(table) == 10
    assert table["width"].iloc[-1] > 4 * table["width"].iloc[0]
    said = intervals.read(table, held, 0.9, True, "min")
    assert said.startswith(f"Of the 3,000 test rows {held.mean():.1%} are in the interval, of 90% that were")
    assert f"It is {table['width'].iloc[0]:.3g} min wide for the smallest predictions" in said
    left, right = intervals.drawn(table, 0.9, True, "min").axes
    assert left.get_ylabel() == "width of the interval, min"
    assert [text.get_text() for text in right.get_legend().get_texts()][1] == "promised: 90%"


def test_where_the_promise_holds_chance_is_not_called_a_miss():
    """At most 5 of 100 pages may; here of 60."""
    missed = sum(
        "misses by more than chance" in intervals.read(*page(seed), 0.9, True) for seed in range(0, 600, 10)
    )
    assert missed <= 6


def test_where_test_rows_differ_the_miss_is_told_and_where():
    said = intervals.read(*page(3, shift=2.0), 0.9, True, "min")
    assert "bins by the prediction it misses by more than chance, most around" in said


def test_of_few_rows_nothing_is_drawn_and_the_sentence_says_why():
    table, held = page(4, 150)
    assert intervals.drawn(table, 0.9, True) is None
    assert intervals.read(table, held, 0.9, True) == (
        "150 test rows are too few to say how often the truth lies inside."
    )


def test_of_classes_the_set_is_counted_by_the_largest_probability():
    random = np.random.default_rng(0)
    shares = random.dirichlet([1, 1, 1], 2000)
    truth = np.array(list("abc"))[(shares.cumsum(axis=1) < random.random((2000, 1))).sum(axis=1)]
    chances = pd.DataFrame(shares, columns=list("abc"))
    around = conformal.around(chances, conformal.learn(truth, chances), 0.9)
    held = conformal.covered(truth, around)
    table = intervals.bins(intervals.size(chances), around, held, 0.9, 2000)
    assert table["width"].iloc[0] > 2 > table["width"].iloc[-1]
    said = intervals.read(table, held, 0.9, False)
    assert f"It has {table['width'].iloc[0]:.2f} classes on average where the model is least sure" in said
    assert intervals.drawn(table, 0.9, False).axes[0].get_ylabel() == "classes in the set"
