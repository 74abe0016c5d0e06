"""The files that steps, the runner and the pages share, as typed records with a format, checked when read.

A record is a JSON file whose key `format` says which fields it has. Whoever reads one gets a dataclass, or
None where there is none of this format: it is of an earlier workbook, or was cut off. Standard library only.
"""

import dataclasses
import datetime
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from lib import files, paths
from lib.wording import few

#: Metrics of which more is better; of all others less is.
HIGHER_IS_BETTER = ("r2", "auc", "accuracy", "f1")
#: The types of a record's fields, each found once.
_KINDS: dict[type, dict[str, Any]] = {}


def now() -> str:
    """This moment as ISO 8601 with its offset: `2026-03-01T14:05:09+01:00`."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


@dataclass(frozen=True)
class Record:
    """The root of the records below: written with their format, read back only if every field fits."""

    FORMAT: ClassVar[int] = 2

    def to_mapping(self) -> dict[str, Any]:
        """The record as JSON has it."""
        return {"format": self.FORMAT, **{f.name: getattr(self, f.name) for f in dataclasses.fields(self)}}

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Self | None:
        """A record from what JSON gave; None where its format, its fields or their types are others."""
        kinds = _KINDS.get(cls) or _KINDS.setdefault(cls, typing.get_type_hints(cls))
        wanted = [f for f in dataclasses.fields(cls) if f.init]
        given = {f.name: mapping[f.name] for f in wanted if f.name in mapping}
        complete = all(f.name in given or _has_default(f) for f in wanted)
        if mapping.get("format") != cls.FORMAT or not complete:
            return None
        return cls(**given) if all(_fits(value, kinds[name]) for name, value in given.items()) else None

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The record in the file `path`; None where it is absent, not whole, or of another format."""
        return cls.of(files.read_json(path))

    def write(self, path: Path) -> None:
        """Write the record to `path`, whole or not at all."""
        files.write_json(path, self.to_mapping())


def _has_default(one: "dataclasses.Field[Any]") -> bool:
    return one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING


def _fits(value: object, kind: Any) -> bool:
    """Whether a value of JSON is of a field's type; of lists and mappings the items are looked at, too."""
    if kind is Any or type(value) is kind:
        return True
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, parts[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, parts[1]) for item in value.values())
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind or type(None))


@dataclass(frozen=True)
class OpenStep(Record):
    """A step that is under way, written by its notebook: which runs it has open, and what it used."""

    pid: int
    key: str = ""  # W&B's id of the run, and a tag of MLflow's
    problem: str = ""
    mlflow_uri: str = ""
    mlflow_run_id: str | None = None
    status: str = "RUNNING"
    modules: list[str] | None = None  # of `lib`, once the step is closed
    peak_memory_mb: float | None = None
    taken: list[dict[str, object]] = field(default_factory=list)  # from outside: see `dependencies.use`
    metrics: dict[str, float | None] = field(default_factory=dict)  # what the trackers got
    tags: dict[str, str] = field(default_factory=dict)  # those of the result, whichever run made it
    outputs: dict[str, str] = field(default_factory=dict)  # the digests of what it wrote
    stamps: dict[str, list[int]] = field(default_factory=dict)  # of the outputs: see `files.stamp`

    @property
    def closed(self) -> bool:
        """Whether the notebook came to `step.close()`."""
        return self.modules is not None


@dataclass(frozen=True)
class StepRecord(Record):
    """A finished step: all that its result depends on, by content, and how it went."""

    step: str
    code: list[str]  # a digest a code cell
    parameters: dict[str, Any]
    modules: dict[str, dict[str, str]]  # of `lib`: digests of their bytes and of what these mean
    inputs: dict[str, str]
    outputs: dict[str, str]
    started: str
    seconds: float
    reasons: list[str]
    kernel: str  # warm or ordinary
    peak_memory_mb: float | None = None
    mlflow_uri: str = ""
    mlflow_run_id: str | None = None
    linked_from: str = ""  # the run whose result this is, where it was taken from there
    taken: list[dict[str, object]] = field(default_factory=list)  # from outside: see `dependencies.use`
    libraries: dict[str, str] = field(default_factory=dict)  # Python and what the code imports: versions
    source: str = ""  # a digest of the code cells as they stood; `code` is of what they mean
    key: str = ""  # a tag of the tracked run
    metrics: dict[str, float | None] = field(default_factory=dict)  # what the trackers got
    tags: dict[str, str] = field(default_factory=dict)  # those of the result, whichever run made it
    stamps: dict[str, list[int]] = field(default_factory=dict)  # of the outputs: see `files.stamp`


@dataclass(frozen=True)
class FailedStep(Record):
    """Why a step did not finish: in which cell, what the cell says, the error and its trace."""

    step: str
    cell: int | None  # as in `In [5]`
    cells: int
    source: str
    error: str
    seconds: float = 0.0
    traceback: str = ""
    line: int | None = None  # of the cell's source, where the trace says so


