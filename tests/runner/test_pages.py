"""The pages of a run: what a notebook looks like as HTML, and the graph of steps as a drawing."""

import pytest

from lib.pipeline import drawing, page


def notebook(*cells):
    return {"cells": list(cells)}


def code(source, *outputs, tags=()):
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": 1,
        "metadata": {"tags": list(tags)},
        "outputs": list(outputs),
    }


def text(source):
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def picture(content="cGljdHVyZQ=="):
    return {"output_type": "display_data", "data": {"image/png": content, "text/plain": "<Figure>"}}


def test_the_title_is_the_first_heading_and_second_headings_make_the_contents():
    html = page.render(notebook(text("# All *about* it\n\n## First\n\n## Second")), [], "")
    assert "<title>All about it</title>" in html
    assert html.count('<a href="#h') == 2


@pytest.mark.parametrize(
    "output, shown",
    [
        ({"output_type": "stream", "name": "stdout", "text": ["a < b\n"]}, "a &lt; b"),
        (
            {"output_type": "execute_result", "data": {"text/html": "<table></table>", "text/plain": "x"}},
            "<table>",
        ),
        ({"output_type": "display_data", "data": {"text/markdown": "**so**"}}, "<strong>so</strong>"),
        (
            {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mE\x1b[0m: v"]},
            "#b42318",
        ),
        (picture(), 'src="data:image/png;base64,cGljdHVyZQ=="'),
    ],
)
def test_each_kind_of_output_is_shown_in_its_richest_form(output, shown):
    assert shown in page.render(notebook(code("f()", output)), [], "")


def test_a_progress_bar_is_shown_as_it_ended():
    assert page.ansi("10 %\r50 %\r100 %\n") == "100 %\n"


def test_colours_of_a_terminal_are_closed_and_text_is_escaped():
    assert page.ansi("\x1b[1;32m<ok>\x1b[0m") == '<span style="color:#18794e">&lt;ok&gt;</span>'


def test_headline_pictures_are_those_of_tagged_cells_else_the_first():
    first, second = code("a", picture("Zmlyc3Q=")), code("b", picture("c2Vjb25k"))
    plain = page.pictures(notebook(text("## One"), first, text("## Two"), second))
    assert plain == [("One", "data:image/png;base64,Zmlyc3Q=")]
    second["metadata"]["tags"] = ["headline"]
    assert page.pictures(notebook(first, text("## Two"), second)) == [
        ("Two", "data:image/png;base64,c2Vjb25k")
    ]


def test_the_drawing_leaves_out_lines_that_others_imply_and_links_to_what_is_done():
    steps = {
        "01_a": {"reads": [], "writes": ["x"]},
        "02_b": {"reads": ["x"], "writes": ["y"]},
        "03_c": {"reads": ["x", "y"], "writes": []},
    }
    states = {
        "01_a": {"status": "done", "seconds": 1.25, "peak_memory_mb": 1234.5},
        "02_b": {"status": "failed"},
    }
    svg = drawing.graph(steps, states)
    assert svg.count('fill="none"') == 2  # a to b, b to c; a to c goes without saying
    assert "1.2 s · 1,234 MB" in svg
    assert 'href="notebooks/01_a.html"' in svg
    assert 'href="notebooks/02_b.failed.html"' in svg
    assert "03_c.html" not in svg
