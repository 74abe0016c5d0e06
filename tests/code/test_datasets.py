"""What a problem is made of: options, rules, derived columns, and the ban on what is known too late."""

import dataclasses

import pandas as pd
import pytest

from lib import datasets, profile
from lib.datasets import base
from lib.errors import DataError, ParameterError

DATASET = datasets.load("green_taxi")


def test_private_modules_are_no_problems():
    assert "green_taxi" in datasets.names()
    assert not [name for name in datasets.names() if name.startswith("_") or name == "base"]


def test_an_unknown_problem_is_answered_with_those_there_are():
    with pytest.raises(ParameterError, match=r"no problem 'blue_taxi'.*'green_taxi'"):
        datasets.load("blue_taxi")


def test_an_unknown_option_is_answered_with_the_nearest():
    with pytest.raises(ParameterError, match="no option 'train_month'; did you mean 'train_months'"):
        datasets.load("green_taxi", {"train_month": ["2023-01"]})


def test_an_option_reaches_every_function_that_takes_it():
    bound = datasets.load("green_taxi", {"test_months": ["2023-05"]})
    assert "2023-05" in set(bound.generate(30, 0)["month"])
    assert bound.split(bound.generate(30, 0), 0)["test"]["month"].unique().tolist() == ["2023-05"]


def test_a_row_that_two_rules_refuse_is_counted_at_the_first():
    rules = (
        base.Rule("not one", "", lambda rows: rows["duration"] != 1),
        base.Rule("above two", "", lambda rows: rows["duration"] > 2),
    )
    problem = dataclasses.replace(DATASET, rules=lambda: rules)
    report = problem.clean(pd.DataFrame({"duration": [1, 1, 2, 3, 4]})).report
    assert report["refused"].tolist() == [2, 1]
    assert report["left"].tolist() == [3, 2]
    assert report["share"].tolist() == [0.4, 0.2]


def test_cleaning_changes_neither_the_rows_given_nor_their_columns():
    raw = DATASET.generate(300, 0)
    before = raw.copy()
    assert list(DATASET.clean(raw).rows) == [*before, "duration"]
    pd.testing.assert_frame_equal(raw, before)


def test_a_column_known_too_late_is_refused_unless_it_is_admitted():
    leak = base.FeatureSet("leak", "", (base.encode("number", "fare_amount", "trip_distance"),))
    problem = dataclasses.replace(DATASET, feature_sets={"leak": leak})
    with pytest.raises(DataError, match=r"'leak' uses \['trip_distance', 'fare_amount'\], known only after"):
        problem.feature_set("leak")
    admitted = dataclasses.replace(leak, admits=("trip_distance", "fare_amount"))
    assert dataclasses.replace(DATASET, feature_sets={"leak": admitted}).feature_set("leak") is admitted


def test_a_leak_hidden_in_a_derived_column_is_found():
    derived = {
        "speed": base.Derived(("trip_distance", "dropoff_datetime"), lambda rows: rows["trip_distance"])
    }
    leak = base.FeatureSet("leak", "", (base.encode("number", "speed"),))
    problem = dataclasses.replace(DATASET, derived=derived, feature_sets={"leak": leak})
    with pytest.raises(DataError, match="'trip_distance'"):
        problem.feature_set("leak")


def test_a_feature_set_or_a_column_that_is_not_there_is_named():
    with pytest.raises(ParameterError, match=r"no feature set 'poor'; it has \["):
        DATASET.feature_set("poor")
    with pytest.raises(DataError, match="no column 'gone'"):
        DATASET.inputs(base.FeatureSet("x", "", (base.encode("number", "gone"),)))


def test_the_inputs_of_the_courses_features_are_three_raw_columns():
    inputs = DATASET.inputs(DATASET.feature_set("zoomcamp"))
    assert inputs == ["PULocationID", "DOLocationID", "trip_distance"]


def test_a_derived_column_is_the_same_for_one_row_and_for_many():
    rows = DATASET.generate(200, 1)
    many = DATASET.engineer(rows)
    one = DATASET.engineer(rows.iloc[[17]])
    pd.testing.assert_frame_equal(many.iloc[[17]], one)


def test_engineering_leaves_the_raw_rows_alone():
    rows = DATASET.generate(30, 1)
    columns = list(rows)
    DATASET.engineer(rows)
    assert list(rows) == columns


def test_an_unknown_source_is_refused():
    with pytest.raises(ParameterError, match="source is 'internet'; it can be 'generated' or 'published'"):
        DATASET.ingest("internet", 10, 0)


def test_generated_rows_say_so_in_their_provenance_and_on_the_page():
    _, provenance = DATASET.ingest("generated", 30, 7)
    assert (provenance["generated"], provenance["seed"], provenance["files"]) == (True, 7, [])
    assert profile.origin(provenance).data.startswith("**Generated data.** These 30 rows")


@pytest.mark.parametrize("name", sorted(DATASET.views))
def test_every_picture_is_announced_drawn_and_read(name):
    import matplotlib.pyplot as plt

    view = DATASET.views[name]
    rows = DATASET.labelled(DATASET.generate(900, 0))
    figure = view.draw(rows)
    assert figure.axes
    assert len(view.look_for.split()) > 8
    assert any(letter.isdigit() for letter in view.read(rows))
    assert plt.get_fignums() == []


def test_importing_a_problem_draws_and_fetches_nothing():
    import subprocess
    import sys

    code = (
        "import sys; from lib import datasets; datasets.load('green_taxi'); "
        "print([m for m in ('matplotlib', 'requests', 'scipy', 'sklearn', 'pyarrow.parquet', 'lib.sources', "
        "'lib.quality', 'lib.plots', 'lib.profile') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
