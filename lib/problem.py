"""What a problem is made of: the parts that a package of `lib/datasets/` fills in, and what follows.

A problem's `training` module has one `DATASET = Dataset(...)`, around its `serving` half. A function of it
that takes `options` is given the problem's `Options`. What encodes columns is in `lib.runtime`, what checks
rows in `lib.quality`, what draws them in `lib.views`.
"""

import dataclasses
import difflib
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import pandas as pd

from lib import paths, redaction
from lib.errors import ParameterError, SourceError
from lib.notebook_source import annotations, problems
from lib.quality import Check
from lib.runtime import schema
from lib.runtime.features import Derived, FeatureSet, Serving
from lib.runtime.schema import Column, Target
from lib.sources import Fetched, FileRecord
from lib.wording import rounded

#: The functions of a problem that may take its `options`.
FUNCTIONS = ("fetch", "load", "generate", "reference", "label", "rules", "split", "checks")


@dataclass(frozen=True)
class Range:
    """The least and the most that a number may be; None where there is no bound. `strict`: neither itself."""

    least: float | None
    most: float | None
    strict: bool = False


@dataclass(frozen=True)
class Options:
    """What only one problem understands: a subclass of it, with a field for each option.

    A field is `Annotated` with its type, a `Range` where it has one, and its meaning: the planner checks
    values against these by reading the class alone, and `make options` prints them.
    """


class Provenance(TypedDict):
    """Where raw rows come from. The same bytes in another folder are the same source: no folder is in it."""

    problem: str
    source: str
    options: dict[str, object]
    generated: bool
    rows: int
    files: list[FileRecord]
    seed: NotRequired[int]  # of generated rows


@dataclass(frozen=True)
class Rule:
    """A cleaning rule: `keeps(rows)` is a boolean Series, true where the row stays."""

    name: str
    reason: str
    keeps: Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True)
class Cleaned:
    """Rows that every rule keeps, and the report: rows refused and left, a rule a row, in order."""

    rows: pd.DataFrame
    report: pd.DataFrame


@dataclass(frozen=True)
class Words:
    """What computed sentences call the things of a problem, so that a page reads as if written for it."""

    row: str = "row"
    rows: str = "rows"
    target: str = "the target"  # as in "tells most of a trip's minutes"
    group: str = "group"  # what rows belong to, see `Dataset.blocks`: a host, a day


