"""Where work is done: children of one fork server, each in a session of its own, none outliving its parent.

The server (the standard library's `multiprocessing.forkserver`) imports heavy libraries once and forks from
there: it starts no threads of its own, opens no OpenMP region and no client's socket, so that a child of it
is safe wherever its parent has been. Kernels, the workers of a search and the report are such children.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib import files

_CONTEXT = multiprocessing.get_context("forkserver")
#: Held while a child is started or looked at: the library reads each exit code once, whoever asks.
_STARTING = threading.RLock()


def cores() -> int:
    """Cores that this process may use: the machine's, or what its affinity and a container's quota leave."""
    import joblib

    return int(joblib.cpu_count())


def preload(modules: Sequence[str]) -> None:
    """Start the fork server, which imports `modules` meanwhile; what is not installed is left out."""
    from multiprocessing import forkserver

    _CONTEXT.set_forkserver_preload(list(modules))
    with _no_main_module():
        forkserver.ensure_running()


@contextlib.contextmanager
def _no_main_module() -> Iterator[None]:
    """Hide what this process was started as: the standard library would import it again in each child.

    A script that starts children as it is imported would go on for ever, and what a command line imports
    is nothing that a kernel has used.
    """
    with _STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def start(modules: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
    """The same in an environment of its own, with its socket and the log of what it says in `folder`."""
    before, streams = dict(os.environ), [os.dup(1), os.dup(2)]
    # else its socket lies in a new folder of the temporary one, which a killed process leaves behind
    multiprocessing.current_process()._config["tempdir"] = str(folder)  # type: ignore[attr-defined] # noqa: SLF001
    try:
        os.environ.clear()
        os.environ.update(environment)
        _redirect(folder / "server.log")
        preload(modules)
    finally:
        for number, handle in zip((1, 2), streams, strict=True):
            os.dup2(handle, number)
            os.close(handle)
        os.environ.clear()
        os.environ.update(before)


def private_folder() -> contextlib.AbstractContextManager[Path]:
    """A private folder whose path is short enough for a socket; those of dead runs are removed first."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    if not base.is_dir() or len(str(base)) > 60 or not os.access(base, os.W_OK):
        base = Path("/tmp")  # noqa: S108 - what is made in it below is private
    for place in {base, Path(tempfile.gettempdir())}:  # a killed kernel's figures lie in the second
        files.sweep(place, "workbook-")
    return files.temporary_folder(base)


def stop() -> None:
    """End the fork server and its children at once, even while it imports; a later child starts another."""
    from multiprocessing import forkserver

    for child in multiprocessing.active_children():
        kill_group(child.pid)
    server: Any = forkserver._forkserver  # noqa: SLF001 - the module has no public stop
    if server._forkserver_pid:  # noqa: SLF001
        os.kill(server._forkserver_pid, signal.SIGKILL)  # noqa: SLF001
        server._stop()  # noqa: SLF001
    multiprocessing.current_process()._config.pop("tempdir", None)  # type: ignore[attr-defined] # noqa: SLF001


@dataclass(frozen=True)
class Surroundings:
    """Where a child lives: its log (else its parent's streams), working folder, environment, niceness.

    `private` are folders that go with the parent: if that is killed, a child removes them.
    """

    log: Path | None = None
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    nice: int = 0
    private: Sequence[Path] = ()


class Child:
    """A process forked by the server, with the face of `subprocess.Popen` that jupyter_client wants."""

    stdin = stdout = stderr = None

    def __init__(self, target: Callable[..., None], *args: Any, around: Surroundings | None = None) -> None:
        """Run `target(*args)`, a function of a module, in a process of its own."""
        around = around or Surroundings()
        self._process = _CONTEXT.Process(target=_live, args=(around, target, args))
        with _no_main_module():
            self._process.start()

    @property
    def pid(self) -> int:
        """Its process id, which is its group's, too."""
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """How it ended, as `subprocess` says it: None while it lives, -11 for a segmentation fault."""
        return self.poll()

    def poll(self) -> int | None:
        """None while it lives, else its exit code."""
        with _STARTING:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end, at most `timeout` seconds."""
        multiprocessing.connection.wait([self._process.sentinel], timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Signal it, unless it is gone."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it with all that it started."""
        if self.poll() is None:
            kill_group(self.pid)


