"""The warm child: a script that imports heavy third-party libraries and forks kernels when asked.

Run by path, as `python -P warm.py SOCKET FOLDER`; it imports nothing of this project, opens no socket to a
kernel and computes nothing, so no OpenMP region and no client's thread is alive in a process that forks.
`lib.pipeline.nursery` starts it and asks. It is gone, with its kernels, when the runner is.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import sys

#: In the order in which steps need them; what is not installed is left out. A request for a kernel is
#: answered between two of these, so the first steps start while the libraries of later ones load.
LIBRARIES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "tornado.platform.asyncio",
    "IPython.core.completer",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "numpy",
    "pandas",
    "pandas.io.formats.html",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "mlflow",
    "alembic.command",
    "sqlalchemy.dialects.sqlite",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.tracking",
    "wandb",
    "wandb.sdk.artifacts.artifact",
    "wandb.apis.public.api",
    "wandb.sdk.launch.inputs.internal",
    "wandb.sdk.lib.gitlib",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "PIL.JpegImagePlugin",
    "scipy.sparse",
    "scipy.stats",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "sklearn.svm",
    "xgboost",
    "hyperopt",
    "seaborn",
    "skops.io",
    "mlflow.pyfunc",
    "shap",
)
_LIBC = ctypes.CDLL(None)
_SET_DEATH_SIGNAL = 1


class Warm:
    """The loop: import, answer, and at the end take the kernels along."""

    def __init__(self, asked: socket.socket, folder: str) -> None:
        self.asked, self.folder, self.children = asked, folder, []
        self.runner = os.getppid()

    def live(self) -> None:
        """Import everything, answering in between; then answer until the runner is gone."""
        gc.disable()
        sys.modules.setdefault("debugpy", None)  # nobody attaches a debugger to a kernel that runs headless
        for name in LIBRARIES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
            self.answer(wait=False)
        gc.collect()
        gc.freeze()
        while True:
            self.answer(wait=True)

    def answer(self, wait: bool) -> None:
        """Fork what was asked for; no more requests will come once the other end is closed."""
        self.asked.setblocking(wait)
        while True:
            try:
                message, handles, _, _ = socket.recv_fds(self.asked, 1 << 20, 1)
            except BlockingIOError:
                return
            if not message:
                self.end()
            request = json.loads(message)
            pid = os.fork()
            if pid == 0:
                become(request, handles, self)
            for handle in handles:
                os.close(handle)
            self.children.append(pid)
            self.asked.setblocking(True)
            self.asked.send(json.dumps({"pid": pid}).encode())
            self.asked.setblocking(wait)

    def end(self, *signal_and_frame: object) -> None:
        """Kill every kernel with all that it started, remove the sockets' folder, and stop."""
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)


def become(request: dict, handles: list[int], warm: Warm) -> None:
    """In the forked child: settle as a process of its own, then run what was asked; never returns."""
    status = 1
    try:
        parent = os.getppid()
        _LIBC.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        warm.asked.close()
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        redirect(request["log"])
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        reseed()
        gc.enable()
        sys.argv = request["argv"]
        if request["module"] == "ipykernel_launcher":
            from ipykernel import kernelapp

            kernelapp.launch_new_instance()
        else:
            sys.argv[1:1] = [str(handle) for handle in handles]
            os.nice(request.get("nice", 0))
            runpy.run_module(request["module"], run_name="__main__")
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def redirect(log: str) -> None:
    """Standard input from nowhere, output and errors to the log."""
    for source, flags, targets in (
        (os.devnull, os.O_RDONLY, (0,)),
        (log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, (1, 2)),
    ):
        handle = os.open(source, flags, 0o644)
        for target in targets:
            os.dup2(handle, target)
        os.close(handle)


def reseed() -> None:
    """Fresh random states: without this every kernel would draw the same numbers."""
    import random

    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def main() -> None:
    """Settle: die with the runner, leave Ctrl-C to it, reap children at once."""
    warm = Warm(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
    signal.signal(signal.SIGTERM, warm.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _LIBC.prctl(_SET_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != warm.runner:
        warm.end()
    warm.live()


if __name__ == "__main__":
    main()
