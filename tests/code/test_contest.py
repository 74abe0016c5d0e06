"""Candidate against champion: which is better, by how much, whether luck explains it, and what is fair."""

import dataclasses
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import packaging, problem, uncertainty
from lib.errors import RegistryError
from lib.packaging import marks
from lib.registry import contest, judged
from lib.registry import verdict as verdicts
from lib.registry.contest import Contest
from lib.registry.location import Version
from lib.registry.store import Decision
from lib.runtime.inference import InferencePipeline


def dataset(metric="rmse", task="regression", unit="min", **slices):
    return SimpleNamespace(
        metric=metric,
        task=task,
        target=SimpleNamespace(name="y", unit=unit),
        slices=slices,
        blocks=lambda _: None,
        words=problem.Words(),
    )


def of_numbers(candidate, champion, y=None, metric="rmse", unit="min", **slices):
    """A contest in which both err by so much on each row; truths are 0, 1, 2, ..."""
    errors = np.asarray(candidate, dtype=float), np.asarray(champion, dtype=float)
    y = np.arange(len(errors[0]), dtype=float) if y is None else np.asarray(y, dtype=float)
    rows = pd.DataFrame({"y": y})
    return Contest(dataset(metric, unit=unit, **slices), rows, y + errors[0], y + errors[1], "version 1")


#: Errors with a root mean square of 1, and three times as large.
NEAR = np.tile([0.6, 1.64**0.5], 50)
FAR = 3 * NEAR


def test_both_are_scored_by_all_metrics_under_their_names():
    found = of_numbers([1, -1, 1, -1], [2, 2, -2, -2]).scores()
    assert found.index.tolist() == ["candidate", "version 1"]
    assert found["rmse"].tolist() == [1.0, 2.0]
    assert found["mae"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("metric", "gain"), [("rmse", 2.0), ("mae", 0.6 + 1.64**0.5)])
def test_a_gain_is_what_the_error_fell_by(metric, gain):
    assert of_numbers(NEAR, FAR, metric=metric).interval.value == pytest.approx(gain)
    assert of_numbers(FAR, NEAR, metric=metric).interval.value == pytest.approx(-gain)


def test_where_more_is_better_a_gain_is_what_the_score_rose_by():
    """Truths 0 to 99 have variance 833.25: r2 is 1 - 1 / 833.25 against 1 - 9 / 833.25."""
    found = of_numbers(NEAR, FAR, metric="r2").interval
    assert found.value == pytest.approx(8 / 833.25)
    assert 0 < found.low < found.value < found.high


def test_the_interval_is_that_of_the_gain_by_so_many_draws_the_same_each_time():
    made = of_numbers(np.linspace(-1, 1, 60), np.linspace(-2, 3, 60))
    found, y = made.interval, made.y
    assert found == uncertainty.of_gain("rmse", "regression", y, made.candidate, made.champion, draws=399)
    fewer = dataclasses.replace(made, draws=50).interval
    assert len(fewer.draws) == 50
    assert fewer.value == found.value


def test_rows_of_one_day_are_drawn_together_where_rows_have_a_time(taxi, folders, kept_marks):
    made, parts = taxi
    found = contest.compare(made, parts["test"], folders.fine, folders.rough)
    days = parts["test"]["pickup_datetime"].dt.date.nunique()
    assert found.interval.drawn == f"{days} days"
    other = problem.load("nyc_rentals")
    rows = other.generate(60, 1)
    assert pd.factorize(other.blocks(rows))[0].tolist() == pd.factorize(rows["host_id"])[0].tolist()
    assert dataclasses.replace(other, groups=()).blocks(rows) is None


def heavy(times=3.0):
    """A candidate whose errors have no finite fourth moment; the champion's are so many times those."""
    errors = np.random.default_rng(0).standard_t(3, 2000)
    return of_numbers(errors, times * errors + 0.01)


