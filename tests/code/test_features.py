"""Encoders: the course's matrix, scikit-learn's numbers, means that never see their own row."""

import numpy as np
import pandas as pd
import pytest

from lib.runtime import encoders
from lib.runtime.encoders.base import Vocabulary
from lib.runtime.errors import InferenceError
from lib.runtime.features import Derived, Rows, Serving, encode
from lib.runtime.schema import Column, Target
from lib.tuning import encoded


def fitted(rows, *encodes, y=None, seed=0):
    encoding = encoders.Encoding(encodes, random_state=seed)
    matrix = encoding.fit_transform(rows, np.zeros(len(rows)) if y is None else y)
    return encoding, matrix


def trips(n=3000, pairs=400, seed=0):
    rng = np.random.default_rng(seed)
    codes = pd.Series(rng.integers(0, pairs, n)).map(lambda k: f"{k % 23}_{k % 31}")
    return pd.DataFrame({"PU_DO": codes.astype("str"), "trip_distance": rng.gamma(2, 2, n)})


def test_one_hot_and_number_are_the_matrix_of_dict_vectorizer():
    from sklearn.feature_extraction import DictVectorizer

    rows = trips()
    theirs = DictVectorizer()
    wanted = theirs.fit_transform(rows.to_dict(orient="records"))
    ours, found = fitted(rows, encode("one_hot", "PU_DO"), encode("number", "trip_distance"))
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    assert found.shape == wanted.shape
    assert found.nnz == wanted.nnz
    assert abs(found - wanted).max() == 0
    assert found.indices.dtype == np.int32
    assert found.indptr.dtype == np.int32


def test_unseen_pairs_are_all_zeros_as_with_dict_vectorizer():
    from sklearn.feature_extraction import DictVectorizer

    rows, later = trips(), trips(seed=1).assign(PU_DO=lambda t: t["PU_DO"].where(t.index % 3 > 0, "264_264"))
    theirs = DictVectorizer().fit(rows.to_dict(orient="records"))
    ours, _ = fitted(rows, encode("one_hot", "PU_DO"), encode("number", "trip_distance"))
    assert abs(ours.transform(later) - theirs.transform(later.to_dict(orient="records"))).max() == 0


def test_number_imputes_and_scales_as_scikit_learn_does():
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    rows = pd.DataFrame({"a": [1.0, np.nan, 4.0, 10.0], "b": [0.0, 5.0, np.nan, 5.0]})
    wanted = StandardScaler().fit_transform(SimpleImputer(strategy="median").fit_transform(rows))
    encoding, found = fitted(rows, encode("number", "a", "b", impute="median", scale=True))
    assert np.allclose(found, wanted, atol=1e-6)
    assert np.allclose(
        encoding.transform(pd.DataFrame({"a": [np.nan], "b": [5.0]}))[0], wanted[[1], [0, 1]], atol=1e-6
    )


@pytest.mark.parametrize(
    ("how", "wanted"), [(None, np.nan), ("median", 2.0), ("mean", 3.0), ("most_frequent", 1.0), (-7, -7.0)]
)
def test_a_missing_number_becomes_what_impute_says(how, wanted):
    encoding, _ = fitted(pd.DataFrame({"x": [1.0, 1.0, 3.0, 7.0]}), encode("number", "x", impute=how))
    assert np.array_equal(encoding.transform(pd.DataFrame({"x": [np.nan]})), [[wanted]], equal_nan=True)


def test_ordinal_gives_places_in_sorted_order_and_minus_one_for_the_unseen():
    encoding, found = fitted(pd.DataFrame({"k": ["b", "a", None, "c"]}), encode("ordinal", "k"))
    assert found[:, 0].tolist() == [1, 0, -1, 2]
    assert encoding.transform(pd.DataFrame({"k": ["z"]}))[0, 0] == -1


def test_ordinal_counts_a_filled_value_as_one_of_its_own():
    _, found = fitted(pd.DataFrame({"k": [4.0, np.nan, 3.0]}), encode("ordinal", "k", fill=0))
    assert found[:, 0].tolist() == [2, 0, 1]


