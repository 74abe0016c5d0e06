"""scikit-learn's contract: what is fitted is an estimator, by scikit-learn's own checks and in its tools."""

import mlflow.pyfunc
import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from lib import packaging, problem
from lib.runtime import models
from lib.runtime.encoders import ENCODERS, Encoding
from lib.runtime.encoders.columns import DaysBefore, Number, OneHot, Ordinal
from lib.runtime.encoders.means import TargetMean
from lib.runtime.inference import InferencePipeline

#: Checks of scikit-learn that cannot hold, each with the reason.
CROSS_FITTED = "A training row's means are those of the other rows (cross-fitting), as with TargetEncoder."
FAILING = {
    "TargetMean": {
        "check_transformer_general": CROSS_FITTED,
        "check_transformer_data_not_an_array": CROSS_FITTED,
        "check_requires_y_none": "It asks for y by this project's own exception, which is no ValueError.",
    }
}


def failing(estimator):
    return FAILING.get(type(estimator).__name__, {})


CHECKED = [
    models.BoostedRegressor(num_boost_round=10),
    models.BoostedClassifier(num_boost_round=10),
    models.SklearnRegressor(Ridge()),
    models.SklearnClassifier(LogisticRegression()),
    Number(impute="median", scale=True),
    OneHot(),
    Ordinal(),
    DaysBefore(),
    TargetMean(),
]
#: Encoders that take no array of the checks, each with the reason.
UNCHECKED = {"tfidf": "It takes one column of text; scikit-learn's checks bring tables of numbers."}


@parametrize_with_checks(CHECKED, expected_failed_checks=failing)
def test_scikit_learn_s_own_checks_hold(estimator, check):
    check(estimator)


def test_every_encoder_is_checked_or_it_is_said_why_not():
    checked = {how for how, kind in ENCODERS.items() if kind in map(type, CHECKED)}
    assert checked | UNCHECKED.keys() == ENCODERS.keys()
    assert not checked & UNCHECKED.keys()


# --- the pipeline of raw rows, in scikit-learn's tools


def rows(name, n=600):
    dataset = problem.load(name)
    known = dataset.clean(dataset.labelled(dataset.generate(n, 3))).rows
    return dataset, known.drop(columns=dataset.target.name), known[dataset.target.name]


@pytest.fixture(scope="module")
def trips():
    dataset, X, y = rows("green_taxi")
    few = {"num_boost_round": 20, "max_depth": 3}
    return InferencePipeline(dataset.serving, "rich", parameters=few, random_state=1), X, y


@pytest.fixture(scope="module")
def songs():
    dataset, X, y = rows("music_genres", 900)
    few = {"n_estimators": 8, "max_depth": 6}
    return (
        InferencePipeline(dataset.serving, "course_with_playlist", "random_forest", few, random_state=1),
        X,
        y,
    )


def test_a_clone_has_the_arguments_and_has_learnt_nothing(trips):
    pipeline, X, y = trips
    fitted = clone(pipeline).fit(X, y)
    again = clone(fitted)
    assert again.get_params() == pipeline.get_params()
    assert not hasattr(again, "model_")
    assert np.array_equal(again.fit(X, y).predict(X), fitted.predict(X))
    assert again.set_params(parameters={"num_boost_round": 3}).fit(X, y).model_.rounds_ == 3


@pytest.mark.parametrize("how", ENCODERS)
def test_an_encoder_s_settings_are_arguments_that_it_keeps_as_they_are(how):
    encoder = ENCODERS[how](["a"])
    assert clone(encoder).get_params() == encoder.get_params()
    assert encoder.get_params()["columns"] == ["a"]


def same(one, other):
    return np.array_equal(one, other, equal_nan=True)


def test_all_encoders_together_are_one_transformer(trips):
    _, X, y = trips
    dataset = problem.load("green_taxi")
    engineered = dataset.engineer(X)
    encoding = Encoding(dataset.feature_set("rich").encodes, random_state=3)
    matrix = encoding.fit_transform(engineered, y)
    assert same(clone(encoding).fit_transform(engineered, y), matrix)
    assert clone(encoding).fit(engineered, y) is not encoding
    assert same(clone(encoding).fit(engineered, y).transform(engineered), encoding.transform(engineered))
    assert not same(encoding.transform(engineered), matrix)  # its means are cross-fitted
    assert encoding.get_feature_names_out().shape == matrix.shape[1:]
    frame = clone(encoding).set_output(transform="pandas").fit_transform(engineered, y)
    assert list(frame) == list(encoding.get_feature_names_out())


