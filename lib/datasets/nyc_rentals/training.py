"""Short-term rentals in New York: what does a night cost? New listings come in weekly batches.

What a model sees is in `serving`; the pictures are in `views`, the generated lookalikes in `lookalikes`,
both imported when they are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import pandas as pd

from lib import quality, sources, splits
from lib.datasets.nyc_rentals.serving import COLUMNS, ROOMS, SERVING
from lib.errors import DataError
from lib.problem import Dataset, Options, Provenance, Range, Rule, Words
from lib.runtime.schema import Field

PUBLISHED = "https://raw.githubusercontent.com/udacity/nd0821-c2-build-model-workflow-starter/master/components/get_data/data/sample{batch}.csv"

#: Kinds of columns that are text in the file, and stay what stands there: a host may be called NA.
TEXTS = ("text", "category", "time")
#: A host prices all that is his alike.
GROUPS = ("host_id",)
BOROUGHS = ("Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island")


@dataclass(frozen=True)
class RentalOptions(Options):
    """Which weekly batch, how it is split, and which listings the cleaning and the checks let pass."""

    batch: Annotated[int, Range(1, None), "the weekly batch; those after the first are compared with it"] = 1
    test_share: Annotated[float, Range(0, 1, strict=True), "of all listings; a host's stay together"] = 0.2
    validation_share: Annotated[float, Range(0, 1, strict=True), "of the rest"] = 0.2
    min_price: Annotated[float, Range(0, None), "cheaper nights are refused, $"] = 10.0
    max_price: Annotated[float, Range(0, None), "dearer nights are refused, $"] = 350.0
    min_rows: Annotated[int, Range(0, None), "a batch of this many rows or fewer is no whole one"] = 15_000
    max_rows: Annotated[int, Range(0, None), "nor is one of this many or more"] = 1_000_000


def fetch(options: RentalOptions) -> list[sources.Fetched]:
    """The published file of a weekly batch, verified."""
    return [sources.fetch(PUBLISHED.format(batch=options.batch), check=sources.text_table)]


def load(paths: Sequence[Path]) -> pd.DataFrame:
    """The listings of these files, with days as times."""
    parts, texts = [], {name: "str" for name, column in COLUMNS.items() if column.kind in TEXTS}
    for path in map(Path, paths):
        listings = sources.csv_table(path, types=texts)
        missing = [name for name in COLUMNS if name not in listings]
        if missing:
            raise DataError(f"{path.name} has no column {missing}; it has {list(listings)}.")
        if listings.empty:
            raise DataError(f"{path.name} has no rows.")
        parts.append(listings)
    rows = pd.concat(parts, ignore_index=True)
    days, faults = Field("last_review", "time", COLUMNS["last_review"]).convert(rows["last_review"])
    if faults:
        raise DataError(f"A last_review is no day: {next(iter(faults.values()))}. Write days as 2019-07-08.")
    return rows.assign(last_review=days)


def generate(rows: Annotated[int, Range(50, None)], seed: int, options: RentalOptions) -> pd.DataFrame:
    """Lookalike listings; each further batch is a week later, a little dearer, and of other listings."""
    from lib.datasets.nyc_rentals import lookalikes

    return lookalikes.listings(rows, seed, options.batch)[list(COLUMNS)]


def reference(provenance: Provenance, options: RentalOptions) -> pd.DataFrame | None:
    """The first batch, for a later one to be compared with; nothing for the first itself."""
    if options.batch == 1:
        return None
    first = replace(options, batch=1)
    if provenance["generated"]:
        return generate(provenance["rows"], provenance["seed"], first)
    return load([file.path for file in fetch(first)])


def label(rows: pd.DataFrame) -> pd.Series:
    """Dollars a night."""
    return rows["price"].astype(float)


def rules(options: RentalOptions) -> tuple[Rule, ...]:
    """The course's cleaning: prices that are meant, places that are in New York, each listing once."""
    min_price, max_price = options.min_price, options.max_price
    return (
        Rule(
            f"price of ${min_price:g} to ${max_price:g}",
            "A free night is a mistake, and a dear one often a way to say “not now”; the few true ones are "
            "another trade.",
            lambda rows: rows["price"].between(min_price, max_price),
        ),
        Rule(
            "lies in New York",
            "Degrees outside of the city are typing errors.",
            lambda rows: rows["longitude"].between(-74.25, -73.5) & rows["latitude"].between(40.5, 41.2),
        ),
        Rule("no double", "The same record again would be learnt twice.", lambda rows: ~rows.duplicated()),
    )


def split(rows: pd.DataFrame, seed: int, options: RentalOptions) -> dict[str, pd.DataFrame]:
    """At random, by host, as who asks is a new one: `test_share`, then `validation_share` of the rest."""
    return splits.at_random(rows, options.test_share, options.validation_share, seed, groups=GROUPS)


def checks(options: RentalOptions) -> tuple[quality.Check, ...]:
    """The course's checks; a small or a generated batch has its own bounds of rows."""
    kinds = {"number": "number", "category": "text", "text": "text", "time": "time", "id": "integer"}
    return (
        quality.schema({name: kinds[column.kind] for name, column in COLUMNS.items()}, ordered=True),
        quality.known("neighbourhood_group", BOROUGHS, "New York has five boroughs."),
        quality.known("room_type", ROOMS).as_warning(),
        quality.between("longitude", -74.25, -73.5, "New York's degrees."),
        quality.between("latitude", 40.5, 41.2, "New York's degrees."),
        quality.between(
            "price", options.min_price, options.max_price, "The rules above must have been applied."
        ),
        quality.row_count(options.min_rows, options.max_rows),
        quality.same_shares("neighbourhood_group", 0.2),
    )


SLICES = {
    "borough": lambda rows: rows["neighbourhood_group"].astype("str").fillna("unknown"),
    "room": lambda rows: rows["room_type"].astype("str").fillna("unknown"),
    "reviews": lambda rows: pd.cut(
        rows["number_of_reviews"], [-1, 0, 5, 25, float("inf")], labels=["none", "1-5", "6-25", "over 25"]
    ).astype("str"),
}

DATASET = Dataset(
    serving=SERVING,
    title="What does a night cost?",
    metric="mae",
    description=(
        "Listings of short-term rentals in New York. A host who lists a home wants to know what others ask "
        "for one like it. New listings come every week, so a model must be trained again by one command, "
        "on a batch that was checked against the first one."
    ),
    source="Inside Airbnb by way of Udacity's course repository nd0821-c2-build-model-workflow-starter",
    licence="Inside Airbnb: CC BY 4.0, http://insideairbnb.com/get-the-data",
    fetch=fetch,
    load=load,
    generate=generate,
    reference=reference,
    label=label,
    rules=rules,
    split=split,
    checks=checks,
    groups=GROUPS,
    slices=SLICES,
    views="lib.datasets.nyc_rentals.views",
    words=Words("listing", "listings", "the price of a night", "host"),
    options=RentalOptions(),
)
