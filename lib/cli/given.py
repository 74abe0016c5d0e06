"""Options of commands that name a thing: they count only where they were given on a command line."""

from collections.abc import Callable
from typing import TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., object])


def named(name: str, meaning: str) -> Callable[[_F], _F]:
    """An option that names a thing: never taken from an environment variable of that bare name."""
    return click.option(f"--{name}", envvar=f"GIVEN_{name.upper()}", default="", help=meaning)
