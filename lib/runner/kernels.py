"""Kernels for papermill: children of the fork server once it has imported its libraries, else processes.

Both run the same Python in the same environment over ipc sockets in a private folder, so a notebook gives the
same results in either. The first steps of a run start while the server still imports.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from lib import compute, files, tracking
from lib.compute import machine
from lib.paths import Project

#: Environment variable: `0` forces ordinary kernels.
SWITCH = "WORKBOOK_WARM"
#: A kernel's: both have the face that jupyter_client wants.
Process = compute.Child | subprocess.Popen[bytes]
#: What the fork server imports, in the order in which steps need it.
LIBRARIES = (
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "tornado.platform.asyncio", "IPython.core.completer"),
    *(
        "IPython.core.pylabtools",
        "IPython.extensions.storemagic",
        "numpy",
        "pandas",
        "pandas.io.formats.html",
    ),
    *("pyarrow.parquet", "pyarrow.dataset", "pyarrow.pandas_compat", "mlflow", "alembic.command"),
    *("sqlalchemy.dialects.sqlite", "mlflow.store.tracking.sqlalchemy_store", "mlflow.tracking"),
    *("mlflow.store.tracking.sqlalchemy_workspace_store", "mlflow.store.model_registry.sqlalchemy_store"),
    *("mlflow.store.artifact.local_artifact_repo", "wandb", "wandb.sdk.artifacts.artifact"),
    *("wandb.apis.public.api", "wandb.sdk.launch.inputs.internal", "wandb.sdk.lib.gitlib"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "PIL.JpegImagePlugin", "scipy.sparse"),
    *("scipy.stats", "sklearn.linear_model", "sklearn.ensemble", "sklearn.svm", "xgboost", "hyperopt"),
    *("seaborn", "skops.io", "mlflow.pyfunc", "shap"),
)


def environment(project: Project) -> dict[str, str]:
    """The environment of kernels: this project's `lib`, quiet trackers, one hash seed, one pipeline's id."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JPY_")}
    parent = inherited.pop("MLFLOW_RUN_ID", None)
    lib = [str(project.root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": "0",
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait for one another must not hold a busy core
        **tracking.environment(project.outputs),
        **inherited,
        **({"WORKBOOK_PARENT_RUN_ID": parent} if parent else {}),
        "WORKBOOK_OUTPUTS": str(project.outputs),
        "WORKBOOK_PIPELINE_ID": uuid.uuid4().hex[:12],
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(lib)),
        "PYTHONUNBUFFERED": "1",
    }


class Kernels:
    """The kernels of one start of the runner, and the folders of their sockets, logs and temporary files."""

    def __init__(self, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.say = say
        machine.allow_open_files()
        self._folders = contextlib.ExitStack()
        self.folder = self._folders.enter_context(compute.private_folder())
        temporary = self._folders.enter_context(
            files.temporary_folder()
        )  # what libraries leave there goes, too
        self.environment = {**environment, "TMPDIR": str(temporary), **machine.identity(temporary)}
        self.private = (self.folder, temporary)
        self.processes: dict[Path, Process] = {}  # by their logs
        self._ready = threading.Event()
        self._count = 0
        self._over = False
        warm = os.environ.get(SWITCH, "").lower() not in ("0", "no", "false")
        compute.start(LIBRARIES if warm else (), self.environment, self.folder)
        if warm:
            threading.Thread(target=self._wait_for_server, daemon=True).start()
        else:
            self._explain(f"{SWITCH}={os.environ[SWITCH]} asks for it")

    def _wait_for_server(self) -> None:
        """A child that does nothing comes back when all is imported."""
        try:
            ended = compute.Child(time.sleep, 0).wait()
        except (OSError, EOFError) as error:
            self._explain(f"the fork server does not answer ({error})")
            return
        if ended == 0:
            self._ready.set()
        else:
            self._explain(f"a child of the fork server ended with {ended}")

    def _explain(self, why: str) -> None:
        """Say, once, why kernels are ordinary processes; when all is over it no longer matters."""
        self._ready.clear()
        if not self._over:
            self._over = True
            self.say(f"  Kernels start one by one, not from the fork server: {why}.")

    def launch(self, words: list[str], log: Path, folder: Path) -> Process:
        """A kernel: from the fork server where that is ready, and can."""
        around = compute.Surroundings(log, folder, self.environment, private=self.private)
        try:
            warm = self._ready.is_set()
            started = compute.Child(compute.run_kernel, words, around=around) if warm else None
        except (OSError, EOFError) as error:
            self._explain(f"the fork server does not answer ({error})")
            started = None
        self.processes[log] = started or compute.spawn(words, around)
        return self.processes[log]

    def kind(self, log: Path) -> str:
        """Warm, from the fork server, or ordinary."""
        return "warm" if isinstance(self.processes[log], compute.Child) else "ordinary"

    def manager(self, log: Path) -> type[AsyncKernelManager]:
        """A kernel manager's class for one notebook, as papermill wants to be given."""
        self._count += 1
        stem = str(self.folder / f"k{self._count}")
        return type("Manager", (_Manager,), {"kernels": self, "log_path": log, "stem": stem})

    def close(self) -> None:
        """No kernel, no server, no socket is left."""
        self._over = True
        for process in list(self.processes.values()):
            if process.poll() is None:
                compute.kill_group(process.pid)
        compute.stop()
        self._folders.close()


class _Provisioner(LocalProvisioner):
    """Starts the kernel from the fork server where that is ready; kills at once."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        manager: Any = self.parent
        process = manager.kernels.launch(cmd[3:], manager.log_path, Path(kwargs.pop("cwd", ".")))
        self.process, self.pid, self.pgid = process, process.pid, process.pid
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002 - the base class has it
        """Kill at once, and look every few milliseconds whether it is gone."""
        compute.kill_group(self.pid)
        until = time.monotonic() + 5
        while self.process and self.process.poll() is None and time.monotonic() < until:
            await asyncio.sleep(0.002)


class _Manager(AsyncKernelManager):
    """This Python, ipc sockets, no encryption to warn about, no restarts; `kernels` says from where."""

    kernels: Kernels
    log_path: Path
    stem: str

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.transport, self.ip = "ipc", self.stem
        self.connection_file = f"{self.stem}.json"
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
