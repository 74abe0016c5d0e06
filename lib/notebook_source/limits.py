"""What a parameter may be beyond its type: numbers in a range, words of a choice, names of what there is.

A parameter means one thing in every notebook, so its limits stand here once, by its name. Options of a
problem have theirs in its `Options` class. Standard library only.
"""

import re
from collections.abc import Mapping, Sequence

from lib.errors import nearest
from lib.notebook_source import annotations, gpu, hyperparameters, problems
from lib.notebook_source.annotations import Misfit
from lib.paths import Project
from lib.wording import shown

#: The least and the most that a number may be (None: no bound), and whether neither may be taken itself.
RANGES: Mapping[str, tuple[float | None, float | None, bool]] = {
    "rows": (1, None, False),
    "sample": (1, None, False),
    "seed": (0, 2**32 - 1, False),  # as NumPy's and scikit-learn's generators take them
    "alpha": (0, 1, True),
    "max_evals": (1, None, False),
    "timeout_s": (1, None, False),
    "parallel": (1, None, False),
    "threads": (1, None, False),
    "patience": (0, None, False),
    "folds": (0, None, False),
    "early_stopping_rounds": (1, None, False),
    "draws": (1, None, False),
    "explained": (1, None, False),
    "step_timeout_s": (1, None, False),
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "source": ("generated", "published"),
    "on_drift": ("warn", "fail"),
    "algo": ("tpe", "random", "anneal"),
    "device": ("cpu", "cuda"),
}
#: By task what boosting may watch; of `early_stopping_metric` the empty text is the problem's own metric.
METRICS: Mapping[str, tuple[str, ...]] = {
    "regression": ("rmse", "mae", "r2"),
    "classification": ("auc", "log_loss", "accuracy", "f1"),
}
#: Parameters that have another name now.
RENAMED: Mapping[str, str] = {"workers": "parallel"}
#: The alias of the last version that did not win; the registry moves it itself.
CHALLENGER = "challenger"


def check(
    project: Project, problem: str | None, name: str, value: object, families: Sequence[str] = ()
) -> None:
    """Refuse with a Misfit a value of the parameter `name` that nothing could be done with.

    `families` are those that the search is given; where there are none, no hyperparameter is looked at.
    """
    if name in RANGES and isinstance(value, int | float):
        annotations.within(value, *RANGES[name])
    if name == "rows" and problem:
        annotations.fit(value, problems.rows(project, problem))
    if name in CHOICES:
        annotations.among(value, CHOICES[name])
    if name == "problem" and problem and project.datasets.is_dir():
        problems.training(project, problem)
    if name == "alias" and alias(str(value)) == CHALLENGER:
        raise Misfit(f"another name than {CHALLENGER!r}, which is what a model that does not win is called")
    if name == "folds" and value == 1:
        raise Misfit("0 (the validation rows score) or at least 2, not 1")
    if name == "early_stopping_metric" and problem:
        annotations.among(value, ("", *METRICS.get(problems.task(project, problem), (value,))))
    if name in ("fixed", "space") and isinstance(value, dict) and value:
        table = hyperparameters.read(project)
        able = [one for one in families if one in table]
        if able:
            hyperparameters.check(name, value, table, able)
    if name == "device" and value == "cuda":
        gpu.require()
    if name == "feature_set" and problem:
        known, renamed = problems.feature_sets(project, problem), problems.renamed(project, problem)
        if value in renamed:
            raise Misfit(f"{renamed[value]!r}, as {value!r} is called now: its name says what it admits")
        _named([value], known, f"a feature set of {problem}")
    if name == "models" and isinstance(value, list):
        if not value or len({*map(str, value)}) < len(value):
            raise Misfit(f"one family or more, each named once, not {shown(value)}")
        task = problems.task(project, problem) if problem else ""
        _named(value, problems.families(project, task) if task else [], f"families for {task}")


def alias(name: str) -> str:
    """The name of an alias, as MLflow's registry takes one, and that is not the number of a version."""
    if not re.fullmatch(r"[\w-]{1,100}", name) or re.fullmatch(r"(?i)latest|v?\d+", name):
        raise Misfit(f"of letters, digits, - and _, and neither latest nor a version, not {shown(name)}")
    return name


def _named(names: list[object], known: list[str], what: str) -> None:
    """Names of what there is; where it cannot be read what there is (`known` is empty), any."""
    for name in names:
        if known and name not in known:
            near = nearest(str(name), known)
            hint = f" (the nearest is {near!r})" if near else ""
            raise Misfit(f"{what}, {', '.join(known)}; not {shown(name)}{hint}")
