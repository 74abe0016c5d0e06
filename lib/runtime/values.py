"""One value at a time: a number, a name or a time of whatever stands in a row, or a reason why it is none.

No function here sees a second value, so that what a row gets never depends on the rows beside it.
"""

import datetime as dt
import functools
import math
import re
from collections.abc import Callable, Collection, Iterable
from typing import Literal, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

_T = TypeVar("_T")
#: By place in a column: why its value cannot be read.
Faults: TypeAlias = dict[int, str]
#: Which of the two comes first in days such as 05/02/2020; none: the schema does not say.
Order: TypeAlias = Literal["", "day", "month"]
#: What a time that comes as a number may count since 1970, UTC.
EPOCH = ("s", "ms", "us", "ns")

_WHOLE = re.compile(r"[+-]?\d+(\.0+)?")
_CLOCK = r"(?:[T, ]+(?P<clock>\d.*))?"
_ORDERED = re.compile(
    r"(?P<one>\d{1,2})(?P<mark>[./-])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)" + _CLOCK
)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<mark>[./-])(?P<month>\d{1,2})((?P=mark)(?P<day>\d{1,2})" + _CLOCK + ")?"
)
_NAMED = re.compile(r"(?=.*\b\d{4}\b).*\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.I)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d{8}(T.*)?")


class UnreadableError(ValueError):
    """A value that its column cannot have."""


def each(items: Iterable[object], read: Callable[[object], _T | None]) -> tuple[list[_T | None], Faults]:
    """Each item as `read` gives it, None where it cannot be read, and why."""
    found: list[_T | None] = []
    faults: Faults = {}
    for i, item in enumerate(items):
        try:
            found.append(read(item))
        except UnreadableError as error:
            found.append(None)
            faults[i] = str(error)
    return found, faults


def missing(value: object) -> bool:
    """Whether there is no value: None, NaN, NaT, NA, or text without a letter."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return isinstance(value, float | np.floating | np.datetime64) and bool(value != value)


def number(value: object, gaps: Collection[str] = ()) -> float:
    """A finite float, NaN where it is missing; 74, 74.0, "74.0", "7.4e1" and True are numbers."""
    if missing(value):
        return math.nan
    if isinstance(value, str):
        value = value.strip()
        if value in gaps:
            return math.nan
    try:
        found = math.nan if isinstance(value, str) and "_" in value else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if math.isfinite(found):
        return found
    raise UnreadableError(f"{_shown(value)} is no number")


def name(value: object, whole: bool = False, gaps: Collection[str] = ()) -> str | None:
    """A name as text; numbers without a fraction have none: 130.0 is "130", and true is "True".

    With `whole` the names of the column are whole numbers, and "130.0", which is text already, is one, too.
    """
    if missing(value):
        return None
    if isinstance(value, str):
        text = value.strip()
        if whole and _WHOLE.fullmatch(text):
            text = text.partition(".")[0].lstrip("+")
        elif text in ("true", "false", "TRUE", "FALSE"):
            text = text.capitalize()
    elif isinstance(value, float | np.floating):
        if not math.isfinite(value):
            raise UnreadableError(f"{_shown(value)} is no name")
        text = str(int(value)) if value == int(value) else str(value)
    elif isinstance(value, list | tuple | dict | set | np.ndarray):
        raise UnreadableError(f"{_shown(value)} is no single value")
    else:
        text = str(value)
    return None if text in gaps else text


def moment(
    value: object, zone: str = "UTC", order: str = "", unit: str = "", gaps: Collection[str] = ()
) -> dt.datetime | None:
    """A time without a zone, by the clocks of `zone`: what says another zone is converted.

    Text is of ISO 8601, or has the month's name; 05/02/2020 needs an `order`, "day" or "month" first, and a
    number a `unit` of `EPOCH`. What neither says is not guessed.
    """
    if missing(value):
        return None
    if isinstance(value, str):
        value = value.strip()
        if value in gaps:
            return None
        if not (value.isdigit() and len(value) != 8):
            return _local(_written(value, order), zone)
        value = int(value)
    if isinstance(value, dt.datetime):
        return _local(value, zone)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001  by the column's own clocks
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)
    if unit not in EPOCH or isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise UnreadableError(
            f"{_shown(value)} is no time: write 2023-01-31T14:05:09, and the zone (-05:00) if it is another"
        )
    try:
        return _local(pd.Timestamp(value, unit=unit, tz="UTC"), zone)
    except (ValueError, OverflowError) as error:
        raise UnreadableError(f"{_shown(value)} is no time in {unit} since 1970") from error


def date_order(text: Iterable[str]) -> tuple[Order, str]:
    """Whether days such as 05/02/2020 have the day or the month first, and what leaves that in doubt.

    Decided by all of a column: a part above 12 can only be a day. Nothing, where no value is written so.
    """
    found = [match for one in text if (match := _ORDERED.match(one.strip()))]
    if not found:
        return "", ""
    day, month = (sum(int(match[part]) > 12 for match in found) for part in ("one", "two"))
    if day and month:
        order: Order = "day" if day >= month else "month"
        return (
            order,
            f"{day:,} have the day first and {month:,} the month: read as {order} first, others are none",
        )
    if day or month:
        return ("day" if day else "month"), ""
    order = "day" if found[0]["mark"] == "." else "month"
    return order, f"day or month first? No value tells: read as {order} first"


def _written(text: str, order: str) -> dt.datetime:
    """A time as text, with or without its zone."""
    try:
        if _ISO.fullmatch(text):
            return dt.datetime.fromisoformat(text)
        if match := _YEAR_FIRST.fullmatch(text):
            return _composed(match["year"], match["month"], match["day"] or "1", match["clock"])
        if match := _ORDERED.fullmatch(text):
            if not order:
                raise UnreadableError(
                    f"{text!r} has the day or the month first, and the schema does not say: write 2023-01-31"
                )
            day, month = ("one", "two") if order == "day" else ("two", "one")
            year = match["year"] if len(match["year"]) == 4 else _century(match["year"])
            return _composed(year, match[month], match[day], match["clock"])
        if _NAMED.match(text):
            return pd.Timestamp(text)
    except UnreadableError:
        raise
    except (ValueError, OverflowError) as error:
        raise UnreadableError(
            f"{_shown(text)} is no time" + f", with the {order} first" * bool(order)
        ) from error
    raise UnreadableError(f"{_shown(text)} is no time: write it as 2023-01-31T14:05:09")


def _century(year: str) -> str:
    """Two digits as POSIX reads them: 69 to 99 are 19xx."""
    return f"19{year}" if int(year) >= 69 else f"20{year}"


def _composed(year: str, month: str, day: str, clock: str | None) -> dt.datetime:
    at = dt.datetime(int(year), int(month), int(day))  # noqa: DTZ001  a zone may follow
    if not clock:
        return at
    whole = f"{at:%Y-%m-%d} {clock}"
    try:
        return dt.datetime.fromisoformat(whole)
    except ValueError:
        return pd.Timestamp(whole)  # 2:30 PM


def _local(value: dt.datetime, zone: str) -> dt.datetime:
    if isinstance(value, pd.Timestamp):
        value = value.as_unit("us")
    if value.tzinfo is None:
        return value
    try:
        return value.astimezone(_zone(zone)).replace(tzinfo=None)
    except OverflowError as error:
        raise UnreadableError(f"{_shown(value)} is beyond the calendar") from error


@functools.cache
def _zone(name: str) -> dt.tzinfo:
    return dt.UTC if name == "UTC" else ZoneInfo(name)


def _shown(value: object) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else f"{text[:57]}…"
