"""Columns that give the target away are told; noise and the honest problems are silent."""

import numpy as np
import pandas as pd
import pytest

from lib import problem
from lib.quality import leaks, read_cost


def rows(seed, n=1500):
    """A target that two numbers make in part, and names that say little."""
    rng = np.random.default_rng(seed)
    a, b = rng.poisson(40, n), rng.poisson(90, n)
    return pd.DataFrame(
        {
            "a": a, "b": b, "zone": rng.choice(list("pqrs"), n), "patient": np.arange(n) // 10,
            "count": a + b + rng.poisson(60, n), "kind": np.where(rng.random(n) < 0.3, "yes", "no"),
        }
    )  # fmt: skip


COLUMNS = ["a", "b", "zone", "patient", "other"]


@pytest.mark.parametrize(
    ("target", "change", "said"),
    [
        ("count", lambda t: t.assign(count=t["a"] + t["b"], other=1), "a and b determine count"),
        ("count", lambda t: t.assign(other=1 - 3.0 * t["count"]), "other determines count"),
        ("count", lambda t: t.assign(other=t["count"] // 4), "other alone explains 9"),
        (
            "count",
            lambda t: t.assign(
                a=pd.Timestamp("2023-01-05") + pd.to_timedelta(t["a"], unit="h"),
                other=pd.Timestamp("2023-01-05") + pd.to_timedelta(60 * t["a"] + t["count"], unit="m"),
            ),
            "a and other determine count",
        ),
        ("kind", lambda t: t.assign(other=t["kind"].map({"yes": "7", "no": "3"})), "other alone explains 1"),
        ("kind", lambda t: t.assign(other=(t["kind"] == "yes") + 0.0), "other alone explains 1"),
    ],
)  # fmt: skip
def test_what_gives_the_target_away_is_told_by_name(target, change, said):
    (told,) = leaks.told(change(rows(1)), target, COLUMNS)
    assert told.startswith(f"Too good to be true: {said}")
    assert said in leaks.read([told])


@pytest.mark.parametrize("target", ["count", "kind"])
def test_honest_columns_and_noise_are_silent(target):
    for seed in range(5):
        table = rows(seed).assign(other=np.random.default_rng(seed).normal(size=1500))
        assert leaks.told(table, target, COLUMNS) == []
        assert leaks.told(table.head(60), target, COLUMNS) == []
    assert leaks.read([]).startswith("No column is")


def test_a_group_s_own_name_tells_nothing_of_other_groups():
    """Ten rows a patient, all of one kind: by row a patient's number gives it away, by patient it cannot."""
    table = rows(0)
    table["kind"] = np.random.default_rng(3).choice(["yes", "no"], 150)[table["patient"]]
    assert "patient alone explains" in leaks.told(table, "kind", ["patient"])[0]
    assert leaks.told(table, "kind", ["patient"], groups=["patient"]) == []


@pytest.mark.parametrize("name", ["green_taxi", "music_genres", "nyc_rentals"])
def test_the_shipped_problems_are_silent_on_what_they_know_before(name):
    dataset = problem.load(name)
    clean = dataset.clean(dataset.generate(3000, 1)).rows
    before = dataset.of_kind("number", "category", "id", "time", known="before")
    assert leaks.told(clean, dataset.target.name, before, dataset.groups) == []


def test_a_cleaning_that_refuses_most_rows_is_told_and_one_that_does_not_is_silent():
    report = pd.DataFrame({"share": [0.1, 0.45]}, index=["a", "dear"])
    assert "refused 55% of the rows, most of them by the rule “dear”" in read_cost(report)
    assert read_cost(report.assign(share=[0.1, 0.3])) == ""
