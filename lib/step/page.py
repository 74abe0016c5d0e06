"""What a step has from the notebook that makes it: parameters, code, and edits of `lib` while it is open."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from lib import dependencies, files, notebook_source, paths
from lib.errors import ParameterError
from lib.notebook_source import annotations
from lib.notebook_source.modules import Modules


def parameters(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values on the page of the parameters that the notebook `name` declares, each as annotated.

    `papermill -p models '[xgboost]'` gives text where a list is declared: it is read as YAML.
    """
    path = paths.here().notebooks / f"{name}.ipynb"
    if not path.is_file():
        return {}
    found = {}
    for parameter in notebook_source.read(path).parameters.values():
        if parameter.name in values:
            try:
                found[parameter.name] = annotations.fit_text(values[parameter.name], parameter.annotation)
            except annotations.Misfit as error:
                raise ParameterError(f"The parameter {parameter.name} must be {error}.") from None
    return found


def reload_edited_modules() -> None:
    """In JupyterLab an edit of `lib` counts from the next cell on; headless, what a page started with."""
    if "JPY_SESSION_NAME" in os.environ and "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
        shell.run_line_magic("load_ext", "autoreload")
        shell.run_line_magic("autoreload", "2")


def depends_on(name: str, parameters: Mapping[str, Any], inputs: str) -> str:
    """A digest of parameters, inputs, the notebook's code, all of `lib`, Python and its libraries."""
    path = paths.here().notebooks / f"{name}.ipynb"
    given = {key: value for key, value in parameters.items() if key != "run"}
    code = notebook_source.read(path).code if path.is_file() else []
    return files.digest_of([given, inputs, code, Modules(paths.here()).digest(), dependencies.installed()])
