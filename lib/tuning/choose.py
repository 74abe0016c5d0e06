"""Which model to keep: the best on validation, or a cheaper one that luck alone may have put behind it.

Cost is counted (comparisons or multiplications that one row needs), not timed: the same trials give the
same choice on any machine. The measured time of the kept model is shown where it is trained.
"""

import numpy as np
import pandas as pd

from lib import evaluation
from lib.errors import ModelError


def require_a_score(trials: pd.DataFrame, ended: str = "") -> None:
    """Raise a ModelError with the reasons where no trial ended well, or none was run at all."""
    if len(trials) and (trials["status"] == "ok").any():
        return
    reasons = (
        sorted(set(trials["reason"]))[:3] if len(trials) else "none was run" + (ended and f", as {ended}")
    )
    raise ModelError(f"No trial gave a score: {reasons}. Try other models, or give more time (`timeout_s`).")


def best_of_families(trials: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The best trial of each family, best family first."""
    good = trials[trials["status"] == "ok"].assign(loss=lambda t: evaluation.sign(metric) * t["score"])
    return good.sort_values(["loss", "number"]).drop_duplicates("family").drop(columns="loss")


def contenders(trials: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Finished trials with `behind` (the best's lead) and `error`, its standard error, and `equal`.

    Both models of a pair are scored on the same ten blocks of the validation rows, so what makes a block
    hard for both falls out of the difference.
    """
    require_a_score(trials)
    good = trials[trials["status"] == "ok"].copy()
    way = evaluation.sign(metric)
    best = good.iloc[int(np.argmin(way * good["score"].to_numpy()))]
    lead = way * (np.array(good["blocks"].tolist()) - np.array(best["blocks"]))
    good["behind"] = way * (good["score"] - best["score"])
    told = np.isfinite(lead).sum(
        axis=1
    )  # blocks that give a score: one of a few rows of one class gives none
    spread = pd.DataFrame(lead).std(axis=1).fillna(0.0).to_numpy()
    good["error"] = spread / np.sqrt(np.maximum(told, 1))
    good["equal"] = good["behind"] <= good["error"]
    return good.sort_values(["behind", "number"])


def chosen(trials: pd.DataFrame, metric: str) -> pd.Series:
    """Of those that are as good as the best, the one whose predictions cost least."""
    equal = contenders(trials, metric).query("equal")
    return equal.sort_values(["comparisons", "behind", "number"]).iloc[0]


def sentence(trials: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The choice in words."""
    table = contenders(trials, metric)
    best, kept, unit = table.iloc[0], chosen(trials, metric), f" {unit}" if unit else ""
    if kept["number"] == best["number"]:
        others = int(table["equal"].sum()) - 1
        rest = {
            0: "no other trial lies within one standard error of it.",
            1: "the one other trial within one standard error of it does not predict at less cost.",
        }.get(others, f"none of the {others} others within one standard error of it predicts at less cost.")
        return (
            f"**{kept['family']}**, trial {kept['number']}, is best ({metric} {kept['score']:.4g}{unit}), "
            f"and {rest}"
        )
    share = kept["comparisons"] / best["comparisons"]
    return (
        f"Trial {best['number']} ({best['family']}) is best with {metric} {best['score']:.4g}{unit}; "
        f"trial {kept['number']} ({kept['family']}, {kept['score']:.4g}) lies {kept['behind']:.2g} behind, "
        f"within one standard error ({kept['error']:.2g}), for {share:.0%} of the cost "
        "of a prediction: **that one is kept**."
    )
