"""The search: the same trials whatever the pool, budgets by merit, failures that cost themselves, memory."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib import compute, evaluation, problem
from lib.compute import pool
from lib.errors import ModelError, ParameterError
from lib.notebook_source import hyperparameters as written
from lib.notebook_source import limits
from lib.plots import searches
from lib.runtime import encoders, models
from lib.runtime.errors import InferenceError
from lib.runtime.features import FeatureSet, encode
from lib.tuning import endings, hyperparameters, insight, search, selection, spaces, suggest, trial
from lib.tuning.matrices import Matrices, folds
from lib.tuning.plan import Plan

ROOT = Path(__file__).resolve().parents[2]


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
    groups: tuple = ()

    def engineer(self, rows, names):
        return rows

    def blocks(self, rows):
        return None


def rows(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return pd.DataFrame(x, columns=list("abc")).assign(y=3 * x[:, 0] + x[:, 1] ** 2 + rng.normal(0, 0.3, n))


FEATURES = FeatureSet("plain", "for the test", (encode("number", "a", "b", "c"),))
MODELS = ["linear_regression", "random_forest", "xgboost"]


HOW = ("on_trial", "checkpoint", "make_pool")


def run(models=MODELS, max_evals=4, timeout_s=60.0, features=FEATURES, train=None, problem=None, **more):
    how = {name: more.pop(name) for name in HOW if name in more}
    if "xgboost" in models:
        more.setdefault("fixed", {"num_boost_round": 60})
    plan = Plan(models, max_evals, timeout_s, seed=7, **more)
    problem = problem or Problem()
    matrices = Matrices(problem, features, rows(300, 0) if train is None else train, rows(200, 1), plan)
    return search.search(problem, features, matrices, plan, **how)


class Inline:
    """A pool that evaluates a trial when it is submitted."""

    def __init__(self, prepare, workers, limit):
        self.evaluate = prepare()

    def submit(self, trial):
        done = Future()
        done.set_result(pool.guarded(self.evaluate, trial))
        return done

    def close(self):
        pass


class Threads(Inline):
    """A pool of threads of this process."""

    def __init__(self, prepare, workers, limit):
        super().__init__(prepare, workers, limit)
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
        def __init__(self, prepare, workers, limit):
            super().__init__(prepare, workers, limit)
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
    result = run(["xgboost"], timeout_s=30.0)
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
    def troubled(prepare, workers, limit):
        return pool.Processes(Troubled(prepare, what), workers, lambda: min(limit(), 10.0))

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
    def chatty(prepare, workers, limit):
        return pool.Processes(Troubled(prepare, say), workers, limit)

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
    model = models.BoostedRegressor(num_boost_round=10**6, learning_rate=1e-5)
    train, other = rows(300, 0), rows(200, 1)
    bins = model.binned(train[["a", "b", "c"]].to_numpy(), train["y"].to_numpy())
    watched, falling = other[["a", "b", "c"]].to_numpy(), iter(range(10**6, 0, -1))
    model.fit_watching(bins, watched, lambda _: float(next(falling)), 30, end=time.monotonic() + 0.5)
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


SCARCE = """
import json, resource
import numpy as np, xgboost
from lib.compute import pool

def fit(trial):
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**22, most))
    try:
        xgboost.QuantileDMatrix(rows, rows[:, 0], nthread=1)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

rows = np.random.default_rng(0).normal(size=(200_000, 50))
xgboost.QuantileDMatrix(rows[:100], rows[:100, 0], nthread=1)  # what it imports when first asked
print(json.dumps(pool.guarded(fit, {})))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no limit of memory can be set here")
def test_memory_that_xgboost_was_not_given_is_the_machine_s_failure():
    words = [sys.executable, "-c", SCARCE]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    outcome = json.loads(said)
    assert outcome["reason"].startswith("XGBoostError: std::bad_alloc")
    assert not outcome["repeatable"]


