"""How far one run is: what waits, runs, is done, and what has failed."""

import time
from typing import TYPE_CHECKING

from lib.records import FailedStep, StepRecord
from lib.runner.plan import Request

if TYPE_CHECKING:
    from lib.runner.execute import Execution


class Progress:
    """How far one run is: what waits, runs, is done, and what has failed."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.planned = request.plan()
        self.waiting = [step.name for step in self.planned]
        self.running: dict[str, Execution] = {}
        self.done: dict[str, StepRecord] = {}
        self.failed: dict[str, FailedStep] = {}
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """What its own steps took, one after another; what is linked takes none."""
        return sum(record.seconds for record in self.done.values())

    def ready(self) -> list[str]:
        """The steps that have all they need, those first that most others wait for."""
        graph = self.request.graph
        ready = [n for n in self.waiting if not set(graph.before(n)) & {*self.waiting, *self.running}]
        needed = [graph.needed([other]) for other in self.waiting]
        return sorted(ready, key=lambda name: -sum(name in names for names in needed))

    def does(self, name: str, other: "Progress") -> bool:
        """Whether it runs at this moment the very step that `other` is about to start."""
        step, state = self.running.get(name), other.request.state
        same = step is not None and self.request.state.parameters[name] == state.parameters[name]
        return same and step is not None and step.inputs == state.contents.digests(step.page.reads)
