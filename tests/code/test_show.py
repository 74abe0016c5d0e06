"""What a page says beside its figures."""

from lib.plots import show


def test_two_prices_in_a_sentence_are_not_taken_for_a_formula():
    assert show.words("from $80 to $150").data == r"from \$80 to \$150"
