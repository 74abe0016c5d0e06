"""The trees of a booster as arrays, for a few rows: `make bench ONLY=prediction` has what that saves.

XGBoost goes from tree to tree and fetches each for a single walk. Here all trees take their first step
together, then the second; the sum of the leaves is XGBoost's to the last bit.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..schema import Settings

if TYPE_CHECKING:
    import xgboost

#: Bytes of a booster at most, about a million nodes: reading more takes longer than few rows are worth.
MOST = 40_000_000
#: Objectives whose answer is the sum of the leaves as it stands.
PLAIN = {"reg:squarederror", "reg:absoluteerror"}


class Trees:
    """All nodes of all trees in one row of arrays; of two children the right one follows the left one.

    A leaf asks the column after the last one, which is always below its threshold, and leads to itself.
    """

    def __init__(self, trees: Sequence[Settings], base: np.float32, columns: int) -> None:
        """`trees` as in XGBoost's JSON; `base`: what is added to the sum of the leaves."""
        self.columns, self.base, self.depth = columns, base, 0
        parts = [self._flat(tree) for tree in trees]
        sizes = [len(left) for left, *_ in parts]
        self.roots = np.cumsum([0, *sizes[:-1]])
        left, self.column, self.threshold, self.gap_left, self.value = (
            np.concatenate(part) for part in zip(*parts, strict=True)
        )
        self.left = left + np.repeat(self.roots, sizes)

    @classmethod
    def of(cls, booster: "xgboost.Booster") -> "Trees | None":
        """The trees of a booster of one number a row; None of any other, or of a very large one."""
        if len(booster.save_raw("ubj")) > MOST:
            return None
        learner = learnt(booster)
        boosting, objective = learner["gradient_booster"], learner["objective"]["name"]
        if boosting["name"] != "gbtree" or objective not in PLAIN or not booster.num_boosted_rounds():
            return None
        trees = boosting["model"]["trees"]
        base = np.atleast_1d(json.loads(learner["learner_model_param"]["base_score"])).astype(np.float32)
        if len(base) > 1 or any(tree["categories_nodes"] for tree in trees):
            return None
        return cls(trees, base[0], booster.num_features())

    def _flat(self, tree: Settings) -> tuple[np.ndarray, ...]:
        """A tree's nodes, level by level: left child, column, threshold, whether a gap goes left, value."""
        left, right = np.asarray(tree["left_children"]), np.asarray(tree["right_children"])
        level, order, depth = np.zeros(1, int), [np.zeros(1, int)], 0
        while (inner := level[left[level] >= 0]).size:
            level = np.column_stack([left[inner], right[inner]]).ravel()
            order.append(level)
            depth += 1
        self.depth = max(self.depth, depth)
        nodes = np.concatenate(order)
        is_leaf = left[nodes] < 0
        children = np.where(is_leaf, np.arange(len(nodes)), 2 * np.cumsum(~is_leaf) - 1)
        split = np.asarray(tree["split_conditions"], np.float32)[nodes]
        column = np.where(is_leaf, self.columns, np.asarray(tree["split_indices"])[nodes])
        gap_left = is_leaf | np.asarray(tree["default_left"], bool)[nodes]
        threshold, value = (
            np.where(is_leaf, np.float32(np.inf), split),
            np.where(is_leaf, split, np.float32(0)),
        )
        return children, column, threshold, gap_left, value

    def sums(self, X: np.ndarray) -> np.ndarray:
        """Of rows (float32) the sums of their leaves, added one after another in the order of the trees."""
        rows = np.column_stack([X, np.full(len(X), -np.inf, np.float32)])
        gaps = np.isnan(rows) if np.isnan(X).any() else None
        first = np.arange(len(X))[:, None] * rows.shape[1]
        node = np.broadcast_to(self.roots, (len(X), len(self.roots)))
        for _ in range(self.depth):
            at = self.column.take(node) + first
            goes_left = rows.take(at) < self.threshold.take(node)
            if gaps is not None:
                goes_left |= gaps.take(at) & self.gap_left.take(node)
            node = self.left.take(node) + ~goes_left
        terms = np.column_stack([np.full(len(X), self.base), self.value.take(node)])
        return np.add.accumulate(terms, axis=1, dtype=np.float32)[:, -1]


def learnt(booster: "xgboost.Booster") -> Settings:
    """What XGBoost stores of a booster, as plain data."""
    learner: Settings = json.loads(bytes(booster.save_raw("json")))["learner"]
    return learner
