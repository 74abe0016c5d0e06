"""Encoders: from named columns to one matrix; everything that is fitted before the model.

A feature set says which column goes through which encoder (`ENCODERS`) with which settings. The matrix is
sparse when a one-hot or text block is wide, else dense 32-bit floats. What is *not* fitted (hour of a time
stamp, a pair of ids) is a derived column of the problem's `serving` half.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..errors import InferenceError
from ..features import Encode
from ..schema import Settings
from . import matrix
from .base import Encoder
from .columns import DaysBefore, Number, OneHot, Ordinal
from .matrix import Block, Matrix
from .means import TargetMean
from .text import Tfidf

ENCODERS: dict[str, type[Encoder]] = {
    "number": Number,
    "one_hot": OneHot,
    "ordinal": Ordinal,
    "days_before": DaysBefore,
    "tfidf": Tfidf,
    "target_mean": TargetMean,
}

#: Rows encoded at once: a piece of the matrix stays in the processor's cache while its columns are filled.
PIECE = 16_384


class Encoding(TransformerMixin, BaseEstimator):
    """A feature set's encoders, fitted together: frame of engineered columns in, matrix out.

    Learnt is `encoders_`, a list of (name in `ENCODERS`, fitted encoder).
    """

    encoders_: list[tuple[str, Encoder]]

    def __init__(
        self,
        encodes: Sequence[Encode],
        settings: Settings | None = None,
        random_state: int | None = 42,
        groups: Sequence[str] = (),
    ) -> None:
        """`encodes`: the lines of a feature set; `settings` overrides, as {"tfidf.words": 100}.

        `groups`: columns of rows that belong together, and are not cross-fitted to each other.
        """
        self.encodes = encodes
        self.settings = settings
        self.random_state = random_state
        self.groups = groups

    def fit(self, X: pd.DataFrame, y: ArrayLike | None = None) -> "Encoding":
        """Learn from rows, and from their target where means are taken of it."""
        self._learn(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: ArrayLike | None = None) -> Matrix:
        """Learn from rows and return their matrix, target means cross-fitted."""
        return matrix.assemble(self._learn(X, y))

    def transform(self, X: pd.DataFrame) -> Matrix:
        """The matrix of rows, in the columns that were learnt; many rows are done a piece at a time."""
        if not hasattr(self, "encoders_"):  # the check itself takes longer than this question
            check_is_fitted(self)
        if len(X) <= PIECE:
            return self._piece(X)
        pieces = (self._piece(X.iloc[i : i + PIECE]) for i in range(0, len(X), PIECE))
        return matrix.below(pieces, len(X))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:  # noqa: ARG002
        """The matrix's columns by name; they were learnt, so `input_features` has no part in them."""
        check_is_fitted(self)
        return np.array([name for _, encoder in self.encoders_ for name in encoder.names_], dtype=object)

    @property
    def groups_(self) -> list[str]:
        """For each column of the matrix what a reader would call it: all words of a text are one."""
        groups: list[str] = []
        for how, encoder in self.encoders_:
            if how == "one_hot":
                groups += [name.partition("=")[0] for name in encoder.names_]
            elif how == "tfidf":
                groups += encoder.columns_ * len(encoder.names_)
            else:
                groups += encoder.names_
        return groups

    @property
    def training_columns(self) -> list[str]:
        """The columns that fitting reads: those of `transform`, and what means are taken of."""
        columns: list[str] = []
        for _, encoder in self.unfitted():
            columns += encoder.columns or ()
            if isinstance(encoder, TargetMean):
                sides = [side for what in encoder.of for side in what.split("/")]
                columns += [*(side for side in sides if side != "target"), *self.groups]
        return list(dict.fromkeys(columns))

    def unfitted(self) -> list[tuple[str, Encoder]]:
        """The encoders that `encodes` and `settings` ask for; one that is not there is refused by name."""
        overrides, encoders = dict(self.settings or {}), []
        for part in self.encodes:
            if part.how not in ENCODERS:
                raise InferenceError(f"There is no encoder {part.how!r}; there are {sorted(ENCODERS)}.")
            settings = {**part.settings, **_below(overrides, part.how, ".")}
            given = {"random_state": self.random_state, "groups": self.groups}
            encoders.append((part.how, _built(part.how, part.columns, settings, given)))
        unused = [key for key in overrides if key.partition(".")[0] not in {how for how, _ in encoders}]
        if unused:
            raise InferenceError(f"No encoder of this feature set takes {unused}.")
        return encoders

    def _learn(self, rows: pd.DataFrame, y: ArrayLike | None) -> list[Block]:
        self.encoders_ = self.unfitted()
        for _, encoder in self.encoders_:
            encoder.take(encoder.columns or list(rows))
        return [encoder.learn(rows, y) for _, encoder in self.encoders_]

    def _piece(self, rows: pd.DataFrame) -> Matrix:
        return matrix.assemble([encoder.block(rows) for _, encoder in self.encoders_])

    def save(self, folder: Path) -> None:
        """Write `encoding.json` and `encoding.npz`: numbers and names, nothing that runs."""
        arrays: dict[str, np.ndarray] = {}
        parts = []
        for i, (how, encoder) in enumerate(self.encoders_):
            state = encoder.state()
            arrays |= {f"{i}/{k}": v for k, v in state.items() if isinstance(v, np.ndarray)}
            plain = {k: v for k, v in state.items() if not isinstance(v, np.ndarray)}
            parts.append(
                {"how": how, "columns": encoder.columns_, "settings": encoder.settings(), "state": plain}
            )
        (folder / "encoding.json").write_text(
            json.dumps(parts, ensure_ascii=False, sort_keys=True), encoding="utf-8"
        )
        np.savez(folder / "encoding.npz", allow_pickle=False, **arrays)

    @classmethod
    def load(cls, folder: Path) -> "Encoding":
        """What `save` wrote, ready to transform."""
        stored = json.loads((folder / "encoding.json").read_text(encoding="utf-8"))
        encoding = cls([Encode(part["how"], tuple(part["columns"]), part["settings"]) for part in stored])
        encoding.encoders_ = encoding.unfitted()
        with np.load(folder / "encoding.npz", allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        for i, ((_, encoder), part) in enumerate(zip(encoding.encoders_, stored, strict=True)):
            encoder.take(part["columns"])
            encoder.restore(part["state"] | _below(arrays, str(i), "/"))
        return encoding


def _built(how: str, columns: Sequence[str], settings: Settings, given: Settings) -> Encoder:
    """An encoder with these settings, and of what is `given` to all (seed, groups) what it takes."""
    kind = ENCODERS[how]
    takes = kind().get_params()
    known = sorted(set(takes) - {"columns", *given})
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise InferenceError(f"{kind.__name__} has no setting {unknown}; it takes {known}.")
    return kind(columns, **settings, **{name: value for name, value in given.items() if name in takes})


def _below(mapping: Settings, name: str, mark: str) -> Settings:
    """The items whose key begins with `name` and the `mark`, without both."""
    return {k.partition(mark)[2]: v for k, v in mapping.items() if k.partition(mark)[0] == name}
