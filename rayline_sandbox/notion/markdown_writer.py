"""Blocks to enhanced markdown: one line a block, children one tab deeper; the mirror of `markdown_reader`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from rayline_sandbox.notion.markdown_text import (
    color_to_markdown,
    escape,
    markdown_from_rich_text,
    plain_text,
)
from rayline_sandbox.notion.richtext import page_url

Block = dict[str, Any]

_AMBIGUOUS = re.compile(r"(#{1,6}|[-+>=]|\d{1,9}[.)])(?=\s|$)|>|-{3,}|_{3,}")
_LISTED = {"bulleted_list_item": "- ", "quote": "> ", "paragraph": ""}
_UNWRITABLE = (
    "bookmark",
    "embed",
    "link_preview",
    "unsupported",
    "breadcrumb",
    "template",
    "link_to_page",
    "meeting_notes",
    "transcription",
)


def markdown_from_blocks(blocks: Sequence[Block]) -> str:
    """Return enhanced markdown for a tree of blocks, answered or as input.

    Children stand under `block[type]["children"]` or `block["children"]`.
    """
    return "\n".join(_lines(blocks))


def unknown_block_ids(blocks: Sequence[Block]) -> list[str]:
    """Return the ids of blocks the dialect has no words for (docs/facts/notion-api.md 3.15)."""
    own = []
    below = []
    for block in blocks:
        if block["type"] in _UNWRITABLE:
            own.append(str(block.get("id", "")))
        below += unknown_block_ids(children_of(block))
    return own + below


def children_of(block: Block) -> list[Block]:
    """Return the children of a block wherever they stand."""
    payload = block[block["type"]]
    found = block.get("children") or payload.get("children") or []
    return list(found)


def _lines(blocks: Sequence[Block]) -> list[str]:
    out: list[str] = []
    number = 0
    for block in blocks:
        number = number + 1 if block["type"] == "numbered_list_item" else 0
        out.extend(_block_lines(block, number))
    return out


def _block_lines(block: Block, number: int) -> list[str]:
    kind = block["type"]
    content = block[kind]
    writer = _WRITERS.get(kind)
    if writer is not None:
        return writer(block)
    if (
        kind in _LISTED
        or kind in ("numbered_list_item", "to_do")
        or kind.startswith("heading_")
    ):
        return [
            _headline(kind, content, number),
            *_indented(_lines(children_of(block))),
        ]
    return [_unknown(block)]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"\t{line}" for line in lines]


def _headline(kind: str, content: Block, number: int) -> str:
    text = markdown_from_rich_text(content.get("rich_text", []))
    if kind == "paragraph":
        if text:
            return f"{_unambiguous(text)}{_suffix(content)}"
        return "<empty-block/>"
    prefix = _prefix(kind, content, number)
    line = prefix + text + _suffix(content)
    return line.rstrip()


def _prefix(kind: str, content: Block, number: int) -> str:
    match kind:
        case "numbered_list_item":
            return f"{number}. "
        case "to_do":
            return "- [x] " if content.get("checked") else "- [ ] "
        case _ if kind.startswith("heading_"):
            return f"{'#' * int(kind[-1])} "
        case _:
            return _LISTED[kind]


def _unambiguous(text: str) -> str:
    """Return a paragraph's text so that its beginning reads as no other block."""
    match = _AMBIGUOUS.match(text)
    if match is None:
        return text
    if not text[0].isdigit():
        return f"\\{text}"
    # The sign behind the number makes it a list.
    sign = match.end() - 1
    return text[:sign] + "\\" + text[sign:]


def _suffix(content: Block) -> str:
    color = content.get("color") or "default"
    pairs = []
    if content.get("is_toggleable"):
        pairs.append('toggle="true"')
    if color != "default":
        pairs.append(f'color="{color_to_markdown(color)}"')
    if pairs:
        return f" {{{' '.join(pairs)}}}"
    return ""


