"""The tracked run of a finished step: its executed notebook, and what is logged again where it is gone."""

from pathlib import Path

from lib.records import StepRecord
from lib.tracking import database
from lib.tracking.mlflow_run import run_of_key
from lib.tracking.tracked import Tracked


def keep(record: StepRecord, run: str, executed: Path, outputs: Path) -> str:
    """See that MLflow has the run of a finished step, its executed notebook with it; gives what to tell.

    A step whose result was taken from another run gets one of its own, in W&B as well, that says so. Where
    the database is new, what the record has is logged again.
    """
    problem = str(record.parameters.get("problem", run))
    store = database.client(database.prepare(outputs))
    run_id, told = run_of_key(store, problem, record.key), ""
    if run_id is None:
        run_id = _log_again(record, run, problem, outputs)
        again = f"{record.step} is logged again, without its trials, figures and model"
        told = "" if record.linked_from else f"{again}, as MLflow no longer had its run"
    if not store.list_artifacts(run_id, "notebook"):
        store.log_artifact(run_id, str(executed), "notebook")
    return told


def _log_again(record: StepRecord, run: str, problem: str, outputs: Path) -> str:
    """Log from its record what a step has logged: parameters, metrics, tags; gives the MLflow run's id."""
    source = {"workbook.linked_from": record.linked_from} if record.linked_from else {}
    tracked = Tracked(
        step=record.step,
        run=run,
        problem=problem,
        parameters={name: value for name, value in record.parameters.items() if name != "problem"},
        more_tags=record.tags | source | {"workbook.first_run_id": str(record.mlflow_run_id)},
        outputs=outputs,
        note=None,
        key=record.key,
        wandb=bool(record.linked_from),
    )
    tracked.metrics(record.metrics)
    tracked.close("FINISHED")
    return tracked.run_id