def test_where_squares_have_no_interval_that_of_the_mae_decides_if_the_metric_is_ahead_too():
    made = heavy()
    assert np.isnan(made.interval.low)
    assert made.won
    said = made.read()
    assert "There is no interval of that: the tail of the errors is so heavy" in said
    assert "In its place: MAE gained +" in said
    outcome, reason = verdict(made)
    assert outcome == "better"
    assert "(no interval of the gain: the tail of the errors" in reason
    assert "; in its place mae gained +" in reason
    assert verdict(heavy(1 / 3))[0] == "not better"
    y, close = np.zeros(2000), np.random.default_rng(0).standard_t(3, 2000)
    far = 0.5 * close
    far[np.argsort(np.abs(close))[-5:]] *= 8  # by the MAE better, by the RMSE worse
    mixed = Contest(dataset(), pd.DataFrame({"y": y}), far, close, "version 1")
    assert mixed.interval.reason
    assert mixed.interval.instead.low > 0 > mixed.interval.value
    assert not mixed.won


def test_a_handful_of_rows_promotes_nobody():
    made = of_numbers(NEAR[:8], FAR[:8])
    assert not made.won
    assert "8 rows are too few" in made.read()
    outcome, reason = verdict(made)
    assert outcome == "not better"
    said = (
        "taxi version 1 stays champion: taxi version 2 has rmse 2 {} than taxi version 1 (no interval of the "
        "gain: 8 rows are too few, it takes 10){}."
    )
    assert reason == said.format("better", ", which may be luck")
    assert verdict(of_numbers(FAR[:8], NEAR[:8])) == ("not better", said.format("worse", ""))


def test_of_equals_few_are_promoted_and_of_better_ones_nearly_all():
    """Errors that correlate at 0.9 on 5,000 rows: by the score alone half of the equals would win."""
    random = np.random.default_rng(6)
    won = {1.0: [], 0.97: []}
    for _ in range(40):
        both, one, other = random.normal(size=(3, 5000))
        champion, candidate = 0.9**0.5 * both + 0.1**0.5 * one, 0.9**0.5 * both + 0.1**0.5 * other
        for factor, found in won.items():
            made = dataclasses.replace(of_numbers(factor * candidate, champion), draws=99)
            found.append((made.won, made.interval.value > 0))
    equal, better = np.mean(won[1.0], axis=0), np.mean(won[0.97], axis=0)
    assert equal[0] <= 0.05
    assert equal[1] > 0.3
    assert better[0] >= 0.9


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "So far these rows have judged nobody. Each contest that they decide is counted here."),
        (
            1,
            "These rows have judged **one** version so far. Had it been no better than the champion, it "
            "would have won with a chance of 2.5%, and so has every further one that they judge.",
        ),
        (
            9,  # 1 - 0.975^9
            "These very rows have judged **9** versions. Had none been better than its champion, luck would "
            "have promoted at least one with a chance of up to 20%, and the score of whoever won by them "
            "flatters. Rows that have judged nobody yet would tell.",
        ),
    ],
)
def test_what_it_costs_that_rows_judge_again_and_again_is_said(count, said):
    assert judged.read(SimpleNamespace(judged=count)) == said


def test_the_same_rows_are_known_again_in_any_order():
    made = of_numbers(NEAR, FAR)
    mixed = dataclasses.replace(made, rows=made.rows.sample(frac=1, random_state=1))
    assert made.digest == mixed.digest
    assert made.digest != dataclasses.replace(made, rows=made.rows.head(99)).digest


def test_a_clear_gain_is_called_better_and_no_luck():
    said, made = of_numbers(NEAR, FAR).read(), of_numbers(NEAR, FAR).interval
    assert said.startswith("On these 100 rows the candidate is better than version 1: RMSE gained +2 min, ")
    assert "luck alone does not explain it" in said
    assert "that may be luck" not in said
    assert f"a 95 % interval of {made.low:+.3g} to {made.high:+.3g} (100 rows drawn with replacement)" in said


def test_a_clear_loss_is_called_worse_and_no_luck():
    said, made = of_numbers(FAR, NEAR).read(), of_numbers(FAR, NEAR).interval
    assert "the candidate is worse than version 1: RMSE gained -2 min" in said
    assert "luck alone does not explain it" in said
    assert f"a 95 % interval of {made.low:+.3g} to {made.high:+.3g} (100 rows drawn with replacement)" in said


