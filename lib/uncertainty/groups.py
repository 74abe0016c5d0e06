"""Whether the worst of many groups is worse than all rows by more than luck: some group always comes last."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from lib import evaluation, uncertainty
from lib.evaluation import Prediction, Truth

DRAWS = 199


def stands_out(
    table: pd.DataFrame,
    name: str,
    task: str,
    y: Truth,
    prediction: Prediction,
    groups: Mapping[str, pd.Series],
    overall: float,
    *,
    blocks: pd.Series | None = None,
    seed: int = 42,
) -> bool:
    """Of the groups of `evaluation.by_slice`, whether the first is surely worse than `overall`.

    Its 95 % interval is stretched to the one that holds for all groups together (Bonferroni). Where it has
    none nobody is sure.
    """
    if table.empty:
        return False
    picked = np.flatnonzero(groups[table["slice"][0]].astype(str).to_numpy() == table["group"][0])
    truth, said = np.asarray(y)[picked], evaluation.take(prediction, picked)
    parts = None if blocks is None else blocks.iloc[picked]
    found = uncertainty.of_metric(name, task, truth, said, blocks=parts, draws=DRAWS, seed=seed)
    way, stretch = evaluation.sign(name), stats.norm.ppf(1 - 0.025 / len(table)) / stats.norm.ppf(0.975)
    near = found.low if way > 0 else found.high  # the end that lies towards the better ones
    return bool(way * (found.value - overall) > stretch * abs(found.value - near))
