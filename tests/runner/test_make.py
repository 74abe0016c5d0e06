"""The Makefile: its help, what `make -n` does, and how words reach Python."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from tiny import ROOT, cell

from lib.cli.kernel_name import KERNEL


def make(*words, cwd=ROOT, **environment):
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "P", "PARAMS", "RUN")
    }
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=cwd, env=inherited | environment, capture_output=True, text=True)


def targets():
    """Every target that the Makefile declares phony: those that a user calls."""
    text = (ROOT / "Makefile").read_text()
    named = (
        " ".join(re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", text, re.MULTILINE)).replace("\\\n", " ").split()
    )
    steps = [path.stem.split("_", 1)[1] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")]
    return sorted(
        {*(name for name in named if "$" not in name and ")" not in name and "," not in name), *steps}
    )


@pytest.mark.parametrize("words", [(), ("help",)])
def test_help_lists_every_target_with_one_line(words):
    lines = make(*words).stdout.splitlines()
    listed = [line.split()[1] for line in lines if line.startswith("  make ")]
    assert sorted(listed) == targets()
    assert len(listed) == len(set(listed))
    assert all(len(line.split()) > 3 for line in lines if line.startswith("  make "))


def test_a_target_with_digits_and_hyphens_is_listed(tmp_path):
    """The usual pattern of letters alone loses them."""
    makefile = (ROOT / "Makefile").read_text() + "\nstep-2b_x: ## a target with a digit\n"
    (tmp_path / "Makefile").write_text(makefile)
    shown = subprocess.run(["make", "help"], cwd=tmp_path, capture_output=True, text=True).stdout
    assert re.search(r"make step-2b_x\s+a target with a digit", shown)


def test_every_line_of_help_stands_beside_its_own_target():
    text = (ROOT / "Makefile").read_text()
    for line in make("help").stdout.splitlines():
        if line.startswith("  make ") and "that step, after" not in line:
            name, words = line.split(None, 2)[1:]
            assert re.search(rf"^{re.escape(name)}:.*## {re.escape(words)}$", text, re.MULTILINE)


def test_make_n_runs_nothing(tmp_path):
    for name in ("pipeline", "test", "tune", "clean", "bench"):
        result = make("-n", name, WORKBOOK_OUTPUTS=str(tmp_path / "outputs"))
        assert result.returncode == 0, result.stderr
    assert not (tmp_path / "outputs").exists()


def test_what_p_holds_is_never_read_by_a_shell(tmp_path):
    mark = tmp_path / "mark"
    for value in (
        f"rows=3; touch {mark}",
        f"rows=`touch {mark}`",
        f"rows='$(touch {mark})'",
        f"rows=$(shell touch {mark})",
    ):
        result = make("plan", f"P={value}", WORKBOOK_OUTPUTS=str(tmp_path / "outputs"))
        assert result.returncode != 0
    assert not mark.exists()


def test_words_with_spaces_and_brackets_arrive_whole(tmp_path):
    result = make("plan", "P=models=[lasso, xgboost] max_evals=2", WORKBOOK_OUTPUTS=str(tmp_path / "outputs"))
    assert result.returncode == 0, result.stderr
    wrong = make("plan", "P=models=lasso max_evals=2", WORKBOOK_OUTPUTS=str(tmp_path / "outputs"))
    assert "P: models must be list" in wrong.stderr


def test_every_recipe_with_python_uses_the_projects_environment():
    text = (ROOT / "Makefile").read_text()
    for line in text.splitlines():
        if line.startswith("\t") and re.search(r"(?<![\w/.-])(python3?|pytest|jupyter|mlflow) ", line):
            assert "$(BIN)/" in line or "$(PYTHON)" in line or "$$uv" in line, line


HISTORY = [
    "cache",
    "learner",
    "marks",
    "mlartifacts",
    "mlflow.db",
    "mlflow.db-journal",
    "mlflow.db-shm",
    "mlflow.db-wal",
]
HISTORY += ["predictions", "wandb"]
RUNS = ["last.json", "lessons", "quickstart", "scratch"]


def filled(outputs):
    """Outputs after some runs: their folders, a download, and what was tracked, registered and predicted."""
    outputs.mkdir(exist_ok=True)
    for name in (*HISTORY, *RUNS):
        path = outputs / name
        if "." in name:
            path.write_text("{}")
        else:
            path.mkdir()
            (path / "file").write_text("")
    return outputs


@pytest.fixture
def fresh(tmp_path):
    """A copy of what git has of the Makefile and of outputs/, which some runs have filled."""
    project = tmp_path / "project"
    (project / "outputs").mkdir(parents=True)
    for name in ("Makefile", "outputs/.gitignore"):
        shutil.copy(ROOT / name, project / name)
    filled(project / "outputs")
    return project


def left(outputs):
    return sorted(path.name for path in outputs.iterdir())


def clean(project, target="clean", **environment):
    known = {"WORKBOOK_OUTPUTS": ""} | environment
    return make(target, cwd=project, **known)


def test_clean_removes_runs_keeps_history_and_says_both(fresh):
    done = clean(fresh)
    assert left(fresh / "outputs") == [".gitignore", *HISTORY]
    removed, kept = done.stdout.splitlines()
    assert removed == f"Removed from {(fresh / 'outputs').resolve()}: {' '.join(RUNS)}."
    assert kept == f"Kept: {' '.join(HISTORY)}. `make clean-all` removes that as well."


def test_clean_all_leaves_the_outputs_folder_alone_and_no_environment(fresh):
    (fresh / ".venv").mkdir()
    said = clean(fresh, "clean-all").stdout
    assert left(fresh / "outputs") == [".gitignore"]
    assert "mlflow.db" in said.splitlines()[0]
    assert not (fresh / ".venv").exists()


def test_clean_all_says_that_the_environment_goes(fresh):
    assert "Removed .venv, which the next command builds again." in clean(fresh, "clean-all").stdout


def test_there_is_nothing_to_clean_where_there_are_no_outputs(fresh):
    shutil.rmtree(fresh / "outputs")
    done = clean(fresh, "clean-all")
    assert done.returncode == 0
    assert "nothing to remove" in done.stdout


def test_clean_empties_the_outputs_that_are_in_use(fresh, tmp_path):
    elsewhere = filled(tmp_path / "else where")
    assert clean(fresh, WORKBOOK_OUTPUTS=str(elsewhere)).returncode == 0
    assert left(elsewhere) == HISTORY
    assert "quickstart" in left(fresh / "outputs")


def test_clean_empties_outputs_that_are_a_link_and_follows_no_link_in_them(fresh, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("")
    shutil.move(fresh / "outputs", tmp_path / "big disk")
    (fresh / "outputs").symlink_to(tmp_path / "big disk")
    (fresh / "outputs" / "a_link").symlink_to(precious)
    clean(fresh)
    assert left(tmp_path / "big disk") == [".gitignore", *HISTORY]
    assert left(precious) == ["thesis.txt"]


@pytest.mark.parametrize("linked", [False, True], ids=["named", "linked"])
@pytest.mark.parametrize(
    "where", ["home", "above home", "the project", "above the project", "of others", "/"]
)
def test_clean_removes_nothing_from_a_folder_that_is_no_outputs(fresh, tmp_path, where, linked):
    home = tmp_path / "users" / "me"
    home.mkdir(parents=True)
    (home / "thesis.txt").write_text("")
    (tmp_path / "of others" / "notebooks").mkdir(parents=True)
    (tmp_path / "of others" / "notebooks" / "mine.ipynb").write_text("")
    (tmp_path / "of others" / "mlflow.db").write_text("")
    places = {"home": home, "above home": home.parent, "the project": fresh, "above the project": tmp_path}
    place = places.get(where) or tmp_path / where
    before = sorted(tmp_path.rglob("*"))
    given = {"HOME": str(home), "WORKBOOK_OUTPUTS": str(place)}
    if linked:
        shutil.rmtree(fresh / "outputs")
        (fresh / "outputs").symlink_to(place)
        before, given["WORKBOOK_OUTPUTS"] = sorted(tmp_path.rglob("*")), ""
    for target in ("clean", "clean-all"):
        # never by make itself where a mistake would cost: `/` is asked of a shell that removes nothing
        done = clean(fresh, target, **given, PATH=f"{harmless(tmp_path)}:{os.environ['PATH']}")
        assert done.returncode != 0
        assert "is no folder that runs have filled: nothing is removed" in done.stderr.splitlines()[0]
    assert sorted(path for path in tmp_path.rglob("*") if "harmless" not in str(path)) == before


def harmless(tmp_path):
    """A folder with an `rm` that removes nothing and fails."""
    folder = tmp_path / "harmless"
    folder.mkdir(exist_ok=True)
    (folder / "rm").write_text("#!/bin/sh\nexit 1\n")
    (folder / "rm").chmod(0o755)
    return folder


def test_git_keeps_the_outputs_folder_and_ignores_what_is_in_it(fresh):
    subprocess.run(["git", "init", "--quiet"], cwd=fresh, check=True)
    seen = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard", "outputs"],
        cwd=fresh,
        capture_output=True,
        text=True,
    )
    assert seen.stdout.splitlines() == ["outputs/.gitignore"]


@pytest.mark.parametrize(
    "pretended",
    ["sys.platform = 'darwin'; platform.machine = lambda: 'x86_64'", "sys.version_info = (3, 15, 0)"],
)
def test_no_environment_is_built_where_the_lock_has_nothing(fresh, pretended):
    (fresh / "requirements").mkdir()
    for name in ("requirements.txt", "requirements/build.txt", "pyproject.toml"):
        (fresh / name).touch()
    python = fresh / "python"
    python.write_text(f"#!{sys.executable}\nimport platform, sys\n{pretended}\nexec(sys.argv[2])\n")
    python.chmod(0o755)
    result = make("pipeline", f"PYTHON={python}", cwd=fresh)
    assert result.returncode != 0
    assert "needs Python 3.11 to 3.14" in result.stderr
    assert "macOS on Apple silicon" in result.stderr
    assert not (fresh / ".venv").exists()


def test_a_copied_project_runs_its_own_code_by_its_own_commands(copied):
    plan = make("plan", cwd=copied, WORKBOOK_OUTPUTS="")
    assert plan.returncode == 0, plan.stderr
    assert "Building" not in plan.stdout
    code = "import lib, sys; print(lib.__file__, sys.prefix)"
    activated = f'. ../.venv/bin/activate; papermill --version; pip --version; python -c "{code}"'
    command = ["bash", "-c", activated]
    shown = subprocess.run(
        command, cwd=copied / "notebooks", capture_output=True, text=True, check=True
    ).stdout
    assert shown.count(f"{copied}/.venv/lib") == 2  # where papermill and pip say that they are
    assert f"{copied}/lib/__init__.py {copied}/.venv" in shown


@pytest.mark.parametrize(
    "start", ["#!/elsewhere/.venv/bin/python\n", "#!/bin/sh\n'''exec' /elsewhere/.venv/bin/python\n", ""]
)
def test_an_environment_that_was_built_elsewhere_or_has_lost_its_python_is_built_anew(copied, start):
    assert "Building .venv" not in make("-n", "plan", cwd=copied).stdout
    if start:
        (copied / ".venv" / "bin" / "papermill").write_text(start)
    else:
        (copied / ".venv" / "bin" / "python").unlink()
    planned = make("-n", "plan", cwd=copied).stdout
    assert "Building .venv" in planned
    assert "rm -rf .venv" in planned


def started(project, program, **environment):
    """What make hands to a program of the environment, which here only tells its words."""
    path = project / ".venv" / "bin" / program
    path.unlink()
    path.write_text('#!/bin/sh\necho "words: $*"\n')
    path.chmod(0o755)
    return make("lab", cwd=project, **environment).stdout


@pytest.mark.parametrize(("user", "allowed"), [("0", True), ("1000", False)])
def test_jupyterlab_starts_for_root_too_and_says_why(copied, user, allowed):
    (copied / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (copied / "id").chmod(0o755)
    said = started(copied, "jupyter", PATH=f"{copied}:{os.environ['PATH']}")
    assert ("--allow-root" in said) == allowed
    assert ("You are root" in said) == allowed
    assert "words: lab --ip=127.0.0.1" in said


def test_plain_papermill_says_nothing_of_how_a_kernel_is_reached(tmp_path):
    page = {"cells": [cell("1 + 1")], "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "page.ipynb").write_text(json.dumps(page))
    command = [ROOT / ".venv" / "bin" / "papermill", "page.ipynb", "done.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "encryption" not in done.stdout + done.stderr


def test_names_count_on_makes_own_command_line_alone_and_settings_from_the_environment_too(tmp_path):
    shown = tmp_path / "shown.mk"
    shown.write_text(f"include {ROOT}/Makefile\nshown:\n\t@env\n")

    def handed_on(*words, **environment):
        result = make("-f", str(shown), "shown", *words, **environment)
        assert result.returncode == 0, result.stderr
        return dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)

    words = ("RUN", "NAME", "TARGET", "DATA", "MODEL", "VERSION", "ALIAS", "REASON", "PORT", "LESSON")
    names = dict.fromkeys(words, "exported")
    handed = handed_on(P="rows=3", **names)
    assert {handed[f"GIVEN_{name}"] for name in names} == {""}
    assert handed["P"] == "rows=3"
    handed = handed_on("VERSION=3", "RUN=a$b", **names)
    assert (handed["GIVEN_VERSION"], handed["GIVEN_RUN"]) == ("3", "a$b")
    assert "RUN" not in handed  # what make was told is no RUN of the environment


def test_a_notebook_saved_with_another_kernel_is_refused_in_one_line_and_mended(tmp_path):
    page = tmp_path / "01_ingest.ipynb"
    committed = (ROOT / "notebooks" / page.name).read_text()
    page.write_text(committed.replace('"name": "python3"', '"name": "conda-env-ml-py"'))

    def command(*words):
        words = [sys.executable, "-m", "lib.cli", "kernel-name", *words, str(page)]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    refused = command()
    assert refused.returncode != 0
    assert "01_ingest.ipynb names 'conda-env-ml-py'. `make format` mends it" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert command("--mend").returncode == command().returncode == 0
    assert page.read_text() == committed
    for target in ("lint", "format"):
        assert "lib.cli kernel-name" in make("-n", target).stdout
