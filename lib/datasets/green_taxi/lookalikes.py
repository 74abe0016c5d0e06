"""Generated taxi trips: the shape, the rush hours and the dirt of the real ones, and none of their rows.

Zones lie where they do in New York; speeds by the hour, shares of zones and of dirt were read off the
published trips of January 2023. What a zone pair is faster or slower by is drawn once, the same for every
month and seed, so that what a model learns of one month holds in the next.
"""

import numpy as np
import pandas as pd

from lib.errors import DataError

# id, name, borough, north and west in degrees (40.xxxx, 73.xxxx), share of pickups and of drop-offs in %
_TABLE = """
74|East Harlem North|Manhattan|8010|9370|19.4|5.0
75|East Harlem South|Manhattan|7900|9450|13.3|5.2
41|Central Harlem|Manhattan|8040|9510|6.0|3.9
166|Morningside Heights|Manhattan|8090|9620|5.7|3.3
95|Forest Hills|Queens|7190|8450|5.6|2.4
43|Central Park|Manhattan|7820|9650|4.2|1.9
82|Elmhurst|Queens|7380|8780|4.3|1.5
97|Fort Greene|Brooklyn|6900|9750|3.2|.8
7|Astoria|Queens|7640|9230|2.9|1.7
42|Central Harlem North|Manhattan|8180|9410|2.6|3.4
244|Washington Heights South|Manhattan|8400|9420|2.6|1.4
65|Downtown Brooklyn|Brooklyn|6930|9850|2.3|.5
260|Woodside|Queens|7450|9050|2.1|.8
129|Jackson Heights|Queens|7560|8850|1.9|2.0
130|Jamaica|Queens|7040|7930|1.8|.8
134|Kew Gardens|Queens|7100|8310|1.3|.8
116|Hamilton Heights|Manhattan|8250|9490|1.1|1.5
33|Brooklyn Heights|Brooklyn|6950|9950|1.1|.5
66|DUMBO|Brooklyn|7020|9870|1.0|.4
92|Flushing|Queens|7600|8310|.9|.5
196|Rego Park|Queens|7260|8620|.8|.8
25|Boerum Hill|Brooklyn|6860|9850|.7|.4
152|Manhattanville|Manhattan|8180|9570|.7|1.1
24|Bloomingdale|Manhattan|8000|9670|.7|1.0
223|Steinway|Queens|7700|9060|.7|1.1
83|Elmhurst/Maspeth|Queens|7350|8940|.7|.6
236|Upper East Side North|Manhattan|7800|9570|.7|4.1
193|Queensbridge|Queens|7580|9430|.6|.6
226|Sunnyside|Queens|7400|9200|.5|.8
179|Old Astoria|Queens|7710|9310|.5|.7
255|Williamsburg North|Brooklyn|7180|9580|.5|.3
210|Sheepshead Bay|Brooklyn|5900|9450|.5|.4
181|Park Slope|Brooklyn|6720|9800|.4|.9
112|Greenpoint|Brooklyn|7290|9520|.4|.3
61|Crown Heights North|Brooklyn|6740|9440|.4|.8
243|Washington Heights North|Manhattan|8560|9340|.3|.7
168|Mott Haven|Bronx|8080|9190|.3|.5
145|Long Island City|Queens|7450|9510|.3|.5
263|Yorkville West|Manhattan|7780|9500|.1|2.3
17|Bedford|Brooklyn|6900|9490|.2|.5
216|South Ozone Park|Queens|6760|8180|.1|.5
238|Upper West Side North|Manhattan|7910|9720|.02|3.4
239|Upper West Side South|Manhattan|7840|9780|.02|2.2
151|Manhattan Valley|Manhattan|7980|9650|.02|2.1
138|LaGuardia Airport|Queens|7740|8730|.03|1.9
237|Upper East Side South|Manhattan|7690|9650|.02|1.5
262|Yorkville East|Manhattan|7770|9460|.02|1.3
142|Lincoln Square East|Manhattan|7710|9830|.02|1.2
132|JFK Airport|Queens|6440|7820|.02|.8
161|Midtown Center|Manhattan|7580|9780|.02|.6
48|Clinton East|Manhattan|7620|9900|.02|.6
"""

