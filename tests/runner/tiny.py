"""A tiny project in a temporary folder: real runner, four small notebooks, a stand-in for `lib.steps`.

The stand-in writes what the real one writes (outputs, the note with the modules used) without a tracker, so
that a test of the runner takes a second. Tests of the real pipeline are in `test_real_pipeline.py`.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

STEPS = """
import json, os, sys
from pathlib import Path

OUTPUTS = Path(os.environ.get("WORKBOOK_OUTPUTS") or Path(__file__).parents[1] / "outputs")


class Step:
    def __init__(self, name, run, problem="tiny", reads=(), writes=()):
        self.name, self.folder = name, OUTPUTS / run
        self.note = self.folder / "notebooks" / f".{name}.open.json"
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        self.note.parent.mkdir(parents=True, exist_ok=True)
        self.note.write_text(json.dumps({"pid": os.getpid()}))

    def read(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())

    def write(self, name, value):
        temporary = self.folder / f".{name}.json.{os.getpid()}.tmp"
        temporary.write_text(json.dumps(value, sort_keys=True))
        temporary.rename(self.folder / f"{name}.json")

    def close(self, **metrics):
        used = sorted(m for m in sys.modules if m == "lib" or m.startswith("lib."))
        self.note.write_text(json.dumps({"pid": os.getpid(), "modules": used, "peak_memory_mb": 50.0}))
"""

TRACKING = """
import json, os
from pathlib import Path


def close_dead(note):
    with (Path(os.environ["WORKBOOK_OUTPUTS"]) / "closed.txt").open("a") as file:
        file.write("FAILED\\n")


def attach(note, path):
    pass
