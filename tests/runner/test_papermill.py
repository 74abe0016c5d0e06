"""A notebook by plain papermill, as the README has it: parameters from a file, from YAML, and listed."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tiny import ROOT

from lib import notebook_source

PAPERMILL = ROOT / ".venv" / "bin" / "papermill"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))

pytestmark = pytest.mark.skipif(not PAPERMILL.is_file(), reason=f"no papermill in {PAPERMILL.parent}")


def papermill(*words: object, outputs: Path) -> subprocess.CompletedProcess:
    environment = os.environ | {"WORKBOOK_OUTPUTS": str(outputs), "WANDB_MODE": "disabled"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [PAPERMILL, "--no-progress-bar", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_values_come_from_a_parameters_file_and_from_yaml_under_those_of_the_command_line(tmp_path):
    notebook, result = ROOT / "notebooks" / "01_ingest.ipynb", tmp_path / "out.ipynb"
    options = (
        "-f",
        ROOT / "params" / "green_taxi.yaml",
        "-y",
        "{rows: 700, seed: 3}",
        "-p",
        "source",
        "generated",
    )
    done = papermill(notebook, result, *options, outputs=tmp_path / "outputs")
    assert done.returncode == 0, done.stderr
    provenance = json.loads((tmp_path / "outputs" / "scratch" / "provenance.json").read_text())
    assert (provenance["source"], provenance["seed"]) == ("generated", 3)
    assert provenance["options"]["train_months"] == ["2023-01"]  # of the file
    assert 0 < provenance["rows"] <= 700


def test_what_cannot_be_is_told_in_the_last_line(tmp_path):
    notebook, result = ROOT / "notebooks" / "04_tune.ipynb", tmp_path / "out.ipynb"
    done = papermill(notebook, result, "-y", "{models: [xgboos], max_evals: 3}", outputs=tmp_path / "outputs")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ParameterError: The parameter models must be families for regression")
    assert "the nearest is 'xgboost'" in last
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_papermill_lists_each_parameter_with_its_type_default_and_comment(notebook):
    from papermill import inspection

    listed = inspection.inspect_notebook(str(notebook))
    declared = notebook_source.read(notebook).parameters
    assert listed.keys() == declared.keys()
    for name, parameter in declared.items():
        assert listed[name]["inferred_type_name"] == parameter.annotation
        assert listed[name]["help"], name


def test_the_command_line_of_papermill_lists_them_too(tmp_path):
    done = papermill("--help-notebook", NOTEBOOKS[3], outputs=tmp_path)
    assert "max_evals: int (default 4)" in done.stdout
    assert "trials a family" in done.stdout
