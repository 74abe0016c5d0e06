"""What a notebook and a module say, read by `ast` and never run: parameters, the Step line, code digests.

Standard library only. A digest here is one of *meaning*: comments, blank lines and the outputs that
JupyterLab saved do not count, so they never make a step run again.
"""

import ast
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lib.errors import ParameterError, StepError
from lib.pipeline.project import digest_bytes


@dataclass(frozen=True)
class Declared:
    """A parameter as a cell or a signature declares it: its annotation as text, and its default."""

    name: str
    annotation: str
    default: Any = None


@dataclass(frozen=True)
class Notebook:
    """A numbered notebook: its file, its parameters, and the names that its Step line reads and writes."""

    path: Path
    parameters: dict[str, Declared]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    cells: tuple[str, ...]  # the source of the code cells after the parameters

    @property
    def name(self) -> str:
        """`04_tune`."""
        return self.path.stem

    @property
    def target(self) -> str:
        """`tune`: how `make` and STEPS call it."""
        return self.name.split("_", 1)[1]

    @cached_property
    def code(self) -> list[str]:
        """One digest a code cell; an empty cell and one of comments alone count for nothing."""
        meanings = (meaning(cell) for cell in self.cells)
        return [digest_bytes(text.encode()) for text in meanings if text]


def read(path: Path, text: str | None = None) -> Notebook:
    """Read a notebook's file (or its `text`); what the runner cannot work with is a clear error."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8") if text is None else text)["cells"]
    except (ValueError, KeyError) as error:
        raise StepError(f"{path} is not a notebook (nbformat 4 JSON): {error}.") from error
    code = [cell for cell in cells if cell.get("cell_type") == "code"]
    tagged = [cell for cell in code if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) > 1:
        raise StepError(f"{path} has {len(tagged)} cells tagged `parameters`; it must have one.")
    parameters = _parameters(path, _text(tagged[0])) if tagged else {}
    rest = tuple(_text(cell) for cell in code if cell not in tagged)
    reads, writes = _step_line(path, rest)
    return Notebook(path, parameters, reads, writes, rest)


def _text(cell: dict[str, Any]) -> str:
    """A cell's source, which nbformat keeps as one string or as a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _tree(text: str, where: Any) -> ast.Module:
    """The syntax tree of `text`; code that is no Python is an error that says where."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ParameterError(
            f"{where}: line {error.lineno} is no Python ({error.msg}): `{(error.text or '').strip()}`."
        ) from error


def _parameters(path: Path, text: str) -> dict[str, Declared]:
    """The assignments of the parameters cell; each must be one name and one literal."""
    found = {}
    for node in _tree(text, f"{path}, the cell tagged `parameters`").body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            name, annotation = node.target.id, ast.unparse(node.annotation)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, annotation = node.targets[0].id, ""
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        else:
            raise ParameterError(
                f"{path}: the cell tagged `parameters` holds `{ast.unparse(node)}`; it may hold only "
                "lines such as `max_evals: int = 5`. What is derived from them belongs in the next cell."
            )
        try:
            default = ast.literal_eval(node.value)
        except ValueError as error:
            raise ParameterError(
                f"{path}: parameter {name!r} must have a literal default, not `{ast.unparse(node.value)}`."
            ) from error
        found[name] = Declared(name, annotation, default)
    return found


def _step_line(path: Path, cells: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The `reads` and `writes` of the notebook's one `Step("NN_name", ...)` call."""
    calls = [
        node
        for cell in cells
        if "Step(" in cell and (tree := parse(cell))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Step"
    ]
    example = f'`step = Step("{path.stem}", run, problem, reads=[...], writes=[...])`'
    if len(calls) != 1:
        raise StepError(f"{path} has {len(calls)} Step lines; it needs one: {example}.")
    try:
        names = [ast.literal_eval(value) for value in calls[0].args[:1]]
        given = {
            word.arg: tuple(ast.literal_eval(word.value))
            for word in calls[0].keywords
            if word.arg in ("reads", "writes")
        }
    except ValueError as error:
        raise StepError(f"{path}: write the Step line with literal names: {example}.") from error
    if names != [path.stem]:
        raise StepError(f"{path}: its Step line names {names}; it must be the notebook's own: {example}.")
    return given.get("reads", ()), given.get("writes", ())


def parse(cell: str) -> ast.Module | None:
    """The syntax tree of a cell, its magics and shell lines kept as strings; None if it has no tree."""
    for text in (cell, _without_magics(cell)):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError):
            continue
    return None


def _without_magics(cell: str) -> str:
    if cell.lstrip().startswith("%%"):
        return f"__magic__({cell.strip()!r})"
    line = re.compile(r"^(\s*)((?:\w+\s*=\s*)?[%!].*|\?.*|.*\?)$", re.MULTILINE)
    return line.sub(lambda found: f"{found[1]}__magic__({found[2].rstrip()!r})", cell)


def meaning(text: str) -> str:
    """Text that is the same for two pieces of code with the same syntax tree; empty if they do nothing."""
    tree = parse(text)
    if tree is None:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())
    return "\n".join(ast.dump(node) for node in tree.body)


def digest_module(data: bytes) -> str:
    """The digest of a module's meaning, from its bytes."""
    return digest_bytes(meaning(data.decode("utf-8", "replace")).encode())


def options_of(path: Path, functions: tuple[str, ...], lib: Path) -> dict[str, Declared] | None:
    """The keyword-only arguments of a problem's functions; None where its module does not say them plainly.

    The module's `Dataset(...)` call tells which function is which field; a function may be defined there,
    or imported from another module of `lib`.
    """
    tree = _tree(path.read_text(encoding="utf-8"), path)
    call = next(
        (
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Dataset"
        ),
        None,
    )
    if call is None:
        return None
    found: dict[str, Declared] = {}
    for word in call.keywords:
        if word.arg not in functions:
            continue
        function = _function(word.value, tree, lib)
        if function is None:
            return None
        arguments = function.args
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            annotation = ast.unparse(argument.annotation) if argument.annotation else ""
            found[argument.arg] = Declared(argument.arg, annotation, default and ast.unparse(default))
    return found


def _function(
    value: ast.expr, tree: ast.Module, lib: Path, depth: int = 3
) -> ast.FunctionDef | ast.Lambda | None:
    """The definition that an expression names, through `name`, `module.name`, an alias and an import."""
    if isinstance(value, ast.Lambda):
        return value
    if depth == 0 or not isinstance(value, ast.Name | ast.Attribute):
        return None
    wanted = value.id if isinstance(value, ast.Name) else value.attr
    module = None if isinstance(value, ast.Name) else ast.unparse(value.value)
    for node in tree.body:
        if module is None and isinstance(node, ast.FunctionDef) and node.name == wanted:
            return node
        if module is None and isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == wanted:
            return _function(node.value, tree, lib, depth - 1)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lib":
            for alias in node.names:
                known = alias.asname or alias.name
                if module is None and known == wanted:
                    return _imported(node.module, alias.name, lib, depth)
                if module == known:
                    return _imported(f"{node.module}.{alias.name}", wanted, lib, depth)
    return None


def _imported(module: str, name: str, lib: Path, depth: int) -> ast.FunctionDef | ast.Lambda | None:
    path = lib.parent.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return None
    return _function(ast.Name(name), _tree(path.read_text(encoding="utf-8"), path), lib, depth - 1)


def constant(path: Path, name: str) -> Any:
    """The literal that the module at `path` assigns to `name`."""
    for node in _tree(path.read_text(encoding="utf-8"), path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise StepError(f"{path} assigns no {name}.")
