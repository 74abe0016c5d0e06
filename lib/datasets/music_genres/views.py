"""Pictures of songs that no other problem has: which features move together, and a map of the songs."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lib.datasets.music_genres import serving
from lib.plots import shapes
from lib.profiling import farthest
from lib.profiling.association import ENOUGH
from lib.views.view import View

NUMBERS = list(serving.NUMBERS)
MAPPED = 1_200  # songs on the map: its cost grows faster than their number


def correlations(songs: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rank correlation of each two audio features."""
    return songs[NUMBERS].corr(method="spearman")


def _read_correlations(songs: pd.DataFrame, _: pd.DataFrame) -> str:
    table = correlations(songs)
    upper = table.where(np.triu(np.ones(table.shape, dtype=bool), 1))
    one, other = farthest(upper.abs())
    if abs(table.loc[one, other]) < max(0.1, 5 / len(songs) ** 0.5):  # the widest of 45 goes so far by chance
        return "No two features move together beyond what chance does in so few songs."
    alone = (table.abs() - np.eye(len(table))).max().idxmin()
    return (
        f"{one} and {other} move together most ({table.loc[one, other]:+.2f}). {alone} goes its own way: "
        f"none of its correlations is beyond ±{(table.abs() - np.eye(len(table))).max().min():.2f}. Two "
        "features that say the same share the weights of a linear model and the importance of a forest."
    )


def scaled(songs: pd.DataFrame) -> pd.DataFrame:
    """The ten audio features on one scale, gaps at their medians."""
    numbers = songs[NUMBERS].fillna(songs[NUMBERS].median())
    return (numbers - numbers.mean()) / numbers.std()


def neighbours(songs: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A map in two dimensions of the audio features (t-SNE): near on it is near in all ten."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    fewer = songs.sample(min(len(songs), MAPPED), random_state=seed)
    placed = TSNE(perplexity=min(30, len(fewer) // 4), max_iter=400, random_state=seed)
    with threadpool_limits(1):  # threads that wait for a busy machine cost more than they save
        places = placed.fit_transform(scaled(fewer))
    return pd.DataFrame(places, columns=["x", "y"], index=fewer.index)


def _map(songs: pd.DataFrame, _: pd.DataFrame) -> Figure:
    places = neighbours(songs)
    return shapes.points(places["x"], places["y"], ("", ""), songs["genre"].loc[places.index])


def purity(songs: pd.DataFrame, nearest: int = 10) -> pd.Series:
    """For each genre the share of a song's nearest songs, in all ten features, that are of its genre."""
    from sklearn.neighbors import NearestNeighbors

    numbers = scaled(songs)
    search = NearestNeighbors(n_neighbors=nearest + 1).fit(numbers)
    near = search.kneighbors(numbers, return_distance=False)[:, 1:]
    genres = songs["genre"].to_numpy()
    same = (genres[near] == genres[:, None]).mean(axis=1)
    return pd.Series(same).groupby(genres).mean().sort_values(ascending=False)


def _read_map(songs: pd.DataFrame, _: pd.DataFrame) -> str:
    counts = songs["genre"].value_counts()
    shares = purity(songs)
    shares = shares[shares.index.isin(counts.index[counts >= ENOUGH])]
    if len(shares) < 2 or shares.iloc[0] < 2 * counts.max() / counts.sum():
        return "No genre's songs lie among their own kind more than chance puts them there."
    (best, *_, worst), (most, *_, least) = shares.index, shares
    return (
        f"Of {len(songs):,} songs, of which the map draws {min(len(songs), MAPPED):,}: among the ten most "
        f"alike to one of {best}, {most:.0%} are of that genre too; for {worst} only {least:.0%}. Islands "
        "can be told apart by their sound; where colours mix, no model will do much better than these "
        "features allow. Distances between islands mean nothing on such a map."
    )


def titles(songs: pd.DataFrame) -> pd.Series:
    """For each genre that has titles, the share of them that contain its own commonest word."""
    shares = {}
    for genre, labelled in songs.dropna(subset=["title"]).groupby("genre"):
        if len(labelled) < ENOUGH:
            continue
        words = labelled["title"].str.lower().str.findall(r"[a-z]{3,}").explode()
        common = words.value_counts().index[0] if len(words.dropna()) else ""
        if common:
            shares[f"{genre}: “{common}”"] = labelled["title"].str.lower().str.contains(common).mean()
    return pd.Series(shares, dtype=float).sort_values(ascending=False)


def _read_titles(songs: pd.DataFrame, _: pd.DataFrame) -> str:
    shares = titles(songs)
    half = songs["title"].notna().mean()
    if not (shares > 0.5).any():
        return f"{half:.0%} of the songs have a title, and no word of it stands for a genre."
    return (
        f"{half:.0%} of the songs have a title, and it is their playlist's name: in {(shares > 0.5).sum()} "
        f"of {len(shares)} genres one word stands in more than half of them. A model that reads titles "
        "partly reads the label; for a song from no playlist it has nothing to read. Compare the feature "
        "sets with and without."
    )


_NOTES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
#: How a value is written, of columns whose values are codes.
NAMES = {
    "key": lambda code: _NOTES[int(code)] if str(code) in map(str, range(12)) else str(code),
    "mode": lambda code: {"1": "major", "0": "minor"}.get(str(code), str(code)),
    "time_signature": lambda code: f"{code} beats",
    "texts": lambda code: ("neither text", "title alone", "name alone", "both")[int(code)],
}

VIEWS = {
    "map": View(
        "A map of songs",
        "Each dot is a song of a sample; songs that sound alike, by all ten numbers, lie near each other "
        "(t-SNE). Which genres form islands, and which are one sea?",
        _map,
        _read_map,
        of_raw=True,
        costly=True,
    ),
    "correlations": View(
        "Features that move together",
        "Red squares rise together, blue ones oppose each other, pale ones have nothing to do with each "
        "other (rank correlation, so that bent relations count too).",
        lambda songs, _: shapes.heat_map(correlations(songs), "rank correlation", digits=1, centre=0.0),
        _read_correlations,
        of_raw=True,
    ),
    "titles": View(
        "What titles give away",
        f"For each genre of which {ENOUGH} songs have a title: its commonest word, and the share of its "
        "titles with that word.",
        lambda songs, _: shapes.bars(100 * titles(songs), "% of the genre's titles"),
        _read_titles,
        of_raw=True,
    ),
}