@pytest.mark.parametrize(("sign", "word"), [(1, "better"), (-1, "worse")])
def test_a_difference_whose_interval_holds_zero_may_be_luck(sign, word):
    """Each row is won by one of the two, in turn, by the same 1; one of them wins a single row more."""
    one, other = np.array([1.0, 2.0] * 30 + [1.0]), np.array([2.0, 1.0] * 30 + [2.0])
    made = of_numbers(one, other) if sign > 0 else of_numbers(other, one)
    said = made.read()
    assert made.interval.low < 0 < made.interval.high
    assert not made.won
    assert f"the candidate is {word} than" in said
    assert "that may be luck" in said
    assert "luck alone does not explain it" not in said


def test_a_small_gain_is_as_sure_as_a_large_one():
    """Whether zero lies in the interval is not asked of how large its ends are."""
    assert "luck alone does not explain it" in of_numbers(NEAR / 10, FAR / 10).read()


def test_the_same_predictions_are_neither_better_nor_worse():
    made = of_numbers(NEAR, NEAR)
    assert "is neither better nor worse than version 1" in made.read()
    assert "that may be luck" in made.read()


def test_a_metric_without_unit_has_none_in_the_sentence():
    assert "RMSE gained +2, with" in of_numbers(NEAR, FAR, unit="").read()


def parted(sizes, column="part"):
    """A slice of so many rows a group: {"a": 40, "b": 60}."""
    values = [name for name, size in sizes.items() for _ in range(size)]
    return {column: lambda rows: pd.Series(values, index=rows.index)}


def test_gains_are_told_for_all_rows_and_for_each_large_group_with_its_rows():
    """Group a gains 2, group b loses 1: errors 1 against 3, and 3 against 2."""
    size = np.r_[np.full(40, 1.0), np.full(60, 3.0)], np.r_[np.full(40, 3.0), np.full(60, 2.0)]
    candidate, champion = size[0] * NEAR, size[1] * NEAR
    made = of_numbers(candidate, champion, **parted({"a": 40, "b": 60}))
    table = made.gains()
    assert table.index.tolist() == ["all rows", "part a", "part b"]
    assert table.index.name == "rows of the test set"
    assert table["rows"].tolist() == [100, 40, 60]
    assert table.loc["part a", "gain"] == pytest.approx(2.0)
    assert table.loc["part b", "gain"] == pytest.approx(-1.0)
    assert table.loc["all rows", "gain"] == pytest.approx(made.interval.value)
    assert (table["low"] <= table["gain"]).all()
    assert (table["gain"] <= table["high"]).all()


def test_a_group_of_which_no_interval_would_hold_is_told_without_one():
    made = of_numbers(np.r_[NEAR, np.ones(40)], np.r_[FAR, np.full(40, 3.0)], **parted({"a": 100, "b": 40}))
    table = made.gains()
    assert table["low"].isna().tolist() == [False, False, True]
    assert "Of 1 there is none, as it would not hold." in made.read_gains(table)
    assert "there is none" not in made.read_gains(table.iloc[:2])


def test_groups_of_fewer_rows_than_least_are_left_out():
    made = of_numbers(np.ones(100), np.ones(100), **parted({"a": 40, "b": 31, "c": 29}))
    assert made.gains().index.tolist() == ["all rows", "part a", "part b"]
    assert made.gains(least=40).index.tolist() == ["all rows", "part a"]
    assert made.gains(least=29).index.tolist() == ["all rows", "part a", "part b", "part c"]


@pytest.mark.parametrize(
    ("count", "told"), [(1, False), (2, True), (8, True), (9, False)], ids="{} groups".format
)
def test_a_slice_is_told_if_it_has_two_to_eight_groups(count, told):
    sizes = {f"g{i}": 30 for i in range(count)}
    made = of_numbers(np.ones(30 * count), np.ones(30 * count), **parted(sizes))
    assert len(made.gains()) == 1 + count * told


def test_a_slice_that_would_be_too_many_lines_is_left_out_and_a_smaller_one_after_it_is_not():
    cuts = {
        **parted({"a": 30, "b": 30, "c": 40}, "one"),
        **parted({"d": 30, "e": 30, "f": 40}, "two"),
        **parted({"g": 50, "h": 50}, "three"),
    }
    made = of_numbers(np.ones(100), np.ones(100), **cuts)
    assert made.gains(most=5).index.tolist()[1:] == ["one a", "one b", "one c", "three g", "three h"]
    assert len(made.gains()) == 1 + 3 + 3 + 2


