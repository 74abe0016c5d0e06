"""Helpers of the workbook: one noun a module. Notebooks call these; `lib.runner` runs notebooks."""

#: What an earlier workbook called the things of `lib` that notebooks use, and where each is now.
MOVED = {
    "steps": "lib.step",
    "inference": "lib.packaging and lib.runtime.inference",
    "features": "lib.runtime.encoders",
    "models": "lib.runtime.models",
    "pages": "lib.notebook_source",
    "profile": "lib.profiling and lib.display",
    "scores": "lib.evaluation.scores",
    "show": "lib.display",
    "used": "lib.dependencies",
    "pipeline": "lib.runner, which `python -m lib.cli pipeline` starts",
    "datasets.base": "lib.problem",
    "datasets.load": "lib.problem.load",
    "datasets.names": "lib.problem.names",
    "plots.explain": "lib.plots.attributions",
    "plots.search": "lib.plots.searches",
    "plots.show": "lib.display",
    "problem.Dataset.views": "lib.views.of(dataset)",
    "tuning.choose": "lib.tuning.selection",
}


def moved(name: str) -> ImportError:
    """The error for a name of `MOVED`: where that is now."""
    return ImportError(
        f"lib.{name} is {MOVED[name]} now; docs/from-an-earlier-workbook.md lists what has moved."
    )


def __getattr__(name: str) -> object:
    """`from lib import inference`, as an earlier workbook had it, is refused with where that is now."""
    if name in MOVED:
        raise moved(name)
    raise AttributeError(f"module 'lib' has no attribute {name!r}")