@pytest.mark.parametrize(
    ("error", "repeatable"),
    [
        ("XGBoostError: bad_malloc: Failed to allocate 80000000000 bytes", False),
        ("RuntimeError: can't start new thread", False),
        ("XGBoostError: Check failed: max_bin > 1", True),
        ("ValueError: Input X contains NaN", True),
    ],
)
def test_what_an_error_says_tells_the_machine_s_failure_from_the_trial_s_own(error, repeatable):
    def fail(trial):
        raise RuntimeError(error)

    assert pool.guarded(fail, {})["repeatable"] == repeatable


@dataclasses.dataclass(frozen=True)
class KilledOnce:
    """A trial's trouble: the process is killed, the first time."""

    flag: Path

    def __call__(self):
        if not self.flag.exists():
            self.flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_once_changes_no_result(tmp_path):
    def troubled(prepare, workers, limit):
        return pool.Processes(Troubled(prepare, KilledOnce(tmp_path / "killed")), workers, limit)

    result = run(make_pool=troubled)
    assert (tmp_path / "killed").exists()
    assert trials(result) == trials(run(make_pool=Inline))


def test_a_setting_of_the_encoder_is_searched_and_encoded_once_each():
    wide = dataclasses.replace(FEATURES, spaces={"encoding": {"number.scale": ("choice", [True, False])}})
    result = run(features=wide, max_evals=8, make_pool=Inline)
    assert set(result.trials["encoding"]) == {"number.scale=True", "number.scale=False"}
    settings = result.tuned("plain").choice["settings"]
    assert settings in ({"number.scale": True}, {"number.scale": False})


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_cores_decide_how_many_workers_there_are_and_not_what_they_are_asked(monkeypatch, cores):
    seen = []

    def look(prepare, workers, limit):
        seen.append((workers, prepare().__self__.plan.threads))
        return Inline(prepare, workers, limit)

    monkeypatch.setattr(compute, "cores", lambda: cores)
    result = run(parallel=3, threads=2, make_pool=look)
    assert seen == [(min(3, cores), 2)]
    monkeypatch.undo()
    assert trials(result) == trials(run(parallel=3, threads=2, make_pool=Inline))


SEARCH = """
import json, sys
sys.path.insert(0, sys.argv[1])
import test_tuning
result = test_tuning.run(parallel=2, threads=2)
json.dump([test_tuning.trials(result), result.tuned("plain").to_mapping()], open(sys.argv[2], "w"))
"""


@pytest.mark.skipif(not shutil.which("taskset"), reason="no `taskset` here: a process has all cores")
def test_one_core_and_two_give_the_same_trials_and_the_same_record(tmp_path):
    """Each search in a process of its own, the first confined to one core, as `taskset -c 0` does."""
    found = []
    for cores in ([min(os.sched_getaffinity(0))], sorted(os.sched_getaffinity(0))[:2]):
        words = ["taskset", "-c", ",".join(map(str, cores)), sys.executable, "-c", SEARCH]
        out = tmp_path / f"{len(cores)}.json"
        subprocess.run([*words, str(Path(__file__).parent), str(out)], check=True, cwd=ROOT)
        found.append(json.loads(out.read_text()))
    assert found[0] == found[1]
    assert len(found[0][0]) == 12


def test_as_many_trials_are_out_at_once_as_parallel_says():
    out, most = set(), []

    class Watching(Inline):
        def submit(self, trial):
            out.add(trial["number"])
            most.append(len(out))
            return super().submit(trial)

    for parallel in (1, 3):
        out.clear(), most.clear()
        run(parallel=parallel, make_pool=Watching, on_trial=lambda row: out.discard(row["number"]))
        assert max(most) == parallel


def test_a_trial_whose_time_is_over_keeps_its_rounds_and_every_record_says_so():
    def hasty(trial, evaluate):
        return evaluate(trial | ({"seconds": 0.0} if trial["family"] == "xgboost" else {}))

    result = run(["xgboost"], make_pool=answering(hasty))
    assert (result.trials["status"] == "ok").all()
    assert set(result.trials["rounds"]) == {1}
    tuned = result.tuned("plain")
    assert "4 cut by the clock; the kept one ended by the clock, with the rounds it had" in tuned.told
    assert "ended by the clock" in insight.read_outcome(result)
    assert "ended by the clock" in insight.read_settings(result.choice)
    assert insight.stored(result)["cut"].all()


