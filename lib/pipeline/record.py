"""The record of a step, beside its executed notebook: what it used and made, by content.

`outputs/<run>/notebooks/04_tune.json` is what a C compiler's dependency file is to an object: found by
running, not listed by hand. `lib.pipeline.plan` compares it with what is there now.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.pipeline import project as files
from lib.pipeline import source
from lib.pipeline.project import Project

FORMAT = 1


@dataclass(frozen=True)
class Place:
    """Where a step of a run keeps its things."""

    folder: Path  # outputs/<run>
    step: str

    def _beside(self, name: str) -> Path:
        return self.folder / "notebooks" / name

    @property
    def executed(self) -> Path:
        """The notebook with its outputs, after success."""
        return self._beside(f"{self.step}.ipynb")

    @property
    def failed(self) -> Path:
        """The notebook as far as it got, its error on top."""
        return self._beside(f"{self.step}.failed.ipynb")

    @property
    def failure(self) -> Path:
        """What went wrong, as data for the status and the report."""
        return self._beside(f"{self.step}.failed.json")

    @property
    def running(self) -> Path:
        """The notebook while it runs; one that is left over was cut off."""
        return self._beside(f".{self.step}.running.ipynb")

    @property
    def opened(self) -> Path:
        """What the step's tracked run is, written by `lib.steps` when it opens."""
        return self._beside(f".{self.step}.open.json")

    @property
    def record(self) -> Path:
        """The record itself."""
        return self._beside(f"{self.step}.json")


class Modules:
    """The modules of `lib` as they are now: name to digests, computed once a file and only when asked."""

    def __init__(self, project: Project) -> None:
        self._root = project.root
        self._paths = {_module(project, path): path for path in project.tracked_by_plan}
        self._bytes: dict[str, bytes] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def names(self) -> list[str]:
        """Every module there is."""
        return sorted(self._paths)

    def path(self, name: str) -> str:
        """`lib.steps` as `lib/steps.py`; also for a module that is gone."""
        known = self._paths.get(name)
        return str(known.relative_to(self._root)) if known else name.replace(".", "/") + ".py"

    def freeze(self) -> "Modules":
        """Read all of them: what a step that starts now will import."""
        for name in self._paths:
            self._data(name)
        return self

    def _data(self, name: str) -> bytes:
        if name not in self._bytes:
            self._bytes[name] = self._paths[name].read_bytes()
        return self._bytes[name]

    def digests(self, name: str) -> dict[str, str]:
        """The digest of a module's bytes, and of what they mean."""
        data = self._data(name)
        return {"bytes": files.digest_bytes(data), "meaning": source.digest_module(data)}

    def same(self, name: str, before: dict[str, str]) -> bool:
        """Whether a module means what it did; its syntax is read only if its bytes are others."""
        if name not in self:
            return False
        data = self._data(name)
        if files.digest_bytes(data) == before["bytes"]:
            return True
        return source.digest_module(data) == before["meaning"]


def _module(project: Project, path: Path) -> str:
    parts = path.relative_to(project.root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Contents:
    """Digests of what lies in a run's folder, each computed once until it is forgotten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, str | None] = {}

    def digest(self, name: str) -> str | None:
        """The digest of the thing called `name`, None where it is absent."""
        if name not in self._known:
            path = files.find(self.folder, name)
            self._known[name] = files.digest(path) if path else None
        return self._known[name]

    def warm(self, names: Iterable[str]) -> None:
        """Digest several at once; hashing large files uses all cores."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.digest, dict.fromkeys(names)))

    def forget(self, names: Iterable[str]) -> None:
        """A step has written these: look again."""
        for name in names:
            self._known.pop(name, None)


def deciding(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that decide what a step makes: not the run's name, which only says where."""
    return {name: value for name, value in parameters.items() if name != "run"}


def of(
    notebook: source.Notebook,
    parameters: dict[str, Any],
    modules: dict[str, dict[str, str]],
    inputs: dict[str, str | None],
    contents: Contents,
) -> dict[str, Any]:
    """The part of a record that decides whether the step is out of date."""
    return {
        "format": FORMAT,
        "step": notebook.name,
        "code": notebook.code,
        "parameters": deciding(parameters),
        "modules": modules,
        "inputs": inputs,
        "outputs": {name: contents.digest(name) for name in notebook.writes},
    }
