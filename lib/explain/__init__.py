"""Why a model predicts what it does: each feature's share of single predictions (SHAP), in the target's unit.

Raw columns are in `lib.explain.leaning`, what features are called in `lib.explain.names`; what is found is
drawn in `lib.plots.attributions`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lib.explain import names
from lib.runtime import models
from lib.runtime.encoders import Matrix
from lib.runtime.inference import InferencePipeline
from lib.wording import rounded

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

#: Deeper trees get the quick form of SHAP: the exact one grows with the square of the depth.
DEEP = 16
#: Letters of a value in a picture: two names of places, as of both ends of a trip.
MOST = 48


@dataclass
class Shares:
    """`moves` (rows × features) add up, with `base`, to what the model says of each row, in `unit`.

    `features` holds the encoded values behind them, NaN where they have no order; `shown` is what a reader is
    shown, where there is one the row's own value. `label` says what is explained, `about` is the dictionary.
    """

    moves: pd.DataFrame
    features: pd.DataFrame
    shown: pd.DataFrame
    base: float
    label: str
    unit: str
    about: pd.DataFrame

    def top(self, most: int) -> list[str]:
        """The features that move predictions most."""
        return list(self.moves.abs().mean().nlargest(most).index)

    def called(self, name: str) -> str:
        """What a feature is called."""
        return str(self.about["called"].get(name, name))

    def dictionary(self, most: int = 12) -> pd.DataFrame:
        """What the strongest features are, and when each is known."""
        table = self.about.reindex(self.top(most))
        return table.rename(columns={"called": "feature", "means": "what it is"}).set_index("feature")


def shares(
    pipeline: InferencePipeline,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    label: str | None = None,
    value_names: Mapping[str, Callable[[Any], str]] = MappingProxyType({}),
) -> Shares:
    """Each feature's share of each prediction, columns of one word list or one-hot block added up.

    Of classes, the shares in the probability of class `label`: by default, of two the second (the positive
    one), of more the one that is predicted most often here. A model that was fitted to a root, a logarithm or
    log odds has its shares there; what they make of the target is shared out along the straight way from the
    usual row to this one (Aumann and Shapley), so that the shares still add up. `value_names` say what values
    that are codes are called: those of the `Dataset`.
    """
    model, matrix, classes = pipeline.model_, pipeline.matrix(rows), models.classes(pipeline.model_)
    if isinstance(model, models.Sklearn):
        values, base = _sklearn(model, matrix, pipeline.matrix(background))
    elif isinstance(model, models.Boosted):
        values, base = _boosted(model, matrix)
    else:
        raise TypeError(f"No shares are known of a {type(model).__name__}.")
    groups, serving = pipeline.encoding_.groups_, pipeline.serving
    moves = _summed(values, groups)
    if classes:
        common = pd.DataFrame(pipeline.response(rows)).idxmax(axis=1).mode()[0]
        label = label or (classes[1] if len(classes) == 2 else str(common))
        which, said, unit = classes.index(label), f"probability of {label}", ""
        weights = getattr(model, "weights_", None)
        weights = np.ones(len(classes)) if weights is None else weights
        if _scores_log_odds(model):
            shared, start = _along(moves, base - np.log(weights), which)
        else:
            shared, start = _reweighted(moves, base, which, weights)
    else:
        said, unit = serving.target.name, serving.target.unit
        shared, start = _rescaled(moves[:, 0], base[0], model.back)
    order = list(dict.fromkeys(groups))
    features = pd.DataFrame(_summed(_dense(matrix), groups), columns=order)
    shown = features.map(lambda value: rounded(value, 4))
    own = {column: o for column, o in names.columns(serving, pipeline.encoding_).items() if column in order}
    engineered = serving.engineer(rows, [name for name in own if name in serving.derived])
    for name, ordered in own.items():
        shown[name] = [_said(value, value_names.get(name, _plain)) for value in engineered[name]]
        features[name] = features[name] if ordered else np.nan
    about = names.dictionary(serving, pipeline.encoding_)
    return Shares(pd.DataFrame(shared, columns=order), features, shown, float(start), said, unit, about)


def _said(value: object, named: Callable[[Any], str]) -> str:
    text = "missing" if pd.isna(value) else named(value)
    return text if len(text) <= MOST else f"{text[: MOST - 1].rstrip()}…"


def _plain(value: object) -> str:
    return rounded(value, 4) if isinstance(value, float) else str(value)


def _dense(matrix: Matrix) -> np.ndarray:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def _summed(values: np.ndarray, groups: list[str]) -> np.ndarray:
    """The last axis, columns of the matrix, added up to features."""
    codes, found = pd.factorize(pd.Series(groups))
    return np.stack([values[..., codes == code].sum(axis=-1, dtype=float) for code in range(len(found))], -1)


def _rescaled(
    moves: np.ndarray, base: float, back: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, float]:
    """Moves of one transformed score as moves of the target."""
    total = moves.sum(axis=1)
    start, ends = float(back(np.array([base]))[0]), back(base + total)
    step = 1e-6 * max(1.0, abs(base))
    slope = float(np.diff(back(np.array([base - step, base + step])))[0] / (2 * step))
    still = np.abs(total) < 1e-9
    return moves * np.where(still, slope, (ends - start) / np.where(still, 1, total))[:, None], start


def _reweighted(
    moves: np.ndarray, base: np.ndarray, which: int, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """Moves of probabilities (rows × classes × features) of one class, the weights of the fit undone."""
    plain = np.vstack([base, base + moves.sum(axis=2)]) / weights
    start, *ends = plain[:, which] / plain.sum(axis=1)
    total = moves[:, which].sum(axis=1)
    moving = np.where(np.abs(total) < 1e-9, 1, total)
    return moves[:, which] * ((np.array(ends) - start) / moving)[:, None], float(start)


def _along(moves: np.ndarray, base: np.ndarray, which: int) -> tuple[np.ndarray, float]:
    """Moves of log odds (rows × classes × features) as moves of the probability of one class."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    total, shared = moves.sum(axis=2), np.zeros((len(moves), moves.shape[2]))
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        chances = _softmax(base + node * total)
        mine = chances[:, which, None]
        slope = mine * ((np.arange(len(base)) == which) - chances)  # of my probability by each class's score
        shared += weight * np.einsum("rc,rcf->rf", slope, moves)
    return shared, float(_softmax(base[None])[0, which])


