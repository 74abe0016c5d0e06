"""Green taxi trips of New York: how long will a trip take? The course's problem.

What a model sees is in `_green_taxi_features`; the pictures are in `_green_taxi_views`, the generated
lookalikes in `_green_taxi_lookalikes`, both imported when they are used. Files of yellow taxis have the
same columns under other names and load as well.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.datasets._green_taxi_features import DERIVED, FEATURE_SETS
from lib.datasets._green_taxi_zones import borough
from lib.datasets.base import Column, Dataset, Later, Rule, Target
from lib.errors import DataError, ParameterError

PUBLISHED = "https://d37ci6vzurychx.cloudfront.net/trip-data/{taxi}_tripdata_{month}.parquet"

COLUMNS = {
    "pickup_datetime": Column("time", "when the meter was switched on"),
    "dropoff_datetime": Column("time", "when the meter was switched off", known="after"),
    "PULocationID": Column("id", "TLC zone where the meter was switched on (1 to 265)"),
    "DOLocationID": Column("id", "TLC zone where it was switched off; the rider names it on boarding"),
    "trip_distance": Column("number", "distance by the taximeter", "miles", known="after"),
    "VendorID": Column("category", "which of the meter's makers recorded the trip (1 or 2)"),
    "passenger_count": Column("number", "riders, as the driver typed them", "riders"),
    "RatecodeID": Column("category", "rate in force at the end of the trip (1 standard)", known="after"),
    "payment_type": Column("category", "how it was paid (1 card, 2 cash)", known="after"),
    "fare_amount": Column("number", "fare by time and distance", "$", known="after"),
    "tip_amount": Column("number", "tip, by card only", "$", known="after"),
    "month": Column("category", "the published file that the trip came in"),
}

#: Arrow types; ids are read as whole numbers first, as some months store them as 1.0.
TYPES = {"time": "timestamp[us]", "number": "double", "id": "string", "category": "string"}


def fetch(
    *,
    taxi: str = "green",
    train_months: Sequence[str] = ("2023-01",),
    validation_months: Sequence[str] = ("2023-02",),
    test_months: Sequence[str] = ("2023-03",),
) -> list:
    """The published files of all months that the splits ask for, each verified."""
    from lib import sources

    if taxi not in ("green", "yellow"):
        raise ParameterError(
            f"taxi is {taxi!r}; the published trips that load here are 'green' and 'yellow'."
        )
    months = sorted({*train_months, *validation_months, *test_months})
    odd = [month for month in months if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", str(month))]
    if odd:
        raise ParameterError(f"{odd} are no months; write them as 2023-01.")
    return [
        sources.fetch(PUBLISHED.format(taxi=taxi, month=month), check=sources.parquet) for month in months
    ]


def load(paths: Sequence[Path]) -> pd.DataFrame:
    """Files of any months, of green or yellow trips, in one schema; only the columns used are read."""
    import pyarrow as pa

    return pa.concat_tables([_table(Path(path)) for path in paths]).to_pandas()


def _table(path: Path) -> Any:  # an Arrow table, whose type must not be imported above
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            there = file.schema_arrow.names
            names = {column: _published(column, there) for column in COLUMNS if column != "month"}
            missing = [column for column, name in names.items() if name not in there]
            if missing:
                raise DataError(f"{path.name} has no column {missing}; it has {there}. Are these taxi trips?")
            table = file.read(columns=list(names.values()))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read: {error}. To fetch it again, delete it first.") from error
    if table.num_rows == 0:
        raise DataError(f"{path.name} has no rows. Fetch it again, or name another month in the options.")
    arrays = {column: _cast(table[name], COLUMNS[column].kind) for column, name in names.items()}
    arrays["month"] = pa.array([_month(path)] * table.num_rows, "string")
    return pa.table(arrays)


def _published(column: str, there: Sequence[str]) -> str:
    """The name a file has for a column: `lpep_pickup_datetime` in green, `tpep_…` in yellow ones."""
    return next((f"{taxi}_{column}" for taxi in ("lpep", "tpep") if f"{taxi}_{column}" in there), column)


def _cast(values: Any, kind: str) -> Any:
    if kind in ("id", "category") and not str(values.type).endswith("string"):
        values = values.cast("int64")
    return values.cast(TYPES[kind], safe=kind != "time").combine_chunks()


def _month(path: Path) -> str:
    found = re.search(r"\d{4}-\d{2}", path.name)
    if not found:
        raise DataError(
            f"{path.name} does not tell its month. Name it as published: green_tripdata_2023-01.parquet."
        )
    return found.group()


def generate(
    rows: int,
    seed: int,
    *,
    train_months: Sequence[str] = ("2023-01",),
    validation_months: Sequence[str] = ("2023-02",),
    test_months: Sequence[str] = ("2023-03",),
) -> pd.DataFrame:
    """Lookalike trips of these months, with the dirt of the real ones."""
    from lib.datasets import _green_taxi_lookalikes

    months = sorted({*train_months, *validation_months, *test_months})
    return _green_taxi_lookalikes.trips(rows, seed, months)[list(COLUMNS)]


def label(rows: pd.DataFrame) -> pd.Series:
    """Minutes from the meter's start to its stop."""
    return (rows["dropoff_datetime"] - rows["pickup_datetime"]).dt.total_seconds() / 60


