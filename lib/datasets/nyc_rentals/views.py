"""Pictures of rentals that no other problem has: prices on the map, by room and borough, and their digits.

All are of the listings that the cleaning rules keep.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lib.datasets.nyc_rentals.serving import ROOMS
from lib.plots import shapes
from lib.profiling import farthest
from lib.profiling.association import ENOUGH
from lib.views.view import View


def rooms(listings: pd.DataFrame) -> pd.DataFrame:
    """Median price of a night by borough (a line) and kind of room (a column)."""
    borough, room = listings["neighbourhood_group"], listings["room_type"]
    table = pd.crosstab(borough, room, values=listings["price"], aggfunc="median")
    return table.sort_values(table.columns[0], ascending=False).rename_axis(index=None, columns=None)


def _read_rooms(_: pd.DataFrame, listings: pd.DataFrame) -> str:
    counts = pd.crosstab(listings["neighbourhood_group"], listings["room_type"])
    table = rooms(listings).where(counts >= ENOUGH)
    there = [room for room in ROOMS[:2] if room in table]
    both = table[there].dropna()
    if len(there) < 2 or len(both) < 2:
        return f"Too few boroughs have {ENOUGH} listings of each kind of room to compare them."
    borough, room = farthest(-counts)
    least = counts.loc[borough, room]
    whole, share = both[there[0]].sort_values(ascending=False), both[there[1]] / both[there[0]]
    text = (
        f"A whole home in {whole.index[0]} costs ${whole.iloc[0]:,.0f} a night, one in {whole.index[-1]} "
        f"${whole.iloc[-1]:,.0f}; a private room costs {share.min():.0%} to {share.max():.0%} of a whole "
        "home, by borough."
    )
    if least < ENOUGH:
        text += f" Some squares rest on little: {str(room).lower()} in {borough}, {least:,} listings."
    return text


def _map(_: pd.DataFrame, listings: pd.DataFrame) -> Figure:
    return shapes.places(listings["longitude"], listings["latitude"], listings["price"], "$ a night")


def _read_map(_: pd.DataFrame, listings: pd.DataFrame) -> str:
    dear = listings[listings["price"] >= listings["price"].quantile(0.9)]
    centre = dear[["longitude", "latitude"]].median()
    east, north = listings["longitude"] - centre["longitude"], listings["latitude"] - centre["latitude"]
    away = np.hypot(84.3 * east, 111 * north)  # kilometres a degree, in New York
    inner, outer = listings.loc[away < 3, "price"], listings.loc[away > 8, "price"]
    near, far = inner.median(), outer.median()
    if min(len(inner), len(outer)) < ENOUGH or near < 1.1 * far:
        return "The dearest tenth has no middle around which prices are higher than farther out."
    top = dear[["neighbourhood", "neighbourhood_group"]].value_counts().index[0]
    return (
        f"Of the dearest tenth, {(dear['neighbourhood_group'] == 'Manhattan').mean():.0%} lie in Manhattan, "
        f"and more in {top[0]} ({top[1]}) than in any other neighbourhood. Within 3 km of their middle a "
        f"night costs ${near:,.0f} (median), beyond 8 km ${far:,.0f}. A fall to all sides of a middle is no "
        "straight line in either coordinate: a model that can only add degrees up will miss it."
    )


def endings(listings: pd.DataFrame) -> pd.Series:
    """The share of prices that end in each digit, in per cent."""
    shares = (listings["price"] % 10).value_counts(normalize=True)
    return 100 * shares.reindex(range(10), fill_value=0.0)


def _read_endings(_: pd.DataFrame, listings: pd.DataFrame) -> str:
    shares = endings(listings)
    if len(listings) < 10 * ENOUGH or shares[0] + shares[5] < 30:
        return "These prices end in 0 or 5 about as often as chance lets them."
    return (
        f"{shares[0] + shares[5]:.0f} % of the prices end in 0 or 5, where chance would give 20 %, and "
        f"{shares[9]:.0f} % in 9. Hosts round to about five dollars: no model can be expected to be closer "
        "than that by more than luck."
    )


def _square(degrees: float) -> Callable[[str], str]:
    """The middle of a square of the map, from the text that `serving` makes of it, and the kind of room."""

    def name(value: str) -> str:
        place, room = value.split("|")
        north, east = (degrees * (int(cell) + 0.5) for cell in place.split("_"))
        return f"{north:.3f} N {-east:.3f} W, {room}"

    return name


def _joined(value: str) -> str:
    return value.replace("|", ", ")


#: How a value is written, of columns that `serving` joins of others.
NAMES = {
    "borough_room": _joined,
    "neighbourhood_room": _joined,
    "mile_room": _square(0.02),
    "block_room": _square(0.006),
}

VIEWS = {
    "map": View(
        "Prices on the map",
        "A dot is a listing of a sample, where it lies; the darker, the dearer (on a log scale, as twice "
        "the price is one step wherever it happens). Is there one centre, or several?",
        _map,
        _read_map,
        costly=True,
    ),
    "rooms": View(
        "Price by borough and room",
        "Median dollars of a night. If each line were the line above times one number, borough and room "
        "could be modelled apart.",
        lambda _, listings: shapes.heat_map(rooms(listings), "$ a night (median)", digits=0),
        _read_rooms,
    ),
    "endings": View(
        "How hosts round",
        "The last digit of the price. Equal bars would mean prices that were computed; these were chosen.",
        lambda _, listings: shapes.bars(endings(listings), "% of the prices, by last digit"),
        _read_endings,
    ),
}
