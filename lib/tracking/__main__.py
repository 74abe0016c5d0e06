"""`make wandb-sync`: send the offline runs to W&B, for those who have a key; none is sent twice."""

import os
import subprocess
import sys
from pathlib import Path

from lib import steps, tracking
from lib.tracking import board


def main() -> int:
    """Hand the runs that were not sent yet to W&B's own command; says what to do where there is no key."""
    outputs = steps.outputs()
    waiting = unsent(outputs)
    if not waiting:
        print(f"No offline run waits in {outputs / 'wandb'}.")
        return 0
    os.environ.update(tracking.environment(outputs))
    if not board.has_key():
        print(
            f"{len(waiting)} offline runs wait in {outputs / 'wandb'}, but there is no key. Nothing was sent."
        )
        print("Run `.venv/bin/wandb login` or set WANDB_API_KEY, then `make wandb-sync` again.")
        return 1
    command = Path(sys.executable).with_name("wandb")
    return subprocess.run([command, "sync", "--yes", *waiting], check=False).returncode


def unsent(outputs: Path) -> list[Path]:
    """The offline runs without W&B's mark that they were sent."""
    found = sorted((outputs / "wandb").glob("offline-run-*"))
    return [folder for folder in found if not list(folder.glob("*.wandb.synced"))]


if __name__ == "__main__":
    sys.exit(main())
