"""The report's process: HTML of executed notebooks, the index page, the notebook attached to its MLflow run.

It works beside the steps at the lowest priority, on messages from the runner, so that none of this is on
the critical path; the runner waits for it only at the very end. What pages look like is in
`lib.pipeline.page` and `lib.pipeline.index`.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from lib.pipeline import project as files
from lib.pipeline import record
from lib.pipeline.nursery import Nursery

#: Seconds that the runner waits for the report at the end of a run.
PATIENCE = 60


class Reporter:
    """The runner's side: hand over what has ended, wait at the end."""

    def __init__(self, nursery: Nursery, folder: Path) -> None:
        self.nursery, self.folder = nursery, folder
        self._socket: socket.socket | None = None
        self._process: Any = None
        self._trouble = ""

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        log = self.nursery.folder / "report.log"
        with theirs:
            self._process = self.nursery.fork(
                "lib.pipeline.report",
                ["report", str(self.folder)],
                log,
                self.folder,
                handles=[theirs.fileno()],
                nice=19,
            )
            if self._process is None:
                with log.open("ab") as out:
                    self._process = subprocess.Popen(
                        [sys.executable, "-m", "lib.pipeline.report", str(theirs.fileno()), str(self.folder)],
                        env=self.nursery.environment,
                        pass_fds=[theirs.fileno()],
                        stdout=out,
                        stderr=out,
                        start_new_session=True,
                    )
        return ours

    def tell(self, **message: Any) -> None:
        """A step has ended: its name, and the note of its tracked run. What goes wrong is told at the end."""
        try:
            if self._socket is None:
                self._socket = self._start()
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            self._trouble = f"its process died ({error})"

    def finish(self) -> str:
        """Wait until all is written; what went wrong, or nothing."""
        if self._trouble or self._socket is None:
            return self._trouble
        try:
            self._socket.sendall(b'{"finish": true}\n')
            self._socket.settimeout(PATIENCE)
            answer = self._socket.makefile().readline().strip()
        except OSError as error:
            answer = str(error)
        return "" if answer == "done" else answer or "its process died"

    def stop(self) -> None:
        """End it at once."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def serve(channel: socket.socket, folder: Path) -> None:
    """Work through the runner's messages until the last."""
    troubles: list[str] = []
    with channel, channel.makefile() as lines:
        for line in lines:
            message = json.loads(line)
            if message.get("finish"):
                _try(troubles, pages, folder)
                _try(troubles, _index, folder)
                channel.sendall(("; ".join(troubles) or "done").encode() + b"\n")
                return
            _try(troubles, _html, folder, message["step"])
            _try(troubles, _attach, folder, message["step"], message.get("note") or {})


def _try(troubles: list[str], work: Any, *words: Any) -> None:
    """A report that fails must not fail the run: it is told at the end."""
    try:
        work(*words)
    except Exception as error:
        import traceback

        traceback.print_exc()
        troubles.append(f"{type(error).__name__}: {error}".splitlines()[0][:200])


def pages(folder: Path) -> None:
    """Every notebook's page that is missing or older than its notebook, or whose links lead nowhere."""
    for name in files.read_json(folder / "run.json").get("graph", {}):
        _html(folder, name, last=True)


def _html(folder: Path, name: str, last: bool = False) -> None:
    """One notebook's page; the bar above it names all steps, and in the end those that have a page."""
    from lib.pipeline import index, page

    place, about = record.Place(folder, name), files.read_json(folder / "run.json")
    kept = files.read_json(place.record)
    executed = place.executed if kept else place.failed
    path = executed.with_suffix(".html")
    if not executed.exists():
        return
    steps = [(n, f"{n}.html") for n in about.get("graph", {})]
    links = index.links(folder, about, "")[1:] if last else steps
    links = [("Run", "../index.html"), *((text, "" if text.split()[0] == name else to) for text, to in links)]
    fresh = path.exists() and path.stat().st_mtime_ns > executed.stat().st_mtime_ns
    if fresh and (not last or page.bar(links) in path.read_text(encoding="utf-8")):
        return
    note = f"Run <b>{about.get('run', '')}</b>"
    if kept:
        note += (
            f", {kept['started']}, {kept['seconds']:.1f} s, {kept.get('peak_memory_mb') or 0:,.0f} MB at most"
        )
    page.write(path, executed, links, note)


def _attach(folder: Path, name: str, note: dict[str, Any]) -> None:
    executed = record.Place(folder, name).executed
    if note.get("mlflow_run_id") and executed.exists():
        from lib import tracking

        tracking.attach(note, executed)


def _index(folder: Path) -> None:
    from lib.pipeline import index

    index.write(folder)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]))
