"""Rentals: the course's counts and checks, weekly batches, and lookalikes that look alike."""

import os
from pathlib import Path

import pandas as pd
import pytest

from lib import datasets, quality
from lib.datasets import nyc_rentals
from lib.errors import DataError, ParameterError

SMALL = {"min_rows": 1000}
DATASET = datasets.load("nyc_rentals", SMALL)
MADE = DATASET.generate(3000, 0)
CLEAN = DATASET.clean(MADE).rows
mirror = [
    pytest.mark.mirror,
    pytest.mark.skipif(
        not os.environ.get("DATA_MIRROR"),
        reason="the published file is not here: set DATA_MIRROR to its folder",
    ),
]


def found(rows: pd.DataFrame, dataset: datasets.Dataset = DATASET) -> dict[str, str]:
    """What the problem's checks find, those that found something."""
    report = quality.run(dataset.checks(), {"listings": rows})
    return report.loc[report["result"] != "ok", "found"].to_dict()


def test_lookalikes_pass_every_check():
    assert found(CLEAN) == {}


@pytest.mark.parametrize(
    "broken, check",
    [
        ({"price": 900}, "price from 10 to 350"),
        ({"longitude": -70.0}, "longitude from -74.25 to -73.5"),
        ({"latitude": 45.0}, "latitude from 40.5 to 41.2"),
        ({"neighbourhood_group": "Hoboken"}, "neighbourhood_group is one of 5"),
    ],
)
def test_one_wrong_value_is_found(broken, check):
    rows = CLEAN.copy()
    for name, value in broken.items():
        rows.loc[7, name] = value
    assert check in found(rows)


def test_the_sixteen_columns_stand_in_their_order():
    assert len(nyc_rentals.COLUMNS) == 16
    assert "in this order" in found(CLEAN[list(CLEAN)[::-1]])["columns"]


def test_half_a_file_is_found_by_its_rows_and_a_small_one_may_set_its_own_bound():
    strict = datasets.load("nyc_rentals")
    assert found(CLEAN, strict) == {
        "more than 15,000 and fewer than 1,000,000 rows": f"listings: {len(CLEAN):,} rows"
    }


def test_a_batch_from_other_boroughs_is_found_and_its_absent_ones_are_no_trouble():
    odd = CLEAN[CLEAN["neighbourhood_group"] == "Queens"]
    report = quality.run(DATASET.checks(), {"reference": CLEAN, "rows": odd})
    assert report.loc["neighbourhood_group distributed as in the reference", "result"] == "error"
    assert "inf" not in report.loc["neighbourhood_group distributed as in the reference", "found"]


def test_the_second_batch_is_of_other_listings_a_week_later_and_alike():
    second = datasets.load("nyc_rentals", {**SMALL, "batch": 2})
    rows = second.generate(3000, 0)
    assert not set(rows["id"]) & set(MADE["id"])
    assert rows["last_review"].max() - MADE["last_review"].max() == pd.Timedelta(days=7)
    frames = second.beside_reference(second.clean(rows).rows, {"generated": True, "rows": 3000, "seed": 0})
    assert list(frames) == ["reference", "rows"]
    pd.testing.assert_frame_equal(frames["reference"], CLEAN)
    assert "none fails" in quality.enforce(quality.run(second.checks(), frames))


def test_the_first_batch_has_nothing_to_be_compared_with():
    assert list(DATASET.beside_reference(CLEAN, {"generated": True, "rows": 3000, "seed": 0})) == ["rows"]


def test_batches_are_counted_from_one():
    with pytest.raises(ParameterError, match="batch is 0"):
        datasets.load("nyc_rentals", {"batch": 0}).generate(100, 0)


def test_a_price_and_a_place_outside_are_refused_and_a_double_counts_once():
    rows = pd.concat([CLEAN.head(5), CLEAN.head(1)], ignore_index=True)
    rows["price"] = [9, 10, 350, 351, 100, 9]
    rows.loc[4, "longitude"] = -74.26
    cleaned = DATASET.clean(pd.concat([rows, rows]))
    assert cleaned.rows["price"].tolist() == [10, 350]
    assert cleaned.report["refused"].tolist() == [6, 2, 2]


def test_a_csv_loads_as_the_lookalikes_are_and_names_what_it_lacks(tmp_path: Path):
    path = tmp_path / "sample1.csv"
    MADE.to_csv(path, index=False)
    loaded = DATASET.load([path])
    pd.testing.assert_frame_equal(loaded, MADE)
    MADE.drop(columns="room_type").to_csv(path, index=False)
    with pytest.raises(DataError, match=r"sample1.csv has no column \['room_type'\]"):
        DATASET.load([path])
    MADE.astype({"last_review": "str"}).assign(last_review="soon").to_csv(path, index=False)
    with pytest.raises(DataError, match="last_review is no day"):
        DATASET.load([path])


def test_lookalikes_are_the_same_for_a_seed_and_have_the_dirt_of_the_real_ones():
    pd.testing.assert_frame_equal(MADE, DATASET.generate(3000, 0))
    assert (MADE["price"] == 0).any()
    assert MADE["price"].max() > 350
    assert 0.15 < MADE["last_review"].isna().mean() < 0.25
    assert (MADE["last_review"].isna() == MADE["reviews_per_month"].isna()).all()


@pytest.mark.parametrize("name", sorted(DATASET.views))
def test_every_picture_is_announced_drawn_and_read(name):
    view = DATASET.views[name]
    assert view.draw(MADE).axes
    assert any(letter.isdigit() for letter in view.read(MADE))


class TestPublished:
    """The published first batch."""

    pytestmark = mirror

    def test_it_has_the_courses_counts_and_passes_its_checks(self):
        dataset = datasets.load("nyc_rentals")
        raw, _ = dataset.ingest("published", 0, 0)
        assert raw.shape == (20_000, 16)
        clean = dataset.clean(raw).rows
        assert len(clean) == 19_001
        assert found(clean, dataset) == {}
        parts = dataset.split(clean, 42)
        assert len(parts["train"]) + len(parts["validation"]) == 15_200
        shares = [part["neighbourhood_group"].value_counts(normalize=True) for part in parts.values()]
        assert pd.concat(shares, axis=1).std(axis=1).max() < 1e-3

    def test_the_generated_second_batch_holds_against_the_published_first(self):
        first = datasets.load("nyc_rentals")
        old = first.clean(first.ingest("published", 0, 0)[0]).rows
        new = first.clean(datasets.load("nyc_rentals", {"batch": 2}).generate(20_000, 0)).rows
        assert "none fails" in quality.enforce(quality.run(first.checks(), {"reference": old, "rows": new}))
