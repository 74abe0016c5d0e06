"""Rentals: the course's counts and checks, weekly batches, and lookalikes that look alike."""

import os
from pathlib import Path

import pandas as pd
import pytest

from lib import problem, quality, views
from lib.datasets.nyc_rentals import training
from lib.errors import DataError, ParameterError

SMALL = {"min_rows": 1000}
DATASET = problem.load("nyc_rentals", SMALL)
GENERATED = DATASET.generate(3000, 0)
CLEAN = DATASET.clean(GENERATED).rows
mirror = [
    pytest.mark.mirror,
    pytest.mark.skipif(
        not os.environ.get("DATA_MIRROR"),
        reason="the published file is not here: set DATA_MIRROR to its folder",
    ),
]


def findings(rows: pd.DataFrame, dataset: problem.Dataset = DATASET) -> dict[str, str]:
    """What the problem's checks find, by the checks that do not hold."""
    report = quality.run(dataset.checks(), {"listings": rows})
    return report.loc[report["result"] != "ok", "found"].to_dict()


def test_lookalikes_pass_every_check():
    assert findings(CLEAN) == {}


@pytest.mark.parametrize(
    ("broken", "check"),
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
    assert check in findings(rows)


def test_the_sixteen_columns_stand_in_their_order():
    assert len(training.COLUMNS) == 16
    assert "in this order" in findings(CLEAN[list(CLEAN)[::-1]])["columns"]


def test_half_a_file_is_found_by_its_rows_and_a_small_one_may_set_its_own_bound():
    strict = problem.load("nyc_rentals")
    assert findings(CLEAN, strict) == {
        "more than 15,000 and fewer than 1,000,000 rows": f"listings: {len(CLEAN):,} rows"
    }


def test_a_batch_from_other_boroughs_is_found_and_its_absent_ones_are_no_trouble():
    odd = CLEAN[CLEAN["neighbourhood_group"] == "Queens"]
    report = quality.run(DATASET.checks(), {"reference": CLEAN, "rows": odd})
    assert report.loc["neighbourhood_group distributed as in the reference", "result"] == "error"
    assert "inf" not in report.loc["neighbourhood_group distributed as in the reference", "found"]


def test_the_second_batch_is_of_other_listings_a_week_later_and_alike():
    second = problem.load("nyc_rentals", {**SMALL, "batch": 2})
    rows = second.generate(3000, 0)
    assert not set(rows["id"]) & set(GENERATED["id"])
    assert rows["last_review"].max() - GENERATED["last_review"].max() == pd.Timedelta(days=7)
    frames = second.beside_reference(second.clean(rows).rows, {"generated": True, "rows": 3000, "seed": 0})
    assert list(frames) == ["reference", "rows"]
    pd.testing.assert_frame_equal(frames["reference"], CLEAN)
    assert "none fails" in quality.enforce(quality.run(second.checks(), frames))


def test_the_first_batch_has_nothing_to_be_compared_with():
    assert list(DATASET.beside_reference(CLEAN, {"generated": True, "rows": 3000, "seed": 0})) == ["rows"]


def test_batches_are_counted_from_one():
    with pytest.raises(ParameterError, match="the option batch must be at least 1, not 0"):
        problem.load("nyc_rentals", {"batch": 0})


def test_a_price_and_a_place_outside_are_refused_and_a_double_counts_once():
    rows = pd.concat([CLEAN.head(5), CLEAN.head(1)], ignore_index=True)
    rows["price"] = [9, 10, 350, 351, 100, 9]
    rows.loc[4, "longitude"] = -74.26
    cleaned = DATASET.clean(pd.concat([rows, rows]))
    assert cleaned.rows["price"].tolist() == [10, 350]
    assert cleaned.report["refused"].tolist() == [6, 2, 2]


def test_a_csv_loads_as_the_lookalikes_are_and_names_what_it_lacks(tmp_path: Path):
    path = tmp_path / "sample1.csv"
    GENERATED.to_csv(path, index=False)
    loaded = DATASET.load([path])
    pd.testing.assert_frame_equal(loaded, GENERATED)
    GENERATED.drop(columns="room_type").to_csv(path, index=False)
    with pytest.raises(DataError, match=r"sample1.csv has no column \['room_type'\]"):
        DATASET.load([path])
    GENERATED.astype({"last_review": "str"}).assign(last_review="soon").to_csv(path, index=False)
    with pytest.raises(DataError, match="last_review is no day"):
        DATASET.load([path])


def test_lookalikes_are_the_same_for_a_seed_and_have_the_dirt_of_the_real_ones():
    pd.testing.assert_frame_equal(GENERATED, DATASET.generate(3000, 0))
    assert (GENERATED["price"] == 0).any()
    assert GENERATED["price"].max() > 350
    assert 0.15 < GENERATED["last_review"].isna().mean() < 0.25
    assert (GENERATED["last_review"].isna() == GENERATED["reviews_per_month"].isna()).all()


@pytest.mark.parametrize("name", list(views.of(DATASET)))
def test_every_picture_is_announced_drawn_and_read(name):
    view, raw = views.of(DATASET)[name], DATASET.labelled(GENERATED)
    assert view.draw(raw, CLEAN).axes
    assert any(letter.isdigit() for letter in view.read(raw, CLEAN))


@pytest.mark.parametrize("name", list(views.own(DATASET)))
def test_its_own_pictures_are_of_the_rows_that_the_rules_keep(name):
    view = views.own(DATASET)[name]
    assert view.read(GENERATED, CLEAN) == view.read(GENERATED.head(0), CLEAN)
    assert view.read(GENERATED, CLEAN) != view.read(GENERATED, CLEAN.tail(400))


class TestPublished:
    """The published first batch."""

    pytestmark = mirror

    def test_it_has_the_courses_counts_and_passes_its_checks(self):
        dataset = problem.load("nyc_rentals")
        raw, _ = dataset.ingest("published", 0, 0)
        assert raw.shape == (20_000, 16)
        clean = dataset.clean(raw).rows
        assert len(clean) == 19_001
        assert findings(clean, dataset) == {}
        parts = dataset.split(clean, 42)
        assert [len(part) for part in parts.values()] == [12_168, 2_918, 3_915]
        assert quality.run([quality.apart(["host_id"])], parts)["found"].tolist() == [""]
        shares = [part["neighbourhood_group"].value_counts(normalize=True) for part in parts.values()]
        assert pd.concat(shares, axis=1).std(axis=1).max() < 0.02

    def test_the_generated_second_batch_holds_against_the_published_first(self):
        first = problem.load("nyc_rentals")
        old = first.clean(first.ingest("published", 0, 0)[0]).rows
        new = first.clean(problem.load("nyc_rentals", {"batch": 2}).generate(20_000, 0)).rows
        assert "none fails" in quality.enforce(quality.run(first.checks(), {"reference": old, "rows": new}))
