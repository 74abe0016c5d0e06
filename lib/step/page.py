"""What a step has from the notebook that makes it: parameters, code, and edits of `lib` while it is open."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib import dependencies, files, notebook_source, paths, redaction
from lib.errors import StepError
from lib.notebook_source import annotations, limits
from lib.notebook_source.modules import Modules
from lib.records import StepRecord


def parameters(name: str, values: Mapping[str, object]) -> dict[str, Any]:
    """The values on the page of the parameters that the notebook `name` declares, each as annotated.

    `papermill -p models '[xgboost]'` gives text where a list is declared: it is read as YAML. What `make
    plan` refuses is refused here, too.
    """
    project = paths.here()
    path = project.notebooks / f"{name}.ipynb"
    if not path.is_file():
        return {}
    found: dict[str, Any] = {}
    for parameter in notebook_source.read(path).parameters.values():
        if parameter.name in values:
            try:
                value = annotations.fit_text(values[parameter.name], parameter.annotation)
                limits.check(project, str(values.get("problem", "")), parameter.name, value)
            except annotations.Misfit as error:
                given = values[parameter.name]
                raise annotations.refusal("The parameter", parameter.name, given, error) from None
            found[parameter.name] = value
    return found


def last_pipeline(problem: str) -> Path | None:
    """The folder of the last `make pipeline` of a problem, where run `scratch` finds what it lacks."""
    run = files.read_json(paths.outputs() / "last.json").get(problem)
    return paths.outputs() / run if run else None


def take_options(last: Path, names: list[str], parameters: dict[str, Any], values: dict[str, Any]) -> None:
    """With what comes from the run in `last`, take the options that it was made with, under the page's own.

    They are set among the `values` on the page, which its cells use.
    """
    read = map(StepRecord.read, sorted(last.glob("notebooks/*.json")))
    writers = [record for record in read if record and record.outputs.keys() & set(names)]
    theirs = {k: v for record in writers for k, v in (record.parameters.get("options") or {}).items()}
    given = parameters.get("options", theirs)  # a page without options needs none
    new = {k: v for k, v in theirs.items() if k not in given and not redaction.is_hidden(v)}
    if new:
        values["options"] = parameters["options"] = {**new, **given}
        print(
            f"options: {new} are those of the last `make pipeline`, which {', '.join(names)} are taken from"
        )


def missing(step: str, run: str, problem: str, name: str) -> str:
    """What to say when an input is not there: which notebook and `make` target write it."""
    project = paths.here()
    folder = project.shown(project.outputs / run)
    writer = notebook_source.writers(project.notebooks).get(name)
    if writer is None:
        return f"{step} reads {name!r}; {folder} has none, no notebook writes it."
    target = f"make {writer.partition('_')[2]}"
    if (project.params / f"{problem}.yaml").exists():
        target += f" PARAMS=params/{problem}.yaml"
    here = f"`{target} RUN={run}`"
    remedy = f"notebooks/{writer}.ipynb first, or `{target}`" if run == paths.SCRATCH else here
    return f"{step} reads {name!r}, which is not in {folder}. Run {remedy}."


def check_place() -> None:
    """Refuse to run the pages of one checkout with the code of another, as a copied `.venv` would."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "lib" / "step").is_dir() and (folder / "notebooks").is_dir():
            if not folder.samefile(paths.ROOT):
                raise StepError(
                    f"This page was started in {folder}, but its code comes from {paths.ROOT}, by a `.venv` "
                    f"made there. Run `make plan` in {folder}, and use the `.venv` there."
                )
            return


def reload_edited_modules() -> None:
    """In JupyterLab an edit of `lib` counts from the next cell on; headless, what a page started with."""
    if "JPY_SESSION_NAME" in os.environ and "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
        shell.run_line_magic("load_ext", "autoreload")
        shell.run_line_magic("autoreload", "2")


def depends_on(name: str, parameters: Mapping[str, object], inputs: str) -> str:
    """A digest of parameters, inputs, the notebook's code, all of `lib`, Python and its libraries."""
    path = paths.here().notebooks / f"{name}.ipynb"
    given = {key: value for key, value in parameters.items() if key != "run"}
    code = notebook_source.read(path).code if path.is_file() else []
    with dependencies.unused():
        modules = Modules(paths.here()).digest()
    return files.digest_of([given, inputs, code, modules, dependencies.installed()])
