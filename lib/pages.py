"""What the notebooks' own `Step(...)` lines say, read from their source: who writes what."""

import ast
import contextlib
import json
from pathlib import Path


def makers(folder: Path) -> dict[str, str]:
    """Which notebook writes each name, as the notebooks' own `Step(...)` lines say: {"train": "03_prep"}."""
    found = {}
    for path in sorted(folder.glob("[0-9]*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and "Step(" in source:
                found |= dict.fromkeys(_declared(source, "writes"), path.stem)
    return found


def _declared(source: str, keyword: str) -> list[str]:
    """The literal list given as `keyword` to the `Step(...)` call in a cell's source, if there is one."""
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Step":
                return [
                    name
                    for part in node.keywords
                    if part.arg == keyword
                    for name in ast.literal_eval(part.value)
                ]
    return []
