"""Derive, encode, predict as one object, saved and loaded as numbers, names and one model file: no pickle.

What MLflow needs around it, and the stored copy of this package, are made by `lib.packaging`.
"""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from . import encoders, models
from .errors import InferenceError
from .features import Serving
from .schema import Settings, coerced, digest, kinds, marks

#: Of `about.json`; a folder of another format is refused, or asked by its own stored code.
FORMAT = 2


class InferencePipeline:
    """The whole way from a raw row to a prediction."""

    def __init__(
        self, serving: Serving, encoding: encoders.Encoding, model: models.Model, about: Settings
    ) -> None:
        """`about` is plain data: at least `feature_set` and `inputs` ({raw column: number, text or time})."""
        self.serving, self.encoding, self.model, self.about = serving, encoding, model, dict(about)
        feature_set = serving.feature_sets[about["feature_set"]]
        self._derived = [name for name in feature_set.columns if name in serving.derived]
        self.seen: np.ndarray | None = None  # marks of the rows it was fitted on; they are not saved with it

    @classmethod
    def fit(
        cls,
        serving: Serving,
        feature_set: str,
        choice: Settings,
        rows: pd.DataFrame,
        seed: int,
        threads: int = 1,
    ) -> "InferencePipeline":
        """Fit encoders and model on labelled `rows`, with the family, parameters and rounds of `choice`."""
        features = serving.feature_set(feature_set)
        encoding = encoders.Encoding(features.encodes, choice.get("settings", {}))
        derived = [name for name in encoding.training_columns if name in serving.derived]
        y = rows[serving.target.name].to_numpy()
        matrix = encoding.fit_transform(serving.engineer(rows, derived), y, seed)
        parameters = dict(choice["parameters"])
        if choice.get("rounds"):
            parameters["num_boost_round"] = choice["rounds"]
        dense = isinstance(matrix, np.ndarray)
        model = models.build(choice["family"], parameters, serving.task, seed, threads, dense).fit(matrix, y)
        row_columns = kinds(rows)
        seen = np.unique(marks(rows, row_columns))
        about = {
            "problem": serving.name,
            "feature_set": feature_set,
            "family": choice["family"],
            "parameters": parameters,
            "task": serving.task,
            "target": serving.target.name,
            "unit": serving.target.unit,
            "inputs": {name: row_columns[name] for name in serving.inputs(features)},
            "rows": len(rows),
            "columns": len(encoding.names),
            "seed": seed,
            "row_columns": row_columns,
            "marks": digest(seen),
        }
        pipeline = cls(serving, encoding, model, about)
        pipeline.seen = seen
        return pipeline

    @property
    def inputs(self) -> dict[str, str]:
        """The raw columns that a row must have, each with its kind: number, text or time."""
        inputs: dict[str, str] = self.about["inputs"]
        return inputs

    def matrix(self, rows: pd.DataFrame) -> encoders.Matrix:
        """What the model sees of raw rows."""
        return self.encoding.transform(self.serving.engineer(coerced(rows, self.inputs), self._derived))

    def predict(self, rows: pd.DataFrame) -> np.ndarray | pd.DataFrame:
        """An array of numbers, or for classes a frame with a column of probabilities a class."""
        prediction = self.model.predict(self.matrix(rows))
        if self.about["task"] == "regression":
            return prediction
        return pd.DataFrame(prediction, columns=self.model.classes, index=rows.index)

    def speed(self, rows: pd.DataFrame, single: int = 100) -> dict[str, float]:
        """Microseconds that a row takes alone (median of `single` calls) and in bulk, raw columns in."""

        def seconds(part: pd.DataFrame) -> float:
            start = time.perf_counter()
            self.predict(part)
            return time.perf_counter() - start

        seconds(rows.head(1))
        alone = [seconds(rows.iloc[i % len(rows) : i % len(rows) + 1]) for i in range(single)]
        bulk = min(seconds(rows) for _ in range(2))
        return {"one_row_us": float(np.median(alone)) * 1e6, "bulk_row_us": bulk / max(len(rows), 1) * 1e6}

    def save(self, folder: Path) -> None:
        """Write the pipeline into `folder`: numbers, names and a model file; nothing that runs."""
        folder.mkdir(parents=True, exist_ok=True)
        self.encoding.save(folder)
        about = self.about | {"format": FORMAT, "model": self.model.save(folder)}
        (folder / "about.json").write_text(json.dumps(about, indent=1, default=str), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, serving: Serving) -> "InferencePipeline":
        """What `save` wrote, of the problem whose `serving` half is given."""
        about = dict(read_about(folder))
        model = models.load(folder, about.pop("model"))
        return cls(serving, encoders.Encoding.load(folder), model, about)


def read_about(folder: Path) -> Settings:
    """The plain data of a saved pipeline; a folder that holds none, or one of another format, is refused."""
    path = Path(folder) / "about.json"
    if not path.is_file():
        raise InferenceError(f"{folder} holds no saved pipeline (no about.json). `make train` writes one.")
    about: Settings = json.loads(path.read_text(encoding="utf-8"))
    if about.get("format") != FORMAT:
        raise InferenceError(
            f"{folder} holds a pipeline of format {about.get('format', 1)}; this code reads {FORMAT}."
        )
    return about
