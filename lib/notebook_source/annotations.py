"""Does a value from YAML or from papermill fit the annotation in a notebook's cell or of an option?

Annotations are text read by `ast`; one that is not understood fits everything, as the code that declares
it will judge better than this.
"""

import ast
import contextlib
import datetime
import math
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from lib import redaction
from lib.errors import ParameterError
from lib.wording import shown

_PLAIN = {"int": int, "float": float, "str": str, "bool": bool, "dict": dict, "list": list, "tuple": list}
_LISTS = {"list", "tuple", "Sequence", "Iterable", "Collection", "List", "Tuple"}
_MAPPINGS = {"dict", "Mapping", "Dict"}
_HINTS = {
    "list": "write it as [a, b]",
    "dict": "write it as {key: value}",
    "bool": "write true or false",
    "str": "put it in quotes to make it text",
}

#: Values by the names of parameters or options: plain data.
Values: TypeAlias = dict[str, Any]


class Misfit(ValueError):
    """A value that its annotation does not admit; the message ends the sentence "must be ..."."""


def refusal(origin: str, name: str, value: object, error: Misfit) -> ParameterError:
    """The error of a value that does not fit; one that holds a secret is not told."""
    secret = redaction.redact({name: value}) != {name: value}
    said = str(error).partition(", not ")[0] if secret else error
    return ParameterError(f"{origin} {name} must be {said}.")


_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def fit(value: object, annotation: str) -> Any:
    """`value` as `annotation` wants it, or Misfit.

    What YAML reads as another type without any doubt of what is meant is taken to the declared one: a whole
    number for a float, `1e-3`, which YAML 1.1 takes for text, a day for text.
    """
    if not annotation:
        return value
    return _fit(value, ast.parse(annotation, mode="eval").body)


def fit_text(value: object, annotation: str) -> Any:
    """The same of a value that may have come as text, from papermill's command line: then YAML reads it."""
    try:
        return fit(value, annotation)
    except Misfit:
        if not isinstance(value, str):
            raise
    from lib.notebook_source import plain_yaml  # few need a parser

    try:
        return fit(plain_yaml.value(value, "the value"), annotation)
    except ParameterError as error:
        raise Misfit(f"{annotation}, not {shown(value)}") from error


def _fit(value: object, wanted: ast.expr) -> Any:
    if isinstance(wanted, ast.BinOp) and isinstance(wanted.op, ast.BitOr):
        return _first(value, [wanted.left, wanted.right], ast.unparse(wanted))
    if isinstance(wanted, ast.Subscript):
        return _fit_generic(value, wanted)
    if isinstance(wanted, ast.Constant) and wanted.value is None:
        return _is(value, value is None, "null")
    if isinstance(wanted, ast.Constant) and isinstance(wanted.value, str):
        return _fit(value, ast.parse(wanted.value, mode="eval").body)
    name = ast.unparse(wanted).split(".")[-1]
    return _fit_plain(value, {"Sequence": "list", "Mapping": "dict"}.get(name, name))


def _fit_plain(value: object, name: str) -> Any:
    if name == "float":
        return _fit_float(value)
    if name == "int" and isinstance(value, str) and _NUMBER.fullmatch(value) and float(value).is_integer():
        from lib.notebook_source import plain_yaml  # few need a parser

        whole = int(float(value))
        return _is(whole if whole in plain_yaml.WHOLE else value, whole in plain_yaml.WHOLE, "int of 64 bits")
    if name == "str" and type(value) is datetime.date:
        return value.isoformat()
    if name == "Path":
        name = "str"
    kind = _PLAIN.get(name)
    if kind is None:
        return value
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return _is(value, right, name)


def _fit_float(value: object) -> float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # it is too large for any float
            value = float(value)
    fitting: float = _is(value, isinstance(value, float), "float")
    return within(fitting, None, None)


def _fit_generic(value: object, wanted: ast.Subscript) -> Any:
    name = ast.unparse(wanted.value).split(".")[-1]
    parts = wanted.slice.elts if isinstance(wanted.slice, ast.Tuple) else [wanted.slice]
    if name == "Literal":
        return among(value, [ast.literal_eval(part) for part in parts])
    if name == "Annotated":
        return _fit_annotated(value, parts)
    if name in ("Optional", "Union"):
        more = [ast.Constant(None)] if name == "Optional" else []
        return _first(value, [*parts, *more], ast.unparse(wanted))
    if name in _LISTS:
        return [_fit(item, parts[0]) for item in _is(value, isinstance(value, list), "list")]
    if name in _MAPPINGS:
        given = _is(value, isinstance(value, dict), "dict")
        return {_fit(key, parts[0]): _fit(item, parts[-1]) for key, item in given.items()}
    return value


def _fit_annotated(value: object, parts: list[ast.expr]) -> Any:
    """`Annotated[float, Range(0, 1), "its meaning"]`: the type, then the range where there is one."""
    fitted = _fit(value, parts[0])
    for part in parts[1:]:
        if (
            isinstance(part, ast.Call)
            and ast.unparse(part.func).split(".")[-1] == "Range"
            and fitted is not None
        ):
            fitted = within(fitted, *range_of(part))
    return fitted


def range_of(call: ast.Call) -> tuple[float | None, float | None, bool]:
    """`Range(0, 1, strict=True)` as what `within` takes."""
    given = [ast.literal_eval(value) for value in (*call.args, *(word.value for word in call.keywords))]
    least, most, *strict = given
    return least, most, bool(strict and strict[0])


def within(value: float, least: float | None, most: float | None, strict: bool = False) -> float:
    """A finite number that is at least and at most so much (`strict`: more and less), or Misfit."""
    finite = [] if math.isfinite(value) else ["a finite number"]
    inside = (least is None or value >= least) and (most is None or value <= most)
    right = inside and not finite and not (strict and value in (least, most))
    fitting: float = _is(value, right, " and ".join([*finite, *bounds(least, most, strict)]))
    return fitting


def among(value: object, choices: Sequence[object]) -> object:
    """One of the choices, or Misfit."""
    return _is(value, value in choices, " or ".join(repr(choice) for choice in choices))


def bounds(least: float | None, most: float | None, strict: bool = False) -> list[str]:
    """`at least 0`, `at most 1`, where there are such; of a strict one `above 0`, `below 1`."""
    words = {"above": least, "below": most} if strict else {"at least": least, "at most": most}
    return [f"{word} {bound:,}" for word, bound in words.items() if bound is not None]


def _first(value: object, choices: list[ast.expr], shown: str) -> Any:
    for choice in choices:
        try:
            return _fit(value, choice)
        except Misfit:
            continue
    return _is(value, False, shown)


def _is(value: object, right: bool, name: str) -> Any:
    if not right:
        hint = f"; {_HINTS[name]}" if name in _HINTS else ""
        raise Misfit(f"{name}, not {shown(value)}{hint}")
    return value
