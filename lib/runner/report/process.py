"""The report: pages of executed notebooks, the run's page, the notebook attached to its MLflow run.

It is made beside the steps by one worker at a low priority, so that none of this is on the critical
path; the runner waits for it only at the very end. A report that fails fails no step: it is said at the end.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lib import compute, tracking
from lib.records import StepRecord
from lib.runner.kernels import Kernels
from lib.runner.report import freshness
from lib.runner.staleness import Place

#: Seconds that the runner waits for the report at the end of a run.
PATIENCE = 60


class Reporter:
    """The runner's side: hand over what has ended, wait at the end."""

    def __init__(self, kernels: Kernels) -> None:
        around = compute.Surroundings(
            kernels.folder / "report.log",
            environment=kernels.environment | {"MPLBACKEND": "agg"},
            nice=10,
            private=kernels.private,
        )
        self._pool = compute.executor(1, around)
        self._thread = ThreadPoolExecutor(1)  # it waits for the fork server, and for each piece of work
        self._work: list[Future[None]] = []
        self._folders: dict[Path, None] = {}

    def tell(self, folder: Path, step: str) -> None:
        """A step of the run in `folder` has ended. What goes wrong is said at the end."""
        self._folders[folder] = None
        for work in (make, track):
            self._work.append(self._thread.submit(self._do, work, folder, step))

    def _do(self, work: Callable[..., None], *about: object) -> None:
        self._pool.submit(work, *about).result()

    def finish(self) -> str:
        """Wait until all is written; what went wrong, or nothing."""
        for folder in self._folders:
            self._work.append(self._thread.submit(self._do, make, folder))
        troubles: dict[str, None] = {}
        for future in self._work:
            try:
                future.result(PATIENCE)
            except Exception as error:  # noqa: BLE001 - whatever it is, the steps are done
                troubles[f"{type(error).__name__}: {error}".splitlines()[0][:200]] = None
        return "; ".join(troubles)

    def stop(self) -> None:
        """Begin no more of it; its process ends with the fork server."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._pool.shutdown(wait=False)  # what its process has begun ends with that: nobody may cancel it


def make(folder: Path, step: str = "") -> None:
    """The pages of the run in `folder` that are to be made, its own among them; or only that of a step."""
    from lib.runner.report import executed, index

    for path, made_of in freshness.stale(folder).items():
        name = path.name.split(".")[0]
        if step in ("", name):
            if path.parent == folder:
                index.write(folder)
            else:
                executed.write(folder, name)
            freshness.made(folder, path, made_of)


def track(folder: Path, step: str) -> None:
    """Keep the executed notebook with its MLflow run; a linked step gets a run that says from where."""
    place = Place(folder, step)
    record = StepRecord.read(place.record)
    if record and record.mlflow_run_id:  # a step of one's own need not be tracked
        if record.linked_from:
            tracking.linked(record, folder.name, folder.parent)
        else:
            tracking.attach(record, place.executed)
