"""Probabilities that come true, means where means are asked for, and classes that nobody has seen."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from lib import evaluation, problem
from lib.evaluation import admissions, classes, scores
from lib.plots import calibration, residuals
from lib.plots import classes as pictures
from lib.profiling import association
from lib.runtime import models
from lib.runtime.encoders.means import TargetMean
from lib.runtime.errors import InferenceError
from lib.runtime.features import FeatureSet, encode
from lib.runtime.inference import InferencePipeline
from lib.tuning.matrices import Matrices, folds
from lib.tuning.plan import Plan
from lib.uncertainty import statistics
from lib.wording import rounded


def mixture(rows, seed):
    """Three classes of 6, 24 and 70 %, each a cloud of two numbers that overlap."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["rare", "some", "usual"], rows, p=[0.06, 0.24, 0.7])
    centre = pd.Series(y).map({"rare": 0.0, "some": 1.0, "usual": 2.0}).to_numpy()
    return rng.normal(centre[:, None], 1.2, (rows, 2)).astype(np.float32), y


WEIGHTED = [
    ("xgboost", {"balance": 1.0, "num_boost_round": 60, "max_depth": 3, "learning_rate": 0.1}),
    ("xgboost", {"balance": 0.5, "num_boost_round": 60, "max_depth": 3, "learning_rate": 0.1}),
    ("random_forest", {"class_weight": "balanced", "n_estimators": 60, "min_samples_leaf": 20}),
    ("extra_trees", {"class_weight": "balanced_subsample", "n_estimators": 60, "min_samples_leaf": 20}),
    ("gradient_boosting", {"class_weight": "balanced", "max_iter": 40, "max_depth": 3}),
    ("logistic_regression", {"class_weight": "balanced"}),
]


@pytest.mark.parametrize(("family", "parameters"), WEIGHTED)
def test_each_class_is_promised_as_often_as_it_comes_however_it_was_weighted(family, parameters, tmp_path):
    X, y = mixture(6000, 1)
    new, truth = mixture(6000, 2)
    model = models.build(family, parameters, "classification", 1, 1, dense=True).fit(X, y)
    promised = pd.Series(model.predict_proba(new).mean(axis=0), index=model.classes_)
    share = pd.Series(truth).value_counts(normalize=True).sort_index()
    assert ((promised - share).abs() < 0.04).all()  # weighted alike, `rare` was promised 0.2 and more
    held, other = mixture(6000, 3)
    model.learn_means(other, model.predict_proba(held))
    promised = pd.Series(model.predict_proba(new).mean(axis=0), index=model.classes_)
    assert ((promised - share).abs() < 4 * np.sqrt(share * (1 - share) / 3000)).all()
    assert (model.predict(new) == model.classes_[model.predict_proba(new).argmax(axis=1)]).all()
    about = json.loads(json.dumps(model.save(tmp_path)))
    assert np.array_equal(models.load(tmp_path, about).predict_proba(new), model.predict_proba(new))


def test_what_weights_and_a_close_fit_leave_is_put_right_on_rows_that_were_held_out():
    """A deep fit of few rows: its promises are off for other rows, and by other rows they are mended."""
    (X, y), (held, other), (new, truth) = mixture(600, 1), mixture(4000, 2), mixture(4000, 3)
    few = {"balance": 1.0, "num_boost_round": 200, "max_depth": 6, "learning_rate": 0.3}
    model = models.build("xgboost", few, "classification", 1, 1, dense=True).fit(X, y)
    share = pd.Series(truth).value_counts(normalize=True).sort_index().to_numpy()
    before = np.abs(model.predict_proba(new).mean(axis=0) - share).max()
    model.learn_means(other, model.predict_proba(held))
    assert np.abs(model.predict_proba(new).mean(axis=0) - share).max() < min(before / 2, 0.02)


def log_loss_of(truth, classes=("rare", "some", "usual")):
    """What a fit watches: the log loss of rows whose classes are these, or others that nobody has seen."""
    return lambda said: evaluation.metric("log_loss", "classification", truth, said, list(classes))


