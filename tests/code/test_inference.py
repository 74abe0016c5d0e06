"""The stored pipeline: raw rows in, the same answer anywhere, in any spelling, for every problem."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lib import packaging, problem
from lib.runtime import inference
from lib.runtime.errors import InferenceError
from lib.runtime.inference import InferencePipeline

XGBOOST = {"family": "xgboost", "parameters": {"max_depth": 3, "num_boost_round": 8}}
CHOICES = {
    "green_taxi": ("rich", XGBOOST),
    "music_genres": ("course_with_playlist", {"family": "logistic_regression", "parameters": {}}),
    "nyc_rentals": ("course", {"family": "random_forest", "parameters": {"n_estimators": 3, "max_depth": 4}}),
}


def clean(name, rows=900):
    dataset = problem.load(name)
    return dataset, dataset.clean(dataset.labelled(dataset.generate(rows, 3))).rows


@pytest.fixture(scope="module")
def taxi():
    dataset, rows = clean("green_taxi")
    return InferencePipeline.chosen(dataset.serving, "rich", XGBOOST, 1).fit(
        rows, rows[dataset.serving.target.name]
    ), rows


@pytest.mark.parametrize("name", problem.names())
def test_every_problem_answers_the_same_by_the_code_in_its_folder(tmp_path, name):
    dataset, rows = clean(name)
    feature_set, choice = CHOICES.get(name, (next(iter(dataset.feature_sets)), XGBOOST))
    pipeline = InferencePipeline.chosen(dataset.serving, feature_set, choice, 1).fit(
        rows, rows[dataset.serving.target.name]
    )
    packaging.save_model(pipeline, tmp_path / "model", rows.head(2))
    answer = packaging.load(tmp_path / "model").predict(rows[list(pipeline.inputs_)].head(50))
    assert np.array_equal(np.asarray(answer), np.asarray(pipeline.response(rows.head(50))))


def test_a_model_folder_has_no_pickle_and_is_the_same_bytes_again(tmp_path, taxi):
    pipeline, rows = taxi
    for name in ("one", "two"):
        packaging.save_model(pipeline, tmp_path / name, rows.head(2))
    one, two = (
        sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*")) for n in ("one", "two")
    )
    assert one == two
    for file in (name for name in one if (tmp_path / "one" / name).is_file()):
        content = (tmp_path / "one" / file).read_bytes()
        if file.name != "MLmodel":  # it says when it was made
            assert content == (tmp_path / "two" / file).read_bytes(), file
        assert file.suffix not in (".pkl", ".pickle", ".joblib")
    assert not [name for name in one if "pipeline/run" in str(name) or "tracking" in str(name)]


def test_mlflow_loads_the_folder_and_enforces_its_signature(tmp_path, taxi):
    import mlflow.pyfunc

    pipeline, rows = taxi
    packaging.save_model(pipeline, tmp_path / "m", rows.head(20))
    model = mlflow.pyfunc.load_model(str(tmp_path / "m"))
    given = rows[list(pipeline.inputs_)].head(5)
    assert np.allclose(model.predict(given), pipeline.predict(given))
    types = {column.name: column.type.name for column in model.metadata.get_input_schema()}
    assert types["trip_distance"] == "double"
    assert types["PULocationID"] == "string"
    assert types["pickup_datetime"] == "datetime"
    assert len(model.input_example) == 3


@pytest.mark.parametrize("zone", ["74", 74, 74.0], ids=["text", "integer", "float"])
def test_an_id_is_the_same_in_any_spelling_and_a_time_may_be_text(taxi, zone):
    pipeline, rows = taxi
    row = rows[list(pipeline.inputs_)].head(1).assign(PULocationID="74")
    spelt = row.assign(PULocationID=zone, pickup_datetime=row["pickup_datetime"].astype("str"))
    assert pipeline.predict(spelt) == pipeline.predict(row)
    as_json = pd.DataFrame(json.loads(spelt.to_json(orient="records", date_format="iso")))
    assert pipeline.predict(as_json) == pipeline.predict(row)


@pytest.mark.parametrize("odd", [None, 7.5, "somewhere"])
def test_an_odd_id_moves_no_other_row(taxi, odd):
    pipeline, rows = taxi
    given = rows[list(pipeline.inputs_)].head(40)
    numbers = pd.Series([odd, *map(float, given["PULocationID"][1:])], index=given.index, dtype=object)
    sent = given.assign(PULocationID=numbers)
    assert np.array_equal(pipeline.predict(sent)[1:], pipeline.predict(given)[1:])


@pytest.mark.parametrize("time", [None, "soon", 1675173909000, "05/02/2020", ""])
def test_a_time_that_nobody_can_read_gets_no_prediction_and_a_reason_and_moves_no_other(taxi, time):
    pipeline, rows = taxi
    given = rows[list(pipeline.inputs_)].head(9).reset_index(drop=True)
    sent = given.astype({"pickup_datetime": object})
    sent.loc[3, "pickup_datetime"] = time
    expected = pipeline.predict(given)
    expected[3] = np.nan
    assert np.array_equal(pipeline.predict(sent), expected, equal_nan=True)
    assert pipeline.refused(sent).index.tolist() == [3]
    assert pipeline.refused(sent)[3].startswith("pickup_datetime: ")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_a_time_in_another_zone_is_the_same_moment_alone_and_in_a_batch(taxi, zone):
    pipeline, rows = taxi
    given = rows[list(pipeline.inputs_)].head(9).reset_index(drop=True)
    moved = given["pickup_datetime"].dt.tz_localize("America/New_York").dt.tz_convert(zone)
    expected = pipeline.predict(given)
    assert np.array_equal(pipeline.predict(given.assign(pickup_datetime=moved)), expected)
    text = given["pickup_datetime"].map(pd.Timestamp.isoformat).astype(object)
    for i, stamp in enumerate(moved):
        one = text.copy()
        one[i] = stamp.isoformat().replace("+00:00", "Z")
        assert np.array_equal(pipeline.predict(given.assign(pickup_datetime=one)), expected)


def test_a_class_called_label_keeps_its_probability_beside_the_likeliest_class(tmp_path):
    import mlflow.pyfunc

    dataset, rows = clean("music_genres")
    genres = rows["genre"].where(rows["genre"] != rows["genre"].mode()[0], "label")
    pipeline = InferencePipeline.chosen(dataset.serving, "audio", XGBOOST, 1).fit(rows, genres)
    packaging.save_model(pipeline, tmp_path / "model", rows.head(2))
    answer = (
        mlflow.pyfunc.load_model(str(tmp_path / "model")).unwrap_python_model().predict(None, rows.head(9))
    )
    assert np.array_equal(answer["label"], pipeline.response(rows.head(9))["label"])
    assert (answer.iloc[:, -1] == pipeline.predict(rows.head(9))).all()


def test_a_missing_column_is_named_beside_those_that_are_there(taxi):
    pipeline, rows = taxi
    with pytest.raises(InferenceError, match=r"no column \['trip_distance'\]; they have"):
        pipeline.predict(rows[list(pipeline.inputs_)].drop(columns="trip_distance"))


def test_rows_predicted_alone_or_together_get_the_same_answer(taxi):
    pipeline, rows = taxi
    together = pipeline.predict(rows.head(30))
    alone = [pipeline.predict(rows.iloc[i : i + 1])[0] for i in range(30)]
    assert np.allclose(together, alone, rtol=1e-6)


def test_a_folder_that_is_no_model_says_which_target_writes_one(tmp_path):
    with pytest.raises(InferenceError, match="make train"):
        InferencePipeline.load(tmp_path, problem.load("green_taxi").serving)
    (tmp_path / "about.json").write_text('{"problem": "green_taxi"}')
    with pytest.raises(InferenceError, match="format 1; this code reads 3"):
        inference.read_about(tmp_path)


def test_loading_a_pipeline_imports_neither_mlflow_nor_what_draws_and_runs(tmp_path, taxi):
    pipeline, _ = taxi
    pipeline.save(tmp_path)
    program = (
        "import sys, pathlib; from lib.runtime.inference import InferencePipeline\n"
        "from lib.datasets.green_taxi.serving import SERVING\n"
        "InferencePipeline.load(pathlib.Path(sys.argv[1]), SERVING)\n"
        "heavy = ('mlflow', 'wandb', 'matplotlib', 'shap', 'lib.problem', 'lib.runner')\n"
        "print([name for name in sys.modules if name in heavy])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
