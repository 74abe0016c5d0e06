"""The problems: one module each. `load(name, options)` is how a notebook gets one."""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from lib.datasets.base import Dataset
from lib.errors import ParameterError


def names() -> list[str]:
    """The problems there are: the modules of this package, without `base` and the private ones."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if name != "base" and not name.startswith("_"))


def load(name: str, options: Mapping[str, Any] | None = None) -> Dataset:
    """The problem `name` with its `options` bound; only that problem's module is imported."""
    if name not in names():
        raise ParameterError(f"There is no problem {name!r} in lib/datasets/; there are {names()}.")
    return importlib.import_module(f"lib.datasets.{name}").DATASET.with_options(options or {})
