"""Tables about rows, against answers worked out by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lib import problem, profiling, views
from lib.runtime.schema import Column


def test_a_group_that_fixes_the_target_explains_all_and_noise_nothing():
    target = pd.Series([1.0, 1, 5, 5] * 50)
    noise = pd.Series(np.random.default_rng(0).integers(0, 4, 200))
    assert profiling.explained(pd.Series(["a", "a", "b", "b"] * 50), target) == pytest.approx(1)
    assert profiling.explained(noise, target) < 0.05


def test_explained_variance_by_hand():
    # groups (0, 2) and (4, 6): within 2 + 2, total 9 + 1 + 1 + 9 = 20; 1 - 4/20 * (4 - 1)/(4 - 2) = 0.7
    assert profiling.explained(pd.Series(list("aabb")), pd.Series([0.0, 2, 4, 6])) == pytest.approx(0.7)


def test_names_that_are_all_different_explain_nothing():
    assert profiling.explained(pd.Series([f"row {i}" for i in range(50)]), pd.Series(range(50))) == 0


def test_a_class_is_explained_as_a_number_is():
    classes = pd.Series(["x", "y"] * 60)
    assert profiling.explained(pd.Series(["a", "b"] * 60), classes) == pytest.approx(1)
    assert profiling.explained(pd.Series(["a", "a", "b", "b"] * 30), classes) == pytest.approx(0, abs=0.02)


def test_missing_values_are_a_group_of_their_own():
    column = pd.Series([np.nan] * 50 + list(range(50)))
    target = pd.Series([9.0] * 50 + [1.0] * 50)
    assert profiling.explained(column, target) > 0.95


def test_gaps_and_frequent_values_by_hand():
    rows = pd.DataFrame({"a": ["x", "x", "y", None], "b": [1.0, 2, 3, 4]})
    assert profiling.missing(rows).to_dict() == {"a": 0.25}
    table = profiling.uniques(rows)
    assert table.loc["a"].tolist() == [2, "x", 0.5]


def test_percentiles_of_the_first_hundred_numbers():
    table = profiling.percentiles({"x": pd.Series(range(101))})
    assert table.loc["x", ["1 %", "50 %", "99 %", "least", "most"]].tolist() == [1, 50, 99, 0, 100]


def test_the_refused_rows_are_shown_with_the_rule_that_refused_them():
    dataset = problem.load("green_taxi")
    raw = dataset.generate(2000, 0)
    cleaned = dataset.clean(raw)
    refused = profiling.refused(dataset, raw)
    assert refused["rule"].value_counts().to_dict() == cleaned.report["refused"].to_dict()
    assert not refused["duration"].between(1, 60).any()


def test_what_is_known_after_stays_so_in_what_is_derived_from_it():
    dataset = problem.load("green_taxi")
    assert profiling.known(dataset, "fare_amount") == "after"
    assert profiling.known(dataset, "PU_DO") == "before"


def test_the_summary_is_plain_data():
    import json

    dataset = problem.load("green_taxi")
    raw = dataset.labelled(dataset.generate(600, 0))
    summary = json.loads(json.dumps(profiling.summary(dataset, raw, dataset.clean(raw).rows)))
    assert summary["rows"]["raw"] == 600
    assert summary["target"]["after the rules"]["least"] >= 1


def test_of_columns_that_say_the_same_only_the_first_is_shown():
    dataset = problem.load("green_taxi")
    rows = dataset.engineer(dataset.clean(dataset.generate(3000, 0)).rows)
    table = profiling.with_target(dataset, rows)
    assert "PULocationID" in table.index
    assert "pickup_zone" not in table.index


def test_what_is_new_in_test_is_the_share_of_its_rows():
    dataset = problem.load("green_taxi")
    rows = dataset.generate(300, 0)
    train, test = rows.head(200), rows.tail(100).assign(PULocationID=["999"] * 25 + ["74"] * 75)
    shares = profiling.newness(dataset, {"by hand": {"train": train, "test": test}})
    assert shares.loc["PULocationID", "share new, by hand"] == 0.25


def test_a_table_of_names_alone_and_one_of_numbers_alone_are_drawn_all_the_same():
    names = {"a": Column("category", ""), "price": Column("number", "", known="after")}
    rows = pd.DataFrame({"a": ["x", "y"] * 30, "price": np.arange(60.0)})
    rentals = problem.load("nyc_rentals")

    def with_columns(**serving: object) -> problem.Dataset:
        halves = {"derived": {}, "feature_sets": {}, "columns": names, **serving}
        stored = dataclasses.replace(rentals.serving, **halves)
        return dataclasses.replace(rentals, serving=stored, views="", rules=lambda: ())

    target = dataclasses.replace(rentals.target, name="a")
    classes = with_columns(task="classification", target=target, columns={"a": names["a"]})
    for dataset in (
        with_columns(),
        dataclasses.replace(classes, label=lambda rows: rows["a"]),
        with_columns(columns={"price": names["price"]}),
    ):
        for name, view in views.of(dataset).items():
            assert view.draw(rows, rows).axes, name
            assert view.read(rows, rows), name


def test_a_number_without_a_value_in_test_is_not_compared():
    dataset = problem.load("green_taxi")
    train = dataset.labelled(dataset.generate(200, 1))
    test = train.assign(tip_amount=np.nan)
    assert "tip_amount" in profiling.comparable(dataset, train, train)
    assert "tip_amount" not in profiling.comparable(dataset, train, test)


def test_a_number_that_is_nearly_always_the_same_has_no_tail_of_billions():
    """99.5 % are zero: the median and the 99th percentile are the same, and give no scale."""
    rentals = problem.load("nyc_rentals")
    rows = rentals.generate(400, 1).assign(minimum_nights=[90, 90] + [0] * 398)
    sentence = views.of(rentals)["numbers"].read(rows, rows)
    assert "tail is that of minimum_nights" not in sentence
    assert "minimum_nights is zero in" in sentence
