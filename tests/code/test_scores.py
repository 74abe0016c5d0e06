"""The training page's figures under their names, its sentences, and where single predictions come from."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import explain, problem
from lib.evaluation import scores
from lib.plots import attributions, residuals
from lib.records import Tuned
from lib.runtime import models
from lib.runtime.inference import InferencePipeline
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
        "baseline_mean_test_rmse": 5.0,
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


@pytest.mark.parametrize(
    "choice", ["xgboost", "random_forest", "extra_trees", "gradient_boosting", "logistic_regression"]
)
def test_every_family_s_shares_name_the_column_that_makes_a_class(choice):
    """The genre of a generated song leans on its numbers; the words of one text are one share."""
    dataset = problem.load("music_genres")
    rows = dataset.clean(dataset.labelled(dataset.generate(700, 3))).rows
    few = {"xgboost": {"num_boost_round": 5}, "gradient_boosting": {"max_iter": 3}, "logistic_regression": {}}
    parameters = few.get(choice, {"n_estimators": 5, "max_depth": 5})
    family = {"family": choice, "parameters": parameters}
    pipeline = InferencePipeline.chosen(dataset.serving, "course", family, 1).fit(
        rows, rows[dataset.serving.target.name]
    )
    shares = explain.shares(pipeline, rows.head(20), rows.head(100))
    assert shares.moves.shape == (20, 13)  # ten numbers, bar, key, and all words as one
    assert "text_feature" in shares.moves
    assert np.isfinite(shares.moves).all(axis=None)
    assert shares.label.startswith("score of ")
    assert attributions.read_summary(shares).startswith("Over 20 rows, **")


class Guessing:
    """As much of a pipeline as shares look at: three numbers, and a model that tells classes by them."""

    def __init__(self, family, parameters, classes):
        rng = np.random.default_rng(0)
        self.rows = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("abc"))
        self.y = np.array(classes)[np.digitize(self.rows["a"], [0.6, 1.5])]  # the first is the commonest
        self.encoding_ = SimpleNamespace(groups_=list("abc"))
        self.model_ = models.build(family, parameters, "classification", 0, 1, True)
        self.model_.fit(self.matrix(self.rows), self.y)

    def matrix(self, rows):
        return rows.to_numpy(dtype=np.float32)

    def response(self, rows):
        return pd.DataFrame(self.model_.predict_proba(self.matrix(rows)), columns=self.model_.classes_)


FAMILIES = [
    ("logistic_regression", {}),
    ("gradient_boosting", {"max_iter": 9}),
    ("gradient_boosting", {"n_estimators": 9}),
    ("xgboost", {"num_boost_round": 9}),
    ("random_forest", {"n_estimators": 9}),
]


@pytest.mark.parametrize("classes", [("low", "up", "up"), ("low", "mid", "up")], ids=["two", "three"])
@pytest.mark.parametrize(("family", "parameters"), FAMILIES)
def test_shares_explain_the_class_that_they_name(family, parameters, classes):
    """A large `a` speaks against "low", of two classes as of three."""
    pipeline = Guessing(family, parameters, classes)
    shares = explain.shares(pipeline, pipeline.rows, pipeline.rows)
    assert shares.label == "score of low"
    assert pipeline.rows["a"].corr(shares.moves["a"]) < -0.5
    score = shares.moves.sum(axis=1) + shares.base
    assert score.corr(pipeline.response(pipeline.rows)["low"]) > 0.75


@pytest.mark.parametrize(
    ("task", "family", "parameters", "unit"),
    [
        ("regression", "xgboost", {}, "min"),
        ("regression", "lasso", {"target": "sqrt"}, "√min"),
        ("regression", "xgboost", {"target": "log"}, "log min"),
        ("classification", "xgboost", {}, "log odds"),
        ("classification", "random_forest", {}, ""),
    ],
)
def test_shares_are_counted_in_what_the_model_was_fitted_to(task, family, parameters, unit):
    model = models.build(family, parameters, task, 0, 1, True)
    serving = SimpleNamespace(task=task, target=SimpleNamespace(unit="min"))
    assert explain.scale(SimpleNamespace(serving=serving, model_=model)) == unit


def test_the_shares_of_a_line_are_its_weights_times_the_distance_from_the_usual():
    dataset = problem.load("green_taxi")
    rows = dataset.clean(dataset.labelled(dataset.generate(900, 3))).rows
    choice = {"family": "linear_regression", "parameters": {}}
    for feature_set in ("zoomcamp", "rich"):
        pipeline = InferencePipeline.chosen(dataset.serving, feature_set, choice, 1).fit(
            rows, rows[dataset.serving.target.name]
        )
        shares = explain.shares(pipeline, rows.head(9), rows)
        assert np.allclose(shares.moves.sum(axis=1) + shares.base, pipeline.predict(rows.head(9)), atol=0.01)


def test_the_confusion_sentence_names_the_commonest_mix_up():
    """Both b rows are called a; c is always right."""
    chances = pd.DataFrame({"a": [0.9, 0.8, 0.7, 0.1], "b": [0.1, 0.1, 0.2, 0.1], "c": [0.0, 0.1, 0.1, 0.8]})
    said = residuals.read_against("classification", ["a", "b", "b", "c"], chances)
    assert "**b** worst (0%)" in said
    assert "100% of b is called a" in said


def test_the_slice_sentence_names_the_worst_group():
    table = pd.DataFrame(
        [("hour", "8", 50, 9.0), ("hour", "3", 40, 2.0)], columns=["slice", "group", "rows", "rmse"]
    )
    assert residuals.read_slices(table, "rmse", 4.0, "min").startswith(
        "**Worst: hour, 8**, rmse 9 min over 50 rows"
    )


def test_a_test_score_better_than_validation_is_not_laid_to_the_luck_of_the_search():
    figures = page()
    figures.add("validation", np.array([0.0, 10.0]), np.array([3.0, 13.0]))
    assert "1 better on test than it was on validation (3): rows differ." in figures.read("rmse")
    assert "the search's own luck" in page().read("rmse")


def test_the_cloud_is_said_to_turn_away_only_where_large_truths_are_predicted_too_small():
    truth = np.arange(100.0)
    assert "turns away" in residuals.read_against("regression", truth, truth / 2 + 25)
    said = residuals.read_against("regression", truth, truth)
    assert "turns away" not in said
    assert "predicted at 97" in said


def test_the_first_quarter_begins_at_the_smallest_target():
    dataset = dataclasses.replace(problem.load("green_taxi"), slices={})
    found = dataset.sliced(pd.DataFrame({"duration": np.arange(1.0, 101.0)}))
    assert found["quarter of duration"].iloc[0] == "1. 1 to 25.8"
