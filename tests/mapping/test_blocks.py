"""Blocks keep to Notion's sizes, and what is kept back is no difference when the page is read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from worker.codecs.blocks import (
    LINK_LIMIT,
    PIECES,
    TEXT_LIMIT,
    encode_block,
    fit,
    kind_of,
    look_of,
    nested_look,
    read_nested,
    rich_text,
    seen,
)
from worker.domain import charts
from worker.domain.charts import RiskMap
from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Heading,
    Paragraph,
    Picture,
    Quote,
    Table,
    ToDo,
    shown,
)

LONG, FITS = (
    "https://notion.so/".ljust(LINK_LIMIT + 1, "x"),
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


ID = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("url", "kept", "text"),
    [
        (LONG, None, f"before the card ({LONG}), after"),
        (FITS, FITS, "before the card, after"),
        (FITS[:-1], FITS[:-1], "before the card, after"),
        (
            f"https://www.notion.so/studio/{'long-title-' * 200}{ID}",
            f"https://www.notion.so/{ID}",
            "before the card, after",
        ),
        (
            f"https://notion.so/{'x' * LINK_LIMIT}-{ID}",
            f"https://notion.so/{ID}",
            "before the card, after",
        ),
    ],
    ids=["2001", "2000", "1999", "a page", "a page of the top"],
)
def test_a_link_that_notion_refuses_is_shortened_or_shown_and_no_difference_afterwards(
    url: str, kept: str | None, text: str
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
    assert "".join(piece["text"]["content"] for piece in pieces) == text


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


# Nothing is left out without a word


def turns(count: int) -> str:
    """Return a text of so many pieces, each seen."""
    pieces = (f"{number} " for number in range(count))
    return "".join(
        f"**{piece}**" if number % 2 else piece for number, piece in enumerate(pieces)
    )


TEXTS = {
    "99 pieces": (turns(99), 1),
    "100 pieces": (turns(100), 1),
    "101 pieces": (turns(101), 2),
    "350 pieces": (turns(350), 4),
    "1999 characters": ("x" * 1_999, 1),
    "2001 characters": ("x" * 2_001, 1),
    "as many as a block holds": ("x" * 100_000, 1),
    "one more": ("x" * 100_001, 2),
    "emoji": ("\U0001f642" * 120_000, 2),
    "Cyrillic": ("\u043f\u043b\u0430\u043d " * 41_000, 3),
    "links": (" ".join(f"[{n}](https://example.com/{n})" for n in range(120)), 3),
}
CHART = RiskMap("Risks", (), "probability", "impact")
HOLDERS: dict[str, Callable[[str], Block]] = {
    "paragraph": Paragraph,
    "quote": Quote,
    "callout": Callout,
    "bullet": Bullet,
    "heading": Heading,
    "to do": ToDo,
    "picture": lambda text: Picture(CHART, text),
    "cell": lambda text: Table(("A",), (("a",), (text,), ("c",))),
    "child": lambda text: Bullet("top", (Bullet("before"), Bullet(text))),
}


def texts(block: Block) -> Iterator[str]:
    """Yield what a reader sees of a block as it is sent."""
    match block:
        case Table(_, rows):
            for row in rows:
                for cell in row:
                    yield "".join(one["text"]["content"] for one in rich_text(cell))
        case Picture(_, caption):
            yield "".join(one["text"]["content"] for one in rich_text(caption))
        case Bullet(text, children):
            yield "".join(one["text"]["content"] for one in rich_text(text))
            for child in children:
                yield from texts(child)
        case Paragraph() | Heading() | ToDo() | Quote() | Callout():
            yield "".join(one["text"]["content"] for one in rich_text(block.text))


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("case", TEXTS)
def test_a_long_text_goes_on_in_blocks_that_follow_and_nothing_of_it_is_lost(
    holder: str, case: str
) -> None:
    text, count = TEXTS[case]
    block = HOLDERS[holder](text)
    parts = tuple(fit([block]))
    sent = "".join(one for part in parts for one in texts(part)).replace("…", "")
    others = "".join(texts(HOLDERS[holder]("")))
    assert sorted(sent) == sorted(shown(text) + others)
    assert shown(text).replace(" ", "") in sent.replace(" ", "")
    assert tuple(fit(parts)) == parts
    if holder not in ("cell", "child"):
        assert len(parts) == count
        assert kind_of(parts[0]) == kind_of(block)
        assert count > 1 or parts == (block,)
    for part in parts:
        raw = encode_block(part, {charts.digest(CHART): "file"})
        assert len(msgspec.json.encode(raw)) < 500_000


def test_a_list_item_with_more_below_it_than_one_takes_goes_on_in_another() -> None:
    for count, parts in ((99, 1), (100, 1), (101, 2), (250, 3)):
        children = tuple(Bullet(str(number)) for number in range(count))
        made = list(fit([Bullet("top", children)]))
        assert [one.text for one in made if isinstance(one, Bullet)] == [
            "top",
            *["…"] * (parts - 1),
        ]
        below = [
            child for one in made if isinstance(one, Bullet) for child in one.children
        ]
        assert tuple(below) == children


def test_where_a_text_cannot_go_on_a_sign_shows_that_it_does() -> None:
    for count, ends in ((99, False), (100, False), (101, True)):
        pieces = rich_text(turns(count))
        assert len(pieces) <= PIECES
        assert (pieces[-1]["text"]["content"] == "…") is ends


def test_a_table_is_parted_by_its_rows_and_by_its_size() -> None:
    for count, parts in ((0, 1), (98, 1), (99, 1), (100, 2), (199, 3)):
        rows = tuple((str(number), "b") for number in range(count))
        made = [one for one in fit([Table(("A", "B"), rows)]) if isinstance(one, Table)]
        assert len(made) == parts
        assert tuple(row for one in made for row in one.rows) == rows
    heavy = tuple(("x" * 9_000, "y" * 9_000) for _ in range(20))
    made = [one for one in fit([Table(("A", "B"), heavy)]) if isinstance(one, Table)]
    assert len(made) > 1
    assert tuple(row for one in made for row in one.rows) == heavy
