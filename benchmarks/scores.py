"""What is scored by our own code beside scikit-learn's: the area under curves, and shuffled columns."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

#: Rows and classes of the area; rows and columns of the shuffling.
ROWS, CLASSES = 20_000, 15
FEW, COLUMNS = 300, 500


def run() -> dict[str, float]:
    """Measure both sides, which must find the same; gives the figures for outputs/bench.json."""
    figures = {"auc_speedup": area(), "permutation_speedup": shuffling()}
    print(f"\nbeside scikit-learn: the area {figures['auc_speedup']:.1f} times as fast, ", end="")
    print(f"{COLUMNS} shuffled columns {figures['permutation_speedup']:.1f} times")
    return figures


def area(rows: int = ROWS, classes: int = CLASSES) -> float:
    """How many times as fast the area of one class against another, over all pairs, is found."""
    from sklearn.metrics import roc_auc_score

    from lib import evaluation

    rng, names = np.random.default_rng(0), [f"c{number:02}" for number in range(classes)]
    y = np.concatenate([names, rng.choice(names, rows - classes)])
    said = pd.DataFrame(rng.dirichlet(np.ones(classes), rows), columns=names)
    ours, one = _timed(lambda: evaluation.metric("auc", "classification", y, said))
    theirs, other = _timed(lambda: roc_auc_score(y, said, multi_class="ovo", average="macro"))
    assert np.isclose(one, other), "both must find the same area"
    return round(theirs / ours, 1)


def shuffling(columns: int = COLUMNS, repeats: int = 2) -> float:
    """How many times as fast columns are shuffled one by one."""
    from sklearn.inspection import permutation_importance

    from lib.explain import leaning
    from lib.runtime.features import FeatureSet, Serving, encode
    from lib.runtime.inference import InferencePipeline
    from lib.runtime.schema import Column, Target

    names = [f"x{number}" for number in range(columns)]
    features = FeatureSet("all", "all", (encode("number", *names),))
    known = {name: Column("number", "") for name in names}
    serving = Serving("made", "regression", Target("y", "", ""), known, {}, {"all": features})
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(FEW, columns)), columns=names)
    y = 5 * rows["x0"] + rows["x1"]
    model = InferencePipeline(serving, "all", "linear_regression", {}, random_state=1).fit(rows, y)
    ours, table = _timed(lambda: leaning.permutation(model, rows, y, "rmse", repeats=repeats))
    asked = {"n_repeats": repeats, "scoring": "neg_root_mean_squared_error", "random_state": 0}
    theirs, found = _timed(lambda: permutation_importance(model, rows, y, **asked))
    assert table.index[0] == names[found.importances_mean.argmax()], "both must name the same column"
    return round(theirs / ours, 1)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found