def test_groups_are_sorted_by_their_numbers_and_words_come_after_them():
    names = ["over 20 miles", "10-20 miles", "2-10 miles", "1-2 miles", "to 1 mile", "0.5", "unknown", "any"]
    found = sorted(names, key=contest._natural)
    assert found == [
        "0.5", "to 1 mile", "1-2 miles", "2-10 miles", "10-20 miles", "over 20 miles", "any", "unknown",
    ]  # fmt: skip


def told(*groups, unit="min"):
    """What is said of groups (name, gain, low, high) under a line for all rows."""
    table = pd.DataFrame([("all rows", 9.0, 8.0, 9.5), *groups], columns=["name", "gain", "low", "high"])
    return of_numbers(NEAR, FAR, unit=unit).read_gains(table.set_index("name"))


def test_the_groups_are_counted_and_the_extremes_named_with_their_gains():
    said = told(("a", 1.0, 0.5, 1.5), ("b", -0.2, -0.4, 0.1), ("c", 0.3, -0.1, 0.6))
    assert "ahead in 2 of 3 groups" in said
    assert "most where a (+1 min), least where b (-0.2 min)" in said
    assert "none is surely worse" in said


def test_a_group_whose_whole_interval_is_below_zero_is_surely_worse():
    said = told(("a", -1.0, -1.5, -0.5), ("b", -0.2, -0.4, 0.1), ("c", -2.0, -3.0, -1.0))
    assert "Surely worse: a, c." in said
    assert "none is surely worse" not in said


def test_a_group_that_is_neither_ahead_nor_behind_is_not_counted_as_ahead():
    assert "ahead in 1 of 2 groups" in told(("a", 0.0, -1.0, 1.0), ("b", 1.0, 0.5, 2.0))


def test_groups_of_what_has_no_unit_are_told_without_one():
    said = told(("a", 2.0, 1.5, 2.5), ("b", 0.0, -0.5, 0.5), unit="")
    assert "where a (+2), least where b (+0)" in said


def test_of_groups_that_are_all_alike_none_is_named():
    """Twenty groups that gain nothing but luck: 5 of 100 pages may name one, 2.5 call one worse."""
    named = 0
    for seed in range(100):
        gains = np.random.default_rng(seed).normal(size=20)
        said = told(*((f"g{i}", gain, gain - 1.96, gain + 1.96) for i, gain in enumerate(gains)))
        named += "gains most" in said or "Surely worse" in said
    assert named <= 14  # uncorrected 99


def test_without_groups_there_is_nothing_to_compare_apart():
    said = "The problem has no slices with two groups of 30 rows: there is nothing to compare apart."
    assert told() == said


# --- two stored models -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def taxi():
    made = problem.load("green_taxi")
    return made, made.split(made.clean(made.generate(400, 1)).rows, 1)


@pytest.fixture(scope="module")
def folders(taxi, tmp_path_factory):
    """Two models that have not seen the test rows, two that have some, and the pipelines."""
    (made, parts), pipelines = taxi, []

    def model(name, alpha, *rows):
        choice = {"family": "lasso", "parameters": {"alpha": alpha}}
        known = pd.concat(rows)
        pipeline = InferencePipeline.chosen(made.serving, "zoomcamp", choice, 1).fit(known, known["duration"])
        folder = tmp_path_factory.mktemp("models") / name
        packaging.save_model(pipeline, folder, rows[0].head(2))
        pipelines.append(pipeline)
        return folder

    return SimpleNamespace(
        fine=model("fine", 0.01, parts["train"]),
        rough=model("rough", 9.0, parts["train"]),
        knows=model("knows", 9.0, parts["train"], parts["test"].head(7)),
        knows_more=model("knows_more", 9.0, parts["train"], parts["test"].head(9)),
        pipelines=pipelines,
    )


