"""Blocks keep to Notion's sizes, and what is kept back is no difference when the page is read again."""

from __future__ import annotations

from typing import Any

import pytest

from worker.codecs.blocks import (
    LINK_LIMIT,
    PIECES,
    TEXT_LIMIT,
    encode_block,
    look_of,
    nested_look,
    read_nested,
    seen,
)
from worker.domain.document import Block, Bullet, Paragraph, Table

LONG, FITS = (
    "https://notion.so/" + "x" * LINK_LIMIT,
    "https://notion.so/".ljust(LINK_LIMIT, "x"),
)


def shown_again(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a block as Notion gives back what was sent."""
    body = raw[raw["type"]]
    texts = [
        body.get("rich_text") or [],
        *(
            cell
            for child in body.get("children", ())
            for cell in child[child["type"]].get("cells", ())
        ),
    ]
    for piece in (piece for text in texts for piece in text):
        piece |= {
            "plain_text": piece["text"]["content"],
            "href": piece["text"].get("link", {}).get("url"),
        }
    return raw


@pytest.mark.parametrize(("url", "kept"), [(LONG, None), (FITS, FITS)])
def test_a_link_that_notion_refuses_is_plain_text_and_no_difference_afterwards(
    url: str, kept: str | None
) -> None:
    line = f"before [the card]({url}), **after**"
    blocks: tuple[Block, ...] = (
        Paragraph(line),
        Bullet(line),
        Table(("A",), ((line,), (line,))),
    )
    for block in blocks:
        raw = shown_again(encode_block(block, {}))
        assert seen(raw) == look_of(block)
        payload = raw[raw["type"]]
        assert read_nested(raw["type"], payload.get("children", ())) == nested_look(
            block
        )
    pieces = encode_block(blocks[0], {})["paragraph"]["rich_text"]
    assert [
        piece["text"]["link"]["url"] for piece in pieces if "link" in piece["text"]
    ] == ([kept] if kept else [])
    assert (
        "".join(piece["text"]["content"] for piece in pieces)
        == "before the card, after"
    )


OVERFLOWING = {
    "emoji": "\U0001f642" * 2_500,
    "an emoji on the edge": "a" * (TEXT_LIMIT - 1) + "\U0001f642b",
    "a family on the edge": "a" * (TEXT_LIMIT - 3) + "\U0001f468\u200d\U0001f469" * 9,
    "flags": "\U0001f1f7\U0001f1fa" * 1_100,
    "more than all pieces hold": "x" * (TEXT_LIMIT * PIECES + 7),
    "more emoji than all pieces hold": "\U0001f642" * (TEXT_LIMIT * PIECES // 2 + 7),
    "more turns than pieces": "**bold** plain " * PIECES,
    "bold emoji": "**" + "\U0001f642" * 1_500 + "** and plain",
}


def units(text: str) -> int:
    """Return the length of a text as Notion counts it."""
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("text", OVERFLOWING.values(), ids=OVERFLOWING)
def test_a_text_is_parted_as_notion_counts_and_is_no_difference_afterwards(
    text: str,
) -> None:
    blocks: tuple[Block, ...] = (
        Paragraph(text),
        Bullet(text, (Bullet(text),)),
        Table(("A",), ((text,),)),
    )
    for block in blocks:
        raw = shown_again(encode_block(block, {}))
        pieces = raw[raw["type"]].get("rich_text", ())
        assert len(pieces) <= PIECES
        assert all(units(one["text"]["content"]) <= TEXT_LIMIT for one in pieces)
        assert seen(raw) == look_of(block)
