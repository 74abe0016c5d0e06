"""The capstone: a problem of the learner's own, judged in stages by what is really there.

A stage needs steps of the run to be done, and asks criteria, one after another: each is a function that says
what it saw, or raises `Unmet` with what is missing and what to do. Stages after one that is not passed are
not asked. What the criteria read is in `evidence`; `lib.cli.capstone` prints it. docs/capstone.md says why.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lib.grading.capstone import of_model, of_problem
from lib.grading.capstone.evidence import Evidence, Unmet

Criterion = Callable[[Evidence], str]


@dataclass(frozen=True)
class Stage:
    """One stage: its name, the steps that must be done before anything is asked, and what is asked."""

    name: str
    steps: Sequence[str]
    criteria: Sequence[Criterion]


@dataclass(frozen=True)
class Standing:
    """How a stage stands: what was seen where it is passed, else what is unmet; neither: it was not asked."""

    stage: Stage
    saw: Sequence[str] = ()
    unmet: Sequence[Unmet] = ()

    @property
    def asked(self) -> bool:
        """Whether the stages before it are passed."""
        return bool(self.saw or self.unmet)

    @property
    def passed(self) -> bool:
        """Whether all its criteria are met."""
        return bool(self.saw) and not self.unmet


def judge(evidence: Evidence) -> Iterator[Standing]:
    """Every stage in order; those after one that is not passed are not asked."""
    reached = True
    for stage in STAGES:
        standing = _asked(stage, evidence) if reached else Standing(stage)
        reached = standing.passed
        yield standing


def _asked(stage: Stage, evidence: Evidence) -> Standing:
    saw, unmet = [], []
    try:
        for step in stage.steps:
            evidence.step(step)
    except Unmet as one:
        return Standing(stage, unmet=[one])
    for criterion in stage.criteria:
        try:
            saw.append(criterion(evidence))
        except Unmet as one:
            unmet.append(one)
            if criterion in NEEDED:
                break
    return Standing(stage, [one for one in saw if one], unmet)


STAGES = (
    Stage(
        "The problem is described",
        (),
        (
            of_problem.loads,
            of_problem.titled,
            of_problem.meant,
            of_problem.measured,
            of_problem.asked,
            of_problem.costly,
            of_problem.owned,
            of_problem.worded,
            of_problem.columns,
            of_problem.known,
        ),
    ),
    Stage("The rows are yours, and clean", ("01_ingest", "02_eda"), (of_problem.own, of_problem.cleaned)),
    Stage(
        "Honest splits",
        ("03_prep",),
        (of_problem.apart, of_problem.ordered, of_problem.grouped, of_problem.minded),
    ),
    Stage("The search", ("04_tune",), (of_model.families, of_model.enough, of_model.chosen)),
    Stage("A model that knows something", ("05_train",), (of_model.beats, of_model.covers, of_model.early)),
    Stage("The champion", (), (of_model.in_use, of_model.champion, of_model.described)),
)

#: Without these the others of their stage cannot be asked.
NEEDED = (of_problem.loads, of_model.in_use, of_model.champion)
#: The stages by number and name, as they are shown and kept.
NAMED = {f"{number} {stage.name}": stage for number, stage in enumerate(STAGES, 1)}
