"""One face over MLflow and W&B: a step opens a run, and both trackers get the same figures.

MLflow is the record (`lib.tracking.mlflow_run`, kept in `database`): its failure fails the step. W&B
(`lib.tracking.wandb_run`) is offline by default, needs no account and never prompts: its failure is reported
once.
"""

from lib.tracking.database import client, prepare, settle, uri
from lib.tracking.mlflow_run import attach, close_dead
from lib.tracking.sync import sync
from lib.tracking.tags import commit, environment
from lib.tracking.tracked import Tracked, linked, open_tracked

open = open_tracked  # noqa: A001 - `tracking.open(...)`, as with gzip and tarfile

__all__ = [
    "Tracked",
    "attach",
    "client",
    "close_dead",
    "commit",
    "environment",
    "linked",
    "open",
    "prepare",
    "settle",
    "sync",
    "uri",
]