_HEADER = ["id", "name", "borough", "north", "west", "pickups", "dropoffs"]
ZONES = pd.DataFrame([line.split("|") for line in _TABLE.strip().splitlines()], columns=_HEADER)
NAMES = dict(zip(ZONES["id"], ZONES["name"], strict=True))

#: Share of pickups by the hour, in per mille, and the median speed then, in miles an hour.
_PICKUPS = [16, 13, 9, 8, 6, 6, 14, 39, 48, 52, 53, 54, 55, 58, 64, 75, 77, 77, 79, 63, 48, 36, 28, 22]
_SPEEDS = [12.7, 13.1, 13.2, 13.2, 13.5, 15.0, 13.4, 10.6, 9.8, 10.3, 10.6, 10.6]
_SPEEDS += [10.6, 10.4, 9.8, 9.4, 9.6, 9.8, 10.3, 11.2, 11.6, 12.2, 12.4, 12.7]
_WEEKDAYS = [1.0, 1.06, 1.1, 1.1, 1.12, 1.0, 0.85]  # Monday to Sunday: share of pickups
_CALM = [1.02, 0.97, 0.97, 0.97, 0.97, 1.07, 1.13]  # and speed, against the week's

#: Shares of dirt, as in January 2023 (the farthest odometer of that month told 120,098.84 miles).
_DIRT = {
    "far": 0.0006,
    "stuck": 0.0027,
    "false_start": 0.02,
    "nowhere": 0.03,
    "backward": 0.0005,
    "stray": 0.0006,
}
UNTYPED = 0.063
FARTHEST = 120_098.84


def trips(rows: int, seed: int, months: list[str]) -> pd.DataFrame:
    """`rows` trips in equal parts over `months`, in order of pickup, with every column of a real file."""
    if rows < len(months):
        raise DataError(f"{rows} rows do not fill {len(months)} months: ask for more `rows`.")
    random = np.random.default_rng(seed)
    parts = np.array_split(np.arange(rows), len(months))
    return pd.concat(
        [_month(len(part), month, random) for part, month in zip(parts, months, strict=True)],
        ignore_index=True,
    )


def _month(rows: int, month: str, random: np.random.Generator) -> pd.DataFrame:
    pickup = _pickups(rows, month, random)
    pair, crow, factor = _pairs(rows, random)
    miles = crow * random.lognormal(0.0, 0.14, rows)
    hour, weekday = pickup.hour.to_numpy(), pickup.day_of_week.to_numpy()
    speed = np.array(_SPEEDS)[hour] * np.array(_CALM)[weekday] / 10.5
    minutes = np.exp(1.9) * miles**0.7 / speed * factor * random.lognormal(0.0, 0.25, rows)
    minutes[random.random(rows) < 0.012] *= 2.2  # a detour, a stop, a closed bridge
    trips = pd.DataFrame({"pickup_datetime": pickup, "trip_distance": miles.round(2), "month": month})
    trips["PULocationID"], trips["DOLocationID"] = (
        ZONES["id"].to_numpy()[side].astype("str") for side in pair
    )
    _pay(trips, minutes, random)
    _dirty(trips, minutes, random)
    trips["dropoff_datetime"] = trips["pickup_datetime"] + pd.to_timedelta((60 * minutes).round(), unit="s")
    return trips.astype({"PULocationID": "str", "DOLocationID": "str", "month": "str"}).sort_values(
        "pickup_datetime", kind="stable"
    )


def _pickups(rows: int, month: str, random: np.random.Generator) -> pd.DatetimeIndex:
    """Times of a month: fewer on Sundays, most at the end of the working day, quiet before dawn."""
    days = pd.date_range(month, periods=pd.Period(month).days_in_month, freq="D")
    share = np.array(_WEEKDAYS)[days.day_of_week]
    day = random.choice(days.to_numpy(), rows, p=share / share.sum())
    weekend = np.isin(pd.DatetimeIndex(day).day_of_week, (5, 6))
    hours = np.array(_PICKUPS, dtype=float)
    nights = np.roll(hours, 2) * 0.6 + hours.mean() * 0.4  # later and flatter at the weekend
    hour = np.where(
        weekend,
        random.choice(24, rows, p=nights / nights.sum()),
        random.choice(24, rows, p=hours / hours.sum()),
    )
    seconds = hour * 3600 + random.integers(0, 3600, rows)
    return (pd.DatetimeIndex(day) + pd.to_timedelta(seconds, unit="s")).as_unit("us")


