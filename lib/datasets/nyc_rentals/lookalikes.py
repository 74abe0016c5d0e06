"""Generated listings: places, rooms and prices of New York's short-term rentals, and none of their rows.

Centres and median prices of the commonest neighbourhoods were read off the published batch.
"""

import numpy as np
import pandas as pd

from lib.errors import DataError

# borough|neighbourhood|listings in a batch|median price of a night in $|north|west, in ten-thousandths of a
# degree beyond 40 and 73
_TABLE = """
Bronx|Kingsbridge|90|69|8778|9025
Bronx|Mott Haven|80|70|8108|9214
Bronx|Fordham|80|58|8623|8939
Bronx|Concourse|70|85|8269|9246
Bronx|Wakefield|60|53|8943|8514
Bronx|Williamsbridge|60|73|8787|8601
Brooklyn|Williamsburg|2050|100|7127|9516
Brooklyn|Bedford-Stuyvesant|1990|75|6872|9398
Brooklyn|Bushwick|1310|65|6968|9203
Brooklyn|Crown Heights|850|85|6728|9473
Brooklyn|Greenpoint|620|117|7279|9506
Brooklyn|Flatbush|360|75|6451|9602
Brooklyn|Clinton Hill|310|115|6882|9644
Brooklyn|Prospect-Lefferts Gardens|300|85|6592|9552
Brooklyn|East Flatbush|300|75|6490|9397
Manhattan|Harlem|1550|90|8161|9480
Manhattan|Upper West Side|1050|140|7885|9739
Manhattan|East Village|1000|142|7268|9837
Manhattan|Hell's Kitchen|990|150|7622|9913
Manhattan|Upper East Side|950|140|7730|9546
Manhattan|Midtown|720|180|7541|9763
Manhattan|East Harlem|650|99|7958|9427
Manhattan|Chelsea|580|175|7445|9980
Manhattan|Washington Heights|520|70|8446|9385
Queens|Astoria|600|81|7646|9200
Queens|Long Island City|340|95|7521|9382
Queens|Flushing|270|60|7535|8187
Queens|Ridgewood|260|60|7042|9057
Queens|Sunnyside|230|79|7422|9208
Queens|Jamaica|150|75|6844|7880
Queens|Elmhurst|150|57|7397|8792
Staten Island|Tompkinsville|45|65|6334|10880
Staten Island|St. George|40|82|6430|10827
Staten Island|Concord|30|50|6031|10863
Staten Island|West Brighton|25|79|6318|11168
"""
_PLACES = [line.split("|") for line in _TABLE.strip().splitlines()]
_ROOMS = ("Entire home/apt", "Private room", "Shared room")
_DEARER = (1.38, 0.66, 0.42)  # a room's price against its neighbourhood's median
_WHOLE = {"Manhattan": 0.58, "Brooklyn": 0.47, "Queens": 0.37, "Bronx": 0.35, "Staten Island": 0.42}
_NAMES = {
    "Entire home/apt": ["apartment", "loft", "studio", "bedroom apt", "home", "duplex"],
    "Private room": ["private room", "room", "bedroom", "cozy room"],
    "Shared room": ["shared room", "bed in a shared room", "couch"],
}
_PRAISE = ["Cozy", "Sunny", "Spacious", "Beautiful", "Charming", "Large", "Modern", "Bright", "Luxury"]
_HOSTS = ["Ana", "Ben", "Chloe", "David", "Elena", "Femi", "Grace", "Hugo", "Iris", "Jun", "Karim", "Lena"]
#: Shortest stays in nights, and their shares.
_NIGHTS = {1: 0.26, 2: 0.24, 3: 0.17, 4: 0.07, 5: 0.06, 7: 0.05, 14: 0.03, 30: 0.11, 90: 0.01}
LAST_DAY = "2019-07-08"  # of the first batch


