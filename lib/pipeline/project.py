"""Where things are, and how they are written and compared: folders, whole-or-not files, digests.

Standard library only, so that a run with nothing to do starts at once; steps write through `lib.files`,
by the same rule and with the same temporary names. What is compared stands in `lib.pipeline.record`.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib import files

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Project:
    """The folders of one checkout; tests make one of their own in a temporary folder."""

    root: Path
    outputs: Path

    @property
    def notebooks(self) -> Path:
        """The numbered notebooks."""
        return self.root / "notebooks"

    @property
    def lib(self) -> Path:
        """The helpers that notebooks import."""
        return self.root / "lib"

    @property
    def tracked_by_plan(self) -> list[Path]:
        """The modules of `lib` whose edits can make a step stale: all but the runner's own."""
        runner = self.lib / "pipeline"
        return sorted(p for p in self.lib.rglob("*.py") if runner not in p.parents)

    def shown(self, path: Path) -> str:
        """`path` as a user types it from the project's folder."""
        with contextlib.suppress(ValueError):
            return str(path.relative_to(self.root))
        return str(path)


def here() -> Project:
    """This checkout; the environment variable WORKBOOK_OUTPUTS moves its outputs."""
    outputs = os.environ.get("WORKBOOK_OUTPUTS")
    return Project(ROOT, Path(outputs).resolve() if outputs else ROOT / "outputs")


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its name only when all of it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Ask the disk to keep `path`, a file or a folder, through a loss of power."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in the JSON file `path`; an empty one when it is absent or not whole."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def digest_bytes(data: bytes) -> str:
    """A short name for content: the first 128 bits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:32]


def digest(path: Path) -> str:
    """The digest of a file, or of a folder: the names and contents of all that is below it."""
    if path.is_dir():
        below = sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        lines = [f"{p.relative_to(path).as_posix()} {digest(p)}\n" for p in below]
        return digest_bytes("".join(lines).encode())
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def find(folder: Path, name: str) -> Path | None:
    """Where the thing that steps call `name` lies in the run's `folder`, or None."""
    places = (folder / "data" / f"{name}.parquet", folder / f"{name}.json", folder / name)
    return next((place for place in places if place.exists()), None)


def sweep(folder: Path) -> None:
    """Remove the half-written files of processes that are gone, in `folder` and directly below it."""
    for part in (folder, *(path for path in folder.glob("*") if path.is_dir())):
        files.sweep(part)
