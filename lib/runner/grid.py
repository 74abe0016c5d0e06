"""The grid of a sweep: `feature_set=zoomcamp,rich max_evals=range(10,30,10)` as one P a run.

A comma outside brackets and quotes makes values, and so does `range(first, end, step)`, as Python counts:
the end is not one of them.
"""

import hashlib
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lib.errors import ParameterError
from lib.runner import parameters

_RANGE = re.compile(r"range\(([^()]*)\)")


@dataclass(frozen=True)
class Point:
    """One run of a sweep: its values of what varies, the whole P that it is given, its name."""

    values: Mapping[str, str]
    p: str
    run: str


def points(text: str, base: str) -> list[Point]:
    """Every combination, in the order in which they are written."""
    pairs = [word.partition("=") for word in parameters.split(text, " \t\n") if word]
    if any(not equals for _, equals, _ in pairs):
        raise ParameterError('P: a sweep is written as P="feature_set=zoomcamp,rich max_evals=10,20".')
    choices = {key: values(value, key) for key, _, value in pairs}
    varying = [key for key, found in choices.items() if len(found) > 1]
    if not varying:
        raise ParameterError('P: nothing varies; a sweep needs values, such as P="max_evals=10,20".')
    found = []
    for combination in itertools.product(*choices.values()):
        chosen = dict(zip(choices, combination, strict=True))
        varied = {key: chosen[key] for key in varying}
        overrides = " ".join(f"{key}={value}" for key, value in chosen.items())
        found.append(Point(varied, overrides, name(base, varied)))
    return found


def values(text: str, key: str) -> list[str]:
    """`10,20` and `range(10,30,10)` as `["10", "20"]`; what stands in brackets stays one value."""
    found = []
    for part in parameters.split(text, ","):
        counted = _RANGE.fullmatch(part.strip())
        found += _counted(counted[1], key) if counted else [part.strip()]
    if not all(found):
        raise ParameterError(f"P: {key} has an empty value in {text!r}.")
    return list(dict.fromkeys(found))


def _counted(inner: str, key: str) -> list[str]:
    try:
        found = list(range(*(int(number) for number in inner.split(","))))
    except (ValueError, TypeError) as error:
        raise ParameterError(
            f"P: {key}=range({inner}) needs whole numbers: range(first, end, step)."
        ) from error
    if not found:
        raise ParameterError(f"P: {key}=range({inner}) holds nothing.")
    return [str(number) for number in found]


def name(base: str, values: Mapping[str, str]) -> str:
    """A run's name that says its values; a long one is cut and made unique."""
    said = "-".join(f"{key.split('.')[-1]}={value}" for key, value in values.items())
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{base}-{said}").strip("-")
    if len(plain) <= 80:
        return plain
    return f"{plain[:70]}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"
