"""What is stored with a model of songs: the raw columns, derived ones, and the feature sets."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...runtime.features import Derived, FeatureSet, Serving, encode
from ...runtime.schema import Column, Target

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
    "song_name": Column(
        "text",
        "the song's name; only records without a playlist have one: a gap tells of a playlist",
        known="after",
    ),
    "title": Column("text", "the playlist that the song came from, where the record has one", known="after"),
    "genre": Column("category", "the genre, by the playlist", known="after"),
}
#: The texts that tell the playlist: the one names it, the other is missing where there is one.
PLAYLIST = ("title", "song_name")


def _texts(rows: pd.DataFrame) -> np.ndarray:
    """0 neither text, 1 a title (of the playlist), 2 a name (of the song), 3 both."""
    return np.asarray(rows["title"].notna()) * 1.0 + np.asarray(rows["song_name"].notna()) * 2.0


def _text(rows: pd.DataFrame) -> pd.Series:
    """Title and name as one text; either may be missing."""
    return rows["title"].astype("str").fillna("") + " " + rows["song_name"].astype("str").fillna("")


DERIVED = {
    "text_feature": Derived(("title", "song_name"), _text, "title and name as one text", kind="text"),
    "text_length": Derived(
        ("text_feature",), lambda rows: rows["text_feature"].str.len(), "letters of the texts"
    ),
    "texts": Derived(("title", "song_name"), _texts, "which of the two texts there are", kind="category"),
}


#: Narrower than the families' own, so that two minutes find a good model.
_SPACES: Mapping[str, Mapping[str, tuple]] = {
    "random_forest": {
        "class_weight": ("choice", ["balanced", "balanced_subsample"]),
        "max_depth": ("quniform", 10, 50, 3),
        "max_features": ("uniform", 0.1, 0.4),
        "min_samples_leaf": ("quniform", 1, 6, 1),
        "n_estimators": ("quniform", 60, 120, 20),
    },
    "gradient_boosting": {
        "class_weight": ("choice", ["balanced"]),
        "learning_rate": ("uniform", 0.12, 0.3),
        "max_leaf_nodes": ("quniform", 11, 31, 4),
        "min_samples_leaf": ("quniform", 10, 60, 10),
        "max_iter": ("quniform", 15, 35, 5),
    },
    "xgboost": {
        "balance": ("choice", [1.0, 0.5]),
        "colsample_bytree": ("uniform", 0.25, 0.55),
        "learning_rate": ("loguniform", -2.9, -2.2),
        "max_depth": ("quniform", 4, 6, 1),
        "min_child_weight": ("loguniform", 0.5, 3.0),
        "num_boost_round": ("quniform", 400, 600, 100),
        "reg_lambda": ("loguniform", 0.0, 3.0),
        "subsample": ("uniform", 0.6, 0.9),
    },
}
_COURSE = (
    encode("number", *NUMBERS, impute="median", scale=True),
    encode("ordinal", "time_signature", "key", fill=0),
)
#: The course's sweep for the forest: how many words, and how deep.
_SWEEP: Mapping[str, Mapping[str, tuple]] = {
    "encoding": {"tfidf.words": ("choice", list(range(50, 200, 50)))},
    "random_forest": {"max_depth": ("choice", list(range(10, 50, 3)))},
}

FEATURE_SETS = {
    "audio": FeatureSet(
        "audio",
        "what is heard alone: a song from no playlist has no title to read the genre from",
        (*_COURSE, encode("ordinal", "mode", fill=0)),
        spaces=_SPACES,
    ),
    "course_with_playlist": FeatureSet(
        "course_with_playlist",
        "as the course has it: ten audio features, bar and key, and the commonest words of the texts. Mind "
        "`title`: it is the name of a playlist, and half of the genres can be read off it",
        (*_COURSE, encode("tfidf", "text_feature", words=10, binary=True)),
        admits=PLAYLIST,
        spaces=_SWEEP,
    ),
    "rich_with_playlist": FeatureSet(
        "rich_with_playlist",
        "the course's columns with ten to twenty times its words, mode, and which texts a song has at all. "
        "`title`, the name of a playlist, gives much away here too",
        (
            encode("number", *NUMBERS, "text_length", "texts", impute="median", scale=True),
            encode("ordinal", "time_signature", "key", "mode", fill=0),
            encode("tfidf", "text_feature", words=150, binary=True),
        ),
        admits=PLAYLIST,
        spaces={"encoding": {"tfidf.words": ("choice", [150, 100, 200])}, **_SPACES},
    ),
}
#: What feature sets were called before their names said what they admit.
RENAMED = {"course": "course_with_playlist", "rich": "rich_with_playlist"}

SERVING = Serving(
    name="music_genres",
    task="classification",
    target=Target("genre", "", "the genre of the playlists that the song came from"),
    columns=COLUMNS,
    derived=DERIVED,
    feature_sets=FEATURE_SETS,
    renamed=RENAMED,
)
