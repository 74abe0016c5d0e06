"""What the `rich` features may see of a song: the course's columns, more words, and which texts there are."""

from typing import Any

import numpy as np

from lib.datasets.base import Derived, FeatureSet, encode


def _texts(rows: Any) -> Any:
    """0 neither text, 1 a title (of the playlist), 2 a name (of the song), 3 both."""
    return np.asarray(rows["title"].notna()) * 1.0 + np.asarray(rows["song_name"].notna()) * 2.0


DERIVED = {
    "text_length": Derived(
        ("text_feature",), lambda rows: rows["text_feature"].str.len(), "letters of the texts"
    ),
    "texts": Derived(("title", "song_name"), _texts, "which of the two texts there are"),
}


def rich(numbers: tuple[str, ...]) -> FeatureSet:
    """The set; its spaces are narrower than the families' own, so that two minutes find a good model."""
    return FeatureSet(
        "rich",
        "the course's columns with ten to twenty times its words, mode, and which texts a song has at all. "
        "`title`, the name of a playlist, gives much away here too",
        (
            encode("number", *numbers, "text_length", "texts", impute="median", scale=True),
            encode("ordinal", "time_signature", "key", "mode", fill=0),
            encode("tfidf", "text_feature", words=150, binary=True),
        ),
        spaces={
            "encoding": {"tfidf.words": ("choice", [150, 100, 200])},
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
        },
    )
