"""The search: the same trials whatever the pool, budgets by merit, failures that cost themselves, memory."""

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib import compute
from lib.compute import pool
from lib.errors import ModelError
from lib.runtime.errors import InferenceError
from lib.runtime.features import FeatureSet, encode
from lib.tuning import insight, search, selection, suggest
from lib.tuning.matrices import Matrices


@pytest.fixture(scope="module", autouse=True)
def _server():
    search.preload()


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


def run(models=MODELS, max_evals=4, timeout_s=60.0, features=FEATURES, train=None, **more):
    matrices = Matrices(Problem(), features, rows(300, 0) if train is None else train, rows(200, 1), 7)
    return search.search(
        Problem(), features, matrices, models, max_evals=max_evals, timeout_s=timeout_s, seed=7, **more
    )


class Inline:
    """A pool that evaluates a trial when it is submitted."""

    def __init__(self, prepare, workers, width, limit):
        self.evaluate, self.width = prepare(), width

    def submit(self, trial):
        done = Future()
        done.set_result(pool.guarded(self.evaluate, trial))
        return done

    def close(self):
        pass


class Threads(Inline):
    """A pool of threads of this process."""

    def __init__(self, prepare, workers, width, limit):
        super().__init__(prepare, workers, width, limit)
        self.threads = ThreadPoolExecutor(workers)

    def submit(self, trial):
        return self.threads.submit(pool.guarded, self.evaluate, trial)

    def close(self):
        self.threads.shutdown()


def counted(numbers):
    """A `make_pool` that notes which trials it is given."""

    class Counting(Inline):
        def submit(self, trial):
            numbers.append(trial["number"])
            return super().submit(trial)

    return Counting


def answering(outcome_of):
    """A `make_pool` whose trials end as `outcome_of(trial, evaluate)` says."""

    class Answering(Inline):
        def __init__(self, prepare, workers, width, limit):
            super().__init__(prepare, workers, width, limit)
            evaluate = self.evaluate
            self.evaluate = lambda trial: outcome_of(trial, evaluate)

    return Answering


def trials(result):
    return result.trials[["number", "family", "parameters", "score"]].to_dict("records")


def test_a_search_goes_through_after_an_openmp_region_in_the_same_process():
    import xgboost

    data = rows(2000, 3)
    xgboost.train({"nthread": 2}, xgboost.DMatrix(data[["a", "b", "c"]], data["y"]), 3)
    began = time.monotonic()
    result = run(["xgboost"], timeout_s=30.0, workers=2)
    assert (result.trials["status"] == "ok").all(), result.trials["reason"].tolist()
    assert result.reason == "all trials were run"
    assert time.monotonic() - began < 30


def test_the_same_trials_and_scores_come_from_processes_threads_and_neither():
    inline, processes, threads = run(make_pool=Inline), run(), run(make_pool=Threads)
    assert len(trials(inline)) == 12
    assert trials(inline) == trials(processes) == trials(threads)
    assert inline.tuned("plain") == processes.tuned("plain")


def test_what_is_written_of_a_search_reads_back_as_it_was(tmp_path):
    from lib.records import Tuned

    tuned = run(make_pool=Inline).tuned("plain")
    tuned.write(tmp_path / "tuned.json")
    assert Tuned.read(tmp_path / "tuned.json") == tuned
    assert tuned.choice["family"] in MODELS
    assert tuned.trials == 12


def test_the_budget_is_shared_and_the_better_families_get_more_of_it():
    result = run(max_evals=8, make_pool=Inline)
    counts = result.trials["family"].value_counts()
    best = result.best["family"].tolist()
    assert counts.sum() == 24
    assert counts.drop("linear_regression").min() >= suggest.FAIR
    assert counts[best[0]] > counts[best[1]] > counts[best[2]] - 1


def test_a_space_of_choices_alone_is_tried_once_each_and_its_share_goes_to_the_others():
    result = run(max_evals=8, make_pool=Inline)
    points = result.of("linear_regression")["parameters"].tolist()
    assert points == [{"fit_intercept": True}, {"fit_intercept": False}]
    assert len(run(["linear_regression"], max_evals=50, make_pool=Inline).trials) == 2


