"""The training page's figures under their names, and its sentences."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Lasso

from lib import evaluation, problem
from lib.evaluation import scores
from lib.plots import residuals, searches
from lib.records import Tuned
from lib.runtime import models
from lib.runtime.inference import InferencePipeline
from lib.tuning import endings, selection


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


def test_scores_are_told_with_four_figures():
    figures = scores.Scores("regression")
    errors = {"validation": 2.34567, "constant": 5, "linear": 3, "on train alone": 2, "refitted": 1.23456}
    figures.add_all([0.0, 9.0], {name: [error, 9 + error] for name, error in errors.items()})
    said = figures.read("rmse")
    assert "a test rmse of **1.235**, 3.77 better than the constant" in said
    assert "than it was on validation (2.346): rows differ." in said


def test_a_difference_that_four_figures_do_not_tell_is_none():
    figures = page()
    figures.add("linear", np.array([0.0, 10.0]), np.array([1.00001, 11.0]))
    figures.add("constant", np.array([0.0, 10.0]), np.array([0.5, 10.5]))
    said = figures.read("rmse", "min")
    assert "0.5 worse than the constant and no better than the line" in said
    assert "e-0" not in said
    figures.add("on train alone", np.array([0.0, 10.0]), np.array([1.0, 11.0]))
    assert "The additional rows made no difference." in figures.read("rmse")


@pytest.mark.parametrize(
    ("reason", "helps"),
    [(endings.CUT, "a quieter machine, or more time"), (endings.UNCONVERGED, "time does not help"), ("", "")],
)
def test_what_would_help_the_kept_trial_is_said(reason, helps):
    tuned = Tuned("zoomcamp", "rmse", {"reason": reason}, {}, 1)
    said = selection.read_late(tuned, problem.load("green_taxi"), generated=False)
    assert ("**Mind:** its trial" in said) == bool(reason)
    assert helps in said
    assert ("quieter machine" in said) == (reason == endings.CUT)


def test_a_fit_that_had_not_converged_is_named_beside_its_figure():
    x = np.random.default_rng(0).normal(size=(60, 3))
    fits = {
        name: SimpleNamespace(
            model_=models.SklearnRegressor(Lasso(alpha=1e-9, max_iter=most, tol=1e-12)).fit(x, x.sum(axis=1))
        )
        for name, most in (("linear", 1), ("refitted", 10_000))
    }
    assert endings.read_fits(fits).startswith("**Mind:** the fit of linear stopped before its solver had")
    assert endings.read_fits({"refitted": fits["refitted"]}) == ""


def test_a_search_over_folds_is_not_compared_with_the_figure_on_the_validation_rows():
    figures = scores.Scores("regression")
    figures.add("validation", [0.0], [4.6])
    tuned = Tuned("rich", "rmse", {"score": 4.5}, {}, 1, folds=4)
    assert scores.read_repeat(figures, tuned) == (
        "The search scored 4 folds of training and validation rows, rmse 4.5 on average; fitted on training "
        "rows alone it has 4.6 on the validation rows."
    )


@pytest.mark.parametrize(
    ("weights", "most", "times"),
    [
        ([0.5, 0.25, 0.25], "a", "0.5"), ([50, 25, 25], "a", "0.5"), ([2, 0.5, 0.1], "c", "10"),
        ([2, 1, 16, 4], "c", "0.12"), ([0.25, 1], "a", "4"),
    ],
)  # fmt: skip
def test_the_odds_that_were_changed_most_are_told_whatever_the_scale_of_the_weights(weights, most, times):
    """Chances are divided by the weights: of two classes the odds change by their ratio."""
    model = SimpleNamespace(classes_=np.array(list("abcd"[: len(weights)])), weights_=np.array(weights))
    said = scores.read_means(SimpleNamespace(model_=model), "auc")
    assert said.startswith("On the validation rows each class is now promised as often as it comes.")
    assert said.endswith(f"the odds of **{most}** against the others were changed most, by {times} times.")


@pytest.fixture(scope="module")
def trips():
    dataset = problem.load("green_taxi")
    rows = dataset.clean(dataset.labelled(dataset.generate(900, 3))).rows
    return dataset, rows.iloc[:600], rows.iloc[600:]


def test_the_metric_round_by_round_is_that_of_a_model_of_so_many_rounds(trips):
    dataset, train, validation = trips
    target, given = dataset.target.name, {"num_boost_round": 20, "max_depth": 3}
    pipeline = InferencePipeline(dataset.serving, "rich", parameters=given).fit(train, train[target])
    curve = scores.by_round(pipeline, train, validation, "rmse")
    assert list(curve) == ["train_rmse", "validation_rmse"]
    assert curve.index.tolist() == list(range(1, 21))
    for rounds in (5, 20):
        fewer = clone(pipeline).set_params(parameters=given | {"num_boost_round": rounds})
        response = fewer.fit(train, train[target]).response(validation)
        score = evaluation.metric("rmse", "regression", validation[target], response)
        assert curve.loc[rounds, "validation_rmse"] == pytest.approx(score, rel=1e-6)
    assert curve["train_rmse"].is_monotonic_decreasing  # of rows that it learns from, encoded as they were
    axes = searches.rounds(curve, "rmse", "min").axes[0]
    assert [list(line.get_ydata()) for line in axes.get_lines()] == [list(curve[name]) for name in curve]
    assert axes.get_ylabel() == "rmse, min"


def test_where_training_has_one_class_alone_no_odds_are_told():
    model = SimpleNamespace(classes_=np.array(["a"]), weights_=np.array([1.0]))
    said = "Training has one class alone, which has every chance: there are no odds to change."
    assert scores.read_means(SimpleNamespace(model_=model), "auc") == said


def test_the_curve_of_training_rows_is_that_of_a_part_spread_evenly_over_them(trips, monkeypatch):
    """None of these columns is encoded by its target: the model answers a training row as any other."""
    dataset, train, validation = trips
    monkeypatch.setattr(scores, "MOST", 3)
    pipeline = InferencePipeline(dataset.serving, "zoomcamp", parameters={"num_boost_round": 5})
    pipeline.fit(train, train[dataset.target.name])
    curve = scores.by_round(pipeline, train, validation, "mae")
    some = train.iloc[[0, 299, 599]]
    score = evaluation.metric("mae", "regression", some[dataset.target.name], pipeline.response(some))
    assert curve["train_mae"].iloc[-1] == pytest.approx(score, rel=1e-6)
    assert curve.index.name == "round"


def test_what_is_not_boosted_has_no_curve(trips):
    dataset, train, validation = trips
    pipeline = InferencePipeline(dataset.serving, "rich", "lasso", {"alpha": 0.1})
    curve = scores.by_round(pipeline.fit(train, train[dataset.target.name]), train, validation, "rmse")
    assert curve.empty
    assert searches.rounds(curve, "rmse") is None
    assert searches.read_rounds(curve, "rmse") == "This model is not boosted: it has no rounds."


@pytest.mark.parametrize(
    ("last", "said"),
    [(3.0, "the last 3 rounds brought 0.5 min."), (3.6, "the last 3 rounds brought nothing.")],
)
def test_the_curve_is_read_at_both_ends_and_over_its_last_tenth(last, said):
    others = [5.0] * 26 + [3.5, 3.4, 3.4, last]
    curve = pd.DataFrame({"train_rmse": 1.0, "validation_rmse": others}, index=range(1, 31))
    told = searches.read_rounds(curve, "rmse", "min")
    assert told.startswith("After 30 rounds the rmse is 1 min on the rows that it learnt from")
    assert f"and {last:g} min on the validation rows" in told
    assert told.endswith(said)
