"""A row that lacks a cell it needs to count says so where people look: on itself and in the portfolio, until it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from rayline_demo.board import living
from tests.support.stages import Play, small_play
from worker.codecs.blocks import text_of
from worker.domain.values import Ref

OCTOBER = date(2026, 10, 5)
WORDS = {
    "en": {"client": "Client", "kind": "Kind", "month": "Month", "amount": "Amount"},
    "ru": {"client": "Клиент", "kind": "Вид", "month": "Месяц", "amount": "Сумма"},
}


@pytest.fixture(scope="module", params=["en", "ru"])
def play(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("notes")
    with small_play(folder, locale=request.param, private=True) as found:
        found.sync()
        found.later(minutes=10)
        yield found


def _whole(play: Play) -> dict[str, Any]:
    return {
        "client": (Ref("clients", play.page("clients", 0)),),
        "month": OCTOBER,
        "amount": Decimal(1000),
        "kind": "act",
    }


def _notes(play: Play, source: str) -> dict[str, str]:
    """Return what stands on the rows of a source, by their names; rows without notes left out."""
    field = "data_notes"
    return {
        card.values["name"]: card.values[field]
        for card in living(play.stage, source)
        if card.values[field]
    }


def _portfolio(play: Play) -> str:
    (page,) = play.keyed("meetings", "portfolio")
    blocks = play.stage.context.notion.children(page.page_id)
    return "\n".join(text_of(block) for block in blocks)


def test_each_row_that_lacks_a_cell_says_which_and_stops_saying_so_when_it_is_filled(
    play: Play,
) -> None:
    scribe = play.stage.scribe
    whole = _whole(play)
    pages = {
        lacking: scribe.add(
            "revenue",
            name=f"no {lacking}",
            **{name: value for name, value in whole.items() if name != lacking},
        )
        for lacking in whole
    }
    contract = scribe.add("documents", name="no client", kind="contract")
    contact = scribe.add("contacts", name="no client", side="client")
    cost = scribe.add("costs", name="no person", cost_rate=Decimal(10))
    score = scribe.add("feedback", name="no day", client=whole["client"])
    card = scribe.add("projects", name="no client", stage="idea")
    bare = scribe.add("revenue", name="nothing")

    report = play.sync()
    assert report.applied.failures == ()
    words = WORDS[play.stage.agency.locale]
    notes = _notes(play, "revenue")
    assert notes.keys() == {*(f"no {name}" for name in whole), "nothing"}
    for lacking in whole:
        others = [word for name, word in words.items() if name != lacking]
        note = notes[f"no {lacking}"]
        assert words[lacking] in note
        assert not [word for word in others if word in note]
    assert all(word in notes["nothing"] for word in words.values())
    for source, name in (
        ("documents", "no client"),
        ("contacts", "no client"),
        ("costs", "no person"),
        ("feedback", "no day"),
        ("projects", "no client"),
    ):
        assert name in _notes(play, source), source
    shown = _portfolio(play)
    for lacking in whole:
        assert f"no {lacking}" in shown
    assert "no person" not in shown, "what is private is told in private alone"
    assert "no day" not in shown

    # They are told until they are mended, and nothing is written for that.
    play.later(minutes=10)
    mark = play.mark()
    assert play.sync().plan.changes == ()
    assert play.writes(mark) == []

    for lacking, page in pages.items():
        play.edit("revenue", page, **{lacking: whole[lacking]})
    play.edit("revenue", bare, **whole)
    play.edit("documents", contract, client=whole["client"])
    play.edit("contacts", contact, client=whole["client"])
    play.edit("projects", card, client=whole["client"])
    play.edit("costs", cost, person=(Ref("people", play.page("people", 0)),))
    play.edit("feedback", score, date=OCTOBER, score=Decimal(5))
    play.later(minutes=10)
    report = play.sync()
    assert (report.applied.failures, report.refused) == ((), ())
    for source in ("revenue", "documents", "contacts", "costs", "feedback"):
        assert _notes(play, source) == {}, source
    assert "no month" not in _portfolio(play)
