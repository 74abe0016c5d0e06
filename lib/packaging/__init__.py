"""A model's folder: the pipeline, a copy of the code that it runs by, and what MLflow needs around them.

`save_model` writes one, `load` gives what predicts by it in this process, `ask` has the folder answer alone.
How stored code is checked and run is in `entry`, which lies in each folder; folders of an earlier workbook
are in `earlier`, and what says which rows a model was fitted on is in `marks`, as no folder has it.
"""

import json
import os
import runpy
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from lib import files, paths
from lib.errors import ModelError
from lib.packaging import alone, earlier, entry
from lib.packaging.alone import Prediction
from lib.runtime.schema import Settings

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

    from lib.runtime.inference import InferencePipeline

#: Distributions that a loaded model imports; XGBoost has two names for one module.
NEEDS = ("mlflow", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
XGBOOST = ("xgboost", "xgboost-cpu")


class Predictor(Protocol):
    """What a stored model is to this project: raw rows in, predictions out."""

    about: Settings

    def predict(self, rows: pd.DataFrame) -> Prediction: ...


# --- writing ----------------------------------------------------------------------------------------------


def save_model(
    pipeline: "InferencePipeline",
    folder: Path,
    example: pd.DataFrame,
    run_id: str | None = None,
    lib: Path | None = None,
) -> str:
    """Write the model's folder (it may be there, empty); gives the digest of its content (`files.digest`).

    `example` should be generated rows: three of them go wherever the folder goes. `run_id` is the MLflow run
    that made the model. The code comes from `lib`, by default this project's.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    lib = lib or paths.here().lib
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # the example is added below: MLflow's own runs the model
        parts = {name: Path(scratch) / name for name in ("pipeline", "code")}
        pipeline.save(parts["pipeline"])
        _copy_code(lib, pipeline.serving.name, parts["code"])
        mlflow.pyfunc.save_model(
            path=str(folder),
            mlflow_model=Model(run_id=run_id),
            python_model=str(lib / "packaging" / "served.py"),
            artifacts={name: str(path) for name, path in parts.items()},
            signature=signature(pipeline),
            pip_requirements=requirements(),
        )
    shutil.copyfile(lib / "packaging" / "entry.py", folder / "entry.py")
    _write_example(pipeline, folder, example)
    _settle(folder)
    digests = {name: entry.digest(name, (folder / name).read_bytes()) for name in entry.names(folder)}
    (folder / entry.DIGESTS).write_text(json.dumps(digests, indent=1, sort_keys=True), encoding="utf-8")
    return files.digest(folder)


def signature(pipeline: "InferencePipeline") -> "ModelSignature":
    """Inputs by name: numbers as doubles (an integer column cannot be missing), ids as text."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    types = {"number": "double", "text": "string", "time": "datetime"}
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(types[kind], name) for name, kind in pipeline.inputs_.items()
    ]
    outputs: list[ColSpec | TensorSpec] = [ColSpec("double")]
    if pipeline.serving.task == "classification":
        chances = (ColSpec("double", str(name)) for name in pipeline.classes_)
        outputs = [*chances, ColSpec("string", entry.label(list(map(str, pipeline.classes_))))]
    return ModelSignature(Schema(inputs), Schema(outputs))


def requirements() -> list[str]:
    """What the model needs, in the versions that it was made with."""
    pinned = []
    for name in (*NEEDS, *XGBOOST):
        try:
            pinned.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return pinned


def _copy_code(lib: Path, problem: str, code: Path) -> None:
    """`runtime` and the problem's `serving` half, laid out as in `lib` so that relative imports resolve."""
    halves = ["runtime", f"datasets/{problem}/serving", f"datasets/{problem}/serving.py"]
    for source in (lib / half for half in halves):
        for module in [source] if source.is_file() else sorted(source.rglob("*.py")):
            copy = code / module.relative_to(lib)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(module, copy)


def _write_example(pipeline: "InferencePipeline", folder: Path, rows: pd.DataFrame) -> None:
    """Three rows, complete ones if there are, in both forms that MLflow knows: alone, and as a request."""
    rows = rows[list(pipeline.inputs_)]
    rows = (rows.dropna() if len(rows.dropna()) else rows).head(3)
    split = json.loads(rows.to_json(orient="split", date_format="iso", index=False))
    body = {key: split[key] for key in ("columns", "data")}
    request = {"dataframe_split": body}
    (folder / "input_example.json").write_text(json.dumps(body), encoding="utf-8")
    (folder / "serving_input_example.json").write_text(json.dumps(request), encoding="utf-8")


