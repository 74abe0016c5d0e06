"""What a problem is made of: options, rules, derived columns, and the ban on what is known too late."""

import dataclasses
import functools
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from lib import files, paths, problem, profiling, sources, views
from lib.errors import DataError, ParameterError, SourceError
from lib.notebook_source import annotations, limits, problems
from lib.runtime.errors import InferenceError
from lib.runtime.features import Derived, FeatureSet, encode

DATASET = problem.load("green_taxi")


def with_serving(**changes: object) -> problem.Dataset:
    """The problem with another half that is stored with a model."""
    return dataclasses.replace(DATASET, serving=dataclasses.replace(DATASET.serving, **changes))


def test_problems_are_the_packages_with_a_training_half(tmp_path):
    for name in ("whole", "half"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "whole" / "training.py").touch()
    (tmp_path / "module.py").touch()
    assert problem.names(tmp_path) == ["whole"]
    assert {"green_taxi", "music_genres", "nyc_rentals"} <= set(problem.names())


def test_an_unknown_problem_is_answered_with_those_there_are():
    with pytest.raises(ParameterError, match=r"no problem 'blue_taxi'.*'green_taxi'"):
        problem.load("blue_taxi")


def test_an_unknown_option_is_answered_with_the_nearest():
    with pytest.raises(ParameterError, match="no option 'train_month'; did you mean 'train_months'"):
        problem.load("green_taxi", {"train_month": ["2023-01"]})


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"min_minutes": -1}, "min_minutes must be at least 0, not -1"),
        ({"taxi": "blue"}, "taxi must be 'green' or 'yellow', not 'blue'"),
        ({"train_months": "2023-01"}, "train_months must be list, not '2023-01'"),
    ],
)
def test_a_value_of_another_type_or_beyond_its_range_is_refused(option, says):
    with pytest.raises(ParameterError, match=says):
        problem.load("green_taxi", option)


@pytest.mark.parametrize("name", ["nyc_rentals", "music_genres"])
def test_rows_of_one_host_or_one_track_stand_on_one_side(name):
    """A track may have several labels, a host many homes: test rows are of none that was learnt from."""
    dataset = problem.load(name)
    rows = dataset.clean(dataset.labelled(dataset.generate(2000, 1))).rows
    other = rows.assign(**{dataset.target.name: rows[dataset.target.name].sample(frac=1).to_numpy()})
    parts = dataset.split(pd.concat([rows, other], ignore_index=True), 1)
    both = pd.concat([part.assign(side=side) for side, part in parts.items()])
    sides = both.groupby(list(dataset.groups), dropna=False)["side"]
    assert sides.size().min() > 1
    assert sides.nunique().max() == 1


def test_the_options_of_every_parameters_file_are_taken():
    taken = 0
    for path in paths.here().params.glob("*.yaml"):
        values = yaml.safe_load(path.read_text())
        if "problem" in values:
            problem.load(values["problem"], values.get("options"))
            taken += 1
    assert taken >= 3


def test_a_problem_without_options_says_so():
    plain = dataclasses.replace(DATASET, options=problem.Options())
    with pytest.raises(ParameterError, match="no option 'months'; it takes none"):
        plain.with_options({"months": []})


def test_options_are_bound_anew_and_leave_the_others_at_their_defaults():
    first = problem.load("green_taxi", {"max_minutes": 30.0})
    second = first.with_options({"min_minutes": 2.0})
    assert [rule.name for rule in second.rules()] == ["at least 2 min", "at most 30 min"]
    assert [rule.name for rule in DATASET.rules()] == ["at least 1 min", "at most 60 min"]


def test_an_option_reaches_every_function_that_takes_it():
    bound = problem.load("green_taxi", {"test_months": ["2023-05"]})
    assert "2023-05" in set(bound.generate(30, 0)["month"])
    assert bound.split(bound.generate(30, 0), 0)["test"]["month"].unique().tolist() == ["2023-05"]


def test_a_row_that_two_rules_refuse_is_counted_at_the_first():
    rules = (
        problem.Rule("not one", "", lambda rows: rows["duration"] != 1),
        problem.Rule("above two", "", lambda rows: rows["duration"] > 2),
    )
    dataset = dataclasses.replace(DATASET, rules=lambda: rules)
    report = dataset.clean(pd.DataFrame({"duration": [1, 1, 2, 3, 4]})).report
    assert report["refused"].tolist() == [2, 1]
    assert report["left"].tolist() == [3, 2]
    assert report["share"].tolist() == [0.4, 0.2]


def test_cleaning_changes_neither_the_rows_given_nor_their_columns():
    raw = DATASET.generate(300, 0)
    before = raw.copy()
    assert list(DATASET.clean(raw).rows) == [*before, "duration"]
    pd.testing.assert_frame_equal(raw, before)


