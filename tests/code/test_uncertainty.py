"""Intervals: beside SciPy's and by formula, in blocks, in any order; refused where none would hold."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib import evaluation, uncertainty
from lib.errors import DataError
from lib.uncertainty import Interval, gains, groups, statistics, tails
from lib.uncertainty.statistics import Units

NUMBERS, CLASSES = ("rmse", "mae", "r2"), ("auc", "accuracy", "f1", "log_loss")


def numbers(rows=400, seed=0):
    """Truths, and two predictions of them; the second errs by a tenth more."""
    y, one, other = np.random.default_rng(seed).normal(size=(3, rows))
    return y, y + one, y + 1.1 * (0.9 * one + 0.19**0.5 * other)


def classes(rows=300, count=3, seed=0):
    """Classes and probabilities that know a little of them, with ties."""
    random = np.random.default_rng(seed)
    names = list("abcdef"[:count])
    truth = random.integers(0, count, rows)
    raw = random.random((rows, count)) + 0.4 * (truth[:, None] == np.arange(count))
    chances = (raw / raw.sum(axis=1, keepdims=True)).round(2)
    return np.array(names)[truth], pd.DataFrame(chances, columns=names)


def rows_of(name, count=3):
    return ("regression", *numbers()[:2]) if name in NUMBERS else ("classification", *classes(count=count))


def built(name, blocks=None, count=3):
    task, y, prediction = rows_of(name, count)
    return statistics.build(name, task, y, prediction, Units.of(y, [prediction], blocks))


@pytest.mark.parametrize("name", [*NUMBERS, "auc", "accuracy", "f1"])
@pytest.mark.parametrize("count", [2, 4])
def test_the_figure_is_that_of_the_metric(name, count):
    task, y, prediction = rows_of(name, count)
    wanted = evaluation.metric(name, task, y, prediction)
    assert uncertainty.of_metric(name, task, y, prediction, draws=39).value == pytest.approx(
        wanted, abs=1e-12
    )


def test_the_log_loss_is_scikit_learns():
    from sklearn.metrics import log_loss

    y, chances = classes()
    chances = chances.div(chances.sum(axis=1), axis=0)
    found = uncertainty.of_metric("log_loss", "classification", y, chances, draws=39)
    assert found.value == pytest.approx(log_loss(y, chances))


def test_an_unknown_metric_is_named_beside_those_that_are_there():
    for name in ("rmse", "auc"):
        task, y, prediction = rows_of(name)
        with pytest.raises(DataError, match=rf"no {task} metric 'auk'; there are \['a?"):
            uncertainty.of_metric("auk", task, y, prediction)


@pytest.mark.parametrize("name", [*NUMBERS, *CLASSES])
@pytest.mark.parametrize("blocks", [False, True])
def test_the_influence_of_a_unit_is_how_the_figure_moves_with_its_weight(name, blocks):
    """Compared with the difference quotient, at weights that differ from row to row."""
    size = 400 if name in NUMBERS else 300
    statistic = built(name, pd.Series(np.arange(size) // 5) if blocks else None)
    count = size // 5 if blocks else size
    weights = np.random.default_rng(1).integers(1, 4, (1, count)).astype(float)
    influence = statistic.at(weights)[1][0]
    for unit in range(0, count, 7):
        moved = weights.copy()
        moved[0, unit] += 1e-5
        quotient = (statistic.at(moved)[0] - statistic.at(weights)[0])[0] / 1e-5
        assert influence[unit] == pytest.approx(quotient, rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("name", [*NUMBERS, *CLASSES])
def test_units_that_are_drawn_count_as_if_their_rows_were_copied_out(name):
    task, y, prediction = rows_of(name)
    pick = np.random.default_rng(2).integers(0, len(y), len(y))
    units = Units.of(y, [prediction], None)
    weights = np.bincount(pick, minlength=len(y))[units.order].astype(float)
    found = statistics.build(name, task, y, prediction, units).at(weights[None, :])[0][0]
    copied = prediction.iloc[pick] if isinstance(prediction, pd.DataFrame) else prediction[pick]
    whole = statistics.build(name, task, y[pick], copied, Units.of(y[pick], [copied], None))
    assert found == pytest.approx(whole.at(np.ones((1, len(y))))[0][0], abs=1e-12)


def test_the_error_of_an_area_is_delongs():
    """By its definition: the variances of the placements, each over the size of its class."""
    y, chances = classes(count=2)
    yes, no = (chances["b"].to_numpy()[y == name] for name in "ba")
    above = (yes[:, None] > no) + 0.5 * (yes[:, None] == no)
    wanted = above.mean(axis=1).var() / len(yes) + above.mean(axis=0).var() / len(no)
    influence = built("auc", count=2).at(np.ones((1, len(y))))[1][0]
    assert (influence**2).sum() == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("name", "score"),
    [("rmse", lambda e, axis: np.sqrt((e**2).mean(axis))), ("mae", lambda e, axis: abs(e).mean(axis))],
)
def test_the_interval_is_close_to_scipys_corrected_one(name, score):
    y, one, _ = numbers()
    found = uncertainty.of_metric(name, "regression", y, one, draws=3999)
    other = stats.bootstrap((y - one,), score, n_resamples=3999, method="BCa", rng=1).confidence_interval
    width = other.high - other.low
    assert found.low == pytest.approx(other.low, abs=0.06 * width)
    assert found.high == pytest.approx(other.high, abs=0.06 * width)
    assert found.low < found.value < found.high


def test_a_mean_of_normal_errors_has_the_interval_of_student_s_t():
    """The gain in MAE of errors that are all positive is a mean, and nearly normal."""
    random = np.random.default_rng(3)
    one, other = abs(random.normal(5, 1, (2, 60)))
    found = uncertainty.of_gain("mae", "regression", np.zeros(60), one, other, draws=3999)
    wanted = stats.ttest_1samp(other - one, 0).confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([wanted.low, wanted.high], abs=0.05)
    assert found.value == pytest.approx((other - one).mean())


def test_few_rows_make_the_interval_wider_than_the_percentiles_of_the_draws():
    y, one, _ = numbers(30)
    found = uncertainty.of_metric("rmse", "regression", y, one, draws=3999)
    low, high = found.draws["value"].quantile([0.025, 0.975])
    assert found.high - found.low > 1.05 * (high - low)


@pytest.mark.parametrize("name", [*NUMBERS, *CLASSES])
@pytest.mark.parametrize("blocks", [False, True])
def test_the_order_of_the_rows_changes_nothing(name, blocks):
    task, y, prediction = rows_of(name)
    group = pd.Series(np.arange(len(y)) // 10)
    mixed = np.random.default_rng(4).permutation(len(y))
    moved = prediction.iloc[mixed] if isinstance(prediction, pd.DataFrame) else prediction[mixed]
    found, again = (
        uncertainty.of_metric(name, task, truth, side, blocks=of if blocks else None, draws=99)
        for truth, side, of in ((y, prediction, group), (y[mixed], moved, group.iloc[mixed]))
    )
    assert not found.reason
    assert [again.low, again.high] == pytest.approx([found.low, found.high], rel=1e-9)


def test_rows_that_are_copies_of_one_another_say_no_more_than_one_of_them():
    y, one, _ = numbers(100)
    copies, group = np.repeat(y, 10), pd.Series(np.repeat(np.arange(100), 10), name="hosts")
    found = uncertainty.of_metric("rmse", "regression", copies, np.repeat(one, 10), blocks=group, draws=1999)
    single = uncertainty.of_metric("rmse", "regression", y, one, draws=1999)
    alone = uncertainty.of_metric("rmse", "regression", copies, np.repeat(one, 10), draws=1999)
    assert found.drawn == "100 hosts"
    assert alone.drawn == "1,000 rows"
    width = single.high - single.low
    assert found.high - found.low == pytest.approx(width, rel=0.1)
    assert alone.high - alone.low < 0.4 * width


def test_a_gain_is_positive_where_the_first_is_better_whichever_way_the_metric_runs():
    y, one, other = numbers(2000)
    for name in NUMBERS:
        found = uncertainty.of_gain(name, "regression", y, one, other)
        turned = uncertainty.of_gain(name, "regression", y, other, one)
        assert 0 < found.low < found.value < found.high
        assert turned.value == pytest.approx(-found.value)
        assert turned.high < 0
        way = evaluation.sign(name)
        assert np.allclose(found.draws["gain"], way * (found.draws["other"] - found.draws["one"]))


def test_on_the_same_rows_two_models_are_told_apart_that_their_own_intervals_do_not():
    y, one, other = numbers(2000)
    each = [uncertainty.of_metric("rmse", "regression", y, side) for side in (one, other)]
    gain = uncertainty.of_gain("rmse", "regression", y, one, other)
    assert gain.high - gain.low < 0.9 * (each[0].high - each[0].low)


def test_the_interval_is_that_of_so_many_draws_by_that_seed():
    y, one, _ = numbers()
    few, again, others, many = (
        uncertainty.of_metric("mae", "regression", y, one, draws=draws, seed=seed)
        for draws, seed in ((50, 1), (50, 1), (50, 2), (500, 1))
    )
    assert few == again
    assert few.value == others.value == many.value
    assert len({few.low, others.low, many.low}) == 3
    assert len(few.draws) == 50
    assert uncertainty.of_metric("mae", "regression", y, one).draws.shape == (999, 1)
    assert uncertainty.of_gain("mae", "regression", y, one, y).draws.shape == (999, 3)


def test_a_draw_costs_no_memory_for_all_draws_at_once(monkeypatch):
    y, one, _ = numbers()
    whole = uncertainty.of_metric("rmse", "regression", y, one, draws=99)
    monkeypatch.setattr(uncertainty, "AT_ONCE", 400 * 7)
    parts = [len(weights) for weights in uncertainty._weights(400, 99, 42)]
    assert parts == [7] * 14 + [1]
    assert uncertainty.of_metric("rmse", "regression", y, one, draws=99).draws.shape == whole.draws.shape


# --- refused -----------------------------------------------------------------------------------------


def test_of_few_rows_or_blocks_or_draws_there_is_no_interval():
    y, one, _ = numbers(9)
    found = uncertainty.of_metric("rmse", "regression", y, one)
    assert found.reason == "9 rows are too few, it takes 10"
    assert np.isnan([found.low, found.high]).all()
    assert found.usable is None
    y, one, _ = numbers(60)
    days = pd.Series(np.arange(60) % 4, name="days")
    assert uncertainty.of_metric("rmse", "regression", y, one, blocks=days).reason.startswith(
        "4 days are too few"
    )
    found = uncertainty.of_metric("rmse", "regression", y, one, draws=38)
    assert found.reason == "38 draws are too few, it takes 39"


def test_what_cannot_be_computed_has_no_interval():
    chances = pd.DataFrame({"a": np.linspace(0, 1, 20), "b": np.linspace(1, 0, 20)})
    found = uncertainty.of_metric("auc", "classification", ["a"] * 20, chances)
    assert found.reason == "auc cannot be computed on these 20 rows"


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_share_of_nearly_all_rows_has_no_interval(wrong):
    """Of two wrong ones a draw in seven holds none: as if nothing could ever be wrong."""
    chances = pd.DataFrame({"a": [0.1] * wrong + [0.9] * (60 - wrong)}).assign(b=lambda table: 1 - table["a"])
    found = uncertainty.of_metric("accuracy", "classification", ["a"] * 60, chances)
    assert found.reason.startswith("of these 60 rows too few differ from the others")
    chances.iloc[:10] = 0.1, 0.9
    assert not uncertainty.of_metric("accuracy", "classification", ["a"] * 60, chances).reason


def test_a_model_gains_nothing_over_itself_and_that_is_sure():
    y, one, _ = numbers()
    found = uncertainty.of_gain("rmse", "regression", y, one, one)
    assert (found.value, found.low, found.high, found.reason) == (0.0, 0.0, 0.0, "")


def test_the_rmse_of_errors_with_too_heavy_a_tail_is_refused_and_the_mae_stands_in_its_place():
    errors = np.random.default_rng(0).standard_t(3, 2000)
    found = uncertainty.of_metric("rmse", "regression", errors, np.zeros(2000))
    assert "the tail of the errors is so heavy that their squares" in found.reason
    assert found.instead.metric == "mae"
    assert found.instead.low < found.instead.value < found.instead.high
    assert found.usable == found.instead
    assert found.instead == uncertainty.of_metric("mae", "regression", errors, np.zeros(2000))
    gain = uncertainty.of_gain("r2", "regression", errors, np.zeros(2000), errors / 2 + 1)
    assert gain.instead == uncertainty.of_gain("mae", "regression", errors, np.zeros(2000), errors / 2 + 1)


@pytest.mark.parametrize(("interval", "times"), [(uncertainty.of_metric, [0]), (uncertainty.of_gain, [0, 3])])
def test_what_stands_in_its_place_is_drawn_as_was_asked(interval, times):
    errors, days = np.random.default_rng(0).standard_t(2, 4000), pd.Series(np.arange(4000) // 2, name="days")
    sides, given = [time * errors for time in times], {"blocks": days, "draws": 99, "seed": 7}
    found = interval("rmse", "regression", errors, *sides, **given)
    assert found.instead == interval("mae", "regression", errors, *sides, **given)
    assert found.instead.drawn == "2,000 days"


def share_refused(draw, samples=100):
    random = np.random.default_rng(5)
    return np.mean([tails.heavy(np.abs(draw(random))) for _ in range(samples)])


def test_the_tail_of_t_with_three_degrees_is_told_from_that_with_five():
    assert share_refused(lambda random: random.standard_t(3, 2000)) >= 0.8
    assert share_refused(lambda random: random.standard_t(5, 2000)) <= 0.1
    assert share_refused(lambda random: random.normal(size=2000)) == 0
    assert share_refused(lambda random: random.laplace(size=2000)) <= 0.05
    assert share_refused(lambda random: random.standard_t(2, 20_000), 20) >= 0.95


def test_a_tail_that_ends_is_not_heavy_however_heavy_it_begins():
    """As errors of trips of an hour at most: like t with 2.4 degrees up to a bound, and then nothing."""

    def draw(random):
        errors = random.standard_t(2.4, 3000)
        return errors[np.abs(errors) < 12][:2000]

    assert share_refused(draw) <= 0.1


def test_of_a_few_rows_nobody_knows_the_tail():
    assert not tails.heavy(np.abs(np.random.default_rng(0).standard_cauchy(299)))
    assert not tails.heavy(np.zeros(500))


def test_hills_estimate_of_a_pure_power_is_the_power():
    """Of 1 / u the logarithms lie 1 apart on average: quantiles of a Pareto with index 2 give 1 / 2."""
    largest = (np.arange(1, 2002) / 2002) ** -0.5
    assert tails.hill(largest, 2000) == pytest.approx(0.5, abs=0.005)


# --- said --------------------------------------------------------------------------------------------


def test_an_interval_is_said_with_its_unit_or_with_the_reason_why_there_is_none():
    y, one, other = numbers(2000)
    found = uncertainty.of_gain("rmse", "regression", y, one, other)
    assert found.said("min") == f"{found.value:+.3g} min ({found.low:+.3g} to {found.high:+.3g})"
    errors = np.random.default_rng(0).standard_t(3, 2000)
    said = uncertainty.of_gain("rmse", "regression", errors, np.zeros(2000), errors * 3).said()
    assert "(no interval: the tail of the errors is so heavy that their squares" in said
    assert "; in its place MAE +" in said


def test_a_label_beside_the_probabilities_does_not_disturb_an_interval():
    y, chances = classes(count=2)
    labelled = chances.assign(label=y)
    for name in CLASSES:
        found = uncertainty.of_gain(name, "classification", y, labelled, chances.assign(a=0.5, b=0.5))
        assert found == uncertainty.of_gain(name, "classification", y, chances, chances.assign(a=0.5, b=0.5))
        assert 0 < found.low < found.value < found.high


def test_gains_are_of_the_selected_model_over_each_other_one():
    y, one, other = numbers(60)
    predictions = {"constant": y + 3 + one - y, "refitted": one, "linear": other}
    found = gains.over("mae", "regression", y, predictions, "refitted", draws=50)
    assert list(found) == ["constant", "linear"]
    assert found["linear"] == uncertainty.of_gain("mae", "regression", y, one, other, draws=50)
    by_default = gains.over("mae", "regression", y, predictions, "refitted")["linear"]
    assert by_default == uncertainty.of_gain("mae", "regression", y, one, other, draws=200, seed=42)
    table = gains.table(found)
    assert table.index.name == "better than"
    assert list(table) == ["mae gained", "low", "high", "interval"]
    assert table["interval"].tolist() == ["60 rows drawn"] * 2
    few = gains.table(gains.over("mae", "regression", y, predictions, "refitted", draws=5))
    assert few["interval"].tolist() == ["5 draws are too few, it takes 39"] * 2
    days = pd.Series(np.arange(60) // 3, name="days")
    blocked = gains.over("mae", "regression", y, predictions, "refitted", blocks=days)
    assert gains.table(blocked)["interval"].tolist() == ["20 days drawn"] * 2


def told(value, low, high, reason="", instead=None, metric="rmse"):
    return Interval(metric, value, low, high, reason, "9 rows", pd.DataFrame(), instead)


def test_each_gain_is_told_with_its_interval_and_whether_it_is_sure():
    nan = float("nan")
    refused = told(2.0, nan, nan, "heavy", told(1.0, 0.5, 1.5, metric="mae"))
    said = gains.read(
        {
            "a": told(1.0, 0.5, 1.5), "b": told(-1.0, -1.5, -0.5), "c": told(0.1, -0.2, 0.4),
            "d": told(0.5, 0.0, 1.0), "e": told(-0.5, -1.0, 0.0), "f": refused,
            "g": told(3.0, nan, nan, "too few"),
        },
        "min",
    )  # fmt: skip
    assert said.startswith(
        "The refitted model's gain in rmse: +1 min (+0.5 to +1.5) against a, surely better; "
    )
    assert "-1 min (-1.5 to -0.5) against b, surely worse; " in said
    for name in "cde":
        assert f"against {name}, not told apart; " in said
    assert "in its place MAE +1 min (+0.5 to +1.5)) against f, surely better by MAE; " in said
    assert "+3 min (no interval: too few) against g, nobody can say if that is luck." in said


@pytest.mark.parametrize(
    ("gain", "beats", "said"),
    [
        (told(1.0, 0.5, 1.5), True, "more than luck"),
        (told(1.0, -0.5, 1.5), False, "cannot tell the model from"),
        (told(1.0, 0.0, 2.0), False, "cannot tell the model from"),
        (told(2.0, np.nan, np.nan, "heavy", told(1.0, 0.5, 1.5, metric="mae")), True, "more than luck"),
        (told(-2.0, np.nan, np.nan, "heavy", told(1.0, 0.5, 1.5, metric="mae")), False, "cannot tell"),
        (told(3.0, np.nan, np.nan, "too few"), None, "nobody can say if it is more than luck"),
        (told(np.nan, np.nan, np.nan, "one class"), None, "nobody can say"),
        (told(-3.0, np.nan, np.nan, "too few"), False, "cannot tell the model from"),
        (told(0.0, np.nan, np.nan, "too few"), False, "cannot tell the model from"),
    ],
)
def test_luck_is_excluded_only_by_an_interval_and_no_gain_at_all_needs_none(gain, beats, said):
    assert gains.beats(gain) is beats
    assert said in gains.read_beats(beats)
    assert gains.read_beats(beats).startswith("It can: " if beats else "**Mind: ")
    assert gains.read_beats(beats).endswith("luck." if beats else ".**")


def sliced(seed, worse=1.0):
    """Ten groups of 60 rows; in the last one errors are so many times as large."""
    rng = np.random.default_rng(seed)
    y, which = rng.normal(size=600), np.repeat(list("abcdefghij"), 60)
    prediction = y + rng.normal(size=600) * np.where(which == "j", worse, 1)
    parts = {"part": pd.Series(which)}
    overall = evaluation.metric("rmse", "regression", y, prediction)
    table = evaluation.by_slice("rmse", "regression", y, prediction, parts)
    return table, groups.stands_out(table, "rmse", "regression", y, prediction, parts, overall, seed=seed)


def test_of_groups_that_are_all_alike_the_last_one_does_not_stand_out():
    """In at most 5 of 100 pages it may; here of 60."""
    assert sum(sure for _, sure in map(sliced, range(60))) <= 6


def test_a_group_with_twice_the_error_stands_out_and_no_group_never_does():
    table, sure = sliced(1, worse=2.0)
    assert (table["group"][0], sure) == ("j", True)
    assert not groups.stands_out(table.head(0), "rmse", "regression", [], [], {}, 1.0)


@pytest.mark.parametrize("name", ["rmse", "accuracy"])
@pytest.mark.parametrize(("blocks", "seed"), [(None, {}), (pd.Series(np.arange(600) % 60 // 2), {"seed": 7})])
@pytest.mark.parametrize(("count", "wider"), [(1, 1.0), (10, 2.80703 / 1.95996)])
def test_a_group_stands_out_once_its_interval_at_the_level_of_all_groups_leaves_out_the_overall_figure(
    name, blocks, seed, count, wider
):
    """Normal quantiles of 1 - 0.025 / 10 and of 0.975; the end that lies towards the better ones decides."""
    rng, parts = np.random.default_rng(0), {"part": pd.Series(np.repeat(list("abcdefghij"), 60))}
    if name == "rmse":
        task, way, y, said = "regression", 1, *rng.normal(size=(2, 600))
    else:
        task, way, y = "classification", -1, rng.choice(["no", "yes"], 600)
        said = pd.DataFrame({one: ((y == one) ^ (rng.random(600) < 0.2)) * 1.0 for one in ("no", "yes")})
    table = evaluation.by_slice(name, task, y, said, parts).head(count)
    own = np.flatnonzero(parts["part"] == table["group"][0])
    drawn = {"blocks": None if blocks is None else blocks.iloc[own], "draws": 199, "seed": 42} | seed
    found = uncertainty.of_metric(name, task, y[own], evaluation.take(said, own), **drawn)
    end = found.value + wider * ((found.low if way > 0 else found.high) - found.value)
    for overall, sure in ((end - way * 1e-4, True), (end + way * 1e-4, False)):
        told = groups.stands_out(table, name, task, y, said, parts, overall, blocks=blocks, **seed)
        assert told is sure
