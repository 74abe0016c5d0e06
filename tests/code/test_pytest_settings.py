"""What `pytest` and `pytest --nbmake` collect; notebooks run in their order on any number of workers."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGES = sorted(path.name for path in (PROJECT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def run_pytest(folder: Path, *words: str) -> str:
    """pytest in a process of its own, as a user starts it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=folder, env=inherited, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with these settings and three small pages, each of which needs what the one before wrote."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    cells = {
        "01_first": "import time, pathlib; time.sleep(0.2); pathlib.Path('a').write_text('a')",
        "02_second": "import time, pathlib; time.sleep(0.2); pathlib.Path('a').rename('b')",
        "03_third": "import pathlib; pathlib.Path('b').rename('c')",
        ".ipynb_checkpoints/01_first-checkpoint": "raise ValueError('an older save')",
        "lessons/01_a_lesson": "raise ValueError('`make lessons` runs it')",
        "exercises/01_a_blank": "raise NotImplementedError('`make check` asks it')",
    }
    for name, source in cells.items():
        cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": []}
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        page = {"cells": [cell | {"source": source}], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(page))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_unit.py").write_text("def test_unit(): pass\n")
    return tmp_path


def test_nbmake_without_a_path_collects_every_numbered_notebook_once():
    collected = run_pytest(PROJECT, "--nbmake", "--collect-only")
    assert re.findall(r"^notebooks/(\S+)::", collected, re.MULTILINE) == PAGES
    assert f"{len(PAGES)} tests collected" in collected


def test_notebooks_run_in_their_order_on_any_number_of_workers(project):
    assert "3 passed" in run_pytest(project, "--nbmake", "-n", "2")
    assert (project / "notebooks" / "c").exists()


@pytest.mark.parametrize("words", [(), ("--nbmake", "tests")], ids=["pytest", "pytest --nbmake tests"])
def test_without_nbmake_or_with_a_path_no_notebook_is_collected(project, words):
    assert re.search(r"^1 test collected", run_pytest(project, "--collect-only", *words), re.MULTILINE)


def test_what_jupyterlab_saved_aside_is_no_notebook(project):
    collected = run_pytest(project, "--collect-only", "--nbmake", "notebooks")
    assert "02_second" in collected
    assert "checkpoint" not in collected
