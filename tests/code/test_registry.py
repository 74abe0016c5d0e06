"""A model is known by its content; the alias moves only after a fair contest, or by the user's own word."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import datasets, files, inference, registry
from lib.errors import RegistryError
from lib.registry import contest
from lib.registry.store import Store
from lib.steps import Step

NAME = "green_taxi-generated"
PROVENANCE = {"generated": True, "problem": "green_taxi", "rows": 1500, "seed": 42, "files": []}


@pytest.fixture(scope="module")
def taxi():
    """The problem and its splits."""
    dataset = datasets.load("green_taxi")
    parts = dataset.split(dataset.clean(dataset.generate(1500, 42)).rows, 42)
    return SimpleNamespace(
        dataset=dataset, test=parts["test"], train=parts["train"], everything=pd.concat(parts)
    )


@pytest.fixture(scope="module")
def models(taxi, tmp_path_factory):
    """Folders of three models: `poor`, `good`, and one that `knows` the test rows."""
    from lib import packaging

    def model(name, family, rows, parameters):
        folder = tmp_path_factory.mktemp("models") / name
        choice = {"family": family, "parameters": parameters}
        pipeline = inference.Pipeline.fit(taxi.dataset, "zoomcamp", choice, rows, 42)
        packaging.save_model(pipeline, folder, rows.head(2))
        return folder

    return SimpleNamespace(
        poor=model("poor", "lasso", taxi.train, {"alpha": 5.0}),
        good=model("good", "random_forest", taxi.train, {"n_estimators": 20}),
        knows=model("knows", "lasso", taxi.everything, {"alpha": 4.0}),
    )


@pytest.fixture(scope="module")
def _answers():
    return {}


@pytest.fixture(autouse=True)
def _ask_once(monkeypatch, _answers):
    """Have a model that is asked the same rows again answer from memory: a clean process takes seconds."""
    ask = inference.ask

    def remembered(folder, rows, measure=False):
        key = files.digest(folder), pd.util.hash_pandas_object(rows).sum(), len(rows)
        if key not in _answers:
            _answers[key] = ask(folder, rows, measure)
        return _answers[key]

    monkeypatch.setattr(inference, "ask", remembered)


@pytest.fixture
def step(outputs):
    """An open step of run r1 on generated rows."""
    Step("01_ingest", "r1", "green_taxi", writes=["provenance"]).write("provenance", PROVENANCE)
    made = Step("06_registry", "r1", "green_taxi", reads=["provenance"])
    made.open()
    yield made
    made.close()


def enter(step, folder, taxi, alias="champion"):
    """Register a model, judge it, decide: what the notebook does."""
    version = registry.register(step, folder, taxi.dataset, PROVENANCE)
    verdict = registry.judge(version, taxi.dataset, taxi.test, alias)
    return verdict, registry.decide(verdict, alias)


def holders(name=NAME):
    return Store(registry.outputs()).aliases(name)


class TestContest:
    def test_the_first_takes_the_alias_a_better_one_takes_it_over_and_a_worse_one_does_not(
        self, step, models, taxi
    ):
        verdict, decision = enter(step, models.poor, taxi)
        assert (verdict.outcome, decision["rival"], holders()) == (
            "first",
            "these rows' own mean",
            {"champion": 1},
        )
        verdict, decision = enter(step, models.good, taxi)
        assert verdict.outcome == "better" and "version 2 takes 'champion': rmse" in verdict.reason
        assert holders() == {"champion": 2}
        assert decision["score"] < decision["rival_score"] and decision["holder"] == 2
        verdict, decision = enter(step, models.poor, taxi)
        assert verdict.outcome == "not better" and decision["version"] == 1
        assert holders() == {"champion": 2, "challenger": 1}

    def test_a_winner_that_was_overtaken_during_its_contest_says_so(self, step, models, taxi):
        version = registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        verdict = registry.judge(version, taxi.dataset, taxi.test)
        enter(step, models.good, taxi)
        decision = registry.decide(verdict)
        assert (verdict.outcome, decision["outcome"], decision["holder"]) == ("first", "not compared", 2)
        assert f"{NAME} version 2 took 'champion' during the comparison" in decision["reason"]
        assert holders() == {"champion": 2, "challenger": 1}

    def test_the_same_model_again_is_the_same_version_and_moves_nothing(self, step, models, taxi):
        enter(step, models.good, taxi)
        verdict, decision = enter(step, models.good, taxi)
        assert (verdict.outcome, decision["version"]) == ("same", 1)
        assert len(registry.versions(NAME)) == 1 and holders() == {"champion": 1}

    def test_a_champion_that_was_fitted_on_the_test_rows_is_not_contested(self, step, models, taxi):
        store, version = (
            Store(registry.outputs()),
            registry.register(step, models.knows, taxi.dataset, PROVENANCE),
        )
        store.move(version, "champion")
        verdict, _ = enter(step, models.good, taxi)
        assert verdict.outcome == "unfair"
        assert f"fitted on {len(taxi.test):,} of these {len(taxi.test):,} test rows" in verdict.reason
        assert f"make promote VERSION=2 MODEL={NAME}" in verdict.reason
        assert holders() == {"champion": 1, "challenger": 2}

    def test_a_candidate_that_was_fitted_on_the_test_rows_cannot_win(self, step, models, taxi):
        enter(step, models.poor, taxi)
        verdict, _ = enter(step, models.knows, taxi)
        assert verdict.outcome == "unfair" and "was itself fitted on" in verdict.reason
        assert holders()["champion"] == 1

    def test_which_rows_a_model_has_seen_is_told_by_the_model(self, models, taxi):
        assert contest.seen(models.good, taxi.train).all()
        assert not contest.seen(models.good, taxi.test).any()
        mixed = pd.concat([taxi.test.head(5), taxi.train.head(3)])
        assert contest.seen(models.good, mixed).tolist() == [False] * 5 + [True] * 3

    def test_a_stored_model_answers_with_the_code_that_was_stored_with_it(self, models, taxi, tmp_path):
        old = shutil.copytree(models.good, tmp_path / "old")
        code = old / "code" / "lib" / "inference.py"
        code.write_text(
            code.read_text().replace("found = self.model.predict(", "found = 1000 + self.model.predict(")
        )
        made = contest.compare(taxi.dataset, taxi.test, models.good, old)
        np.testing.assert_allclose(made.champion, np.asarray(made.candidate) + 1000)

    def test_both_are_scored_on_the_same_resamples(self, models, taxi):
        made = contest.compare(taxi.dataset, taxi.test, models.good, models.poor)
        table, gain = made.resamples, made.gain()
        np.testing.assert_allclose(table["gain"], table["rival"] - table["candidate"])
        assert gain["low"] < gain["gain"] < gain["high"] and gain["low"] > 0
        assert table["gain"].std() < table["candidate"].std() + table["rival"].std()
        assert made.gains().index[0] == "all rows" and "better" in made.read()


class TestClasses:
    def test_a_contest_of_classifiers_is_judged_by_their_metric(self):
        rows = pd.DataFrame({"label": list("abab") * 20})
        dataset = SimpleNamespace(
            task="classification", metric="auc", target=SimpleNamespace(name="label", unit=""), slices={}
        )
        sure = pd.DataFrame({"a": [0.9, 0.1] * 40, "b": [0.1, 0.9] * 40})
        unsure = pd.DataFrame({"a": [0.5] * 80, "b": [0.5] * 80})
        made = contest.Contest(dataset, rows, sure, unsure, "version 1")
        assert made.gain()["gain"] == pytest.approx(0.5)
        assert list(made.scores().columns) == ["auc", "accuracy", "f1"]


class TestVersions:
    def test_models_of_generated_data_and_of_scratch_have_names_of_their_own(self):
        assert registry.name_of("green_taxi", "r1", False) == "green_taxi"
        assert registry.name_of("green_taxi", "r1", True) == "green_taxi-generated"
        assert registry.name_of("green_taxi", "scratch", False) == "green_taxi-scratch"

    def test_a_version_says_what_it_was_trained_on(self, step, models, taxi):
        version = registry.register(step, models.good, taxi.dataset, PROVENANCE)
        text = registry.description(version)
        for part in (f"Fitted on {len(taxi.train):,} rows", "generated here", "random_forest", "zoomcamp"):
            assert part in text
        assert files.digest(models.good)[:16] in text
        assert version.tags["workbook.digest"] == files.digest(models.good)
        published = {"files": [{"name": "green_2023-01.parquet"}], "options": {"train_months": ["2023-01"]}}
        told = contest.about(models.good)
        text = registry.describe(taxi.dataset, told, published, "d" * 64)
        assert "published: green_2023-01.parquet" in text and "train_months=['2023-01']" in text

    def test_promote_and_rollback_move_the_alias_and_back(self, step, models, taxi):
        for folder in (models.poor, models.good, models.knows):
            registry.register(step, folder, taxi.dataset, PROVENANCE)
        registry.promote(NAME, "1"), registry.promote(NAME, "3")
        assert registry.promote(NAME, "2").number == holders()["champion"] == 2
        assert registry.rollback(NAME).number == 3
        assert registry.rollback(NAME).number == holders()["champion"] == 1
        with pytest.raises(RegistryError, match=r"no earlier champion: it has pointed to \[1\]"):
            registry.rollback(NAME)

    def test_the_challenger_can_be_chosen_by_hand(self, step, models, taxi):
        registry.register(step, models.good, taxi.dataset, PROVENANCE)
        registry.promote(NAME, "1", "challenger")
        assert holders() == {"challenger": 1}

    def test_what_is_not_there_is_named_beside_what_is(self, step, models, taxi):
        registry.register(step, models.good, taxi.dataset, PROVENANCE)
        with pytest.raises(RegistryError, match=r"has no version or alias '9'; it has \['1'\]"):
            registry.promote(NAME, "9")
        with pytest.raises(
            RegistryError, match=r"No model 'other' is registered; there are \['green_taxi-gen"
        ):
            registry.promote("other", "1")

    def test_a_model_that_was_moved_with_its_outputs_is_found(self, step, models, taxi, tmp_path):
        version = registry.register(step, models.good, taxi.dataset, PROVENANCE)
        step.tracked.wait()
        moved = shutil.copytree(step.folder_of_run.parent, tmp_path / "moved")
        shutil.rmtree(step.folder_of_run.parent / "mlartifacts")
        assert (Store(moved).folder(version) / "MLmodel").exists()
        with pytest.raises(RegistryError, match="its files are not in"):
            Store(registry.outputs()).folder(version)

    def test_the_champion_answers_by_name(self, step, models, taxi):
        enter(step, models.good, taxi)
        table = registry.ask(NAME, "champion", taxi.test.head(4), taxi.dataset)
        expected = inference.Pipeline.load(models.good).predict(taxi.test.head(4))
        np.testing.assert_allclose(table["predicted"], np.round(expected, 1))


class TestCommand:
    def run(self, command, **environment):
        words = [sys.executable, "-m", "lib.registry", command]
        return subprocess.run(
            words, env=os.environ | environment, capture_output=True, text=True, check=False
        )

    def test_make_promote_takes_what_it_needs_from_the_environment(self, step, models, taxi):
        for folder in (models.poor, models.good):
            registry.register(step, folder, taxi.dataset, PROVENANCE)
        registry.promote(NAME, "1")
        done = self.run("promote", VERSION="2")
        assert (done.stdout, done.returncode) == (f"{NAME} version 2 is the champion now.\n", 0), done.stderr
        done = self.run("promote", MODEL="other")
        assert done.returncode == 1 and done.stderr.startswith("RegistryError: No model 'other'")
        for unknown in ("other", "it's"):
            done = self.run("versions", MODEL=unknown)
            assert done.returncode == 1 and done.stderr.startswith("RegistryError: No model ")
