"""What a problem is made of: the parts that a module in `lib/datasets/` fills in, and what follows from them.

A problem's module defines plain functions named as the fields below (`fetch`, `load`, `generate`, ...)
and one `DATASET = Dataset(...)`. A keyword-only argument of such a function is an *option* of the
problem: it comes from the mapping `options` of the parameters. What encodes columns is in
`lib.features`, what checks rows in `lib.quality`, what draws them in `lib.plots`.
"""

import dataclasses
import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from lib.datasets._columns import Columns
from lib.datasets._view import Later as Later
from lib.datasets._view import View as View
from lib.errors import DataError, ParameterError

#: The functions of a problem's module whose keyword-only arguments are its options.
FUNCTIONS = ("fetch", "load", "generate", "reference", "label", "rules", "split", "checks")


@dataclass(frozen=True)
class Column:
    """A raw column. `known` says whether its value exists before the prediction is made, or only after."""

    kind: Literal["number", "category", "text", "time", "id"]
    meaning: str
    unit: str = ""
    known: Literal["before", "after"] = "before"


@dataclass(frozen=True)
class Target:
    """What is predicted: the column's name in the splits, its unit (empty for classes), its meaning."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Rule:
    """A cleaning rule: `keeps(rows)` is a boolean Series, true where the row stays."""

    name: str
    reason: str
    keeps: Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True)
class Derived:
    """A stateless column: computed from the columns it `needs` alone, the same in training and serving."""

    needs: tuple[str, ...]
    compute: Callable[[pd.DataFrame], pd.Series]
    meaning: str = ""
    kind: Literal["number", "category", "text", "time"] = "number"


@dataclass(frozen=True)
class Encode:
    """Columns (raw or derived) that go through one encoder of `lib.features`, named `how`, with settings."""

    how: str
    columns: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


def encode(how: str, *columns: str, **settings: Any) -> Encode:
    """`encode("one_hot", "colour")`: one line of a feature set."""
    return Encode(how, columns, settings)


@dataclass(frozen=True)
class FeatureSet:
    """Which column goes through which encoder, and why.

    `admits` names the columns known only *after* the prediction that are used all the same: any other
    such column is refused. `spaces` overrides the search space of a family (plain data, see
    `lib.models`), where these features want another than the family's own.
    """

    name: str
    why: str
    encodes: tuple[Encode, ...]
    admits: tuple[str, ...] = ()
    spaces: Mapping[str, Mapping[str, tuple]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The columns it encodes, each once, in order."""
        return list(dict.fromkeys(name for part in self.encodes for name in part.columns))


@dataclass(frozen=True)
class Cleaned:
    """Rows that every rule keeps, and the report: rows refused and left, a rule a row, in order."""

    rows: pd.DataFrame
    report: pd.DataFrame


