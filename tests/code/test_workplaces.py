"""Files for other places to work in: a dev container, Binder, the hooks before a commit."""

import json
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import jsonschema
import yaml

PROJECT = Path(__file__).parents[2]
#: The part of https://containers.dev's schema that a container of an image, without features, may use.
DEVCONTAINER = {
    "type": "object",
    "required": ["image"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "image": {"type": "string", "pattern": "^[a-z0-9./_-]+:[A-Za-z0-9._-]+$"},
        "hostRequirements": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cpus": {"type": "integer", "minimum": 1},
                "memory": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
                "storage": {"type": "string", "pattern": r"^\d+([tgmk]b)?$"},
            },
        },
        "postCreateCommand": {"type": ["string", "array", "object"]},
        "forwardPorts": {
            "type": "array",
            "items": {"oneOf": [{"type": "integer", "minimum": 0, "maximum": 65535}, {"type": "string"}]},
        },
        "portsAttributes": {
            "type": "object",
            "patternProperties": {
                r"(^\d+(-\d+)?$)|(.+)": {"type": "object", "properties": {"label": {"type": "string"}}}
            },
        },
        "customizations": {"type": "object"},
    },
}
HOOKS = {
    "type": "object",
    "required": ["repos"],
    "properties": {
        "repos": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["repo", "hooks"],
                "properties": {
                    "repo": {"const": "local"},
                    "hooks": {
                        "type": "array",
                        "items": {"type": "object", "required": ["id", "name", "entry", "language"]},
                    },
                },
            },
        }
    },
}


def test_the_dev_container_is_one_and_its_command_is_a_target_of_make():
    container = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text())
    jsonschema.validate(container, DEVCONTAINER)
    words = shlex.split(container["postCreateCommand"])
    done = subprocess.run([words[0], "-n", *words[1:]], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_binder_has_a_python_that_the_lock_is_for_and_installs_that_lock():
    runtime = (PROJECT / ".binder" / "runtime.txt").read_text().strip()
    version = re.fullmatch(r"python-3\.(\d+)", runtime)
    asked = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"]
    low, high = map(int, re.findall(r"3\.(\d+)", asked))
    assert version
    assert low <= int(version[1]) < high
    locks = (PROJECT / ".binder" / "requirements.txt").read_text().split()[1::2]
    assert [(PROJECT / ".binder" / lock).resolve() for lock in locks] == [PROJECT / "requirements.txt"]
    script = PROJECT / ".binder" / "postBuild"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["sh", "-n", script]).returncode == 0


def test_the_hooks_before_a_commit_ask_what_lint_asks_by_the_tools_of_the_project():
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())
    jsonschema.validate(hooks, HOOKS)
    entries = [shlex.split(hook["entry"]) for repo in hooks["repos"] for hook in repo["hooks"]]
    assert all(words[0].startswith(".venv/bin/") for words in entries)
    makefile = (PROJECT / "Makefile").read_text()
    (strip,) = re.findall(r"^STRIP := (.+)$", makefile, re.MULTILINE)
    (stripping,) = [words for words in entries if words[0].endswith("nbstripout")]
    assert stripping[1:] == ["--verify", *shlex.split(strip)]
