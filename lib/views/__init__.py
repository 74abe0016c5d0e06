"""The pictures of a problem: those that every problem has, and its own.

What they draw with is in `lib.plots`; a problem's own stand in the module that `Dataset.views` names, which
is imported here, at first use: most steps never draw.
"""

import importlib

from lib.problem import Dataset
from lib.views import columns, rows, target
from lib.views.view import View


def of(dataset: Dataset) -> dict[str, View]:
    """All pictures of a problem by name: first those that every problem has, then its own."""
    return {**standard(dataset), **own(dataset)}


def standard(dataset: Dataset) -> dict[str, View]:
    """The pictures of any problem, in the order in which they are best looked at."""
    number = dataset.task == "regression"
    return {
        "arrivals": rows.arrivals(dataset) if dataset.when else rows.order(dataset),
        "target": target.number(dataset) if number else target.classes(dataset),
        "missing": rows.missing(dataset),
        "frequent": rows.frequent(dataset),
        "numbers": rows.numbers(dataset),
        "with_target": columns.with_columns(dataset),
        "closest": columns.along_columns(dataset) if number else columns.class_profile(dataset),
    }


def own(dataset: Dataset) -> dict[str, View]:
    """The pictures that only this problem has."""
    return dict(importlib.import_module(dataset.views).VIEWS) if dataset.views else {}


def read_own(dataset: Dataset) -> str:
    """Where the pictures that only this problem has are made, or how it would get one."""
    where = f"`lib/datasets/{dataset.name}/`"
    if own(dataset):
        file = dataset.views.replace(".", "/")
        return f"They are made in `{file}.py`: a `View` is a question, a picture, and an answer."
    return (
        f"This problem has no picture of its own yet. To add one, write a module `views` in {where} with "
        "`VIEWS`, a dictionary of `lib.views.view.View`, and name it as `views` in the `Dataset`."
    )
