"""Model folders of an earlier workbook, whose `about.json` has no format: they go on answering.

Their code is stored as the package `lib`, which can only be imported where no other `lib` is: each question
is answered by a new interpreter.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

import pandas as pd

from lib import files
from lib.packaging import alone
from lib.runtime.schema import Settings

#: What that interpreter runs: the folder's `lib` comes first on its path, and has a `main` for this.
PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from lib import inference; inference.main(sys.argv[2:])"
)


def digest(folder: Path) -> str:
    """The digest that the earlier workbook registered a model by: names began with the folder's, `model`."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and files.counts(path)):
        content = hashlib.sha256(path.read_bytes()).digest()
        total.update(f"model/{path.relative_to(folder).as_posix()}".encode() + b"\0" + content)
    return total.hexdigest()


class EarlierModel:
    """A model folder of an earlier workbook, with the face of one of today."""

    def __init__(self, folder: Path, about: Settings) -> None:
        self.folder, self.about = folder, about

    def predict(self, rows: pd.DataFrame) -> alone.Prediction:
        """An array of numbers, or for classes a frame with a column of probabilities a class."""
        return ask(self.folder, rows)[0]


def ask(folder: Path, rows: pd.DataFrame, measure: bool = False) -> tuple[alone.Prediction, dict[str, float]]:
    """Predictions and times, by a copy of the stored code without what lies compiled beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        compiled = shutil.ignore_patterns("__pycache__")
        code = shutil.copytree(folder / "code", Path(scratch) / "code", ignore=compiled)
        return alone.predict(folder, ["-B", "-c", PROGRAM, str(code), str(folder)], rows, measure)