@pytest.mark.parametrize("folded", [0, 3])
def test_boosting_of_scikit_learn_keeps_its_rounds_too_and_is_refitted_with_these(folded):
    hasty = answering(lambda trial, evaluate: evaluate(trial | {"seconds": 0.0}))
    result = run(["gradient_boosting"], max_evals=2, folds=folded, make_pool=hasty)
    assert (result.trials["status"] == "ok").all()
    assert result.trials["cut"].all()
    choice = result.tuned("plain").choice
    assert 1 <= choice["rounds"] < choice["parameters"]["max_iter"]
    kept = choice["parameters"] | {"num_boost_round": choice["rounds"]}
    model = models.build("gradient_boosting", kept, "regression", 7, 1, True)
    train, other = rows(300, 0), rows(200, 1)
    model.fit(train[["a", "b", "c"]].to_numpy("float32"), train["y"])
    assert model.rounds_ == choice["rounds"]
    if not folded:
        said = model.predict(other[["a", "b", "c"]].to_numpy("float32"))
        assert evaluation.metric("rmse", "regression", other["y"], said) == choice["score"]


def test_the_metric_by_which_boosting_stops_reaches_each_round(monkeypatch):
    asked, metric = [], evaluation.metric
    monkeypatch.setattr(evaluation, "metric", lambda name, *more: asked.append(name) or metric(name, *more))
    run(["xgboost"], max_evals=2, make_pool=Inline)
    assert set(asked) == {"rmse"}
    asked.clear()
    result = run(["xgboost"], max_evals=2, early_stopping_metric="mae", make_pool=Inline)
    assert asked.count("mae") >= result.trials["rounds"].sum()
    assert asked.count("rmse") == 2 * (1 + 10)  # a trial's score, and those of its blocks


def test_the_device_reaches_each_fit_of_xgboost_and_no_other_family(monkeypatch):
    import xgboost

    asked, train = [], xgboost.train

    def watched(settings, *data, **more):
        asked.append(settings.pop("device", None))
        return train(settings, *data, **more)

    monkeypatch.setattr(xgboost, "train", watched)
    result = run(["linear_regression", "xgboost"], max_evals=2, device="cuda", make_pool=Inline)
    assert (result.trials["status"] == "ok").all()
    points = result.trials.set_index("family")["parameters"]
    assert asked == ["cuda"] * len(points["xgboost"])
    assert all(point["device"] == "cuda" for point in points["xgboost"])
    assert not any("device" in point for point in points["linear_regression"])
    asked.clear()
    run(["xgboost"], max_evals=2, make_pool=Inline)
    assert asked == [None] * 2


def test_a_trial_whose_solver_did_not_converge_has_that_as_its_reason_in_the_table(monkeypatch):
    from sklearn.svm import LinearSVR

    hasty, build = models.SklearnRegressor(LinearSVR(max_iter=1)), models.build
    monkeypatch.setattr(
        models, "build", lambda name, *of: hasty if name == "linear_svr" else build(name, *of)
    )
    result = run(["linear_svr", "linear_regression"], max_evals=2, make_pool=Inline)
    reasons = result.trials.groupby("family")["reason"].unique().to_dict()
    assert {family: list(found) for family, found in reasons.items()} == {
        "linear_svr": [endings.UNCONVERGED],
        "linear_regression": [""],
    }
    assert (result.trials["status"] == "ok").all()
    stored = insight.stored(result)
    assert stored.loc[stored["family"] == "linear_svr", "reason"].eq(endings.UNCONVERGED).all()
    assert f"linear_svr: {endings.UNCONVERGED}" in insight.read_outcome(result)
    one = result.trials[result.trials["family"] == "linear_svr"].iloc[0]
    assert endings.UNCONVERGED in insight.read_settings(one)


