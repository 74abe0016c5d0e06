"""What a process has used of `lib`, found by itself: modules imported, source files read, peak memory.

The runner keeps this in a step's record: an edit of anything else does not make the step run again. A file
that is read and not imported (code that is copied into a model's folder) counts as used, too.
"""

import functools
import resource
import sys
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parent
_READ: set[str] = set()


@functools.cache
def watch() -> None:
    """From now on notice which source files of `lib` this process opens; a second call does nothing."""
    start = f"{LIB}/"

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            path = str(arguments[0])
            if path.startswith(start) and path.endswith(".py"):
                _READ.add(path)

    sys.addaudithook(hook)


def modules() -> list[str]:
    """The modules of `lib` that were imported or read so far."""
    imported = {name for name in sys.modules if name == "lib" or name.startswith("lib.")}
    return sorted(imported | {_module(Path(path)) for path in _READ})


def _module(path: Path) -> str:
    """`.../lib/plots/__init__.py` as `lib.plots`."""
    parts = path.relative_to(LIB.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def summary() -> dict[str, Any]:
    """What the runner wants to know when a step ends."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "modules": modules(),
        "peak_memory_mb": round(peak / (2**20 if sys.platform == "darwin" else 1024), 1),
    }
