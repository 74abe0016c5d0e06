"""A page around a body: the shared style inside, no address outside, everything escaped by Jinja2."""

import functools
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from lib.records import RunRecord
from lib.runner.staleness import Place

_TEMPLATES = Path(__file__).with_name("templates")
#: The links above a page, text and address; the page itself has no address.
Links = Sequence[tuple[str, str]]


@functools.cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_TEMPLATES)
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


@functools.cache
def style() -> Markup:
    """The style sheet of all pages, the colours of code among it."""
    from pygments.formatters import HtmlFormatter

    colours = HtmlFormatter(style="friendly").get_style_defs(".highlight")
    return Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8") + colours)  # noqa: S704 - our own file


def render(template: str, *, title: str = "", links: Links = (), note: str = "", **values: object) -> str:
    """A template with its values; text is escaped, what is `Markup` already is not."""
    given = {"contents": (), "body": "", **values}
    page = _environment().get_template(template)
    return page.render(title=title, links=links, note=note, style=style(), **given)


def links(folder: Path, below: str = "notebooks/") -> list[tuple[str, str]]:
    """The bar above the page: every notebook that has, or will have, one of its own, and where that lies."""
    bar, run = [("Run", "")], RunRecord.read(folder / "run.json")
    for name in run.graph if run else ():
        failed = Place(folder, name).failed.exists() and not Place(folder, name).record.exists()
        if failed:
            bar.append((f"{name} (failed)", f"{below}{name}.failed.html"))
        elif Place(folder, name).record.exists():
            bar.append((name, f"{below}{name}.html"))
    return bar
