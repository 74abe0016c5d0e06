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


def test_classes_have_equal_shares_in_all_parts():
    rows = pd.DataFrame({"kind": ["a"] * 700 + ["b"] * 300, "x": range(1000)})
    parts = splits.at_random(rows, test=0.3, validation=0.3, seed=42, by="kind")
    assert [len(part) for part in parts.values()] == [490, 210, 300]  # 700 = 0.7 of 1000, then 0.7 of that
    assert all(abs((part["kind"] == "a").mean() - 0.7) < 0.01 for part in parts.values())
    assert sorted(pd.concat(parts.values())["x"]) == list(range(1000))


def test_the_same_seed_draws_the_same_rows_and_another_one_others():
    draws = [splits.at_random(MONTHS, 0.4, 0.4, seed)["test"]["x"].tolist() for seed in (1, 1, 2, 3, 4)]
    assert draws[0] == draws[1]
    assert any(draw != draws[0] for draw in draws[2:])


def test_a_class_with_one_row_cannot_be_shared_out():
    with pytest.raises(DataError, match=r"cannot be split.*Rows a class of 'kind': .*'rare': 1"):
        splits.at_random(pd.DataFrame({"kind": ["a"] * 9 + ["rare"]}), 0.3, 0.3, 0, by="kind")


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
    rows = pd.DataFrame({"kind": ["a", "b"] * 20})
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
