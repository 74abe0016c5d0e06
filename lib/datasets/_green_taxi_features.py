"""What a model may see of a taxi trip: derived columns and feature sets.

Derived columns are stateless and computed in training and serving alike; what is fitted is in `lib.features`.
"""

import numpy as np
import pandas as pd

from lib.datasets.base import Derived, FeatureSet, encode


def _whole(column: pd.Series) -> pd.Series:
    """Ids as whole numbers, 0 where there is none."""
    return pd.to_numeric(column, errors="coerce").fillna(0).astype("int64")


DERIVED = {
    "PU_DO": Derived(
        ("PULocationID", "DOLocationID"),
        lambda rows: rows["PULocationID"].astype("str") + "_" + rows["DOLocationID"].astype("str"),
        "pickup and drop-off zone as one",
        kind="category",
    ),
    "pickup_hour": Derived(
        ("pickup_datetime",), lambda rows: pd.to_datetime(rows["pickup_datetime"]).dt.hour, "hour, 0 to 23"
    ),
    "pickup_weekday": Derived(
        ("pickup_datetime",),
        lambda rows: pd.to_datetime(rows["pickup_datetime"]).dt.day_of_week,
        "0 is Monday",
    ),
    "pickup_minute": Derived(
        ("pickup_datetime", "pickup_hour"),
        lambda rows: 60.0 * rows["pickup_hour"] + pd.to_datetime(rows["pickup_datetime"]).dt.minute,
        "minutes since midnight",
    ),
    "week_minute": Derived(
        ("pickup_weekday", "pickup_minute"),
        lambda rows: 1440.0 * rows["pickup_weekday"] + rows["pickup_minute"],
        "minutes since Monday, 0:00",
    ),
    "pickup_zone": Derived(
        ("PULocationID",), lambda rows: _whole(rows["PULocationID"]), "zone as a number", kind="category"
    ),
    "dropoff_zone": Derived(
        ("DOLocationID",), lambda rows: _whole(rows["DOLocationID"]), "zone as a number", kind="category"
    ),
    "pair": Derived(
        ("pickup_zone", "dropoff_zone"),
        lambda rows: 1000 * rows["pickup_zone"] + rows["dropoff_zone"],
        "both zones as one number",
        kind="category",
    ),
    "week_hour": Derived(
        ("pickup_weekday", "pickup_hour"),
        lambda rows: 24 * rows["pickup_weekday"] + rows["pickup_hour"],
        "hour of the week, 0 to 167",
        kind="category",
    ),
    "pickup_zone_hour": Derived(
        ("pickup_zone", "pickup_hour"),
        lambda rows: 24 * rows["pickup_zone"] + rows["pickup_hour"],
        "pickup zone and hour",
        kind="category",
    ),
    "dropoff_zone_hour": Derived(
        ("dropoff_zone", "pickup_hour"),
        lambda rows: 24 * rows["dropoff_zone"] + rows["pickup_hour"],
        "drop-off zone and hour",
        kind="category",
    ),
    "pair_period": Derived(
        ("pair", "pickup_hour", "pickup_weekday"),
        lambda rows: (
            10 * rows["pair"]
            + np.searchsorted([6, 10, 15, 20], rows["pickup_hour"], side="right")
            + 5 * (rows["pickup_weekday"] >= 5)
        ),
        "both zones, the period of the day, and whether it is weekend",
        kind="category",
    ),
    "distance": Derived(
        ("trip_distance",),
        lambda rows: rows["trip_distance"].clip(0, 60),
        "metered miles; a broken meter's thousands count as 60",
    ),
}

#: What trips of the same place or time took, shrunk towards less special ones where few were seen.
_PLACES_AND_TIMES = (
    "pickup_zone",
    "dropoff_zone",
    "pair",
    "pair_period",
    "pickup_zone_hour",
    "dropoff_zone_hour",
    "week_hour",
)
_PARENTS = {
    "pair": ("pickup_zone", "dropoff_zone"),
    "pair_period": ("pair",),
    "pickup_zone_hour": ("pickup_zone",),
    "dropoff_zone_hour": ("dropoff_zone",),
}
_WHEN = ("pickup_minute", "pickup_hour", "pickup_weekday", "week_minute")
_WHO = ("VendorID", "passenger_count", "pickup_zone", "dropoff_zone")

FEATURE_SETS = {
    "zoomcamp": FeatureSet(
        "zoomcamp",
        "as the course teaches it: one column for each pair of zones seen in training, and the distance",
        (encode("one_hot", "PU_DO"), encode("number", "trip_distance")),
        admits=("trip_distance",),
    ),
    "rich": FeatureSet(
        "rich",
        "where and when: what trips of this pair, zone and hour took, how fast they were and how far, "
        "and how this trip's distance compares",
        (
            encode(
                "target_mean",
                *_PLACES_AND_TIMES,
                of=("target", "target/distance", "distance", "distance/target"),
                prior=_PARENTS,
                counts=True,
                usual=True,
            ),
            encode("number", "distance", *_WHEN, *_WHO),
        ),
        admits=("trip_distance",),
    ),
    "rich_no_distance": FeatureSet(
        "rich_no_distance",
        "the same without this trip's distance: how far *earlier* trips went is known when the rider boards",
        (
            encode(
                "target_mean",
                *_PLACES_AND_TIMES,
                of=("target", "target/distance", "distance"),
                prior=_PARENTS,
                counts=True,
            ),
            encode("number", *_WHEN, *_WHO),
        ),
    ),
}