@dataclass(frozen=True)
class Dataset:
    """A problem, as the notebooks see it. Functions are called without options: those are bound already."""

    name: str
    title: str
    task: Literal["regression", "classification"]
    target: Target
    metric: str
    description: str
    source: str
    licence: str
    columns: Mapping[str, Column]
    fetch: Callable[..., list]  # () -> [sources.Fetched]: verified local files, published or mirrored
    load: Callable[..., pd.DataFrame]  # (paths) -> rows, one schema whatever file they came from
    generate: Callable[..., pd.DataFrame]  # (rows, seed) -> lookalike rows, as `load` gives them
    label: Callable[..., pd.Series]  # (rows) -> the target
    rules: Callable[..., tuple[Rule, ...]]
    split: Callable[..., dict[str, pd.DataFrame]]  # (rows, seed) -> train, validation, test
    checks: Callable[..., tuple]  # () -> quality.Check, ...
    derived: Mapping[str, Derived]
    feature_sets: Mapping[str, FeatureSet]
    slices: Mapping[str, Callable[[pd.DataFrame], pd.Series]]
    reference: Callable[..., pd.DataFrame | None] = lambda provenance: None  # earlier rows to compare with
    when: str = ""  # the column that says when a row came about, if rows have an order in time
    own_views: Mapping[str, View] = field(default_factory=dict)  # beside those that every problem has
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def views(self) -> dict[str, View]:
        """The pictures of these rows: those that every problem has, then its own."""
        from lib.datasets import _views

        return {**_views.standard(self), **self.own_views}

    def ingest(self, source: str, rows: int, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Raw rows, `published` or `generated`, and their provenance: seed, or each file's digest."""
        about = {"problem": self.name, "source": source, "options": dict(self.options)}
        if source == "generated":
            raw = self.generate(rows, seed)
            return raw, {**about, "generated": True, "rows": len(raw), "seed": seed, "files": []}
        if source != "published":
            raise ParameterError(f"source is {source!r}; it can be 'generated' or 'published'.")
        files = self.fetch()
        raw = self.load([file.path for file in files])
        return raw, {
            **about,
            "generated": False,
            "rows": len(raw),
            "files": [file.record() for file in files],
        }

    def of_kind(self, *kinds: str, known: str | None = None) -> list[str]:
        """Raw columns of these kinds, in order; with `known`, only those known `before` or `after`."""
        return [n for n, c in self.columns.items() if c.kind in kinds and known in (None, c.known)]

    def accepts(self) -> dict[str, inspect.Parameter]:
        """The options that this problem's functions take, by name."""
        return {
            key: parameter
            for name in FUNCTIONS
            for key, parameter in inspect.signature(getattr(self, name)).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }

    def with_options(self, options: Mapping[str, Any]) -> "Dataset":
        """The same problem with `options` bound to the functions that take them."""
        accepted = self.accepts()
        for key in options:
            if key not in accepted:
                near = difflib.get_close_matches(key, accepted, 1) or sorted(accepted)
                raise ParameterError(
                    f"{self.name} has no option {key!r}; did you mean {near[0]!r}? "
                    f"It takes {sorted(accepted)}."
                )
        bound = {}
        for name in FUNCTIONS:
            function = getattr(self, name)
            mine = {
                key: options[key]
                for key, parameter in inspect.signature(function).parameters.items()
                if key in options and parameter.kind is inspect.Parameter.KEYWORD_ONLY
            }
            bound[name] = functools.partial(function, **mine) if mine else function
        return dataclasses.replace(self, options=dict(options), **bound)

    def labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with the target as a column."""
        return rows.assign(**{self.target.name: self.label(rows)})

    def clean(self, rows: pd.DataFrame) -> Cleaned:
        """Apply the rules in order to rows with or without their target; never used when predicting.

        A row that two rules refuse is counted at the first. The report has one row a rule: `reason`,
        `refused`, `share` of the rows that came in, and rows `left`.
        """
        if self.target.name not in rows:
            rows = self.labelled(rows)
        before, report = len(rows), []
        for rule in self.rules():
            kept = rows[rule.keeps(rows).to_numpy(dtype=bool)]
            refused = len(rows) - len(kept)
            report.append((rule.name, rule.reason, refused, refused / max(before, 1), len(kept)))
            rows = kept
        columns = ["rule", "reason", "refused", "share", "left"]
        return Cleaned(rows.reset_index(drop=True), pd.DataFrame(report, columns=columns).set_index("rule"))

    def feature_set(self, name: str) -> FeatureSet:
        """A feature set by name, refused if it uses what is known only after and does not admit it."""
        if name not in self.feature_sets:
            known = sorted(self.feature_sets)
            raise ParameterError(f"{self.name} has no feature set {name!r}; it has {known}.")
        found = self.feature_sets[name]
        late = [c for c in self.inputs(found) if self.columns[c].known == "after" and c not in found.admits]
        if late:
            raise DataError(
                f"Feature set {name!r} uses {late}, known only after the prediction is made. "
                "Leave them out, or name them in `admits` and say so where the figures are shown."
            )
        return found

    def inputs(self, feature_set: FeatureSet) -> list[str]:
        """The raw columns a row must have for `feature_set`, in the order of `columns`."""
        wanted: set[str] = set()
        queue = list(feature_set.columns)
        while queue:
            name = queue.pop()
            if name in self.derived:
                queue.extend(self.derived[name].needs)
            elif name in self.columns:
                wanted.add(name)
            else:
                raise DataError(f"{self.name} has no column {name!r}, neither raw nor derived.")
        return [name for name in self.columns if name in wanted]

    def beside_reference(self, rows: pd.DataFrame, provenance: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
        """What checks look at: cleaned `rows`, after the earlier ones that they are compared with, if any."""
        earlier = self.reference(provenance)
        return {"rows": rows} if earlier is None else {"reference": self.clean(earlier).rows, "rows": rows}

    def engineer(self, rows: pd.DataFrame, names: Sequence[str] | None = None) -> pd.DataFrame:
        """`rows` with the derived columns `names` (all of them by default), each computed once."""
        there = Columns(rows)

        def add(name: str) -> None:
            if name in there.made or name in rows:
                return
            if name not in self.derived:
                raise DataError(f"Column {name!r} is missing; the rows have {list(rows)}.")
            for need in self.derived[name].needs:
                add(need)
            there.made[name] = self.derived[name].compute(there)

        for name in self.derived if names is None else names:
            add(name)
        raw = {name: rows[name] for name in rows}
        return pd.DataFrame(raw | there.made, index=rows.index, copy=False)
