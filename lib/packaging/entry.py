"""The entry of a stored model, copied into its folder: what lies there is checked, then loaded, then asked.

`load(folder)` is the one call from outside; `python entry.py rows.parquet answer.parquet` asks from a shell.
The model's own code runs under a package name that carries its digest, so that models with different code
answer side by side. Standard library only: nothing of the project that made the model need be there.
"""

import hashlib
import importlib
import importlib.abc
import importlib.util
import io
import json
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_Answer = TypeVar("_Answer")

#: What lies in a model's folder: the pipeline, the code that it runs by, the digest of every other file.
PIPELINE, CODE, DIGESTS = Path("artifacts/pipeline"), Path("artifacts/code"), "digests.json"
#: The lines of MLmodel that say when and by which run the model was made, and have no part in its digest.
PASSING = (b"utc_time_created:", b"model_uuid:", b"model_id:", b"run_id:", b"artifact_path:")
#: What MLflow itself leaves in a folder when it loads it: which version that was, and `served.py` compiled.
LEFT_BY_MLFLOW = ("registered_model_meta", "__pycache__/served.")


class StoredModelError(Exception):
    """A model's folder that is not as it was written, or rows that it cannot take: which, and what to do."""


def load(folder: Path) -> "StoredPipeline":
    """The pipeline in `folder`, by the code that is stored with it; nothing runs before all is checked."""
    folder = Path(folder).absolute()
    contents = checked(folder)
    code = {
        Path(name).relative_to(CODE).as_posix(): content
        for name, content in contents.items()
        if Path(name).is_relative_to(CODE)
    }
    package = (
        "stored_" + _digest(json.dumps({name: _digest(code[name]) for name in sorted(code)}).encode())[:16]
    )
    if package not in sys.modules:
        sys.meta_path.insert(0, _CheckedCode(package, code, folder / CODE))
    problem = json.loads(contents[(PIPELINE / "about.json").as_posix()])["problem"]
    inference = importlib.import_module(f"{package}.runtime.inference")
    serving = importlib.import_module(f"{package}.datasets.{problem}.serving").SERVING
    error = importlib.import_module(f"{package}.runtime.errors").InferenceError
    return StoredPipeline(inference.InferencePipeline.load(folder / PIPELINE, serving), error)


class StoredPipeline:
    """The pipeline of a model: all that is asked from outside, whatever its own modules are called.

    `pipeline` is the scikit-learn estimator itself.
    """

    def __init__(self, pipeline: Any, error: type[Exception]) -> None:
        self.pipeline, self._error, self.about = pipeline, error, pipeline.about_

    def predict(self, rows: "pd.DataFrame") -> "np.ndarray | pd.DataFrame":
        """An array of numbers, or for classes a frame of probabilities; rows it cannot take are told."""
        return self._ask(self.pipeline.response, rows)

    def refused(self, rows: "pd.DataFrame") -> "pd.Series":
        """Why rows get no prediction, by their label: a Series of reasons."""
        return self._ask(self.pipeline.refused, rows)

    def speed(self, rows: "pd.DataFrame") -> dict[str, float]:
        """How long one row and all of them take."""
        return self._ask(self.pipeline.speed, rows)

    def _ask(self, answer: "Callable[[pd.DataFrame], _Answer]", rows: "pd.DataFrame") -> _Answer:
        try:
            return answer(rows)
        except self._error as error:
            raise StoredModelError(str(error)) from error


def label(classes: Collection[str]) -> str:
    """What the column of the likeliest class is called, beside one of probabilities for each class."""
    name = "label"
    while name in classes:
        name += "_"
    return name


def checked(folder: Path) -> dict[str, bytes]:
    """The content of each file by its name in `folder`, if all is as it was written.

    All files count, but `digests.json` itself, the `PASSING` lines of MLmodel and what is `LEFT_BY_MLFLOW`.
    """
    try:
        expected = json.loads((folder / DIGESTS).read_bytes())
    except (OSError, ValueError) as error:
        raise StoredModelError(
            f"{folder} is no model folder, or not whole: {DIGESTS} cannot be read ({error})."
        ) from error
    present = set(names(folder))
    contents = {name: (folder / name).read_bytes() for name in sorted(present & set(expected))}
    for name in sorted(present | set(expected)):
        if name not in expected:
            fault = "was added"
        elif name not in present:
            fault = "is missing"
        elif digest(name, contents[name]) != expected[name]:
            fault = "was changed"
        else:
            continue
        raise StoredModelError(
            f"{folder / name} {fault} since the model was stored, so nothing of it is run. "
            "Undo that, or take the folder from another copy; `make train` makes it anew."
        )
    return contents


def names(folder: Path) -> list[str]:
    """The files that have a digest, by their names in `folder`."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != DIGESTS and not name.startswith(LEFT_BY_MLFLOW))


def digest(name: str, content: bytes) -> str:
    """The digest of a file's content; of MLmodel without its `PASSING` lines."""
    if name == "MLmodel":
        content = b"".join(line for line in io.BytesIO(content) if not line.startswith(PASSING))
    return _digest(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class _CheckedCode(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports the modules of one package from bytes that were checked: no file is read again or written."""

    def __init__(self, package: str, code: Mapping[str, bytes], folder: Path) -> None:
        self.package, self.code, self.folder = package, code, folder

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A module of the package; a folder of modules is one, whether or not it has an `__init__`."""
        if fullname.partition(".")[0] != self.package:
            return None
        if self.is_package(fullname) or self._file(fullname) in self.code:
            return importlib.util.spec_from_file_location(
                fullname,
                self.folder / self._file(fullname),
                loader=self,
                submodule_search_locations=[] if self.is_package(fullname) else None,
            )
        return None

    def is_package(self, fullname: str) -> bool:
        """Whether modules lie below it."""
        below = "/".join([*fullname.split(".")[1:], ""])
        return any(name.startswith(below) for name in self.code)

    def get_source(self, fullname: str) -> str:
        """What is run for it."""
        return self.code.get(self._file(fullname), b"").decode()

    def _file(self, fullname: str) -> str:
        inner = fullname.split(".")[1:]
        return "/".join([*inner, "__init__"] if self.is_package(fullname) else inner) + ".py"


def main(rows: str, answer: str, measure: str = "no") -> None:
    """Predict the rows in one Parquet file into another; the last line printed has the times, as JSON."""
    import pandas as pd

    given = pd.read_parquet(rows)
    start = time.perf_counter()
    pipeline = load(Path(__file__).parent)
    times = {"load_seconds": time.perf_counter() - start}
    prediction = pipeline.predict(given)
    frame = prediction if isinstance(prediction, pd.DataFrame) else pd.DataFrame({"prediction": prediction})
    frame.to_parquet(answer)
    if measure == "yes":
        times |= pipeline.speed(given)
    print(json.dumps(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
