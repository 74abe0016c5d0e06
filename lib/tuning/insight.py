"""A search in words and tables: what its features are, how it went, which parameters mattered.

What is drawn of it is in `lib.plots`, which trial is selected in `lib.tuning.selection`.
"""

import json

import numpy as np
import pandas as pd

from lib import evaluation
from lib.problem import Dataset
from lib.runtime.encoders import Encoding
from lib.runtime.encoders.means import TargetMean
from lib.runtime.features import Encode, FeatureSet
from lib.tuning.search import SearchResult
from lib.tuning.spaces import Point, Space, Spec
from lib.wording import few


def importance(trials: pd.DataFrame, space: Space, metric: str) -> pd.Series:
    """The share of one family's ups and downs that goes with each parameter, as a small forest sees it.

    The far ends of the score are pulled in first, or a few hopeless trials would decide. Fewer than five
    trials say nothing: an empty result.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    good = trials[trials["status"] == "ok"]
    if len(good) < 5:
        return pd.Series(dtype=float)
    points = np.column_stack([_numbers(good["parameters"], name, spec) for name, spec in space.items()])
    loss = evaluation.sign(metric) * good["score"].to_numpy()
    loss = np.minimum(loss, np.quantile(loss, 0.9))
    forest = RandomForestRegressor(100, min_samples_leaf=2, random_state=0).fit(points, loss)
    weights = permutation_importance(forest, points, loss, n_repeats=10, random_state=0).importances_mean
    weights = np.maximum(weights, 0)
    return pd.Series(weights / max(weights.sum(), 1e-12), index=list(space)).sort_values(ascending=False)


def _numbers(points: pd.Series, name: str, spec: Spec) -> np.ndarray:
    values = [point[name] for point in points]
    if spec[0] == "choice":
        return np.array([list(spec[1]).index(value) for value in values], dtype=float)
    numbers = np.asarray(values, dtype=float)
    return np.log(numbers) if spec[0] == "loguniform" else numbers


def read_importance(weights: pd.Series, trials: pd.DataFrame) -> str:
    """The picture of importances in words."""
    count = int((trials["status"] == "ok").sum())
    if weights.empty:
        return f"{count} finished trials are too few to say which parameter mattered: raise `max_evals`."
    first, share = weights.index[0], weights.iloc[0]
    idle = [name for name, value in weights.items() if value < 0.03]
    rest = f" Next to nothing goes with {', '.join(idle)}." if idle else ""
    return (
        f"**{first}** leads: {share:.0%} of the ups and downs of {count} trials go with it.{rest} "
        "These are associations within this search, seen by a forest of few points: a hint where to look on."
    )


def read_over_time(trials: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The picture of scores over time in words: when the best came, and what the search still gained late."""
    good, way = trials[trials["status"] == "ok"], evaluation.sign(metric)
    loss = way * good["score"]
    best, half = good.loc[loss.idxmin()], good["number"] <= good["number"].median()
    early = way * loss[half].min()
    gained = abs(best["score"] - early)
    tail = f"The second half of the search gained {gained:.2g}" + (f" {unit}." if unit else ".")
    failed = int((trials["status"] != "ok").sum())
    lost = f" {failed} trials failed and cost only themselves." if failed else ""
    lost = " 1 trial failed and cost only itself." if failed == 1 else lost
    return (
        f"The best score, **{best['score']:.4g}**{f' {unit}' if unit else ''}, came with trial "
        f"{best['number']} of {len(trials)} ({best['family']}). {tail}{lost}"
    )


