"""Songs described by ten audio features: which of fifteen genres is a song of?

What a model sees is in `serving`; the pictures are in `views`, the generated lookalikes in `lookalikes`,
both imported when they are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd

from lib import quality, sources, splits
from lib.datasets.music_genres.serving import AUDIO, COLUMNS, NUMBERS, SERVING
from lib.errors import DataError
from lib.problem import Dataset, Options, Range, Rule, Words

PUBLISHED = (
    "https://github.com/mxagar/music_genre_classification/blob/main/dataset/genres_mod.parquet?raw=true"
)

GENRES = (
    *("Dark Trap", "Underground Rap", "Trap Metal", "Emo", "Rap", "RnB", "Pop", "Hiphop", "techhouse"),
    *("techno", "trance", "psytrance", "trap", "dnb", "hardstyle"),
)


@dataclass(frozen=True)
class SongOptions(Options):
    """How the songs are split."""

    test_share: Annotated[float, Range(0, 1, strict=True), "of all songs"] = 0.3
    validation_share: Annotated[float, Range(0, 1, strict=True), "of the rest"] = 0.3


def fetch() -> list[sources.Fetched]:
    """The published file, verified."""
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


def generate(rows: Annotated[int, Range(150, None)], seed: int) -> pd.DataFrame:
    """Lookalike songs: each genre's own mixture, the gaps and the doubles of the real ones."""
    from lib.datasets.music_genres import lookalikes

    return lookalikes.songs(rows, seed)[list(COLUMNS)]


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


def split(rows: pd.DataFrame, seed: int, options: SongOptions) -> dict[str, pd.DataFrame]:
    """At random: `test_share` of all, then `validation_share` of the rest; a track's rows stay together."""
    return splits.at_random(rows, options.test_share, options.validation_share, seed, "genre", NUMBERS)


def checks() -> tuple[quality.Check, ...]:
    """The course's checks; they look at rows with `text_feature`, as a model does."""
    whole = dict.fromkeys(("time_signature", "key", "duration_ms"), "integer")
    others = dict.fromkeys([name for name in NUMBERS if name not in whole], "float")
    texts = dict.fromkeys(("text_feature", "genre"), "text")
    units = [name for name, column in AUDIO.items() if column.unit == "0 to 1"]
    on_texts = (
        quality.schema({**whole, **others, **texts}),
        quality.known("genre", GENRES, "A sixteenth genre is a new problem."),
        quality.between("time_signature", 1, 5),
        quality.between("key", 0, 11, "There are twelve pitch classes."),
        *(quality.between(name, 0, 1, "Spotify's scale.") for name in units),
        quality.between("loudness", -35, 5),
        quality.between("tempo", 50, 250),
        quality.between("duration_ms", 20_000, 1_000_000, "From an interlude to a long mix."),
    )
    return tuple(quality.before(check, _with_text) for check in on_texts)


def _with_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with `text_feature`, where they have what it is made of."""
    complete = set(SERVING.derived["text_feature"].needs) <= set(rows)
    return rows if "text_feature" in rows or not complete else SERVING.engineer(rows, ["text_feature"])


SLICES = {
    "length": lambda rows: pd.cut(
        rows["duration_ms"] / 60_000,
        [-float("inf"), 2, 3, 4, 6, float("inf")],
        labels=["to 2 min", "2-3 min", "3-4 min", "4-6 min", "over 6 min"],
    ).astype("str"),
    "text": lambda rows: rows["title"].notna().map({True: "has a playlist", False: "has none"}),
}

DATASET = Dataset(
    serving=SERVING,
    title="Which genre is a song of?",
    metric="auc",
    description=(
        "Songs with the audio features that Spotify computes of each track, labelled with one of fifteen "
        "genres by the playlist that they were found in. A label is wanted for a song that stands in no "
        "playlist yet: whatever names the playlist gives the answer away. Spotify's terms forbid training "
        "models on these figures, so no row of the published file is shipped with the workbook."
    ),
    source="a modified Spotify data set, https://github.com/mxagar/music_genre_classification",
    licence=(
        "the repository states none; the figures are Spotify's, whose Developer Policy (III.14) forbids "
        "training machine-learning models on them: see DATA.md"
    ),
    fetch=fetch,
    load=load,
    generate=generate,
    label=label,
    rules=rules,
    split=split,
    checks=checks,
    groups=NUMBERS,
    slices=SLICES,
    views="lib.datasets.music_genres.views",
    words=Words("song", "songs", "a song's genre", "track"),
    options=SongOptions(),
)
