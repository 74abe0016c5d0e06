"""What a process has used, found by itself: modules of `lib`, things from outside, libraries, peak memory.

The runner keeps this in a step's record: an edit of anything else does not make the step run again. A file
that is read and not imported (code that is copied into a model's folder) counts as used, too. Standard
library only, as it is asked before anything runs.
"""

import contextlib
import functools
import os
import resource
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lib import files, mlflow_tables, paths

LIB = Path(__file__).resolve().parent
_READ: set[str] = set()
_ASIDE = threading.local()
_TAKEN: dict[tuple[str, str], dict[str, object]] = {}


@functools.cache
def watch() -> None:
    """From now on notice which source files of `lib` this process opens; a second call does nothing."""
    start = f"{LIB}/"

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and not getattr(_ASIDE, "reading", False):
            path = str(arguments[0])
            if path.startswith(start) and path.endswith(".py"):
                _READ.add(path)

    sys.addaudithook(hook)


@contextlib.contextmanager
def unused() -> Iterator[None]:
    """What this thread reads in the block, to see whether it has changed, does not count as used."""
    _ASIDE.reading = True
    try:
        yield
    finally:
        _ASIDE.reading = False


def modules() -> list[str]:
    """The modules of `lib` that were imported or read so far."""
    loaded, read = list(sys.modules), list(_READ)  # at once: a tracker's thread may be importing
    imported = {name for name in loaded if name == "lib" or name.startswith("lib.")}
    return sorted(imported | {module_name(path.removeprefix(f"{LIB.parent}/")) for path in read})


def module_name(path: str) -> str:
    """`lib/plots/__init__.py`, as it stands below the project's folder, as `lib.plots`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def use(kind: str, name: str, digest: str, stamp: Sequence[int] = ()) -> None:
    """Note something from outside of the run that the result depends on; the latest word on a name counts.

    `kind` says how it is asked again (see `changed`); `stamp` stands for a file's content.
    """
    _TAKEN[kind, name] = {"kind": kind, "name": name, "digest": digest, "stamp": list(stamp)}


def changed(one: Mapping[str, object], outputs: Path) -> str:
    """What became of something that was noted by `use`; empty where it is as it was, or is not asked.

    A "file", named from the project's folder or by its whole path, must still be there with its content. A
    web "address" is not asked, nor what was read of a "mirror" that is named no more, as its address stands;
    but a file that today's mirror has is what a step would read, and must be the same. "tracking" is the
    address of the record, "registry" a model there (see `registered`); one on a server is not asked.
    """
    kind, name = one.get("kind"), str(one.get("name"))
    if kind == "tracking":
        now = paths.kept_uri(paths.tracking_uri(outputs), outputs)
        return "" if now == name else f"the tracking address is {now}, not {name}"
    if kind == "registry":
        held, folder = registered(name, outputs)
        if held not in (None, one.get("digest")):
            return f"{name} is {held or 'gone'} now"
        if not folder or files.stamp(folder) == one.get("stamp") or files.digest(folder) in str(held):
            return ""
        return f"the files of {name} changed"
    path = paths.ROOT / name if kind == "file" else _mirrored(name)
    if kind not in ("file", "mirror", "address") or path is None:
        return ""
    if not path.is_file():
        return f"{name} is gone" if kind == "file" else ""
    if files.stamp(path) == one.get("stamp") or files.digest(path) == one.get("digest"):
        return ""
    return f"{name} changed" if path == paths.ROOT / name else f"{path} is not what {name} was"


def _mirrored(name: str) -> Path | None:
    """Where today's mirror would have a file, which was read at an address or in a mirror of then."""
    from urllib.parse import unquote, urlsplit

    mirror = paths.mirror()
    return mirror and mirror / Path(unquote(urlsplit(name).path) if "://" in name else name).name


def registered(model: str, outputs: Path) -> tuple[str | None, Path | None]:
    """Which version, of which digest, `models:/name@alias` or `models:/name/3` is, and its files' folder.

    Empty and None where it is not there; twice None where the registry is no file. The folder is
    None, too, where somebody keeps the files of a version elsewhere.
    """
    kind, found, database = paths.tracking_uri(outputs).partition("sqlite:///")
    if kind or not found:
        return None, None
    if not Path(database).exists():
        return "", None
    import sqlite3

    name, _, which = model.removeprefix("models:/").rpartition("@" if "@" in model else "/")
    try:
        held = mlflow_tables.version(Path(database), name, which)
    except sqlite3.Error:  # no database of MLflow: the step that uses it says so
        return "", None
    if held is None:
        return "", None
    number, digest, source = held
    _, ours, below = source.partition("/mlartifacts/")
    folder = outputs / "mlartifacts" / below if ours else None
    if folder and not (folder / "MLmodel").exists():
        return "", None
    return f"version {number}, {digest}", folder


def taken() -> list[dict[str, object]]:
    """What was noted by `use` so far."""
    return list(_TAKEN.values())


def libraries(modules: Iterable[str]) -> dict[str, str]:
    """Python and the libraries that bring these import names, with their versions."""
    known, brought_by = installed(), _brought_by()
    names = sorted({library for module in modules for library in brought_by.get(module, ())})
    return {name: known[name] for name in ("python", *names)}


@functools.cache
def _brought_by() -> dict[str, list[str]]:
    """Import name to the libraries that bring it: `sklearn` to scikit_learn, `mlflow` to three."""
    found: dict[str, list[str]] = {}
    for path in _folders():
        names, listed = path / "top_level.txt", path / "RECORD"
        if names.exists():
            modules = set(names.read_text(encoding="utf-8").split())
        else:
            lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
            listed_files = [Path(line.partition(",")[0]) for line in lines]
            modules = {
                file.parts[0].partition(".")[0] for file in listed_files if file.suffix in (".py", ".so")
            }
        for module in modules:
            found.setdefault(module, []).append(_library(path))
    return found


def _folders() -> list[Path]:
    """The folders that pip leaves beside each library, those first that are imported first."""
    folders = ((place, next(os.walk(place), ("", [], []))[1]) for place in map(Path, sys.path))
    return [place / name for place, names in folders for name in sorted(names) if name.endswith(".dist-info")]


def _library(path: Path) -> str:
    return path.stem.partition("-")[0].lower()


@functools.cache
def installed() -> dict[str, str]:
    """Python and every library that could be imported, by name, with their versions.

    From the names of the folders that pip leaves beside a library: asking each for its metadata takes a
    hundred times as long.
    """
    found = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    versions = {_library(path): path.stem.partition("-")[2] for path in reversed(_folders())}
    return found | versions


def peak_memory_mb() -> float:
    """The most memory that this process has had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 1024), 1)
