"""Each encoder by known answers: what a value becomes, what columns are called, what is kept."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from lib.runtime.encoders import Encoding, matrix
from lib.runtime.encoders.base import Vocabulary, numeric
from lib.runtime.encoders.columns import Number, OneHot
from lib.runtime.encoders.matrix import Codes
from lib.runtime.encoders.means import TargetMean
from lib.runtime.errors import InferenceError
from lib.runtime.features import encode

NAN = np.nan


def fitted(rows, *encodes, y=None, seed=0, settings=None):
    encoding = Encoding(encodes, settings, random_state=seed)
    found = encoding.fit_transform(rows, np.zeros(len(rows)) if y is None else y)
    return encoding, found if isinstance(found, np.ndarray) else found.toarray()


def same(found, wanted):
    return np.allclose(found, wanted, equal_nan=True, atol=1e-5)


# --- the encoding ------------------------------------------------------------------------------------

ROWS = pd.DataFrame(
    {
        "colour": ["red", "blue", "red", None],
        "size": [1.0, NAN, 3.0, 4.0],
        "text": ["big room", "small room", None, "big"],
        "day": pd.to_datetime(["2023-01-01", "2023-01-03", None, "2023-01-02"]),
    }
)


def test_columns_of_the_matrix_are_in_the_order_of_the_encoders_and_have_a_reader_s_names():
    encoding, found = fitted(
        ROWS,
        encode("number", "size"),
        encode("one_hot", "colour"),
        encode("tfidf", "text", words=2),
        encode("days_before", "day"),
    )
    assert encoding.get_feature_names_out().tolist() == [
        "size", "colour=blue", "colour=red", "text: big", "text: room", "days before: day",
    ]  # fmt: skip
    assert encoding.groups_ == ["size", "colour", "colour", "text", "text", "days before: day"]
    assert found[0].tolist()[:3] == [1.0, 0.0, 1.0]
    assert found[3].tolist()[:3] == [4.0, 0.0, 0.0]
    assert encoding.training_columns == ["size", "colour", "text", "day"]


def test_what_means_are_taken_of_is_read_when_fitting_too():
    parts = (
        encode("target_mean", "zone", "pair", of=("target", "target/miles", "fare")),
        encode("number", "miles", "fare"),
    )
    assert Encoding(parts).training_columns == ["zone", "pair", "miles", "fare"]


def test_settings_of_a_search_go_to_the_encoder_they_name_and_are_stronger_than_the_set_s_own():
    parts = (encode("tfidf", "text", words=50), encode("number", "size", impute="mean"))
    encoding = Encoding(parts, {"tfidf.words": 1, "number.scale": True})
    (_, text), (_, number) = encoding.unfitted()
    assert (text.words, text.binary) == (1, False)
    assert number.settings() == {"impute": "mean", "scale": True}


def test_a_setting_that_no_encoder_takes_is_named():
    with pytest.raises(InferenceError, match=r"No encoder of this feature set takes \['text\.words'\]"):
        Encoding([encode("tfidf", "text")], {"text.words": 1, "tfidf.words": 2}).fit(ROWS)


def test_an_encoder_or_a_setting_that_is_not_there_is_answered_by_those_that_are():
    with pytest.raises(InferenceError, match=r"no encoder 'one_hut'; there are \['days_before', 'number'"):
        Encoding([encode("one_hut", "x")]).fit(ROWS)
    with pytest.raises(
        InferenceError, match=r"Number has no setting \['a', 'b'\]; it takes \['impute', 'scale'\]"
    ):
        Encoding([encode("number", "x", b=1, a=2)]).fit(ROWS)


def test_rows_are_encoded_in_pieces_once_there_are_more_than_a_piece(monkeypatch):
    encoding, _ = fitted(ROWS, encode("number", "size"))
    many, sizes = pd.DataFrame({"size": np.arange(7.0)}), []
    number = encoding.encoders_[0][1]
    real = type(number).block

    def noted(self, rows):
        sizes.append(len(rows))
        return real(self, rows)

    monkeypatch.setattr(type(number), "block", noted)
    monkeypatch.setattr("lib.runtime.encoders.PIECE", 3)
    assert encoding.transform(many)[:, 0].tolist() == list(range(7))
    assert sizes == [3, 3, 1]
    encoding.transform(many.head(3))
    assert sizes[3:] == [3]


def test_what_is_stored_is_numbers_and_names_by_encoder(tmp_path):
    encoding, found = fitted(
        ROWS,
        encode("one_hot", "colour"),
        encode("number", "size", impute="mean"),
        encode("ordinal", "colour"),
    )
    encoding.save(tmp_path)
    parts = json.loads((tmp_path / "encoding.json").read_text(encoding="utf-8"))
    assert [part["how"] for part in parts] == ["one_hot", "number", "ordinal"]
    assert parts[0]["state"] == {"values_0": ["blue", "red"], "fill": [None]}
    assert parts[1]["settings"] == {"impute": "mean", "scale": False}
    assert sorted(np.load(tmp_path / "encoding.npz").files) == ["1/centre", "1/fill", "1/spread"]
    again = Encoding.load(tmp_path)
    assert again.get_feature_names_out().tolist() == encoding.get_feature_names_out().tolist()
    assert same(again.transform(ROWS), found)


def test_text_that_is_not_ascii_is_stored_as_it_reads(tmp_path):
    rows = pd.DataFrame({"colour": ["grün", "中"]})
    encoding, _ = fitted(rows, encode("one_hot", "colour"))
    encoding.save(tmp_path)
    assert "grün" in (tmp_path / "encoding.json").read_text(encoding="utf-8")
    assert Encoding.load(tmp_path).transform(rows).tolist() == encoding.transform(rows).tolist()


def test_the_same_settings_in_another_order_are_the_same_bytes(tmp_path):
    rows = pd.DataFrame({"a": ["x", "y"], "b": ["x", "y"], "c": ["x", "y"]})
    for name, prior in (("one", {"b": ["a"], "c": ["a"]}), ("two", {"c": ["a"], "b": ["a"]})):
        (tmp_path / name).mkdir()
        fitted(rows, encode("target_mean", "a", "b", "c", prior=prior))[0].save(tmp_path / name)
    one, two = ((tmp_path / name / "encoding.json").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_column_may_have_any_sign_in_its_name(tmp_path):
    rows = pd.DataFrame({"km/h|0": ["x", "y", "y"]})
    encoding, _ = fitted(
        rows, encode("target_mean", "km/h|0"), encode("one_hot", "km/h|0"), y=[1.0, 2.0, 4.0]
    )
    encoding.save(tmp_path)
    assert Encoding.load(tmp_path).transform(rows).tolist() == encoding.transform(rows).tolist()


def test_an_encoder_that_names_no_column_takes_all_and_is_read_back_with_them(tmp_path):
    rows = pd.DataFrame({"b": [1.0, 2.0], "a": [3.0, 4.0]})
    encoding, found = fitted(rows, encode("number"))
    assert encoding.encoders_[0][1].get_feature_names_out().dtype == object
    assert (encoding.get_feature_names_out().tolist(), found.tolist()) == (["b", "a"], [[1, 3], [2, 4]])
    encoding.save(tmp_path)
    again = Encoding.load(tmp_path)
    assert again.training_columns == ["b", "a"]
    assert again.transform(rows[["a", "b"]]).tolist() == found.tolist()


def test_what_is_not_fitted_has_no_matrix_and_no_names():
    for one in (Encoding([encode("number", "size")]), Number(["size"])):
        for ask in (lambda one: one.transform(ROWS), lambda one: one.get_feature_names_out()):
            with pytest.raises(NotFittedError):
                ask(one)


# --- an encoder alone, as a transformer of scikit-learn ----------------------------------------------


def test_the_columns_of_an_array_have_numbers_and_gaps_stay():
    number = Number()
    assert same(number.fit_transform(np.array([[1, 2], [NAN, 4]])), [[1, 2], [NAN, 4]])
    assert number.get_feature_names_out().tolist() == ["x0", "x1"]
    assert same(number.transform([[NAN, 7]]), [[NAN, 7]])
    words = OneHot().fit(np.array([["b", 1], ["a", 1]], dtype=object))
    assert words.get_feature_names_out().tolist() == ["x0=a", "x0=b", "x1=1"]
    assert words.transform(np.array([["a", 2]], dtype=object)).tolist() == [[1, 0, 0]]


def test_endless_numbers_and_another_width_are_refused_and_a_second_fit_begins_anew():
    number = Number().fit([[1.0, 2.0]])
    assert number.n_features_in_ == 2
    with pytest.raises(ValueError, match="X has 1 features, but Number is expecting 2 features"):
        number.transform([[1.0]])
    with pytest.raises(ValueError, match="infinity"):
        number.transform([[1.0, np.inf]])
    assert number.fit([[1.0]]).n_features_in_ == 1
    assert number.transform([[5.0]]).tolist() == [[5]]


def test_a_frame_s_columns_are_all_of_them_in_their_order_or_those_that_are_named():
    rows = pd.DataFrame({"b": [1.0], "a": [2.0]})
    every, named = Number().fit(rows), Number(["a"]).fit(rows)
    assert every.feature_names_in_.tolist() == every.get_feature_names_out().tolist() == ["b", "a"]
    with pytest.raises(ValueError, match="same order"):
        every.transform(rows[["a", "b"]])
    for given in (rows, rows[["a", "b"]], rows[["a"]]):
        assert named.transform(given).tolist() == [[2]]
    assert (named.n_features_in_, named.get_feature_names_out().tolist()) == (1, ["a"])
    assert every.fit(rows[["a"]]).transform(rows[["a"]]).tolist() == [[2]]


def test_means_alone_are_of_their_target_and_of_other_rows_while_fitting():
    """Overall 3; "a" has 1 + 3 in two rows, "b" 5 in one, each beside one row of 3: 7 / 3 and 8 / 2."""
    rows, y = pd.DataFrame({"k": ["a", "a", "b"]}), [1.0, 3.0, 5.0]
    means = TargetMean(["k"], smooth=1.0, random_state=0)
    assert means.fit_transform(rows, y)[2, 0] < 4  # by the others, whose target is less
    again = TargetMean(["k"], smooth=1.0).fit(rows, y)
    part = Encoding([encode("target_mean", "k", smooth=1.0)]).fit(rows, y)
    for one in (means, again, part):
        assert same(one.transform(rows), [[7 / 3], [7 / 3], [4]])


def test_scikit_learn_is_told_what_an_encoder_takes():
    tags = get_tags(OneHot())
    assert (tags.input_tags.allow_nan, tags.input_tags.string, tags.input_tags.categorical) == (True,) * 3
    assert tags.transformer_tags.preserves_dtype == []
    assert (tags.target_tags.required, get_tags(TargetMean()).target_tags.required) == (False, True)


# --- vocabularies and numbers ------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [3, 32, 33, 300])
def test_a_value_s_place_is_the_same_among_few_rows_and_many(rows):
    vocabulary, codes = Vocabulary.learn(pd.Series(["b", "a", None, "b"]))
    assert codes.tolist() == [1, 0, -1, 1]
    assert len(vocabulary) == 2
    asked = pd.Series((["b", "z", None] * rows)[:rows])
    assert vocabulary.positions(asked).tolist() == ([1, -1, -1] * rows)[:rows]


def test_a_long_column_that_is_all_missing_has_no_places():
    vocabulary, _ = Vocabulary.learn(pd.Series(["a"]))
    assert vocabulary.positions(pd.Series([None] * 40, dtype="str")).tolist() == [-1] * 40


def test_a_long_column_of_one_value_has_its_place_in_every_row():
    vocabulary, _ = Vocabulary.learn(pd.Series(["a", "b"]))
    assert vocabulary.positions(pd.Series(["b"] * 40)).tolist() == [1] * 40


def test_a_vocabulary_of_numbers_is_stored_as_numbers_and_any_other_as_text():
    assert isinstance(Vocabulary([1, 2]).stored(), np.ndarray)
    assert isinstance(Vocabulary([True, False]).stored(), np.ndarray)
    assert Vocabulary(["a", "b"]).stored() == ["a", "b"]
    assert Vocabulary(pd.to_datetime(["2023-01-01"])).stored() == ["2023-01-01 00:00:00"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2]),
        pd.Series([1.0, 2.0]),
        pd.Series(["1", "2"]),
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([1, 2], dtype="uint8"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_numbers_are_floats_in_any_spelling(column):
    assert numeric(column).tolist() == [1.0, 2.0]
    assert numeric(column).dtype == np.float64


@pytest.mark.parametrize("dtype", ["Int64", "UInt8", "Float64", "boolean", "int64[pyarrow]", "bool[pyarrow]"])
@pytest.mark.parametrize("times", [1, 40], ids=["few", "many"])
def test_a_number_that_is_missing_is_nan_whatever_the_column_calls_it(dtype, times):
    found = numeric(pd.Series([1, None, 0] * times, dtype=dtype))
    assert np.array_equal(found, [1, NAN, 0] * times, equal_nan=True)
    assert found.dtype == np.float64


@pytest.mark.parametrize("times", [1, 40], ids=["few", "many"])
def test_what_is_no_number_is_missing(times):
    texts = pd.Series(["1", "many", None] * times, index=range(3 * times, 0, -1))
    assert np.array_equal(numeric(texts), [1, NAN, NAN] * times, equal_nan=True)
    assert numeric(texts).dtype == np.float64
    assert numeric(pd.Series([True, False] * times)).tolist() == [1.0, 0.0] * times
    mixed = pd.Series([1, "1", 1.5, True, "x"] * times, dtype=object)
    assert np.array_equal(numeric(mixed), [1, 1, 1.5, 1, NAN] * times, equal_nan=True)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["1", " 2", "many", None, "inf", ""]),
        pd.Series(["1", " 2", True, None, 3, pd.NA], dtype=object),
        pd.Series([[1], {"a": 2}, 3.0, "4"], dtype=object),
        pd.Series([1, None, 2]).astype("category"),
        pd.to_datetime(pd.Series(["2023-01-01", None])),
        pd.to_timedelta(pd.Series(["1h", None])),
    ],
    ids=lambda values: str(values.dtype),
)
def test_a_number_is_the_same_alone_and_among_many_and_a_gap_is_none(values):
    many = pd.concat([values] * 20, ignore_index=True)
    alone = [numeric(many.iloc[i : i + 1])[0] for i in range(len(many))]
    assert same(numeric(many), alone)
    assert np.isnan(numeric(many)[many.isna()]).all()


# --- single columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "filled"),
    [(None, NAN), ("zero", 0.0), ("mean", 4.0), ("median", 3.0), ("most_frequent", 2.0), (9, 9.0)],
)
def test_a_missing_number_is_filled_in_training_and_after(how, filled):
    rows = pd.DataFrame({"x": [2.0, 2.0, NAN, 4.0, 8.0]})
    encoding, found = fitted(rows, encode("number", "x", impute=how))
    assert same(found[:, 0], [2, 2, filled, 4, 8])
    assert same(encoding.transform(pd.DataFrame({"x": [NAN, 5.0]}))[:, 0], [filled, 5])


def test_of_a_column_without_a_number_a_missing_one_is_zero_or_the_constant():
    rows = pd.DataFrame({"x": [NAN, NAN], "z": [1.0, 3.0]})
    assert fitted(rows, encode("number", "x", impute="mean"))[1][:, 0].tolist() == [0, 0]
    assert fitted(rows, encode("number", "x", impute=7))[1][:, 0].tolist() == [7, 7]
    assert fitted(rows, encode("number", "x", "z", impute="mean"))[1][:, 1].tolist() == [1, 3]


def test_a_way_to_fill_that_is_not_there_is_answered_by_those_that_are():
    with pytest.raises(InferenceError, match=r"no impute='average'; it has \['mean', 'median', 'most_f"):
        fitted(pd.DataFrame({"x": [1.0]}), encode("number", "x", impute="average"))


def test_scaled_numbers_have_mean_zero_and_deviation_one_by_the_training_rows():
    """1 and 5: mean 3, deviation 2; a constant column is only moved to zero."""
    rows = pd.DataFrame({"x": [1.0, 5.0], "same": [4.0, 4.0]})
    encoding, found = fitted(rows, encode("number", "x", "same", scale=True))
    assert found.tolist() == [[-1, 0], [1, 0]]
    assert encoding.transform(pd.DataFrame({"x": [9.0], "same": [5.0]})).tolist() == [[3, 1]]


def test_without_scale_numbers_stay_as_they_are():
    rows = pd.DataFrame({"x": [1.0, 5.0]})
    encoding, found = fitted(rows, encode("number", "x", impute="mean"))
    assert found.tolist() == encoding.transform(rows).tolist() == [[1], [5]]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([20230131, 20230133], [-1, 1]),
        ([0, 2**24 + 2], [-(2**23) - 1, 2**23 + 1]),
        ([0, 2**24], [0, 2**24]),
        ([0.5, 2**24 + 1.5], [0.5, 2**24 + 2]),
    ],
)
def test_whole_numbers_are_measured_from_their_middle_where_32_bits_would_merge_them(values, kept):
    rows = pd.DataFrame({"x": values})
    encoding, found = fitted(rows, encode("number", "x"))
    assert found[:, 0].tolist() == encoding.transform(rows)[:, 0].tolist() == kept


def test_scale_leaves_missing_numbers_out():
    _, found = fitted(pd.DataFrame({"x": [1.0, 5.0, NAN]}), encode("number", "x", scale=True))
    assert same(found[:, 0], [-1, 1, NAN])


def test_a_category_is_one_in_its_own_column_and_the_commonest_stands_for_a_missing_one():
    rows = pd.DataFrame({"k": ["b", "a", "b", None], "j": ["x", "y", "y", "x"]})
    encoding, found = fitted(rows, encode("one_hot", "k", "j", impute="most_frequent"))
    assert encoding.get_feature_names_out().tolist() == ["k=a", "k=b", "j=x", "j=y"]
    assert found.tolist() == [[0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1], [0, 1, 1, 0]]
    later = pd.DataFrame({"k": [None, "z"], "j": [None, "x"]})
    assert encoding.transform(later).tolist() == [[0, 1, 1, 0], [0, 0, 1, 0]]  # of x and y, as common, x


def test_without_impute_a_missing_category_is_none_of_them():
    _, found = fitted(pd.DataFrame({"k": ["b", None]}), encode("one_hot", "k"))
    assert found.tolist() == [[1], [0]]
    _, found = fitted(pd.DataFrame({"k": [None, None]}), encode("one_hot", "k", impute="most_frequent"))
    assert found.shape == (2, 0)


def test_ordinal_goes_by_the_order_that_is_given():
    encoding, found = fitted(
        pd.DataFrame({"k": ["low", "high", "mid"]}), encode("ordinal", "k", order=["low", "mid", "high"])
    )
    assert encoding.get_feature_names_out().tolist() == ["k"]
    assert found[:, 0].tolist() == [0, 2, 1]
    assert encoding.transform(pd.DataFrame({"k": ["high", "none"]}))[:, 0].tolist() == [2, -1]


def test_ordinal_keeps_a_vocabulary_a_column(tmp_path):
    rows = pd.DataFrame({"k": ["b", "a", None], "n": [30, 10, 20]})
    encoding, found = fitted(rows, encode("ordinal", "k", "n", fill="none"))
    assert found.tolist() == [[1, 2], [0, 0], [2, 1]]
    encoding.save(tmp_path)
    again = Encoding.load(tmp_path)
    assert again.get_feature_names_out().tolist() == ["k", "n"]
    assert again.transform(rows).tolist() == found.tolist()


def test_days_are_counted_back_from_the_latest_of_the_training_rows(tmp_path):
    rows = pd.DataFrame(
        {"a": pd.to_datetime(["2023-01-01 07:00", "2023-01-11 23:00", None]), "b": ["2022-12-31"] * 3}
    )
    encoding, found = fitted(rows, encode("days_before", "a", "b"))
    assert encoding.get_feature_names_out().tolist() == ["days before: a", "days before: b"]
    assert same(found, [[10, 0], [0, 0], [NAN, 0]])
    encoding.save(tmp_path)
    later = pd.DataFrame({"a": ["2023-01-12"], "b": ["2022-12-30"]})
    assert (
        Encoding.load(tmp_path).get_feature_names_out().tolist() == encoding.get_feature_names_out().tolist()
    )
    assert Encoding.load(tmp_path).transform(later).tolist() == [[-1, 1]]


def test_a_missing_time_counts_as_the_day_that_fills_it():
    rows = pd.DataFrame({"a": pd.to_datetime(["2023-01-01", "2023-01-11", None])})
    _, found = fitted(rows, encode("days_before", "a", fill="2022-12-31"))
    assert found[:, 0].tolist() == [10, 0, 11]


# --- text --------------------------------------------------------------------------------------------


def test_words_are_weighed_and_stored_as_they_were_learnt(tmp_path):
    rows = pd.DataFrame({"t": ["the big room", "the room", None, "big big"]})
    parts = encode("tfidf", "t", words=2, stop_words="english")
    encoding, found = fitted(rows, parts)
    assert encoding.get_feature_names_out().tolist() == ["t: big", "t: room"]
    assert same(found, [[2**-0.5, 2**-0.5], [0, 1], [0, 0], [1, 0]])
    encoding.save(tmp_path)
    again = Encoding.load(tmp_path)
    assert again.get_feature_names_out().tolist() == encoding.get_feature_names_out().tolist()
    assert same(again.transform(rows), found)


def test_a_word_counts_as_often_as_it_stands_there_unless_binary():
    rows = pd.DataFrame({"t": ["big big room", "big", "room"]})
    _, counted = fitted(rows, encode("tfidf", "t"))
    _, once = fitted(rows, encode("tfidf", "t", binary=True))
    assert same(counted[0], [2 / 5**0.5, 1 / 5**0.5])
    assert same(once[0], [2**-0.5, 2**-0.5])


def test_texts_without_a_word_are_no_column_after_storing_either(tmp_path):
    encoding, found = fitted(
        pd.DataFrame({"t": ["a", None], "x": [1, 2]}), encode("tfidf", "t"), encode("number", "x")
    )
    assert (encoding.get_feature_names_out().tolist(), found.tolist()) == (["x"], [[1], [2]])
    encoding.save(tmp_path)
    assert Encoding.load(tmp_path).transform(pd.DataFrame({"t": ["word"], "x": [3]})).tolist() == [[3]]


def test_two_columns_of_text_are_to_be_joined_first():
    with pytest.raises(InferenceError, match=r"tfidf takes one column, not \['t', 'u'\]; join them"):
        fitted(pd.DataFrame({"t": ["a b"], "u": ["c d"]}), encode("tfidf", "t", "u"))


# --- the matrix --------------------------------------------------------------------------------------


def one_hot(width, *codes):
    return Codes(np.array(codes), width)


DENSE, TEXT = np.array([[1.5, 2.5], [3.5, 4.5]]), sparse.csr_matrix([[0.0, 7.0], [8.0, 0.0]])


def test_narrow_blocks_make_a_dense_matrix_of_32_bit_floats():
    found = matrix.assemble([[one_hot(3, 2, -1), one_hot(2, 0, 1)], DENSE, TEXT])
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 0, 1, 1, 0, 1.5, 2.5, 0, 7], [0, 0, 0, 0, 1, 3.5, 4.5, 8, 0]]


@pytest.mark.parametrize(("width", "dense"), [(matrix.WIDE, True), (matrix.WIDE + 1, False)])
def test_one_hot_blocks_wider_than_this_together_make_it_sparse(width, dense):
    found = matrix.assemble([DENSE, [one_hot(width - 2, 3, -1), one_hot(2, 1, 0)]])
    assert isinstance(found, np.ndarray) is dense
    wanted = np.zeros((2, width + 2))
    wanted[:, :2] = DENSE
    wanted[0, [2 + 3, 2 + width - 2 + 1]] = 1
    wanted[1, 2 + width - 2] = 1
    assert np.array_equal(found if dense else found.toarray(), wanted)


def test_a_sparse_matrix_has_32_bit_indices_and_one_entry_a_category_that_was_seen():
    for codes, entries in (((3, 5), 6), ((3, -1), 5)):
        found = matrix.assemble([[one_hot(400, *codes)], DENSE])
        assert (found.nnz, found.shape) == (entries, (2, 402))
        assert found.indices.dtype == found.indptr.dtype == np.int32
        assert found.dtype == np.float64
        assert found.toarray()[0, [3, 400, 401]].tolist() == [1, 1.5, 2.5]
        assert found.toarray()[1, 400:].tolist() == [3.5, 4.5]


@pytest.mark.parametrize(("words", "dense"), [(matrix.WIDE, True), (matrix.WIDE + 1, False)])
def test_much_text_makes_it_sparse_too(words, dense):
    text = sparse.csr_matrix(([7.0], ([1], [words - 1])), shape=(2, words))
    found = matrix.assemble([[one_hot(2, 1, -1)], DENSE, text])
    assert isinstance(found, np.ndarray) is dense
    found = found if dense else found.toarray()
    assert found.shape == (2, 4 + words)
    assert found[:, :4].tolist() == [[0, 1, 1.5, 2.5], [0, 0, 3.5, 4.5]]
    assert (found[1, -1], found[:, 4:].sum()) == (7, 7)


def test_a_sparse_matrix_is_as_wide_as_its_block_also_where_no_row_has_the_last_category():
    assert matrix.assemble([[one_hot(400, 3, 5)]]).shape == (2, 400)
    assert matrix.assemble([[one_hot(400, 3, -1)]]).shape == (2, 400)


@pytest.mark.parametrize(("width", "dense"), [(matrix.WIDE, True), (matrix.WIDE + 1, False)])
def test_beside_text_the_same_width_decides(width, dense):
    assert isinstance(matrix.assemble([[one_hot(width, 3, 5)], TEXT]), np.ndarray) is dense


def test_text_beside_wide_categories_is_joined_to_them():
    found = matrix.assemble([[one_hot(300, 2, -1)], TEXT])
    assert found.format == "csr"
    assert found.toarray()[:, [2, 300, 301]].tolist() == [[1, 0, 7], [0, 8, 0]]


def test_pieces_come_one_below_the_other():
    found = matrix.below(iter([DENSE, DENSE[:1]]), 3)
    assert found.tolist() == [[1.5, 2.5], [3.5, 4.5], [1.5, 2.5]]
    assert found.dtype == DENSE.dtype
    together = matrix.below(iter([TEXT, TEXT]), 4)
    assert together.format == "csr"
    assert together.toarray().tolist() == [[0, 7], [8, 0], [0, 7], [8, 0]]


# --- target means ------------------------------------------------------------------------------------


def by_hand(key, y, folds, smooth, prior=None):
    """Cross-fitted means, row by row: of the other folds' rows with the same key, shrunk to their mean."""
    found = []
    for i in range(len(y)):
        apart = folds != folds[i]
        alike = apart & (key == key[i])
        towards = y[apart].mean() if prior is None else prior[i]
        found.append((y[alike].sum() + smooth * towards) / (alike.sum() + smooth))
    return np.array(found)


