"""What the `rich` features see of a listing: places at several sizes, the host's other listings, the name."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lib.datasets.base import Derived, FeatureSet, encode

ROOMS = ("Shared room", "Private room", "Entire home/apt")


def _joined(*names: str) -> Callable[[Any], Any]:
    """Several columns as one text."""

    def text(rows: Any) -> Any:
        parts = [rows[name].astype("str").fillna("") for name in names]
        out = parts[0]
        for part in parts[1:]:
            out = out + "|" + part
        return out

    return text


def _cell(degrees: float) -> Callable[[Any], Any]:
    """A square of the map of so many degrees, with the kind of room."""

    def text(rows: Any) -> Any:
        south, west = (
            np.floor(rows[name] / degrees).fillna(0).astype("int64") for name in ("latitude", "longitude")
        )
        return (
            south.astype("str") + "_" + west.astype("str") + "|" + rows["room_type"].astype("str").fillna("")
        )

    return text


def _turned(sign: int) -> Callable[[Any], Any]:
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
        encode("ordinal", "room_type", order=list(ROOMS)),
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