def test_a_fit_that_watches_validation_rows_undoes_the_weights_of_its_training_rows():
    (X, y), (new, truth) = mixture(4000, 3), mixture(4000, 4)
    model = models.BoostedClassifier(balance=1.0, max_depth=3)
    bins = model.binned(X, y)
    other = models.BoostedClassifier(balance=1.0, max_depth=3)
    other.fit_watching(bins, new, log_loss_of(truth), 30, classes=model.classes_)
    share = pd.Series(y).value_counts(normalize=True).sort_index().to_numpy()
    assert np.abs(other.predict_proba(new).mean(axis=0) - share).max() < 0.03  # weighted: a third each
    assert np.allclose(other.weights_, 1 / 3 / share)


@pytest.mark.parametrize("target", ["sqrt", "log"])
@pytest.mark.parametrize("family", ["linear_regression", "xgboost"])
def test_a_model_of_the_root_or_the_logarithm_answers_the_mean_once_it_knows_its_spread(
    target, family, tmp_path
):
    """y is skewed about a line of x on the scale of the fit: taken back as it is, it answers too little."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 1, (9000, 1)).astype(np.float32)
    scale = 2 + 2 * X[:, 0] + rng.normal(0, 0.5, 9000)
    y = np.square(scale) if target == "sqrt" else np.expm1(scale)
    few = {"num_boost_round": 30, "max_depth": 3} if family == "xgboost" else {}
    model = models.build(family, {**few, "target": target}, "regression", 1, 1, dense=True)
    model.fit(X[:3000], y[:3000])
    before = model.predict(X[6000:])
    model.learn_means(y[3000:6000], model.predict(X[3000:6000]))
    after, truth = model.predict(X[6000:]), y[6000:]
    line = 2 + 2 * X[6000:, 0]
    mean = line**2 + 0.25 if target == "sqrt" else np.exp(line + 0.125) - 1  # of χ² and of the log-normal
    bias = [abs((said - mean).mean()) for said in (before, after)]
    assert bias[1] < bias[0] / 3
    assert evaluation.metric("rmse", "regression", truth, after) < evaluation.metric(
        "rmse", "regression", truth, before
    )
    about = json.loads(json.dumps(model.save(tmp_path)))
    assert np.array_equal(models.load(tmp_path, about).predict(X), model.predict(X))


def test_the_spread_of_a_root_by_hand():
    """Roots 1 and 3 where 2 was answered: the variance of the errors is 1; 4 + 1 is the mean of 1 and 9."""
    model = models.SklearnRegressor(None, "sqrt")
    model.learn_means([1.0, 9.0], np.array([4.0, 4.0]))
    assert model.spread_ == 1
    assert model.back(np.array([2.0])) == 5


def test_a_class_that_training_has_not_seen_is_an_error_in_every_metric_and_named():
    """Of a, c and b, where b is new: two right, one wrong, and b had no chance."""
    said = pd.DataFrame({"a": [0.9, 0.2, 0.3], "c": [0.1, 0.8, 0.7]})
    truth = ["a", "c", "b"]
    found = evaluation.metrics("classification", truth, said)
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.8, np.finfo(float).eps]).mean())
    assert found["auc"] < evaluation.metrics("classification", truth[:2], said.head(2))["auc"] == 1
    units = statistics.Units.of(np.array(truth), [said], None)
    for name, value in found.items():
        one = statistics.build(name, "classification", np.array(truth), said, units)
        assert one.at(np.ones((1, 3)))[0][0] == pytest.approx(value), name
    assert classes.by_class("classification", truth, said).loc["b", "recall"] == 0
    assert "Not seen in training: b (1 rows)" in classes.read("classification", truth, said)
    assert pictures._confusion(truth, said).loc["b", "c"] == 1
    assert "Not seen in training: b" in residuals.read_against("classification", truth, said)


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_a_booster_that_watches_rows_of_a_new_class_takes_them_for_none_of_its_own(balance):
    (X, y), (new, truth) = mixture(2000, 5), mixture(2000, 6)
    known, odd = y != "some", truth == "some"
    model = models.BoostedClassifier(balance=balance, max_depth=3)
    bins = model.binned(X[known], y[known])
    model.fit_watching(bins, new, log_loss_of(truth, model.classes_), 30)
    alone = models.BoostedClassifier(balance=balance, max_depth=3)
    bins = alone.binned(X[known], y[known])
    alone.fit_watching(bins, new[~odd], log_loss_of(truth[~odd], alone.classes_), 30)
    assert alone.rounds_ == model.rounds_


def test_ten_rows_a_patient_teach_nothing_of_a_useless_target_where_patients_are_groups():
    """Each patient has one kind, drawn by a coin: its other rows tell a row's kind, other patients do not."""
    patients = np.repeat(np.arange(200), 10)
    y = np.random.default_rng(0).integers(0, 2, 200)[patients].astype(float)
    rows = pd.DataFrame({"ward": patients, "patient": patients})

    def correlation(groups):
        return np.corrcoef(TargetMean(["ward"], groups=groups).fit_transform(rows, y)[:, 0], y)[0, 1]

    assert correlation(()) > 0.95
    assert abs(correlation(("patient",))) < 0.2


