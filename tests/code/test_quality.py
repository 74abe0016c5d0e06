"""Checks that hold stay silent, those that fail say where and how much; comparisons against known answers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib import quality
from lib.errors import DataError, ParameterError
from lib.quality import ks_same_distribution

GOOD = pd.DataFrame(
    {"x": [1.0, 2.0], "n": [1, 2], "kind": ["a", "b"], "at": pd.to_datetime(["2023-01-01"] * 2)}
)


def finding(check: quality.Check, **frames: pd.DataFrame) -> str:
    return quality.run([check], frames).iloc[0]["found"]


@pytest.mark.parametrize(("sample", "gap"), [([4, 1, 3, 2], 0.0), ([3, 4, 5, 6], 0.5), ([5, 6, np.nan], 1.0)])
def test_distance_is_the_widest_gap_between_cumulative_shares(sample, gap):
    reference, sample = pd.DataFrame({"x": [1, 2, 3, 4]}), pd.DataFrame({"x": sample})
    assert ks_same_distribution(reference, sample, ["x"]).loc["x", "statistic"] == gap


def test_ten_columns_together_cry_wolf_no_more_than_alpha():
    twins = np.random.default_rng(7).normal(size=(100, 2, 60, 10))
    tables = [ks_same_distribution(*map(pd.DataFrame, pair), range(10)) for pair in twins]
    assert sum(not table["same"].all() for table in tables) <= 12  # 5 expected, 40 uncorrected


def test_an_absent_column_is_named_beside_those_that_are_there():
    fares, x = pd.DataFrame({"fare": [9.5]}), pd.DataFrame({"x": [1]})
    with pytest.raises(DataError, match=r"sample has no values in column 'fare'.*\['x'\]"):
        ks_same_distribution(fares, x, ["fare"])


def test_the_level_of_each_of_ten_tests_by_hand():
    assert quality.sidak(0.05, 10) == pytest.approx(1 - 0.95**0.1)  # 0.00512
    with pytest.raises(ParameterError, match=r"alpha is 1\.5"):
        quality.sidak(1.5, 10)


def test_divergence_in_bits_by_hand():
    # shares 3/4, 1/4 coded with 1/2, 1/2: 0.75 log2 1.5 + 0.25 log2 0.5 = 0.1887 bits, here of 40,000 rows
    reference, sample = pd.Series(["a", "b"] * 20_000), pd.Series(["a", "a", "a", "b"] * 10_000)
    assert quality.kl_divergence(reference, sample) == pytest.approx(0.1887, abs=1e-3)
    assert quality.kl_divergence(reference, reference) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("there", "absent"), [("ab", "a"), ("a", "ab")])
def test_divergence_is_finite_where_a_class_is_absent_on_a_side(there, absent):
    value = quality.kl_divergence(pd.Series(list(there) * 500), pd.Series(list(absent) * 500))
    assert 0.2 < value < 20


@pytest.mark.parametrize(
    ("check", "rows", "says"),
    [
        (quality.schema({"x": "float", "y": "any"}), GOOD, r"no column 'y', there are 'x', 'n'"),
        (quality.schema({"x": "integer"}), GOOD, r"not of the kind asked for: \{'x': 'float64'\}"),
        (quality.schema({"kind": "number"}), GOOD, "'kind'"),
        (quality.schema({"n": "integer", "x": "float"}, ordered=True), GOOD[["x", "n"]], "in this order"),
        (quality.between("x", 0, 1.5), GOOD, "1 outside, from 2 to 2"),
        (quality.known("kind", ["a"]), GOOD, "1 others: 'b'"),
        (quality.filled("x"), GOOD.assign(x=[np.nan, 1]), "1 of x"),
        (quality.row_count(2, 100), GOOD, "2 rows"),
        (quality.not_empty(), GOOD.iloc[:0], "no rows"),
        (quality.between("gone", 0, 1), GOOD, "column 'gone' is missing"),
    ],
)
def test_a_check_that_fails_says_what_it_found(check, rows, says):
    import re

    assert re.search(says, finding(check, train=rows))


@pytest.mark.parametrize(
    "check",
    [
        quality.schema({"x": "float", "n": "integer", "kind": "text", "at": "time"}, ordered=True),
        quality.between("x", 1, 2),
        quality.known("kind", ["a", "b"]),
        quality.filled("x", "kind"),
        quality.row_count(1, 3),
        quality.not_empty(),
    ],
)
def test_a_check_that_holds_finds_nothing(check):
    assert finding(check, train=GOOD) == ""


def test_missing_values_pass_a_range_and_fail_a_list():
    rows = pd.DataFrame({"x": [np.nan, 1.0], "kind": ["a", None]})
    assert finding(quality.between("x", 0, 2), train=rows) == ""
    assert "1 others" in finding(quality.known("kind", ["a"]), train=rows)


def test_a_row_in_two_splits_is_counted_even_with_its_columns_in_another_order():
    other = pd.DataFrame({"kind": ["b", "z"], "x": [2.0, 2.0], "n": [2, 2], "at": GOOD["at"]})
    assert finding(quality.apart(), train=GOOD, validation=other[::-1], test=GOOD.iloc[:0]) == (
        "1 rows of validation stand in train"
    )


def test_a_shifted_column_is_reported_with_its_distance():
    random = np.random.default_rng(0)
    train = pd.DataFrame({"still": random.normal(size=900), "moved": random.normal(size=900)})
    test = pd.DataFrame({"still": random.normal(size=900), "moved": random.normal(1, size=900)})
    says = finding(quality.same_distribution(["still", "moved"]), train=train, test=test)
    assert says.startswith("test: 1 of 2 comparisons moved (values of moved 0.")


def test_shares_that_moved_are_told_in_bits():
    old, new = pd.DataFrame({"k": ["a", "b"] * 500}), pd.DataFrame({"k": ["a"] * 950 + ["b"] * 50})
    assert finding(quality.same_shares("k", 0.2), old=old, new=new).startswith("new: 0.7")
    assert finding(quality.same_shares("k", 0.2), old=old, new=old) == ""


def test_an_error_stops_and_names_all_that_failed_while_a_warning_goes_on():
    wrong = quality.between("x", 5, 6)
    warned = quality.run([wrong.as_warning(), quality.not_empty()], {"train": GOOD})
    assert quality.enforce(warned) == "1 checks hold, 1 warn, none fails."
    failed = quality.run([wrong, quality.known("kind", ["z"]), quality.not_empty()], {"train": GOOD})
    with pytest.raises(
        DataError, match=r"(?s)2 of 3 checks.*x from 5 to 6: train: 2 outside.*kind is one of 1"
    ):
        quality.enforce(failed)


def test_severity_is_a_word_that_is_checked():
    assert quality.not_empty().severe("fail").severity == "error"
    with pytest.raises(ParameterError, match="not 'explode'"):
        quality.not_empty().severe("explode")


def test_what_is_kept_of_a_report_is_plain_data():
    import json

    report = quality.run([quality.not_empty()], {"train": GOOD})
    rules = pd.DataFrame({"reason": ["r"], "refused": [1], "share": [0.5], "left": [1]}, index=["rule"])
    kept = json.loads(json.dumps(quality.as_mapping(report, rules)))
    assert kept["checks"]["rows in every split"]["result"] == "ok"
    assert kept["rules"]["rule"]["refused"] == 1


def test_a_check_that_cannot_look_is_told_and_the_others_go_on():
    """Text where numbers belong: the range says so, and hides neither the schema nor what comes after."""
    checks = [quality.schema({"x": "number"}), quality.between("x", 0, 1), quality.filled("x")]
    checks.append(quality.same_distribution(["absent"]))
    bad = pd.DataFrame({"x": ["fast", "slow"]})
    report = quality.run(checks, {"reference": pd.DataFrame({"x": [np.nan, np.nan]}), "rows": bad})
    assert report["result"].tolist() == ["error", "error", "error", "error"]
    assert "not of the kind" in report["found"].iloc[0]
    assert report["found"].iloc[1].startswith("could not be checked")
    assert report["found"].iloc[3] == "column 'absent' is missing"


@pytest.mark.parametrize(
    "error",
    [ValueError("no such\nunit"), AttributeError("no .dt"), ZeroDivisionError(), OverflowError("big")],
)
def test_whatever_a_check_raises_is_its_own_error_and_the_schema_still_names_the_column(error):
    def broken(_):
        raise error

    checks = [
        quality.each("its own", "", broken),
        quality.each("its own, a warning", "", broken).as_warning(),
        quality.schema({"x": "number", "y": "any"}),
    ]
    report = quality.run(checks, {"rows": GOOD})
    assert report["result"].tolist() == ["error", "warning", "error"]
    told = report["found"].iloc[0]
    assert told.startswith(f"could not be checked: {type(error).__name__}: ")
    assert "\n" not in told
    assert "no column 'y'" in report["found"].iloc[2]


def test_the_widest_gap_is_read_as_the_least_that_would_have_to_move():
    """Two pairs of crowds trade places: the gap is one half, though all rows would have to move."""
    here, there = pd.DataFrame({"x": [1, 1, 3, 3]}), pd.DataFrame({"x": [2, 2, 4, 4]})
    sentence = quality.read_drift(quality.compared(here, there, ["x"]), 0.05)
    assert "at least 50.0% of its rows" in sentence
    assert "no more than chance" in sentence
    assert "large" not in sentence


def test_a_gap_that_chance_does_not_give_is_judged_by_its_size():
    here, there = pd.DataFrame({"x": range(100)}), pd.DataFrame({"x": range(50, 150)})
    assert "That is large." in quality.read_drift(quality.compared(here, there, ["x"]), 0.05)


def test_rows_are_apart_by_their_values_not_by_their_types_or_by_columns_that_one_has_alone():
    train, test = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), pd.DataFrame({"x": [2, 3], "y": ["b", "c"]})
    said = "1 rows of test stand in train"
    assert finding(quality.apart(), train=train, test=test) == said
    assert finding(quality.apart(), train=train, test=test.astype({"x": "float64", "y": "category"})) == said
    assert finding(quality.apart(), train=train, test=test.assign(z=0)) == said


def test_groups_are_apart():
    train, test = (
        pd.DataFrame({"host": [1, 2], "x": [1, 2]}),
        pd.DataFrame({"host": [2, 3, 2], "x": [3, 4, 5]}),
    )
    assert finding(quality.apart(), train=train, test=test) == ""
    assert (
        finding(quality.apart(["host"]), train=train, test=test)
        == "2 rows of test have the host of one in train"
    )


def twin(rng, rows):
    """Rows of one source: a number, one of few values, names common and rare, and gaps in two columns."""
    gaps = rng.random((2, rows)) < 0.2
    return pd.DataFrame(
        {
            "number": np.where(gaps[0], np.nan, rng.normal(size=rows)),
            "stars": rng.integers(1, 6, rows),
            "zone": rng.zipf(1.6, rows).clip(max=300).astype(str),
            "kind": pd.Series(rng.choice(["a", "b", "c"], rows)).mask(gaps[1]),
            "note": pd.Series(["x"] * rows).mask(rng.random(rows) < 0.001),
        }
    )


COLUMNS = {"numbers": ["number", "stars"], "classes": ["zone", "kind"]}


@pytest.mark.parametrize("sizes", [(400, 400), (2000, 150)])
def test_numbers_names_and_gaps_together_cry_wolf_no_more_than_alpha(sizes):
    """100 pairs of samples of one source: 5 alarms expected at most, 11 in one run of a hundred."""
    rng, alarms = np.random.default_rng(11), 0
    for _ in range(100):
        reference, sample = (twin(rng, rows) for rows in sizes)
        alarms += not quality.compared(reference, sample, **COLUMNS)["same"].all()
    assert alarms <= 11


@pytest.mark.parametrize(
    ("change", "of", "column"),
    [
        (lambda rows: rows.assign(zone="7"), "classes", "zone"),
        (lambda rows: rows.assign(zone="a zone that nobody has seen"), "classes", "zone"),
        (lambda rows: rows.assign(number=rows["number"].where(rows.index % 20 == 0)), "gaps", "number"),
        (lambda rows: rows.assign(number=np.nan), "gaps", "number"),
        (lambda rows: rows.assign(note=rows["note"].where(rows.index % 20 == 0)), "gaps", "note"),
        (lambda rows: rows.assign(stars=rows["stars"].clip(upper=4)), "values", "stars"),
    ],
)
def test_rows_that_all_moved_to_one_zone_and_a_column_erased_are_seen(change, of, column):
    rng = np.random.default_rng(5)
    reference, sample = twin(rng, 1500), change(twin(rng, 1500))
    table = quality.compared(reference, sample, **COLUMNS)
    assert table.loc[~table["same"], ["of", "column"]].to_numpy().tolist() == [[of, column]]
    check = quality.same_distribution(COLUMNS["numbers"], classes=COLUMNS["classes"])
    assert finding(check, train=reference, test=sample).startswith(
        f"test: 1 of {len(table)} comparisons moved ({of} of {column}"
    )


def test_total_variation_by_hand():
    """Shares of 0.5, 0.3, 0.2 and 0.3, 0.3, 0.4: a fifth of the rows would have to move."""
    here, there = (
        pd.DataFrame({"k": np.repeat(["a", "b", "c"], counts)}) for counts in ([50, 30, 20], [30, 30, 40])
    )
    table = quality.compared(here, there, [], ["k"])
    assert table["statistic"].tolist() == [pytest.approx(0.2)]
    assert table["pvalue"][0] == pytest.approx(stats.chi2.sf(20 / 80 * 20 + 20 / 60 * 20, 2))


def test_where_there_is_nothing_to_compare_nothing_is_said():
    ids = pd.DataFrame({"id": [str(number) for number in range(100)]})
    assert quality.read_drift(quality.compared(ids, ids, [], ["id"]), 0.05) == "There is nothing to compare."
