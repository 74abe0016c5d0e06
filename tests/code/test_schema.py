"""A value that comes as JSON becomes the value that a model was trained on, column by column."""

import datetime as dt
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

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


@pytest.mark.parametrize("kept", ["object", "float64", "float32", "str", "category"])
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


def test_the_ends_of_a_range_are_possible_and_a_gap_may_be_a_word():
    found, faults = read("number", 0, 100, -0.5, 100.5, "?", between=(0, 100), gaps=("?",))
    assert np.array_equal(found, [0, 100, *[np.nan] * 3], equal_nan=True)
    assert faults == {2: "x: -0.5 is impossible", 3: "x: 100.5 is impossible"}


@pytest.mark.parametrize(
    ("dtype", "kept"), [("uint8", "float32"), ("float32", "float32"), ("int64", "float64")]
)
def test_numbers_with_a_gap_are_kept_in_no_more_bits_than_hold_them(dtype, kept):
    array, _ = schema.Field("x", "number", Column("number", "", gaps=("9",))).convert(
        pd.Series([9, 200], dtype=dtype)
    )
    assert (array.dtype, array.tolist()[1]) == (kept, 200)


def test_a_complex_number_is_none():
    _, faults = schema.Field("x", "number", Column("number", "")).convert(pd.Series([1 + 2j]))
    assert faults == {0: "x: (1+2j) is no number"}


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
    assert read("text", True, "true", "TRUE")[0] == ["True"] * 3
    assert read("text", False, "false", "FALSE")[0] == ["False"] * 3
    assert read("text", ["a"], {"b": 1}, "c")[1].keys() == {0, 1}


def test_a_value_that_cannot_be_read_is_shown_up_to_sixty_letters():
    _, faults = read("number", "x" * 58, "x" * 59)
    assert faults == {0: f"x: '{'x' * 58}' is no number", 1: f"x: '{'x' * 56}… is no number"}


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


def test_a_day_begins_by_the_clocks_of_its_column_and_no_time_is_beyond_the_calendar():
    late = dt.datetime(9999, 12, 31, 23, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    found, faults = read("time", dt.date(2023, 1, 31), late)
    assert found[0] == pd.Timestamp("2023-01-31")
    assert faults == {1: f"x: {late!r:.57}… is beyond the calendar"}


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
        (["05/02/2020", "06/02/2020"], "month", "day or month first? No value tells: read as month first"),
        (["05.02.2020"], "day", "day or month first? No value tells: read as day first"),
        (
            ["25/02/2020", "02/26/2020", "02/25/2020"],
            "month",
            "1 have the day first and 2 the month: read as month first, others are none",
        ),
        (
            ["25/02/2020", "02/25/2020"],
            "day",
            "1 have the day first and 1 the month: read as day first, others are none",
        ),
        (["2020-02-05"], "", ""),
    ],
)
def test_the_order_of_days_is_decided_by_the_whole_column_and_doubt_is_told(days, order, doubt):
    assert values.date_order(days) == (order, doubt)


@pytest.mark.parametrize(
    ("kind", "value", "type_"),
    [
        ("number", "1", "number"),
        ("time", "2023-01-31", "time"),
        ("category", 1, "number"),
        ("id", "1", "text"),
        ("text", "one", "text"),
    ],
)
def test_a_number_and_a_time_are_kept_as_such_and_others_as_they_came(kind, value, type_):
    made = schema.Schema.learn(pd.DataFrame({"x": [value]}), {"x": Column(kind, "")})
    assert made.plain()["x"]["type"] == type_


def test_of_rows_that_are_refused_it_is_told_for_how_many_each_column_is_why():
    rows = pd.DataFrame({"n": ["many"] * 1200 + ["1"] * 3, "t": [TIME] * 1200 + [None, TIME, None]})
    fields = [
        schema.Field("n", "number", Column("number", "")),
        schema.Field("t", "time", Column("time", "", missing="refuse")),
    ]
    converted = schema.Schema(fields).convert(rows)
    assert converted.summary() == (
        "No model could be asked about them: n of 1,200, t of 2 is missing or impossible."
    )
    only = converted.only(converted.kept)
    assert (only.rows.to_dict("index"), only.refused) == ({1201: {"n": 1.0, "t": TIME}}, {})


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
        ("number", pd.Series([0.5, 1.5], dtype="float32"), pd.Series([0.5, 1.5])),
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


