"""Fixtures of the runner's tests: a tiny project, fresh or with a finished run."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny as tiny_project

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tiny(tmp_path) -> Iterator[tiny_project.Tiny]:
    """A tiny project in which nothing has run."""
    project = tiny_project.Tiny(tmp_path / "project")
    yield project
    shutil.rmtree(project.sockets, ignore_errors=True)  # a fork server that was killed clears up, too


@pytest.fixture(scope="session")
def _finished(tmp_path_factory) -> Path:
    project = tiny_project.Tiny(tmp_path_factory.mktemp("tiny") / "project")
    result = project.run()
    assert result.returncode == 0, result.stdout + result.stderr
    shutil.rmtree(project.sockets)
    return project.root


@pytest.fixture
def done(tmp_path, _finished) -> Iterator[tiny_project.Tiny]:
    """A tiny project whose run `quickstart` is finished; every test has a copy of its own."""
    shutil.copytree(_finished, tmp_path / "finished")
    project = tiny_project.Tiny(tmp_path / "finished", fresh=False)
    yield project
    shutil.rmtree(project.sockets, ignore_errors=True)  # a fork server that was killed clears up, too


@pytest.fixture
def copied(tmp_path):
    """A copy of the project with its environment, its libraries links, its commands files."""
    copy = tmp_path / "half of a copy"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("docs", "lab", "lib", "notebooks", "params", "requirements"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("Makefile", "pyproject.toml", "requirements.txt"):
        shutil.copy2(ROOT / name, copy / name)
    shutil.copytree(ROOT / ".venv" / "bin", copy / ".venv" / "bin", symlinks=True)
    shutil.copy2(ROOT / ".venv" / "pyvenv.cfg", copy / ".venv")
    (site,) = (ROOT / ".venv" / "lib").glob("python3*/site-packages")
    libraries = copy / site.relative_to(ROOT)
    libraries.mkdir(parents=True)
    for path in site.iterdir():
        (libraries / path.name).symlink_to(path)
    (libraries / "_mlops_workbook.pth").unlink()
    shutil.copy2(site / "_mlops_workbook.pth", libraries)
    (copy / ".venv" / "share").symlink_to(ROOT / ".venv" / "share")
    (copy / ".venv" / ".ready").touch()
    return copy
