"""How a model of generated trips must behave: what must not matter, and which way what does matter pushes."""

import numpy as np
import pandas as pd
import pytest

from lib import explain, problem
from lib.explain import leaning
from lib.runtime.inference import InferencePipeline

CHOICE = {"family": "xgboost", "parameters": {"max_depth": 5, "learning_rate": 0.15}, "rounds": 60}


@pytest.fixture(scope="module")
def trips():
    dataset = problem.load("green_taxi")
    return dataset.clean(dataset.labelled(dataset.generate(6000, 11))).rows


@pytest.fixture(scope="module", params=["rich", "rich_no_distance"])
def pipeline(request, trips):
    return InferencePipeline.chosen(problem.load("green_taxi").serving, request.param, CHOICE, 5).fit(
        trips, trips["duration"]
    )


@pytest.fixture(scope="module")
def rich(trips):
    return InferencePipeline.chosen(problem.load("green_taxi").serving, "rich", CHOICE, 5).fit(
        trips, trips["duration"]
    )


def test_a_longer_trip_takes_longer(rich, trips):
    rows = trips.head(300)
    short, long = (rich.predict(rows.assign(trip_distance=miles)) for miles in (1.0, 6.0))
    assert (long > short).mean() > 0.98
    assert (long - short).mean() > 5


def test_what_is_known_only_afterwards_does_not_move_a_prediction(pipeline, trips):
    rows = trips.head(200)
    leaked = rows.assign(fare_amount=999.0, tip_amount=50.0, payment_type="9", RatecodeID="5", duration=60.0,
                         dropoff_datetime=rows["dropoff_datetime"] + pd.Timedelta("5h"))  # fmt: skip
    assert np.array_equal(pipeline.predict(leaked), pipeline.predict(rows))


def test_without_the_distance_the_distance_does_not_move_a_prediction(trips):
    blind = InferencePipeline.chosen(problem.load("green_taxi").serving, "rich_no_distance", CHOICE, 5).fit(
        trips, trips["duration"]
    )
    assert "trip_distance" not in blind.inputs_
    rows = trips.head(200)
    assert np.array_equal(blind.predict(rows.assign(trip_distance=50.0)), blind.predict(rows))


def test_an_unseen_zone_or_pair_predicts_something_sensible(pipeline, trips):
    rows = trips.head(100).assign(PULocationID="999", DOLocationID="998")
    prediction = pipeline.predict(rows)
    assert np.isfinite(prediction).all()
    assert (prediction > 0).all()
    assert prediction.max() < 90


def test_the_order_of_rows_and_columns_does_not_matter(pipeline, trips):
    rows, order = trips.head(100), np.random.default_rng(0).permutation(100)
    turned = rows.iloc[order][list(rows)[::-1]]
    assert np.array_equal(pipeline.predict(turned), pipeline.predict(rows)[order])


def test_the_same_rows_and_seed_give_the_same_model_and_another_seed_another(trips):
    dataset = problem.load("green_taxi")
    one, two, other = (
        InferencePipeline.chosen(dataset.serving, "rich", CHOICE, s).fit(trips, trips["duration"])
        for s in (5, 5, 6)
    )
    rows = trips.head(100)
    assert np.array_equal(one.predict(rows), two.predict(rows))
    assert not np.array_equal(one.predict(rows), other.predict(rows))


def test_shares_add_up_to_the_prediction_and_shuffling_the_distance_hurts_most(rich, trips):
    rows = trips.tail(150)
    shares = explain.shares(rich, rows, trips)
    total = shares.moves.sum(axis=1) + shares.base
    assert np.allclose(total, rich.predict(rows), atol=1e-3)
    lost = leaning.permutation(rich, rows, rows["duration"], "rmse", repeats=2)
    assert lost.index[0] == "trip_distance"


def test_columns_shuffled_together_lose_what_each_loses_by_itself(rich, trips, monkeypatch):
    rows = trips.tail(60)
    together = leaning.permutation(rich, rows, rows["duration"], "rmse", repeats=2)
    monkeypatch.setattr(leaning, "CELLS", 1)  # one column at a time
    alone = leaning.permutation(rich, rows, rows["duration"], "rmse", repeats=2)
    pd.testing.assert_frame_equal(together, alone)
