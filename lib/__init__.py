"""Helpers of the workbook: one noun a module. Notebooks call these; `lib.runner` runs notebooks."""

import sys

#: What an earlier workbook called the things of `lib` that notebooks use, and where each is now.
MOVED = {
    "steps": "lib.step",
    "inference": "lib.packaging and lib.runtime.inference",
    "features": "lib.runtime.encoders",
    "models": "lib.runtime.models",
    "pages": "lib.notebook_source",
    "profile": "lib.profiling and lib.display",
    "problem.Dataset.own_views": "lib.views.own(dataset)",
    "scores": "lib.evaluation.scores",
    "serving": "lib.packaging",
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


class _Moved:
    """Refuses, in whichever way it is written, the import of what has moved, with where that is now."""

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> None:
        """Asked last, when no such module is there."""
        name = fullname.removeprefix("lib.")
        if name != fullname and name in MOVED:
            raise moved(name)


sys.meta_path.append(_Moved())
