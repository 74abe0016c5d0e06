"""The source of `lib` as it is now, by digest: what a step's record holds, and what it is compared with."""

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from lib import files
from lib.dependencies import module_name
from lib.notebook_source.meaning import digest_module
from lib.paths import Project

_IMPORT = re.compile(r"^\s*(?:from|import)\s+([A-Za-z_]\w*)", re.MULTILINE)


def imported(code: str) -> set[str]:
    """What stands after `import` and `from` at the start of a line: a word of prose is no library's name."""
    return set(_IMPORT.findall(code))


#: Rooms in which an edit re-runs nothing.
_APART = ("runner/", "cli/")
#: What stands in bytecode that is checked by hash, in place of the flags 0 of that checked by time.
_CHECKED = (3).to_bytes(4, "little")


class Modules:
    """The modules of `lib` as they are now: name to digests, computed once a file and only when asked."""

    def __init__(self, project: Project) -> None:
        self._root = project.root
        apart = tuple(f"{project.lib}/{room}" for room in _APART)
        found = [
            f"{folder}/{name}"
            for folder, _, names in os.walk(project.lib)
            if not f"{folder}/".startswith(apart)
            for name in names
            if name.endswith(".py")
        ]
        found.sort(key=lambda path: (path.endswith("/__init__.py"), path))  # a package hides a module
        self._paths = {module_name(path.removeprefix(f"{project.root}/")): Path(path) for path in found}
        self._bytes: dict[str, bytes] = {}
        self._digests: dict[str, str] = {}
        self._meanings: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def names(self) -> list[str]:
        """Every module there is."""
        return sorted(self._paths)

    def compile(self) -> None:
        """Have bytecode that Python checks by the source's hash: it goes by size and time else.

        A module that is replaced by one of the same size and time (`cp -p`, `rsync -t`, tar) would run as it
        was before, and be recorded as what it is now.
        """
        import py_compile
        from importlib.util import cache_from_source

        for path in self._paths.values():
            bytecode = Path(cache_from_source(str(path)))
            with contextlib.suppress(OSError, py_compile.PyCompileError):  # read-only, or no Python
                if not bytecode.exists() or bytecode.read_bytes()[4:8] != _CHECKED:
                    mode = py_compile.PycInvalidationMode.CHECKED_HASH
                    py_compile.compile(str(path), doraise=True, invalidation_mode=mode)

    def path(self, name: str) -> str:
        """`lib.step` as `lib/step.py`; also for a module that is gone."""
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

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            self._digests[name] = files.digest_of(self._data(name))
        return self._digests[name]

    def _meaning(self, name: str) -> str:
        if name not in self._meanings:
            self._meanings[name] = digest_module(self._data(name))
        return self._meanings[name]

    def digests(self, name: str) -> dict[str, str]:
        """The digest of a module's bytes, and of what they mean."""
        return {"bytes": self._digest(name), "meaning": self._meaning(name)}

    def imports(self, name: str) -> set[str]:
        """The import names, of libraries and others, that a module has at its top or within a function."""
        return imported(self._data(name).decode("utf-8", "replace"))

    def digest(self) -> str:
        """One digest of all of them, by their bytes."""
        return files.digest_of({name: self._digest(name) for name in self._paths})

    def same(self, name: str, before: Mapping[str, str]) -> bool:
        """Whether a module means what it did; its syntax is read only if its bytes are others."""
        if name not in self:
            return False
        return self._digest(name) == before["bytes"] or self._meaning(name) == before["meaning"]
