"""How a fit may end otherwise than it should, in words, and what helps."""

from collections.abc import Mapping

from lib.runtime.inference import InferencePipeline
from lib.runtime.models import Model
from lib.wording import few

CUT = "ended by the clock, with the rounds it had"
UNCONVERGED = "stopped before its solver had converged"
#: What may do better.
REMEDIES = {
    CUT: "a quieter machine, or more time, may do better",
    UNCONVERGED: "its steps are counted, so time does not help: a stronger penalty (a smaller `C`, a larger "
    "`alpha`) needs fewer",
}


def of(model: Model) -> str:
    """How a fit ended; empty if well."""
    if getattr(model, "cut_", False):
        return CUT
    return "" if getattr(model, "converged_", True) else UNCONVERGED


def read(reason: str) -> str:
    """What is to be minded of a trial that ended so; empty of one that ended well."""
    return f"**Mind:** its trial {reason}; {REMEDIES[reason]}." if reason else ""


def read_fits(fits: Mapping[str, InferencePipeline]) -> str:
    """Which of these fits had not converged; empty where all had."""
    short = [name for name, one in fits.items() if of(one.model_) == UNCONVERGED]
    if not short:
        return ""
    return f"**Mind:** the fit of {few(short)} {UNCONVERGED}; {REMEDIES[UNCONVERGED]}."
