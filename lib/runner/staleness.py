"""Whether a step is out of date, and why, in a user's words. Standard library only.

By content, never by time stamp: a step is out of date exactly when its code, a parameter that it declares, a
module of `lib` that it used, a library's version, something from outside, an input or an output is not what
its record says.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib import dependencies, files, paths, redaction
from lib.notebook_source import Notebook
from lib.notebook_source.modules import Modules
from lib.records import StepRecord, hand_on_digests

#: Bytes from which a file is worth a thread to digest it.
_LARGE = 4_000_000
#: The tracked run of a sweep, in the sweep's folder.
SWEEP_NOTE = ".sweep.open.json"


class Place:
    """Where a step of the run in `folder` keeps its things, all in `notebooks/`."""

    def __init__(self, folder: Path, step: str) -> None:
        beside = folder / "notebooks"
        self.executed = beside / f"{step}.ipynb"  # with its outputs, after success
        self.record = beside / f"{step}.json"  # last of all: without it the step is not done
        self.failed = beside / f"{step}.failed.ipynb"  # as far as it got, its error on top
        self.failure = beside / f"{step}.failed.json"  # what went wrong, as data
        self.running = beside / f".{step}.running.ipynb"  # while it runs; one left over was cut off
        self.opened = beside / f".{step}.open.json"  # its tracked run, written by the step itself

    def clear(self) -> None:
        """Remove what an earlier attempt has left beside the executed notebook, the record first.

        The note of its tracked run stays: until a record is whole that run may still have to be closed.
        """
        pages = (self.executed.with_suffix(".html"), self.failed.with_suffix(".html"))
        for path in (self.record, self.failed, self.failure, self.running, *pages):
            path.unlink(missing_ok=True)


def dead_sweeps(outputs: Path) -> list[Path]:
    """The notes of sweeps that ended without closing their tracked runs: no living process holds them."""
    return [note for note in outputs.glob(f"sweeps/*/{SWEEP_NOTE}") if not files.in_hand(note)]


class Contents:
    """Digests of what lies in a run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def digest(self, name: str) -> str | None:
        """The digest of the thing called `name`, None where it is absent."""
        path = paths.find(self.folder, name)
        return files.digest(path) if path else None

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """The digests of those that are there."""
        return {name: digest for name in names if (digest := self.digest(name)) is not None}

    def prepare(self, names: Iterable[str]) -> None:
        """Find the digests of large files: what the steps have noted, the others four at a time.

        Small ones are quicker read one by one.
        """
        paths_of = {name: paths.find(self.folder, name) for name in names}
        large = [
            n for n, path in paths_of.items() if path and path.is_file() and path.stat().st_size > _LARGE
        ]
        if large:
            hand_on_digests(self.folder)
        if len(large) > 1:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(self.digest, large))


@dataclass
class State:
    """What is there now: parameters given, modules of `lib`, contents of the run's folder."""

    folder: Path
    parameters: dict[str, dict[str, Any]]  # step to what it is given
    modules: Modules
    contents: Contents
    force: bool = False

    def reasons(self, notebook: Notebook) -> list[str]:
        """Why a step is out of date, in a user's words; none if it is not."""
        place = Place(self.folder, notebook.name)
        if self.force:
            return ["FORCE=1"]
        record = StepRecord.read(place.record)
        if record is None:
            if place.record.exists():
                return ["its record is of an earlier workbook"]
            cut = place.failed.exists() or place.running.exists() or place.opened.exists()
            return ["did not finish last time" if cut else "has not run yet"]
        if not place.executed.exists():
            return [f"its executed notebook {place.executed.name} was deleted"]
        changed = "was changed by something else"
        outputs = self._things("output", notebook.writes, record.outputs, changed)
        return [*self.causes(record, notebook), *outputs]

    def causes(self, record: StepRecord, notebook: Notebook) -> list[str]:
        """What of the things that a result depends on is not as the record has it."""
        return [
            *changed_parameters(record.parameters, self.parameters[notebook.name]),
            *([] if record.source == notebook.source else _code(record.code, notebook.code)),
            *self._modules(record.modules),
            *self._things("input", notebook.reads, record.inputs),
            *filter(None, (dependencies.changed(one, self.folder.parent) for one in record.taken)),
            *_libraries(record.libraries),
        ]

    def _modules(self, before: dict[str, dict[str, str]]) -> list[str]:
        changed = [name for name, digests in before.items() if not self.modules.same(name, digests)]
        words = ("is gone", "changed")
        return [f"{self.modules.path(name)} {words[name in self.modules]}" for name in changed]

    def _things(
        self, kind: str, names: Iterable[str], before: dict[str, str], other: str = "changed"
    ) -> list[str]:
        """What of a step's inputs or outputs is not as it was; `other` says that its content is not."""
        now = {name: self.contents.digest(name) for name in names if name in before}
        new = [f"{kind} {name} is new" for name in names if name not in before]
        gone = [f"{kind} {name} was deleted" for name, digest in now.items() if digest is None]
        changed = [f"{kind} {name} {other}" for name, one in now.items() if one not in (None, before[name])]
        return [*new, *gone, *changed]


def deciding(parameters: Mapping[str, object]) -> dict[str, Any]:
    """The parameters that decide what a step makes, as they are kept: all but the run's name, no secret."""
    return redaction.redact(files.plain({k: v for k, v in parameters.items() if k != "run"}))


def changed_parameters(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """What changed among parameters; within `options`, option by option."""
    reasons = []
    for name in dict.fromkeys([*before, *now]):
        old, new = before.get(name), now.get(name)
        if name == "options" and isinstance(old, dict) and isinstance(new, dict):
            inner = changed_parameters(old, new)
            reasons += [f"parameter options.{text.removeprefix('parameter ')}" for text in inner]
        elif name not in before:
            reasons.append(f"parameter {name} is new ({_shown(new)})")
        elif name not in now:
            reasons.append(f"parameter {name} is gone (was {_shown(old)})")
        elif old != new:
            reasons.append(f"parameter {name} {_shown(old)} -> {_shown(new)}")
    return reasons


def _libraries(before: Mapping[str, str]) -> list[str]:
    """Which of Python and the libraries that a step's code imports are of another version."""
    there = dependencies.installed()
    changed = [name for name, version in before.items() if there.get(name) != version]
    return [f"{name} {before[name]} -> {there.get(name, 'gone')}" for name in changed]


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _code(before: list[str], now: list[str]) -> list[str]:
    """Which cells are others, counted as code cells after the parameters."""
    if before == now:
        return []
    if len(before) != len(now):
        return [f"its code changed ({len(before)} -> {len(now)} code cells)"]
    cells = [str(i + 1) for i, (old, new) in enumerate(zip(before, now, strict=True)) if old != new]
    return [f"its code changed (code cell {', '.join(cells)} after the parameters)"]
