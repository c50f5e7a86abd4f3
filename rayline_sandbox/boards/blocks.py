"""Body blocks of a page as a tree a template can print; numbered lists are numbered and tables made whole here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from rayline_sandbox.boards.cells import Draughtsman
from rayline_sandbox.boards.reader import Reader, Unreadable
from rayline_sandbox.boards.texts import (
    Icon,
    Run,
    color_class,
    file_url,
    icon_of,
    safe_href,
)

Json = dict[str, Any]

DEPTH = 6
"""How deep nested blocks are followed."""
MEDIA = ("image", "video", "audio", "file", "pdf")
LINKS = ("bookmark", "embed", "link_preview")


@dataclass(frozen=True, slots=True)
class Block:
    """One printable block; `rows` only for tables, `href` for links and media, `number` for numbered lists."""

    kind: str
    id: str = ""
    runs: tuple[Run, ...] = ()
    css: str = ""
    checked: bool = False
    number: int = 0
    icon: Icon = field(default_factory=Icon)
    href: str = ""
    caption: tuple[Run, ...] = ()
    text: str = ""
    header_row: bool = False
    header_column: bool = False
    rows: tuple[tuple[tuple[Run, ...], ...], ...] = ()
    children: tuple[Block, ...] = ()


def read_blocks(
    reader: Reader, pen: Draughtsman, block_id: str, *, depth: int = DEPTH
) -> tuple[Block, ...]:
    """Return the blocks below a page or block; empty when they cannot be read."""
    try:
        raw = reader.children(block_id)
    except Unreadable:
        return ()
    return tuple(_numbered(_read(reader, pen, block, depth=depth) for block in raw))


def _numbered(blocks: Iterator[Block]) -> Iterator[Block]:
    number = 0
    for block in blocks:
        number = number + 1 if block.kind == "numbered_list_item" else 0
        yield replace(block, number=number)


def _read(reader: Reader, pen: Draughtsman, raw: Json, *, depth: int) -> Block:
    kind = raw.get("type", "unsupported")
    content = raw.get(kind) or {}
    block = _make(kind, raw, pen)
    if kind == "table":
        return replace(
            block,
            rows=_table_rows(reader, pen, raw["id"]),
            header_row=bool(content.get("has_column_header")),
            header_column=bool(content.get("has_row_header")),
        )
    follow = (
        raw.get("has_children")
        and depth > 0
        and kind not in ("child_page", "child_database")
    )
    return (
        replace(block, children=read_blocks(reader, pen, raw["id"], depth=depth - 1))
        if follow
        else block
    )


def _make(kind: str, raw: Json, pen: Draughtsman) -> Block:
    content = raw.get(kind) or {}
    common = {
        "kind": kind,
        "id": raw.get("id", ""),
        "runs": pen.runs(content.get("rich_text")),
        "css": color_class(content.get("color")),
    }
    match kind:
        case "to_do":
            return Block(**common, checked=bool(content.get("checked")))
        case "callout":
            return Block(**common, icon=icon_of(content.get("icon")))
        case "code":
            return Block(
                **common,
                text=content.get("language", ""),
                caption=pen.runs(content.get("caption")),
            )
        case "equation":
            return Block(**common, text=content.get("expression", ""))
        case "child_page" | "child_database":
            return Block(
                **common,
                text=content.get("title") or pen.words["untitled"],
                icon=_child_icon(kind, raw, pen),
                href=f"/{'p' if kind == 'child_page' else 'd'}/{raw['id']}",
            )
        case _ if kind in MEDIA:
            return Block(
                **common,
                href=file_url(content, pen.reader.origin),
                caption=pen.runs(content.get("caption")),
                text=content.get("name") or kind,
            )
        case _ if kind in LINKS:
            return Block(
                **common,
                href=safe_href(content.get("url")),
                text=str(content.get("url") or ""),
                caption=pen.runs(content.get("caption")),
            )
        case "link_to_page" if content.get("page_id"):
            return Block(
                **common,
                href=f"/p/{content['page_id']}",
                text=pen.title(content["page_id"])[0],
                icon=pen.title(content["page_id"])[1],
            )
        case _:
            return Block(**common)


def _child_icon(kind: str, raw: Json, pen: Draughtsman) -> Icon:
    if kind == "child_page":
        return pen.title(raw["id"])[1]
    try:
        return icon_of(pen.reader.database(raw["id"]).get("icon"))
    except Unreadable:
        return Icon()


def _table_rows(
    reader: Reader, pen: Draughtsman, block_id: str
) -> tuple[tuple[tuple[Run, ...], ...], ...]:
    try:
        raw = reader.children(block_id)
    except Unreadable:
        return ()
    return tuple(
        tuple(pen.runs(cell) for cell in (row.get("table_row") or {}).get("cells", ()))
        for row in raw
    )
