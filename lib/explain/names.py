"""What encoded features are called in a picture, and what each of them is: the column dictionary."""

from collections.abc import Iterator, Sequence

import pandas as pd

from lib.runtime.encoders import Encoding
from lib.runtime.encoders.base import Encoder
from lib.runtime.encoders.means import TargetMean
from lib.runtime.features import FeatureSet, Serving, encode

#: Encoders whose numbers have no order that a reader could follow.
NOMINAL = ("one_hot", "tfidf", "ordinal")


def columns(serving: Serving, encoding: Encoding) -> dict[str, bool]:
    """Features that are columns of the rows, and whether the values of each have an order."""
    kinds: dict[str, str] = {name: one.kind for name, one in serving.columns.items()}
    kinds |= {name: one.kind for name, one in serving.derived.items()}
    return {
        column: (how not in NOMINAL and kinds[column] == "number") or bool(encoder.settings().get("order"))
        for how, encoder in encoding.encoders_
        if how in (*NOMINAL, "number")
        for column in encoder.columns_
    }


def dictionary(serving: Serving, encoding: Encoding) -> pd.DataFrame:
    """A row a feature, by its name in `groups_`: what it is `called`, what it `means`, when it is `known`.

    `known` is "after" where a raw column behind it is known only after the prediction is made.
    """
    rows = {}
    for how, encoder in encoding.encoders_:
        parts = _means(serving, encoder) if isinstance(encoder, TargetMean) else _plain(serving, how, encoder)
        for name, called, meaning, columns in parts:
            rows[name] = (called, meaning, _known(serving, columns))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["called", "means", "known"])


def _plain(serving: Serving, how: str, encoder: Encoder) -> Iterator[tuple[str, str, str, list[str]]]:
    names = encoder.columns_ if how in ("one_hot", "tfidf") else encoder.names_
    for column, name in zip(encoder.columns_, names, strict=True):
        yield name, name, _meaning(serving, column), [column]


def _means(serving: Serving, encoder: TargetMean) -> Iterator[tuple[str, str, str, list[str]]]:
    target = serving.target.name
    for key in encoder.keys_:
        of = _key(serving, key)
        for what in encoder.of:
            said = " per ".join(target if side == "target" else side for side in what.split("/"))
            meaning = f"mean {said} of the other training rows alike in {of}"
            yield f"{what} by {key}", f"usual {said}, by {of}", meaning, [key]
        yield (
            f"rows by {key}",
            f"rows seen, by {of}",
            f"how many other training rows are alike in {of}",
            [key],
        )
        for _, label, column in encoder.held_against():
            if label.startswith("target at"):
                called = f"{target} expected at this {column}, by {of}"
                meaning = f"what the usual pace of rows alike in {of} makes of the row's own {column}"
            else:
                called = f"{column} over the usual, by {of}"
                meaning = f"the row's own {column} over the mean of rows alike in {of}"
            yield f"{label} by {key}", called, meaning, [key, column]


def _key(serving: Serving, name: str) -> str:
    """A column that rows are grouped by, in words: the first clause of what a derived one means."""
    clauses = {key: part.meaning.partition(", ")[0] for key, part in serving.derived.items()}
    said = clauses.get(name, "")
    return said if said and list(clauses.values()).count(said) == 1 else name


def _meaning(serving: Serving, name: str) -> str:
    column = serving.columns.get(name)
    if column is None:
        return serving.derived[name].meaning if name in serving.derived else ""
    return f"{column.meaning}, {column.unit}" if column.unit else column.meaning


def _known(serving: Serving, columns: Sequence[str]) -> str:
    raw = serving.inputs(FeatureSet("", "", (encode("number", *columns),)))
    return "after" if any(serving.columns[name].known == "after" for name in raw) else "before"
