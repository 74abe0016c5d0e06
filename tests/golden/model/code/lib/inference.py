"""Raw rows in, predictions out: derive, encode, predict as one object, saved and loaded without pickle.

A saved pipeline is a folder of JSON, arrays and one model file. Around it `save_model` builds an MLflow model
folder (models from code, `lib/serving.py`) with its own copy of the modules that predicting needs, so that it
answers the same after this project has changed. `ask` runs a stored model in a clean process.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib import datasets, features, models
from lib.errors import DataError, ModelError

#: Where the pipeline lies in a model folder.
INSIDE = Path("artifacts") / "pipeline"
#: What the clean process of `ask` runs; the code stored with the model comes first on its path.
PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from lib import inference; inference.main(sys.argv[2:])"
)


class Pipeline:
    """The whole way from a raw row to a prediction."""

    def __init__(self, dataset: Any, encoding: features.Encoding, model: Any, about: Mapping[str, Any]):
        """`about` is plain data: at least `feature_set` and `inputs` ({raw column: number, text or time})."""
        self.dataset, self.encoding, self.model, self.about = dataset, encoding, model, dict(about)
        feature_set = dataset.feature_sets[about["feature_set"]]
        self._derived = [name for name in feature_set.columns if name in dataset.derived]
        self.seen: np.ndarray | None = None  # marks of the rows it was fitted on, see `marks`

    @classmethod
    def fit(
        cls,
        dataset: Any,
        feature_set: str,
        choice: Mapping[str, Any],
        rows: pd.DataFrame,
        seed: int,
        threads: int = 1,
    ) -> "Pipeline":
        """Fit encoders and model on labelled `rows`, with the family, parameters and rounds of `choice`."""
        found = dataset.feature_set(feature_set)
        settings = choice.get("settings", {})
        encoding = features.Encoding(found.encodes, settings)
        wanted = [name for name in encoding.training_columns if name in dataset.derived]
        y = rows[dataset.target.name].to_numpy()
        matrix = encoding.fit_transform(dataset.engineer(rows, wanted), y, seed)
        parameters = dict(choice["parameters"])
        if choice.get("rounds"):
            parameters["num_boost_round"] = choice["rounds"]
        dense = isinstance(matrix, np.ndarray)
        model = models.build(choice["family"], parameters, dataset.task, seed, threads, dense).fit(matrix, y)
        about = {
            "problem": dataset.name,
            "feature_set": feature_set,
            "family": choice["family"],
            "parameters": parameters,
            "task": dataset.task,
            "target": dataset.target.name,
            "unit": dataset.target.unit,
            "inputs": {name: kind(rows[name]) for name in dataset.inputs(found)},
            "rows": len(rows),
            "columns": len(encoding.names),
            "seed": seed,
        }
        pipeline = cls(dataset, encoding, model, about | {"row_columns": list(rows.columns)})
        pipeline.seen = np.unique(marks(rows, list(rows.columns)))
        return pipeline

    @property
    def inputs(self) -> dict[str, str]:
        """The raw columns that a row must have, each with its kind: number, text or time."""
        return self.about["inputs"]

    def matrix(self, rows: pd.DataFrame) -> Any:
        """What the model sees of raw rows."""
        return self.encoding.transform(self.dataset.engineer(coerced(rows, self.inputs), self._derived))

    def predict(self, rows: pd.DataFrame) -> Any:
        """An array of numbers, or for classes a frame with a column of probabilities a class."""
        found = self.model.predict(self.matrix(rows))
        if self.about["task"] == "regression":
            return found
        return pd.DataFrame(found, columns=self.model.classes, index=rows.index)

    def save(self, folder: Path) -> None:
        """Write the pipeline into `folder`: numbers, names and a model file; nothing that runs."""
        folder.mkdir(parents=True, exist_ok=True)
        self.encoding.save(folder)
        if self.seen is not None:
            np.save(folder / "seen.npy", self.seen)
        stored = self.about | {"model": self.model.save(folder)}
        (folder / "about.json").write_text(json.dumps(stored, indent=1, default=str), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Pipeline":
        """What `save` wrote; a model folder will do as well."""
        folder = Path(folder) / INSIDE if (Path(folder) / INSIDE).is_dir() else Path(folder)
        if not (folder / "about.json").is_file():
            raise ModelError(f"{folder} holds no saved pipeline (no about.json). `make train` writes one.")
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        model = models.load(folder, about.pop("model"))
        return cls(datasets.load(about["problem"]), features.Encoding.load(folder), model, about)


def marks(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """A 64-bit mark for each row: rows that are alike in `columns` have the same one, in any process."""
    return pd.util.hash_pandas_object(rows[columns], index=False).to_numpy()


def kind(column: pd.Series) -> str:
    """number, time or text: what a column is when it comes as JSON."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return "time"
    return "number" if pd.api.types.is_numeric_dtype(column) else "text"


