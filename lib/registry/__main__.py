"""`make promote`, `make rollback`, `make versions`: what they need comes from the environment.

MODEL is the registered name; without it the problem of PARAMS is meant (as `-generated` where its source is).
VERSION is a number or an alias, ALIAS the alias to move.
"""

import os
import sys
from pathlib import Path

from lib import registry
from lib.errors import RegistryError, WorkbookError
from lib.registry.store import Store
from lib.steps import outputs


def name() -> str:
    """The registered name that the environment means; the only one there is, if it names none."""
    there = [one.name for one in Store(outputs()).client.search_registered_models()]
    wanted = os.environ.get("MODEL")
    if not wanted and os.environ.get("PARAMS"):
        wanted = _of_params(Path(os.environ["PARAMS"]))
    if wanted and wanted not in there:
        raise RegistryError(
            f"No model {wanted!r} is registered; there are {there}. `make registry` adds one."
        )
    if not wanted and len(there) != 1:
        raise RegistryError(f"Which model? Say MODEL=<name>; registered are {there}.")
    return wanted or there[0]


def _of_params(path: Path) -> str:
    import yaml

    wanted = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if "problem" not in wanted:
        raise RegistryError(f"{path} names no problem. Say MODEL=<name>.")
    return registry.name_of(wanted["problem"], "", wanted.get("source", "generated") == "generated")


def main(command: str) -> None:
    """Do one of promote, rollback, versions, and print what came of it."""
    version, alias = os.environ.get("VERSION"), os.environ.get("ALIAS") or "champion"
    if command == "versions":
        print(registry.versions(name()).to_string())
    elif command == "promote":
        print(f"{registry.promote(name(), version or registry.CHALLENGER, alias)} is the {alias} now.")
    elif command == "rollback":
        print(f"{registry.rollback(name(), alias)} is the {alias} again.")
    else:
        raise RegistryError(f"There is no {command!r}; there are promote, rollback and versions.")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "versions")
    except (WorkbookError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
