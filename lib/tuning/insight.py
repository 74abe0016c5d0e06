"""A search in words and tables: how it went, which parameters mattered.

What its features are is told in `encoded`, which trial is selected in `selection`; pictures are in `plots`.
"""

import json

import numpy as np
import pandas as pd

from lib import evaluation
from lib.tuning.result import SearchResult
from lib.tuning.spaces import Point, Space, Spec
from lib.wording import rounded

#: Trials of a family from which on it is said which parameter mattered, and where its good values lie.
ENOUGH = 30
#: The share of the ups and downs of other trials that a forest must explain before it is believed.
EXPLAINED = 0.25
#: How sure it must be, all axes together, that the better trials lie elsewhere than the others.
SURE = 0.01


def importance(trials: pd.DataFrame, space: Space, metric: str) -> pd.Series:
    """The share of one family's ups and downs that goes with each parameter, as a small forest sees it.

    It is asked of trials that it was not fitted on. Fewer than `ENOUGH`, or a forest that explains less
    than `EXPLAINED` of their ups and downs, say nothing: an empty result. The far ends of the score are
    pulled in first, or a few hopeless trials would decide.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.metrics import r2_score
    from sklearn.model_selection import KFold

    good = trials[trials["status"] == "ok"]
    if len(good) < ENOUGH or not space:
        return pd.Series(dtype=float)
    points = np.column_stack([_numbers(good["parameters"], name, spec) for name, spec in space.items()])
    loss = evaluation.sign(metric) * good["score"].to_numpy()
    loss = np.minimum(loss, np.quantile(loss, 0.9))
    said, weights = np.zeros(len(loss)), np.zeros(len(space))
    for known, asked in KFold(5, shuffle=True, random_state=0).split(points):
        forest = RandomForestRegressor(60, min_samples_leaf=2, random_state=0).fit(points[known], loss[known])
        said[asked] = forest.predict(points[asked])
        found = permutation_importance(
            forest, points[asked], loss[asked], n_repeats=5, random_state=0, scoring="neg_mean_squared_error"
        )
        weights += len(asked) * found.importances_mean
    if np.ptp(loss) == 0 or r2_score(loss, said) < EXPLAINED:
        return pd.Series(dtype=float)
    weights = np.maximum(weights, 0)
    return pd.Series(weights / max(weights.sum(), 1e-300), index=list(space)).sort_values(ascending=False)


def _numbers(points: pd.Series, name: str, spec: Spec) -> np.ndarray:
    values = [point[name] for point in points]
    if spec[0] == "choice":
        return np.array([list(spec[1]).index(value) for value in values], dtype=float)
    numbers = np.asarray(values, dtype=float)
    return np.log(numbers) if spec[0] == "loguniform" else numbers


def read_importance(weights: pd.Series, trials: pd.DataFrame) -> str:
    """The picture of importances in words."""
    count = int((trials["status"] == "ok").sum())
    if count < ENOUGH:
        few = "One finished trial is" if count == 1 else f"{count} finished trials are"
        return f"{few} too few to say which parameter mattered: that takes {ENOUGH}. Raise `max_evals`."
    if weights.empty:
        return (
            f"A forest that has seen four fifths of these {count} trials cannot tell how the others did: "
            "which parameter mattered does not show."
        )
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
    gained = abs(best["score"] - way * loss[half].min())
    tail = f"The second half of the search gained {_shown(gained, unit)}."
    if gained == 0:
        tail = "The second half of the search brought nothing better."
    if len(good) == 1:
        tail = "It was the only one."
    failed = int((trials["status"] != "ok").sum())
    lost = f" {failed} trials failed and cost only themselves." if failed else ""
    lost = " 1 trial failed and cost only itself." if failed == 1 else lost
    return (
        f"The best score, **{rounded(best['score'], 4)}**{f' {unit}' if unit else ''}, came with trial "
        f"{best['number']} of {len(trials)} ({best['family']}). {tail}{lost}"
    )


def read_families(trials: pd.DataFrame, metric: str, unit: str = "") -> str:
    """The picture of families in words: the lead of the first, and how many trials it got."""
    good, way = trials[trials["status"] == "ok"], evaluation.sign(metric)
    best = (way * good["score"]).groupby(good["family"]).min().sort_values()
    counts = trials["family"].value_counts()
    said = f"**{best.index[0]}** is first with {rounded(way * best.iloc[0], 4)}{f' {unit}' if unit else ''}"
    if len(best) > 1:
        lead = best.iloc[1] - best.iloc[0]
        said += f", {_shown(lead)} ahead of {best.index[1]}" if lead else f", level with {best.index[1]}"
        said += f"; {best.index[-1]} is last with {rounded(way * best.iloc[-1], 4)}"
    share = counts.get(best.index[0], 0)
    went = f"{share} of the {len(trials)} trials went to {best.index[0]}"
    if len(counts) == 1:
        return f"{said}. It was the only family."
    if share > counts.drop(best.index[0]).max():
        return f"{said}. The budget followed: {went}."
    return f"{said}. The search ended before the budget followed: {went}."


def read_outcome(result: SearchResult) -> str:
    """How many trials there were in how many seconds, and why the search ended."""
    trials, families = result.trials, result.trials["family"].nunique()
    bad = trials["status"] != "ok"
    failed = f", {bad.sum()} of them failed" if bad.any() else ", none failed"
    told = trials.loc[trials["reason"] != "", ["family", "reason"]].drop_duplicates().head(3)
    why = "".join(f"\n- {row.family}: {row.reason}" for row in told.itertuples())
    by = "; ".join(f"{_BY[name]} {count}" for name, count in trials["by"].value_counts().items())
    return (
        f"{_counted(len(trials), 'trial')} of {_counted(families, 'family', 'families')} in "
        f"{result.seconds:.1f} s{failed}. Who proposed them: {by}. "
        f"The search ended because {result.reason}.{why}"
    )


#: Who proposed a trial, in words.
_BY = {
    "first guess": "first guesses",
    "grid": "every point of a space of choices",
    "random": "chance",
    "tpe": "TPE",
    "anneal": "simulated annealing",
}


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _shown(difference: float, unit: str = "") -> str:
    """A difference of scores for reading: two digits, or that it is next to nothing."""
    said = rounded(abs(difference), 2) if abs(difference) >= 1e-4 else "less than 0.0001"
    return f"{said} {unit}".rstrip()


def table(best: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The best of each family, for reading."""
    shown = best[["family", "score", "seconds", "rounds", "comparisons", "parameters"]].set_index("family")
    shown["parameters"] = shown["parameters"].map(_said)
    shown["rounds"] = shown["rounds"].map(lambda value: "" if pd.isna(value) else f"{value:.0f}")
    return shown.rename(columns={"score": f"validation {metric}"}).round({"seconds": 1, "comparisons": 0})


