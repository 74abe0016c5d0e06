"""A search's checkpoint: one line a finished trial, so that a search that was cut off goes on from there.

The file's name is a digest of what decides the trials on a page that may be edited between two tries (rows,
families, spaces, seed); code, parameters and libraries are in the name of the folder, which `Step.memory`
gives. What the machine had a part in (a worker that died, a limit of time) is not kept: it is tried again.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from lib.compute.pool import Outcome, Trial


def fingerprint(*parts: object) -> str:
    """A digest of arrays, matrices and plain values."""
    digest = hashlib.sha256()
    for part in parts:
        if hasattr(part, "indptr") and hasattr(part, "indices") and hasattr(part, "data"):  # sparse
            for array in (part.data, part.indices, part.indptr):
                digest.update(np.asarray(array).tobytes())
        elif isinstance(part, np.ndarray) and part.dtype.kind in "iufb":
            digest.update(part.tobytes())
        elif isinstance(part, np.ndarray):
            digest.update(json.dumps(part.tolist(), default=str).encode())
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


class Checkpoint:
    """Outcomes by trial number, each added as it is observed; without a folder none is kept."""

    def __init__(self, folder: Path | None, key: str) -> None:
        self.path = folder / f"{key}.jsonl" if folder else None
        self.rows: dict[int, Outcome] = {}
        if self.path and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    row = json.loads(line)
                except ValueError:  # the last line of a search that was killed while writing it
                    break
                self.rows[row["number"]] = row

    @property
    def seconds(self) -> float:
        """How long the search had run before."""
        return max((row["elapsed"] for row in self.rows.values()), default=0.0)

    def outcome(self, trial: Trial) -> Outcome | None:
        """The outcome of this very trial, if it was run before."""
        row = self.rows.get(trial["number"])
        if row is None or any(
            row["trial"][name] != trial[name] for name in ("family", "parameters", "encoding")
        ):
            return None
        outcome: Outcome = row["outcome"]
        return outcome

    def done(self) -> None:
        """The search came to its end: the next one starts anew."""
        if self.path:
            self.path.unlink(missing_ok=True)

    def add(self, trial: Trial, outcome: Outcome, elapsed: float) -> None:
        """Write one outcome at the end of the file, if it would be the same at any time."""
        if self.path is None or trial["number"] in self.rows or not outcome["repeatable"]:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        row = {"number": trial["number"], "trial": dict(trial), "outcome": outcome, "elapsed": elapsed}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
