"""A Sphinx extension: formulas as MathML, which browsers draw themselves; MathJax would be fetched."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


def as_mathml(formula: str, block: bool = False) -> str:
    """A formula in LaTeX as MathML."""
    from docutils.utils.math.latex2mathml import tex2mathml

    return str(tex2mathml(formula, as_block=block))


def _inline(translator: "HTML5Translator", node: "Node") -> None:
    from docutils import nodes

    translator.body.append(as_mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: "HTML5Translator", node: "Node") -> None:
    from docutils import nodes

    translator.body.append(f'<div class="math">{as_mathml(node.astext(), block=True)}</div>')
    raise nodes.SkipNode


def setup(app: "Sphinx") -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
