"""Encoders: from named columns to one matrix; everything that is fitted before the model.

A feature set says which column goes through which encoder (`ENCODERS`) with which settings. The matrix is
sparse when a one-hot or text block is wide, else dense 32-bit floats. What is *not* fitted (hour of a time
stamp, a pair of ids) is a derived column of the problem, in `lib/datasets/`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import DataError
from lib.features import matrix
from lib.features.base import Encoder
from lib.features.columns import DaysBefore, Number, OneHot, Ordinal
from lib.features.means import TargetMean
from lib.features.text import Tfidf

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

    def __init__(self, encodes: Any, settings: Mapping[str, Any] | None = None):
        """`encodes`: the lines of a feature set; `settings` overrides, as {"tfidf.words": 100}."""
        changed = dict(settings or {})
        self.encoders: list[tuple[str, Encoder]] = []
        for part in encodes:
            if part.how not in ENCODERS:
                raise DataError(f"There is no encoder {part.how!r}; there are {sorted(ENCODERS)}.")
            mine = {k.partition(".")[2]: v for k, v in changed.items() if k.partition(".")[0] == part.how}
            self.encoders.append((part.how, ENCODERS[part.how](part.columns, **(dict(part.settings) | mine))))
        unused = [key for key in changed if key.partition(".")[0] not in {how for how, _ in self.encoders}]
        if unused:
            raise DataError(f"No encoder of this feature set takes {unused}.")

    @property
    def names(self) -> list[str]:
        """The matrix's columns."""
        return [name for _, encoder in self.encoders for name in encoder.names]

    @property
    def groups(self) -> list[str]:
        """For each column of the matrix what a reader would call it: all words of a text are one."""
        found = []
        for how, encoder in self.encoders:
            if how == "one_hot":
                found += [name.partition("=")[0] for name in encoder.names]
            elif how == "tfidf":
                found += encoder.columns * len(encoder.names)
            else:
                found += encoder.names
        return found

    @property
    def training_columns(self) -> list[str]:
        """The columns that fitting reads: those of `transform`, and what means are taken of."""
        found = []
        for _, encoder in self.encoders:
            found += encoder.columns
            if isinstance(encoder, TargetMean):
                found += [
                    side for what in encoder.options["of"] for side in what.split("/") if side != "target"
                ]
        return list(dict.fromkeys(found))

    def fit_transform(self, rows: pd.DataFrame, y: Any, seed: int = 42) -> Any:
        """Learn from `rows` and return their matrix, target means cross-fitted."""
        y = np.asarray(y)
        return matrix.assemble([encoder.fit(rows, y, seed) for _, encoder in self.encoders])

    def transform(self, rows: pd.DataFrame) -> Any:
        """The matrix of `rows`, in the columns that were learnt; many rows are done a piece at a time."""
        if len(rows) > PIECE:
            pieces = (self.transform(rows.iloc[i : i + PIECE]) for i in range(0, len(rows), PIECE))
            return matrix.below(pieces, len(rows))
        return matrix.assemble([encoder.transform(rows) for _, encoder in self.encoders])

    def save(self, folder: Path) -> None:
        """Write `encoding.json` and `encoding.npz`: numbers and names, nothing that runs."""
        arrays, parts = {}, []
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
        np.savez(folder / "encoding.npz", **arrays)

    @classmethod
    def load(cls, folder: Path) -> "Encoding":
        """What `save` wrote, ready to transform."""
        made = cls(())
        with np.load(folder / "encoding.npz", allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        for i, part in enumerate(json.loads((folder / "encoding.json").read_text(encoding="utf-8"))):
            encoder = ENCODERS[part["how"]](part["columns"], **part["settings"])
            mine = {k.partition("/")[2]: v for k, v in arrays.items() if k.partition("/")[0] == str(i)}
            encoder.restore(part["state"] | mine)
            made.encoders.append((part["how"], encoder))
        return made


def describe(part: Any) -> str:
    """One line of a feature set in words."""
    names, settings = ", ".join(f"`{name}`" for name in part.columns), part.settings
    if part.how == "target_mean":
        kinds = [what.replace("/", " per ") for what in settings.get("of", ("target",))]
        said = f"for each of {names}: the mean of {', '.join(kinds)} over the other rows of the same value"
        return said + ("; how many they are" if settings.get("counts") else "")
    said = {
        "one_hot": f"{names}: a column of 0 and 1 for each value that was seen",
        "number": f"{names}, as numbers",
        "ordinal": f"{names}: the place of the value among those that were seen",
        "days_before": f"{names}: days before the latest one of the training rows",
        "tfidf": f"{names}: its commonest words, each weighed by how rare it is",
    }[part.how]
    if settings.get("impute") is not None:
        said += f", what is missing as {settings['impute']}"
    if "words" in settings:
        said += f" ({settings['words']} words)"
    return said + (", scaled" if settings.get("scale") else "")


def legend(encoding: Encoding) -> str:
    """How the columns of target means are named; empty where there are none."""
    means = [encoder for how, encoder in encoding.encoders if how == "target_mean"]
    if not means:
        return ""
    key, lines = (
        means[0].columns[0],
        ["How to read the names of the means, with `" + means[0].columns[0] + "`:", ""],
    )
    wanted = {f"target by {key}": "the mean target of the other training rows of that value"}
    wanted[f"rows by {key}"] = "how many other rows had it"
    for what in means[0].options["of"]:
        top, _, bottom = what.partition("/")
        if bottom:
            wanted[f"{what} by {key}"] = f"the mean there of {top} per {bottom}"
        elif top != "target":
            wanted[f"{top} by {key}"] = f"the mean {top} there"
    for _, label, column in means[0]._usual():
        late = label.startswith("target at")
        wanted[f"{label} by {key}"] = (
            f"what the usual pace there makes of this row's {column}"
            if late
            else f"this row's {column} over the mean there"
        )
    lines += [f"- `{name}`: {said}" for name, said in wanted.items() if name in encoding.names]
    return "\n".join(lines)
