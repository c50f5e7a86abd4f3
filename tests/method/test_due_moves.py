"""How often and how far the date promised for a card moved (docs/method.md 1.1); days worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, written
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    at,
    card,
    client,
    issue,
    unit,
    world,
)
from worker.domain.document import markdown
from worker.domain.entities import Card, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.outcome import Outcome
from worker.world.memory import Memory
from worker.world.world import World

P1 = Ref("projects", "p1")
FIRST = date(2026, 12, 1)
SECOND = date(2026, 12, 15)
THIRD = date(2027, 1, 11)
A_DAY = timedelta(days=1)

Facts = dict[str, Value | Unset]


def start(due: date | None = FIRST, **fields: Any) -> World:
    """Return a world of one card that was last edited long ago."""
    edited = at(TODAY - 30 * A_DAY)
    return world(
        client(),
        unit(),
        card(due=due, edited=edited, **fields),
        work={"p1": [issue(1), issue(2, done=TODAY - A_DAY)]},
        sources=SOURCES | {"meetings"},
    )


def redated(seen: World, due: date | None, **fields: Any) -> World:
    """Return the world after a person changed the card's due date."""
    own = replace(seen.cards[P1], due=due, **fields)
    return replace(seen, cards={**seen.cards, P1: own})


def lived(seen: World, dues: Sequence[date | None]) -> Outcome:
    """Return what is said on the last of some days in a row, the card's due date being each of `dues`."""
    for due in dues[:-1]:
        outcome = judge(redated(seen, due))
        seen = applied(seen, outcome, today=seen.today + A_DAY)
    return judge(redated(seen, dues[-1]))


def moves(outcome: Outcome) -> tuple[object, object]:
    """Return how often the date moved and the first one."""
    facts = facts_of(outcome, "projects", "p1")
    return facts.get("due_moves"), facts.get("due_first")


def why(outcome: Outcome) -> str:
    """Return the card's reason."""
    return str(facts_of(outcome, "projects", "p1")["why"])


@pytest.mark.parametrize(
    ("dues", "count", "first"),
    [
        ([FIRST], 0, FIRST),
        ([FIRST, FIRST], 0, FIRST),
        ([FIRST, SECOND], 1, FIRST),
        ([FIRST, SECOND, THIRD], 2, FIRST),
        # Nearer is a move too; back to the first one is one more.
        ([SECOND, FIRST], 1, SECOND),
        ([FIRST, SECOND, FIRST], 2, FIRST),
        # A date that was taken away and given again is no move; another one is.
        ([FIRST, None, FIRST], 0, FIRST),
        ([FIRST, None, None, THIRD], 1, FIRST),
        ([None, FIRST, SECOND], 1, FIRST),
    ],
)
def test_every_change_of_the_promised_date_is_a_move(
    dues: list[date | None], count: int, first: date
) -> None:
    assert moves(lived(start(), dues)) == (count, first)


def test_nothing_is_said_of_moves_where_nobody_promised() -> None:
    assert moves(judge(start(None))) == (None, None)


def test_the_reason_says_how_far_the_date_moved() -> None:
    # From 1 December 2026 to 11 January 2027: 30 days to the end of December and 11 more.
    told = why(lived(start(), [FIRST, SECOND, THIRD]))
    assert "The promised date moved 2 times, from Dec 1, 2026 to Jan 11, 2027" in told
    assert "41 days" in told
    nearer = why(lived(start(), [SECOND, FIRST]))
    assert "moved 1 time, from Dec 15, 2026 to Dec 1, 2026" in nearer
    assert "moved" not in why(lived(start(), [FIRST, FIRST]))


def test_a_day_leaves_its_last_date_alone() -> None:
    """A slip of the pen that is mended on the same day is no move, whatever number of runs saw it."""
    seen = applied(start(), judge(start()), today=TODAY + A_DAY)
    typo = judge(redated(seen, THIRD))
    assert moves(typo) == (1, FIRST)
    same_day = applied(seen, typo)
    assert moves(judge(redated(same_day, SECOND))) == (1, FIRST)
    back = judge(redated(same_day, FIRST))
    assert moves(back) == (0, FIRST)
    # And the next day tells the same.
    assert moves(judge(applied(seen, back, today=TODAY + 2 * A_DAY))) == (0, FIRST)


def test_a_second_run_on_the_same_day_says_the_same() -> None:
    outcome = lived(start(), [FIRST, SECOND])
    seen = applied(start(), judge(start()), today=TODAY + A_DAY)
    again = judge(applied(redated(seen, SECOND), outcome))
    assert moves(again) == moves(outcome) == (1, FIRST)


def test_the_first_day_of_a_new_card_may_be_mended() -> None:
    seen = start()
    new = replace(seen.cards[P1], edited=at(TODAY, 8))
    seen = replace(seen, cards={P1: new})
    outcome = judge(seen)
    assert moves(judge(redated(applied(seen, outcome), SECOND))) == (0, SECOND)


