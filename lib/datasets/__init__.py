"""The problems, a package each, loaded by name alone: `lib.problem.load("green_taxi")`."""

from lib import MOVED, moved


def __getattr__(name: str) -> object:
    """`datasets.load`, as an earlier workbook had it, is refused with where that is now."""
    if f"datasets.{name}" in MOVED:
        raise moved(f"datasets.{name}")
    raise AttributeError(f"module 'lib.datasets' has no attribute {name!r}")
