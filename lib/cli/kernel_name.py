"""The kernel that a notebook names: `python3`, which every Jupyter has, whatever it was saved with."""

from collections.abc import Sequence
from pathlib import Path

from lib import files, notebook_source
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
            page = notebook_source.saved(path)
            page.setdefault("metadata", {})["kernelspec"] = KERNEL
            with files.whole(path) as file:  # the user's own source, all of it
                file.write(files.as_json(page))


def _name(path: Path) -> str:
    metadata = notebook_source.saved(path).get("metadata", {})
    return str(metadata.get("kernelspec", {}).get("name", ""))
