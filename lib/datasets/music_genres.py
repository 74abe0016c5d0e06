"""Songs described by ten audio features: which of fifteen genres is a song of?

The pictures are in `_music_genres_views`, the generated lookalikes in `_music_genres_lookalikes`; both are
imported when they are used.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lib.datasets._music_genres_features import DERIVED as TEXTS
from lib.datasets._music_genres_features import rich
from lib.datasets.base import Column, Dataset, Derived, FeatureSet, Later, Rule, Target, encode
from lib.errors import DataError

PUBLISHED = (
    "https://github.com/mxagar/music_genre_classification/blob/main/dataset/genres_mod.parquet?raw=true"
)

AUDIO = {
    "danceability": Column("number", "how suitable for dancing, from rhythm and beat", "0 to 1"),
    "energy": Column("number", "loud, fast and noisy", "0 to 1"),
    "loudness": Column("number", "mean loudness of the whole track", "dB"),
    "speechiness": Column("number", "share of spoken words", "0 to 1"),
    "acousticness": Column("number", "confidence that it is acoustic", "0 to 1"),
    "instrumentalness": Column("number", "confidence that nobody sings", "0 to 1"),
    "liveness": Column("number", "confidence that an audience is heard", "0 to 1"),
    "valence": Column("number", "cheerful rather than sad", "0 to 1"),
    "tempo": Column("number", "estimated beats", "beats a minute"),
    "duration_ms": Column("number", "length", "ms"),
}
NUMBERS = tuple(AUDIO)
COLUMNS = {
    **AUDIO,
    "key": Column("category", "pitch class of the key: 0 is C, 11 is B"),
    "mode": Column("category", "1 major, 0 minor"),
    "time_signature": Column("category", "beats in a bar, estimated"),
    "type": Column("category", "what Spotify calls such a record; always the same"),
    "song_name": Column("text", "the song's name, where the record has one"),
    "title": Column("text", "the playlist that the song came from, where the record has one"),
    "genre": Column("category", "the genre, by the playlist", known="after"),
}
GENRES = (
    *("Dark Trap", "Underground Rap", "Trap Metal", "Emo", "Rap", "RnB", "Pop", "Hiphop", "techhouse"),
    *("techno", "trance", "psytrance", "trap", "dnb", "hardstyle"),
)


def fetch() -> list:
    """The published file, verified."""
    from lib import sources

    return [sources.fetch(PUBLISHED, check=sources.parquet)]


def load(paths: Sequence[Path]) -> pd.DataFrame:
    """The songs of these files, in the order of `COLUMNS`."""
    songs = pd.concat([_songs(Path(path)) for path in paths], ignore_index=True)
    if songs.empty:
        raise DataError(f"{[Path(path).name for path in paths]} have no rows.")
    return songs


def _songs(path: Path) -> pd.DataFrame:
    songs = pd.read_parquet(path)
    missing = [name for name in COLUMNS if name not in songs]
    if missing:
        raise DataError(f"{path.name} has no column {missing}; it has {list(songs)}. Is it a file of songs?")
    return songs[list(COLUMNS)]


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Lookalike songs: each genre's own mixture, the gaps and the doubles of the real ones."""
    from lib.datasets import _music_genres_lookalikes

    return _music_genres_lookalikes.songs(rows, seed)[list(COLUMNS)]


def label(rows: pd.DataFrame) -> pd.Series:
    """The genre, as it stands in the row."""
    return rows["genre"]


def rules() -> tuple[Rule, ...]:
    """The course's cleaning: a song counts once."""
    return (
        Rule(
            "no double",
            "The same record again would be learnt twice, and could stand in train and test.",
            lambda rows: ~rows.duplicated(),
        ),
    )


def split(
    rows: pd.DataFrame, seed: int, *, test_share: float = 0.3, validation_share: float = 0.3
) -> dict[str, pd.DataFrame]:
    """At random, each genre in equal shares: `test_share` of all, then `validation_share` of the rest."""
    from lib import splits

    return splits.at_random(rows, test_share, validation_share, seed, by="genre")