@pytest.fixture
def kept_marks(tmp_path, monkeypatch, folders):
    """What tells which rows the models were fitted on, as training leaves it."""
    monkeypatch.setenv("WORKBOOK_OUTPUTS", str(tmp_path))
    for pipeline in folders.pipelines:
        marks.keep(pipeline)
    return lambda folder: tmp_path / "marks" / f"{packaging.about(folder)['marks']}.npy"


def test_without_a_champion_the_rival_says_the_rows_own_mean(taxi, folders, kept_marks):
    made, parts = taxi
    found = contest.compare(made, parts["test"], folders.fine)
    assert found.rival == "these rows' own mean"
    assert np.allclose(found.champion, parts["test"][made.target.name].mean())
    answer = packaging.load(folders.fine).predict(parts["test"].drop(columns=made.target.name))
    assert np.allclose(found.candidate, answer)
    assert len(found.champion) == len(parts["test"])
    assert (found.leaked, found.rival_leaked) == (0, 0)
    by_mae = contest.compare(dataclasses.replace(made, metric="mae"), parts["test"], folders.fine)
    assert by_mae.rival == "these rows' own median"
    assert np.allclose(by_mae.champion, parts["test"][made.target.name].median())


def test_each_model_answers_by_itself(taxi, folders, kept_marks):
    made, parts = taxi
    inputs = parts["test"].drop(columns=made.target.name)
    found = contest.compare(made, parts["test"], folders.fine, folders.rough, "version 3")
    assert found.rival == "version 3"
    assert np.allclose(found.candidate, packaging.load(folders.fine).predict(inputs))
    assert np.allclose(found.champion, packaging.load(folders.rough).predict(inputs))
    assert not np.allclose(found.candidate, found.champion)
    assert contest.compare(made, parts["test"], folders.fine, folders.rough).rival == "champion"


def test_a_model_against_itself_gains_nothing(taxi, folders, kept_marks):
    made, parts = taxi
    assert contest.compare(made, parts["test"], folders.fine, folders.fine).interval.value == 0


def test_rows_that_a_side_was_fitted_on_are_counted_for_that_side(taxi, folders, kept_marks):
    made, parts = taxi
    rows = parts["test"]
    for candidate, champion, leaked, rival_leaked in (
        (folders.knows, None, 7, 0),
        (folders.knows, folders.rough, 7, 0),
        (folders.fine, folders.knows, 0, 7),
        (folders.knows, folders.knows_more, 7, 2),  # what both have seen favours neither
    ):
        found = contest.compare(made, rows, candidate, champion)
        assert (found.leaked, found.rival_leaked) == (leaked, rival_leaked)


def test_where_marks_are_not_on_this_machine_nobody_knows_what_was_seen(taxi, folders, kept_marks):
    made, parts = taxi
    kept_marks(folders.knows).unlink()
    found = contest.compare(made, parts["test"], folders.fine, folders.knows)
    assert (found.leaked, found.rival_leaked) == (0, None)
    found = contest.compare(made, parts["test"], folders.knows, folders.knows_more)
    assert (found.leaked, found.rival_leaked) == (None, 9)
    assert contest.compare(made, parts["test"], folders.knows).leaked is None


def test_rows_without_a_column_of_the_training_rows_cannot_be_judged(taxi, folders, kept_marks):
    rows = taxi[1]["test"].drop(columns=["trip_distance", "PULocationID"])
    with pytest.raises(RegistryError, match=r"training rows had \['PULocationID', 'trip_distance'\], which"):
        contest.seen(folders.fine, rows)


def test_a_model_of_an_earlier_workbook_has_its_own_marks_by_pandas_hashes(tmp_path):
    golden = Path(__file__).parents[1] / "golden"
    rows = pd.read_parquet(golden / "model_rows.parquet")
    folder = shutil.copytree(golden / "model", tmp_path / "model")
    columns = packaging.about(folder)["row_columns"]
    np.save(
        folder / "artifacts/pipeline/seen.npy", pd.util.hash_pandas_object(rows[columns].head(3), index=False)
    )
    assert contest.seen(folder, rows.assign(other=1)).tolist() == [True] * 3 + [False] * 17


# --- what follows from it ----------------------------------------------------------------------------

