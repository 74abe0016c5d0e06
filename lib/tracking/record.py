"""MLflow, the record: SQLite and an artifact folder under `outputs/`, or wherever MLFLOW_TRACKING_URI points.

Only `MlflowClient` is used, never the fluent API: no active run that another thread or an exit hook could
close. What W&B gets is in `lib.tracking.board`; both are called by `lib.tracking` alone.
"""

import contextlib
import functools
import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from lib import files
from lib.errors import StepError

LONGEST = 5000  # MLflow refuses a parameter or a tag that is longer than about this

#: The tags of a step that its trials get too.
SHARED = tuple(
    f"workbook.{name}" for name in ("run", "step", "problem", "commit", "data", "parameters", "generated")
)


def uri(outputs: Path) -> str:
    """Where the record is: what MLFLOW_TRACKING_URI says, else `mlflow.db` in the outputs."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{outputs / 'mlflow.db'}"


def client(at: str) -> Any:
    """A client of the tracking store and the registry at `at`; one a process and place."""
    _reachable(at)
    return _client(at)


@functools.cache
def _client(at: str) -> Any:
    from mlflow import MlflowClient

    _quiet()
    return MlflowClient(tracking_uri=at, registry_uri=at)


def _quiet() -> None:
    """No lines about database migrations in a page."""
    for name in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


@functools.cache
def _reachable(at: str) -> None:
    """Ask a server once whether it is there: MLflow's own client would retry for minutes."""
    if not at.startswith("http"):
        return
    import requests

    try:
        requests.get(f"{at.rstrip('/')}/health", timeout=10).raise_for_status()
    except requests.RequestException as error:
        raise StepError(
            f"MLflow does not answer at {at} ({type(error).__name__}). Start that server, or unset "
            "MLFLOW_TRACKING_URI to record in outputs/mlflow.db."
        ) from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; other processes wait. Without `fcntl` (Windows) nothing is locked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prepare(outputs: Path) -> str:
    """Make the database once, under a lock, before anything uses it side by side. Gives its URI."""
    at = uri(outputs)
    if at.startswith("sqlite:///"):
        database = Path(at.removeprefix("sqlite:///")).absolute()
        with files.writing(database):
            if not database.exists():
                with locked(database.with_name(f".{database.name}.lock")):
                    if not database.exists():
                        _make(database)
    return at


def _make(database: Path) -> None:
    """A fresh database, made under another name: one that others can see is whole.

    SQLite then appends what it writes to a log: half the waits for the disk, and readers block nobody.
    """
    import sqlite3

    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    _quiet()
    unfinished = files.temporary(database)
    try:
        artifacts = (database.parent / "mlartifacts").as_uri()
        SqlAlchemyStore(f"sqlite:///{unfinished}", artifacts).engine.dispose()
        with contextlib.closing(sqlite3.connect(unfinished)) as opened:
            opened.execute("PRAGMA journal_mode = WAL")
        unfinished.replace(database)
    finally:
        unfinished.unlink(missing_ok=True)


def _settle(at: str) -> None:
    """Move what stands in SQLite's log into the database: `mlflow.db` alone is then all there is to keep."""
    import sqlite3

    if at.startswith("sqlite:///"):
        database = at.removeprefix("sqlite:///")
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(database, timeout=1)) as opened,
        ):
            opened.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def experiment(at: str, name: str, outputs: Path) -> str:
    """The id of the experiment `name`; made with its artifacts beside the database where that is a file."""
    from mlflow.exceptions import MlflowException

    store = client(at)
    found = store.get_experiment_by_name(name)
    if found is None:
        location = (outputs / "mlartifacts" / name).as_uri() if at.startswith("sqlite") else None
        try:
            return store.create_experiment(name, artifact_location=location)
        except MlflowException:  # another process was quicker
            found = store.get_experiment_by_name(name)
    if found.lifecycle_stage == "deleted":
        store.restore_experiment(found.experiment_id)
    return found.experiment_id


