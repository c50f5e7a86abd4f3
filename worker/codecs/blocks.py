"""Page blocks between Notion's JSON and `worker.domain.document`: pure, both ways.

Sizes are Notion's (docs/facts/notion-api.md 2.9, 2.10): 2,000 characters in a piece of text or a link, 100 pieces, 100
children in a request. A picture is known by its file name, which holds the digest of what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

from worker.codecs.records import OWN_KINDS
from worker.domain import charts
from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Divider,
    Heading,
    Paragraph,
    Picture,
    Quote,
    Run,
    Table,
    ToDo,
    inline,
    runs,
    shown,
)
from worker.domain.text import clean, cut

Json = dict[str, Any]
TEXT_LIMIT = 2_000
LINK_LIMIT = 2_000
PIECES = 100
ROWS = 99
_NAME = re.compile(r"rayline-([0-9a-f]{16})\.png$")


def picture_name(digest: str) -> str:
    """Return the file name of a picture, by which its block is recognised again."""
    return f"rayline-{digest}.png"


def fit(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks that each fit into one request: long tables are parted, their header repeated."""
    for block in blocks:
        if isinstance(block, Table) and len(block.rows) > ROWS:
            for start in range(0, len(block.rows), ROWS):
                part = block.rows[start : start + ROWS]
                yield Table(block.header, part)
        else:
            yield block


def kind_of(block: Block) -> str:
    """Return Notion's name of a block's type."""
    match block:
        case Heading(_, level):
            return f"heading_{level}"
        case Picture():
            return "image"
        case _:
            return _KINDS[type(block)]


_KINDS: Mapping[type, str] = {
    Paragraph: "paragraph",
    Bullet: "bulleted_list_item",
    ToDo: "to_do",
    Quote: "quote",
    Callout: "callout",
    Divider: "divider",
    Table: "table",
}


def encode_block(block: Block, uploads: Mapping[str, str]) -> Json:
    """Return the request form of a block; `uploads` gives the file upload id of a picture's digest."""
    kind = kind_of(block)
    return {
        "object": "block",
        "type": kind,
        kind: _payload(block, uploads) | _children(block, uploads),
    }


def encode_update(block: Block, uploads: Mapping[str, str]) -> Json:
    """Return the body that turns a block of the same kind into this one; children cannot be changed so.

    Source: docs/facts/notion-api.md 3.14.
    """
    return {kind_of(block): _payload(block, uploads)}


def _payload(block: Block, uploads: Mapping[str, str]) -> Json:
    match block:
        case Divider():
            return {}
        case Table(header):
            return {
                "table_width": len(header),
                "has_column_header": True,
                "has_row_header": False,
            }
        case Picture(chart, caption):
            return {
                "caption": rich_text(caption),
                "type": "file_upload",
                "file_upload": {"id": uploads[charts.digest(chart)]},
            }
        case Callout(text, icon, color):
            return {
                "rich_text": rich_text(text),
                "icon": {"type": "emoji", "emoji": icon},
                "color": color,
            }
        case ToDo(text, checked):
            return {"rich_text": rich_text(text), "checked": checked}
        case _:
            return {"rich_text": rich_text(block.text)}


def _children(block: Block, uploads: Mapping[str, str]) -> Json:
    match block:
        case Table(header, rows):
            return {
                "children": [
                    {
                        "object": "block",
                        "type": "table_row",
                        "table_row": {"cells": [rich_text(cell) for cell in row]},
                    }
                    for row in (header, *rows)
                ]
            }
        case Bullet(_, children) if children:
            return {"children": [encode_block(child, uploads) for child in children]}
    return {}


def rich_text(text: str) -> list[Json]:
    """Return inline Markdown as Notion's pieces of text."""
    return [_piece(run) for run in _pieces(text)]


