"""The locks: what pyproject.toml asks for is pinned, with hashes, where it can be installed and nowhere else.

All from the files themselves, without a network. `make lock` asks the index the rest: whether each pin has a
wheel for every system and Python.
"""

import ast
import functools
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).parents[2]
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text())
GROUPS = DECLARED["dependency-groups"]
MAIN = PROJECT / "requirements.txt"
APART = {name: PROJECT / "requirements" / f"{name}.txt" for name in GROUPS.keys() - {"notebooks", "dev"}}
LOCKS = [MAIN, *sorted(APART.values())]

SUPPORTED = SpecifierSet(DECLARED["project"]["requires-python"])
PYTHONS = [f"3.{minor}" for minor in range(50) if f"3.{minor}.0" in SUPPORTED]
SYSTEMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")]
NOT_SUPPORTED = [("darwin", "x86_64"), ("win32", "AMD64")]

Environment = Mapping[str, str]


@dataclass(frozen=True)
class Pin:
    """One version of a package, and where it is to be installed."""

    name: str
    version: Version
    marker: Marker | None
    hashes: tuple[str, ...]

    def holds(self, environment: Environment) -> bool:
        return self.marker is None or self.marker.evaluate(dict(environment))

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def read(text: str) -> list[Pin]:
    """The pins of a lock; what is no pin (an option, a range, a URL) is refused."""
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words, *hashes = re.split(r"\s+--hash=", line.strip())
        requirement = Requirement(words)
        (only,) = requirement.specifier
        assert only.operator == "==", f"{words} is not pinned"
        version, marker = Version(only.version), requirement.marker
        pins.append(Pin(canonicalize_name(requirement.name), version, marker, tuple(hashes)))
    return pins


def environment(python: str, system: str, machine: str) -> Environment:
    """What a marker is asked about: CPython of this full version on this system."""
    return {
        **default_environment(),
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "nt" if system == "win32" else "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": system,
    }


def supported(python: str) -> Iterator[Environment]:
    """The systems with this Python, by its first and a late patch release, which a marker may tell apart."""
    for system, machine in SYSTEMS:
        yield environment(f"{python}.0", system, machine)
        yield environment(f"{python}.20", system, machine)


ENVIRONMENTS = [each for python in PYTHONS for each in supported(python)]


def pinned_nowhere(pins: Iterable[Pin]) -> list[Pin]:
    """Pins for systems that are not supported: nothing tells whether they can be installed there."""
    return [pin for pin in pins if not any(pin.holds(each) for each in ENVIRONMENTS)]


def differing_by_system(pins: Iterable[Pin]) -> dict[str, list[str]]:
    """Packages that one Python gets in two versions: the resolver fell back to an older one somewhere."""
    found = defaultdict(set)
    pins = list(pins)
    for each in ENVIRONMENTS:
        for pin in pins:
            if pin.holds(each):
                found[pin.name, each["python_full_version"]].add(str(pin))
    return {name: sorted(versions) for (name, _), versions in found.items() if len(versions) > 1}


def refused_by_its_python(pin: Pin, requires_python: str) -> list[str]:
    """The full versions of Python that a pin is for and that the package itself does not admit."""
    admitted = SpecifierSet(requires_python)
    pythons = {each["python_full_version"] for each in ENVIRONMENTS if pin.holds(each)}
    return sorted(python for python in pythons if python not in admitted)


@pytest.fixture(scope="module")
def locks() -> dict[Path, list[Pin]]:
    return {path: read(path.read_text()) for path in LOCKS}


