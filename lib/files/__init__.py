"""Files that appear whole or not at all, digests of content, and locks between processes.

The only place where any of the three is done; what content is, and its digest, is in `content`. No text is
written with a secret in it: see `lib.redaction`. What files mean is said by whoever writes them, where they
lie in `lib.paths`. Standard library only: a run with nothing to do starts at once.
"""

import contextlib
import errno
import fcntl
import glob
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from lib import redaction
from lib.errors import StepError
from lib.files.content import as_json, counts, digest, digest_of, know, plain, size, stamp

__all__ = ["as_json", "counts", "digest", "digest_of", "know", "plain", "size", "stamp"]

_NOT_ALLOWED = "it may not be written: change its permissions, or set WORKBOOK_OUTPUTS to another folder"
#: What the system refuses to write for, and what helps.
REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space (`make clean` removes runs) and run the step again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run the step again",
    errno.EROFS: "the disk is read-only: set WORKBOOK_OUTPUTS to a folder that can be written",
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
}
#: The file in a temporary folder that its maker holds locked.
_HELD = ".held"
#: Seconds after which a folder that is not held by its maker will not be.
_LONG_AGO = 3600


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


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None, prefix: str = "workbook-") -> Iterator[Path]:
    """A new folder, `<prefix><random>.tmp`, gone when the block ends. Meanwhile its maker holds a lock in it.

    The system lets go of a lock when its holder dies, whatever its process id, container or host: what nobody
    holds was left by a dead one, and `sweep` removes it. By default it lies where temporary files go.
    """
    import tempfile  # as `shutil` below: a start with nothing to do has no use for them

    parent = parent or Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(".new", prefix, parent))
    folder = made.with_suffix(".tmp")
    try:
        with locked(made / _HELD):
            made.rename(folder)  # held before it has the name by which others would sweep it
            yield folder
    finally:
        remove(made)
        remove(folder)


def temporary(path: Path) -> contextlib.AbstractContextManager[Path]:
    """The hidden folder beside `path` in which that is written, `.train.parquet.<random>.tmp`."""
    return temporary_folder(path.parent, f".{path.name}.")


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
    with temporary(path) as folder:
        unfinished = folder / path.name
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync(path.parent)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty folder to fill; it replaces `path` only when the block ends without an error."""
    with temporary(path) as folder:
        unfinished = folder / path.name
        unfinished.mkdir()
        yield unfinished
        for part in unfinished.rglob("*"):
            sync(part)
        sync(unfinished)
        if path.exists():
            path.rename(folder / "replaced")
        unfinished.rename(path)
        sync(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all, without the secrets in it."""
    with whole(path) as file:
        file.write(redaction.text(text).encode())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a mapping to `path` as JSON with sorted keys, whole or not at all, without the secrets in it."""
    with whole(path) as file:
        file.write(as_json(redaction.strings(plain(value))))


def update_json(path: Path, change: Mapping[str, object]) -> None:
    """Set keys of the mapping in the JSON file `path`; whoever does the same at that moment waits."""
    with locked(path.with_name(f".{path.name}.lock")):  # no run is called so
        write_json(path, {**read_json(path), **change})


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in the JSON file `path`; an empty one when it is absent or not whole."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def copy(source: Path, target: Path) -> None:
    """The same content in files of its own: whoever writes into one changes that one alone."""
    import shutil

    if source.is_dir():
        with whole_folder(target) as folder:
            shutil.copytree(source, folder, dirs_exist_ok=True)
    else:
        with whole(target) as file, source.open("rb") as content:
            shutil.copyfileobj(content, file)


def remove(path: Path) -> None:
    """Remove a file or a folder if it is there."""
    import shutil

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sweep(folder: Path, prefix: str = ".") -> None:
    """Remove what dead makers have left of temporary folders in `folder`; what a living one holds stays.

    So does what may not be removed, such as another user's in a folder that all share.
    """
    for left in folder.glob(f"{prefix}*.tmp"):
        if not held(left):
            with contextlib.suppress(PermissionError):
                remove(left)
    for left in folder.glob(f"{prefix}*.new"):  # its maker died before it held it, or will in a moment
        with contextlib.suppress(OSError):  # it is held by now, or no folder of ours
            if not held(left) and time.time() - left.stat().st_mtime > _LONG_AGO:
                (left / _HELD).unlink(missing_ok=True)
                left.rmdir()


def held(folder: Path) -> bool:
    """Whether the maker of a temporary folder lives."""
    try:
        with (folder / _HELD).open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # it is locked, or another user's
        return True
    return False


def wait_for_end(folder: Path) -> None:
    """Wait until the maker of a temporary folder lets go of it, or dies."""
    with contextlib.suppress(FileNotFoundError), (folder / _HELD).open() as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)


def in_hand(path: Path) -> bool:
    """Whether a living process holds a temporary folder of `path`: it writes that, or has opened it."""
    return any(held(folder) for folder in path.parent.glob(f"{glob.escape(f'.{path.name}.')}*.tmp"))


@contextlib.contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[IO[str]]:
    """Hold the lock file `path`, given open; others wait, or without `wait` get a BlockingIOError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield handle
