"""What a client may see: nothing internal reaches the two pages, whatever stands in the world."""

from __future__ import annotations

import typing
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from tests.support.outcomes import judge, written
from tests.support.worlds import (
    SOURCES,
    card,
    client,
    contact,
    document,
    issue,
    person,
    revenue,
    row,
    unit,
    worklog,
    world,
)
from worker.domain import document as page
from worker.domain.entities import Feedback, Idea, Stage
from worker.domain.values import Ref
from worker.mapping.load import load_schema
from worker.mapping.schema import Owner
from worker.method.measures import Forecast
from worker.method.outcome import Outcome
from worker.pages import write_pages
from worker.pages.public import PublicClientView, PublicProject
from worker.world.world import HOME, Place, World

TEXT, NUMBER, DAY = "CANARY", Decimal(98_765_432), date(1977, 7, 7)
MARKS = (TEXT, "98,765", "98765", "98.8", "1977")
PUBLIC = {
    "Client": {"name"},
    "Card": {"name", "due", "expected_start"},
    "Idea": {"name"},
}
"""The only fields of the model whose content may reach a client."""
FIELDS = {
    ("clients", "name"): Owner.HUMAN,
    ("clients", "status_page"): Owner.HUMAN,
    ("clients", "presentation"): Owner.HUMAN,
    ("projects", "name"): Owner.HUMAN,
    ("projects", "client"): Owner.HUMAN,
    ("projects", "stage"): Owner.HUMAN,
    ("projects", "expected_start"): Owner.HUMAN,
    ("projects", "due"): Owner.SHARED,  # shown only where a person gave it
    ("projects", "progress"): Owner.WORKER,  # a share of what is done
    ("backlog", "name"): Owner.HUMAN,
    ("backlog", "kind"): Owner.HUMAN,
    ("backlog", "status"): Owner.HUMAN,
    ("backlog", "client"): Owner.HUMAN,
}
"""Whose values decide what a client sees."""


def poison(thing: Any, kept: frozenset[str] = frozenset()) -> Any:
    """Return an entity with a canary in every field that holds text, a number or a day, allowed fields left out."""
    hints = typing.get_type_hints(type(thing))
    public = PUBLIC.get(type(thing).__name__, set()) | kept | {"ref", "jira", "stage"}
    changes = {
        field.name: value
        for field in fields(thing)
        if field.name not in public
        and (value := _canary(hints[field.name])) is not None
    }
    return replace(thing, **changes)


def _canary(hint: object) -> object:
    kinds = set(typing.get_args(hint)) or {hint}
    return (
        TEXT
        if str in kinds
        else NUMBER
        if Decimal in kinds
        else DAY
        if date in kinds
        else None
    )


STAGES = st.lists(st.sampled_from([None, *Stage]), min_size=1, max_size=6)


def poisoned(stages: list[Stage | None], *, asked: bool = True) -> World:
    """Return an agency where everything internal is a canary."""
    mine = poison(client(), frozenset({"since", "status_page", "presentation"}))
    mine = replace(mine, status_page=asked, presentation=asked)
    cards = [
        poison(
            card(f"p{number}", stage, name=f"Project {number}", due=date(2027, 2, 1))
        )
        for number, stage in enumerate(stages)
    ]
    asks = row("clients", "c1", worker=False, title="C1", notes=TEXT)
    risk = row(
        "risks",
        "r1",
        worker=False,
        title=TEXT,
        client=(mine.ref,),
        status="open",
        evidence=TEXT,
    )
    task = row(
        "tasks",
        "t1",
        worker=False,
        title=TEXT,
        client=(mine.ref,),
        status="new",
        due=DAY,
    )
    unlike = frozenset({"kind", "status", "horizon"})
    decided = Idea(
        Ref("backlog", "i1"),
        "Idea taken",
        client=mine.ref,
        kind="idea",
        status="for_group",
    )
    open_ = Idea(
        Ref("backlog", "i2"), TEXT, client=mine.ref, kind="idea", status="validated"
    )
    personal = Idea(
        Ref("backlog", "i3"), TEXT, client=mine.ref, kind="feedback", status="for_group"
    )
    said = Feedback(
        Ref("feedback", "f1"),
        client=mine.ref,
        person=Ref("people", "am"),
        day=date(2026, 11, 2),
        score=Decimal(1),
        text=TEXT,
    )
    work = [
        issue(number, summary=TEXT, status=TEXT, assignee=TEXT, type=TEXT, due=DAY)
        for number in range(3)
    ]
    done = [issue(9, done=date(2026, 11, 2), summary=TEXT)]
    return world(
        mine,
        *cards,
        poison(unit()),
        poison(person("am", name="Vera Call"), frozenset({"name"})),
        poison(person("tl")),
        poison(contact("vera")),
        poison(document("nda")),
        revenue(98_765_432, date(2026, 11, 1)),
        sources=SOURCES | {"meetings", "feedback"},
        places={HOME: Place("root", "Home")},
        ideas={one.ref: poison(one, unlike) for one in (decided, open_, personal)},
        feedback={said.ref: said},
        rows={"clients": (asks,), "risks": (risk,), "tasks": (task,)},
        work={one.ref.key: [*work, *done] for one in cards},
        logs=[worklog(date(2026, 11, 3), 98_765)],
    )


def public(found: Outcome) -> str:
    """Return everything the client's pages say, their titles included."""
    pages = [section for section in found.sections if section.outside]
    assert {section.ref.key for section in pages} <= {"status:c1", "presentation:c1"}
    blocks = [page.to_data(section.blocks) for section in pages]
    return msgspec.json.encode([blocks, [section.title for section in pages]]).decode()