def _pairs(rows: int, random: np.random.Generator) -> tuple[tuple, np.ndarray, np.ndarray]:
    """Zones drawn by their shares and nearness; with each pair its miles by road and how slow it is."""
    north, west = ZONES["north"].to_numpy(float) * 0.0111, ZONES["west"].to_numpy(float) * 0.00843  # km
    crow = np.abs(north[:, None] - north) + np.abs(west[:, None] - west)
    share = (
        ZONES["pickups"].to_numpy(float)[:, None] * ZONES["dropoffs"].to_numpy(float) * np.exp(-crow / 7.0)
    )
    chosen = random.choice(share.size, rows, p=(share / share.sum()).ravel())
    pair = np.unravel_index(chosen, share.shape)
    miles = 0.62 * (0.95 * crow + 0.3).ravel()[chosen]
    miles = np.where(pair[0] == pair[1], random.gamma(3.0, 0.3, rows) + 0.2, miles)
    slow = np.random.default_rng(0).lognormal(
        0.0, 0.16, share.shape
    )  # not `random`: the same city every month
    return pair, miles, slow.ravel()[chosen]


def _pay(trips: pd.DataFrame, minutes: np.ndarray, random: np.random.Generator) -> None:
    """Riders, fare and tip; about 6 % of the trips came in without what the driver types."""
    rows = len(trips)
    trips["VendorID"] = np.where(random.random(rows) < 0.86, "2", "1")
    trips["passenger_count"] = random.choice(
        [1.0, 2, 3, 4, 5, 6, 0], rows, p=[0.85, 0.08, 0.015, 0.006, 0.028, 0.016, 0.005]
    )
    card = random.random(rows) < 0.64
    trips["payment_type"] = np.where(card, "1", "2")
    trips["RatecodeID"] = np.where(random.random(rows) < 0.97, "1", "5")
    trips["fare_amount"] = (3 + 2.1 * trips["trip_distance"] + 0.55 * minutes).round(1)
    tip = trips["fare_amount"] * random.choice([0.0, 0.15, 0.2, 0.25], rows, p=[0.2, 0.2, 0.4, 0.2])
    trips["tip_amount"] = np.where(card, tip, 0.0).round(2)
    untyped = random.random(rows) < UNTYPED
    trips.loc[untyped, "passenger_count"] = np.nan
    for column in ("payment_type", "RatecodeID"):
        trips[column] = trips[column].astype("str").mask(untyped)


def _dirty(trips: pd.DataFrame, minutes: np.ndarray, random: np.random.Generator) -> None:
    """Break some clocks, odometers and dates, in place; the first odometer as far as the real record."""
    rows = len(trips)
    order, counts = random.permutation(rows), [max(1, round(rows * share)) for share in _DIRT.values()]
    broken = dict(zip(_DIRT, np.split(order, np.cumsum(counts))[:-1], strict=True))
    minutes[broken["stuck"]] += random.uniform(20 * 60, 24 * 60 - 61, len(broken["stuck"]))
    minutes[broken["false_start"]] = random.exponential(0.25, len(broken["false_start"]))
    for name in ("false_start", "nowhere"):
        trips.loc[broken[name], "trip_distance"] = 0.0
    minutes[broken["backward"]] = -random.exponential(3.0, len(broken["backward"])) - 0.1
    far = random.lognormal(8.5, 0.8, len(broken["far"])).round(2)
    trips.loc[broken["far"], "trip_distance"] = np.append(FARTHEST, far)[: len(far)]
    shift = random.choice([-31, -1, 31], len(broken["stray"]))
    trips.loc[broken["stray"], "pickup_datetime"] += pd.to_timedelta(shift, unit="D")
