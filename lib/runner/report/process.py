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
        self._work: list[Future[str]] = []
        self._folders: dict[Path, None] = {}

    def tell(self, folder: Path, step: str) -> None:
        """A step of the run in `folder` is done, or has failed. What goes wrong is said at the end."""
        self._folders[folder] = None
        for work in (make, track):
            self._work.append(self._thread.submit(self._do, work, folder, step))

    def _do(self, work: Callable[..., str], *about: object) -> str:
        return self._pool.submit(work, *about).result()

    def finish(self) -> list[str]:
        """Wait until all is written; gives what there is to tell of it, and what went wrong, each once."""
        for folder in self._folders:
            self._work.append(self._thread.submit(self._do, make, folder))
        told: dict[str, None] = {}
        for future in self._work:
            try:
                told[future.result(PATIENCE)] = None
            except Exception as error:  # noqa: BLE001 - whatever it is, the steps are done
                trouble = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                told[f"The report is not whole: {trouble}"] = None
        return list(filter(None, told))

    def stop(self) -> None:
        """Begin no more of it; its process ends with the fork server."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._pool.shutdown(wait=False)  # what its process has begun ends with that: nobody may cancel it


def make(folder: Path, step: str = "") -> str:
    """Make the pages of the run in `folder` that are to be made, or only that of a step; nothing to tell."""
    from lib.runner.report import executed, index

    for path, made_of in freshness.stale(folder).items():
        name = path.name.split(".")[0]
        if step in ("", name):
            if path.parent == folder:
                index.write(folder)
            else:
                executed.write(folder, name)
            freshness.made(folder, path, made_of)
    return ""


def track(folder: Path, step: str) -> str:
    """See that MLflow has the run of a step that is done; gives what to tell."""
    place = Place(folder, step)
    record = StepRecord.read(place.record)
    if record and record.mlflow_uri:  # a step of one's own need not be tracked
        return tracking.keep(record, folder.name, place.executed, folder.parent)
    return ""
