"""From what a user asked (PARAMS, P, RUN, STEPS, FORCE) to a checked plan. Standard library and YAML only.

With `staleness` this is all that a run with nothing to do costs.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib import paths
from lib.errors import ParameterError, RunError, StepError
from lib.notebook_source import Declared, parameters, plain_yaml
from lib.notebook_source.modules import Modules
from lib.paths import Project
from lib.runner import graph, staleness
from lib.runner.staleness import Contents, Place, State
from lib.wording import shown

#: Keys that the runner reads itself, with the annotation of each and its default.
KEYS = {
    "step_timeout_s": Declared("step_timeout_s", "float", 3600.0),
    # what `make all-problems` gives as P, to run the problem offline and in a minute
    "small": Declared("small", "str", "source=generated rows=3000 max_evals=2 timeout_s=300"),
}
#: Names under outputs/ that are not runs; so are all that begin with `mlflow.db`, as SQLite's logs do.
RESERVED = (
    "scratch",
    "cache",
    "wandb",
    "mlartifacts",
    "marks",
    "sweeps",
    "test",
    "predictions",
    "lessons",
    "book",
    "learner",
    "last.json",
    "mlflow.db",
)


@dataclass(frozen=True)
class Wishes:
    """What a user asked for, as text; empty where nothing was said."""

    file: str = ""  # PARAMS
    overrides: str = ""  # P
    run: str = ""
    steps: str = ""  # exactly these, not what they need
    until: tuple[str, ...] = ()  # these and what they need
    force: str = ""
    jobs: str = ""


@dataclass(frozen=True)
class Planned:
    """A step and why it would run; `maybe` where that hangs on what an earlier step will write."""

    name: str
    reasons: tuple[str, ...]
    maybe: bool = False


@dataclass(frozen=True)
class Request:
    """One run that was asked for, checked: what to run, with which parameters, where."""

    project: Project
    run: str
    graph: graph.Graph
    parameters: parameters.Parameters
    wanted: tuple[str, ...]
    only: bool  # STEPS: exactly these, not what they need
    force: bool
    jobs: int  # steps at once; 0: as many as there are cores
    state: State = field(compare=False)

    @property
    def folder(self) -> Path:
        """outputs/<run>."""
        return self.project.outputs / self.run

    @property
    def problem(self) -> str:
        """The problem that the steps are given; the run's name where no notebook knows problems."""
        given = (self.given(notebook.name) for notebook in self.graph.notebooks)
        return next((str(one["problem"]) for one in given if one.get("problem")), self.run)

    def given(self, name: str) -> dict[str, Any]:
        """The parameters that a step is given."""
        return self.parameters.of(self.graph[name])

    def setting(self, key: str) -> Any:
        """The value of one of the `KEYS`."""
        return self.parameters.values.get(key, KEYS[key].default)

    def place(self, name: str) -> Place:
        """Where a step keeps its things."""
        return Place(self.folder, name)

    def plan(self) -> list[Planned]:
        """Every wanted step in order, with its reasons; no reasons and not `maybe` means up to date."""
        if self.only:
            self._have_inputs()
        notebooks = [notebook for notebook in self.graph.notebooks if notebook.name in self.wanted]
        self.state.contents.prepare(thing for n in notebooks for thing in (*n.reads, *n.writes))
        planned: dict[str, Planned] = {}
        for notebook in notebooks:
            reasons = tuple(self.state.reasons(notebook))
            if reasons:
                notebook.refuse_earlier()
            earlier = [n for n in self.graph.before(notebook.name) if n in planned and planned[n].reasons]
            if earlier and not reasons:
                things = [thing for thing in notebook.reads if self.graph.writers[thing] in earlier]
                text = f"if {', '.join(earlier)} changes {' or '.join(things)}"
                planned[notebook.name] = Planned(notebook.name, (text,), maybe=True)
            else:
                planned[notebook.name] = Planned(notebook.name, reasons)
        return list(planned.values())

    def _have_inputs(self) -> None:
        """A thing counts as there when the step that writes it is done: one cut off leaves old beside new."""
        for name in self.wanted:
            for thing in self.graph[name].reads:
                writer = self.graph.writers[thing]
                done = self.place(writer).record.exists()
                if writer not in self.wanted and not (done and paths.find(self.folder, thing)):
                    target = self.graph[writer].target
                    raise StepError(
                        f"{name} reads {thing!r}, which is not done in {self.project.shown(self.folder)}; "
                        f"run `make {target}` first, or add {target} to STEPS."
                    )


def ask(wishes: Wishes, project: Project | None = None) -> Request:
    """Read and check all that was asked; whatever is wrong is said before anything runs."""
    project = project or paths.here()
    paths.tracking_uri(project.outputs)  # refused where it cannot be
    steps = graph.read(project)
    named = wishes.file or "params/quickstart.yaml"
    file = project.root / named
    run = run_name(wishes.run, file)
    values = plain_yaml.read(file, named)
    checked = parameters.check(project, steps.notebooks, named, values, wishes.overrides, KEYS.values())
    checked.values["run"] = run
    only = [steps.named(word) for word in wishes.steps.replace(",", " ").split()]
    everything = [notebook.name for notebook in steps.notebooks]
    until = [steps.named(word) for word in wishes.until]
    wanted = [name for name in everything if name in only] if only else steps.needed(until or everything)
    force = wishes.force.lower() not in ("", "0", "no", "false")
    if not re.fullmatch(r"[0-9]{0,4}", wishes.jobs):
        raise RunError(f"JOBS={shown(wishes.jobs)} must be how many steps may run at once, such as JOBS=1.")
    folder = project.outputs / run
    given = {n.name: staleness.deciding(checked.of(n)) for n in steps.notebooks}
    state = State(folder, given, Modules(project), Contents(folder), force)
    return Request(
        project, run, steps, checked, tuple(wanted), bool(only), force, int(wishes.jobs or 0), state
    )


def run_name(given: str | None, file: Path) -> str:
    """The run's name: RUN, or the parameters file's own."""
    name = given or file.stem
    taken = name.lower().startswith("mlflow.db") or name.lower() in RESERVED
    if taken or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
        raise ParameterError(
            f"RUN={shown(name)} cannot name a run: use at most 100 letters, digits, `-`, `_` and `.`; "
            f"{', '.join(RESERVED)} are taken."
        )
    return name
