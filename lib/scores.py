"""The figures of the training page: gathered under their names, and said in words.

The metrics themselves are in `lib.evaluation`; here is which model was asked about which rows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib import evaluation, models
from lib.models import spaces

#: What the models of the page are called in `metrics.json`.
NAMES = {
    "validation": "validation",
    "on train alone": "train_only_test",
    "refitted": "test",
    "constant": "baseline_mean_test",
    "linear": "baseline_linear_test",
}
LINEAR = {"regression": "linear_regression", "classification": "logistic_regression"}


class Scores:
    """All metrics of each model, by the model's name on the page."""

    def __init__(self, task: str):
        self.task = task
        self.found: dict[str, dict[str, float]] = {}

    def add(self, name: str, truth: Any, prediction: Any) -> None:
        """Score one prediction."""
        self.found[name] = evaluation.metrics(self.task, truth, prediction)

    def add_all(self, truth: Any, answers: Mapping[str, Any]) -> None:
        """Score several predictions of the same rows."""
        for name, prediction in answers.items():
            self.add(name, truth, prediction)

    def of(self, name: str, metric: str) -> float:
        """One figure."""
        return self.found[name][metric]

    def table(self, kept: str) -> pd.DataFrame:
        """The models on test, a row each; `kept` marks the one that stays."""
        shown = pd.DataFrame({k: v for k, v in self.found.items() if k != "validation"}).T
        return shown.assign(kept=shown.index == kept)

    def named(self) -> dict[str, float]:
        """Flat figures, named as in `metrics.json` and both trackers."""
        flat = {
            f"{NAMES[name]}_{key}": value
            for name, kinds in self.found.items()
            for key, value in kinds.items()
        }
        return {name: float(value) for name, value in flat.items() if np.isfinite(value)}

    def read(self, metric: str, unit: str = "") -> str:
        """The bars in words: how much of the constant's error is gone, and what more rows were worth."""
        way, unit = evaluation.sign(metric), f" {unit}" if unit else ""
        score = {name: self.of(name, metric) for name in self.found}
        gain = way * (score["constant"] - score["refitted"])
        more = way * (score["on train alone"] - score["refitted"])
        drift = way * (score["on train alone"] - score["validation"])
        return (
            f"The refitted model has a test {metric} of **{score['refitted']:.4g}{unit}**, {gain:.3g} "
            f"better than the constant and {way * (score['linear'] - score['refitted']):.3g} better than "
            f"the line. The additional rows were worth {more:+.2g}. The fit on training rows alone is "
            f"{abs(drift):.2g} {'worse' if drift > 0 else 'better'} on test than it was on validation "
            f"({score['validation']:.4g}): "
            + ("in part the search's own luck, in part rows that differ." if drift > 0 else "rows differ.")
        )


def read_choice(tuned: Mapping[str, Any], dataset: Any, generated: bool) -> str:
    """The choice in one paragraph, and what of its features is known only afterwards."""
    choice, feature_set = tuned["choice"], dataset.feature_set(tuned["feature_set"])
    late = [name for name in dataset.inputs(feature_set) if dataset.columns[name].known == "after"]
    lines = [
        f"**{choice['family']}** on the features `{tuned['feature_set']}`, trial {choice['number']} of "
        f"{tuned['trials']}: validation {tuned['metric']} {choice['score']:.4g}"
        + (f", {choice['rounds']} rounds." if choice["rounds"] else ".")
    ]
    for name in late:
        lines.append(
            f"It uses `{name}` ({dataset.columns[name].meaning}), which is known only **after** the "
            "prediction is made: all its figures are those of a model that is told it beforehand."
        )
    if generated:
        lines.append("*The rows are generated: no figure on this page says anything about the world.*")
    return "\n\n".join(lines)


def read_repeat(scores: Scores, tuned: Mapping[str, Any]) -> str:
    """Whether the fit on training rows scores on validation what the search wrote down."""
    now, then = scores.of("validation", tuned["metric"]), tuned["choice"]["score"]
    if abs(now - then) <= 1e-6 * max(1.0, abs(then)):
        return f"It is: {tuned['metric']} {now:.6g} then and now."
    return (
        f"**It is not**: {now:.6g} now, {then:.6g} in the search. Was a library or a feature set changed "
        "since? Tune again before trusting what follows."
    )


