"""The area under the curve of several classes, counted by ranks: scikit-learn's number, sooner."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lib import evaluation


def drawn(rows: int, classes: int, ties: bool, seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    """Classes and probabilities that know a little of them."""
    random = np.random.default_rng(seed)
    names = np.array([f"class {i:02d}" for i in range(classes)])
    truth = random.integers(0, classes, rows)
    raw = random.random((rows, classes)) + 0.7 * (truth[:, None] == np.arange(classes))
    raw = raw.round(1) if ties else raw
    return names[truth], pd.DataFrame(raw / raw.sum(axis=1, keepdims=True), columns=names)


@pytest.mark.parametrize("classes", [2, 3, 15])
@pytest.mark.parametrize("ties", [False, True])
def test_it_is_scikit_learns(classes, ties):
    y, chances = drawn(700, classes, ties)
    if classes == 2:
        expected = roc_auc_score(y, chances.iloc[:, 1])
    else:
        expected = roc_auc_score(y, chances, multi_class="ovo", average="macro", labels=list(chances))
    assert evaluation.metric("auc", "classification", y, chances) == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    # one row of a has 0.9 and one 0.4; the row of b has 0.6: a is above b in one of two pairs
    chances = pd.DataFrame({"b": [0.1, 0.6, 0.4], "a": [0.9, 0.4, 0.6]})
    assert evaluation.metric("auc", "classification", ["a", "a", "b"], chances) == 0.5


def test_of_two_classes_the_second_one_s_probability_orders_the_rows():
    """As scikit-learn has it: also where the two do not add up, as the first one's tells nothing here."""
    chances = pd.DataFrame({"no": [0.5, 0.5], "yes": [0.2, 0.8]})
    assert evaluation.metric("auc", "classification", ["no", "yes"], chances) == 1.0


def test_a_constant_answer_tells_nothing_apart():
    y, chances = drawn(300, 5, ties=False)
    same = pd.DataFrame(np.full(chances.shape, 0.2), columns=list(chances))
    assert evaluation.metric("auc", "classification", y, same) == 0.5


def test_classes_that_are_absent_are_left_out_and_a_single_one_gives_no_number():
    y, chances = drawn(400, 4, ties=False)
    some = np.isin(y, ["class 00", "class 02", "class 03"])
    part = chances.loc[some, ["class 00", "class 02", "class 03"]]
    expected = roc_auc_score(
        y[some], part.div(part.sum(axis=1), axis=0), multi_class="ovo", average="macro", labels=list(part)
    )
    found = evaluation.metric("auc", "classification", y[some], chances.loc[some])
    assert found == pytest.approx(expected, abs=1e-12)
    one = y == "class 01"
    assert np.isnan(evaluation.metric("auc", "classification", y[one], chances.loc[one]))


def test_fifteen_classes_are_scored_in_a_blink():
    y, chances = drawn(3000, 15, ties=False)
    start = time.perf_counter()
    evaluation.metric("auc", "classification", y, chances)
    assert time.perf_counter() - start < 1.0  # 0.01 s on a quiet core; scikit-learn takes 0.5 s


def test_a_row_whose_classes_that_are_there_have_no_chance_is_told_from_others_by_none():
    """By a the rows are alike, by b rightly ordered: a half and a whole."""
    chances = pd.DataFrame({"a": [0.0, 0.0], "b": [0.0, 0.5], "c": [1.0, 0.5]})
    assert evaluation.metric("auc", "classification", ["a", "b"], chances) == 0.75


def test_of_three_classes_two_that_are_there_share_what_the_third_was_given():
    """Of a and b alone the first row is a by 0.3 of 0.4, the second by 0.2 of 0.9: told apart, both ways."""
    chances = pd.DataFrame({"a": [0.3, 0.2], "b": [0.1, 0.7], "c": [0.6, 0.1]})
    assert evaluation.metric("auc", "classification", ["a", "b"], chances) == 1.0
    chances = pd.DataFrame({"a": [0.2, 0.3], "b": [0.1, 0.6], "c": [0.7, 0.1]})  # 2 of 3 against 1 of 3
    assert evaluation.metric("auc", "classification", ["a", "b"], chances) == 1.0
