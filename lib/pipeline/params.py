"""The YAML of a run and its overrides, checked by `ast` against what notebooks and the problem declare.

All that can be said before anything runs is said here: an unknown key or option, a value of the wrong
type, a YAML scalar that looks like one thing and is another. The standard library and PyYAML alone.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lib.errors import ParameterError
from lib.pipeline import annotations, source
from lib.pipeline.project import Project

#: Keys that the runner reads itself, with the annotation of each and its default.
RUNNER = {
    "step_timeout_s": source.Declared("step_timeout_s", "float", 3600.0),
    # what `make all-problems` gives as P, to run the problem offline and in a minute
    "small": source.Declared("small", "str", "source=generated rows=3000 max_evals=2 timeout_s=30"),
}
#: Names under outputs/ that are not runs.
RESERVED = ("scratch", "cache", "wandb", "mlartifacts", "sweeps", "test")


class _Plain(yaml.SafeLoader):
    """YAML 1.2's scalars: `no` is text, 1e-3 is a number, 2023-01-05 and 12:30 are text."""


_Plain.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)",
        "-+.0123456789",
    ),
    ("float", r"\.(?:nan|NaN|NAN)", "."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Plain.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    """YAML 1.2 reads 010 as ten."""
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


_Plain.add_constructor("tag:yaml.org,2002:int", _int)


@dataclass(frozen=True)
class Parameters:
    """Checked parameters of a run: `values` as given, `options` among them, and which P overrode."""

    file: str
    values: dict[str, Any]
    overrides: dict[str, Any]

    def of(self, notebook: source.Notebook) -> dict[str, Any]:
        """What `notebook` is given: every parameter that it declares, a default where nothing was given."""
        return {name: self.values.get(name, d.default) for name, d in notebook.parameters.items()}

    def runner(self, name: str) -> Any:
        """The value of a key that the runner itself reads."""
        return self.values.get(name, RUNNER[name].default)


def load(path: Path, shown: str) -> dict[str, Any]:
    """The mapping in a YAML file of parameters."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        there = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        raise ParameterError(
            f"PARAMS={shown} cannot be read ({error.strerror}); there are {there}."
        ) from error
    try:
        values = yaml.load(text, _Plain)
        _refuse_ambiguous(text, shown)
    except yaml.YAMLError as error:
        raise ParameterError(f"{shown} is not YAML: {error}") from error
    if not isinstance(values or {}, dict):
        raise ParameterError(f"{shown} must hold `key: value` lines, not {type(values).__name__}.")
    return values or {}


def _refuse_ambiguous(text: str, shown: str) -> None:
    """Refuse a scalar that papermill, which reads the same file, would take for something else."""

    def walk(new: yaml.Node, old: yaml.Node) -> None:
        if isinstance(new, yaml.ScalarNode):
            if new.tag != old.tag:
                mark, kind = new.start_mark, new.tag.rsplit(":", 1)[1]
                remedy = (
                    f"1.0e-3 instead of {new.value}" if kind == "float" else f"{new.value!r} or true/false"
                )
                remedy = remedy.replace("1.0e-3", _dotted(new.value)) if kind == "float" else remedy
                raise ParameterError(
                    f"{shown}, line {mark.line + 1}: `{new.value}` is {kind} to some readers of YAML and "
                    f"{old.tag.rsplit(':', 1)[1]} to others; write {remedy}."
                )
            return
        for one, other in zip(_children(new), _children(old), strict=True):
            walk(one, other)

    new, old = yaml.compose(text, _Plain), yaml.compose(text, yaml.SafeLoader)
    if new is not None and old is not None:
        walk(new, old)


def _children(node: yaml.Node) -> Iterable[yaml.Node]:
    return (
        [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    )


def _dotted(number: str) -> str:
    """`1e-3` as YAML 1.1 reads it: `1.0e-3`."""
    base, _, power = number.lower().partition("e")
    base = base if "." in base else f"{base}.0"
    return f"{base}e{power if power[:1] in '+-' else '+' + power}" if power else base


def overrides(text: str) -> dict[str, Any]:
    """`max_evals=50 options.months=[2023-01]` as `{"max_evals": 50, "options.months": ["2023-01"]}`."""
    found = {}
    for word in words(text):
        key, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][\w.]*", key):
            raise ParameterError(f'P: {word!r} is not key=value; write P="max_evals=50 models=[xgboost]".')
        try:
            found[key] = yaml.load(value, _Plain)
        except yaml.YAMLError as error:
            raise ParameterError(f"P: the value of {key} is not YAML: {value!r} ({error}).") from error
    return found


def words(text: str) -> list[str]:
    """`text` split at spaces that stand in no bracket and no quotes."""
    found, word, depth, quote = [], "", 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        else:
            depth += (sign in "[{(") - (sign in "]})")
        if sign.isspace() and not quote and depth <= 0:
            found.append(word)
            word = ""
        else:
            word += sign
    return [word for word in [*found, word] if word]


def check(
    project: Project,
    notebooks: Iterable[source.Notebook],
    file: str,
    values: Mapping[str, Any],
    given: str = "",
) -> Parameters:
    """Merge the overrides `given` as P into the file's `values` and refuse whatever was not declared."""
    notebooks = list(notebooks)
    declared = dict(RUNNER)
    for notebook in notebooks:
        declared.update(notebook.parameters)
    over = overrides(given)
    for where, mapping in ((file, values), ("P", over)):
        for key in mapping:
            _known(
                key if where != "P" else key.partition(".")[0],
                declared,
                f"{where}: no notebook has a parameter",
            )
    merged: dict[str, Any] = {**values}
    origin = dict.fromkeys(values, file)
    for key, value in over.items():
        _set(merged, key.split("."), value)
        origin[key.partition(".")[0]] = "P"
    for key, value in merged.items():
        for holder in [d for n in notebooks for d in [n.parameters.get(key)] if d] or [declared[key]]:
            merged[key] = _fit(origin[key], key, value, holder.annotation)
    if merged.get("run") not in (None, ""):
        raise ParameterError(
            f"{origin['run']}: `run` is not a parameter to give; name the run with RUN=name."
        )
    merged["options"] = _options(project, merged, declared, file, over)
    return Parameters(file, merged, over)


def _options(
    project: Project, merged: dict[str, Any], declared: dict[str, Any], file: str, over: Mapping[str, Any]
) -> dict[str, Any]:
    """The options, checked against the signatures of the problem's functions."""
    default = declared.get("problem", source.Declared("problem", "str", None)).default
    problem, options = merged.get("problem", default), dict(merged.get("options") or {})
    folder = project.lib / "datasets"
    if problem is None or not folder.is_dir():
        return options
    problems = {p.stem: p for p in sorted(folder.glob("*.py")) if p.stem != "base" and p.stem[0] != "_"}
    _known(problem, problems, f"{'P' if 'problem' in over else file}: there is no problem")
    functions = source.constant(folder / "base.py", "FUNCTIONS")
    accepted = source.options_of(problems[problem], functions, project.lib)
    if accepted is None:
        return options
    for key, value in options.items():
        where = "P" if f"options.{key}" in over or "options" in over else file
        _known(key, accepted, f"{where}: {problem} has no option", "options.")
        options[key] = _fit(where, f"options.{key}", value, accepted[key].annotation)
    return options


def _known(key: str, known: Iterable[str], complaint: str, prefix: str = "") -> None:
    if key in known:
        return
    names = sorted(known)
    near = difflib.get_close_matches(key, names, 1, 0.5)
    hint = f" Did you mean {prefix + near[0]!r}?" if near else ""
    raise ParameterError(f"{complaint} {prefix + key!r}.{hint} Known are: {', '.join(names)}.")


def _set(mapping: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        inner = mapping.get(part)
        mapping[part] = dict(inner) if isinstance(inner, dict) else {}
        mapping = mapping[part]
    mapping[path[-1]] = value


def _fit(where: str, key: str, value: Any, annotation: str) -> Any:
    try:
        return annotations.fit(value, annotation)
    except annotations.Misfit as error:
        raise ParameterError(f"{where}: {key} must be {error}.") from None


def run_name(given: str | None, file: Path) -> str:
    """The run's name: RUN, or the parameters file's own."""
    name = given or file.stem
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) or name in RESERVED:
        raise ParameterError(
            f"RUN={name!r} cannot name a run: use letters, digits, `-`, `_` and `.`; "
            f"{', '.join(RESERVED)} are taken."
        )
    return name
