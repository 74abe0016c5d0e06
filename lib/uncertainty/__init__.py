"""How sure a figure is: the 95 % interval of a metric, and of the difference of two models on the same rows.

The interval is that of the *studentised bootstrap* (bootstrap-t, which SciPy has not): rows are drawn with
replacement, each draw's distance from the figure is measured in that draw's own standard error, and the
quantiles of these distances take the place of the normal ones. Rows that belong together (a day, a group) are
drawn together, as `blocks`. Where no interval would hold there is none, and a reason. The metrics are
in `lib.evaluation`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib import evaluation
from lib.evaluation import Prediction, Truth
from lib.uncertainty import statistics, tails
from lib.uncertainty.statistics import Statistic, Units
from lib.wording import signed

#: Of fewer rows or blocks no draw says anything of others.
FEWEST = 10
#: Of fewer draws none lies in the outer fortieth on either side.
DRAWS = 39
#: So many draws may fail, as they hold one class alone, say, before what the others say is no longer 95 %.
FAILED = 0.01
#: Metrics without a bound on what a row may add: a heavy tail leaves them without an interval,
UNBOUNDED = ("rmse", "mae", "r2", "log_loss")
#: and this one is offered instead.
IN_PLACE = {"rmse": "mae", "r2": "mae"}
#: Weights of draws and units at once: so few stay in the processor's cache.
AT_ONCE = 100_000


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval, or with the `reason` why there is none: `low`, `high` are NaN then.

    `drawn` says what was drawn (`31 days`); `draws` has a row a draw: the metric as `value`, or `gain` and
    the two sides' metrics `one` and `other`. Where heavy tails forbid the interval, `instead` is the MAE's.
    """

    metric: str
    value: float
    low: float
    high: float
    reason: str
    drawn: str
    draws: pd.DataFrame = field(compare=False, repr=False)
    instead: "Interval | None" = None

    @property
    def usable(self) -> "Interval | None":
        """This one, or the one that is offered in its place; None where neither holds."""
        return next((one for one in (self, self.instead) if one and not one.reason), None)

    def said(self, unit: str = "") -> str:
        """`+0.12 min (+0.08 to +0.16)`, or the figure and why it has no interval."""
        figure = signed(self.value, unit)
        if not self.reason:
            return f"{figure} ({signed(self.low)} to {signed(self.high)})"
        place = (
            f"; in its place {self.instead.metric.upper()} {self.instead.said(unit)}" if self.instead else ""
        )
        return f"{figure} (no interval: {self.reason}{place})"


@dataclass(frozen=True)
class _Sample:
    """Metrics of the same units, each with a sign: 1 alone is a metric, 1 and -1 are a difference."""

    metrics: Sequence[Statistic]
    signs: np.ndarray
    count: int

    def at(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of units drawn so many times (draws, units): each metric (metrics, draws), their sum, its error."""
        figures = [metric.at(weights) for metric in self.metrics]
        each = np.stack([value for value, _ in figures])
        moved = sum(sign * moved for sign, (_, moved) in zip(self.signs, figures, strict=True))
        variance = (weights * moved**2).sum(axis=1) * self.count / max(self.count - 1, 1)
        return each, self.signs @ each, np.sqrt(variance)

    def drawn(self, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same of units drawn with replacement."""
        parts = [self.at(weights) for weights in _weights(self.count, draws, seed)]
        each, total, error = (np.concatenate(some, axis=-1) for some in zip(*parts, strict=True))
        return each, total, error

    def sizes(self) -> np.ndarray:
        """What each row adds to the sum, without its sign."""
        parts = zip(self.signs, self.metrics, strict=True)
        return np.abs(sum(sign * metric.sizes() for sign, metric in parts))


@dataclass(frozen=True)
class _Scale:
    """Where a metric is measured so that its variance moves little with it; the slope there; and back."""

    to: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]


_PLAIN = _Scale(lambda value: value, np.ones_like, lambda scaled: scaled)
_LOG = _Scale(np.log, lambda value: 1 / value, np.exp)
_LEFT = _Scale(
    lambda value: -np.log1p(-value), lambda value: 1 / (1 - value), lambda scaled: -np.expm1(-scaled)
)
_LOGIT = _Scale(
    lambda value: np.log(value / (1 - value)),
    lambda value: 1 / (value * (1 - value)),
    lambda scaled: 1 / (1 + np.exp(-scaled)),
)
_SCALES = dict.fromkeys(("rmse", "mae", "log_loss"), _LOG) | {"r2": _LEFT}
_SCALES |= dict.fromkeys(("auc", "accuracy", "f1"), _LOGIT)


