"""Intervals around single predictions: nine truths of ten inside, for numbers and for classes."""

import json

import numpy as np
import pandas as pd
import pytest

from lib import problem
from lib.runtime import conformal
from lib.runtime.errors import InferenceError
from lib.runtime.inference import InferencePipeline


def uneven(rows, seed):
    """Predictions 0 to 10 whose errors grow with them, and lean upwards."""
    random = np.random.default_rng(seed)
    prediction = random.uniform(0, 10, rows)
    return prediction + prediction * random.exponential(1, rows), prediction


def chances(rows, seed):
    random = np.random.default_rng(seed)
    shares = random.dirichlet([1, 1, 1], rows)
    truth = (shares.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)
    return np.array(list("abc"))[truth], pd.DataFrame(shares, columns=list("abc"))


@pytest.mark.parametrize("drawn", [uneven, chances])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_so_many_truths_of_other_rows_lie_inside_in_each_quarter_of_the_prediction(drawn, level):
    learnt = json.loads(json.dumps(conformal.learn(*drawn(5000, 1))))  # as it is stored
    y, prediction = drawn(20_000, 2)
    held = conformal.covered(y, conformal.around(prediction, learnt, level))
    assert held.mean() == pytest.approx(level, abs=0.015)
    size = np.asarray(prediction).reshape(len(y), -1).max(axis=1)
    assert pd.Series(held).groupby(pd.qcut(size, 4, labels=False)).mean().min() >= level - 0.04


def test_where_predictions_err_more_the_interval_is_wider_and_it_leans_as_the_errors_do():
    found = conformal.around(np.array([1.0, 9.0]), conformal.learn(*uneven(5000, 1)), 0.9)
    width = found["high"] - found["low"]
    assert width[1] > 4 * width[0]
    assert found["high"][1] - 9 > 5 * (9 - found["low"][1])


def test_of_few_rows_there_is_one_bin_and_the_next_row_is_counted_too():
    learnt = conformal.learn(np.arange(19.0), np.zeros(19))
    assert learnt["edges"] == []
    found = conformal.around(np.zeros(1), learnt, 0.9)
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([0, 18])  # the 1st and 19th of 20 places


def test_predictions_that_are_all_alike_share_a_bin():
    learnt = conformal.learn(np.random.default_rng(0).normal(size=2000), np.ones(2000))
    assert np.isfinite(conformal.around(np.array([0.0, 1.0, 2.0]), learnt, 0.9)).all(axis=None)


@pytest.mark.parametrize("level", [0.4, 1.0, 90])
def test_a_level_that_was_not_learnt_is_refused(level):
    with pytest.raises(InferenceError, match=r"it can be of 0\.5 to 0\.99"):
        conformal.around(np.zeros(1), conformal.learn(np.arange(19.0), np.zeros(19)), level)


def test_a_stored_pipeline_gives_intervals_on_request_and_one_that_learnt_none_says_so(tmp_path):
    dataset = problem.load("green_taxi")
    rows = dataset.clean(dataset.labelled(dataset.generate(600, 3))).rows
    choice = {"family": "lasso", "parameters": {"alpha": 0.1}}
    known, later = rows.head(300), rows.tail(200)
    pipeline = InferencePipeline.chosen(dataset.serving, "zoomcamp", choice, 1).fit(known, known["duration"])
    with pytest.raises(InferenceError, match="has no intervals"):
        pipeline.predict(rows, interval=0.9)
    pipeline.learn_errors(later["duration"], pipeline.response(later))
    pipeline.save(tmp_path)
    stored = InferencePipeline.load(tmp_path, dataset.serving)
    found = stored.predict(rows.head(9), interval=0.9)
    assert np.allclose(found["prediction"], stored.predict(rows.head(9)))
    assert (found["low"] < found["prediction"]).all()
    assert found.equals(pipeline.predict(rows.head(9), interval=0.9))


def test_classes_called_as_the_ends_of_an_interval_are_classes():
    truth, shares = chances(2_000, 0)
    named = dict(zip("abc", ("high", "low", "prediction"), strict=True))
    truth, shares = np.array([named[one] for one in truth]), shares.rename(columns=named)
    sets = conformal.around(shares, conformal.learn(truth, shares), 0.9)
    assert conformal.covered(truth, sets).mean() == pytest.approx(0.9, abs=0.02)


def test_rows_without_a_prediction_teach_no_error_and_get_no_interval():
    truth, prediction = uneven(2_000, 0)
    holed = np.concatenate([prediction, [np.nan] * 9])
    learnt = conformal.learn(np.concatenate([truth, np.ones(9)]), holed)
    assert learnt == conformal.learn(truth, prediction)
    assert conformal.around(holed, learnt, 0.9).tail(9).isna().all(axis=None)
