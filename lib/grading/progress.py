"""What a learner has passed: one file below the outputs, which `make clean` leaves. It stays here."""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lib import files, records
from lib.grading import blanks
from lib.notebook_source import lessons
from lib.paths import Project

#: Below the outputs: the file, in the folder of all that is a learner's own.
NAME = f"{blanks.LEARNER}/progress.json"
_CAPSTONE = "capstone: "


@dataclass(frozen=True)
class Standing:
    """Of one check: when it first passed (empty: not yet), when it last ran, and its failing runs since."""

    passed: str = ""
    ran: str = ""
    tries: int = 0


def note(outputs: Path, exercise: str, check: str, passed: bool, tried: bool = True) -> int:
    """Keep what came of a check; the failing runs in a row that it now has. A blank is no try."""
    before, now = standing(outputs, exercise, check), records.now()
    tries = 0 if passed else before.tries + tried
    if passed or tried:
        after = Standing(before.passed or (now if passed else ""), now, tries)
        with contextlib.suppress(OSError):  # a full disk must not keep an answer from being told right
            files.update_json(outputs / NAME, {f"{exercise}/{check}": asdict(after)})
    return tries


def standing(outputs: Path, exercise: str, check: str) -> Standing:
    """What is kept of a check."""
    kept = files.read_json(outputs / NAME).get(f"{exercise}/{check}")
    try:
        return Standing(**kept) if isinstance(kept, dict) else Standing()
    except TypeError:  # of another version
        return Standing()


def of_capstone(problem: str) -> str:
    """The name that the stages of a capstone are kept under, as those of an exercise."""
    return f"{_CAPSTONE}{problem}"


def table(project: Project) -> Sequence[Sequence[str]]:
    """An exercise a line: how many of its checks have passed, which have not, and when one last ran.

    Below them each capstone that was asked, with its stages.
    """
    rows = [["exercise", "passed", "to do", "last tried"]]
    asked = {s.stem: list(blanks.answers(s)) for s in lessons.find(project.exercises / blanks.SOURCES)}
    for name, names in {**asked, **_capstones(project.outputs)}.items():
        checks = {check: standing(project.outputs, name, check) for check in names}
        todo = [_todo(name, one) for name, one in checks.items() if not one.passed]
        done = f"{len(checks) - len(todo)} of {len(checks)}"
        last = max((one.ran for one in checks.values()), default="")
        rows.append([name, done, ", ".join(todo) or "–", last[:16].replace("T", " ")])
    return rows


def _capstones(outputs: Path) -> dict[str, list[str]]:
    """The capstones that were asked, with the names of all their stages."""
    asked = sorted({key.partition("/")[0] for key in files.read_json(outputs / NAME)})
    found = [name for name in asked if name.startswith(_CAPSTONE)]
    if not found:
        return {}
    from lib.grading import capstone  # which takes a second: only where one was asked

    return {name: [*capstone.NAMED] for name in found}


def _todo(name: str, one: Standing) -> str:
    return f"{name} ({one.tries} {'try' if one.tries == 1 else 'tries'})" if one.tries else name
