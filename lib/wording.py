"""How sentences name things: of many the first few, of a long value its beginning. Standard library only."""

import reprlib
from collections.abc import Iterable


def few(names: Iterable[object], most: int = 5) -> str:
    """Names as a sentence has them: of many the first, and how many more there are."""
    listed = [str(name) for name in names]
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more:,} more" if more > 0 else "")


def shown(value: object) -> str:
    """A value as Python writes it, shortened where it is long or deep."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return short.repr(value)


def rounded(value: float, digits: int = 3, sign: str = "-") -> str:
    """So many digits of a number as a sentence has them: `1,230` and `0.0000848`, never 8.48e-05, nor -0."""
    from decimal import Decimal  # a start with nothing to do writes no figure

    value = round(float(value), 12) + 0.0  # what is left of a sum of floats is nothing
    return f"{Decimal(f'{value:.{digits}g}'):{sign},f}"


def signed(value: float, unit: str = "", digits: int = 3) -> str:
    """`+0.37 min`: a difference with its sign."""
    return f"{rounded(value, digits, '+')} {unit}".rstrip()


def lead(gain: float, of: float = 0.0, unit: str = "") -> str:
    """`0.37 min better` or `0.37 min worse` than a score; `no better` where its four figures do not tell."""
    if not abs(gain) > 1e-4 * abs(of):
        return "no better"
    return f"{rounded(abs(gain))}{f' {unit}' if unit else ''} {'better' if gain > 0 else 'worse'}"
