"""Encoders: from named columns to one matrix; everything that is fitted before the model.

A feature set says which column goes through which encoder (`ENCODERS`) with which settings. The matrix is
sparse when a one-hot or text block is wide, else dense 32-bit floats. What is *not* fitted (hour of a time
stamp, a pair of ids) is a derived column of the problem's `serving` half.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import InferenceError
from ..features import Encode
from ..schema import Settings
from . import matrix
from .base import Encoder, Matrix
from .columns import DaysBefore, Number, OneHot, Ordinal
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


class Encoding:
    """A feature set's encoders, fitted together: frame of engineered columns in, matrix out."""

    def __init__(self, encodes: Iterable[Encode], settings: Settings | None = None) -> None:
        """`encodes`: the lines of a feature set; `settings` overrides, as {"tfidf.words": 100}."""
        overrides = dict(settings or {})
        self.encoders: list[tuple[str, Encoder]] = []
        for part in encodes:
            if part.how not in ENCODERS:
                raise InferenceError(f"There is no encoder {part.how!r}; there are {sorted(ENCODERS)}.")
            settings = {**part.settings, **_below(overrides, part.how, ".")}
            self.encoders.append((part.how, ENCODERS[part.how](part.columns, **settings)))
        unused = [key for key in overrides if key.partition(".")[0] not in {how for how, _ in self.encoders}]
        if unused:
            raise InferenceError(f"No encoder of this feature set takes {unused}.")

    @property
    def names(self) -> list[str]:
        """The matrix's columns."""
        return [name for _, encoder in self.encoders for name in encoder.names]

    @property
    def groups(self) -> list[str]:
        """For each column of the matrix what a reader would call it: all words of a text are one."""
        groups: list[str] = []
        for how, encoder in self.encoders:
            if how == "one_hot":
                groups += [name.partition("=")[0] for name in encoder.names]
            elif how == "tfidf":
                groups += encoder.columns * len(encoder.names)
            else:
                groups += encoder.names
        return groups

    @property
    def training_columns(self) -> list[str]:
        """The columns that fitting reads: those of `transform`, and what means are taken of."""
        columns: list[str] = []
        for _, encoder in self.encoders:
            columns += encoder.columns
            if isinstance(encoder, TargetMean):
                sides = [side for what in encoder.options["of"] for side in what.split("/")]
                columns += [side for side in sides if side != "target"]
        return list(dict.fromkeys(columns))

    def fit_transform(self, rows: pd.DataFrame, y: ArrayLike, seed: int = 42) -> Matrix:
        """Learn from `rows` and return their matrix, target means cross-fitted."""
        y = np.asarray(y)
        return matrix.assemble([encoder.fit(rows, y, seed) for _, encoder in self.encoders])

    def transform(self, rows: pd.DataFrame) -> Matrix:
        """The matrix of `rows`, in the columns that were learnt; many rows are done a piece at a time."""
        if len(rows) > PIECE:
            pieces = (self.transform(rows.iloc[i : i + PIECE]) for i in range(0, len(rows), PIECE))
            return matrix.below(pieces, len(rows))
        return matrix.assemble([encoder.transform(rows) for _, encoder in self.encoders])

    def save(self, folder: Path) -> None:
        """Write `encoding.json` and `encoding.npz`: numbers and names, nothing that runs."""
        arrays: dict[str, np.ndarray] = {}
        parts = []
        for i, (how, encoder) in enumerate(self.encoders):
            state = encoder.state()
            arrays |= {f"{i}/{k}": v for k, v in state.items() if isinstance(v, np.ndarray)}
            plain = {k: v for k, v in state.items() if not isinstance(v, np.ndarray)}
            parts.append(
                {"how": how, "columns": encoder.columns, "settings": encoder.options, "state": plain}
            )
        (folder / "encoding.json").write_text(
            json.dumps(parts, ensure_ascii=False, sort_keys=True), encoding="utf-8"
        )
        np.savez(folder / "encoding.npz", allow_pickle=False, **arrays)

    @classmethod
    def load(cls, folder: Path) -> "Encoding":
        """What `save` wrote, ready to transform."""
        encoding = cls(())
        with np.load(folder / "encoding.npz", allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        for i, part in enumerate(json.loads((folder / "encoding.json").read_text(encoding="utf-8"))):
            encoder = ENCODERS[part["how"]](part["columns"], **part["settings"])
            encoder.restore(part["state"] | _below(arrays, str(i), "/"))
            encoding.encoders.append((part["how"], encoder))
        return encoding


def _below(mapping: Settings, name: str, mark: str) -> Settings:
    """The items whose key begins with `name` and the `mark`, without both."""
    return {k.partition(mark)[2]: v for k, v in mapping.items() if k.partition(mark)[0] == name}