def test_a_search_that_its_clock_cut_loses_no_model_to_a_line():
    """The first guess is done in time; what is cut later costs only itself."""

    def busy(trial, evaluate):
        return evaluate(trial | ({"seconds": 0.0} if trial["by"] != "first guess" else {}))

    cut = run(["linear_regression", "xgboost"], make_pool=answering(busy))
    assert cut.choice["family"] == "xgboost"
    assert not cut.choice["cut"]


def proposed(file):
    """How many trials of a parameters file each proposes, with losses by chance in place of models."""
    from lib import problem as problems
    from lib.notebook_source import plain_yaml
    from lib.tuning import loop

    given = plain_yaml.read(ROOT / "params" / file, file)
    dataset = problems.load(given["problem"])
    features = dataset.feature_set(given["feature_set"])
    names = given.keys() & {field.name for field in dataclasses.fields(Plan)}
    plan = Plan(**{name: given[name] for name in names})
    dense = features.name not in ("zoomcamp",)
    matrices = types.SimpleNamespace(settings={"as declared": {}}, dense=dense, splits={})
    rng = np.random.default_rng(3)

    class Chance:
        def submit(self, trial):
            done = Future()
            score = {"status": "ok", "score": rng.random(), "seconds": 0.0, "repeatable": True, "reason": ""}
            done.set_result(score | {"blocks": [0.0] * 10, "comparisons": 1.0})
            return done

        def close(self):
            pass

    one = loop.Loop(dataset, features, matrices, plan, None)
    one.resume(None, None)
    return one.go(Chance()).trials["by"].value_counts()


@pytest.mark.parametrize("file", [path.name for path in sorted((ROOT / "params").glob("*.yaml"))])
def test_tpe_proposes_half_of_the_trials_of_each_shipped_file(file):
    counts = proposed(file)
    assert counts["tpe"] >= counts.sum() / 2, counts.to_dict()


def test_what_tpe_was_asked_can_be_asked_again_with_what_was_known_then():
    from hyperopt import tpe

    space = {"x": ("uniform", 0, 1), "n": ("quniform", 1, 9, 1), "kind": ("choice", ["a", "b"])}
    one, points = suggest.FamilySearch("f", space, 3, 10), []
    for number in range(12):  # two are out at once, and one fails
        points.append(one.suggest())
        if number:
            one.observe(number - 1, None if number == 6 else points[number - 1]["x"])
    for number in range(one.told, 12):
        asked = one.asked(100 + number, number)
        assert (asked.trial, asked.number) == (100 + number, number)
        assert len(asked.known.trials) == number
        ways = {"n_startup_jobs": 0, "verbose": False}
        (document,) = tpe.suggest([number], asked.domain, asked.known, asked.seed, **ways)
        places = {name: value for name, [value] in document["misc"]["vals"].items()}
        assert spaces.point(space, places) == points[number]


@pytest.mark.parametrize("algo", ["tpe", "random", "anneal"])
def test_each_algorithm_proposes_within_the_bounds_and_the_ends_too(algo):
    """Low 15, high 63, step 4: hyperopt's own rounding would give 16, 20 and 64."""
    space = {
        "leaves": ("quniform", 15, 63, 4),
        "rate": ("loguniform", -3, 0),
        "share": ("uniform", 0.2, 0.8),
        "how": ("choice", ["a", "b"]),
    }
    one, points = suggest.FamilySearch("f", space, 1, 60, algo), []
    for number in range(60):
        points.append(one.suggest())
        one.observe(number, float(points[-1]["leaves"]) if number % 7 else None)
    leaves = {point["leaves"] for point in points}
    assert leaves <= set(range(15, 64, 4))
    assert 15 in leaves
    assert all(np.exp(-3) <= point["rate"] <= 1 and 0.2 <= point["share"] <= 0.8 for point in points)
    if algo != "random":  # the lowest is the best
        assert np.mean([point["leaves"] for point in points[40:]]) < 34


def test_the_ends_of_an_axis_of_steps_are_tried_as_often_as_what_lies_between():
    one = suggest.FamilySearch("f", {"n": ("quniform", 1, 4, 1), "x": ("uniform", 0, 1)}, 5, 2000, "random")
    counts = pd.Series([one.suggest()["n"] for _ in range(400)]).value_counts()
    assert counts.min() > 70