@pytest.mark.parametrize(
    "stage", [Stage.IDEA, Stage.SHAPING, Stage.PROPOSAL, Stage.LOST]
)
def test_a_date_of_what_is_not_agreed_is_no_promise(stage: Stage) -> None:
    assert moves(lived(start(stage=stage), [FIRST, SECOND])) == (None, None)


def test_a_card_that_is_done_keeps_what_was_counted() -> None:
    seen = applied(start(), judge(start()), today=TODAY + A_DAY)
    outcome = judge(redated(seen, SECOND))
    seen = applied(redated(seen, SECOND), outcome, today=TODAY + 2 * A_DAY)
    # Whatever is typed after the end is book-keeping.
    assert moves(judge(redated(seen, THIRD, stage=Stage.DONE))) == (1, FIRST)


def test_a_date_that_the_worker_took_from_jira_is_no_promise() -> None:
    due = date(2026, 12, 24)
    seen = world(client(), unit(), card(), work={"p1": [issue(1, due=due)]})
    outcome = judge(seen)
    taken = replace(
        applied(seen, outcome, today=TODAY + A_DAY), own_cells=frozenset({(P1, "due")})
    )
    assert taken.cards[P1].due == due
    assert moves(judge(taken)) == (None, None)


@pytest.mark.parametrize(
    ("due", "count", "first", "expected"),
    [
        # Nothing moved while nobody looked.
        (SECOND, 1, FIRST, (1, FIRST)),
        (FIRST, 0, FIRST, (0, FIRST)),
        (FIRST, 2, FIRST, (2, FIRST)),
        # It stands at another day than the first and no move was counted: there was one.
        (THIRD, 0, FIRST, (1, FIRST)),
        # How often it moved beside those that were counted nobody knows.
        (THIRD, 3, FIRST, (3, FIRST)),
        (None, 2, FIRST, (2, FIRST)),
        # A first date without a count, and a count without one.
        (SECOND, None, FIRST, (1, FIRST)),
        (SECOND, 2, None, (0, SECOND)),
        (SECOND, -1, SECOND, (0, SECOND)),
    ],
)
def test_what_the_row_says_is_read_back_after_a_lost_state(
    due: date | None, count: int | None, first: date | None, expected: object
) -> None:
    told = None if count is None else Decimal(count)
    seen = start(due, due_moves=told, due_first=first, is_counted=True)
    lost = replace(seen, memory=Memory())
    outcome = judge(lost)
    assert moves(outcome) == expected
    again = judge(applied(lost, outcome, today=TODAY + A_DAY))
    assert moves(again) == expected


def test_a_move_after_a_lost_state_counts_on() -> None:
    seen = start(SECOND, due_moves=Decimal(3), due_first=FIRST, is_counted=True)
    lost = replace(seen, memory=Memory())
    next_day = applied(lost, judge(lost), today=TODAY + A_DAY)
    assert moves(judge(redated(next_day, THIRD))) == (4, FIRST)


def test_a_card_of_an_unreadable_link_keeps_its_moves() -> None:
    seen = start()
    outcome = judge(seen)
    unread = replace(applied(seen, outcome, today=TODAY + A_DAY), work={})
    assert moves(judge(redated(unread, SECOND))) == (1, FIRST)


def pages(outcome: Outcome) -> dict[str, str]:
    """Return the text of every section by its key."""
    return {page.ref.key: markdown(page.blocks) for page in outcome.sections}


def moved_on(day: date) -> World:
    """Return the world of the day after a card's date moved from the first to the second on `day`."""
    begin = replace(start(), today=day - A_DAY, now=at(day - A_DAY))
    own: Card = replace(begin.cards[P1], edited=at(day - 90 * A_DAY))
    begin = replace(begin, cards={P1: own})
    seen = applied(begin, judge(begin), today=day)
    seen = redated(seen, SECOND)
    return applied(seen, judge(seen), today=day + A_DAY)


def test_the_client_page_shows_the_moves() -> None:
    shown = pages(written(moved_on(TODAY)))["c1"]
    assert "Dec 15, 2026 (moved 1 time, first Dec 1, 2026)" in shown


@pytest.mark.parametrize(
    ("day", "is_told"),
    [
        # The monthly agenda of December is prepared on 26 November and looks back at November.
        (date(2026, 11, 10), True),
        (date(2026, 10, 20), False),
    ],
)
def test_the_retrospective_names_the_promises_that_moved_in_its_period(
    day: date, *, is_told: bool
) -> None:
    seen = replace(moved_on(day), today=date(2026, 11, 27), now=at(date(2026, 11, 27)))
    agendas = {
        key: text for key, text in pages(written(seen)).items() if "2026-12" in key
    }
    assert len(agendas) == 1
    (text,) = agendas.values()
    line = "Card p1: from Dec 1, 2026 to Dec 15, 2026 (14 days later)"
    assert ("Promised dates moved" in text) == is_told
    assert (line in text) == is_told
