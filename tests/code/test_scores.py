"""The training page's figures under their names, and its sentences."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lib import problem
from lib.evaluation import scores
from lib.plots import residuals
from lib.records import Tuned
from lib.tuning import selection


def page():
    """Truth 0, 10; the refitted model errs by 1, on train alone by 2, the line by 3, the constant by 5."""
    figures = scores.Scores("regression")
    truth = np.array([0.0, 10.0])
    figures.add("validation", truth, truth + 1.5)
    figures.add_all(
        truth,
        {"constant": [5.0, 5.0], "linear": truth + 3, "on train alone": truth + 2, "refitted": truth + 1},
    )
    return figures


def test_figures_have_the_names_that_metrics_json_and_the_trackers_share():
    named = page().named()
    assert {name: named[name] for name in named if name.endswith("rmse")} == {
        "validation_rmse": 1.5,
        "train_only_test_rmse": 2.0,
        "test_rmse": 1.0,
        "baseline_constant_test_rmse": 5.0,
        "baseline_linear_test_rmse": 3.0,
    }


def test_the_sentence_tells_the_gains_over_both_baselines_and_of_the_additional_rows():
    said = page().read("rmse", "min")
    assert "**1 min**, 4 better than the constant and 2 better than the line" in said
    assert "were worth +1" in said
    assert "0.5 worse on test than it was on validation" in said


@pytest.mark.parametrize(
    ("now", "said"), [(4.5, "It is: rmse 4.5"), (4.6, "**It is not**: 4.6 now, 4.5 in the search")]
)
def test_a_model_that_no_longer_scores_as_the_search_wrote_is_told(now, said):
    figures = scores.Scores("regression")
    figures.add("validation", [0.0], [now])
    tuned = Tuned("rich", "rmse", {"score": 4.5}, {}, 1)
    assert scores.read_repeat(figures, tuned).startswith(said)


def test_the_linear_baseline_is_the_best_line_of_the_search_if_there_was_one():
    best = {"family": "linear_regression", "parameters": {"fit_intercept": False}, "settings": {}}
    tuned = Tuned("rich", "rmse", {"settings": {"tfidf.words": 5}}, {"linear_regression": best}, 9)
    assert selection.linear_choice(tuned, "regression") is best
    other = selection.linear_choice(tuned, "classification")
    assert other["family"] == "logistic_regression"
    assert other["settings"] == {"tfidf.words": 5}


def test_the_confusion_sentence_names_the_commonest_mix_up():
    """All b rows are called a; c is always right."""
    chances = pd.DataFrame({"a": [0.9, 0.8, 0.7, 0.1], "b": [0.1, 0.1, 0.2, 0.1], "c": [0.0, 0.1, 0.1, 0.8]})
    forty = pd.concat([chances] * 40, ignore_index=True)
    said = residuals.read_against("classification", ["a", "b", "b", "c"] * 40, forty)
    assert "**b** worst (0%)" in said
    assert "100% of b is called a" in said


def test_the_slice_sentence_names_the_worst_group():
    table = pd.DataFrame(
        [("hour", "8", 50, 9.0), ("hour", "3", 40, 2.0)], columns=["slice", "group", "rows", "rmse"]
    )
    assert residuals.read_slices(table, "rmse", 4.0, "min").startswith(
        "**Worst: hour, 8**, rmse 9 min over 50 rows"
    )


def test_where_no_group_stands_out_the_sentence_says_that_one_has_to_come_last():
    rows = [("hour", "8", 50, 9.0), ("hour", "3", 40, 2.0)]
    table = pd.DataFrame(rows, columns=["slice", "group", "rows", "rmse"])
    said = residuals.read_slices(table, "rmse", 4.0, "min", sure=False)
    assert said.startswith("No group stands out by more than luck explains. hour, 8 comes last")
    assert "**" not in said


def test_a_test_score_better_than_validation_is_not_laid_to_the_luck_of_the_search():
    figures = page()
    figures.add("validation", np.array([0.0, 10.0]), np.array([3.0, 13.0]))
    assert "1 better on test than it was on validation (3): rows differ." in figures.read("rmse")
    assert "the search's own luck" in page().read("rmse")


def test_the_cloud_is_said_to_turn_away_only_where_large_truths_are_predicted_too_small():
    truth = np.arange(1000.0)
    assert "turns away" in residuals.read_against("regression", truth, truth / 2 + 250)
    said = residuals.read_against("regression", truth, truth)
    assert "turns away" not in said
    assert "predicted at 974" in said


def test_the_first_quarter_begins_at_the_smallest_target():
    dataset = dataclasses.replace(problem.load("green_taxi"), slices={})
    found = dataset.sliced(pd.DataFrame({"duration": np.arange(1.0, 101.0)}))
    assert found["quarter of duration"].iloc[0] == "1. 1 to 25.8"


def test_a_class_that_is_never_mistaken_is_told_before_all_else_and_one_of_few_rows_is_not():
    truth = np.array(["a"] * 40 + ["b"] * 40 + ["c"] * 9)
    said = pd.DataFrame({name: (truth == name) * 1.0 for name in "abc"})
    text = residuals.read_against("classification", truth, said)
    assert text.startswith("**a, b are 2 of 3 classes without a mistake to speak of**")
    guessed = said.sample(frac=1, random_state=0, ignore_index=True)
    assert "without a mistake" not in residuals.read_against("classification", truth, guessed)


def test_the_constant_is_the_best_one_by_each_metric():
    """Of 0, 0, 9 the mean is 3 and the median 0."""
    figures = scores.Scores("regression")
    figures.add_constant([0.0, 0.0, 9.0], [0.0, 0.0, 9.0])
    assert figures.of("constant", "mae") == 3  # of the median; the mean's is 4
    assert figures.of("constant", "rmse") == pytest.approx(18**0.5)  # of the mean; the median's is √27
    assert figures.of("constant", "r2") == 0


def test_a_difference_that_four_figures_do_not_tell_is_none():
    figures = page()
    figures.add("linear", np.array([0.0, 10.0]), np.array([1.00001, 11.0]))
    figures.add("constant", np.array([0.0, 10.0]), np.array([0.5, 10.5]))
    said = figures.read("rmse", "min")
    assert "0.5 worse than the constant and no better than the line" in said
    assert "e-0" not in said
    figures.add("on train alone", np.array([0.0, 10.0]), np.array([1.0, 11.0]))
    assert "The additional rows made no difference." in figures.read("rmse")
