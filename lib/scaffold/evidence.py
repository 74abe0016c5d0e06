"""What all values of a column decide of it: gaps, the order of days, whether names are whole numbers."""

from typing import Any

import numpy as np
import pandas as pd

from lib.runtime import schema
from lib.runtime.schema import Column
from lib.runtime.values import date_order
from lib.scaffold import table

NUMBER = Column("number", "")
FEW = 12  # so many words for a gap are listed
INFINITE = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
#: Words that may be names, or say that none is known: told, and not guessed.
UNKNOWN = ("NA", "N/A", "n/a", "na", "NULL", "null", "None", "none", "NaN", "nan", "?", "-", ".")


def facts(values: pd.Series, kind: str, decimal: str) -> tuple[dict[str, Any], str]:
    """What else the `Column` says of values of this kind, decided by all of them, and what to tell of it."""
    text = names(values).dropna() if pd.api.types.is_string_dtype(values) else pd.Series([], dtype="str")
    if kind == "number":
        plain = table.with_point(text, decimal)
        words = text[table.converted(plain, NUMBER).isna()]
        gaps = sorted(set(words[~words.str.lower().isin(INFINITE)]))
        few = gaps if len(gaps) <= FEW else []
        facts: dict[str, Any] = {"gaps": tuple(few)} if few else {}
        if len(few) < words.nunique() or np.isinf(pd.to_numeric(values, errors="coerce")).any():
            facts["impossible"] = "missing"
        told = ", ".join(map(repr, words.unique()[:4]))
        return facts, f"{len(words):,} are none and count as missing ({told})" if len(words) else ""
    if kind == "time":
        order, doubt = date_order(text.unique())
        facts = {"order": order} if order else {}
        unread = int(table.converted(values, Column("time", "", **facts)).isna().sum())
        if unread:
            facts["missing"] = "keep"
        if unread > values.isna().sum():
            facts["impossible"] = "missing"
        return facts, doubt
    words = text[text.isin(UNKNOWN)]
    told = ", ".join(map(repr, words.unique()))
    note = (
        f"{told} ({len(words):,} rows) counts as a name; if it says that none is known: gaps" if told else ""
    )
    return ({"whole": True} if kind != "text" and schema.whole(values.unique()) else {}), note


def names(values: pd.Series) -> pd.Series:
    """The column as text."""
    return table.converted(values, Column("category", ""))
