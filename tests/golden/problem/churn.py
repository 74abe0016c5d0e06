"""churn: which churned? Written by `make new-problem` from a file of 60 rows; yours to change.

Read from the top: (1) what the columns are, (2) what a model may see of them, (3) which rows it learns
from. What stands under MARGINALS was measured, and need not be read.
"""

# ruff: noqa: E501
# fmt: off
from pathlib import Path

import pandas as pd

from lib.datasets import _table
from lib.datasets._table import Marginal
from lib.datasets.base import Column, Dataset, FeatureSet, Target, encode

FILE = "{folder}/churn.csv"
TARGET = "churned"  # 2 classes

# 1. Correct a kind that was guessed wrongly (number, category, text, time, id), say what the column means
# between the quotes, and add known="after" where a value comes to be only after the prediction is made.
COLUMNS = {
    "customer_id": Column("id", ""),  # a name tag: whole numbers, all different; 5001
    "tenure": Column("number", ""),  # 40 whole numbers; 68
    "charges": Column("number", ""),  # 58 numbers; 63.85
    "region": Column("category", ""),  # 3 names; south
    "since": Column("time", ""),  # reads as days or times; 2019-05-25
    "note": Column("text", ""),  # texts of several words; called 18 times about the contract
    "churned": Column("category", "", known="after"),  # the target; no
}
# Left out:
#   'country': always the same
#   'customer_id' is no feature: a name tag: whole numbers, all different

# 2. Which columns a model sees, and how. Delete a name to leave it out; add a second set to compare.
FEATURE_SETS = {
    "all": FeatureSet(
        "all",
        "every column that is neither a name tag nor constant",
        (
            encode("number", "tenure", "charges", impute="median"),
            encode("one_hot", "region"),
            encode("days_before", "since", fill="2019-02-03"),
            encode("tfidf", "note", words=50),
        ),
    ),
}


def fetch(*, file: str = FILE) -> list:
    """The file; `options.file` in the YAML names another one of the same columns."""
    return _table.fetch(file)


def load(paths: list[Path]) -> pd.DataFrame:
    """The columns above, each as its kind says."""
    return _table.load(paths, COLUMNS, separator=",", decimal=".")


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Rows whose columns look like the file's, each by itself: to try the pages, not to learn from."""
    return _table.generate(rows, seed, COLUMNS, MARGINALS)


def label(rows: pd.DataFrame) -> pd.Series:
    """What is predicted."""
    return rows[TARGET]


# 3. Which rows a model learns from: add a Rule(name, reason, lambda rows: ...) for what cannot be true.
def rules() -> tuple:
    """A row needs a target, and counts once."""
    return _table.rules(TARGET)


def split(
    rows: pd.DataFrame, seed: int, *, test_share: float = 0.2, validation_share: float = 0.2
) -> dict[str, pd.DataFrame]:
    """At random. If rows come in time and the future is asked for, use `splits.by_period` instead."""
    return _table.split(rows, seed, test_share, validation_share, classes=TARGET)


def checks() -> tuple:
    """Columns and kinds must hold; values beyond those seen are told."""
    return _table.checks(COLUMNS, MARGINALS)


MARGINALS = {
    "customer_id": Marginal(),
    "tenure": Marginal(quantiles=[0, 3, 21, 38, 58, 69.1, 71], whole=True),
    "charges": Marginal(missing=0.0333, quantiles=[17.43, 25.04, 43.93, 54.26, 66.52, 86.93, 93.08]),
    "region": Marginal(shares={"east": 0.433, "south": 0.3, "west": 0.267}),
    "since": Marginal(days=("2019-02-03 00:00:00", "2024-12-20 00:00:00")),
    "note": Marginal(shares={"called": 0.2, "times": 0.2, "about": 0.2, "the": 0.2, "move": 0.0667, "contract": 0.05, "bill": 0.0467, "router": 0.0367}),
    "churned": Marginal(shares={"no": 0.617, "yes": 0.383}),
}

DATASET = Dataset(
    name="churn",
    title="churned?",
    task="classification",
    target=Target(TARGET, "", "say what it is, and in which unit"),
    metric="auc",
    description="Say who asks, when, and what the answer is used for.",
    source=FILE,
    licence="say whose the data are",
    columns=COLUMNS,
    fetch=fetch,
    load=load,
    generate=generate,
    label=label,
    rules=rules,
    split=split,
    checks=checks,
    derived={},
    feature_sets=FEATURE_SETS,
    slices=_table.slices(COLUMNS, MARGINALS, TARGET),
)
