"""The kernel that a notebook names: `python3`, which every Jupyter has, whatever it was saved with."""

import json
from collections.abc import Sequence
from pathlib import Path

from lib import files
from lib.errors import ParameterError

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def check(notebooks: Sequence[Path]) -> None:
    """Refuse notebooks that nbmake and papermill would run by a kernel that is not there."""
    others = {path.name: name for path in notebooks if (name := _name(path)) != KERNEL["name"]}
    if others:
        named = ", ".join(f"{notebook} names {kernel!r}" for notebook, kernel in others.items())
        raise ParameterError(
            f"The kernel of a notebook is {KERNEL['name']!r}: {named}. `make format` mends it."
        )


def mend(notebooks: Sequence[Path]) -> None:
    """Have each notebook name that kernel; one that does is left as it is."""
    for path in notebooks:
        if _name(path) != KERNEL["name"]:
            page = json.loads(path.read_text(encoding="utf-8"))
            page["metadata"]["kernelspec"] = KERNEL
            files.write_text(path, json.dumps(page, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _name(path: Path) -> str:
    metadata = json.loads(path.read_text(encoding="utf-8")).get("metadata", {})
    return str(metadata.get("kernelspec", {}).get("name", ""))