def test_means_of_training_rows_are_those_of_the_other_folds():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"zone": rng.integers(0, 4, 60), "pair": rng.integers(0, 9, 60)})
    y, folds = rng.gamma(2, 5, 60), np.random.default_rng(7).integers(0, 5, 60)
    part = encode("target_mean", "pair", "zone", prior={"pair": ("zone",)}, smooth=4.0, folds=5, counts=True)
    encoding, found = fitted(rows, part, y=y, seed=7)
    assert encoding.get_feature_names_out().tolist() == [
        "target by zone",
        "target by pair",
        "rows by zone",
        "rows by pair",
    ]
    zone = by_hand(rows["zone"].to_numpy(), y, folds, 4.0)
    assert same(found[:, 0], zone)
    assert same(found[:, 1], by_hand(rows["pair"].to_numpy(), y, folds, 4.0, zone))
    sizes = rows["pair"].map(rows["pair"].value_counts())
    assert found[:, 3].tolist() == (sizes - 1).tolist()  # a row is not counted among its own
    assert encoding.transform(rows)[:, 3].tolist() == sizes.tolist()


def test_means_for_rows_to_predict_are_those_of_all_training_rows():
    """Zone 1 has 10 and 20, zone 2 has 60; overall 30. Smoothed by 2: (30 + 60) / 4, and (60 + 60) / 3."""
    rows, y = pd.DataFrame({"zone": [1, 1, 2]}), np.array([10.0, 20.0, 60.0])
    encoding, _ = fitted(rows, encode("target_mean", "zone", smooth=2.0), y=y)
    asked = pd.DataFrame({"zone": [1, 2, 3, None]})
    assert same(encoding.transform(asked)[:, 0], [22.5, 40, 30, 30])


