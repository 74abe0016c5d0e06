"""The commands. P, PARAMS, STEPS, FORCE and JOBS count from the environment as well; what names a thing
(RUN, NAME, MODEL, VERSION, …) only where it was given on a command line: make hands those on as GIVEN_<name>.
"""

import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from lib import files, paths, redaction
from lib.cli import course
from lib.cli.given import named
from lib.errors import ParameterError, WorkbookError, one_line
from lib.runner import signals
from lib.runner.plan import Wishes

_SET_DEATH_SIGNAL = 1  # of Linux's `prctl`
DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
_F = TypeVar("_F", bound=Callable[..., object])


def _wishes(function: _F) -> _F:
    """The options of every command that plans a run, called as the fields of `Wishes` are."""
    for option in (
        click.option("--params", "file", envvar="PARAMS", default="", help="The parameters file."),
        click.option("--overrides", envvar="P", default="", help='Other values: "max_evals=50 seed=1".'),
        named("run", "The run's name; by default the parameters file's."),
        click.option("--steps", envvar="STEPS", default="", help="Exactly these steps: eda,prep."),
        click.option("--force", envvar="FORCE", default="", help="1: run what is up to date, too."),
        click.option("--jobs", envvar="JOBS", default="", help="Steps at once."),
    ):
        function = option(function)
    return function


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The MLOps workbook: numbered notebooks as a pipeline. `make help` lists the same by its targets."""
    _die_with_make()
    if os.environ.get("RUN"):
        click.echo(
            f"RUN={os.environ['RUN']} in the environment is not read: write it after make, as in RUN=name.",
            err=True,
        )


@main.command()
@click.argument("step", nargs=-1)
@_wishes
def pipeline(step: tuple[str, ...], **wishes: str) -> int:
    """Run what is out of date: of all the notebooks, or of STEP and what it needs."""
    from lib.runner import plan, start

    return start.pipeline(plan.ask(Wishes(until=step, **wishes)))


@main.command()
@click.argument("step", nargs=-1)
@_wishes
def plan(step: tuple[str, ...], **wishes: str) -> int:
    """Say which steps would run and why, without running them."""
    from lib.runner import plan as planning
    from lib.runner import terminal

    request = planning.ask(Wishes(until=step, **wishes))
    click.echo(f"Run {request.run} ({request.parameters.file}):")
    click.echo("\n".join(terminal.planned(request.plan())))
    return DONE


@main.command()
def status() -> int:
    """The last run of each run name, step by step."""
    from lib.runner import status as standing

    return standing.show(paths.here())


@main.command()
@_wishes
def sweep(**wishes: str) -> int:
    """The grid of P="feature_set=zoomcamp,rich max_evals=10,20", compared."""
    from lib.runner import sweep as sweeping

    return sweeping.sweep(Wishes(until=(), **wishes))


@main.command("all-problems")
@_wishes
def all_problems(**wishes: str) -> int:
    """Every problem there is, small and on generated data."""
    from lib.runner import sweep as sweeping

    return sweeping.all_problems(Wishes(until=(), **wishes), paths.here())


@main.command()
@_wishes
def options(**wishes: str) -> int:
    """The options of the problem in PARAMS, its feature sets and families of models."""
    from lib.cli import options as printing

    return printing.show(Wishes(until=(), **wishes), paths.here())


@main.command("new-problem")
@named("name", "What the problem is called.")
@named("data", "A CSV or Parquet file.")
@named("target", "The column to predict.")
def new_problem(name: str, data: str, target: str) -> int:
    """Write a problem of your own from a file."""
    from lib import scaffold

    lacking = [key for key, value in (("NAME", name), ("DATA", data), ("TARGET", target)) if not value]
    if lacking:
        example = "make new-problem NAME=churn DATA=path/to/file.csv TARGET=column"
        raise ParameterError(f"{' and '.join(lacking)} not given: {example}.")
    click.echo(scaffold.new_problem(name, data, target))
    return DONE


def _model(function: _F) -> _F:
    """The options of every command on a registered model."""
    for option in (
        named("model", "The registered name."),
        named("alias", "The alias to move; by default champion."),
        click.option("--params", envvar="PARAMS", default="", help="The parameters file of the problem."),
    ):
        function = option(function)
    return function


def _alias(given: str) -> str:
    """The alias that is meant; what cannot be one is refused before the registry is asked."""
    from lib.notebook_source import annotations, limits

    try:
        return limits.alias(given or "champion")
    except annotations.Misfit as error:
        raise ParameterError(f"ALIAS must be {error}.") from None


@main.command()
@_model
def versions(model: str, alias: str, params: str) -> int:
    """The registered versions of a model and their aliases."""
    _alias(alias)
    from lib import registry

    click.echo(registry.versions(registry.named(model, params)).to_string())
    return DONE


@main.command()
@_model
@named("version", "A number or an alias; by default the challenger.")
def promote(model: str, version: str, alias: str, params: str) -> int:
    """Point an alias to a version."""
    alias = _alias(alias)
    from lib import registry

    name = registry.named(model, params)
    click.echo(f"{registry.promote(name, version or registry.CHALLENGER, alias)} is the {alias} now.")
    return DONE


@main.command()
@_model
def rollback(model: str, alias: str, params: str) -> int:
    """Point an alias to the version that held it before."""
    alias = _alias(alias)
    from lib import registry

    name = registry.named(model, params)
    click.echo(f"{registry.rollback(name, alias)} is the {alias} again.")
    return DONE


@main.command()
@_model
@named("version", "A number or an alias.")
@named("reason", "Why, for whoever asks later.")
def retire(model: str, alias: str, params: str, version: str, reason: str) -> int:
    """Take a version out of use for good: no alias, no contest."""
    _alias(alias)
    lacking = [key for key, value in (("VERSION", version), ("REASON", reason)) if not value.strip()]
    if lacking:
        example = 'make retire VERSION=2 REASON="a column told it the target"'
        raise ParameterError(f"{' and '.join(lacking)} not given: {example}.")
    from lib import registry

    gone, held = registry.retire(registry.named(model, params), version, reason)
    after = f" It held {', '.join(held)}, which nobody does now." if held else ""
    click.echo(f"{gone} is retired ({gone.retired}): it holds no alias and is in no contest.{after}")
    return DONE


for command in course.COMMANDS:
    main.add_command(command)


@main.command("wandb-sync")
def wandb_sync() -> int:
    """Send the offline W&B runs, if there is a key."""
    from lib import tracking

    return tracking.sync(paths.outputs())


@main.command("kernel-name")
@click.argument("notebooks", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mend", is_flag=True, help="Name it where another is named.")
def kernel_name(notebooks: tuple[Path, ...], mend: bool) -> int:
    """Refuse notebooks that name another kernel than python3."""
    from lib.cli import kernel_name as kernels

    (kernels.mend if mend else kernels.check)(notebooks)
    return DONE


def boundary(words: list[str]) -> int:
    """Run one command; whatever this project raises on purpose becomes one line and an exit code."""
    try:
        _speak_to_any_terminal()
        with signals.handled(signals.raises):
            code = main.main(words, prog_name="workbook", standalone_mode=False)
        return int(code or DONE)
    except click.ClickException as error:
        return _refuse(f"{error.format_message()} `make help` lists all commands.")
    except (KeyboardInterrupt, click.Abort, signals.Stopped) as stop:
        how = str(stop) or "interrupted with Ctrl-C"
        print(f"✗ The run was {how}. What is done is kept.", file=sys.stderr)
        return INTERRUPTED
    except (WorkbookError, _imported("lib.runtime.errors", "InferenceError")) as error:
        return _refuse(error)
    except _imported("mlflow.exceptions", "MlflowException") as error:
        where = redaction.text(paths.tracking_uri(paths.outputs()))
        return _refuse(f"MLflow at {where} did not do it. Is it up, and may you? It said: {error}")
    except OSError as error:
        remedy = " Is there room, and may it be written?" if error.errno in files.REMEDIES else ""
        return _refuse(f"The system said: {error}.{remedy}")


def _refuse(why: object) -> int:
    """Say in one line why nothing is done."""
    print(f"✗ {one_line(redaction.text(str(why)))}", file=sys.stderr)
    return REFUSED


def _speak_to_any_terminal() -> None:
    """What a terminal cannot show (a tick, on a Latin-1 or ASCII one) becomes a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _die_with_make() -> None:
    """On Linux, have the system send SIGTERM to this process when the make that started it dies."""
    if os.environ.get("MAKELEVEL"):
        with contextlib.suppress(OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)


def _imported(module: str, name: str) -> type[Exception]:
    """The root of another's errors, if the module that has it was imported at all."""
    found: type[Exception] = getattr(sys.modules.get(module), name, WorkbookError)
    return found


if __name__ == "__main__":
    ended = boundary(sys.argv[1:])
    gc.freeze()  # what ends with the process is not looked through for circles first: 20 ms of a start
    sys.exit(ended)
