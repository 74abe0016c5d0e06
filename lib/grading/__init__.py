"""Exercises: what a check says of a learner's cell, and the hints that it gives, one after another.

    exercise = grading.Exercise("01_twenty_lines")

    with exercise.check("minutes", "A first hint.", "A second one.") as check:
        check.saw(minutes(rides).tolist())
        assert minutes(rides)[0] == 12, "the first ride took 12 minutes"

The block asserts what a right answer does, each `assert` with the words that a learner reads. Whatever is
raised in it becomes plain lines: a page with blanks runs to its end. How blanks are made of a source is in
`blanks`, what was passed and when in `progress`; `lib.cli.check` runs a page without JupyterLab.
"""

import linecache
import textwrap
import traceback
from dataclasses import asdict, dataclass
from types import TracebackType

from lib import paths
from lib.grading import blanks, progress

#: How an outcome travels in the outputs of a notebook, beside the lines that are shown.
MIME = "application/vnd.workbook.check+json"


@dataclass(frozen=True)
class Outcome:
    """What came of one check: its name, whether it passed, and the lines that say so."""

    check: str
    passed: bool
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/plain": self.text, MIME: asdict(self)}


class Exercise:
    """A page with blanks, by the name of its file; `outcomes` are the last ones of checks that have run."""

    def __init__(self, name: str, project: paths.Project | None = None) -> None:
        self.name, self.project = name, project or paths.here()
        self.outcomes: dict[str, Outcome] = {}

    def check(self, name: str, *hints: str) -> "Check":
        """A check of the blank in the cell with the id `name`; a failing run shows a hint, or the answer."""
        return Check(self, name, hints)

    def answer(self, name: str) -> str:
        """The lines that fill the blank, from the exercise's source; empty where that is not at hand."""
        path = self.project.exercises / blanks.SOURCES / f"{self.name}.ipynb"
        return blanks.answers(path).get(name, "") if path.is_file() else ""


class Check:
    """The block of one check; see the module."""

    def __init__(self, exercise: Exercise, name: str, hints: tuple[str, ...]) -> None:
        self.exercise, self.name, self.hints = exercise, name, hints
        self._seen: list[str] = []

    def saw(self, thing: object) -> None:
        """What the learner's cell gave, to be shown whether it is right or not."""
        self._seen.append(" ".join(str(thing).split()))

    def __enter__(self) -> "Check":
        return self

    def __exit__(self, _: object, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is not None and not isinstance(error, Exception):
            return False  # Ctrl-C is no answer
        from IPython.display import display

        outcome = self._passed() if error is None else self._failed(error, trace)
        self.exercise.outcomes[self.name] = outcome
        display(outcome)
        return True

    def _passed(self) -> Outcome:
        progress.note(self.exercise.project.outputs, self.exercise.name, self.name, passed=True)
        return Outcome(self.name, True, "\n".join([f"✓ {self.name}", *self._sight()]))

    def _failed(self, error: Exception, trace: TracebackType | None) -> Outcome:
        blank = _blank(error, trace)
        said = blank or _words(error, trace)
        tried = not blank or self._is_next()
        tries = progress.note(
            self.exercise.project.outputs, self.exercise.name, self.name, passed=False, tried=tried
        )
        lines = [f"✗ {self.name}: {said}", *self._sight(), *self._help(tries, tried)]
        return Outcome(self.name, False, "\n".join(lines))

    def _sight(self) -> list[str]:
        return [f"  It saw: {textwrap.shorten(seen, 300)}" for seen in self._seen]

    def _is_next(self) -> bool:
        """Whether all other checks of this session have passed: a blank that nobody is at yet is no try."""
        return all(one.passed for name, one in self.exercise.outcomes.items() if name != self.name)

    def _help(self, tries: int, tried: bool) -> list[str]:
        """The first hint for a first try, the next for the next; after the last of them the answer."""
        number = max(tries, 1)
        answer = self.exercise.answer(self.name)
        if number > len(self.hints) and answer:
            return ["  The answer:", *(f"    {line}" for line in answer.splitlines())]
        if not self.hints:
            return []
        number = min(number, len(self.hints))
        more = "another one" if number < len(self.hints) else "the answer"
        after = f" (The next failing run gives {more}.)" if tried else ""
        return [f"  Hint {number} of {len(self.hints)}: {self.hints[number - 1]}{after}"]


def _blank(error: Exception, trace: TracebackType | None) -> str:
    """What to say where nothing was tried yet; empty where something was."""
    if isinstance(error, NotImplementedError) and str(error) == blanks.INVITATION:
        name = traceback.extract_tb(trace)[-1].name
        return f"`{name}` is still blank. Put your lines in place of its `raise NotImplementedError(…)`."
    if isinstance(error, NameError) and trace is not None and trace.tb_next is None:  # the check's own line
        return f"there is no `{error.name}` yet. Fill in and run the cells above, from the top."
    return ""


def _words(error: Exception, trace: TracebackType | None) -> str:
    """An error in a line: what an assert of the check says, or what went wrong and where."""
    inside = trace is not None and trace.tb_next is not None
    if isinstance(error, AssertionError) and not inside:
        return str(error)
    said = f"{type(error).__name__}: {error}".rstrip(": ").partition("\n")[0]
    return said + (_place(trace) if inside else "")


def _place(trace: TracebackType | None) -> str:
    """The learner's last line on the way to an error: functions of cells share the check's namespace."""
    found, own = "", trace.tb_frame.f_globals if trace else None
    trace = trace.tb_next if trace else None
    while trace is not None:
        code = trace.tb_frame.f_code
        if trace.tb_frame.f_globals is own:
            line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            found = f", in `{code.co_name}`" + (f": `{line}`" if line else "")
        trace = trace.tb_next
    return found
