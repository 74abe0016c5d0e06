"""Does a value from a YAML file fit the annotation in a notebook's cell or in a function's signature?

Annotations are text read by `ast`; one that is not understood fits everything, as the code that declares
it will judge better than this.
"""

import ast
from typing import Any

_PLAIN = {"int": int, "float": float, "str": str, "bool": bool, "dict": dict, "list": list, "tuple": list}
_LISTS = {"list", "tuple", "Sequence", "Iterable", "Collection", "List", "Tuple"}
_MAPPINGS = {"dict", "Mapping", "Dict"}
_HINTS = {
    "list": "write it as [a, b]",
    "dict": "write it as {key: value}",
    "bool": "write true or false",
    "str": "put it in quotes to make it text",
}


class Misfit(ValueError):
    """A value that its annotation does not admit; the message ends the sentence "must be ..."."""


def fit(value: Any, annotation: str) -> Any:
    """`value` as `annotation` wants it (a whole number given for a float becomes one), or Misfit."""
    if not annotation:
        return value
    return _fit(value, ast.parse(annotation, mode="eval").body)


def _fit(value: Any, wanted: ast.expr) -> Any:
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


def _fit_plain(value: Any, name: str) -> Any:
    if name == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if name == "Path":
        name = "str"
    kind = _PLAIN.get(name)
    if kind is None:
        return value
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return _is(value, right, name)


def _fit_generic(value: Any, wanted: ast.Subscript) -> Any:
    name = ast.unparse(wanted.value).split(".")[-1]
    parts = wanted.slice.elts if isinstance(wanted.slice, ast.Tuple) else [wanted.slice]
    if name == "Literal":
        choices = [ast.literal_eval(part) for part in parts]
        return _is(value, value in choices, " or ".join(repr(choice) for choice in choices))
    if name in ("Optional", "Union"):
        more = [ast.Constant(None)] if name == "Optional" else []
        return _first(value, [*parts, *more], ast.unparse(wanted))
    if name in _LISTS:
        _is(value, isinstance(value, list), "list")
        return [_fit(item, parts[0]) for item in value]
    if name in _MAPPINGS:
        _is(value, isinstance(value, dict), "dict")
        return {_fit(key, parts[0]): _fit(item, parts[-1]) for key, item in value.items()}
    return value


def _first(value: Any, choices: list[ast.expr], shown: str) -> Any:
    for choice in choices:
        try:
            return _fit(value, choice)
        except Misfit:
            continue
    return _is(value, False, shown)


def _is(value: Any, right: bool, name: str) -> Any:
    if not right:
        hint = f"; {_HINTS[name]}" if name in _HINTS else ""
        raise Misfit(f"{name}, not {value!r}{hint}")
    return value
