"""A model folder answers raw rows as JSON, by MLflow's own commands, without this project beside it."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

from lib import packaging, problem
from lib.runtime.inference import InferencePipeline

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def taxi(tmp_path_factory):
    """A model folder of generated trips on the rich features, raw rows, and what the model says of them."""
    dataset = problem.load("green_taxi")
    parts = dataset.split(dataset.clean(dataset.generate(1500, 42)).rows, 42)
    choice = {"family": "xgboost", "parameters": {"max_depth": 4, "num_boost_round": 20}}
    pipeline = InferencePipeline.chosen(dataset.serving, "rich", choice, 42).fit(
        parts["train"], parts["train"]["duration"]
    )
    folder = tmp_path_factory.mktemp("served") / "model"
    packaging.save_model(pipeline, folder, parts["train"].head(2))
    rows = parts["test"][list(pipeline.inputs_)].head(4).reset_index(drop=True)
    return folder, rows, pipeline.predict(rows)


def body(rows, **changes):
    """The rows as a client would send them: ids as numbers, times as text."""
    rows = rows.assign(PULocationID=rows["PULocationID"].astype(int), **changes)
    split = json.loads(rows.to_json(orient="split", date_format="iso", index=False))
    return {"dataframe_split": {"columns": split["columns"], "data": split["data"]}}


def away(tmp_path):
    """An environment and a folder from which this project's `lib` cannot be imported by accident."""
    known = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MLFLOW_RUN_ID")}
    known |= {"PATH": f"{BIN}:{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    known |= {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    return {"env": known, "cwd": tmp_path}


def test_mlflow_predicts_from_a_file_of_raw_rows(taxi, tmp_path):
    folder, rows, expected = taxi
    (tmp_path / "rows.json").write_text(json.dumps(body(rows)))
    command = [BIN / "mlflow", "models", "predict", "-m", folder, "-i", "rows.json", "-o", "answer.json"]
    command += ["--env-manager", "local"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, **away(tmp_path), check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "answer.json").read_text())["predictions"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_mlflow_serves_the_folder_and_answers_rows_with_gaps_and_strangers(taxi, tmp_path):
    folder, rows, expected = taxi
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [BIN / "mlflow", "models", "serve", "-m", folder, "--port", str(port), "--env-manager", "local"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **away(tmp_path))
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url + "/ping", server, tmp_path / "log")
        answer = requests.post(url + "/invocations", json=body(rows), timeout=60)
        np.testing.assert_allclose(answer.json()["predictions"], expected, rtol=1e-5)
        strange = body(rows, passenger_count=None, DOLocationID="9999")
        answer = requests.post(url + "/invocations", json=strange, timeout=60)
        assert answer.status_code == 200, answer.text
        assert np.isfinite(answer.json()["predictions"]).all()
        lacking = body(rows.drop(columns="trip_distance"))
        answer = requests.post(url + "/invocations", json=lacking, timeout=60)
        assert answer.status_code == 400
        assert "trip_distance" in answer.text
    finally:
        os.killpg(server.pid, 15)
        server.wait(20)


def wait_for(url, server, log):
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.5)
    pytest.fail(log.read_text())


def test_the_example_that_lies_in_the_folder_is_a_request_that_the_model_answers(taxi):
    folder, _, _ = taxi
    sent = json.loads((folder / "serving_input_example.json").read_text())["dataframe_split"]
    found, _ = packaging.ask(folder, pd.DataFrame(sent["data"], columns=sent["columns"]))
    assert len(found) == 2
    assert np.isfinite(found).all()
