"""A model is known by its content; the alias moves only after a fair contest, or by the user's own word."""

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import dependencies, files, packaging, paths, redaction, registry
from lib.errors import ParameterError, RegistryError
from lib.packaging import marks
from lib.problem import load
from lib.registry import contest
from lib.registry.location import Version
from lib.registry.store import Store
from lib.runtime.inference import InferencePipeline
from lib.runtime.schema import Target
from lib.step import Step

NAME = "green_taxi-generated"
GOLDEN = Path(__file__).parents[1] / "golden"
#: `files.digest` of the golden model by the code of its day, commit 124f968.
EARLIER = "c062ecfbdc31a746096c84918394d8bbc84abb63126bd0c58a915003343b5603"
#: What can befall the files of a version.
SPOILED = (
    shutil.rmtree,
    lambda folder: (folder / "MLmodel").unlink(),
    lambda folder: (folder / "artifacts" / "pipeline" / "about.json").write_text("{}"),
)
PROVENANCE = {"generated": True, "problem": "green_taxi", "rows": 1500, "seed": 42, "files": []}


@pytest.fixture(scope="module")
def taxi():
    """The problem and its splits."""
    dataset = load("green_taxi")
    parts = dataset.split(dataset.clean(dataset.generate(1500, 42)).rows, 42)
    return SimpleNamespace(
        dataset=dataset, test=parts["test"], train=parts["train"], everything=pd.concat(parts)
    )


@pytest.fixture(scope="module")
def models(taxi, tmp_path_factory):
    """Folders of four models: `poor`, `worse`, `good`, one that `knows` the test rows; and the pipelines."""
    pipelines = []

    def model(name, family, rows, parameters):
        folder = tmp_path_factory.mktemp("models") / name
        choice = {"family": family, "parameters": parameters}
        pipeline = InferencePipeline.chosen(taxi.dataset.serving, "zoomcamp", choice, 42).fit(
            rows, rows["duration"]
        )
        packaging.save_model(pipeline, folder, rows.head(2))
        pipelines.append(pipeline)
        return folder

    return SimpleNamespace(
        poor=model("poor", "lasso", taxi.train, {"alpha": 5.0}),
        worse=model("worse", "lasso", taxi.train, {"alpha": 20.0}),
        good=model("good", "random_forest", taxi.train, {"n_estimators": 20}),
        knows=model("knows", "lasso", taxi.everything, {"alpha": 4.0}),
        pipelines=pipelines,
    )


@pytest.fixture(autouse=True)
def kept_marks(outputs, models):
    """What tells which rows the models were fitted on, as training leaves it."""
    for pipeline in models.pipelines:
        marks.keep(pipeline)
    return outputs / "marks"


@pytest.fixture
def step(outputs):
    """An open step of run r1 on generated rows."""
    Step("01_ingest", "r1", "green_taxi", writes=["provenance"]).write("provenance", PROVENANCE)
    made = Step("06_registry", "r1", "green_taxi", reads=["provenance"])
    made.open()
    yield made
    made.tracked.close()


def enter(step, folder, taxi, alias="champion"):
    """Register a model, judge it, decide: what the notebook does."""
    version = registry.register(step, folder, taxi.dataset, PROVENANCE)
    verdict = registry.judge(version, taxi.dataset, taxi.test, alias)
    return verdict, registry.decide(step, verdict, alias)


def client():
    return Store(registry.outputs()).client


def holders(name=NAME):
    return Store(registry.outputs()).aliases(name)


