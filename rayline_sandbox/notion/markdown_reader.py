"""Enhanced markdown to blocks, as API input: the block half of the dialect, read line by line.

The dialect is line based (one line, one block; children are indented), which CommonMark's block rules are not, so
markdown-it reads only the inlines (`markdown_text`). Nesting by two or more spaces is accepted beside tabs, and pipe
tables beside `<table>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rayline_sandbox.notion.block_types import CODE_LANGUAGES
from rayline_sandbox.notion.markdown_text import (
    attributes,
    color_from_markdown,
    id_in,
    plain_items,
    rich_text_from_markdown,
)

Block = dict[str, Any]

TAB = 4
NESTED = 2
"""Columns that make a line a child of the line above."""

LANGUAGES = {
    "": "plain text",
    "text": "plain text",
    "txt": "plain text",
    "plain": "plain text",
    "py": "python",
    "js": "javascript",
    "ts": "typescript",
    "sh": "shell",
    "yml": "yaml",
    "md": "markdown",
    "rb": "ruby",
}
MEDIA = ("file", "video", "audio", "pdf")

_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_BULLET = re.compile(r"[-*+](?:\s+(.*)|$)")
_NUMBER = re.compile(r"\d{1,9}[.)](?:\s+(.*)|$)")
_TO_DO = re.compile(r"[-*+]\s+\[([ xX])\](?:\s+(.*)|$)")
_QUOTE = re.compile(r">\s?(.*)")
_RULE = re.compile(r"(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,}")
_FENCE = re.compile(r"(`{3,}|~{3,})\s*([^`]*)")
_IMAGE = re.compile(r"!\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)")
_COLOR = re.compile(r"\s*\{((?:[\w-]+=\"[^\"]*\"\s*)+)\}\s*$")
_OPEN_TAG = re.compile(r"<([\w-]+)((?:\s+[\w-]+=\"[^\"]*\")*)\s*>(.*)")
_VOID_TAG = re.compile(r"<([\w-]+)((?:\s+[\w-]+=\"[^\"]*\")*)\s*/>")
_PIPE_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)
_ROW = re.compile(r"<tr[^>]*>(.*?)</tr>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the columns it is indented by, and what stands there."""

    indent: int
    text: str
    raw: str


def _line(raw: str) -> Line:
    expanded = raw.expandtabs(TAB)
    text = expanded.lstrip()
    return Line(len(expanded) - len(text), raw.strip(), raw)


def blocks_from_markdown(text: str) -> list[Block]:
    """Return block dicts as API input; references to existing child pages and databases are left out."""
    return [
        block
        for block in read_markdown(text)
        if block["type"] not in ("child_page", "child_database")
    ]


def read_markdown(text: str) -> list[Block]:
    """Return block dicts as API input, with `{type: child_page|child_database, id}` for references to children."""
    normalised = text.replace("\r\n", "\n").replace("\r", "\n")
    return _Reader([_line(raw) for raw in normalised.split("\n")]).blocks(0)


