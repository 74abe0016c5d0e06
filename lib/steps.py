"""A step: what a notebook reads and writes in `outputs/<run>/`, whole or not at all, and its tracked run.

A notebook's second code cell says `Step("03_prep", run, problem, reads=[...], writes=[...])`; that line is
also where the graph of steps stands. How a file is written is in `lib.files`, what the trackers get
in `lib.tracking`, the order of the steps in `lib.pipeline`.
"""

import ast
import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib import files, tracking, used
from lib.errors import StepError

PROJECT = Path(__file__).resolve().parents[1]
SCRATCH = "scratch"
Value = pd.DataFrame | Mapping[str, Any]

#: The tracked run of each step that this process has open: opening a step again closes the one before.
_OPEN: dict[str, tracking.Tracked] = {}


def outputs() -> Path:
    """Where all that runs make is kept: the folder WORKBOOK_OUTPUTS, else `outputs/` of the project."""
    return Path(os.environ.get("WORKBOOK_OUTPUTS") or PROJECT / "outputs").absolute()


def as_list(value: Any) -> list:
    """A list from a list, or from the text that `papermill -p models '[xgboost, lasso]'` makes of one."""
    if not isinstance(value, str):
        return list(value)
    inner = value.strip().removeprefix("[").removesuffix("]")
    return [
        ast.literal_eval(part) if _literal(part) else part
        for part in re.split(r"\s*,\s*", inner.strip())
        if part
    ]


def _literal(text: str) -> bool:
    """Whether `text` is a Python literal, a number or a quoted word."""
    with contextlib.suppress(ValueError, SyntaxError):
        ast.literal_eval(text)
        return True
    return False