class TestContest:
    def test_the_first_takes_the_alias_a_better_one_takes_it_over_and_a_worse_one_does_not(
        self, step, models, taxi
    ):
        verdict, decision = enter(step, models.poor, taxi)
        assert (verdict.outcome, decision.rival, holders()) == (
            "first",
            "these rows' own mean",
            {"champion": 1},
        )
        assert decision.judged == 0  # it had no rival
        verdict, decision = enter(step, models.good, taxi)
        assert verdict.outcome == "better"
        assert decision.judged == 1
        assert decision.gain == pytest.approx(decision.rival_score - decision.score)
        assert "version 2 takes 'champion': rmse" in verdict.reason
        assert holders() == {"champion": 2}
        assert decision.score < decision.rival_score
        assert decision.holder == 2
        verdict, decision = enter(step, models.worse, taxi)
        assert verdict.outcome == "not better"
        assert decision.version == 3
        assert decision.judged == 2
        assert decision.interval
        again = registry.decide(step, registry.judge(verdict.version, taxi.dataset, taxi.test))
        assert again.judged == 2  # the same contest, told again
        assert holders() == {"champion": 2, "challenger": 3}

    def test_a_winner_that_was_overtaken_during_its_contest_says_so(self, step, models, taxi):
        version = registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        verdict = registry.judge(version, taxi.dataset, taxi.test)
        enter(step, models.good, taxi)
        decision = registry.decide(step, verdict)
        assert (verdict.outcome, decision.outcome, decision.holder) == ("first", "not compared", 2)
        assert f"{NAME} version 2 took 'champion' during the comparison" in decision.reason
        assert holders() == {"champion": 2, "challenger": 1}

    def test_the_same_model_again_is_the_same_version_and_moves_nothing(self, step, models, taxi):
        first = enter(step, models.good, taxi)[1]
        assert enter(step, models.good, taxi)[1] == first
        assert len(registry.versions(NAME)) == 1
        assert holders() == {"champion": 1}

    def test_a_step_that_runs_again_because_an_alias_was_moved_tells_it_and_moves_nothing(
        self, step, models, taxi
    ):
        enter(step, models.poor, taxi)
        enter(step, models.good, taxi)
        registry.promote(NAME, "1")
        decision = enter(step, models.good, taxi)[1]
        assert (decision.outcome, decision.version, decision.holder) == ("better", 2, 1)
        assert f"Since then 'champion' has moved, to {NAME} version 1: nothing moves now" in decision.reason
        assert holders() == {"champion": 1}

    def test_a_version_that_took_an_alias_by_hand_before_its_contest_keeps_it(self, step, models, taxi):
        registry.register(step, models.good, taxi.dataset, PROVENANCE)
        registry.promote(NAME, "1")
        assert enter(step, models.good, taxi)[1].outcome == "same"
        assert holders() == {"champion": 1}

    @pytest.mark.parametrize("cut_off_at", ["keep", "move", "drop", "tag"])
    def test_a_step_that_is_killed_at_any_point_decides_the_same_when_it_runs_again(
        self, step, models, taxi, monkeypatch, cut_off_at
    ):
        class Killed(BaseException):
            pass

        def die(*arguments, **more):
            raise Killed

        enter(step, models.poor, taxi)
        enter(step, models.worse, taxi)
        assert holders() == {"champion": 1, "challenger": 2}
        with monkeypatch.context() as patch:
            patch.setattr(Store, cut_off_at, die)
            with pytest.raises(Killed):
                enter(step, models.good, taxi)
        decision = enter(step, models.good, taxi)[1]
        assert (decision.outcome, decision.version, decision.rival) == ("better", 3, "version 1")
        assert decision.reason.startswith(f"{NAME} version 3 takes 'champion': rmse")
        assert "Since then" not in decision.reason
        assert holders() == {"champion": 3}  # as where nothing was cut off: the challenger is dropped
        assert enter(step, models.good, taxi)[1] == decision

    def test_the_same_model_added_twice_at_one_moment_is_one_version(self, step, models, taxi, monkeypatch):
        same = Store._same

        def not_yet(self, name, digest):
            monkeypatch.setattr(Store, "_same", same)
            return []

        registry.register(step, models.good, taxi.dataset, PROVENANCE)
        monkeypatch.setattr(Store, "_same", not_yet)  # as seen by a process that asked just before
        assert registry.register(step, models.good, taxi.dataset, PROVENANCE).number == 1
        assert len(registry.versions(NAME)) == 1

    def test_a_name_that_another_registers_at_the_same_moment_takes_both_versions(
        self, step, models, taxi, monkeypatch
    ):
        from mlflow import MlflowClient

        create = MlflowClient.create_registered_model

        def after_another(self, name, **more):
            create(self, name)
            return create(self, name, **more)

        monkeypatch.setattr(MlflowClient, "create_registered_model", after_another)
        assert registry.register(step, models.good, taxi.dataset, PROVENANCE).number == 1
        assert registry.register(step, models.poor, taxi.dataset, PROVENANCE).number == 2

    def test_a_registry_that_fails_is_not_taken_for_one_without_aliases(
        self, step, models, taxi, monkeypatch
    ):
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        def fail(self, name):
            raise MlflowException("the database of the server is away")

        registry.register(step, models.good, taxi.dataset, PROVENANCE)
        monkeypatch.setattr(MlflowClient, "get_registered_model", fail)
        with pytest.raises(MlflowException, match="the database of the server is away"):
            holders()

    def test_two_contests_of_one_model_at_once_make_no_champion_its_own_challenger(self, step, models, taxi):
        version = registry.register(step, models.good, taxi.dataset, PROVENANCE)
        verdict = registry.judge(version, taxi.dataset, taxi.test)
        enter(step, models.good, taxi)
        assert registry.decide(step, verdict).outcome == "first"
        assert holders() == {"champion": 1}

    @pytest.mark.parametrize("spoil", SPOILED, ids=["gone", "without MLmodel", "edited"])
    def test_a_champion_that_cannot_answer_holds_no_alias_and_the_contest_goes_on(
        self, step, models, taxi, spoil
    ):
        for model in (models.poor, models.good):
            enter(step, model, taxi)
        spoil(Store(registry.outputs()).find(NAME, "champion"))
        why = "version 2 is (registered, but its files are gone|not the model that was registered)"
        with pytest.raises(RegistryError, match=why):
            registry.promote(NAME, "2")
        _, decision = enter(step, models.worse, taxi)
        assert (decision.outcome, decision.holder, decision.rival) == ("first", 3, "version 1")
        assert re.search(why, decision.reason)
        assert holders() == {"champion": 3}
        assert enter(step, models.good, taxi)[1].version == 4  # registered anew, as its message says
        assert len(registry.versions(NAME)) == 4
        assert registry.rollback(NAME).number == 3
        assert registry.rollback(NAME).number == 1

    def test_a_version_that_cannot_answer_as_soon_as_it_is_added_is_not_left_behind(self, step, models, taxi):
        version = registry.register(step, models.good, taxi.dataset, PROVENANCE)
        store, model_id = Store(registry.outputs()), step.tracked.stored(models.good, version.digest)
        (store.folder(version) / "MLmodel").unlink()
        with pytest.raises(RegistryError, match=r"version 2 was not added, .* its files are gone"):
            store.add(NAME, model_id, "about", {"workbook.digest": version.digest})
        assert [one.number for one in store.versions(NAME)] == [1]

    @pytest.mark.parametrize("spoil", SPOILED, ids=["gone", "without MLmodel", "edited"])
    def test_a_version_whose_files_are_damaged_makes_its_step_run_again(
        self, step, models, taxi, outputs, monkeypatch, spoil
    ):
        monkeypatch.setattr(dependencies, "_TAKEN", {})
        enter(step, models.good, taxi)
        step.tracked.wait()
        folder = Store(outputs).find(NAME, "champion")
        shutil.copytree(folder, outputs / "copy")
        shutil.rmtree(folder)
        shutil.copytree(outputs / "copy", folder)  # other files of the same content
        assert not any(dependencies.changed(one, outputs) for one in dependencies.taken())
        spoil(folder)
        told = [text for one in dependencies.taken() if (text := dependencies.changed(one, outputs))]
        for model, text in zip((f"models:/{NAME}/1", f"models:/{NAME}@champion"), told, strict=True):
            assert text in (f"{model} is gone now", f"the files of {model} changed")

    def test_what_others_change_in_the_registry_is_told(self, step, models, taxi, outputs, monkeypatch):
        def told():
            return [text for one in dependencies.taken() if (text := dependencies.changed(one, outputs))]

        monkeypatch.setattr(dependencies, "_TAKEN", {})
        enter(step, models.poor, taxi)
        enter(step, models.good, taxi)
        assert told() == []
        registry.promote(NAME, "1")
        assert [text.partition(",")[0] for text in told()] == [f"models:/{NAME}@champion is version 1"]
        registry.promote(NAME, "2")
        assert told() == []
        step.tracked.wait()
        (outputs / "mlartifacts").rename(outputs / "elsewhere")
        gone = [f"models:/{NAME}/{which} is gone now" for which in ("1", "2")]
        assert told() == [gone[0], f"models:/{NAME}@champion is gone now", gone[1]]
        (outputs / "elsewhere").rename(outputs / "mlartifacts")
        (outputs / "mlflow.db").rename(outputs / "moved.db")
        assert gone[0] in told()
        (outputs / "mlflow.db").touch()  # emptied
        assert gone[0] in told()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://u:secret@127.0.0.1:5000")
        assert told() == [
            f"the tracking address is http://{redaction.hidden('u:secret')}@127.0.0.1:5000, "
            "not sqlite:///{outputs}/mlflow.db"
        ]

    def test_what_the_step_takes_from_the_registry_is_noted(self, step, models, taxi):
        enter(step, models.good, taxi)
        taken = {one["name"]: one for one in dependencies.taken() if one["kind"] in ("tracking", "registry")}
        digest = files.digest(models.good)
        assert taken["sqlite:///{outputs}/mlflow.db"]["kind"] == "tracking"
        assert taken[f"models:/{NAME}/1"]["digest"] == f"version 1, {digest}"
        assert taken[f"models:/{NAME}@champion"]["digest"] == f"version 1, {digest}"

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
        assert verdict.outcome == "unfair"
        assert "was itself fitted on" in verdict.reason
        assert holders()["champion"] == 1

    def test_where_the_marks_of_the_champion_are_not_the_contest_says_what_it_cannot_know(
        self, step, models, taxi, kept_marks
    ):
        version = registry.register(step, models.knows, taxi.dataset, PROVENANCE)
        Store(registry.outputs()).move(version, "champion")
        (kept_marks / f"{packaging.about(models.knows)['marks']}.npy").unlink()
        verdict, _ = enter(step, models.good, taxi)
        assert (verdict.outcome, verdict.contest.rival_leaked) == ("better", None)
        assert f"whether {version} was fitted on some of these rows nobody can know here" in verdict.reason

    @pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"of no use")])
    def test_a_candidate_whose_marks_are_not_there_cannot_win(self, step, models, taxi, kept_marks, spoil):
        version = registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        Store(registry.outputs()).move(version, "champion")
        spoil(kept_marks / f"{packaging.about(models.good)['marks']}.npy")
        verdict, _ = enter(step, models.good, taxi)
        assert verdict.outcome == "unfair"
        assert "its marks are not in outputs/marks: 'champion' stays" in verdict.reason

    def test_which_rows_a_model_has_seen_is_told_by_the_model(self, models, taxi):
        assert contest.seen(models.good, taxi.train).all()
        assert not contest.seen(models.good, taxi.test).any()
        mixed = pd.concat([taxi.test.head(5), taxi.train.head(3)])
        assert contest.seen(models.good, mixed).tolist() == [False] * 5 + [True] * 3

    def test_a_champion_of_an_earlier_workbook_takes_part_and_says_what_it_has_seen(self, models, taxi):
        made = contest.compare(taxi.dataset, taxi.test, models.good, GOLDEN / "model")
        assert np.isfinite(made.champion).all()
        assert contest.seen(GOLDEN / "model", taxi.test).shape == (len(taxi.test),)
        assert registry.card(GOLDEN / "model").loc["family", "this model"] == "xgboost"

    def test_both_are_scored_on_the_same_draws_of_days(self, models, taxi):
        made = contest.compare(taxi.dataset, taxi.test, models.good, models.poor)
        found, table = made.interval, made.interval.draws
        np.testing.assert_allclose(table["gain"], table["other"] - table["one"])
        assert 0 < found.usable.low < found.usable.value < found.usable.high
        assert found.drawn.endswith(" days")
        assert made.won
        assert table["gain"].std() < table["one"].std() + table["other"].std()
        assert made.gains().index[0] == "all rows"
        assert "better" in made.read()


