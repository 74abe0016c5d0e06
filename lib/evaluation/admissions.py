"""What the columns that are known only afterwards are worth: the same quick model with and without them."""

import pandas as pd

from lib import evaluation
from lib.runtime.features import Serving
from lib.runtime.inference import InferencePipeline
from lib.wording import lead, rounded

#: Boosting that nobody tuned, the same for both sets of features: quick, and fair to either.
QUICK = {"num_boost_round": 60, "learning_rate": 0.2, "max_depth": 6, "subsample": 0.8}
#: So many training rows are enough to tell the two apart.
MOST = 10_000


def counterpart(serving: Serving, name: str) -> str | None:
    """The feature set most like `name` that differs in whether it uses what is known only after; or None."""
    mine, admits = set(serving.inputs(serving.feature_sets[name])), bool(serving.late(name))
    others = {
        other: set(serving.inputs(serving.feature_sets[other]))
        for other in serving.feature_sets
        if bool(serving.late(other)) != admits
    }
    alike = {other: len(mine & inputs) / len(mine | inputs) for other, inputs in others.items()}
    return max(alike, key=lambda other: alike[other]) if alike else None


def side_by_side(
    serving: Serving, name: str, metric: str, train: pd.DataFrame, validation: pd.DataFrame, **given: object
) -> pd.DataFrame:
    """Validation figures of the quick model on the feature set `name` and its counterpart, the honest first.

    Empty where all sets of the problem admit alike. `given` goes to the pipeline: seed, threads, groups.
    """
    other, target = counterpart(serving, name), serving.target.name
    if other is None:
        return pd.DataFrame()
    fewer = train.sample(min(len(train), MOST), random_state=0)
    rows = []
    for one in sorted((name, other), key=lambda one: bool(serving.late(one))):
        pipeline = InferencePipeline(serving, one, "xgboost", QUICK, **given)  # type: ignore[arg-type]
        said = pipeline.fit(fewer, fewer[target]).response(validation)
        late = ", ".join(serving.late(one)) or "none"
        rows.append((one, late, evaluation.metric(metric, serving.task, validation[target], said)))
    return pd.DataFrame(rows, columns=["features", "known only after", metric]).set_index("features")


def read(table: pd.DataFrame, used: str) -> str:
    """The two figures in words."""
    if table.empty:
        return "All feature sets of this problem are alike in that: there is nothing to compare."
    (honest, told), metric = table.index, table.columns[-1]
    one, other = table[metric]
    gain = lead(evaluation.sign(metric) * (one - other), one)
    easier = "they answer the easier question" if used == told else "they answer the harder question"
    return (
        f"Validation {metric} of a quick, untuned model: **{rounded(one, 4)}** on `{honest}`, "
        f"which keeps to what is known before, **{rounded(other, 4)}** on `{told}`, which is told "
        f"{table.loc[told, 'known only after']} ({gain}). All other figures here are those "
        f"of `{used}`: {easier}."
    )
