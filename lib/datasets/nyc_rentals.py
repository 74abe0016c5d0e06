"""Short-term rentals in New York: what does a night cost? New listings come in weekly batches.

The pictures are in `_nyc_rentals_views`, the generated lookalikes in `_nyc_rentals_lookalikes`; both are
imported when they are used.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.datasets._nyc_rentals_features import DERIVED, RICH
from lib.datasets.base import Column, Dataset, FeatureSet, Later, Rule, Target, encode
from lib.errors import DataError, ParameterError

PUBLISHED = "https://raw.githubusercontent.com/udacity/nd0821-c2-build-model-workflow-starter/master/components/get_data/data/sample{batch}.csv"

COLUMNS = {
    "id": Column("id", "the listing"),
    "name": Column("text", "what the host calls it"),
    "host_id": Column("id", "the host"),
    "host_name": Column("text", "the host's name"),
    "neighbourhood_group": Column("category", "borough"),
    "neighbourhood": Column("category", "part of the borough"),
    "latitude": Column("number", "north", "degrees"),
    "longitude": Column("number", "east; New York's are negative", "degrees"),
    "room_type": Column("category", "a whole home, a private room, or a bed in a shared one"),
    "price": Column("number", "price of a night", "$", known="after"),
    "minimum_nights": Column("number", "shortest stay", "nights"),
    "number_of_reviews": Column("number", "reviews so far"),
    "last_review": Column("time", "day of the last review"),
    "reviews_per_month": Column("number", "reviews a month since the first"),
    "calculated_host_listings_count": Column("number", "listings of the same host"),
    "availability_365": Column("number", "days of the next year that can be booked", "days"),
}
BOROUGHS = ("Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island")
ROOMS = ("Entire home/apt", "Private room", "Shared room")


def fetch(*, batch: int = 1) -> list:
    """The published file of a weekly batch, verified."""
    from lib import sources

    return [sources.fetch(PUBLISHED.format(batch=_batch(batch)), check=sources.text_table)]


def _batch(number: int) -> int:
    if number < 1:
        raise ParameterError(f"batch is {number}; batches are counted from 1.")
    return number


def load(paths: Sequence[Path]) -> pd.DataFrame:
    """The listings of these files, with days as times."""
    parts = []
    for path in map(Path, paths):
        listings = pd.read_csv(path)
        missing = [name for name in COLUMNS if name not in listings]
        if missing:
            raise DataError(f"{path.name} has no column {missing}; it has {list(listings)}.")
        if listings.empty:
            raise DataError(f"{path.name} has no rows.")
        parts.append(listings)
    rows = pd.concat(parts, ignore_index=True)
    texts = {name: "str" for name, column in COLUMNS.items() if column.kind in ("text", "category")}
    try:
        days = pd.to_datetime(rows["last_review"]).astype("datetime64[us]")
        return rows.astype(texts).assign(last_review=days)
    except (ValueError, TypeError) as error:
        raise DataError(f"A last_review is no day: {error}. Write days as 2019-07-08.") from error


def generate(rows: int, seed: int, *, batch: int = 1) -> pd.DataFrame:
    """Lookalike listings; each further batch is a week later, a little dearer, and of other listings."""
    from lib.datasets import _nyc_rentals_lookalikes

    return _nyc_rentals_lookalikes.listings(rows, seed, _batch(batch))[list(COLUMNS)]


def reference(provenance: Mapping[str, Any], *, batch: int = 1) -> pd.DataFrame | None:
    """The first batch, for a later one to be compared with; nothing for the first itself."""
    if _batch(batch) == 1:
        return None
    if provenance["generated"]:
        return generate(provenance["rows"], provenance["seed"])
    return load([file.path for file in fetch()])


def label(rows: pd.DataFrame) -> pd.Series:
    """Dollars a night."""
    return rows["price"].astype(float)


def rules(*, min_price: float = 10.0, max_price: float = 350.0) -> tuple[Rule, ...]:
    """The course's cleaning: prices that are meant, places that are in New York, each listing once."""
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


