"""What MLflow's registry holds of a problem: versions, each one model by its digest, and aliases.

A registered name is `<problem>`, `<problem>-generated` or `<problem>-scratch`, so that a model of generated
data, or of a try in JupyterLab, never meets a real one. What is compared is in `lib.registry.contest`, where
a version's files lie in `lib.registry.location`.
"""

import datetime
import functools
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import pandas as pd

from lib import files, tracking
from lib.errors import RegistryError
from lib.registry import location
from lib.registry.location import GoneError, Version

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.store.entities import PagedList

_T = TypeVar("_T")


def name_of(problem: str, run: str, generated: bool) -> str:
    """The registered name that a run's model goes by."""
    if run == "scratch":
        return f"{problem}-scratch"
    return f"{problem}-generated" if generated else problem


@dataclass(frozen=True)
class Decision:
    """What was decided of a version, once: kept with it before any alias moves, and `done` after."""

    outcome: str
    reason: str
    before: int | None  # the version that held the alias then
    done: bool = False


class Store:
    """The registry beside the tracking database of `outputs`."""

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self.client: MlflowClient = tracking.client(tracking.prepare(outputs))

    def lock(self) -> AbstractContextManager[IO[str]]:
        """Hold this while reading and moving aliases: two runs may register at once."""
        return files.locked(self.outputs / ".registry.lock")

    def names(self) -> list[str]:
        """All registered names."""
        return [model.name for model in _every(self.client.search_registered_models)]

    def versions(self, name: str) -> list[Version]:
        """All versions of a name, oldest first; none where the name is not registered."""
        entries = _every(functools.partial(self.client.search_model_versions, f"name = '{name}'"))
        aliases = self.aliases(name) if entries else {}
        return sorted(
            (location.version(entry, aliases) for entry in entries), key=lambda version: version.number
        )

    def aliases(self, name: str) -> dict[str, int]:
        """Which version each alias of a name points to."""
        from mlflow.exceptions import MlflowException

        try:
            aliases = self.client.get_registered_model(name).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        return {alias: int(number) for alias, number in aliases.items()}

    def get(self, name: str, alias: str) -> Version | None:
        """The version that an alias points to, if there is one."""
        number = self.aliases(name).get(alias)
        return next((one for one in self.versions(name) if one.number == number), None)

    def add(self, name: str, model_id: str, description: str, tags: Mapping[str, str]) -> Version:
        """A new version of `name`, or the one of this digest that can answer, now in these words.

        On a server that many share another may add the same model at the same moment: the first one stays.
        """
        same = self._same(name, tags["workbook.digest"])
        if same:
            self.client.update_model_version(name, str(same[0].number), description)
            return same[0]
        self._name(name, description.partition("\n")[0])
        model = self.client.get_logged_model(model_id)
        source = model.artifact_location  # "models:/<id>" would be looked up in MLflow's default store
        entry = self.client.create_model_version(
            name, source, model.source_run_id, dict(tags), description=description, model_id=model_id
        )
        same, added = self._same(name, tags["workbook.digest"]), location.version(entry, {})
        trouble = "" if same else self.trouble(added)
        if added not in same[:1]:
            self.client.delete_model_version(name, str(added.number))
        if not same:
            raise RegistryError(f"{added} was not added, as what MLflow stored cannot answer: {trouble}")
        return same[0]

    def _name(self, name: str, description: str) -> None:
        """Have the name registered; another process may be quicker."""
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(name, description=description)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _same(self, name: str, digest: str) -> list[Version]:
        """The versions of this digest that can answer or are retired, oldest first."""
        alike = (one for one in self.versions(name) if one.digest == digest)
        return [one for one in alike if one.retired or not self.trouble(one)]

    def tag(self, version: Version, **tags: object) -> None:
        """Add to a version's tags, as `workbook.<name>`."""
        for key, value in tags.items():
            self.client.set_model_version_tag(
                version.name, str(version.number), f"workbook.{key}", str(value)
            )

    def move(self, version: Version, alias: str) -> None:
        """Point an alias to a version, and remember where it pointed before."""
        if self.aliases(version.name).get(alias) != version.number:
            past = self._past(version.name, alias)
            self._point(version.name, alias, version.number)
            self._remember(version.name, alias, [*past, version.number])

    def _point(self, name: str, alias: str, number: int) -> None:
        """Set an alias and read it back: the registry may be a server that many share."""
        version = self.pick(name, str(number))
        if version.retired:
            raise RegistryError(
                f"{version} is retired ({version.retired}) and takes no alias again. `make versions` lists "
                "the others."
            )
        self.client.set_registered_model_alias(name, alias, str(number))
        held = self.aliases(name).get(alias)
        if held != number:
            raise RegistryError(
                f"{name}: {alias!r} was to point to version {number} and points to {held or 'none'}: "
                "somebody else moved it at the same moment. Look at `make versions`, and say it again."
            )

    def decision(self, version: Version, alias: str) -> Decision | None:
        """What was decided of this version as it came to `alias`, if it came to that."""
        kept = self.client.get_model_version(version.name, str(version.number)).tags
        decision = kept.get(f"workbook.decision.{alias}")
        return Decision(**json.loads(decision)) if decision else None

    def keep(self, version: Version, alias: str, decision: Decision) -> None:
        """Note what was decided of a version, so that whoever is cut off goes on from there."""
        self.tag(version, **{f"decision.{alias}": json.dumps(asdict(decision))})

    def trouble(self, version: Version) -> str:
        """Why a version may never answer; empty if it may. A server that is away is an error instead."""
        if version.retired:
            return f"{version} is retired ({version.retired})."
        try:
            self.folder(version)
        except GoneError as error:
            return str(error)
        return ""

    def release(self, name: str) -> None:
        """Take its aliases from every version that may not answer."""
        for version in self.versions(name):
            if version.aliases and self.trouble(version):
                for alias in version.aliases:
                    self.drop(name, alias)

    def retire(self, version: Version, reason: str) -> Version:
        """Take a version out of use for good, and read back that it holds no alias.

        Of one that is retired already, date and reason stay.
        """
        if not version.retired:
            self.tag(version, retired=f"{datetime.datetime.now().astimezone().date()}: {reason}")
        for alias in version.aliases:
            self.drop(version.name, alias)
        after = self.pick(version.name, str(version.number))
        if after.aliases or not after.retired:
            raise RegistryError(
                f"{after} was to be retired and still holds {', '.join(after.aliases) or 'its place'}: "
                "somebody else changed it at the same moment. Look at `make versions`, and say it again."
            )
        return after

    def drop(self, name: str, alias: str) -> None:
        """Take an alias away."""
        if alias in self.aliases(name):
            self.client.delete_registered_model_alias(name, alias)

    def history(self, name: str, alias: str) -> list[int]:
        """The versions that an alias has pointed to, the present one last."""
        tags = self.client.get_registered_model(name).tags
        history: list[int] = json.loads(tags.get(f"workbook.history.{alias}", "[]"))
        return history

    def _past(self, name: str, alias: str) -> list[int]:
        """What of its history is there still, and where it points now if somebody moved it by hand."""
        there, now = {version.number for version in self.versions(name)}, self.aliases(name).get(alias)
        past = [number for number in self.history(name, alias) if number in there] if there else []
        return past if now is None or past[-1:] == [now] else [*past, now]

    def before(self, version: Version, alias: str) -> Version | None:
        """The last version other than this that held `alias` and can answer, if there was one."""
        past = [self.pick(version.name, str(number)) for number in reversed(self._past(version.name, alias))]
        others = (one for one in past if one.number != version.number)
        return next((one for one in others if not self.trouble(one)), None)

    def _remember(self, name: str, alias: str, numbers: list[int]) -> None:
        self.client.set_registered_model_tag(name, f"workbook.history.{alias}", json.dumps(numbers))

    def back(self, name: str, alias: str) -> Version:
        """Point an alias to where it pointed before: to the last version there that can answer."""
        past, now = self._past(name, alias), self.aliases(name).get(alias)
        earlier = past[:-1] if past[-1:] == [now] else past
        while earlier and self.trouble(self.pick(name, str(earlier[-1]))):
            earlier = earlier[:-1]
        if not earlier:
            raise RegistryError(
                f"{name!r} has no earlier {alias} that can answer: it has pointed to {past or 'nothing'}."
            )
        self._point(name, alias, earlier[-1])
        self._remember(name, alias, earlier)
        return self.pick(name, str(earlier[-1]))

    def pick(self, name: str, number_or_alias: str) -> Version:
        """A version by its number or an alias; an error names those that are there."""
        versions = self.versions(name)
        for version in versions:
            if number_or_alias == str(version.number) or number_or_alias in version.aliases:
                return version
        if not versions:
            raise RegistryError(
                f"No model {name!r} is registered; there are {self.names()}. `make registry` adds one."
            )
        known = [f"{version.number} {'/'.join(version.aliases)}".strip() for version in versions]
        raise RegistryError(f"{name!r} has no version or alias {number_or_alias!r}; it has {known}.")

    def find(self, name: str, number_or_alias: str) -> Path:
        """The model folder of a version given by its number or an alias."""
        return self.folder(self.pick(name, number_or_alias))

    def folder(self, version: Version) -> Path:
        """The version's model folder on this machine: where it lies, or downloaded from a server once."""
        return location.folder(version, self.outputs)

    def table(self, name: str) -> pd.DataFrame:
        """The versions as a reader wants them, newest first."""
        rows = [
            {"version": version.number, "aliases": ", ".join(version.aliases)}
            | {key.removeprefix("workbook."): value for key, value in version.tags.items()}
            for version in reversed(self.versions(name))
        ]
        shown = ["version", "aliases", "family", "feature_set", "trained_on", "test_score", "run"]
        shown += ["retired"] if any("retired" in row for row in rows) else []
        return pd.DataFrame([{name: row.get(name, "") for name in shown} for row in rows]).set_index(
            "version"
        )


def _every(search: "Callable[..., PagedList[_T]]") -> list[_T]:
    """All that a search of MLflow finds: it gives a page at a time, of a hundred or so."""
    found: list[_T] = []
    token = None
    while True:
        page = search(page_token=token)
        found += page
        token = page.token
        if not token:
            return found
