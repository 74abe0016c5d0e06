"""What every run says about itself (tags, git commit), and what the trackers find in the environment."""

import hashlib
import importlib
import os
import subprocess
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from lib import files


def environment(outputs: Path) -> dict[str, str]:
    """What must stand in the environment before MLflow or W&B is imported; what the user set stays."""
    folder = str(outputs / "wandb")
    defaults = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "DO_NOT_TRACK": "1",
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
        "WANDB_DATA_DIR": folder,
        "WANDB_CACHE_DIR": folder,
        "WANDB_CONFIG_DIR": folder,
        "WANDB_DISABLE_CODE": "true",
    }
    return {name: value for name, value in defaults.items() if not os.environ.get(name)}


def past_the_proxy() -> dict[str, str]:
    """What keeps requests to this machine itself from a proxy, beside the hosts that the user names."""
    import urllib.request  # only where a server is asked

    if not urllib.request.getproxies_environment():
        return {}  # a NO_PROXY alone would hide the proxies of macOS's settings
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = ",".join(dict.fromkeys([*filter(None, named.split(",")), "localhost", "127.0.0.1", "::1"]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def load(modules: Iterable[str]) -> None:
    """Import here and now: two threads that import the same package at once can meet half of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # a progress bar that nobody will see
        for module in modules:
            importlib.import_module(module)


def of(step: str, run: str, problem: str, parameters: Mapping[str, object]) -> dict[str, str]:
    """The tags of every run; the step adds the hash of its data and whether these are generated."""
    tags = {
        "workbook.run": run,
        "workbook.step": step,
        "workbook.problem": problem,
        "workbook.pipeline": os.environ.get("WORKBOOK_PIPELINE_ID", ""),
        "workbook.parameters": hashlib.sha256(files.as_json(parameters)).hexdigest()[:16],
        "workbook.generated": "unknown",
        "mlflow.source.name": f"notebooks/{step}.ipynb",
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.user": os.environ.get("USER", ""),
    }
    if os.environ.get("WORKBOOK_PARENT_RUN_ID"):
        tags["mlflow.parentRunId"] = os.environ["WORKBOOK_PARENT_RUN_ID"]
    return tags


def take_parent() -> None:
    """Move MLFLOW_RUN_ID to our own name: left there, every step would be resumed as that one run."""
    parent = os.environ.pop("MLFLOW_RUN_ID", None)
    if parent:
        os.environ["WORKBOOK_PARENT_RUN_ID"] = parent


def under_runner() -> bool:
    """Whether the pipeline's runner executes this notebook, not JupyterLab, pytest or plain papermill."""
    return bool(os.environ.get("WORKBOOK_PIPELINE_ID"))


def commit() -> dict[str, str]:
    """The git commit of the project, and whether files differ from it; empty outside a repository."""
    command = ["git", "status", "--porcelain=v2", "--branch"]
    try:
        said = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return {}
    start = "# branch.oid "
    commit_id = next((line.removeprefix(start) for line in said if line.startswith(start)), "(initial)")
    if commit_id == "(initial)":  # a repository without a commit
        return {}
    dirty = "yes" if any(not line.startswith("#") for line in said) else "no"
    return {"mlflow.source.git.commit": commit_id, "workbook.commit": commit_id, "workbook.dirty": dirty}
