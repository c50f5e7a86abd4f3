"""Pages as values: what they say of a world worked out by hand, when they appear, and when they stay as they were."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge, written
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    at,
    card,
    client,
    contact,
    issue,
    person,
    row,
    unit,
    world,
)
from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Heading,
    Picture,
    Table,
    ToDo,
    digest,
    markdown,
    shown,
)
from worker.domain.entities import Feedback, Idea, Move, Stage
from worker.domain.values import Ref, Span
from worker.errors import FAULTS, in_words
from worker.locales import load_words
from worker.mapping.load import load_schema
from worker.method.hindsight.spells import Spell, write_spells
from worker.pages import write_pages
from worker.plan.facts import PageFact
from worker.world.world import World

MONDAY = date(2026, 11, 16)
FEE = Decimal(22_000)
"""66 weekdays in the quarter and three fees of 22,000: a plan of 1,000 a working day."""

CHOICES = {
    prop.name: {option.key for option in prop.options}
    for prop in load_schema().sources["meetings"].properties.values()
    if prop.options
}
"""The options of each choice on the board of pages."""


def agency(today: date = TODAY, *more: object, **fields: Any) -> World:
    """Return a small agency: one unit, one retainer, one card."""
    things = (
        unit(members=(Ref("people", "dev"),)),
        person("am"),
        person("tl"),
        person("pm"),
        person("dev"),
        client(engagement="retainer", monthly_fee=FEE, since=date(2025, 1, 1)),
        contact("vera", role="CEO", last_contact=date(2026, 11, 10)),
        card(start=date(2026, 6, 1), due=date(2027, 2, 1)),
        *more,
    )
    return world(*things, today=today, sources=SOURCES | {"meetings"}, **fields)


def pages(seen: World) -> dict[str, PageFact]:
    """Return the sections of a world by key."""
    return {section.ref.key: section for section in written(seen).sections}


def said(blocks: tuple[Block, ...]) -> str:
    """Return what a reader sees, thin and hard spaces as plain ones."""
    return shown(markdown(blocks)).replace("\xa0", " ").replace("\u202f", " ")


def table(blocks: tuple[Block, ...], after: str) -> Table:
    """Return the first table after a heading that begins so."""
    start = next(
        index
        for index, block in enumerate(blocks)
        if isinstance(block, Heading) and block.text.startswith(after)
    )
    return next(block for block in blocks[start:] if isinstance(block, Table))


# --- rows


@pytest.mark.parametrize(
    "today", [MONDAY, date(2026, 11, 27), date(2026, 12, 30)], ids=str
)
def test_what_a_row_of_a_page_chooses_is_an_option_of_its_board(today: date) -> None:
    """An option the mapping does not have is left unwritten, and complained of in every run."""
    asked = client("c2", status_page=True, presentation=True)
    idea = card("p2", Stage.PROPOSAL, client=asked.ref)
    chosen = {
        (fact.field, fact.value)
        for fact in written(agency(today, asked, idea)).facts
        if fact.ref.source == "meetings" and fact.field in CHOICES
    }
    assert chosen
    assert [one for one in chosen if one[1] not in CHOICES[one[0]]] == []


# --- Monday cut


def test_a_cut_counts_up_to_the_sunday_before() -> None:
    cut = pages(agency())["meeting:monday:u1:2026-11-16"].blocks
    week, month, quarter = table(cut, "Plan and actual").rows
    # 9-13 Nov: the fee of 22,000 over November's 21 days is 1,047.62 a day, in plan and fact alike.
    assert week[1:4] == ("€5,238", "€5,238", "€0")
    # 2-13 Nov: ten days; (22,000 - 10,476) over the eleven days from the 16th to the 30th.
    assert month[1:4] == ("€10,476", "€10,476", "€0")
    assert month[5] == "€1,048"
    # October's fee and November's ten days.
    assert quarter[1:4] == ("€32,476", "€32,476", "€0")
    assert "100%" in quarter[4]


def test_the_first_cut_of_a_month_closes_the_month_before() -> None:
    cut = pages(agency(date(2026, 11, 2)))["meeting:monday:firm:2026-11-02"].blocks
    week, month, _ = table(cut, "Plan and actual").rows
    assert week[:3] == ("Last week, Oct 26–31", "€5,000", "€5,000")
    assert (month[0], month[1], month[5]) == (
        "October 2026, as of Sunday, Nov 1",
        "€22,000",
        "—",
    )


def test_a_cut_names_the_clients_whose_week_was_not_usual() -> None:
    work = [issue(number, done=date(2026, 11, 10)) for number in range(2)]
    fixed = client("c2", name="Zeta", engagement="fixed_price")
    seen = agency(
        TODAY,
        fixed,
        card("p2", client=fixed.ref, budget=Decimal(8_000)),
        work={"p2": [*work, issue(7), issue(8)]},
    )
    text = said(pages(seen)["meeting:monday:firm:2026-11-16"].blocks)
    assert "▲ Zeta: +€4,000 (fixed price · accrued: budget × progress)" in text


def test_a_cut_is_kept_up_to_date_on_monday_and_stays_after() -> None:
    assert not pages(agency(MONDAY))["meeting:monday:u1:2026-11-16"].settled
    assert pages(agency(MONDAY + timedelta(days=1)))[
        "meeting:monday:u1:2026-11-16"
    ].settled


def test_the_firms_cut_has_a_line_for_every_unit() -> None:
    cut = pages(agency(TODAY, unit("u2", name="South")))[
        "meeting:monday:firm:2026-11-16"
    ].blocks
    assert [line[0] for line in table(cut, "By unit").rows] == [
        "North",
        "South",
        "**Whole firm**",
    ]
    assert sum(isinstance(block, Picture) for block in cut) == 1


# --- daily


def _moved(number: int, day: date, after: str, hour: int = 12) -> Any:
    return issue(
        number,
        category=after,
        moves=(Move(at(day, hour), "new", after),),
        summary=f"Thing {number}",
    )


def test_the_daily_tells_what_moved_since_the_last_working_day() -> None:
    monday = MONDAY
    work = [
        _moved(1, date(2026, 11, 13), "done"),
        _moved(2, date(2026, 11, 14), "indeterminate"),
        _moved(3, date(2026, 11, 12), "done"),
        _moved(4, monday, "done", 8),
    ]
    text = said(
        pages(agency(monday, work={"p1": work}))[f"meeting:daily:u1:{monday}"].blocks
    )
    assert "issues moved: 2, finished: 1" in text
    assert (
        "ACME-1 " in text,
        "ACME-2 " in text,
        "ACME-3 " in text,
        "ACME-4 " in text,
    ) == (True, True, False, False)


def test_the_daily_names_what_is_stuck_due_and_who_is_away() -> None:
    away = person("dev", time_off=(Span(TODAY, TODAY + timedelta(days=3)),))
    work = [
        issue(1, due=TODAY - timedelta(days=2)),
        issue(2, flagged=True),
        issue(3, due=TODAY),
    ]
    task = row(
        "tasks",
        "t1",
        worker=False,
        title="Call Vera",
        status="new",
        client=(Ref("clients", "c1"),),
        due=TODAY,
    )
    blocks = pages(agency(TODAY, away, work={"p1": work}, rows={"tasks": (task,)}))[
        f"meeting:daily:u1:{TODAY}"
    ].blocks
    text = said(blocks)
    assert ("ACME-1 " in text, "ACME-2 " in text, "ACME-3 " in text) == (
        True,
        True,
        False,
    )
    assert any(
        isinstance(block, ToDo) and "Call Vera" in block.text for block in blocks
    )
    assert any(
        isinstance(block, Callout) and "Dev until Nov 21, 2026" in shown(block.text)
        for block in blocks
    )


def test_there_is_no_daily_on_a_day_off() -> None:
    assert not [key for key in pages(agency(date(2026, 11, 21))) if ":daily:" in key]


def test_only_todays_daily_is_written() -> None:
    assert [key for key in pages(agency()) if ":daily:" in key] == [
        f"meeting:daily:u1:{TODAY}"
    ]


# --- agendas


@pytest.mark.parametrize(
    ("today", "key"),
    [
        (date(2026, 11, 25), ""),
        (date(2026, 11, 26), "meeting:monthly:u1:2026-12"),
        (date(2026, 12, 1), "meeting:monthly:u1:2026-12"),
        (date(2026, 12, 2), ""),
        (date(2026, 12, 29), "meeting:quarterly:u1:2027-Q1"),
    ],
)
def test_an_agenda_is_ready_three_working_days_ahead_and_rests_after_the_meeting(
    today: date, key: str
) -> None:
    found = [
        one
        for one in pages(agency(today))
        if ":monthly:" in one or ":quarterly:" in one
    ]
    assert found == ([key] if key else [])


def test_an_agenda_looks_back_on_risks_and_tasks_as_they_will_stand() -> None:
    today = date(2026, 12, 29)
    seen = agency(
        today,
        work={"p1": [issue(number, due=date(2026, 12, 1)) for number in range(12)]},
    )
    first = written(seen)
    before = pages(seen)["meeting:quarterly:u1:2027-Q1"].blocks
    again = pages(applied(seen, first))["meeting:quarterly:u1:2027-Q1"].blocks
    assert "risks opened" in said(before) or "risk opened" in said(before)
    assert said(before) == said(again)


def test_an_agenda_reads_a_day_with_a_time_as_that_day() -> None:
    late = row(
        "tasks",
        "call",
        worker=False,
        title="Call the lawyer",
        client=(Ref("clients", "c1"),),
        status="new",
        due=at(date(2026, 11, 10)),
    )
    risk = row(
        "risks",
        "risk:own:c1",
        title="Contract ends",
        client=(Ref("clients", "c1"),),
        status="closed",
        first_seen=at(date(2026, 11, 2)),
    )
    seen = agency(date(2026, 11, 26), rows={"tasks": (late,), "risks": (risk,)})
    text = said(pages(seen)["meeting:monthly:u1:2026-12"].blocks)
    assert "Call the lawyer · due Nov 10, 2026" in text.split("Promises not kept")[1]
    assert "  - Contract ends\n\n- 0 risks closed" in text


@pytest.mark.parametrize(
    ("spell", "opened", "closed"),
    [
        (Spell(date(2026, 11, 2), 3, gone=date(2026, 11, 9)), 1, 1),
        (Spell(date(2026, 9, 30), 3, gone=date(2026, 11, 9)), 0, 1),
        (Spell(date(2026, 11, 2), 3, gone=date(2026, 12, 1)), 1, 0),
        (Spell(date(2026, 9, 30), 3, closed=date(2026, 11, 9)), 0, 1),
        (
            Spell(
                date(2026, 9, 30), 3, gone=date(2026, 12, 1), closed=date(2026, 11, 9)
            ),
            0,
            1,
        ),
    ],
)
def test_a_risk_counts_where_it_opened_and_where_it_was_over(
    spell: Spell, opened: int, closed: int
) -> None:
    # Its score last changed in November, which tells nothing of when it was over.
    risk = row(
        "risks",
        "risk:money.contract_ends:c1",
        title="Contract ends",
        client=(Ref("clients", "c1"),),
        status="closed",
        first_seen=spell.opened,
        last_change=date(2026, 11, 20),
        spells=write_spells((spell,)),
    )
    seen = agency(date(2026, 12, 1), rows={"risks": (risk,)})
    text = said(pages(seen)["meeting:monthly:u1:2026-12"].blocks)
    counts = re.findall(r"(\d) risks? (?:opened|closed)", text)
    assert counts == [str(opened), str(closed)]


def test_a_risk_that_came_back_was_closed_all_the_same() -> None:
    spells = (
        Spell(date(2026, 11, 2), 3, gone=date(2026, 11, 9)),
        Spell(date(2026, 12, 1), 3),
    )
    risk = row(
        "risks",
        "risk:money.contract_ends:c1",
        title="Contract ends",
        client=(Ref("clients", "c1"),),
        status="open",
        first_seen=date(2026, 12, 1),
        spells=write_spells(spells),
    )
    seen = agency(date(2026, 12, 1), rows={"risks": (risk,)})
    text = said(pages(seen)["meeting:monthly:u1:2026-12"].blocks)
    assert "- 1 risk opened\n  - Contract ends" in text
    assert "- 1 risk closed\n  - Contract ends" in text


def test_feedback_on_people_stays_off_the_agenda() -> None:
    ideas = {
        one.ref: one
        for kind in ("feature", "feedback")
        for one in (
            Idea(
                Ref("backlog", kind),
                f"Item {kind}",
                kind=kind,
                status="validated",
                unit=Ref("units", "u1"),
            ),
        )
    }
    text = said(
        pages(agency(date(2026, 12, 1), ideas=ideas))[
            "meeting:monthly:u1:2026-12"
        ].blocks
    )
    assert ("Item feature" in text, "Item feedback" in text) == (True, False)


def _said(day: date, score: int, who: str | None, text: str) -> Feedback:
    person_ref = Ref("people", who) if who else None
    return Feedback(
        Ref("feedback", f"{who}-{day}"),
        client=Ref("clients", "c1"),
        person=person_ref,
        day=day,
        score=Decimal(score),
        text=text,
    )


def _reviewed(**fields: Any) -> dict[str, PageFact]:
    entries = (
        _said(date(2026, 10, 5), 5, "dev", "Fine"),
        _said(date(2026, 12, 7), 2, "dev", "Rude"),
        _said(date(2026, 12, 8), 4, None, "Good team"),
        _said(date(2026, 9, 30), 1, "tl", "Long ago"),
    )
    sources = SOURCES | {"meetings", "feedback", "reviews"}
    return pages(
        replace(
            agency(date(2026, 12, 29)),
            feedback={one.ref: one for one in entries},
            **{"sources": sources, **fields},
        )
    )


def test_what_was_said_of_members_stands_on_the_private_page_alone() -> None:
    found = _reviewed()
    review = said(found.pop("review:2026-Q4").blocks)
    # Two entries about Dev: (5 + 2) / 2; the one of September belongs to the quarter before.
    assert "2 entries, average mark 3.5 of 5" in review
    assert [word in review for word in ("Dev", "Rude", "Good team", "Long ago")] == [
        True,
        True,
        True,
        False,
    ]
    assert "3 entries; the Head of Accounts" in said(
        found["meeting:quarterly:u1:2027-Q1"].blocks
    )
    assert not [key for key, page in found.items() if "Rude" in said(page.blocks)]


def test_without_a_private_root_there_is_no_private_page() -> None:
    assert "review:2026-Q4" not in _reviewed(sources=SOURCES | {"meetings"})


# --- client and portfolio


def test_a_clients_page_shows_ray_money_health_people_and_actions() -> None:
    task = row(
        "tasks",
        "t1",
        worker=False,
        title="Call Vera",
        status="new",
        client=(Ref("clients", "c1"),),
        due=TODAY,
    )
    idea = card(
        "p2", Stage.PROPOSAL, name="Next thing", expected_start=date(2027, 3, 1)
    )
    blocks = pages(agency(TODAY, idea, rows={"tasks": (task,)}))["c1"].blocks
    headings = [
        block.text
        for block in blocks
        if isinstance(block, Heading) and block.text != "Open risks"
    ]
    assert headings == [
        "Ray",
        "Money",
        "Health and its reasons",
        "People",
        "Next actions",
    ]
    text = said(blocks)
    # From 1 February to 1 March are four weeks.
    assert (
        "Work is secured until Feb 1, 2027. Then a gap of 4 weeks until the next card."
        in text
    )
    assert "Vera · CEO · last contact Nov 10, 2026" in text
    assert any(
        isinstance(block, Bullet) and "Call Vera" in block.text for block in blocks
    )
    picture = next(block for block in blocks if isinstance(block, Picture))
    assert [ray.label for ray in picture.chart.rays] == ["Card p1", "Next thing"]  # type: ignore[union-attr]


def test_a_clients_page_lists_what_waits_its_turn_and_for_whom() -> None:
    idle = datetime(2026, 10, 1, tzinfo=UTC)
    ideas = [
        card(f"idea{n}", Stage.IDEA, name=f"Idea {n}", jira=None, edited=idle)
        for n in range(18)
    ]
    blocks = pages(agency(TODAY, *ideas))["c1"].blocks
    text = said(blocks)
    before, _, waiting = text.partition("Waiting their turn")
    # Five tasks of the sprint, three of them steps on ideas; of the other fifteen ten are listed.
    assert before.count("Take the next step on") == 3
    assert waiting.count("Take the next step on “Idea ") == 10
    assert waiting.count(" · Am") == 10
    assert "and 5 more" in waiting


def test_a_clients_page_says_nothing_of_waiting_where_nothing_waits() -> None:
    assert "Waiting their turn" not in said(pages(agency())["c1"].blocks)


def test_the_portfolio_tells_mix_and_concentration() -> None:
    newbiz = client(
        "c2",
        name="Zeta",
        group="newbiz",
        unit=None,
        engagement="retainer",
        monthly_fee=Decimal(5_500),
    )
    blocks = pages(agency(TODAY, newbiz))["meeting:portfolio"].blocks
    text = said(blocks)
    assert "2 clients · 1 account · 1 newbiz" in text
    assert "Accounts in units bring 80%, newbiz 20%" in text
    assert "Account managers have room for 1 new client." in text
    assert "The largest client, C1, brings 80% (alarm at 25%). 🔴" in text
    assert len(table(blocks, "Clients").rows) == 3


def test_what_is_neither_of_units_nor_newbiz_is_told_apart() -> None:
    """Fees of 22,000 in a unit, 11,000 of newbiz, 11,000 of an account without a unit: 50, 25 and 25 %."""
    fee = {"engagement": "retainer", "monthly_fee": Decimal(11_000), "unit": None}
    newbiz = client("c2", group="newbiz", **fee)
    apart = client("c3", **fee)
    text = said(pages(agency(TODAY, newbiz, apart))["meeting:portfolio"].blocks)
    assert "Accounts in units bring 50%, newbiz 25%" in text
    assert "Clients that are neither bring 25%." in text


def test_a_client_in_no_unit_and_a_card_without_dates_have_their_pages() -> None:
    seen = world(
        client("c9", unit=None),
        card("p9", Stage.IDEA, client=Ref("clients", "c9"), jira=None),
        sources=SOURCES | {"meetings"},
    )
    assert {"c9", "meeting:portfolio", "meeting:monday:firm:2026-11-16"} <= set(
        pages(seen)
    )


# --- all pages


def test_later_on_the_same_day_every_page_is_the_same() -> None:
    seen = agency(work={"p1": [issue(number) for number in range(12)]})
    first = written(seen)
    later = replace(applied(seen, first), now=seen.now + timedelta(hours=5))
    assert {key: page.blocks for key, page in pages(later).items()} == {
        page.ref.key: page.blocks for page in first.sections
    }


def test_a_weeks_pages_change_with_data_alone() -> None:
    tuesday, friday = agency(date(2026, 11, 17)), agency(date(2026, 11, 20))
    first, second = (pictures(seen) for seen in (tuesday, friday))
    assert first
    assert digest(first) == digest(second)


def pictures(seen: World) -> list[Block]:
    return [block for block in pages(seen)["c1"].blocks if isinstance(block, Picture)]


def test_a_timeline_is_drawn_anew_with_the_week_and_with_what_people_type() -> None:
    seen = agency(date(2026, 11, 17))
    card = next(
        card
        for card in seen.cards.values()
        if card.client == Ref("clients", "c1") and card.start
    )
    moved = replace(
        seen,
        cards={**seen.cards, card.ref: replace(card, name=f"{card.name}, part two")},
    )
    assert (
        len(
            {digest(pictures(one)) for one in (seen, moved, agency(date(2026, 11, 24)))}
        )
        == 3
    )


@pytest.mark.fails_softly
def test_a_page_that_fails_is_a_problem_and_leaves_the_others() -> None:
    broken = issue(1, summary=None, flagged=True)
    seen = agency(work={"p1": [broken]})
    found = write_pages(seen, judge(seen))
    (fault,) = [problem for problem in found.problems if problem.code in FAULTS]
    told, russian = (in_words(fault, load_words(one, "")) for one in ("en", "ru"))
    assert told.where == russian.where == f"meetings/meeting:daily:u1:{TODAY}"
    assert told.message.startswith("the page could not be written: TypeError: ")
    assert russian.message.startswith("страницу не удалось написать: TypeError: ")
    assert russian.hint == "сообщите об этом; остальные страницы написаны"
    assert "meeting:portfolio" in {section.ref.key for section in found.sections}


def test_without_meetings_only_clients_have_sections() -> None:
    assert {
        section.ref.source
        for section in written(replace(agency(), sources=SOURCES)).sections
    } == {"clients"}


def test_russian_pages_have_no_english_headings() -> None:
    english = {
        block.text
        for page in pages(agency()).values()
        for block in page.blocks
        if isinstance(block, Heading)
    }
    russian = [
        block.text
        for page in pages(agency(words=load_words("ru", "RUB"))).values()
        for block in page.blocks
        if isinstance(block, Heading)
    ]
    assert russian
    assert not english & set(russian)


def test_a_name_with_marks_of_markdown_is_shown_as_it_is() -> None:
    name = "ООО «Ромашка» [**VIP**] (a)"
    seen = agency(TODAY, client("c2", name=name, unit=None))
    assert name in said(pages(seen)["meeting:portfolio"].blocks)