def checks() -> tuple:
    """The course's checks; they look at rows with `text_feature`, as a model does."""
    from lib import quality

    whole = dict.fromkeys(("time_signature", "key", "duration_ms"), "integer")
    others = dict.fromkeys([name for name in NUMBERS if name not in whole], "float")
    texts = dict.fromkeys(("text_feature", "genre"), "text")
    units = [name for name, column in AUDIO.items() if column.unit == "0 to 1"]
    found = (
        quality.schema({**whole, **others, **texts}),
        quality.known("genre", GENRES, "A sixteenth genre is a new problem."),
        quality.between("time_signature", 1, 5),
        quality.between("key", 0, 11, "There are twelve pitch classes."),
        *(quality.between(name, 0, 1, "Spotify's scale.") for name in units),
        quality.between("loudness", -35, 5),
        quality.between("tempo", 50, 250),
        quality.between("duration_ms", 20_000, 1_000_000, "From an interlude to a long mix."),
    )
    return tuple(quality.before(check, _with_text) for check in found)


def _with_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with `text_feature`, where they have what it is made of."""
    made = set(DERIVED["text_feature"].needs) <= set(rows)
    return rows if "text_feature" in rows or not made else DATASET.engineer(rows, ["text_feature"])


def _text(rows: pd.DataFrame) -> pd.Series:
    """Title and name as one text; either may be missing."""
    return rows["title"].astype("str").fillna("") + " " + rows["song_name"].astype("str").fillna("")


DERIVED = {
    "text_feature": Derived(("title", "song_name"), _text, "title and name as one text", kind="text")
} | TEXTS

_COURSE = (
    encode("number", *NUMBERS, impute="median", scale=True),
    encode("ordinal", "time_signature", "key", fill=0),
)
#: The course's sweep for the forest: how many words, and how deep.
_SWEEP: Mapping = {
    "encoding": {"tfidf.words": ("choice", list(range(50, 200, 50)))},
    "random_forest": {"max_depth": ("choice", list(range(10, 50, 3)))},
}

FEATURE_SETS = {
    "course": FeatureSet(
        "course",
        "as the course has it: ten audio features, bar and key, and the commonest words of the texts. Mind "
        "`title`: it is the name of a playlist, and half of the genres can be read off it",
        (*_COURSE, encode("tfidf", "text_feature", words=10, binary=True)),
        spaces=_SWEEP,
    ),
    "audio": FeatureSet(
        "audio",
        "what is heard alone: a song from no playlist has no title to read the genre from",
        (*_COURSE, encode("ordinal", "mode", fill=0)),
    ),
    "rich": rich(tuple(NUMBERS)),
}

SLICES = {
    "length": lambda rows: pd.cut(
        rows["duration_ms"] / 60_000,
        [-float("inf"), 2, 3, 4, 6, float("inf")],
        labels=["to 2 min", "2-3 min", "3-4 min", "4-6 min", "over 6 min"],
    ).astype("str"),
    "text": lambda rows: rows["title"].notna().map({True: "has a playlist", False: "has none"}),
}

DATASET = Dataset(
    name="music_genres",
    title="Which genre is a song of?",
    task="classification",
    target=Target("genre", "", "the genre of the playlists that the song came from"),
    metric="auc",
    description=(
        "Songs with the audio features that Spotify computes of each track, labelled with one of fifteen "
        "genres by the playlist that they were found in. A label is wanted for a song that stands in no "
        "playlist yet: whatever names the playlist gives the answer away. Spotify's terms forbid training "
        "models on these figures, so nothing of the published file is shipped with the workbook."
    ),
    source="a modified Spotify data set, https://github.com/mxagar/music_genre_classification",
    licence=(
        "the repository states none; the figures are Spotify's, whose Developer Policy (III.14) forbids "
        "training machine-learning models on them: see DATA.md"
    ),
    columns=COLUMNS,
    fetch=fetch,
    load=load,
    generate=generate,
    label=label,
    rules=rules,
    split=split,
    checks=checks,
    derived=DERIVED,
    feature_sets=FEATURE_SETS,
    slices=SLICES,
    own_views=Later("lib.datasets._music_genres_views"),
)
