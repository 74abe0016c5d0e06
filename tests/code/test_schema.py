"""A value that comes as JSON becomes the value that a model was trained on, column by column."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from lib.runtime import inference, schema, values
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


def read(kind, *values, **facts):
    """What a column of these facts makes of the values, in a batch, and the reasons by place."""
    column = Column({"text": "category"}.get(kind, kind), "", **facts)
    array, faults = schema.Field("x", kind, column).convert(pd.Series(list(values), dtype=object))
    return pd.Series(array).tolist(), faults


def test_a_number_may_come_as_text_and_what_is_none_is_no_number():
    found, faults = read(
        "number", "7", " 2.5 ", "many", None, "1e3", "74.0", "1_000", float("inf"), "nan", ""
    )
    assert np.array_equal(found, [7, 2.5, np.nan, np.nan, 1000, 74, *[np.nan] * 4], equal_nan=True)
    assert faults == {
        2: "x: 'many' is no number",
        6: "x: '1_000' is no number",
        7: "x: inf is no number",
        8: "x: 'nan' is no number",
    }


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
def test_a_column_of_numbers_is_taken_as_it_is(dtype):
    array, faults = schema.Field("x", "number", Column("number", "")).convert(
        pd.Series(np.array([1, 2], dtype=dtype))
    )
    assert (array.dtype, faults) == (dtype, {})


@pytest.mark.parametrize("kept", ["object", "float64", "float32", "str"])
def test_what_cannot_be_is_refused_or_missing_as_the_schema_says_in_any_type(kept):
    values = pd.Series([3.0, 200.0, -999.0, 1.0]).astype(kept)
    refusing = Column("number", "", between=(0, 100), gaps=("-999", "-999.0"))
    array, faults = schema.Field("x", "number", refusing).convert(values)
    assert np.array_equal(array, [3, np.nan, np.nan, 1], equal_nan=True)
    assert faults == {1: "x: 200 is impossible"}
    lenient = Column("number", "", between=(0, 100), gaps=("-999", "-999.0"), impossible="missing")
    again, none = schema.Field("x", "number", lenient).convert(values)
    assert np.array_equal(array, again, equal_nan=True)
    assert none == {}


def test_infinity_is_no_number_in_any_type():
    for column in (
        pd.Series([1.0, np.inf]),
        pd.Series([1.0, np.inf], dtype=object),
        pd.Series(["1", "-inf"]),
    ):
        _, faults = schema.Field("x", "number", Column("number", "")).convert(column)
        assert list(faults) == [1]


def test_a_whole_number_is_one_name_whatever_it_is_written_as():
    for value in (130, 130.0, "130", "130.0", " 130 ", "+130", "+130.0", np.int32(130), np.float32(130)):
        assert read("text", value, None, 7.5, whole=True) == (["130", np.nan, "7.5"], {})
    assert read("text", "130.0", "0130", 130.0)[0] == ["130.0", "0130", "130"]  # a text that is one


def test_a_fraction_or_a_gap_among_ids_moves_no_other():
    for odd in (None, 7.5, "a", np.nan, pd.NA, True):
        found, _ = read("text", 74.0, odd, 5)
        assert (found[0], found[2]) == ("74", "5")


@pytest.mark.parametrize("dtype", ["float64", "float32", "Int64", "category"])
def test_many_ids_are_read_as_one_by_one_in_any_type(dtype):
    values = pd.Series([74.0, None, 5.0] * 40).astype(dtype)
    array, faults = schema.Field("x", "text", Column("id", "", whole=True)).convert(values)
    assert (pd.Series(array).dropna().tolist(), faults) == (["74", "5"] * 40, {})


def test_only_an_empty_text_is_missing_unless_the_schema_says_otherwise():
    words = ("NA", "None", "nan", "null", "?", "", "  ")
    assert read("text", *words)[0] == ["NA", "None", "nan", "null", "?", np.nan, np.nan]
    assert read("text", "NA", "?", gaps=("?",))[0] == ["NA", np.nan]
    assert read("text", True, "true", "FALSE")[0] == ["True", "True", "False"]
    assert read("text", ["a"], {"b": 1}, "c")[1].keys() == {0, 1}


def test_a_column_that_is_right_already_is_handed_on_and_not_copied():
    rows = pd.DataFrame({"n": [1.5, 2.0], "m": [1, 2], "s": ["a", None], "t": [TIME, TIME]})
    given = {"n": "number", "m": "number", "s": "category", "t": "time"}
    made = schema.Schema.learn(rows, {name: Column(kind, "") for name, kind in given.items()})
    for many in (rows, pd.concat([rows] * 40, ignore_index=True)):
        for field in made.fields:
            array, _ = field.convert(many[field.name])
            assert array is many[field.name].array or np.shares_memory(array, many[field.name].to_numpy())


@pytest.mark.parametrize(
    "value",
    [
        "2023-01-31T14:05:09",
        "2023-01-31 14:05:09",
        "2023-01-31T14:05:09-05:00",
        "2023-01-31T19:05:09Z",
        "2023-01-31T19:05:09.000+00:00",
        pd.Timestamp("2023-01-31T20:05:09", tz="Europe/Berlin"),
        TIME,
        TIME.to_pydatetime(),
        np.datetime64("2023-01-31T14:05:09"),
        "January 31, 2023 2:05:09 PM",
        "2023/1/31 14:05:09",
    ],
)
def test_a_time_is_by_the_clocks_of_its_column_whatever_zone_it_comes_in(value):
    found, faults = read("time", value, "2023-07-01T00:00:00Z", zone="America/New_York")
    assert (found, faults) == ([TIME, pd.Timestamp("2023-06-30 20:00")], {})


def test_a_column_of_one_zone_is_converted_as_its_values_are():
    aware = pd.Series([TIME]).dt.tz_localize("Europe/Berlin")
    field = schema.Field("x", "time", Column("time", "", zone="America/New_York"))
    assert field.convert(aware)[0] == field.convert(aware.astype(object))[0]


def test_a_day_in_numbers_is_read_by_the_schema_s_order_alone():
    assert read("time", "05/02/2020", "25/02/20", order="day")[0] == [
        pd.Timestamp("2020-02-05"),
        pd.Timestamp("2020-02-25"),
    ]
    assert read("time", "05/02/2020 2:30 PM", order="month")[0] == [pd.Timestamp("2020-05-02 14:30")]
    assert read("time", "25/02/2020", order="month")[1] == {
        0: "x: '25/02/2020' is no time, with the month first"
    }
    assert "has the day or the month first, and the schema does not say" in read("time", "25/02/2020")[1][0]


def test_a_number_is_a_time_where_the_schema_says_what_it_counts():
    milliseconds = 1675173909000
    assert "1675173909000 is no time: write 2023-01-31T14:05:09" in read("time", milliseconds)[1][0]
    for value in (milliseconds, float(milliseconds), str(milliseconds), np.int64(milliseconds)):
        assert read("time", value, unit="ms")[0] == [pd.Timestamp("2023-01-31 14:05:09")]
    assert read("time", milliseconds, unit="ms", zone="America/New_York")[0] == [
        pd.Timestamp("2023-01-31 09:05:09")
    ]
    assert list(read("time", True, 20200101, "2020010112300", "10:30", "soon")[1]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("days", "order", "doubt"),
    [
        (["05/02/2020", "25/02/2020"], "day", ""),
        (["05/02/2020", "02/25/2020 10:00"], "month", ""),
        (["05/02/2020", "06/02/2020"], "month", "No value tells: read as month first"),
        (["05.02.2020"], "day", "No value tells: read as day first"),
        (["25/02/2020", "26/02/2020", "02/25/2020"], "day", "2 have the day first and 1 the month"),
        (["2020-02-05"], "", ""),
    ],
)
def test_the_order_of_days_is_decided_by_the_whole_column_and_doubt_is_told(days, order, doubt):
    found = values.date_order(days)
    assert found[0] == order
    assert doubt in found[1]
    assert bool(doubt) == bool(found[1])


def test_a_missing_time_is_refused_unless_the_schema_keeps_it_and_a_missing_number_the_other_way_round():
    rows = pd.DataFrame({"t": [TIME, None], "n": [1.0, None]})
    columns = {"t": Column("time", ""), "n": Column("number", "")}
    assert schema.Schema.learn(rows, columns).convert(rows).refused == {1: "t: missing"}
    columns = {"t": Column("time", "", missing="keep"), "n": Column("number", "", missing="refuse")}
    assert schema.Schema.learn(rows, columns).convert(rows).refused == {1: "n: missing"}


def test_only_the_inputs_are_kept_in_their_order_and_rows_keep_their_labels():
    rows = pd.DataFrame({"b": [1], "other": [2], "a": ["3"]}, index=[7])
    fields = [schema.Field("a", "number", Column("number", "")), schema.Field("b", "text", Column("id", ""))]
    found = schema.Schema(fields).convert(rows).rows
    assert found.to_dict("index") == {7: {"a": 3.0, "b": "1"}}
    assert list(found) == ["a", "b"]


def test_what_is_missing_is_named_beside_what_is_there():
    fields = [schema.Field(name, "number", Column("number", "")) for name in "abc"]
    with pytest.raises(InferenceError, match=r"no column \['a', 'c'\]; they have \['b'\]"):
        schema.Schema(fields).convert(pd.DataFrame({"b": [1]}))


def test_a_schema_is_stored_as_plain_data():
    rows = pd.DataFrame({"t": [TIME], "c": ["130.0"], "n": [1.5]})
    columns = {
        "t": Column("time", "when", zone="America/New_York", order="day"),
        "c": Column("id", "which", gaps=("?",)),
        "n": Column("number", "how much", "m", between=(0, 2)),
    }
    made = schema.Schema.learn(rows, columns)
    stored = json.loads(json.dumps(made.plain()))
    assert schema.Schema.of(stored).plain() == made.plain() == stored
    facts = {name: said["column"] for name, said in stored.items()}
    assert (facts["t"]["zone"], facts["t"]["order"], facts["t"]["missing"]) == (
        "America/New_York",
        "day",
        "refuse",
    )
    assert (facts["c"]["whole"], facts["c"]["gaps"], facts["n"]["between"]) == (True, ["?"], [0, 2])
    assert (facts["n"]["unit"], facts["n"]["missing"], facts["n"]["impossible"]) == ("m", "keep", "refuse")


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
        ("text", pd.Series([74, None]), pd.Series([74, None], dtype=object)),
        ("text", pd.Series([74.5, 75.0]), pd.Series([74.5, 75], dtype=object)),
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


def test_what_is_not_fitted_answers_nothing():
    numbers, classes = (
        InferencePipeline(serving(task), "plain") for task in ("regression", "classification")
    )
    for ask in (numbers.predict, numbers.response, numbers.refused, classes.predict, classes.predict_proba):
        with pytest.raises(NotFittedError):
            ask(ROWS)
    with pytest.raises(NotFittedError):
        numbers.predict(ROWS, interval=0.9)


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
        "inputs": made.schema_.plain(),
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
    (tmp_path / "about.json").write_text(json.dumps(about | {"format": 2}))
    with pytest.raises(InferenceError, match=r"format 2; this code reads 3\..*stored with it"):
        InferencePipeline.load(tmp_path, serving())
    del about["format"]  # the first had none
    (tmp_path / "about.json").write_text(json.dumps(about))
    with pytest.raises(InferenceError, match="holds a pipeline of format 1; this code reads 3"):
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
