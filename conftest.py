"""`pytest` runs the tests, as `testpaths` says; `pytest --nbmake` runs the numbered notebooks, in order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

NOTEBOOKS = Path(__file__).parent / "notebooks"


def pytest_configure(config: pytest.Config) -> None:
    """With `--nbmake` and no path, the numbered notebooks are meant."""
    if config.getoption("nbmake", False) and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        config.args = [str(path) for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Of the workers that `-n` asks for one runs all notebooks: each reads what the one before it wrote."""
    if not config.getoption("nbmake", False):
        return None
    from xdist.scheduler import LoadScopeScheduling

    class NotebooksTogether(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "notebooks" if ".ipynb" in nodeid else nodeid

    return NotebooksTogether(config, log)
