"""The files of a new problem, with gaps that `write` fills in, and words that wait for the user's."""

#: What stands where only the user knows what to say, until they say it.
DESCRIPTION = "Say who asks, when, and what the answer is used for."
LICENCE = "say whose the data are"
AS_IN_THE_FILE = "as the file has it"  # of the target
ROW, ROWS = "row", "rows"

SERVING = '''"""What is stored with a model of {name}: what the columns are, and what a model may see of them.

Yours to change: (1) what the columns are, (2) which of them a model sees, and how. Nothing but `runtime` may
be imported here; which rows a model learns from is in `training`.
"""

# fmt: off
from ...runtime.features import FeatureSet, Serving, encode
from ...runtime.schema import Column, Target

TARGET = Target({target}, "", "{about}, {as_in_the_file}")  # between the quotes: its unit, what it is

# 1. Correct a kind that was inferred wrongly (number, category, text, time, id), say what the column means
# between the quotes, and add known="after" where a value comes to be only after the prediction is made. What
# else may be said (zone, order of days, what is missing, what impossible) is in lib/runtime/schema.py.
COLUMNS = {{
{columns}
}}{left_out}

# 2. Which columns a model sees, and how. Delete a name to leave it out; add a second set to compare.
FEATURE_SETS = {{
    "all": FeatureSet(
        "all",
        "every column that is neither a name tag nor constant",
        (
{features}
        ),
    ),
}}

SERVING = Serving(
    name="{name}",
    task="{task}",
    target=TARGET,
    columns=COLUMNS,
    derived={{}},
    feature_sets=FEATURE_SETS,
)
'''

TRAINING = '''"""The problem {name}. Written by `make new-problem` from {rows:,} rows; yours to change.

What the columns are is in `serving`; here is where the rows come from, which of them a model learns from (the
rules), and which test it (the split). What stands under MARGINALS was measured, and need not be read.
"""

# fmt: off
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd

from lib.problem import Dataset, Options, Range, Rule, Words
from lib.quality import Check
from lib.scaffold import table
from lib.scaffold.table import Marginal
from lib.sources import Fetched

from .serving import COLUMNS, SERVING

FILE = {file}
TARGET = SERVING.target.name


@dataclass(frozen=True)
class {options}(Options):
    """Which file, and how its rows are split."""

    file: Annotated[str, "a table with the columns of `serving`, CSV or Parquet"] = FILE
    test_share: Annotated[float, Range(0, 1, strict=True), "of all rows"] = 0.2
    validation_share: Annotated[float, Range(0, 1, strict=True), "of the rest"] = 0.2


def fetch(options: {options}) -> list[Fetched]:
    """The file, checked where it lies."""
    return table.fetch(options.file)


def load(paths: Sequence[Path]) -> pd.DataFrame:
    """The columns, each as its kind says."""
    return table.load(paths, COLUMNS, separator={separator}, decimal={decimal})


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Rows whose columns look like the file's, each by itself: to try the pages, not to learn from."""
    return table.generate(rows, seed, COLUMNS, MARGINALS)


def label(rows: pd.DataFrame) -> pd.Series:
    """What is predicted."""
    return rows[TARGET]


def rules() -> tuple[Rule, ...]:
    """A row needs a target, and counts once; add Rule(name, reason, lambda rows: ...) for what cannot be."""
    return table.rules(TARGET{least})


def split(rows: pd.DataFrame, seed: int, options: {options}) -> dict[str, pd.DataFrame]:
    """At random, groups whole. If the future is asked for, use `splits.by_period` instead."""
    shares = options.test_share, options.validation_share
    return table.split(rows, seed, *shares, classes={classes}, groups=DATASET.groups)


def checks() -> tuple[Check, ...]:
    """Columns and kinds must hold; values beyond those seen are warnings."""
    return table.checks(COLUMNS, MARGINALS)


MARGINALS = {{
{marginals}
}}

DATASET = Dataset(
    serving=SERVING,
    title={title},
    metric="{metric}",
    description="{description}",
    source={source},
    licence="{licence}",
    fetch=fetch,
    load=load,
    generate=generate,
    label=label,
    rules=rules,
    split=split,
    checks=checks,
    slices=table.slices(COLUMNS, MARGINALS, TARGET),
    # groups=("patient",),  # columns: rows alike in all of them belong together, and the split keeps them so
    words=Words("{row}", "{rows_word}", f"the {{TARGET}}"),  # yours: what pages call these
    options={options}(),
)
'''

PARAMS = """# {name}, as `make new-problem` wrote it: `make pipeline PARAMS=params/{name}.yaml` runs it.

problem: {name}
source: {source}        # {note}; generated: rows drawn column by column, to try the pages
rows: 1000               # of generated rows
seed: 42

options:
  file: {file}
  test_share: 0.2        # of all rows
  validation_share: 0.2  # of the rest

feature_set: all
models: {models}
max_evals: 5             # trials a family, on average
timeout_s: 120.0         # seconds for the whole search
"""
