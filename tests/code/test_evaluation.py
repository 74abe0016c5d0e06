"""Metrics, slices and blocks, each by a known answer."""

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


def test_metrics_of_numbers_are_scikit_learn_s():
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    y, said = np.random.default_rng(0).normal(size=(2, 500))
    theirs = {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
    found = evaluation.metrics("regression", y, said)
    assert found == pytest.approx({name: metric(y, said) for name, metric in theirs.items()})


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


def test_slices_come_worst_first_and_small_groups_are_left_out():
    y = np.zeros(100)
    prediction = np.r_[np.full(40, 1.0), np.full(50, 3.0), np.full(10, 99.0)]
    groups = {"part": pd.Series(["a"] * 40 + ["b"] * 50 + ["tiny"] * 10)}
    table = evaluation.by_slice("rmse", "regression", y, prediction, groups)
    assert table["group"].tolist() == ["b", "a"]
    assert table["rmse"].tolist() == [3.0, 1.0]


def test_a_group_is_scored_on_its_own_rows_wherever_they_stand():
    """Errors 1, 2, 3 in turn: each group's rows are spread over all of them."""
    y, errors = np.zeros(90), np.tile([1.0, 2.0, 3.0], 30)
    table = evaluation.by_slice("mae", "regression", y, list(errors), {"part": pd.Series([*"abc"] * 30)})
    assert table.set_index("group")["mae"].to_dict() == {"c": 3.0, "b": 2.0, "a": 1.0}


def test_blocks_spread_the_target_evenly_and_are_always_the_same():
    y = np.repeat(list("abcde"), 40)
    which = evaluation.blocks(y)
    assert (pd.crosstab(y, which) == 4).all(axis=None)
    assert (which == evaluation.blocks(y)).all()
    assert evaluation.blocks(np.zeros(1000)).tolist() == [*range(10)] * 100  # of rows alike in their order


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


CHANCES = pd.DataFrame({"a": [0.8, 0.3, 0.6, 0.1], "b": [0.2, 0.7, 0.4, 0.9]})


def test_probabilities_without_names_need_the_names_of_their_classes():
    with pytest.raises(DataError, match=r"^Probabilities without names: give .* or `classes`\.$"):
        evaluation.metrics("classification", list("abab"), CHANCES.to_numpy())
    by_names = evaluation.metrics("classification", list("abab"), CHANCES.to_numpy(), ["a", "b"])
    assert by_names == evaluation.metrics("classification", list("abab"), CHANCES)
    for name, value in by_names.items():
        assert (
            evaluation.metric(name, "classification", list("abab"), CHANCES.to_numpy(), ["a", "b"]) == value
        )


def test_classes_may_be_numbers():
    chances = CHANCES.rename(columns={"a": 0, "b": 1})
    assert evaluation.metrics("classification", [0, 1, 0, 1], chances)["accuracy"] == 1.0
    assert evaluation.metric("auc", "classification", [0, 1, 1, 0], chances) == 0.5


def test_f1_is_the_mean_over_classes_and_zero_for_one_that_is_never_said():
    """Of a, a, a, b all are called a: f1 of a is 2 * 0.75 / 1.75, that of b is 0."""
    chances = pd.DataFrame({"a": [0.9] * 4, "b": [0.1] * 4})
    found = evaluation.metrics("classification", ["a", "a", "a", "b"], chances)
    assert found["f1"] == pytest.approx((1.5 / 1.75 + 0) / 2)


def test_truths_that_are_all_alike_have_no_r2():
    found = evaluation.metrics("regression", [2, 2], [1, 3])
    assert found["rmse"] == found["mae"] == 1.0
    assert np.isnan(found["r2"])


def test_a_metric_is_good_in_the_way_that_its_sign_says():
    assert [evaluation.sign(name) for name in ("rmse", "mae", "log_loss")] == [1, 1, 1]
    assert [evaluation.sign(name) for name in ("r2", "auc", "accuracy", "f1")] == [-1, -1, -1, -1]


def test_the_scores_of_blocks_are_those_of_their_rows():
    """Ten blocks of two rows each; the error of a row is its place in the order of the truths."""
    y = np.arange(20.0)
    which = evaluation.blocks(y)
    assert which.tolist() == [*range(10), *range(10)]
    found = evaluation.block_scores("mae", "regression", y, y + np.arange(20))
    assert found == [(block + block + 10) / 2 for block in range(10)]
    assert evaluation.blocks(y[::-1]).tolist() == which.tolist()[::-1]
    assert evaluation.blocks(y, 4).max() == 3


def test_the_scores_of_blocks_of_classes_are_those_of_their_rows():
    y = list("ab") * 10
    right = pd.DataFrame({"a": [0.9, 0.2] * 10, "b": [0.1, 0.8] * 10, "label": y})
    assert evaluation.block_scores("accuracy", "classification", y, right) == [1.0] * 10
    array = right[["a", "b"]].to_numpy()
    assert evaluation.block_scores("accuracy", "classification", y, array, ["b", "a"]) == [0.0] * 10


def test_slices_of_a_metric_of_which_more_is_better_come_worst_first_too():
    y = np.array(["a", "b"] * 60)
    chances = pd.DataFrame({"a": np.tile([0.9, 0.1], 60), "b": np.tile([0.1, 0.9], 60)})
    chances.iloc[:40] = 0.5  # the first forty rows are told apart by nothing
    groups = {
        "part": pd.Series(["first"] * 40 + ["second"] * 80),
        "half": pd.Series([1] * 60 + [2] * 60),
        "kind": pd.Series(y),  # a single class in each: no number
    }
    table = evaluation.by_slice("auc", "classification", y, chances.assign(label=y), groups)
    assert list(table) == ["slice", "group", "rows", "auc"]
    assert table[["slice", "group", "rows"]].to_numpy().tolist() == [
        ["part", "first", 40], ["half", "1", 60], ["part", "second", 80], ["half", "2", 60],
    ]  # fmt: skip
    assert table["auc"].iloc[0] == 0.5
    assert table["auc"].iloc[2] == table["auc"].iloc[3] == 1.0
    assert table.index.tolist() == [0, 1, 2, 3]


def test_a_slice_tells_groups_of_thirty_rows_unless_told_otherwise():
    y = np.zeros(100)
    groups = {"part": pd.Series(["a"] * 41 + ["b"] * 30 + ["c"] * 29)}
    found = evaluation.by_slice("mae", "regression", y, y + 1, groups)
    assert set(found["group"]) == {"a", "b"}
    assert set(evaluation.by_slice("mae", "regression", y, y + 1, groups, 29)["group"]) == {"a", "b", "c"}


def test_the_shares_of_classes_are_in_the_order_of_their_names_a_row_each():
    found = evaluation.constant("classification", ["b", "a", "b", "b"], 2)
    assert found.to_dict("list") == {"a": [0.25, 0.25], "b": [0.75, 0.75]}
    assert evaluation.constant("regression", ["1", "4"], 3).tolist() == [2.5] * 3