def test_a_first_guess_lies_within_the_space_as_near_to_what_is_known_as_can_be():
    space = {
        "learning_rate": ("loguniform", -4, -3),
        "max_depth": ("quniform", 8, 10, 1),
        "gamma": ("uniform", 0, 1),
    }
    found = spaces.first("xgboost", space)
    assert found == {"learning_rate": pytest.approx(np.exp(-3)), "max_depth": 8, "gamma": 0.5}


def test_a_search_ends_when_patience_is_over_and_says_so():
    result = run(
        max_evals=30, patience=5, make_pool=answering(lambda trial, run: run(trial) | {"score": 1.0})
    )
    assert result.reason == "5 trials brought nothing better"
    assert len(result.trials) <= 8
    assert "as 5 trials brought nothing better" in result.tuned("plain").told


def test_what_is_fixed_is_in_every_trial_and_searched_in_none():
    result = run(["random_forest", "xgboost"], fixed={"max_depth": 3, "xgboost": {"num_boost_round": 40}})
    points = result.trials.set_index("family")["parameters"]
    assert {point["max_depth"] for point in points} == {3}
    assert {point["num_boost_round"] for point in points["xgboost"]} == {40}
    assert "max_depth" not in result.spaces["xgboost"]
    assert result.choice["parameters"]["max_depth"] == 3


def test_a_family_s_whole_space_or_one_axis_of_it_can_be_given():
    only = run(["xgboost"], fixed={"max_depth": 2, "num_boost_round": 20}, space={"xgboost": {}})
    assert only.trials["parameters"].tolist() == [{"max_depth": 2, "num_boost_round": 20}]
    axis = run(["random_forest"], space={"max_depth": ["choice", [2, 3]]}, max_evals=5)
    assert {point["max_depth"] for point in axis.trials["parameters"]} == {2, 3}
    assert {len(point) for point in axis.trials["parameters"]} == {5}


