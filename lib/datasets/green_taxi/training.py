"""Green taxi trips of New York: how long will a trip take? The course's problem.

What a model sees is in `serving`; the pictures are in `views`, the generated lookalikes in `lookalikes`,
both imported when they are used. Files of yellow taxis have the same columns under other names, and load.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import pandas as pd

from lib import quality, sources, splits
from lib.datasets.green_taxi.serving import COLUMNS, SERVING
from lib.datasets.green_taxi.serving.zones import borough
from lib.errors import DataError, ParameterError
from lib.problem import Dataset, Options, Range, Rule, Words

if TYPE_CHECKING:
    import pyarrow as pa

PUBLISHED = "https://d37ci6vzurychx.cloudfront.net/trip-data/{taxi}_tripdata_{month}.parquet"

#: Arrow types; ids are read as whole numbers first, as some months store them as 1.0.
TYPES = {"time": "timestamp[us]", "number": "double", "id": "string", "category": "string"}


@dataclass(frozen=True)
class TaxiOptions(Options):
    """Which trips, which months teach and judge, and which trips the cleaning keeps."""

    taxi: Annotated[Literal["green", "yellow"], "whose published trips"] = "green"
    train_months: Annotated[Sequence[str], "months that teach, as 2023-01"] = ("2023-01",)
    validation_months: Annotated[Sequence[str], "months that models are chosen by"] = ("2023-02",)
    test_months: Annotated[Sequence[str], "months that the kept model is judged on"] = ("2023-03",)
    min_minutes: Annotated[float, Range(0, None), "shorter trips are refused"] = 1.0
    max_minutes: Annotated[float, Range(0, None), "longer trips are refused"] = 60.0
    max_miles: Annotated[float | None, Range(0, None), "farther trips are refused; null: none is"] = None

    @property
    def months(self) -> list[str]:
        """All months that the splits ask for, in order."""
        return sorted({*self.train_months, *self.validation_months, *self.test_months})


def fetch(options: TaxiOptions) -> list[sources.Fetched]:
    """The published files of all months that the splits ask for, each verified."""
    months = options.months
    invalid = [month for month in months if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", str(month))]
    if invalid:
        raise ParameterError(f"{invalid} are no months; write them as 2023-01.")
    return [
        sources.fetch(PUBLISHED.format(taxi=options.taxi, month=month), check=sources.parquet)
        for month in months
    ]


def load(paths: Sequence[Path]) -> pd.DataFrame:
    """Files of any months, of green or yellow trips, in one schema; only the columns used are read."""
    import pyarrow as pa

    return pa.concat_tables([_table(Path(path)) for path in paths]).to_pandas()


def _table(path: Path) -> "pa.Table":
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


def _cast(values: "pa.ChunkedArray", kind: str) -> "pa.Array":
    if kind in ("id", "category") and not str(values.type).endswith("string"):
        values = values.cast("int64")
    return values.cast(TYPES[kind], safe=kind != "time").combine_chunks()


def _month(path: Path) -> str:
    match = re.search(r"\d{4}-\d{2}", path.name)
    if not match:
        raise DataError(
            f"{path.name} does not tell its month. Name it as published: green_tripdata_2023-01.parquet."
        )
    return match.group()


def generate(rows: Annotated[int, Range(100, None)], seed: int, options: TaxiOptions) -> pd.DataFrame:
    """Lookalike trips of these months, with the dirt of the real ones."""
    from lib.datasets.green_taxi import lookalikes

    return lookalikes.trips(rows, seed, options.months)[list(COLUMNS)]


def label(rows: pd.DataFrame) -> pd.Series:
    """Minutes from the meter's start to its stop."""
    return (rows["dropoff_datetime"] - rows["pickup_datetime"]).dt.total_seconds() / 60


def rules(options: TaxiOptions) -> tuple[Rule, ...]:
    """The course's cleaning; `max_miles` would drop the broken odometers too, which the course keeps."""
    min_minutes, max_minutes, max_miles = options.min_minutes, options.max_minutes, options.max_miles
    timed = (
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
        return timed
    far = "No ride of an hour gets that far: the distance is broken."
    return (
        *timed,
        Rule(f"at most {max_miles:g} miles", far, lambda rows: rows["trip_distance"] <= max_miles),
    )


def split(
    rows: pd.DataFrame,
    seed: int,  # noqa: ARG001  # a split by time draws nothing
    options: TaxiOptions,
) -> dict[str, pd.DataFrame]:
    """By the month of the file, the earliest to train: a model is asked about days after those it saw."""
    periods = {
        "train": options.train_months,
        "validation": options.validation_months,
        "test": options.test_months,
    }
    return splits.by_period(rows, "month", periods)


def checks(options: TaxiOptions) -> tuple[quality.Check, ...]:
    """What must hold in each split, and what is only odd."""
    kinds = {"time": "time", "number": "number", "id": "text", "category": "text"}
    zones = [str(number) for number in range(1, 266)]
    return (
        quality.schema({name: kinds[column.kind] for name, column in COLUMNS.items()}),
        quality.filled("pickup_datetime", "PULocationID", "DOLocationID", "trip_distance"),
        quality.between(
            "duration", options.min_minutes, options.max_minutes, "The rules above must have been applied."
        ),
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
    serving=SERVING,
    title="How long will a taxi trip take?",
    metric="rmse",
    description=(
        "Trips of New York's green taxis, which pick up outside Manhattan's centre. The duration is wanted "
        "when the rider boards and names the destination. The metered distance is known only after the "
        "trip; the course uses it all the same, as a stand-in for the length of the planned route."
    ),
    source="NYC Taxi and Limousine Commission, trip records, https://www.nyc.gov/tlc",
    licence="NYC open data, free to use; https://www.nyc.gov/home/terms-of-use.page",
    fetch=fetch,
    load=load,
    generate=generate,
    label=label,
    rules=rules,
    split=split,
    checks=checks,
    slices=SLICES,
    when="pickup_datetime",
    views="lib.datasets.green_taxi.views",
    words=Words("trip", "trips", "a trip's minutes", "day"),
    options=TaxiOptions(),
)
