"""The search: the same trials whatever the pool, budgets by merit, failures that cost themselves, memory."""

import dataclasses
import os
import time

import numpy as np
import pandas as pd
import pytest

from lib import tuning
from lib.datasets.base import FeatureSet, encode
from lib.errors import ModelError, ParameterError
from lib.tuning import choose, insight, pool, suggest


@dataclasses.dataclass(frozen=True)
class Problem:
    """As much of a problem as a search looks at."""

    task: str = "regression"
    metric: str = "rmse"
    target: object = dataclasses.field(default_factory=lambda: dataclasses.make_dataclass("T", ["name"])("y"))
    derived: dict = dataclasses.field(default_factory=dict)

    def engineer(self, rows, names):
        return rows


def rows(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return pd.DataFrame(x, columns=list("abc")).assign(y=3 * x[:, 0] + x[:, 1] ** 2 + rng.normal(0, 0.3, n))


FEATURES = FeatureSet("plain", "for the test", (encode("number", "a", "b", "c"),))
MODELS = ["linear_regression", "random_forest", "xgboost"]


def search(models=MODELS, max_evals=4, timeout_s=60.0, features=FEATURES, **more):
    data = tuning.Data(Problem(), features, rows(300, 0), rows(200, 1), 7)
    return tuning.search(Problem(), features, data, models, max_evals, timeout_s, seed=7, **more)


def inline(evaluate, workers, width, late):
    return pool.Inline(evaluate, width)


def threads(evaluate, workers, width, late):
    return pool.Threads(evaluate, workers, width)


def trials(found):
    return found.trials[["number", "family", "parameters", "score"]].to_dict("records")


def test_the_same_trials_and_scores_come_from_processes_threads_and_neither():
    here, forked, threaded = search(make_pool=inline), search(), search(make_pool=threads)
    assert len(trials(here)) == 12
    assert trials(here) == trials(forked) == trials(threaded)
    assert here.tuned("plain") == forked.tuned("plain")


def test_the_budget_is_shared_and_the_better_families_get_more_of_it():
    found = search(max_evals=8, make_pool=inline)
    counts = found.trials["family"].value_counts()
    best = found.best["family"].tolist()
    assert counts.sum() == 24 and counts.drop("linear_regression").min() >= suggest.FAIR
    assert counts[best[0]] > counts[best[1]] > counts[best[2]] - 1


def test_a_space_of_choices_alone_is_tried_once_each_and_its_share_goes_to_the_others():
    found = search(max_evals=8, make_pool=inline)
    points = found.of("linear_regression")["parameters"].tolist()
    assert points == [{"fit_intercept": True}, {"fit_intercept": False}]
    assert len(search(["linear_regression"], max_evals=50, make_pool=inline).trials) == 2


def test_every_family_gets_its_fair_start_before_ranks_count():
    asked = {"good": 3, "bad": 1, "new": 2}
    assert suggest.next_family(list(asked), asked, {"good": 1.0, "bad": 9.0, "new": None}) == "bad"


def hang(bench, number, what):
    """A `make_pool` whose trial `number` does something terrible."""

    def make(evaluate, workers, width, late):
        def troubled(trial):
            if trial["number"] == number:
                what()
            return evaluate(trial)

        return pool.Processes(troubled, workers, width, lambda: min(late(), 1.5))

    return make


@pytest.mark.parametrize(
    "what, reason",
    [
        (lambda: time.sleep(60), "longer than a trial"),
        (lambda: os._exit(3), r"process died \(exit code 3\)"),
        (lambda: 1 / 0, "ZeroDivisionError"),
    ],
    ids=["hangs", "dies", "raises"],
)
def test_a_trial_that_fails_or_hangs_costs_that_trial_only(what, reason):
    began = time.monotonic()
    found = search(make_pool=hang(None, 4, what))
    failed = found.trials[found.trials["status"] == "failed"]
    assert failed["number"].tolist() == [4]
    assert failed["reason"].str.contains(reason).all()
    assert len(found.trials) == 12 and time.monotonic() - began < 30


def test_ctrl_c_keeps_the_finished_trials():
    def stop(row):
        if row["number"] == 5:
            raise KeyboardInterrupt

    found = search(told=stop, make_pool=inline)
    assert found.trials["number"].tolist() == [0, 1, 2, 3, 4, 5]
    assert found.reason == "it was interrupted"
    assert found.choice["family"] in MODELS


def test_boosting_that_is_slow_ends_with_the_rounds_it_has_rather_than_being_lost():
    from lib import models

    parameters = {"num_boost_round": 10**6, "learning_rate": 1e-5}
    model, train, other = models.Boosted(parameters, "regression"), rows(300, 0), rows(200, 1)
    bins = model.binned(train[["a", "b", "c"]].to_numpy(), train["y"].to_numpy())
    watched = model.binned(other[["a", "b", "c"]].to_numpy(), other["y"].to_numpy(), ref=bins)
    began = time.monotonic()
    model.fit_watching(bins, watched, seconds=0.5)
    assert time.monotonic() - began < 5 and 1 <= model.rounds < 10**6 and model.cut


def test_the_time_budget_ends_the_search():
    found = search(max_evals=10_000, timeout_s=2.0)
    assert found.seconds < 8 and "were over" in found.reason
    assert len(found.trials) < 30_000


def test_a_search_whose_last_trials_never_began_says_that_the_time_was_over():
    late = pool.failed("stopped: the time for the search was over")

    def tired(evaluate, workers, width, late_):
        return pool.Inline(lambda trial: evaluate(trial) if trial["number"] < 10 else late, width)

    found = search(make_pool=tired)
    assert len(found.trials) == 10
    assert found.reason == "the 60 s were over"


@pytest.mark.parametrize(
    "outcome, said",
    [
        (pool.failed("MemoryError: 80 GB"), "MemoryError: 80 GB"),
        (pool.failed("stopped: the time for the search was over"), "none was run, as the 60 s were over"),
    ],
)
def test_a_search_in_which_nothing_scored_stops_with_the_reason(outcome, said):
    def broken(evaluate, workers, width, late):
        return pool.Inline(lambda trial: outcome, width)

    with pytest.raises(ModelError, match=rf"No trial gave a score.*{said}.*more time"):
        search(make_pool=broken)


def test_a_search_that_was_cut_off_goes_on_where_it_was(tmp_path):
    def stop(row):
        if row["number"] == 6:
            raise KeyboardInterrupt

    search(told=stop, memory=tmp_path, make_pool=inline)
    asked = []

    def counting(evaluate, workers, width, late):
        return pool.Inline(lambda trial: asked.append(trial["number"]) or evaluate(trial), width)

    again = search(memory=tmp_path, make_pool=counting)
    assert asked == [7, 8, 9, 10, 11]
    assert trials(again) == trials(search(make_pool=inline))


def test_results_are_never_taken_from_a_search_of_other_rows(tmp_path):
    search(memory=tmp_path, make_pool=inline)
    data = tuning.Data(Problem(), FEATURES, rows(300, 5), rows(200, 1), 7)
    asked = []

    def counting(evaluate, workers, width, late):
        return pool.Inline(lambda trial: asked.append(trial["number"]) or evaluate(trial), width)

    tuning.search(Problem(), FEATURES, data, MODELS, 1, 60.0, seed=7, memory=tmp_path, make_pool=counting)
    assert asked == [0, 1, 2]


def test_a_setting_of_the_encoder_is_searched_and_encoded_once_each():
    wide = dataclasses.replace(FEATURES, spaces={"encoding": {"number.scale": ("choice", [True, False])}})
    found = search(features=wide, max_evals=8, make_pool=inline)
    assert set(found.trials["encoding"]) == {"number.scale=True", "number.scale=False"}
    settings = found.tuned("plain")["choice"]["settings"]
    assert settings in ({"number.scale": True}, {"number.scale": False})


def test_workers_times_threads_never_ask_for_more_cores_than_there_are(monkeypatch):
    seen = []

    def look(evaluate, workers, width, late):
        seen.append((workers, evaluate.__self__.threads))
        return pool.Inline(evaluate, width)

    for cores, asked in ((2, 9), (8, 3), (1, 2)):
        monkeypatch.setattr(tuning, "cores", lambda cores=cores: cores)
        search(["linear_regression"], 1, workers=asked, make_pool=look)
    assert seen == [(2, 1), (3, 2), (1, 1)]


def table(*trials):
    columns = ["number", "family", "score", "blocks", "comparisons"]
    return pd.DataFrame(trials, columns=columns).assign(status="ok", reason="")


def test_of_equals_the_cheapest_is_kept_and_a_true_lead_is_not_given_away():
    """B lags by 0.1 ± 0.5 on each block (standard error 0.17): equal. C lags by 0.1 on every one."""
    wobble = np.tile([0.6, -0.4], 5)
    a = (0, "a", 5.0, [5.0] * 10, 900.0)
    b = (1, "b", 5.1, list(5.0 + wobble), 40.0)
    c = (2, "c", 5.1, list(5.1 + 0.001 * wobble), 1.0)
    assert choose.chosen(table(a, b, c), "rmse")["family"] == "b"
    assert choose.chosen(table(a, c), "rmse")["family"] == "a"
    assert choose.contenders(table(a, b, c), "rmse").set_index("family")["error"]["b"] == pytest.approx(
        0.1667, abs=1e-3
    )


def test_for_a_metric_that_rises_the_best_is_the_highest():
    a, b = (0, "a", 0.90, [0.90] * 10, 9.0), (1, "b", 0.95, [0.95] * 10, 9.0)
    assert choose.chosen(table(a, b), "auc")["family"] == "b"


def test_a_search_without_a_single_score_says_why():
    failed = table((0, "a", None, [], None)).assign(status="failed", reason="MemoryError: 80 GB")
    with pytest.raises(ModelError, match=r"No trial gave a score.*80 GB"):
        choose.chosen(failed, "rmse")


def test_an_unknown_family_is_named_beside_those_that_fit_the_task():
    with pytest.raises(ParameterError, match=r"no regression family 'xgbost'.*xgboost"):
        search(["xgbost"])
    with pytest.raises(ParameterError, match=r"no regression family 'logistic_regression'"):
        search(["logistic_regression"])


def test_blocks_too_small_for_a_score_leave_the_best_score_to_choose():
    nothing = [float("nan")] * 10
    a = {"family": "a", "score": 0.9, "blocks": nothing, "comparisons": 5.0}
    b = {"family": "b", "score": 0.8, "blocks": nothing, "comparisons": 1.0}
    trials = pd.DataFrame([a | {"number": 0, "status": "ok"}, b | {"number": 1, "status": "ok"}])
    assert choose.chosen(trials, "auc")["family"] == "a"


def test_alone_within_one_standard_error_is_said_in_words():
    a, b = (0, "a", 5.0, [5.0] * 10, 9.0), (1, "b", 6.0, [6.0] * 10, 1.0)
    assert "no other trial lies within one standard error" in choose.sentence(table(a, b), "rmse")
    again = (2, "c", 5.0, [5.0] * 10, 9.0)
    assert "the one other trial within one standard error" in choose.sentence(table(a, again), "rmse")


def test_the_budget_is_said_to_follow_only_where_the_best_family_got_most_of_it():
    few = table((0, "a", 5.0, [], 1.0), (1, "b", 6.0, [], 1.0), (2, "b", 6.5, [], 1.0))
    assert "ended before the budget followed: 1 of the 3" in insight.read_families(few, "rmse")
    many = table((0, "b", 6.0, [], 1.0), (1, "a", 5.0, [], 1.0), (2, "a", 5.5, [], 1.0))
    assert "The budget followed: 2 of the 3" in insight.read_families(many, "rmse")
    assert "It was the only family" in insight.read_families(many[1:], "rmse")


def test_a_space_of_choices_alone_is_not_called_wide_enough():
    space = {"kind": ("choice", ["x", "y"])}
    tried = table(*[(i, "a", float(i), [], 1.0) for i in range(6)])
    tried["parameters"] = [{"kind": "xy"[i % 2]} for i in range(6)]
    said = insight.read_parameters(tried, "rmse", space)
    assert "no edge to crowd at" in said and "wider" not in said


def test_one_hopeless_trial_of_six_is_cut_off_the_picture_and_one_of_two_is_not():
    from lib.plots import search as drawn

    six = table(*[(i, "a", score, [], 1.0) for i, score in enumerate([5.4, 14.8, 4.2, 4.18, 4.17, 5.0])])
    assert 5.4 < drawn.over_time(six, "rmse").axes[0].get_ylim()[1] < 6
    assert drawn.over_time(six[:2], "rmse").axes[0].get_ylim()[1] > 14.8


def test_a_failed_trial_is_not_counted_among_those_that_say_which_parameter_mattered():
    tried = table((0, "a", 5.0, [], 1.0), (1, "a", None, [], None))
    tried["status"] = ["ok", "failed"]
    assert insight.read_importance(pd.Series(dtype=float), tried).startswith("1 finished trials are too few")
