"""One face over MLflow and W&B: a step opens a run, and both trackers get the same figures.

MLflow is the record (`lib.tracking.mlflow_run`, kept in `database`): its failure fails the step. W&B
(`lib.tracking.wandb_run`) is offline by default, needs no account and never prompts: its failure is reported
once.
"""

from lib.tracking.database import client, prepare, settle
from lib.tracking.finished import keep
from lib.tracking.mlflow_run import close_dead
from lib.tracking.sync import sync
from lib.tracking.tags import commit, environment, under_runner
from lib.tracking.tracked import Tracked, open_tracked

open = open_tracked  # noqa: A001 - `tracking.open(...)`, as with gzip and tarfile

__all__ = [
    "Tracked",
    "client",
    "close_dead",
    "commit",
    "environment",
    "keep",
    "open",
    "prepare",
    "settle",
    "sync",
    "under_runner",
]