def test_a_setting_of_an_encoder_can_be_fixed():
    wide = dataclasses.replace(FEATURES, spaces={"encoding": {"number.scale": ("choice", [True, False])}})
    result = run(["linear_regression"], features=wide, fixed={"number": {"scale": True}}, make_pool=Inline)
    assert result.tuned("plain").choice["settings"] == {"number.scale": True}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"fixed": {"max_dept": 3}},
            r"fixed must be of hyperparameters: .*'max_dept'; did you mean 'max_depth'",
        ),
        ({"fixed": {"max_depth": "deep"}}, r"fixed must be with max_depth as int.*'deep'"),
        ({"fixed": {"lasso": {"alpha": 1.0}}}, r"fixed must be of the families in `models`.*not 'lasso'"),
        ({"fixed": {"tfid": {"words": 5}}}, r"did you mean 'tfidf'"),
        ({"space": {"max_depth": [3, 4]}}, r"space must be a distribution as .*not \[3, 4\]"),
        ({"space": {"max_depth": ["quniform", 9, 4, 1]}}, r"low before high"),
        ({"folds": 1}, r"folds must be 0.*not 1"),
        ({"early_stopping_metric": "auc"}, r"early_stopping_metric must be one of .*rmse"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_what_can(given, said):
    with pytest.raises(ParameterError, match=said):
        run(make_pool=Inline, **given)


@pytest.mark.parametrize("dense", [True, False], ids=["dense", "sparse"])
@pytest.mark.parametrize("family", sorted(spaces.SPARSE))
def test_a_first_guess_has_no_more_trees_than_the_middle_of_its_space(family, dense):
    """On a busy machine the first trial may be the only one that a family gets."""
    space = spaces.space(family, dense)
    guess = spaces.first(family, space)
    for name in space.keys() & {"n_estimators", "num_boost_round", "max_iter"}:
        assert guess[name] <= (space[name][1] + space[name][2]) / 2


def test_how_long_a_solver_may_take_is_no_hyperparameter():
    """`max_iter` is searched where it counts rounds of boosting, and nowhere else."""
    sets = [one for name in problem.names() for one in problem.load(name).feature_sets.values()]
    spaces_ = [spaces.SPARSE, spaces.DENSE, *(one.spaces for one in sets)]
    searched = {family for given in spaces_ for family, space in given.items() if "max_iter" in space}
    assert searched == {"gradient_boosting"}


@pytest.mark.parametrize("family", sorted(hyperparameters.TABLE))
def test_every_hyperparameter_in_the_table_is_one_of_the_estimator(family):
    """XGBoost takes any name, so of it those are asked that its own documentation has."""
    table = hyperparameters.TABLE[family]
    if family == "xgboost":
        import xgboost

        own = {"num_boost_round", "balance", "target", "max_leaves", "objective"}
        assert set(table) - own <= set(xgboost.XGBRegressor().get_params())
        assert set(spaces.SPARSE[family]) | set(spaces.DENSE[family]) <= set(table)
        return
    known = {"target"}
    for task in models.ZOO[family].tasks:
        for dense in (True, False):
            built = models.build(family, {}, task, 1, 1, dense).estimator
            known |= set((built[-1] if hasattr(built, "steps") else built).get_params())
    for dense in (True, False):
        assert set(spaces.space(family, dense)) <= set(table)
    assert set(table) <= known


def test_the_encoders_whose_settings_can_be_given_are_those_there_are():
    assert set(written.ENCODERS) == set(encoders.ENCODERS)


def test_what_boosting_may_watch_is_what_can_be_computed():
    numbers = evaluation.metrics("regression", [0.0, 1.0], [0.0, 1.0])
    chances = pd.DataFrame({"a": [0.9, 0.2], "b": [0.1, 0.8]})
    classes = evaluation.metrics("classification", ["a", "b"], chances)
    assert {"regression": set(numbers), "classification": set(classes)} == {
        task: set(names) for task, names in limits.METRICS.items()
    }


def test_folds_score_every_row_once_and_keep_groups_together():
    class Grouped(Problem):
        def blocks(self, rows):
            return pd.Series(np.arange(len(rows)) // 10, name="groups")

    plan, seen = Plan(["xgboost"], 1, 60.0, folds=5), []
    train, validation = rows(300, 0), rows(200, 1)
    for learning, scoring in folds(Grouped(), train, validation, plan):
        assert not set(learning.index // 10) & set(scoring.index // 10)
        seen += scoring.index.tolist()
    assert sorted(seen) == list(range(500))


def test_a_search_by_folds_scores_their_mean_and_says_how_many():
    result = run(["linear_regression", "xgboost"], max_evals=2, folds=4, make_pool=Inline)
    for row in result.trials.itertuples():
        assert row.score == pytest.approx(np.mean(row.blocks))
        assert len(row.blocks) == 4
    assert result.tuned("plain").folds == 4


def noise(count, space, seed):
    """Trials whose scores are chance, at random points of a space."""
    rng, one = np.random.default_rng(seed), suggest.FamilySearch("f", space, seed, count, "random")
    points = [one.suggest() for _ in range(count)]
    found = table(*[(i, "f", rng.normal(5, 0.1), [], 1.0) for i in range(count)])
    return found.assign(parameters=points)


AXES = {f"x{i}": ("uniform", 0.0, 1.0) for i in range(6)}


def test_on_noise_no_parameter_matters_and_no_edge_is_crowded():
    """Of 40 searches whose scores are chance at most one may be read as if it were not."""
    loud = [noise(40, AXES, seed) for seed in range(40)]
    assert sum(not insight.importance(one, AXES, "rmse").empty for one in loud[:8]) == 0
    said = [insight.read_parameters(one, "rmse", AXES) for one in loud]
    assert sum("surely elsewhere" not in words for words in said) <= 1


def test_a_parameter_that_matters_is_found_by_enough_trials_and_not_by_few():
    tried = noise(40, AXES, 1)
    for point in tried["parameters"]:
        point["x2"] = 1 - (1 - point["x2"]) ** 3  # as a search does that has found where the good ones lie
    tried["score"] = [
        5 + (1 - point["x2"]) + 0.01 * number for number, point in enumerate(tried["parameters"])
    ]
    tried["score"] -= 0.01 * tried["number"]
    weights = insight.importance(tried, AXES, "rmse")
    assert weights.index[0] == "x2"
    assert weights.iloc[0] > 0.8
    assert "**x2** higher than the others" in insight.read_parameters(tried, "rmse", AXES)
    assert "x2 (upper end)" in insight.read_parameters(tried, "rmse", AXES)
    assert insight.importance(tried[:29], AXES, "rmse").empty
    assert "takes 30" in insight.read_parameters(tried[:29], "rmse", AXES)


def test_on_noise_the_lightest_lines_pass_no_gate_and_of_few_lines_none_is_read():
    """Of 40 searches whose scores are chance at most one may be read as if it were not."""
    axes = AXES | {"target": ("choice", ["identity", "sqrt", "log"])}
    said = [insight.read_gate(noise(40, axes, seed), "rmse", axes) for seed in range(40)]
    assert sum("more than luck makes them" not in words for words in said) <= 1
    assert "takes 30" in insight.read_gate(noise(29, axes, 1), "rmse", axes)


def test_a_gate_that_the_score_asks_for_is_named_with_its_ends():
    """The score is the distance of `x1` from a half, and a step more where the target is not a root."""
    axes = {"x0": AXES["x0"], "x1": AXES["x1"], "target": ("choice", ["identity", "sqrt"])}
    tried = noise(60, axes, 1)
    tried["score"] = [abs(p["x1"] - 0.5) + (p["target"] != "sqrt") for p in tried["parameters"]]
    said = insight.read_gate(tried, "rmse", axes)
    low, high = map(float, re.search(r"\*\*x1\*\* \((\S+) to (\S+)\)", said).groups())
    assert 0.2 < low < 0.5 < high < 0.8
    assert "**target** (sqrt)" in said
    assert "x0" not in said
    tried["score"] *= -1
    assert insight.read_gate(tried, "auc", axes) == said


@pytest.mark.parametrize(
    ("metric", "scores"), [("rmse", [5.3, 4.07, 4.1, 4.09]), ("auc", [0.5, 0.9, 0.88, 0.89])]
)
def test_the_dots_of_the_best_and_the_worst_family_lie_whole_in_the_picture(metric, scores):
    from lib.plots import searches

    tried = pd.DataFrame({"score": scores, "family": ["line", "trees", "trees", "trees"], "status": "ok"})
    axes = searches.families(tried, metric).axes[0]
    low, high = axes.get_xlim()
    room = 0.015 * (high - low)
    assert low + room < min(scores[0], scores[1])
    assert max(scores[0], scores[1]) < high - room


def test_a_search_of_one_trial_has_no_picture_of_trials_and_all_its_sentences():
    from lib.plots import searches

    one = run(["xgboost"], fixed={"max_depth": 2, "num_boost_round": 20}, space={"xgboost": {}})
    space, kept = one.spaces["xgboost"], selection.contenders(one.trials, "rmse")
    drawn = [
        searches.over_time(one.trials, "rmse"),
        searches.families(one.trials, "rmse"),
        searches.importance(insight.importance(one.trials, space, "rmse")),
        searches.parameters(one.trials, "rmse", space),
        searches.parallel(one.trials, "rmse", space),
        searches.choice(kept, one.choice, "rmse"),
    ]
    assert drawn == [None] * 6
    assert "the only one" in insight.read_over_time(one.trials, "rmse")
    assert "only family" in insight.read_families(one.trials, "rmse")
    assert insight.read_importance(pd.Series(dtype=float), one.trials).startswith(
        "One finished trial is too few"
    )


def test_equal_scores_are_said_to_be_as_good_and_no_difference_is_minus_nothing():
    same = table((0, "a", 0.9, [0.9] * 10, 9.0), (1, "b", 0.9, [0.9] * 10, 1.0))
    assert "is as good, for 11% of the cost" in selection.read_selection(same, "auc")
    near = table((0, "a", 5.0, [5.0] * 10, 9.0), (1, "b", 5.0 + 8e-5, [4.999, 5.001] * 5, 1.0))
    assert "is as good" in selection.read_selection(near, "rmse")
    for told in (insight.read_over_time(same, "auc"), insight.read_families(same, "auc")):
        assert not re.search(r"-0\b|e-0", told), told
    assert "level with b" in insight.read_families(same, "auc")
    assert "brought nothing better" in insight.read_over_time(same, "auc")


@pytest.mark.parametrize(("cost", "share"), [(7.0, "0.14"), (1500.0, "30"), (4999.0, "99")])
def test_what_costs_less_is_not_said_to_cost_nothing_or_all(cost, share):
    equal = table((0, "a", 5.0, [5.0] * 10, 5000.0), (1, "b", 5.01, [4.9, 5.12] * 5, cost))
    assert f", for {share}% of the cost of a prediction: " in selection.read_selection(equal, "rmse")


def test_how_far_the_best_of_another_family_lies_behind_is_told_whichever_trial_is_selected():
    """B lags by 0.1 ± 0.5 on each of ten blocks: the standard error is 0.5 / 3, as of ten numbers."""
    b = (1, "b", 5.1, list(5.1 + np.tile([0.5, -0.5], 5)), 40.0)
    told = (
        "The best of another family, trial 1 (b), is 0.1 min worse; one standard error of that is 0.17 min."
    )
    for cost in (900.0, 1.0):
        a = (0, "a", 5.0, [5.0] * 10, cost)
        assert selection.read_selection(table(a, b), "rmse", unit="min").endswith(told)
    assert "another family" not in selection.read_selection(table((0, "a", 5.0, [5.0] * 10, 9.0)), "rmse")


def test_scores_that_are_all_but_equal_leave_an_axis_that_can_be_read():
    from lib.plots import searches

    level = table(*[(i, "a", 5.3 + 1e-10 * i, [], 1.0) for i in range(4)])
    axes = searches.over_time(level, "rmse").axes[0]
    axes.figure.canvas.draw()
    assert axes.yaxis.get_offset_text().get_text() == ""
    assert len({label.get_text() for label in axes.get_yticklabels()}) == len(axes.get_yticks())


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
    assert insight.read_importance(pd.Series(dtype=float), tried).startswith("One finished trial is too few")


def test_a_choice_of_one_value_is_set_not_searched_and_the_pictures_have_no_place_for_it():
    result = run(models=["xgboost"], space={"max_bin": ["choice", [32]], "max_depth": ["quniform", 2, 4, 1]})
    assert "max_bin" not in result.spaces["xgboost"]
    assert all(point["max_bin"] == 32 for point in result.trials["parameters"])
    assert searches.parallel(result.trials, "rmse", result.spaces["xgboost"])


def test_the_bins_that_are_asked_for_are_cut_though_trials_share_them():
    plan = Plan(["xgboost"], 1, 60.0, seed=7)
    matrices = Matrices(Problem(), FEATURES, rows(300, 0), rows(200, 1), plan)
    bench = trial.Bench(matrices.splits, "regression", "rmse", "rmse", plan)
    scores = {}
    for bins in (256, 2, 256):
        point = {"max_bin": bins, "num_boost_round": 20}
        found = bench.evaluate({"family": "xgboost", "parameters": point, "encoding": "as declared"})
        scores.setdefault(bins, []).append(found["score"])
    assert scores[256][0] == scores[256][1] != scores[2][0]


def test_searches_with_neighbouring_seeds_share_no_random_point():
    space = {"a": ("uniform", 0.0, 1.0), "b": ("uniform", 0.0, 1.0)}
    drawn = []
    for seed in range(4):
        one = suggest.FamilySearch("xgboost", space, seed, 10, "random")
        points = [one.suggest() for _ in range(10)][1:]  # the first is a guess
        drawn += [(point["a"], point["b"]) for point in points]
    assert len(set(drawn)) == len(drawn) == 36