def flat(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested mappings as `options.train_months`, values as text."""
    found: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = str(files.plain(value))[:LONGEST]
    return found


class Record:
    """One MLflow run: opened, added to, closed. Every method is one call or one batch."""

    def __init__(self, at: str, name: str, problem: str, outputs: Path, tags: Mapping[str, str]) -> None:
        self.uri, self.client = at, client(at)
        self.experiment = experiment(at, problem, outputs)
        self.tags = dict(tags)
        made = self.client.create_run(self.experiment, tags=self.tags, run_name=name)
        self.run_id: str = made.info.run_id

    def log(self, parameters: Mapping = {}, metrics: Mapping = {}, tags: Mapping = {}) -> None:
        """Parameters, metrics and tags in one batch."""
        self._batch(self.run_id, parameters, metrics, tags)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Tags of the run, which its trials get too."""
        self.tags |= tags
        self.log(tags=tags)

    def _batch(self, run_id: str, parameters: Mapping, metrics: Mapping, tags: Mapping) -> None:
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(k, float(v), now, 0) for k, v in metrics.items() if v is not None],
            params=[Param(k, v) for k, v in flat(parameters).items()],
            tags=[RunTag(k, str(v)[:LONGEST]) for k, v in tags.items()],
        )

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """A file (or a folder's files) kept with the run."""
        if path.is_dir():
            self.client.log_artifacts(self.run_id, str(path), folder)
        else:
            self.client.log_artifact(self.run_id, str(path), folder)

    def data(self, name: str, path: Path, digest: str, rows: int | None) -> None:
        """A dataset that the run used or made, with our digest: MLflow's own reads 10,000 rows only."""
        import json

        from mlflow.entities import Dataset, DatasetInput, InputTag

        profile = json.dumps({"num_rows": rows})
        source = json.dumps({"uri": path.as_uri()})
        entry = Dataset(name, digest[:36], "local", source, schema=None, profile=profile)
        self.client.log_inputs(self.run_id, [DatasetInput(entry, [InputTag("mlflow.data.context", name)])])

    def trial(self, about: Mapping[str, Any], parameters: Mapping, metrics: Mapping) -> None:
        """A child run, made, filled in one batch and closed."""
        tags = {name: self.tags[name] for name in SHARED if name in self.tags}
        tags |= {"mlflow.parentRunId": self.run_id, "workbook.trial": str(about["number"])}
        if about["reason"]:
            tags["workbook.reason"] = about["reason"][:LONGEST]
        name = f"{about['family']} {about['number']}"
        made = self.client.create_run(self.experiment, tags=tags, run_name=name)
        self._batch(made.info.run_id, {"family": about["family"], **parameters}, metrics, {})
        self.client.set_terminated(made.info.run_id, "FINISHED" if about["status"] == "ok" else "FAILED")

    def model(self, folder: Path, tags: Mapping[str, str]) -> str:
        """The folder as a logged model; gives its id. One with the same digest is not stored twice."""
        query = f"tags.`workbook.digest` = '{tags['workbook.digest']}'"
        for found in self.client.search_logged_models([self.experiment], query):
            if found.status == "READY" and _there(found.artifact_location):
                return found.model_id
        return self._store(folder, tags)

    def _store(self, folder: Path, tags: Mapping[str, str]) -> str:
        from mlflow.entities import LoggedModelOutput

        made = self.client.create_logged_model(
            self.experiment, name="model", source_run_id=self.run_id, tags=dict(tags)
        )
        self.client.log_model_artifacts(made.model_id, str(folder))
        self.client.finalize_logged_model(made.model_id, "READY")
        self.client.log_outputs(self.run_id, [LoggedModelOutput(made.model_id, step=0)])
        return made.model_id

    def close(self, status: str) -> None:
        """Set the run's final status."""
        self.client.set_terminated(self.run_id, status)
        _settle(self.uri)


def _there(location: str) -> bool:
    """Whether stored artifacts can still be read, as far as that is known without asking a server."""
    return not location.startswith("file:") or Path(unquote(urlparse(location).path)).exists()


def close_run(note: Mapping[str, Any], status: str = "FAILED") -> Any:
    """Give the run that a step's note names, and its trials, a final status; None if it had one."""
    store = client(note["mlflow_uri"])
    run_id = note.get("mlflow_run_id") or _run_of_key(store, note)
    if not run_id:
        return None
    run = store.get_run(run_id)
    if run.info.status not in ("RUNNING", "SCHEDULED"):
        return None
    for child in children(note["mlflow_uri"], run, "attributes.status = 'RUNNING'"):
        store.set_terminated(child.info.run_id, status)
    store.set_terminated(run_id, status)
    return run


def children(at: str, run: Any, also: str = "") -> list[Any]:
    """The trials of a run, oldest first; `also` narrows the search."""
    query = " and ".join(filter(None, [f"tags.mlflow.parentRunId = '{run.info.run_id}'", also]))
    return client(at).search_runs([run.info.experiment_id], query, order_by=["attributes.start_time ASC"])


def _run_of_key(store: Any, note: Mapping[str, Any]) -> str | None:
    """The run of a step that died between opening its run and noting the id."""
    found = store.get_experiment_by_name(note.get("problem", ""))
    if found is None or not note.get("key"):
        return None
    runs = store.search_runs([found.experiment_id], f"tags.workbook.key = '{note['key']}'")
    return runs[0].info.run_id if runs else None


def attach(note: Mapping[str, Any], path: Path) -> None:
    """Keep a file (the executed notebook, its HTML) with the run that a step's note names."""
    client(note["mlflow_uri"]).log_artifact(note["mlflow_run_id"], str(path), "notebook")
