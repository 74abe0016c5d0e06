"""Outputs in a folder of an odd name: the record is kept there, or the folder is refused at once."""

import shutil
from pathlib import Path

import pytest

from lib import files, paths, tracking
from lib.errors import ParameterError
from lib.tracking.mlflow_run import MlflowRun


def test_signs_that_mean_something_in_an_address_are_names_like_others(outputs, monkeypatch):
    odd = outputs.parent / "50% done #1 [a] & b" / "outputs"
    odd.mkdir(parents=True)
    shutil.move(outputs / "mlflow.db", odd / "mlflow.db")
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(odd))
    tags = {"workbook.problem": "p", "workbook.run": "r", "workbook.step": "01_ingest"}
    run = MlflowRun(tracking.prepare(odd), tags, {}, odd)
    (odd / "figure.png").write_text("a picture")
    run.figure("figure", odd / "figure.png")
    (odd / "model").mkdir()
    (odd / "model" / "MLmodel").write_text("flavors: {}")
    known = {"workbook.digest": files.digest(odd / "model")}
    stored = run.model(odd / "model", known)
    assert run.model(odd / "model", known) == stored
    run.close("FINISHED")
    got = run.client.download_artifacts(run.run_id, "figures/figure.png", str(odd))
    assert Path(got).read_text() == "a picture"
    kept = {path.name for path in (odd / "mlartifacts" / "p").rglob("*") if path.is_file()}
    assert kept == {"figure.png", "MLmodel"}
    assert {path.name for path in outputs.parent.iterdir()} == {"outputs", "50% done #1 [a] & b"}


@pytest.mark.parametrize("name", ["a?b", "a%20b", "a%2Fb"])
def test_a_folder_that_mlflow_would_take_for_another_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(
        ParameterError, match=r"MLflow cannot keep its database in .* Set WORKBOOK_OUTPUTS to ano"
    ):
        paths.tracking_uri(tmp_path / name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert paths.tracking_uri(tmp_path / name) == "http://127.0.0.1:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db?timeout=9")
    with pytest.raises(ParameterError, match=r"timeout=9: .* Set MLFLOW_TRACKING_URI to another"):
        paths.tracking_uri(tmp_path)


def test_a_project_in_a_folder_that_alembic_cannot_read_is_refused_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path / "50% done" / ".venv"))
    with pytest.raises(ParameterError, match=r"lies in .*/50% done/\.venv: .* Rename the folder"):
        paths.tracking_uri(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert paths.tracking_uri(tmp_path) == "http://127.0.0.1:5000"
