"""Files that appear whole or not at all, digests of content, and locks between processes.

The only place where any of the three is done. No text is written with a secret in it: see `lib.redaction`.
Standard library only: a run with nothing to do starts at once.
What the files mean is said by whoever writes them; where they lie is in `lib.paths`.
"""

import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from lib import redaction
from lib.errors import StepError

#: What the system refuses to write for, and what helps.
REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space (`make clean` removes runs) and run the step again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run the step again",
    errno.EROFS: "the disk is read-only: set WORKBOOK_OUTPUTS to a folder that can be written",
    errno.EACCES: "it may not be written: change its permissions, or set WORKBOOK_OUTPUTS to another folder",
    errno.EPERM: "it may not be written: change its permissions, or set WORKBOOK_OUTPUTS to another folder",
}
#: Lines that change with every call and say nothing about content, by the name of the file they stand in.
_VOLATILE = {"MLmodel": (b"utc_time_created:", b"model_uuid:", b"model_id:", b"run_id:", b"artifact_path:")}
#: What running or loading leaves in a folder, compiled code and MLflow's own note: no part of its content.
_LEFT = {"__pycache__", "registered_model_meta"}
#: Digests that this process has found or was told, each with the stamp of that content.
_KNOWN: dict[Path, tuple[list[int], str]] = {}

#: The types of pandas' gaps, told by name: pandas itself is not imported here.
_GAPS = ("NaTType", "NAType")


# --- writing ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write (full, read-only) into an error that names `path` and the remedy.

    What else the block does, such as a download into that place, fails under its own name.
    """
    try:
        yield
    except OSError as error:
        if not _refused(error, path):
            raise
        remedy = REMEDIES.get(error.errno or 0, f"the system said: {error.strerror or error}")
        raise StepError(f"Could not write {path}: {remedy}.") from error


def _refused(error: OSError, path: Path) -> bool:
    """Whether the system would not write at `path`: no error of a network, nor of a file elsewhere."""
    if error.errno is None or isinstance(error, ConnectionError | TimeoutError):
        return False
    at = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
    return at.is_relative_to(path.parent) or path.is_relative_to(at)


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


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all, without the secrets in it."""
    with whole(path) as file:
        file.write(redaction.text(text).encode())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a mapping to `path` as JSON with sorted keys, whole or not at all, without the secrets in it."""
    write_text(path, as_json(value).decode())


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in the JSON file `path`; an empty one when it is absent or not whole."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def copy(source: Path, target: Path) -> None:
    """The same content in files of its own: whoever writes into one changes that one alone."""
    if source.is_dir():
        with whole_folder(target) as folder:
            shutil.copytree(source, folder, dirs_exist_ok=True)
    else:
        with whole(target) as file, source.open("rb") as content:
            shutil.copyfileobj(content, file)


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


@contextlib.contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[IO[str]]:
    """Hold the lock file `path`, given open; others wait, or without `wait` get a BlockingIOError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield handle


# --- content ----------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """`value` in JSON's own types: numpy's and pandas' become Python's; gaps and what is not finite, null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple) or bool(getattr(value, "ndim", False)):  # an array, not a number
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if type(value).__name__ in _GAPS:
        return None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def as_json(value: Mapping[str, Any]) -> bytes:
    """A mapping as JSON, keys sorted: the same content gives the same bytes."""
    return (json.dumps(plain(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def stamp(path: Path) -> list[int]:
    """Size, times of change in ns and inode: while these are equal a file's content counts as the same.

    Of a folder, one number for those of all its files that count.
    """
    if path.is_dir():
        parts = [[part.relative_to(path).as_posix(), *stamp(part)] for part in _parts(path)]
        return [int(digest_of(parts)[:15], 16)]
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def digest(path: Path) -> str:
    """SHA-256 of a file, or of all below a folder that `counts`, by name and content: 64 hex digits.

    What a file says of when and by which run it was made does not count (see `_VOLATILE`). Content whose
    digest is known is not read again while its stamp is the same.
    """
    before = stamp(path)
    known = _KNOWN.get(path)
    if known and known[0] == before:
        return known[1]
    if path.is_dir():
        total = hashlib.sha256()
        for part in _parts(path):
            total.update(part.relative_to(path).as_posix().encode() + b"\0" + _content(part))
        found = total.hexdigest()
    else:
        found = _content(path).hex()
    know(path, before, found)
    return found


def know(path: Path, stamp: list[int], digest: str) -> None:
    """Take it from whoever has read `path`: while it has this stamp its digest is this one."""
    _KNOWN[path] = (stamp, digest)


def _parts(folder: Path) -> list[Path]:
    """The files below a folder that count, in order."""
    return sorted(part for part in folder.rglob("*") if part.is_file() and counts(part))


def size(path: Path) -> str:
    """`4.1 MB`."""
    parts = path.rglob("*") if path.is_dir() else [path]
    total: float = sum(part.stat().st_size for part in parts if part.is_file())
    for unit in ("B", "kB", "MB"):
        if total < 1000:
            return f"{total:.0f} {unit}" if unit == "B" else f"{total:.1f} {unit}"
        total /= 1000
    return f"{total:.1f} GB"


def counts(path: Path) -> bool:
    """Whether a file is content: compiled code and MLflow's note in a model that it loaded are not."""
    return _LEFT.isdisjoint(path.parts)


def _content(path: Path) -> bytes:
    volatile = _VOLATILE.get(path.name)
    with path.open("rb") as file:
        if volatile is None:
            return hashlib.file_digest(file, "sha256").digest()
        return hashlib.sha256(b"".join(line for line in file if not line.startswith(volatile))).digest()


def digest_of(content: bytes | Mapping[str, Any] | list[Any] | str) -> str:
    """A short name for content, bytes or plain values: the first 128 bits of its SHA-256, 32 hex digits."""
    if not isinstance(content, bytes):
        content = json.dumps(plain(content), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()[:32]
