"""TF-IDF of a text column: the most frequent words, weighted by how few rows have them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from ..errors import InferenceError
from ..schema import Settings
from .base import Encoder, Matrix, State

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer


class Tfidf(Encoder):
    """The `words` most frequent words of one text column, as scikit-learn's TfidfVectorizer weighs them."""

    settings: ClassVar[Settings] = {"words": 50, "binary": False, "stop_words": None}

    vectorizer: "TfidfVectorizer | None"

    def learn(self, rows: pd.DataFrame) -> Matrix:
        if len(self.columns) != 1:
            raise InferenceError(
                f"tfidf takes one column, not {self.columns}; join them in a derived column."
            )
        self.vectorizer = self._new()
        try:
            block = self.vectorizer.fit_transform(self._text(rows))
        except ValueError:  # scikit-learn's way of saying that there is no word to learn
            self.vectorizer = None
            return np.zeros((len(rows), 0))
        self._name(self.vectorizer.get_feature_names_out())
        return block

    def transform(self, rows: pd.DataFrame) -> Matrix:
        if self.vectorizer is None:
            return np.zeros((len(rows), 0))
        return self.vectorizer.transform(self._text(rows))

    def _new(self, vocabulary: list[str] | None = None) -> "TfidfVectorizer":
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            max_features=int(self.options["words"]),
            binary=self.options["binary"],
            stop_words=self.options["stop_words"],
            vocabulary=vocabulary,
        )

    def _text(self, rows: pd.DataFrame) -> list[str]:
        column = rows[self.columns[0]]
        return column.astype(object).where(column.notna(), "").astype(str).tolist()

    def _name(self, words: Iterable[str]) -> None:
        self.names = [f"{self.columns[0]}: {word}" for word in words]

    def state(self) -> State:
        if self.vectorizer is None:
            return {"words": []}
        return {"words": self.vectorizer.get_feature_names_out().tolist(), "idf": self.vectorizer.idf_}

    def restore(self, state: State) -> None:
        if not state["words"]:
            self.vectorizer = None
            return
        self.vectorizer = self._new(state["words"])
        self.vectorizer.idf_ = state["idf"]
        self._name(state["words"])
