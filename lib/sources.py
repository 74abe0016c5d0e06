"""Bytes from a URL, a mirror folder or a local path to a verified file; what is in them is `lib.datasets`.

`fetch` looks first into the folder that `DATA_MIRROR` names (by the last part of the URL), then into
the cache that all runs share, and only then goes to the network. A file enters the cache whole and
checked, or not at all.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lib.errors import SourceError

#: Tells whether a file is what it should be: its number of rows, or a SourceError with what it is instead.
Check = Callable[[Path], int | None]

WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds before each further attempt
TIMEOUT = (10, 60)  # seconds to connect, and between two pieces
PIECE = 1 << 18  # bytes
ABSENT = (403, 404, 410)  # the TLC's store answers 403 for a month that is not there
PASSING = (408, 425, 429, 500, 502, 503, 504)  # worth another attempt


@dataclass(frozen=True)
class Fetched:
    """A verified local file and where it came from; `rows` where the check could count them."""

    path: Path
    name: str
    url: str
    bytes: int
    sha256: str
    rows: int | None = None

    def record(self) -> dict[str, Any]:
        """What a run keeps of it: everything but where it happens to lie on this machine."""
        return {key: getattr(self, key) for key in ("name", "url", "bytes", "sha256", "rows")}


class _Passing(Exception):
    """A failure that another attempt may mend."""


def fetch(url: str, check: Check | None = None, cache: Path | None = None) -> Fetched:
    """The file at `url`, from the mirror, the cache or the network, checked; downloaded once only."""
    name = file_name(url)
    mirror = os.environ.get("DATA_MIRROR", "")
    if mirror and (Path(mirror) / name).is_file():
        return _verified(Path(mirror) / name, url, check, f"Replace it in the mirror folder {mirror}.")
    try:
        folder = (cache or _shared_cache()) / hashlib.sha256(url.encode()).hexdigest()[:10]
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / "lock"):
            if not _intact(folder / name):
                _download(url, folder / name, check, mirror)
            return _verified(folder / name, url, check, f"Delete the folder {folder} and run again.")
    except OSError as error:
        raise SourceError(
            f"{name}: cannot be kept in the cache ({error}). Make room, or let WORKBOOK_OUTPUTS name "
            "a folder that can be written."
        ) from error


def local(path: str | Path, check: Check | None = None) -> Fetched:
    """A file that the user named, checked where it lies."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise SourceError(f"There is no file {path}. Put it back, or correct the path in the parameters.")
    return _verified(path, path.resolve().as_uri(), check, "Name another file in the parameters.")


def file_name(url: str) -> str:
    """The last part of a URL: `…/dataset/genres_mod.parquet?raw=true` gives `genres_mod.parquet`."""
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    if not name:
        raise SourceError(f"{url!r} does not end in the name of a file.")
    return name


def parquet(path: Path) -> int:
    """The rows of a Parquet file, by its footer: a truncated file has none."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            return file.metadata.num_rows
    except pyarrow.ArrowException as error:
        with path.open("rb") as file:
            start = file.read(24)
        raise SourceError(
            f"not a whole Parquet file ({path.stat().st_size:,} bytes, starting {start!r}; {error})"
        ) from error


def text_table(path: Path) -> int:
    """The rows of a CSV file below its header, read as text: a web page or binary file is refused."""
    with path.open("rb") as file:
        start = file.read(4096)
    if b"\0" in start or start.lstrip()[:1] in (b"<", b"") or start[:4] == b"PAR1":
        raise SourceError(f"not a CSV file ({path.stat().st_size:,} bytes, starting {start[:24]!r})")
    import csv

    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return max(sum(1 for row in csv.reader(file) if row) - 1, 0)


def _shared_cache() -> Path:
    from lib import steps

    return steps.outputs() / "cache"


def _verified(path: Path, url: str, check: Check | None, remedy: str) -> Fetched:
    """What is known of a file that its check accepts."""
    rows = _counted(path, check, f"{path.name}, at {path}, is", remedy)
    return Fetched(path, path.name, url, path.stat().st_size, _sha256(path), rows)


def _counted(path: Path, check: Check | None, what: str, remedy: str) -> int | None:
    """The rows of a file; a check that refuses it says `what` it is, and here comes what to do."""
    try:
        return check(path) if check else None
    except SourceError as error:
        raise SourceError(f"{what} {error}. {remedy}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _intact(path: Path) -> bool:
    """Whether a cached file still is what was downloaded: its digest stands beside it."""
    note = path.with_name(path.name + ".sha256")
    return path.is_file() and note.is_file() and note.read_text().strip() == _sha256(path)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: a second one that wants the same file waits, then finds it in the cache."""
    with path.open("w") as handle:
        try:
            import fcntl
        except ImportError:  # Windows: two downloads at once are a waste there, not a danger
            yield
            return
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _download(url: str, path: Path, check: Check | None, mirror: str) -> None:
    """Into a temporary file beside `path`, checked, then renamed; another attempt after passing failures."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    hint = f"the mirror folder {mirror} has no such file either" if mirror else "DATA_MIRROR names no folder"
    try:
        for wait in (*WAITS, None):
            try:
                _stream(url, part)
                break
            except _Passing as error:
                if wait is None:
                    raise SourceError(
                        f"{path.name}: {url} could not be read in {len(WAITS) + 1} attempts ({error}), "
                        f"and {hint}. Check the network and run again, or put the file into a folder and set "
                        "DATA_MIRROR=<that folder>."
                    ) from error
                time.sleep(wait)
        _counted(part, check, f"{path.name}: what {url} sent is", "Check the address.")
        path.with_name(path.name + ".sha256").write_text(_sha256(part) + "\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _stream(url: str, part: Path) -> None:
    """One attempt: every byte that the server announced, or an exception."""
    import requests
    from tqdm import tqdm

    name = file_name(url)
    try:
        # identity: so that Content-Length counts the bytes that arrive
        answer = requests.get(url, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
        with answer:
            if answer.status_code in ABSENT:
                raise SourceError(
                    f"{name} is not published: {url} answered {answer.status_code}. Correct the options that "
                    "name it, or put the file into a folder and set DATA_MIRROR=<that folder>."
                )
            if answer.status_code in PASSING:
                raise _Passing(f"it answered {answer.status_code}")
            if not answer.ok:
                raise SourceError(
                    f"{name}: {url} answered {answer.status_code} {answer.reason}. Check the address."
                )
            length = int(answer.headers.get("Content-Length", 0)) or None
            with part.open("wb") as file, tqdm(total=length, unit="B", unit_scale=True, desc=name) as bar:
                for piece in answer.iter_content(PIECE):
                    file.write(piece)
                    bar.update(len(piece))
                file.flush()
                os.fsync(file.fileno())
    except requests.RequestException as error:
        raise _Passing(f"{type(error).__name__}: {_reason(error)}") from error
    if length is not None and part.stat().st_size != length:
        raise _Passing(f"{part.stat().st_size:,} of {length:,} bytes arrived")


def _reason(error: BaseException) -> str:
    """The innermost message of an exception, short: requests wraps the true one several times."""
    while error.__context__ is not None:
        error = error.__context__
    return json.dumps(str(error)[:200])
