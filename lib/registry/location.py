"""A version of a registered model, and where its files lie: beside the database, or on a server.

What a folder holds is checked against the version's digest before anything uses it. Which versions there are
is in `lib.registry.store`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from lib import files, packaging, paths, redaction
from lib.errors import RegistryError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


class GoneError(RegistryError):
    """A version whose files are no longer there, or no longer those that were registered."""


@dataclass(frozen=True)
class Version:
    """One version of a registered model: one model, whatever number of runs have made it."""

    name: str
    number: int
    digest: str
    source: str
    tags: Mapping[str, str] = field(compare=False)
    aliases: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.name} version {self.number}"

    @property
    def retired(self) -> str:
        """Since when and why it is out of use for good, as `2026-03-01: reason`; empty if it is not."""
        return self.tags.get("workbook.retired", "")


def version(entry: "ModelVersion", aliases: Mapping[str, int]) -> Version:
    """A version as MLflow has it; `aliases` are those of its name."""
    number, tags = int(entry.version), dict(entry.tags)
    own = tuple(sorted(alias for alias, held in aliases.items() if held == number))
    return Version(entry.name, number, tags.get("workbook.digest", ""), entry.source or "", tags, own)


def folder(version: Version, outputs: Path) -> Path:
    """The version's model folder on this machine: where it lies, or downloaded from a server once."""
    source = urlparse(version.source)
    if source.scheme in ("", "file"):
        folder = Path(unquote(source.path))
        moved = outputs / "mlartifacts" / str(folder).partition("/mlartifacts/")[2]
        folder = folder if folder.exists() or not moved.exists() else moved
    else:
        folder = _downloaded(version, outputs)
    if not (folder / "MLmodel").exists():
        raise GoneError(
            f"{version} is registered, but its files are gone from {folder}. With this very model "
            "`make registry` registers it anew; `make promote VERSION=<number>` uses another."
        )
    _check(version, folder)
    return folder


def _downloaded(version: Version, outputs: Path) -> Path:
    server = paths.tracking_uri(outputs)
    place = [paths.kept_uri(server, outputs), version.name, version.number, version.source]
    cached = outputs / "cache" / "models" / (version.digest[:32] or files.digest_of(place))
    if not cached.exists():
        with files.writing(cached), files.whole_folder(cached) as folder:
            _download(version, folder, server)
            _check(version, _model_in(folder))
    return _model_in(cached)


def _download(version: Version, folder: Path, server: str) -> None:
    """The version's files, by MLflow from where they are kept; a failure says from where."""
    from mlflow.artifacts import download_artifacts

    try:
        download_artifacts(version.source, dst_path=str(folder), tracking_uri=server)
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise  # this machine's own, such as a full disk
        where, said = redaction.text(version.source), " ".join(redaction.text(str(error)).split())[:200]
        raise RegistryError(
            f"{version} could not be downloaded from {where} by way of {redaction.text(server)} "
            f"({type(error).__name__}: {said}). Is that place up, and has it the files still?"
        ) from error


def _model_in(folder: Path) -> Path:
    """Where the model lies in what was downloaded."""
    return next((path.parent for path in sorted(folder.rglob("MLmodel"))), folder)


def _check(version: Version, folder: Path) -> None:
    """Refuse a folder that is not the model that was registered; a version made by hand has no digest."""
    difference = packaging.difference(folder, version.digest) if version.digest else ""
    if difference:
        raise GoneError(
            f"{version} is not the model that was registered, of digest {version.digest[:16]}: {difference} "
            f"Or use another version: `make promote MODEL={version.name} VERSION=<number>`."
        )
