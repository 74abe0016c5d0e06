"""Checks on rows: schema, ranges, splits that are apart, and whether two samples are of one distribution.

A problem lists its checks (`Dataset.checks`); a notebook runs them on the splits, `make test-data` on files
that the user names. Cleaning is not here but in the problem's rules; encoders are in `lib.runtime.encoders`.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from lib.errors import DataError, ParameterError
from lib.runtime.schema import kind, kinds, marks
from lib.wording import few

Frames = Mapping[str, pd.DataFrame]  # by name, the first one is the reference


@dataclass(frozen=True)
class Check:
    """`finds(frames)` says what is wrong, in words and numbers; an empty text where the check holds."""

    name: str
    why: str
    finds: Callable[[Frames], str]
    severity: Literal["error", "warning"] = "error"

    def as_warning(self) -> "Check":
        """The same check, which warns and does not stop."""
        return self.severe("warn")

    def severe(self, what: str) -> "Check":
        """The same check, which stops where `what` is "fail" and warns where it is "warn"."""
        if what not in ("warn", "fail"):
            raise ParameterError(f"A failed check can 'warn' or 'fail', not {what!r}.")
        return replace(self, severity="error" if what == "fail" else "warning")


def run(checks: Sequence[Check], frames: Frames) -> pd.DataFrame:
    """One row a check: `severity`, `result` (ok, warning, error), what it `found`, and `why` it is there."""
    rows = []
    for check in checks:
        try:
            finding = check.finds(frames)
        except KeyError as error:  # a column that a schema check, beside this one, names as missing
            finding = f"column {error} is missing"
        except DataError as error:
            finding = f"could not be checked: {error}"
        except Exception as error:  # noqa: BLE001 - checks are the problem's own code; the others still report
            said = " ".join(str(error).split())
            finding = f"could not be checked: {type(error).__name__}: {said}"
        rows.append((check.name, check.severity, check.severity if finding else "ok", finding, check.why))
    columns = ["check", "severity", "result", "found", "why"]
    return pd.DataFrame(rows, columns=columns).set_index("check")


def enforce(report: pd.DataFrame) -> str:
    """Stop with a DataError if a check of severity `error` failed; else one sentence on what there is."""
    failed = report[report["result"] == "error"]
    if len(failed):
        lines = "\n".join(f"- {name}: {row.found}" for name, row in failed.iterrows())
        raise DataError(
            f"{len(failed)} of {len(report)} checks on the data failed:\n{lines}\nMend the data, or change "
            "the problem's rules and checks if they ask too much."
        )
    warned = int((report["result"] == "warning").sum())
    return f"{len(report) - warned} checks hold, {warned} warn, none fails."


def as_mapping(report: pd.DataFrame, cleaning: pd.DataFrame) -> dict[str, object]:
    """What the prep step keeps: each check with its result, each rule with what it cost."""
    rules = cleaning.drop(columns="reason", errors="ignore").to_dict("index")
    return {"checks": report.drop(columns="why").to_dict("index"), "rules": rules}


def read_drift(table: pd.DataFrame, alpha: float) -> str:
    """What a table of `ks_same_distribution` says, in a sentence."""
    if table.empty:
        return "There is no number to compare."
    moved, widest = table[~table["same"]], table.iloc[0]
    verdict = (
        f"{len(moved)} of {len(table)} numbers are not distributed as in train (level {alpha:g} over all)."
        if len(moved)
        else f"No number has moved (level {alpha:g} over all)."
    )
    size = "small" if widest["statistic"] < 0.05 else "worth a look" if widest["statistic"] < 0.2 else "large"
    size = size if len(moved) else "no more than chance gives for so many rows"
    return (
        f"{verdict} The widest gap, {widest['statistic']:.3f}, is in {table.index[0]}: at least "
        f"{widest['statistic']:.1%} of its rows would have to move for the two to be alike. That is {size}."
    )


def each(name: str, why: str, finds: Callable[[pd.DataFrame], str]) -> Check:
    """A check of every frame by itself."""

    def on_all(frames: Frames) -> str:
        findings = ((label, finds(rows)) for label, rows in frames.items())
        return "; ".join(f"{label}: {text}" for label, text in findings if text)

    return Check(name, why, on_all)


def before(check: Check, prepare: Callable[[pd.DataFrame], pd.DataFrame]) -> Check:
    """The same check, of frames that `prepare` has worked on."""
    return replace(
        check, finds=lambda frames: check.finds({name: prepare(rows) for name, rows in frames.items()})
    )


def schema(columns: Mapping[str, str], ordered: bool = False) -> Check:
    """Every column is there with its kind: integer, number, text, time, or any; `ordered`: just these, so."""

    def finds(rows: pd.DataFrame) -> str:
        missing = [name for name in columns if name not in rows]
        if missing:
            return f"no column {few(map(repr, missing))}, there are {few(map(repr, rows), 60)}"
        if ordered and list(rows) != list(columns):
            return f"the columns are {list(rows)}, in this order"
        wrong = {name: str(rows[name].dtype) for name, kind in columns.items() if not _is(rows[name], kind)}
        return f"not of the kind asked for: {wrong}" if wrong else ""

    return each("columns", "Code that reads a column by name needs it there, and of one kind.", finds)


def _is(values: pd.Series, kind: str) -> bool:
    types = pd.api.types
    tests = {
        "integer": types.is_integer_dtype,
        "float": types.is_float_dtype,
        "number": types.is_numeric_dtype,
        "time": types.is_datetime64_any_dtype,
        "text": lambda x: types.is_string_dtype(x) or isinstance(x.dtype, pd.CategoricalDtype),
        "any": lambda _: True,
    }
    return bool(tests[kind](values))


def between(column: str, low: float, high: float, why: str = "") -> Check:
    """Every value that is not missing lies from `low` to `high`, both included."""

    def finds(rows: pd.DataFrame) -> str:
        values = rows[column].dropna()
        out = values[~values.between(low, high)]
        return f"{len(out):,} outside, from {out.min():,g} to {out.max():,g}" if len(out) else ""

    why = why or "Values outside are not of this world."
    return each(f"{column} from {low:,.9g} to {high:,.9g}", why, finds)


def known(column: str, values: Sequence[object], why: str = "") -> Check:
    """Every value is one of `values`; a missing one is not."""

    def finds(rows: pd.DataFrame) -> str:
        odd = rows.loc[~rows[column].isin(list(values)), column]
        return f"{len(odd):,} others: {few(map(repr, odd.unique()))}" if len(odd) else ""

    return each(
        f"{column} is one of {len(values)}", why or "A new name is a new thing, or a typing error.", finds
    )


def filled(*columns: str, why: str = "") -> Check:
    """No value is missing in these columns."""

    def finds(rows: pd.DataFrame) -> str:
        missing = {name: int(rows[name].isna().sum()) for name in columns}
        return ", ".join(f"{count:,} of {name}" for name, count in missing.items() if count)

    why = why or "The pipeline reads them without a plan for missing values."
    return each(f"no value missing: {', '.join(columns)}", why, finds)


def row_count(low: int, high: int) -> Check:
    """More rows than `low` and fewer than `high`."""

    def finds(rows: pd.DataFrame) -> str:
        return "" if low < len(rows) < high else f"{len(rows):,} rows"

    return each(
        f"more than {low:,} and fewer than {high:,} rows", "Half a file looks like a whole one.", finds
    )


def not_empty() -> Check:
    """Every frame has rows."""
    return each(
        "rows in every split", "A split without rows measures nothing.", lambda r: "" if len(r) else "no rows"
    )


def apart(groups: Sequence[str] = ()) -> Check:
    """No row stands in two frames, compared over all columns that both have, whatever types these are of.

    With `groups`, the columns that say which rows belong together, no group does either.
    """
    together = " and ".join(groups)

    def finds(frames: Frames) -> str:
        shared = _shared(frames, lambda a, b: {name: kind for name, kind in kinds(a).items() if name in b})
        found = [f"{count:,} rows of {b} stand in {a}" for (a, b), count in shared.items() if count]
        if groups:
            shared = _shared(frames, lambda a, _: {name: kind(a[name]) for name in groups})
            found += [
                f"{n:,} rows of {b} have the {together} of one in {a}" for (a, b), n in shared.items() if n
            ]
        return "; ".join(found)

    return Check(
        f"no row, and no {together}, in two splits" if groups else "no row in two splits",
        "A model must not be evaluated on rows that it was trained on, nor on others of their group.",
        finds,
    )


def _shared(
    frames: Frames, columns: Callable[[pd.DataFrame, pd.DataFrame], Mapping[str, str]]
) -> dict[tuple[str, str], int]:
    """For each pair of frames how many rows of the second are like one of the first in these `columns`."""
    found = {}
    for (a, first), (b, second) in itertools.combinations(frames.items(), 2):
        wanted = columns(first, second)
        found[a, b] = int(np.isin(marks(second, wanted), marks(first, wanted)).sum())
    return found


def same_distribution(columns: Sequence[str], alpha: float = 0.05) -> Check:
    """The first frame against each other one, number by number (`ks_same_distribution`)."""

    def finds(frames: Frames) -> str:
        (_, reference), *others = frames.items()
        findings = []
        for label, sample in others:
            table = ks_same_distribution(reference, sample, columns, alpha)
            moved = table[~table["same"]]
            if len(moved):
                gaps = few((f"{name} {gap:.3f}" for name, gap in moved["statistic"].items()), 10)
                findings.append(f"{label}: {len(moved)} of {len(table)} columns moved ({gaps})")
        return "; ".join(findings)

    why = f"Kolmogorov-Smirnov, level {alpha:g} over all: a moved input is the first sign of a stale model."
    return Check("numbers distributed as in the reference", why, finds)


def same_shares(column: str, limit: float) -> Check:
    """The shares of a column's values against those of the first frame, as `kl_divergence` in bits."""

    def finds(frames: Frames) -> str:
        (_, reference), *others = frames.items()
        bits = {label: kl_divergence(reference[column], sample[column]) for label, sample in others}
        return "; ".join(f"{label}: {value:.3f} bits" for label, value in bits.items() if not value < limit)

    return Check(
        f"{column} distributed as in the reference", f"Kullback-Leibler below {limit:g} bits.", finds
    )


