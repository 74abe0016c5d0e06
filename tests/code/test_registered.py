"""What is said of a registered model, what a decision's record holds, and the user's own word."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import files, packaging, registry
from lib.errors import RegistryError, StepError
from lib.packaging import marks
from lib.problem import Target, load
from lib.records import Tuned
from lib.registry.store import Store
from lib.runtime.inference import InferencePipeline
from lib.step import Step
from lib.tuning import endings

NAME = "green_taxi-generated"
PROVENANCE = {"generated": True, "problem": "green_taxi", "rows": 1500, "seed": 42, "files": []}
ABOUT = {
    "family": "lasso",
    "feature_set": "rich",
    "rows": 1500,
    "columns": 2400,
    "inputs": {"size": "number", "colour": "text"},
}


def described(unit="min", tuned=None, **provenance):
    dataset = SimpleNamespace(title="How long?", target=Target("y", unit, "how long it took"), columns={})
    return registry.describe(dataset, ABOUT, provenance, "0123456789abcdef" * 4, tuned)


def test_a_version_says_what_it_predicts_and_in_which_unit():
    assert described().startswith("How long? Predicts `y`, how long it took (min).")
    assert described(unit="").startswith("How long? Predicts `y`, how long it took.")


def test_a_version_says_which_data_it_was_fitted_on():
    assert "Fitted on 1,500 rows, train and validation together. The data were published." in described()
    assert "The data were generated here, fit for trying out and nothing else." in described(generated=True)
    two = described(files=[{"name": "a.csv"}, {"name": "b.csv"}], generated=False)
    assert "The data were published: a.csv, b.csv." in two


def test_a_version_says_the_options_of_its_problem_if_there_were_any():
    assert "Options of the problem: months=['a'], base=3." in described(options={"months": ["a"], "base": 3})
    assert "Options" not in described()
    assert described().count("\n\n") == 3  # a paragraph each, and none that is empty


def test_a_version_says_how_the_model_is_known():
    said = described(generated=True)
    assert "Family lasso, feature set rich (2,400 columns); raw columns in: size, colour." in said
    data = files.digest_of({"generated": True})
    assert said.endswith(f"Hash of the data {data}, digest of the model 0123456789abcdef.")


def test_a_version_whose_trials_the_clock_ended_says_so():
    choice = {"family": "xgboost", "reason": endings.CUT}
    said = described(tuned=Tuned("rich", "rmse", choice, {}, 9, budget=12, ended="its time was over", cut=3))
    assert "\n\nChosen among 9 of 12 trials, as its time was over; 3 cut by the clock; the kept one " in said
    assert endings.CUT in said
    assert "Chosen among" not in described()


# --- a registered model ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def taxi():
    made = load("green_taxi")
    return made, made.split(made.clean(made.generate(1500, 42)).rows, 1)


@pytest.fixture(scope="module")
def folders(taxi, tmp_path_factory):
    """Two models, a good one and one that is as bad as the mean, and the pipelines."""
    (made, parts), pipelines = taxi, []

    def model(name, alpha):
        choice = {"family": "lasso", "parameters": {"alpha": alpha}}
        pipeline = InferencePipeline.chosen(made.serving, "zoomcamp", choice, 1).fit(
            parts["train"], parts["train"]["duration"]
        )
        folder = tmp_path_factory.mktemp("models") / name
        packaging.save_model(pipeline, folder, parts["train"].head(2))
        pipelines.append(pipeline)
        return folder

    return SimpleNamespace(fine=model("fine", 0.01), rough=model("rough", 50.0), pipelines=pipelines)


@pytest.fixture
def step(outputs, folders):
    """An open step of run r1 on generated rows, after the models were trained."""
    for pipeline in folders.pipelines:
        marks.keep(pipeline)
    Step("01_ingest", "r1", "green_taxi", writes=["provenance"]).write("provenance", PROVENANCE)
    made = Step("06_registry", "r1", "green_taxi", reads=["provenance"])
    made.open()
    yield made
    made.tracked.close()


def enter(step, folder, taxi):
    """Register a model, judge it, decide."""
    made, parts = taxi
    version = registry.register(step, folder, made, PROVENANCE)
    return registry.decide(step, registry.judge(version, made, parts["test"]))


def aliases():
    return Store(registry.outputs()).aliases(NAME)


def test_a_model_s_card_says_what_it_is(folders):
    about, card = packaging.about(folders.fine), registry.card(folders.fine)["this model"]
    assert card.index.name == "what"
    assert card["family"] == "lasso"
    assert card["feature set"] == f"zoomcamp, {about['columns']:,} columns"
    assert card["fitted on"] == f"{about['rows']:,} rows"
    assert card["raw columns in"] == ", ".join(about["inputs"])
    assert card["digest"] == files.digest(folders.fine)
    size = sum(path.stat().st_size for path in folders.fine.rglob("*") if path.is_file())
    assert card["size"] == f"{size / 1024 / 1024:.1f} MB"


def test_a_model_is_registered_by_an_open_step_alone(outputs, folders, taxi):
    with pytest.raises(StepError, match=r"`step\.open\(\)` comes first"):
        registry.register(Step("06_registry", "r1", "green_taxi"), folders.fine, taxi[0], PROVENANCE)


def test_a_version_is_tagged_with_what_it_is_and_where_it_comes_from(step, folders, taxi):
    version, about = registry.register(step, folders.fine, taxi[0], PROVENANCE), packaging.about(folders.fine)
    assert {name.partition(".")[2]: value for name, value in version.tags.items()} == {
        "digest": files.digest(folders.fine),
        "family": "lasso",
        "feature_set": "zoomcamp",
        "trained_on": f"{about['rows']:,} rows",
        "run": "r1",
        "generated": "yes",
        "data": files.digest_of(PROVENANCE),
    }


def test_the_record_of_a_decision_says_who_won_by_which_figures(step, folders, taxi):
    rows = taxi[1]["test"]
    found = enter(step, folders.rough, taxi)
    assert (found.outcome, found.holder, found.rival) == ("first", 1, "these rows' own mean")
    found = enter(step, folders.fine, taxi)
    assert (found.name, found.version, found.alias, found.holder) == (NAME, 2, "champion", 2)
    assert (found.outcome, found.metric, found.test_rows) == ("better", "rmse", len(rows))
    assert (found.rival, found.digest) == ("version 1", files.digest(folders.fine))
    y = rows[taxi[0].target.name]
    for folder, score in ((folders.fine, found.score), (folders.rough, found.rival_score)):
        error = y - packaging.load(folder).predict(rows.drop(columns=y.name))
        assert score == pytest.approx(np.sqrt((error**2).mean()))


def test_the_user_s_word_makes_the_challenger_the_champion(step, folders, taxi):
    enter(step, folders.fine, taxi)
    enter(step, folders.rough, taxi)
    assert aliases() == {"champion": 1, "challenger": 2}
    assert registry.promote(NAME, "1", "staging").number == 1
    assert aliases() == {"champion": 1, "challenger": 2, "staging": 1}
    assert registry.promote(NAME).number == 2
    assert aliases() == {"champion": 2, "staging": 1}
    assert registry.rollback(NAME).number == 1
    with pytest.raises(RegistryError, match="no earlier staging"):
        registry.rollback(NAME, "staging")


def test_where_the_only_champion_is_retired_page_six_says_that_nobody_can_be_asked(step, folders, taxi):
    enter(step, folders.fine, taxi)
    registry.retire(NAME, "1", "leaky")
    table = registry.ask(NAME, "champion", taxi[1]["test"].head(3), taxi[0])
    assert table["nobody can be asked"].tolist() == [f"No version of {NAME} holds the alias 'champion'."]


def test_the_model_in_use_answers_beside_what_was_asked_and_what_was_true(step, folders, taxi):
    enter(step, folders.fine, taxi)
    made, rows = taxi[0], taxi[1]["test"].head(3)
    table = registry.ask(NAME, "champion", rows, made)
    target = made.target.name
    assert set(table) == {*packaging.about(folders.fine)["inputs"], "predicted", f"true {target}"}
    assert table[f"true {target}"].equals(rows[target].rename(f"true {target}"))
    exact = registry.predict(NAME, "champion", rows.drop(columns=target))
    assert np.allclose(exact, packaging.load(folders.fine).predict(rows.drop(columns=target)))
    assert np.allclose(table["predicted"], np.round(exact, 1))
    assert isinstance(registry.versions(NAME), pd.DataFrame)
    assert len(registry.versions(NAME)) == 1