@dataclass(frozen=True)
class Dataset:
    """A problem, as the notebooks see it. Functions are called without options: those are bound already."""

    serving: Serving
    title: str
    metric: str
    description: str
    source: str
    licence: str
    fetch: Callable[..., list[Fetched]]  # () -> verified local files, published or mirrored
    load: Callable[..., pd.DataFrame]  # (paths) -> rows, one schema whatever file they came from
    generate: Callable[..., pd.DataFrame]  # (rows, seed) -> lookalike rows; `rows` may have a `Range`
    label: Callable[..., pd.Series]  # (rows) -> the target
    rules: Callable[..., tuple[Rule, ...]]
    split: Callable[..., dict[str, pd.DataFrame]]  # (rows, seed) -> train, validation, test
    checks: Callable[..., tuple[Check, ...]]
    slices: Mapping[str, Callable[[pd.DataFrame], pd.Series]]
    reference: Callable[..., pd.DataFrame | None] = lambda _: None  # (provenance) -> rows to compare with
    when: str = ""  # the column that says when a row came about, if rows have an order in time
    groups: Sequence[str] = ()  # columns: rows that are alike in all of them belong together, as of one host
    views: str = ""  # the module of its own pictures, beside those that every problem has
    words: Words = field(default_factory=Words)
    options: Options = field(default_factory=Options)

    @property
    def name(self) -> str:
        """The problem's name: that of its package and its parameters file."""
        return self.serving.name

    @property
    def task(self) -> Literal["regression", "classification"]:
        """Numbers or classes."""
        return self.serving.task

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.serving.target

    @property
    def columns(self) -> Mapping[str, Column]:
        """The raw columns, by name."""
        return self.serving.columns

    @property
    def derived(self) -> Mapping[str, Derived]:
        """The derived columns, by name."""
        return self.serving.derived

    @property
    def feature_sets(self) -> Mapping[str, FeatureSet]:
        """The feature sets, by name."""
        return self.serving.feature_sets

    @property
    def value_names(self) -> Mapping[str, Callable[[Any], str]]:
        """By column how a value is written, where it is a code: `NAMES` of the problem's views."""
        return getattr(importlib.import_module(self.views), "NAMES", {}) if self.views else {}

    def ingest(self, source: str, rows: int, seed: int) -> tuple[pd.DataFrame, Provenance]:
        """Raw rows, `published` or `generated`, and their provenance: seed, or each file's digest."""
        if source not in ("generated", "published"):
            raise ParameterError(f"source is {source!r}; it can be 'generated' or 'published'.")
        generated = source == "generated"
        files: list[Fetched] = []
        if generated:
            raw = self.generate(rows, seed)
        else:
            raw, files = self._published()
        options = dataclasses.asdict(self.options)
        provenance: Provenance = {
            "problem": self.name,
            "source": source,
            "options": redaction.redact({k: paths.without_folder(v) for k, v in options.items()}),
            "generated": generated,
            "rows": len(raw),
            "files": [file.record() for file in files],
        }
        if generated:
            provenance["seed"] = seed
        return raw, provenance

    def _published(self) -> tuple[pd.DataFrame, list[Fetched]]:
        """The rows of the published files, and these: what was hashed is what was read."""
        for _ in range(3):
            files = self.fetch()
            rows = self.load([file.path for file in files])
            changed = [file.name for file in files if not file.unchanged]
            if not changed:
                return rows, files
        raise SourceError(
            f"{', '.join(changed)} changed again and again while it was read. Run the step again."
        )

    def of_kind(self, *kinds: str, known: str | None = None) -> list[str]:
        """Raw columns of these kinds, in order; with `known`, only those known `before` or `after`."""
        return [n for n, c in self.columns.items() if c.kind in kinds and known in (None, c.known)]

    def with_options(self, options: Mapping[str, Any] | str) -> "Dataset":
        """The same problem with `options` set, and bound to the functions that take them.

        As text, which `papermill -p options '{max_miles: 20}'` gives, they are read as YAML.
        """
        try:
            given: dict[str, Any] = annotations.fit_text(options, "dict")
        except annotations.Misfit as error:
            raise ParameterError(f"The options of {self.name} must be {error}.") from None
        known = [one.name for one in dataclasses.fields(self.options)]
        declared = problems.options(Path(inspect.getfile(type(self.options))))
        values = {}
        for key, value in given.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1, cutoff=0)
                hint = f"; did you mean {near[0]!r}? It takes {known}." if near else "; it takes none."
                raise ParameterError(f"{self.name} has no option {key!r}{hint}")
            try:
                values[key] = annotations.fit(value, declared[key].annotation)
            except annotations.Misfit as error:
                raise ParameterError(f"{self.name}: the option {key} must be {error}.") from None
        chosen = dataclasses.replace(self.options, **values)
        bound: dict[str, Any] = {}
        for name in FUNCTIONS:
            function = getattr(self, name)
            plain = function.func if isinstance(function, functools.partial) else function
            takes = "options" in inspect.signature(plain).parameters
            bound[name] = functools.partial(plain, options=chosen) if takes else plain
        return dataclasses.replace(self, options=chosen, **bound)

    def labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with the target as a column."""
        return rows.assign(**{self.target.name: self.label(rows)})

    def clean(self, rows: pd.DataFrame) -> Cleaned:
        """Apply the rules in order to rows with or without their target; never used when predicting.

        Rows that the schema refuses go first, and values are as it has them. A row that two rules refuse is
        counted at the first. The report has a row a rule: `reason`, `refused`, `share` of all, `left`.
        """
        if self.target.name not in rows:
            rows = self.labelled(rows)
        before, report = len(rows), []
        known = {name: column for name, column in self.columns.items() if name in rows}
        read = schema.Schema.learn(rows, known).convert(rows)
        rows = rows.assign(**dict(read.rows.items()))[read.kept]
        if count := len(read.refused):
            report.append(("can be read", read.summary(), count, count / before, len(rows)))
        for rule in self.rules():
            clean = rows[rule.keeps(rows).to_numpy(dtype=bool)]
            refused = len(rows) - len(clean)
            report.append((rule.name, rule.reason, refused, refused / max(before, 1), len(clean)))
            rows = clean
        columns = ["rule", "reason", "refused", "share", "left"]
        return Cleaned(rows.reset_index(drop=True), pd.DataFrame(report, columns=columns).set_index("rule"))

    def feature_set(self, name: str) -> FeatureSet:
        """A feature set by name, refused if it uses what is known only after and does not admit it."""
        return self.serving.feature_set(name)

    def inputs(self, feature_set: FeatureSet) -> list[str]:
        """The raw columns a row must have for `feature_set`, in the order of `columns`."""
        return self.serving.inputs(feature_set)

    def engineer(self, rows: pd.DataFrame, names: Sequence[str] | None = None) -> pd.DataFrame:
        """`rows` with the derived columns `names` (all of them by default), each computed once."""
        return self.serving.engineer(rows, names)

    def beside_reference(self, rows: pd.DataFrame, provenance: Provenance) -> dict[str, pd.DataFrame]:
        """What checks look at: cleaned `rows`, after the earlier ones that they are compared with, if any."""
        earlier = self.reference(provenance)
        return {"rows": rows} if earlier is None else {"reference": self.clean(earlier).rows, "rows": rows}

    def blocks(self, rows: pd.DataFrame) -> pd.Series | None:
        """The group of each row, else its day, where there are such: no draw may part its rows."""
        if self.groups:
            marks = schema.marks(rows, schema.kinds(rows[list(self.groups)]))
            return pd.Series(marks, index=rows.index, name="groups")
        if self.when:
            return pd.to_datetime(rows[self.when]).dt.floor("D").rename("days")
        return None

    def sliced(self, rows: pd.DataFrame) -> dict[str, pd.Series]:
        """The problem's slices, and those that every problem has: quarters of the target, or its classes."""
        sliced = {name: group(rows) for name, group in self.slices.items()}
        target = rows[self.target.name]
        if self.task == "classification":
            return sliced | {"class": target.astype(str)}
        quarter = pd.qcut(target, 4, duplicates="drop")
        names = {
            band: f"{i + 1}. {rounded(max(band.left, target.min()))} to {rounded(band.right)}"
            for i, band in enumerate(quarter.cat.categories)
        }
        return sliced | {f"quarter of {self.target.name}": quarter.map(names).astype(str)}


def names(folder: Path | None = None) -> list[str]:
    """The problems there are: the packages of `lib/datasets/` that have a `training` module."""
    folder = folder or paths.here().datasets
    packages = (module.name for module in pkgutil.iter_modules([str(folder)]) if module.ispkg)
    return sorted(name for name in packages if (folder / name / "training.py").is_file())


def load(name: str, options: Mapping[str, Any] | str | None = None) -> Dataset:
    """The problem `name` with its `options` bound; only that problem's modules are imported."""
    if name not in names():
        problems.training(paths.here(), name)  # says what there is, and what became of one module
    dataset: Dataset = importlib.import_module(f"lib.datasets.{name}.training").DATASET
    return dataset.with_options(options or {})
