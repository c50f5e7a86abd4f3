"""What the docs name in the tree exists: files, folders, and the functions said to stand in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
)
NAMED = re.compile(
    r"`(?P<path>(?:worker|rayline_sandbox|rayline_demo|tests|docs|mappings|benchmarks|deploy)/[\w./-]*)"
    r"(?::(?P<name>[\w.]+))?`"
)


def names_of(path: Path) -> Iterator[str]:
    """Yield the functions, classes and tables of a module, methods as `Class.method`."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (ast.unparse(target) for target in targets)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield node.name
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{inner.name}"


def missing(text: str) -> list[str]:
    """Return what a text names and the tree does not hold."""
    found = []
    for one in NAMED.finditer(text):
        path = ROOT / one["path"]
        is_there = path.exists()
        if is_there and one["name"]:
            is_there = one["name"] in set(names_of(path))
        if not is_there:
            found.append(one[0])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_whatever_a_page_names_is_in_the_tree(page: Path) -> None:
    assert missing(page.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "`worker/no_such.py`",
        "`worker/plan/merge.py:no_such`",
        "`worker/http/retry.py:Policy.no_such`",
        "`worker/codecs/notion.py:NO_SUCH_TABLE`",
    ],
)
def test_what_is_not_there_is_found(text: str) -> None:
    assert len(missing(text)) == 1


def test_what_is_there_is_no_complaint() -> None:
    text = "`worker/plan/merge.py:decide`, `worker/codecs/notion.py:PROPERTY_TYPES`, `worker/pages/`"
    assert missing(text) == []
