"""A turn of the calendar empties figures of the sample agency though nobody did anything: no limit may call that a loss."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time

import pytest
from msgspec.structs import replace

from tests.support.agency import first_morning
from tests.support.worlds import PLAYBOOKS
from worker.config import Limits
from worker.domain.values import Ref, Unset, Value
from worker.mapping.load import load_schema
from worker.method import evaluate
from worker.plan.merge import is_empty

TURNS = {
    "day": (date(2026, 11, 18), date(2026, 11, 19)),
    "week": (date(2026, 11, 20), date(2026, 11, 23)),
    "month": (date(2026, 11, 30), date(2026, 12, 1)),
    "quarter": (date(2027, 3, 31), date(2027, 4, 1)),
    "year": (date(2026, 12, 30), date(2027, 1, 11)),
}
LIMIT = Limits().destructive_share


def stated(today: date) -> dict[Ref, dict[str, Value]]:
    """Return what the rules state of each row on a day, if nobody does anything until then."""
    agency = first_morning("en").world
    noon = datetime.combine(today, time(12), agency.zone)
    outcome = evaluate(replace(agency, today=today, now=noon), PLAYBOOKS)
    cells: defaultdict[Ref, dict[str, Value]] = defaultdict(dict)
    for fact in outcome.facts:
        if not isinstance(fact.value, Unset):
            cells[fact.ref][fact.field] = fact.value
    return cells


def emptied(turn: str) -> dict[Ref, set[str]]:
    """Return the cells by row that a turn empties; none for rows that keep all of theirs."""
    before, after = TURNS[turn]
    old, new = stated(before), stated(after)
    return {
        ref: {
            name
            for name, value in cells.items()
            if not is_empty(value) and is_empty(new.get(ref, {}).get(name, value))
        }
        for ref, cells in old.items()
    }


@pytest.mark.parametrize("turn", TURNS)
def test_a_turn_of_the_calendar_is_no_loss_to_any_board(turn: str) -> None:
    transient = load_schema().transient()
    lost: defaultdict[str, list[bool]] = defaultdict(list)
    for ref, names in emptied(turn).items():
        cells = {(ref.source, name) for name in names}
        lost[ref.source].append(bool(cells - transient))
    assert len(lost["clients"]) > Limits().floor
    shares = {source: sum(rows) / len(rows) for source, rows in lost.items()}
    assert {name: share for name, share in shares.items() if share > LIMIT} == {}


def test_a_year_begins_without_plans_of_most_clients_and_without_their_pace() -> None:
    clients = [
        names for ref, names in emptied("year").items() if ref.source == "clients"
    ]
    for name in ("plan", "pace", "realisation"):
        assert sum(name in names for names in clients) > len(clients) * LIMIT
