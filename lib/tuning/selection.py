"""Which model to select: the best on validation, or a cheaper one that luck alone may have put behind it.

Cost is counted (comparisons or multiplications that one row needs), not timed: the same trials give the
same choice on any machine. The measured time of the selected model is shown where it is trained.
"""

import numpy as np
import pandas as pd

from lib import evaluation
from lib.errors import ModelError
from lib.problem import Dataset
from lib.records import Tuned
from lib.tuning import endings, spaces
from lib.wording import lead, rounded

#: Scores that differ by less than this share of themselves are said to be as good.
TIE = 1e-4
#: The family of the linear baseline, by task.
LINEAR = {"regression": "linear_regression", "classification": "logistic_regression"}


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
    differences = way * (np.array(good["blocks"].tolist()) - np.array(best["blocks"]))
    good["behind"] = way * (good["score"] - best["score"]) + 0.0  # no -0.0
    scored = np.isfinite(differences).sum(axis=1)  # a block of a few rows of one class gives no score
    spread = pd.DataFrame(differences).std(axis=1).fillna(0.0).to_numpy()
    good["error"] = spread / np.sqrt(np.maximum(scored, 1))
    good["equal"] = good["behind"] <= good["error"]
    return good.sort_values(["behind", "number"])


def select(trials: pd.DataFrame, metric: str) -> pd.Series:
    """Of those that are as good as the best, the one whose predictions cost least."""
    equal = contenders(trials, metric).query("equal")
    return equal.sort_values(["comparisons", "behind", "number"]).iloc[0]


def read_selection(trials: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The selection in words, and how far behind the other families are."""
    table, selected = contenders(trials, metric), select(trials, metric)
    return _read_selected(table, selected, metric, f" {unit}".rstrip()) + _read_others(table, unit)


def _read_others(table: pd.DataFrame, unit: str) -> str:
    """How much worse the best of another family is, and the standard error of that."""
    best, others = table.iloc[0], table[table["family"] != table["family"].iloc[0]]
    if others.empty:
        return ""
    other = others.iloc[0]
    error = f"{rounded(other['error'], 2)} {unit}".rstrip()
    worse = lead(-other["behind"], best["score"], unit)
    return (
        f" The best of another family, trial {other['number']} ({other['family']}), is {worse}; one standard "
        f"error of that is {error}."
    )


def _read_selected(table: pd.DataFrame, selected: pd.Series, metric: str, unit: str) -> str:
    best = table.iloc[0]
    if selected["number"] == best["number"]:
        others = int(table["equal"].sum()) - 1
        rest = {
            0: "no other trial lies within one standard error of it.",
            1: "the one other trial within one standard error of it does not predict at less cost.",
        }.get(others, f"none of the {others} others within one standard error of it predicts at less cost.")
        return (
            f"**{selected['family']}**, trial {selected['number']}, is best "
            f"({metric} {rounded(selected['score'], 4)}{unit}), and {rest}"
        )
    share = min(selected["comparisons"] / best["comparisons"], 0.99)  # it is less, and is said to be
    least = f"{metric} {rounded(best['score'], 4)}{unit}"
    first = f"Trial {best['number']} ({best['family']}) is best with {least}"
    other = f"trial {selected['number']} ({selected['family']}"
    kept = f"for {rounded(100 * share, 2)}% of the cost of a prediction: **that one is selected**."
    if selected["behind"] < TIE * max(abs(best["score"]), TIE):
        return f"{first}; {other}) is as good, {kept}"
    return (
        f"{first}; {other}, {rounded(selected['score'], 4)}) lies {rounded(selected['behind'], 2)} behind, "
        f"within one standard error ({rounded(selected['error'], 2)}), {kept}"
    )


def read_choice(tuned: Tuned, dataset: Dataset, generated: bool) -> str:
    """The choice in one paragraph, and what of its features is known only afterwards."""
    choice = tuned.choice
    said = (
        f"**{choice['family']}** on the features `{tuned.feature_set}`, trial {choice['number']} of "
        f"{tuned.trials}: {tuned.metric} {rounded(choice['score'], 4)} on the validation {dataset.words.rows}"
        + (f", {choice['rounds']} rounds." if choice["rounds"] else ".")
    )
    if tuned.folds:
        said += f" It is the mean over {tuned.folds} folds of the training and validation rows together."
    return f"{said}\n\n{read_late(tuned, dataset, generated)}"


def read_late(tuned: Tuned, dataset: Dataset, generated: bool) -> str:
    """What is to be said wherever a figure of the choice is shown: what of it is known only after."""
    features = dataset.feature_set(tuned.feature_set)
    late = [name for name in dataset.inputs(features) if dataset.columns[name].known == "after"]
    lines = [
        f"It uses `{name}` ({dataset.columns[name].meaning}), which is known only **after** the "
        "prediction is made: all its figures are those of a model that is told it beforehand."
        for name in late
    ]
    lines = lines or ["All that it uses is known before the prediction is made."]
    lines.append(endings.read(tuned.choice.get("reason", "")))
    if generated:
        lines.append("The rows are generated: no figure on this page says anything about the world.")
    return "\n\n".join(filter(None, lines))


def linear_choice(tuned: Tuned, task: str) -> dict[str, object]:
    """The linear baseline: the search's best one if it tried the family, else the family's first guess."""
    family = LINEAR[task]
    if family in tuned.best:
        return tuned.best[family]
    return {
        "family": family,
        "parameters": spaces.first(family, spaces.SPARSE[family]),
        "settings": tuned.choice["settings"],
    }