class _Reader:
    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self._at = 0

    def blocks(self, indent: int, until: str = "") -> list[Block]:
        """Read blocks indented by at least `indent`, up to the closing tag `until`, which is consumed."""
        blocks: list[Block] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if until and line.text.startswith(until):
                self._at += 1
                break
            if line.text and line.indent < indent and not until:
                break
            blocks.extend(self._block(line) if line.text else self._skip())
        return blocks

    def _skip(self) -> list[Block]:
        self._at += 1
        return []

    def _block(self, line: Line) -> list[Block]:
        for pattern, read in _MULTILINE:
            match = pattern.fullmatch(line.text)
            if match is not None:
                block = read(self, line, match)
                if block is not None:
                    return [block]
        self._at += 1
        block = _single(line.text)
        if block["type"] in _PARENTS or block.get("heading_toggle"):
            _adopt(block, self.blocks(line.indent + NESTED))
        block.pop("heading_toggle", None)
        return [block]

    def fence(self, line: Line, match: re.Match[str]) -> Block | None:
        """Read a fenced code block; a missing end closes it at the end of the text."""
        self._at += 1
        body: list[str] = []
        while self._at < len(self._lines):
            current = self._lines[self._at]
            self._at += 1
            if current.text.startswith(match[1]) and not current.text.strip(
                match[1][0]
            ):
                break
            body.append(_outdented(current.raw, line.indent))
        return _make(
            "code",
            rich_text=plain_items("\n".join(body)),
            language=_language(match[2].strip().lower()),
        )

    def equation(self, line: Line, match: re.Match[str]) -> Block | None:
        """Read a block equation between two `$$`."""
        if len(line.text) > 4 and line.text.endswith("$$"):
            self._at += 1
            return _make("equation", expression=line.text[2:-2].strip())
        self._at += 1
        body = [match[1]] if match[1] else []
        while self._at < len(self._lines) and self._lines[self._at].text != "$$":
            body.append(self._lines[self._at].text)
            self._at += 1
        self._at += 1
        return _make("equation", expression="\n".join(body))

    def pipes(self, line: Line, match: re.Match[str]) -> Block | None:
        """Read a pipe table if the second line is its rule."""
        rows: list[list[str]] = []
        end = self._at
        while end < len(self._lines) and self._lines[end].text.startswith("|"):
            rows.append(_pipe_cells(self._lines[end].text))
            end += 1
        if len(rows) < 2 or not _PIPE_RULE.fullmatch(self._lines[self._at + 1].text):
            return None
        self._at = end
        return _table([rows[0], *rows[2:]], header_row=True, header_column=False)

    def table(self, line: Line, match: re.Match[str]) -> Block | None:
        """Read a `<table>`."""
        text = self._upto("</table>")
        given = attributes(match[1])
        rows = [
            [cell.strip() for cell in _CELL.findall(row)] for row in _ROW.findall(text)
        ]
        return _table(
            rows,
            header_row=given.get("header-row") == "true",
            header_column=given.get("header-column") == "true",
        )

    def container(self, line: Line, match: re.Match[str]) -> Block | None:
        """Read `<details>`, `<callout>`, `<columns>`, `<column>`: a tag whose content is blocks."""
        tag = match[1]
        given = attributes(match[2])
        rest = match[3]
        make = _CONTAINERS.get(tag)
        if make is None:
            return None
        end = f"</{tag}>"
        self._at += 1
        if rest.rstrip().endswith(end):
            return make(
                given, _Reader([_line(rest.rstrip().removesuffix(end))]).blocks(0)
            )
        if rest:
            self._at -= 1
            self._lines[self._at] = _line(rest)
        return make(given, self.blocks(0, end))

    def _upto(self, end: str) -> str:
        taken: list[str] = []
        while self._at < len(self._lines):
            taken.append(self._lines[self._at].text)
            self._at += 1
            if end in taken[-1]:
                break
        return "\n".join(taken)


def _outdented(raw: str, indent: int) -> str:
    columns = 0
    at = 0
    while at < len(raw) and columns < indent and raw[at] in " \t":
        columns += TAB if raw[at] == "\t" else 1
        at += 1
    return raw[at:]


def _pipe_cells(text: str) -> list[str]:
    inner = text.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _make(kind: str, **content: Any) -> Block:
    return {"object": "block", "type": kind, kind: content}


def _adopt(block: Block, children: list[Block]) -> None:
    if children:
        block[block["type"]]["children"] = children


def _table(rows: list[list[str]], *, header_row: bool, header_column: bool) -> Block:
    width = max((len(row) for row in rows), default=1)
    padded = [row + [""] * (width - len(row)) for row in rows]
    children = [
        _make("table_row", cells=[rich_text_from_markdown(cell) for cell in row])
        for row in padded
    ]
    return _make(
        "table",
        table_width=width,
        has_column_header=header_row,
        has_row_header=header_column,
        children=children,
    )


def _details(given: Mapping[str, str], children: list[Block]) -> Block:
    summary = next((block for block in children if block["type"] == "summary"), None)
    rest = [block for block in children if block is not summary]
    text = summary["summary"]["rich_text"] if summary else []
    block = _make("toggle", rich_text=text, **_colored(given))
    _adopt(block, rest)
    return block


def _callout(given: Mapping[str, str], children: list[Block]) -> Block:
    first = children[0] if children and children[0]["type"] == "paragraph" else None
    text = first["paragraph"]["rich_text"] if first else []
    inner = first["paragraph"].get("children", []) if first else []
    icon = given.get("icon")
    block = _make(
        "callout",
        rich_text=text,
        **_colored(given),
        **({"icon": _icon(icon)} if icon else {}),
    )
    _adopt(block, [*inner, *children[1 if first else 0 :]])
    return block


def _language(given: str) -> str:
    """Return the language of a fence as Notion calls it, plain text when it knows none of that name."""
    first = given.split(" ")[0]
    return next(
        (one for one in (given, LANGUAGES.get(first, first)) if one in CODE_LANGUAGES),
        "plain text",
    )


