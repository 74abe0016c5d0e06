"""Where MLflow keeps the record: SQLite and a folder under `outputs/`, or what MLFLOW_TRACKING_URI names.

The client of it, a fresh database, an experiment. What is written of a step is in `lib.tracking.mlflow_run`.
"""

import contextlib
import errno
import functools
import logging
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from lib import files, mlflow_tables, paths, redaction
from lib.errors import StepError, one_line
from lib.tracking import tags

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: File systems that are one machine's own, in Linux's words and in macOS's.
LOCAL = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "tmpfs", "overlay", "apfs", "hfs"}


#: What SQLite says where the system refused, and the system's own number for it.
_REFUSED = {
    "disk is full": errno.ENOSPC,
    "readonly database": errno.EACCES,
    "unable to open database": errno.EACCES,
}


def remedy(error: Exception, at: str) -> str:
    """What to do where the record at `at` could not be read or written."""
    for said, number in _REFUSED.items():
        if said in str(error):
            return f"What to do: {files.REMEDIES[number]}."
    if isinstance(error, ModuleNotFoundError):
        return f"Install the driver {error.name!r} in this project's .venv, or unset MLFLOW_TRACKING_URI."
    if at.startswith("sqlite:///"):
        return (
            "If the database is broken or of another version, move it away, with its -wal and -shm, then run "
            "the step again."
        )
    return "Is MLFLOW_TRACKING_URI what you mean, and does that place take what it is given?"


def there(at: str) -> bool:
    """Whether there is a record at `at`, as far as that is known without asking a server."""
    return not at.startswith("sqlite:///") or Path(at.removeprefix("sqlite:///")).exists()


def client(at: str) -> "MlflowClient":
    """A client of the tracking store and the registry at `at`; one a process and place."""
    _reachable(at)
    return _client(at)


@functools.cache
def _client(at: str) -> "MlflowClient":
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    _quiet()
    try:
        return MlflowClient(tracking_uri=at, registry_uri=at)
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        said = one_line(redaction.text(f"{type(error).__name__}: {error}"))[:200]
        raise StepError(
            f"MLflow cannot keep its record in {redaction.text(at)} ({said}). {remedy(error, at)}"
        ) from error


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

    os.environ.update(tags.past_the_proxy())
    try:
        requests.get(f"{at.rstrip('/')}/health", timeout=10).raise_for_status()
    except requests.RequestException as error:
        proxy = requests.utils.select_proxy(at, requests.utils.get_environ_proxies(at))
        back = ", or unset MLFLOW_TRACKING_URI to record in outputs/mlflow.db"
        how = f" through the proxy {redaction.text(proxy)}, which NO_PROXY=<host> goes past" if proxy else ""
        raise StepError(
            f"MLflow does not answer at {redaction.text(at)}{how} ({type(error).__name__}). Start that "
            f"server{back if os.environ.get('MLFLOW_TRACKING_URI') else ''}."
        ) from error


def prepare(outputs: Path) -> str:
    """Make the database once, under a lock, before anything uses it side by side. Gives its URI."""
    at = paths.tracking_uri(outputs)
    if at.startswith("sqlite:///"):
        database = Path(at.removeprefix("sqlite:///")).absolute()
        if database == outputs / "mlflow.db" and database.exists():
            _follow(database)
        with files.writing(database):
            if not database.exists():
                with files.locked(database.with_name(f".{database.name}.lock")):
                    if not database.exists():
                        for left in ("-wal", "-shm"):  # of one that was moved away: it would be replayed
                            files.remove(database.with_name(f"{database.name}{left}"))
                        _make(database)
    return at


def _make(database: Path) -> None:
    """A fresh database, made under another name: one that others can see is whole.

    On a disk of this machine SQLite then appends what it writes to a log: half the waits for the disk, and
    readers block nobody. Processes on two machines would not see each other's log.
    """
    import sqlite3

    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    _quiet()
    with files.temporary(database) as folder:
        unfinished = folder / database.name
        artifacts = (database.parent / "mlartifacts").as_uri()
        SqlAlchemyStore(f"sqlite:///{unfinished}", artifacts).engine.dispose()
        with contextlib.closing(sqlite3.connect(unfinished)) as opened:
            opened.execute(f"PRAGMA journal_mode = {'WAL' if file_system(folder) in LOCAL else 'DELETE'}")
        unfinished.replace(database)


def file_system(folder: Path) -> str:
    """What holds `folder`, in the words of `mount`: `ext4`, `apfs`, `nfs4`; empty where that says nothing."""
    command = ["mount"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
        # Linux says `disk on /place type ext4 (rw)`, macOS `disk on /place (apfs, local)`
        mounts = re.findall(r"^.+? on (/.*?)(?: type (\S+))? \((\w+).*\)$", said, re.MULTILINE)
        kinds = {Path(place): kind or first for place, kind, first in mounts}
        place = folder.resolve()
        return next((kinds[above] for above in (place, *place.parents) if above in kinds), "")
    return ""


@functools.cache
def _follow(database: Path) -> None:
    """After the outputs were copied or moved: their artifacts are those beside the database.

    MLflow keeps absolute addresses, which name the old folder, and has no call that changes them.
    """
    import sqlite3

    try:
        mlflow_tables.move(database, (database.parent / "mlartifacts").as_uri())
    except sqlite3.Error as error:
        told = remedy(error, f"sqlite:///{database}")
        raise StepError(f"MLflow's database {database} cannot be read ({error}). {told}") from error


def settle(at: str) -> None:
    """Move what stands in SQLite's log into the database: `mlflow.db` alone is then all there is to keep.

    The log itself goes with whoever closes the database last.
    """
    import sqlite3

    database = Path(at.removeprefix("sqlite:///"))
    if at.startswith("sqlite:///") and database.exists():
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(database, timeout=1)) as opened,
        ):
            opened.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def experiment(at: str, name: str, outputs: Path) -> str:
    """The id of the experiment `name`; made with its artifacts beside the database where that is a file."""
    from mlflow.exceptions import MlflowException

    store = client(at)
    known = store.get_experiment_by_name(name)
    if known is None:
        location = (outputs / "mlartifacts" / name).as_uri() if at.startswith("sqlite") else None
        try:
            return str(store.create_experiment(name, artifact_location=location))
        except MlflowException:  # another process was quicker
            known = store.get_experiment_by_name(name)
            if known is None:
                raise
    if known.lifecycle_stage == "deleted":
        store.restore_experiment(known.experiment_id)
    return str(known.experiment_id)
