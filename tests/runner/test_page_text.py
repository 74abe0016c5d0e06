"""What the first three pages show when executed: no heading without content, no sign out of place."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from tiny import ROOT

#: What no computed sentence or table may have in it, and why.
ODD = {
    r"(?<!\\)\$": "a dollar that would begin a formula",
    r"(?<![\w.])-0(?:\.0+)?(?![\w.])": "minus nothing",
    r"\bnan\b|\bNaN\b|\bNone\b(?! of)|\bNaT\b": "a value that is missing",
    r"\d[eE][+-]\d": "a number as machines write it",
    r":\s*$": "an announcement of nothing",
    r"&#42;": "an asterisk that was to be italics",
}


@pytest.fixture(scope="module", params=["green_taxi", pytest.param("music_genres", marks=pytest.mark.slow)])
def pages(request, tmp_path_factory):
    """The executed pages 01, 02 and 03 of a problem, on generated rows."""
    outputs = tmp_path_factory.mktemp(request.param)
    kept = {k: v for k, v in os.environ.items() if k not in ("P", "PARAMS", "RUN", "STEPS", "FORCE", "JOBS")}
    given = {
        "WORKBOOK_OUTPUTS": str(outputs),
        "PARAMS": f"params/{request.param}.yaml",
        "P": "source=generated rows=1500",
        "WANDB_MODE": "disabled",
    }
    done = subprocess.run(
        [sys.executable, "-m", "lib.cli", "pipeline", "eda", "prep"],
        cwd=ROOT,
        env=kept | given,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    found = sorted(outputs.glob("*/notebooks/0[123]_*.ipynb"))
    assert len(found) == 3
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
                    heading, filled = line, line == "## What to take away"
        assert filled, f"{name}: nothing under {heading}"


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
