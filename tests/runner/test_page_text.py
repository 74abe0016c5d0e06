"""What the pages show when executed: no heading without content, no sign out of place."""

import itertools
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest
from tiny import ROOT

from lib.wording import rounded

#: What no computed sentence or table may have in it, and why.
ODD = {
    r"(?<!\\)\$": "a dollar that would begin a formula",
    r"(?<![\w.])-0(?:\.0+)?(?![\w.])": "minus nothing",
    r"\bnan\b|\bNaN\b|\bNone\b(?! of)|\bNaT\b": "a value that is missing",
    r"\d[eE][+-]\d": "a number as machines write it",
    r":\s*$": "an announcement of nothing",
    r"&#42;": "an asterisk that was to be italics",
}


#: Sections of prose alone: what a page closes with, and the commands of page 06.
PROSE = ("## What to take away", "## What we know now", "## What we have seen", "## Change your mind")

#: Problems, and the steps that are run of each: the first three, or (slow) all six.
RUNS = [("green_taxi", "eda prep"), pytest.param(("music_genres", ""), marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=RUNS, ids=["green_taxi", "music_genres"])
def ran(request, tmp_path_factory):
    """Where a problem was run on generated rows, and the steps that were (none: all)."""
    problem, steps = request.param
    outputs = tmp_path_factory.mktemp(problem)
    kept = {k: v for k, v in os.environ.items() if k not in ("P", "PARAMS", "RUN", "STEPS", "FORCE", "JOBS")}
    given = {
        "WORKBOOK_OUTPUTS": str(outputs),
        "PARAMS": f"params/{problem}.yaml",
        "P": "source=generated rows=1500" + " max_evals=2 timeout_s=600 draws=99" * (not steps),
        "WANDB_MODE": "disabled",
    }
    done = subprocess.run(
        [sys.executable, "-m", "lib.cli", "pipeline", *steps.split()],
        cwd=ROOT,
        env=kept | given,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return outputs, steps


@pytest.fixture(scope="module")
def pages(ran):
    """The executed pages of a problem."""
    outputs, steps = ran
    found = read(outputs)
    assert len(found) == (3 if steps else 6)
    return found


def read(outputs) -> dict:
    """The executed pages of the runs below `outputs`, by name."""
    found = sorted(outputs.glob("*/notebooks/0[1-6]_*.ipynb"))
    return {path.stem: nbformat.read(path, as_version=4) for path in found}


def shown(cell) -> list[str]:
    """What a code cell shows, as text; a figure as its description."""
    outputs = [output for output in cell.get("outputs", []) if output.output_type != "stream"]
    texts = []
    for output in outputs:
        if "image/png" in output.data:
            texts.append("figure " + output.metadata["image/png"]["alt"])
        else:
            texts.append(output.data.get("text/markdown") or output.data.get("text/html") or "")
    return texts


def test_under_every_heading_of_a_page_something_is_shown(pages):
    for name, page in pages.items():
        heading, filled = "", True
        for cell in page.cells:
            if cell.cell_type == "code":
                filled = filled or any(shown(cell)) or "step.write" in cell.source
            for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
                if line.startswith("##"):
                    assert filled, f"{name}: nothing under {heading}"
                    heading, filled = line, line in PROSE
        assert filled, f"{name}: nothing under {heading}"


def test_what_is_announced_with_a_colon_is_shown(pages):
    looked_at = 0
    for name, page in pages.items():
        for announced, cell in itertools.pairwise(page.cells):
            ends = announced.cell_type == "markdown" and announced.source.rstrip().endswith(":")
            if ends and cell.cell_type == "code" and cell.source.splitlines()[-1].startswith("display."):
                looked_at += 1
                assert any(shown(cell)), f"{name}: nothing after {announced.source[-80:]!r}"
    assert looked_at > 2


def test_no_computed_text_of_a_page_has_a_sign_out_of_place(pages):
    looked_at = 0
    for name, page in pages.items():
        for cell in page.cells:
            for output in cell.get("outputs", []):
                text = output.get("data", {}).get("text/markdown", "")
                looked_at += bool(text)
                for pattern, what in ODD.items():
                    found = re.search(pattern, text)
                    assert not found, f"{name}, {cell.id}: {what} in {text!r}"
    assert looked_at > 20


def test_a_model_of_classes_has_its_log_loss_and_its_coverage_among_the_figures_and_on_the_page(ran, pages):
    outputs, steps = ran
    if steps:
        pytest.skip("no model is trained in this run")
    metrics = json.loads((outputs / "music_genres" / "metrics.json").read_text())
    assert 0.5 < metrics["test_interval_coverage"] <= 1
    said = "\n".join(text for cell in pages["05_train"].cells for text in shown(cell))
    assert f"the log loss: **{rounded(metrics['test_log_loss'])}**" in said


def test_the_page_of_pictures_says_whether_the_rules_refused_most_rows(pages):
    said = [text for cell in pages["02_eda"].cells if cell.id == "eda-cost" for text in shown(cell)]
    assert len(said) == 1
    assert re.fullmatch(
        r"No: [\d,]+ of [\d,]+ rows are left\.|\*\*Mind:\*\* The cleaning refused .*", said[0]
    )


def test_the_computed_sentences_call_a_row_by_the_problems_word(pages):
    words = {"trip", "trips", "song", "songs"}
    used = [
        text
        for page in pages.values()
        for cell in page.cells
        for text in shown(cell)
        if words & set(re.findall(r"[a-z]+", text)) and not text.startswith("<")
    ]
    assert len(used) >= 6


def test_no_section_says_the_problem_s_word_in_more_than_one_computed_sentence(pages):
    """But that of the problem's own pictures, which its package writes."""
    for name, page in pages.items():
        heading, said = "", {}
        for cell in page.cells:
            if cell.cell_type == "markdown":
                heading = next((line for line in cell.source.splitlines() if line.startswith("##")), heading)
            for text in shown(cell) if heading != "## What only these data have" else ():
                announced = re.match(r"<|figure |\*\*[^*]+\.\*\* ", text)  # that says what a column means
                if re.search(r"\b(trip|song)s?\b", text) and not announced:
                    said.setdefault(heading, []).append(text)
        assert said
        assert not {heading: texts for heading, texts in said.items() if len(texts) > 1}, name