def split(
    rows: pd.DataFrame, seed: int, *, test_share: float = 0.2, validation_share: float = 0.2
) -> dict[str, pd.DataFrame]:
    """At random, each borough in equal shares: `test_share` of all, then `validation_share` of the rest."""
    from lib import splits

    return splits.at_random(rows, test_share, validation_share, seed, by="neighbourhood_group")


def checks(
    *, min_price: float = 10.0, max_price: float = 350.0, min_rows: int = 15_000, max_rows: int = 1_000_000
) -> tuple:
    """The course's checks; a small or a generated batch has its own bounds of rows."""
    from lib import quality

    kinds = {"number": "number", "category": "text", "text": "text", "time": "time", "id": "integer"}
    return (
        quality.schema({name: kinds[column.kind] for name, column in COLUMNS.items()}, ordered=True),
        quality.known("neighbourhood_group", BOROUGHS, "New York has five boroughs."),
        quality.known("room_type", ROOMS).as_warning(),
        quality.between("longitude", -74.25, -73.5, "New York's degrees."),
        quality.between("latitude", 40.5, 41.2, "New York's degrees."),
        quality.between("price", min_price, max_price, "The rules above must have been applied."),
        quality.row_count(min_rows, max_rows),
        quality.same_shares("neighbourhood_group", 0.2),
    )


_COUNTS = (
    *("minimum_nights", "number_of_reviews", "reviews_per_month", "calculated_host_listings_count"),
    *("availability_365", "longitude", "latitude"),
)
FEATURE_SETS = {
    "course": FeatureSet(
        "course",
        "as the course has it: kind of room, borough, the numbers, days since the last review, words of "
        "the name",
        (
            encode("ordinal", "room_type", order=list(ROOMS)),
            encode("one_hot", "neighbourhood_group", impute="most_frequent"),
            encode("number", *_COUNTS, impute=0),
            encode("days_before", "last_review", fill="2010-01-01"),
            encode("tfidf", "name", words=5, stop_words="english"),
        ),
    ),
    "places": FeatureSet(
        "places",
        "the same, and what a night costs in each neighbourhood, and more words",
        (
            encode("ordinal", "room_type", order=list(ROOMS)),
            encode(
                "target_mean",
                *("neighbourhood_group", "neighbourhood", "room_type"),
                prior={"neighbourhood": ("neighbourhood_group",)},
                counts=True,
            ),
            encode("number", *_COUNTS, impute=0),
            encode("days_before", "last_review", fill="2010-01-01"),
            encode("tfidf", "name", words=60, stop_words="english"),
        ),
    ),
    "rich": RICH,
}

SLICES = {
    "borough": lambda rows: rows["neighbourhood_group"].astype("str").fillna("unknown"),
    "room": lambda rows: rows["room_type"].astype("str").fillna("unknown"),
    "reviews": lambda rows: pd.cut(
        rows["number_of_reviews"], [-1, 0, 5, 25, float("inf")], labels=["none", "1-5", "6-25", "over 25"]
    ).astype("str"),
}

DATASET = Dataset(
    name="nyc_rentals",
    title="What does a night cost?",
    task="regression",
    target=Target("price", "$", "the price of a night that a host asks"),
    metric="mae",
    description=(
        "Listings of short-term rentals in New York. A host who lists a home wants to know what others ask "
        "for one like it. New listings come every week, so a model must be trained again by one command, "
        "on a batch that was checked against the first one."
    ),
    source="Inside Airbnb by way of Udacity's course repository nd0821-c2-build-model-workflow-starter",
    licence="Inside Airbnb: CC BY 4.0, http://insideairbnb.com/get-the-data",
    columns=COLUMNS,
    fetch=fetch,
    load=load,
    generate=generate,
    reference=reference,
    label=label,
    rules=rules,
    split=split,
    checks=checks,
    derived=DERIVED,
    feature_sets=FEATURE_SETS,
    slices=SLICES,
    own_views=Later("lib.datasets._nyc_rentals_views"),
)
