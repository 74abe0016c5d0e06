"""Offline runs that wait to be sent to W&B, for those who have a key; none is sent twice."""

import os
import subprocess
import sys
from pathlib import Path

from lib.tracking import tags, wandb_run


def sync(outputs: Path) -> int:
    """Hand the runs that were not sent yet to W&B's own command: its exit code, or 1 without a key."""
    waiting = unsent(outputs)
    if not waiting:
        print(f"No offline run waits in {outputs / 'wandb'}.")
        return 0
    if not wandb_run.has_key():
        print(
            f"{len(waiting)} offline runs wait in {outputs / 'wandb'}, but there is no key. Nothing was sent."
        )
        print("Run `.venv/bin/wandb login` or set WANDB_API_KEY, then `make wandb-sync` again.")
        return 1
    command = Path(sys.executable).with_name("wandb")
    known = os.environ | tags.environment(outputs)
    return subprocess.run([command, "sync", "--yes", *waiting], env=known, check=False).returncode


def unsent(outputs: Path) -> list[Path]:
    """The offline runs without W&B's mark that they were sent."""
    runs = sorted((outputs / "wandb").glob("offline-run-*"))
    return [folder for folder in runs if not list(folder.glob("*.wandb.synced"))]