def test_the_reference_day_is_kept_so_that_a_single_row_is_not_always_zero_days_old():
    encoding, found = fitted(
        pd.DataFrame({"day": pd.to_datetime(["2019-06-01", "2019-06-11", None])}),
        encode("days_before", "day", fill="2019-05-01"),
    )
    assert found[:, 0].tolist() == [10, 0, 41]
    assert encoding.transform(pd.DataFrame({"day": [pd.Timestamp("2019-06-10")]}))[0, 0] == 1


def test_tfidf_weighs_words_as_scikit_learn_does_with_missing_text_as_empty():
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = pd.DataFrame({"name": ["cosy big room", None, "big sunny room", "loft"]})
    wanted = TfidfVectorizer(max_features=2, binary=True).fit_transform(rows["name"].fillna("")).toarray()
    encoding, found = fitted(rows, encode("tfidf", "name", words=2, binary=True))
    assert np.allclose(found, wanted, atol=1e-6)
    assert encoding.get_feature_names_out().tolist() == ["name: big", "name: room"]
    assert encoding.groups_ == ["name", "name"]


def test_text_without_a_word_is_no_column_rather_than_an_error():
    encoding, found = fitted(
        pd.DataFrame({"x": [1.0, 2.0], "t": ["a", None]}), encode("number", "x"), encode("tfidf", "t")
    )
    assert encoding.get_feature_names_out().tolist() == ["x"]
    assert found.shape == (2, 1)
    assert encoding.transform(pd.DataFrame({"x": [3.0], "t": ["word"]})).tolist() == [[3.0]]


def test_a_training_row_never_meets_its_own_target_among_its_features():
    """Every key is seen once: cross-fitted, its own answer must not come back (as the plain mean would)."""
    rows, y = pd.DataFrame({"key": np.arange(500)}), np.random.default_rng(0).normal(10, 3, 500)
    encoding, found = fitted(rows, encode("target_mean", "key", smooth=0.001), y=y)
    assert abs(np.corrcoef(found[:, 0], y)[0, 1]) < 0.2
    assert np.corrcoef(encoding.transform(rows)[:, 0], y)[0, 1] > 0.99


def test_a_mean_of_few_rows_is_shrunk_towards_its_parents():
    """Pair 7 was seen twice at 40; parents 1 and 2 have mean m1, m2: (80 + 10 (m1 + m2) / 2) / 12."""
    rows = pd.DataFrame({"one": [1] * 50 + [2] * 2, "two": [3] * 50 + [4] * 2, "pair": [5] * 50 + [7] * 2})
    y = np.array([10.0] * 50 + [40.0] * 2)
    part = encode("target_mean", "one", "two", "pair", prior={"pair": ("one", "two")}, smooth=10.0)
    encoding, _ = fitted(rows, part, y=y)
    overall = y.mean()
    parent = (80 + 10 * overall) / 12
    found = encoding.transform(pd.DataFrame({"one": [2], "two": [4], "pair": [7]}))
    assert found[0, encoding.get_feature_names_out().tolist().index("target by pair")] == pytest.approx(
        (80 + 10 * parent) / 12, rel=1e-5
    )


def test_an_unseen_pair_gets_its_parents_mean_and_an_unseen_zone_the_overall_one():
    rows = pd.DataFrame({"zone": [1, 1, 2, 2], "pair": [11, 12, 21, 22]})
    y = np.array([10.0, 10.0, 30.0, 30.0])
    part = encode("target_mean", "zone", "pair", prior={"pair": ("zone",)}, smooth=2.0, counts=True)
    encoding, _ = fitted(rows, part, y=y)
    known, strange = encoding.transform(pd.DataFrame({"zone": [1, 9], "pair": [19, 99]}))
    assert known[:2].tolist() == [15.0, 15.0]  # zone 1: (20 + 2 * 20) / 4
    assert strange[:2].tolist() == [20.0, 20.0]
    assert strange[2:].tolist() == [0.0, 0.0]


def test_no_single_impossible_distance_rules_a_mean_pace():
    """One trip of 120,098 miles among 400 of 2 miles in 10 minutes: pace 5, speed 0.2."""
    rows = pd.DataFrame({"zone": [1] * 401, "miles": [2.0] * 400 + [120_098.0]})
    part = encode("target_mean", "zone", of=("target/miles", "miles/target"), smooth=0.0)
    encoding, _ = fitted(rows, part, y=np.full(401, 10.0))
    assert np.allclose(encoding.transform(rows.head(1)), [[5.0, 0.2]], rtol=0.01)


