"""Having a model answer in a new interpreter: rows go there in one file, predictions come back in another."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from lib.errors import ModelError

#: An array of numbers, or for classes a frame with a column of probabilities a class.
Prediction: TypeAlias = np.ndarray | pd.DataFrame


def predict(
    folder: Path, program: Sequence[str], rows: pd.DataFrame, measure: bool
) -> tuple[Prediction, dict[str, float]]:
    """What the model in `folder` predicts, and the times it took, as `program` says both.

    These words follow `python`, and the files of rows and predictions, and "yes" to measure, follow them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        given, answer = Path(scratch) / "rows.parquet", Path(scratch) / "answer.parquet"
        rows.reset_index(drop=True).to_parquet(given)
        words = [sys.executable, *program, str(given), str(answer), "yes" if measure else "no"]
        done = subprocess.run(words, cwd=scratch, capture_output=True, text=True, check=False)
        if done.returncode:
            output = done.stderr.strip().splitlines() or ["nothing was said"]
            raise ModelError(
                f"{folder} could not predict in a process of its own: {output[-1]}\n"
                + "\n".join(output[-6:-1])
            )
        frame = pd.read_parquet(answer)
    times: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return (frame["prediction"].to_numpy() if list(frame) == ["prediction"] else frame), times
