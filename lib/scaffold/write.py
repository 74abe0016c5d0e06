"""The text of a new problem: `lib/datasets/<name>.py`, short enough to read in two minutes, and its YAML."""

import json
import keyword
import re
from collections.abc import Sequence
from pathlib import Path

from lib.errors import ParameterError
from lib.scaffold.guess import FEW, LEAST, Found, Guess

PROJECT = Path(__file__).resolve().parents[2]


def places(name: str, project: Path = PROJECT) -> tuple[Path, Path]:
    """Where the two files of a problem go; a name that cannot be used, or is in use, is refused."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or name == "base":
        raise ParameterError(
            f"NAME={name}: use small letters, digits and _, as for a Python module: `churn_2024`."
        )
    module, params = project / "lib" / "datasets" / f"{name}.py", project / "params" / f"{name}.yaml"
    for path in (module, params):
        if path.exists():
            raise ParameterError(
                f"{path.relative_to(project)} is there already and is not overwritten. Take another NAME, or "
                "remove the problem's two files first."
            )
    return module, params


def module(name: str, found: Found) -> str:
    """The problem's module."""
    target = next(guess for guess in found.columns if guess.name == found.target)
    classes = found.task == "classification"
    return _MODULE.format(
        name=name,
        file=_quoted(str(found.path.resolve())),
        target=_quoted(found.target),
        title=_quoted(f"{found.target}?"),
        summary=f"{name}: which {found.target}?" if classes else f"{name}: how much is {found.target}?",
        rows=found.rows,
        separator=_quoted(found.separator),
        decimal=_quoted(found.decimal),
        columns="\n".join(_column(guess, found.target) for guess in found.kept),
        left_out=_left_out(found),
        features="\n".join(f"            {line}," for line in features(found))
        or "            # no column is left",
        marginals="\n".join(_marginal(guess) for guess in found.kept),
        task=found.task,
        metric="auc" if classes else "rmse",
        least=f", least={found.least}" if found.least else "",
        classes="TARGET" if classes else "None",
        about=f"{target.distinct:,} classes" if classes else "a number",
    )


def params(name: str, found: Found) -> str:
    """The problem's YAML."""
    small = found.rows < LEAST
    families = "logistic_regression" if found.task == "classification" else "linear_regression"
    note = (
        "too few rows in the file to learn from: say published when it has more"
        if small
        else "the file below"
    )
    return _PARAMS.format(
        name=name,
        source="generated" if small else "published",
        note=note,
        file=_quoted(str(found.path.resolve())),
        models=f"[{families}, random_forest, xgboost]",
    )


def features(found: Found) -> list[str]:
    """The lines of the feature set: which kind of column goes through which encoder."""
    kept = [guess for guess in found.kept if guess.name != found.target]
    numbers = [guess.name for guess in kept if guess.kind == "number"]
    few = [guess.name for guess in kept if guess.kind == "category" and guess.distinct <= FEW]
    many = [guess.name for guess in kept if guess.kind == "category" and guess.distinct > FEW]
    lines = []
    if numbers:
        lines.append(_call("number", numbers, 'impute="median"'))
    if few:
        lines.append(_call("one_hot", few))
    if many:
        lines.append(_call("target_mean", many) if found.task == "regression" else _call("ordinal", many))
    for guess in kept:
        if guess.kind == "time" and guess.marginal:
            lines.append(_call("days_before", [guess.name], f"fill={_quoted(guess.marginal.days[0][:10])}"))
        if guess.kind == "text":
            lines.append(_call("tfidf", [guess.name], "words=50"))
    return lines


def _call(how: str, names: Sequence[str], settings: str = "") -> str:
    """One `encode(...)` line, folded between names where it is long."""
    listed = [_quoted(how), *map(_quoted, names), *([settings] if settings else [])]
    line = f"encode({', '.join(listed)})"
    if len(line) <= 95:
        return line
    lines = [""]
    for part in listed:
        if len(lines[-1]) + len(part) > 90:
            lines.append("")
        lines[-1] += f"{part}, "
    return "encode(\n" + "".join(f"{' ' * 16}{part.rstrip()}\n" for part in lines) + " " * 12 + ")"


