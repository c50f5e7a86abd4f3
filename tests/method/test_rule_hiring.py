"""A person asked for is one row a unit and role: it opens with its need, people answer it, and it says when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    card,
    changed,
    client,
    issue,
    person,
    ref,
    unit,
    world,
)
from worker.domain.entities import Issue
from worker.domain.values import Ref, Unset, Value
from worker.method.capacity.hiring import plan_staff_requests
from worker.method.measures import StaffNeed
from worker.world.world import World

MONDAY = date(2026, 11, 23)
"""The first full week ahead of Wednesday, 18 November."""

U1 = ref("units", "u1")
KEY = "request:u1:designer"
A_DAY = timedelta(days=1)


def designed(hours: tuple[float, ...], **fields: Any) -> World:
    """Return a world in which the designer of unit u1 has so many hours of work in each week from 23 November on."""
    dee = person("dee", role="designer", capacity=Decimal(40), unit=U1)
    cards = []
    work = {}
    for number, amount in enumerate(hours):
        monday = MONDAY + timedelta(weeks=number)
        cards.append(card(f"w{number}", start=monday))
        work[f"w{number}"] = [weekly(number, amount, monday)]
    found = world(
        client(),
        unit(),
        dee,
        *cards,
        work=work,
        **{"sources": SOURCES | {"requests"}, **fields},
    )
    return replace(
        found, issues={one.id: one for items in work.values() for one in items}
    )


def weekly(number: int, hours: float, monday: date) -> Issue:
    """Return an open item of the designer that is due on the Friday of a week."""
    seconds = int(hours * 3600)
    friday = monday + timedelta(days=4)
    return issue(100 + number, estimate=seconds, due=friday, assignee="dee")


def stated(seen: World) -> dict[str, dict[str, Value | Unset]]:
    """Return what is stated of staff requests, by key and field."""
    rows: dict[str, dict[str, Value | Unset]] = {}
    for fact in judge(seen).facts:
        if fact.ref.source == "requests":
            rows.setdefault(fact.ref.key, {})[fact.field] = fact.value
    return rows


def next_day(seen: World, days: int = 1) -> World:
    """Return the world after its facts were written, some days later."""
    return applied(seen, judge(seen), today=seen.today + days * A_DAY)


def cells(seen: World) -> Mapping[str, Mapping[str, Value]]:
    """Return the rows of staff requests by key."""
    return {row.key: row.fields for row in seen.rows.get("requests", ())}


def eased(seen: World) -> World:
    """Return the world after the work was taken away."""
    done = {
        key: replace(one, category="done", remaining=0)
        for key, one in seen.issues.items()
    }
    work = {
        card: replace(own, issues=tuple(done[one.id] for one in own.issues))
        for card, own in seen.work.items()
    }
    return replace(seen, issues=done, work=work)


def test_an_overload_asks_for_a_person() -> None:
    """Weeks of 50 and 60 h of 40 h lack 10 and 20 h: 15 h a week from Monday, 30 November."""
    assert stated(designed((40, 50, 60))) == {
        KEY: {
            "name": "North: designer",
            "status": "open",
            "unit": (U1,),
            "role": "designer",
            "hours": Decimal(15),
            "since": date(2026, 11, 30),
            "why": "week of Nov 30: 50 h of 40 h, 125%; week of Dec 7: 60 h of 40 h, 150%",
        }
    }


def test_nobody_is_asked_for_without_an_overload_or_a_data_source() -> None:
    assert stated(designed((40, 44, 44))) == {}
    assert stated(designed((60, 60), sources=SOURCES)) == {}


def test_a_need_beyond_the_hiring_lead_is_no_request_yet() -> None:
    """The need begins on 11 January; six weeks before is Monday, 30 November."""
    weeks = (20,) * 7 + (60, 60)
    seen = designed(weeks, today=date(2026, 11, 29))
    assert stated(seen) == {}
    assert list(stated(replace(seen, today=date(2026, 11, 30)))) == [KEY]


def test_a_request_is_kept_true_and_its_status_is_peoples() -> None:
    seen = next_day(designed((60, 60, 20)))
    seen = changed(seen, "requests", KEY, status="agreed", note="ask Kim")
    more = designed((60, 80, 20))
    seen = replace(seen, issues=more.issues, work=more.work)
    row = stated(seen)[KEY]
    assert "status" not in row
    assert row["hours"] == 30, "20 h and 40 h a week above 40"
    after = cells(next_day(seen))[KEY]
    assert (after["status"], after["note"]) == ("agreed", "ask Kim")


def test_running_twice_is_running_once() -> None:
    first = designed((60, 60))
    again = applied(first, judge(first))
    assert cells(applied(again, judge(again))) == cells(again)


@pytest.mark.parametrize("answer", ["hired", "declined"])
def test_an_answer_is_respected_until_the_need_was_gone_and_came_back(
    answer: str,
) -> None:
    busy = designed((60, 60, 60))
    seen = changed(next_day(busy), "requests", KEY, status=answer)
    for _ in range(3):
        assert stated(seen) == {}
        seen = next_day(seen)

    free = eased(seen)
    for _ in range(2):
        free = next_day(free)
        assert stated(free) == {}
    back = replace(free, issues=busy.issues, work=busy.work)
    assert list(stated(back)) == [f"{KEY}#2"]
    assert stated(back)[f"{KEY}#2"]["status"] == "open"
    assert cells(next_day(back))[KEY]["status"] == answer


def test_a_request_whose_need_ended_says_so_and_serves_again() -> None:
    """The work is gone from the 19th on; on the second day, the 20th, that is believed."""
    busy = designed((60, 60, 60))
    seen = eased(next_day(busy))
    assert stated(seen) == {}
    seen = next_day(seen)
    assert stated(seen) == {
        KEY: {"why": "Nobody is needed any more since Nov 19, 2026: the load fits."}
    }
    seen = next_day(seen)
    assert cells(seen)[KEY]["status"] == "open"

    back = stated(replace(seen, issues=busy.issues, work=busy.work))
    assert list(back) == [KEY]
    assert back[KEY]["hours"] == 20
    assert "status" not in back[KEY]


def test_an_answer_to_a_request_that_had_ended_stands_when_the_need_comes_back() -> (
    None
):
    busy = designed((60, 60, 60))
    seen = next_day(eased(next_day(busy)), days=2)
    seen = changed(next_day(seen), "requests", KEY, status="declined")
    seen = next_day(seen)
    back = stated(replace(seen, issues=busy.issues, work=busy.work))
    assert list(back) == [f"{KEY}#2"]


def test_a_deleted_request_is_not_made_again_while_the_need_lasts() -> None:
    seen = next_day(designed((60, 60)))
    gone = replace(
        seen,
        rows={**seen.rows, "requests": ()},
        trashed=frozenset({Ref("requests", KEY)}),
    )
    assert stated(gone) == {}
    assert stated(next_day(gone)) == {}


def test_a_lost_memory_asks_for_nobody_twice() -> None:
    seen = next_day(designed((60, 60)))
    seen = changed(seen, "requests", KEY, status="declined")
    lost = designed((60, 60))
    assert stated(replace(lost, rows=seen.rows)) == {}


def test_a_load_that_is_unknown_leaves_the_request_as_it_is() -> None:
    """Nine of ten items have no estimate any more: nobody can tell whether the need is over."""
    seen = next_day(designed((60, 60)))
    vague = {
        str(number): issue(number, assignee="dee", due=MONDAY) for number in range(9)
    }
    unclear = replace(seen, issues={**seen.issues, **vague})
    for _ in range(3):
        assert stated(unclear) == {}
        unclear = next_day(unclear)


def test_a_role_that_nobody_has_any_more_needs_nobody() -> None:
    seen = next_day(designed((60, 60)))
    alone = next_day(replace(seen, people={}))
    assert list(stated(alone)[KEY]) == ["why"]


def need(**fields: Any) -> StaffNeed:
    """Return a need of unit u1 for a designer."""
    usual = {"holds": True, "hours": Decimal(15), "since": MONDAY, "evidence": "full"}
    return StaffNeed(**{"unit": U1, "role": "designer", **usual, **fields})


@pytest.mark.parametrize(
    ("wish", "key", "fields"),
    [
        (
            {"unit": ref("units", "firm")},
            "request:firm:designer",
            {"name": "Whole firm: designer", "unit": (), "role": "designer"},
        ),
        (
            {"role": "pm"},
            "request:u1:pm",
            {"name": "North: project manager", "unit": (U1,), "role": "pm"},
        ),
        # A role of the agency's own is no option of the board.
        (
            {"role": "poet"},
            "request:u1:poet",
            {"name": "North: poet", "unit": (U1,), "role": None},
        ),
    ],
)
def test_a_request_names_whose_it_is(
    wish: dict[str, Any], key: str, fields: dict[str, Value]
) -> None:
    seen = world(unit(), sources=SOURCES | {"requests"})
    facts = plan_staff_requests(seen, (need(**wish),)).facts
    found = {fact.field: fact.value for fact in facts if fact.ref.key == key}
    assert {name: found[name] for name in fields} == fields


def test_two_roles_of_a_unit_are_two_requests_in_any_order() -> None:
    seen = world(unit(), sources=SOURCES | {"requests"})
    needs = (need(), need(role="pm"))

    def order(some: tuple[StaffNeed, ...]) -> set[str]:
        return {
            f"{fact.ref}#{fact.field}={fact.value}"
            for fact in plan_staff_requests(seen, some).facts
        }

    assert order(needs) == order(needs[::-1])
    assert len({line.partition("#")[0] for line in order(needs)}) == 2


def test_needs_that_are_unknown_end_nothing() -> None:
    seen = next_day(designed((60, 60)))
    assert plan_staff_requests(seen, None).occurrences == {}
    assert seen.today == TODAY + A_DAY
