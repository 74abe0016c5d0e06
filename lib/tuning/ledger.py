"""A search's memory on disk: one line a finished trial, so that a search that was cut off goes on from there.

The file's name is a digest of all that decides the trials (rows, features, families, seed, code), so
results are never taken for those of another search.
"""

import hashlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def fingerprint(*parts: Any) -> str:
    """A digest of arrays, matrices, modules and plain values."""
    digest = hashlib.sha256()
    for part in parts:
        if inspect.ismodule(part):
            digest.update(Path(part.__file__ or "").read_bytes())
        elif hasattr(part, "indptr"):
            for array in (part.data, part.indices, part.indptr):
                digest.update(memoryview(array).cast("B"))
        elif hasattr(part, "dtype") and part.dtype.kind in "iufb":
            digest.update(memoryview(part.copy(order="C")).cast("B"))
        elif hasattr(part, "tolist"):
            digest.update(json.dumps(part.tolist(), default=str).encode())
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


class Ledger:
    """Outcomes by trial number; each is added as it is told."""

    def __init__(self, folder: Path | None, key: str):
        self.path = folder / f"{key}.jsonl" if folder else None
        self.known: dict[int, dict[str, Any]] = {}
        if self.path and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    row = json.loads(line)
                except ValueError:  # the last line of a search that was killed while writing it
                    break
                self.known[row["number"]] = row

    @property
    def seconds(self) -> float:
        """How long the search had run before."""
        return max((row["elapsed"] for row in self.known.values()), default=0.0)

    def recall(self, trial: Mapping[str, Any]) -> dict[str, Any] | None:
        """The outcome of this very trial, if it was run before."""
        row = self.known.get(trial["number"])
        same = row and all(row["trial"][name] == trial[name] for name in ("family", "parameters", "encoding"))
        return row["outcome"] if row and same else None

    def add(self, trial: Mapping[str, Any], outcome: Mapping[str, Any], elapsed: float) -> None:
        """Write one outcome at the end of the file."""
        if self.path is None or trial["number"] in self.known:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        row = {"number": trial["number"], "trial": dict(trial), "outcome": dict(outcome), "elapsed": elapsed}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
