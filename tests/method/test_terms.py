"""Prices, models, budgets and units by the day they were in force; each case worked out by hand (docs/method.md 2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.worlds import at, card, client, person, row, unit, world
from worker.domain.dated import Dated
from worker.domain.entities import Card, Client, Person, Term
from worker.domain.values import Ref
from worker.errors import Code
from worker.method.money.terms import record_terms
from worker.world.memory import SeenCells
from worker.world.rows import term_key
from worker.world.terms import Dating, Entity, Terms

C1 = Ref("clients", "c1")
P1 = Ref("projects", "p1")
DEV = Ref("people", "dev")
MONDAY, TUESDAY, LATER = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 10)


def term(
    what: str,
    value: object,
    start: date,
    *,
    key: str = "",
    subject: Ref = C1,
    created: date = MONDAY,
) -> Term:
    """Return a row of terms, a person's unless it has a key."""
    ref = Ref("terms", key or f"{what}-{value}-{start}")
    return Term(
        ref,
        key,
        ref.key,
        "https://notion.so/t",
        at(created),
        subject,
        what,
        str(value),
        start,
    )


class Seen:
    """A workspace whose worker remembers the cells it saw from day to day."""

    def __init__(self) -> None:
        self.memory: dict[str, SeenCells] = {}
        self.deleted: set[Ref] = set()
        self.found = Terms()

    def client(self, day: date, *terms: Term, **fields: Any) -> Client:
        """Return client c1 with these cells, as dated on a day."""
        names = {"fee": "monthly_fee", "model": "engagement", "unit": "unit"}
        cells = {names[name]: value for name, value in fields.items()}
        entity = replace(client(unit=None), **cells)
        return self._date(day, terms, "clients", entity, cells)

    def card(self, day: date, *terms: Term, **cells: Any) -> Card:
        """Return card p1 with these cells, as dated on a day."""
        return self._date(day, terms, "projects", card(**cells), cells)

    def person(self, day: date, *terms: Term, **cells: Any) -> Person:
        """Return a person with these cells, as dated on a day."""
        return self._date(day, terms, "people", person("dev", **cells), cells)

    def _date(
        self,
        day: date,
        terms: tuple[Term, ...],
        source: str,
        entity: Entity,
        cells: Any,
    ) -> Entity:
        dating = Dating(terms, self.memory, trashed=frozenset(self.deleted), today=day)
        page = row(source, entity.ref.key, worker=False, **cells)
        dated = dating.date({entity.ref: entity}, [page])
        self.found = dating.terms
        self.memory |= self.found.cells
        return dated[entity.ref]


def amount(value: int) -> Decimal:
    """Return an amount of money."""
    return Decimal(value)


def test_a_cell_that_never_changed_has_no_history() -> None:
    seen = Seen()
    seen.client(MONDAY, fee=amount(100), model="retainer")
    now = seen.client(TUESDAY, fee=amount(100), model="retainer")
    assert now.fees is None
    assert now.monthly_fee == 100


def test_a_change_counts_from_the_day_it_is_seen() -> None:
    seen = Seen()
    seen.client(MONDAY, fee=amount(100))
    now = seen.client(LATER, fee=amount(120))
    assert now.fees == Dated(amount(100), ((LATER, amount(120)),))
    again = seen.client(date(2026, 12, 1), fee=amount(120))
    assert again.fees == now.fees


def test_running_twice_sees_a_change_once() -> None:
    seen = Seen()
    seen.client(MONDAY, fee=amount(100))
    now = seen.client(LATER, fee=amount(120))
    memory = dict(seen.memory)
    assert seen.client(LATER, fee=amount(120)) == now
    assert seen.memory == memory


def test_several_changes_of_one_day_are_one() -> None:
    seen = Seen()
    seen.client(MONDAY, fee=amount(100))
    seen.client(LATER, fee=amount(12_000))
    now = seen.client(LATER, fee=amount(120))
    assert now.fees == Dated(amount(100), ((LATER, amount(120)),))
    back = seen.client(LATER, fee=amount(100))
    assert back.fee_on(LATER) == back.fee_on(MONDAY) == 100


def test_what_is_typed_on_the_first_day_is_no_change() -> None:
    seen = Seen()
    seen.client(MONDAY, fee=amount(1))
    now = seen.client(MONDAY, fee=amount(100), model="retainer")
    assert now.fees is None
    assert now.models is None


def test_a_clients_empty_cell_was_not_known() -> None:
    """Filled in later it counts from the beginning; emptied, it ends on the day that is seen."""
    seen = Seen()
    seen.client(MONDAY, fee=None, model=None, unit=None)
    now = seen.client(LATER, fee=amount(100), model="retainer")
    assert now.fee_on(MONDAY) == 100
    assert now.model_on(MONDAY) == "retainer"
    ended = seen.client(date(2026, 12, 1), fee=None, model="retainer")
    assert ended.fees == Dated(amount(100), ((date(2026, 12, 1), None),))


