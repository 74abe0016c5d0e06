"""An executed notebook as one HTML page that opens without the network: style inside, pictures inside.

Markdown by mistune, code by Pygments, both at once loaded; nbconvert takes 1.6 s to import and its pages
ask a CDN for MathJax and more. The run's first page stands in `lib.pipeline.index`.
"""

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mistune
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from lib.pipeline import project as files

_FORMATTER = HtmlFormatter(nowrap=True, style="friendly")
_ANSI = re.compile(r"\x1b\[([0-9;]*)m")
_OTHER_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]")
_COLOURS = {
    31: "#b42318",
    91: "#b42318",
    32: "#18794e",
    92: "#18794e",
    33: "#946800",
    34: "#0b68cb",
    36: "#0e7490",
}
STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8") + _FORMATTER.get_style_defs(".code")


class _Renderer(mistune.HTMLRenderer):
    """Markdown with highlighted code and headings that can be linked to."""

    def __init__(self) -> None:
        super().__init__(escape=False)
        self.headings: list[tuple[int, str, str]] = []

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        """A heading with an id."""
        name = f"h{len(self.headings) + 1}"
        self.headings.append((level, name, text))
        return f'<h{level} id="{name}">{text}</h{level}>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        """A fenced block, highlighted where its language is known."""
        return f'<pre class="code">{coloured(code.rstrip(), info or "text")}</pre>\n'


def coloured(code: str, language: str = "python") -> str:
    """Code as HTML."""
    try:
        return highlight(code, get_lexer_by_name(language.split()[0]), _FORMATTER)
    except ClassNotFound:
        return html.escape(code)


def render(notebook: Mapping[str, Any], links: Sequence[tuple[str, str]], note: str) -> str:
    """The page of a notebook; `links` (text, address) stand above it, `note` below its title."""
    renderer = _Renderer()
    markdown = mistune.create_markdown(
        renderer=renderer, plugins=["table", "strikethrough", "url", "footnotes"]
    )
    parts = [_cell(cell, markdown) for cell in notebook["cells"]]
    title = next((text for level, _, text in renderer.headings if level == 1), "Notebook")
    contents = "".join(
        f'<a href="#{name}">{text}</a>' for level, name, text in renderer.headings if level == 2
    )
    body = f"{''.join(parts)}"
    return document(re.sub(r"<[^>]+>", "", title), body, links, note, contents)


def document(
    title: str, body: str, links: Sequence[tuple[str, str]], note: str = "", contents: str = ""
) -> str:
    """A whole HTML document around `body`."""
    side = f"<nav class='contents'>{contents}</nav>" if contents else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><header>{bar(links)}<p>{note}</p></header>{side}<main>{body}</main></body></html>\n"
    )


def bar(links: Sequence[tuple[str, str]]) -> str:
    """The links above a page; the page itself has no address."""
    shown = [(html.escape(text), html.escape(address)) for text, address in links]
    return (
        "<nav>"
        + "".join(f'<a href="{to}">{text}</a>' if to else f"<b>{text}</b>" for text, to in shown)
        + "</nav>"
    )


def _cell(cell: Mapping[str, Any], markdown: Any) -> str:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    tags = cell.get("metadata", {}).get("tags", [])
    if cell["cell_type"] == "markdown":
        kind = "text failed" if "papermill-error-cell-tag" in tags else "text"
        return f'<section class="{kind}">{markdown(source)}</section>\n'
    if cell["cell_type"] != "code" or not source.strip():
        return ""
    label = {"injected-parameters": "given by this run", "parameters": "parameters and their defaults"}
    said = next((f'<span class="tag">{text}</span>' for tag, text in label.items() if tag in tags), "")
    number = f"<span class='number'>{cell.get('execution_count') or ' '}</span>"
    outputs = "".join(_output(output, markdown) for output in cell.get("outputs", []))
    shown = f'<div class="outputs">{outputs}</div>' if outputs else ""
    return (
        f'<section class="cell">{number}{said}<pre class="code">{coloured(source)}</pre>{shown}</section>\n'
    )


def _output(output: Mapping[str, Any], markdown: Any) -> str:
    kind = output["output_type"]
    if kind == "stream":
        return f'<pre class="{output["name"]}">{ansi(_joined(output["text"]))}</pre>'
    if kind == "error":
        trace = "\n".join(output.get("traceback") or [f"{output['ename']}: {output['evalue']}"])
        return f'<pre class="error">{ansi(trace)}</pre>'
    return _data(output.get("data", {}), markdown)


def _data(data: Mapping[str, Any], markdown: Any) -> str:
    """The richest form that needs no script from elsewhere."""
    if "text/html" in data:
        return f'<div class="html">{_joined(data["text/html"])}</div>'
    if "image/svg+xml" in data:
        return f"<figure>{_joined(data['image/svg+xml'])}</figure>"
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            content = _joined(data[kind]).replace("\n", "")
            words = html.escape(_joined(data.get("text/plain", "figure")), quote=True)
            return f'<figure><img alt="{words}" src="data:{kind};base64,{content}"></figure>'
    if "text/markdown" in data:
        return f'<div class="text">{markdown(_joined(data["text/markdown"]))}</div>'
    return f"<pre>{html.escape(_joined(data['text/plain']))}</pre>" if "text/plain" in data else ""


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def ansi(text: str) -> str:
    """Terminal colours as HTML; a line that a progress bar rewrote is shown as it ended."""
    text = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in _OTHER_ANSI.sub("", text).split("\n"))
    parts, last, opened = [], 0, False
    for found in _ANSI.finditer(text):
        parts.append(html.escape(text[last : found.start()]))
        parts.append("</span>" if opened else "")
        codes = [int(code) for code in found[1].split(";") if code]
        colour = next((_COLOURS[code] for code in codes if code in _COLOURS), None)
        parts.append(f'<span style="color:{colour}">' if colour else "")
        last, opened = found.end(), bool(colour)
    return "".join([*parts, html.escape(text[last:]), "</span>" if opened else ""])


def pictures(notebook: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The notebook's headline pictures as (heading, image): of cells tagged `headline`, else its first."""
    found, heading = [], ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            headings = re.findall(r"^#+\s+(.+)$", _joined(cell["source"]), re.MULTILINE)
            heading = headings[-1] if headings else heading
        tagged = "headline" in cell.get("metadata", {}).get("tags", [])
        for output in cell.get("outputs", []):
            content = output.get("data", {}).get("image/png")
            if content:
                found.append((tagged, heading, _joined(content).replace("\n", "")))
    chosen = [picture for picture in found if picture[0]] or found[:1]
    return [(heading, f"data:image/png;base64,{content}") for _, heading, content in chosen]


def write(path: Path, executed: Path, links: Sequence[tuple[str, str]], note: str) -> None:
    """Write the page of the notebook `executed` to `path`, whole or not at all."""
    files.write_text(path, render(files.read_json(executed), links, note))
