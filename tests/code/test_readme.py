"""The README and docs are tested as code is: what they name must be there."""

import re
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml

from lib import notebook_source, paths
from lib.notebook_source import annotations, grids
from lib.runner import graph, plan

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", PROJECT / "DATA.md", *sorted((PROJECT / "docs").glob("*.md"))]
#: Their prose has commands to try, too.
NUMBERED = sorted((PROJECT / "notebooks").glob("0*.ipynb"))


def named(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


def text_of(page: Path) -> str:
    """What a page says; of a notebook its prose, a line a cell."""
    if page.suffix == ".md":
        return page.read_text()
    cells = nbformat.read(page, as_version=4).cells
    return "\n".join(cell.source.replace("\n", " ") for cell in cells if cell.cell_type == "markdown")


@pytest.fixture(scope="module")
def targets() -> set[str]:
    listing = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return set(re.findall(r"^  make (\S+)", listing.stdout, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not gone


@pytest.mark.parametrize("page", [*PAGES, *NUMBERED], ids=named)
def test_every_make_target_that_a_page_names_exists(page, targets):
    code = re.findall(r"```.*?```|`[^`\n]+`", text_of(page), re.DOTALL)
    targets = targets | set(re.findall(r"notebooks/\d\d_(\w+)\.ipynb", text_of(page)))  # a step that it adds
    named_there = {target for part in code for target in re.findall(r"\bmake ([a-z][\w-]*)", part)}
    assert named_there <= targets


def parameters(page: Path) -> list[tuple[str, str, str]]:
    """Each `P="…"` of a page with the command and the parameters file on its line, else quickstart's.

    Left out is what is said of a problem or a step that a reader makes with the page.
    """
    text, found = text_of(page), []
    for typed in re.finditer(r'\bP="([^"…]+)"', text):
        before = text[: typed.start()].rpartition("\n")[2]
        command, file = (re.findall(what, before)[-1:] for what in (r"make (\S+)", r"PARAMS=([\w/.]+)"))
        found.append((*(command or ["plan"]), *(file or ["params/quickstart.yaml"]), typed[1]))
    made = {f"params/{name}.yaml" for name in re.findall(r"NAME=(\w+)", text)}
    made |= set(re.findall(r"notebooks/\d\d_(\w+)\.ipynb", text)) - set(STEPS)
    return [one for one in found if made.isdisjoint(one[:2])]


STEPS = [notebook.target for notebook in graph.read(paths.here()).notebooks]
TYPED = [
    pytest.param(*one, id=f"{named(page)}: {one[2]}")
    for page in (*PAGES, *NUMBERED)
    for one in parameters(page)
]


def test_the_examples_are_found():
    assert len(TYPED) > 10
    pages = {"README.md", "docs/search.md", "notebooks/02_eda.ipynb", "notebooks/06_registry.ipynb"}
    assert pages <= {case.id.partition(":")[0] for case in TYPED}


@pytest.mark.parametrize(("command", "file", "typed"), TYPED)
def test_every_example_of_p_is_taken(outputs, command, file, typed):
    each = [point.p for point in grids.read(typed, "example")] if command == "sweep" else [typed]
    for p in each:
        assert plan.ask(plan.Wishes(file=file, overrides=p)).parameters.overrides


@pytest.mark.parametrize(("command", "file", "typed"), TYPED)
def test_no_clock_ends_the_search_of_an_example(outputs, command, file, typed):
    """Five seconds a trial are plenty, and what came first would be kept without a word in the example."""
    for point in grids.read(typed, "example") if command == "sweep" else [typed]:
        request = plan.ask(plan.Wishes(file=file, overrides=getattr(point, "p", point)))
        given = request.given("04_tune")
        assert given["timeout_s"] >= 5 * given["max_evals"] * len(given["models"])


def test_steps_can_be_asked_for_as_the_readme_has_it():
    asked = {page.name: re.findall(r"\bSTEPS=([\w,]+)", page.read_text()) for page in PAGES}
    assert asked["README.md"]
    named_there = {step for examples in asked.values() for steps in examples for step in steps.split(",")}
    assert named_there <= set(STEPS)


def test_papermill_is_told_what_its_notebook_takes():
    text = re.sub(r"\s+", " ", PAGES[0].read_text())
    assert {"-f", "-y", "--help-notebook", "-p"} <= set(re.findall(r"(?<= |`)-{1,2}[\w-]+", text))
    (path,) = set(re.findall(r"papermill (?:--help-notebook )?(notebooks/\S+\.ipynb)", text))
    declared = notebook_source.read(PROJECT / path).parameters
    given = dict(re.findall(r"papermill notebooks/\S+ \S+ -p (\w+) (\S+)", text))
    for mapping in re.findall(r"-y '(\{.*?\})'", text):
        given |= yaml.safe_load(mapping)
    assert len(given) > 1
    for name, value in given.items():
        annotations.fit_text(value, declared[name].annotation)  # raises what it refuses


def test_it_is_said_how_long_the_two_commands_take_and_every_other_one_on_what():
    text, times = (page.read_text() for page in (PAGES[0], PROJECT / "docs" / "times.md"))
    first = [line for line in text.split("```")[1].splitlines() if line]
    assert [line.split()[1] for line in first] == ["pipeline", "test"]
    rows = re.findall(r"^\| (`make .*?) \| (.*?) \|", times, re.MULTILINE)
    assert {"make pipeline", "make test", "make sweep", "make book", "make mutants"} <= {
        command for row, _ in rows for command in re.findall(r"make \w+", row)
    }
    for took in (*first, *(took for _, took in rows if "a point" not in took)):
        assert re.search(r"second|minute|hour", took)
    assert "two cores" in first[1] + times
    assert "(docs/times.md)" in text


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_parameters_file_that_a_page_names_exists(page):
    text = page.read_text()
    written_there = set(re.findall(r"NAME=(\w+)", text))  # by `make new-problem`, as the page says
    named_there = set(re.findall(r"params/(\w+)\.yaml", text)) - written_there
    gone = [name for name in named_there if not (PROJECT / "params" / f"{name}.yaml").exists()]
    assert not gone


def test_the_caption_of_the_result_says_what_the_model_is_told_only_afterwards():
    text = (PROJECT / "README.md").read_text()
    (caption,) = re.findall(r"\(docs/result\.png\)\s+\*(.+?)\*\n", text, re.DOTALL)
    assert "told the metered distance, which is known only after the trip" in " ".join(caption.split())


def test_the_table_of_notebooks_says_what_each_reads_and_writes():
    rows = [line.strip("| ").split(" | ") for line in (PROJECT / "README.md").read_text().splitlines()]
    told = {row[0]: row[-2:] for row in rows if row[0].startswith("[0")}
    steps = graph.read(paths.here()).notebooks
    assert told == {
        f"[{step.name}](notebooks/{step.path.name})": [", ".join(step.reads) or "–", ", ".join(step.writes)]
        for step in steps
    }