@pytest.mark.parametrize("wide", [True, False])
def test_what_was_saved_encodes_the_same(tmp_path, wide):
    rows = trips() if wide else trips(pairs=5)
    rows["text"], rows["day"] = "big room", pd.Timestamp("2023-01-01")
    y = rows["trip_distance"].to_numpy()
    encoding, _ = fitted(
        rows,
        encode("one_hot", "PU_DO", impute="most_frequent"),
        encode("target_mean", "PU_DO", of=("target", "target/trip_distance"), counts=True, usual=True),
        encode("number", "trip_distance", impute="median", scale=True),
        encode("tfidf", "text"),
        encode("ordinal", "PU_DO"),
        encode("days_before", "day"),
        y=y,
    )
    encoding.save(tmp_path)
    again, dense = encoders.Encoding.load(tmp_path), lambda m: m.toarray() if wide else m
    assert again.get_feature_names_out().tolist() == encoding.get_feature_names_out().tolist()
    assert np.array_equal(dense(again.transform(rows)), dense(encoding.transform(rows)))
    assert not any(b"pickle" in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("pairs", [5, 400], ids=["dense", "sparse"])
def test_rows_encoded_in_pieces_are_those_encoded_at_once(monkeypatch, pairs):
    rows = trips(pairs=pairs)
    encoding, _ = fitted(
        rows, encode("one_hot", "PU_DO"), encode("target_mean", "PU_DO"), encode("number", "trip_distance"),
        y=rows["trip_distance"],
    )  # fmt: skip
    whole = encoding.transform(rows)
    monkeypatch.setattr(encoders, "PIECE", 700)
    pieces = encoding.transform(rows)
    assert type(pieces) is type(whole)
    assert pieces.shape == whole.shape
    assert abs(pieces - whole).max() == 0


def test_an_unknown_encoder_or_setting_is_named_beside_those_that_are_there():
    with pytest.raises(InferenceError, match=r"no encoder 'one_hut'.*one_hot"):
        encoders.Encoding([encode("one_hut", "x")]).fit(trips())
    with pytest.raises(InferenceError, match=r"no setting \['scales'\].*scale"):
        encoders.Encoding([encode("number", "x", scales=True)]).fit(trips())
    with pytest.raises(InferenceError, match=r"No encoder of this feature set takes"):
        encoders.Encoding([encode("number", "x")], {"tfidf.words": 3}).fit(trips())


def serving(**derived):
    """A problem with the raw columns a and b, and these derived ones."""
    columns = {"a": Column("number", "one"), "b": Column("number", "other")}
    return Serving("tiny", "regression", Target("y", "", ""), columns, derived, {})


TINY = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]}, index=[7, 8, 9])


def test_a_derived_column_is_computed_from_a_real_data_frame():
    problem = serving(
        both=Derived(("a", "b"), lambda rows: rows[["a", "b"]].sum(axis=1)),
        count=Derived(("a",), lambda rows: np.full(len(rows), len(rows))),
        assigned=Derived(("both",), lambda rows: rows.assign(c=rows["both"] * 2)["c"]),
    )
    found = problem.engineer(TINY)
    assert found["both"].tolist() == [5.0, 7.0, 9.0]
    assert found["count"].tolist() == [3, 3, 3]
    assert found["assigned"].tolist() == [10.0, 14.0, 18.0]
    assert list(found) == ["a", "b", "both", "count", "assigned"]
    assert found.index.equals(TINY.index)


def careless(rows):
    """Changes what it was given: replaces a column, writes into another, adds a third."""
    rows["a"] = rows["a"] * 100
    rows.loc[rows.index[0], "b"] = -1.0
    rows["extra"] = 0
    return rows["a"]


def test_a_derived_column_that_changes_its_frame_changes_it_for_no_other():
    raw = TINY.copy()
    problem = serving(
        first=Derived(("a",), careless),
        second=Derived(("a", "b"), lambda rows: rows["a"] + rows["b"]),
        third=Derived(("first", "b"), lambda rows: rows["b"] + len(rows.columns)),
    )
    found = problem.engineer(raw)
    assert found["second"].tolist() == [5.0, 7.0, 9.0]
    assert found["third"].tolist() == [8.0, 9.0, 10.0]  # a, b, first, second
    assert found["a"].tolist() == TINY["a"].tolist()
    pd.testing.assert_frame_equal(raw, TINY)


