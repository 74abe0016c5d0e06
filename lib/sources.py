"""Bytes from a URL, a mirror folder or a local path to a verified file; formats are the problem's.

`fetch` looks first into the folder that `DATA_MIRROR` names (by the last part of the URL), then into
the cache that all runs share, and only then goes to the network. A file enters the cache whole and
checked, or not at all.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import unquote, urlsplit

from lib import dependencies, files, paths
from lib.errors import DataError, SourceError

if TYPE_CHECKING:
    import pandas as pd

#: Tells whether a file is what it should be: its number of rows, or a SourceError with what it is instead.
Check = Callable[[Path], int | None]

ATTEMPTS = 5
BACKOFF = 0.5  # seconds before the second attempt, doubled before each further one
TIMEOUT = (10, 60)  # seconds to connect, and between two pieces
PIECE = 1 << 18  # bytes
ABSENT = (403, 404, 410)  # the TLC's store answers 403 for a month that is not there
PASSING = (408, 425, 429, 500, 502, 503, 504)  # worth another attempt


class FileRecord(TypedDict):
    """What a run keeps of a file: everything but where it happens to lie on this machine."""

    name: str
    url: str
    bytes: int
    sha256: str
    rows: int | None


@dataclass(frozen=True)
class Fetched:
    """A verified local file and where it came from; `rows` where the check could count them."""

    path: Path
    name: str
    url: str
    bytes: int
    sha256: str
    rows: int | None = None
    stamp: tuple[int, ...] = ()  # of the file before it was hashed

    @property
    def unchanged(self) -> bool:
        """Whether the file is still the one that was hashed: what was read of it meanwhile is that."""
        return self.path.is_file() and tuple(files.stamp(self.path)) == self.stamp

    def record(self) -> FileRecord:
        """The part of it that provenance keeps."""
        return FileRecord(name=self.name, url=self.url, bytes=self.bytes, sha256=self.sha256, rows=self.rows)


def fetch(url: str, check: Check | None = None, cache: Path | None = None) -> Fetched:
    """The file at `url`, from the mirror, the cache or the network, checked; downloaded once only."""
    name = file_name(url)
    mirror = paths.mirror()
    if mirror and (mirror / name).is_file():
        noted, remedy = ("mirror", str(mirror / name)), f"Replace it in the mirror folder {mirror}."
        return _verified(mirror / name, url, check, noted, remedy)
    # a folder for each URL, as two of them may end in the same name
    folder = (cache or paths.outputs() / "cache") / hashlib.sha256(url.encode()).hexdigest()[:10]
    try:
        with files.locked(folder / "lock"):  # a second process that wants the file finds it in the cache
            path, note = folder / name, folder / f"{name}.sha256"
            known = note.read_text().strip() if path.is_file() and note.is_file() else ""
            digest = files.digest(path) if known else ""
            if not known or digest != known:  # none, or one that was damaged since
                _download(url, path, check)
                digest = files.digest(path)
                files.write_text(note, digest)
            remedy = f"Delete the folder {folder} and run again."
            return _verified(path, url, check, ("address", url), remedy, digest)
    except OSError as error:
        raise SourceError(
            f"{name}: cannot be kept in the cache ({error}). Make room, or let WORKBOOK_OUTPUTS name "
            "a folder that can be written."
        ) from error


def local(path: str | Path, check: Check | None = None) -> Fetched:
    """A file that the user named, from the project's folder or by its whole path, checked where it lies."""
    named = paths.typed(path)
    path = paths.ROOT / named
    if not path.is_file():
        raise SourceError(f"There is no file {path}. Put it back, or correct the path in the parameters.")
    remedy = "Name another file in the parameters."
    # its name alone: the same bytes in another folder are the same source
    return _verified(path, path.name, check, ("file", str(named)), remedy)


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
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return max(sum(1 for row in csv_rows(file) if row) - 1, 0)


def csv_rows(lines: Iterable[str], separator: str = ",") -> Iterator[list[str]]:
    """The rows of CSV text; a field may be longer than Python's own limit of 131,072 letters."""
    csv.field_size_limit(2**31 - 1)
    return csv.reader(lines, delimiter=separator)


