"""Kernel managers for papermill: a kernel forked by the warm child, or an ordinary process.

Both speak over ipc sockets in a private folder and run the same Python in the same environment, so a
notebook gives the same results in either. The warm child is asked through `lib.pipeline.nursery`.
"""

import asyncio
import contextlib
import os
import queue
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from lib.pipeline.nursery import Nursery


class Kernels:
    """The kernels of one run; the first ordinary one is explained, once."""

    def __init__(self, nursery: Nursery, say: Callable[[str], None]) -> None:
        self.nursery, self.folder, self.say = nursery, nursery.folder, say
        self.live: set[_Provisioner] = set()
        self._count, self._said = 0, False

    def manager(self, log: Path) -> type[AsyncKernelManager]:
        """A kernel manager's class for one notebook, as papermill wants to be given."""
        self._count += 1
        stem = str(self.folder / f"k{self._count}")
        return type("Manager", (_Manager,), {"kernels": self, "log_path": log, "stem": stem})

    def explain(self) -> None:
        """Say why kernels are ordinary ones."""
        if not self._said:
            self._said = True
            self.say(f"  Kernels start one by one, not from the warm child: {self.nursery.why}.")

    def close(self) -> None:
        """No kernel, no warm child, no socket is left."""
        for provisioner in list(self.live):
            kill_group(provisioner.pid)
        self.nursery.close()


def kill_group(pid: int | None) -> None:
    """Kill a kernel with all that it started; kernels lead process groups of their own."""
    if pid:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


class _Provisioner(LocalProvisioner):
    """Starts the kernel in the warm child where there is one; kills at once."""

    forked = False

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        manager = self.parent
        kernels: Kernels = manager.kernels
        kwargs.pop("env", None)
        words, cwd = cmd[2:], Path(kwargs.get("cwd") or ".")
        self.process = kernels.nursery.fork("ipykernel_launcher", words, manager.log_path, cwd)
        self.forked = self.process is not None
        if not self.forked:
            kernels.explain()
            with manager.log_path.open("ab") as log:
                await super().launch_kernel(
                    cmd,
                    env=dict(kernels.nursery.environment),
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    **kwargs,
                )
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


class _Client(AsyncKernelClient):
    """A client that is ready when the kernel has answered once, on both channels."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Ask until the kernel answers; jupyter_client's own waits 0.2 s more for stray messages."""
        until = time.monotonic() + (timeout or 60)
        while time.monotonic() < until:
            self.kernel_info()
            with contextlib.suppress(queue.Empty):
                reply = await self.get_shell_msg(timeout=1)
                if reply["msg_type"] == "kernel_info_reply":
                    await self.get_iopub_msg(timeout=0.2)
                    self._handle_kernel_info_reply(reply)
                    return
            if not await self.parent.is_alive():
                raise RuntimeError("The kernel ended before it was ready.")
        raise RuntimeError(f"The kernel was not ready within {timeout:g} s.")


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
        self.client_factory = _Client
        self.provisioner = _Provisioner(kernel_id="", kernel_spec=self._kernel_spec, parent=self)

    async def _async_interrupt_kernel(self) -> None:
        """A kernel that is about to be killed is not interrupted first: that would cost a traceback."""
        if not self.shutting_down:
            await super()._async_interrupt_kernel()
