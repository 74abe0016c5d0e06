"""Files that appear whole or not at all: a temporary name in the same folder, flush, fsync, rename.

Open to every room, as `errors` is, and standard library only: a run with nothing to do starts at once. What
the files mean is said by whoever writes them (`lib.steps`).
"""

import contextlib
import dataclasses
import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from lib.errors import StepError

_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space (`make clean` empties outputs/) and run the step again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run the step again",
    errno.EROFS: "the disk is read-only: set WORKBOOK_OUTPUTS to a folder that can be written",
    errno.EACCES: "it may not be written: change its permissions, or set WORKBOOK_OUTPUTS to another folder",
    errno.EPERM: "it may not be written: change its permissions, or set WORKBOOK_OUTPUTS to another folder",
}


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write (full, read-only) into an error that names `path` and the remedy."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, f"the system said: {error.strerror or error}")
        raise StepError(f"Could not write {path}: {remedy}.") from error


def temporary(path: Path) -> Path:
    """The name beside `path` under which it is written: `.train.parquet.<pid>.tmp`."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def sync(path: Path) -> None:
    """Have the system put `path` (a file or a folder) on the disk, so that a power cut does not undo it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write into; it appears under `path` only when the block ends without an error."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = temporary(path)
        try:
            with unfinished.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            sync(path.parent)
        finally:
            unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty folder to fill; it replaces `path` only when the block ends without an error."""
    unfinished = temporary(path)
    replaced = unfinished.with_suffix(".old.tmp")
    with writing(path):
        remove(unfinished)
        unfinished.mkdir(parents=True)
        try:
            yield unfinished
            for part in unfinished.rglob("*"):
                sync(part)
            sync(unfinished)
            if path.exists():
                path.rename(replaced)
            unfinished.rename(path)
            sync(path.parent)
        finally:
            remove(unfinished)
            remove(replaced)


def remove(path: Path) -> None:
    """Remove a file or a folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> list[str]:
    """Remove what dead writers have left in `folder`; a living writer's files stay. Gives their names."""
    left = []
    for path in folder.glob(".*.tmp"):
        digits = [part for part in path.name.split(".") if part.isdigit()]
        if digits and not alive(int(digits[-1])):
            remove(path)
            left.append(path.name)
    return left


def alive(pid: int) -> bool:
    """Whether a process of that number is running; 0 is none."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def plain(value: Any) -> Any:
    """`value` in JSON's own types: numpy's and pandas' become Python's, what is not finite becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple) or getattr(value, "ndim", 0):  # an array has dimensions, a number none
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def as_json(value: Mapping[str, Any]) -> bytes:
    """A mapping as JSON, keys sorted: the same content gives the same bytes."""
    return (json.dumps(plain(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def digest(*paths: Path) -> str:
    """SHA-256 of files, and of all below folders but compiled code, by name and content: 64 hex digits."""
    total = hashlib.sha256()
    for path in paths:
        below = [part for part in path.rglob("*") if part.is_file() and "__pycache__" not in part.parts]
        parts = sorted(below) if path.is_dir() else [path]
        for part in parts:
            with part.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
            total.update(part.relative_to(path.parent).as_posix().encode() + b"\0" + content)
    return total.hexdigest()


def hash_of(value: Any) -> str:
    """A short hash of a mapping or list: 16 hex digits, the same for the same content."""
    return hashlib.sha256(json.dumps(plain(value), sort_keys=True).encode()).hexdigest()[:16]