def test_a_row_without_its_key_gets_what_the_others_say_overall():
    rows, y = pd.DataFrame({"zone": ["a", None, "a", None, "a", None]}), np.arange(6.0)
    folds = np.random.default_rng(0).integers(0, 8, 6)
    encoding, found = fitted(rows, encode("target_mean", "zone", counts=True), y=y)
    for i in (1, 3, 5):
        assert found[i, 0] == pytest.approx(y[folds != folds[i]].mean())
        assert found[i, 1] == 0
    assert encoding.transform(rows)[:, 1].tolist() == [3, 0, 3, 0, 3, 0]


def test_two_parents_count_alike():
    """Pair unseen: parents 12 and 24 by smooth 0 give 18."""
    rows = pd.DataFrame({"one": ["a", "b"], "two": ["c", "d"], "pair": ["ac", "bd"]})
    part = encode("target_mean", "one", "two", "pair", prior={"pair": ("one", "two")}, smooth=1e-9)
    encoding, _ = fitted(rows, part, y=np.array([12.0, 24.0]))
    found = encoding.transform(pd.DataFrame({"one": ["a"], "two": ["d"], "pair": ["ad"]}))
    assert same(found, [[12, 24, 18]])


def test_a_prior_that_is_no_key_is_refused():
    with pytest.raises(InferenceError, match=r"names a key that is not among \['zone'\]"):
        fitted(pd.DataFrame({"zone": [1]}), encode("target_mean", "zone", prior={"zone": ("town",)}))