def _settle(folder: Path) -> None:
    """In MLmodel: the example, and names in the folder instead of paths of the machine that made it."""
    from mlflow.models import Model

    model = Model.load(str(folder))
    model.saved_input_example_info = {
        "artifact_path": "input_example.json",
        "serving_input_path": "serving_input_example.json",
        "type": "dataframe",
        "pandas_orient": "split",
    }
    flavor = model.flavors["python_function"]
    flavor["model_code_path"] = "served.py"
    for artifact in flavor["artifacts"].values():
        artifact["uri"] = artifact["path"]
    model.save(str(folder / "MLmodel"))


# --- reading ----------------------------------------------------------------------------------------------


class StoredPipeline:
    """A pipeline that runs by the code stored with it; its errors become this project's."""

    def __init__(self, folder: Path) -> None:
        _check(folder)
        own = runpy.run_path(str(folder / "entry.py"))  # never by bytecode that lies beside it
        self._error: type[Exception] = own["StoredModelError"]
        with _as_our_errors(self._error):
            self._pipeline = own["load"](folder)
        self.about: Settings = self._pipeline.about

    def predict(self, rows: pd.DataFrame) -> Prediction:
        """An array of numbers, or for classes a frame with a column of probabilities a class."""
        with _as_our_errors(self._error):
            prediction: Prediction = self._pipeline.predict(rows)
            return prediction


def _check(folder: Path) -> None:
    """Refuse a folder that is not as it was written, by today's own check: the stored one is no witness."""
    with _as_our_errors(entry.StoredModelError):
        entry.checked(folder)


@contextmanager
def _as_our_errors(error: type[Exception]) -> Iterator[None]:
    """Errors of stored code are of classes of its own, which nobody here can name."""
    try:
        yield
    except error as stored:
        raise ModelError(str(stored)) from stored


def about(folder: Path) -> Settings:
    """What a model's folder says of itself (family, feature set, inputs, rows, …); nothing of it runs."""
    try:
        content: Settings = json.loads((folder / entry.PIPELINE / "about.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} is no whole model folder ({error}). `make train` writes one.") from error
    return content


def difference(folder: Path, digest: str) -> str:
    """What in `folder` is not as in the model that is known by `digest`; nothing if it is that model."""
    if digest in (files.digest(folder), earlier.digest(folder)):
        return ""
    try:
        if (folder / entry.DIGESTS).is_file():
            entry.checked(folder)
    except entry.StoredModelError as error:
        return str(error)
    return f"{folder} holds another model, or a file in it was edited, added or taken away."


def load(folder: Path) -> Predictor:
    """What predicts by the model in `folder`: in this process, by its own code, which is checked first.

    A model of an earlier workbook, whose code can only be called `lib`, answers in a process of its own.
    """
    folder = Path(folder).absolute()
    return earlier.EarlierModel(folder, about(folder)) if _is_earlier(folder) else StoredPipeline(folder)


def ask(folder: Path, rows: pd.DataFrame, measure: bool = False) -> tuple[Prediction, dict[str, float]]:
    """Predictions of a folder that answers alone: a new interpreter runs the folder's own `entry.py`.

    A child of the fork server would share what the server has imported; this one has the installed
    libraries and nothing else. The second value has `load_seconds` and, if `measure`, `one_row_us` and
    `bulk_row_us`, what a row takes alone and in bulk.
    """
    folder = Path(folder).absolute()
    if _is_earlier(folder):
        return earlier.ask(folder, rows, measure)
    _check(folder)
    return alone.predict(folder, ["-I", str(folder / "entry.py")], rows, measure)


def _is_earlier(folder: Path) -> bool:
    """Whether the folder is of an earlier workbook; one that is of neither kind is refused."""
    if (folder / "entry.py").is_file():
        return False
    if "format" in about(folder) or not (folder / "code" / "lib").is_dir():
        raise ModelError(f"{folder} is no whole model folder: it has no code. `make train` writes one.")
    return True
