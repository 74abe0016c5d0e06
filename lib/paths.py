"""Where things lie: the folders of the project, of its outputs and of a run, names below a run, the record.

Nothing here reads or writes; that is `lib.files`. Standard library only.
"""

import contextlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from lib import redaction
from lib.errors import ParameterError

ROOT = Path(__file__).resolve().parents[1]
#: The run of a notebook that is opened in JupyterLab, or run by pytest or plain papermill.
SCRATCH = "scratch"
#: What lies in a run's folder beside the things that its steps write.
RESERVED = ("run", "data", "notebooks", "memory", "index", "pipeline")


@dataclass(frozen=True)
class Project:
    """The folders of one checkout; tests make one of their own in a temporary folder."""

    root: Path
    outputs: Path

    @property
    def notebooks(self) -> Path:
        """The numbered notebooks."""
        return self.root / "notebooks"

    @property
    def exercises(self) -> Path:
        """The exercises; their sources lie in a folder below."""
        return self.notebooks / "exercises"

    @property
    def lib(self) -> Path:
        """The helpers that notebooks import."""
        return self.root / "lib"

    @property
    def datasets(self) -> Path:
        """The problems, a package each."""
        return self.lib / "datasets"

    @property
    def params(self) -> Path:
        """The parameters files."""
        return self.root / "params"

    def shown(self, path: Path) -> str:
        """`path` as a user types it from the project's folder."""
        with contextlib.suppress(ValueError):
            return str(path.relative_to(self.root))
        return str(path)


def here() -> Project:
    """This checkout, with its outputs."""
    return Project(ROOT, outputs())


def outputs() -> Path:
    """Where all that runs make is kept: the folder WORKBOOK_OUTPUTS, else `outputs/` of the project."""
    return Path(os.environ.get("WORKBOOK_OUTPUTS") or ROOT / "outputs").absolute()


def typed(name: str | Path) -> Path:
    """A path as a user types it: `~` is a home, of a user whom nobody knows the name of a folder."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - pathlib's raises there


def mirror() -> Path | None:
    """The folder DATA_MIRROR, counted from the project's wherever a notebook runs."""
    named = os.environ.get("DATA_MIRROR", "")
    return ROOT / typed(named) if named else None


def tracking_uri(outputs: Path) -> str:
    """Where the record is: what MLFLOW_TRACKING_URI says, else `mlflow.db` in the outputs.

    A relative file, such as `sqlite:///mlflow.db`, counts from the project's folder, not from a notebook's. A
    folder of files, such as `mlruns`, is refused, as MLflow itself does.
    """
    named = os.environ.get("MLFLOW_TRACKING_URI", "")
    if named and ("://" not in named or named.lower().startswith("file:")):
        raise ParameterError(
            f"MLFLOW_TRACKING_URI={redaction.text(named)} names no database and no server: MLflow records "
            "in a folder no more. Say sqlite:///mlflow.db or http://host:5000, or unset it."
        )
    if "%" in sys.prefix and not named.startswith("http"):  # a placeholder to what makes MLflow's tables
        raise ParameterError(
            f"MLflow cannot make its database while its code lies in {sys.prefix}: a `%` in a folder's name "
            "stops it. Rename the folder, or move the project."
        )
    kind, found, file = named.partition("sqlite:///")
    if named and (kind or not found):
        return named
    database = ROOT / file if named else outputs / "mlflow.db"
    if re.search(r"\?|%[0-9a-fA-F]{2}", str(database)):  # of a URL that is a query, or stands for a character
        where = "MLFLOW_TRACKING_URI" if named else "WORKBOOK_OUTPUTS"
        raise ParameterError(
            f"MLflow cannot keep its database in {database}: the path must hold no `?`, and no `%` before "
            f"two digits. Set {where} to another place."
        )
    return f"sqlite:///{database}"


def kept_uri(uri: str, outputs: Path) -> str:
    """An address as it is kept: without a password, and `{outputs}` for a folder that may be moved."""
    return redaction.text(uri).replace(str(outputs), "{outputs}")


def meant_uri(kept: str, outputs: Path) -> str:
    """The address that was kept as `kept`: the present one where that is it, which may need a password."""
    now = tracking_uri(outputs)
    return now if kept_uri(now, outputs) == kept else kept.replace("{outputs}", str(outputs))


def candidates(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """The three places where `name` may lie below a run's folder: a frame's, a mapping's, a folder's."""
    return folder / "data" / f"{name}.parquet", folder / f"{name}.json", folder / name


def find(folder: Path, name: str) -> Path | None:
    """Which of the three is there."""
    return next((path for path in candidates(folder, name) if path.exists()), None)


def memory(folder: Path, step: str) -> Path:
    """Where a step of the run in `folder` keeps what it goes on from after it was cut off."""
    return folder / "memory" / step


def without_folder(value: object) -> object:
    """An option's value; of one that is a path only the file's name, as digests say which file it was."""
    if isinstance(value, list | tuple):
        return [without_folder(item) for item in value]
    if not isinstance(value, str) or not value:
        return value
    try:
        path = typed(value)
        return path.name if path.is_absolute() or (ROOT / path).is_file() else value
    except (OSError, ValueError):  # too long for a path
        return value
