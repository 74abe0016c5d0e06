"""The pages of a run: what a notebook looks like as HTML, and the graph of steps as a drawing."""

import copy
import re

import nbformat
import pytest
from test_status import DONE

from lib import dependencies, display, profiling
from lib.notebook_source import prose
from lib.records import FailedStep, RunRecord
from lib.runner import recovery
from lib.runner.report import drawing, executed, pages
from lib.runner.status import Standing

RUN = RunRecord("tiny", "tiny", "params/tiny.yaml", {}, {}, {}, "", "now", {})


def page(*cells):
    """The HTML of a notebook of these cells."""
    return executed.render(nbformat.v4.new_notebook(cells=list(cells)), [], "")


def code(source, *outputs, tags=()):
    metadata = {"tags": list(tags)}
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=1, metadata=metadata)


def text(source):
    return nbformat.v4.new_markdown_cell(source)


def output(**data):
    return nbformat.v4.new_output("display_data", data={k.replace("_", "/", 1): v for k, v in data.items()})


def picture(content="cGljdHVyZQ=="):
    return output(image_png=content, text_plain="<Figure>")


def stream(words, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=words)


def test_the_title_is_the_first_heading_and_second_headings_make_the_contents():
    html = page(text("# All *about* it\n\n## First\n\n## Second & last"))
    assert "<title>All about it</title>" in html
    assert '<nav class="contents"><a href="#First">First</a>' in html
    assert ">Second &amp; last</a></nav>" in html


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (stream("a < b\n"), "a &lt; b"),
        (output(text_html="<table></table>", text_plain="x"), "<table>"),
        (output(text_markdown="**so**"), "<strong>so</strong>"),
        (
            nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["\x1b[31mE\x1b[0m: <v>"]),
            '<span class="ansi-red-fg">E</span>: &lt;v&gt;',
        ),
        (picture(), 'src="data:image/png;base64,cGljdHVyZQ=="'),
    ],
)
def test_each_kind_of_output_is_shown_in_its_richest_form(made, shown):
    assert shown in page(code("f()", made))


