"""Columns that know the target too well: numbers that determine it, and columns that predict it all alone.

What no honest column does is told, not removed: whether it is known in time only the problem's owner can say.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import splits
from lib.wording import few

#: From so much of the target's variance on that a column explains alone, on held-out rows, it is told;
SUSPICIOUS = 0.9
#: from so much on it determines the target.
DETERMINED = 0.9999
#: less is said of two columns by their correlations, each over the rows that have both.
MAYBE = 0.9
#: Fewer rows say nothing, and more of them nothing else.
FEWEST, MOST = 100, 5000


def told(rows: pd.DataFrame, target: str, columns: Sequence[str], groups: Sequence[str] = ()) -> list[str]:
    """Sentences on those of `columns` that give the `target` away; none where all is as it should be.

    Numbers and times are looked at alone and in twos (a + b, b - a), each column also by a small tree on the
    rows of other `groups`.
    """
    rows = rows[rows[target].notna()]
    rows = rows.sample(MOST, random_state=0) if len(rows) > MOST else rows
    if len(rows) < FEWEST or len(pd.unique(rows[target])) <= 1:
        return []
    names = [name for name in columns if name != target and len(pd.unique(rows[name])) > 1]
    numbers = pd.DataFrame({name: _number(rows[name]) for name in names if _is_number(rows[name])})
    determined = _determining(numbers, rows[target]) if _is_number(rows[target]) else []
    said = [f"{' and '.join(found)} determine{'s' * (len(found) == 1)} {target}" for found in determined]
    known = set(itertools.chain(*determined))
    wanted = (
        rows[target].to_numpy(dtype=float)[:, None] if _is_number(rows[target]) else _indicators(rows[target])
    )
    units = rows[list(groups)] if groups else pd.DataFrame({"row": np.arange(len(rows))})
    cv = [pair for pair in splits.folds(units, 5, 0) if all(map(len, pair))]
    strong = {name: _alone(rows[name], wanted, cv) for name in names if name not in known and len(cv) == 5}
    said += [
        f"{name} alone explains {share:.1%} of {target} on rows that took no part"
        for name, share in strong.items()
        if share >= SUSPICIOUS
    ]
    if not said:
        return []
    return [
        f"Too good to be true: {few(said)}. Is that known before the prediction is made? If not, say so in "
        'the problem\'s columns (`known="after"`): every figure is one of a model that was told the answer.'
    ]


def read(told: Sequence[str]) -> str:
    """What was `told`, or that there is nothing to tell."""
    return "\n\n".join(f"**{one}**" for one in told) or (
        f"No column is: no number or time, nor two of them, determines the target, and none alone explains "
        f"{SUSPICIOUS:.0%} of it."
    )


def _is_number(values: pd.Series) -> bool:
    types = pd.api.types
    return bool(types.is_numeric_dtype(values) or types.is_datetime64_any_dtype(values))


def _number(values: pd.Series) -> pd.Series:
    """Numbers as they are, times as seconds; both from their mean, as large numbers lose the small ones."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return (values - values.min()).dt.total_seconds()
    numbers = values.astype("float64")
    return numbers - numbers.mean()


def _determining(numbers: pd.DataFrame, target: pd.Series) -> list[tuple[str, ...]]:
    """The columns, alone or two at a time, of which the target is a straight line.

    All pairs are looked at by their correlations, and what may be one is fitted: of 500 columns there are
    124,750 pairs.
    """
    alone = {name for name in numbers if _line(numbers[[name]], target)}
    others = numbers.drop(columns=list(alone))
    r, known = others.corr().to_numpy(), others.corrwith(target.astype(float)).to_numpy()
    free = 1 - r**2  # what of one column the other leaves open; of two that are one, nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        told = (known[:, None] ** 2 + known**2 - 2 * np.outer(known, known) * r) / free
    maybe = np.argwhere(np.triu((told > MAYBE) & (free > 1e-10), 1))
    pairs = [(others.columns[i], others.columns[j]) for i, j in maybe]
    return [(name,) for name in numbers if name in alone] + [
        pair for pair in pairs if _line(others[list(pair)], target)
    ]


def _line(inputs: pd.DataFrame, target: pd.Series) -> bool:
    """Whether a straight line of the inputs leaves next to nothing of the target, over rows with both."""
    whole = inputs.notna().all(axis=1).to_numpy()
    if whole.sum() < FEWEST:
        return False
    y = target.to_numpy(dtype=float)[whole]
    x = np.column_stack([inputs.to_numpy()[whole], np.ones(whole.sum())])
    spread = ((y - y.mean()) ** 2).sum()
    left = ((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum()
    return bool(spread > 0 and left <= (1 - DETERMINED) * spread)


def _alone(values: pd.Series, wanted: np.ndarray, cv: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """The share of what is `wanted` (rows × columns) that a small tree on one column explains.

    On rows held out; on a few that it learnt from where that is too little already.
    """
    from sklearn.model_selection import cross_val_predict
    from sklearn.tree import DecisionTreeRegressor

    codes = _number(values) if _is_number(values) else pd.Series(pd.factorize(values, sort=True)[0])
    column = codes.to_numpy(dtype=float)[:, None]
    tree = DecisionTreeRegressor(min_samples_leaf=5, random_state=0)
    thin = slice(None, None, max(1, len(column) // 1000))
    known = _share(wanted[thin], tree.fit(column[thin], wanted[thin]).predict(column[thin]))
    return known if known < SUSPICIOUS else _share(wanted, cross_val_predict(tree, column, wanted, cv=cv))


def _share(wanted: np.ndarray, said: np.ndarray) -> float:
    """Explained variance, over all columns together."""
    left = ((wanted - said.reshape(wanted.shape)) ** 2).sum()
    return float(1 - left / ((wanted - wanted.mean(axis=0)) ** 2).sum())


def _indicators(target: pd.Series) -> np.ndarray:
    return pd.get_dummies(target.astype(str)).to_numpy(dtype=float)
