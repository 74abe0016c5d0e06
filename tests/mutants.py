"""`make mutants`: put single mistakes into the code, one at a time, and see which of them no test notices.

mutmut makes the mistakes, in a temporary copy of the project, and runs the tests that come by each of them.
It has no draw, and one list of tests for all: here are a draw by a seed, as many from every module, and for
each area the quick tests that should notice. `tests/mutants.py splits --draw 5 --seed 7` draws less.
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import get_mutant_name

ROOT = Path(__file__).resolve().parents[1]
#: The share of the drawn mutants that the tests must notice, in each module.
ENOUGH = 0.85
#: Where a mistake is silent: modules of `lib`, and the tests that should notice one.
AREAS = {
    "staleness": (["runner/staleness"], ["runner/test_staleness"]),
    "records": (["records"], ["code/test_records"]),
    "source": (
        [f"notebook_source/{name}" for name in ("__init__", "meaning", "modules", "prose")],
        ["code/test_reading", "code/test_meaning"],
    ),
    "parameters": (
        [f"notebook_source/{name}" for name in ("parameters", "annotations", "plain_yaml", "limits")],
        ["code/test_parameter_values", "code/test_limits"],
    ),
    "problems": (
        ["notebook_source/problems", "notebook_source/grids"],
        ["code/test_options", "code/test_limits"],
    ),
    "splits": (["splits", "runtime/folds"], ["code/test_splits"]),
    "uncertainty": (
        [f"uncertainty/{name}" for name in ("__init__", "gains", "groups", "statistics", "tails")],
        ["code/test_uncertainty"],
    ),
    "evaluation": (
        [f"evaluation/{name}" for name in ("__init__", "scores", "classes", "admissions")],
        [
            f"code/test_{name}"
            for name in ("evaluation", "auc", "figures", "scores", "wording", "honest_answers")
        ],
    ),
    "inference": (["runtime/schema", "runtime/values", "runtime/inference"], ["code/test_schema"]),
    "encoders": (
        [f"runtime/encoders/{name}" for name in ("__init__", "base", "columns", "matrix", "means", "text")],
        ["code/test_encoders"],
    ),
    "contest": (["registry/contest", "registry/verdict"], ["code/test_contest"]),
    "registry": (
        ["registry/__init__", "registry/judged"],
        ["code/test_registered", "code/test_registry", "code/test_contest"],
    ),
}
#: What takes seconds to import comes as a plugin: once, before the mutants are forked.
OPTIONS = ["-o", "addopts=", "-p", "no:cacheprovider", "-p", "sklearn.metrics", "-p", "mlflow.pyfunc"]
SETTINGS = """
[tool.mutmut]
source_paths = ["lib"]
also_copy = ["notebooks", "params"]
only_mutate = {modules}
pytest_add_cli_args = {options}
pytest_add_cli_args_test_selection = {tests}
# Each mutant starts from a process that has imported the tests, and run none of them.
process_isolation = "forkserver"
use_git_change_detection = false
timeout_constant = 12.0
timeout_multiplier = 4.0
"""


@dataclass(frozen=True)
class Module:
    """A module of `lib`, how many mutants it has, and the names of those that are drawn."""

    path: Path
    there: int
    drawn: list[str]

    def fates(self) -> dict[str, str]:
        """What became of each, by mutmut: killed, survived, or timeout where a test did not end."""
        data = SourceFileMutationData(path=self.path)
        data.load()
        return {name: status_by_exit_code[data.exit_code_by_key[name]] for name in self.drawn}


def draw(path: Path, most: int, seed: int) -> Module:
    """Up to `most` mutants of a module, the same for the same seed."""
    found = mutate_file_contents(str(path), path.read_text(encoding="utf-8")).mutant_names
    names = sorted(get_mutant_name(path, name) for name in found)
    return Module(path, len(names), random.Random(seed).sample(names, min(most, len(names))))  # noqa: S311


@contextlib.contextmanager
def workplace(modules: list[str], tests: list[str]) -> Iterator[None]:
    """A folder with the project's files and mutmut's settings, in which mutmut makes its copy."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name in ("lib", "tests", "notebooks", "params"):
            Path(name).symlink_to(ROOT / name)
        settings = SETTINGS.format(
            modules=json.dumps(modules), tests=json.dumps(tests), options=json.dumps(OPTIONS)
        )
        Path("pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + settings)
        yield


def run(area: str, most: int, seed: int) -> bool:
    """Draw, run and tell of one area; gives whether enough was noticed in each of its modules."""
    modules, tests = (
        [f"{room}/{name}.py" for name in names]
        for room, names in zip(("lib", "tests"), AREAS[area], strict=True)
    )
    with workplace(modules, tests):
        drawn = [draw(Path(name), most, seed) for name in modules]
        names = [name for module in drawn for name in module.drawn]
        done = subprocess.run(
            [Path(sys.executable).with_name("mutmut"), "run", *names], capture_output=True, text=True
        )
        if done.returncode:
            print(f"✗ mutmut could not run {area}:\n{done.stdout}{done.stderr}", file=sys.stderr)
            return False
        told = [tell(module) for module in drawn]
        return all(told)


def tell(module: Module) -> bool:
    """Print what no test noticed, and the module's line; gives whether enough was noticed."""
    fates = module.fates()
    living = [name for name, fate in fates.items() if fate not in ("killed", "timeout")]
    for name in living:
        print(f"{fates[name]}: {get_diff_for_mutant(name, path=module.path)}")
    drawn, endless = len(module.drawn), list(fates.values()).count("timeout")
    share = 1 - len(living) / drawn
    print(
        f"{'✓' if share >= ENOUGH else '✗'} {module.path}: of {module.there} mutants {drawn} drawn, "
        f"{drawn - len(living)} noticed ({share:.0%}), {endless} of them by a test that did not end",
        flush=True,
    )
    return share >= ENOUGH


def main() -> int:
    """Every area, or those that are named; gives 1 where too many mutants of a module live."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal that has no tick
    start, parser = time.monotonic(), argparse.ArgumentParser(description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="area", help=", ".join(AREAS))
    parser.add_argument("--draw", type=int, default=40, help="mutants a module, 40 unless told otherwise")
    parser.add_argument("--seed", type=int, default=1, help="draws others")
    given = parser.parse_args()
    unknown = sorted(set(given.areas) - set(AREAS))
    if unknown:
        parser.error(f"there is no area {unknown[0]!r}; there are {', '.join(AREAS)}")
    enough = [run(area, given.draw, given.seed) for area in given.areas or AREAS]
    print(f"{(time.monotonic() - start) / 60:.0f} minutes.")
    return 0 if all(enough) else 1


if __name__ == "__main__":
    sys.exit(main())