def test_a_column_known_too_late_is_refused_unless_it_is_admitted():
    leak = FeatureSet("leak", "", (encode("number", "fare_amount", "trip_distance"),))
    dataset = with_serving(feature_sets={"leak": leak})
    with pytest.raises(
        InferenceError, match=r"'leak' uses \['trip_distance', 'fare_amount'\], known only after"
    ):
        dataset.feature_set("leak")
    admitted = dataclasses.replace(leak, admits=("trip_distance", "fare_amount"))
    assert with_serving(feature_sets={"leak": admitted}).feature_set("leak") is admitted


def test_a_leak_hidden_in_a_derived_column_is_found():
    derived = {"speed": Derived(("trip_distance", "dropoff_datetime"), lambda rows: rows["trip_distance"])}
    leak = FeatureSet("leak", "", (encode("number", "speed"),))
    dataset = with_serving(derived=derived, feature_sets={"leak": leak})
    with pytest.raises(InferenceError, match="'trip_distance'"):
        dataset.feature_set("leak")


def test_a_feature_set_or_a_column_that_is_not_there_is_named():
    with pytest.raises(InferenceError, match=r"no feature set 'poor'; it has \["):
        DATASET.feature_set("poor")
    with pytest.raises(InferenceError, match="no column 'gone'"):
        DATASET.inputs(FeatureSet("x", "", (encode("number", "gone"),)))


def test_the_inputs_of_the_courses_features_are_three_raw_columns():
    inputs = DATASET.inputs(DATASET.feature_set("zoomcamp"))
    assert inputs == ["PULocationID", "DOLocationID", "trip_distance"]


def test_a_derived_column_is_the_same_for_one_row_and_for_many():
    rows = DATASET.generate(200, 1)
    many = DATASET.engineer(rows)
    one = DATASET.engineer(rows.iloc[[17]])
    pd.testing.assert_frame_equal(many.iloc[[17]], one)


def test_engineering_leaves_the_raw_rows_alone():
    rows = DATASET.generate(30, 1)
    columns = list(rows)
    DATASET.engineer(rows)
    assert list(rows) == columns


def test_an_unknown_source_is_refused():
    with pytest.raises(ParameterError, match="source is 'internet'; it can be 'generated' or 'published'"):
        DATASET.ingest("internet", 10, 0)


def test_generated_rows_say_so_in_their_provenance_and_on_the_page():
    _, provenance = DATASET.ingest("generated", 30, 7)
    assert (provenance["generated"], provenance["seed"], provenance["files"]) == (True, 7, [])
    assert profiling.origin(provenance).data.startswith("**Generated data.** These 30 rows")


def test_the_real_rows_of_a_derived_column_are_a_data_frame_that_may_be_changed():
    """`rows[["a", "b"]]` and `len(rows)` work, and what is assigned to them changes no other rows."""

    def compute(rows: pd.DataFrame) -> pd.Series:
        rows["trip_distance"] = 0.0
        return rows[["trip_distance", "passenger_count"]].sum(axis=1) * len(rows)

    derived = {"odd": Derived(("trip_distance", "passenger_count"), compute)}
    rows = DATASET.generate(30, 1)
    before = rows.copy()
    assert "odd" in with_serving(derived=derived).engineer(rows)
    pd.testing.assert_frame_equal(rows, before)


def drawn_and_read(dataset: problem.Dataset, rows: int) -> None:
    """Every picture of a problem: announced, drawn, and read; in figures, but where rows are too few."""
    import matplotlib.pyplot as plt

    raw = dataset.labelled(dataset.generate(rows, 0))
    clean, said = dataset.clean(raw).rows, []
    for name, view in views.of(dataset).items():
        assert view.draw(raw, clean).axes, name
        assert len(view.look_for.split()) > 8, name
        said.append(view.read(raw, clean).rstrip())
        assert said[-1].endswith((".", "?")), name
    assert sum(any(letter.isdigit() for letter in sentence) for sentence in said) >= 7
    assert plt.get_fignums() == []


def test_every_picture_is_announced_drawn_and_read():
    drawn_and_read(DATASET, 900)


def test_a_problems_own_pictures_come_after_those_that_every_problem_has():
    names = list(views.of(DATASET))
    assert names == [*views.standard(DATASET), *views.own(DATASET)]
    assert names[0] == "arrivals"
    assert list(views.own(dataclasses.replace(DATASET, views=""))) == []