def read_families(trials: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The picture of families in words: the lead of the first, and where the budget went."""
    good, way = trials[trials["status"] == "ok"], evaluation.sign(metric)
    best = (way * good["score"]).groupby(good["family"]).min().sort_values()
    counts = trials["family"].value_counts()
    said = f"**{best.index[0]}** is first with {way * best.iloc[0]:.4g}{f' {unit}' if unit else ''}"
    if len(best) > 1:
        said += f", {abs(best.iloc[1] - best.iloc[0]):.2g} ahead of {best.index[1]}"
        said += f"; {best.index[-1]} is last with {way * best.iloc[-1]:.4g}"
    share = counts.get(best.index[0], 0)
    went = f"{share} of the {len(trials)} trials went to {best.index[0]}"
    if len(counts) == 1:
        return f"{said}. It was the only family."
    if share > counts.drop(best.index[0]).max():
        return f"{said}. The budget followed: {went}."
    return f"{said}. The search ended before the budget followed: {went}."


def read_features(dataset: Dataset, features: FeatureSet, generated: bool) -> str:
    """What goes through which encoder, and what of it is known only after the prediction is made."""
    lines = [f"**{features.name}**: {features.why}.", ""]
    lines += [f"- {describe(part)}" for part in features.encodes]
    late = [name for name in dataset.inputs(features) if dataset.columns[name].known == "after"]
    if late:
        meanings = "; ".join(f"`{name}`, {dataset.columns[name].meaning}" for name in late)
        asked = f"A prediction of {dataset.words.target} made before needs a stand-in."
        lines += ["", f"**Known only afterwards:** {meanings}. {asked}"]
    else:
        lines += ["", f"All of it is known of a {dataset.words.row} before the prediction is made."]
    if generated:
        lines += ["", "The rows of this run are generated: its figures say nothing about the world."]
    return "\n".join(lines)


def describe(part: Encode) -> str:
    """One line of a feature set in words."""
    names, settings = few((f"`{name}`" for name in part.columns), 20), part.settings
    if part.how == "target_mean":
        kinds = ", ".join(what.replace("/", " per ") for what in settings.get("of", ("target",)))
        said = f"for each of {names}: the mean of {kinds} over the other rows of the same value"
        return said + ("; how many they are" if settings.get("counts") else "")
    said = {
        "one_hot": f"{names}: a column of 0 and 1 for each value that was seen",
        "number": f"{names}, as numbers",
        "ordinal": f"{names}: the place of the value among those that were seen",
        "days_before": f"{names}: days before the latest one of the training rows",
        "tfidf": f"{names}: its commonest words, each weighed by how rare it is",
    }[part.how]
    if settings.get("impute") is not None:
        said += f", what is missing as {settings['impute']}"
    if "words" in settings:
        said += f" ({settings['words']} words)"
    return said + (", scaled" if settings.get("scale") else "")


def legend(encoding: Encoding) -> str:
    """How the columns of target means are named; empty where there are none."""
    means = [encoder for _, encoder in encoding.encoders_ if isinstance(encoder, TargetMean)]
    if not means:
        return ""
    key = means[0].columns_[0]
    meanings = {
        f"target by {key}": "the mean target of the other training rows of that value",
        f"rows by {key}": "how many other rows had it",
    }
    for what in means[0].of:
        top, _, bottom = what.partition("/")
        if bottom:
            meanings[f"{what} by {key}"] = f"the mean there of {top} per {bottom}"
        elif top != "target":
            meanings[f"{top} by {key}"] = f"the mean {top} there"
    for _, label, column in means[0].held_against():
        at_pace = label.startswith("target at")
        meanings[f"{label} by {key}"] = (
            f"what the usual pace there makes of this row's {column}"
            if at_pace
            else f"this row's {column} over the mean there"
        )
    there = set(encoding.get_feature_names_out())
    lines = [f"- `{name}`: {meaning}" for name, meaning in meanings.items() if name in there]
    return "\n".join([f"How to read the names of the means, with `{key}`:", "", *lines])


def read_outcome(result: SearchResult) -> str:
    """How many trials there were in how many seconds, and why the search ended."""
    trials = result.trials
    bad = trials[trials["status"] != "ok"]
    failed = f", {len(bad)} of them failed" if len(bad) else ", none failed"
    reasons = bad[["family", "reason"]].drop_duplicates().head(3)
    why = "".join(f"\n- {row.family}: {row.reason}" for row in reasons.itertuples())
    return (
        f"{len(trials)} trials of {trials['family'].nunique()} families in {result.seconds:.1f} s{failed}. "
        f"The search ended because {result.reason}.{why}"
    )


def table(best: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The best of each family, for reading."""
    shown = best[["family", "score", "seconds", "rounds", "comparisons", "parameters"]].set_index("family")
    shown["parameters"] = shown["parameters"].map(_said)
    shown["rounds"] = shown["rounds"].map(lambda value: "" if pd.isna(value) else f"{value:.0f}")
    return shown.rename(columns={"score": f"validation {metric}"}).round({"seconds": 1, "comparisons": 0})


def _figure(value: float) -> str:
    """A number as a reader wants it: 1,000 rather than 1e+03."""
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def _said(parameters: Point) -> str:
    return ", ".join(f"{k} {_figure(v) if isinstance(v, float) else v}" for k, v in parameters.items())


def stored(result: SearchResult) -> pd.DataFrame:
    """The trials as a flat table that Parquet takes, with the seconds of the whole search."""
    trials = result.trials.drop(columns=["blocks"])
    text = trials["parameters"].map(lambda point: json.dumps(point, sort_keys=True))
    numbers = {
        name: pd.to_numeric(trials[name], errors="coerce") for name in ("rounds", "comparisons", "score")
    }
    return trials.assign(parameters=text, search_seconds=result.seconds, **numbers)


def read_parameters(trials: pd.DataFrame, metric: str, space: Space) -> str:
    """Where the better third of one family's trials lies on each axis, and which edges it crowds."""
    good = trials[trials["status"] == "ok"]
    if len(good) < 5:
        return f"With {len(good)} trials there is no shape to read yet: raise `max_evals`."
    loss = evaluation.sign(metric) * good["score"]
    best = good[loss <= loss.quantile(1 / 3)]
    places = {name: _unit(_numbers(best["parameters"], name, spec), spec) for name, spec in space.items()}
    edges = [
        f"{name} ({'upper' if np.median(p) > 0.5 else 'lower'} end)"
        for name, p in places.items()
        if space[name][0] != "choice" and (np.median(p) > 0.85 or np.median(p) < 0.15)
    ]
    width = {name: float(np.ptp(p)) for name, p in places.items() if space[name][0] != "choice"}
    said = f"The better third are {len(best)} trials. "
    if width:
        tight = min(width, key=width.__getitem__)
        said += f"They agree most on **{tight}**, where they take {width[tight]:.0%} of the axis"
        loose = max(width, key=width.__getitem__)
        said += f", and least on {loose} ({width[loose]:.0%}). " if loose != tight else ". "
    if not width:
        return said + "Every axis is a list of choices: it has no edge to crowd at."
    return said + (
        f"They crowd at an edge of {', '.join(edges)}: try a wider space there."
        if edges
        else "At no edge do they crowd, so nothing asks for a wider space."
    )


def _unit(numbers: np.ndarray, spec: Spec) -> np.ndarray:
    """Values on a numeric axis as places from 0 to 1."""
    return numbers if spec[0] == "choice" else (numbers - spec[1]) / (spec[2] - spec[1])


def read_gate(trials: pd.DataFrame, metric: str, space: Space) -> str:
    """The values of the best three trials, as the gates that the lightest lines pass."""
    good = trials[trials["status"] == "ok"]
    if len(good) < 5:
        return f"{len(good)} lines make no gate: raise `max_evals`."
    loss = evaluation.sign(metric) * good["score"]
    best = good.loc[loss.sort_values().index[:3], "parameters"]
    said = []
    for name, spec in space.items():
        values = [point[name] for point in best]
        same = len(set(values)) == 1
        if spec[0] == "choice":
            said.append(
                f"{name} {values[0]}" if same else f"{name} {' or '.join(sorted(set(map(str, values))))}"
            )
        else:
            said.append(f"{name} {_figure(min(values))}" + ("" if same else f" to {_figure(max(values))}"))
    return f"The three lightest lines pass through {'; '.join(said)}."


def read_settings(choice: pd.Series) -> str:
    """The selected setting in one line."""
    rounds = "" if pd.isna(choice["rounds"]) else f", stopped after {choice['rounds']:.0f} rounds"
    return f"Selected: **{choice['family']}** with {_said(choice['parameters'])}{rounds}."
