"""A notebook's prose: whether it has changed, and an executed notebook with the prose of today."""

from pathlib import Path

from lib.errors import StepError
from lib.files import digest_of
from lib.notebook_source import Saved, saved, tags_of


def digest(path: Path) -> str:
    """A digest of a notebook's Markdown cells; empty where the file cannot be read."""
    try:
        cells = saved(path)["cells"]
    except (OSError, StepError):
        return ""
    markdown = [cell for cell in cells if cell.get("cell_type") == "markdown"]
    return digest_of(["".join(cell.get("source", "")) for cell in markdown])


def with_prose(executed: Saved, source: Saved) -> Saved:
    """An executed notebook with the prose that its source has by now, tagged `newer` where it was another.

    Where the source has other code cells than were executed, the notebook stays as it is.
    """
    put_in = [cell for cell in executed["cells"] if "injected-parameters" in tags_of(cell)]
    made = {cell.get("id"): cell for cell in executed["cells"] if cell not in put_in}
    code = [name for name, cell in made.items() if cell["cell_type"] == "code"]
    if code != [cell.get("id") for cell in source["cells"] if cell["cell_type"] == "code"]:
        return dict(executed)
    cells = []
    for cell in source["cells"]:
        before = made.get(cell.get("id"))
        if cell["cell_type"] == "code" or (before and before["source"] == cell["source"]):
            cells.append(before)
        else:
            tags = [*tags_of(cell), "newer"]
            cells.append({**cell, "metadata": {**cell["metadata"], "tags": tags}})
        if "parameters" in tags_of(cell):
            cells += put_in
    return {**executed, "cells": cells}
