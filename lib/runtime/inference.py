"""Derive, encode, predict as one object, saved and loaded as numbers, names and one model file: no pickle.

What MLflow needs around it, and the stored copy of this package, are made by `lib.packaging`.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import ClassifierTags, RegressorTags, Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from . import conformal, encoders, models
from .errors import InferenceError
from .features import Serving
from .schema import Converted, Schema, Settings, digest, kinds, marks

#: Of `about.json`; a folder of another format is refused, or asked by its own stored code.
FORMAT = 3


class InferencePipeline(BaseEstimator):
    """The whole way from a raw row to a prediction, as a scikit-learn regressor or classifier of raw rows.

    Learnt are `schema_` (what a raw row must have), `encoding_`, `model_`, `about_` (plain data: what was
    fitted to what), `inputs_` ({raw column: number, text or time}), of a classifier `classes_`; and `seen_`,
    marks of the rows, which are not saved. A row that the schema refuses gets NaN (None for a class) and a
    reason, which `refused` gives; what the others get never depends on it.
    """

    schema_: Schema
    encoding_: encoders.Encoding
    model_: models.Model
    about_: Settings
    inputs_: dict[str, str]
    seen_: np.ndarray | None

    def __init__(
        self,
        serving: Serving,
        feature_set: str,
        family: str = "xgboost",
        parameters: Settings | None = None,
        *,
        settings: Settings | None = None,
        groups: Sequence[str] = (),
        random_state: int | None = 42,
        n_jobs: int = 1,
    ) -> None:
        """`family` is one of `models.ZOO` with its `parameters`, `settings` are those of the encoders.

        `groups`: columns; of rows that are alike in them no target mean of one knows another.
        """
        self.serving = serving
        self.feature_set = feature_set
        self.family = family
        self.parameters = parameters
        self.settings = settings
        self.groups = groups
        self.random_state = random_state
        self.n_jobs = n_jobs

    @classmethod
    def chosen(
        cls,
        serving: Serving,
        feature_set: str,
        choice: Settings,
        random_state: int | None = 42,
        n_jobs: int = 1,
        groups: Sequence[str] = (),
    ) -> "InferencePipeline":
        """The unfitted pipeline of a search's `choice`: family, parameters, maybe rounds and settings."""
        parameters = dict(choice["parameters"])
        if choice.get("rounds"):
            parameters["num_boost_round"] = choice["rounds"]
        return cls(
            serving,
            feature_set,
            choice["family"],
            parameters,
            settings=choice.get("settings"),
            groups=groups,
            random_state=random_state,
            n_jobs=n_jobs,
        )

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> "InferencePipeline":
        """Fit encoders and model on raw rows and their target; `X` may hold the target as a column, too."""
        serving, features = self.serving, self.serving.feature_set(self.feature_set)
        parameters = dict(self.parameters or {})
        self.encoding_ = encoders.Encoding(features.encodes, self.settings, self.random_state, self.groups)
        learnt = self.encoding_.training_columns
        columns = {name: serving.columns[name] for name in serving.needs(learnt)}
        converted = Schema.learn(X, columns).convert(X)
        rows, target = converted.rows[converted.kept], np.asarray(y)[converted.kept]
        schema = Schema.learn(X, {name: columns[name] for name in serving.inputs(features)})
        engineered = serving.engineer(rows, [name for name in learnt if name in serving.derived])
        matrix = self.encoding_.fit_transform(engineered, target)
        dense = isinstance(matrix, np.ndarray)
        model = models.build(self.family, parameters, serving.task, self.random_state, self.n_jobs, dense)
        labelled = X.assign(**{serving.target.name: pd.Series(y).set_axis(X.index)})
        row_columns = kinds(labelled)
        self.seen_ = np.unique(marks(labelled, row_columns))
        self._take(
            model.fit(matrix, target),
            {
                "problem": serving.name,
                "feature_set": self.feature_set,
                "family": self.family,
                "parameters": parameters,
                "settings": dict(self.settings or {}),
                "task": serving.task,
                "target": serving.target.name,
                "unit": serving.target.unit,
                "inputs": schema.plain(),
                "rows": len(rows),
                "columns": matrix.shape[1],
                "seed": self.random_state,
                "row_columns": row_columns,
                "marks": digest(self.seen_),
            },
        )
        return self

    def _take(self, model: models.Model, about: Settings) -> None:
        """Note a fitted model, and what follows from it and from the plain data about it."""
        self.model_, self.about_, self.schema_ = model, about, Schema.of(about["inputs"])
        self.inputs_ = {field.name: field.type for field in self.schema_.fields}
        if hasattr(model, "classes_"):
            self.classes_ = model.classes_
        columns = self.serving.feature_sets[self.feature_set].columns
        self._derived = [name for name in columns if name in self.serving.derived]

    @property
    def n_features_in_(self) -> int:
        """How many raw columns it needs; rows may have more."""
        return len(self.inputs_)

    def refused(self, X: pd.DataFrame) -> pd.Series:
        """Why rows get no prediction: a reason for each of these, by its label in `X`."""
        reasons = self._converted(X).refused
        return pd.Series(list(reasons.values()), X.index[list(reasons)], "str", name="reason")

    def matrix(self, rows: pd.DataFrame) -> encoders.Matrix:
        """What the model sees of raw rows; rows that it refuses are an error here."""
        converted = self._converted(rows)
        if converted.refused:
            first = next(iter(converted.refused.values()))
            raise InferenceError(f"{len(converted.refused):,} rows cannot be read. {first}.")
        return self._encoded(converted)

    def _fitted(self) -> "InferencePipeline":
        if not hasattr(self, "model_"):  # the check itself takes longer than this question
            check_is_fitted(self)
        return self

    def _converted(self, rows: pd.DataFrame) -> Converted:
        return self._fitted().schema_.convert(rows)

    def _encoded(self, read: Converted) -> encoders.Matrix:
        return self.encoding_.transform(self.serving.engineered(read.columns, read.index, self._derived))

    def _answers(
        self, rows: pd.DataFrame, ask: Callable[[encoders.Matrix], np.ndarray], none: np.ndarray
    ) -> np.ndarray:
        """What `ask` says of rows that can be read, shaped as `none` of no rows; of others NaN, or None."""
        converted = self._converted(rows)
        if not converted.refused:
            return ask(self._encoded(converted))
        kept = converted.kept
        found = ask(self._encoded(converted.only(kept))) if kept.any() else none
        gap, dtype = (None, object) if none.dtype == object else (np.nan, found.dtype)
        answers = np.full((len(rows), *none.shape[1:]), gap, dtype)
        answers[kept] = found
        return answers

    def predict(self, X: pd.DataFrame, interval: float | None = None) -> np.ndarray | pd.DataFrame:
        """A number for each raw row, or its likeliest class.

        With `interval`, say 0.9, a frame: `prediction`, `low`, `high`; of classes which are in the row's set.
        """
        if interval is None:
            labels = self.serving.task == "classification"
            return self._answers(X, self._fitted().model_.predict, np.empty(0, object if labels else float))
        if "errors" not in self._fitted().about_:
            raise InferenceError(
                "This model has no intervals: nobody has told it its errors (`learn_errors`)."
            )
        return conformal.around(self.response(X), self.about_["errors"], interval)

    def learn_errors(self, y: ArrayLike, response: np.ndarray | pd.DataFrame) -> "InferencePipeline":
        """Keep which errors to expect: those of a like model's `response` to rows it was not fitted on."""
        self.about_ = {**self.about_, "errors": conformal.learn(np.asarray(y), response)}
        return self

    def learn_means(self, y: ArrayLike, response: np.ndarray | pd.DataFrame) -> "InferencePipeline":
        """Be right on average from now on, by a like model's `response` to rows that it was not fitted on.

        Of numbers the mean, where √y or log y was fitted (`models.targets`); of classes their shares. Rows
        without a prediction have no part in it.
        """
        answered = np.asarray(pd.DataFrame(response).notna().all(axis=1))
        self.model_.learn_means(np.asarray(y)[answered], response[answered])
        return self

    def with_means_of(self, other: "InferencePipeline") -> "InferencePipeline":
        """The same with what a like pipeline has learnt of means, if it has."""
        for name in ("spread_", "weights_"):
            if hasattr(other.model_, name):
                setattr(self.model_, name, getattr(other.model_, name))
        return self

    @available_if(lambda self: self.serving.task == "classification")
    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probabilities, rows × `classes_`."""
        model = cast(models.Classifier, self._fitted().model_)
        return self._answers(X, model.predict_proba, np.empty((0, len(self.classes_))))

    def response(self, rows: pd.DataFrame) -> np.ndarray | pd.DataFrame:
        """What is scored and served: numbers, or a frame with a column of probabilities for each class."""
        if self.serving.task == "regression":
            return self._answers(rows, self._fitted().model_.predict, np.empty(0))
        return pd.DataFrame(self.predict_proba(rows), columns=models.classes(self.model_), index=rows.index)

    def score(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """R² of numbers, accuracy of classes, as any scikit-learn regressor or classifier has it."""
        kind = RegressorMixin if self.serving.task == "regression" else ClassifierMixin
        return float(kind.score(self, X, y, sample_weight))

    def __sklearn_tags__(self) -> Tags:
        """A regressor or a classifier by the problem's task; gaps and text are welcome."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        if self.serving.task == "regression":
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        else:
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        return tags

    def speed(self, rows: pd.DataFrame, single: int = 100) -> dict[str, float]:
        """Microseconds that a row takes alone (median of `single` calls) and in bulk, raw columns in."""

        def seconds(part: pd.DataFrame) -> float:
            start = time.perf_counter()
            self.response(part)
            return time.perf_counter() - start

        seconds(rows.head(1))
        alone = [seconds(rows.iloc[i % len(rows) : i % len(rows) + 1]) for i in range(single)]
        bulk = min(seconds(rows) for _ in range(2))
        return {"one_row_us": float(np.median(alone)) * 1e6, "bulk_row_us": bulk / max(len(rows), 1) * 1e6}

    def save(self, folder: Path) -> None:
        """Write the pipeline into `folder`: numbers, names and a model file; nothing that runs."""
        folder.mkdir(parents=True, exist_ok=True)
        self.encoding_.save(folder)
        about = {**self.about_, "format": FORMAT, "model": self.model_.save(folder)}
        (folder / "about.json").write_text(json.dumps(about, indent=1, default=str), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, serving: Serving) -> "InferencePipeline":
        """What `save` wrote, of the problem whose `serving` half is given."""
        about = dict(read_about(folder))
        model = models.load(folder, about.pop("model"))
        pipeline = cls(
            serving,
            about["feature_set"],
            about["family"],
            about["parameters"],
            settings=about["settings"],
            random_state=about["seed"],
        )
        pipeline.encoding_, pipeline.seen_ = encoders.Encoding.load(folder), None
        pipeline._take(model, about)
        return pipeline


def read_about(folder: Path) -> Settings:
    """The plain data of a saved pipeline; a folder that holds none, or one of another format, is refused."""
    path = Path(folder) / "about.json"
    if not path.is_file():
        raise InferenceError(f"{folder} holds no saved pipeline (no about.json). `make train` writes one.")
    about: Settings = json.loads(path.read_text(encoding="utf-8"))
    if about.get("format") != FORMAT:
        raise InferenceError(
            f"{folder} holds a pipeline of format {about.get('format', 1)}; this code reads {FORMAT}. "
            "It answers by the code stored with it (`packaging.load`); `make train` writes a new one."
        )
    return about