def test_a_row_s_mark_is_the_same_on_another_day():
    """Of values as they were in November 2026: a stored model tells by its digest what it was fitted on."""
    rows = pd.DataFrame({"n": [1, None], "s": ["a", None], "t": [TIME, None]})
    found = schema.digest(schema.marks(rows, schema.kinds(rows)))
    assert found == "646ecd3ee7bfa27f5140048fbae54a92"


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


def sorting():
    """A fitted pipeline of sizes that are small up to 3, and else large."""
    rows = ROWS.assign(y=np.where(ROWS["size"] > 3, "large", "small"))
    return fitted(
        choice={"family": "logistic_regression", "parameters": {}}, rows=rows, task="classification"
    )


def fitted(feature_set="plain", choice=LINE, rows=ROWS, task="regression", **more):
    return InferencePipeline.chosen(serving(task), feature_set, choice, 1, **more).fit(rows, rows["y"])


def test_a_line_through_points_on_a_line_answers_on_it():
    rows = pd.DataFrame({"size": [10, 20], "colour": ["red", "blue"]}, index=[3, 4])
    for answer in (fitted().predict, fitted().response):
        assert np.allclose(answer(rows), [20, 40], atol=1e-4)


def test_what_is_not_fitted_answers_nothing():
    numbers, classes = (
        InferencePipeline(serving(task), "plain") for task in ("regression", "classification")
    )
    for ask in (numbers.predict, numbers.response, numbers.refused, classes.predict, classes.predict_proba):
        with pytest.raises(NotFittedError):
            ask(ROWS)
    with pytest.raises(NotFittedError):
        numbers.predict(ROWS, interval=0.9)


def test_a_row_that_cannot_be_read_has_a_reason_and_no_answer_and_the_others_have_theirs():
    made = fitted(rows=ROWS.astype({"size": object}).replace({"size": {6.0: "many"}}))
    assert made.about_["rows"] == 25
    rows = pd.DataFrame({"size": [10, "many", 20], "colour": "red"}, index=[3, 4, 5])
    assert np.allclose(made.predict(rows), [20, np.nan, 40], atol=1e-4, equal_nan=True)
    assert np.isnan(made.predict(rows.loc[[4]])).all()
    reasons = pd.Series({4: "size: 'many' is no number"}, dtype="str", name="reason")
    pd.testing.assert_series_equal(made.refused(rows), reasons)
    with pytest.raises(InferenceError, match=r"^1 rows cannot be read\. size: 'many' is no number\.$"):
        made.matrix(rows)


def test_a_row_that_cannot_be_read_is_of_no_class_and_has_no_probabilities():
    made, rows = sorting(), pd.DataFrame({"size": [6, "many", 1], "colour": "red"}, index=[3, 4, 5])
    assert made.predict(rows).tolist() == ["large", None, "small"]
    assert made.predict(rows.loc[[4]]).tolist() == [None]
    found = made.response(rows)
    assert np.isnan(found.loc[4]).all()
    assert found.loc[[3, 5]].equals(made.response(rows.loc[[3, 5]]))


@pytest.mark.parametrize(
    ("weights", "score"), [(None, 1 - 9 / 26), ([1, 1, 0], 1.0), ([1, 1, 2], 1 - 18 / 38)]
)
def test_numbers_are_scored_by_r_squared(weights, score):
    """2, 4 and 6 are answered, 2, 4 and 9 true: 3² of (3² + 1² + 4²) about 5 is missed."""
    assert fitted().score(ROWS.head(3), [2.0, 4.0, 9.0], weights) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize(("weights", "score"), [(None, 2 / 3), ([1, 1, 2], 1 / 2)])
