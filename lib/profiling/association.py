"""What a column tells of the target on rows held out, so that noise and many names tell nothing.

And when a sentence may speak: of enough rows, and of what is more than chance.
"""

import numpy as np
import pandas as pd

BINS = 20  # equal parts that a number is cut into where it is compared with the target
FOLDS = 5  # parts of the rows, each held out once
HELD_BACK = 5  # rows of the overall mean that a group's mean is held back by
ENOUGH = 30  # rows that a sentence about a group of them needs


def groups(values: pd.Series, kind: str = "number") -> pd.Series:
    """A number cut at its quantiles into `BINS` parts (missing: one more), anything else as it is."""
    if kind == "number" and pd.api.types.is_numeric_dtype(values) and values.nunique() > BINS:
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        gaps = np.isnan(numbers)
        edges = np.unique(np.quantile(numbers[~gaps], np.linspace(0, 1, BINS + 1)))
        codes = np.maximum(np.searchsorted(edges, numbers), 1) - 1  # as `pd.qcut` does, but ten times quicker
        return pd.Series(np.where(gaps, -1, codes), index=values.index)
    return pd.Series(values.factorize(use_na_sentinel=False)[0], index=values.index)


def explained(values: pd.Series, target: pd.Series, kind: str = "number") -> float:
    """The share of the target's variance that a column tells of rows held out, from 0 to 1: see `told`."""
    return told(groups(values, kind), as_numbers(target), held_out(len(target)))


def as_numbers(target: pd.Series) -> np.ndarray:
    """A number as one column, of classes a column of 0 and 1 each."""
    if _is_number(target):
        return target.to_numpy(dtype=float)[:, None]
    return pd.get_dummies(target).to_numpy(float)


def held_out(rows: int, blocks: pd.Series | None = None) -> np.ndarray:
    """For each row the number of its fold; rows of one block, a day or a group, stand in one."""
    from sklearn.model_selection import GroupKFold, KFold

    units = rows if blocks is None else blocks.nunique()
    together = blocks is not None and units > 1
    count = max(2, min(FOLDS, units if together else rows))
    splitter = (GroupKFold if together else KFold)(count, shuffle=True, random_state=0)
    fold = np.zeros(rows, dtype=int)
    if rows > 1:
        for number, (_, held) in enumerate(splitter.split(fold, groups=blocks if together else None)):
            fold[held] = number
    return fold


def told(codes: pd.Series, wanted: np.ndarray, fold: np.ndarray) -> float:
    """The share of the variance of `wanted` (a column, or one a class) that the groups `codes` tell.

    A row is guessed by the mean of its group in the other folds, which the mean of all their rows is added to
    as `HELD_BACK` rows more: a name that comes once tells nothing, however many there are. Of classes the
    variance is Gini's. No better than one answer for all is 0.
    """
    numbers, off = codes.factorize()[0], np.zeros(2)
    for number in range(fold.max() + 1 if len(fold) else 0):
        off += missed(numbers, wanted, fold != number, fold == number)
    return share(off)


def missed(numbers: np.ndarray, wanted: np.ndarray, taught: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Squared errors on the rows `held`: of the means of like rows `taught`, and of one mean for all."""
    sizes, errors = np.bincount(numbers[taught], minlength=numbers.max() + 1), np.zeros(2)
    for column in wanted.T:
        usual = column[taught].mean()
        sums = np.bincount(numbers[taught], weights=column[taught], minlength=len(sizes))
        guess = (sums + HELD_BACK * usual) / (sizes + HELD_BACK)
        errors += ((column[held] - guess[numbers[held]]) ** 2).sum(), ((column[held] - usual) ** 2).sum()
    return errors


def share(errors: np.ndarray) -> float:
    """What of the second of two sums of squared errors the first one has not."""
    return max(0.0, 1 - float(errors[0] / errors[1])) if errors[1] > 0 else 0.0


def tells(share: float, rows: int) -> bool:
    """Whether a share told of rows held out is more than the best of many columns gets by luck."""
    return share > 0.01 + 20 / rows


def bend(values: pd.Series, target: pd.Series, blocks: pd.Series | None = None) -> float:
    """By how much a straight line through the medians of a number's parts tells less than the parts do."""
    there = values.notna().to_numpy()
    values, target = values[there], target[there].to_numpy(dtype=float)
    fold = held_out(len(values), None if blocks is None else blocks[there])
    codes = groups(values)
    middle = values.groupby(codes).transform("median").to_numpy(dtype=float)
    off = base = 0.0
    for number in range(fold.max() + 1):
        held = fold == number
        line = np.polynomial.Polynomial.fit(middle[~held], target[~held], 1)
        off += ((target[held] - line(middle[held])) ** 2).sum()
        base += ((target[held] - target[~held].mean()) ** 2).sum()
    return told(codes, target[:, None], fold) - max(0.0, 1 - off / base)


def even(counts: pd.Series) -> bool:
    """Whether counts differ by no more than chance lets equal ones differ (chi-squared, level 0.001)."""
    from scipy import stats

    return len(counts) < 2 or bool(stats.chisquare(counts).pvalue > 0.001)


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
