"""Metrics, intervals, slices and blocks, each by a known answer."""

import numpy as np
import pandas as pd
import pytest

from lib import evaluation
from lib.errors import DataError


def test_metrics_of_numbers_by_hand():
    """Errors 1, -1, 2 of truths 1, 2, 6: squares 6 / 3, absolutes 4 / 3; spread (4 + 1 + 9) / 3."""
    found = evaluation.metrics("regression", [1, 2, 6], [0, 3, 4])
    assert found["rmse"] == pytest.approx(2**0.5)
    assert found["mae"] == pytest.approx(4 / 3)
    assert found["r2"] == pytest.approx(1 - 6 / 14)


def test_metrics_of_two_classes_by_hand():
    """Of the 2 x 2 pairs of one positive and one negative, three are ranked rightly."""
    chances = pd.DataFrame({"no": [0.9, 0.4, 0.6, 0.2], "yes": [0.1, 0.6, 0.4, 0.8]})
    found = evaluation.metrics("classification", ["no", "no", "yes", "yes"], chances)
    assert found["auc"] == 0.75
    assert found["accuracy"] == 0.5
    assert found["f1"] == 0.5


def test_auc_of_several_classes_is_the_macro_mean_of_pairs():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    y = rng.choice(list("abc"), 300)
    raw = rng.random((300, 3)) + (y[:, None] == np.array(list("abc")))
    chances = pd.DataFrame(raw / raw.sum(axis=1, keepdims=True), columns=list("abc"))
    wanted = roc_auc_score(y, chances, multi_class="ovo", average="macro")
    assert evaluation.metric("auc", "classification", y, chances) == pytest.approx(wanted)


def test_a_label_beside_the_probabilities_is_not_a_class():
    chances = pd.DataFrame({"no": [0.9, 0.1], "yes": [0.1, 0.9], "label": ["no", "yes"]})
    assert evaluation.metrics("classification", ["no", "yes"], chances)["auc"] == 1.0


def test_an_unknown_metric_is_named_beside_those_that_are_there():
    with pytest.raises(DataError, match=r"no regression metric 'auk'.*rmse"):
        evaluation.metric("auk", "regression", [1, 2], [1, 2])


def test_the_interval_of_a_difference_covers_the_truth_as_often_as_it_says():
    """Noise of deviation 2 and 1 on 400 rows: RMSE differs by 1; about 95 of 100 intervals hold it."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(60):
        y = rng.normal(size=400)
        one, other = y + rng.normal(0, 1, 400), y + rng.normal(0, 2, 400)
        found = evaluation.interval("rmse", "regression", y, one, other, draws=100, seed=1)
        held += found["low"] <= 1.0 <= found["high"]
    assert 52 <= held <= 60


def test_a_gain_is_positive_where_the_first_is_better_whichever_way_the_metric_runs():
    y = np.arange(50.0)
    assert evaluation.interval("rmse", "regression", y, y, y + 1, draws=20)["low"] > 0
    assert evaluation.interval("r2", "regression", y, y, y + 9, draws=20)["low"] > 0


def test_slices_come_worst_first_and_small_groups_are_left_out():
    y = np.zeros(100)
    prediction = np.r_[np.full(40, 1.0), np.full(50, 3.0), np.full(10, 99.0)]
    groups = {"part": pd.Series(["a"] * 40 + ["b"] * 50 + ["tiny"] * 10)}
    table = evaluation.by_slice("rmse", "regression", y, prediction, groups)
    assert table["group"].tolist() == ["b", "a"]
    assert table["rmse"].tolist() == [3.0, 1.0]


def test_blocks_spread_the_target_evenly_and_are_always_the_same():
    y = np.repeat(list("abcde"), 40)
    which = evaluation.blocks(y)
    assert (pd.crosstab(y, which) == 4).all(axis=None)
    assert (which == evaluation.blocks(y)).all()


@pytest.mark.parametrize(("task", "y"), [("regression", [1.0, 3.0]), ("classification", ["a", "b"])])
def test_the_constant_baseline_says_the_mean_or_the_shares(task, y):
    said = np.asarray(evaluation.constant(task, y, 3))
    assert (said == (2.0 if task == "regression" else 0.5)).all()


def test_where_every_group_is_small_no_slice_is_told():
    from lib.plots import residuals

    few = evaluation.by_slice("rmse", "regression", [1.0, 2.0], [1.0, 3.0], {"kind": pd.Series(["a", "b"])})
    assert few.empty
    assert residuals.slices(few, "rmse", 0.7).axes == []
    assert "No group has the 30 rows" in residuals.read_slices(few, "rmse", 0.7)
