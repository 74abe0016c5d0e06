"""The text of a new problem: the package `lib/datasets/<name>/`, read in two minutes, and its YAML."""

import json
import keyword
import re
from collections.abc import Sequence
from pathlib import Path

from lib.errors import ParameterError
from lib.scaffold import templates
from lib.scaffold.inspection import FEW, LEAST, InferredColumn, Inspection


def places(name: str, project: Path) -> tuple[Path, Path]:
    """Where a problem's package and YAML go; a name that cannot be used, or is in use, is refused."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name) or keyword.iskeyword(name):
        raise ParameterError(
            f"NAME={name[:80]}: use small letters, digits and _, as for a Python module, 60 at most: "
            "`churn_2024`."
        )
    package, params = project / "lib" / "datasets" / name, project / "params" / f"{name}.yaml"
    for path in (package, package.with_suffix(".py"), params):
        if path.exists():
            raise ParameterError(
                f"{path.relative_to(project)} is there already and is not overwritten. Take another NAME, or "
                f"move away lib/datasets/{name}/ and params/{name}.yaml first."
            )
    return package, params


def package(name: str, inspection: Inspection, project: Path) -> dict[str, str]:
    """The modules of the problem's package, by file name."""
    return {
        "__init__.py": f'"""{name}, a problem of your own: see `serving`, then `training`."""\n',
        "serving.py": _long_lines_allowed(_serving(name, inspection)),
        "training.py": _long_lines_allowed(_training(name, inspection, project)),
    }


def _long_lines_allowed(text: str) -> str:
    """A module that passes the lint even where a column's line is long."""
    if all(len(line) <= 110 for line in text.splitlines()):
        return text
    return text.replace("# fmt: off\n", "# ruff: noqa: E501\n# fmt: off\n", 1)


def _serving(name: str, inspection: Inspection) -> str:
    classes = inspection.task == "classification"
    target = next(column for column in inspection.columns if column.name == inspection.target)
    return templates.SERVING.format(
        name=name,
        target=_quoted(inspection.target),
        about=f"{target.distinct:,} classes" if classes else "a number",
        as_in_the_file=templates.AS_IN_THE_FILE,
        columns="\n".join(_column(column, inspection.target) for column in inspection.used),
        left_out=_left_out(inspection),
        features="\n".join(f"            {line}," for line in features(inspection))
        or "            # no column is left",
        task=inspection.task,
    )


def _training(name: str, inspection: Inspection, project: Path) -> str:
    classes = inspection.task == "classification"
    return templates.TRAINING.format(
        name=name,
        rows=inspection.rows,
        file=_quoted(_address(inspection.path, project)),
        options="".join(part.title() for part in name.split("_")) + "Options",
        separator=_quoted(inspection.separator),
        decimal=_quoted(inspection.decimal),
        least=f", least={inspection.least}" if inspection.least else "",
        classes="TARGET" if classes else "None",
        marginals="\n".join(_marginal(column) for column in inspection.used),
        title=_quoted(f"{inspection.target}?"),
        metric="auc" if classes else "rmse",
        source=_quoted(inspection.path.name),
        description=templates.DESCRIPTION,
        licence=templates.LICENCE,
        row=templates.ROW,
        rows_word=templates.ROWS,
    )


def params(name: str, inspection: Inspection, project: Path) -> str:
    """The problem's YAML."""
    small = inspection.rows < LEAST
    linear = "logistic_regression" if inspection.task == "classification" else "linear_regression"
    note = "too few rows to learn from: say published when there are more" if small else "the file below"
    return templates.PARAMS.format(
        name=name,
        source="generated" if small else "published",
        note=note,
        file=_quoted(_address(inspection.path, project)),
        models=f"[{linear}, random_forest, xgboost]",
    )


