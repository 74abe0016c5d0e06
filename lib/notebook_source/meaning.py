"""What code means: text that is the same for two pieces of code with the same syntax tree.

Comments, blank lines, spelling and the docstrings of modules, classes and functions do not count. IPython's
magics and shell lines do, and so does the `;` that hides what a cell would show.
"""

import ast
import re

from lib.files import digest_of

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def parse(cell: str) -> ast.Module | None:
    """The syntax tree of a cell, its magics and shell lines kept as strings; None if it has no tree."""
    for text in (cell, _without_magics(cell)):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError):
            continue
    return None


def _without_magics(cell: str) -> str:
    if cell.lstrip().startswith("%%"):
        return f"__magic__({cell.strip()!r})"
    line = re.compile(r"^(\s*)((?:\w+\s*=\s*)?[%!].*|\?.*|.*\?)$", re.MULTILINE)
    return line.sub(lambda found: f"{found[1]}__magic__({found[2].rstrip()!r})", cell)


def meaning(cell: str) -> str:
    """The meaning of a cell; empty if it does nothing."""
    tree = parse(cell)
    if tree is None:
        return "\n".join(line.rstrip() for line in cell.strip().splitlines())
    hidden = ";" if re.search(r";\s*(#.*)?$", cell.rstrip()) else ""
    return "\n".join(ast.dump(_undocumented(node)) for node in tree.body) + hidden


def digest_module(data: bytes) -> str:
    """The digest of a module's meaning, from its bytes."""
    text = data.decode("utf-8", "replace")
    tree = parse(text)
    return digest_of((ast.dump(_undocumented(tree)) if tree else text).encode())


def _undocumented(tree: ast.AST) -> ast.AST:
    """The same tree without docstrings. That of a cell itself stays: it is what the cell shows."""
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return tree
