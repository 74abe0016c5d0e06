"""`make book`: the executed pages, the lessons, the exercises, docs/ and the docstrings as pages to read.

Nothing is executed for it a second time: `lacking` runs only what no run has left, `staging` lays the
sources out in a folder that goes again, and Sphinx, by docs/conf.py, makes HTML of them that needs no
network. `terms`, `prose` and `formulas` are its extensions.
"""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

from lib import files
from lib.cli.book import lacking, staging
from lib.errors import RunError
from lib.paths import Project
from lib.runner.plan import Wishes
from lib.runner.terminal import Terminal, seconds

#: Below the outputs: the book, whose first page is index.html.
FOLDER = "book"
#: What Sphinx may say of a page before the first lines of it are enough.
_SHOWN = 30


def make(project: Project, wishes: Wishes, terminal: Terminal | None = None) -> int:
    """Run what is lacking, then make the book; 0 when it is made without one warning, else 1."""
    terminal = terminal or Terminal()
    if not all(importlib.util.find_spec(name) for name in ("sphinx", "myst_nb", "furo")):
        raise RunError("Sphinx is not installed: say `make book`, which installs it.")
    if (project.outputs / FOLDER / "run.json").exists():
        raise RunError(
            f"{project.shown(project.outputs / FOLDER)} is a run of that name: move it elsewhere first."
        )
    began = time.monotonic()
    run = lacking.pages(project, wishes, terminal)
    if run is None or lacking.lessons(project, terminal):
        terminal.say("✗ The book is not made: a page of it failed.")
        return 1
    files.sweep(project.outputs, f".{FOLDER}-")
    with files.temporary_folder(project.outputs, f".{FOLDER}-") as work:
        staging.stage(project, run, work / "source")
        built = build(project, work / "source", work / FOLDER)
        if built:
            for line in built[:_SHOWN]:
                terminal.say(f"  {line}")
            terminal.say(f"✗ The book is not made: Sphinx has {len(built)} lines of complaints.")
            return 1
        if (project.outputs / FOLDER).exists():
            (project.outputs / FOLDER).rename(work / "replaced")
        (work / FOLDER).rename(project.outputs / FOLDER)
    pages = sum(1 for _ in (project.outputs / FOLDER).rglob("*.html"))
    where = project.shown(project.outputs / FOLDER / "index.html")
    terminal.say(f"{pages} pages in {seconds(time.monotonic() - began)}; open {where}.")
    return 0


def build(project: Project, source: Path, into: Path) -> list[str]:
    """Make HTML of a staged folder by docs/conf.py; what Sphinx complains of, a line each."""
    words = ["-b", "html", "-q", "-W", "--keep-going", "-d", str(into.parent / "doctrees")]
    folders = ["-c", str(project.root / "docs"), str(source), str(into)]
    command = [sys.executable, "-m", "sphinx", *words, *folders]
    quiet = {"MPLBACKEND": "agg", "DO_NOT_TRACK": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=into.parent, env={**os.environ, **quiet}, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:  # a warning of Sphinx's own ends it with 1; Python's are no matter of the pages
        return []
    complaints = [line.replace(f"{source}{os.sep}", "") for line in done.stderr.splitlines() if line.strip()]
    return complaints or [f"Sphinx ended with {done.returncode}"]