FIRST, SECOND, THIRD = (Version("taxi", number, "d" * 64, "", {}) for number in (1, 2, 3))


def verdict(made, version=SECOND, holder=FIRST, alias="champion"):
    return verdicts.of(version, holder, made, alias)


def test_a_better_candidate_takes_the_alias_and_a_worse_one_does_not():
    outcome, reason = verdict(of_numbers(NEAR, FAR))
    assert outcome == "better"
    assert "taxi version 2 takes 'champion': rmse 2 better than taxi version 1" in reason
    assert "(95 % interval of the gain: +" in reason
    outcome, reason = verdict(of_numbers(FAR, NEAR))
    assert outcome == "not better"
    assert "taxi version 1 stays champion: taxi version 2 has rmse 2 worse than taxi version 1" in reason


def test_an_equal_candidate_is_not_better():
    assert verdict(of_numbers(NEAR, NEAR))[0] == "not better"


def test_the_first_takes_an_alias_that_nobody_held_whatever_its_score():
    outcome, reason = verdict(of_numbers(FAR, NEAR), holder=None, alias="staging")
    assert outcome == "first"
    assert "No version held 'staging': taxi version 2 takes it" in reason


def test_the_holder_itself_moves_nothing():
    outcome, reason = verdict(of_numbers(NEAR, FAR), version=FIRST)
    assert outcome == "same"
    assert "taxi version 1 is the champion already" in reason


@pytest.mark.parametrize(("leaked", "outcome"), [(0, "better"), (1, "better"), (2, "unfair")])
def test_a_candidate_that_has_seen_more_than_one_row_in_a_hundred_cannot_win(leaked, outcome):
    found, reason = verdict(dataclasses.replace(of_numbers(NEAR, FAR), leaked=leaked))
    assert found == outcome
    assert ("was itself fitted on 2 of these 100 test rows" in reason) == (outcome == "unfair")


def test_a_champion_that_has_seen_a_single_row_is_not_contested():
    found, reason = verdict(dataclasses.replace(of_numbers(NEAR, FAR), rival_leaked=1))
    assert found == "unfair"
    assert "taxi version 1 was fitted on 1 of these 100 test rows" in reason
    assert "make promote VERSION=2 MODEL=taxi" in reason


def test_a_candidate_of_which_nobody_knows_what_it_has_seen_cannot_win():
    found, reason = verdict(dataclasses.replace(of_numbers(NEAR, FAR), leaked=None))
    assert found == "unfair"
    assert "Nobody here can know whether taxi version 2 was fitted on these test rows" in reason


def test_a_champion_of_which_nobody_knows_it_is_contested_and_that_is_said():
    found, reason = verdict(dataclasses.replace(of_numbers(NEAR, FAR), rival_leaked=None))
    assert found == "better"
    known = verdict(of_numbers(NEAR, FAR))[1]
    assert reason == known.removesuffix(".") + (
        "; whether taxi version 1 was fitted on some of these rows nobody can know here, without its marks."
    )


@pytest.mark.parametrize(
    ("outcome", "wins"),
    [("first", True), ("better", True), ("same", False), ("not better", False), ("unfair", False)],
)
def test_only_the_first_and_a_better_one_win(outcome, wins):
    assert verdicts.Verdict(SECOND, FIRST, outcome, "", of_numbers(NEAR, FAR)).wins is wins


def test_what_pairing_is_worth_is_computed_and_may_be_nothing():
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 3, 400)
    alike = of_numbers(shared + rng.normal(0, 0.1, 400), 1.1 * shared)
    draws = alike.interval.draws
    one, other, gain = (float(draws[name].std()) for name in ("one", "other", "gain"))
    assert alike.read_pairing() == (
        f"The scores waver by {one:.2g} and {other:.2g} min, so on draws of their own the difference would "
        f"waver by {np.hypot(one, other):.2g}; on the same draws it wavers by {gain:.2g}: pairing makes it "
        f"{np.hypot(one, other) / gain:.1f} times narrower."
    )
    strangers = of_numbers(rng.normal(0, 3, 400), rng.normal(0, 3, 400))
    why = "here, as what is hard for the one is not hard for the other."
    assert strangers.read_pairing().endswith(f"pairing makes it no narrower {why}")
    opposed = np.abs(rng.normal(0, 1, 400))
    assert of_numbers(opposed, 3 - opposed).read_pairing().endswith(f"pairing makes it wider {why}")