def test_target_means_need_a_target():
    with pytest.raises(InferenceError, match="target_mean needs the target"):
        TargetMean(["zone"]).fit(pd.DataFrame({"zone": [1]}))


PACES = pd.DataFrame(
    {"zone": [1] * 4 + [2] * 4, "miles": [2.0] * 4 + [4.0] * 4, "fare": [5.0] * 4 + [8.0] * 4}
)
MINUTES = np.array([10.0] * 4 + [40.0] * 4)


def test_a_mean_may_be_of_a_column_or_of_a_ratio_of_two():
    of = ("target", "fare", "target/miles", "fare/miles")
    encoding, _ = fitted(PACES, encode("target_mean", "zone", of=of, smooth=1e-9), y=MINUTES)
    assert encoding.get_feature_names_out().tolist() == [f"{what} by zone" for what in of]
    assert same(encoding.transform(PACES.iloc[[0, 7]]), [[10, 5, 5, 2.5], [40, 8, 10, 2]])


def test_a_ratio_is_missing_where_a_side_is_not_above_zero():
    rows = pd.concat([PACES, pd.DataFrame({"zone": [1, 1], "miles": [0.0, -3.0], "fare": [9.0, 9.0]})])
    part = encode("target_mean", "zone", of=("target/miles",), smooth=1e-9, counts=True)
    encoding, found = fitted(rows, part, y=np.r_[MINUTES, 99.0, 99.0])
    assert same(encoding.transform(rows.head(1)), [[5, 4]])
    assert found[0, 1] == 3  # of the other rows those that have a ratio
    assert found[-1, 1] == 4
    _, other = fitted(rows.head(8), part, y=np.r_[0.0, MINUTES[1:]])
    assert other[0, 1] == 3


