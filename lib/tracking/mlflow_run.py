"""An MLflow run of a step: its tags, figures, trials and models, and how it is closed.

Where it is kept is in `lib.tracking.database`. Only `MlflowClient` is used, never the fluent API: no active
run that another thread or an exit hook could close. What W&B gets is in `lib.tracking.wandb_run`.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from lib import files, paths
from lib.records import OpenStep
from lib.tracking import database
from lib.tracking.backend import Cell, Trial

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

NOTHING: Mapping[str, Any] = MappingProxyType({})

LONGEST = 5000  # MLflow refuses a parameter or a tag that is longer than about this

#: The tags of a step that its trials get too.
SHARED = tuple(
    f"workbook.{name}" for name in ("run", "step", "problem", "commit", "data", "parameters", "generated")
)


def flat(parameters: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Nested mappings as `options.train_months`, values as text."""
    texts: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            texts |= flat(value, f"{prefix}{name}.")
        else:
            texts[f"{prefix}{name}"] = str(files.plain(value))[:LONGEST]
    return texts


class MlflowRun:
    """One MLflow run: opened, added to, closed. Every method is one call or one batch."""

    def __init__(
        self, at: str, tags: Mapping[str, str], parameters: Mapping[str, object], outputs: Path
    ) -> None:
        self.uri, self.client = at, database.client(at)
        self.experiment = database.experiment(at, tags["workbook.problem"], outputs)
        self.tags = dict(tags)
        name = f"{tags['workbook.run']}/{tags['workbook.step']}"
        run = self.client.create_run(self.experiment, tags=self.tags, run_name=name)
        self.run_id: str = run.info.run_id
        self._log(self.run_id, parameters=parameters)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Tags of the run, which its trials get too."""
        self.tags |= tags
        self._log(self.run_id, tags=tags)

    def metrics(self, metrics: Mapping[str, float | None]) -> None:
        """Figures by name."""
        self._log(self.run_id, metrics=metrics)

    def curve(self, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Figures by name for each step, say the rounds of boosting."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for step, one in points for name, value in one.items()]
        self.client.log_batch(self.run_id, metrics=metrics)

    def _log(
        self,
        run_id: str,
        *,
        parameters: Mapping[str, object] = NOTHING,
        metrics: Mapping[str, float | None] = NOTHING,
        tags: Mapping[str, str] = NOTHING,
    ) -> None:
        """Parameters, metrics and tags in one batch."""
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(k, float(v), now, 0) for k, v in metrics.items() if v is not None],
            params=[Param(k, v) for k, v in flat(parameters).items()],
            tags=[RunTag(k, str(v)[:LONGEST]) for k, v in tags.items()],
        )

    def figure(self, name: str, path: Path) -> None:  # noqa: ARG002 - W&B's name
        """A PNG file, among the run's artifacts."""
        self.client.log_artifact(self.run_id, str(path), "figures")

    def table(self, name: str, path: Path, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:  # noqa: ARG002 - W&B's parts
        """A table's file, among the run's artifacts."""
        self.client.log_artifact(self.run_id, str(path), "tables")

    def text(self, name: str, path: Path, text: str) -> None:  # noqa: ARG002 - W&B's parts
        """A text's file, among the run's artifacts."""
        self.client.log_artifact(self.run_id, str(path))

    def data(self, name: str, path: Path, digest: str, rows: int | None) -> None:
        """A dataset that the run used or made, with our digest: MLflow's own reads 10,000 rows only."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        profile = json.dumps({"num_rows": rows})
        source = json.dumps({"uri": path.as_uri()})
        entry = Dataset(name, digest[:36], "local", source, schema=None, profile=profile)
        self.client.log_inputs(self.run_id, [DatasetInput(entry, [InputTag("mlflow.data.context", name)])])

    def trial(self, trial: Trial) -> None:
        """A child run, opened, filled in one batch and closed."""
        tags = {name: self.tags[name] for name in SHARED if name in self.tags}
        tags |= {"mlflow.parentRunId": self.run_id, "workbook.trial": str(trial.number)}
        if trial.reason:
            tags["workbook.reason"] = trial.reason[:LONGEST]
        name = f"{trial.family} {trial.number}"
        child = self.client.create_run(self.experiment, tags=tags, run_name=name).info.run_id
        self._log(child, parameters={"family": trial.family, **trial.parameters}, metrics=trial.metrics)
        self.client.set_terminated(child, "FINISHED" if trial.status == "ok" else "FAILED")

    def model(self, folder: Path, tags: Mapping[str, str]) -> str:
        """The folder as a logged model; gives its id. One that is whole is not stored twice."""
        digest = tags["workbook.digest"]
        for model in self.client.search_logged_models(
            [self.experiment], f"tags.`workbook.digest` = '{digest}'"
        ):
            if model.status == "READY" and _whole(model.artifact_location, digest):
                return str(model.model_id)
        return self._store(folder, tags)

    def _store(self, folder: Path, tags: Mapping[str, str]) -> str:
        from mlflow.entities import LoggedModelOutput

        model_id: str = self.client.create_logged_model(
            self.experiment, name="model", source_run_id=self.run_id, tags=dict(tags)
        ).model_id
        self.client.log_model_artifacts(model_id, str(folder))
        self.client.finalize_logged_model(model_id, "READY")
        self.client.log_outputs(self.run_id, [LoggedModelOutput(model_id, step=0)])
        return model_id

    def close(self, status: str) -> None:
        """Set the run's final status."""
        self.client.set_terminated(self.run_id, status)
        database.settle(self.uri)


def _whole(location: str, digest: str) -> bool:
    """Whether stored artifacts are those of this digest, as far as that is known without asking a server."""
    if not location.startswith("file:"):
        return True
    folder = Path(unquote(urlparse(location).path))
    return folder.is_dir() and files.digest(folder) == digest


def close_dead(step: OpenStep) -> None:
    """Close as failed the run, and its trials, of a step that did not finish, though it may have closed it.

    What is gone with its database, or was deleted there, needs no closing. Its offline run in W&B stays as it
    was cut off.
    """
    at = paths.meant_uri(step.mlflow_uri, paths.outputs()) if step.mlflow_uri else ""
    if not at or not database.there(at):
        return
    store = database.client(at)
    run_id = step.mlflow_run_id or run_of_key(store, step.problem, step.key)
    run = _run(store, run_id) if run_id else None
    if not run_id or run is None or run.info.lifecycle_stage == "deleted":
        return
    running = f"tags.mlflow.parentRunId = '{run_id}' and attributes.status = 'RUNNING'"
    for child in store.search_runs([run.info.experiment_id], running):
        store.set_terminated(child.info.run_id, "FAILED")
    store.set_terminated(run_id, "FAILED")


def _run(store: "MlflowClient", run_id: str) -> "Run | None":
    """A run by its id; None if the store has none of that id."""
    from mlflow.exceptions import MlflowException

    try:
        return store.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def run_of_key(store: "MlflowClient", problem: str, key: str) -> str | None:
    """The run that has this key as a tag: found before its id was noted, and in whichever database it is."""
    known = store.get_experiment_by_name(problem)
    if known is None or not key:
        return None
    runs = store.search_runs([known.experiment_id], f"tags.workbook.key = '{key}'")
    return runs[0].info.run_id if runs else None