def rules(
    *, min_minutes: float = 1.0, max_minutes: float = 60.0, max_miles: float | None = None
) -> tuple[Rule, ...]:
    """The course's cleaning; `max_miles` would drop the broken odometers too, which the course keeps."""
    kept = (
        Rule(
            f"at least {min_minutes:g} min",
            "The meter was started by mistake, or the rider stepped out again: nobody was driven.",
            lambda rows: rows["duration"] >= min_minutes,
        ),
        Rule(
            f"at most {max_minutes:g} min",
            "Mostly meters that nobody stopped; the few true long rides are another trade.",
            lambda rows: rows["duration"] <= max_minutes,
        ),
    )
    if max_miles is None:
        return kept
    far = "No ride of an hour gets that far: the distance is broken."
    return (*kept, Rule(f"at most {max_miles:g} miles", far, lambda rows: rows["trip_distance"] <= max_miles))


def split(
    rows: pd.DataFrame,
    seed: int,
    *,
    train_months: Sequence[str] = ("2023-01",),
    validation_months: Sequence[str] = ("2023-02",),
    test_months: Sequence[str] = ("2023-03",),
) -> dict[str, pd.DataFrame]:
    """By the month of the file, the earliest to train: a model is asked about days after those it saw."""
    from lib import splits

    periods = {"train": train_months, "validation": validation_months, "test": test_months}
    return splits.by_period(rows, "month", periods)


def checks(*, min_minutes: float = 1.0, max_minutes: float = 60.0) -> tuple:
    """What must hold in each split, and what is only odd."""
    from lib import quality

    kinds = {"time": "time", "number": "number", "id": "text", "category": "text"}
    zones = [str(number) for number in range(1, 266)]
    return (
        quality.schema({name: kinds[column.kind] for name, column in COLUMNS.items()}),
        quality.filled("pickup_datetime", "PULocationID", "DOLocationID", "trip_distance"),
        quality.between("duration", min_minutes, max_minutes, "The rules above must have been applied."),
        quality.known("PULocationID", zones, "The TLC has 265 zones."),
        quality.known("DOLocationID", zones, "The TLC has 265 zones."),
        quality.between("trip_distance", 0, 100, "No hour's ride is longer: a broken meter.").as_warning(),
        quality.between("passenger_count", 0, 9, "A taxi seats six at most.").as_warning(),
        quality.each(
            "trips of the file's own month", "Clocks go wrong; the course keeps such trips.", _strays
        ).as_warning(),
    )


def _strays(rows: pd.DataFrame) -> str:
    """How many trips began in another month than the one they were published in."""
    count = int((rows["pickup_datetime"].dt.strftime("%Y-%m") != rows["month"]).sum())
    return f"{count:,} of other months" if count else ""


SLICES = {
    "hour": lambda rows: pd.cut(
        pd.to_datetime(rows["pickup_datetime"]).dt.hour,
        [-1, 5, 9, 15, 19, 23],
        labels=["0-5 h", "6-9 h", "10-15 h", "16-19 h", "20-23 h"],
    ).astype("str"),
    "weekday": lambda rows: pd.to_datetime(rows["pickup_datetime"]).dt.day_name().str[:3],
    "borough": lambda rows: borough(rows["PULocationID"]),
    "distance": lambda rows: pd.cut(
        rows["trip_distance"],
        [-float("inf"), 0, 1, 2, 5, 10, float("inf")],
        labels=["none", "to 1 mile", "1-2 miles", "2-5 miles", "5-10 miles", "over 10 miles"],
    ).astype("str"),
}

DATASET = Dataset(
    name="green_taxi",
    title="How long will a taxi trip take?",
    task="regression",
    target=Target("duration", "min", "minutes from the meter's start to its stop"),
    metric="rmse",
    description=(
        "Trips of New York's green taxis, which pick up outside Manhattan's centre. The duration is wanted "
        "when the rider boards and names the destination. The metered distance is known only after the "
        "trip; the course uses it all the same, as a stand-in for the length of the planned route."
    ),
    source="NYC Taxi and Limousine Commission, trip records, https://www.nyc.gov/tlc",
    licence="NYC open data, free to use; https://www.nyc.gov/home/terms-of-use.page",
    columns=COLUMNS,
    fetch=fetch,
    load=load,
    generate=generate,
    label=label,
    rules=rules,
    split=split,
    checks=checks,
    derived=DERIVED,
    feature_sets=FEATURE_SETS,
    slices=SLICES,
    when="pickup_datetime",
    own_views=Later("lib.datasets._green_taxi_views"),
)