@pytest.mark.parametrize("patients", [40, 3])
def test_where_rows_have_groups_and_days_no_fold_and_no_draw_parts_a_group(patients):
    """Each patient comes on ten days: by days its rows would stand on both sides."""
    of = np.arange(10 * patients) // 10
    days = pd.date_range("2023-01-01", periods=10)[np.arange(len(of)) % 10]
    rows = pd.DataFrame({"patient": of, "day": days, "price": 1.0 * of})
    dataset = dataclasses.replace(problem.load("nyc_rentals"), groups=("patient",), when="day")
    blocks = dataset.blocks(rows)
    assert (blocks.groupby(of).transform("first") == blocks).all()
    fold = pd.Series(association.held_out(len(rows), blocks))
    assert fold.nunique() == min(5, patients)
    assert (fold.groupby(of).transform("first") == fold).all()
    if patients >= 20:
        plan = Plan(["linear_regression"], 1, 60.0, folds=4)
        for learning, scoring in folds(dataset, rows[::2], rows[1::2], plan):
            assert not {*learning["patient"]} & {*scoring["patient"]}
    drawn = statistics.Units.of(of.astype(float), [of.astype(float)], blocks)
    assert drawn.counts.tolist() == [10] * patients
    alone = dataclasses.replace(dataset, groups=()).blocks(rows)
    assert alone.name == "days"


def test_the_pipeline_and_the_search_cross_fit_by_the_groups_of_the_problem():
    dataset = problem.load("nyc_rentals")
    rows = dataset.labelled(dataset.generate(400, 1))
    name = next(n for n, one in dataset.feature_sets.items() if "target_mean" in {e.how for e in one.encodes})
    plan = Plan(["linear_regression"], 1, 60.0, seed=42)
    ((split,), *_) = Matrices(dataset, dataset.feature_set(name), rows, rows, plan).splits.values()
    given = {"family": "linear_regression", "parameters": {}, "groups": dataset.groups}
    pipeline = InferencePipeline(dataset.serving, name, **given).fit(rows, rows[dataset.target.name])
    (_, means), *_ = [one for one in pipeline.encoding_.encoders_ if one[0] == "target_mean"]
    assert list(means.groups) == list(dataset.groups)
    assert "groups" not in means.settings()
    assert np.array_equal(np.asarray(split.validation), np.asarray(pipeline.matrix(rows)), equal_nan=True)


def test_songs_are_told_by_what_is_heard_and_the_names_of_the_others_say_what_they_admit():
    songs = problem.load("music_genres")
    assert songs.serving.late("audio") == []
    assert all("playlist" in name for name in songs.feature_sets if songs.serving.late(name))
    assert songs.columns["title"].known == "after"
    with pytest.raises(InferenceError, match="'course' is called 'course_with_playlist' now"):
        songs.feature_set("course")


def test_what_the_late_columns_are_worth_is_said_side_by_side_and_nothing_where_no_set_differs():
    songs = problem.load("music_genres")
    rows = songs.clean(songs.labelled(songs.generate(1500, 2))).rows
    given = {"random_state": 1, "n_jobs": 1}
    table = admissions.side_by_side(songs.serving, "audio", "auc", rows[::2], rows[1::2], **given)
    assert list(table.index) == ["audio", "rich_with_playlist"]
    assert table["auc"].is_monotonic_increasing
    said = admissions.read(table, "audio")
    assert "told song_name, title" in said
    assert "of `audio`: they answer the harder question" in said
    rentals = problem.load("nyc_rentals")
    none = admissions.side_by_side(rentals.serving, "rich", "mae", rows, rows)
    assert "nothing to compare" in admissions.read(none, "rich")