def test_classes_are_scored_by_accuracy(weights, score):
    assert sorting().score(ROWS.iloc[[0, 5, 1]], ["small", "large", "large"], weights) == pytest.approx(score)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_scikit_learn_is_told_what_it_is_and_what_it_takes(task):
    tags = get_tags(InferencePipeline(serving(task), "plain"))
    assert tags.estimator_type == {"regression": "regressor", "classification": "classifier"}[task]
    assert (tags.regressor_tags is None, tags.classifier_tags is None) == (
        task != "regression",
        task != "classification",
    )
    assert tags.target_tags.required
    assert (tags.input_tags.allow_nan, tags.input_tags.string, tags.input_tags.categorical) == (True,) * 3


def test_an_interval_is_of_the_errors_that_it_was_told_and_without_them_refused():
    """Errors 0 to 18: of 20 places the 1st and the 19th hold nine in ten."""
    made = fitted()
    with pytest.raises(
        InferenceError, match=r"^This model has no intervals: nobody has told it its errors \("
    ):
        made.predict(ROWS, interval=0.9)
    assert made.learn_errors(range(19), np.zeros(19)) is made
    found = made.predict(pd.DataFrame({"size": [10], "colour": ["red"]}), interval=0.9)
    assert np.allclose(found[["prediction", "low", "high"]], [[20, 20, 38]], atol=1e-4)


def test_a_model_of_roots_answers_means_by_its_own_errors_or_by_those_of_a_like_one():
    """Roots 1 and 3 where 2 was answered: their variance, 1, is added to every square. One row has none."""
    made, like = (fitted(choice={**LINE, "parameters": {"target": "sqrt"}}) for _ in range(2))
    before = made.predict(ROWS)
    assert like.with_means_of(made) is like
    assert np.array_equal(like.predict(ROWS), before)
    assert made.learn_means([1.0, 9.0, 5.0], np.array([4.0, 4.0, np.nan])) is made
    for pipeline in (made, like.with_means_of(made)):
        assert np.allclose(pipeline.predict(ROWS), before + 1)


def test_promises_of_classes_are_put_right_by_those_of_a_like_one():
    made, like = sorting(), sorting()
    promised = np.full((101, 2), 0.5)
    promised[50] = np.nan  # a row that could not be read
    made.learn_means(["large"] * 90 + ["small"] * 11, promised)
    assert (made.response(ROWS)["large"] > like.response(ROWS)["large"]).all()
    assert like.with_means_of(made).response(ROWS).equals(made.response(ROWS))


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
    assert made.n_features_in_ == 2
    assert made.matrix(pd.DataFrame({"size": ["3"], "colour": ["red"]})).tolist() == [[6.0, 0.0, 0.0, 1.0]]


def test_a_column_that_only_its_means_are_taken_of_is_there_when_it_is_fitted():
    made = fitted("means")
    assert made.encoding_.get_feature_names_out().tolist() == ["target by colour", "double by colour"]
    assert np.isfinite(made.predict(ROWS)).all()


def test_settings_of_the_choice_reach_the_encoders():
    made = fitted("words", {**LINE, "settings": {"tfidf.words": 2}})
    assert made.encoding_.get_feature_names_out().tolist() == ["size", "colour: blue", "colour: red"]


def test_the_groups_reach_the_means():
    ((_, means),) = fitted("means", groups=("size",)).encoding_.encoders_
    assert means.groups == ("size",)


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
    made = sorting()
    assert made.predict(ROWS.iloc[[5, 0]]).tolist() == ["large", "small"]
    found = made.response(ROWS.iloc[[5, 0]])
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


def test_what_was_saved_has_the_arguments_to_be_fitted_anew(tmp_path):
    choice = {"family": "lasso", "parameters": {"alpha": 0.1}, "settings": {"tfidf.words": 2}}
    made = fitted("words", choice)
    made.save(tmp_path)
    again = InferencePipeline.load(tmp_path, made.serving)
    assert again.get_params() == made.get_params()
    assert np.array_equal(again.fit(ROWS, ROWS["y"]).predict(ROWS), made.predict(ROWS))


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
    with pytest.raises(
        InferenceError, match=r"format 2; this code reads 3\. It answers by the code stored with it"
    ):
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
