"""Generated songs: each genre with the means and spreads of the published ones, and none of their rows."""

import numpy as np
import pandas as pd

from lib.errors import DataError

# share in %, then mean and standard deviation in the published songs of danceability, energy, speechiness,
# acousticness, instrumentalness, liveness, valence, loudness (dB), tempo (a minute), duration (s)
_TABLE = """
Dark Trap|10.8|.62 .16|.65 .18|.12 .12|.16 .21|.28 .37|.18 .14|.27 .21|-8.0 3.1|150 27|188 60
Emo|3.9|.49 .13|.76 .22|.08 .08|.15 .26|.01 .08|.20 .14|.44 .20|-5.5 2.7|154 28|219 44
Hiphop|7.1|.70 .14|.65 .16|.22 .13|.20 .22|.02 .09|.21 .16|.52 .22|-7.0 2.8|163 28|228 61
Pop|1.1|.68 .12|.70 .15|.09 .08|.15 .19|.01 .09|.18 .14|.55 .22|-5.6 2.0|152 32|211 35
Rap|4.4|.74 .13|.62 .14|.22 .14|.17 .18|.01 .06|.18 .13|.44 .22|-6.9 2.4|126 29|203 59
RnB|4.9|.67 .14|.60 .17|.14 .11|.23 .23|.01 .06|.18 .13|.49 .22|-6.9 2.5|157 30|226 51
Trap Metal|4.6|.65 .17|.75 .17|.21 .16|.12 .17|.06 .18|.24 .19|.35 .22|-5.9 3.0|149 27|147 45
Underground Rap|13.9|.74 .13|.64 .16|.22 .14|.16 .19|.03 .12|.19 .15|.44 .22|-7.4 2.8|153 27|176 55
dnb|7.0|.52 .11|.87 .10|.08 .08|.02 .05|.46 .36|.20 .17|.25 .19|-4.1 2.0|174 1|287 52
hardstyle|7.0|.48 .10|.90 .08|.09 .09|.04 .07|.14 .25|.27 .19|.27 .16|-4.3 1.6|151 2|229 58
psytrance|7.0|.62 .09|.90 .09|.06 .03|.01 .02|.77 .14|.29 .23|.26 .18|-6.7 1.6|143 4|446 69
techhouse|7.1|.79 .07|.83 .13|.07 .04|.01 .04|.58 .33|.14 .14|.57 .23|-7.1 1.9|125 2|292 91
techno|7.0|.72 .09|.80 .14|.07 .04|.04 .10|.85 .13|.15 .13|.19 .17|-9.3 2.4|129 4|399 70
trance|7.1|.51 .10|.89 .11|.07 .05|.01 .05|.50 .37|.30 .21|.22 .15|-6.9 2.2|135 4|288 103
trap|7.1|.59 .13|.91 .10|.21 .15|.02 .06|.20 .27|.28 .20|.30 .18|-2.7 2.0|148 5|225 41
"""
_UNITS = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")
#: Playlists of the genres that come with a title; the other genres come with song names.
_PLAYLISTS = {
    "dnb": ["Drum & Bass All Stars", "Deep Drum & Bass", "Bass Uploads"],
    "hardstyle": ["Hardstyle Heights", "Hardstyle Bangers", "Melodic Hard"],
    "psytrance": ["PSYTRANCE Full On", "Goa and Psytrance", "New Trips"],
    "techhouse": ["Tech House Weekly", "Techhouse Grooves", "House Players"],
    "techno": ["Cellar Techno", "Techno Rave", "Minimal Techno"],
    "trance": ["Top Trance", "Uplifting Trance", "Melodic Classics"],
    "trap": ["Riddim Lands", "Headbangers Dubstep", "Headbanger"],
}
_NIGHTLY = ["Night", "Blue", "Ghost", "Fire", "Gold", "City", "Rain", "Heart", "Devil", "Star", "Cold", "the"]
_DAILY = ["Dream", "Money", "Ride", "Alone", "Love", "Dead", "Runner", "Mirror", "Low", "High", "you", "all"]
_WORDS = [*_NIGHTLY, *_DAILY]
#: Share of song names with a guest: what the words of rap look like.
_GUESTS = {"Rap": 0.28, "RnB": 0.21, "Hiphop": 0.15, "Underground Rap": 0.13, "Pop": 0.09}
GAPS, DOUBLES = 0.21, 0.02  # loudness that is missing; records that stand there twice