def summary(name: str, inspection: Inspection) -> str:
    """What was inferred as a table, for correction."""
    lines = [
        f"{inspection.path}: {inspection.rows:,} rows; target {inspection.target!r}: {inspection.task}",
        "",
    ]
    for column in inspection.columns:
        kind = column.kind or "left out"
        lines.append(f"  {column.name[:32]:<32} {kind:<9} {column.why}; {column.example}".rstrip("; "))
    if inspection.unknown:
        lines += ["", f"{inspection.unknown:,} rows have no target: nothing is learnt from them."]
    if inspection.rows < LEAST:
        few = "rows are too few to learn from: the YAML starts with generated ones."
        lines += ["", f"{inspection.rows} {few}"]
    if inspection.least:
        rare = "rows are left out: they cannot be in all three splits."
        lines += ["", f"Classes of fewer than {inspection.least} {rare}"]
    wrote = f"Wrote lib/datasets/{name}/ and params/{name}.yaml."
    lines += ["", f"{wrote} Correct what was inferred wrongly there, then:"]
    return "\n".join([*lines, f"  make pipeline PARAMS=params/{name}.yaml"])


def _address(path: Path, project: Path) -> str:
    """A file as the problem names it: from the project's folder if it lies in it, else by its whole path."""
    path, project = path.resolve(), project.resolve()
    return str(path.relative_to(project) if path.is_relative_to(project) else path)


def features(inspection: Inspection) -> list[str]:
    """The lines of the feature set: which kind of column goes through which encoder."""
    inputs = [column for column in inspection.used if column.name != inspection.target]
    numbers = [column.name for column in inputs if column.kind == "number"]
    few = [column.name for column in inputs if column.kind == "category" and column.distinct <= FEW]
    many = [column.name for column in inputs if column.kind == "category" and column.distinct > FEW]
    lines = []
    if numbers:
        lines.append(_call("number", numbers, 'impute="median"'))
    if few:
        lines.append(_call("one_hot", few))
    if many:
        lines.append(
            _call("target_mean", many) if inspection.task == "regression" else _call("ordinal", many)
        )
    for column in inputs:
        if column.kind == "time" and column.marginal:
            lines.append(_call("days_before", [column.name], f"fill={_quoted(column.marginal.days[0][:10])}"))
        if column.kind == "text":
            lines.append(_call("tfidf", [column.name], "words=50"))
    return lines


def _call(how: str, names: Sequence[str], settings: str = "") -> str:
    """One `encode(...)` line, folded between names where it is long."""
    listed = [_quoted(how), *map(_quoted, names), *([settings] if settings else [])]
    line = f"encode({', '.join(listed)})"
    if len(line) <= 95:
        return line
    lines = [""]
    for part in listed:
        if len(lines[-1]) + len(part) > 90:
            lines.append("")
        lines[-1] += f"{part}, "
    return "encode(\n" + "".join(f"{' ' * 16}{part.rstrip()}\n" for part in lines) + " " * 12 + ")"


def _quoted(text: str) -> str:
    """A text as it stands in a module."""
    return json.dumps(text, ensure_ascii=False)


def _column(column: InferredColumn, target: str) -> str:
    facts = ({"known": "after"} if column.name == target else {}) | dict(column.facts)
    said = "".join(f", {name}={_literal(value)}" for name, value in facts.items())
    return f"    {_quoted(column.name)}: Column({_quoted(column.kind)}, {_quoted('')}{said}),  # {column.why}"


def _literal(value: object) -> str:
    """A fact as it stands in a module: text, truth, or a tuple of texts."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_quoted, value))},)"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _left_out(inspection: Inspection) -> str:
    reasons = [f"#   {column.name!r}: {column.why}" for column in inspection.columns if not column.kind]
    reasons += [
        f"#   {column.name!r} is no feature: {column.why}"
        for column in inspection.used
        if column.kind == "id"
    ]
    return "\n# Left out:\n" + "\n".join(reasons) if reasons else ""


def _marginal(column: InferredColumn) -> str:
    """One line a column: what it looked like."""
    marginal, parts = column.marginal, []
    if marginal and marginal.missing:
        parts.append(f"missing={marginal.missing}")
    if marginal and marginal.quantiles:
        parts.append(f"quantiles={[int(q) if q == int(q) else q for q in marginal.quantiles]}")
    if marginal and marginal.whole:
        parts.append("whole=True")
    if marginal and marginal.shares:
        parts.append(f"shares={json.dumps(dict(marginal.shares), ensure_ascii=False)}")
    if marginal and marginal.days[0]:
        parts.append(f"days=({_quoted(marginal.days[0])}, {_quoted(marginal.days[1])})")
    return f"    {_quoted(column.name)}: Marginal({', '.join(parts)}),"