def _pieces(text: str) -> list[Run]:
    """Return inline Markdown in as many pieces as Notion can hold, the rest left out.

    A longer link (a page's address holds its title) is plain text.
    """
    kept = _merge(
        run if len(run.url) <= LINK_LIMIT else Run(run.text, run.bold)
        for run in runs(clean(text))
    )
    pieces = (
        Run(piece, run.bold, run.url)
        for run in kept
        for piece in cut(run.text, TEXT_LIMIT)
    )
    return list(islice(pieces, PIECES))


def _runs(text: str) -> tuple[Run, ...]:
    """Return what a reader sees of inline Markdown once Notion holds it."""
    return tuple(_merge(_pieces(text)))


def _piece(run: Run) -> Json:
    piece: Json = {"type": "text", "text": {"content": run.text}}
    if run.url:
        piece["text"]["link"] = {"url": run.url}
    if run.bold:
        piece["annotations"] = {"bold": True}
    return piece


def look_of(block: Block) -> str:
    """Return what a reader sees of a block, its children left out: how a block in Notion is compared with ours."""
    match block:
        case Divider() | Table():
            return ""
        case Picture(chart, caption):
            return f"{charts.digest(chart)}|{shown(caption)}"
        case ToDo(text, checked):
            return f"{checked}|{inline(_runs(text))}"
        case Callout(text, icon, color):
            return f"{icon}|{color}|{inline(_runs(text))}"
        case _:
            return inline(_runs(block.text))


def seen(raw: Json) -> str:
    """Return the same of a block as Notion shows it; of one the worker never makes, something only it has."""
    kind = raw.get("type")
    if kind not in OWN_KINDS:
        return f"{kind}:{raw.get('id')}"
    payload = _content(raw)
    text = _read_text(payload.get("rich_text"))
    match kind:
        case "divider" | "table":
            return ""
        case "image":
            caption = _read_text(payload.get("caption"))
            return f"{_picture(payload)}|{shown(caption)}"
        case "to_do":
            checked = bool(payload.get("checked"))
            return f"{checked}|{text}"
        case "callout":
            icon = payload.get("icon") or {}
            color = payload.get("color")
            return f"{icon.get('emoji', '')}|{color}|{text}"
    return text


def _content(raw: Json) -> Json:
    """Return what a block holds under its type."""
    kind = raw.get("type", "")
    return raw.get(kind) or {}


def _picture(payload: Json) -> str:
    file = payload.get("file") or payload.get("external") or {}
    address = urlsplit(str(file.get("url", "")))
    found = _NAME.search(unquote(address.path))
    return found[1] if found else ""


def text_of(raw: Json) -> str:
    """Return the plain text of a block as Notion shows it."""
    payload = _content(raw)
    pieces = payload.get("rich_text") or ()
    text = "".join(str(piece.get("plain_text", "")) for piece in pieces)
    return clean(text)


def _read_text(pieces: Any) -> str:
    unmerged = [
        Run(
            clean(str(piece.get("plain_text", ""))),
            bool((piece.get("annotations") or {}).get("bold")),
            str(piece.get("href") or ""),
        )
        for piece in pieces or ()
        if isinstance(piece, dict)
    ]
    return inline(_merge(unmerged))


def _merge(found: Iterable[Run]) -> Iterator[Run]:
    last: Run | None = None
    for run in found:
        if last is not None and (last.bold, last.url) == (run.bold, run.url):
            last = Run(last.text + run.text, run.bold, run.url)
            continue
        if last is not None:
            yield last
        last = run
    if last is not None:
        yield last


def read_nested(kind: str, children: Iterable[Json]) -> str:
    """Return what a reader sees below a table or a list item, as `nested_look` gives it for a block of ours."""
    if kind == "table":
        return "\n".join(
            "¦".join(
                _read_text(cell)
                for cell in (row.get("table_row") or {}).get("cells", ())
            )
            for row in children
        )
    return "\n".join(seen(child) for child in children)


def nested_look(block: Block) -> str:
    """Return what a reader sees below a block of ours."""
    match block:
        case Table(header, rows):
            return "\n".join(
                "¦".join(inline(_runs(cell)) for cell in row) for row in (header, *rows)
            )
        case Bullet(_, children):
            return "\n".join(look_of(child) for child in children)
    return ""