def kl_divergence(reference: pd.Series, sample: pd.Series) -> float:
    """Bits lost when the shares of `sample` are coded with those of `reference`.

    Each class counts half a row more in both, so that one that is absent on a side leaves it finite.
    """
    from scipy import stats  # half a second to import, and most notebooks never compare

    counts = pd.DataFrame({"p": sample.value_counts(), "q": reference.value_counts()}).fillna(0) + 0.5
    return float(stats.entropy(counts["p"], counts["q"], base=2))


def ks_same_distribution(
    reference: pd.DataFrame, sample: pd.DataFrame, columns: Sequence[str], alpha: float = 0.05
) -> pd.DataFrame:
    """Compare two samples column by column (two-sample Kolmogorov-Smirnov test).

    Returns one row a column, widest gap first: `statistic`, the widest gap between the two
    empirical distribution functions (0 same, 1 disjoint), `pvalue`, and `same`, judged at the Šidák level:
    two draws from one source differ on any of the columns with probability `alpha`. Missing values are
    left out. At 10^5 rows a gap of 0.01 is "significant": read `statistic` before `same`.
    """
    from scipy import stats  # half a second to import, and most notebooks never compare

    level = sidak(alpha, len(columns))
    rows = []
    for name in columns:
        for side, frame in (("reference", reference), ("sample", sample)):
            if name not in frame or frame[name].isna().all():
                raise DataError(f"{side} has no values in column {name!r}; it has {list(frame)}")
        result = stats.ks_2samp(reference[name].dropna(), sample[name].dropna())
        rows.append((name, result.statistic, result.pvalue, result.pvalue >= level))
    table = pd.DataFrame(rows, columns=["column", "statistic", "pvalue", "same"])
    return table.set_index("column").sort_values("statistic", ascending=False)


def sidak(alpha: float, tests: int) -> float:
    """The level of each of `tests` that leaves all of them together at `alpha`: 1 - (1 - alpha)^(1/tests)."""
    if not 0 < alpha < 1:
        raise ParameterError(f"alpha is {alpha}; it must lie between 0 and 1.")
    return 1 - (1 - alpha) ** (1 / max(tests, 1))
