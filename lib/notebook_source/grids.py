"""What P says of a grid: every combination of its values is a point, and a point is one P.

In `feature_set=zoomcamp,rich max_evals=range(10,30,10)` a comma outside brackets and quotes makes values, and
so does `range(first, end, step)`, as Python counts. Standard library and YAML only.
"""

import hashlib
import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lib import redaction
from lib.errors import ParameterError
from lib.notebook_source import parameters
from lib.wording import shown

#: The most points that a grid may have: each is a run of the whole pipeline.
MOST = 1000
_RANGE = re.compile(r"range\(([^()]*)\)")


@dataclass(frozen=True)
class Point:
    """One run of a sweep: its values of what varies, the whole P that it is given, its name."""

    values: Mapping[str, str]
    p: str
    run: str


def read(text: str, base: str) -> list[Point]:
    """Every combination of the values in P, in the order in which they are written."""
    choices: dict[str, list[str]] = {}
    for key, equals, value in (word.partition("=") for word in parameters.split(text, " \t\n") if word):
        if not equals or key in choices:
            word = shown(redaction.typed(key, text))
            what = f"{word} is given twice" if equals else f"{word} has no values"
            raise ParameterError(
                f'P: {what}; a sweep is written as P="feature_set=zoomcamp,rich max_evals=10,20".'
            )
        choices[key] = values(value, key)
    varying = [key for key, found in choices.items() if len(found) > 1]
    if not varying:
        raise ParameterError('P: nothing varies; a sweep needs values, such as P="max_evals=10,20".')
    size = math.prod(len(found) for found in choices.values())
    if size > MOST:
        raise ParameterError(f"P: the grid has {size:,} points; a sweep runs at most {MOST:,}.")
    found = []
    for combination in itertools.product(*choices.values()):
        chosen = dict(zip(choices, combination, strict=True))
        varied = {key: str(redaction.redact(chosen)[key]) for key in varying}
        overrides = " ".join(f"{key}={value}" for key, value in chosen.items())
        found.append(Point(varied, overrides, run_name(base, varied)))
    return _apart(found)


def values(text: str, key: str) -> list[str]:
    """`10,20` and `range(10,30,10)` as `["10", "20"]`; what stands in brackets stays one value."""
    found = []
    for part in parameters.split(text, ","):
        counted = _RANGE.fullmatch(part.strip())
        found += _counted(counted[1], key) if counted else [part.strip()]
    if not all(found):
        said = shown(redaction.redact({key: text})[key])
        raise ParameterError(f"P: {shown(key)} has an empty value in {said}.")
    return list(dict.fromkeys(found))


def _counted(inner: str, key: str) -> list[str]:
    said = f"P: {redaction.typed(f'{key}=range({inner})')}"
    try:
        found = range(*(int(number) for number in inner.split(",")))
    except (ValueError, TypeError) as error:
        raise ParameterError(f"{said} needs whole numbers: range(first, end, step).") from error
    if not found or found[MOST:]:
        what = f"has more than {MOST:,} values" if found else "holds nothing"
        raise ParameterError(f"{said} {what}.")
    return [str(number) for number in found]


def run_name(base: str, values: Mapping[str, str]) -> str:
    """A run's name that says its values; a long one is cut and made unique."""
    said = "-".join(f"{key.split('.')[-1]}={value}" for key, value in values.items())
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{base}-{said}").strip("-")
    return plain if len(plain) <= 80 else _marked(plain, f"{base}-{said}")


def _marked(name: str, of: str) -> str:
    digest = hashlib.sha256(of.encode(errors="backslashreplace")).hexdigest()
    return f"{name[:70]}-{digest[:8]}"


def _apart(points: list[Point]) -> list[Point]:
    """Points whose names would be one, on a disk that knows no capitals either, get a mark of their P."""
    names = Counter(point.run.lower() for point in points)
    return [
        replace(point, run=_marked(point.run, point.p)) if names[point.run.lower()] > 1 else point
        for point in points
    ]