def _figure(value: float) -> str:
    """A number as a reader wants it: 1,000 rather than 1e+03."""
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else rounded(value)


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
    """Where the better third of one family's trials lies on each axis, if elsewhere than the others.

    It is silent below `ENOUGH` trials, and on any axis where chance alone may have put them there.
    """
    from scipy.stats import mannwhitneyu

    good = trials[trials["status"] == "ok"]
    axes = {name: spec for name, spec in space.items() if spec[0] != "choice"}
    if not axes:
        return "Every axis is a list of choices: it has no edge to crowd at."
    if len(good) < ENOUGH:
        return (
            f"A shape to be read takes {ENOUGH} finished trials, and here are {len(good)}: raise `max_evals`."
        )
    loss = evaluation.sign(metric) * good["score"].to_numpy()
    better = loss <= np.quantile(loss, 1 / 3)
    said, edges, level = [], [], 1 - (1 - SURE) ** (1 / len(axes))
    for name, spec in axes.items():
        places = (_numbers(good["parameters"], name, spec) - spec[1]) / (spec[2] - spec[1])
        if better.all() or mannwhitneyu(places[better], places[~better]).pvalue > level:
            continue
        middle, other = np.median(places[better]), np.median(places[~better])
        said.append(f"**{name}** {'higher' if middle > other else 'lower'}")
        if not 0.15 <= middle <= 0.85:
            edges.append(f"{name} ({'upper' if middle > 0.5 else 'lower'} end)")
    if not said:
        return f"On no axis does the better third of {len(good)} trials lie surely elsewhere than the others."
    crowd = f" They crowd at an edge of {', '.join(edges)}: try a wider space there." if edges else ""
    return f"The better third of {len(good)} trials has {', '.join(said)} than the others.{crowd}"


def read_gate(trials: pd.DataFrame, metric: str, space: Space) -> str:
    """Where the better third of the lines keeps together more closely than thirds that are drawn do.

    It is silent below `ENOUGH` trials, and on any axis where chance alone may have made the gate.
    """
    good = trials[trials["status"] == "ok"].sort_values("score", ascending=evaluation.sign(metric) > 0)
    if len(good) < ENOUGH:
        return f"A gate takes {ENOUGH} finished trials, and here are {len(good)}: raise `max_evals`."
    third, level = len(good) // 3, 1 - (1 - SURE) ** (1 / max(len(space), 1))
    drawn = np.random.default_rng(0).random((round(4 / level), len(good))).argsort(axis=1)[:, :third]
    said = []
    for name, spec in space.items():
        places = _numbers(good["parameters"], name, spec)
        if ((_width(places[drawn], spec) <= _width(places[:third], spec)).sum() + 1) / (
            len(drawn) + 1
        ) < level:
            values = good["parameters"].str[name][:third]
            said.append(f"**{name}** ({_ends(values, spec)})")
    if not said:
        return f"On no axis do the lightest of {len(good)} lines keep together more than luck makes them."
    return f"The lightest third of {len(good)} lines keeps together at {', '.join(said)}."


def _width(places: np.ndarray, spec: Spec) -> np.ndarray:
    """How far values lie apart, along the last axis: of choices the share that is not the commonest."""
    if spec[0] == "choice":
        return 1 - np.max([(places == one).mean(axis=-1) for one in range(len(spec[1]))], axis=0)
    return np.abs(places - np.median(places, axis=-1, keepdims=True)).mean(axis=-1)


def _ends(values: pd.Series, spec: Spec) -> str:
    """The commonest choice, or where the middle half of the values lies."""
    if spec[0] == "choice":
        return str(values.map(str).mode()[0])
    return " to ".join(_figure(value) for value in np.quantile(values.astype(float), [0.25, 0.75]))


def read_settings(choice: pd.Series) -> str:
    """The selected setting in one line."""
    rounds = "" if pd.isna(choice["rounds"]) else f"; it keeps {choice['rounds']:.0f} rounds"
    mind = f" Mind that it {choice['reason']}." if choice["reason"] else ""
    return f"Selected: **{choice['family']}** with {_said(choice['parameters'])}{rounds}.{mind}"
