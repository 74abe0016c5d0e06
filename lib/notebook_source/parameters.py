"""The YAML of a run and its overrides, checked by reading against what notebooks and the problem declare.

All that can be said before anything runs is said here: an unknown key or option, a value of the wrong type
or out of range. A value means what YAML's safe reader says, taken to the declared type where there is no
doubt.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib import redaction
from lib.errors import ParameterError, did_you_mean
from lib.notebook_source import Declared, Notebook, annotations, limits, plain_yaml, problems
from lib.notebook_source.annotations import Values
from lib.paths import Project
from lib.wording import shown


@dataclass(frozen=True)
class Parameters:
    """Checked parameters of a run: `values` as given, `options` among them, and which P overrode."""

    file: str
    values: Values
    overrides: Values

    def of(self, notebook: Notebook) -> Values:
        """What `notebook` is given: every parameter that it declares, a default where nothing was given."""
        return {name: self.values.get(name, d.default) for name, d in notebook.parameters.items()}


def overrides(text: str) -> Values:
    """`max_evals=50 options.months=[2023-01]` as `{"max_evals": 50, "options.months": ["2023-01"]}`."""
    values: Values = {}
    for word in filter(None, split(text, " \t\n")):
        key, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][\w.]*", key):
            said = shown(redaction.typed(word, text))
            raise ParameterError(f'P: {said} is not key=value; write P="max_evals=50 models=[xgboost]".')
        if key in values:
            raise ParameterError(f"P: {key} is given twice: take one away.")
        values[key] = plain_yaml.value(value, f"P: the value of {key}")
    for key in values:
        above = next((other for other in values if key.startswith(f"{other}.")), None)
        if above:  # the latter would replace the former, whichever is meant
            raise ParameterError(f"P: {above} and {key} are given: take one away.")
    return values


def split(text: str, separators: str) -> list[str]:
    """The parts of `text` between `separators` that stand in no bracket and no quotes.

    A quote opens only where a word begins: that in `don't` is a letter.
    """
    parts, depth, quote, before = [""], 0, "", ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and not before.isalnum():
            quote = sign
        else:
            depth += (sign in "[{(") - (sign in "]})")
        if sign in separators and not quote and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
        before = sign
    if quote or depth > 0:
        what = f"the quote {quote}" if quote else "a bracket"
        raise ParameterError(f"P: {what} is opened and not closed in {shown(redaction.typed(text))}.")
    return parts


def check(
    project: Project,
    notebooks: Iterable[Notebook],
    file: str,
    values: Mapping[str, object],
    given: str = "",
    more: Iterable[Declared] = (),
) -> Parameters:
    """Merge the overrides `given` as P into the file's `values` and refuse whatever was not declared.

    Declared is what a notebook has in its parameters cell, and `more`.
    """
    declared: dict[str, list[Declared]] = {parameter.name: [parameter] for parameter in more}
    for notebook in notebooks:
        for name, parameter in notebook.parameters.items():
            declared.setdefault(name, []).append(parameter)
    over = overrides(given)
    redaction.remember({**values, **over})
    for origin, mapping in ((file, values), ("P", over)):
        for key in mapping:
            name = key.partition(".")[0] if origin == "P" else key
            _known(name, declared, f"{origin}: no notebook has a parameter")
    merged: Values = dict(values)
    for key, value in over.items():
        _set(merged, key.split("."), value)
    origins = dict.fromkeys(values, file) | {key.partition(".")[0]: "P" for key in over}
    for key, value in merged.items():
        for parameter in declared[key]:
            merged[key] = value = _fit(origins[key], key, value, parameter.annotation)
    if merged.get("run") not in (None, ""):
        raise ParameterError(
            f"{origins['run']}: `run` is not a parameter to give; name the run with RUN=name."
        )
    default = declared["problem"][0].default if "problem" in declared else None
    problem = merged.get("problem", default)
    options = dict(merged.get("options") or {})
    merged["options"] = _options(project, problem, options, file, over)
    families = merged.get("models", declared["models"][0].default if "models" in declared else [])
    for key, parameters in declared.items():
        meant = [merged.get(key, parameter.default) for parameter in parameters]
        for value in {repr(value): value for value in meant}.values():  # mostly the same in every notebook
            _within(project, problem, origins.get(key, "by default"), key, value, families)
    return Parameters(file, merged, over)


def _within(
    project: Project, problem: str | None, origin: str, key: str, value: object, families: Sequence[str]
) -> None:
    try:
        limits.check(project, problem, key, value, families)
    except annotations.Misfit as error:
        raise annotations.refusal(f"{origin}:", key, value, error) from None


def _options(
    project: Project, problem: str | None, options: Values, file: str, over: Mapping[str, object]
) -> Values:
    """The options, checked against the fields of the problem's `Options`."""
    if problem is None or not project.datasets.is_dir():
        return options
    accepted = problems.options(problems.training(project, problem))
    for key, value in options.items():
        origin = "P" if f"options.{key}" in over or "options" in over else file
        _known(key, accepted, f"{origin}: {problem} has no option", "options.")
        options[key] = _fit(origin, f"options.{key}", value, accepted[key].annotation)
    return options


def _known(key: str, known: Iterable[str], complaint: str, prefix: str = "") -> None:
    if key in known:
        return
    names, now = sorted(known), limits.RENAMED.get(str(key))
    if now in names:
        raise ParameterError(f"{complaint} {shown(prefix + str(key))}: it is called {now!r} now.")
    hint = did_you_mean(str(key), names, prefix)
    raise ParameterError(f"{complaint} {shown(prefix + str(key))}.{hint} Known are: {', '.join(names)}.")


def _set(mapping: Values, path: list[str], value: object) -> None:
    for depth, part in enumerate(path[:-1], 1):
        inner, name = mapping.get(part), ".".join(path[:depth])
        if not isinstance(inner, dict | None):
            said = shown(redaction.redact({name: inner})[name])
            raise ParameterError(
                f"P: {'.'.join(path)} cannot be set, as {part} is {said}: it has no names below it."
            )
        mapping[part] = dict(inner or {})
        mapping = mapping[part]
    mapping[path[-1]] = value


def _fit(origin: str, key: str, value: object, annotation: str) -> Any:
    try:
        return annotations.fit(value, annotation)
    except annotations.Misfit as error:
        raise annotations.refusal(f"{origin}:", key, value, error) from None