def test_of_few_rows_or_the_same_predictions_pairing_is_not_spoken_of():
    assert "gains most" not in told(("a", 0.0, 0.0, 0.0), ("b", 0.0, 0.0, 0.0))
    for made in (of_numbers(NEAR, NEAR), of_numbers(NEAR[:20], FAR[:20])):
        assert made.read_pairing().startswith("Here nothing: rows are too few")
    flat = of_numbers(np.tile([1.0, -1.0], 50), np.random.default_rng(0).normal(size=100))
    assert flat.read_pairing().startswith("Here nothing: one of the two scores the same in every draw")


@pytest.mark.parametrize(
    ("reported", "own", "theirs", "figures", "misled"),
    [
        (2.5, NEAR, FAR, ("2.5", "3", "0.5"), False),
        (0.9, NEAR, FAR, ("0.9", "3", "2.1"), True),
        (1.0, NEAR, FAR, ("1", "3", "2"), False),  # by it the two would be alike
        (2.34567, FAR, NEAR, ("2.346", "1", "1.3"), False),
        (3.25, FAR, NEAR, ("3.25", "1", "2.2"), True),
        (0.03, FAR / 50, NEAR / 50, ("0.03", "0.02", "0.01"), False),
        (0.0201, FAR / 50, NEAR / 50, ("0.0201", "0.02", "0.0001"), False),
    ],
)
def test_whether_a_reported_score_misleads_is_computed(reported, own, theirs, figures, misled):
    """The RMSE of one is 1 on these rows, that of the other 3."""
    rival = Version("m", 1, "d", "", {"workbook.test_score": f"rmse {reported}"})
    made = verdicts.Verdict(rival, rival, "better", "", of_numbers(own, theirs), rival)
    told, now, apart = figures
    assert verdicts.read_reported(made) == (
        f"m version 1 reported a rmse of {told}; on these rows it has {now}. The difference of {apart} is "
        "that of the rows, no model's, "
        + ("and would have turned the order round." if misled else "though here the order is the same.")
    )


def test_a_score_that_was_measured_on_such_rows_misleads_nobody():
    rival = Version("m", 1, "d", "", {"workbook.test_score": "rmse 3.0002"})
    made = verdicts.Verdict(rival, rival, "better", "", of_numbers(NEAR, FAR), rival)
    said = "m version 1 reported a rmse of 3; on these rows it has 3: it was measured on such rows, and "
    assert verdicts.read_reported(made) == f"{said}here the table would not have misled."
    alone = dataclasses.replace(made, rival=None)
    assert verdicts.read_reported(alone) == "No other version has a score to be misled by yet."


@pytest.mark.parametrize("tags", [{"workbook.test_score": "mae 1.0000"}, {}])
def test_a_rival_that_reported_another_metric_or_none_is_told(tags):
    rival = Version("m", 1, "d", "", tags)
    made = verdicts.Verdict(rival, rival, "better", "", of_numbers(NEAR, FAR), rival)
    said = "m version 1 reported no rmse that this one could be held against."
    assert verdicts.read_reported(made) == said


# --- what has become of an alias -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "outcome", "before", "done", "told"),
    [
        (SECOND, "better", 1, True, ""),
        (FIRST, "better", 1, True, "taxi version 1"),
        (None, "first", None, True, "no version"),
        (FIRST, "not better", 1, True, ""),
        (THIRD, "not better", 1, True, "taxi version 3"),
        (None, "unfair", None, True, ""),
        (THIRD, "better", 1, False, ""),  # what was never carried out is not over
    ],
)
def test_an_alias_that_was_moved_after_the_decision_is_told(holder, outcome, before, done, told):
    said = verdicts.since(SECOND, holder, Decision(outcome, "", before, done), "champion")
    moved = f" That was decided when it was new. Since then 'champion' has moved, to {told}: "
    assert said == (moved + "nothing moves now, as only a new model starts a contest." if told else "")
