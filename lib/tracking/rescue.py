"""What is done for a step that ended without closing its run: killed, out of memory, cut off."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib import files
from lib.tracking import board, record


def close_dead(note: Mapping[str, Any]) -> None:
    """Mark as failed, in both trackers, the run that a step's note names; a closed one is left alone.

    W&B's own file lacks whatever was not yet on the disk, so its failed run is written again from
    MLflow's record: the same id, parameters, tags, figures and trials.
    """
    if not note.get("mlflow_uri") or note.get("status", "RUNNING") != "RUNNING":
        return
    run = record.close_run(note)
    if run is None:
        return
    outputs = Path(note["outputs"])
    wanted = board.mode()
    left = board.unfinished(outputs, note.get("wandb_id", ""))
    if wanted == "disabled" or (wanted == "offline" and not left):
        return
    import os

    from lib.tracking.about import environment

    os.environ.update(environment(outputs))
    again = board.Board(note["wandb_id"], run.data.tags, run.data.params, outputs, wanted)
    again.metrics(run.data.metrics)
    for child in record.children(note["mlflow_uri"], run):
        again.trial({"name": child.info.run_name} | child.data.params | child.data.metrics)
    again.close(1)
    for folder in left:
        files.remove(folder)