def test_what_xgboost_takes_is_an_argument_of_the_booster(trips):
    x = np.random.default_rng(0).normal(size=(200, 3))
    search = GridSearchCV(models.BoostedRegressor(num_boost_round=5), {"max_depth": [1, 3]}, cv=2)
    assert search.fit(x, x[:, 0]).best_params_ == {"max_depth": 3}
    assert clone(search.best_estimator_).get_params()["max_depth"] == 3


def test_cross_val_score_fits_and_judges_the_whole_pipeline(trips, songs):
    pipeline, X, y = trips
    found = cross_val_score(pipeline, X, y, cv=KFold(3), scoring="neg_mean_absolute_error")
    fit, judge = next(iter(KFold(3).split(X)))
    first = clone(pipeline).fit(X.iloc[fit], y.iloc[fit]).predict(X.iloc[judge])
    assert -found[0] == mean_absolute_error(y.iloc[judge], first)
    pipeline, X, y = songs
    assert (cross_val_score(pipeline, X, y, cv=2, scoring="roc_auc_ovo") > 0.5).all()
    assert len(cross_val_score(pipeline, X, y, cv=2)) == 2  # its own score, accuracy


def test_a_pipeline_is_what_its_problem_s_task_says(trips, songs):
    assert is_regressor(trips[0])
    assert is_classifier(songs[0])
    assert not hasattr(trips[0], "predict_proba")
    pipeline, X, y = songs
    fitted = clone(pipeline).fit(X, y)
    labels, chances = fitted.predict(X), fitted.predict_proba(X)
    assert fitted.classes_.tolist() == sorted(y.unique())
    assert (fitted.classes_[chances.argmax(axis=1)] == labels).all()
    assert fitted.score(X, y) == (labels == y).mean()
    assert fitted.n_features_in_ == len(fitted.inputs_)


def test_permutation_importance_finds_the_column_that_the_target_follows(trips):
    pipeline, X, y = trips
    found = permutation_importance(clone(pipeline).fit(X, y), X, y, n_repeats=2, random_state=0)
    assert X.columns[found.importances_mean.argmax()] == "trip_distance"
    assert found.importances_mean[list(X).index("fare_amount")] == 0  # it is no input


def test_probabilities_can_be_calibrated_around_it(songs):
    pipeline, X, y = songs
    calibrated = CalibratedClassifierCV(pipeline, cv=2).fit(X, y)
    assert np.allclose(calibrated.predict_proba(X.head(9)).sum(axis=1), 1)
    assert calibrated.classes_.tolist() == sorted(y.unique())


def test_its_target_can_be_transformed_around_it(trips):
    pipeline, X, y = trips
    around = TransformedTargetRegressor(pipeline, func=np.sqrt, inverse_func=np.square).fit(X, y)
    inside = clone(pipeline).fit(X, np.sqrt(y)).predict(X)
    assert np.allclose(around.predict(X), inside**2)


@pytest.mark.parametrize("name", ["trips", "songs"])
def test_a_model_that_mlflow_has_loaded_holds_the_estimator(name, request, tmp_path):
    pipeline, X, y = request.getfixturevalue(name)
    fitted = clone(pipeline).fit(X, y)
    packaging.save_model(fitted, tmp_path / "model", X.head(3))
    served = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    stored = served.unwrap_python_model().pipeline
    assert np.array_equal(stored.predict(X), fitted.predict(X))
    assert clone(stored).get_params().keys() == pipeline.get_params().keys()
    assert np.array_equal(clone(stored).fit(X, y).predict(X), fitted.predict(X))
    doubles = X.astype(dict.fromkeys(X.select_dtypes("number"), "float64"))  # as the signature has them
    answer = served.predict(
        doubles[list(fitted.inputs_)]
    )  # as ever: numbers, or probabilities with the label
    if name == "trips":
        assert np.array_equal(answer, fitted.predict(X))
    else:
        assert list(answer) == [*fitted.classes_, "label"]
        assert answer["label"].tolist() == fitted.predict(X).tolist()


def test_rows_to_fit_may_hold_their_target_which_is_marked_and_not_learnt_from(trips):
    pipeline, X, y = trips
    labelled = X.assign(duration=y)
    apart, together = clone(pipeline).fit(X, y), clone(pipeline).fit(labelled, y)
    assert np.array_equal(apart.seen_, together.seen_)
    assert np.array_equal(apart.predict(X), together.predict(X))


def test_a_target_that_is_transformed_comes_back_in_its_own_unit():
    x = np.random.default_rng(0).uniform(1, 3, size=(300, 2))
    line = models.SklearnRegressor(Ridge(alpha=1e-9), target="sqrt").fit(x, x[:, 0] ** 2)
    assert np.allclose(line.predict(x), x[:, 0] ** 2)
    assert isinstance(clone(line).estimator, Ridge)