def test_an_empty_budget_or_rate_is_none() -> None:
    """A rate that was not given was the agency's usual one, and nothing was promised without a budget."""
    seen = Seen()
    seen.card(MONDAY, budget=None)
    now = seen.card(LATER, budget=amount(500))
    assert now.budgets == Dated(None, ((LATER, amount(500)),))
    seen.person(MONDAY, rate=None)
    raised = seen.person(LATER, rate=amount(30))
    assert raised.rates == Dated(None, ((LATER, amount(30)),))


def test_a_cell_that_cannot_be_read_has_not_changed() -> None:
    """An amount below zero is named elsewhere; an unreadable cell is absent."""
    seen = Seen()
    seen.client(MONDAY, fee=amount(100))
    dating = Dating((), seen.memory, trashed=frozenset(), today=LATER)
    page = row("clients", "c1", worker=False, monthly_fee=amount(-5))
    dated = dating.date({C1: client(monthly_fee=None)}, [page])
    assert dated[C1].fees is None
    assert dating.terms.cells == {}
    page = row("clients", "c1", worker=False)
    dating.date({C1: client(monthly_fee=None)}, [page])
    assert dating.terms.cells == {}


def test_a_persons_date_counts_and_the_past_keeps_its_price() -> None:
    """100,000 until the end of October, 120,000 from 1 November on, typed on the 10th."""
    seen = Seen()
    seen.client(MONDAY, fee=amount(100_000))
    dated = term("fee", 120_000, date(2026, 11, 1), created=LATER)
    now = seen.client(LATER, dated, fee=amount(120_000))
    assert now.fees is not None
    assert now.fee_on(date(2026, 10, 31)) == 100_000
    assert now.fee_on(date(2026, 11, 1)) == 120_000
    assert [seen.key for seen in seen.found.seen] == [term_key("fee", C1)], (
        "what the cell said before is all that needs a row"
    )


def test_a_raise_may_be_dated_ahead() -> None:
    seen = Seen()
    seen.client(MONDAY, fee=amount(100))
    ahead = term("fee", 130, date(2026, 12, 1))
    now = seen.client(LATER, ahead, fee=amount(100))
    assert now.monthly_fee == 100
    then = seen.client(date(2026, 12, 1), ahead, fee=amount(130))
    assert then.fees == Dated(amount(100), ((date(2026, 12, 1), amount(130)),))
    assert [(one.key, one.change.value) for one in seen.found.seen] == [
        (term_key("fee", C1), "100")
    ]


def test_a_cell_that_says_something_else_than_its_terms_is_named() -> None:
    seen = Seen()
    seen.client(MONDAY, fee=amount(100))
    ahead = term("fee", 130, date(2026, 12, 1))
    now = seen.client(date(2026, 12, 2), ahead, fee=amount(100))
    assert now.monthly_fee == 130
    assert [problem.code for problem in seen.found.problems] == [Code.OTHER_TERM]


def test_people_tell_the_whole_history_at_once() -> None:
    """Of a client first seen in November: 90 from 2024 on, 100 from 2025, 120 from November 2026."""
    seen = Seen()
    terms = [
        term("fee", 100, date(2025, 1, 1)),
        term("fee", 120, date(2026, 11, 1)),
        term("fee", 90, date(2024, 1, 1)),
    ]
    Random(1).shuffle(terms)
    now = seen.client(LATER, *terms, fee=amount(120))
    prices = [now.fee_on(date(year, 6, 1)) for year in (2023, 2024, 2025, 2026)]
    assert prices == [90, 90, 100, 100]
    assert now.fee_on(LATER) == 120
    assert seen.found.problems == ()


def test_two_terms_from_one_day_are_named_and_the_first_made_counts() -> None:
    for order in (1, -1):
        seen = Seen()
        terms = [
            term("fee", 110, TUESDAY, created=MONDAY),
            term("fee", 120, TUESDAY, created=TUESDAY),
        ][::order]
        now = seen.client(LATER, *terms, fee=amount(110))
        assert now.fee_on(LATER) == 110
        assert [problem.code for problem in seen.found.problems] == [
            Code.OVERLAPPING_TERMS
        ]


def rows_of(seen: Seen) -> list[Term]:
    """Return the worker's rows as they read after the facts were written."""
    base = world(client(since=date(2024, 1, 1)), card(), person("dev"), unit())
    facts = record_terms(
        replace(base, terms=seen.found, sources=base.sources | {"terms"})
    ).facts
    fields: dict[str, dict[str, object]] = {}
    for fact in facts:
        fields.setdefault(fact.ref.key, {})[fact.field] = fact.value
    return list(_terms(fields))


def _terms(fields: dict[str, dict[str, object]]) -> Iterator[Term]:
    for key, values in fields.items():
        value = values.get("value", values.get("model"))
        if "unit" in values:
            units = values["unit"]
            value = units[0] if units else ""  # type: ignore[index]
        subject = values.get("client") or values.get("project") or values.get("person")
        yield term(
            str(values["what"]),
            "" if value is None else value,
            values["from"],  # type: ignore[arg-type]
            key=key,
            subject=subject[0],  # type: ignore[index]
        )