class Step:
    """One step of one run: the names it reads and writes, and where these lie.

    A data frame lies in `data/<name>.parquet`, a mapping in `<name>.json`, a folder in `<name>/`.
    """

    def __init__(
        self, name: str, run: str, problem: str, reads: Sequence[str] = (), writes: Sequence[str] = ()
    ) -> None:
        if not re.fullmatch(r"\w[\w.\-]*", run):
            raise StepError(f"{run!r} cannot name a run: use letters, digits, dots, dashes and underscores.")
        self.name, self.run, self.problem = name, run, problem
        self.reads, self.writes = list(reads), list(writes)
        self.folder_of_run = outputs() / run
        self.tracked: tracking.Tracked | None = None
        self._written: dict[str, str] = {}
        self._generated: bool | None = None
        self._said: set[str] = set()

    def __repr__(self) -> str:
        return f"{self.name} of run {self.run!r}: reads {self.reads}, writes {self.writes}"

    # --- where things lie ---------------------------------------------------------------------------

    @staticmethod
    def candidates(folder: Path, name: str) -> list[Path]:
        """The three places where `name` may lie below a run's folder."""
        return [folder / "data" / f"{name}.parquet", folder / f"{name}.json", folder / name]

    @staticmethod
    def find(folder: Path, name: str) -> Path | None:
        """Which of the three is there: a data frame's file, a mapping's, or a folder."""
        return next((path for path in Step.candidates(folder, name) if path.exists()), None)

    @property
    def note(self) -> Path:
        """The file that says which tracked runs this step has open."""
        return self.folder_of_run / "notebooks" / f".{self.name}.open.json"

    def path(self, name: str) -> Path:
        """Where a declared input lies; in run `scratch`, else in the last `make pipeline` of the problem."""
        if name not in self.reads and name not in self._written:
            raise StepError(
                f"{self.name} does not declare {name!r}; it reads {self.reads}. "
                "Add it to `reads=[...]` in the notebook's second code cell."
            )
        found = self.find(self.folder_of_run, name)
        if self.run == SCRATCH and name not in self._written:
            found = self._of_this_problem(name, found) or self._from_last_pipeline(name)
        if found is None:
            raise StepError(self._missing(name))
        return found

    def _of_this_problem(self, name: str, found: Path | None) -> Path | None:
        """What lies in scratch, if it was this problem that wrote it."""
        return found if _load(self._owners).get(name) == self.problem else None

    @property
    def _owners(self) -> Path:
        return self.folder_of_run / ".problems.json"

    def _from_last_pipeline(self, name: str) -> Path | None:
        """The same name in the last `make pipeline` of this problem, said in one line."""
        last = _load(outputs() / "last.json").get(self.problem)
        found = self.find(outputs() / last, name) if last else None
        if found and name not in self._said:
            self._said.add(name)
            print(f"{name}: taken from the last `make pipeline`, {_short(found)}")
        return found

    def _missing(self, name: str) -> str:
        """What to say when an input is not there: which `make` target writes it."""
        from lib import pages

        maker = pages.makers(PROJECT / "notebooks").get(name)
        if maker is None:
            return (
                f"{self.name} reads {name!r}; {_short(self.folder_of_run)} has none, no notebook writes it."
            )
        target = f"make {maker.partition('_')[2]}"
        if (PROJECT / "params" / f"{self.problem}.yaml").exists():
            target += f" PARAMS=params/{self.problem}.yaml"
        if self.run == SCRATCH:
            remedy = f"Run notebooks/{maker}.ipynb first, or `{target}`"
        else:
            remedy = f"Run `{target} RUN={self.run}`"
        return f"{self.name} reads {name!r}, which is not in {_short(self.folder_of_run)}. {remedy}."

    # --- reading and writing ------------------------------------------------------------------------

    def read(self, name: str) -> Any:
        """A declared input: a data frame, a dict, or the path of a folder."""
        path = self.path(name)
        if path.is_dir():
            return path
        try:
            if path.suffix == ".json":
                return json.loads(path.read_text(encoding="utf-8"))
            return pd.read_parquet(path)
        except (ValueError, OSError) as error:
            raise StepError(f"{_short(path)} cannot be read ({error}). {self._missing(name)}") from error

    def write(self, name: str, value: Value) -> None:
        """Write a data frame or a mapping under a declared name, whole or not at all."""
        self._check_declared(name)
        frame, mapping, _ = self.candidates(self.folder_of_run, name)
        if isinstance(value, pd.DataFrame):
            path = frame
            with files.whole(path) as file:
                value.to_parquet(file, compression="zstd")
        elif isinstance(value, Mapping):
            path = mapping
            with files.whole(path) as file:
                file.write(files.as_json(value))
        else:
            raise StepError(
                f"{name!r} is a {type(value).__name__}: write a data frame or a mapping, or use folder()."
            )
        self._keep(name, path)
        if self.tracked and isinstance(value, pd.DataFrame):
            self.tracked.data(name, path, digest=self._written[name], rows=len(value))
        if name == "provenance" and isinstance(value, Mapping):
            self._know_generated(bool(value.get("generated")))

    @contextlib.contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        """A temporary folder that takes its declared name when the block ends without an error."""
        self._check_declared(name)
        path = self.candidates(self.folder_of_run, name)[2]
        with files.whole_folder(path) as unfinished:
            yield unfinished
        self._keep(name, path)

    def _check_declared(self, name: str) -> None:
        if name not in self.writes:
            raise StepError(
                f"{self.name} does not declare that it writes {name!r}; it writes {self.writes}. "
                "Add it to `writes=[...]` in the notebook's second code cell."
            )

    def _keep(self, name: str, path: Path) -> None:
        """After a write: no older thing of that name in another form, and in scratch whose problem it is."""
        for other in self.candidates(self.folder_of_run, name):
            if other != path:
                files.remove(other)
        self._written[name] = files.digest(path)
        if self.run == SCRATCH:
            with files.whole(self._owners) as file:
                file.write(files.as_json(_load(self._owners) | {name: self.problem}))

    # --- the tracked run ----------------------------------------------------------------------------

    @property
    def generated(self) -> bool:
        """Whether the data were generated here, as the provenance says; false where that is unknown."""
        if self._generated is None and "provenance" in self.reads:
            self._generated = bool(self.read("provenance").get("generated"))
        return bool(self._generated)

    def _know_generated(self, value: bool) -> None:
        self._generated = value
        if self.tracked:
            self.tracked.tags({"workbook.generated": "yes" if value else "no"})

    def open(self, **parameters: Any) -> tracking.Tracked:
        """Open the step's run in both trackers; one that this notebook left open is closed as killed."""
        used.watch()
        earlier = _OPEN.pop(self.name, None)
        if earlier:
            earlier.close("KILLED")
        elif self.note.exists() and not files.alive(_load(self.note).get("pid", 0)):
            tracking.close_dead(_load(self.note))
        with files.writing(self.folder_of_run):
            for part in (self.folder_of_run, self.folder_of_run / "data", self.note.parent):
                part.mkdir(parents=True, exist_ok=True)
                files.sweep(part)
        tags = {"workbook.data": self._hash_of_inputs()} if self.reads else {}
        if "provenance" in self.reads:
            tags["workbook.generated"] = "yes" if self.generated else "no"
        self.tracked = tracking.open(
            step=self.name,
            run=self.run,
            problem=self.problem,
            parameters=parameters,
            tags=tags,
            outputs=outputs(),
            note=self.note,
        )
        _OPEN[self.name] = self.tracked
        return self.tracked

    def _hash_of_inputs(self) -> str:
        return files.hash_of({name: files.digest(self.path(name)) for name in self.reads})

    def close(self, **metrics: float) -> None:
        """The last cell: check that all declared was written, log `metrics`, close the runs as finished."""
        missing = [name for name in self.writes if name not in self._written]
        if missing:
            raise StepError(
                f"{self.name} declares that it writes {missing} but did not. It wrote {list(self._written)}."
            )
        if self.tracked is None:
            return
        if not self.reads:
            self.tracked.tags({"workbook.data": files.hash_of(self._written)})
        if metrics:
            self.tracked.metrics(metrics)
        self.tracked.noted(**used.summary())
        self.tracked.close("FINISHED")
        _OPEN.pop(self.name, None)
        if self.run == SCRATCH:
            self.note.unlink(missing_ok=True)


def _load(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty where there is none, or none that can be read."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    return {}


def _short(path: Path) -> str:
    """A path as a reader of the project says it: from the project's folder where it lies in it."""
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)