def test_the_outermost_ratios_are_pulled_in():
    """Of 1,001 paces, 1 to 1,001, the outer half per cent on each side counts as 6 and 996."""
    rows = pd.DataFrame({"zone": np.arange(1001), "miles": np.ones(1001)})
    encoding, _ = fitted(
        rows, encode("target_mean", "zone", of=("target/miles",), smooth=1e-9), y=np.arange(1, 1002)
    )
    found = encoding.transform(rows)[:, 0]
    assert (found.min(), found.max(), found[500]) == (
        pytest.approx(6),
        pytest.approx(996),
        pytest.approx(501),
    )


def test_a_row_s_own_column_is_held_against_what_is_usual():
    """A pace of 5 times its own 3 miles is 15 minutes; 6 of fare over the usual 5 is 1.2."""
    part = encode(
        "target_mean", "zone", of=("target/miles", "fare", "target", "fare/miles"), smooth=1e-9, usual=True
    )
    encoding, _ = fitted(PACES, part, y=MINUTES)
    assert encoding.get_feature_names_out().tolist()[4:] == [
        "target at miles by zone",
        "fare over usual by zone",
    ]
    asked = pd.DataFrame({"zone": [1], "miles": [3.0], "fare": [6.0]})
    assert same(encoding.transform(asked)[0, 4:], [15, 1.2])