def test_the_set_beside_it_is_the_one_most_alike_of_those_that_differ_in_what_they_admit():
    """`audio` shares 12 of its 12 columns with both others; the one that adds fewer is more alike."""
    songs = problem.load("music_genres").serving
    sets, late = songs.feature_sets, encode("ordinal", "title")
    sets = sets | {
        "one_more": FeatureSet("one_more", "", (*sets["audio"].encodes, late), ("title",)),
        "alone": FeatureSet("alone", "", (late,), ("title",)),
    }
    for names, wanted in ((["alone", "one_more", "rich_with_playlist"], "one_more"), (["alone"], "alone")):
        serving = dataclasses.replace(songs, feature_sets={name: sets[name] for name in ["audio", *names]})
        assert admissions.counterpart(serving, "audio") == wanted
        assert admissions.counterpart(serving, wanted) == "audio"


def test_the_two_figures_are_those_of_a_quick_model_of_the_same_training_rows(monkeypatch):
    monkeypatch.setattr(admissions, "MOST", 300)
    songs = problem.load("music_genres")
    rows = songs.clean(songs.labelled(songs.generate(900, 2))).rows
    train, validation, given = rows[::2], rows[1::2], {"random_state": 1, "n_jobs": 1}
    table = admissions.side_by_side(
        songs.serving, "rich_with_playlist", "log_loss", train, validation, **given
    )
    assert list(table) == ["known only after", "log_loss"]
    assert table.index.name == "features"
    assert table["known only after"].to_dict() == {"audio": "none", "rich_with_playlist": "song_name, title"}
    fewer = train.sample(300, random_state=0)
    for name in table.index:
        quick = InferencePipeline(songs.serving, name, "xgboost", admissions.QUICK, **given)
        said = quick.fit(fewer, fewer["genre"]).response(validation)
        wanted = evaluation.metric("log_loss", "classification", validation["genre"], said)
        assert table.loc[name, "log_loss"] == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(
    ("metric", "used", "gain", "question"),
    [("rmse", "told", "1.11 better", "easier"), ("auc", "honest", "1.11 worse", "harder")],
)
def test_the_late_columns_are_told_with_what_they_bring_and_which_question_is_answered(
    metric, used, gain, question
):
    known = {"known only after": ["none", "tip"], metric: [2.34567, 1.23456]}
    assert admissions.read(pd.DataFrame(known, ["honest", "told"]), used) == (
        f"Validation {metric} of a quick, untuned model: **2.346** on `honest`, which keeps to what is known "
        f"before, **1.235** on `told`, which is told tip ({gain}). All other figures here are those of "
        f"`{used}`: they answer the {question} question."
    )


def kept_promises(seed, rows=2000):
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0, 1, rows)
    y = np.where(rng.random(rows) < chance, "yes", "no")
    return y, pd.DataFrame({"no": 1 - chance, "yes": chance})


def test_promises_that_are_kept_are_not_blamed_and_those_that_are_not_are():
    said = [calibration.read("classification", *kept_promises(seed)) for seed in range(40)]
    blamed = ["further from the diagonal than chance brings" in one for one in said]
    assert sum(blamed) <= 6
    y, said = kept_promises(1)
    too_often = pd.DataFrame({"no": said["no"] ** 3, "yes": 1 - said["no"] ** 3})
    told = calibration.read("classification", y, too_often)
    assert "further from the diagonal than chance brings" in told
    assert "**no** is promised 0.5" in told
    assert calibration.read("classification", y[:20], too_often.head(20)).startswith("No bin has 50")
    assert len(calibration.figure("classification", y, too_often).axes) == 1


def test_the_log_loss_is_said_with_the_promises():
    y, said = kept_promises(1)
    told = calibration.read("classification", y, said)
    assert f"the log loss: **{rounded(log_loss(y, said))}**." in told
    assert "log loss" not in calibration.read("regression", said["yes"], said["yes"])


def test_of_two_classes_the_positive_one_and_what_a_threshold_costs_are_said_by_hand():
    """Of ten rows four are `yes`: at 0.5 three are called, two of them rightly."""
    said = pd.DataFrame({"yes": [0.9, 0.7, 0.3, 0.1, 0.6, 0.3, 0.2, 0.1, 0.1, 0.1]})
    said.insert(0, "no", 1 - said["yes"])
    truth = ["yes"] * 4 + ["no"] * 6
    assert classes.thresholds(truth, said).loc[0.5].tolist() == [2, 1, 2]
    text = classes.read("classification", truth, said)
    assert "positive class is **yes**" in text
    assert "finds 2 of 4 rows, misses 2, and gives 1 false alarms" in text
    assert "No class has 30 rows" in text
    assert "there are no classes" in classes.read("regression", [1.0], [1.0])
    assert classes.by_class("regression", [1.0], [1.0]).empty


