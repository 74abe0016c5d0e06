"""The zoo: every family fits, is stored without pickle in the same bytes, and comes back the same."""

import hashlib
import itertools
import math
import sys
import time
import zipfile

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import Lasso
from threadpoolctl import threadpool_limits

from lib.runtime import models
from lib.runtime.errors import InferenceError
from lib.runtime.models import boosted, stored, walk
from lib.runtime.models.trees import Trees
from lib.tuning import spaces

FAMILIES = [(name, task) for name, family in models.ZOO.items() for task in family.tasks]


def rows(task, dense, n=240, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)).astype("float32")
    y = 3 * x[:, 0] + x[:, 1] ** 2 + 10
    y = np.array(["low", "mid", "top"])[np.digitize(y, [9.5, 12])] if task == "classification" else y
    return (x if dense else sparse.csr_matrix(np.where(x > 0, x, 0).astype(float))), y


def small(family, dense):
    """The family's first guess, with few trees."""
    space = spaces.space(family, dense)
    found = spaces.first(family, space)
    few = {"n_estimators": 5, "num_boost_round": 8} | (
        {"max_iter": 9} if family == "gradient_boosting" else {}
    )
    return {name: few.get(name, value) for name, value in found.items()}


def made(family, task, dense=True):
    matrix, y = rows(task, dense)
    return models.build(family, small(family, dense), task, 1, 1, dense).fit(matrix, y), matrix, y


@pytest.mark.parametrize("dense", [True, False], ids=["dense", "sparse"])
@pytest.mark.parametrize(("family", "task"), FAMILIES)
def test_a_stored_model_predicts_the_same_and_is_the_same_bytes_each_time(tmp_path, family, task, dense):
    model, matrix, _ = made(family, task, dense)
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        about = model.save(tmp_path / name)
        files = sorted((tmp_path / name).iterdir())
        digests.add(hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest())
        assert not any(file.suffix in (".pkl", ".joblib") for file in files)
    again = models.load(tmp_path / "two", about)
    assert np.array_equal(models.response(again, matrix), models.response(model, matrix))
    assert np.array_equal(again.predict(matrix), model.predict(matrix))
    assert len(digests) == 1


@pytest.mark.parametrize(("family", "task"), FAMILIES)
def test_every_family_learns_and_survives_a_missing_value(family, task):
    model, matrix, y = made(family, task)
    if task == "regression":
        assert np.corrcoef(model.predict(matrix), y)[0, 1] > 0.5
    else:
        chances = model.predict_proba(matrix)
        assert np.allclose(chances.sum(axis=1), 1, atol=1e-5)
        assert (model.classes_[chances.argmax(axis=1)] == model.predict(matrix)).all()
        assert (model.predict(matrix) == y).mean() > 0.6
    holed = matrix.copy()
    holed[0, 1] = np.nan
    assert np.isfinite(models.response(model, holed)).all()


@pytest.mark.parametrize(("family", "task"), FAMILIES)
def test_what_a_prediction_costs_is_counted(family, task):
    model, matrix, _ = made(family, task)
    assert 0 < model.comparisons(matrix) < 1000


def test_a_tree_costs_the_comparisons_on_the_way_to_its_leaves():
    """One stump: one comparison a row. Two rounds of depth 1: two."""
    matrix, y = rows("regression", True)
    for rounds in (1, 2):
        parameters = {"num_boost_round": rounds, "max_depth": 1}
        model = models.build("xgboost", parameters, "regression", 1, 1, True).fit(matrix, y)
        assert model.comparisons(matrix) == pytest.approx(rounds)


def test_the_first_round_that_is_best_on_validation_is_what_is_refitted():
    matrix, y = rows("regression", True)
    other, truth = rows("regression", True, seed=3)
    model = models.BoostedRegressor(num_boost_round=400, learning_rate=0.5)
    bins = model.binned(matrix, y)
    model.fit_watching(bins, other, rmse(truth), 30)
    assert 1 <= model.rounds_ < 400
    again = models.BoostedRegressor(num_boost_round=model.rounds_, learning_rate=0.5).fit(matrix, y)
    assert np.allclose(again.predict(other), model.predict(other), rtol=1e-5)


