"""The graph of steps, which of them are out of date, and why. Standard library only.

By content, never by time stamp: a step is out of date exactly when its code, a parameter that it
declares, a module of `lib` that it used, an input or an output is not what its record says.
"""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.errors import StepError
from lib.pipeline import project as files
from lib.pipeline import record, source
from lib.pipeline.project import Project


@dataclass(frozen=True)
class Graph:
    """The notebooks in an order in which each comes after those that write what it reads."""

    notebooks: tuple[source.Notebook, ...]

    def __getitem__(self, name: str) -> source.Notebook:
        return next(n for n in self.notebooks if n.name == name)

    @property
    def writers(self) -> dict[str, str]:
        """Who writes what: the thing's name to the step's."""
        return {thing: n.name for n in self.notebooks for thing in n.writes}

    def before(self, name: str) -> list[str]:
        """The steps whose outputs `name` reads."""
        found = {self.writers[thing] for thing in self[name].reads}
        return [n.name for n in self.notebooks if n.name in found]

    def needed(self, names: Iterable[str]) -> list[str]:
        """`names` and all the steps that they need, in order."""
        wanted, queue = set(), list(names)
        while queue:
            name = queue.pop()
            if name not in wanted:
                wanted.add(name)
                queue.extend(self.before(name))
        return [n.name for n in self.notebooks if n.name in wanted]

    def named(self, word: str) -> str:
        """The step that a user calls `tune`, `04` or `04_tune`."""
        for notebook in self.notebooks:
            if word in (notebook.name, notebook.target, notebook.name.split("_", 1)[0]):
                return notebook.name
        targets = [n.target for n in self.notebooks]
        near = difflib.get_close_matches(word, targets, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise StepError(f"There is no step {word!r}.{hint} The steps are {', '.join(targets)}.")


def graph(project: Project) -> Graph:
    """Read every `notebooks/NN_name.ipynb` and order them; a graph that cannot run is an error."""
    paths = sorted(project.notebooks.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise StepError(f"There are no notebooks named like 01_ingest.ipynb in {project.notebooks}.")
    notebooks = [source.read(path) for path in paths]
    writers: dict[str, str] = {}
    for notebook in notebooks:
        for thing in notebook.writes:
            if thing in writers:
                raise StepError(
                    f"Both {writers[thing]} and {notebook.name} write {thing!r}; only one step may."
                )
            writers[thing] = notebook.name
    for notebook in notebooks:
        for thing in notebook.reads:
            if thing not in writers:
                near = difflib.get_close_matches(thing, writers, 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise StepError(f"{notebook.name} reads {thing!r}, which no step writes.{hint}")
    return Graph(tuple(_ordered(notebooks, writers)))


def _ordered(notebooks: list[source.Notebook], writers: dict[str, str]) -> list[source.Notebook]:
    """Always the first by number of those whose inputs are there."""
    left, done, ordered = list(notebooks), set(), []
    while left:
        ready = next((n for n in left if all(writers[thing] in done for thing in n.reads)), None)
        if ready is None:
            names = ", ".join(n.name for n in left)
            raise StepError(f"These steps wait for one another in a circle: {names}. See their Step lines.")
        left.remove(ready)
        done.add(ready.name)
        ordered.append(ready)
    return ordered


@dataclass
class State:
    """What is there now: parameters given, modules of `lib`, contents of the run's folder."""

    folder: Path
    parameters: dict[str, dict[str, Any]]  # step to what it is given
    modules: record.Modules
    contents: record.Contents
    force: bool = False

    def reasons(self, notebook: source.Notebook) -> list[str]:
        """Why a step is out of date, in a user's words; none if it is not."""
        place = record.Place(self.folder, notebook.name)
        if self.force:
            return ["FORCE=1"]
        before = files.read_json(place.record)
        if before.get("format") != record.FORMAT:
            cut = place.failed.exists() or place.running.exists() or place.opened.exists()
            return ["did not finish last time" if cut else "has not run yet"]
        if not place.executed.exists():
            return [f"its executed notebook {place.executed.name} was deleted"]
        return [
            *_parameters(before["parameters"], self.parameters[notebook.name]),
            *_code(before["code"], notebook.code),
            *self._modules(before["modules"]),
            *self._inputs(before["inputs"], notebook),
            *self._outputs(before["outputs"], notebook),
        ]

    def _modules(self, before: dict[str, dict[str, str]]) -> list[str]:
        changed = [name for name, digests in before.items() if not self.modules.same(name, digests)]
        return [
            f"{self.modules.path(name)} {'changed' if name in self.modules else 'is gone'}"
            for name in changed
        ]

    def _inputs(self, before: dict[str, str], notebook: source.Notebook) -> list[str]:
        found = []
        for name in notebook.reads:
            if name not in before:
                found.append(f"input {name} is new")
            elif self.contents.digest(name) != before[name]:
                found.append(f"input {name} changed")
        return found

    def _outputs(self, before: dict[str, str], notebook: source.Notebook) -> list[str]:
        found = []
        for name in notebook.writes:
            now = self.contents.digest(name)
            if name not in before:
                found.append(f"output {name} is new")
            elif now is None:
                found.append(f"output {name} was deleted")
            elif now != before[name]:
                found.append(f"output {name} was changed by something else")
        return found


def _parameters(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What changed among parameters; within `options`, option by option."""
    before, now = json.loads(json.dumps(before, default=str)), json.loads(json.dumps(now, default=str))
    found = []
    for name in dict.fromkeys([*before, *now]):
        one, other = before.get(name), now.get(name)
        if name == "options" and isinstance(one, dict) and isinstance(other, dict):
            found += [
                f"parameter options.{text.removeprefix('parameter ')}" for text in _parameters(one, other)
            ]
        elif name not in before:
            found.append(f"parameter {name} is new ({_shown(other)})")
        elif name not in now:
            found.append(f"parameter {name} is gone (was {_shown(one)})")
        elif one != other:
            found.append(f"parameter {name} {_shown(one)} -> {_shown(other)}")
    return found


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _code(before: list[str], now: list[str]) -> list[str]:
    """Which cells are others, counted as code cells after the parameters."""
    if before == now:
        return []
    if len(before) != len(now):
        return [f"its code changed ({len(before)} -> {len(now)} code cells)"]
    cells = [str(i + 1) for i, (one, other) in enumerate(zip(before, now, strict=True)) if one != other]
    return [f"its code changed (code cell {', '.join(cells)} after the parameters)"]


@dataclass(frozen=True)
class Planned:
    """A step and why it would run; `maybe` where that hangs on what an earlier step will write."""

    name: str
    reasons: tuple[str, ...]
    maybe: bool = False


def plan(graph: Graph, state: State, wanted: Iterable[str]) -> list[Planned]:
    """Every wanted step in order, with its reasons; no reasons and not `maybe` means up to date."""
    wanted, found = set(wanted), {}
    things = [thing for n in graph.notebooks if n.name in wanted for thing in (*n.reads, *n.writes)]
    state.contents.warm(things)
    for notebook in graph.notebooks:
        if notebook.name not in wanted:
            continue
        reasons = tuple(state.reasons(notebook))
        runs = [name for name in graph.before(notebook.name) if name in found and _runs(found[name])]
        if runs and not reasons:
            things = [thing for thing in notebook.reads if graph.writers[thing] in runs]
            text = f"if {', '.join(runs)} changes {' or '.join(things)}"
            found[notebook.name] = Planned(notebook.name, (text,), maybe=True)
        else:
            found[notebook.name] = Planned(notebook.name, reasons)
    return list(found.values())


def _runs(planned: Planned) -> bool:
    return planned.maybe or bool(planned.reasons)
