"""What a notebook and a module say, read by `ast` and never run; a problem's package is read in `problems`.

Standard library only. A digest here is one of *meaning*: comments, blank lines and the outputs that
JupyterLab saved do not count, so they never make a step run again.
"""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from lib import MOVED
from lib.errors import ParameterError, StepError
from lib.files import digest_of
from lib.notebook_source.meaning import meaning, parse

#: The tags by which a notebook's client leaves a cell out, or goes on after its error.
TAGS = {"skip-execution", "raises-exception"}
#: A notebook, or a cell of it, as its file has it.
Saved: TypeAlias = dict[str, Any]


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
    tags: tuple[str, ...]  # of each of them those that decide whether, and how, it runs
    acts_on: tuple[str, ...] = ()  # what outside of the run's folder it changes: a registry, a store

    @property
    def name(self) -> str:
        """`04_tune`."""
        return self.path.stem

    @property
    def target(self) -> str:
        """`tune`: how `make` and STEPS call it."""
        return self.name.split("_", 1)[1]

    @cached_property
    def source(self) -> str:
        """One digest of these cells as they stand: while it is the same, so is their `code`."""
        return digest_of([*self.cells, *self.tags])

    @cached_property
    def code(self) -> list[str]:
        """One digest a code cell; an empty cell and one of comments alone count for nothing."""
        cells = [(meaning(cell), tags) for cell, tags in zip(self.cells, self.tags, strict=True)]
        return [digest_of(f"{text}{tags}".encode()) for text, tags in cells if text]

    def refuse_earlier(self) -> None:
        """Written for an earlier workbook it is refused (StepError) before it fails in its first cell."""
        trees = filter(None, map(parse, self.cells))
        used = _of_lib([node for tree in trees for node in ast.walk(tree)])
        old = [name for name in MOVED if any(f"{one}.".startswith(f"lib.{name}.") for one in used)]
        if old:
            moved = ", ".join(f"lib.{name} (now {MOVED[name]})" for name in old)
            raise StepError(
                f"{self.path} is of an earlier workbook: it uses {moved}. "
                "Change what docs/from-an-earlier-workbook.md lists, or move the notebook away."
            )


def saved(path: Path, content: bytes | None = None) -> Saved:
    """A notebook's file (or its `content`) as JSON has it; StepError where it is half saved or none."""
    try:
        page = json.loads((path.read_bytes() if content is None else content).decode())
    except (ValueError, RecursionError) as error:
        raise StepError(f"{path} is not a notebook (nbformat 4 JSON): {error}.") from error
    wrong = _misshapen(page)
    if wrong:
        raise StepError(f"{path} is not a notebook (nbformat 4 JSON): {wrong}.")
    return dict(page)


def _misshapen(page: object) -> str:
    """What of the things that are read here has not the shape that nbformat gives it; empty if nothing."""
    if not isinstance(page, dict) or not isinstance(page.get("cells"), list):
        return "it has no list of cells"
    metadata = page.get("metadata", {})
    if not isinstance(metadata, dict) or not isinstance(metadata.get("kernelspec", {}), dict):
        return "its metadata are no mapping"
    for number, cell in enumerate(page["cells"], 1):
        if not isinstance(cell, dict) or not isinstance(cell.get("metadata", {}), dict):
            return f"cell {number} is no mapping, or its metadata are none"
        source = cell.get("source", [])
        texts = [[source] if isinstance(source, str) else source, tags_of(cell)]
        if not all(isinstance(text, list) and all(isinstance(it, str) for it in text) for text in texts):
            return f"the source or the tags of cell {number} are no text"
    return ""


def read(path: Path, content: bytes | None = None) -> Notebook:
    """Read a notebook's file (or its `content`); what the runner cannot work with is a clear error."""
    cells = saved(path, content)["cells"]
    code = [cell for cell in cells if cell.get("cell_type") == "code"]
    tagged = [cell for cell in code if "parameters" in tags_of(cell)]
    if len(tagged) > 1:
        raise StepError(f"{path} has {len(tagged)} cells tagged `parameters`; it must have one.")
    parameters = _parameters(path, text_of(tagged[0])) if tagged else {}
    others = [cell for cell in code if cell not in tagged]
    rest = tuple(text_of(cell) for cell in others)
    names = _step_line(path, rest)
    tags = tuple(" ".join(sorted(TAGS.intersection(tags_of(cell)))) for cell in others)
    return Notebook(path, parameters, names["reads"], names["writes"], rest, tags, names["acts_on"])


