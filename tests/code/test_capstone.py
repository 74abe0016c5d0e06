"""The capstone's criteria one by one, on records and a package as a run and a learner leave them."""

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib import datasets, records
from lib.grading import capstone, progress
from lib.grading.capstone import of_model, of_problem
from lib.grading.capstone.evidence import Evidence, Unmet
from lib.paths import Project
from lib.scaffold import new_problem

TUNED = records.Tuned(
    feature_set="all",
    metric="rmse",
    choice={"family": "xgboost", "score": 2.5},
    best={"linear_regression": {}, "xgboost": {}},
    trials=40,
    budget=40,
    ended="all trials were run",
)
ASKED = {"max_evals": 20, "models": ["linear_regression", "xgboost"]}
FIGURES = {
    "test_rmse": 2.4,
    "baseline_constant_test_rmse": 4.0,
    "beats_constant": 1.0,
    "test_interval_coverage": 0.9,
}


@pytest.fixture
def evidence(tmp_path, monkeypatch) -> Evidence:
    """A problem as `make new-problem` writes it, of 200 rows, and good records of a run's later steps."""
    random, before = np.random.default_rng(0), set(sys.modules)
    table = pd.DataFrame(
        {
            "host_id": random.integers(1, 60, 200),
            "size": random.normal(60, 9, 200).round(1),
            "price": random.normal(90, 9, 200),
        }
    )
    table.to_csv(tmp_path / "flats.csv", index=False)
    monkeypatch.setattr(datasets, "__path__", [*datasets.__path__, str(tmp_path / "lib/datasets")])
    new_problem("flats", tmp_path / "flats.csv", "price", tmp_path)
    project = Project(tmp_path, tmp_path / "outputs")
    monkeypatch.setattr("lib.paths.here", lambda: project)
    made = Evidence(project, "params/flats.yaml", "flats", "flats", {}, {})
    TUNED.write(made.folder / "tuned.json")
    records.Metrics(FIGURES).write(made.folder / "metrics.json")
    step(made, "04_tune")
    step(made, "03_prep", {"train_rows": 128, "validation_rows": 32, "test_rows": 40})
    yield made
    for name in set(sys.modules) - before:
        if name.startswith("lib.datasets."):
            del sys.modules[name]


def step(evidence: Evidence, name: str, metrics: dict | None = None, inputs: dict | None = None) -> None:
    record = records.StepRecord(
        step=name, code=[], parameters=ASKED if name == "04_tune" else {}, modules={}, inputs=inputs or {},
        outputs={}, started="", seconds=1.0, reasons=[], kernel="warm", metrics=metrics or {},
    )  # fmt: skip
    record.write(evidence.folder / "notebooks" / f"{name}.json")


def again(evidence: Evidence) -> Evidence:
    """The same, with nothing read yet."""
    return replace(evidence)


def leaves(evidence: Evidence, name: str, content: dict) -> Evidence:
    (evidence.folder / f"{name}.json").write_text(json.dumps(content))
    return again(evidence)


def decides(evidence: Evidence, key: str, why: str) -> Evidence:
    (evidence.project.datasets / "flats" / "decisions.yaml").write_text(f"{key}: {why}\n")
    return again(evidence)


@pytest.mark.parametrize(
    ("changed", "criterion", "says"),
    [
        ({"best": {"xgboost": {}, "lasso": {}}}, of_model.families, "no baseline"),
        ({"best": {"linear_regression": {}}}, of_model.families, "linear_regression alone"),
        ({"trials": 29}, of_model.enough, "29 trials are few"),
        ({"trials": 35, "ended": "its time was over"}, of_model.enough, "after 35 of 40 trials"),
        ({"cut": 1}, of_model.enough, "1 trials were cut by the clock"),
        ({"failed": 5}, of_model.enough, "5 of 40 trials failed"),
        ({"late": ["size"]}, of_model.early, "told size, known only after"),
    ],
)
def test_a_search_that_says_little_is_told_why(evidence, changed, criterion, says):
    assert criterion(evidence)
    replace(TUNED, **changed).write(evidence.folder / "tuned.json")
    with pytest.raises(Unmet, match=says):
        criterion(again(evidence))


def test_a_search_that_ended_as_nothing_better_came_was_not_cut(evidence):
    ended = replace(TUNED, trials=33, ended="12 trials brought nothing better")
    ended.write(evidence.folder / "tuned.json")
    assert "33 of 40 trials" in of_model.enough(again(evidence))


def test_a_search_that_has_gone_through_all_the_settings_there_are_has_enough_trials(evidence):
    replace(TUNED, trials=12, budget=12).write(evidence.folder / "tuned.json")
    assert "12 trials" in of_model.enough(again(evidence))


def test_intervals_that_were_not_judged_are_told_as_that(evidence):
    kept = {name: value for name, value in FIGURES.items() if name != "test_interval_coverage"}
    records.Metrics(kept).write(evidence.folder / "metrics.json")
    with pytest.raises(Unmet, match="has kept no coverage"):
        of_model.covers(decides(evidence, "coverage", "The tenants of June are others, and were told."))


def test_a_search_that_has_read_the_test_rows_has_not_chosen_on_validation(evidence):
    step(evidence, "04_tune", inputs={"train": "a", "validation": "b"})
    assert of_model.chosen(evidence) == "xgboost chosen on validation (rmse 2.5)"
    step(evidence, "04_tune", inputs={"train": "a", "validation": "b", "test": "c"})
    with pytest.raises(Unmet, match="has read the test rows"):
        of_model.chosen(evidence)