def coerced(rows: pd.DataFrame, inputs: Mapping[str, str]) -> pd.DataFrame:
    """The input columns of `rows` in their kinds: 74, 74.0 and "74" are one id, a time may be text."""
    missing = [name for name in inputs if name not in rows]
    if missing:
        raise DataError(f"The rows have no column {missing}; they have {list(rows)}.")
    return pd.DataFrame({name: _AS[what](rows[name]) for name, what in inputs.items()}, copy=False)


def _number(column: pd.Series) -> pd.Series:
    return column if column.dtype.kind in "iuf" else pd.to_numeric(column, errors="coerce").astype("float64")


def _text(column: pd.Series) -> pd.Series:
    if column.dtype.kind in "iuf":
        whole = column.dropna().mod(1).eq(0).all()
        text = column.astype("Int64" if whole else column.dtype).astype("str")
        return text.where(column.notna()).astype("str")
    return column if column.dtype == "str" else column.where(column.isna(), column.astype(str)).astype("str")


def _time(column: pd.Series) -> pd.Series:
    return column if column.dtype.kind == "M" else pd.to_datetime(column, format="ISO8601")


_AS = {"number": _number, "text": _text, "time": _time}


def ask(model: Path, rows: pd.DataFrame, measure: bool = False) -> tuple[Any, dict[str, float]]:
    """Predictions of a stored model in a clean process that has only the code stored with it.

    The second value has `load_seconds` and, if `measure`, the microseconds a row takes alone and in bulk.
    """
    model = Path(model).absolute()
    if not (model / "code").is_dir():
        raise ModelError(
            f"{model} is no model folder of this project: it has no code/. `make train` writes one."
        )
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "rows.parquet", Path(folder) / "answer.parquet"
        rows.reset_index(drop=True).to_parquet(given)
        words = [
            sys.executable,
            "-B",  # no compiled code is left in the model's folder
            "-c",
            PROGRAM,
            model / "code",
            model,
            given,
            answer,
            "yes" if measure else "no",
        ]
        done = subprocess.run(
            [str(word) for word in words], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["nothing was said"]
            raise ModelError(
                f"{model} could not predict in a process of its own: {said[-1]}\n" + "\n".join(said[-6:-1])
            )
        found = pd.read_parquet(answer)
    times = json.loads(done.stdout.strip().splitlines()[-1])
    return (found["prediction"].to_numpy() if list(found) == ["prediction"] else found), times


def main(words: list[str]) -> None:
    """What the clean process runs: load the model in `words[0]`, predict the rows in `words[1]`."""
    import time

    model, given, answer, measure = words
    rows = pd.read_parquet(given)
    start = time.perf_counter()
    pipeline = Pipeline.load(Path(model))
    times = {"load_seconds": time.perf_counter() - start}
    found = pipeline.predict(rows)
    frame = found if isinstance(found, pd.DataFrame) else pd.DataFrame({"prediction": found})
    frame.to_parquet(answer)
    if measure == "yes":
        times |= speed(pipeline, rows)
    print(json.dumps(times))


def speed(pipeline: Pipeline, rows: pd.DataFrame, single: int = 100) -> dict[str, float]:
    """Microseconds a row takes alone (median of `single` calls) and in bulk, raw columns in."""
    import time

    def seconds(part: pd.DataFrame) -> float:
        start = time.perf_counter()
        pipeline.predict(part)
        return time.perf_counter() - start

    seconds(rows.head(1))
    alone = [seconds(rows.iloc[i % len(rows) : i % len(rows) + 1]) for i in range(single)]
    bulk = min(seconds(rows) for _ in range(2))
    return {"one_row_us": float(np.median(alone)) * 1e6, "bulk_row_us": bulk / max(len(rows), 1) * 1e6}
