"""Tables about rows, against answers worked out by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from lib import problem, profiling, views
from lib.profiling import association
from lib.runtime.schema import Column
from lib.wording import few


def test_a_group_that_fixes_the_target_tells_nearly_all_and_noise_nothing():
    target = pd.Series([1.0, 1, 5, 5] * 50)
    noise = pd.Series(np.random.default_rng(0).integers(0, 4, 200))
    assert association.explained(pd.Series(["a", "a", "b", "b"] * 50), target) > 0.99
    assert association.explained(noise, target) < 0.05


def test_what_a_column_tells_of_rows_held_out_by_hand():
    """Two folds; a group's mean counts with its rows, that of all the other fold's rows with five.

    Fold 1 holds (a, 0) and (b, 4), fold 2 (a, 2) and (b, 6). Fold 1 is guessed from mean 4: a (2 + 20) / 6 =
    22/6, b (6 + 20) / 6 = 26/6; fold 2 from mean 2: a 10/6, b 14/6. Off by, in sixths: 22, 2, 2, 22, so 968 +
    8 = 976 / 36; with one mean by 4, 0, 0, 4: 32. So 1 - 976 / 36 / 32 is told.
    """
    codes, target = pd.Series([0, 1, 0, 1]), np.array([[0.0], [4], [2], [6]])
    assert association.told(codes, target, np.array([0, 0, 1, 1])) == pytest.approx(1 - 976 / 36 / 32)


def test_names_that_come_once_or_twice_tell_nothing_though_they_divide_the_variance():
    random = np.random.default_rng(0)
    names, target = pd.Series(random.integers(0, 4000, 3000)), pd.Series(random.normal(size=3000))
    between = target.groupby(names).transform("mean").var() / target.var()
    assert between > 0.6  # most of the variance lies between names, of the very rows they were taken from
    assert association.explained(names, target, "id") == 0


def test_what_only_a_day_or_a_host_shares_is_not_told_of_another():
    """The price is the host's own, and so is the neighbourhood: in a host not yet seen it tells nothing."""
    rentals, random = problem.load("nyc_rentals"), np.random.default_rng(0)
    host = random.integers(0, 200, 2000)
    rows = rentals.labelled(rentals.generate(2000, 0)).assign(
        host_id=host, price=random.normal(100, 20, 200)[host], neighbourhood=[f"of {one}" for one in host]
    )
    assert association.explained(rows["neighbourhood"], rows["price"], "category") > 0.7
    assert profiling.with_target(rentals, rows).loc["host_id", "explained"] < 0.01  # of the same groups


def test_a_class_is_explained_as_a_number_is():
    classes = pd.Series(["x", "y"] * 60)
    assert association.explained(pd.Series(["a", "b"] * 60), classes) > 0.98
    assert association.explained(pd.Series(["a", "a", "b", "b"] * 30), classes) == pytest.approx(0, abs=0.02)


def test_missing_values_are_a_group_of_their_own():
    column = pd.Series([np.nan] * 50 + list(range(50)))
    target = pd.Series([9.0] * 50 + [1.0] * 50)
    assert association.explained(column, target) > 0.6  # of parts of two or three rows, held back by five


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
    rows = dataset.labelled(dataset.generate(300, 0))
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
        return dataclasses.replace(rentals, serving=stored, groups=(), views="", rules=lambda: ())

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


@pytest.fixture(scope="module")
def wide():
    """A problem of sixty numbers and thirty names, and rows of it: the last of each go with the target."""
    kinds = {f"n{i}": "number" for i in range(60)} | {f"c{i}": "category" for i in range(30)}
    rentals, random = problem.load("nyc_rentals"), np.random.default_rng(0)
    columns = {name: Column(kind, "") for name, kind in kinds.items()}
    stored = dataclasses.replace(rentals.serving, columns=columns, derived={}, feature_sets={})
    dataset = dataclasses.replace(
        rentals,
        serving=stored,
        groups=(),
        views="",
        rules=lambda: (),
        label=lambda rows: 10 * rows["n59"] + 100,
    )
    rows = pd.DataFrame(random.normal(size=(200, 60)), columns=list(kinds)[:60])
    names = {name: random.choice(["x", "y"], 200) for name in list(kinds)[60:]}
    names["c29"] = np.where(rows["n59"] > 0, "up", "down")
    rows = dataset.labelled(pd.concat([rows, pd.DataFrame(names)], axis=1))
    return dataset, rows.mask(random.random(rows.shape) < 0.05).assign(price=rows["price"])


@pytest.mark.parametrize(
    ("name", "of", "last"), [("numbers", 60, "n59"), ("frequent", 30, "c29"), ("missing", 90, None)]
)
def test_of_many_columns_the_twenty_that_matter_are_drawn_and_the_rest_is_a_table(wide, name, of, last):
    dataset, rows = wide
    view = views.of(dataset)[name]
    figure = view.draw(rows, rows)
    drawn = [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes if axes.axison]
    drawn = drawn if last else figure.axes[0].get_yticklabels()
    assert len(drawn) == profiling.MOST
    assert last is None or any(title.startswith(last) for title in drawn)
    assert view.read(rows, rows).startswith(f"Drawn are the 20 of {of} columns that ")
    assert len(view.rest(rows, rows)) == of


def test_where_all_columns_are_drawn_nothing_is_said_of_it(wide):
    dataset, rows = wide
    few = dataclasses.replace(
        dataset, serving=dataclasses.replace(dataset.serving, columns=dict(list(dataset.columns.items())[:9]))
    )
    assert "Drawn are" not in views.of(few)["numbers"].read(rows, rows)


def test_numbers_are_cut_as_pandas_cuts_them():
    random = np.random.default_rng(1)
    for values in (random.normal(size=300), random.integers(0, 40, 300), random.poisson(90, 300) * 1.0):
        column = pd.Series(values).mask(random.random(300) < 0.1)
        parts = pd.qcut(column, association.BINS, duplicates="drop").cat.codes
        assert association.groups(column).tolist() == parts.tolist()


def test_a_list_of_many_names_is_a_sentence_all_the_same():
    assert few(["a", "b"]) == "a, b"
    assert few(range(1500), 3) == "0, 1, 2 and 1,497 more"


def test_a_number_that_is_nearly_always_the_same_has_no_tail_of_billions():
    """99.5 % are zero: the median and the 99th percentile are the same, and give no scale."""
    rentals = problem.load("nyc_rentals")
    rows = rentals.generate(400, 1).assign(minimum_nights=[90, 90] + [0] * 398)
    sentence = views.of(rentals)["numbers"].read(rows, rows)
    assert "tail is that of minimum_nights" not in sentence
    assert "minimum_nights is zero in" in sentence
