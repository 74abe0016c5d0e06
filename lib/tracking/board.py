"""W&B, the board: offline under `outputs/wandb` by default, without an account, never asking a question.

Gets the same figures as the record. Whatever fails here is told once and costs the step nothing: see
`lib.tracking`. WANDB_MODE=online sends at once, =disabled keeps nothing and does not even import it.
"""

import netrc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lib import files


def mode() -> str:
    """What WANDB_MODE asks for; online without a key is offline, as W&B would stop and ask for one."""
    asked = os.environ.get("WANDB_MODE") or "offline"
    if asked in ("online", "shared") and not has_key():
        print("WANDB_MODE=online, but there is no key (`wandb login`): this run is kept offline.")
        return "offline"
    return asked


def has_key() -> bool:
    """Whether there is a key: in the environment, or where `wandb login` puts it (~/.netrc)."""
    host = urlparse(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        kept = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        kept = None
    return bool(os.environ.get("WANDB_API_KEY") or kept)


def unfinished(outputs: Path, key: str) -> list[Path]:
    """The folders of the offline run with id `key`."""
    return sorted((outputs / "wandb").glob(f"offline-run-*-{key}"))


class Board:
    """One W&B run: opened, added to, closed."""

    def __init__(
        self, key: str, tags: Mapping[str, str], parameters: Mapping[str, Any], outputs: Path, mode: str
    ) -> None:
        os.environ.setdefault("WANDB_NOTEBOOK_NAME", tags["workbook.step"] + ".ipynb")
        import wandb

        self.wandb, self.tags = wandb, dict(tags)
        self._trials: list[dict[str, Any]] = []
        pipeline = tags.get("workbook.pipeline")
        self.run = wandb.init(
            id=key,
            project=os.environ.get("WANDB_PROJECT") or f"workbook-{tags['workbook.problem']}",
            group=os.environ.get("WANDB_RUN_GROUP")
            or "-".join(filter(None, [tags["workbook.run"], pipeline])),
            job_type=tags["workbook.step"].partition("_")[2] or tags["workbook.step"],
            name=f"{tags['workbook.run']}/{tags['workbook.step']}",
            tags=[tags["workbook.problem"], tags["workbook.step"]],
            config=files.plain(parameters) | {"tags": dict(tags)},
            dir=os.environ.get("WANDB_DIR") or str(outputs),
            mode=mode,
            reinit="create_new",
            resume="allow" if mode == "online" else None,
            settings=_settings(wandb),
        )

    def tag(self, tags: Mapping[str, str]) -> None:
        """Tags stand in the configuration: W&B's own tags are words without a value."""
        self.tags |= tags
        self.run.config.update({"tags": self.tags}, allow_val_change=True)

    def metrics(self, metrics: Mapping[str, float]) -> None:
        """Figures by name, in the history and the summary."""
        self.run.log({name: float(value) for name, value in metrics.items() if value is not None})

    def picture(self, name: str, path: Path) -> None:
        """A PNG file."""
        self.run.log({name: self.wandb.Image(str(path))})

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table of plain values."""
        self.run.log({name: self.wandb.Table(columns=list(columns), data=[list(row) for row in rows])})

    def text(self, name: str, text: str) -> None:
        """A text, shown as it is."""
        import html

        self.run.log({name: self.wandb.Html(f"<pre>{html.escape(text)}</pre>", inject=False)})

    def artifact(self, kind: str, name: str, path: Path, about: Mapping[str, Any]) -> None:
        """A file or a folder as artifact `<problem>-<name>`; its bytes are copied, to be sent later."""
        made = self.wandb.Artifact(f"{self.tags['workbook.problem']}-{name}", type=kind, metadata=dict(about))
        if path.is_dir():
            made.add_dir(str(path))
        else:
            made.add_file(str(path))
        self.run.log_artifact(made, aliases=[self.tags["workbook.run"]])

    def trial(self, row: Mapping[str, Any]) -> None:
        """A row of the table `trials`, which is sent when the run closes."""
        self._trials.append(dict(row))

    def close(self, exit_code: int) -> None:
        """Send the trials and end the run."""
        if self._trials:
            columns = list(dict.fromkeys(name for row in self._trials for name in row))
            self.table("trials", columns, [[row.get(name) for name in columns] for row in self._trials])
        self.run.finish(exit_code=exit_code)


def _settings(wandb: Any) -> Any:
    """Quiet, without capturing the notebook's output, git, code, hardware figures or machine names."""
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
