"""`make check`: an exercise run to its end without JupyterLab, and what each of its checks says."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from lib import files, grading
from lib.errors import one_line
from lib.grading import blanks
from lib.notebook_source import lessons
from lib.paths import Project
from lib.runner import kernels
from lib.runner.terminal import Terminal

#: Seconds that one cell of an exercise may take.
CELL_TIMEOUT = 60


def check(
    project: Project, lesson: str = "", solution: bool = False, terminal: Terminal | None = None
) -> int:
    """Run the exercise of a lesson, or all; 0 when every check passed, else 1.

    With `solution` the source is asked in place of what the learner wrote, and no progress is kept.
    """
    terminal = terminal or Terminal()
    passed = asked = 0
    sources = lessons.find(project.exercises / blanks.SOURCES, lesson)
    for source in sources:
        page = source if solution else project.exercises / source.name
        terminal.say(f"{project.shown(page)}")
        with files.temporary_folder() as work:
            outputs = work / "outputs" if solution else project.outputs
            outcomes, trouble = _run(page, work, Project(project.root, outputs))
        for line in trouble:
            terminal.say(f"  {line}")
        for name in blanks.answers(source):
            found = outcomes.get(name) or grading.Outcome(name, False, f"✗ {name}: its check did not run.")
            sign, rest = found.text[0], found.text[1:]
            terminal.say("\n".join(f"  {line}" for line in (terminal.mark(sign) + rest).splitlines()))
            passed, asked = passed + found.passed, asked + 1
    terminal.say(f"{passed} of {asked} checks passed.")
    return int(passed < asked)


def _run(page: Path, work: Path, project: Project) -> tuple[dict[str, grading.Outcome], list[str]]:
    """What the checks of a page said, by their names, and the errors of its other cells, a line each."""
    notebook = nbformat.read(page, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(work)}},
    )
    trouble = []
    try:
        client.execute(env=kernels.environment(project))
    except (CellTimeoutError, DeadKernelError) as error:
        trouble.append(f"✗ {one_line(f'{type(error).__name__}: {error}')}")
    given = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = [output.data[grading.MIME] for output in given if grading.MIME in output.get("data", {})]
    return {one["check"]: grading.Outcome(**one) for one in said}, [*_errors(notebook), *trouble]


def _errors(notebook: NotebookNode) -> list[str]:
    """The errors of cells, which a run to the end has gone past."""
    return [
        one_line(f"✗ cell [{cell.execution_count}]: {output.ename}: {output.evalue}")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
