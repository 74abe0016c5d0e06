"""Pictures of taxi trips that no other problem has: distances, hours of the week, and zone pairs."""

import pandas as pd
from matplotlib.figure import Figure

from lib.datasets.green_taxi import training
from lib.datasets.green_taxi.lookalikes import NAMES
from lib.plots import data, shapes
from lib.profiling import farthest
from lib.views.view import View

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def speeds(trips: pd.DataFrame) -> pd.Series:
    """Miles an hour of trips whose clock and odometer can be believed; the others are missing."""
    minutes = training.label(trips)
    sound = minutes.between(1, 60) & trips["trip_distance"].between(0.1, 60)
    return (60 * trips["trip_distance"] / minutes).where(sound)


def week(trips: pd.DataFrame, values: pd.Series, how: str) -> pd.DataFrame:
    """`values` by weekday (a line) and hour (a column), put together by `how`."""
    times = trips["pickup_datetime"].dt
    table = pd.crosstab(times.day_of_week, times.hour, values=values, aggfunc=how)
    table = table.reindex(index=range(7), columns=range(24))
    return table.set_axis(DAYS, axis=0).rename_axis(columns="hour of pickup", index=None)


def pickups(trips: pd.DataFrame) -> pd.DataFrame:
    """Trips an hour of the week, as a mean over the weeks that the rows cover."""
    days = trips["pickup_datetime"].dt.normalize().drop_duplicates().dt.day_of_week.value_counts()
    counted = week(trips, trips["trip_distance"], "count").fillna(0)
    return counted.div(days.reindex(range(7)).clip(lower=1).to_numpy(), axis=0)


def pairs(trips: pd.DataFrame, most: int = 15) -> pd.DataFrame:
    """The busiest pairs of zones by name: trips, and the median minutes of a trip."""
    minutes = training.label(trips)
    keys = [trips["PULocationID"].map(_name), trips["DOLocationID"].map(_name)]
    table = minutes.groupby(keys).agg(["size", "median"]).sort_values("size", ascending=False).head(most)
    return table.set_axis([f"{start} → {end}" for start, end in table.index])


def _name(zone: str) -> str:
    return NAMES.get(zone, f"zone {zone}")


def _distances(trips: pd.DataFrame, _: pd.DataFrame) -> Figure:
    miles = trips["trip_distance"].rename("trip distance")
    return data.target_number(
        miles, miles[miles.between(0.01, 25)], "trip distance", "miles", "0.01 to 25 miles"
    )


def _read_distances(trips: pd.DataFrame, _: pd.DataFrame) -> str:
    miles = trips["trip_distance"]
    zero, far = miles <= 0, miles > 100
    share = 1 - miles[~far].var() / miles.var() if far.any() else 0.0
    text = (
        f"Half of the trips are shorter than {miles.median():.1f} miles, one in twenty is longer than "
        f"{miles.quantile(0.95):.1f}. {zero.mean():.1%} went nowhere by their odometer. "
    )
    if not far.any():
        return text + "None of these rows claims more than a hundred miles."
    lasted = training.label(trips)[far].median()
    return text + (
        f"{far.sum():,} claim more than a hundred miles, up to {miles.max():,.0f} (the equator is 24,901 "
        f"long), in a median of {lasted:.0f} minutes; they are {far.mean():.2%} of the rows and {share:.1%} "
        "of the variance. The course's rules look at the clock alone and keep them: expect a straight line "
        "to be bent by them."
    )


def _read_pickups(trips: pd.DataFrame, _: pd.DataFrame) -> str:
    table = pickups(trips)
    day, hour = farthest(table)
    quiet_day, quiet_hour = farthest(-table)
    evening = table.loc["Mon":"Fri", 15:18].to_numpy().sum() / max(
        table.loc["Mon":"Fri"].to_numpy().sum(), 1e-9
    )
    night = table.loc["Sat":"Sun", 0:3].to_numpy().mean() / max(
        table.loc["Mon":"Fri", 0:3].to_numpy().mean(), 1e-9
    )
    return (
        f"Busiest: {day} {hour}:00 to {hour}:59, {table.loc[day, hour]:,.0f} pickups; quietest: {quiet_day} "
        f"{quiet_hour}:00, {table.loc[quiet_day, quiet_hour]:,.1f}. On working days {evening:.0%} of the "
        f"pickups fall from 15:00 to 18:59; in the small hours (0 to 3) a weekend hour has {night:.1f} "
        "times the pickups of a weekday's. What is rare here, a model has seen rarely."
    )


def _speed(trips: pd.DataFrame) -> pd.DataFrame:
    return week(trips, speeds(trips), "median")


def _read_speed(trips: pd.DataFrame, _: pd.DataFrame) -> str:
    table = _speed(trips)
    day, hour = farthest(-table)
    rush = table.loc["Mon":"Fri", 8:17].to_numpy()
    dawn = table.loc["Mon":"Fri", 4:5].to_numpy()
    by_day, by_dawn = pd.Series(rush.ravel()).mean(), pd.Series(dawn.ravel()).mean()
    return (
        f"From 8 to 18 on working days a taxi makes {by_day:.1f} miles an hour, before dawn (4 to 6) "
        f"{by_dawn:.1f}: three miles take {180 / by_day:.0f} minutes or {180 / by_dawn:.0f}. Slowest is "
        f"{day} at {hour}:00 ({table.loc[day, hour]:.1f}). A model that is not told the hour cannot tell "
        "the one from the other."
    )


def _pairs(trips: pd.DataFrame, _: pd.DataFrame) -> Figure:
    table = pairs(trips)
    return shapes.bars(table["size"], "trips", texts=[f"{minutes:.0f} min" for minutes in table["median"]])


def _read_pairs(trips: pd.DataFrame, _: pd.DataFrame) -> str:
    table = pairs(trips, most=10)
    counted = trips.groupby(["PULocationID", "DOLocationID"]).size()
    return (
        f"{table.index[0]} leads with {table['size'].iloc[0]:,} trips; the ten busiest pairs have "
        f"{table['size'].sum() / len(trips):.0%} of all. Of {len(counted):,} pairs seen, "
        f"{(counted == 1).mean():.0%} were driven once: their one-hot column learns a single trip by heart. "
        "And a pair that comes up first next month has no column at all."
    )


VIEWS = {
    "pickups": View(
        "Pickups by hour and weekday",
        "A square is an hour of the week, darker where more riders board (mean of the weeks in these "
        "rows). Look for the working day's two edges, and for the nights that belong to the weekend.",
        lambda trips, _: shapes.heat_map(pickups(trips), "pickups in the hour"),
        _read_pickups,
        of_raw=True,
    ),
    "speed": View(
        "Speed by hour and weekday",
        "The same week, now the median speed of trips with a sound clock and odometer. If squares differ, "
        "the same distance takes different times, and a model should be told the hour.",
        lambda trips, _: shapes.heat_map(_speed(trips), "miles an hour (median)", digits=0),
        _read_speed,
        of_raw=True,
    ),
    "pairs": View(
        "The busiest zone pairs",
        "Pickup → drop-off by trips, with the median minutes at the end of each bar. The two directions of "
        "a road need not take the same time.",
        _pairs,
        _read_pairs,
        of_raw=True,
    ),
    "distance": View(
        "Trip distance",
        "Left, all odometers on stretched scales; right, the trips up to 25 miles. Which of the far ones "
        "can be true in a ride of an hour?",
        _distances,
        _read_distances,
        of_raw=True,
    ),
}