def confused(*cells):
    """Truths and sure answers: so many rows of a class called another, by `(truth, called, rows)`."""
    truth, called, rows = zip(*cells, strict=True)
    return np.repeat(truth, rows), pd.get_dummies(pd.Series(np.repeat(called, rows)), dtype=float)


def test_of_each_class_precision_and_recall_by_hand_the_largest_first():
    """Of 50 rows called b 30 are; c is found once and called once more; d was not seen, a is never called."""
    truth, said = confused(("b", "b", 30), ("a", "b", 20), ("d", "c", 1), ("c", "c", 1))
    said.insert(0, "a", 0.0)
    table = classes.by_class("classification", truth, said.assign(label=said.idxmax(axis=1)))
    assert (table.index.name, list(table)) == ("class", ["rows", "precision", "recall", "f1"])
    assert table.index.tolist() == ["b", "a", "c", "d"]
    assert table["rows"].tolist() == [30, 20, 1, 1]
    assert table["precision"].tolist() == pytest.approx([0.6, np.nan, 0.5, np.nan], nan_ok=True)
    assert table["recall"].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert table["f1"].tolist() == pytest.approx([0.75, 0.0, 2 / 3, 0.0])


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            [("a", "a", 20), ("a", "b", 10), ("b", "b", 30), ("c", "c", 29)],
            "Of the classes with 30 rows or more **a** is found least (67% of its rows); where it is called, "
            "**b** is right least often (75%).",
        ),
        (  # a is never called; of d and e, which the model has never seen, none could be found
            [("a", "b", 30), ("b", "b", 90), ("d", "b", 40), ("e", "b", 2000)],
            "**Not seen in training: e (2,000 rows), d (40 rows).** The model cannot give this answer: each "
            "such row is an error. Of the classes with 30 rows or more **a** is found least (0% of its "
            "rows); where it is called, **a** is right least often (0%).",
        ),
        ([("a", "a", 29), ("b", "b", 29)], "No class has 30 rows: shares of so few would be luck."),
    ],
)  # fmt: skip
def test_which_class_is_found_least_and_which_is_called_wrongly_most(cells, said):
    truth, chances = confused(*cells)
    assert classes.read_by_class(truth, chances.reindex(columns=list("abc"), fill_value=0.0)) == said


def test_of_three_classes_no_threshold_is_set():
    truth, said = confused(("a", "a", 3), ("b", "b", 3), ("c", "c", 3))
    assert classes.read_thresholds(truth, said).startswith("There are 3 classes: the likeliest is the answer")
    assert classes.read_unseen(truth, list(said)) == ""


def test_a_higher_threshold_gives_fewer_false_alarms_and_misses_more():
    """A chance that stands just at the threshold is called; classes may be numbers."""
    said = pd.DataFrame({0: [0.8, 0.5, 0.2, 0.9], 1: [0.2, 0.5, 0.8, 0.1]})
    table = classes.thresholds([0, 1, 1, 1], said)
    assert table.index.name == "threshold"
    assert table.index.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert table["found"].tolist() == [3, 2, 2, 2, 2, 1, 1, 1, 0]
    assert table["false alarms"].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert table["missed"].tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 3]
    assert "From 0.2 on it would miss 1 at 1 false alarms." in classes.read_thresholds([0, 1, 1, 1], said)


def test_the_median_stays_where_absolute_errors_are_scored():
    from types import SimpleNamespace

    root = SimpleNamespace(model_=SimpleNamespace(target="sqrt", spread_=0.62))
    assert "stays near the median, as mae asks" in scores.read_means(root, "mae")
    assert "taken to the mean: +0.62 min" in scores.read_means(root, "rmse", "min")
    logs = SimpleNamespace(model_=SimpleNamespace(target="log", spread_=1.13))
    assert "fitted to the log of the target; answers are taken to the mean: times 1.13." in scores.read_means(
        logs, "r2", "min"
    )
    plain = SimpleNamespace(model_=SimpleNamespace(target="identity"))
    assert "answers the mean already" in scores.read_means(plain, "rmse")