def _softmax(scores: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    return softmax(scores, axis=1)


def _scores_log_odds(model: models.Model) -> bool:
    """Whether a classifier's shares are log odds; those of a forest are probabilities."""
    if isinstance(model, models.Boosted):
        return True
    return isinstance(model, models.Sklearn) and hasattr(model.estimator_, "decision_function")


def _boosted(model: models.Boosted, matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """Shares (rows × classes or one × columns), and what they start from."""
    import xgboost

    booster = model.booster_
    deep = booster.num_boosted_rounds() > 0 and _depth(model) > DEEP
    values = booster.predict(xgboost.DMatrix(matrix), pred_contribs=True, approx_contribs=deep)
    values = values if values.ndim == 3 else values[:, None, :]
    return values[..., :-1], values[0, :, -1].astype(float)


def _depth(model: models.Boosted) -> int:
    config = json.loads(model.booster_.save_config())
    return int(config["learner"]["gradient_booster"]["tree_train_param"]["max_depth"])


def _sklearn(model: models.Sklearn, matrix: Matrix, background: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """The same of a line, of a forest, or of boosting."""
    last, parts = model.estimator_, [matrix, background]
    if hasattr(last, "steps"):
        parts = [last[:-1].transform(part) for part in parts]
        last = last[-1]
    here, usual = (_dense(part) for part in parts)
    if hasattr(last, "coef_"):
        weights, base = np.atleast_2d(last.coef_), np.atleast_1d(last.intercept_).astype(float)
        values = (here - usual.mean(axis=0))[:, None, :] * weights
        return _of_two(model, values, base + weights @ usual.mean(axis=0))
    trees = getattr(last, "estimators_", None)
    if isinstance(trees, np.ndarray) and trees.ndim == 2 and trees.shape[1] > 1:
        return _stages(last, here)
    import shap

    explained = shap.TreeExplainer(last)(here, check_additivity=False)
    values, bases = np.asarray(explained.values), np.asarray(explained.base_values, dtype=float)
    if values.ndim == 3:
        return values.transpose(0, 2, 1), bases.reshape(-1, values.shape[2]).mean(axis=0)
    return _of_two(model, values[:, None, :], np.array([bases.mean()]))


def _of_two(model: models.Sklearn, values: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of two classes most models score the second alone, and the first stays at zero."""
    if len(models.classes(model) or ()) != 2 or values.shape[1] == 2:
        return values, base
    return np.concatenate([np.zeros_like(values), values], axis=1), np.array([0.0, base[0]])


def _stages(last: "BaseEstimator", here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient boosting of several classes tree by tree: shap takes it as a whole for two only."""
    import shap

    def of_class(trees: np.ndarray) -> np.ndarray:
        parts = (shap.TreeExplainer(tree).shap_values(here, check_additivity=False) for tree in trees)
        return last.learning_rate * sum(np.asarray(part) for part in parts)

    values = np.stack([of_class(trees) for trees in last.estimators_.T], axis=1)
    return values, (last.decision_function(here) - values.sum(axis=2)).mean(axis=0)