def relative(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_every_direct_dependency_is_pinned_at_a_version_its_range_admits(lock, locks):
    if lock == MAIN:
        asked = [*DECLARED["project"]["dependencies"], *GROUPS["notebooks"], *GROUPS["dev"]]
    else:
        asked = GROUPS[lock.stem]
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        for each in ENVIRONMENTS:
            if requirement.marker is None or requirement.marker.evaluate(dict(each)):
                found = [pin.version for pin in locks[lock] if pin.name == name and pin.holds(each)]
                assert len(found) == 1, f"{requirement} has the pins {found}"
                assert found[0] in requirement.specifier, f"{requirement} is pinned at {found[0]}"


def test_every_lock_apart_is_a_group_and_every_group_apart_has_a_lock():
    assert sorted((PROJECT / "requirements").iterdir()) == sorted(APART.values())


def test_locks_apart_contradict_neither_the_main_lock_nor_one_another(locks):
    assert differing_by_system(pin for pins in locks.values() for pin in pins) == {}


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_every_pin_has_a_hash(lock, locks):
    assert locks[lock]
    for pin in locks[lock]:
        assert pin.hashes, f"{pin} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in pin.hashes), str(pin)


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_nothing_is_pinned_for_a_system_that_is_not_supported(lock, locks):
    assert [str(pin) for pin in pinned_nowhere(locks[lock])] == []
    for python in PYTHONS:
        for system, machine in NOT_SUPPORTED:
            there = environment(f"{python}.0", system, machine)
            assert not [str(pin) for pin in locks[lock] if pin.holds(there)]


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_one_python_gets_one_version_of_a_package_whatever_the_system(lock, locks):
    assert differing_by_system(locks[lock]) == {}


def test_no_pin_is_for_a_python_that_the_package_refuses(locks):
    asked = 0
    for pin in locks[MAIN]:
        here = next(iter(metadata.distributions(name=pin.name)), None)
        if here is None or Version(here.version) != pin.version:
            continue  # another Python's
        asked += 1
        assert refused_by_its_python(pin, here.metadata.get("Requires-Python", "")) == [], str(pin)
    assert asked > 100


def test_a_release_of_years_ago_for_one_system_is_noticed():
    """Both were locked once: an Intel Mac has no newer numba, and 0.53.1 is for Python 3.6 to 3.9."""
    mac = "python_full_version < '3.12' and platform_machine == 'x86_64' and sys_platform == 'darwin'"
    rest = "python_full_version < '3.12' and (platform_machine != 'x86_64' or sys_platform != 'darwin')"
    old, new = read(f"numba==0.53.1 ; {mac}\nnumba==0.68.1 ; {rest}\n")
    assert pinned_nowhere([old, new]) == [old]
    arm = read(f"numba==0.53.1 ; {mac.replace('x86_64', 'arm64')}\nnumba==0.68.1\n")
    assert differing_by_system(arm) == {"numba": ["numba==0.53.1", "numba==0.68.1"]}
    (alone,) = read("numba==0.53.1 ; python_full_version < '3.12'")
    assert refused_by_its_python(alone, ">=3.6,<3.10") == ["3.11.0", "3.11.20"]


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_a_lock_says_nothing_of_where_it_was_made(lock):
    text = lock.read_text()
    assert not re.findall(r"\S*://\S*|--[a-z-]*index[a-z-]*|--find-links|(?<=\s)/\S+", text)


def test_the_systems_and_pythons_are_the_same_everywhere():
    allowed = [Marker(text) for text in DECLARED["tool"]["uv"]["environments"]]
    for python in PYTHONS:
        for each in supported(python):
            assert sum(marker.evaluate(dict(each)) for marker in allowed) == 1
        for system, machine in NOT_SUPPORTED:
            assert not any(marker.evaluate(environment(f"{python}.0", system, machine)) for marker in allowed)
    after = f"3.{int(PYTHONS[-1].split('.')[1]) + 1}"
    assert not any(marker.evaluate(dict(each)) for marker in allowed for each in supported(after))

    makefile = (PROJECT / "Makefile").read_text()
    triples = re.search(r"^PLATFORMS := (.*)$", makefile, re.MULTILINE)[1].split()
    names = {"apple-darwin": "darwin", "unknown-linux-gnu": "linux"}
    systems = [(names[rest], machine) for machine, rest in (triple.split("-", 1) for triple in triples)]
    assert [("darwin", "arm64") if one == ("darwin", "aarch64") else one for one in systems] == SYSTEMS
    assert re.search(r"^PYTHONS := (.*)$", makefile, re.MULTILINE)[1].split() == PYTHONS


@functools.cache
def imported() -> frozenset[str]:
    """The top-level modules that `lib` and the notebooks import; imports for types alone do not count."""
    sources = [path.read_text() for path in (PROJECT / "lib").rglob("*.py")]
    for path in (PROJECT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        sources += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    found = set()
    for source in sources:
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))
        for node in running(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(node.module.partition(".")[0])
    return frozenset(found)


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those below `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield from (other, *running(other))
        else:
            yield from (child, *running(child))


MODULES = {
    **{name: name for name in ("papermill", "nbconvert", "pandas", "pyarrow", "xgboost", "hyperopt")},
    **{name: name for name in ("mlflow", "seaborn", "matplotlib", "wandb")},
    "scikit-learn": "sklearn",
}
COMMANDS = {"jupyterlab": r"\$\(BIN\)/jupyter lab ", "nbmake": r"\$\(BIN\)/python -m pytest --nbmake "}


@pytest.mark.parametrize("library", [*MODULES, *COMMANDS])
def test_each_library_of_the_course_is_a_direct_dependency(library):
    asked = [*DECLARED["project"]["dependencies"], *GROUPS["notebooks"], *GROUPS["dev"]]
    assert library in {canonicalize_name(Requirement(one).name) for one in asked}


@pytest.mark.parametrize("library", MODULES)
def test_each_library_of_the_course_is_imported_by_code_that_runs(library):
    assert MODULES[library] in imported()


@pytest.mark.parametrize("library", COMMANDS)
def test_each_tool_of_the_course_is_called_by_make(library):
    recipes = [line for line in (PROJECT / "Makefile").read_text().splitlines() if line.startswith("\t")]
    assert any(re.search(COMMANDS[library], line) for line in recipes)
