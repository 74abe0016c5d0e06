"""Fixtures of the code's tests: an outputs folder of its own, with a database that is made once."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def _database(tmp_path_factory) -> Path:
    """A fresh MLflow database: a second to make, a millisecond to copy."""
    from lib import tracking

    folder = tmp_path_factory.mktemp("database")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracking.prepare(folder)
    return folder / "mlflow.db"


@pytest.fixture
def outputs(tmp_path, monkeypatch, _database) -> Path:
    """An empty outputs folder that everything in this test finds, with W&B switched off."""
    folder = tmp_path / "outputs"
    folder.mkdir()
    shutil.copyfile(_database, folder / "mlflow.db")
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "WORKBOOK_PARENT_RUN_ID", "WORKBOOK_PIPELINE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(folder))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    return folder
