"""Checks on rows: schema, ranges, splits that are apart, and whether two samples are of one distribution.

A problem lists its checks (`Dataset.checks`); a notebook runs them on the splits, `make test-data` on files
that the user names. Cleaning is not here but in the problem's rules; encoders are in `lib.runtime.encoders`.
"""

from .check import Check, Frames, as_mapping, before, each, enforce, read_cost, run
from .drift import (
    compared,
    kl_divergence,
    ks_same_distribution,
    read_drift,
    same_distribution,
    same_shares,
    sidak,
)
from .rows import apart, between, filled, known, not_empty, row_count, schema

__all__ = [
    "Check",
    "Frames",
    "apart",
    "as_mapping",
    "before",
    "between",
    "compared",
    "each",
    "enforce",
    "filled",
    "kl_divergence",
    "known",
    "ks_same_distribution",
    "not_empty",
    "read_cost",
    "read_drift",
    "row_count",
    "run",
    "same_distribution",
    "same_shares",
    "schema",
    "sidak",
]
