"""The other side of the comparison: the notebooks' code cells in one plain Python process, one after another.

The same `lib` calls with the same parameters, no kernel, no papermill, nothing drawn for a reader. Run as
`python -m benchmarks.plain "rows=66000 max_evals=3"`, with the values as for P.
"""

import ast
import os
import sys

from lib import notebook_source
from lib.runner import plan


def main(overrides: str) -> None:
    """Execute every notebook's cells, each notebook in a namespace of its own."""
    request = plan.ask(plan.Wishes(overrides=overrides, run="bench"))
    os.chdir(request.project.notebooks)
    for notebook in request.graph.notebooks:
        names = {"__name__": "__main__", **request.given(notebook.name)}
        for cell in notebook.cells:
            tree = notebook_source.parse(cell) or ast.Module([], [])
            exec(compile(tree, notebook.name, "exec"), names)  # noqa: S102 - the project's own notebooks


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
