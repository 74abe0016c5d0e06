"""Songs: the course's counts and checks, and lookalikes that look alike."""

import os

import numpy as np
import pandas as pd
import pytest

from lib import problem, quality, views
from lib.datasets.music_genres import training
from lib.errors import DataError

DATASET = problem.load("music_genres")
GENERATED = DATASET.generate(3000, 0)
mirror = [
    pytest.mark.mirror,
    pytest.mark.skipif(
        not os.environ.get("DATA_MIRROR"),
        reason="the published file is not here: set DATA_MIRROR to its folder",
    ),
]


def findings(rows: pd.DataFrame) -> dict[str, str]:
    """What the problem's checks find, by the checks that do not hold."""
    report = quality.run(DATASET.checks(), {"songs": rows})
    return report.loc[report["result"] != "ok", "found"].to_dict()


def test_lookalikes_pass_every_check():
    assert findings(DATASET.clean(GENERATED).rows) == {}


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        ({"energy": 1.2}, "energy from 0 to 1"),
        ({"tempo": 20.0}, "tempo from 50 to 250"),
        ({"loudness": -40.0}, "loudness from -35 to 5"),
        ({"duration_ms": 10}, "duration_ms from 20,000 to 1,000,000"),
        ({"key": 12}, "key from 0 to 11"),
        ({"time_signature": 6}, "time_signature from 1 to 5"),
        ({"genre": "polka"}, "genre is one of 15"),
    ],
)
def test_one_wrong_value_is_found(broken, check):
    rows = GENERATED.copy()
    for name, value in broken.items():
        rows.loc[7, name] = value
    assert check in findings(rows)


def test_missing_loudness_is_no_fault_and_a_key_that_is_no_integer_is():
    assert GENERATED["loudness"].isna().any()
    assert "'key': 'float64'" in findings(GENERATED.astype({"key": float}))["columns"]


def test_checks_look_at_the_text_that_a_model_sees():
    assert "text_feature" in findings(GENERATED.drop(columns="title"))["columns"]
    assert findings(GENERATED.assign(text_feature="x").drop(columns=["title", "song_name"])) == {}


def test_the_text_is_title_and_name_and_missing_ones_are_empty():
    rows = pd.DataFrame({"title": ["a", None, None], "song_name": ["b", "c", None]})
    assert DATASET.engineer(rows, ["text_feature"])["text_feature"].tolist() == ["a b", " c", " "]


def test_a_double_song_counts_once():
    assert (
        DATASET.clean(pd.concat([GENERATED, GENERATED])).rows.shape[0] == GENERATED.drop_duplicates().shape[0]
    )


def test_lookalikes_are_in_blocks_with_gaps_and_doubles_and_the_same_for_a_seed():
    pd.testing.assert_frame_equal(GENERATED, DATASET.generate(3000, 0))
    assert len(GENERATED) == 3000
    assert set(GENERATED["genre"]) == set(training.GENRES)
    assert 0.17 < GENERATED["loudness"].isna().mean() < 0.25
    assert GENERATED.duplicated().sum() == 60
    assert (GENERATED["title"].notna() == GENERATED["song_name"].isna()).all()


def test_the_smallest_set_of_lookalikes_still_has_every_genre_in_every_split():
    with pytest.raises(DataError, match="100 rows are too few for 15 genres"):
        DATASET.generate(100, 0)
    parts = DATASET.split(DATASET.clean(DATASET.generate(300, 0)).rows, 42)
    assert all(part["genre"].nunique() == 15 for part in parts.values())


@pytest.mark.parametrize("name", list(views.of(DATASET)))
def test_every_picture_is_announced_drawn_and_read(name):
    view, raw = views.of(DATASET)[name], DATASET.generate(400, 1)
    clean = DATASET.clean(raw).rows
    assert view.draw(raw, clean).axes
    assert any(letter.isdigit() for letter in view.read(raw, clean))


class TestPublished:
    """The published file."""

    pytestmark = mirror

    def test_it_has_the_courses_counts_and_passes_its_checks(self):
        raw, provenance = DATASET.ingest("published", 0, 0)
        assert raw.shape == (42_896, 17)
        assert provenance["files"][0]["name"] == "genres_mod.parquet"
        clean = DATASET.clean(raw).rows
        assert len(clean) == 41_975
        assert findings(clean) == {}
        parts = DATASET.split(clean, 42)
        assert [len(part) for part in parts.values()] == [20_665, 8_705, 12_605]
        shares = pd.DataFrame(
            {name: part["genre"].value_counts(normalize=True) for name, part in parts.items()}
        )
        assert shares.std(axis=1).max() < 0.005
        assert quality.run([quality.apart(training.NUMBERS)], parts)["found"].tolist() == [""]

    def test_train_and_test_are_of_one_distribution(self):
        parts = DATASET.split(DATASET.clean(DATASET.ingest("published", 0, 0)[0]).rows, 42)
        table = quality.ks_same_distribution(parts["train"], parts["test"], training.NUMBERS)
        assert table["same"].all()

    def test_the_file_and_the_lookalikes_are_alike(self):
        real = DATASET.ingest("published", 0, 0)[0]
        numbers = ["danceability", "energy", "valence", "tempo", "duration_ms", "loudness"]
        gaps = [
            quality.ks_same_distribution(real, GENERATED, [name])["statistic"].iloc[0] for name in numbers
        ]
        assert np.max(gaps) < 0.1