@pytest.mark.parametrize("category", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>"])
def test_a_category_of_the_data_is_no_markup_on_the_page(category):
    said = display.markdown(f"Most frequent is **{category}**.\n\n{category}\n\n| a |\n|---|\n| {category} |")
    html = page(code("f()", output(text_markdown=said.data)))
    assert category.split()[0] not in html
    assert html.count(category.replace("<", "&lt;").replace(">", "&gt;")) == 3


@pytest.mark.parametrize(
    "category",
    [
        "[x](javascript:alert(1))",
        "[x](/etc/passwd)",
        "![x](x.png)",
        "[x][y]\n\n[y]: /etc/passwd",
        "*x* _x_ ~~x~~",
        "&lt;b&gt; &#60;",
        "\\*x\\* `a`b`c",
        "$x$ $$y$$ \\(z\\) \\begin{x}z\\end{x}",
        "`<i>`<script>x`|`<b>",
    ],
)
def test_a_category_of_the_data_sets_no_text_and_links_to_nowhere(category):
    said = display.markdown(f"Mostly **x**: {category}\n\n| a | b |\n|---|---|\n| {category} | c |").data
    shown = page(code("f()", output(text_markdown=said))).partition("<main>")[2]
    assert "\\" not in said.replace(r"\$", "")  # what JupyterLab would take for the beginning of a formula
    for markup in ("<a ", "<img", "<em>", "<del>", "<script", "<i>", "<b>&"):
        assert markup not in shown, markup
    said = display.markdown(f"Mostly {category}").data
    words = executed._plain(page(code("f()", output(text_markdown=said))).partition("<main>")[2])
    assert re.findall(r"\w+", category)[0] in words


def test_an_error_text_with_fences_stays_in_its_block():
    failure = FailedStep("02_eda", 1, 3, "x = '````'", "DataError: no\n```\n# A heading <b>\n`````")
    html = page(text(recovery._top(failure)))
    assert "A heading" in html
    assert "<h1" not in html.partition("A heading")[2]
    assert "<b>" not in html
    assert html.count("<pre") == 2


def test_a_file_name_is_no_markup_where_the_rows_come_from():
    file = {"name": "<script>alert(1)</script>.csv", "url": "x", "bytes": 1, "sha256": "0" * 64, "rows": None}
    said = profiling.origin({"generated": False, "rows": 1, "files": [file]})
    assert "<script>" not in page(code("f()", output(text_markdown=said.data)))


def test_what_was_read_from_a_mirror_is_not_told_as_downloaded(monkeypatch):
    monkeypatch.setattr(dependencies, "_TAKEN", {})
    url = "https://example.org/x.csv"
    file = {"name": "x.csv", "url": url, "bytes": 1, "sha256": "d" * 64, "rows": None}
    provenance = {"generated": False, "rows": 1, "files": [file]}
    assert "mirror" not in profiling.origin(provenance).data
    dependencies.use("mirror", "/data/x.csv", "d" * 64)
    assert profiling.origin(provenance).data.endswith(f"{url}, read from the mirror: /data/x.csv")


def test_a_progress_bar_is_shown_as_it_ended():
    html = page(code("f()", stream("10 %\r50 %\r100 %\n", "stderr")))
    assert "100 %" in html
    assert "50 %" not in html


def test_a_picture_is_described_by_the_heading_above_it():
    assert 'alt="One"' in page(text("## One"), code("f()", picture()))


def test_each_picture_of_a_cell_is_named_by_its_own_title_where_it_has_one():
    first, second = picture("Zmlyc3Q="), picture("c2Vjb25k")
    first.metadata, second.metadata = ({"image/png": {"alt": title}} for title in ("Fares", "Tips & <more>"))
    book = nbformat.v4.new_notebook(cells=[text("## Own"), code("a", first, second, tags=["headline"])])
    assert [caption for caption, _ in executed.pictures(book)] == ["Fares", "Tips & <more>"]
    html = executed.render(book, [], "")
    assert 'alt="Fares"' in html
    assert 'alt="Tips &amp; &lt;more&gt;"' in html


def test_headline_pictures_are_those_of_tagged_cells_else_the_first():
    first, second = code("a", picture("Zmlyc3Q=")), code("b", picture("c2Vjb25k"))
    plain = nbformat.v4.new_notebook(cells=[text("## One"), first, text("## Two"), second])
    assert executed.pictures(plain) == [("One", "data:image/png;base64,Zmlyc3Q=")]
    second["metadata"]["tags"] = ["headline"]
    tagged = nbformat.v4.new_notebook(cells=[first, text("## Two"), second])
    assert executed.pictures(tagged) == [("Two", "data:image/png;base64,c2Vjb25k")]


def test_what_a_template_is_given_is_text_and_never_html():
    html = pages.render("base.html.j2", title="<b>t</b>", links=[("<i>x</i>", '"><script>')], note="<u>n</u>")
    assert "&lt;b&gt;t" in html
    for raw in ("<b>t", "<i>x", "<script>", "<u>n"):
        assert raw not in html


def test_nothing_of_the_style_is_wider_than_a_phone():
    style = str(pages.style())
    assert "minmax(min(22rem, 100%), 1fr)" in style  # of the gallery
    said = dict.fromkeys((".wide", ".graph", ".output_subarea", "pre"), "overflow-x: auto")
    said |= dict.fromkeys(("figure img", "figure svg", ".output_png img"), "max-width: 100%")
    for box, how in said.items():
        assert re.search(rf"(?m)(^|[,}}]) *{re.escape(box)}( *,[^{{}}]*)? *{{[^}}]*{how}[;}} ]", style), box
    html = pages.render(
        "run.html.j2",
        **dict.fromkeys(
            ("boxes", "cautions", "old", "failures", "pictures", "sources", "about_sources", "provenance"), ()
        ),
        run=RUN,
        heading="Tiny",
        graph="",
        parameters=[("p", "v", "f", "s")],
        written=[("f", "1 B", "01_a")],
        tracked=[("01_a", "0123abc")],
    )
    assert len(re.findall('<div class="wide[ a-z]*"><table', html)) == html.count("<table") == 3
    assert '<a href="http://127.0.0.1:5000/#/runs/0123abc">' in html


def test_the_drawing_leaves_out_lines_that_others_imply_and_links_to_what_is_done():
    steps = {
        "01_a": {"reads": [], "writes": ["x"]},
        "02_b": {"reads": ["x"], "writes": ["y"]},
        "03_c": {"reads": ["x", "y"], "writes": []},
    }
    done = DONE.__class__(**{**DONE.__dict__, "seconds": 1.25, "peak_memory_mb": 1234.5})
    failure = FailedStep("02_b", None, 3, "", "it broke")
    svg = drawing.draw(steps, {"01_a": Standing("done", done), "02_b": Standing("failed", failure=failure)})
    assert svg.count('fill="none"') == 2  # a to b, b to c; a to c goes without saying
    assert "1.2 s · 1,234 MB" in svg
    assert 'href="notebooks/01_a.html"' in svg
    assert 'href="notebooks/02_b.failed.html"' in svg
    assert "03_c.html" not in svg


def test_prose_that_changed_since_is_shown_and_marked_as_newer_than_the_figures():
    made = nbformat.v4.new_notebook(
        cells=[
            text("# Then"),
            code("x = 1", tags=["injected-parameters"]),
            code("x = 2", stream("two")),
            text("kept"),
        ]
    )
    source = copy.deepcopy(made)
    source.cells[0].source = "# Now"
    del source.cells[1]  # papermill put it in
    source.cells.insert(1, text("And more."))
    shown = nbformat.from_dict(prose.with_prose(made, source))
    assert [cell.source for cell in shown.cells] == ["# Now", "And more.", "x = 2", "kept"]
    assert [cell.metadata.get("tags") for cell in shown.cells] == [["newer"], ["newer"], [], None]
    html = executed.render(shown, [], "")
    assert html.count("celltag_newer") - html.count(".celltag_newer") == 2
    assert "two" in html


def test_the_parameters_that_papermill_put_in_stay_behind_their_cell():
    made = nbformat.v4.new_notebook(
        cells=[
            code("x = 1", tags=["parameters"]),
            code("x = 9", tags=["injected-parameters"]),
            text("so"),
            code("x"),
        ]
    )
    source = copy.deepcopy(made)
    del source.cells[1]
    source.cells[1].source = "thus"
    assert [cell.source for cell in nbformat.from_dict(prose.with_prose(made, source)).cells] == [
        "x = 1",
        "x = 9",
        "thus",
        "x",
    ]


def test_where_the_source_has_other_code_the_page_stays_as_it_was_executed():
    made = nbformat.v4.new_notebook(cells=[text("# Then"), code("x")])
    source = nbformat.v4.new_notebook(cells=[text("# Now"), code("x"), code("y")])
    assert nbformat.from_dict(prose.with_prose(made, source)) == made