def songs(rows: int, seed: int) -> pd.DataFrame:
    """`rows` songs in blocks of a genre, as the published file has them."""
    genres = [line.split("|") for line in _TABLE.strip().splitlines()]
    if rows < 10 * len(genres):
        raise DataError(
            f"{rows} rows are too few for {len(genres)} genres: ask for {10 * len(genres)} or more."
        )
    random = np.random.default_rng(seed)
    doubles = int(DOUBLES * rows)
    share = np.array([float(line[1]) for line in genres])
    counts = np.maximum(8, np.floor((rows - doubles) * share / share.sum()).astype(int))
    counts[counts.argmax()] += rows - doubles - counts.sum()
    blocks = [_block(line, count, random) for line, count in zip(genres, counts, strict=True)]
    first = pd.concat(blocks, ignore_index=True)
    again = first.iloc[np.sort(random.choice(len(first), doubles, replace=False))]
    return pd.concat([first, again], ignore_index=True)


def _block(line: list[str], count: int, random: np.random.Generator) -> pd.DataFrame:
    """The songs of one genre."""
    genre = line[0]
    means, spreads = np.array([cell.split() for cell in line[2:]], dtype=float).T
    units = {
        name: _between(mean, spread, count, random)
        for name, mean, spread in zip(_UNITS, means, spreads, strict=False)
    }
    loudness, tempo, seconds = (random.normal(means[n], spreads[n], count) for n in (7, 8, 9))
    loudness[random.random(count) < GAPS] = np.nan
    named = genre not in _PLAYLISTS
    names = [_name(genre, random) for _ in range(count)] if named else [None] * count
    titles = [None] * count if named else random.choice(_PLAYLISTS[genre], count)
    return pd.DataFrame(
        {
            **units,
            "loudness": loudness.clip(-33, 3.1).round(3),
            "tempo": tempo.clip(60, 220).round(3),
            "duration_ms": (1000 * seconds.clip(26, 910)).astype("int64"),
            "key": random.choice(12, count, p=_KEYS).astype("int64"),
            "mode": (random.random(count) < 0.55).astype("int64"),
            "time_signature": random.choice([4, 3, 5, 1], count, p=_BARS).astype("int64"),
            "type": "audio_features",
            "song_name": pd.Series(names, dtype="str"),
            "title": pd.Series(titles, dtype="str"),
            "genre": genre,
        }
    ).astype({"type": "str", "genre": "str"})


_BARS = [0.955, 0.029, 0.012, 0.004]  # shares of four, three, five beats in a bar, and one
_KEYS = np.array([345, 747, 303, 89, 234, 297, 369, 425, 331, 322, 323, 412]) / 4197


def _between(mean: float, spread: float, count: int, random: np.random.Generator) -> np.ndarray:
    """Numbers from 0 to 1 with this mean and standard deviation (a beta distribution)."""
    weight = max(mean * (1 - mean) / spread**2 - 1, 0.15)
    return random.beta(mean * weight, (1 - mean) * weight, count).round(4)


def _name(genre: str, random: np.random.Generator) -> str:
    """A song's name of two or three words, with a guest as often as the genre has them."""
    words = " ".join(random.choice(_WORDS, random.integers(1, 4), replace=False))
    return f"{words} (feat. {random.choice(_WORDS)})" if random.random() < _GUESTS.get(genre, 0.02) else words