@dataclass(frozen=True)
class RunRecord(Record):
    """A run as it was last asked for: `run.json`, for the index page and `make status`."""

    run: str
    problem: str
    parameters_file: str
    overrides: dict[str, Any]
    values: dict[str, Any]
    given: dict[str, dict[str, Any]]  # step to the parameters that it is given
    commit: str
    started: str
    graph: dict[str, dict[str, list[str]]]  # step to what it reads and writes


@dataclass(frozen=True)
class Tuned(Record):
    """The result of a search, the same for the same trials that ended for the same reason: no times."""

    feature_set: str
    metric: str
    choice: dict[str, Any]
    best: dict[str, dict[str, Any]]  # family to its best trial
    trials: int  # that ran
    budget: int = 0  # how many were to run
    failed: int = 0  # of those that ran
    ended: str = ""  # why the search ended
    unit: str = ""  # of the metric
    late: list[str] = field(default_factory=list)  # columns that the features use, known only after
    cut: int = 0  # trials that the clock ended, with the rounds they had
    folds: int = 0  # that scored a trial; 0: the validation rows did

    def admitting(self, late: Sequence[str]) -> Self:
        """The same with the columns, known only after the prediction, that its features use."""
        return dataclasses.replace(self, late=list(late))

    @property
    def features(self) -> str:
        """The feature set, and what of it is known only after: as it is said wherever a figure is shown."""
        return self.feature_set + (f", told {few(self.late)}, known only after" if self.late else "")

    @property
    def told(self) -> str:
        """`12 of 50 trials, as its time was over; 2 failed`: how far the search came."""
        short = f" of {self.budget} trials, as {self.ended}" if self.trials < self.budget else " trials"
        ends = {"failed": self.failed, "cut by the clock": self.cut}
        ended = [f"{count} {how}" for how, count in ends.items() if count]
        kept = [f"the kept one {self.choice['reason']}"] if self.choice.get("reason") else []
        return "; ".join([f"{self.trials}{short}", *ended, *kept])


@dataclass(frozen=True)
class Metrics(Record):
    """The figures of a run, flat, by the names that MLflow has: `metrics["test_rmse"]`."""

    figures: dict[str, float | None] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float | None:
        return self.figures[name]

    @property
    def said(self) -> list[str]:
        """What these figures warn of: a model that cannot, or may not, be told from one without features."""
        told: dict[float | None, str] = {
            0: "The model is no better than one that always answers the same.",
            None: "Nobody can say if the model is better than one that always answers the same.",
        }
        beats = self.figures.get("beats_constant", 1)
        return [told[beats]] if beats in told else []

    def to_mapping(self) -> dict[str, Any]:
        """Flat, as readers of `metrics.json` expect."""
        return {"format": self.FORMAT, **self.figures}

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Self | None:
        """The figures from flat JSON; None where it is of another format."""
        figures = {name: value for name, value in mapping.items() if name != "format"}
        sound = mapping.get("format") == cls.FORMAT and _fits(figures, dict[str, float | None])
        return cls(figures) if sound else None


@dataclass(frozen=True)
class Cautions(Record):
    """What a reader of any figure of the run must know first, a sentence each; none where all is well."""

    said: list[str] = field(default_factory=list)

    def read_out(self) -> str:
        """As a page says it."""
        return "\n\n".join(f"**Mind:** {one}" for one in self.said)


@dataclass(frozen=True)
class Registration(Record):
    """What the registry step decided: the version, who holds the alias, and why."""

    name: str
    version: int
    digest: str
    outcome: str
    reason: str
    alias: str
    holder: int | None
    metric: str
    test_rows: int
    score: float
    rival: str
    rival_score: float
    gain: float | None = None  # on the same rows, positive where this version is better
    low: float | None = None  # the 95 % interval of the gain; None where it has none
    high: float | None = None
    interval: str = ""  # what was drawn for it, or why there is none
    judged: int = 0  # how many versions these very rows have judged


def hand_on_digests(folder: Path) -> None:
    """Tell `files` the digests that the steps of the run in `folder` know: its data are not read for them."""
    for path in (folder / "notebooks").glob("*.json"):
        step = StepRecord.read(path) or OpenStep.read(path)
        for name in step.stamps if step else ():
            found = paths.find(folder, name)
            if step and found:
                files.know(found, step.stamps[name], step.outputs[name])


def cautions(folder: Path) -> list[str]:
    """What goes with every figure of the run in `folder`: of its data, and of its model."""
    found = Cautions.read(folder / "cautions.json"), Metrics.read(folder / "metrics.json")
    return [one for record in found if record for one in record.said]


def cautions_of(folders: Sequence[Path]) -> list[str]:
    """What goes with the figures of any of these runs, each with the names of those it goes with."""
    found: dict[str, list[str]] = {}
    for folder in folders:
        for one in cautions(folder):
            found.setdefault(one, []).append(folder.name)
    return [f"{one} ({few(runs)})" for one, runs in found.items()]


#: The names under which steps write records: `step.read` gives these, of any other name a plain mapping.
BY_NAME: dict[str, type[Record]] = {
    "tuned": Tuned,
    "metrics": Metrics,
    "registry": Registration,
    "cautions": Cautions,
}