def linear_choice(tuned: Mapping[str, Any], task: str) -> dict[str, Any]:
    """The linear baseline: the search's best one if it tried the family, else the family's first guess."""
    family = LINEAR[task]
    if family in tuned["best"]:
        return tuned["best"][family]
    return {
        "family": family,
        "parameters": spaces.first(family, spaces.SPARSE[family]),
        "settings": tuned["choice"]["settings"],
    }


def stacked(*parts: pd.DataFrame) -> pd.DataFrame:
    """Frames of rows as one."""
    return pd.concat(parts, ignore_index=True)


def gains(
    metric: str,
    task: str,
    truth: Any,
    answers: Mapping[str, Any],
    kept: str,
    draws: int = 200,
    seed: int = 42,
) -> pd.DataFrame:
    """How much better `kept` is than each other model, with the 95 % bootstrap interval of the difference."""
    found = {
        name: evaluation.interval(metric, task, truth, answers[kept], other, draws, seed)
        for name, other in answers.items()
        if name != kept
    }
    return pd.DataFrame(found).T.rename_axis("better than").rename(columns={"gain": f"{metric} gained"})


def read_gains(table: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The intervals in words."""
    unit, said = f" {unit}" if unit else "", []
    for name, row in table.iterrows():
        sure = "surely better" if row["low"] > 0 else "surely worse" if row["high"] < 0 else "not told apart"
        said.append(
            f"{row.iloc[0]:+.3g}{unit} against *{name}* ({row['low']:+.3g} to {row['high']:+.3g}), {sure}"
        )
    return f"The refitted model's gain in {metric}: " + "; ".join(said) + "."


def groups(dataset: Any, rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The problem's slices, and those that every problem has: quarters of the target, or its classes."""
    found = {name: group(rows) for name, group in dataset.slices.items()}
    target = rows[dataset.target.name]
    if dataset.task == "classification":
        return found | {"class": target.astype(str)}
    quarter = pd.qcut(target, 4, duplicates="drop")
    names = {
        band: f"{i + 1}. {max(band.left, target.min()):.3g} to {band.right:.3g}"
        for i, band in enumerate(quarter.cat.categories)
    }
    return found | {f"quarter of {dataset.target.name}": quarter.map(names).astype(str)}


def costs(pipeline: Any, folder: Path, times: Mapping[str, float]) -> dict[str, float]:
    """Size on disk, time to load, time a row alone and in bulk, and the counted steps of one prediction."""
    size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {
        "model_mb": size / 1e6,
        "load_seconds": times["load_seconds"],
        "one_row_us": times["one_row_us"],
        "bulk_row_us": times["bulk_row_us"],
        "columns": float(len(pipeline.encoding.names)),
    }


def read_reload(before: Any, after: Any, times: Mapping[str, float], folder: Path) -> str:
    """Whether the stored model answers the same, and what it costs."""
    gap = np.abs(np.asarray(before, dtype=float) - np.asarray(after, dtype=float)).max()
    same = (
        f"All {len(after):,} answers are the same" if gap == 0 else f"The answers differ by at most {gap:.2g}"
    )
    size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    return (
        f"{same}. The folder takes {size:.1f} MB; loading takes {times['load_seconds']:.2f} s, one row alone "
        f"{times['one_row_us'] / 1000:.1f} ms, and a row among many {times['bulk_row_us']:.1f} µs."
    )


def some_answers(dataset: Any, pipeline: Any, rows: pd.DataFrame, answers: Any) -> pd.DataFrame:
    """Raw rows beside the prediction and the truth."""
    shown = rows[list(pipeline.inputs)].reset_index(drop=True)
    if isinstance(answers, pd.DataFrame):
        shown = shown.assign(prediction=answers.idxmax(axis=1), chance=answers.max(axis=1).round(2))
    else:
        shown = shown.assign(prediction=np.round(answers, 2))
    return shown.assign(truth=rows[dataset.target.name].to_numpy())


def scale(pipeline: Any, unit: str) -> str:
    """In what the model's shares are counted: the target's unit, unless it was fitted to something else."""
    if pipeline.model.task == "classification":
        return "log odds" if isinstance(pipeline.model, models.Boosted) else ""
    roots = {"identity": unit, "sqrt": f"√{unit}" if unit else "square root", "log": f"log {unit}".strip()}
    return roots[pipeline.model.target]
