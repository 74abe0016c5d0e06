"""The commands of the course: lessons, exercises and their checks, progress, the capstone, and the book."""

import os

import click

from lib import paths
from lib.cli.given import named

_LESSON = named("lesson", "The number of one lesson (01), or its file; by default all.")


@click.command()
@_LESSON
def lessons(lesson: str) -> int:
    """Run the lessons, each by itself, into the outputs."""
    from lib.cli import lessons as running

    if mirror := paths.mirror():
        os.environ["DATA_MIRROR"] = str(mirror)  # of a page, which runs in a folder of its own
    return running.run(paths.here(), lesson)


@click.command()
@_LESSON
@named("solution", "1: ask the solution in place of what was filled in.")
def check(lesson: str, solution: str) -> int:
    """Run an exercise as it was filled in, and say what each of its checks says."""
    from lib.cli import check as running

    return running.check(paths.here(), lesson, solution.lower() not in ("", "0", "no", "false"))


@click.command()
@_LESSON
def exercises(lesson: str) -> int:
    """Make the exercises with blanks anew of their sources."""
    from lib.grading import blanks

    for line in blanks.write(paths.here(), lesson):
        click.echo(line)
    return 0


@click.command()
def progress() -> int:
    """Which checks of which exercises have passed."""
    from lib.grading import progress as keeping
    from lib.runner import terminal

    project = paths.here()
    click.echo("\n".join(terminal.table(keeping.table(project))))
    click.echo(f"Kept in {project.shown(project.outputs / keeping.NAME)}, on this machine alone.")
    return 0


@click.command()
@click.option("--params", "file", envvar="PARAMS", default="", help="The parameters file of your problem.")
@click.option("--overrides", envvar="P", default="", help='Other values: "max_evals=50 seed=1".')
@named("run", "The run's name; by default the parameters file's.")
def capstone(file: str, overrides: str, run: str) -> int:
    """Go through the rubric of the capstone on a problem of your own."""
    from lib.cli import capstone as judging
    from lib.runner.plan import Wishes

    return judging.show(Wishes(file=file, overrides=overrides, run=run), paths.here())


@click.command()
@click.option("--params", "file", envvar="PARAMS", default="", help="The run of this parameters file.")
@click.option("--overrides", envvar="P", default="", help='Other values: "max_evals=50 seed=1".')
@named("run", "The run whose pages are shown; by default the last.")
def book(file: str, overrides: str, run: str) -> int:
    """The executed pages, lessons, exercises and docs as a book; runs first what it lacks."""
    from lib.cli import book as making
    from lib.runner.plan import Wishes

    if mirror := paths.mirror():
        os.environ["DATA_MIRROR"] = str(mirror)
    return making.make(paths.here(), Wishes(file, overrides, run))


@click.command()
def docs() -> int:
    """Write anew the pages of docs/ that are made of the code."""
    from lib.cli import options_page

    click.echo(options_page.write(paths.here()))
    return 0


COMMANDS = (lessons, check, exercises, progress, capstone, book, docs)
