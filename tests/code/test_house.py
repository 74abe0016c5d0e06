"""The shape of lib/: arrows point down a list of rooms, no circles, a wall around what is stored."""

import ast
import importlib
import json
import re
import shutil
from pathlib import Path

import pytest

import lib
from lib import datasets

ROOT = Path(__file__).resolve().parents[2]
#: From the top: a room may import those of the same line and of the lines below it.
ROOMS = (
    {"cli"},
    {"datasets"},
    {"runner"},
    {"grading"},
    {"registry"},
    {"scaffold"},
    {"packaging"},
    {"views", "plots"},
    {"display", "profiling", "explain"},
    {"tuning"},
    {"problem"},
    {"uncertainty", "evaluation", "quality", "splits", "sources"},
    {"step"},
    {"tracking"},
    {"records"},
    {"notebook_source"},
    {"dependencies"},
    {"compute"},
    {"runtime"},
    {"paths", "files", "mlflow_tables", "redaction", "wording", "errors"},
)
RANKS = {room: rank for rank, line in enumerate(ROOMS) for room in line}


def modules(root: Path) -> dict[str, Path]:
    """Every module below `lib/`, by its dotted name."""
    found = {}
    for path in sorted((root / "lib").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of `lib` that a module imports: at its top or inside a function, absolute or relative."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")
            base = base[: len(base) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            names = {f"{module}.{alias.name}" for alias in node.names}
            found |= names & known.keys() or {module}
    return {one for one in found if one in known and one != name}


def graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Module to the modules that it imports."""
    known = modules(root)
    return {name: imports(name, path, known) for name, path in known.items()}


def room(name: str) -> str:
    """`lib.runner.report.index` is in the room `runner`."""
    return [*name.split("."), ""][1]


def circle(edges: dict[str, set[str]]) -> list[str]:
    """One circle, if there is any, as the names along it."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return trail[trail.index(name) :]
        if name in done:
            return []
        for other in sorted(edges.get(name, ())):
            if found := walk(other, [*trail, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(edges) if (found := walk(name, []))), [])


def upward(edges: dict[str, set[str]]) -> list[str]:
    """Imports that point up the list of rooms, or at `runner` and `cli` from where they must not."""
    return [
        f"{name} imports {other}"
        for name, others in edges.items()
        for other in others
        if room(name) and room(other) and RANKS[room(name)] > RANKS[room(other)]
    ]


def stored(name: str) -> str:
    """The part of `lib` that is stored and holds this module: runtime, or a problem's serving half."""
    parts = name.split(".")
    if parts[1:2] == ["runtime"]:
        return "lib.runtime"
    serving = parts[1:2] == ["datasets"] and parts[3:4] == ["serving"]
    return ".".join(parts[:4]) if serving else ""


def over_the_wall(edges: dict[str, set[str]]) -> list[str]:
    """What is stored with a model and yet imports something that is not."""
    allowed = {name: {stored(name), "lib.runtime"} for name in edges if stored(name)}
    return [
        f"{name} imports {other}"
        for name in allowed
        for other in edges[name]
        if stored(other) not in allowed[name]
    ]


def test_one_module_knows_the_schema_of_mlflow_s_tables():
    table = re.compile(r"\b(model_versions|logged_models|registered_model_aliases)\b")
    knows = [name for name, path in modules(ROOT).items() if table.search(path.read_text(encoding="utf-8"))]
    assert knows == ["lib.mlflow_tables"]


@pytest.mark.parametrize("name", sorted(lib.MOVED))
def test_what_an_earlier_workbook_had_is_gone_and_what_replaced_it_is_there(name):
    assert f"lib.{name}" not in modules(ROOT)
    for now in re.findall(r"\blib(?:\.\w+)+", lib.MOVED[name]):
        module, _, attribute = now.rpartition(".")
        assert now in modules(ROOT) or hasattr(importlib.import_module(module), attribute), now


@pytest.mark.parametrize(("module", "name"), [(datasets, "load"), (datasets, "names")])
def test_a_name_that_has_moved_is_refused_with_its_place(module, name):
    with pytest.raises(ImportError, match=rf"{name} is lib\.\w+(\.{name})? now; docs/from-an-earlier"):
        getattr(module, name)
    assert not hasattr(module, "nothing")


@pytest.mark.parametrize(
    ("line", "now"),
    [
        ("from lib.steps import Step", "lib.step"),
        ("import lib.inference", "lib.packaging and lib.runtime.inference"),
        ("from lib import steps", "lib.step"),
        ("from lib.datasets.base import Rule", "lib.problem"),
        ("from lib.datasets import load", "lib.problem.load"),
        ("from lib.plots import show", "lib.display"),
        ("from lib.tuning import choose", "lib.tuning.selection"),
        ("from lib.serving import Served", "lib.packaging"),
    ],
)
def test_an_import_of_what_has_moved_is_refused_with_its_place_however_it_is_written(line, now):
    with pytest.raises(ImportError, match=rf"is {re.escape(now)} now; docs/from-an-earlier-workbook.md"):
        exec(line)  # noqa: S102 - as a notebook's cell is run
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'lib\.nothing'"):
        exec("import lib.nothing")  # noqa: S102


def test_every_room_has_a_place_in_the_list():
    rooms = {room(name) for name in modules(ROOT)} - {""}
    assert rooms <= set(RANKS)


def test_no_two_files_import_each_other_and_no_two_rooms():
    edges = graph()
    assert circle(edges) == []
    rooms: dict[str, set[str]] = {}
    for name, others in edges.items():
        rooms.setdefault(room(name), set()).update({room(other) for other in others} - {room(name), ""})
    rooms.pop("", None)
    assert circle(rooms) == []


def test_arrows_point_down_the_list():
    assert upward(graph()) == []


def test_only_the_command_line_imports_what_runs_notebooks():
    others = [
        f"{name} imports {other}"
        for name, imported in graph().items()
        for other in imported
        if (room(other) == "runner" and room(name) not in ("runner", "cli"))
        or (room(other) == "cli" and room(name) != "cli")
    ]
    assert others == []


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_no_notebook_imports_what_runs_it(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert "lib.runner" not in code
    assert "import runner" not in code
    assert "lib.cli" not in code


def test_what_mypy_cannot_see_stays_rare():
    uses = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "lib").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for _ in re.findall(r"\bAny\b", line)
    ]
    assert len(uses) <= 160, f"`Any` stands {len(uses)} times: say what it is, of the last ones {uses[-5:]}"


