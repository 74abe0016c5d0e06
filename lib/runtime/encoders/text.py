"""TF-IDF of a text column: the most frequent words, weighted by how few rows have them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import InferenceError
from .base import Encoder, State
from .matrix import Matrix

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer


class Tfidf(Encoder):
    """The `words` most frequent words of one text column, as scikit-learn's TfidfVectorizer weighs them."""

    vectorizer_: "TfidfVectorizer | None"

    def __init__(
        self,
        columns: Sequence[str] | None = None,
        *,
        words: int = 50,
        binary: bool = False,
        stop_words: str | list[str] | None = None,
    ) -> None:
        self.columns = columns
        self.words = words
        self.binary = binary
        self.stop_words = stop_words

    def learn(self, rows: pd.DataFrame, y: ArrayLike | None = None) -> Matrix:  # noqa: ARG002
        if len(self.columns_) != 1:
            raise InferenceError(
                f"tfidf takes one column, not {self.columns_}; join them in a derived column."
            )
        self.names_: list[str] = []
        self.vectorizer_ = self._new()
        try:
            block = self.vectorizer_.fit_transform(self._text(rows))
        except ValueError:  # scikit-learn's way of saying that there is no word to learn
            self.vectorizer_ = None
            return np.zeros((len(rows), 0))
        self._name(self.vectorizer_.get_feature_names_out())
        return block

    def block(self, rows: pd.DataFrame) -> Matrix:
        if self.vectorizer_ is None:
            return np.zeros((len(rows), 0))
        return self.vectorizer_.transform(self._text(rows))

    def _new(self, vocabulary: list[str] | None = None) -> "TfidfVectorizer":
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            max_features=int(self.words),
            binary=self.binary,
            stop_words=self.stop_words,
            vocabulary=vocabulary,
        )

    def _text(self, rows: pd.DataFrame) -> list[str]:
        column = rows[self.columns_[0]]
        return column.astype(object).where(column.notna(), "").astype(str).tolist()

    def _name(self, words: Iterable[str]) -> None:
        self.names_ = [f"{self.columns_[0]}: {word}" for word in words]

    def state(self) -> State:
        if self.vectorizer_ is None:
            return {"words": []}
        return {"words": self.vectorizer_.get_feature_names_out().tolist(), "idf": self.vectorizer_.idf_}

    def restore(self, state: State) -> None:
        self.names_ = []
        if not state["words"]:
            self.vectorizer_ = None
            return
        self.vectorizer_ = self._new(state["words"])
        self.vectorizer_.idf_ = state["idf"]
        self._name(state["words"])