def _code(block: Block) -> list[str]:
    content = block["code"]
    body = plain_text(content.get("rich_text", []))
    runs = re.findall(r"`{3,}", body)
    longest = max(map(len, runs), default=2)
    fence = "`" * (longest + 1)
    language = content.get("language") or "plain text"
    return [fence + language, *body.split("\n"), fence]


def _equation(block: Block) -> list[str]:
    expression = str(block["equation"]["expression"])
    return ["$$", *expression.split("\n"), "$$"]


def _toggle(block: Block) -> list[str]:
    content = block["toggle"]
    summary = markdown_from_rich_text(content.get("rich_text", []))
    children = _indented(_lines(children_of(block)))
    return [
        f"<details{_attributes(content)}>",
        f"<summary>{summary}</summary>",
        *children,
        "</details>",
    ]


def _callout(block: Block) -> list[str]:
    content = block["callout"]
    icon = content.get("icon") or {}
    external = icon.get("external") or {}
    sign = icon.get("emoji") or external.get("url") or ""
    marked = f' icon="{sign}"' if sign else ""
    text = markdown_from_rich_text(content.get("rich_text", []))
    first = _unambiguous(text) if text else "<empty-block/>"
    children = _lines(children_of(block))
    return [
        f"<callout{marked}{_attributes(content)}>",
        *_indented([first, *children]),
        "</callout>",
    ]


def _attributes(content: Block) -> str:
    color = content.get("color") or "default"
    if color != "default":
        return f' color="{color_to_markdown(color)}"'
    return ""


def _table(block: Block) -> list[str]:
    content = block["table"]
    flags = (
        ("header-row", content.get("has_column_header")),
        ("header-column", content.get("has_row_header")),
    )
    given = "".join(f' {name}="true"' for name, on in flags if on)
    rows = [line for row in children_of(block) for line in _row(row)]
    return [f"<table{given}>", *rows, "</table>"]


def _row(block: Block) -> list[str]:
    cells = [
        f"<td>{markdown_from_rich_text(cell)}</td>"
        for cell in block["table_row"]["cells"]
    ]
    return ["<tr>", *cells, "</tr>"]


def _columns(block: Block) -> list[str]:
    columns = [
        line
        for child in children_of(block)
        for line in ("<column>", *_indented(_lines(children_of(child))), "</column>")
    ]
    return ["<columns>", *_indented(columns), "</columns>"]


def _image(block: Block) -> list[str]:
    content = block["image"]
    caption = markdown_from_rich_text(content.get("caption", []))
    return [f"![{caption}]({_url(content)})"]


def _media(block: Block) -> list[str]:
    kind = block["type"]
    content = block[kind]
    caption = markdown_from_rich_text(content.get("caption", []))
    return [f'<{kind} src="{_url(content)}">{caption}</{kind}>']


def _url(content: Block) -> str:
    kind = content.get("type", "external")
    source = content.get(kind) or content.get("external") or {}
    if source.get("url"):
        return str(source["url"])
    upload_id = source.get("id", "")
    return f"file-upload://{upload_id}"


def _child(block: Block) -> list[str]:
    kind = block["type"]
    tag = kind.removeprefix("child_")
    url = page_url(str(block.get("id", "")))
    title = escape(block[kind].get("title", ""))
    return [f'<{tag} url="{url}">{title}</{tag}>']


def _unknown(block: Block) -> str:
    kind = block["type"]
    content = block.get(kind) or {}
    url = content.get("url") or page_url(str(block.get("id", "")))
    return f'<unknown url="{url}" alt="{kind}"/>'


_WRITERS: dict[str, Callable[[Block], list[str]]] = {
    "code": _code,
    "equation": _equation,
    "toggle": _toggle,
    "callout": _callout,
    "table": _table,
    "table_row": _row,
    "column_list": _columns,
    "image": _image,
    "file": _media,
    "video": _media,
    "audio": _media,
    "pdf": _media,
    "child_page": _child,
    "child_database": _child,
    "divider": lambda block: ["---"],
    "table_of_contents": lambda block: [
        f"<table_of_contents{_attributes(block['table_of_contents'])}/>"
    ],
    "synced_block": lambda block: _lines(children_of(block)),
}
