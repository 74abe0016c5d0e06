"""One command line: what it lists, what it refuses in one line, and whose word it takes."""

import http.server
import re
import subprocess
import sys
import threading

import pytest
from tiny import ROOT

from lib.cli.__main__ import boundary, main
from lib.errors import ModelError
from lib.runtime.errors import InferenceError


def run(*words, **environment):
    command = [sys.executable, "-m", "lib.cli", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_help_names_every_command_with_one_line_and_ends_well():
    result = run("--help")
    assert result.returncode == 0
    for name, command in main.commands.items():
        assert re.search(rf"^  {name} +\w", result.stdout, re.MULTILINE), name
        assert command.help


@pytest.mark.parametrize(
    "words",
    [
        ("pipelin",),
        ("plan", "--nosuch"),
        ("plan", "tun"),
        ("promote",),
        ("plan", "--overrides", "seed=1 seed=2"),
        ("versions", "--params", "params/missing.yaml"),
        ("new-problem",),
        ("new-problem", "--name", "churn"),
        ("retire",),
        ("retire", "--version", "2"),
        ("retire", "--reason", "leaky"),
        ("promote", "--alias", "a b"),
        ("rollback", "--alias", "v3"),
        ("versions", "--alias", "a\nb"),
        ("plan", "--jobs", "²"),
        ("plan", "--run", "mlflow.db"),
        ("plan", "--overrides", f"models=[{'x' * 5000}]"),
    ],
)
def test_what_is_refused_is_one_line_of_why_and_ends_with_two(words, tmp_path):
    result = run(*words, WORKBOOK_OUTPUTS=str(tmp_path))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert re.fullmatch(r"✗ .+\n", result.stderr)


@pytest.mark.parametrize(("status", "answer"), [(500, b"boom"), (403, b"no"), (200, b"<html>"), (404, b"")])
def test_a_server_that_is_there_and_does_not_answer_is_told_in_one_line(status, answer, tmp_path):
    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        given = {"MLFLOW_TRACKING_URI": address, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
        result = run("versions", "--model", "m", WORKBOOK_OUTPUTS=str(tmp_path), **given)
        server.shutdown()
    assert result.returncode == 2
    assert re.fullmatch(rf"✗ MLflow at {address} did not do it.*\n", result.stderr)


def test_a_folder_in_which_the_record_cannot_be_kept_is_refused_before_anything_runs(tmp_path):
    result = run("pipeline", WORKBOOK_OUTPUTS=str(tmp_path / "a?b"))
    assert result.returncode == 2
    assert re.fullmatch(r"✗ MLflow cannot keep its database in .*a\?b/mlflow.db: .*\n", result.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_problem_without_a_name_a_file_or_a_target_is_told_all_that_is_missing():
    assert run("new-problem").stderr.startswith(
        "✗ NAME and DATA and TARGET not given: make new-problem NAME="
    )
    assert run("new-problem", "--name", "churn").stderr.startswith("✗ DATA and TARGET not given: ")


def test_outputs_that_cannot_be_written_are_a_line_for_every_command(tmp_path):
    (tmp_path / "file").touch()
    database = f"sqlite:///{tmp_path / 'mlflow.db'}"
    given = {"WORKBOOK_OUTPUTS": str(tmp_path / "file" / "outputs"), "MLFLOW_TRACKING_URI": database}
    result = run("rollback", "--model", "nosuch", **given)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_parameters_file_that_is_no_yaml_is_told_with_its_line(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("rows: 100\nmodels: [a, b\nseed: 1\n")
    result = run("plan", "--params", str(file))
    assert re.fullmatch(r"✗ .*broken.yaml is not YAML in line 3: .*\n", result.stderr)


@pytest.mark.parametrize("error", [ModelError("no model"), InferenceError("no column")])
def test_both_families_of_errors_become_a_line(error, monkeypatch, capsys):
    def fails(*args, **kwargs):
        raise error

    monkeypatch.setattr(main, "main", fails)
    assert boundary(["plan"]) == 2
    assert capsys.readouterr().err == f"✗ {error}\n"


def test_an_interrupted_command_ends_with_130(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "main", interrupted)
    assert boundary(["plan"]) == 130
    assert "What is done is kept" in capsys.readouterr().err


def test_a_run_named_by_the_environment_is_not_read_and_that_is_said(tmp_path):
    result = run("plan", WORKBOOK_OUTPUTS=str(tmp_path), RUN="mine", P="rows=300")
    assert "Run quickstart (params/quickstart.yaml)" in result.stdout
    assert result.stderr.splitlines() == [
        "RUN=mine in the environment is not read: write it after make, as in RUN=name."
    ]


def test_what_make_hands_on_or_an_option_says_is_read(tmp_path):
    for words, given in (((), {"GIVEN_RUN": "mine"}), (("--run", "mine"), {})):
        result = run("plan", *words, WORKBOOK_OUTPUTS=str(tmp_path), **given)
        assert "Run mine (params/quickstart.yaml)" in result.stdout
        assert result.stderr == ""


def test_options_are_printed_with_type_range_default_and_meaning():
    result = run("options", PARAMS="params/green_taxi.yaml")
    assert result.returncode == 0, result.stderr
    assert re.search(r"options\.min_minutes +1\.0 +1\.0 +float, at least 0 +shorter trips", result.stdout)
    assert re.search(r"options\.taxi +green +green +green or yellow +whose", result.stdout)
    assert "rich_no_distance" in result.stdout
    assert "xgboost" in result.stdout
    assert "logistic_regression" not in result.stdout  # that one is for classes


def test_options_of_a_file_that_names_no_problem_are_those_of_the_default(tmp_path):
    file = tmp_path / "none.yaml"
    file.write_text("rows: 100\n")
    result = run("options", "--params", str(file))
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("green_taxi, with")