def test_every_family_gets_its_fair_start_before_ranks_count():
    submitted = {"good": 3, "bad": 1, "new": 2}
    assert suggest.next_family(list(submitted), submitted, {"good": 1.0, "bad": 9.0, "new": None}) == "bad"


@dataclasses.dataclass(frozen=True)
class Troubled:
    """A worker's `prepare` whose trial 4 does something terrible."""

    prepare: Callable
    what: Callable

    def __call__(self):
        evaluate = self.prepare()

        def troubled(trial):
            if trial["number"] == 4:
                self.what()
            return evaluate(trial)

        return troubled


def hang():
    time.sleep(60)


def die():
    os._exit(3)


def crash():
    os.abort()


def divide():
    return 1 / 0


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (hang, "longer than a trial"),
        (die, "process ended itself with exit code 3"),
        (crash, r"process died of SIGABRT \(Aborted\)"),
        (divide, "ZeroDivisionError"),
    ],
)
def test_a_trial_that_fails_or_hangs_costs_that_trial_only(what, reason):
    def troubled(prepare, workers, width, limit):
        return pool.Processes(Troubled(prepare, what), workers, width, lambda: min(limit(), 10.0))

    began = time.monotonic()
    result = run(make_pool=troubled)
    failed = result.trials[result.trials["status"] == "failed"]
    assert failed["number"].tolist() == [4], failed["reason"].tolist()
    assert failed["reason"].str.contains(reason).all()
    assert len(result.trials) == 12
    assert time.monotonic() - began < 30


def never_ready():
    raise ImportError("no such library")


def test_a_worker_that_does_not_come_up_fails_its_trials_and_hangs_nothing():
    with pytest.raises(ModelError, match=r"No trial gave a score.*process ended itself with exit code 1"):
        run(max_evals=1, make_pool=lambda prepare, *others: pool.Processes(never_ready, *others))


def test_a_search_leaves_no_process_and_no_file_behind(tmp_path, monkeypatch):
    import multiprocessing

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run(max_evals=1)
    run(max_evals=1, checkpoint=tmp_path / "run" / "search")
    assert multiprocessing.active_children() == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("workbook-")] == []
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["search"]


def test_what_a_worker_prints_is_not_the_notebook_s(capfd):
    def chatty(prepare, workers, width, limit):
        return pool.Processes(Troubled(prepare, say), workers, width, limit)

    run(max_evals=2, make_pool=chatty)
    assert "hello" not in "".join(capfd.readouterr())


def say():
    os.write(1, b"hello")
    os.write(2, b"hello")


def test_ctrl_c_keeps_the_finished_trials():
    def stop(row):
        if row["number"] == 5:
            raise KeyboardInterrupt

    result = run(on_trial=stop)
    assert result.trials["number"].tolist() == [0, 1, 2, 3, 4, 5]
    assert result.reason == "it was interrupted"
    assert result.choice["family"] in MODELS


def test_boosting_that_is_slow_ends_with_the_rounds_it_has_rather_than_being_lost():
    from lib.runtime import models

    model, train, other = (
        models.BoostedRegressor(num_boost_round=10**6, learning_rate=1e-5),
        rows(300, 0),
        rows(200, 1),
    )
    bins = model.binned(train[["a", "b", "c"]].to_numpy(), train["y"].to_numpy())
    watched = model.binned(other[["a", "b", "c"]].to_numpy(), other["y"].to_numpy(), ref=bins)
    began = time.monotonic()
    model.fit_watching(bins, watched, seconds=0.5)
    assert time.monotonic() - began < 5
    assert 1 <= model.rounds_ < 10**6
    assert model.cut_


def test_the_time_budget_ends_the_search():
    result = run(max_evals=10_000, timeout_s=6.0)
    assert result.reason == "its time was over"
    assert len(result.trials) < 30_000


TOO_LATE = pool.not_begun()


def test_a_search_whose_last_trials_never_began_says_that_the_time_was_over():
    result = run(make_pool=answering(lambda trial, run: run(trial) if trial["number"] < 10 else TOO_LATE))
    assert len(result.trials) == 10
    assert result.reason == "its time was over"


