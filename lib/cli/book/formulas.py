"""A Sphinx extension: formulas as MathML, which browsers draw themselves; MathJax would be fetched."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def as_mathml(formula: str, block: bool = False) -> str:
    """A formula in LaTeX as MathML."""
    from docutils.utils.math.latex2mathml import tex2mathml

    return str(tex2mathml(formula, as_block=block))


def _inline(translator: Any, node: Any) -> None:
    from docutils import nodes

    translator.body.append(as_mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: Any) -> None:
    from docutils import nodes

    translator.body.append(f'<div class="math">{as_mathml(node.astext(), block=True)}</div>')
    raise nodes.SkipNode


def setup(app: "Sphinx") -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
