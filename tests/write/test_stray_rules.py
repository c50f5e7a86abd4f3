"""Which blocks behind a section are strays of ours: by who made them, by what they show, and by what stands beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from rayline_sandbox.notion.sandbox import NotionSandbox
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.codecs.blocks import text_of
from worker.config import NotionSettings
from worker.notion.gateway import NotionGateway
from worker.ports.notion import Json
from worker.write.strays import Stretch, find_strays, is_alone, is_by

OURS, PEOPLES, CHANGED = "ours", "people's", "ours, changed by people"
SEPARATE = ("", "")
"""Something else of ours stands there."""


@dataclass(slots=True)
class Sheet:
    """A page of the emulated Notion on which the connection and people write."""

    sandbox: NotionSandbox = field(
        default_factory=lambda: NotionSandbox(
            Clock(datetime(2026, 11, 20, 9, 0, tzinfo=UTC)), limit=None
        )
    )
    notion: NotionGateway = field(init=False)

    def __post_init__(self) -> None:
        settings = NotionSettings(
            base_url="http://notion.test",
            token=SecretStr(self.sandbox.token),
            requests=10**6,
        )
        transport = HandlerTransport(self.sandbox.handle)
        self.notion = NotionGateway(
            settings, transport=transport, sleep=lambda seconds: None
        )

    def write(self, who: str, text: str, place: str = "") -> str:
        """Have a paragraph written at the end of the page, or below a block."""
        place = place or self.sandbox.root_page_id
        body = {"rich_text": [{"text": {"content": text}}]}
        block = {"type": "paragraph", "paragraph": body}
        if who == PEOPLES:
            given = {"block_id": place, "children": [block]}
            return str(self.sandbox.control("append", given)["block_ids"][0])
        (made,) = self.notion.append_children(place, [block])
        if who == CHANGED:
            given = {"block_id": made["id"], "text": text}
            self.sandbox.control("edit_block", given)
        return str(made["id"])

    def blocks(self, place: str = "") -> tuple[Json, ...]:
        """Return what stands on the page, or below a block."""
        return self.notion.children(place or self.sandbox.root_page_id)

    def raw(self, block_id: str) -> Json:
        """Return a block of the page."""
        (block,) = (one for one in self.blocks() if one["id"] == block_id)
        return block

    def find(
        self, blocks: Sequence[Json | None] | None = None, author: object = None
    ) -> tuple[str, ...]:
        """Return the strays: what shows "known" is remembered, what shows "wanted" is what the section says."""
        stretch = Stretch(
            tuple(self.blocks() if blocks is None else blocks),
            author or self.sandbox.bot_id,
        )
        return find_strays(
            self.notion,
            stretch,
            is_known=lambda raw: text_of(raw).startswith("known"),
            is_wanted=lambda raw: text_of(raw).startswith("wanted"),
        )

    def requests(self) -> int:
        """Return how many requests were sent."""
        return len(self.sandbox.log)


@pytest.fixture
def sheet() -> Sheet:
    return Sheet()


K, W, O = (OURS, "known"), (OURS, "wanted"), (OURS, "else")  # noqa: E741
NOTE = (PEOPLES, "known")
TABLE: dict[str, tuple[Sequence[tuple[str, str]], Sequence[int]]] = {
    "nothing is": ([], []),
    "what is remembered is": ([K], [0]),
    "what the section says, with nothing else beside it, is": ([W], [0]),
    "what shows something else is not": ([O], []),
    "most of a run is remembered, all of it is": ([K, K, O], [0, 1, 2]),
    "most of a run says what the section says, all of it is": ([W, O, W], [0, 1, 2]),
    "both count together": ([O, K, W], [0, 1, 2]),
    "half is not most: what is remembered is": ([K, O], [0]),
    "half is not most, of four": ([K, W, O, O], [0]),
    "less than half: what is remembered is": ([O, K, O], [1]),
    "less than half: what the section says is not": ([O, W, O], []),
    "what people wrote is not, and parts two runs": ([K, K, NOTE, O], [0, 1]),
    "nor what people changed": ([K, K, (CHANGED, "known"), O], [0, 1]),
    "something of ours parts two runs": ([K, K, SEPARATE, O], [0, 1]),
    "a run behind people's words counts as one": ([NOTE, O, W, W], [1, 2, 3]),
    "each run is told by itself": ([K, O, NOTE, W, O, W], [0, 3, 4, 5]),
}


@pytest.mark.parametrize("case", TABLE)
def test_strays_of_a_stretch(sheet: Sheet, case: str) -> None:
    written, strays = TABLE[case]
    ids = ["" if one == SEPARATE else sheet.write(*one) for one in written]
    stand: list[Any] = [block_id and sheet.raw(block_id) for block_id in ids]
    stretch = [raw or None for raw in stand]
    assert sheet.find(stretch) == tuple(ids[at] for at in strays)


def test_a_copied_page_has_no_strays(sheet: Sheet) -> None:
    for _ in range(2):
        sheet.write(PEOPLES, "known")
    assert sheet.find(author=sheet.sandbox.owner_id) == ()


def test_where_nothing_is_ours_nobody_is_asked(sheet: Sheet) -> None:
    sheet.write(OURS, "else")
    blocks = sheet.blocks()
    before = sheet.requests()
    assert sheet.find(blocks) == ()
    assert sheet.requests() == before


def test_a_stray_below_which_people_wrote_stays(sheet: Sheet) -> None:
    first, second = (sheet.write(OURS, "known") for _ in range(2))
    sheet.write(OURS, "below", first)
    sheet.write(OURS, "below", second)
    assert sheet.find() == (first, second)
    sheet.write(PEOPLES, "a word", first)
    assert sheet.find() == (second,)


def test_people_below_are_found_however_deep_and_whatever_stands_before(
    sheet: Sheet,
) -> None:
    me = sheet.sandbox.bot_id
    top = sheet.write(OURS, "top")
    lower = sheet.write(OURS, "lower", top)
    lowest = sheet.write(OURS, "lowest", lower)
    assert is_alone(sheet.notion, sheet.raw(top), me)
    sheet.write(PEOPLES, "a word", lowest)
    assert not is_alone(sheet.notion, sheet.raw(top), me)


def test_a_block_with_nothing_below_is_alone_without_a_request(sheet: Sheet) -> None:
    raw = sheet.raw(sheet.write(OURS, "top"))
    before = sheet.requests()
    assert is_alone(sheet.notion, raw, sheet.sandbox.bot_id)
    assert sheet.requests() == before


BY = [
    ({"created_by": {"id": "me"}, "last_edited_by": {"id": "me"}}, "me", True),
    ({"created_by": {"id": "me"}, "last_edited_by": {"id": "you"}}, "me", False),
    ({"created_by": {"id": "you"}, "last_edited_by": {"id": "me"}}, "me", False),
    ({"created_by": None, "last_edited_by": {"id": "me"}}, "me", False),
    ({"created_by": {"id": "me"}}, "me", False),
    ({}, None, False),
    ({"created_by": {}, "last_edited_by": {}}, None, False),
]


@pytest.mark.parametrize(("raw", "author", "is_theirs"), BY)
def test_a_block_is_somebodys_who_is_named_twice(
    raw: Json, author: object, is_theirs: bool
) -> None:
    assert is_by(raw, author) is is_theirs
