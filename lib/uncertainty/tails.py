"""Whether a mean of squares can have an interval: if tails are too heavy, squares have no variance.

The mean of squares needs a finite fourth moment of the errors, which Student's t has with more than four
degrees of freedom. The tail is judged by Hill's estimate (the mean logarithm of how far the largest lie above
a threshold), beside what t itself would give at the same share of rows, as the estimate alone is biased.
"""

import functools

import numpy as np

#: With fewer rows than this the largest ones are too few to say anything of a tail.
ROWS = 300
#: The degrees of freedom at which squared errors begin to lack a variance.
BORDER = 4.0
#: Degrees that a sample is compared with.
DEGREES = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0, 12.0, 20.0)
#: The largest tenth says if a tail is heavy, the largest fifth which t it is like, the outermost if it ends.
TENTH, FIFTH, OUTERMOST, FEWEST = 0.1, 0.2, 0.01, 10
#: So many standard errors below its t, and the tail ends: one in ten of true t is taken for such.
ENDS = 1.2


def heavy(sizes: np.ndarray) -> bool:
    """Whether errors of these absolute sizes (n,) seem to have no finite fourth moment.

    Heavy in the largest tenth is not enough: errors of what never takes longer than an hour are, too.
    Such a tail *ends*: in its outermost hundredth Hill's estimate falls below that of the t that fits the
    largest fifth, and is not clearly above that of four degrees either.
    """
    n = len(sizes)
    if n < ROWS:
        return False
    outermost = max(FEWEST, round(OUTERMOST * n))
    largest = np.sort(np.partition(sizes, n - round(FIFTH * n) - 1)[-round(FIFTH * n) - 1 :])[::-1]
    if largest[-1] <= 0 or hill(largest, round(TENTH * n)) <= of_t(BORDER, TENTH):
        return False
    share = outermost / n
    curves = [(of_t(degrees, FIFTH), of_t(degrees, share)) for degrees in reversed(DEGREES)]
    like = np.interp(hill(largest, round(FIFTH * n)), *np.transpose(curves))
    error, found = 1 / np.sqrt(outermost), hill(largest, outermost)
    ends = found < like * np.exp(-ENDS * error) and found < of_t(BORDER, share) * np.exp(ENDS * error)
    return not ends


def hill(largest: np.ndarray, count: int) -> float:
    """Hill's estimate from the `count` largest of falling sizes: of a pure power 1 / (tail index)."""
    return float(np.log(largest[:count] / largest[count]).mean())


@functools.cache
def of_t(degrees: float, share: float) -> float:
    """What Hill's estimate is for Student's t, above the threshold that this share of rows exceeds."""
    from scipy import stats

    middles = (np.arange(4000) + 0.5) / 4000
    return float(np.log(stats.t.isf(share * middles / 2, degrees) / stats.t.isf(share / 2, degrees)).mean())