def spawn(words: Sequence[str], around: Surroundings) -> "subprocess.Popen[bytes]":
    """A kernel that the server has no part in, in a session of its own; like the others it ends with us."""
    with (around.log or Path(os.devnull)).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "lib.compute.alone", *map(str, around.private), "--", *words],
            cwd=around.folder,
            env=dict(around.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def ending(code: int | None) -> str:
    """How a process ended, by its exit code as `subprocess` says it."""
    if code == -signal.SIGKILL:
        return "was killed, by hand or because the system ran out of memory"
    if code is not None and code < 0:
        return f"died of {signal.Signals(-code).name} ({signal.strsignal(-code)})"
    return f"ended itself with exit code {code}"


def kill_group(pid: int | None) -> None:
    """Kill a process with all that it started; children of the server lead groups of their own."""
    if pid:
        for kill in (os.killpg, os.kill):  # one that has only just been forked leads no group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)


def run_kernel(argv: Sequence[str]) -> None:
    """Be a Jupyter kernel: what `python -m ipykernel_launcher` does. A child's target."""
    from ipykernel import kernelapp

    for name in [name for name in list(sys.modules) if name.partition(".")[0] == "lib"]:
        del sys.modules[name]  # what counts as used is what the page itself imports
    sys.argv = ["ipykernel_launcher", *argv]
    kernelapp.launch_new_instance()


def executor(workers: int, around: Surroundings) -> ProcessPoolExecutor:
    """An executor whose workers are children of the fork server, settled as `around` says."""
    return _Executor(workers, _CONTEXT, initializer=_settle, initargs=(around,))


class _Executor(ProcessPoolExecutor):
    """The standard library's, whose workers do not import again what this process was started as."""

    def submit(self, *work: Any, **named: Any) -> Future[Any]:
        with _no_main_module():
            return super().submit(*work, **named)


def _live(around: Surroundings, target: Callable[..., None], args: tuple[Any, ...]) -> None:
    """In the child: settle, then do what was asked."""
    _settle(around)
    target(*args)


def _settle(around: Surroundings) -> None:
    """In the child: become a process of its own, which ends with its parent."""
    os.setsid()
    threading.Thread(target=_end_with_parent, args=(around.private,), daemon=True).start()
    if around.log:
        _redirect(around.log)
    if around.environment:
        os.environ.clear()
        os.environ.update(around.environment)
    if around.folder:
        os.chdir(around.folder)
    os.nice(around.nice)
    _reseed()


def _end_with_parent(private: Sequence[Path]) -> None:
    """Wait for the end of whoever asked for this child, then take the whole group along."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        _end(private)


def end_with_holder(private: Sequence[Path]) -> None:
    """The same where the parent is no `multiprocessing` one: it holds the folders for as long as it lives."""

    def wait() -> None:
        files.wait_for_end(private[0])
        _end(private)

    threading.Thread(target=wait, daemon=True).start()


def _end(private: Sequence[Path]) -> None:
    """Remove the folders, into which others may still be writing as they end, too, and kill this group."""
    until = time.monotonic() + 5
    while any(folder.exists() for folder in private) and time.monotonic() < until:
        for folder in private:
            shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)
    os.killpg(0, signal.SIGKILL)


def _redirect(log: Path) -> None:
    """Output and errors to the log."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for target in (1, 2):
        os.dup2(handle, target)
    os.close(handle)


def _reseed() -> None:
    """Fresh random states: without this every child would draw the same numbers."""
    import random

    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
