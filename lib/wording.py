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


def number(value: float, digits: int = 3, sign: str = "") -> str:
    """A number to so many digits, whole where it has more: 43,512 rather than 4.35e+04."""
    large = abs(value) >= 10**digits - 0.5
    return f"{value:{sign},.0f}" if large else f"{value:{sign}.{digits}g}"


def lead(gain: float, of: float, unit: str = "") -> str:
    """`0.37 min better` or `0.37 min worse` than a score; `no better` where its four figures do not tell."""
    if not abs(gain) > 1e-4 * abs(of):
        return "no better"
    return f"{abs(gain):.3g}{f' {unit}' if unit else ''} {'better' if gain > 0 else 'worse'}"
