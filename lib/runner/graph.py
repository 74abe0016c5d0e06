"""The graph of steps, as the notebooks' Step lines draw it. Standard library only."""

import graphlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from lib import notebook_source, paths
from lib.errors import StepError, did_you_mean
from lib.notebook_source import Notebook
from lib.paths import Project


@dataclass(frozen=True)
class Graph:
    """The notebooks in an order in which each comes after those that write what it reads."""

    notebooks: tuple[Notebook, ...]

    def __getitem__(self, name: str) -> Notebook:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Notebook]:
        return {notebook.name: notebook for notebook in self.notebooks}

    @cached_property
    def writers(self) -> dict[str, str]:
        """Who writes what: the thing's name to the step's."""
        return {thing: n.name for n in self.notebooks for thing in n.writes}

    def before(self, name: str) -> list[str]:
        """The steps whose outputs `name` reads."""
        writers = {self.writers[thing] for thing in self[name].reads}
        return [n.name for n in self.notebooks if n.name in writers]

    def needed(self, names: Iterable[str]) -> list[str]:
        """`names` and all the steps that they need, in order."""
        needed, queue = set(), list(names)
        while queue:
            name = queue.pop()
            if name not in needed:
                needed.add(name)
                queue.extend(self.before(name))
        return [n.name for n in self.notebooks if n.name in needed]

    def named(self, word: str) -> str:
        """The step that a user calls `tune`, `04` or `04_tune`."""
        for notebook in self.notebooks:
            if word in (notebook.name, notebook.target, notebook.name.split("_", 1)[0]):
                return notebook.name
        targets = [n.target for n in self.notebooks]
        hint = did_you_mean(word, targets)
        raise StepError(f"There is no step {word!r}.{hint} The steps are {', '.join(targets)}.")


def read(project: Project) -> Graph:
    """Read every `notebooks/NN_name.ipynb` and order them; a graph that cannot run is an error."""
    found = sorted(project.notebooks.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise StepError(f"There are no notebooks named like 01_ingest.ipynb in {project.notebooks}.")
    notebooks = [notebook_source.read(path) for path in found]
    writers: dict[str, str] = {}
    for notebook in notebooks:
        for thing in notebook.writes:
            if thing.lower() in paths.RESERVED or not re.fullmatch(r"[A-Za-z]\w*", thing):
                taken = ", ".join(paths.RESERVED)
                raise StepError(
                    f"{notebook.name} writes {thing!r}: such a name is of letters, digits and _, and none of "
                    f"those that a run keeps for itself ({taken})."
                )
            if same := next((other for other in writers if other.lower() == thing.lower()), ""):
                alike = "" if same == thing else f" (to a disk that knows no capitals {same!r} is the same)"
                both = f"Both {writers[same]} and {notebook.name} write"
                raise StepError(f"{both} {thing!r}{alike}; only one step may.")
            writers[thing] = notebook.name
    for notebook in notebooks:
        for thing in notebook.reads:
            if thing not in writers:
                hint = did_you_mean(thing, writers)
                raise StepError(f"{notebook.name} reads {thing!r}, which no step writes.{hint}")
    return Graph(tuple(_ordered(notebooks, writers)))


def _ordered(notebooks: list[Notebook], writers: dict[str, str]) -> list[Notebook]:
    """Always the first by number of those whose inputs are there."""
    by_name = {notebook.name: notebook for notebook in notebooks}
    sorter = graphlib.TopologicalSorter({n.name: {writers[t] for t in n.reads} for n in notebooks})
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        names = ", ".join(sorted(set(error.args[1])))
        what = f"These steps wait for one another in a circle: {names}"
        raise StepError(f"{what}. See their Step lines.") from error
    ordered, ready = [], sorted(sorter.get_ready())
    while ready:
        name = ready.pop(0)
        ordered.append(by_name[name])
        sorter.done(name)
        ready = sorted([*ready, *sorter.get_ready()])
    return ordered