class TestClasses:
    def test_a_contest_of_classifiers_is_judged_by_their_metric(self):
        rows = pd.DataFrame({"label": list("abab") * 20})
        dataset = SimpleNamespace(
            task="classification", metric="auc", target=SimpleNamespace(name="label", unit=""), slices={},
            blocks=lambda _: None,
        )  # fmt: skip
        sure = pd.DataFrame({"a": [0.9, 0.1] * 40, "b": [0.1, 0.9] * 40})
        unsure = pd.DataFrame({"a": [0.5] * 80, "b": [0.5] * 80})
        made = contest.Contest(dataset, rows, sure, unsure, "version 1")
        assert made.interval.value == pytest.approx(0.5)
        assert list(made.scores().columns) == ["auc", "log_loss", "accuracy", "f1"]


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
        published = {
            "files": [{"name": "green_2023-01.parquet"}],
            "options": {"train_months": ["2023-01"], "max_miles": None},
        }
        about = packaging.about(models.good)
        text = registry.describe(taxi.dataset, about, published, "d" * 64)
        assert "published: green_2023-01.parquet" in text
        assert "train_months=['2023-01']." in text  # an option that is not set is not told

    def test_the_same_model_in_other_words_is_described_in_these(self, step, models, taxi):
        registry.register(step, models.good, taxi.dataset, PROVENANCE)
        renamed = dataclasses.replace(taxi.dataset, title="How many minutes go by?")
        version = registry.register(step, models.good, renamed, PROVENANCE)
        assert version.number == 1
        assert registry.description(version).startswith("How many minutes go by? Predicts ")

    def test_what_is_known_only_afterwards_is_said_and_what_nobody_said_is_left_out(self, models, taxi):
        about = packaging.about(models.good)
        text = registry.describe(taxi.dataset, about, PROVENANCE, "d" * 64)
        assert (
            "**Known only after the prediction is made: `trip_distance` (distance by the taximeter).**"
            in text
        )
        plain = dataclasses.replace(taxi.dataset.serving, target=Target("duration", "", ""))
        text = registry.describe(
            dataclasses.replace(taxi.dataset, serving=plain), about, PROVENANCE, "d" * 64
        )
        assert "Predicts `duration`.\n" in text
        early = about | {"inputs": {"PULocationID": "text"}}
        assert "Known only after" not in registry.describe(taxi.dataset, early, PROVENANCE, "d" * 64)

    def test_a_few_rows_are_asked_and_no_two_are_alike(self, step, models, taxi):
        enter(step, models.good, taxi)
        rows = pd.concat([taxi.test.head(1)] * 3 + [taxi.test], ignore_index=True)
        shown = registry.ask(NAME, "champion", rows, taxi.dataset)
        inputs = list(packaging.about(models.good)["inputs"])
        assert len(shown) == 5
        assert not shown[inputs].duplicated().any()

    def test_to_list_versions_no_model_library_is_loaded(self):
        code = (
            "import sys; import lib.registry; heavy = ('sklearn', 'scipy', 'xgboost', 'matplotlib'); "
            "print([name for name in heavy if name in sys.modules])"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "[]"

    def test_promote_and_rollback_move_the_alias_and_back(self, step, models, taxi):
        for folder in (models.poor, models.good, models.knows):
            registry.register(step, folder, taxi.dataset, PROVENANCE)
        registry.promote(NAME, "1"), registry.promote(NAME, "3")
        assert registry.promote(NAME, "2").number == holders()["champion"] == 2
        assert registry.rollback(NAME).number == 3
        assert registry.rollback(NAME).number == holders()["champion"] == 1
        with pytest.raises(
            RegistryError, match=r"no earlier champion that can answer: it has pointed to \[1\]"
        ):
            registry.rollback(NAME)

    def test_rollback_follows_the_alias_where_somebody_moved_it_by_hand(self, step, models, taxi):
        for folder in (models.poor, models.good, models.knows):
            registry.register(step, folder, taxi.dataset, PROVENANCE)
        registry.promote(NAME, "1"), registry.promote(NAME, "2")
        client().set_registered_model_alias(NAME, "champion", "3")  # as on MLflow's page
        assert registry.rollback(NAME).number == holders()["champion"] == 2
        client().set_registered_model_alias(NAME, "champion", "3")
        registry.promote(NAME, "1")
        assert registry.rollback(NAME).number == 3

    def test_a_version_that_was_deleted_is_left_out_of_the_way_back(self, step, models, taxi):
        for folder in (models.poor, models.good, models.knows):
            registry.register(step, folder, taxi.dataset, PROVENANCE)
        for number in ("1", "2", "3"):
            registry.promote(NAME, number)
        client().delete_model_version(NAME, "2")
        assert registry.rollback(NAME).number == 1

    def test_an_alias_that_somebody_else_moved_at_the_same_moment_is_told(
        self, step, models, taxi, monkeypatch
    ):
        registry.register(step, models.good, taxi.dataset, PROVENANCE)
        registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        set_alias = type(client()).set_registered_model_alias

        def meanwhile(self, name, alias, version):
            set_alias(self, name, alias, "2")

        monkeypatch.setattr(type(client()), "set_registered_model_alias", meanwhile)
        with pytest.raises(RegistryError, match=r"was to point to version 1 and points to 2: somebody else"):
            registry.promote(NAME, "1")

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
        with pytest.raises(RegistryError, match="its files are gone from"):
            Store(registry.outputs()).folder(version)

    @pytest.mark.parametrize(
        "name", ["served.py", "digests.json", "artifacts/pipeline/about.json", "more.py"]
    )
    def test_files_that_are_not_as_they_were_registered_are_refused(self, step, models, taxi, name):
        version = registry.register(step, models.good, taxi.dataset, PROVENANCE)
        folder = Store(registry.outputs()).folder(version)
        with (folder / name).open("a") as file:
            file.write("\n")
        with pytest.raises(
            RegistryError, match=rf"(?s){NAME} version 1 is not the model .*{folder}.*promote"
        ):
            Store(registry.outputs()).folder(version)

    def test_a_whole_other_model_in_its_place_is_refused(self, step, models, taxi):
        version = registry.register(step, models.good, taxi.dataset, PROVENANCE)
        folder = Store(registry.outputs()).folder(version)
        shutil.rmtree(folder)
        shutil.copytree(models.poor, folder)
        with pytest.raises(RegistryError, match="holds another model, or a file in it was edited"):
            Store(registry.outputs()).folder(version)

    def test_a_version_that_mlflow_has_loaded_is_still_the_one_that_was_registered(
        self, step, models, taxi, monkeypatch
    ):
        import mlflow.pyfunc

        version = registry.register(step, models.good, taxi.dataset, PROVENANCE)
        store = Store(registry.outputs())
        monkeypatch.setenv("MLFLOW_TRACKING_URI", paths.tracking_uri(store.outputs))
        mlflow.pyfunc.load_model(f"models:/{NAME}/{version.number}")
        assert (store.folder(version) / "registered_model_meta").exists()

    @pytest.mark.parametrize("digest", [EARLIER, files.digest(GOLDEN / "model")])
    def test_a_version_of_an_earlier_workbook_is_known_by_the_digest_of_its_day(
        self, outputs, tmp_path, digest
    ):
        folder = Path(shutil.copytree(GOLDEN / "model", tmp_path / "artifacts"))
        version = Version("green_taxi", 1, digest, folder.as_uri(), {})
        (folder / "code" / "lib" / "__pycache__").mkdir()
        (folder / "code" / "lib" / "__pycache__" / "errors.cpython-311.pyc").write_bytes(b"left by MLflow")
        assert Store(outputs).folder(version) == folder
        with (folder / "code" / "lib" / "inference.py").open("a") as file:
            file.write("# edited\n")
        with pytest.raises(RegistryError, match="a file in it was edited"):
            Store(outputs).folder(version)

    def test_what_was_downloaded_enters_the_cache_only_if_it_is_the_version(
        self, outputs, models, monkeypatch
    ):
        def download(_source, dst_path, **_):
            shutil.copytree(sent, Path(dst_path) / "model")

        monkeypatch.setattr("mlflow.artifacts.download_artifacts", download)
        store, sent = Store(outputs), models.poor
        version = Version(NAME, 1, files.digest(models.good), "mlflow-artifacts:/1/models/m-1/artifacts", {})
        with pytest.raises(RegistryError, match="holds another model"):
            store.folder(version)
        assert not [path for path in (outputs / "cache" / "models").iterdir() if path.is_dir()]
        sent = models.good
        folder = store.folder(version)
        assert folder.is_relative_to(outputs / "cache" / "models")
        assert files.digest(folder) == version.digest

    def test_versions_made_by_hand_on_a_server_are_each_answered_for_by_their_own_files(
        self, outputs, monkeypatch
    ):
        def download(source, dst_path, **_):
            (Path(dst_path) / "MLmodel").write_text(source)

        monkeypatch.setattr("mlflow.artifacts.download_artifacts", download)
        store, asked = Store(outputs), []
        (outputs / "cache" / "models" / "d1").mkdir(parents=True)
        (outputs / "cache" / "models" / "d1" / "MLmodel").write_text("another model")
        for number, source in ((1, "s3://b/one"), (2, "s3://b/two"), (1, "s3://b/one")):
            folder = store.folder(Version(NAME, number, "", source, {}))  # no digest: nobody gave it one
            asked.append((folder, (folder / "MLmodel").read_text()))
        assert [text for _, text in asked] == ["s3://b/one", "s3://b/two", "s3://b/one"]
        assert asked[0] == asked[2]

    def test_a_version_that_cannot_be_downloaded_is_told_with_its_place_and_not_as_a_full_disk(
        self, outputs, monkeypatch
    ):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        version = Version(NAME, 7, "d" * 64, "http://me:pw@127.0.0.1:9/model", {})
        with pytest.raises(
            RegistryError, match=r"version 7 could not be downloaded from http://\(hidden \w+\)@127"
        ):
            Store(outputs).folder(version)
        assert not list((outputs / "cache" / "models").iterdir())

    def test_the_champion_answers_by_name(self, step, models, taxi):
        enter(step, models.good, taxi)
        table = registry.ask(NAME, "champion", taxi.test.head(4), taxi.dataset)
        expected = packaging.load(models.good).predict(taxi.test.head(4))
        np.testing.assert_allclose(table["predicted"], np.round(expected, 1))


class TestRetired:
    def test_it_holds_no_alias_and_takes_none_again(self, step, models, taxi):
        for folder in (models.poor, models.good):
            enter(step, folder, taxi)
        retired, held = registry.retire(NAME, "champion", "a column told it the target")
        assert (retired.number, held, holders()) == (2, ("champion",), {})
        assert re.fullmatch(r"\d{4}-\d\d-\d\d: a column told it the target", retired.retired)
        for number in ("2", "challenger"):
            with pytest.raises(RegistryError, match=r"version 2 is retired|no version or alias 'challenger'"):
                registry.promote(NAME, number)
        assert registry.rollback(NAME).number == 1
        with pytest.raises(RegistryError, match="no earlier champion"):
            registry.rollback(NAME)
        assert holders() == {"champion": 1}

    def test_to_retire_it_again_changes_nothing(self, step, models, taxi):
        registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        first, _ = registry.retire(NAME, "1", "leaky")
        again, held = registry.retire(NAME, "1", "for another reason")
        assert (again.retired, held) == (first.retired, ())

    def test_the_list_of_versions_says_which_and_why_once_there_is_one(self, step, models, taxi):
        for folder in (models.poor, models.good):
            registry.register(step, folder, taxi.dataset, PROVENANCE)
        assert "retired" not in registry.versions(NAME)
        registry.retire(NAME, "1", "leaky")
        shown = registry.versions(NAME)["retired"]
        assert shown[1].endswith(": leaky")
        assert shown[2] == ""

    def test_its_own_page_run_again_moves_nothing_and_the_next_model_does_not_meet_it(
        self, step, models, taxi
    ):
        enter(step, models.poor, taxi)
        registry.retire(NAME, "1", "leaky")
        verdict, decision = enter(step, models.poor, taxi)  # the same model: the same version
        assert (verdict.outcome, decision.version, decision.holder, holders()) == ("retired", 1, None, {})
        assert "version 1 is retired" in decision.reason
        client().set_registered_model_alias(NAME, "champion", "1")  # as on MLflow's page
        verdict, decision = enter(step, models.worse, taxi)
        assert (verdict.outcome, decision.rival) == ("first", "these rows' own mean")
        assert "may not answer, and holds no alias" in verdict.reason
        assert holders() == {"champion": 2}

    def test_a_page_that_runs_again_as_an_alias_was_moved_moves_nothing(self, step, models, taxi):
        enter(step, models.poor, taxi)
        enter(step, models.good, taxi)
        registry.retire(NAME, "2", "leaky")
        verdict, decision = enter(step, models.poor, taxi)
        assert (verdict.outcome, decision.holder, holders()) == ("first", None, {})
        assert "nothing moves now" in decision.reason

    def test_one_that_was_retired_during_its_contest_is_not_promoted(self, step, models, taxi):
        version = registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        verdict = registry.judge(version, taxi.dataset, taxi.test)
        registry.retire(NAME, "1", "leaky")
        with pytest.raises(RegistryError, match="version 1 is retired"):
            registry.decide(step, verdict)
        assert holders() == {}

    def test_an_alias_that_comes_back_at_the_same_moment_is_told(self, step, models, taxi, monkeypatch):
        enter(step, models.poor, taxi)
        monkeypatch.setattr(Store, "drop", lambda *_: None)
        with pytest.raises(RegistryError, match="was to be retired and still holds champion"):
            registry.retire(NAME, "1", "leaky")


class TestNames:
    def test_of_more_names_than_a_page_of_mlflow_s_each_is_known(self, outputs):
        names = [f"model-{number:03}" for number in range(103)]
        for name in names:
            client().create_registered_model(name)
        assert Store(outputs).names() == names
        assert registry.named("model-102") == "model-102"

    def test_the_only_registered_name_need_not_be_said(self, step, models, taxi):
        registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        assert registry.named() == registry.named(NAME) == NAME

    def test_a_parameters_file_means_its_problem_and_whether_its_data_are_generated(
        self, step, models, taxi, tmp_path
    ):
        registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        params = tmp_path / "mine.yaml"
        params.write_text("problem: green_taxi\n")
        assert registry.named(params=params) == NAME
        params.write_text("problem: green_taxi\nsource: published\n")
        with pytest.raises(RegistryError, match=rf"No model 'green_taxi' .* there are \['{NAME}'\]"):
            registry.named(params=params)
        params.write_text("rows: 3\n")
        with pytest.raises(RegistryError, match=r"names no problem\. Say MODEL=<name>"):
            registry.named(params=params)

    def test_a_parameters_file_is_looked_for_in_the_project_wherever_one_stands(
        self, step, models, taxi, tmp_path, monkeypatch
    ):
        registry.register(step, models.poor, taxi.dataset, PROVENANCE)
        monkeypatch.chdir(tmp_path)
        assert registry.named(params="params/quickstart.yaml") == NAME

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (None, r"PARAMS=.*mine\.yaml cannot be read \(No such file or directory\); there are \[\]"),
            ("problem: [", r"mine\.yaml is not YAML"),
            ("since: 2023-99-99", r"mine\.yaml is not YAML: month must be in"),
            ("- green_taxi", r"mine\.yaml must hold `key: value` lines, not list"),
            (
                "problem: a\nrows: 3\nproblem: b",
                r"mine\.yaml is not YAML in line 3: 'problem' is given twice",
            ),
            (
                "problem: a\noptions: {size: 1, size: 1}",
                r"mine\.yaml is not YAML in line 2: 'size' is given twice",
            ),
        ],
    )
    def test_a_parameters_file_that_cannot_be_used_is_refused_in_a_line(
        self, outputs, tmp_path, text, message
    ):
        if text is not None:
            (tmp_path / "mine.yaml").write_text(text)
        with pytest.raises(ParameterError, match=message):
            registry.named(params=tmp_path / "mine.yaml")

    def test_a_name_that_is_not_registered_is_answered_by_those_that_are(self, step, models, taxi):
        with pytest.raises(RegistryError, match=r"Which model\? Say MODEL=<name>; registered are \[\]"):
            registry.named()
        for unknown in ("other", "it's"):
            with pytest.raises(RegistryError, match=r"No model .* is registered; there are"):
                registry.named(unknown)