def test_a_seen_change_gets_its_rows() -> None:
    """One of what the cell said in the beginning, one of what it came to say."""
    seen = Seen()
    seen.client(MONDAY, fee=amount(100))
    seen.client(LATER, fee=amount(120))
    rows = {(one.start, one.value) for one in rows_of(seen)}
    assert rows == {(date(2024, 1, 1), "100"), (LATER, "120")}


def test_the_history_is_read_back_after_the_state_was_lost() -> None:
    seen = Seen()
    unit_2 = Ref("units", "u2")
    seen.client(MONDAY, fee=amount(100), model="fixed_price", unit=Ref("units", "u1"))
    known = seen.client(LATER, fee=amount(120), model="retainer", unit=unit_2)
    rows = rows_of(seen)
    lost = Seen()
    again = lost.client(
        date(2026, 12, 1), *rows, fee=amount(120), model="retainer", unit=unit_2
    )
    for day in (date(2024, 5, 1), TUESDAY, LATER, date(2026, 12, 1)):
        assert again.fee_on(day) == known.fee_on(day)
        assert again.model_on(day) == known.model_on(day)
        assert again.unit_on(day) == known.unit_on(day)
    assert lost.found.problems == ()


@pytest.mark.parametrize("first", [None, 100])
@pytest.mark.parametrize("start", [date(2026, 11, 1), LATER, date(2026, 11, 30)])
def test_what_a_cell_said_before_a_persons_date_outlives_a_lost_state(
    first: int | None, start: date
) -> None:
    """A fee of 100, or none, is 120 from a day that a person gave: before it 100 counts, or none, after the loss too."""
    seen = Seen()
    old = None if first is None else amount(first)
    seen.client(MONDAY, fee=old)
    raised = term("fee", 120, start, created=LATER)
    last = date(2026, 12, 1)
    seen.client(LATER, raised, fee=old)
    rows = rows_of(seen)
    known = seen.client(last, raised, *rows, fee=amount(120))
    lost = Seen()
    again = lost.client(last, raised, *rows, fee=amount(120))
    for day in (date(2024, 5, 1), date(2026, 10, 31), start, last):
        expected = old if day < start else amount(120)
        assert known.fee_on(day) == again.fee_on(day) == expected
    assert lost.found.problems == ()


def test_the_row_of_the_beginning_does_not_change_the_past() -> None:
    """People said 200 from 10 and 100 from 11 November: so it was before that, also once the cell changes."""
    dated = [
        term("fee", 100, date(2026, 11, 11), created=date(2026, 11, 13)),
        term("fee", 200, date(2026, 11, 10), created=date(2026, 11, 20)),
    ]
    seen = Seen()
    seen.client(date(2026, 11, 13), dated[0], fee=amount(100))
    before = seen.client(date(2026, 11, 23), *dated, fee=amount(100))
    changed = seen.client(date(2026, 11, 24), *dated, fee=amount(300))
    after = seen.client(date(2026, 11, 25), *dated, *rows_of(seen), fee=amount(300))
    for day in (TUESDAY, LATER, date(2026, 11, 12)):
        assert before.fee_on(day) == changed.fee_on(day) == after.fee_on(day)


def test_a_person_corrects_the_date_of_a_seen_change() -> None:
    """Seen on the 10th; somebody sets its row to the 3rd."""
    seen = Seen()
    seen.client(MONDAY, fee=amount(100))
    seen.client(LATER, fee=amount(120))
    rows = [
        replace(one, start=TUESDAY) if one.start == LATER else one
        for one in rows_of(seen)
    ]
    for day in (LATER, date(2026, 11, 12)):
        now = seen.client(day, *rows, fee=amount(120))
        assert now.fee_on(MONDAY) == 100
        assert now.fee_on(TUESDAY) == 120


def test_who_deletes_the_row_of_a_change_says_that_the_cell_was_wrong() -> None:
    """1,000 was a slip of the pen for 100: the fee was 100 from the beginning."""
    seen = Seen()
    seen.client(MONDAY, fee=amount(1_000))
    seen.client(LATER, fee=amount(100))
    rows = rows_of(seen)
    change = next(one for one in rows if one.start == LATER)
    seen.deleted.add(Ref("terms", change.key))
    kept = [one for one in rows if one is not change]
    now = seen.client(date(2026, 11, 12), *kept, fee=amount(100))
    assert now.fee_on(MONDAY) == now.fee_on(LATER) == 100
    assert change.key not in {one.key for one in rows_of(seen)}


def test_histories_know_their_stretches() -> None:
    fee = Dated(1, ((TUESDAY, 2), (LATER, 3)))
    assert list(fee.spans(MONDAY, date(2026, 11, 30))) == [
        (MONDAY, MONDAY, 1),
        (TUESDAY, date(2026, 11, 9), 2),
        (LATER, date(2026, 11, 30), 3),
    ]
    assert list(fee.spans(TUESDAY, TUESDAY)) == [(TUESDAY, TUESDAY, 2)]
    assert list(fee.spans(LATER, TUESDAY)) == []
