"""What is stored with a model of rentals: the raw columns, derived ones, and the feature sets."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ...runtime.features import Derived, FeatureSet, Serving, encode
from ...runtime.schema import Column, Target

COLUMNS = {
    "id": Column("id", "the listing"),
    "name": Column("text", "what the host calls it"),
    "host_id": Column("id", "the host"),
    "host_name": Column("text", "the host's name"),
    "neighbourhood_group": Column("category", "borough"),
    "neighbourhood": Column("category", "part of the borough"),
    "latitude": Column("number", "north", "degrees", between=(-90, 90)),
    "longitude": Column("number", "east; New York's are negative", "degrees", between=(-180, 180)),
    "room_type": Column("category", "a whole home, a private room, or a bed in a shared one"),
    "price": Column("number", "price of a night", "$", known="after"),
    "minimum_nights": Column("number", "shortest stay", "nights"),
    "number_of_reviews": Column("number", "reviews so far"),
    "last_review": Column("time", "day of the last review", missing="keep"),  # none yet
    "reviews_per_month": Column("number", "reviews a month since the first"),
    "calculated_host_listings_count": Column("number", "listings of the same host"),
    "availability_365": Column("number", "days of the next year that can be booked", "days"),
}
#: From the dearest; the set `rich` counts them from the cheapest.
ROOMS = ("Entire home/apt", "Private room", "Shared room")


def _joined(*names: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Several columns as one text."""

    def text(rows: pd.DataFrame) -> pd.Series:
        parts = [rows[name].astype("str").fillna("") for name in names]
        out = parts[0]
        for part in parts[1:]:
            out = out + "|" + part
        return out

    return text


def _cell(degrees: float) -> Callable[[pd.DataFrame], pd.Series]:
    """A square of the map of so many degrees, with the kind of room."""

    def text(rows: pd.DataFrame) -> pd.Series:
        south, west = (
            np.floor(rows[name] / degrees).fillna(0).astype("int64") for name in ("latitude", "longitude")
        )
        return (
            south.astype("str") + "_" + west.astype("str") + "|" + rows["room_type"].astype("str").fillna("")
        )

    return text


def _turned(sign: int) -> Callable[[pd.DataFrame], pd.Series]:
    """Latitude and longitude seen from a corner: the city lies askew on the map."""
    return lambda rows: rows["latitude"] + sign * rows["longitude"]


_PLACE = ("latitude", "longitude", "room_type")
DERIVED = {
    "borough_room": Derived(
        ("neighbourhood_group", "room_type"),
        _joined("neighbourhood_group", "room_type"),
        "borough and kind of room",
        kind="category",
    ),
    "neighbourhood_room": Derived(
        ("neighbourhood", "room_type"),
        _joined("neighbourhood", "room_type"),
        "neighbourhood and kind of room",
        kind="category",
    ),
    "mile_room": Derived(_PLACE, _cell(0.02), "about a square mile, and kind of room", kind="category"),
    "block_room": Derived(_PLACE, _cell(0.006), "some blocks, and kind of room", kind="category"),
    "north_east": Derived(("latitude", "longitude"), _turned(1), "how far to the north-east"),
    "north_west": Derived(("latitude", "longitude"), _turned(-1), "how far to the north-west"),
    "from_midtown": Derived(
        ("latitude", "longitude"),
        lambda rows: np.hypot((rows["latitude"] - 40.755) * 1.32, rows["longitude"] + 73.985),
        "distance from Midtown, in degrees of longitude",
    ),
    "name_length": Derived(("name",), lambda rows: rows["name"].fillna("").str.len(), "letters of the name"),
}

_PRIOR = {
    "neighbourhood": ("neighbourhood_group",),
    "borough_room": ("neighbourhood_group", "room_type"),
    "neighbourhood_room": ("borough_room", "neighbourhood"),
    "mile_room": ("borough_room",),
    "block_room": ("mile_room",),
}

RICH = FeatureSet(
    "rich",
    "what a night costs in places of several sizes, what else the host asks for, and the words of the name",
    (
        encode("ordinal", "room_type", order=list(reversed(ROOMS))),
        encode(
            "target_mean",
            *("neighbourhood_group", "neighbourhood", "room_type", "borough_room", "neighbourhood_room"),
            *("mile_room", "block_room"),
            prior=_PRIOR,
            smooth=5.0,
            folds=20,
            counts=True,
        ),
        encode("target_mean", "host_id", smooth=2.0, folds=20, counts=True),
        encode(
            "number",
            *("minimum_nights", "number_of_reviews", "reviews_per_month", "calculated_host_listings_count"),
            *("availability_365", "longitude", "latitude"),
            *("north_east", "north_west", "from_midtown", "name_length"),
            impute=0,
        ),
        encode("days_before", "last_review", fill="2010-01-01"),
        encode("tfidf", "name", words=200, stop_words="english"),
    ),
    spaces={
        "xgboost": {
            "colsample_bytree": ("uniform", 0.2, 0.6),
            "learning_rate": ("loguniform", -3.6, -2.4),
            "max_depth": ("quniform", 4, 9, 1),
            "min_child_weight": ("loguniform", 0.5, 3.0),
            "num_boost_round": ("quniform", 800, 1200, 100),
            "reg_lambda": ("loguniform", 0.0, 3.5),
            "subsample": ("uniform", 0.5, 0.9),
            "target": ("choice", ["log", "sqrt"]),
        }
    },
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

SERVING = Serving(
    name="nyc_rentals",
    task="regression",
    target=Target("price", "$", "the price of a night that a host asks"),
    columns=COLUMNS,
    derived=DERIVED,
    feature_sets=FEATURE_SETS,
)
