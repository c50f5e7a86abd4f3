"""What the documents hold, read as Markdown: headings, links, pictures and code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        ROOT / "rayline_sandbox/README.md",
    ]
)
MARKDOWN = MarkdownIt("commonmark").enable("table")
UNSAID = re.compile(r"[^\w\- ]")


class Found(NamedTuple):
    """Something a document holds: its text, the line of the block it stands in, and a block's kind (`sh`, `toml`)."""

    text: str
    line: int
    kind: str = ""


def links(text: str) -> Iterator[Found]:
    """Yield where links and pictures lead."""
    for token, line in _inline(text):
        target = token.attrs.get("href") or token.attrs.get("src")
        if target is not None:
            yield Found(str(target), line)


def code(text: str) -> Iterator[Found]:
    """Yield blocks of code, and code within sentences without a kind of its own."""
    for token in MARKDOWN.parse(text):
        if token.type == "fence" and token.map:
            yield Found(token.content, token.map[0] + 1, token.info or "text")
    for token, line in _inline(text):
        if token.type == "code_inline":
            yield Found(token.content, line)


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the names that hosts of code, and the site, give to a document's headings."""
    tokens = MARKDOWN.parse(path.read_text("utf-8"))
    titles = [
        _plain(inline)
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open"
    ]
    seen: Counter[str] = Counter()
    names = set()
    for title in titles:
        slug = UNSAID.sub("", title.lower()).replace(" ", "-")
        names.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(names)


def _plain(inline: Token) -> str:
    return "".join(
        one.content
        for one in inline.children or ()
        if one.type in ("text", "code_inline")
    )


def _inline(text: str) -> Iterator[tuple[Token, int]]:
    for block in MARKDOWN.parse(text):
        for token in block.children or ():
            yield token, (block.map[0] + 1 if block.map else 0)