def _quoted(text: str) -> str:
    """A text as it stands in a module."""
    return json.dumps(text, ensure_ascii=False)


def _column(guess: Guess, target: str) -> str:
    known = ', known="after"' if guess.name == target else ""
    note = " ".join(f"{guess.why}; {guess.example}".split()) if guess.example else guess.why
    return f"    {_quoted(guess.name)}: Column({_quoted(guess.kind)}, {_quoted('')}{known}),  # {note}"


def _left_out(found: Found) -> str:
    out = [guess for guess in found.columns if not guess.kind]
    tags = [guess for guess in found.kept if guess.kind == "id"]
    lines = [f"#   {guess.name!r}: {guess.why}" for guess in out]
    lines += [f"#   {guess.name!r} is no feature: {guess.why}" for guess in tags]
    return "\n# Left out:\n" + "\n".join(lines) if lines else ""


def _marginal(guess: Guess) -> str:
    """One line a column: what it looked like."""
    made, parts = guess.marginal, []
    if made and made.missing:
        parts.append(f"missing={made.missing}")
    if made and made.quantiles:
        parts.append(f"quantiles={[int(q) if q == int(q) else q for q in made.quantiles]}")
    if made and made.whole:
        parts.append("whole=True")
    if made and made.shares:
        parts.append(f"shares={json.dumps(dict(made.shares), ensure_ascii=False)}")
    if made and made.days[0]:
        parts.append(f"days=({_quoted(made.days[0])}, {_quoted(made.days[1])})")
    return f"    {_quoted(guess.name)}: Marginal({', '.join(parts)}),"


_MODULE = '''"""{summary} Written by `make new-problem` from a file of {rows:,} rows; yours to change.

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

FILE = {file}
TARGET = {target}  # {about}

# 1. Correct a kind that was guessed wrongly (number, category, text, time, id), say what the column means
# between the quotes, and add known="after" where a value comes to be only after the prediction is made.
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


def fetch(*, file: str = FILE) -> list:
    """The file; `options.file` in the YAML names another one of the same columns."""
    return _table.fetch(file)


def load(paths: list[Path]) -> pd.DataFrame:
    """The columns above, each as its kind says."""
    return _table.load(paths, COLUMNS, separator={separator}, decimal={decimal})


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Rows whose columns look like the file's, each by itself: to try the pages, not to learn from."""
    return _table.generate(rows, seed, COLUMNS, MARGINALS)


def label(rows: pd.DataFrame) -> pd.Series:
    """What is predicted."""
    return rows[TARGET]


# 3. Which rows a model learns from: add a Rule(name, reason, lambda rows: ...) for what cannot be true.
def rules() -> tuple:
    """A row needs a target, and counts once."""
    return _table.rules(TARGET{least})


def split(
    rows: pd.DataFrame, seed: int, *, test_share: float = 0.2, validation_share: float = 0.2
) -> dict[str, pd.DataFrame]:
    """At random. If rows come in time and the future is asked for, use `splits.by_period` instead."""
    return _table.split(rows, seed, test_share, validation_share, classes={classes})


def checks() -> tuple:
    """Columns and kinds must hold; values beyond those seen are told."""
    return _table.checks(COLUMNS, MARGINALS)


MARGINALS = {{
{marginals}
}}

DATASET = Dataset(
    name="{name}",
    title={title},
    task="{task}",
    target=Target(TARGET, "", "say what it is, and in which unit"),
    metric="{metric}",
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
    derived={{}},
    feature_sets=FEATURE_SETS,
    slices=_table.slices(COLUMNS, MARGINALS, TARGET),
)
'''

_PARAMS = """# {name}, as `make new-problem` wrote it: `make pipeline PARAMS=params/{name}.yaml` runs it.

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
