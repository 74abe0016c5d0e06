"""What a page says beside its figures, and how it shows tables."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from lib import display


def test_two_prices_in_a_sentence_are_not_taken_for_a_formula():
    assert display.markdown("from $80 to $150").data == r"from \$80 to \$150"


@pytest.mark.parametrize("begin", ["<script>alert(1)</script>", "<!-- x", "<?x", "</b>", "<IMG SRC=x>"])
def test_markup_in_a_sentence_is_shown_as_it_is(begin):
    assert display.markdown(f"mostly {begin}").data == f"mostly {begin.replace('<', '&lt;')}"


def test_a_sign_that_begins_no_markup_stays():
    for said in ("1 < 2, <5 km, a <- b", "**bold**, `code_`, pickup_zone, [k], 3 * 4 & 5", "- one\n- two"):
        assert display.markdown(said).data.replace("&#42;", "*") == said


def test_a_table_shows_long_texts_whole_and_shares_as_percents():
    reason = "because " * 30
    rows = pd.DataFrame({"reason": [reason], "share": [0.0246], "left": [54373], "x": [np.nan]})
    html = display.Table(rows)._repr_html_()
    assert reason.strip() in html
    assert "2.5%" in html
    assert "54,373" in html
    assert "nan" not in html


def test_a_value_that_is_missing_is_an_empty_cell_and_a_time_is_itself():
    rows = pd.DataFrame({"at": [pd.Timestamp("2023-01-05"), pd.NaT], "n": pd.array([1, None], "Int64")})
    assert display.Table(rows)._formatted().to_numpy().tolist() == [["2023-01-05 00:00:00", "1"], ["", ""]]


def test_what_comes_from_the_data_is_no_markup_in_a_table():
    hostile = "<script>alert(1)</script>"
    rows = pd.DataFrame({hostile: [hostile, "$x$"]}, index=pd.Index([hostile, "b"], name=hostile))
    html = display.Table(rows)._repr_html_()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 4
    assert "mathjax_ignore" in html  # JupyterLab would set what stands between two dollars as a formula


def test_numbers_stand_to_the_right_and_a_long_text_has_room():
    rows = pd.DataFrame({"n": [1, 2], "kind": ["a", "b"], "why": ["because " * 9, ""]})
    cells = display.Table(rows)._repr_html_().split("</td>")
    assert cells[0].endswith('<td style="text-align:right;white-space:nowrap">1')
    assert cells[1].endswith('<td style="text-align:left;white-space:nowrap">a')
    assert "text-align:left;min-width" in cells[2]


def test_of_many_columns_the_first_are_shown_and_the_others_counted():
    rows = pd.DataFrame(np.ones((2, 1500)), columns=[f"c{i}" for i in range(1500)])
    for text in (repr(display.Table(rows)), display.Table(rows)._repr_html_()):
        assert "c19" in text
        assert "c20" not in text
        assert "and 1,480 more columns" in text


def test_a_table_without_rows_is_its_head():
    assert "<th" in display.Table(pd.DataFrame({"a": [], "b": []}))._repr_html_()
    assert display.Table(pd.DataFrame())._repr_html_() == ""  # no line of nothing


def test_rows_are_shown_with_their_values_as_they_are():
    rows = pd.DataFrame(
        {"host": [1019, 25], "east": [-73.98765, 0.5], "at": pd.Timestamp("2023-01-05 10:00")}
    )
    shown = display.Table(rows, exact=True)._formatted().to_numpy().tolist()
    assert shown == [["1019", "-73.98765", "2023-01-05 10:00:00"], ["25", "0.5", "2023-01-05 10:00:00"]]


def test_a_large_float_is_shown_with_all_its_digits():
    rows = pd.DataFrame({"day": [20230131.0, np.nan], "at": [1675173909000.0, 0.1 + 0.2]})
    shown = display.Table(rows, exact=True)._formatted().to_numpy().tolist()
    assert shown == [["20230131", "1675173909000"], ["", "0.3"]]


def test_two_columns_of_one_name_are_both_shown():
    rows = pd.DataFrame([["yes", 9.5]], columns=["truth", "truth"])
    assert display.Table(rows)._formatted().to_numpy().tolist() == [["yes", "9.5"]]


def test_a_picture_has_its_title_for_those_who_cannot_see_it(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *things, **how: shown.append((things, how)))
    figure = plt.figure()
    display.picture(None, "the target, cost/unit", figure)
    assert shown == [((figure,), {"metadata": {"image/png": {"alt": "The target, cost/unit"}}})]


@pytest.mark.parametrize("title", ["The target, a/b", "The target, " + "n" * 300, "../../x", "x\0y"])
def test_a_picture_of_any_name_is_given_to_the_trackers_under_one_that_a_file_may_have(title, tmp_path):
    class Files:
        def figure(self, name, figure):
            figure.savefig(tmp_path / f"{name}.png")

    display.picture(Files(), title, plt.figure())
    assert len(list(tmp_path.glob("*.png"))) == 1
