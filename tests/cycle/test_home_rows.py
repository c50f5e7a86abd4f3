"""Home names each row that people can mend, with a link that opens it; once it is mended by hand, the next run takes it away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.stages import ACME, BETA, PITCH, Play, small_play
from worker.cycle.context import Mode

AM = 0


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as standing:
        standing.sync()
        standing.later(minutes=10)
        yield standing


@dataclass(frozen=True, slots=True)
class Slip:
    """A cell in which somebody slips: of which row, what is typed, raw, and what Home says of it then."""

    source: str
    place: int | str
    field: str
    typed: dict[str, Any]
    told: str

    def page(self, play: Play) -> str:
        """Return the row's page: by its place in the agency, or by a part of its key."""
        if isinstance(self.place, int):
            return play.page(self.source, self.place)
        return play.keyed(self.source, self.place)[0].page_id


NOTHING: dict[str, Any] = {"rich_text": []}
LATE = {"date": {"start": "2027-03-01"}}
SLIPS = (
    Slip("revenue", 0, "kind", {"select": None}, "without a usable Kind"),
    Slip("revenue", 1, "amount", {"number": None}, "without a usable Amount"),
    Slip("projects", ACME, "jira", NOTHING, "names no work in Jira"),
    Slip("projects", BETA, "start", LATE, "is after due"),
    Slip("projects", PITCH, "client", {"relation": []}, "the card has no client"),
    Slip("people", AM, "capacity", {"number": None}, "has no hours a week"),
    Slip("plans", "2026-Q4", "target", {"number": 12_345}, "typed but is not pinned"),
)


def spoil(play: Play, slip: Slip) -> Callable[[], None]:
    """Type what is wrong; return the act that puts the cell back as it was."""
    page, label = slip.page(play), play.label(slip.source, slip.field)
    cell = play.stage.context.notion.page(page).properties[label]
    before = {cell["type"]: cell[cell["type"]]}

    def type_in(value: dict[str, Any]) -> None:
        change = {"page_id": page, "properties": {label: value}}
        play.stage.notion.control("edit", change)

    type_in(slip.typed)
    return lambda: type_in(before)


def home(play: Play) -> dict[str, str]:
    """Return what Home says below its heading of rows to mend, by the address that a line leads to."""
    context = play.stage.context
    lines, is_meant = {}, False
    for block in context.notion.children(context.settings.notion.root_page_id):
        kind = block["type"]
        pieces = block[kind].get("rich_text", [])
        words = "".join(piece["plain_text"] for piece in pieces)
        if kind.startswith("heading"):
            is_meant = words == "Data to mend"
        elif is_meant and pieces:
            lines[pieces[0]["href"]] = words
    return lines


@pytest.mark.parametrize("mode", [Mode.DELTA, Mode.FULL])
def test_a_row_is_told_with_its_link_and_gone_once_it_is_mended(
    play: Play, mode: Mode
) -> None:
    before = home(play)
    mending = [spoil(play, slip) for slip in SLIPS]
    play.later(minutes=10)
    play.sync(mode)
    told = home(play)
    assert len(told) == len(before) + len(SLIPS)
    for slip in SLIPS:
        page = slip.page(play).replace("-", "")
        (address,) = [one for one in told if one.endswith(page)]
        assert slip.told in told[address]
        assert httpx.get(address).status_code == 200

    for mend in mending:
        mend()
    play.later(minutes=10)
    play.sync(mode)
    assert home(play) == before
