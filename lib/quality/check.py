"""What a check is, how checks are run, and what stops the pipeline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from lib.errors import DataError, ParameterError

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


def read_cost(cleaning: pd.DataFrame) -> str:
    """A caution where the rules refused most of the rows; `cleaning` is their report."""
    share = cleaning["share"].sum()
    if share <= 0.5:
        return ""
    worst = cleaning["share"].idxmax()
    return (
        f"The cleaning refused {share:.0%} of the rows, most of them by the rule “{worst}”: what is learnt "
        "and measured here is true of the rest alone."
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
