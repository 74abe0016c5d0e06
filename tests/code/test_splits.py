"""Splits: every row in one part at most, the parts that were asked for, and no silent empty one."""

import pandas as pd
import pytest

from lib import splits
from lib.errors import DataError

MONTHS = pd.DataFrame({"month": ["2023-01"] * 3 + ["2023-02"] * 2 + ["2023-03"], "x": range(6)})
PERIODS = {"train": ["2023-01"], "validation": ["2023-02"], "test": ["2023-03"]}


def test_periods_go_where_they_are_told():
    parts = splits.by_period(MONTHS, "month", PERIODS)
    assert {name: part["x"].tolist() for name, part in parts.items()} == {
        "train": [0, 1, 2],
        "validation": [3, 4],
        "test": [5],
    }


def test_a_period_that_no_row_has_is_named_beside_those_that_are_there():
    with pytest.raises(DataError, match=r"test split has no rows for \['2024-07'\].*'2023-03'"):
        splits.by_period(MONTHS, "month", {**PERIODS, "test": ["2024-07"]})


def test_a_period_may_not_train_and_judge():
    with pytest.raises(DataError, match=r"\['2023-01'\] stand in more than one split"):
        splits.by_period(MONTHS, "month", {**PERIODS, "test": ["2023-01"]})


def test_a_split_without_periods_is_refused():
    with pytest.raises(DataError, match="validation split has no rows"):
        splits.by_period(MONTHS, "month", {**PERIODS, "validation": []})


def test_classes_have_their_shares_in_all_parts():
    rows = pd.DataFrame({"kind": ["a"] * 7000 + ["b"] * 3000, "x": range(10_000)})
    parts = splits.at_random(rows, test=0.3, validation=0.3, seed=42, by="kind")
    wanted = {"train": 4900, "validation": 2100, "test": 3000}  # 0.7 of all, then 0.7 of that
    assert {name: round(len(part) / 200) * 200 for name, part in parts.items()} == {
        name: round(count / 200) * 200 for name, count in wanted.items()
    }
    assert all(abs((part["kind"] == "a").mean() - 0.7) < 0.03 for part in parts.values())
    assert sorted(pd.concat(parts.values())["x"]) == list(range(10_000))


def sides(parts):
    return {x: name for name, part in parts.items() for x in part["x"]}


def test_a_row_keeps_its_side_whatever_rows_come_or_go_beside_it():
    rows = pd.DataFrame({"x": range(3000), "y": [i * 7 % 11 for i in range(3000)]})
    before = sides(splits.at_random(rows, 0.2, 0.2, seed=1))
    fewer = rows[rows["y"] != 3].sample(frac=1, random_state=0)
    assert len(fewer) < 2800
    after = sides(splits.at_random(fewer, 0.2, 0.2, seed=1))
    assert after == {x: before[x] for x in fewer["x"]}
    assert sides(splits.at_random(rows.astype("float64"), 0.2, 0.2, seed=1)) == before


@pytest.mark.parametrize(("kind", "keep"), [(None, True), ("rare", False), ("common", True)])
def test_of_a_class_of_few_rows_the_shares_are_counted_out_and_some_change_sides(kind, keep):
    rows = pd.DataFrame({"x": range(1180), "kind": ["common"] * 1000 + ["rare"] * 180})
    fewer = rows[rows["x"] % 5 != 0]
    by = "kind" if kind else None
    before, after = (sides(splits.at_random(some, 0.2, 0.2, seed=1, by=by)) for some in (rows, fewer))
    asked = fewer if kind is None else fewer[fewer["kind"] == kind]
    moved = sum(before[x] != after[x] for x in asked["x"])
    assert (moved == 0) == keep
    assert moved < 0.1 * len(asked)


@pytest.mark.parametrize("rows", [40, 4000])
def test_a_group_is_not_torn(rows):
    table = pd.DataFrame({"host": [f"host {i % (rows // 10)}" for i in range(rows)], "x": range(rows)})
    parts = splits.at_random(table, 0.2, 0.25, seed=0, groups=["host"])
    hosts = [set(part["host"]) for part in parts.values()]
    assert sum(map(len, hosts)) == len(set.union(*hosts)) == rows // 10
    assert min(map(len, hosts)) > 0


def test_seeds_draw_independently_and_evenly():
    rows = pd.DataFrame({"x": range(20_000)})
    first, second = (sides(splits.at_random(rows, 0.5, 0.5, seed)) for seed in (1, 2))
    both = sum(first[x] == second[x] == "test" for x in first)
    assert abs(both / 20_000 - 0.25) < 0.015
    halves = [sum(side == "test" for x, side in first.items() if x % 2 == odd) for odd in (0, 1)]
    assert all(abs(half / 10_000 - 0.5) < 0.02 for half in halves)


def test_the_same_seed_draws_the_same_rows_and_another_one_others():
    draws = [splits.at_random(MONTHS, 0.4, 0.4, seed)["test"]["x"].tolist() for seed in (1, 1, 2, 3, 4)]
    assert draws[0] == draws[1]
    assert any(draw != draws[0] for draw in draws[2:])


