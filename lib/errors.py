"""The family of our errors, drawn as a tree; each message says what was wrong, where, and what to do.

WorkbookError
├── ParameterError   a key, an option or a value that no notebook and no problem declares
├── SourceError      bytes that could not be fetched, or are not what they should be
├── DataError        rows that a step or a function cannot work with
├── StepError        a step whose inputs are missing, or that reads or writes what it did not declare
├── ModelError       a model that cannot be fitted, saved, trusted or loaded
├── RegistryError    a version or an alias that is not there, or a promotion that would be unfair
└── RunError         a pipeline run that did not finish
"""

from collections.abc import Iterable

#: The longest line that an error is told in.
LONGEST = 500


class WorkbookError(Exception):
    """The root: `except WorkbookError` catches whatever this project raises on purpose."""


class ParameterError(WorkbookError):
    """A key, an option or a value that was not declared or has the wrong type."""


class SourceError(WorkbookError):
    """A file that could not be fetched, or that is not what it should be."""


class DataError(WorkbookError):
    """Rows that a step or a function cannot work with."""


class StepError(WorkbookError):
    """A step whose inputs are missing, or that reads or writes what it did not declare."""


class ModelError(WorkbookError):
    """A model that cannot be fitted, saved, trusted or loaded."""


class RegistryError(WorkbookError):
    """A version or an alias that is not there, or a promotion that would be unfair."""


class RunError(WorkbookError):
    """A pipeline run that did not finish."""


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """` Did you mean 'max_evals'?`, where a known word is near enough; else nothing."""
    near = nearest(word, known)
    return f" Did you mean {prefix + near!r}?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is near enough to be what was meant, if there is one."""
    import difflib  # only where something was wrong

    return next(iter(difflib.get_close_matches(word[:100], list(known), 1, 0.5)), "")


def one_line(error: object) -> str:
    """A message as one line that a terminal can show; of a long one the middle is left out."""
    words = " ".join(str(error).split())
    text = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in words)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 120]} … {text[-110:]}"
