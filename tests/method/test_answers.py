"""Which answers help: what is kept of risks and tasks, and what is said of playbooks (docs/method.md 9.2, 9.3)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, written
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    at,
    card,
    changed,
    client,
    person,
    row,
    unit,
    world,
)
from worker.domain.document import markdown
from worker.domain.entities import Row, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.hindsight.spells import MOST, Spell, follow_spells, write_spells
from worker.method.hindsight.tries import Try, write_try
from worker.method.hindsight.worth import Case, find_useless, weigh_cases
from worker.method.measures import RiskMeasure
from worker.method.outcome import Outcome
from worker.world.memory import Closing, Memory, Occurrence
from worker.world.world import World

P1 = Ref("projects", "p1")
NEXT = "task:next_step:p1"
SILENT = "risk:relations.no_contact:c1"
CALL = "task:contact_client:c1"
MEETING = date(2026, 12, 29)
"""Three working days before Q1 of 2027: the day of the agenda."""


def day(number: int) -> date:
    """Return the day so many days after TODAY."""
    return TODAY + timedelta(days=number)


def idle() -> World:
    """Return a world with one idea that nobody has moved for a month."""
    still = card(stage=Stage.IDEA, jira=None, edited=at(day(-30)))
    return world(client(), unit(), person("am", role="am"), still)


def silent(**fields: Any) -> World:
    """Return a world with a client nobody has spoken to for a month."""
    quiet = client(last_contact=day(-30), **fields)
    return world(quiet, unit(), person("am", role="am"))


def later(seen: World, outcome: Outcome, number: int) -> World:
    """Return the world so many days after TODAY, what was asked for being written."""
    return applied(seen, outcome, today=day(number))


def moved(seen: World, stage: Stage) -> World:
    """Return the world after a person moved card p1."""
    own = replace(seen.cards[P1], stage=stage)
    return replace(seen, cards={**seen.cards, P1: own})


def told(seen: World, source: str, key: str, field: str) -> Value | Unset:
    """Return what a row holds."""
    for one in seen.rows[source]:
        if one.ref.key == key:
            return one.fields.get(field)
    raise AssertionError(f"no row {key}")


def tried(seen: World, key: str) -> Try:
    """Return what is kept of a task."""
    text = told(seen, "tasks", key, "tried")
    assert isinstance(text, str)
    return msgspec.json.decode(text, type=Try)


# --- what is kept


def test_a_task_is_made_with_its_time_and_the_kind_of_its_client() -> None:
    seen = applied(idle(), judge(idle()))
    # Five working days after Wednesday the 18th are Wednesday the 25th; two weeks more.
    assert tried(seen, NEXT) == Try(date(2026, 12, 9), "account")


@pytest.mark.parametrize(
    ("number", "stage", "helped"),
    [
        (1, Stage.SHAPING, True),
        (21, Stage.AGREED, True),
        (22, Stage.AGREED, False),
        (1, Stage.LOST, False),
    ],
)
def test_a_task_helped_when_its_card_moved_within_its_time(
    number: int, stage: Stage, helped: bool
) -> None:
    seen = idle()
    seen = moved(later(seen, judge(seen), number), stage)
    seen = later(seen, judge(seen), number)
    expected = None
    if helped:
        expected = day(number)
    assert tried(seen, NEXT).helped == expected


def test_a_task_helped_when_its_risk_was_gone_and_stays_so_when_it_comes_back() -> None:
    seen = silent()
    seen = later(seen, judge(seen), 3)
    spoken = {**seen.clients, Ref("clients", "c1"): client(last_contact=day(3))}
    seen = replace(seen, clients=spoken)
    seen = later(seen, judge(seen), 4)
    assert tried(seen, CALL).helped is None, "one day without it is not believed"
    seen = later(seen, judge(seen), 30)
    assert tried(seen, CALL).helped == day(3)

    back = judge(seen)
    text = facts_of(back, "risks", SILENT)["spells"]
    assert isinstance(text, str)
    first, second = msgspec.json.decode(text, type=list[Spell])
    assert (first.opened, first.gone) == (TODAY, day(3))
    assert (second.opened, second.gone) == (day(30), None)
    assert tried(later(seen, back, 60), CALL).helped == day(3)


def test_what_is_kept_stands_after_a_lost_state_and_an_unchanged_day_says_nothing() -> (
    None
):
    seen = silent()
    seen = later(seen, judge(seen), 1)
    lost = replace(seen, memory=Memory())
    again = judge(lost)
    kept = {fact.field for fact in again.facts}
    assert not kept & {"spells", "tried"}
    assert "spells" not in {fact.field for fact in judge(seen).facts}


def test_cells_that_cannot_be_read_tell_nothing() -> None:
    seen = silent()
    seen = later(seen, judge(seen), 1)
    seen = changed(seen, "risks", SILENT, spells="not ours")
    seen = changed(seen, "tasks", CALL, tried="not ours")
    facts = facts_of(judge(seen), "risks", SILENT)
    assert isinstance(facts["spells"], str)
    assert not judge(seen).measures.worths


def test_a_task_without_card_and_risk_is_not_judged() -> None:
    seen = world(client(), unit(), person("am", role="am", birthday=day(3)))
    made = judge(seen)
    names = [fact.field for fact in made.facts if fact.ref.source == "tasks"]
    assert "name" in names
    assert "tried" not in names


def risk(mark: int, bites: date | None) -> RiskMeasure:
    """Return an open risk of a probability."""
    return RiskMeasure(
        Ref("risks", SILENT),
        "relations.no_contact",
        "C1: no contact",
        None,
        None,
        mark,
        3,
        "medium",
        Decimal(0),
        "",
        horizon=bites,
    )


def test_what_was_told_first_stands_and_the_last_spells_are_kept() -> None:
    life = Occurrence(SILENT, opened=TODAY)
    begun: tuple[Spell, ...] = follow_spells((), life, risk(2, day(9)), TODAY)
    assert begun == (Spell(TODAY, 2, day(9)),)
    assert follow_spells(begun, life, risk(5, day(1)), TODAY) == begun
    assert follow_spells((), life, risk(5, TODAY), TODAY) == (Spell(TODAY, 5),)

    spells: tuple[Spell, ...] = begun
    for number in range(1, 2 * MOST):
        again = replace(life, opened=day(number))
        spells = follow_spells(spells, again, risk(3, None), TODAY)
    assert len(spells) == MOST
    assert spells[-1].opened == day(2 * MOST - 1)


def test_the_end_that_was_known_before_a_state_was_lost_stays() -> None:
    known = (Spell(TODAY, 3, gone=day(4)),)
    closed = Occurrence(
        SILENT,
        opened=TODAY,
        closed=day(40),
        closing=Closing.PERSON,
        gone=day(40),
        ended=day(41),
    )
    assert follow_spells(known, closed, None, TODAY) == known


def test_the_day_people_closed_a_risk_is_kept_until_they_open_it_again() -> None:
    begun = (Spell(TODAY, 3),)
    held = Occurrence(SILENT, opened=TODAY)
    shut = replace(held, closed=day(2), closing=Closing.PERSON)
    known: tuple[Spell, ...] = follow_spells(begun, shut, None, day(2))
    assert known == (Spell(TODAY, 3, closed=day(2)),)

    # After a lost state the row alone tells of it, and its condition ends later.
    again = replace(held, closed=day(30), closing=Closing.PERSON)
    assert follow_spells(known, again, None, day(30)) == known
    ended = replace(again, gone=day(40), ended=day(41))
    over = follow_spells(known, ended, None, day(41))
    assert over == (Spell(TODAY, 3, gone=day(40), closed=day(2)),)
    assert over[0].over == day(2)

    assert follow_spells(known, held, risk(3, None), day(3)) == begun


# --- what is counted


def lived(seed: int) -> Iterator[Case]:
    """Yield five hundred cases of three playbooks and two kinds of client."""
    dice = random.Random(seed)
    for _ in range(500):
        playbook = dice.choice(["call", "bill", "plan"])
        answered = dice.random() < 0.6
        came_good = dice.random() < (0.5 if answered else 0.3)
        group = dice.choice(["account", "newbiz"])
        yield Case(playbook, group, answered, came_good)


@pytest.mark.parametrize("seed", range(5))
def test_five_hundred_cases_are_counted_as_another_count_has_them(seed: int) -> None:
    cases = list(lived(seed))
    count = Counter(cases)
    z = NormalDist().inv_cdf(0.975)
    for own in weigh_cases(cases, {"call": "Call", "bill": "Bill", "plan": "Plan"}):
        for share, answered in ((own.answered, True), (own.without, False)):
            hits = count[Case(own.playbook, own.group, answered, True)]
            misses = count[Case(own.playbook, own.group, answered, False)]
            assert (share.hits, share.tries) == (hits, hits + misses)
            for end in map(float, (share.low, share.high)):
                # Wilson: the ends solve (observed - s)^2 = z^2 s (1 - s) / n.
                observed = hits / (hits + misses)
                off = (observed - end) ** 2 - z * z * end * (1 - end) / share.tries
                assert abs(off) < 1e-9


@pytest.mark.parametrize(
    ("misses", "hits", "named"), [(19, 0, False), (20, 0, True), (40, 1, False)]
)
def test_a_playbook_is_named_when_it_never_helped_in_twenty_tries(
    misses: int, hits: int, named: bool
) -> None:
    cases = []
    for number in range(misses + hits):
        group = ("account", "newbiz")[number % 2]
        cases.append(Case("call", group, answered=True, came_good=number < hits))
    useless = find_useless(weigh_cases(cases, {"call": "Call"}))
    assert [own.playbook for own in useless] == ["call"] * named


# --- what is shown


def past(playbook: str, number: int, *, helped: bool, status: str = "done") -> Row:
    """Return a task whose time was over long ago, as its row alone tells."""
    until = date(2026, 10, 30)
    kept = Try(until, "account", until if helped else None)
    key = f"task:{playbook}:x{number}"
    return row(
        "tasks", key, created=date(2026, 10, 1), status=status, tried=write_try(kept)
    )


def agenda(*tasks: Row, risks: tuple[Row, ...] = ()) -> str:
    """Return the agenda of the quarterly meeting of an agency with these rows, after a lost state."""
    seen = world(
        client(),
        unit(),
        rows={"tasks": tasks, "risks": risks},
        today=MEETING,
        memory=Memory(),
        sources=SOURCES | {"meetings"},
    )
    for section in written(seen).sections:
        if section.ref.key.startswith("meeting:quarterly"):
            return markdown(section.blocks)
    raise AssertionError("no agenda")


def rows_of(text: str, title: str) -> list[list[str]]:
    """Return the cells of the lines of a table that begin with a title."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {title}")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_nothing_is_said_while_nothing_is_over() -> None:
    assert "Which answers help" not in agenda()