def test_what_is_recorded_of_a_search_is_the_same_for_the_same_trials_however_long_it_might_take():
    ten = answering(lambda trial, run: run(trial) if trial["number"] < 10 else TOO_LATE)
    first, second = (run(make_pool=ten, timeout_s=seconds).tuned("plain") for seconds in (60.0, 70.0))
    assert first == second
    assert first.told == "10 of 12 trials, as its time was over"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (pool.failed("MemoryError: 80 GB"), "MemoryError: 80 GB"),
        (TOO_LATE, "none was run, as its time was over"),
    ],
)
def test_a_search_in_which_nothing_scored_stops_with_the_reason(outcome, said):
    with pytest.raises(ModelError, match=rf"No trial gave a score.*{said}.*more time"):
        run(make_pool=answering(lambda trial, run: outcome))


def test_a_search_that_was_cut_off_goes_on_where_it_was(tmp_path):
    def stop(row):
        if row["number"] == 6:
            raise KeyboardInterrupt

    run(on_trial=stop, checkpoint=tmp_path / "search", make_pool=Inline)
    submitted = []
    again = run(checkpoint=tmp_path / "search", make_pool=counted(submitted))
    assert submitted == [7, 8, 9, 10, 11]
    assert trials(again) == trials(run(make_pool=Inline))


def test_results_are_never_taken_from_a_search_of_other_rows(tmp_path):
    def stop(row):
        if row["number"] == 1:
            raise KeyboardInterrupt

    run(on_trial=stop, checkpoint=tmp_path / "search", make_pool=Inline)
    submitted = []
    run(train=rows(300, 5), checkpoint=tmp_path / "search", make_pool=counted(submitted))
    assert submitted == list(range(12))


def test_a_search_that_came_to_its_end_is_run_anew(tmp_path):
    run(max_evals=1, checkpoint=tmp_path / "search", make_pool=Inline)
    submitted = []
    run(max_evals=1, checkpoint=tmp_path / "search", make_pool=counted(submitted))
    assert submitted == [0, 1, 2]


def test_a_search_that_its_clock_ended_can_be_run_again(tmp_path):
    short = {"max_evals": 10_000, "timeout_s": 6.0, "checkpoint": tmp_path / "search"}
    first, again = run(**short), run(**short)
    assert first.reason == "its time was over"
    assert len(again.trials) > 1


