"""`make new-problem NAME=churn DATA=customers.csv TARGET=churned`: guess, write two files, tell."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from lib import files
from lib.errors import ParameterError, WorkbookError
from lib.scaffold import guess, write


def new_problem(wishes: Mapping[str, str], project: Path = write.PROJECT) -> str:
    """Write the problem that NAME, DATA and TARGET ask for; the text that tells what was guessed."""
    missing = [key for key in ("NAME", "DATA", "TARGET") if not wishes.get(key)]
    if missing:
        raise ParameterError(
            f"{missing} not given: make new-problem NAME=churn DATA=path/to/file.csv TARGET=column"
        )
    module, params = write.places(wishes["NAME"], project)
    found = guess.look(Path(wishes["DATA"]).expanduser(), wishes["TARGET"])
    texts = {module: write.module(wishes["NAME"], found), params: write.params(wishes["NAME"], found)}
    compile(texts[module], str(module), "exec")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(path) as file:
            file.write(text.encode())
    return told(wishes["NAME"], found)


def told(name: str, found: guess.Found) -> str:
    """The guesses as a table, for correction."""
    lines = [f"{found.path}: {found.rows:,} rows; target {found.target!r}: {found.task}", ""]
    for column in found.columns:
        kind = column.kind or "left out"
        lines.append(f"  {column.name[:32]:<32} {kind:<9} {column.why}; {column.example}".rstrip("; "))
    if found.rows < guess.LEAST:
        lines += ["", f"{found.rows} rows are too few to learn from: the YAML starts with generated ones."]
    if found.least:
        lines += [
            "",
            f"Classes of fewer than {found.least} rows are left out: they cannot be in all three splits.",
        ]
    lines += [
        "",
        f"Wrote lib/datasets/{name}.py and params/{name}.yaml. Correct what was guessed wrongly there, then:",
        f"  make pipeline PARAMS=params/{name}.yaml",
    ]
    return "\n".join(lines)


def main() -> int:
    """The command; an error of ours is one message."""
    try:
        print(new_problem(os.environ))
    except WorkbookError as error:
        print(f"new-problem: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
