"""Where a notebook's kernel comes from: forked by a warm child, or an ordinary process where that is unsafe.

Both speak over ipc sockets in a private folder and run the same Python with the same settings, so a
notebook gives the same results in either. What the warm child does stands in `lib.pipeline.warm`.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from lib.pipeline.project import alive

#: Environment variable: `0` forces ordinary kernels.
FORCE_ORDINARY = "WORKBOOK_WARM"
_PREFIX = "workbook-"


class Kernels:
    """The source of kernels for one run: a private folder for sockets, and perhaps a warm child."""

    def __init__(self, warm: Any = None) -> None:
        self.warm = warm
        self.folder = runtime_folder() if warm is None else warm.folder
        self.live: set[LocalProvisioner] = set()
        self._count = 0

    def manager(self, log: Path) -> type[AsyncKernelManager]:
        """A kernel manager's class for one notebook, as papermill wants to be given."""
        self._count += 1
        return type(
            "Manager",
            (_Manager,),
            {"kernels": self, "log_path": log, "stem": str(self.folder / f"k{self._count}")},
        )

    def close(self) -> None:
        """No kernel, no warm child, no socket is left."""
        for provisioner in list(self.live):
            kill_group(provisioner.pid)
        if self.warm:
            self.warm.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def runtime_folder() -> Path:
    """A private folder whose path is short enough for a socket; those of dead runs are removed first."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    if not base.is_dir() or len(str(base)) > 60 or not os.access(base, os.W_OK):
        base = Path("/tmp")
    for old in base.glob(f"{_PREFIX}*"):
        pid = old.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not alive(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))


def kill_group(pid: int | None) -> None:
    """Kill a kernel with all that it started; kernels lead process groups of their own."""
    if pid:
        for kill in (os.killpg, os.kill):
            try:
                kill(pid, signal.SIGKILL)
                return
            except (ProcessLookupError, PermissionError):
                continue


class _Provisioner(LocalProvisioner):
    """Starts the kernel in the warm child where there is one, and waits for its end without polling."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        manager = self.parent
        kernels: Kernels = manager.kernels
        self.process = kernels.warm and kernels.warm.fork(cmd, manager.log_path, kwargs)
        if self.process is None:
            with manager.log_path.open("ab") as log:
                await super().launch_kernel(cmd, stdout=log, stderr=log, start_new_session=True, **kwargs)
        self.pid = self.pgid = self.process.pid
        kernels.live.add(self)
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """Kill at once, and look every few milliseconds whether it is gone."""
        kill_group(self.pid)
        until = time.monotonic() + 5
        while self.process and self.process.poll() is None and time.monotonic() < until:
            await asyncio.sleep(0.002)
        self.parent.kernels.live.discard(self)


class _Manager(AsyncKernelManager):
    """This Python, ipc sockets, no encryption to warn about, no restarts; `kernels` says from where."""

    kernels: Kernels
    log_path: Path
    stem: str

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.transport = "tcp" if os.name == "nt" else "ipc"
        self.connection_file = f"{self.stem}.json"
        if self.transport == "ipc":
            self.ip = self.stem
        self._kernel_spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
        )
        self.provisioner = _Provisioner(kernel_id="", kernel_spec=self._kernel_spec, parent=self)

    async def _async_interrupt_kernel(self) -> None:
        """A kernel that is about to be killed is not interrupted first: that would cost a traceback."""
        if not self.shutting_down:
            await super()._async_interrupt_kernel()
