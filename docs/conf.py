"""What Sphinx is told when `make book` has laid out the pages: it executes none and fetches nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

project = "The MLOps workbook"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "lib.cli.book.formulas",
    "lib.cli.book.prose",
    "lib.cli.book.terms",
]

nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js: dict[str, str] = {}
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"

html_theme = "furo"
html_title = project
html_math_renderer = "mathml"
html_static_path = ["book.css"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_show_search_summary = False  # it is fetched, which a page opened from the disk may not do
