"""The root page: it greets, leads, and asks for decisions, and is written anew only when what it tells of has changed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge, written
from tests.support.worlds import (
    SOURCES,
    TODAY,
    at,
    card,
    client,
    contact,
    issue,
    revenue,
    row,
    unit,
    world,
)
from worker.domain.document import Block, digest, markdown, shown
from worker.domain.entities import Idea, Stage
from worker.domain.messages import literal
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.locales import load_words
from worker.mapping.load import load_schema
from worker.method.measures import Forecast
from worker.pages import write_pages
from worker.pages.home import ROLES
from worker.world.world import HOME, Place, World

PAGES = {"portfolio", "monday"}
BOARDS = {
    name: Place(name, source.title["en"], f"https://notion.test/{name}")
    for name, source in load_schema().sources.items()
    if not source.private
}


def _agency(*more: object, today: date = TODAY, **fields: Any) -> World:
    things = (
        unit(),
        client(),
        contact("vera", last_contact=date(2026, 11, 10)),
        card(),
        *more,
    )
    return world(
        *things,
        today=today,
        sources=SOURCES | {"meetings", "requests", "backlog"},
        places={HOME: Place("root", "Home")},
        boards=BOARDS,
        **fields,
    )


def _home(seen: World) -> tuple[Block, ...]:
    return next(
        section.blocks for section in written(seen).sections if section.ref == HOME
    )


def _said(seen: World) -> str:
    return shown(markdown(_home(seen)))


def test_a_workspace_without_a_root_page_gets_no_home() -> None:
    homeless = replace(_agency(), places={})
    assert HOME not in {section.ref for section in written(homeless).sections}


def test_a_view_that_home_names_is_one_that_is_made_with_its_board() -> None:
    sources = load_schema().sources
    for names in ROLES.values():
        for source, view in (name.split("/") for name in names if "/" in name):
            assert view in {one.label["en"] for one in sources[source].views}


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_door_leads_to_the_view_where_its_id_is_known_else_to_its_board(
    locale: str,
) -> None:
    views = {
        "My tasks": Place("v1", "Mine", "https://notion.test/tasks?v=v1"),
        "This week by day": Place("", "By day", "https://notion.test/tasks"),
    }
    boards = BOARDS | {"tasks": replace(BOARDS["tasks"], views=views)}
    seen = replace(_agency(), boards=boards, words=load_words(locale, "EUR"))
    title = BOARDS["tasks"].title
    text = markdown(_home(seen))
    assert f"[{title}: Mine](https://notion.test/tasks?v=v1)" in text
    assert f"[{title}: By day](https://notion.test/tasks)" in text


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_home_greets_in_the_language_of_the_workspace(locale: str) -> None:
    words = load_words(locale, "EUR")
    said = _said(_agency(words=words))
    greeting = {"en": "Hello!", "ru": "Здравствуйте!"}[locale]
    assert said.startswith(greeting)
    assert ("How this works" in said) == (locale == "en")


def test_every_role_is_led_to_boards_that_are_there_and_to_no_private_one() -> None:
    text = markdown(_home(_agency()))
    schema = load_schema().sources
    for role, names in ROLES.items():
        line = next(line for line in text.splitlines() if f"**{role}**" in line)
        assert line.count("](") == len(names)
    named = {name for names in ROLES.values() for name in names} - PAGES
    doors = {name.partition("/")[0] for name in named}
    assert doors <= {name for name, source in schema.items() if not source.private}


def test_a_board_that_is_not_there_has_no_link() -> None:
    less = {name: place for name, place in BOARDS.items() if name != "goals"}
    assert "Goals" in _said(_agency())
    assert "Goals" not in _said(replace(_agency(), boards=less))


def test_home_stays_as_it_was_over_days_on_which_nothing_happens() -> None:
    """A stamp of the hour or the day would have it written in every cycle."""
    quiet = _agency(card("p2", start=None))
    later = replace(quiet, now=quiet.now + timedelta(hours=5))
    tomorrow = replace(
        quiet, now=at(TODAY + timedelta(days=1)), today=TODAY + timedelta(days=1)
    )
    first = digest(_home(quiet))
    assert digest(_home(later)) == first
    assert digest(_home(tomorrow)) == first


def test_what_waits_for_people_is_asked_with_a_link_to_its_row() -> None:
    idea = Idea(
        Ref("backlog", "i1"),
        "Loyalty club",
        "https://notion.test/i1",
        kind="feature",
        status="for_group",
    )
    name = "Designer, 20 h"
    wanted = row(
        "requests", "request:u1:designer", title=name, name=name, status="open"
    )
    seen = _agency(rows={"requests": (wanted,)}, ideas={idea.ref: idea})
    text = markdown(_home(seen))
    assert "[Loyalty club](https://notion.test/i1)" in text
    assert "[Designer, 20 h](row:requests/request:u1:designer)" in text


def test_of_a_date_that_has_passed_no_chance_is_told() -> None:
    missed = card(
        "p2", name="Shop", url="https://notion.test/p2", due=date(2026, 11, 2)
    )
    seen = _agency(missed)
    outcome = judge(seen)
    measure = replace(
        outcome.measures.cards[Ref("projects", "p2")], on_time=Decimal(0), forecast=None
    )
    for forecast, says in (
        (None, "no end is in sight"),
        (
            Forecast(date(2026, 12, 10), date(2026, 12, 20), remaining=5, draws=100),
            "safe is Dec 20, 2026",
        ),
    ):
        cards = {
            **outcome.measures.cards,
            measure.card: replace(measure, forecast=forecast),
        }
        measures = replace(outcome.measures, cards=cards)
        sections = write_pages(seen, replace(outcome, measures=measures)).sections
        home = next(section for section in sections if section.ref == HOME)
        asked = f"agree a new date: Nov 2, 2026 has passed, {says}"
        assert asked in markdown(home.blocks)


@pytest.mark.parametrize(
    ("chance", "is_asked"), [("0.49", True), ("0.5", False), (None, False)]
)
def test_a_date_that_is_rather_missed_than_held_is_asked_about(
    chance: str | None, is_asked: bool
) -> None:
    seen = _agency(
        card("p2", name="Shop", url="https://notion.test/p2", due=date(2026, 12, 1))
    )
    outcome = judge(seen)
    on_time = Decimal(chance) if chance else None
    forecast = Forecast(date(2026, 12, 10), date(2026, 12, 20), remaining=5, draws=100)
    measure = replace(
        outcome.measures.cards[Ref("projects", "p2")],
        forecast=forecast,
        on_time=on_time,
    )
    measures = replace(
        outcome.measures, cards={**outcome.measures.cards, measure.card: measure}
    )
    sections = write_pages(seen, replace(outcome, measures=measures)).sections
    text = markdown(next(section.blocks for section in sections if section.ref == HOME))
    assert (
        "[Shop](https://notion.test/p2)" in text and "agree a new date" in text
    ) == is_asked


def test_rows_to_mend_are_named_with_their_fault_and_a_link() -> None:
    url = "https://notion.test/d1"
    bare = row("documents", "d1", worker=False, title="Contract")
    problem = Problem(
        code=Code.OUT_OF_RANGE,
        where=literal("d1"),
        message=literal("the Kind is missing"),
        url=url,
    )
    seen = _agency(rows={"documents": (replace(bare, url=url),)}, problems=(problem,))
    text = markdown(_home(seen))
    assert f"[Contract]({url}) · the Kind is missing" in text
    mended = replace(seen, problems=())
    assert "Data to mend" not in _said(mended)


def test_freshness_names_the_newest_day_of_each_source() -> None:
    changed = issue(1, updated=at(date(2026, 11, 17)))
    act = revenue(100, date(2026, 10, 1))
    seen = _agency(act, issues={"1": changed})
    said = _said(seen)
    for newest in ("Nov 17, 2026", "October 2026", "Nov 10, 2026"):
        assert newest in said


@pytest.mark.parametrize(
    ("stage", "jira", "is_told"),
    [
        (Stage.IN_PROGRESS, None, True),
        (Stage.IN_PROGRESS, "ACME", False),
        (Stage.IDEA, None, False),
    ],
)
def test_a_running_card_without_work_in_jira_is_one_to_mend(
    stage: Stage, jira: str | None, is_told: bool
) -> None:
    bare = card("p2", stage, name="Shop", url="https://notion.test/p2", jira=jira)
    text = markdown(_home(_agency(bare)))
    assert (
        "[Shop](https://notion.test/p2) · runs, but names no work in Jira" in text
    ) == is_told
