"""What content is: values as JSON has them, digests, and the stamps by which it is known to be the same."""

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from stat import S_ISDIR
from typing import Any

#: Lines that change with every call and say nothing about content, by the name of the file they stand in.
_VOLATILE = {"MLmodel": (b"utc_time_created:", b"model_uuid:", b"model_id:", b"run_id:", b"artifact_path:")}
#: What running or loading leaves in a folder, compiled code and MLflow's own note: no part of its content.
_LEFT = {"__pycache__", "registered_model_meta"}
#: Digests that this process has found or was told, each with the stamp of that content.
_KNOWN: dict[Path, tuple[list[int], str]] = {}

#: The types of pandas' gaps, told by name: pandas itself is not imported here.
_GAPS = ("NaTType", "NAType")


def plain(value: Any) -> Any:
    """`value` in JSON's own types: numpy's and pandas' become Python's; gaps and what is not finite, null."""
    if value is None or type(value) in (str, int, bool):
        return value
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


def as_json(value: Mapping[str, object]) -> bytes:
    """A mapping as JSON, keys sorted: the same content gives the same bytes."""
    return (json.dumps(plain(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def stamp(path: Path) -> list[int]:
    """Size, times of change in ns and inode: while these are equal a file's content counts as the same.

    Of a folder, one number for those of all its files that count.
    """
    found = path.stat()
    if S_ISDIR(found.st_mode):
        parts = [[name, *_numbers(part.stat())] for name, part in _parts(path)]
        return [int(digest_of(parts)[:15], 16)]
    return _numbers(found)


def _numbers(found: os.stat_result) -> list[int]:
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
        for name, part in _parts(path):
            total.update(name.encode() + b"\0" + _content(Path(part)))
        found = total.hexdigest()
    else:
        found = _content(path).hex()
    know(path, before, found)
    return found


def know(path: Path, stamp: list[int], digest: str) -> None:
    """Take it from whoever has read `path`: while it has this stamp its digest is this one."""
    _KNOWN[path] = (stamp, digest)


def _parts(folder: str | Path, above: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The files below a folder that count, in order: the name below it, and the file."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from () if entry.name in _LEFT else _parts(entry.path, f"{above}{entry.name}/")
        elif entry.name not in _LEFT and entry.is_file():
            yield above + entry.name, entry


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


def digest_of(content: bytes | Mapping[str, object] | Sequence[object] | str) -> str:
    """A short name for content, bytes or plain values: the first 128 bits of its SHA-256, 32 hex digits."""
    if not isinstance(content, bytes):
        content = json.dumps(plain(content), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()[:32]
