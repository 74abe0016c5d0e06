"""An MLflow model folder around a pipeline: signature, example, pinned requirements, the code it needs.

The same pipeline gives the same bytes: MLflow's time stamp and random id are replaced by the content's.
"""

import ast
import hashlib
import os
import shutil
import tempfile
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from lib.inference import Pipeline

#: Distributions that a loaded model imports; XGBoost has two names for one module.
NEEDS = ("mlflow", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
XGBOOST = ("xgboost", "xgboost-cpu")
NOON = "2000-01-01 12:00:00.000000"


def save_model(pipeline: Pipeline, folder: Path, example: pd.DataFrame) -> str:
    """Write the model folder (it may be there, empty) and return a digest of what it holds."""
    import mlflow.pyfunc

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    serving = Path(__file__).with_name("serving.py")
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # the example is added below: MLflow's own runs the model
        stored = Path(scratch) / "pipeline"
        pipeline.save(stored)
        mlflow.pyfunc.save_model(
            path=str(folder),
            python_model=str(serving),
            artifacts={"pipeline": str(stored)},
            code_paths=[str(_code(Path(scratch), pipeline.about["problem"]))],
            signature=signature(pipeline),
            pip_requirements=requirements(),
        )
    _example(pipeline, folder, example)
    return _settle(folder)


def signature(pipeline: Pipeline) -> Any:
    """Inputs by name: numbers as doubles (an integer column cannot be missing), ids as text."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    types = {"number": "double", "text": "string", "time": "datetime"}
    inputs = Schema([ColSpec(types[kind], name) for name, kind in pipeline.inputs.items()])
    if pipeline.about["task"] == "regression":
        return ModelSignature(inputs, Schema([ColSpec("double")]))
    names = pipeline.model.classes or []
    outputs = [ColSpec("double", name) for name in names] + [ColSpec("string", "label")]
    return ModelSignature(inputs, Schema(outputs))


def requirements() -> list[str]:
    """What the model needs, in the versions that it was made with."""
    found = []
    for name in (*NEEDS, *XGBOOST):
        try:
            found.append(f"{name}=={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def _code(scratch: Path, problem: str) -> Path:
    """A copy of the modules that predicting needs, and no others: an edit elsewhere changes no model."""
    here, code = Path(__file__).parent, scratch / "lib"
    kept = ["__init__.py", "errors.py", "inference.py", "datasets/__init__.py", "datasets/base.py"]
    kept += [f"datasets/{problem}.py"]
    kept += [f"datasets/{name}.py" for name in _parts(here / "datasets", problem, "base")]
    kept += [
        str(p.relative_to(here))
        for room in ("features", "models")
        for p in sorted((here / room).glob("*.py"))
    ]
    for name in kept:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(here / name, code / name)
    return code


def _parts(folder: Path, *modules: str) -> list[str]:
    """The private modules of a problem that it imports at once, not when it is asked for pictures."""
    found: set[str] = set()
    for module in modules:
        for node in ast.parse((folder / f"{module}.py").read_text(encoding="utf-8")).body:
            name = (getattr(node, "module", None) or "").rpartition(".")[2]
            if name.startswith("_"):
                found |= {name, *_parts(folder, name)}
    return sorted(found)


def _example(pipeline: Pipeline, folder: Path, rows: pd.DataFrame) -> None:
    """An input example in both forms that MLflow knows: rows, and the body of a request."""
    import json

    rows = rows[list(pipeline.inputs)]
    split = json.loads(rows.to_json(orient="split", date_format="iso", index=False))
    body = {key: split[key] for key in ("columns", "data")}
    (folder / "input_example.json").write_text(json.dumps(body), encoding="utf-8")
    (folder / "serving_input_example.json").write_text(
        json.dumps({"dataframe_split": body}), encoding="utf-8"
    )


def _settle(folder: Path) -> str:
    """Replace what changes from call to call in MLmodel; returns the digest that the model is known by."""
    import yaml

    for junk in folder.rglob("__pycache__"):
        shutil.rmtree(junk)
    path = folder / "MLmodel"
    about = yaml.safe_load(path.read_text(encoding="utf-8"))
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file() and p != path):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    about |= {
        "utc_time_created": NOON,
        "model_uuid": digest.hexdigest()[:32],
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
            "pandas_orient": "split",
        },
    }
    served = about["flavors"]["python_function"]
    served["artifacts"]["pipeline"]["uri"] = served["artifacts"]["pipeline"]["path"]
    served["model_code_path"] = "serving.py"
    for passing in ("model_id", "run_id", "artifact_path"):
        about.pop(passing, None)
    path.write_text(yaml.safe_dump(about, sort_keys=True), encoding="utf-8")
    return digest.hexdigest()[:32]
