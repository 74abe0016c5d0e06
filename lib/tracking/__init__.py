"""One face over MLflow and W&B: a step opens a run, and both trackers get the same figures.

MLflow is the record (`lib.tracking.record`): its failure fails the step. W&B (`lib.tracking.board`) is
offline by default, needs no account and never prompts: its failure is told once. Calls return at once:
each tracker has a thread that does the work in order, and `close` waits for both.
"""

import io
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib import files
from lib.tracking.record import Record, attach, close_run, prepare, uri

__all__ = ["Tracked", "attach", "close_dead", "environment", "open", "prepare", "uri"]

_SECRET = re.compile(r"(?i)(password|passwd|secret|token|api_?key|credential)")
_IN_URL = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


def environment(outputs: Path) -> dict[str, str]:
    """What must stand in the environment before MLflow or W&B is imported; what the user set stays."""
    folder = str(outputs / "wandb")
    wanted = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
        "WANDB_DATA_DIR": folder,
        "WANDB_CACHE_DIR": folder,
        "WANDB_CONFIG_DIR": folder,
    }
    return {name: value for name, value in wanted.items() if not os.environ.get(name)}


def open(
    step: str,
    run: str,
    problem: str,
    parameters: Mapping[str, Any],
    tags: Mapping[str, str],
    outputs: Path,
    note: Path | None = None,
) -> "Tracked":
    """Open one run in each tracker. `note` is the file that says which, for whoever finds the step dead."""
    os.environ.update(environment(outputs))
    parent = os.environ.pop("MLFLOW_RUN_ID", None)
    if parent:
        os.environ["WORKBOOK_PARENT_RUN_ID"] = parent
    return Tracked(step, run, problem, parameters, tags, outputs, note)


class Tracked:
    """A step's run in both trackers. Methods give work to the trackers' threads and return."""

    def __init__(
        self,
        step: str,
        run: str,
        problem: str,
        parameters: Mapping[str, Any],
        tags: Mapping[str, str],
        outputs: Path,
        note: Path | None,
    ) -> None:
        self.at = prepare(outputs)
        self.note, self.closed = note, False
        key = secrets.token_hex(8)
        parameters = {name: _hidden(name, value) for name, value in parameters.items()}
        every = {
            "workbook.key": key,
            "workbook.run": run,
            "workbook.step": step,
            "workbook.problem": problem,
            "workbook.pipeline": os.environ.get("WORKBOOK_PIPELINE_ID", ""),
            "workbook.parameters": _short_hash(parameters),
            "workbook.generated": "unknown",
            **_commit(),
            **tags,
        }
        parent = os.environ.get("WORKBOOK_PARENT_RUN_ID")
        if parent:
            every["mlflow.parentRunId"] = parent
        every["mlflow.source.name"] = f"notebooks/{step}.ipynb"
        every["mlflow.source.type"] = "NOTEBOOK"
        self._about = {"key": key, "problem": problem, "mlflow_uri": self.at, "pid": os.getpid()}
        self._write_note()
        self._record = Record(self.at, f"{run}/{step}", problem, outputs, every)
        self._about["mlflow_run_id"] = self.run_id
        self._write_note()
        self._record.log(parameters=parameters)

    @property
    def run_id(self) -> str:
        """The id of the MLflow run."""
        return self._record.run_id

    def _write_note(self) -> None:
        if self.note:
            with files.whole(self.note) as file:
                file.write(files.as_json(self._about))

    def tags(self, tags: Mapping[str, str]) -> None:
        """Tags of the run; those that were there are replaced."""
        self._record.tags |= tags
        self._record.log(tags=tags)

    def metrics(self, metrics: Mapping[str, float]) -> None:
        """Figures of the run, by name; None is left out."""
        self._record.log(metrics=metrics)

    def figure(self, name: str, figure: Any) -> None:
        """A matplotlib figure, as PNG."""
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=110, bbox_inches="tight")
        self._keep(f"figures/{name}.png", picture.getvalue())

    def table(self, name: str, frame: Any) -> None:
        """A small data frame, as a table that both trackers show."""
        text = frame.reset_index().to_json(orient="split", index=False, default_handler=str)
        self._keep(f"tables/{name}.json", text.encode())

    def text(self, name: str, text: str) -> None:
        """A text file."""
        self._keep(f"{name}.txt", text.encode())

    def _keep(self, name: str, content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(name).name
            path.write_bytes(content)
            self._record.artifact(path, str(Path(name).parent) if "/" in name else None)

    def data(self, name: str, path: Path, digest: str, rows: int | None = None) -> None:
        """Data that the step wrote."""
        self._record.data(name, path, digest, rows)

    def trial(
        self,
        number: int,
        family: str,
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        seconds: float,
        status: str = "ok",
        reason: str = "",
    ) -> None:
        """A trial of a search: a child run in MLflow, a row of one table in W&B."""
        self._record.trial(
            f"{family} {number}",
            {"workbook.family": family, "workbook.trial": str(number)}
            | ({"workbook.reason": reason} if reason else {}),
            parameters,
            dict(metrics) | {"seconds": seconds},
            "FINISHED" if status == "ok" else "FAILED",
        )

    def model(self, folder: Path, digest: str, tags: Mapping[str, str] | None = None) -> None:
        """A model's folder, as a logged model of the run."""
        self._record.model(folder, digest, tags or {})

    def close(self, status: str = "FINISHED") -> None:
        """Close the run in both trackers; a second call does nothing."""
        if not self.closed:
            self.closed = True
            self._record.close(status)


def _hidden(name: str, value: Any) -> Any:
    """A parameter as it may be logged: what looks like a secret is not shown."""
    if isinstance(value, Mapping):
        return {key: _hidden(key, item) for key, item in value.items()}
    if _SECRET.search(name):
        return "(hidden)"
    return _IN_URL.sub("(hidden)", value) if isinstance(value, str) else value


def _short_hash(parameters: Mapping[str, Any]) -> str:
    import hashlib

    return hashlib.sha256(files.as_json(parameters)).hexdigest()[:16]


def _commit() -> dict[str, str]:
    """The git commit of the project, and whether files differ from it; empty outside a repository."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        found = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, timeout=10)
        return found.stdout.strip() if found.returncode == 0 else ""

    try:
        commit = git("rev-parse", "HEAD")
        return (
            {
                "mlflow.source.git.commit": commit,
                "workbook.dirty": "yes" if git("status", "--porcelain") else "no",
            }
            if commit
            else {}
        )
    except (OSError, subprocess.SubprocessError):
        return {}


def close_dead(note: Mapping[str, Any]) -> None:
    """Mark as failed, in both trackers, the run of a step that ended without closing it."""
    if note.get("mlflow_uri"):
        close_run(note)
