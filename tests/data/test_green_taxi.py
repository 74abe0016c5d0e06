"""Taxi trips: any mix of published months in one schema, the course's counts, lookalikes that look alike."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib import problem, quality
from lib.datasets.green_taxi import training
from lib.datasets.green_taxi.serving.zones import BOROUGHS, airport, borough
from lib.errors import DataError, ParameterError

MIRROR = os.environ.get("DATA_MIRROR", "")
mirror = [
    pytest.mark.mirror,
    pytest.mark.skipif(
        not MIRROR, reason="the published files are not here: set DATA_MIRROR to their folder"
    ),
]
DATASET = problem.load("green_taxi")
SCHEMA = {name: str(dtype) for name, dtype in DATASET.generate(30, 0).dtypes.items()}


def file_of(folder: Path, name: str = "green_tripdata_2023-01.parquet", **columns: pa.Array) -> Path:
    """A published-looking file of two trips, with some columns replaced (None leaves one out)."""
    start = pa.array(pd.to_datetime(["2023-01-05 10:00", "2023-01-06 11:30"]))
    content = {
        "lpep_pickup_datetime": start,
        "lpep_dropoff_datetime": pa.array(pd.to_datetime(["2023-01-05 10:12:00", "2023-01-06 11:35:30"])),
        "PULocationID": pa.array([74, 75]),
        "DOLocationID": pa.array([75, 74]),
        "trip_distance": pa.array([2.0, 1.1]),
        "VendorID": pa.array([1, 2]),
        "passenger_count": pa.array([1.0, None]),
        "RatecodeID": pa.array([1.0, None]),
        "payment_type": pa.array([1.0, None]),
        "fare_amount": pa.array([9.5, 7.0]),
        "tip_amount": pa.array([0.0, 2.0]),
        "unused": pa.array(["x", "y"]),
        **columns,
    }
    path = folder / name
    pq.write_table(pa.table({key: value for key, value in content.items() if value is not None}), path)
    return path


def test_ids_are_text_and_the_duration_is_in_minutes(tmp_path):
    trips = DATASET.load([file_of(tmp_path)])
    assert {name: str(dtype) for name, dtype in trips.dtypes.items()} == SCHEMA
    assert trips["PULocationID"].tolist() == ["74", "75"]
    assert DATASET.label(trips).tolist() == [12.0, 5.5]


@pytest.mark.parametrize(
    "changed",
    [
        {"PULocationID": pa.array([74, 75], "int32"), "passenger_count": pa.array([1, None], "int64")},
        {"PULocationID": pa.array([74.0, 75.0]), "RatecodeID": pa.array([1, None], "int32")},
        {"passenger_count": pa.nulls(2), "payment_type": pa.nulls(2), "RatecodeID": pa.nulls(2)},
        {
            "lpep_pickup_datetime": pa.array(
                pd.to_datetime(["2023-01-05 10:00", "2023-01-06 11:30"]).as_unit("ns")
            )
        },
        {"cbd_congestion_fee": pa.array([0.75, 0.0])},
        {"VendorID": pa.array(["1", "2"], "large_string")},
    ],
)
def test_a_month_with_other_types_or_a_new_column_loads_to_the_same_schema(tmp_path, changed):
    paths = [file_of(tmp_path), file_of(tmp_path, "green_tripdata_2025-02.parquet", **changed)]
    trips = DATASET.load(paths)
    assert {name: str(dtype) for name, dtype in trips.dtypes.items()} == SCHEMA
    assert trips["month"].tolist() == ["2023-01"] * 2 + ["2025-02"] * 2
    assert trips["PULocationID"].tolist() == ["74", "75"] * 2
    assert trips["VendorID"].tolist() == ["1", "2"] * 2


def test_yellow_trips_load_to_the_same_schema(tmp_path):
    path = file_of(tmp_path, "yellow_tripdata_2023-01.parquet")
    table = pq.read_table(path)
    pq.write_table(table.rename_columns([n.replace("lpep_", "tpep_") for n in table.column_names]), path)
    assert {name: str(dtype) for name, dtype in DATASET.load([path]).dtypes.items()} == SCHEMA


def test_only_the_columns_used_are_kept(tmp_path):
    assert "unused" not in DATASET.load([file_of(tmp_path)])


def test_a_missing_column_and_an_empty_month_are_named(tmp_path):
    with pytest.raises(
        DataError, match=r"2023-01.parquet has no column \['trip_distance'\]; it has \['lpep_"
    ):
        DATASET.load([file_of(tmp_path, trip_distance=None)])
    path = file_of(tmp_path)
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(DataError, match=r"2023-01\.parquet has no rows"):
        DATASET.load([path])


def test_a_file_damaged_in_its_middle_is_an_error_of_ours(tmp_path):
    path = file_of(tmp_path)
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"(?s)cannot be read.*delete it first"):
        DATASET.load([path])


@pytest.mark.parametrize("month", ["2023-13", "2023-1", "January"])
def test_a_month_that_is_none_is_refused_before_anything_is_fetched(month):
    with pytest.raises(ParameterError, match="no months; write them as 2023-01"):
        problem.load("green_taxi", {"train_months": [month]}).fetch()


def test_the_limits_of_the_rules_are_inclusive():
    start = pd.Timestamp("2023-01-01")
    trips = DATASET.generate(30, 0).head(4)
    trips["pickup_datetime"] = start
    trips["dropoff_datetime"] = start + pd.to_timedelta([59, 60, 3600, 3601], unit="s")
    cleaned = problem.load("green_taxi").clean(trips)
    assert cleaned.rows["duration"].tolist() == [1.0, 60.0]
    assert cleaned.report["refused"].tolist() == [1, 1]
    assert cleaned.report["left"].tolist() == [3, 2]


def test_rules_are_options():
    trips = DATASET.generate(3000, 0)
    loose = problem.load("green_taxi", {"min_minutes": 0.0, "max_minutes": 2000.0})
    tight = problem.load("green_taxi", {"max_miles": 100.0})
    assert len(loose.clean(trips).rows) > len(problem.load("green_taxi").clean(trips).rows)
    assert tight.clean(trips).rows["trip_distance"].max() <= 100


def test_lookalikes_are_the_same_for_a_seed_and_others_for_another():
    first, again, other = (DATASET.generate(600, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["trip_distance"].equals(other["trip_distance"])


def test_lookalikes_have_the_dirt_of_the_real_ones():
    trips = DATASET.generate(30_000, 5)
    minutes = DATASET.label(trips)
    assert (minutes < 0).any()
    assert 0.001 < (minutes > 20 * 60).mean() < 0.005
    assert trips["trip_distance"].max() == 120_098.84
    assert 0.04 < trips["passenger_count"].isna().mean() < 0.09
    assert (trips["pickup_datetime"].dt.strftime("%Y-%m") != trips["month"]).sum() > 3


def test_lookalikes_can_be_learnt_from():
    parts = DATASET.split(DATASET.clean(DATASET.generate(9000, 1)).rows, 1)
    train, test = (DATASET.engineer(parts[name]) for name in ("train", "test"))
    pair = test["PU_DO"].map(train.groupby("PU_DO")["duration"].mean()).fillna(train["duration"].mean())
    spread = test["duration"].std()
    assert np.sqrt(((pair - test["duration"]) ** 2).mean()) < 0.75 * spread
    speed = test["trip_distance"] / test["duration"]
    assert speed[test["pickup_hour"] == 5].median() > 1.2 * speed[test["pickup_hour"] == 15].median()


def test_every_zone_has_one_borough():
    zones = pd.Series([str(number) for number in range(1, 266)])
    assert len(BOROUGHS) == 265
    counted = borough(zones).value_counts().to_dict()
    assert (counted["Manhattan"], counted["Queens"], counted["Brooklyn"]) == (69, 69, 61)
    assert (counted["Bronx"], counted["Staten Island"], counted["Newark"]) == (43, 20, 1)
    assert borough(pd.Series(["74", "95", "999", None])).tolist() == [
        "Manhattan",
        "Queens",
        *["elsewhere"] * 2,
    ]
    assert zones[airport(zones)].tolist() == ["1", "132", "138"]


def test_every_row_falls_into_a_group_of_each_slice():
    trips = DATASET.generate(900, 0)
    for name, group in training.SLICES.items():
        labels = group(trips)
        assert labels.index.equals(trips.index), name
        assert labels.notna().all(), name
        assert 2 <= labels.nunique() <= 8, name


def test_too_few_rows_for_the_months_are_refused():
    with pytest.raises(DataError, match="2 rows do not fill 3 months"):
        DATASET.generate(2, 0)


def test_generated_rows_pass_every_check_that_stops():
    parts = DATASET.split(DATASET.clean(DATASET.generate(6000, 42)).rows, 42)
    report = quality.run((quality.not_empty(), quality.apart(), *DATASET.checks()), parts)
    assert "none fails" in quality.enforce(report)


def test_a_row_in_two_months_stops():
    parts = DATASET.split(DATASET.clean(DATASET.generate(600, 42)).rows, 42)
    parts["test"] = pd.concat([parts["test"], parts["train"].head(1)])
    with pytest.raises(DataError, match="1 rows of test stand in train"):
        quality.enforce(quality.run([quality.apart()], parts))


class TestPublished:
    """The real files, as the TLC publishes them."""

    pytestmark = mirror

    def load(self, **months: list[str]) -> pd.DataFrame:
        dataset = problem.load("green_taxi", months)
        return dataset.load([file.path for file in dataset.fetch()])

    def test_january_2024_has_the_courses_counts(self):
        one = ["2024-01"]
        raw = self.load(train_months=one, validation_months=one, test_months=one)
        assert len(raw) == 56_551
        assert len(problem.load("green_taxi").clean(raw).rows) == 54_373

    def test_the_first_months_of_2023_have_the_courses_counts(self):
        raw, provenance = DATASET.ingest("published", rows=0, seed=0)
        assert raw["month"].value_counts().sort_index().tolist() == [68_211, 64_809, 72_044]
        parts = DATASET.split(DATASET.clean(raw).rows, 42)
        assert [len(part) for part in parts.values()] == [65_946, 62_574, 69_392]
        assert DATASET.engineer(parts["train"])["PU_DO"].nunique() + 1 == 5_702
        assert [file["rows"] for file in provenance["files"]] == [68_211, 64_809, 72_044]
        assert provenance["files"][0]["sha256"].startswith("9f0e03dd")
        assert not provenance["generated"]

    def test_every_mix_of_months_has_one_schema_and_no_id_is_lost(self):
        raw = self.load(train_months=["2023-12"], validation_months=["2023-01"], test_months=["2024-01"])
        assert {name: str(dtype) for name, dtype in raw.dtypes.items()} == SCHEMA
        for column in ("PULocationID", "DOLocationID"):
            assert raw[column].astype(int).between(1, 265).all()
        assert set(raw["VendorID"].unique()) == {"1", "2"}

    def test_the_boroughs_are_those_of_the_published_table(self):
        table = pd.read_csv(Path(MIRROR) / "taxi_zone_lookup.csv", keep_default_na=False)
        names = table["Borough"].replace({"EWR": "Newark", "Unknown": "elsewhere", "N/A": "elsewhere"})
        assert borough(table["LocationID"].astype("str")).tolist() == names.tolist()

    def test_the_files_and_the_lookalikes_are_alike(self):
        real = DATASET.clean(DATASET.ingest("published", 0, 0)[0]).rows
        generated = DATASET.clean(DATASET.generate(20_000, 3)).rows
        for column in ("duration", "trip_distance", "fare_amount"):
            ratio = generated[column].quantile([0.1, 0.5, 0.95]) / real[column].quantile([0.1, 0.5, 0.95])
            assert ratio.between(0.6, 1.6).all(), column