def test_a_derived_column_goes_by_the_rows_it_is_about_not_by_the_order_it_comes_in():
    problem = serving(turned=Derived(("a",), lambda rows: rows["a"].sort_values(ascending=False)))
    assert problem.engineer(TINY)["turned"].tolist() == [1.0, 2.0, 3.0]


def test_a_column_that_is_neither_raw_nor_derived_is_named():
    with pytest.raises(InferenceError, match=r"Column 'c' is missing; the rows have \['a', 'b'\]"):
        serving(d=Derived(("c",), lambda rows: rows["c"])).engineer(TINY)


@pytest.mark.parametrize(
    ("seen", "asked"),
    [
        ([3, 1, 2], [2, 9, 1]),
        ([3, 1, 2], [2.0, np.nan, 1.5]),
        (["b", "a"], ["a", None, "z"]),
        ([1.5, 2.5], [2.5, np.nan, 0.0]),
        (pd.to_datetime(["2024-01-02", "2024-01-01"]), pd.to_datetime(["2024-01-02", None, "2025-01-01"])),
    ],
    ids=["integers", "floats among integers", "text", "floats", "times"],
)
def test_a_value_has_the_same_place_whether_it_is_looked_up_alone_or_among_many(seen, asked):
    vocabulary, _ = Vocabulary.learn(pd.Series(seen))
    alone = vocabulary.positions(pd.Series(asked))
    many = vocabulary.positions(pd.concat([pd.Series(asked)] * 50, ignore_index=True))
    assert alone.tolist() == many[: len(asked)].tolist()
    assert (alone >= 0).any()
    assert (alone < 0).any()


def test_a_derived_column_may_use_its_rows_as_a_frame_and_change_them_without_anybody_seeing():
    def changing(rows):
        column = rows["a"]
        column[column < 0] = 0.0
        rows.loc[rows["b"] > 0, "b"] = -1.0
        rows["c"] = rows["a"] + rows["b"]
        return rows["c"] + len(rows) + column

    def plain(rows):
        return rows[["a", "b"]].sum(axis=1) + rows.a

    derived = {
        "changing": Derived(("a", "b"), changing),
        "plain": Derived(("a", "b"), plain),
        "last": Derived(("changing", "plain"), lambda rows: rows["changing"] - np.asarray(rows["plain"])),
    }
    columns = {name: Column("number", name) for name in ("a", "b")}
    serving = Serving("tiny", "regression", Target("y", "", ""), columns, derived, {})
    rows = pd.DataFrame({"a": [-1.0, 2.0, 3.0], "b": [4.0, -5.0, 6.0]}, index=[7, 8, 9])
    kept = rows.copy()
    whole = serving.engineer(rows, ["last"])
    pd.testing.assert_frame_equal(rows, kept)
    a, b = kept["a"].to_numpy(), kept["b"].to_numpy()
    expected = (a + np.where(b > 0, -1.0, b) + 3 + np.maximum(a, 0)) - (2 * a + b)
    assert whole["last"].tolist() == expected.tolist()
    assert list(whole) == ["a", "b", "changing", "plain", "last"]


def test_an_array_of_rows_is_the_column_and_cannot_be_written_to():
    values = np.array([1.0, 2.0])
    rows = Rows({"a": values}, pd.RangeIndex(2)).own()
    assert rows.array("a").tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        rows.array("a")[0] = 5.0
    rows["a"] = rows["a"] + 1
    assert rows.array("a").tolist() == [2, 3]
    assert values.tolist() == [1, 2]


def test_rows_are_asked_for_their_columns_as_a_frame_is():
    rows = Rows({"a": np.array([1.0]), "b": np.array([2.0])}, pd.RangeIndex(1))
    assert "a" in rows
    assert "c" not in rows
    assert list(rows) == rows.columns.tolist() == ["a", "b"]


def test_how_encoded_columns_are_named_is_said_with_means_and_without():
    rows = trips(200)
    plain, _ = fitted(rows, encode("one_hot", "PU_DO"), encode("number", "trip_distance"))
    assert encoded.legend(plain).startswith("These names explain themselves: ")
    means, _ = fitted(rows, encode("target_mean", "PU_DO"), y=np.arange(200.0))
    assert "- `target by PU_DO`: the mean target of the other training rows" in encoded.legend(means)
