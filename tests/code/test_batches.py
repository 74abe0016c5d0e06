"""What one row gets depends on that row alone: any batch, in any form, equals its rows one by one."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lib import packaging, problem
from lib.runtime.errors import InferenceError
from lib.runtime.features import Derived, FeatureSet, Serving, encode
from lib.runtime.inference import InferencePipeline
from lib.runtime.schema import Column, Target

COLUMNS = {
    "at": Column("time", "when", zone="America/New_York", order="day"),
    "zone": Column("id", "where", whole=True),
    "kind": Column("category", "what"),
    "size": Column("number", "how large", between=(0, 1000)),
    "note": Column("text", "in words"),
}
SINGLE = (
    encode("number", "minute", "size", impute="median"),
    encode("one_hot", "kind", "zone"),
    encode("tfidf", "note", words=5),
)
MINUTE = Derived(("at",), lambda rows: np.asarray(rows["at"]).astype("datetime64[m]").astype(int) % 1440)
SETS = {
    "all": FeatureSet("all", "", (*SINGLE, encode("target_mean", "zone"))),
    "single": FeatureSet("single", "", SINGLE),
}
SERVING = Serving("tiny", "regression", Target("y", "min", "what"), COLUMNS, {"minute": MINUTE}, SETS)
SORTING = Serving("tiny", "classification", Target("y", "", "what"), COLUMNS, {"minute": MINUTE}, SETS)


def rows(n, seed=0):
    random = np.random.default_rng(seed)
    minutes = random.integers(0, 90 * 24 * 60, n)
    return pd.DataFrame(
        {
            "at": (pd.Timestamp("2023-01-01") + pd.to_timedelta(minutes, "min")).astype("datetime64[us]"),
            "zone": random.choice(["74", "75", "130", "236"], n),
            "kind": random.choice(["a", "None", "NA"], n),
            "size": random.integers(0, 40, n) * 0.5,
            "note": random.choice(["a red one", "a blue one", ""], n),
        }
    )


KNOWN = rows(300)
TRUE = KNOWN["size"] + KNOWN["zone"].astype(int) / 10 + (KNOWN["at"].dt.hour > 12)


@pytest.fixture(scope="module")
def pipeline():
    few = {"n_estimators": 5, "max_depth": 6}
    return InferencePipeline(SERVING, "all", "random_forest", few, random_state=1).fit(KNOWN, TRUE)


@pytest.fixture(scope="module")
def sorting():
    few = {"n_estimators": 3, "max_depth": 4}
    made = InferencePipeline(SORTING, "single", "random_forest", few, random_state=1)
    return made.fit(KNOWN, np.where(TRUE > 20, "long", "label"))


#: One cell of each column, in the forms that it comes in; also such as cannot be read.
AWARE = (
    "2023-02-01T10:00:00-05:00",
    "2023-02-01T15:00:00Z",
    pd.Timestamp("2023-02-01T16:00", tz="Europe/Berlin"),
)
TIMES = [
    "2023-02-01T10:00:00",
    "01/02/2023 10:00",
    pd.Timestamp("2023-02-01 10:00"),
    None,
    "",
    "soon",
    20230201,
]
TIMES += [*AWARE, 1675263600000, "13/13/2023", np.datetime64("2023-02-01T10:00")]
ZONES = [130, 130.0, "130", "130.0", 74, None, 7.5, "x", np.nan, "0130", True, np.float32(75)]
CELLS = {
    "at": st.sampled_from(TIMES),
    "zone": st.sampled_from(ZONES),
    "kind": st.sampled_from(["a", "None", "NA", "never seen", None, "", True, 1, 1.0, ["a"]]),
    "size": st.sampled_from([7, 7.0, "7.0", " 7 ", None, np.nan, "many", 1e9, float("inf"), "nan", True]),
    "note": st.sampled_from(["a red one", " a red one ", None, "", "two\nlines", 12]),
}
BATCHES = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=40)
FEW = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def alone(pipeline, batch):
    """Each row in a batch of its own: what it gets, and the reason where that is nothing."""
    pairs = []
    for i in range(len(batch)):
        row = batch.iloc[i : i + 1]
        pairs.append((pipeline.predict(row)[0], next(iter(pipeline.refused(row)), "")))
    return pairs


def same(pipeline, batch):
    """That a batch gets what its rows get, and that a row gets a prediction or a reason."""
    answers, reasons = pipeline.predict(batch), pipeline.refused(batch)
    for i, (answer, reason) in enumerate(alone(pipeline, batch)):
        assert np.array_equal(answers[i], answer, equal_nan=True)
        assert reasons.get(batch.index[i], "") == reason
        assert np.isnan(answer) == bool(reason)


@FEW
@given(batch=BATCHES, seed=st.integers(0, 9))
def test_a_batch_equals_its_rows_one_by_one_in_any_order(pipeline, batch, seed):
    frame = pd.DataFrame({name: pd.Series([row[name] for row in batch], dtype=object) for name in CELLS})
    same(pipeline, frame)
    order = np.random.default_rng(seed).permutation(len(frame))
    turned = pipeline.predict(frame.iloc[order][list(frame)[::-1]])
    assert np.array_equal(turned, pipeline.predict(frame)[order], equal_nan=True)


TYPES = {
    "zone": ["object", "int64", "float64", "float32", "Int64", "Float64", "category", "str", "string"],
    "kind": ["object", "category", "str", "string"],
    "size": ["object", "int64", "float64", "float32", "Int64", "Float64", "category", "str"],
    "at": ["object", "datetime64[ns]", "datetime64[us]", "str", "category"],
}


@FEW
@given(data=st.data(), seed=st.integers(0, 99), n=st.sampled_from([1, 3, 40]))
def test_types_change_nothing(pipeline, data, seed, n):
    plain = rows(n, seed).assign(size=lambda frame: frame["size"].round())
    typed = plain.assign(zone=plain["zone"].astype("int64"))
    for name, choices in TYPES.items():
        typed[name] = typed[name].astype(data.draw(st.sampled_from(choices)))
    expected = pipeline.predict(plain)
    assert np.array_equal(pipeline.predict(typed), expected)
    gap = data.draw(st.integers(0, n - 1))
    holed = typed.astype(object)
    holed.loc[gap, ["zone", "size"]] = None
    others = np.arange(n) != gap
    assert np.array_equal(pipeline.predict(holed)[others], expected[others])


@FEW
@given(seed=st.integers(0, 99), orient=st.sampled_from(["records", "split", "columns"]), gap=st.booleans())
def test_json_in_any_form_gives_what_the_rows_give(pipeline, seed, orient, gap):
    plain = rows(6, seed)
    sent = plain.assign(zone=plain["zone"].astype(int))
    if gap:
        sent = sent.astype({"zone": object, "size": object})
        sent.loc[5, ["zone", "size"]] = None
    text = sent.to_json(orient=orient, date_format="iso")
    body = json.loads(text)
    came = pd.DataFrame(body) if orient != "split" else pd.DataFrame(body["data"], columns=body["columns"])
    assert np.array_equal(pipeline.predict(came)[:5], pipeline.predict(plain)[:5])


@FEW
@given(batch=BATCHES)
@example(batch=[{"at": None, "zone": 130, "kind": "a", "size": 7, "note": ""}])
def test_classes_get_none_where_numbers_get_nan(sorting, batch):
    frame = pd.DataFrame({name: pd.Series([row[name] for row in batch], dtype=object) for name in CELLS})
    labels, chances = sorting.predict(frame), sorting.predict_proba(frame)
    refused = frame.index.isin(sorting.refused(frame).index)
    assert np.array_equal(np.isnan(chances).all(axis=1), refused)
    assert [label is None for label in labels] == refused.tolist()
    assert np.array_equal(sorting.response(frame).isna().any(axis=1), refused)


def test_rows_that_are_refused_have_a_reason_by_their_label(pipeline):
    batch = rows(4).astype(object).set_axis(list("abcd"))
    batch.loc["b", "at"], batch.loc["c", "size"] = None, "many"
    assert np.isnan(pipeline.predict(batch)).tolist() == [False, True, True, False]
    assert pipeline.refused(batch).to_dict() == {"b": "at: missing", "c": "size: 'many' is no number"}
    assert pipeline.refused(rows(4)).empty
    with pytest.raises(InferenceError, match=r"2 rows cannot be read\. at: missing\."):
        pipeline.matrix(batch)


def test_rows_that_cannot_be_read_teach_nothing_and_are_not_counted():
    odd = KNOWN.astype(object)
    odd.loc[:9, "at"] = None
    given = InferencePipeline(SERVING, "all", "linear_regression").fit(odd, TRUE)
    kept = InferencePipeline(SERVING, "all", "linear_regression").fit(KNOWN.iloc[10:], TRUE.iloc[10:])
    assert given.about_["rows"] == kept.about_["rows"] == 290
    assert np.array_equal(given.predict(KNOWN), kept.predict(KNOWN))


def test_a_stored_model_gives_reasons_too_and_its_intervals_leave_refused_rows_out(pipeline, tmp_path):
    pipeline.learn_errors(TRUE, pipeline.predict(KNOWN))
    batch = KNOWN.head(3).astype(object)
    batch.loc[1, "at"] = None
    around = pipeline.predict(batch, interval=0.9)
    assert around.isna().all(axis=1).tolist() == [False, True, False]
    pipeline.save(tmp_path)
    again = InferencePipeline.load(tmp_path, SERVING)
    assert again.refused(batch).to_dict() == {1: "at: missing"}
    assert np.array_equal(again.predict(batch), pipeline.predict(batch), equal_nan=True)


def test_a_class_called_as_a_column_of_the_answer_is_not_overwritten(sorting):
    assert packaging.signature(sorting).outputs.input_names() == ["label", "long", "label_"]


def test_large_whole_numbers_that_32_bits_would_merge_stay_apart():
    days = [20200101 + i for i in range(10)]
    table = pd.DataFrame({"day": days * 30, "y": list(range(10)) * 30})
    serving = Serving("days", "regression", Target("y", "", ""), {"day": Column("number", "")}, {}, {
        "all": FeatureSet("all", "", (encode("number", "day"),))})  # fmt: skip
    made = InferencePipeline(serving, "all", "xgboost", {"max_depth": 5, "num_boost_round": 30}).fit(
        table, table["y"]
    )
    assert len(np.unique(np.asarray(made.matrix(table)))) == 10
    assert np.abs(made.predict(table) - table["y"]).max() < 0.3


def test_rows_that_no_model_could_be_asked_about_are_cleaned_away_first_and_counted():
    dataset = problem.load("green_taxi")
    trips = dataset.generate(400, 0)
    known = dataset.clean(trips)
    holed = dataset.labelled(trips).astype({"trip_distance": object})
    holed.loc[known.rows.index[:3], "trip_distance"] = ["far", None, np.inf]
    cleaned = dataset.clean(holed)
    assert cleaned.report.loc["can be read", "refused"] == 3
    assert "trip_distance of 3 is missing or impossible" in cleaned.report.loc["can be read", "reason"]
    assert cleaned.rows["trip_distance"].dtype == "float64"
    assert "can be read" not in known.report.index


def test_what_mlflow_serves_of_classes_has_no_label_where_a_row_cannot_be_read(tmp_path):
    import mlflow.pyfunc

    dataset = problem.load("music_genres")
    songs = dataset.generate(300, 0)
    few = {"n_estimators": 3, "max_depth": 4}
    made = InferencePipeline(dataset.serving, "audio", "random_forest", few).fit(songs, songs["genre"])
    packaging.save_model(made, tmp_path / "model", songs.head(2))
    served = mlflow.pyfunc.load_model(str(tmp_path / "model")).unwrap_python_model()
    asked = songs.head(3).astype({"tempo": object})
    asked.loc[1, "tempo"] = "quick"
    answer = served.predict(None, asked)
    assert answer["label"].isna().tolist() == [False, True, False]
    assert answer["label"][0] == made.predict(songs.head(1))[0]
    assert served.stored.refused(asked).to_dict() == {1: "tempo: 'quick' is no number"}
