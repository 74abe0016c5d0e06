"""What the machine gives a process, asked for before there is work: open files, a home, a name."""

import getpass
import os
import resource
from pathlib import Path

from lib.errors import RunError

#: Files that a run may have open at once: the sockets of its kernels, its databases, what libraries read.
OPEN_FILES = 512


def allow_open_files() -> None:
    """Raise this process's limit of open files to what a run needs, where the system lets it."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed in (resource.RLIM_INFINITY, max(allowed, OPEN_FILES)):
        return
    if most not in (resource.RLIM_INFINITY, max(most, OPEN_FILES)):
        raise RunError(
            f"Only {most} files may be open at once here (`ulimit -n`), a run may need {OPEN_FILES}: "
            "raise that limit, as in `ulimit -n 1024`, or ask whoever set it."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, most))


def identity(folder: Path) -> dict[str, str]:
    """What libraries ask for and a user without an entry in the system's list has not: a home, a name."""
    lacking = {}
    try:
        Path.home()
    except RuntimeError:
        lacking["HOME"] = str(folder)
    try:
        getpass.getuser()
    except (KeyError, OSError):
        lacking["LOGNAME"] = str(os.getuid())
    return lacking