@given(STAGES)
@settings(max_examples=40)
def test_no_internal_field_reaches_a_client(stages: list[Stage | None]) -> None:
    text = public(written(poisoned(stages)))
    assert [mark for mark in MARKS if mark in text] == []


def test_the_canaries_do_reach_the_pages_of_the_agency() -> None:
    found = written(poisoned([Stage.IN_PROGRESS, Stage.IDEA]))
    inside = msgspec.json.encode(
        [page.to_data(section.blocks) for section in found.sections]
    ).decode()
    assert TEXT in inside
    assert "98,765" in inside


@pytest.mark.parametrize("stages", [[Stage.IN_PROGRESS], [Stage.AGREED, Stage.SHAPING]])
@pytest.mark.parametrize("cell", [None, DAY])
def test_a_date_taken_over_from_jira_reaches_no_page(
    stages: list[Stage | None], cell: date | None
) -> None:
    """The issues of every card are due on a day that is a canary; so is the cell once the worker has filled it."""
    seen = poisoned(stages)
    cards = {ref: replace(one, due=cell) for ref, one in seen.cards.items()}
    taken = frozenset((ref, "due") for ref in cards if cell)
    text = public(written(replace(seen, cards=cards, own_cells=taken)))
    assert [mark for mark in MARKS if mark in text] == []


def test_what_a_client_sees_is_peoples_but_for_the_share_done_and_dates_they_gave() -> (
    None
):
    sources = load_schema().sources
    assert {
        (source, name): sources[source].properties[name].owner
        for source, name in FIELDS
    } == FIELDS


def test_both_pages_say_what_they_are_for() -> None:
    text = public(
        written(poisoned([Stage.IN_PROGRESS, Stage.AGREED, Stage.SHAPING, Stage.LOST]))
    )
    assert [f"Project {number}" in text for number in range(4)] == [
        True,
        True,
        True,
        False,
    ]
    assert "25% done" in text
    assert "planned for Feb 1, 2027" in text


def test_the_presentation_is_the_final_set() -> None:
    """A card still at `idea` is shown once the growth group accepted it; what the group has not seen is not."""
    seen = poisoned([Stage.IDEA, Stage.IDEA, Stage.PROPOSAL])
    accepted = Idea(
        Ref("backlog", "i4"),
        "Taken before",
        client=Ref("clients", "c1"),
        kind="idea",
        status="accepted",
        cards=(Ref("projects", "p1"),),
    )
    text = public(written(replace(seen, ideas={**seen.ideas, accepted.ref: accepted})))
    shown = [
        name
        for name in (
            "Project 0",
            "Project 1",
            "Project 2",
            "Idea taken",
            "Taken before",
        )
        if name in text
    ]
    assert shown == ["Project 1", "Project 2", "Idea taken"]


def test_without_being_asked_there_is_no_page_for_a_client() -> None:
    assert (
        public(written(poisoned([Stage.IN_PROGRESS, Stage.IDEA], asked=False)))
        == "[[],[]]"
    )


def test_the_pages_for_clients_are_no_rows_and_go_on_in_those_of_earlier_releases() -> (
    None
):
    found = written(poisoned([Stage.IN_PROGRESS, Stage.SHAPING]))
    pages = [section for section in found.sections if section.outside]
    assert {section.ref.source for section in pages} == {"places"}
    assert {section.former for section in pages} == {
        Ref("meetings", "meeting:status:c1"),
        Ref("meetings", "meeting:presentation:c1"),
    }
    rows = {fact.ref.key for fact in found.facts if fact.ref.source == "meetings"}
    assert not [key for key in rows if key.startswith(("meeting:status", "meeting:pr"))]


def test_the_allow_list_holds_no_money_and_no_reason_and_of_people_the_one_to_call() -> (
    None
):
    names = {
        field.name
        for kind in (PublicClientView, PublicProject)
        for field in fields(kind)
    }
    assert names == {
        "name",
        "running",
        "coming",
        "ideas",
        "stage",
        "progress",
        "promised",
        "start",
        "under_review",
        "contact",
    }


def test_a_client_is_told_whom_to_call_and_what_comes_when() -> None:
    seen = poisoned([Stage.IN_PROGRESS, Stage.AGREED])
    starts = {
        ref: replace(one, expected_start=date(2027, 3, 1))
        for ref, one in seen.cards.items()
    }
    text = public(written(replace(seen, cards=starts)))
    assert "Vera Call" in text
    dates = text.partition("Next dates")[2]
    assert dates.index("Feb 1, 2027") < dates.index("Mar 1, 2027")


@pytest.mark.parametrize(
    ("chance", "is_promised"), [("0.49", False), ("0.5", True), (None, True)]
)
def test_a_date_rather_missed_than_held_is_under_review_and_no_promise(
    chance: str | None, is_promised: bool
) -> None:
    seen = poisoned([Stage.IN_PROGRESS])
    outcome = judge(seen)
    forecast = Forecast(date(2027, 3, 1), date(2027, 4, 1), remaining=3, draws=9)
    on_time = Decimal(chance) if chance else None
    cards = {
        ref: replace(one, forecast=forecast, on_time=on_time)
        for ref, one in outcome.measures.cards.items()
    }
    measures = replace(outcome.measures, cards=cards)
    text = public(write_pages(seen, replace(outcome, measures=measures)))
    assert ("planned for Feb 1, 2027" in text) == is_promised
    assert ("last agreed for Feb 1, 2027, date under review" in text) == (
        not is_promised
    )
    assert ("Next dates" in text) == is_promised
