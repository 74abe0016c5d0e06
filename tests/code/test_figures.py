"""The training page's figures: gathered under their names, and said in words that are true of them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from lib.evaluation import scores
from lib.evaluation.scores import Scores
from lib.records import Tuned

TRUTH = np.array([0.0, 10.0])


def page(task="regression", **errors):
    """Models that err by so much on each row: the page's own, but for those that are given."""
    usual = {"validation": 2.5, "constant": 5, "linear": 3, "on train alone": 2, "refitted": 1}
    figures = Scores(task)
    figures.add_all(TRUTH, {name: TRUTH + error for name, error in {**usual, **errors}.items()})
    return figures


def test_a_figure_is_found_by_model_and_metric():
    assert page().of("linear", "mae") == 3.0
    assert page().of("refitted", "rmse") == 1.0


def test_the_table_has_the_models_on_test_and_marks_the_one_that_is_kept():
    table = page().table("refitted")
    assert table.index.tolist() == ["constant", "linear", "on train alone", "refitted"]
    assert table["rmse"].tolist() == [5.0, 3.0, 2.0, 1.0]
    assert table["kept"].tolist() == [False, False, False, True]


def test_figures_that_are_no_numbers_are_left_out_of_the_flat_ones():
    figures = page()
    figures.add("constant", [1.0, 1.0], [1.0, 2.0])  # truths that are all alike have no r2
    named = figures.named()
    assert "baseline_constant_test_r2" not in named
    assert named["baseline_constant_test_mae"] == 0.5
    assert named["validation_mae"] == 2.5
    assert len(named) == 5 * 3 - 1


def test_a_better_test_score_than_on_validation_is_said_to_be_better():
    said = page().read("rmse", "min")
    assert "0.5 better on test than it was on validation (2.5)" in said
    assert "a test rmse of **1 min**, 4 better than the constant and 2 better than the line" in said
    assert "rows differ." in said
    assert "luck" not in said


def test_a_worse_test_score_than_on_validation_is_said_to_be_worse_and_in_part_luck():
    said = page(validation=1.5).read("rmse")
    assert "0.5 worse on test than it was on validation (1.5)" in said
    assert "the search's own luck" in said
    assert "a test rmse of **1**, 4" in said


def test_a_test_score_like_that_on_validation_needs_no_reason():
    assert page(validation=2).read("rmse").endswith("no better on test than it was on validation (2).")


def test_additional_rows_that_were_no_gain_are_said_to_be_a_loss():
    assert "additional rows were worth +1." in page().read("rmse")
    assert "additional rows were worth -2." in page(refitted=4).read("rmse")


def test_where_more_is_better_the_sentence_turns_round():
    """r2 of a shift by e on truths 0 and 10, of variance 25: 1 - e² / 25."""
    said = page().read("r2")
    assert "**0.96**, 0.96 better than the constant and 0.32 better than the line" in said
    assert "additional rows were worth +0.12." in said
    assert "0.09 better on test" in said  # 0.84 on test, 0.75 on validation


def test_the_search_and_the_page_may_differ_by_a_millionth_and_no_more():
    def told(now, then):
        figures = Scores("regression")
        figures.add("validation", [0.0], [now])
        return scores.read_repeat(figures, Tuned("rich", "rmse", {"score": then}, {}, 1))

    assert told(4.5, 4.5).startswith("It is: rmse 4.5")
    assert told(0.5, 0.5 + 0.9e-6).startswith("It is")
    assert told(0.5, 0.5 + 1.1e-6).startswith("**It is not**")
    assert told(1000.0, 1000.0009).startswith("It is")
    assert told(1000.0, 1000.002).startswith("**It is not**")
    assert told(3.0, 4.0).startswith("**It is not**: 3 now, 4 in the search")


def test_frames_of_rows_are_stacked_and_numbered_anew():
    found = scores.stacked(pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [3]}))
    assert found["a"].tolist() == [1, 2, 3]
    assert found.index.tolist() == [0, 1, 2]


def pipeline(*inputs):
    return SimpleNamespace(
        inputs_=dict.fromkeys(inputs, "number"),
        encoding_=SimpleNamespace(get_feature_names_out=lambda: ["x", "y", "z"]),
    )


def test_the_costs_count_megabytes_of_all_files_and_columns_of_the_matrix(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "model.bin").write_bytes(b"x" * 1_500_000)
    (tmp_path / "code" / "entry.py").write_bytes(b"x" * 500_000)
    times = {"load_seconds": 0.1, "one_row_us": 200.0, "bulk_row_us": 2.0}
    assert scores.costs(pipeline("a"), tmp_path, times) == {"model_mb": 2.0, "columns": 3.0, **times}


def test_some_answers_stand_beside_what_was_asked_and_what_was_true():
    rows = pd.DataFrame({"a": [1, 2], "b": [5, 6], "y": [0.5, 1.5]}, index=[7, 9])
    found = scores.some_answers("y", pipeline("a"), rows, np.array([0.333, 1.777]))
    assert found.to_dict("list") == {"a": [1, 2], "prediction": [0.33, 1.78], "truth": [0.5, 1.5]}
    assert found.index.tolist() == [0, 1]


def test_no_answer_is_shown_twice_and_only_a_few():
    rows = pd.DataFrame({"a": [1, 1, 2, 3, 4, 5, 6], "b": 0, "y": 0.5})
    found = scores.some_answers("y", pipeline("a", "b"), rows, np.arange(7.0))
    assert found["a"].tolist() == [1, 2, 3, 4, 5]
    assert found["prediction"].tolist() == [0, 2, 3, 4, 5]


def test_some_answers_of_classes_are_the_likeliest_with_its_chance():
    rows = pd.DataFrame({"a": [1, 2], "y": ["no", "no"]}, index=[7, 9])
    chances = pd.DataFrame({"no": [0.7049, 0.4], "yes": [0.2951, 0.6]})
    found = scores.some_answers("y", pipeline("a"), rows, chances)
    assert found["prediction"].tolist() == ["no", "yes"]
    assert found["chance"].tolist() == [0.7, 0.6]
    assert found["truth"].tolist() == ["no", "no"]


TIMES = {"load_seconds": 0.125, "one_row_us": 1500.0, "bulk_row_us": 2.04}


def test_a_stored_model_that_answers_the_same_says_so_and_what_it_costs(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"x" * 2_400_000)
    said = scores.read_reload([1, 2.5], np.array([1, 2.5]), TIMES, tmp_path)
    assert said.startswith("All 2 predictions are the same.")
    for part in ("takes 2.4 MB", "loading takes 0.12 s", "one row alone 1.5 ms", "among many 2.0 µs"):
        assert part in said


def test_a_stored_model_that_answers_otherwise_says_by_how_much_at_most(tmp_path):
    said = scores.read_reload([1, 2.5, 3], [1.25, 2, 3], TIMES, tmp_path)
    assert said.startswith("The predictions differ by at most 0.5.")
