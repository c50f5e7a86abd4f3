"""What a client's own pages say after whole cycles, when outsiders write in Jira and people on the cards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.stages import ACME, EPIC, Play, small_play
from worker.codecs.blocks import text_of
from worker.domain.values import Ref
from worker.ports.notion import Json, Notion

FAR, OTHER, GIVEN = date(2029, 7, 7), date(2028, 3, 3), date(2027, 2, 1)
CANARY = "CANARY"
TITLES = {"status": "Status · ", "presentation": "Ideas · "}


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        client = found.page("clients", 0)
        found.edit("clients", client, status_page=True, presentation=True)
        yield found


def outsider(play: Play, key: str = "ACME-10", **fields: str | None) -> None:
    """Let somebody change an issue below the epic's card."""
    play.stage.jira.control("edit", {"issue": key, "fields": fields})


def run(play: Play) -> str:
    """Run a cycle some minutes later and return what the client's status page says."""
    play.later(minutes=10)
    assert not play.sync().failures()
    return page(play, "status")


def page(play: Play, kind: str) -> str:
    """Return what stands on a page for the client's eyes, its title first."""
    (shown,) = pages(play, TITLES[kind])
    blocks = play.stage.context.notion.children(shown["id"])
    return "\n".join([shown["child_page"]["title"], *map(text_of, blocks)])


def pages(play: Play, title: str) -> list[Json]:
    """Return the pages for clients whose title begins so."""
    notion = play.stage.context.notion
    root = play.stage.context.settings.notion.root_page_id
    (folder,) = below(notion, root, "Pages for clients")
    return below(notion, folder["id"], title)


def below(notion: Notion, page_id: str, title: str) -> list[Json]:
    """Return the pages below a page whose title begins so."""
    blocks = (raw for raw in notion.children(page_id) if "child_page" in raw)
    return [raw for raw in blocks if raw["child_page"]["title"].startswith(title)]


def due(play: Play, place: int) -> str | None:
    """Return what stands in a card's due date."""
    found: str | None = play.row("projects", place).values["due"]
    return found


def clear_due(play: Play, place: int) -> None:
    """Let a person empty a card's due date."""
    cell = {play.label("projects", "due"): {"date": None}}
    play.stage.notion.control(
        "edit", {"page_id": play.page("projects", place), "properties": cell}
    )


def said(play: Play, day: date) -> str:
    """Return how a page says a promised date."""
    return f"planned for {play.stage.context.words.date(day)}"


def test_a_date_from_jira_is_never_promised_not_even_from_the_cards_own_cell(
    play: Play,
) -> None:
    outsider(play, duedate=FAR.isoformat())
    assert "2029" not in run(play)
    assert due(play, EPIC) == FAR.isoformat(), "the agency itself works with it"
    assert "2029" not in run(play)
    outsider(play, duedate=OTHER.isoformat())
    assert "2028" not in run(play)
    assert "2028" not in run(play)
    assert due(play, EPIC) == OTHER.isoformat()
    outsider(play, duedate=None)
    assert "planned for" not in run(play).partition("Acme epic")[2].partition("\n")[0]


def test_a_date_that_a_person_gives_is_promised_instead_of_the_one_from_jira(
    play: Play,
) -> None:
    outsider(play, duedate=FAR.isoformat())
    run(play)
    play.edit("projects", play.page("projects", EPIC), due=GIVEN)
    assert said(play, GIVEN) in run(play)
    outsider(play, duedate=OTHER.isoformat())
    assert said(play, GIVEN) in run(play)
    clear_due(play, EPIC)
    text = run(play)
    assert said(play, GIVEN) not in text
    assert "2028" not in text
    assert "2028" not in run(play)


def test_a_persons_date_stays_promised_when_jira_says_the_same_and_moves_with_neither(
    play: Play,
) -> None:
    play.edit("projects", play.page("projects", EPIC), due=GIVEN)
    assert said(play, GIVEN) in run(play)
    outsider(play, duedate=GIVEN.isoformat())
    assert said(play, GIVEN) in run(play)
    assert said(play, GIVEN) in run(play)
    outsider(play, duedate=FAR.isoformat())
    text = run(play) + run(play)
    assert "2029" not in text


def test_a_date_that_people_and_jira_share_from_the_start_is_a_promise(
    play: Play,
) -> None:
    play.edit("projects", play.page("projects", EPIC), due=GIVEN)
    outsider(play, duedate=GIVEN.isoformat())
    assert said(play, GIVEN) in run(play)
    mark = play.mark()
    assert said(play, GIVEN) in run(play)
    assert play.writes(mark) == []


def test_without_the_state_a_date_that_jira_still_says_is_not_promised(
    play: Play,
) -> None:
    outsider(play, duedate=FAR.isoformat())
    run(play)
    run(play)
    lost = play.forgetful()
    assert "2029" not in run(lost)
    assert "2029" not in run(lost)
    assert said(play, play.stage.clock.now().date() + timedelta(days=20)) in run(lost)


def test_nothing_that_is_written_in_jira_stands_on_a_page_for_the_client(
    play: Play,
) -> None:
    clear_due(play, ACME)
    for number in (5, 10, 15, 20, 25, 30):
        outsider(
            play,
            f"ACME-{number}",
            summary=f"{CANARY} **bold** [x](https://evil.example)",
            description=CANARY,
            duedate=FAR.isoformat(),
        )
        play.stage.jira.control(
            "comment", {"issue": f"ACME-{number}", "author": "acc-pm", "body": CANARY}
        )
    idea = play.stage.scribe.add(
        "backlog",
        name="Loyalty app",
        kind="feature",
        status="for_group",
        client=(Ref("clients", play.page("clients", 0)),),
    )
    assert idea
    for _ in range(2):
        shown = run(play) + page(play, "presentation")
        assert "Loyalty app" in shown
        assert [mark for mark in (CANARY, "evil", "2029") if mark in shown] == []
