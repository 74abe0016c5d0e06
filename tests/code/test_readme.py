"""The README and docs are tested as code is: what they name must be there."""

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", PROJECT / "DATA.md", *sorted((PROJECT / "docs").glob("*.md"))]


def named(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


@pytest.fixture(scope="module")
def targets() -> set[str]:
    listing = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return set(re.findall(r"^  make (\S+)", listing.stdout, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not gone


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_make_target_that_a_page_names_exists(page, targets):
    code = re.findall(r"```.*?```|`[^`\n]+`", page.read_text(), re.DOTALL)
    targets = targets | set(
        re.findall(r"notebooks/\d\d_(\w+)\.ipynb", page.read_text())
    )  # a step that it adds
    named_there = {target for part in code for target in re.findall(r"\bmake ([a-z][\w-]*)", part)}
    assert named_there <= targets


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_parameters_file_that_a_page_names_exists(page):
    text = page.read_text()
    written_there = set(re.findall(r"NAME=(\w+)", text))  # by `make new-problem`, as the page says
    named_there = set(re.findall(r"params/(\w+)\.yaml", text)) - written_there
    gone = [name for name in named_there if not (PROJECT / "params" / f"{name}.yaml").exists()]
    assert not gone
