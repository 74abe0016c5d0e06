"""`make capstone`: the rubric of docs/capstone.md on a problem of the learner's own."""

from lib.errors import ParameterError
from lib.grading import capstone, progress
from lib.grading.capstone.evidence import Evidence
from lib.paths import Project
from lib.records import FailedStep
from lib.runner.plan import Request, Wishes, ask
from lib.runner.terminal import Terminal


def show(wishes: Wishes, project: Project, terminal: Terminal | None = None) -> int:
    """Say of each stage that it is passed, or what is missing and what to do next; 0 if all are passed."""
    if not wishes.file:
        raise ParameterError("PARAMS not given: make capstone PARAMS=params/<yours>.yaml.")
    terminal, request = terminal or Terminal(), ask(wishes, project)
    evidence = Evidence(
        project=project,
        params=wishes.file,
        problem=request.problem,
        run=request.run,
        options=request.parameters.values.get("options", {}),
        due=_due(request),
    )
    terminal.say(
        f"The capstone on {evidence.problem} ({evidence.params}, {project.shown(evidence.folder)}):\n"
    )
    passed, kept = 0, progress.of_capstone(evidence.problem)
    for name, standing in zip(capstone.NAMED, capstone.judge(evidence), strict=True):
        if standing.asked:
            terminal.say("\n".join(_lines(name, standing, terminal)))
            progress.note(project.outputs, kept, name, standing.passed)
        else:
            terminal.say(f"{terminal.mark('·')} {name}: asked when stage {passed + 1} is passed")
        passed += standing.passed
    terminal.say(
        f"\n{passed} of {len(capstone.STAGES)} stages passed. docs/capstone.md says what each asks, and why."
    )
    return int(passed < len(capstone.STAGES))


def _due(request: Request) -> dict[str, str]:
    """Each step that would run, with what went wrong last time, or why."""
    due = {}
    for step in request.plan():
        failure = FailedStep.read(request.place(step.name).failure)
        if failure:
            due[step.name] = f"it failed, {failure.error.strip().splitlines()[0]}"
        elif step.reasons:
            due[step.name] = "; ".join(step.reasons)
    return due


def _lines(name: str, standing: capstone.Standing, terminal: Terminal) -> list[str]:
    """A stage, and what was seen of it, or what is missing and what to do next."""
    if standing.passed:
        return [f"{terminal.mark('✓')} {name}", *(f"    {one}" for one in standing.saw)]
    told = [line for one in standing.unmet for line in (f"    {one.missing}", f"      → {one.remedy}")]
    return [f"{terminal.mark('✗')} {name}", *told]
