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
