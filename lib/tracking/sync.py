"""Offline runs that wait to be sent to W&B, for those who have a key; none is sent twice."""

import os
import subprocess
import sys
from pathlib import Path

from lib.tracking import tags, wandb_run


def sync(outputs: Path) -> int:
    """Hand the runs that were not sent yet to W&B's own command: its exit code. Without a key, say how."""
    waiting = unsent(outputs)
    if not waiting:
        print(f"No offline run waits in {outputs / 'wandb'}.")
        return 0
    if not wandb_run.has_key():
        runs = "1 offline run waits" if len(waiting) == 1 else f"{len(waiting)} offline runs wait"
        print(f"{runs} in {outputs / 'wandb'}. Nothing was sent, as there is no key.")
        print(
            "To send: get a key at https://wandb.ai/authorize (an account is free), give it to "
            "`.venv/bin/wandb login` or as WANDB_API_KEY, then `make wandb-sync` again."
        )
        return 0
    command = Path(sys.executable).with_name("wandb")
    known = os.environ | tags.environment(outputs)
    return subprocess.run([command, "sync", "--yes", *waiting], env=known, check=False).returncode


def unsent(outputs: Path) -> list[Path]:
    """The offline runs without W&B's mark that they were sent."""
    runs = sorted((outputs / "wandb").glob("offline-run-*"))
    return [folder for folder in runs if not list(folder.glob("*.wandb.synced"))]