def test_what_is_known_is_told_also_when_no_time_is_left(tmp_path):
    def late(row):
        if row["number"] == 6:
            raise KeyboardInterrupt

    run(on_trial=late, checkpoint=tmp_path / "search", make_pool=Inline)
    (path,) = (tmp_path / "search").glob("*.jsonl")
    lines = [json.loads(line) | {"elapsed": 60.0} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = run(checkpoint=tmp_path / "search", make_pool=Inline)
    assert result.trials["number"].tolist() == list(range(7))
    assert result.reason == "its time was over"


@pytest.mark.parametrize(
    "outcome",
    [pool.failed("its process was killed"), pool.failed("stopped after 20 s"), "cut by its clock"],
)
def test_what_the_machine_cut_short_is_not_remembered(tmp_path, outcome):
    def troubled(trial, evaluate):
        if trial["number"] != 4:
            return evaluate(trial)
        return evaluate(trial) | {"repeatable": False} if isinstance(outcome, str) else outcome

    def stop(row):
        if row["number"] == 6:
            raise KeyboardInterrupt

    run(on_trial=stop, checkpoint=tmp_path / "search", make_pool=answering(troubled))
    submitted = []
    again = run(checkpoint=tmp_path / "search", make_pool=counted(submitted))
    assert 4 in submitted
    assert trials(again) == trials(run(make_pool=Inline))


@dataclasses.dataclass(frozen=True)
class KilledOnce:
    """A trial's trouble: the process is killed, the first time."""

    flag: Path

    def __call__(self):
        if not self.flag.exists():
            self.flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_once_changes_no_result(tmp_path):
    def troubled(prepare, workers, width, limit):
        return pool.Processes(Troubled(prepare, KilledOnce(tmp_path / "killed")), workers, width, limit)

    result = run(make_pool=troubled)
    assert (tmp_path / "killed").exists()
    assert trials(result) == trials(run(make_pool=Inline))


def test_a_setting_of_the_encoder_is_searched_and_encoded_once_each():
    wide = dataclasses.replace(FEATURES, spaces={"encoding": {"number.scale": ("choice", [True, False])}})
    result = run(features=wide, max_evals=8, make_pool=Inline)
    assert set(result.trials["encoding"]) == {"number.scale=True", "number.scale=False"}
    settings = result.tuned("plain").choice["settings"]
    assert settings in ({"number.scale": True}, {"number.scale": False})


def test_workers_times_threads_never_ask_for_more_cores_than_there_are(monkeypatch):
    seen = []

    def look(prepare, workers, width, limit):
        seen.append((workers, prepare().__self__.threads))
        return Inline(prepare, workers, width, limit)

    for cores, workers in ((2, 9), (8, 3), (1, 2)):
        monkeypatch.setattr(compute, "cores", lambda cores=cores: cores)
        run(["linear_regression"], 1, workers=workers, make_pool=look)
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
    assert selection.select(table(a, b, c), "rmse")["family"] == "b"
    assert selection.select(table(a, c), "rmse")["family"] == "a"
    assert selection.contenders(table(a, b, c), "rmse").set_index("family")["error"]["b"] == pytest.approx(
        0.1667, abs=1e-3
    )


def test_for_a_metric_that_rises_the_best_is_the_highest():
    a, b = (0, "a", 0.90, [0.90] * 10, 9.0), (1, "b", 0.95, [0.95] * 10, 9.0)
    assert selection.select(table(a, b), "auc")["family"] == "b"


def test_a_search_without_a_single_score_says_why():
    failed = table((0, "a", None, [], None)).assign(status="failed", reason="MemoryError: 80 GB")
    with pytest.raises(ModelError, match=r"No trial gave a score.*80 GB"):
        selection.select(failed, "rmse")


def test_an_unknown_family_is_named_beside_those_that_fit_the_task():
    with pytest.raises(InferenceError, match=r"no regression family 'xgbost'.*xgboost"):
        run(["xgbost"])
    with pytest.raises(InferenceError, match=r"no regression family 'logistic_regression'"):
        run(["logistic_regression"])


def test_blocks_too_small_for_a_score_leave_the_best_score_to_choose():
    nothing = [float("nan")] * 10
    a = {"family": "a", "score": 0.9, "blocks": nothing, "comparisons": 5.0}
    b = {"family": "b", "score": 0.8, "blocks": nothing, "comparisons": 1.0}
    trials = pd.DataFrame([a | {"number": 0, "status": "ok"}, b | {"number": 1, "status": "ok"}])
    assert selection.select(trials, "auc")["family"] == "a"


def test_alone_within_one_standard_error_is_said_in_words():
    a, b = (0, "a", 5.0, [5.0] * 10, 9.0), (1, "b", 6.0, [6.0] * 10, 1.0)
    assert "no other trial lies within one standard error" in selection.read_selection(table(a, b), "rmse")
    again = (2, "c", 5.0, [5.0] * 10, 9.0)
    assert "the one other trial within one standard error" in selection.read_selection(
        table(a, again), "rmse"
    )


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
    assert "no edge to crowd at" in said
    assert "wider" not in said


def test_one_hopeless_trial_of_six_is_cut_off_the_picture_and_one_of_two_is_not():
    from lib.plots import searches

    six = table(*[(i, "a", score, [], 1.0) for i, score in enumerate([5.4, 14.8, 4.2, 4.18, 4.17, 5.0])])
    assert 5.4 < searches.over_time(six, "rmse").axes[0].get_ylim()[1] < 6
    assert searches.over_time(six[:2], "rmse").axes[0].get_ylim()[1] > 14.8


def test_a_failed_trial_is_not_counted_among_those_that_say_which_parameter_mattered():
    tried = table((0, "a", 5.0, [], 1.0), (1, "a", None, [], None))
    tried["status"] = ["ok", "failed"]
    assert insight.read_importance(pd.Series(dtype=float), tried).startswith("1 finished trials are too few")