def of_metric(
    name: str,
    task: str,
    y: Truth,
    prediction: Prediction,
    *,
    blocks: pd.Series | None = None,
    draws: int = 999,
    seed: int = 42,
) -> Interval:
    """A metric of these rows and its interval; rows that are alike in `blocks` are drawn together."""
    sides = {"value": (1, prediction)}
    return _interval(name, task, y, sides, _SCALES.get(name, _PLAIN), blocks, draws, seed)


def of_gain(
    name: str,
    task: str,
    y: Truth,
    one: Prediction,
    other: Prediction,
    *,
    blocks: pd.Series | None = None,
    draws: int = 999,
    seed: int = 42,
) -> Interval:
    """How much better `one` is than `other` on the same rows, and its interval: positive means better."""
    way = evaluation.sign(name)
    return _interval(name, task, y, {"one": (-way, one), "other": (way, other)}, _PLAIN, blocks, draws, seed)


def _interval(
    name: str,
    task: str,
    y: Truth,
    sides: Mapping[str, tuple[int, Prediction]],
    scale: _Scale,
    blocks: pd.Series | None,
    draws: int,
    seed: int,
) -> Interval:
    """The interval of a sum of metrics, each with its sign."""
    truth = np.asarray(y, dtype=float) if task == "regression" else np.asarray(y).astype(str)
    signs, predictions = np.array([sign for sign, _ in sides.values()]), [side for _, side in sides.values()]
    units = Units.of(truth, predictions, blocks)
    built = [statistics.build(name, task, truth, side, units) for side in predictions]
    sample = _Sample(built, signs, len(units.starts))
    value, error = (float(one[0]) for one in sample.at(np.ones((1, sample.count)))[1:])
    each, total, errors = sample.drawn(draws, seed)
    what = f"{sample.count:,} {'rows' if blocks is None else blocks.name or 'groups'}"
    low, high, reason, instead = np.nan, np.nan, "", None
    if sample.count < FEWEST:
        reason = f"{what} are too few, it takes {FEWEST}"
    elif draws < DRAWS:
        reason = f"{draws} draws are too few, it takes {DRAWS}"
    elif not np.isfinite(value):
        reason = f"{name} cannot be computed on these {what}"
    elif len(predictions) == 2 and statistics.alike(*predictions):
        low = high = 0.0
    elif name in UNBOUNDED and tails.heavy(np.sqrt(sample.sizes())):
        their = "their squares" if name in ("rmse", "r2") else "they"
        reason = f"the tail of the errors is so heavy that {their} seem to have no finite variance"
        if name in IN_PLACE:
            again = of_gain if len(predictions) == 2 else of_metric
            instead = again(IN_PLACE[name], task, y, *predictions, blocks=blocks, draws=draws, seed=seed)
    else:
        low, high = _limits(scale, value, error, total, errors)
        if not np.isfinite([low, high]).all():
            low = high = np.nan
            reason = f"of these {what} too few differ from the others to tell what others would be like"
    shown = dict(zip(sides, each, strict=True))
    if len(sides) == 2:
        shown = {"gain": total, **shown}
    return Interval(name, value, float(low), float(high), reason, what, pd.DataFrame(shown), instead)


def _limits(
    scale: _Scale, value: float, error: float, drawn: np.ndarray, errors: np.ndarray
) -> tuple[float, float]:
    """Both ends, by quantiles of the draws' distances in their own errors; NaN where too many have none."""
    with np.errstate(all="ignore"):
        middle = scale.to(np.array(value))
        step = scale.slope(np.array(value)) * error
        distances = (scale.to(drawn) - middle) / (scale.slope(drawn) * errors)
        finite = distances[np.isfinite(distances)]
        if error <= 1e-9 * np.abs(drawn).max() or len(finite) < (1 - FAILED) * len(drawn):
            return float("nan"), float("nan")
        least, most = np.quantile(finite, [0.025, 0.975], method="weibull")
        return float(scale.back(middle - most * step)), float(scale.back(middle - least * step))


def _weights(count: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of `count` units is drawn (draws, count), as many draws at once as memory is for."""
    rng, at_once = np.random.default_rng(seed), max(4, AT_ONCE // count)
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        picked = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        yield np.bincount(picked.ravel(), minlength=size * count).reshape(size, count).astype(float)