def listings(rows: int, seed: int, batch: int) -> pd.DataFrame:
    """`rows` listings of a weekly batch: the same city, other listings, prices 1.5 % up a week."""
    if rows < 50:
        raise DataError(f"{rows} rows do not fill five boroughs: ask for 50 or more.")
    random = np.random.default_rng([seed, batch])
    share = np.array([float(place[2]) for place in _PLACES])
    where = random.choice(len(_PLACES), rows, p=share / share.sum())
    columns = ["neighbourhood_group", "neighbourhood", "listings", "median", "north", "west"]
    places = pd.DataFrame(_PLACES, columns=columns).iloc[where].reset_index(drop=True)
    room = _rooms(places["neighbourhood_group"], random)
    usual = places["median"].astype(float) * np.array(_DEARER)[room] * 1.015 ** (batch - 1)
    praise = random.integers(0, len(_PRAISE), rows)
    luxury = np.where(praise == len(_PRAISE) - 1, 1.35, 1.0)
    frame = pd.DataFrame(
        {
            "id": 10_000_000 * batch + np.sort(random.choice(10 * rows, rows, replace=False)),
            "name": _names(places["neighbourhood"], room, praise, random),
            "host_id": random.integers(2_500, 270_000_000, rows),
            "host_name": pd.Series(random.choice(_HOSTS, rows), dtype="str"),
            "neighbourhood_group": places["neighbourhood_group"].astype("str"),
            "neighbourhood": places["neighbourhood"].astype("str"),
            "latitude": (40 + places["north"].astype(float) / 1e4 + random.normal(0, 0.006, rows)).round(5),
            "longitude": (-73 - places["west"].astype(float) / 1e4 + random.normal(0, 0.006, rows)).round(5),
            "room_type": pd.Series(np.array(_ROOMS)[room], dtype="str"),
            "price": _rounded(usual * luxury * random.lognormal(0.0, 0.36, rows), random),
        }
    )
    return _dirty(_reviewed(frame, batch, random), random)


def _rooms(boroughs: pd.Series, random: np.random.Generator) -> np.ndarray:
    """Which kind of room each listing is: 0 a whole home, 1 a private room, 2 a shared one."""
    draw, whole = random.random(len(boroughs)), boroughs.map(_WHOLE).to_numpy()
    return np.where(draw < whole, 0, np.where(draw < 0.977, 1, 2))


def _names(places: pd.Series, room: np.ndarray, praise: np.ndarray, random: np.random.Generator) -> pd.Series:
    """What hosts call their places: praise, the kind of room, where it is; a few have no name."""
    texts = []
    for place, kind, word, pick in zip(places, room, praise, random.random(len(places)), strict=True):
        kinds = _NAMES[_ROOMS[kind]]
        texts.append(f"{_PRAISE[word]} {kinds[int(pick * len(kinds))]} in {place}")
    return pd.Series(texts, dtype="str").mask(random.random(len(places)) < 0.0004)


def _rounded(price: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Whole dollars, most of them ending in 0 or 5, as people choose them."""
    ends = random.random(len(price))
    step = np.where(ends < 0.38, 10, np.where(ends < 0.66, 5, 1))
    return np.maximum(np.round(price / step) * step, 10).astype("int64")


def _reviewed(frame: pd.DataFrame, batch: int, random: np.random.Generator) -> pd.DataFrame:
    """Stays, reviews and availability; a listing in five has no review, so no day and no rate either."""
    rows = len(frame)
    reviewed, many, booked = (random.random(rows) < share for share in (0.794, 0.02, 0.36))
    rate = random.lognormal(-0.4, 1.15, rows).clip(0.01, 28)
    count = np.maximum(1, np.round(rate * (random.exponential(14, rows) + 1)))
    days = random.exponential(220, rows) * (random.random(rows) < 0.62) + random.exponential(9, rows)
    today = pd.Timestamp(LAST_DAY) + pd.Timedelta(days=7 * (batch - 1))
    last = pd.Series(today - pd.to_timedelta(days.astype(int), unit="D")).astype("datetime64[us]")
    return frame.assign(
        minimum_nights=random.choice(list(_NIGHTS), rows, p=list(_NIGHTS.values())),
        number_of_reviews=np.where(reviewed, count, 0).astype("int64"),
        last_review=last.where(reviewed),
        reviews_per_month=np.where(reviewed, rate.round(2), np.nan),
        calculated_host_listings_count=np.where(many, 230, random.geometric(0.66, rows)),
        availability_365=np.where(booked, 0, random.integers(1, 366, rows)),
    )


def _dirty(frame: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Free nights, nights for thousands of dollars, stays of years, and degrees outside of the city."""
    rows, places = len(frame), random.permutation(len(frame))
    counts = [max(1, rows // one_in) for one_in in (5000, 22, 400, 2000)]
    free, dear, long, far = np.split(places, np.cumsum(counts))[:4]
    beyond = 350 + random.lognormal(5.2, 0.9, len(dear))
    frame.loc[free, "price"] = 0
    frame.loc[dear, "price"] = beyond.clip(None, 10_000).astype("int64")
    frame.loc[long, "minimum_nights"] = random.choice([180, 365, 1250], len(long))
    frame.loc[far, "longitude"] += 1.0
    return frame
