"""The other side of the comparison: the notebooks' code cells in one plain Python process, one after another.

The same `lib` calls with the same parameters, no kernel, no papermill, nothing drawn for a reader. Run as
`python -m benchmarks.plain`, with P, PARAMS and RUN in the environment as for the runner.
"""

import ast
import os

from lib.pipeline import session, source


def main() -> None:
    """Execute every notebook's cells, each notebook in a namespace of its own."""
    asked = session.ask(os.environ, [])
    os.chdir(asked.project.notebooks)
    for notebook in asked.graph.notebooks:
        names = {"__name__": "__main__", **asked.given(notebook.name)}
        for cell in notebook.cells:
            exec(compile(source.parse(cell) or ast.Module([], []), notebook.name, "exec"), names)


if __name__ == "__main__":
    main()
