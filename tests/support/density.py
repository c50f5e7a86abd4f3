"""How dense code is: AST nodes that carry a line number, per line of code.

Docstrings and annotations do not count as nodes; blank lines, comments and docstrings do not count as lines.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

SKIPPED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def docstrings(tree: ast.AST) -> set[ast.AST]:
    """Return the statements that are docstrings: of modules, classes, functions, and after an assignment."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        found |= {
            one
            for one in body
            if isinstance(one, ast.Expr)
            and isinstance(one.value, ast.Constant)
            and isinstance(one.value.value, str)
        }
    return found


def count_nodes(tree: ast.AST) -> int:
    """Return the nodes with a line number, docstrings and annotations left out."""
    left_out = docstrings(tree)

    def walk(node: ast.AST) -> Iterator[ast.AST]:
        if node in left_out:
            return
        yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            children = value if isinstance(value, list) else [value]
            for child in children:
                if isinstance(child, ast.AST):
                    yield from walk(child)

    return sum(hasattr(node, "lineno") for node in walk(tree))


def count_lines(text: str, tree: ast.AST) -> int:
    """Return the lines that hold code."""
    prose = {
        line
        for node in docstrings(tree)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)  # type: ignore[attr-defined]
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SKIPPED:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - prose)


def density(paths: Iterable[Path]) -> tuple[int, int]:
    """Return (nodes, lines) of files together."""
    nodes = lines = 0
    for path in paths:
        text = path.read_text("utf-8")
        tree = ast.parse(text)
        nodes += count_nodes(tree)
        lines += count_lines(text, tree)
    return nodes, lines


def nested_conditionals(tree: ast.AST) -> Iterator[ast.IfExp]:
    """Yield conditional expressions that hold another one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp):
            inner = (node.test, node.body, node.orelse)
            if any(
                isinstance(one, ast.IfExp) for part in inner for one in ast.walk(part)
            ):
                yield node