"""

NOTEBOOKS = {
    "01_ingest": (
        'run: str = "scratch"\nrows: int = 3  # how many\noptions: dict = {}\nproblem: str = "tiny"',
        "from lib.steps import Step\nfrom lib import alpha\n"
        'step = Step("01_ingest", run, problem, writes=["raw"])',
        'step.write("raw", alpha.rows(rows))',
        "step.close()",
    ),
    "02_eda": (
        'run: str = "scratch"\nsample: int = 2\nproblem: str = "tiny"',
        'from lib.steps import Step\nstep = Step("02_eda", run, problem, reads=["raw"], writes=["profile"])',
        'step.write("profile", {"largest": max(step.read("raw")), "sample": sample})',
        "step.close()",
    ),
    "03_prep": (
        'run: str = "scratch"\nkeep: float = 2.5\nproblem: str = "tiny"',
        "from lib.steps import Step\nfrom lib import beta\n"
        'step = Step("03_prep", run, problem, reads=["raw"], writes=["train", "test"])',
        'kept = beta.keep(step.read("raw"), keep)',
        'step.write("train", kept)',
        'step.write("test", kept[:1])',
        "step.close()",
    ),
    "04_tune": (
        'run: str = "scratch"\nmodels: list[str] = ["mean"]\nmax_evals: int = 5\nproblem: str = "tiny"',
        "from lib.steps import Step\n"
        'step = Step("04_tune", run, problem, reads=["train", "test"], writes=["metrics"])',
        'train = step.read("train")',
        'step.write("metrics", {"test_rmse": sum(train) / len(train), "evals": max_evals})',
        "step.close(test_rmse=1.0)",
    ),
}
MODULES = {
    "alpha": "def rows(n):\n    return list(range(n))\n",
    "beta": "def keep(rows, most):\n    return [row for row in rows if row < most]\n",
    "gamma": "UNUSED = 1\n",
}


def cell(source: str, tags: tuple[str, ...] = (), number: int = 0) -> dict:
    """A code cell as JupyterLab saves it."""
    return {
        "cell_type": "code",
        "id": f"cell-{number}",
        "metadata": {"tags": list(tags)} if tags else {},
        "execution_count": None,
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


class Tiny:
    """The project: its files can be edited, its runner started for real or called in this process."""

    def __init__(self, root: Path, fresh: bool = True) -> None:
        self.root, self.outputs = root, root / "outputs"
        self.sockets = Path(tempfile.mkdtemp(prefix="wb-"))  # a short path, as sockets need
        if fresh:
            self._write()

    def _write(self) -> None:
        root = self.root
        shutil.copytree(
            ROOT / "lib" / "pipeline", root / "lib" / "pipeline", ignore=shutil.ignore_patterns("__pycache__")
        )
        warm = root / "lib" / "pipeline" / "warm.py"  # the same warm child with less to import
        few = 'LIBRARIES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "numpy")'
        warm.write_text(re.sub(r"LIBRARIES = \(.*?\n\)", few, warm.read_text(), flags=re.DOTALL))
        for name in ("__init__.py", "errors.py", "files.py"):
            shutil.copy(ROOT / "lib" / name, root / "lib" / name)
        self.module("steps", STEPS)
        self.module("tracking", TRACKING)
        for name, text in MODULES.items():
            self.module(name, text)
        for name, cells in NOTEBOOKS.items():
            self.notebook(name, *cells)
        (root / "params").mkdir()
        self.yaml("rows: 4  # enough\n")

    def module(self, name: str, text: str) -> None:
        """Write `lib/<name>.py`."""
        (self.root / "lib" / f"{name}.py").write_text(text)

    def yaml(self, text: str, name: str = "quickstart") -> None:
        """Write `params/<name>.yaml`."""
        (self.root / "params" / f"{name}.yaml").write_text(text)

    def notebook(self, name: str, parameters: str, *cells: str) -> None:
        """Write `notebooks/<name>.ipynb`."""
        path = self.root / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        code = [cell(parameters, ("parameters",)), *(cell(text, number=i) for i, text in enumerate(cells, 1))]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path.write_text(json.dumps({"cells": code, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit the source of a notebook."""
        path = self.root / "notebooks" / f"{name}.ipynb"
        content = json.loads(path.read_text())
        found = False
        for one in content["cells"]:
            text = "".join(one["source"])
            if old in text:
                one["source"], found = text.replace(old, new).splitlines(keepends=True), True
        assert found, f"{old!r} is nowhere in {name}"
        path.write_text(json.dumps(content))

    def command(self, *words: str, **environment: str) -> tuple[list[str], dict[str, str]]:
        """The runner's command line and environment."""
        inherited = {
            k: v
            for k, v in os.environ.items()
            if k not in ("P", "RUN", "PARAMS", "STEPS", "FORCE", "MAKELEVEL")
        }
        inherited |= {
            "WORKBOOK_OUTPUTS": str(self.outputs),
            "XDG_RUNTIME_DIR": str(self.sockets),
            "PYTHONPATH": str(self.root),
        } | environment
        return [sys.executable, "-m", "lib.pipeline", *words], inherited

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        """Start the runner and wait for its end."""
        command, inherited = self.command(*(words or ("run",)), **environment)
        return subprocess.run(
            command, cwd=self.root, env=inherited, capture_output=True, text=True, timeout=120
        )

    def start(self, *words: str, **environment: str) -> subprocess.Popen:
        """Start the runner in a process group of its own."""
        command, inherited = self.command(*(words or ("run",)), **environment)
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=inherited,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def ran(self, result: subprocess.CompletedProcess) -> list[str]:
        """The steps that ran, in the order in which they ended."""
        return [line.split()[1] for line in result.stdout.splitlines() if line.startswith("  ✓")]

    def folder(self, run: str = "quickstart") -> Path:
        """outputs/<run>."""
        return self.outputs / run

    def leftovers(self, run: str = "quickstart") -> list[str]:
        """Hidden files in the run's folder, but for the lock."""
        return [p.name for p in self.folder(run).rglob(".*") if p.name != ".lock"]


def wait_for(condition, seconds: float = 30.0):
    """Wait until `condition()` is true and give what it gave; fail after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain")


def kill_group(process: subprocess.Popen) -> None:
    """End a runner that a test has started, with its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
