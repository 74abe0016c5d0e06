"""What a capstone is judged by: the problem as it is written, the learner's decisions, a run's records.

Everything is read, each thing once, and nothing runs. What is asked of it is in `of_problem` and `of_model`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from lib import files, problem, records
from lib.errors import WorkbookError
from lib.notebook_source import plain_yaml
from lib.paths import Project
from lib.problem import Dataset
from lib.wording import few

_R = TypeVar("_R", bound=records.Record)
#: Beside the problem's two modules: what was decided and why, `key: a sentence`. No step reads it.
DECISIONS = "decisions.yaml"
#: A sentence of fewer words gives no reason to somebody who was not there.
WORDS = 6


class Unmet(WorkbookError):
    """A criterion that is not met: what is `missing`, and what to do next."""

    def __init__(self, missing: str, remedy: str) -> None:
        super().__init__(missing)
        self.missing, self.remedy = missing, remedy


@dataclass(frozen=True)
class Evidence:
    """All that the rubric looks at. `due` has each step that `make pipeline` would run now, and why."""

    project: Project
    params: str  # the parameters file, as it was given
    problem: str
    run: str
    options: Mapping[str, object]
    due: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where the run lies."""
        return self.project.outputs / self.run

    @property
    def package(self) -> str:
        """The folder of the problem, as it is typed."""
        return f"{self.project.shown(self.project.datasets / self.problem)}/"

    @property
    def told_in(self) -> str:
        """Where the words about the problem stand."""
        return f"DATASET, {self.package}training.py"

    @property
    def pipeline(self) -> str:
        """The command that brings the run up to date."""
        named = "" if self.run == Path(self.params).stem else f" RUN={self.run}"
        return f"`make pipeline PARAMS={self.params}{named}`"

    @cached_property
    def dataset(self) -> Dataset:
        """The problem; a package that cannot be imported is unmet, as it is the learner's own code."""
        try:
            return problem.load(self.problem, self.options)
        except Exception as error:
            said = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise Unmet(f"{self.package} cannot be read: {said}", "Mend that line.") from error

    @cached_property
    def decisions(self) -> Mapping[str, object]:
        """What the learner has written down, by key; nothing where there is no such file."""
        path = self.project.datasets / self.problem / DECISIONS
        return plain_yaml.read(path, self.package + DECISIONS) if path.is_file() else {}

    def decided(self, key: str, about: Sequence[str] = ()) -> bool:
        """Whether there is a sentence under `key`, which names all that it is `about`."""
        said = str(self.decisions.get(key) or "")
        names = (re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said) for name in about)
        return len(said.split()) >= WORDS and all(names)

    def write_down(self, key: str, what: str, about: Sequence[str] = ()) -> str:
        """How to write a decision; what one that is there already is lacking."""
        must = f"; it must name {few(about)}" if about else ""
        short = f" (a sentence of {WORDS} words or more{must})" if key in self.decisions else ""
        return f"write `{key}: {what}` into {self.package}{DECISIONS}{short}"

    def refuse(self, key: str, missing: str, remedy: str, what: str, about: Sequence[str] = ()) -> NoReturn:
        """Unmet: mend it by the `remedy`, or decide otherwise and say why under `key`."""
        raise Unmet(missing, f"{remedy}; or, with a reason, {self.write_down(key, what, about)}.")

    def step(self, name: str) -> records.StepRecord:
        """The record of a step that is done and up to date."""
        if name in self.due:
            raise Unmet(f"{name} is due: {self.due[name]}.", f"{self.pipeline} runs what is out of date.")
        record = records.StepRecord.read(self.folder / "notebooks" / f"{name}.json")
        if record is None:
            raise Unmet(f"{name} has left no record.", f"{self.pipeline} runs it.")
        return record

    def mapping(self, name: str) -> dict[str, Any]:
        """A mapping that a step wrote."""
        return files.read_json(self.folder / f"{name}.json")

    @cached_property
    def tuned(self) -> records.Tuned:
        """What the search came to."""
        return self._record(records.Tuned, "tuned")

    @cached_property
    def figures(self) -> Mapping[str, float | None]:
        """The figures of the model, by their names."""
        return self._record(records.Metrics, "metrics").figures

    @cached_property
    def registration(self) -> records.Registration:
        """What the registry's page decided."""
        return self._record(records.Registration, "registry")

    def _record(self, kind: type[_R], name: str) -> _R:
        found = kind.read(self.folder / f"{name}.json")
        if found is None:
            raise Unmet(f"{name}.json is not there, or of another format.", f"{self.pipeline} makes it.")
        return found
