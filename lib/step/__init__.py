"""A step: what a notebook reads and writes in `outputs/<run>/`, whole or not at all, and its tracked run.

A notebook's second code cell says `Step("03_prep", run, problem, reads=[...], writes=[...])`; that line is
also where the graph of steps stands. How a file is written is in `lib.files`, what the trackers get
in `lib.tracking`, the order of the steps in what runs the notebooks.
"""

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from lib import dependencies, files, paths, records, redaction, tracking
from lib.errors import StepError, one_line
from lib.paths import SCRATCH
from lib.step import page

Value: TypeAlias = "pd.DataFrame | Mapping[str, Any] | records.Record"

#: The tracked run of each step that this process has open: opening a step again closes the one before.
_OPEN: dict[str, tracking.Tracked] = {}


class Step:
    """One step of one run: the names it reads and writes, where these lie, and its parameters.

    A data frame lies in `data/<name>.parquet`, a mapping or record in `<name>.json`, a folder in `<name>/`.
    `parameters` are those of the notebook's cell tagged so, as this page has them now, by name.
    """

    def __init__(
        self,
        name: str,
        run: str,
        problem: str,
        *,
        reads: Sequence[str] = (),
        writes: Sequence[str] = (),
        acts_on: Sequence[str] = (),
    ) -> None:
        """`acts_on` names what outside of the run's folder the step changes: its result is never linked."""
        if not re.fullmatch(r"\w[\w.\-]*", run):
            raise StepError(f"{run!r} cannot name a run: use letters, digits, dots, dashes and underscores.")
        page.check_place()
        self.name, self.run, self.problem = name, run, problem
        self.reads, self.writes, self.acts_on = list(reads), list(writes), list(acts_on)
        self.folder_of_run = paths.outputs() / run
        values = sys._getframe(1).f_globals  # noqa: SLF001 - of the page that makes the step
        self.parameters = page.parameters(name, values)
        if run == SCRATCH and (last := page.last_pipeline(problem)):
            page.take_options(last, [n for n in reads if not self._in_scratch(n)], self.parameters, values)
        redaction.remember(self.parameters)
        self.tracked: tracking.Tracked | None = None
        self._written: dict[str, str] = {}
        self._stamps: dict[str, list[int]] = {}
        self._generated: bool | None = None
        self._said: set[str] = set()

    def __repr__(self) -> str:
        return f"{self.name} of run {self.run!r}: reads {self.reads}, writes {self.writes}"

    # --- where things lie ---------------------------------------------------------------------------

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
        path = paths.find(self.folder_of_run, name)
        if self.run == SCRATCH and name not in self._written:
            path = self._in_scratch(name) or self._from_last_pipeline(name)
        if path is None:
            raise StepError(self._missing(name))
        return path

    def _in_scratch(self, name: str) -> Path | None:
        """What lies in scratch, if it was this problem that wrote it."""
        ours = files.read_json(self._owners).get(name) == self.problem
        return paths.find(self.folder_of_run, name) if ours else None

    @property
    def _owners(self) -> Path:
        return self.folder_of_run / ".problems.json"

    def _from_last_pipeline(self, name: str) -> Path | None:
        """The same name in the last `make pipeline` of this problem, said in one line."""
        last = page.last_pipeline(self.problem)
        path = paths.find(last, name) if last else None
        if path and name not in self._said:
            self._said.add(name)
            print(f"{name}: taken from the last `make pipeline`, {_short(path)}")
        return path

    def _missing(self, name: str) -> str:
        return page.missing(self.name, self.run, self.problem, name)

    # --- reading and writing ------------------------------------------------------------------------

    def read(self, name: str) -> Any:
        """A declared input: a data frame, a record (see `lib.records`), a mapping, or a folder's path."""
        path = self.path(name)
        if path.is_dir():
            return path
        try:
            if path.suffix != ".json":
                return pd.read_parquet(path)
        except (ValueError, OSError) as error:
            raise StepError(f"{_short(path)} cannot be read ({error}). {self._missing(name)}") from error
        value = files.read_json(path)
        kind = records.BY_NAME.get(name)
        content = kind.of(value) if kind else value
        if content is None or (not value and path.read_bytes().strip() != b"{}"):
            raise StepError(f"{_short(path)} is not whole, or of another format. {self._missing(name)}")
        return content

    def write(self, name: str, value: Value) -> None:
        """Write a data frame, a record or a mapping under a declared name, whole or not at all."""
        self._check_declared(name)
        frame, mapping, _ = paths.candidates(self.folder_of_run, name)
        path = frame if isinstance(value, pd.DataFrame) else mapping
        with files.writing(path):
            if isinstance(value, pd.DataFrame):
                with files.whole(path) as file:
                    value.to_parquet(file, compression="zstd")
            elif isinstance(value, records.Record):
                value.write(path)
            elif isinstance(value, Mapping):
                files.write_json(path, _as_record(name, value))
            else:
                raise StepError(
                    f"{name!r} is a {type(value).__name__}: write a data frame, a record or a mapping, or "
                    "use folder()."
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
        path = paths.candidates(self.folder_of_run, name)[2]
        with files.writing(path), files.whole_folder(path) as unfinished:
            yield unfinished
        self._keep(name, path)

    def uses(self, kind: str, name: str, digest: str, folder: Path | None = None) -> None:
        """Note what this step takes from outside of its run, so that it runs again when that is another.

        The kinds are those of `dependencies.use`; what `lib.sources` fetches is noted there already. `folder`
        is where the files of a registered model lie on this machine, if they do.
        """
        place = paths.ROOT / name if kind in ("file", "mirror") else folder
        stamp = files.stamp(place) if place else ()
        dependencies.use(kind, name, digest, stamp)

    def memory(self, name: str) -> Path:
        """A place where this step may keep what it goes on from after it was cut off; no declared output.

        It lies below a digest of all that the step's result depends on, and what an earlier result left there
        is removed: nothing is ever taken for part of another result. FORCE=1 removes all of it.
        """
        folder = paths.memory(self.folder_of_run, self.name)
        here = folder / page.depends_on(self.name, self.parameters, self._hash_of_inputs())
        for other in folder.glob("*"):
            files.sweep(other)
            if other != here and not [*other.glob(".*.tmp")]:  # else somebody else is at work there
                files.remove(other)
        return here / name

    def _check_declared(self, name: str) -> None:
        if name not in self.writes:
            raise StepError(
                f"{self.name} does not declare that it writes {name!r}; it writes {self.writes}. "
                "Add it to `writes=[...]` in the notebook's second code cell."
            )

    def _keep(self, name: str, path: Path) -> None:
        """After a write: no older thing of that name in another form, and in scratch whose problem it is."""
        for other in paths.candidates(self.folder_of_run, name):
            if other != path:
                files.remove(other)
        self._written[name], self._stamps[name] = files.digest(path), files.stamp(path)
        if self.run == SCRATCH:
            files.update_json(self._owners, {name: self.problem})

    def digest(self, name: str) -> str:
        """The digest of what this step wrote under a declared name."""
        return self._written[name]

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

    def open(self) -> tracking.Tracked:
        """Open the step's run in both trackers; one that this notebook left open is closed as killed."""
        dependencies.watch()
        page.reload_edited_modules()
        self._close_left_open()
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
            parameters={k: v for k, v in self.parameters.items() if k not in ("run", "problem")},
            tags=tags,
            outputs=paths.outputs(),
            note=self.note,
        )
        _OPEN[self.name] = self.tracked
        return self.tracked

    def _close_left_open(self) -> None:
        """Close what this notebook has left open; the step opens, whether that can be reached or not."""
        earlier, left = _OPEN.pop(self.name, None), records.OpenStep.read(self.note)
        try:
            if earlier:
                earlier.close("KILLED")
            elif left and not files.in_hand(self.note):
                tracking.close_dead(left)
        except Exception as error:  # noqa: BLE001 - whatever that tracker says, it is none of this run
            print(f"The run that {self.name} left open stays so: {one_line(redaction.text(str(error)))}")

    def _hash_of_inputs(self) -> str:
        records.hand_on_digests(self.folder_of_run)
        return files.digest_of({name: files.digest(self.path(name)) for name in self.reads})

    def close(self, **metrics: float | None) -> None:
        """The last cell: check that all declared was written, log `metrics`, close the runs as finished."""
        missing = [name for name in self.writes if name not in self._written]
        if missing:
            raise StepError(
                f"{self.name} declares that it writes {missing} but did not. It wrote {list(self._written)}."
            )
        if self.tracked is None:
            return
        if not self.reads:
            self.tracked.tags({"workbook.data": files.digest_of(self._written)})
        if metrics:
            self.tracked.metrics(metrics)
        self.tracked.note(
            modules=dependencies.modules(),
            peak_memory_mb=dependencies.peak_memory_mb(),
            taken=dependencies.taken(),
            outputs=self._written,
            stamps=self._stamps,
        )
        self.tracked.close("FINISHED")
        _OPEN.pop(self.name, None)
        if not tracking.under_runner():  # which takes the note as part of the step's record
            self.note.unlink(missing_ok=True)


def _as_record(name: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping as it is written; under the name of a record it must have that one's fields."""
    kind = records.BY_NAME.get(name)
    if kind is None:
        return value
    record = kind.of({**files.plain(value), "format": kind.FORMAT})
    if record is None:
        raise StepError(
            f"{name!r} must have the fields of `lib.records.{kind.__name__}`: write one of these."
        )
    return record.to_mapping()


def _short(path: Path) -> str:
    """A path as a reader of the project says it: from the project's folder where it lies in it."""
    return paths.here().shown(path)
