"""Can what is asked for by the parameters `fixed` and `space` be set and searched? Standard library only.

`fixed` maps names to values, `space` names to distributions: `[uniform, 0.5, 1]`, `[choice, [4, 8]]`. A
name is that of a hyperparameter, set in every family that has it; below a family's name (`xgboost:
{max_depth: 8}`) it is set in this one alone, and a space given so takes the place of the family's whole
own. Below the name of an encoder (`tfidf: {words: 50}`) it is a setting of the features.
"""

import ast
import math
from collections.abc import Iterator, Mapping, Sequence

from lib.errors import nearest
from lib.notebook_source import annotations, syntax_tree
from lib.notebook_source.annotations import Misfit, Values
from lib.paths import Project
from lib.wording import few, shown

#: Family, or "" for all that have it; the name; what is given.
Given = tuple[str, str, object]
#: Family to its hyperparameters, each with the annotation of its type.
Table = Mapping[str, Mapping[str, str]]

ENCODERS = ("number", "one_hot", "ordinal", "days_before", "tfidf", "target_mean")
#: The distributions, and how many numbers describe each.
KINDS = {"uniform": 2, "loguniform": 2, "quniform": 3, "choice": 1}


def read(project: Project) -> Table:
    """The table of `lib.tuning.hyperparameters`; an empty one where the project has none."""
    path = project.lib / "tuning" / "hyperparameters.py"
    found: Values = {}
    for line in syntax_tree(path.read_bytes() if path.is_file() else b"", path).body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and line.value:
            name = ast.unparse(line.targets[0] if isinstance(line, ast.Assign) else line.target)
            found[name] = _literal(line.value, found)
    table: Table = found.get("TABLE", {})
    return table


def _literal(node: ast.expr, names: Mapping[str, object]) -> object:
    """A mapping as it is written, other assignments standing in it by name."""
    if isinstance(node, ast.Dict):
        keys = [ast.literal_eval(key) for key in node.keys if key]
        return dict(zip(keys, (_literal(value, names) for value in node.values), strict=True))
    return names[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)


def check(name: str, given: Mapping[str, object], table: Table, families: Sequence[str]) -> None:
    """Refuse with a Misfit what is no hyperparameter of these families, or has another type."""
    for family, parameter, value in parts(given, table):
        if family and family not in families:
            raise Misfit(f"of the families in `models`, {', '.join(families)}, not {shown(family)}")
        able = [family] if family else [one for one in families if parameter in table[one]]
        if "." in parameter and not family:
            _encoder(parameter)
        known = sorted({one for each in ([family] if family else families) for one in table[each]})
        if "." not in parameter and parameter not in known:
            near = nearest(parameter, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise Misfit(f"of hyperparameters: {few(known, 30)}; not {shown(parameter)}{hint}")
        if name == "space":
            distribution(value)
        else:
            _fits(parameter, value, [table[one][parameter] for one in able])


def parts(given: Mapping[str, object], table: Table) -> Iterator[Given]:
    """What is given, name by name; of an encoder's settings the name is `tfidf.words`."""
    for key, value in given.items():
        if key in table:
            if not isinstance(value, Mapping):
                raise Misfit(f"names and values below {key}, not {shown(value)}")
            yield from ((key, name, one) for name, one in value.items())
        elif isinstance(value, Mapping):
            yield from (("", f"{key}.{name}", one) for name, one in value.items())
        else:
            yield "", str(key), value


def _encoder(parameter: str) -> None:
    how = parameter.partition(".")[0]
    if how not in ENCODERS:
        near = nearest(how, ENCODERS)
        hint = f"; did you mean {near!r}?" if near else ""
        raise Misfit(f"of families or encoders ({', '.join(ENCODERS)}), not {shown(how)}{hint}")


def _fits(parameter: str, value: object, kinds: Sequence[str]) -> None:
    """Whether a value is of one of the types that the families have for it."""
    for kind in kinds:
        try:
            annotations.fit(value, kind)
        except Misfit as error:
            problem = f"with {parameter} as {error}"
        else:
            return
    if kinds:
        raise Misfit(problem)


def distribution(value: object) -> tuple[object, ...]:
    """`[uniform, 0.5, 1]` as a tuple, or Misfit."""
    kind, *numbers = value if isinstance(value, list | tuple) and value else [""]
    example = (
        "a distribution as [uniform, 0.5, 1], [loguniform, -3, 0], [quniform, 4, 10, 1], [choice, [a, b]]"
    )
    if kind not in KINDS or len(numbers) != KINDS[kind]:
        raise Misfit(f"{example}, not {shown(value)}")
    if kind == "choice":
        if not isinstance(numbers[0], list | tuple) or not numbers[0]:
            raise Misfit(f"{example}, not {shown(value)}")
        return "choice", list(numbers[0])
    bounds = [
        n for n in numbers if isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n)
    ]
    if len(bounds) < len(numbers) or bounds[0] >= bounds[1] or min([*bounds[2:], 1]) <= 0:
        raise Misfit(f"{example}, low before high, not {shown(value)}")
    return kind, *numbers