def test_a_model_that_is_no_better_than_a_constant_is_no_champion(evidence):
    assert of_model.beats(evidence) == "test rmse 2.4, a constant 4"
    records.Metrics(FIGURES | {"beats_constant": 0.0}).write(evidence.folder / "metrics.json")
    with pytest.raises(Unmet, match="cannot tell the model from one that always answers the same"):
        of_model.beats(again(evidence))
    records.Metrics(FIGURES | {"beats_constant": None}).write(evidence.folder / "metrics.json")
    with pytest.raises(Unmet, match="nobody can say if it is luck"):
        of_model.beats(again(evidence))


@pytest.mark.parametrize(("held", "enough"), [(0.9, True), (0.69, True), (0.68, False)])
def test_intervals_may_miss_by_luck_alone(evidence, held, enough):
    """With 32 rows of validation and 40 of test: 0.9 - 3 * sqrt(0.09 * (1/32 + 1/40)) = 0.6866."""
    records.Metrics(FIGURES | {"test_interval_coverage": held}).write(evidence.folder / "metrics.json")
    evidence = again(evidence)
    if enough:
        assert f"{held:.1%}" in of_model.covers(evidence)
        return
    with pytest.raises(Unmet, match=r"hold 68\.0%, and luck ends at 68\.7%"):
        of_model.covers(evidence)
    reason = "The tenants of June are others, and the landlord was told."
    assert of_model.covers(decides(evidence, "coverage", reason))


def test_a_reason_is_a_sentence_and_names_what_it_is_about(evidence):
    evidence = leaves(evidence, "profile", {"rows": {"raw": 200}, "unique": {"host_id": 59, "size": 150}})
    with pytest.raises(Unmet, match="Each value of host_id stands in several rows"):
        of_problem.grouped(evidence)
    for why in ("no", "Because all of them are known by then."):
        with pytest.raises(Unmet) as unmet:
            of_problem.grouped(decides(evidence, "groups", why))
        assert "must name host_id" in unmet.value.remedy
    reason = "A host_id of today is asked again tomorrow."
    assert of_problem.grouped(decides(evidence, "groups", reason)) == "groups may be parted, with a reason"


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ({"generated": True, "rows": 9, "files": []}, "were generated"),
        ({"generated": False, "rows": 9, "files": []}, "not those of a file of your own"),
        ({"rows": 9, "files": [{"name": "a", "url": "https://a.org/a", "sha256": "1f"}]}, "of your own"),
    ],
)
def test_rows_are_those_of_a_file_of_ones_own(evidence, origin, says):
    mine = {"rows": 200, "files": [{"name": "flats.csv", "url": "flats.csv", "sha256": "1f"}]}
    assert of_problem.own(leaves(evidence, "provenance", mine)) == "200 rows of flats.csv (sha256 1f…)"
    with pytest.raises(Unmet, match=says):
        of_problem.own(leaves(evidence, "provenance", origin))


def test_a_warning_of_page_3_is_mended_or_answered(evidence):
    assert of_problem.minded(evidence) == "nothing told that must be minded"
    evidence = leaves(evidence, "cautions", {"format": 2, "said": ["Too good to be true: size."]})
    with pytest.raises(Unmet, match="Page 3 warns: Too good to be true: size"):
        of_problem.minded(evidence)
    answered = decides(evidence, "cautions", "The size is in the advertisement, years before the price.")
    assert of_problem.minded(answered) == "a warning, with an answer"


def test_splits_that_are_torn_or_tiny_are_told(evidence):
    held = {"checks": {"no row in two splits": {"result": "ok"}}}
    assert of_problem.apart(leaves(evidence, "quality", held)).endswith("40 rows of test")
    with pytest.raises(Unmet, match="“no row in two splits” did not hold"):
        of_problem.apart(leaves(evidence, "quality", {"checks": {}}))
    step(evidence, "03_prep", {"train_rows": 128, "validation_rows": 32, "test_rows": 29})
    with pytest.raises(Unmet, match="Fewer than 30 rows measure nothing: test has 29"):
        of_problem.apart(leaves(evidence, "quality", held))


def test_a_package_with_a_mistake_in_it_is_told_in_a_line_and_nothing_else_is_asked(evidence):
    module = evidence.project.datasets / "flats" / "training.py"
    module.write_text(module.read_text() + "\nDATASET.nothing\n")
    first, *others = capstone.judge(evidence)
    [unmet] = first.unmet
    assert "lib/datasets/flats/ cannot be read: AttributeError" in unmet.missing
    assert not any(one.asked for one in others)


def test_a_step_that_is_out_of_date_is_not_looked_into(evidence):
    with pytest.raises(Unmet, match="03_prep is due: parameter seed 1 -> 2"):
        replace(evidence, due={"03_prep": "parameter seed 1 -> 2"}).step("03_prep")


def test_progress_shows_a_capstone_with_all_its_stages(evidence):
    name = progress.of_capstone("flats")
    progress.note(evidence.project.outputs, name, next(iter(capstone.NAMED)), passed=True)
    (evidence.project.exercises / "sources").mkdir(parents=True)
    shown = {row[0]: row[1] for row in progress.table(evidence.project)}
    assert shown["capstone: flats"] == "1 of 6"
