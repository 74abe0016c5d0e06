"""A W&B run: offline under `outputs/wandb` by default, without an account, never asking a question.

Gets the same figures as MLflow's; of data and models only the digests, unless the parameter `wandb_upload` is
true. Whatever fails here is reported once and costs the step nothing: see `lib.tracking`. WANDB_MODE=online
sends at once, =disabled keeps nothing and does not even import it.
"""

import html
import netrc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlparse

from lib import files
from lib.tracking.backend import Cell, Trial

if TYPE_CHECKING:
    from wandb import Settings

Mode = Literal["online", "offline", "shared", "disabled"]

#: Seconds that a step waits for W&B, which may hang: then it goes on without.
PATIENCE = 60.0


def mode() -> Mode:
    """What WANDB_MODE asks for; online without a key is offline, as W&B would stop and ask for one."""
    name = os.environ.get("WANDB_MODE") or "offline"
    if name in ("online", "shared") and not has_key():
        print("WANDB_MODE=online, but there is no key (`wandb login`): this run is kept offline.")
        return "offline"
    return cast(Mode, name)


def has_key() -> bool:
    """Whether there is a key: in the environment, or where `wandb login` puts it (~/.netrc)."""
    host = urlparse(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname or ""
    try:
        path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
        login = netrc.netrc(path).authenticators(host)
    except (OSError, RuntimeError, netrc.NetrcParseError):  # a RuntimeError: this user has no home
        login = None
    return bool(os.environ.get("WANDB_API_KEY") or login)


class WandbRun:
    """One W&B run: opened, added to, closed."""

    def __init__(
        self, tags: Mapping[str, str], parameters: Mapping[str, object], outputs: Path, mode: Mode
    ) -> None:
        run, step, problem = (tags[f"workbook.{name}"] for name in ("run", "step", "problem"))
        os.environ.setdefault("WANDB_NOTEBOOK_NAME", f"{step}.ipynb")
        import wandb

        self._wandb, self._tags = wandb, dict(tags)
        self._uploads = parameters.get("wandb_upload") is True
        self._trials: list[dict[str, Cell]] = []
        pipeline = tags.get("workbook.pipeline")
        self._run = wandb.init(
            id=tags["workbook.key"],
            project=os.environ.get("WANDB_PROJECT") or f"workbook-{problem}",
            group=os.environ.get("WANDB_RUN_GROUP") or "-".join(filter(None, [run, pipeline])),
            job_type=step.partition("_")[2] or step,
            name=f"{run}/{step}",
            tags=[problem, step],
            config=files.plain(parameters) | {"tags": dict(tags)},
            dir=os.environ.get("WANDB_DIR") or str(outputs),
            mode=mode,
            reinit="create_new",
            resume="allow" if mode == "online" else None,
            settings=_settings(),
        )

    def tag(self, tags: Mapping[str, str]) -> None:
        """Tags stand in the configuration: W&B's own tags are words without a value."""
        self._tags |= tags
        self._run.config.update({"tags": self._tags}, allow_val_change=True)

    def metrics(self, metrics: Mapping[str, float | None]) -> None:
        """Figures by name, in the history and the summary."""
        self._run.log({name: float(value) for name, value in metrics.items() if value is not None})

    def curve(self, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Figures by name for each round, over an axis of their own."""
        for step, figures in points:
            for name in figures:
                self._run.define_metric(name, step_metric="round")
            self._run.log({"round": step, **figures})

    def figure(self, name: str, path: Path) -> None:
        """A PNG file."""
        self._run.log({f"figures/{name}": self._wandb.Image(str(path))})

    def table(self, name: str, path: Path, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:  # noqa: ARG002 - MLflow's file
        """A table of plain values."""
        self._log_table(f"tables/{name}", columns, rows)

    def _log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        self._run.log({name: self._wandb.Table(columns=list(columns), data=[list(row) for row in rows])})

    def text(self, name: str, path: Path, text: str) -> None:  # noqa: ARG002 - MLflow's file
        """A text, shown as it is."""
        self._run.log({name: self._wandb.Html(f"<pre>{html.escape(text)}</pre>", inject=False)})

    def data(self, name: str, path: Path, digest: str, rows: int | None) -> None:
        """Rows, as an artifact with our digest."""
        self._artifact("dataset", name, path, digest, {"rows": rows})

    def model(self, folder: Path, tags: Mapping[str, str]) -> None:
        """A model's folder, as an artifact with our digest."""
        self._artifact("model", "model", folder, tags["workbook.digest"], tags)

    def _artifact(
        self, kind: str, name: str, path: Path, digest: str, metadata: Mapping[str, object]
    ) -> None:
        """Artifact `<problem>-<name>`: a reference by its digest, or a copy of what is there, to be sent."""
        named = f"{self._tags['workbook.problem']}-{name}"
        artifact = self._wandb.Artifact(named, type=kind, metadata={**metadata, "digest": digest})
        if not self._uploads:
            artifact.add_reference(f"sha256:{digest}", name=path.name, checksum=False)
        elif path.is_dir():
            artifact.add_dir(str(path))
        else:
            artifact.add_file(str(path))
        self._run.log_artifact(artifact, aliases=[self._tags["workbook.run"]])

    def trial(self, trial: Trial) -> None:
        """A row of the table `trials`, which is sent when the run closes."""
        row: dict[str, Cell] = {"number": trial.number, "family": trial.family}
        row |= {"status": trial.status, "reason": trial.reason}
        self._trials.append({**row, **trial.parameters, **trial.metrics})

    def close(self, status: str) -> None:
        """Send the trials and end the run."""
        if self._trials:
            columns = list(dict.fromkeys(name for row in self._trials for name in row))
            self._log_table("trials", columns, [[row.get(name) for name in columns] for row in self._trials])
        self._run.finish(exit_code=int(status != "FINISHED"))


def _settings() -> "Settings":
    """Quiet, without capturing the notebook's output, git, code, hardware figures or machine names."""
    import wandb

    return wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        save_code=False,
        init_timeout=30,
        x_disable_stats=True,
        x_disable_machine_info=True,
    )