def _icon(icon: str) -> dict[str, Any]:
    if icon.startswith("http"):
        return {"type": "external", "external": {"url": icon}}
    return {"type": "emoji", "emoji": icon}


def _columns(given: Mapping[str, str], children: list[Block]) -> Block:
    return _make(
        "column_list",
        children=[child for child in children if child["type"] == "column"],
    )


def _column(given: Mapping[str, str], children: list[Block]) -> Block:
    return _make("column", children=children)


def _colored(given: Mapping[str, str]) -> dict[str, str]:
    if given.get("color"):
        return {"color": color_from_markdown(given["color"])}
    return {}


def _suffixed(text: str) -> tuple[str, dict[str, str]]:
    match = _COLOR.search(text)
    if match:
        return (text[: match.start()], attributes(match[1]))
    return (text, {})


def _textual(kind: str, text: str, **content: Any) -> Block:
    bare, given = _suffixed(text)
    return _make(
        kind, rich_text=rich_text_from_markdown(bare), **content, **_colored(given)
    )


def _heading(marks: str, text: str) -> Block:
    bare, given = _suffixed(text)
    toggles = {"is_toggleable": True} if given.get("toggle") == "true" else {}
    block = _make(
        f"heading_{min(len(marks), 4)}",
        rich_text=rich_text_from_markdown(bare),
        **toggles,
        **_colored(given),
    )
    return {**block, "heading_toggle": True} if toggles else block


def _media(kind: str, caption: str, url: str) -> Block:
    return _make(
        kind,
        type="external",
        external={"url": url},
        caption=rich_text_from_markdown(caption),
    )


def _tagged(text: str) -> Block | None:
    void = _VOID_TAG.fullmatch(text)
    if void is not None:
        if void[1] in _VOIDS:
            return _VOIDS[void[1]](attributes(void[2]))
        return None
    match = re.fullmatch(r"<([\w-]+)((?:\s+[\w-]+=\"[^\"]*\")*)\s*>(.*)</\1>", text)
    if match is None:
        return None
    tag = match[1]
    given = attributes(match[2])
    inner = match[3]
    if tag in MEDIA:
        return _media(tag, inner, given.get("src", given.get("source", "")))
    if tag in ("page", "database"):
        return {
            "object": "block",
            "type": f"child_{tag}",
            "id": id_in(given.get("url", "")),
            f"child_{tag}": {},
        }
    return (
        _make("summary", rich_text=rich_text_from_markdown(inner))
        if tag == "summary"
        else None
    )


_VOIDS: dict[str, Callable[[dict[str, str]], Block]] = {
    "empty-block": lambda given: _make("paragraph", rich_text=[]),
    "table_of_contents": lambda given: _make("table_of_contents", **_colored(given)),
    "unknown": lambda given: _make(
        "embed" if given.get("alt") == "embed" else "bookmark", url=given.get("url", "")
    ),
}
_CONTAINERS: dict[str, Callable[[Mapping[str, str], list[Block]], Block]] = {
    "details": _details,
    "callout": _callout,
    "columns": _columns,
    "column": _column,
}
_PARENTS = ("paragraph", "bulleted_list_item", "numbered_list_item", "to_do", "quote")
_MULTILINE: tuple[
    tuple[re.Pattern[str], Callable[[_Reader, Line, re.Match[str]], Block | None]], ...
] = (
    (_FENCE, _Reader.fence),
    (re.compile(r"\$\$(.*)"), _Reader.equation),
    (re.compile(r"\|.*"), _Reader.pipes),
    (re.compile(r"<table((?:\s+[\w-]+=\"[^\"]*\")*)\s*>.*"), _Reader.table),
    (_OPEN_TAG, _Reader.container),
)
_SINGLE: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Block]], ...] = (
    (_RULE, lambda match: _make("divider")),
    (_HEADING, lambda match: _heading(match[1], match[2])),
    (_TO_DO, lambda match: _textual("to_do", match[2] or "", checked=match[1] in "xX")),
    (_BULLET, lambda match: _textual("bulleted_list_item", match[1] or "")),
    (_NUMBER, lambda match: _textual("numbered_list_item", match[1] or "")),
    (_QUOTE, lambda match: _textual("quote", match[1])),
    (_IMAGE, lambda match: _media("image", match[1], match[2])),
)


def _single(text: str) -> Block:
    for pattern, make in _SINGLE:
        match = pattern.fullmatch(text)
        if match is not None:
            return make(match)
    return _tagged(text) or _textual("paragraph", text)
