"""Pictures of taxi trips that no other problem has: distances, hours of the week, and zone pairs."""

import pandas as pd
from matplotlib.figure import Figure

from lib.datasets.green_taxi import training
from lib.datasets.green_taxi.lookalikes import NAMES as ZONES
from lib.datasets.green_taxi.serving import BOROUGH_CODES
from lib.datasets.green_taxi.serving.zones import AIRPORTS, BOROUGHS
from lib.plots import data, shapes
from lib.profiling import farthest
from lib.profiling.association import ENOUGH
from lib.views.view import View

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
PERIODS = ["night", "morning", "noon", "evening", "late"]
_BOROUGHS = {
    int(BOROUGH_CODES[int(zone)]): "airports" if zone in AIRPORTS else name for zone, name in BOROUGHS.items()
}


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


def _name(zone: object) -> str:
    return ZONES.get(str(zone), f"zone {zone}")


def _borough(code: int) -> str:
    return _BOROUGHS.get(code, "no zone")


def _both(zones: int) -> str:
    return f"{_name(zones // 1000)} → {_name(zones % 1000)}"


def _period(code: int) -> str:
    """A pair, the period of the day, weekend or not, from the number that `serving` makes of them."""
    part = code % 10
    return f"{PERIODS[part % 5]}{', weekend' if part >= 5 else ''}: {_both(code // 10)}"


def _hours(code: int) -> str:
    """Two boroughs, the hour and the part of the week, from the number that `serving` makes of them."""
    hour, ends = code % 100, code // 100
    when = f"{hour % 50}:00{', weekend' if hour >= 50 else ''}"
    return f"{when}: {_borough(ends // 10)} → {_borough(ends % 10)}"


def _zone_hour(code: int) -> str:
    return f"{code % 24}:00, {_name(code // 24)}"


def _towards(code: int) -> str:
    return f"{_name(code // 10)} → {_borough(code % 10)}"


def _from(code: int) -> str:
    return f"{_borough(code % 10)} → {_name(code // 10)}"


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
    from scipy import stats

    table, counted = pickups(trips), week(trips, trips["trip_distance"], "count").fillna(0)
    if counted.to_numpy().mean() < ENOUGH / 2 or stats.chisquare(counted.to_numpy().ravel()).pvalue > 0.001:
        return "These rows are too few, or too even, to say which hours of the week are busy."
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
    """Median speed by hour of the week, of hours in which enough trips were driven."""
    found = speeds(trips)
    return week(trips, found, "median").where(week(trips, found, "count") >= ENOUGH)


def _read_speed(trips: pd.DataFrame, _: pd.DataFrame) -> str:
    from scipy import stats

    found, times = speeds(trips), trips["pickup_datetime"].dt
    working = found.notna() & (times.day_of_week < 5)
    rush, dawn = found[working & times.hour.between(8, 17)], found[working & times.hour.between(4, 5)]
    if min(len(rush), len(dawn)) < ENOUGH:
        return f"Fewer than {ENOUGH} trips before dawn or in the day: too few to compare their speeds."
    if stats.mannwhitneyu(rush, dawn).pvalue > 0.001:
        return "In these rows a trip of the day is no slower than one before dawn, beyond what chance does."
    by_day, by_dawn, table = rush.median(), dawn.median(), _speed(trips)
    text = (
        f"From 8 to 18 on working days a taxi makes {by_day:.1f} miles an hour (median), before dawn (4 to "
        f"6) {by_dawn:.1f}: three miles take {180 / by_day:.0f} minutes or {180 / by_dawn:.0f}. "
    )
    if table.notna().to_numpy().mean() > 0.5:
        day, hour = farthest(-table)
        text += (
            f"The slowest hour that has {ENOUGH} trips is {day} at {hour}:00 ({table.loc[day, hour]:.1f}). "
        )
    return text + "A model that is not told the hour cannot tell the one from the other."


def _pairs(trips: pd.DataFrame, _: pd.DataFrame) -> Figure:
    table = pairs(trips)
    return shapes.bars(table["size"], "trips", texts=[f"{minutes:.0f} min" for minutes in table["median"]])


def _read_pairs(trips: pd.DataFrame, _: pd.DataFrame) -> str:
    table = pairs(trips, most=10)
    counted = trips.groupby(["PULocationID", "DOLocationID"]).size()
    if table["size"].iloc[0] < ENOUGH:
        return f"No pair of zones was driven {ENOUGH} times: too few to say which are busy."
    return (
        f"{table.index[0]} leads with {table['size'].iloc[0]:,} trips; the ten busiest pairs have "
        f"{table['size'].sum() / len(trips):.0%} of all. Of {len(counted):,} pairs seen, "
        f"{(counted == 1).mean():.0%} were driven once: their one-hot column learns a single trip by heart. "
        "And a pair that comes up first next month has no column at all."
    )


#: How a value is written, of columns whose values are numbers or codes.
NAMES = {
    "PULocationID": _name,
    "DOLocationID": _name,
    "PU_DO": lambda pair: " → ".join(map(_name, pair.split("_"))),
    "pickup_zone": _name,
    "dropoff_zone": _name,
    "pair": _both,
    "pickup_towards": _towards,
    "dropoff_from": _from,
    "pair_period": _period,
    "pickup_zone_hour": _zone_hour,
    "dropoff_zone_hour": _zone_hour,
    "borough_hour": _hours,
    "pickup_borough": _borough,
    "dropoff_borough": _borough,
    "pickup_weekday": lambda day: DAYS[day],
    "week_hour": lambda hour: f"{DAYS[hour // 24]} {hour % 24}:00",
    "payment_type": lambda code: {"1": "card", "2": "cash"}.get(code, f"type {code}"),
    "VendorID": lambda code: f"maker {code}",
    "RatecodeID": lambda code: "standard" if code == "1" else f"rate {code}",
}

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
        "the same distance takes different times, and a model should be told the hour. An hour in which "
        f"fewer than {ENOUGH} such trips began is left white.",
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