def test_what_is_usually_next_to_nothing_does_not_make_a_share_endless():
    rows = PACES.assign(fare=0.01)
    part = encode("target_mean", "zone", of=("fare",), smooth=1e-9, usual=True)
    encoding, _ = fitted(rows, part, y=MINUTES)
    assert same(encoding.transform(rows.assign(fare=2.0).head(1))[0], [0.01, 20])


def test_counts_are_of_the_first_statistic_and_stand_between_means_and_shares():
    part = encode("target_mean", "zone", of=("target", "fare"), smooth=1e-9, counts=True, usual=True)
    encoding, _ = fitted(PACES, part, y=MINUTES)
    assert encoding.get_feature_names_out().tolist() == [
        "target by zone",
        "fare by zone",
        "rows by zone",
        "fare over usual by zone",
    ]
    assert same(encoding.transform(PACES.head(1)), [[10, 5, 4, 1]])


def test_means_are_stored_with_their_keys_and_read_back(tmp_path):
    rows = PACES.assign(colour=["red", "blue"] * 4)
    part = encode("target_mean", "zone", "colour", of=("target", "target/miles"), counts=True, usual=True)
    encoding, _ = fitted(rows, part, y=MINUTES)
    encoding.save(tmp_path)
    again = Encoding.load(tmp_path)
    assert again.get_feature_names_out().tolist() == encoding.get_feature_names_out().tolist()
    asked = pd.concat([rows, rows.head(1).assign(zone=9, colour="grey")])
    assert np.array_equal(again.transform(asked), encoding.transform(asked))


def test_of_rows_that_belong_together_none_knows_the_target_of_another():
    rows = pd.DataFrame({"zone": list("aabbccddee"), "album": list("aabbccddee")})
    part, y = encode("target_mean", "zone", smooth=1.0), np.arange(10.0)
    one, other = (
        Encoding([part], random_state=1, groups=("album",)).fit_transform(rows, target)
        for target in (y, np.where(rows["album"] == "a", 99.0, y))
    )
    assert same(one[:2], other[:2])
    assert not same(one[2:], other[2:])


def test_the_seed_deals_the_folds():
    rng = np.random.default_rng(0)
    rows, y = pd.DataFrame({"zone": rng.integers(0, 3, 50)}), rng.normal(size=50)
    one, again, other = (fitted(rows, encode("target_mean", "zone"), y=y, seed=seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
