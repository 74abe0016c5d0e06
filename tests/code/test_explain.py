"""Why a model predicts what it does: shares in the target's unit, names of features, what is leant on."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import explain, problem
from lib.explain import leaning, names
from lib.plots import attributions
from lib.runtime import models
from lib.runtime.features import Derived, FeatureSet, Serving, encode
from lib.runtime.inference import InferencePipeline
from lib.runtime.schema import Column, Target

COLUMNS = {name: Column("number", "") for name in "abc"} | {
    "plan": Column("category", "what is paid for"),
    "town": Column("category", "where"),
    "late": Column("number", "counted afterwards", known="after"),
}


def serving(task, *encodes, columns=COLUMNS, derived=None):
    """A problem with these features and a target `y`."""
    target = Target("y", "min" if task == "regression" else "", "what is asked")
    features = FeatureSet("all", "all", tuple(encodes), admits=("late",))
    return Serving("made", task, target, columns, derived or {}, {"all": features})


def fitted(made, rows, family, **parameters):
    return InferencePipeline(made, "all", family, parameters, random_state=1).fit(rows, rows["y"])


def normal(rows=600, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, 3)), columns=list("abc"))


class TestShares:
    @pytest.mark.parametrize(
        "choice", ["xgboost", "random_forest", "extra_trees", "gradient_boosting", "logistic_regression"]
    )
    def test_every_family_s_shares_name_the_column_that_makes_a_class(self, choice):
        """The genre of a generated song leans on its numbers; the words of one text are one share."""
        dataset = problem.load("music_genres")
        rows = dataset.clean(dataset.labelled(dataset.generate(700, 3))).rows
        few = {
            "xgboost": {"num_boost_round": 5},
            "gradient_boosting": {"max_iter": 3},
            "logistic_regression": {},
        }
        parameters = few.get(choice, {"n_estimators": 5, "max_depth": 5})
        family = {"family": choice, "parameters": parameters}
        pipeline = InferencePipeline.chosen(dataset.serving, "course_with_playlist", family, 1).fit(
            rows, rows["genre"]
        )
        shares = explain.shares(pipeline, rows.head(100), rows.head(100))
        assert shares.moves.shape == (100, 13)  # ten numbers, bar, key, and all words as one
        assert "text_feature" in shares.moves
        genre = shares.label.removeprefix("probability of ")
        said = pipeline.response(rows.head(100))[genre]
        assert np.allclose(shares.moves.sum(axis=1) + shares.base, said, atol=1e-3)
        assert attributions.read_summary(shares).startswith("Over 100 rows, **")

    FAMILIES = (
        ("logistic_regression", {}),
        ("gradient_boosting", {"max_iter": 9}),
        ("gradient_boosting", {"n_estimators": 9}),
        ("xgboost", {"num_boost_round": 9}),
        ("random_forest", {"n_estimators": 9}),
    )

    @pytest.mark.parametrize("classes", [("low", "up", "up"), ("low", "mid", "up")], ids=["two", "three"])
    @pytest.mark.parametrize(("family", "parameters"), FAMILIES)
    def test_they_add_up_to_the_probability_of_the_class_that_they_name(self, family, parameters, classes):
        """Of two classes the second, of three the commonest; a large `a` speaks against "low"."""
        rows = normal()
        rows["y"] = np.array(classes)[np.digitize(rows["a"], [0.6, 1.5])]
        pipeline = fitted(serving("classification", encode("number", *"abc")), rows, family, **parameters)
        shares = explain.shares(pipeline, rows, rows)
        label, way = ("up", 1) if "mid" not in classes else ("low", -1)
        assert shares.label == f"probability of {label}"
        assert way * rows["a"].corr(shares.moves["a"]) > 0.5
        assert np.allclose(shares.moves.sum(axis=1) + shares.base, pipeline.response(rows)[label], atol=2e-3)

    @pytest.mark.parametrize("target", ["identity", "sqrt", "log"])
    @pytest.mark.parametrize(("family", "parameters"), [("xgboost", {"num_boost_round": 20}), ("lasso", {})])
    def test_of_a_number_they_are_in_its_own_unit_whatever_the_model_was_fitted_to(
        self, family, parameters, target
    ):
        rows = normal()
        rows["y"] = 20 + 3 * rows["a"] + rows["b"]
        made = serving("regression", encode("number", *"abc"))
        pipeline = fitted(made, rows, family, target=target, alpha=0.001, **parameters) if (
            family == "lasso"
        ) else fitted(made, rows, family, target=target, **parameters)  # fmt: skip
        shares = explain.shares(pipeline, rows.head(200), rows)
        assert (shares.label, shares.unit) == ("y", "min")
        assert np.allclose(
            shares.moves.sum(axis=1) + shares.base, pipeline.predict(rows.head(200)), atol=0.01
        )
        assert shares.base == pytest.approx(20, abs=1.5)
        assert shares.moves["a"].std() == pytest.approx(3, rel=0.2)

    def test_shares_of_a_row_whose_moves_cancel_out_are_still_in_the_unit(self):
        """At 9 the square has slope 6: √9 and moves of ±0.1."""
        moves, start = explain._rescaled(np.array([[0.1, -0.1]]), 3.0, np.square)
        assert start == 9
        assert np.allclose(moves, [[0.6, -0.6]], atol=1e-4)

    def test_the_shares_of_a_line_are_its_weights_times_the_distance_from_the_usual(self):
        dataset = problem.load("green_taxi")
        rows = dataset.clean(dataset.labelled(dataset.generate(900, 3))).rows
        choice = {"family": "linear_regression", "parameters": {}}
        for feature_set in ("zoomcamp", "rich"):
            pipeline = InferencePipeline.chosen(dataset.serving, feature_set, choice, 1).fit(
                rows, rows["duration"]
            )
            shares = explain.shares(pipeline, rows.head(9), rows)
            said = pipeline.predict(rows.head(9))
            assert np.allclose(shares.moves.sum(axis=1) + shares.base, said, atol=0.01)

    def test_a_category_goes_by_its_name_and_has_no_order(self):
        rows = normal()
        rows["plan"] = np.where(rows["a"] > 0, "gold", "basic")
        rows["town"] = np.array(["Ur", "Uruk"])[np.arange(600) % 2]
        rows["y"] = 10 + 5.0 * (rows["plan"] == "gold") + rows["b"]
        made = serving(
            "regression", encode("ordinal", "plan"), encode("one_hot", "town"), encode("number", "b")
        )
        shares = explain.shares(fitted(made, rows, "xgboost", num_boost_round=30), rows, rows)
        assert shares.features[["plan", "town"]].isna().all(axis=None)
        assert shares.shown["plan"].tolist() == rows["plan"].tolist()
        assert shares.shown["town"].tolist() == rows["town"].tolist()
        assert "(furthest up: gold, down: basic)" in attributions.read_summary(shares)
        labels = [text.get_text() for text in attributions.one_row(shares).axes[0].get_yticklabels()]
        assert f"plan = {rows['plan'][0]}" in labels
        attributions.summary(shares)

    @pytest.mark.parametrize(
        ("name", "feature_set", "without_order", "with_order"),
        [
            ("green_taxi", "rich_no_distance", ["pickup_borough", "pickup_zone", "VendorID"], "pickup_hour"),
            ("green_taxi", "zoomcamp", ["PU_DO"], "trip_distance"),
            ("music_genres", "audio", ["key", "mode", "time_signature"], "tempo"),
            ("music_genres", "rich_with_playlist", ["texts"], "text_length"),
        ],
    )
    def test_codes_go_by_the_names_that_the_pictures_have_and_have_no_order(
        self, name, feature_set, without_order, with_order
    ):
        dataset = problem.load(name)
        rows = dataset.clean(dataset.labelled(dataset.generate(500, 3))).rows
        choice = {"family": "xgboost", "parameters": {"num_boost_round": 3}}
        y = rows[dataset.target.name]
        pipeline = InferencePipeline.chosen(dataset.serving, feature_set, choice, 1).fit(rows, y)
        some = rows.head(100)
        shares = explain.shares(pipeline, some, some, value_names=dataset.value_names)
        assert shares.features[without_order].isna().all(axis=None)
        assert shares.features[with_order].notna().any()
        codes = dataset.engineer(some)
        for column in without_order:
            called = codes[column].map(dataset.value_names[column])
            assert shares.shown[column].tolist() == called.tolist()
            assert not set(called) & set(codes[column].astype(str))

    def test_a_scaled_number_is_shown_as_the_row_has_it(self):
        rows = normal().assign(y=lambda t: t["a"])
        rows["a"] = 1000 + 200 * rows["a"]
        made = serving("regression", encode("number", "a", "b", scale=True, impute="median"))
        shares = explain.shares(fitted(made, rows, "lasso", alpha=0.01), rows, rows)
        assert shares.shown["a"][0] == f"{rows['a'][0]:,.4g}"

    def test_of_few_rows_no_feature_is_named(self):
        rows = normal(60).assign(y=lambda t: t["a"])
        pipeline = fitted(serving("regression", encode("number", *"abc")), rows, "lasso", alpha=0.01)
        said = attributions.read_summary(explain.shares(pipeline, rows, rows))
        assert said == "60 rows are too few to say which feature moves predictions most: it takes 100."

    def test_a_model_without_shares_is_refused_by_its_kind(self):
        pipeline = SimpleNamespace(model_=models.stored, matrix=lambda _: None)
        with pytest.raises(TypeError, match="No shares are known of a module"):
            explain.shares(pipeline, normal(9), normal(9))


class TestNames:
    @pytest.mark.parametrize("feature_set", ["zoomcamp", "rich", "rich_no_distance"])
    def test_every_feature_has_a_name_of_its_own_a_meaning_and_when_it_is_known(self, feature_set):
        dataset = problem.load("green_taxi")
        rows = dataset.clean(dataset.labelled(dataset.generate(500, 3))).rows
        choice = {"family": "lasso", "parameters": {"alpha": 0.1}}
        pipeline = InferencePipeline.chosen(dataset.serving, feature_set, choice, 1).fit(
            rows, rows["duration"]
        )
        table = names.dictionary(dataset.serving, pipeline.encoding_)
        assert set(pipeline.encoding_.groups_) <= set(table.index)
        assert table["called"].is_unique
        assert table["means"].str.len().min() > 3
        assert not table["called"].str.contains(r"\btarget\b|week_hour").any()
        late = table.index[table["known"] == "after"]
        assert all("distance" in name for name in late)
        assert bool(len(late)) == (feature_set != "rich_no_distance")

    def test_a_mean_is_told_by_the_target_and_by_what_its_key_means(self):
        derived = {"ab": Derived(("a", "b"), lambda rows: rows["a"] + rows["b"], "both ends, as a number")}
        means = encode("target_mean", "ab", of=("target", "target/c", "c"), counts=True, usual=True)
        made = serving("regression", means, derived=derived)
        rows = normal().abs().assign(y=1.0)
        table = names.dictionary(made, fitted(made, rows, "lasso").encoding_)
        assert table["called"].to_dict() == {
            "target by ab": "usual y, by both ends",
            "target/c by ab": "usual y per c, by both ends",
            "c by ab": "usual c, by both ends",
            "rows by ab": "rows seen, by both ends",
            "target at c by ab": "y expected at this c, by both ends",
            "c over usual by ab": "c over the usual, by both ends",
        }


class TestLeaning:
    def page(self, rows=800, seed=0):
        """Two columns that tell the same, one that tells nothing, one known late; and the model of them."""
        frame = normal(rows, seed)
        frame["b"] = frame["a"] + np.random.default_rng(seed).normal(0, 0.01, rows)
        frame["late"] = np.random.default_rng(seed + 1).normal(size=rows)
        frame["y"] = 10 + 5 * frame["a"] + 2 * frame["late"]
        made = serving("regression", encode("number", "a", "b", "c", "late"))
        return frame, fitted(made, frame.head(rows // 2), "xgboost", max_depth=3, num_boost_round=60)

    def test_a_refit_tells_what_a_column_is_worth_where_another_stands_in(self):
        rows, pipeline = self.page()
        train, test = rows.head(400), rows.tail(400)
        lost = leaning.permutation(pipeline, test, test["y"], "rmse")
        found = leaning.refitted(lost, pipeline, train, test, "rmse", most=3)
        first = next(name for name in found.index if name in "ab")
        assert found["worse"][first] > 1.5
        assert found["refit"][first] < 0.3 * found["worse"][first]
        assert found["refit"]["late"] > 0.8  # nothing stands in for that
        assert np.isnan(found["refit"]["c"])  # it loses no more than chance, and is not asked
        again = leaning.refitted(lost, pipeline, train, test, "rmse", most=3)
        pd.testing.assert_frame_equal(found, again)

    def test_the_sentence_says_shuffled_and_refitted_and_what_is_known_late(self):
        rows, pipeline = self.page()
        lost = leaning.permutation(pipeline, rows.tail(400), rows["y"].tail(400), "rmse")
        found = leaning.refitted(lost, pipeline, rows.head(400), rows.tail(400), "rmse")
        said = attributions.read_permutation(found, "rmse", "min")
        assert said.startswith(
            f"Shuffled, **{found.index[0]}** loses {found['worse'].iloc[0]:.3g} min of rmse"
        )
        assert "fitted anew without the column loses" in said
        assert "**late** is known only after the prediction is made" in said
        assert said.endswith("No more than chance is lost by shuffling c.")
        figure = attributions.permutation(found, "rmse", "min")
        words = [text.get_text() for text in figure.legends[0].get_texts()]
        assert words == [
            "shuffled",
            "shuffled, and known only after the prediction is made",
            "refitted without it",
        ]

    def test_on_noise_no_column_is_named(self):
        """At most 5 of 100 pages with three columns of noise may name one; here of 25."""
        named = 0
        for seed in range(25):
            rows = normal(400, seed).assign(y=np.random.default_rng(1000 + seed).normal(size=400))
            made = serving("regression", encode("number", *"abc"))
            pipeline = fitted(made, rows.head(200), "xgboost", max_depth=3, num_boost_round=10)
            lost = leaning.permutation(pipeline, rows.tail(200), rows["y"].tail(200), "rmse", seed=seed)
            named += "**" in attributions.read_permutation(lost, "rmse")
        assert named <= 3

    def test_of_few_rows_no_column_is_named(self):
        rows, pipeline = self.page()
        lost = leaning.permutation(pipeline, rows.tail(90), rows["y"].tail(90), "rmse")
        assert attributions.read_permutation(lost, "rmse").startswith("90 rows are too few")

    def test_the_error_bars_of_a_picture_are_inside_it(self):
        rows, pipeline = self.page()
        lost = leaning.permutation(pipeline, rows.tail(400), rows["y"].tail(400), "rmse")
        low, high = attributions.permutation(lost, "rmse").axes[0].get_xlim()
        assert low < lost["low"].min()
        assert lost["high"].max() < high