def tags_of(cell: Saved) -> list[str]:
    """The tags of a cell."""
    tags: list[str] = cell.get("metadata", {}).get("tags", [])
    return tags


def keep_given(cell: Saved, parameters: Mapping[str, object]) -> None:
    """Have an executed cell into which parameters were put say them as they may be kept."""
    if "injected-parameters" in tags_of(cell):
        cell["source"] = "\n".join(["# Parameters", *(f"{name} = {it!r}" for name, it in parameters.items())])


def text_of(cell: Saved) -> str:
    """A cell's source, which nbformat keeps as one string or as a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


@lru_cache(8)
def syntax_tree(code: str | bytes, where: object) -> ast.Module:
    """The syntax tree of `code`; what is no Python is an error that says where."""
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise ParameterError(
            f"{where}: line {error.lineno} is no Python ({error.msg}): `{(error.text or '').strip()}`."
        ) from error


def _parameters(path: Path, text: str) -> dict[str, Declared]:
    """The assignments of the parameters cell; each must be one name and one literal."""
    found = {}
    for node in syntax_tree(text, f"{path}, the cell tagged `parameters`").body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            name, annotation, value = node.target.id, ast.unparse(node.annotation), node.value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, annotation, value = node.targets[0].id, "", node.value
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        else:
            raise ParameterError(
                f"{path}: the cell tagged `parameters` holds `{ast.unparse(node)}`; it may hold only "
                "lines such as `max_evals: int = 5`. What is derived from them belongs in the next cell."
            )
        try:
            default = ast.literal_eval(value)
        except ValueError as error:
            raise ParameterError(
                f"{path}: parameter {name!r} must have a literal default, not `{ast.unparse(value)}`."
            ) from error
        found[name] = Declared(name, annotation, default)
    return found


def _of_lib(nodes: list[ast.AST]) -> set[str]:
    """The dotted names below `lib` that code imports, or reaches through what it imported or loaded."""
    bound: dict[str, str] = {}  # a name in the code to what of `lib` it stands for
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "lib":
                    found.add(alias.name)
                    bound[alias.asname or "lib"] = alias.name if alias.asname else "lib"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lib":
            for alias in node.names:
                found.add(f"{node.module}.{alias.name}")
                bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in [one for one in nodes if isinstance(one, ast.Assign)]:
        if isinstance(node.value, ast.Call) and _dotted(node.value.func, bound) == "lib.problem.load":
            bound |= {one.id: "lib.problem.Dataset" for one in node.targets if isinstance(one, ast.Name)}
    return found | {_dotted(node, bound) for node in nodes if isinstance(node, ast.Attribute)}


def _dotted(node: ast.AST, bound: dict[str, str]) -> str:
    """`datasets.load` as `lib.datasets.load`, by what its first name stands for; empty if for nothing."""
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, bound)
        return before and f"{before}.{node.attr}"
    return bound.get(node.id, "") if isinstance(node, ast.Name) else ""


def _step_line(path: Path, cells: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The `reads`, `writes` and `acts_on` of the notebook's one `Step("NN_name", ...)` call."""
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
        given: dict[str, tuple[str, ...]] = {
            word.arg: tuple(ast.literal_eval(word.value))
            for word in calls[0].keywords
            if word.arg in ("reads", "writes", "acts_on")
        }
    except ValueError as error:
        raise StepError(f"{path}: write the Step line with literal names: {example}.") from error
    if names != [path.stem]:
        raise StepError(f"{path}: its Step line names {names}; it must be the notebook's own: {example}.")
    return {"reads": (), "writes": (), "acts_on": ()} | given


def writers(folder: Path) -> dict[str, str]:
    """Which numbered notebook writes each name, as the Step lines say: {"train": "03_prep"}."""
    return {
        name: path.stem for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")) for name in read(path).writes
    }