def test_what_is_stored_with_a_model_imports_nothing_else_and_itself_only_relatively():
    assert over_the_wall(graph()) == []
    for name, path in modules(ROOT).items():
        if stored(name):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            absolute = [n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level]
            assert not [module for module in absolute if (module or "").split(".")[0] == "lib"], name


@pytest.mark.parametrize(
    ("name", "text", "finds"),
    [
        ("records", "def f():\n    from lib import step\n", upward),
        ("runtime/schema", "from ..errors import WorkbookError\n", over_the_wall),
        ("datasets/green_taxi/serving/zones", "from ...music_genres.serving import AUDIO\n", over_the_wall),
        (
            "files/content",
            "from lib.paths import ROOT\n",
            lambda edges: circle({**edges, "lib.paths": {"lib.files.content"}}),
        ),
    ],
)
def test_the_search_would_find_one(tmp_path, name, text, finds):
    shutil.copytree(ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    edited = tmp_path / "lib" / f"{name}.py"
    edited.write_text(edited.read_text() + "\n" + text)
    assert finds(graph(tmp_path))


def test_mistakes_are_put_where_they_would_be_silent_into_modules_that_there_are():
    """Read, not imported: what makes the mistakes is installed by `make mutants` alone."""
    lines = ast.parse((ROOT / "tests" / "mutants.py").read_text(encoding="utf-8")).body
    names = {"AREAS", "ENOUGH"}
    found = [line for line in lines if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) in names]
    said: dict = {}
    exec("\n".join(map(ast.unparse, found)), said)  # noqa: S102 - literals
    modules_, tests = ({one for area in said["AREAS"].values() for one in area[n]} for n in (0, 1))
    assert [name for name in modules_ if not (ROOT / "lib" / f"{name}.py").is_file()] == []
    assert [name for name in tests if not (ROOT / "tests" / f"{name}.py").is_file()] == []
    assert {
        *("runner/staleness", "records", "notebook_source/__init__", "notebook_source/parameters", "splits"),
        *("evaluation/__init__", "runtime/schema", "runtime/inference", "registry/contest"),
        "runtime/encoders/__init__",
    } <= modules_
    assert said["ENOUGH"] >= 0.85
