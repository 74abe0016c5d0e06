"""The runner's side of the warm child: start it, ask it for processes, know when they end, let it go.

Standard library only, so that it can be started before anything heavy is imported. Linux only, where
forking is safe and a process can be watched by a file handle; elsewhere `start` says no.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from pathlib import Path
from typing import Any

from lib.files import alive, remove
from lib.pipeline import project as files

#: Environment variable: `0` forces ordinary kernels.
SWITCH = "WORKBOOK_WARM"
_PREFIX = "workbook-"
_PATIENCE = 60


def environment(project: files.Project) -> dict[str, str]:
    """The environment of kernels, warm or not: this project's `lib`, quiet trackers, one hash seed."""
    wandb = str(project.outputs / "wandb")
    quiet = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
        "WANDB_DATA_DIR": wandb,
        "WANDB_CACHE_DIR": wandb,
        "WANDB_CONFIG_DIR": wandb,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": "0",
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait for one another must not hold a busy core
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JPY_")}
    parent = inherited.pop("MLFLOW_RUN_ID", None)
    if parent:
        inherited["WORKBOOK_PARENT_RUN_ID"] = parent
    paths = [str(project.root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **quiet,
        **inherited,
        "WORKBOOK_OUTPUTS": str(project.outputs),
        "WORKBOOK_PIPELINE_ID": uuid.uuid4().hex[:12],
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONUNBUFFERED": "1",
    }


def runtime_folder() -> Path:
    """A private folder whose path is short enough for a socket; those of dead runs are removed first."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    if not base.is_dir() or len(str(base)) > 60 or not os.access(base, os.W_OK):
        base = Path("/tmp")
    for place in {base, Path(tempfile.gettempdir())}:  # a killed kernel's figures lie in the second
        for old in place.glob(f"{_PREFIX}*"):
            pid = old.name.removeprefix(_PREFIX).partition("-")[0]
            if pid.isdigit() and not alive(int(pid)):
                remove(old)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))


class Forked:
    """A process that the warm child forked, with the face of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid, self.returncode = pid, None
        self._handle: int | None = None
        try:
            self._handle = os.pidfd_open(pid)
        except OSError:
            self.returncode = -signal.SIGKILL

    def poll(self) -> int | None:
        """None while it lives; how it ended only the warm child knows."""
        if self._handle is not None and select.select([self._handle], [], [], 0)[0]:
            os.close(self._handle)
            self._handle, self.returncode = None, -signal.SIGKILL
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end."""
        if self._handle is not None:
            select.select([self._handle], [], [], timeout)
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
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The warm child, if there is one; `why` it is not there otherwise."""

    def __init__(self, project: files.Project) -> None:
        self.environment = environment(project)
        self.folder = runtime_folder()
        self.why = _unsafe()
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        if not self.why:
            try:
                self._start()
            except OSError as error:
                self.why = f"it did not start ({error})"

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            script = Path(__file__).with_name("warm.py")
            words = [sys.executable, "-P", str(script), str(theirs.fileno()), str(self.folder)]
            self._process = subprocess.Popen(
                words,
                env=self.environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=(self.folder / "warm.log").open("ab"),
                start_new_session=True,
            )
        ours.settimeout(_PATIENCE)
        self._socket = ours

    @property
    def warm(self) -> bool:
        """Whether it can be asked."""
        return not self.why

    def fork(self, module: str, argv: list[str], log: Path, cwd: Path, **more: Any) -> Forked | None:
        """A new process that runs `module`; None, and `why`, if the warm child could not give one.

        `handles` go to the new process; `environment` and `nice` are its own.
        """
        if self.why:
            return None
        handles = more.pop("handles", [])
        request = {
            "module": module,
            "argv": argv,
            "log": str(log),
            "cwd": str(cwd),
            "env": self.environment | more.pop("environment", {}),
            **more,
        }
        with self._lock:
            try:
                socket.send_fds(self._socket, [json.dumps(request).encode()], handles)
                answer = self._socket.recv(1 << 16)
            except OSError as error:
                answer, self.why = b"", f"it does not answer ({error})"
            if not answer:
                self.why = self.why or "it has died"
                return None
        return Forked(json.loads(answer)["pid"])

    def close(self) -> None:
        """Let it go, with its children; nothing is left in the private folder."""
        if self._process:
            self._socket.close()
            try:
                self._process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:  # it is importing, and looks up only in between
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=1)
                self._process.kill()
                self._process.wait()
        remove(self.folder)


def _unsafe() -> str:
    """Why kernels cannot be forked here; empty if they can."""
    if os.environ.get(SWITCH, "").lower() in ("0", "no", "false"):
        return f"{SWITCH}={os.environ[SWITCH]} asks for ordinary ones"
    if not sys.platform.startswith("linux") or not hasattr(os, "pidfd_open"):
        return f"forking is not safe on {sys.platform}"
    return ""
