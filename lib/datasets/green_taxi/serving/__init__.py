"""What is stored with a model of taxi trips: the raw columns, derived ones, and the feature sets.

Derived columns are stateless, the same in training and serving; what is fitted is in `runtime.encoders`.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ....runtime.features import Derived, FeatureSet, Rows, Serving, encode
from ....runtime.schema import Column, Target
from .zones import AIRPORTS, BOROUGHS

#: Published times are those of the city's clocks.
NEW_YORK = "America/New_York"
#: So few zones are looked up one by one.
FEW = 32
COLUMNS = {
    "pickup_datetime": Column("time", "when the meter was switched on", zone=NEW_YORK),
    "dropoff_datetime": Column("time", "when the meter was switched off", known="after", zone=NEW_YORK),
    "PULocationID": Column("id", "TLC zone where the meter was switched on (1 to 265)", whole=True),
    "DOLocationID": Column(
        "id", "TLC zone where it was switched off; the rider names it on boarding", whole=True
    ),
    "trip_distance": Column("number", "distance by the taximeter", "miles", known="after", missing="refuse"),
    "VendorID": Column("category", "which of the meter's makers recorded the trip (1 or 2)", whole=True),
    "passenger_count": Column("number", "riders, as the driver typed them", "riders"),
    "RatecodeID": Column("category", "rate in force at the end of the trip (1 standard)", known="after"),
    "payment_type": Column("category", "how it was paid (1 card, 2 cash)", known="after"),
    "fare_amount": Column("number", "fare by time and distance", "$", known="after"),
    "tip_amount": Column("number", "tip, by card only", "$", known="after"),
    "month": Column("category", "the published file that the trip came in"),
}


def _array(rows: pd.DataFrame | Rows, name: str) -> np.ndarray:
    """A column without its index: arithmetic on one row is then a hundred times quicker."""
    return rows.array(name) if isinstance(rows, Rows) else np.asarray(rows[name])


def _week_minute(rows: pd.DataFrame) -> np.ndarray:
    """Minutes since Monday, 0:00; the epoch began on a Thursday."""
    times = rows["pickup_datetime"]
    times = np.asarray(times if times.dtype.kind == "M" else pd.to_datetime(times))
    return (times.astype("datetime64[m]").astype(np.int64) + 3 * 1440) % (7 * 1440)


def _zone(column: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """Zone ids as whole numbers, 0 where there is none."""

    def numbers(rows: pd.DataFrame) -> np.ndarray:
        if len(rows) <= FEW:  # pandas takes a hundred times longer to begin
            return np.array([int(zone) if zone in BOROUGHS else 0 for zone in rows[column].tolist()])
        codes, seen = pd.factorize(rows[column])
        known = [int(zone) if zone in BOROUGHS else 0 for zone in seen]
        return np.array([*known, 0])[codes]

    return numbers


def _mixed(one: str, times: int, other: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """Two whole numbers as one."""
    return lambda rows: times * _array(rows, one) + _array(rows, other)


def _pair_period(rows: pd.DataFrame) -> np.ndarray:
    """Zone pair, period of the day (night, morning, noon, evening, late), weekday or weekend."""
    period = np.searchsorted([6, 10, 15, 20], _array(rows, "pickup_hour"), side="right")
    return 10 * _array(rows, "pair") + period + 5 * (_array(rows, "pickup_weekday") >= 5)


def _borough_hour(rows: pd.DataFrame) -> np.ndarray:
    """Boroughs of both ends, hour, weekday or weekend: how the traffic flows between parts of the city."""
    boroughs = 10 * _array(rows, "pickup_borough") + _array(rows, "dropoff_borough")
    return 100 * boroughs + _array(rows, "pickup_hour") + 50 * (_array(rows, "pickup_weekday") >= 5)


#: Zone number to a number for its borough, airports apart; 0 for what is no zone.
BOROUGH_CODES = np.zeros(1000, dtype=np.int64)
for _zone_id, _name in BOROUGHS.items():
    BOROUGH_CODES[int(_zone_id)] = (
        9 if _zone_id in AIRPORTS else 1 + list(dict.fromkeys(BOROUGHS.values())).index(_name)
    )

DERIVED = {
    "PU_DO": Derived(
        ("PULocationID", "DOLocationID"),
        lambda rows: rows["PULocationID"].astype("str") + "_" + rows["DOLocationID"].astype("str"),
        "pickup and drop-off zone as one",
        kind="category",
    ),
    "week_minute": Derived(("pickup_datetime",), _week_minute, "minutes since Monday, 0:00"),
    "pickup_weekday": Derived(
        ("week_minute",), lambda rows: _array(rows, "week_minute") // 1440, "0 is Monday"
    ),
    "pickup_minute": Derived(
        ("week_minute",), lambda rows: _array(rows, "week_minute") % 1440, "minutes since midnight"
    ),
    "pickup_hour": Derived(
        ("pickup_minute",), lambda rows: _array(rows, "pickup_minute") // 60, "hour, 0 to 23"
    ),
    "pickup_zone": Derived(
        ("PULocationID",), _zone("PULocationID"), "pickup zone, as a number", kind="category"
    ),
    "dropoff_zone": Derived(
        ("DOLocationID",), _zone("DOLocationID"), "drop-off zone, as a number", kind="category"
    ),
    "pickup_borough": Derived(
        ("pickup_zone",),
        lambda rows: BOROUGH_CODES[_array(rows, "pickup_zone")],
        "borough as a number",
        kind="category",
    ),
    "dropoff_borough": Derived(
        ("dropoff_zone",),
        lambda rows: BOROUGH_CODES[_array(rows, "dropoff_zone")],
        "borough as a number",
        kind="category",
    ),
    "borough_hour": Derived(
        ("pickup_borough", "dropoff_borough", "pickup_hour", "pickup_weekday"),
        _borough_hour,
        "both boroughs and the hour, weekday or weekend apart",
        kind="category",
    ),
    "pickup_towards": Derived(
        ("pickup_zone", "dropoff_borough"),
        _mixed("pickup_zone", 10, "dropoff_borough"),
        "pickup zone and the drop-off's borough",
        kind="category",
    ),
    "dropoff_from": Derived(
        ("dropoff_zone", "pickup_borough"),
        _mixed("dropoff_zone", 10, "pickup_borough"),
        "drop-off zone and the pickup's borough",
        kind="category",
    ),
    "pair": Derived(
        ("pickup_zone", "dropoff_zone"),
        _mixed("pickup_zone", 1000, "dropoff_zone"),
        "both zones, as one number",
        kind="category",
    ),
    "week_hour": Derived(
        ("pickup_weekday", "pickup_hour"),
        _mixed("pickup_weekday", 24, "pickup_hour"),
        "hour of the week, 0 to 167",
        kind="category",
    ),
    "pickup_zone_hour": Derived(
        ("pickup_zone", "pickup_hour"),
        _mixed("pickup_zone", 24, "pickup_hour"),
        "pickup zone and hour",
        kind="category",
    ),
    "dropoff_zone_hour": Derived(
        ("dropoff_zone", "pickup_hour"),
        _mixed("dropoff_zone", 24, "pickup_hour"),
        "drop-off zone and hour",
        kind="category",
    ),
    "pair_period": Derived(
        ("pair", "pickup_hour", "pickup_weekday"),
        _pair_period,
        "both zones and the period of the day, weekday or weekend apart",
        kind="category",
    ),
    "distance": Derived(
        ("trip_distance",),
        lambda rows: np.clip(_array(rows, "trip_distance").astype(float), 0, 60),
        "metered miles; a broken meter's thousands count as 60",
    ),
}

#: What trips of the same place or time took, shrunk towards less special ones where few were seen.
_PLACES_AND_TIMES = (
    "pickup_zone",
    "dropoff_zone",
    "pickup_towards",
    "dropoff_from",
    "pair",
    "pair_period",
    "pickup_zone_hour",
    "dropoff_zone_hour",
    "week_hour",
    "borough_hour",
)
_PARENTS = {
    "pickup_towards": ("pickup_zone",),
    "dropoff_from": ("dropoff_zone",),
    "pair": ("pickup_towards", "dropoff_from"),
    "pair_period": ("pair",),
    "pickup_zone_hour": ("pickup_zone",),
    "dropoff_zone_hour": ("dropoff_zone",),
}
_WHEN = ("pickup_minute", "pickup_hour", "pickup_weekday", "week_minute")
_WHO = ("VendorID", "passenger_count", "pickup_zone", "dropoff_zone", "pickup_borough", "dropoff_borough")
_MEANS = {"smooth": 5.0, "folds": 20}

#: Dozens of means that say nearly the same want strong shrinkage, columns drawn anew at each node, and many
#: small steps.
_BOOSTING = {
    "colsample_bynode": ("uniform", 0.2, 0.45),
    "colsample_bytree": ("uniform", 0.6, 1.0),
    "learning_rate": ("loguniform", -3.2, -2.8),
    "max_depth": ("quniform", 8, 9, 1),
    "min_child_weight": ("loguniform", 2.3, 3.2),
    "num_boost_round": ("quniform", 1000, 1500, 100),
    "reg_lambda": ("loguniform", 3.2, 4.4),
    "subsample": ("uniform", 0.75, 0.95),
}

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
                of=("target", "target/distance", "distance"),
                prior=_PARENTS,
                counts=True,
                usual=True,
                **_MEANS,
            ),
            encode("number", "distance", *_WHEN, *_WHO),
        ),
        admits=("trip_distance",),
        spaces={"xgboost": _BOOSTING},
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
                **_MEANS,
            ),
            encode("number", *_WHEN, *_WHO),
        ),
        spaces={"xgboost": _BOOSTING},
    ),
}

SERVING = Serving(
    name="green_taxi",
    task="regression",
    target=Target("duration", "min", "minutes from the meter's start to its stop"),
    columns=COLUMNS,
    derived=DERIVED,
    feature_sets=FEATURE_SETS,
)
