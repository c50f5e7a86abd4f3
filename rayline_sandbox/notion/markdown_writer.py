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
    own = [str(block.get("id", "")) for block in blocks if block["type"] in _UNWRITABLE]
    return own + [
        found for block in blocks for found in unknown_block_ids(children_of(block))
    ]


def children_of(block: Block) -> list[Block]:
    """Return the children of a block wherever they stand."""
    found = block.get("children") or block[block["type"]].get("children") or []
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
        return f"{_unambiguous(text)}{_suffix(content)}" if text else "<empty-block/>"
    return f"{_prefix(kind, content, number)}{text}{_suffix(content)}".rstrip()


def _prefix(kind: str, content: Block, number: int) -> str:
    match kind:
        case "numbered_list_item":
            return f"{number}. "
        case "to_do":
            return f"- [{'x' if content.get('checked') else ' '}] "
        case _ if kind.startswith("heading_"):
            return f"{'#' * int(kind[-1])} "
        case _:
            return _LISTED[kind]


def _unambiguous(text: str) -> str:
    """Return a paragraph's text so that its beginning reads as no other block."""
    match = _AMBIGUOUS.match(text)
    if match is None:
        return text
    return (
        f"{match[0][:-1]}\\{text[len(match[0]) - 1 :]}"
        if text[0].isdigit()
        else f"\\{text}"
    )


def _suffix(content: Block) -> str:
    color = content.get("color") or "default"
    pairs = ['toggle="true"'] if content.get("is_toggleable") else []
    pairs += [f'color="{color_to_markdown(color)}"'] if color != "default" else []
    return f" {{{' '.join(pairs)}}}" if pairs else ""


def _code(block: Block) -> list[str]:
    content = block["code"]
    body = plain_text(content.get("rich_text", []))
    longest = max((len(run) for run in re.findall(r"`{3,}", body)), default=2)
    fence = "`" * (longest + 1)
    return [
        f"{fence}{content.get('language') or 'plain text'}",
        *body.split("\n"),
        fence,
    ]


def _equation(block: Block) -> list[str]:
    return ["$$", *str(block["equation"]["expression"]).split("\n"), "$$"]


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
    sign = icon.get("emoji") or (icon.get("external") or {}).get("url") or ""
    text = markdown_from_rich_text(content.get("rich_text", []))
    first = [_unambiguous(text)] if text else ["<empty-block/>"]
    marked = f' icon="{sign}"' if sign else ""
    return [
        f"<callout{marked}{_attributes(content)}>",
        *_indented([*first, *_lines(children_of(block))]),
        "</callout>",
    ]


def _attributes(content: Block) -> str:
    color = content.get("color") or "default"
    return f' color="{color_to_markdown(color)}"' if color != "default" else ""


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
    return [
        f"![{markdown_from_rich_text(content.get('caption', []))}]({_url(content)})"
    ]


def _media(block: Block) -> list[str]:
    kind = block["type"]
    caption = markdown_from_rich_text(block[kind].get("caption", []))
    return [f'<{kind} src="{_url(block[kind])}">{caption}</{kind}>']


def _url(content: Block) -> str:
    source = (
        content.get(content.get("type", "external")) or content.get("external") or {}
    )
    return str(source.get("url") or f"file-upload://{source.get('id', '')}")


def _child(block: Block) -> list[str]:
    kind = block["type"]
    tag = kind.removeprefix("child_")
    identifier = str(block.get("id", "")).replace("-", "")
    return [
        f'<{tag} url="https://app.notion.com/p/{identifier}">{escape(block[kind].get("title", ""))}</{tag}>'
    ]


def _unknown(block: Block) -> str:
    kind = block["type"]
    url = (block.get(kind) or {}).get(
        "url"
    ) or f"https://app.notion.com/p/{str(block.get('id', '')).replace('-', '')}"
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
