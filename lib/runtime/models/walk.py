"""The trees of a booster for very many rows, compiled by numba: `make bench ONLY=prediction` has the gain.

XGBoost takes a row to its leaf before it begins with the next, and waits for each node to come from
memory. Here a block of rows takes each step together, so that the processor fetches many nodes at once.
"""

import joblib
import numba
import numpy as np

from .trees import Trees

#: Rows that take a step together: their columns still fit into the processor's nearest cache.
BLOCK = 128


def sums(trees: Trees, X: np.ndarray) -> np.ndarray:
    """Of rows (float32) the sums of their leaves: XGBoost's and `Trees.sums` to the last bit."""
    gaps = np.flatnonzero(np.isnan(X).any(axis=0))
    # a column with gaps stands there twice: NaN is not above any threshold, infinity is above each
    above = np.arange(trees.columns + 1)
    above[gaps] = trees.columns + 1 + np.arange(len(gaps))
    column = np.where(trees.gap_left, trees.column, above[trees.column]) * BLOCK
    nodes = [part.astype(np.uint32) for part in (trees.roots, trees.left, column)]
    nodes += [trees.threshold, trees.value, trees.base, trees.depth]
    out, cores = np.empty(len(X), np.float32), joblib.cpu_count()
    joblib.Parallel(cores, require="sharedmem")(  # whatever backend the caller has set
        joblib.delayed(_walk)(part, filled, gaps, *nodes)
        for part, filled in zip(np.array_split(X, cores), np.array_split(out, cores), strict=True)
    )
    return out


@numba.njit(nogil=True)
def _walk(X, out, gaps, roots, left, column, threshold, value, base, depth):  # type: ignore[no-untyped-def]
    """Fill `out`; a column's values of one block lie side by side, and `column` says where they begin."""
    n, columns = X.shape
    x = np.full((columns + 1 + len(gaps)) * BLOCK, -np.inf, np.float32)
    node = np.empty(BLOCK, np.uint32)
    total = np.empty(BLOCK, np.float32)
    for begin in range(0, n, BLOCK):
        size = min(BLOCK, n - begin)
        for i in range(size):
            for j in range(columns):
                x[j * BLOCK + i] = X[begin + i, j]
        for g in range(len(gaps)):
            for i in range(size):
                own = x[gaps[g] * BLOCK + i]
                x[(columns + 1 + g) * BLOCK + i] = np.float32(np.inf) if np.isnan(own) else own
        total[:] = base
        for root in roots:
            node[:] = root
            for _ in range(depth):
                for i in range(BLOCK):
                    at = node[i]
                    is_right = x[column[at] + np.uint32(i)] >= threshold[at]
                    node[i] = left[at] + np.uint32(is_right)
            for i in range(BLOCK):
                total[i] += value[node[i]]
        for i in range(size):
            out[begin + i] = total[i]
