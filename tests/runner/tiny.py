"""A tiny project in a temporary folder: real runner, four small notebooks, a stand-in for `lib.step`.

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
from collections.abc import Sequence
from pathlib import Path

import psutil

from lib import paths
from lib.runner import plan

ROOT = Path(__file__).resolve().parents[2]

STEP = """
import json, os, sys
from pathlib import Path

OUTPUTS = Path(os.environ.get("WORKBOOK_OUTPUTS") or Path(__file__).parents[1] / "outputs")


class Step:
    def __init__(self, name, run, problem="tiny", *, reads=(), writes=(), acts_on=()):
        self.name, self.folder, self.taken = name, OUTPUTS / run, []
        self.note = self.folder / "notebooks" / f".{name}.open.json"
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        self.note.parent.mkdir(parents=True, exist_ok=True)
        self.note.write_text(json.dumps({"format": 2, "pid": os.getpid()}))

    def read(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())

    def write(self, name, value):
        temporary = self.folder / f".{name}.json.{os.getpid()}.tmp"
        value = {"format": 2, **value} if isinstance(value, dict) else value
        temporary.write_text(json.dumps(value, sort_keys=True))
        temporary.rename(self.folder / f"{name}.json")

    def uses(self, kind, name, digest, stamp=()):
        self.taken.append({"kind": kind, "name": name, "digest": digest, "stamp": list(stamp)})

    def close(self, **metrics):
        used = sorted(m for m in sys.modules if m == "lib" or m.startswith("lib."))
        note = {"format": 2, "pid": os.getpid(), "modules": used, "peak_memory_mb": 50.0}
        note |= {"mlflow_uri": "tiny", "metrics": metrics}
        note["taken"] = self.taken
        self.note.write_text(json.dumps(note | {"mlflow_run_id": self.name}))
"""

TRACKING = """
import contextlib, json, os
from pathlib import Path


class Tracked:
    pass


def environment(outputs):
    return {"WANDB_MODE": "offline"}


def commit():
    return {}


def settle(at):
    settled = Path(os.environ["WORKBOOK_OUTPUTS"]) / "settled.txt"
    with contextlib.suppress(OSError), settled.open("a") as file:  # the disk may be full
        file.write(f"{at}\\n")


def under_runner():
    return True


def close_dead(note):
    with (Path(os.environ["WORKBOOK_OUTPUTS"]) / "closed.txt").open("a") as file:
        file.write("FAILED\\n")


def keep(record, run, executed, outputs):
    with (outputs / "kept.txt").open("a") as file:
        file.write(f"{run}/{record.step} from {record.linked_from}\\n")
    return ""
"""

NOTEBOOKS = {
    "01_ingest": (
        'run: str = "scratch"\nrows: int = 3  # how many\noptions: dict = {}\nproblem: str = "tiny"',
        "from lib.step import Step\nfrom lib import alpha\n"
        'step = Step("01_ingest", run, problem, writes=["raw"])',
        'step.write("raw", alpha.rows(rows))',
        "step.close()",
    ),
    "02_eda": (
        'run: str = "scratch"\nsample: int = 2\nproblem: str = "tiny"',
        'from lib.step import Step\nstep = Step("02_eda", run, problem, reads=["raw"], writes=["profile"])',
        'step.write("profile", {"largest": max(step.read("raw")), "sample": sample})',
        "step.close()",
    ),
    "03_prep": (
        'run: str = "scratch"\nkeep: float = 2.5\nproblem: str = "tiny"',
        "from lib.step import Step\nfrom lib import beta\n"
        'step = Step("03_prep", run, problem, reads=["raw"], writes=["train", "test"])',
        'kept = beta.keep(step.read("raw"), keep)',
        'step.write("train", kept)',
        'step.write("test", kept[:1])',
        "step.close()",
    ),
    "04_tune": (
        'run: str = "scratch"\nmodels: list[str] = ["mean"]\nmax_evals: int = 5\nproblem: str = "tiny"',
        "from lib.step import Step\n"
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


def ask(project: paths.Project, words: Sequence[str] = (), **environment: str) -> plan.Request:
    """What the command line makes of an environment."""
    names = {"PARAMS": "file", "P": "overrides", "RUN": "run", "STEPS": "steps", "FORCE": "force"}
    wishes = {names[name]: value for name, value in environment.items()}
    return plan.ask(plan.Wishes(**wishes, until=tuple(words)), project)


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
        for room in ("runner", "cli", "notebook_source", "compute", "files"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / "lib" / room, root / "lib" / room, ignore=ignored)
        kernels = root / "lib" / "runner" / "kernels.py"  # the same fork server with less to import
        few = 'LIBRARIES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "numpy")'
        kernels.write_text(re.sub(r"LIBRARIES = \(.*?\n\)", few, kernels.read_text(), flags=re.DOTALL))
        for name in (
            *("__init__", "errors", "paths", "records", "redaction", "wording", "dependencies"),
            "mlflow_tables",
        ):
            shutil.copy(ROOT / "lib" / f"{name}.py", root / "lib" / f"{name}.py")
        for name in ("__init__", "style", "comparison"):  # of a sweep
            (root / "lib" / "plots").mkdir(exist_ok=True)
            shutil.copy(ROOT / "lib" / "plots" / f"{name}.py", root / "lib" / "plots" / f"{name}.py")
        self.module("step", STEP)
        self.module("tracking", TRACKING)
        for name, text in MODULES.items():
            self.module(name, text)
        for name, cells in NOTEBOOKS.items():
            self.notebook(name, *cells)
        (root / "params").mkdir()
        self.yaml("rows: 4  # enough\n")

    @property
    def project(self) -> paths.Project:
        """Its folders."""
        return paths.Project(self.root, self.outputs)

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
            if k not in ("P", "RUN", "PARAMS", "STEPS", "FORCE", "JOBS", "MAKELEVEL")
        }
        inherited |= {
            "WORKBOOK_OUTPUTS": str(self.outputs),
            "XDG_RUNTIME_DIR": str(self.sockets),
            "PYTHONPATH": str(self.root),
        } | environment
        if "RUN" in inherited:  # as make hands on what stands on its own command line
            inherited["GIVEN_RUN"] = inherited.pop("RUN")
        return [sys.executable, "-m", "lib.cli", *words], inherited

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        """Start the runner and wait for its end."""
        command, inherited = self.command(*(words or ("pipeline",)), **environment)
        return subprocess.run(
            command, cwd=self.root, env=inherited, capture_output=True, text=True, timeout=120
        )

    def start(self, *words: str, **environment: str) -> subprocess.Popen:
        """Start the runner in a process group of its own."""
        command, inherited = self.command(*(words or ("pipeline",)), **environment)
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
        return [p.name for p in self.folder(run).rglob(".*") if p.name not in (".lock", ".pages")]


def wait_for(condition, seconds: float = 30.0):
    """Wait until `condition()` is true and give what it gave; fail after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain")


def processes(tiny: Tiny) -> list[int]:
    """The ids of all processes that work for this project, whoever their parent is."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it is gone, or another user's
            ours = process.environ().get("WORKBOOK_OUTPUTS") == str(tiny.outputs)
            if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def kill_group(process: subprocess.Popen) -> None:
    """End a runner that a test has started, with its process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