@pytest.mark.parametrize("name", ["target", "with_target", "closest"])
def test_a_sentence_is_of_the_rows_as_they_are_now(name):
    """The same frame object with other rows in it: nothing that was read before is remembered."""
    view = views.of(DATASET)[name]
    raw = DATASET.labelled(DATASET.generate(900, 0))
    clean = DATASET.clean(raw).rows
    before = view.read(raw, clean)
    for rows in (raw, clean):
        rows["duration"] = rows["duration"].to_numpy()[::-1] / 2 + 7
    assert view.read(raw, clean) == view.read(raw.copy(), clean.copy()) != before


def test_the_rules_never_refuse_more_rows_than_there_are():
    """Shown for many rows and then for few: the share is of the rows at hand."""
    view = views.of(DATASET)["target"]
    for count in (2000, 500):
        raw = DATASET.labelled(DATASET.generate(count, 0))
        clean = DATASET.clean(raw).rows
        assert view.read(raw, clean).startswith(
            f"The rules refuse {count - len(clean):,} of {count:,} trips "
        )


def test_importing_a_problem_draws_and_fetches_nothing():
    import subprocess
    import sys

    heavy = ("matplotlib", "seaborn", "requests", "pooch", "scipy", "sklearn", "pyarrow.parquet", "IPython")
    code = (
        "import sys; from lib import problem; problem.load('green_taxi'); "
        f"print([m for m in {(*heavy, 'lib.plots', 'lib.views')} if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def swapping(tmp_path, times):
    """A problem whose file is swapped `times` times for another between its hashing and its reading."""
    path, left = tmp_path / "mine.csv", [times]
    path.write_text("x\n1\n")

    def load(paths):
        if left[0]:
            left[0] -= 1
            other = path.with_name("other.csv")
            other.write_text("x\n" + "2\n" * (times - left[0] + 1))
            other.replace(path)
        return pd.read_csv(paths[0])

    fetch = functools.partial(lambda: [sources.local(path)])
    return dataclasses.replace(DATASET, fetch=fetch, load=load)


def test_what_is_hashed_is_what_is_read_though_the_file_is_swapped_meanwhile(tmp_path):
    rows, provenance = swapping(tmp_path, 2).ingest("published", 0, 0)
    assert len(rows) == 3
    assert provenance["files"][0]["sha256"] == files.digest(tmp_path / "mine.csv")


def test_a_file_that_never_stands_still_is_told(tmp_path):
    with pytest.raises(SourceError, match=r"mine.csv changed again and again while it was read"):
        swapping(tmp_path, 9).ingest("published", 0, 0)


def test_options_that_papermill_gives_as_text_are_read():
    assert problem.load("green_taxi", "{max_minutes: 30}").options.max_minutes == 30.0
    with pytest.raises(ParameterError, match=r"The options of green_taxi must be dict, not 'max_minutes'"):
        problem.load("green_taxi", "max_minutes")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (str(Path("/", "data", "x.csv")), "x.csv"),
        ([str(Path("/", "data", "x.csv")), "y"], ["x.csv", "y"]),
        ("long " * 100, "long " * 100),
        ("~nobody-of-that-name/x", "~nobody-of-that-name/x"),
        (7, 7),
    ],
)
def test_provenance_has_the_name_of_a_file_and_no_folder(value, kept):
    assert paths.without_folder(value) == kept


def test_a_picture_of_cleaned_rows_says_so_where_it_is_given_raw_ones_alone():
    with pytest.raises(DataError, match=r"two sets of rows: raw = dataset.labelled\(raw\), then show"):
        views.of(DATASET)["target"].show(DATASET.generate(300, 1))
    for name, view in views.of(DATASET).items():
        assert view.of_raw == (name not in ("target", "with_target", "closest")), name


@pytest.mark.parametrize("name", ["green_taxi", "music_genres", "nyc_rentals"])
def test_a_problem_generates_the_fewest_rows_that_the_planner_lets_pass_and_the_planner_refuses_fewer(name):
    annotation = problems.rows(paths.here(), name)
    least = int(re.search(r"Range\((\d+), None\)", annotation)[1])
    assert len(problem.load(name).generate(least, seed=1)) == least
    with pytest.raises(annotations.Misfit, match=f"at least {least}"):
        limits.check(paths.here(), name, "rows", least - 1)


@pytest.mark.parametrize("name", ["music_genres", "nyc_rentals"])
@pytest.mark.parametrize("share", ["test_share", "validation_share"])
def test_a_share_that_leaves_a_part_of_the_split_empty_is_refused_by_the_planner(name, share):
    option = problems.options(problems.training(paths.here(), name))[share]
    assert option.type == "float, above 0, below 1"
    for value in (0, 1):
        with pytest.raises(annotations.Misfit, match="above 0 and below 1"):
            annotations.fit(value, option.annotation)
