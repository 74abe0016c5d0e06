"""`make bench`, or `make bench ONLY=pipeline`: run the benchmarks and merge their figures into one file.

`outputs/bench.json` keeps what other benchmarks have written: a benchmark replaces its own keys alone.
"""

import importlib
import os
import pkgutil
import sys
from pathlib import Path

import benchmarks
from lib import files

ROOT = Path(__file__).resolve().parents[1]


def main(names: list[str]) -> int:
    """Run the benchmarks of these names, or all."""
    found = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name != "__main__"]
    unknown = [name for name in names if name not in found]
    if unknown:
        known = ", ".join(sorted(found))
        print(f"✗ There is no benchmark {unknown[0]!r}; there are {known}.", file=sys.stderr)
        return 2
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names or sorted(found)]
    for module in modules:
        if hasattr(module, "run"):
            merge(module.run())
    return 0


def merge(figures: dict[str, float]) -> None:
    """Add figures to outputs/bench.json, whole or not at all."""
    path = Path(os.environ.get("WORKBOOK_OUTPUTS") or ROOT / "outputs") / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, files.read_json(path) | figures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
