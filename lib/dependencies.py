"""What a process has used of `lib`, found by itself: modules imported, source files read, peak memory.

The runner keeps this in a step's record: an edit of anything else does not make the step run again. A file
that is read and not imported (code that is copied into a model's folder) counts as used, too.
"""

import functools
import resource
import sys
from pathlib import Path

LIB = Path(__file__).resolve().parent
_READ: set[str] = set()


@functools.cache
def watch() -> None:
    """From now on notice which source files of `lib` this process opens; a second call does nothing."""
    start = f"{LIB}/"

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path = str(arguments[0])
            if path.startswith(start) and path.endswith(".py"):
                _READ.add(path)

    sys.addaudithook(hook)


def modules() -> list[str]:
    """The modules of `lib` that were imported or read so far."""
    loaded, read = list(sys.modules), list(_READ)  # at once: a tracker's thread may be importing
    imported = {name for name in loaded if name == "lib" or name.startswith("lib.")}
    return sorted(imported | {module_name(Path(path), LIB.parent) for path in read})


def module_name(path: Path, root: Path) -> str:
    """`lib/plots/__init__.py` below `root` as `lib.plots`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def installed() -> dict[str, str]:
    """Python and every library that could be imported, by name, with their versions.

    From the names of the folders that pip leaves beside a library: asking each for its metadata takes a
    hundred times as long.
    """
    found = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    for place in reversed(sys.path):
        for path in Path(place).glob("*.dist-info"):
            library, _, version = path.stem.partition("-")
            found[library.lower()] = version
    return found


def peak_memory_mb() -> float:
    """The most memory that this process has had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 1024), 1)
