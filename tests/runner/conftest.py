"""Fixtures of the runner's tests: a tiny project, fresh or with a finished run."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny as tiny_project


@pytest.fixture
def tiny(tmp_path) -> tiny_project.Tiny:
    """A tiny project in which nothing has run."""
    return tiny_project.Tiny(tmp_path / "project")


@pytest.fixture(scope="session")
def _finished(tmp_path_factory) -> Path:
    project = tiny_project.Tiny(tmp_path_factory.mktemp("tiny") / "project")
    result = project.run()
    assert result.returncode == 0, result.stdout + result.stderr
    return project.root


@pytest.fixture
def done(tmp_path, _finished) -> tiny_project.Tiny:
    """A tiny project whose run `quickstart` is finished; every test has a copy of its own."""
    shutil.copytree(_finished, tmp_path / "finished")
    return tiny_project.Tiny(tmp_path / "finished", fresh=False)
