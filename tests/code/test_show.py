"""What a page says beside its figures, and how it shows tables."""

import numpy as np
import pandas as pd
import pytest

from lib import display


def test_two_prices_in_a_sentence_are_not_taken_for_a_formula():
    assert display.markdown("from $80 to $150").data == r"from \$80 to \$150"


@pytest.mark.parametrize("begin", ["<script>alert(1)</script>", "<!-- x", "<?x", "</b>", "<IMG SRC=x>"])
def test_markup_in_a_sentence_is_shown_as_it_is(begin):
    assert display.markdown(f"mostly {begin}").data == f"mostly {begin.replace('<', '&lt;')}"


def test_a_sign_that_begins_no_markup_stays():
    assert display.markdown("1 < 2, <5 km, a <- b, *x*").data == "1 < 2, <5 km, a <- b, *x*"


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


def test_what_comes_from_the_data_is_no_markup():
    html = display.Table(pd.DataFrame({"name": ["<script>alert(1)</script>"]}))._repr_html_()
    assert "<script>" not in html