def csv_table(path: Path, separator: str = ",", types: str | Mapping[str, str] = "str") -> "pd.DataFrame":
    """A CSV file, each field the text that stands there ("01234", "None"); only an empty one is missing.

    `types` may name the columns that are text alone: pandas guesses the others. UTF-8 or Windows text.
    """
    import pandas as pd

    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return pd.read_csv(
                path, sep=separator, dtype=types, keep_default_na=False, na_values=[""], encoding=encoding
            )
        except UnicodeDecodeError:
            continue
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise DataError(f"{path} is no table separated by {separator!r}: {error}") from error
    raise DataError(f"{path} is neither UTF-8 nor Windows text. Save it as UTF-8.")


def _verified(
    path: Path, url: str, check: Check | None, noted: tuple[str, str], remedy: str, digest: str = ""
) -> Fetched:
    """What is known of a file that its check accepts; `noted` (kind, name) as what the step depends on."""
    stamp = files.stamp(path)
    rows = _rows(path, check, f"{path.name}, at {path}, is", remedy)
    digest = digest or files.digest(path)
    dependencies.use(*noted, digest, stamp)
    return Fetched(path, path.name, url, stamp[0], digest, rows, tuple(stamp))


def _rows(path: Path, check: Check | None, what: str, remedy: str) -> int | None:
    """The rows of a file; a check that refuses it says `what` it is, and here comes what to do."""
    try:
        return check(path) if check else None
    except SourceError as error:
        raise SourceError(f"{what} {error}. {remedy}") from error


def _download(url: str, path: Path, check: Check | None) -> None:
    """By pooch: in a temporary folder, checked, then renamed; a body that breaks off is asked for again."""
    import pooch
    from requests import RequestException

    def stream(url: str, output_file: str, _: pooch.Pooch) -> None:
        _stream(url, Path(output_file), path.name)
        _rows(Path(output_file), check, f"{path.name}: what {url} sent is", "Check the address.")

    pooch.get_logger().setLevel("WARNING")  # the bar says enough
    names = {"registry": {path.name: None}, "urls": {path.name: url}}
    with files.temporary(path) as folder:
        try:
            made = pooch.create(folder, "", retry_if_failed=ATTEMPTS - 1, **names)
            Path(made.fetch(path.name, downloader=stream)).replace(path)
        except RequestException as error:
            raise _unread(url, error) from error


def _stream(url: str, path: Path, name: str) -> None:
    """Every byte that the server announced (urllib3 counts them), or an exception.

    urllib3's Retry asks again until an answer begins; what breaks off later it leaves to the caller.
    """
    import requests
    from requests.adapters import HTTPAdapter
    from tqdm import tqdm
    from urllib3.util import Retry

    retry = Retry(
        ATTEMPTS - 1,
        backoff_factor=BACKOFF,
        status_forcelist=PASSING,
        raise_on_status=False,
        respect_retry_after_header=False,  # it may say an hour
    )
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        session.mount("https://", HTTPAdapter(max_retries=retry))
        try:
            # identity: so that the bar's length is that of the file
            answer = session.get(url, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
        except requests.RequestException as error:
            raise _unread(url, error) from error
        with answer, path.open("wb") as file:
            _check_status(url, answer.status_code)
            length = int(answer.headers.get("Content-Length", 0)) or None
            with tqdm(total=length, unit="B", unit_scale=True, desc=name) as bar:
                for piece in answer.iter_content(PIECE):
                    bar.update(file.write(piece))


def _check_status(url: str, status: int) -> None:
    """Refuse an answer that is not the file."""
    if status in ABSENT:
        raise SourceError(
            f"{file_name(url)} is not published: {url} answered {status}. Correct the options that name it, "
            "or put the file into a folder and set DATA_MIRROR=<that folder>."
        )
    if status in PASSING:
        raise _unread(url, f"it answered {status}")
    if status >= 400:
        raise SourceError(f"{file_name(url)}: {url} answered {status}. Check the address.")


def _unread(url: str, reason: Exception | str) -> SourceError:
    """The error where every attempt has failed; of an exception the innermost message, short."""
    if isinstance(reason, Exception):
        inner: BaseException = reason
        while inner.__context__ is not None:  # requests wraps the true one several times
            inner = inner.__context__
        reason = f"{type(reason).__name__}: {json.dumps(str(inner)[:200])}"
    mirror = paths.mirror()
    hint = f"the mirror folder {mirror} has no such file either" if mirror else "DATA_MIRROR names no folder"
    return SourceError(
        f"{file_name(url)}: {url} could not be read in {ATTEMPTS} attempts ({reason}), and {hint}. Check the "
        "network and run again, or put the file into a folder and set DATA_MIRROR=<that folder>."
    )
