"""The Makefile: its help, what `make -n` does, and how words reach Python."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from tiny import ROOT


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


@pytest.fixture
def fresh(tmp_path):
    """A copy of what git has of the Makefile and of outputs/, with a finished run and a download."""
    project = tmp_path / "project"
    (project / "outputs" / "cache").mkdir(parents=True)
    (project / "outputs" / "quickstart").mkdir()
    (project / "outputs" / "mlflow.db").touch()
    for name in ("Makefile", "outputs/.gitignore"):
        shutil.copy(ROOT / name, project / name)
    return project


def left(project):
    return sorted(path.name for path in (project / "outputs").iterdir())


def test_clean_leaves_the_outputs_folder_with_what_was_downloaded(fresh):
    make("clean", cwd=fresh)
    assert left(fresh) == [".gitignore", "cache"]


def test_clean_all_leaves_the_outputs_folder_alone_and_no_environment(fresh):
    (fresh / ".venv").mkdir()
    make("clean-all", cwd=fresh)
    assert left(fresh) == [".gitignore"]
    assert not (fresh / ".venv").exists()


def test_there_is_nothing_to_clean_where_there_are_no_outputs(fresh):
    shutil.rmtree(fresh / "outputs")
    assert make("clean-all", cwd=fresh).returncode == 0


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


def test_names_count_on_makes_own_command_line_alone_and_settings_from_the_environment_too(tmp_path):
    shown = tmp_path / "shown.mk"
    shown.write_text(f"include {ROOT}/Makefile\nshown:\n\t@env\n")

    def handed_on(*words, **environment):
        result = make("-f", str(shown), "shown", *words, **environment)
        assert result.returncode == 0, result.stderr
        return dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)

    names = dict.fromkeys(("RUN", "NAME", "TARGET", "DATA", "MODEL", "VERSION", "ALIAS", "PORT"), "exported")
    handed = handed_on(P="rows=3", **names)
    assert {handed[f"GIVEN_{name}"] for name in names} == {""}
    assert handed["P"] == "rows=3"
    handed = handed_on("VERSION=3", "RUN=a$b", **names)
    assert (handed["GIVEN_VERSION"], handed["GIVEN_RUN"]) == ("3", "a$b")
    assert "RUN" not in handed  # what make was told is no RUN of the environment
