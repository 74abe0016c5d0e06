"""How much better one model is than others on the same rows: a table for the reader, and its sentence."""

from collections.abc import Mapping

import pandas as pd

from lib import uncertainty
from lib.evaluation import Prediction, Truth
from lib.uncertainty import Interval


def over(
    metric: str,
    task: str,
    truth: Truth,
    predictions: Mapping[str, Prediction],
    selected: str,
    *,
    blocks: pd.Series | None = None,
    draws: int = 200,
    seed: int = 42,
) -> dict[str, Interval]:
    """How much better `selected` is than each other model, by the other's name."""
    ways = {"blocks": blocks, "draws": draws, "seed": seed}
    return {
        name: uncertainty.of_gain(metric, task, truth, predictions[selected], other, **ways)  # type: ignore[arg-type]
        for name, other in predictions.items()
        if name != selected
    }


def table(gained: Mapping[str, Interval]) -> pd.DataFrame:
    """A row each: what was gained, both ends of the interval, and what was drawn, or why there is none."""
    rows = [(one.value, one.low, one.high, one.reason or f"{one.drawn} drawn") for one in gained.values()]
    metric = next((one.metric for one in gained.values()), "")
    columns = [f"{metric} gained", "low", "high", "interval"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(gained, name="better than"))


def beats(one: Interval) -> bool | None:
    """Whether a gain is more than luck; None where nobody can say, as it has no interval."""
    if one.value <= 0:
        return False
    return one.usable.low > 0 if one.usable else None


def read_beats(beats: bool | None) -> str:
    """Whether the model knows more than the constant."""
    if beats is None:
        return "**Mind: this gain has no interval, so nobody can say if it is more than luck.**"
    if beats:
        return "It can: against the constant the gain is more than luck."
    return "**Mind: these rows cannot tell the model from one that always answers the same.**"


def read(gained: Mapping[str, Interval], unit: str = "") -> str:
    """The gains in words; where an interval is refused, so is the word `surely`."""
    said = [f"{one.said(unit)} against {name}, {_sure(one)}" for name, one in gained.items()]
    metric = next((one.metric for one in gained.values()), "")
    return f"The refitted model's gain in {metric}: " + "; ".join(said) + "."


def _sure(one: Interval) -> str:
    if one.usable is None:
        return "nobody can say if that is luck"
    better = "better" if one.usable.low > 0 else "worse" if one.usable.high < 0 else ""
    by = f" by {one.usable.metric.upper()}" if one.reason else ""
    return f"surely {better}{by}" if better else f"not told apart{by}"
