"""What the courses report of songs and of rentals, from our encoders and scikit-learn's forests."""

import os

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from lib import problem
from lib.runtime import encoders

pytestmark = [
    pytest.mark.mirror,
    pytest.mark.skipif(
        not os.environ.get("DATA_MIRROR"),
        reason="the published files are not here: set DATA_MIRROR to their folder",
    ),
]


def published(name: str, share: float, by: str) -> tuple[problem.Dataset, dict[str, pd.DataFrame]]:
    """A problem and its rows, engineered, in the courses' splits: at random, each class in equal shares."""
    dataset = problem.load(name)
    clean = dataset.clean(dataset.ingest("published", 0, 0)[0]).rows
    rest, test = train_test_split(clean, test_size=share, random_state=42, stratify=clean[by])
    train, validation = train_test_split(rest, test_size=share, random_state=42, stratify=rest[by])
    parts = {"train": train, "validation": validation, "test": test}
    return dataset, {part: dataset.engineer(rows.reset_index(drop=True)) for part, rows in parts.items()}


def test_the_courses_forest_tells_genres_apart_as_well_as_the_course_says():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    dataset, parts = published("music_genres", 0.3, "genre")
    encoding = encoders.Encoding(dataset.feature_set("course_with_playlist").encodes)
    matrix = encoding.fit_transform(parts["train"], parts["train"]["genre"])
    assert matrix.shape == (20_567, 22)  # ten numbers, bar and key, ten words
    forest = RandomForestClassifier(100, max_depth=13, class_weight="balanced", random_state=42, n_jobs=-1)
    forest.fit(matrix, parts["train"]["genre"])

    def auc(part: str) -> float:
        chances = forest.predict_proba(encoding.transform(parts[part]))
        return roc_auc_score(parts[part]["genre"], chances, multi_class="ovo", average="macro")

    assert auc("validation") == pytest.approx(0.954, abs=0.002)
    assert auc("test") == pytest.approx(0.953, abs=0.002)


@pytest.mark.slow
def test_the_courses_forest_prices_rentals_as_well_as_the_course_says():
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold

    dataset, parts = published("nyc_rentals", 0.2, "neighbourhood_group")
    rows = pd.concat([parts["train"], parts["validation"]], ignore_index=True)
    price = dataset.label(rows).to_numpy()
    assert len(rows) == 15_200
    errors = []
    for fit, judge in KFold(3).split(rows):
        encoding = encoders.Encoding(dataset.feature_set("course").encodes)
        matrix = encoding.fit_transform(rows.iloc[fit], price[fit])
        forest = RandomForestRegressor(
            200,
            criterion="absolute_error",
            max_depth=15,
            max_features=0.5,
            min_samples_leaf=3,
            min_samples_split=4,
        )
        forest.set_params(random_state=42, n_jobs=-1).fit(matrix, price[fit])
        errors.append(np.abs(forest.predict(encoding.transform(rows.iloc[judge])) - price[judge]).mean())
    assert np.mean(errors) == pytest.approx(32.9, abs=0.3)


def test_a_day_is_told_from_a_day_that_is_stored_and_not_from_the_batch_that_is_asked():
    dataset, parts = published("nyc_rentals", 0.2, "neighbourhood_group")
    encoding = encoders.Encoding(dataset.feature_set("course").encodes)
    encoding.fit_transform(parts["train"], dataset.label(parts["train"]))
    many = encoding.transform(parts["test"].head(50))
    alone = encoding.transform(parts["test"].iloc[[7]])
    many, alone = (np.asarray(m.todense()) if hasattr(m, "todense") else np.asarray(m) for m in (many, alone))
    assert np.array_equal(many[7], alone[0], equal_nan=True)
    days = list(encoding.get_feature_names_out()).index("days before: last_review")
    assert many[:, days].max() > 0
