"""Page blocks between Notion's JSON and `worker.domain.document`: pure, both ways.

Sizes are Notion's (docs/facts/notion-api.md 2.9, 2.10): 2,000 characters in a piece of text or a link, 100 pieces, 100
children in a request. A picture is known by its file name, which holds the digest of what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, zip_longest
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from worker.codecs.records import OWN_KINDS
from worker.domain import charts
from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Divider,
    Heading,
    Mark,
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
CHILDREN = 100
ROWS = 99
UNITS = 100_000
"""Characters of one block: as many as half a request holds, of whatever script."""
MORE = "…"
_PAGE = re.compile(
    r"(?P<site>https://(?:www\.)?notion\.so/)(?:[^?#]*[/-])?(?P<id>[0-9a-f]{32})\Z"
)
_NAME = re.compile(r"rayline-([0-9a-f]{16})\.png$")


def picture_name(digest: str) -> str:
    """Return the file name of a picture, by which its block is recognised again."""
    return f"rayline-{digest}.png"


def fit(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks that each fit into one request, nothing left out: what is longer goes on in blocks that follow."""
    for block in blocks:
        match block:
            case Divider():
                yield block
            case Table():
                yield from _part_table(block)
            case Bullet():
                yield from _part_bullet(block)
            case Picture(_, caption):
                first, *others = _part(caption)
                yield replace(block, caption=first)
                yield from map(Paragraph, others)
            case Heading() | ToDo():
                # A second heading or box to tick would be one that nobody meant.
                first, *others = _part(block.text)
                yield replace(block, text=first)
                yield from map(Paragraph, others)
            case _:
                for text in _part(block.text):
                    yield replace(block, text=text)


def _part_bullet(bullet: Bullet) -> Iterator[Bullet]:
    """Yield a list item in as many as hold it; what hangs below it hangs below the last of its text."""
    *firsts, text = _part(bullet.text)
    yield from map(Bullet, firsts)

    children: list[Bullet] = []
    size = len(text)
    for child in bullet.children:
        for part in _part_bullet(child):
            length = len(part.text)
            if len(children) == CHILDREN or (children and size + length > UNITS):
                yield Bullet(text, tuple(children))
                text = MORE
                children = []
                size = 0
            children.append(part)
            size += length
    yield Bullet(text, tuple(children))


def _part_table(table: Table) -> Iterator[Table]:
    """Yield a table in as many as hold it, the header repeated; what does not fit into a cell goes on in the row below."""
    rows: list[tuple[str, ...]] = []
    size = 0
    for row in table.rows:
        for part in _part_row(row):
            length = sum(map(len, part))
            if len(rows) == ROWS or (rows and size + length > UNITS):
                yield Table(table.header, tuple(rows))
                rows = []
                size = 0
            rows.append(part)
            size += length
    if rows or not table.rows:
        yield Table(table.header, tuple(rows))


def _part_row(row: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    cells = [_part(cell) for cell in row]
    return zip_longest(*cells, fillvalue="")


def _part(text: str) -> list[str]:
    """Return inline Markdown in as many texts as hold it, one if it is short enough as it is."""
    parts: list[str] = []
    part: list[Run] = []
    size = 0
    for run in _all_pieces(text):
        if len(part) == PIECES or (part and size + len(run.text) > UNITS):
            parts.append(inline(_merge(part)))
            part = []
            size = 0
        part.append(run)
        size += len(run.text)
    if not parts:
        return [text]
    return [*parts, inline(_merge(part))]


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
    Mark: "paragraph",
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
        case Mark(text):
            return {"rich_text": rich_text(text), "color": "gray"}
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
    """Return inline Markdown in as many pieces as Notion can hold, with a sign where that is not all of it."""
    pieces = list(islice(_all_pieces(text), PIECES + 1))
    if len(pieces) <= PIECES:
        return pieces
    return [*pieces[: PIECES - 1], Run(MORE)]


def _all_pieces(text: str) -> Iterator[Run]:
    """Yield inline Markdown in pieces of the length that Notion takes."""
    whole = runs(clean(text))
    for run in _merge(_with_short_link(run) for run in whole):
        for piece in cut(run.text, TEXT_LIMIT):
            yield Run(piece, run.bold, run.url)


def _with_short_link(run: Run) -> Run:
    """Return a piece whose link Notion takes: a page's address holds its title, and leads there without; any other that is
    too long is shown instead."""
    if len(run.url) <= LINK_LIMIT:
        return run
    page = _PAGE.match(run.url)
    if page is not None:
        return Run(run.text, run.bold, f"{page['site']}{page['id']}")
    if run.text == run.url:
        return Run(run.text, run.bold)
    return Run(f"{run.text} ({run.url})", run.bold)


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