def rmse(truth):
    return lambda response: float(np.sqrt(np.mean((response - truth) ** 2)))


@pytest.mark.parametrize(("patience", "rounds"), [(2, 3), (5, 8)])
def test_boosting_stops_by_the_loss_that_it_is_given_and_after_the_rounds_that_it_is_given(patience, rounds):
    """Best at the third round, then better again at the eighth, which only the patient see."""
    losses = [5.0, 4.0, 3.0, 4.0, 4.0, 4.0, 3.5, 2.0, *[4.0] * 20]
    x, y = rows("regression", True)
    model = models.BoostedRegressor(num_boost_round=len(losses), learning_rate=0.05)
    bins, seen = model.binned(x, y), []

    def loss(response):
        seen.append(response)
        return losses[len(seen) - 1]

    model.fit_watching(bins, x, loss, patience)
    assert (model.rounds_, len(seen)) == (rounds, rounds + patience)
    assert np.allclose(model.predict(x), seen[rounds - 1])


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize(
    ("task", "given"),
    [
        ("regression", {"target": "sqrt"}),
        ("regression", {"objective": "reg:gamma"}),
        ("regression", {"objective": "reg:absoluteerror"}),
        ("classification", {}),
    ],
)
def test_each_round_is_judged_by_what_a_model_of_so_many_rounds_says(task, given, dense):
    matrix, y = rows(task, dense)
    seen = []

    def loss(response):
        seen.append(response)
        return -len(seen)

    model = models.build("xgboost", given | {"num_boost_round": 6}, task, 42, 1, dense)
    model.fit_watching(model.binned(matrix, y), matrix, loss, 5)
    assert len(seen) == model.rounds_ == 6
    for rounds in (1, 4):
        again = models.build("xgboost", given | {"num_boost_round": rounds}, task, 42, 1, dense)
        assert np.allclose(models.response(again.fit(matrix, y), matrix), seen[rounds - 1], rtol=1e-5)


def test_boosting_whose_time_is_over_before_it_begins_keeps_one_round():
    x, y = rows("regression", True)
    model = models.BoostedRegressor(num_boost_round=50)
    bins = model.binned(x, y)
    model.fit_watching(bins, x, rmse(y), 5, end=0.0)
    assert model.rounds_ == 1
    assert model.cut_


