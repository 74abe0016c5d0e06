"""Marks of the rows that a model was fitted on: they tell whether a test is fair, and stay on this machine.

Whoever has them can ask of any row whether it was among those. So they are not in a model's folder and go
nowhere with it, but lie in `outputs/marks`, under the digest that the folder has of them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lib import files, paths
from lib.packaging import entry
from lib.runtime import schema
from lib.runtime.schema import Settings

if TYPE_CHECKING:
    from lib.runtime.inference import InferencePipeline


def keep(pipeline: "InferencePipeline") -> None:
    """Keep the marks of a pipeline that was fitted in this process."""
    path, seen = _place(pipeline.about_), pipeline.seen_
    if seen is not None:
        with files.writing(path), files.whole(path) as file:
            np.save(file, seen)


def find(folder: Path, about: Settings) -> np.ndarray | None:
    """The marks of the stored model that says this `about` itself; None where this machine has none of it."""
    earlier = folder / entry.PIPELINE / "seen.npy"  # a model of an earlier workbook has its own
    try:
        marks: np.ndarray = np.load(earlier if earlier.exists() else _place(about))
    except (OSError, ValueError, EOFError):
        return None
    return marks if earlier.exists() or schema.digest(marks) == about["marks"] else None


def _place(about: Settings) -> Path:
    return paths.outputs() / "marks" / f"{about.get('marks')}.npy"
