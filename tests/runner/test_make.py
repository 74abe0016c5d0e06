"""The Makefile: its help, what `make -n` does, and how words reach Python."""

import os
import re
import subprocess

import pytest
from tiny import ROOT


def make(*words, **environment):
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "P", "PARAMS", "RUN")
    }
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True)


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