@pytest.mark.parametrize("dense", [True, False], ids=["dense", "sparse"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_scikit_learn_s_boosting_by_the_clock_is_to_the_last_bit_what_it_is_at_once(task, dense, monkeypatch):
    """Whole in any parts, and cut short the model of so many rounds; columns and rows are drawn by chance."""
    matrix, y = rows(task, dense)
    given = {"max_iter": 30, "max_features": 0.5} if dense else {"n_estimators": 30, "subsample": 0.7}

    def fitted(end=math.inf, **more):
        with threadpool_limits(1):
            model = models.build("gradient_boosting", given | more, task, 1, 1, dense).fit(matrix, y, end)
            return model, models.response(model, matrix)

    whole, said = fitted()
    assert (whole.rounds_, whole.cut_) == (30, False)
    for pace in (1.0, 20.0):  # so many seconds go by between two looks at the clock
        ticks = itertools.count(0.0, pace)
        monkeypatch.setattr(time, "monotonic", lambda ticks=ticks: next(ticks))
        parts, same = fitted(end=100.0 * pace)
        assert (parts.rounds_, parts.cut_) == (30, False)
        assert np.array_equal(same, said)
        cut, less = fitted(end=5.0 * pace)
        assert cut.cut_
        assert 3 <= cut.rounds_ < 30
        assert np.array_equal(fitted(num_boost_round=cut.rounds_)[1], less)


def test_what_does_not_boost_minds_no_clock_and_keeps_no_rounds():
    matrix, y = rows("regression", True)
    for family in ("lasso", "random_forest"):
        model = models.build(family, small(family, True), "regression", 1, 1, True).fit(matrix, y, 0.0)
        assert (model.rounds_, model.cut_) == (None, False)


GROWN = {
    "plain": {},
    "pruned": {"gamma": 30.0},
    "uneven": {"grow_policy": "lossguide", "max_leaves": 40, "max_depth": 0},
    "deep": {"max_depth": 12, "min_child_weight": 0.1},
    "stumps": {"max_depth": 1},
    "no split": {"gamma": 1e9},
    "forests": {"num_parallel_tree": 3, "subsample": 0.5},
    "absolute": {"objective": "reg:absoluteerror"},
}


@pytest.mark.parametrize("grown", GROWN)
def test_a_few_rows_walk_the_trees_to_the_very_number_that_xgboost_gives(grown):
    x, y = rows("regression", True, n=900)
    x[np.random.default_rng(1).random(x.shape) < 0.1] = np.nan  # gaps that have a side of their own
    model = models.build("xgboost", {"num_boost_round": 60, **GROWN[grown]}, "regression", 1, 1, True).fit(
        x, y
    )
    asked = x[:40].copy()
    asked[0], asked[1], asked[2] = np.inf, -np.inf, np.nan
    wanted = model.booster_.inplace_predict(asked)
    walked = Trees.of(model.booster_)
    assert np.array_equal(walked.sums(asked), wanted)
    assert np.array_equal(walked.sums(asked[:0]), wanted[:0])
    together = model.predict(asked)
    assert np.array_equal([model.predict(asked[i : i + 1])[0] for i in range(len(asked))], together)
    assert np.array_equal(together, wanted.astype(float))
    many = np.concatenate([asked, x])  # neither a whole number of blocks nor the same on each core
    assert np.array_equal(walk.sums(walked, many), model.booster_.inplace_predict(many))
    assert np.array_equal(walk.sums(walked, x[:1]), walked.sums(x[:1]))


def frozen(x):
    x = x.copy()
    x.setflags(write=False)
    return x


@pytest.mark.parametrize("backend", ["threading", "loky", "sequential"])
@pytest.mark.parametrize(
    "lying", [np.asfortranarray, frozen, lambda x: np.repeat(x, 2, axis=1)[:, ::2], lambda x: x[::-1]]
)
def test_very_many_rows_may_lie_in_memory_as_they_like_and_joblib_work_as_it_was_told(
    lying, backend, monkeypatch
):
    """Processes would fill copies of their own of what is answered."""
    x, y = rows("regression", True, n=900)
    x[::7, 1] = np.nan
    model = models.build("xgboost", {"num_boost_round": 20}, "regression", 1, 1, True).fit(x, y)
    asked = lying(x)
    wanted = model.predict(asked)
    monkeypatch.setattr(boosted, "MANY", 1)
    monkeypatch.setattr(model.booster_, "inplace_predict", None)
    with joblib.parallel_config(backend, n_jobs=2):
        assert np.array_equal(model.predict(asked), wanted)


def test_a_gap_goes_its_way_past_a_threshold_that_nothing_is_below():
    """Gaps to the left of minus infinity, all others to the right."""
    edge = {"left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0]}
    edge |= {"split_conditions": [-np.inf, 1.0, 2.0], "default_left": [1, 0, 0]}
    trees = Trees([edge, edge | {"default_left": [0, 0, 0]}], np.float32(0), 1)
    asked = np.array([[np.nan], [-np.inf], [-3e38], [np.inf]], np.float32)
    assert walk.sums(trees, asked).tolist() == trees.sums(asked).tolist() == [3, 4, 4, 4]


def test_very_many_rows_are_walked_without_xgboost_and_without_numba_by_it(monkeypatch):
    x, y = rows("regression", True, n=900)
    model = models.build("xgboost", {"num_boost_round": 60}, "regression", 1, 1, True).fit(x, y)
    wanted = model.predict(x)
    monkeypatch.setattr(boosted, "MANY", 900 * 60)
    with monkeypatch.context() as without_booster:
        without_booster.setattr(model.booster_, "inplace_predict", None)
        assert np.array_equal(model.predict(x), wanted)
        with pytest.raises(TypeError, match="NoneType"):  # a row fewer is XGBoost's
            model.predict(x[:-1])
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, walk.__name__)
    monkeypatch.delattr(models, "walk")
    assert np.array_equal(model.predict(x), wanted)
    assert walk.__name__ not in sys.modules


@pytest.mark.parametrize(
    ("task", "given"), [("classification", {}), ("regression", {"objective": "reg:gamma"})]
)
def test_what_is_more_than_a_sum_of_leaves_is_asked_of_xgboost(task, given):
    x, y = rows(task, True)
    model = models.build("xgboost", {"num_boost_round": 5, **given}, task, 1, 1, True).fit(x, y)
    assert Trees.of(model.booster_) is None
    one_by_one = np.concatenate([models.response(model, x[i : i + 1]) for i in range(9)])
    assert np.array_equal(one_by_one, models.response(model, x)[:9])


@pytest.mark.parametrize("family", ["xgboost", "gradient_boosting"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_response_round_by_round_ends_with_the_model_s_own(family, task):
    model, matrix, _ = made(family, task)
    rounds = list(model.staged(matrix))
    assert [number for number, _ in rounds] == list(range(1, len(rounds) + 1))
    assert np.allclose(rounds[-1][1], models.response(model, matrix))
    assert not np.allclose(rounds[0][1], rounds[-1][1])


def test_what_is_not_boosted_has_no_rounds():
    model, matrix, _ = made("random_forest", "regression")
    assert list(model.staged(matrix)) == []


def test_a_solver_that_did_not_converge_says_so():
    matrix, y = rows("regression", True)
    hasty = models.SklearnRegressor(Lasso(alpha=1e-9, max_iter=1, tol=1e-12)).fit(matrix, y)
    assert not hasty.converged_
    assert made("lasso", "regression")[0].converged_


def test_a_sparse_column_in_another_unit_changes_no_line_and_no_svr():
    """Metres in place of kilometres: without scaling the penalty would fall on another column."""
    matrix, y = rows("regression", dense=False)
    metres = sparse.csr_matrix(matrix.multiply([1000.0, 1.0, 1.0, 1.0]))
    for family in ("lasso", "linear_svr"):
        one, other = (
            models.build(family, small(family, False), "regression", 1, 1, False).fit(m, y).predict(m)
            for m in (matrix, metres)
        )
        assert np.allclose(one, other, rtol=1e-3, atol=1e-3), family


@pytest.mark.parametrize("target", ["sqrt", "log"])
def test_a_model_of_a_transformed_target_answers_in_the_target_s_own_unit(target):
    matrix, y = rows("regression", True)
    parameters = {"num_boost_round": 60, "target": target}
    model = models.build("xgboost", parameters, "regression", 1, 1, True).fit(matrix, y)
    assert abs(model.predict(matrix).mean() - y.mean()) < 0.3


def test_a_type_that_is_not_on_the_list_is_refused(tmp_path):
    from sklearn.preprocessing import FunctionTransformer

    stored.dump(FunctionTransformer(np.save), tmp_path / "model.skops")
    assert "schema.json" in zipfile.ZipFile(tmp_path / "model.skops").namelist()
    with pytest.raises(InferenceError, match=r"not trusted.*save"):
        stored.load(tmp_path / "model.skops")


def test_integers_of_a_search_are_integers():
    """XGBoost refuses a depth of 7.0."""
    space = {"max_depth": ("quniform", 1, 9, 1), "how": ("choice", ["a"]), "rate": ("uniform", 0, 1)}
    found = spaces.point(space, {"max_depth": np.float64(6.0), "how": np.int64(0), "rate": np.float64(0.5)})
    assert found == {"max_depth": 7, "how": "a", "rate": 0.5}
    assert type(found["max_depth"]) is int
    assert type(found["rate"]) is float
