"""What a problem and the zoo have, read by `ast` and never run: options, feature sets, families of models.

What is computed, and so cannot be read, is left to the code that uses it. Standard library and YAML only.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from lib.errors import ParameterError, did_you_mean
from lib.notebook_source import annotations, plain_yaml, syntax_tree
from lib.paths import Project
from lib.wording import shown


def training(project: Project, name: str) -> Path:
    """The `training` module of a problem; one that is not there, or is of before, is refused."""
    packages = sorted(path.parent.name for path in project.datasets.glob("*/training.py"))
    if name in packages:
        return project.datasets / name / "training.py"
    if f"{name}.py" in {path.name for path in project.datasets.glob("*.py")}:
        raise ParameterError(
            f"lib/datasets/{name}.py is a problem of an earlier workbook, where it was one module; it is a "
            f"package now. Move it and params/{name}.yaml away, run `make new-problem NAME={name} DATA=… "
            "TARGET=…` again, and carry over what you had changed."
        )
    hint = did_you_mean(name, packages)
    raise ParameterError(f"There is no problem {shown(name)}.{hint} Known are: {', '.join(packages)}.")


@dataclass(frozen=True)
class Option:
    """An option of a problem, as its `Options` class declares it: type and range, and meaning."""

    name: str
    annotation: str  # the whole of `Annotated[...]`
    meaning: str

    @property
    def type(self) -> str:
        """The type with its range, as a reader wants it: `float, at least 0`, `green or yellow`."""
        tree = ast.parse(self.annotation, mode="eval").body
        parts = (
            tree.slice.elts
            if isinstance(tree, ast.Subscript) and isinstance(tree.slice, ast.Tuple)
            else [tree]
        )
        if isinstance(parts[0], ast.Subscript) and ast.unparse(parts[0].value) == "Literal":
            return " or ".join(str(choice) for choice in ast.literal_eval(parts[0].slice))
        text = ast.unparse(parts[0]).replace("Sequence[str]", "list of text").replace("| None", "or null")
        for part in parts[1:]:
            if isinstance(part, ast.Call):
                bounds = annotations.bounds(*annotations.range_of(part))
                text += "".join(f", {bound}" for bound in bounds)
        return text


def options(path: Path) -> dict[str, Option]:
    """The fields of the `Options` class in a problem's module; none where it has no such class."""
    for node in syntax_tree(path.read_bytes(), path).body:
        if isinstance(node, ast.ClassDef) and any(
            ast.unparse(b).split(".")[-1] == "Options" for b in node.bases
        ):
            return {
                option.name: option
                for line in node.body
                if isinstance(line, ast.AnnAssign)
                for option in [_option(line)]
            }
    return {}


def _option(line: ast.AnnAssign) -> Option:
    name, annotation = ast.unparse(line.target), line.annotation
    parts = (
        annotation.slice.elts
        if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple)
        else []
    )
    meaning = " ".join(
        part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    return Option(name, ast.unparse(annotation), meaning)


def rows(project: Project, problem: str) -> str:
    """How `generate(rows: ..., seed)` of a problem annotates the number of rows; empty where it does not."""
    path = project.datasets / problem / "training.py"
    tree = syntax_tree(path.read_bytes() if path.is_file() else b"", path)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "generate" and node.args.args:
            annotation = node.args.args[0].annotation
            return ast.unparse(annotation) if annotation else ""
    return ""


def task(project: Project, problem: str) -> str:
    """The task of a problem, as `SERVING = Serving(task="...")` says it; empty where it does not."""
    found = _assigned(project, problem, "SERVING")
    words = {word.arg: word.value for word in found.keywords} if isinstance(found, ast.Call) else {}
    said = words.get("task")
    return str(said.value) if isinstance(said, ast.Constant) else ""


def feature_sets(project: Project, problem: str) -> list[str]:
    """The names of a problem's feature sets, where its serving half lists them: `FEATURE_SETS = {...}`."""
    found = _assigned(project, problem, "FEATURE_SETS")
    names = found.keys if isinstance(found, ast.Dict) else []
    return [str(name.value) for name in names if isinstance(name, ast.Constant)]


def renamed(project: Project, problem: str) -> dict[str, str]:
    """The feature sets that were called otherwise before: `RENAMED = {"old": "new"}` beside them."""
    found = _assigned(project, problem, "RENAMED")
    return dict(ast.literal_eval(found)) if isinstance(found, ast.Dict) else {}


def _assigned(project: Project, problem: str, name: str) -> ast.expr | None:
    """What a problem's serving half assigns to `name`; None where it does so twice, or changes it after."""
    folder = project.datasets / problem
    path = next(filter(Path.is_file, (folder / "serving.py", folder / "serving" / "__init__.py")), None)
    code = path.read_bytes() if path else b""
    changes = re.findall(rf"^{name}\b.*".encode(), code, re.MULTILINE)
    lines = syntax_tree(code, path).body if len(changes) == 1 else []
    values = (n.value for n in lines if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name)
    return next(values, None)


def families(project: Project, task: str) -> list[str]:
    """The families of the zoo that are made for a task, by its lines `Family(name, about, tasks, ...)`."""
    path = project.lib / "runtime" / "models" / "__init__.py"
    tree = syntax_tree(path.read_bytes() if path.is_file() else b"", path)
    found = []
    table = [line for line in tree.body if isinstance(line, ast.Assign | ast.AnnAssign)]
    for node in (node for line in table for node in ast.walk(line)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Family":
            name, _, tasks = node.args[:3]
            if {"BOTH", task.upper()} & {one.id for one in ast.walk(tasks) if isinstance(one, ast.Name)}:
                found.append(str(ast.literal_eval(name)))
    return found


def parameter_files(project: Project) -> dict[str, str]:
    """One parameters file a problem: the one that has its name, else the first that names it."""
    found: dict[str, str] = {}
    for path in sorted(project.params.glob("*.yaml"), key=lambda path: path.name):
        shown = f"params/{path.name}"
        problem = str(plain_yaml.read(path, shown).get("problem") or "")
        if problem and (problem not in found or path.stem == problem):
            found[problem] = shown
    if not found:
        raise ParameterError(f"No file in {project.params} names a problem.")
    return found