def test_a_class_with_one_row_cannot_be_shared_out():
    with pytest.raises(DataError, match=r"10 rows cannot be split\. Rows a class of 'kind': .*'rare': 1"):
        splits.at_random(pd.DataFrame({"kind": ["a"] * 9 + ["rare"], "x": range(10)}), 0.3, 0.3, 0, by="kind")


@pytest.mark.parametrize("share", [0, 1, -0.2, 30])
def test_a_share_is_between_nothing_and_all(share):
    with pytest.raises(DataError, match="must lie between 0 and 1"):
        splits.at_random(MONTHS, share, 0.3, 0)


def test_a_shuffle_of_the_same_sizes_mixes_what_time_kept_apart():
    rows = pd.DataFrame({"month": ["1"] * 60 + ["2"] * 20 + ["3"] * 20})
    parts = splits.by_period(rows, "month", {"train": ["1"], "validation": ["2"], "test": ["3"]})
    shuffled = splits.alike(rows, parts, seed=0)
    assert {name: len(part) for name, part in shuffled.items()} == {
        name: len(part) for name, part in parts.items()
    }
    assert set(parts["train"]["month"]) == {"1"}
    assert set(shuffled["train"]["month"]) == {"1", "2", "3"}
    assert sorted(pd.concat(shuffled.values())["month"]) == sorted(rows["month"])


def test_parts_are_numbered_from_zero_and_have_the_columns_they_had():
    parts = splits.by_period(MONTHS, "month", PERIODS)
    assert {name: part.index.tolist() for name, part in parts.items()} == {
        "train": [0, 1, 2],
        "validation": [0, 1],
        "test": [0],
    }
    assert all(list(part) == ["month", "x"] for part in parts.values())


def test_the_rest_is_shared_out_by_class_as_well():
    """40 rows, half of them rare: of the 20 that are left after the test, 10 train, 5 of each class."""
    rows = pd.DataFrame({"kind": ["a", "b"] * 20, "x": range(40)})
    for seed in range(5):
        parts = splits.at_random(rows, test=0.5, validation=0.5, seed=seed, by="kind")
        assert {name: (part["kind"] == "a").sum() for name, part in parts.items()} == {
            "train": 5,
            "validation": 5,
            "test": 10,
        }


def test_a_share_that_cannot_be_is_named():
    with pytest.raises(DataError, match=r"The test share is 0;"):
        splits.at_random(MONTHS, 0, 0.3, 0)
    with pytest.raises(DataError, match=r"The validation share is 1;"):
        splits.at_random(MONTHS, 0.3, 1, 0)


def test_a_single_row_cannot_be_split_and_no_class_is_blamed():
    with pytest.raises(DataError, match=r"1 rows cannot be split") as refused:
        splits.at_random(MONTHS.head(1), 0.3, 0.3, 0)
    assert "Rows a class" not in str(refused.value)


def test_folds_hold_each_row_out_once_in_equal_shares_of_each_class_and_keep_it_whatever_comes():
    rows = pd.DataFrame({"kind": ["a"] * 4000 + ["b"] * 1000, "x": range(5000)})
    cv = splits.folds(rows, 5, seed=1, by="kind")
    assert sorted(x for _, held in cv for x in held) == list(range(5000))
    assert all(len(fit) + len(held) == 5000 and not set(fit) & set(held) for fit, held in cv)
    assert all(abs((rows["kind"].iloc[held] == "b").mean() - 0.2) < 0.05 for _, held in cv)
    fewer = rows[rows["x"] % 3 > 0]
    fold = {rows["x"].iloc[i]: number for number, (_, held) in enumerate(cv) for i in held}
    again = splits.folds(fewer, 5, seed=1, by="kind")
    assert all(fold[fewer["x"].iloc[i]] == number for number, (_, held) in enumerate(again) for i in held)


@pytest.mark.parametrize("rows", [60, 3000])
def test_folds_tear_no_group(rows):
    table = pd.DataFrame({"host": [i % (rows // 10) for i in range(rows)], "x": range(rows)})
    held = [set(table["host"].iloc[held]) for _, held in splits.folds(table, 3, 0, groups=["host"])]
    assert sum(map(len, held)) == len(set.union(*held)) == rows // 10
    with pytest.raises(DataError, match="1 folds were asked for"):
        splits.folds(table, 1, 0)


def months(train, validation, test):
    """Parts of the days of these months, and a clock in twenty-five that went wrong."""
    strays = [pd.Timestamp("2009-01-01")]
    days = {
        name: [*pd.date_range(f"2023-{month:02}-01", periods=24), *strays]
        for name, month in {"train": train, "validation": validation, "test": test}.items()
    }
    return {name: pd.DataFrame({"at": times}) for name, times in days.items()}


def test_the_future_may_not_judge_the_past_unless_that_is_admitted_and_told():
    assert splits.require_order(months(1, 2, 3), "at", any_order=False) == ""
    assert splits.require_order(months(3, 2, 1), "", any_order=False) == ""  # rows have no time
    with pytest.raises(
        DataError, match=r"train goes on to 2023-03-2.*test begins on 2023-01-0.*any_order=true"
    ):
        splits.require_order(months(3, 2, 1), "at", any_order=False)
    told = splits.require_order(months(1, 3, 2), "at", any_order=True)
    assert "validation goes on to 2023-03-2" in told
    assert "the future judges the past" in told
