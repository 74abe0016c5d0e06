"""A value that comes as JSON becomes the value that a model was trained on, column by column."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib.runtime import inference, schema
from lib.runtime.errors import InferenceError
from lib.runtime.features import Derived, FeatureSet, Serving, encode
from lib.runtime.inference import InferencePipeline
from lib.runtime.schema import Column, Target

TIME = pd.Timestamp("2023-01-31 14:05:09")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "number"),
        ([1.5, None], "number"),
        ([True, False], "number"),
        ([TIME, None], "time"),
        (["1"], "text"),
    ],
)
def test_a_column_is_of_the_kind_that_json_can_tell(values, kind):
    assert schema.kind(pd.Series(values)) == kind
    assert schema.kind(pd.Series(pd.Categorical(["a", "b"]))) == "text"


def coerced(kind, *values):
    return schema.coerced(
        pd.DataFrame({"x": list(values)}, dtype=object if len(values) > 3 else None), {"x": kind}
    )["x"]


def test_a_number_may_come_as_text_and_what_is_none_is_missing():
    found = coerced("number", "7", " 2.5 ", "many", None, "1e3")
    assert found.dtype == "float64"
    assert np.array_equal(found, [7, 2.5, np.nan, np.nan, 1000], equal_nan=True)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
def test_a_column_of_numbers_is_taken_as_it_is(dtype):
    rows = pd.DataFrame({"x": np.array([1, 2], dtype=dtype)})
    assert schema.coerced(rows, {"x": "number"})["x"].dtype == dtype


def test_an_id_is_the_same_text_whether_it_comes_as_a_number_or_as_text():
    for values in ([74, 5], [74.0, 5.0], ["74", "5"]):
        assert coerced("text", *values).tolist() == ["74", "5"]
    assert coerced("text", 74.0, None).tolist()[0] == "74"
    assert coerced("text", 7.5, 2.0).tolist() == ["7.5", "2.0"]


def test_a_missing_text_stays_missing_beside_any_spelling():
    for values in ([74, None, 5], [74.5, np.nan], ["a", None], [3, "a", None, 2.5]):
        found = coerced("text", *values)
        assert found.dtype == "str"
        assert found.isna().tolist() == pd.Series(values, dtype=object).isna().tolist()
    assert coerced("text", 3, "a", None, 2.5).dropna().tolist() == ["3", "a", "2.5"]


def test_a_column_of_text_is_taken_as_it_is():
    rows = pd.DataFrame({"x": pd.Series(["a", None], dtype="str")})
    assert schema.coerced(rows, {"x": "text"})["x"].equals(rows["x"])


def test_a_column_that_is_right_already_is_handed_on_and_not_copied():
    rows = pd.DataFrame({"n": [1.5, 2.0], "m": [1, 2]})
    found = schema.coerced(rows, {"n": "number", "m": "number"})
    assert all(np.shares_memory(found[name].to_numpy(), rows[name].to_numpy()) for name in rows)
    for column, turned in ((pd.Series(["a"], dtype="str"), schema._text), (pd.Series([TIME]), schema._time)):
        assert turned(column) is column


def test_a_time_may_come_as_text_of_iso_8601_and_no_other():
    assert coerced("time", TIME).tolist() == [TIME]
    assert coerced("time", "2023-01-31T14:05:09", "2023-01-31 14:05").tolist() == [
        TIME,
        TIME.replace(second=0),
    ]
    with pytest.raises(ValueError, match="31/01/2023"):
        coerced("time", "31/01/2023")


def test_only_the_inputs_are_kept_in_their_order_and_rows_keep_their_labels():
    rows = pd.DataFrame({"b": [1], "other": [2], "a": ["3"]}, index=[7])
    found = schema.coerced(rows, {"a": "number", "b": "text"})
    assert found.to_dict("index") == {7: {"a": 3.0, "b": "1"}}
    assert list(found) == ["a", "b"]


def test_what_is_missing_is_named_beside_what_is_there():
    with pytest.raises(InferenceError, match=r"no column \['a', 'c'\]; they have \['b'\]"):
        schema.coerced(pd.DataFrame({"b": [1]}), {"a": "number", "b": "number", "c": "text"})


def test_rows_that_are_alike_in_some_columns_have_the_same_mark_wherever_they_stand():
    one = pd.DataFrame({"a": [1, 2, 1], "b": ["x", "x", "x"], "c": [1, 2, 3]})
    columns = {"a": "number", "b": "text"}
    marks = schema.marks(one, columns)
    assert marks[0] == marks[2] != marks[1]
    moved = one.iloc[::-1].set_axis([5, 6, 7])
    assert schema.marks(moved, columns).tolist() == marks.tolist()[::-1]
    assert len(set(schema.marks(one, columns | {"c": "number"}))) == 3


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("number", pd.Series([1, 0, 3]), pd.Series([1.0, -0.0, 3.0])),
        ("number", pd.Series([1.0, np.nan]), pd.Series([1, None], dtype="Int64")),
        ("number", pd.Series([1.0, np.nan]), pd.Series([1.0, -np.nan])),
        ("number", pd.Series([True, False]), pd.Series([1.0, 0.0])),
        ("text", pd.Series([74, 75]), pd.Series(["74", "75"], dtype="category")),
        ("text", pd.Series(["a", None]), pd.Series(["a", np.nan], dtype="str")),
        ("time", pd.to_datetime(pd.Series(["2024-01-01T10:00"])), pd.Series(["2024-01-01 10:00:00"])),
        (
            "time",
            pd.Series(pd.to_datetime(["2024-01-01T10:00"]).as_unit("ns")),
            pd.Series(pd.to_datetime(["2024-01-01T11:00"]).tz_localize("Europe/Berlin")),
        ),
    ],
)
def test_a_row_has_one_mark_whatever_types_its_values_are_kept_in(kind, one, other):
    marks = [
        schema.marks(pd.DataFrame({"x": column}, index=range(len(column))), {"x": kind})
        for column in (one, other)
    ]
    assert marks[0].tolist() == marks[1].tolist()
    assert len(set(marks[0])) == len(one)


def test_a_column_is_known_before_the_prediction_unless_it_says_otherwise():
    assert (Column("number", "one").known, Column("number", "one").unit) == ("before", "")


# --- the pipeline ------------------------------------------------------------------------------------

COLUMNS = {
    "size": Column("number", "how large", "m"),
    "colour": Column("category", "which"),
    "spare": Column("number", "never used"),
}
DERIVED = {
    "double": Derived(("size",), lambda rows: rows["size"] * 2),
    "never": Derived(("spare",), lambda rows: rows["spare"]),
}
SETS = {
    "plain": FeatureSet("plain", "", (encode("number", "double"), encode("one_hot", "colour"))),
    "means": FeatureSet("means", "", (encode("target_mean", "colour", of=("target", "double")),)),
    "words": FeatureSet("words", "", (encode("number", "size"), encode("tfidf", "colour", words=9))),
}
ROWS = pd.DataFrame(
    {
        "size": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] * 5,
        "colour": ["red", "blue", "red", "blue", "red", "grey"] * 5,
        "spare": 0.0,
        "y": [2.0, 4.0, 6.0, 8.0, 10.0, 12.0] * 5,
    }
)
LINE = {"family": "linear_regression", "parameters": {}}


def serving(task="regression"):
    return Serving("tiny", task, Target("y", "min", "what"), COLUMNS, DERIVED, SETS)


def fitted(feature_set="plain", choice=LINE, rows=ROWS, task="regression", **more):
    return InferencePipeline.chosen(serving(task), feature_set, choice, 1, **more).fit(rows, rows["y"])


def test_a_line_through_points_on_a_line_answers_on_it():
    rows = pd.DataFrame({"size": [10, 20], "colour": ["red", "blue"]}, index=[3, 4])
    assert np.allclose(fitted().predict(rows), [20, 40], atol=1e-4)


def test_what_is_kept_of_the_fit_says_what_it_was():
    made = fitted(choice={**LINE, "parameters": {"fit_intercept": False}})
    assert made.about_ == {
        "problem": "tiny",
        "feature_set": "plain",
        "family": "linear_regression",
        "parameters": {"fit_intercept": False},
        "settings": {},
        "task": "regression",
        "target": "y",
        "unit": "min",
        "inputs": {"size": "number", "colour": "text"},
        "rows": 30,
        "columns": 4,  # double, and three colours
        "seed": 1,
        "row_columns": {"size": "number", "colour": "text", "spare": "number", "y": "number"},
        "marks": schema.digest(made.seen_),
    }


def test_the_model_sees_the_derived_columns_of_its_feature_set():
    made = fitted()
    assert made.inputs_ == {"size": "number", "colour": "text"}
    assert made.matrix(pd.DataFrame({"size": ["3"], "colour": ["red"]})).tolist() == [[6.0, 0.0, 0.0, 1.0]]


def test_a_column_that_only_its_means_are_taken_of_is_there_when_it_is_fitted():
    made = fitted("means")
    assert made.encoding_.get_feature_names_out().tolist() == ["target by colour", "double by colour"]
    assert np.isfinite(made.predict(ROWS)).all()


def test_settings_of_the_choice_reach_the_encoders():
    made = fitted("words", {**LINE, "settings": {"tfidf.words": 2}})
    assert made.encoding_.get_feature_names_out().tolist() == ["size", "colour: blue", "colour: red"]


def test_the_rounds_of_the_choice_reach_the_model():
    parameters = {"max_depth": 2, "num_boost_round": 5}
    made = fitted(choice={"family": "xgboost", "parameters": parameters, "rounds": 3})
    assert made.about_["parameters"] == {"max_depth": 2, "num_boost_round": 3}
    assert parameters["num_boost_round"] == 5
    assert fitted(choice={"family": "xgboost", "parameters": parameters}).about_["parameters"] == parameters


def test_the_same_seed_fits_the_same_and_another_one_another_forest():
    choice = {"family": "random_forest", "parameters": {"n_estimators": 2, "max_depth": 2}}
    noisy = ROWS.assign(y=np.random.default_rng(0).normal(size=30))
    one, two, other = (
        InferencePipeline.chosen(serving(), "plain", choice, seed).fit(noisy, noisy["y"]).predict(noisy)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_it_marks_the_rows_that_it_was_fitted_on_each_once():
    made = fitted()
    marks = schema.marks(ROWS, schema.kinds(ROWS))
    assert set(made.seen_) == set(marks)
    assert len(made.seen_) == 6
    assert not np.isin(schema.marks(ROWS.assign(spare=1.0), schema.kinds(ROWS)), made.seen_).any()


def test_classes_get_a_column_of_probabilities_each_under_the_rows_labels():
    rows = ROWS.assign(y=np.where(ROWS["size"] > 3, "large", "small"))
    made = fitted(
        choice={"family": "logistic_regression", "parameters": {}}, rows=rows, task="classification"
    )
    assert made.predict(rows.iloc[[5, 0]]).tolist() == ["large", "small"]
    found = made.response(rows.iloc[[5, 0]])
    assert list(found) == ["large", "small"]
    assert found.index.tolist() == [5, 0]
    assert found["large"].tolist()[0] > 0.5 > found["large"].tolist()[1]
    assert np.allclose(found.sum(axis=1), 1)


def test_what_was_saved_answers_the_same_and_holds_nothing_that_runs(tmp_path):
    made = fitted()
    made.save(tmp_path / "deep" / "model")
    again = InferencePipeline.load(tmp_path / "deep" / "model", serving())
    assert np.array_equal(again.predict(ROWS), made.predict(ROWS))
    about = json.loads((tmp_path / "deep" / "model" / "about.json").read_text(encoding="utf-8"))
    assert about["format"] == inference.FORMAT
    assert {key: about[key] for key in made.about_} == made.about_
    made.save(tmp_path / "deep" / "model")  # over what is there


def test_the_marks_themselves_are_not_saved_with_it(tmp_path):
    made = fitted()
    made.save(tmp_path)
    assert InferencePipeline.load(tmp_path, serving()).seen_ is None
    assert not any(path.suffix == ".npy" for path in tmp_path.iterdir())


def test_marks_as_a_whole_go_by_a_name():
    marks = schema.marks(ROWS, schema.kinds(ROWS))
    assert schema.digest(marks) == schema.digest(marks.copy()) != schema.digest(marks[1:])
    assert len(schema.digest(marks)) == 32


def test_a_pipeline_of_another_format_is_refused(tmp_path):
    fitted().save(tmp_path)
    about = json.loads((tmp_path / "about.json").read_text())
    (tmp_path / "about.json").write_text(json.dumps(about | {"format": 3}))
    with pytest.raises(InferenceError, match="holds a pipeline of format 3; this code reads 2"):
        InferencePipeline.load(tmp_path, serving())
    del about["format"]  # the first had none
    (tmp_path / "about.json").write_text(json.dumps(about))
    with pytest.raises(InferenceError, match="holds a pipeline of format 1; this code reads 2"):
        InferencePipeline.load(tmp_path, serving())


def test_a_folder_without_a_pipeline_says_which_target_writes_one(tmp_path):
    with pytest.raises(InferenceError, match=r"holds no saved pipeline \(no about\.json\)\. `make train`"):
        inference.read_about(tmp_path)


class Counting(InferencePipeline):
    """Notes the rows of each call; each takes so many seconds of the clock that `ticks` gives."""

    asked: list[list[int]]

    def response(self, rows):
        self.asked.append(rows.index.tolist())
        return


def test_one_row_alone_is_timed_row_by_row_and_many_at_once(monkeypatch):
    """The clock moves by 1 for the first call, by 2 for each single row, then by 60 and by 30 for all."""
    made = object.__new__(Counting)
    made.asked = []
    lengths = [1, *[2] * 5, 60, 30]
    clock = iter([moment for length in lengths for moment in (0.0, float(length))])
    monkeypatch.setattr(inference, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    found = made.speed(pd.DataFrame({"a": [1, 2, 3]}), single=5)
    assert found == {"one_row_us": 2e6, "bulk_row_us": 10e6}
    assert made.asked == [[0], [0], [1], [2], [0], [1], [0, 1, 2], [0, 1, 2]]
