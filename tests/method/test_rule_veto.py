"""What keeps a client from green whatever its score (docs/method.md 4.1)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    card,
    client,
    row,
    steady,
    unit,
    world,
)
from worker.config import Thresholds
from worker.domain.entities import Feedback, Row
from worker.domain.values import Ref
from worker.world.memory import Track
from worker.world.world import World

CLIENT = Ref("clients", "c1")
GREEN = Track("green", TODAY - timedelta(days=40), seen=TODAY - timedelta(days=1))


def said(score: str, ago: int, *, key: str = "f1") -> Feedback:
    """Return what client c1 said about the team so many days ago."""
    day = TODAY - timedelta(days=ago)
    return Feedback(Ref("feedback", key), client=CLIENT, score=Decimal(score), day=day)


def praised(*feedback: Feedback, own: tuple[int, int] | None = None) -> World:
    """Return a client that is green but for what is given: `own` marks of a risk that people wrote."""
    rows: dict[str, tuple[Row, ...]] = {}
    if own is not None:
        probability, impact = own
        risk = row(
            "risks",
            "own",
            worker=False,
            title="The sponsor leaves",
            status="open",
            client=(CLIENT,),
            probability=Decimal(probability),
            impact=Decimal(impact),
        )
        rows = {"risks": (risk,)}
    seen = world(
        client(group="newbiz", last_contact=TODAY, last_partner_contact=TODAY),
        unit(),
        card(due=TODAY + timedelta(days=90)),
        work={"p1": steady(40, 4, step=1)},
        sources=SOURCES | {"feedback"},
        feedback={entry.ref: entry for entry in feedback},
        rows=rows,
    )
    memory = replace(seen.memory, tracks={f"{CLIENT}#health": GREEN})
    return replace(seen, memory=memory)


def shown(seen: World) -> tuple[str, str]:
    """Return the colour and the reasons of client c1."""
    facts = facts_of(judge(seen), "clients", "c1")
    return str(facts["health"]), str(facts["why"])


@pytest.mark.parametrize(
    ("score", "ago", "colour"),
    [
        ("1", 1, "amber"),
        ("2", 30, "amber"),
        ("2", 31, "green"),
        ("2.5", 1, "green"),
        ("5", 0, "green"),
    ],
)
def test_feedback_of_two_or_less_within_thirty_days_keeps_from_green_at_once(
    score: str, ago: int, colour: str
) -> None:
    assert shown(praised(said(score, ago)))[0] == colour


def test_a_veto_is_told_first_with_its_number() -> None:
    _, why = shown(praised(said("1", 1)))
    assert why.startswith("not green: feedback 1 of 5 on Nov 17, 2026; ")


@pytest.mark.parametrize(
    ("marks", "colour"),
    [((4, 5), "amber"), ((5, 5), "amber"), ((4, 4), "green"), ((3, 5), "green")],
)
def test_an_open_risk_of_twenty_keeps_from_green(
    marks: tuple[int, int], colour: str
) -> None:
    """4 x 5 = 20 is a veto, 4 x 4 = 16 and 3 x 5 = 15 are high and none."""
    found, why = shown(praised(own=marks))
    assert found == colour
    score = marks[0] * marks[1]
    told = f"not green: risk “The sponsor leaves” of {score}; "
    assert why.startswith(told) == (colour == "amber")


def test_a_risk_that_is_found_keeps_from_green_as_one_that_people_wrote() -> None:
    # Bad feedback of 1 is probability 5; with an impact of 4 the risk is 20. The feedback itself is 31 days old.
    seen = praised(said("1", 31))
    unhappy = replace(seen, thresholds=Thresholds(veto_risk=15))
    assert shown(seen)[0] == "green"
    colour, why = shown(unhappy)
    assert colour == "amber"
    assert why.startswith("not green: risk “")


def test_green_comes_back_after_two_days_without_a_veto() -> None:
    # Of the second day on the words are too old to be a veto, and to weigh on the score.
    seen = replace(praised(said("1", 30)), thresholds=Thresholds(feedback_days=30))
    colours = []
    for number in range(3):
        today = TODAY + timedelta(days=number)
        seen = replace(seen, today=today)
        outcome = judge(seen)
        colours.append(facts_of(outcome, "clients", "c1")["health"])
        seen = applied(seen, outcome, today=today)
    assert colours == ["amber", "amber", "green"]


def test_a_veto_makes_nothing_of_a_client_that_is_grey() -> None:
    seen = world(
        client(),
        unit(),
        sources=SOURCES | {"feedback"},
        feedback={said("1", 1).ref: said("1", 1)},
    )
    assert shown(seen)[0] == "grey"


@pytest.mark.parametrize(
    ("given", "note", "days", "colour"),
    [
        ("red", "The budget is frozen", 0, "red"),
        ("amber", "Talks about the rate", 30, "amber"),
        # The date has passed, or one of both is missing: the machine's colour stands.
        ("red", "The budget is frozen", -1, "green"),
        ("red", " ", 30, "green"),
        ("red", "The budget is frozen", None, "green"),
        (None, "The budget is frozen", 30, "green"),
    ],
)
def test_a_colour_by_hand_holds_with_a_note_up_to_its_date(
    given: str | None, note: str, days: int | None, colour: str
) -> None:
    seen = praised()
    until = None if days is None else TODAY + timedelta(days=days)
    row = replace(
        seen.clients[CLIENT], by_hand=given, by_hand_note=note, by_hand_until=until
    )
    found, why = shown(replace(seen, clients={CLIENT: row}))
    assert found == colour
    if colour != "green":
        assert why.startswith(
            f"by hand until {seen.words.date(TODAY + timedelta(days=days or 0))}: {note}; "
        )
    elif given and (days is None or not note.strip()):
        assert why.startswith("the colour by hand needs a note and a date; ")
    else:
        assert "by hand" not in why


def test_a_colour_by_hand_overrides_a_veto_and_leaves_no_trace_when_it_ends() -> None:
    """People say green although the client gave 1 of 5; after their date amber stands as it would have all along."""
    seen = praised(said("1", 1))
    given = replace(
        seen.clients[CLIENT],
        by_hand="green",
        by_hand_note="It was a slip of the finger",
        by_hand_until=TODAY,
    )
    outcome = judge(replace(seen, clients={CLIENT: given}))
    assert facts_of(outcome, "clients", "c1")["health"] == "green"
    later = applied(seen, outcome, today=TODAY + timedelta(days=1))
    assert shown(replace(later, clients={CLIENT: given}))[0] == "amber"