def test_few_tries_are_too_early_and_tell_no_rank() -> None:
    few = [past("contact_client", number, helped=True) for number in range(9)]
    many = [past("bill_work", number, helped=number < 4) for number in range(10)]
    text = agenda(*few, *many)
    assert rows_of(text, "Get in touch with … ") == [
        ["Get in touch with …", "accounts", "too early to tell (9 of 10)", "—"]
    ]
    # (4 + 1.92) / 13.84 ± 1.96 √(2.4 + 0.96) / 13.84
    assert rows_of(text, "Send … the act") == [
        [
            "Send … the act and the invoice for finished work",
            "accounts",
            "40% (4 of 10, interval 17% to 69%)",
            "—",
        ]
    ]
    assert text.index("Send … the act") < text.index("Get in touch with …")


def test_cancelled_tasks_and_risks_without_a_task_are_the_cases_without() -> None:
    done = [past("contact_client", number, helped=False) for number in range(20)]
    off = [
        past("contact_client", 100 + number, helped=number < 6, status="cancelled")
        for number in range(9)
    ]
    opened = date(2026, 9, 1)
    gone = Spell(opened, 3, gone=date(2026, 9, 9))
    alone = row(
        "risks",
        SILENT,
        status="closed",
        client=(Ref("clients", "c1"),),
        spells=write_spells((gone,)),
    )
    text = agenda(*done, *off, risks=(alone,))
    # 7 of 10 came good by themselves: six whose tasks were cancelled, and the risk nobody answered.
    assert rows_of(text, "Get in touch")[0][2:] == [
        "0% (0 of 20, interval 0% to 16%)",
        "70% (7 of 10, interval 40% to 89%)",
    ]
    assert "helped in none of 20 cases: change it or switch it off" in text
    assert "playbooks.contact_client" in text
