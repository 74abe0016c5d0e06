"""From what a user asked (PARAMS, P, RUN, STEPS, FORCE) to a checked plan; then to the runner, if need be.

Standard library and YAML only: this is all that a run with nothing to do costs.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.errors import RunError, StepError
from lib.pipeline import params, plan, record, signals, terminal
from lib.pipeline import project as files
from lib.pipeline.project import Project


@dataclass(frozen=True)
class Session:
    """One start of the runner, checked: what to run, with which parameters, where."""

    project: Project
    run: str
    graph: plan.Graph
    parameters: params.Parameters
    wanted: tuple[str, ...]
    only: bool  # STEPS: exactly these, not what they need
    force: bool
    jobs: int

    @property
    def folder(self) -> Path:
        """outputs/<run>."""
        return self.project.outputs / self.run

    def given(self, name: str) -> dict:
        """The parameters that a step is given."""
        return self.parameters.of(self.graph[name])

    def state(self) -> plan.State:
        """What is there now."""
        given = {n.name: record.deciding(self.given(n.name)) for n in self.graph.notebooks}
        modules, contents = record.Modules(self.project), record.Contents(self.folder)
        return plan.State(self.folder, given, modules, contents, self.force)

    def planned(self) -> list[plan.Planned]:
        """What would run now, and why; with STEPS, what these need must be there."""
        if self.only:
            self._have_inputs()
        return plan.plan(self.graph, self.state(), self.wanted)

    def _have_inputs(self) -> None:
        """A thing counts as there when the step that writes it is done: one cut off leaves old beside new."""
        for name in self.wanted:
            for thing in self.graph[name].reads:
                writer = self.graph.writers[thing]
                done = record.Place(self.folder, writer).record.exists()
                if writer not in self.wanted and not (done and files.find(self.folder, thing)):
                    target = self.graph[writer].target
                    raise StepError(
                        f"{name} reads {thing!r}, which is not done in {self.project.shown(self.folder)}; "
                        f"run `make {target}` first, or add {target} to STEPS."
                    )


def ask(environment: Mapping[str, str], words: list[str], project: Project | None = None) -> Session:
    """Read and check all that was asked; whatever is wrong is said before anything runs."""
    project = project or files.here()
    graph = plan.graph(project)
    shown = environment.get("PARAMS") or "params/quickstart.yaml"
    file = Path(shown) if Path(shown).is_absolute() else project.root / shown
    run = params.run_name(environment.get("RUN"), file)
    values = params.load(file, shown)
    checked = params.check(project, graph.notebooks, shown, values, environment.get("P", ""))
    checked.values["run"] = run
    steps = environment.get("STEPS", "").replace(",", " ").split()
    named = [graph.named(word) for word in steps or words]
    everything = [n.name for n in graph.notebooks]
    wanted = [n for n in everything if n in named] if steps else graph.needed(named or everything)
    force = environment.get("FORCE", "").lower() not in ("", "0", "no", "false")
    jobs = environment.get("JOBS", "")
    if jobs and not jobs.isdigit():
        raise RunError(f"JOBS={jobs!r} must be how many steps may run at once, such as JOBS=1.")
    return Session(
        project, run, graph, checked, tuple(wanted), bool(steps), force, int(jobs or 0) or _cores()
    )


def _cores() -> int:
    return max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def show_plan(session: Session) -> int:
    """`make plan`: what would run and why, without running it."""
    found = session.planned()
    print(f"Run {session.run} ({session.parameters.file}):")
    print("\n".join(terminal.planned(found)))
    return 0


def run(session: Session) -> int:
    """`make pipeline`: plan, and run what is out of date."""
    started = time.monotonic()
    signals.die_with_make()
    with locked(session.folder):
        found = session.planned()
        if not any(step.reasons for step in found) and not left_open(session.folder):
            spent = time.monotonic() - started
            print(f"All {len(found)} steps of run {session.run} are up to date ({spent:.2f} s to see it).")
            return 0
        from lib.pipeline import nursery

        warm = nursery.Nursery(session.project)  # it imports while the runner does
        try:
            # jsonschema would load a grammar of URIs, in 0.9 s, for formats that notebooks do not have
            sys.modules.setdefault("rfc3987_syntax", None)
            from lib.pipeline import run as runner

            return runner.Runner(session, found, warm).go()
        finally:
            warm.close()


def left_open(folder: Path) -> list[Path]:
    """Notes of tracked runs that nobody closed, and notebooks that were cut off."""
    notebooks = folder / "notebooks"
    return [*notebooks.glob(".*.open.json"), *notebooks.glob(".*.running.ipynb")]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the run's lock; a second start of the same run is refused, naming who has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a+")
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror}); set WORKBOOK_OUTPUTS to a folder that can."
        ) from error
    with file:
        try:
            import fcntl
        except ImportError:  # Windows: no lock
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise RunError(
                f"Run {folder.name} is already running ({holder}). Wait for it, or name another: RUN=name."
            ) from None
        with contextlib.suppress(OSError):  # a full disk: the lock holds, it only does not say whose it is
            file.seek(0)
            file.truncate()
            os.write(file.fileno(), f"process {os.getpid()}, since {time.strftime('%H:%M:%S')}".encode())
        yield
