"""The changed world: one pure function World -> World for each kind of change (docs/method.md 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.dated import Dated
from worker.domain.entities import (
    HUNTED,
    RUNNING,
    Card,
    CardWork,
    Issue,
    Person,
    Scenario,
    Stage,
    Unit,
)
from worker.domain.periods import A_DAY, WorkCalendar
from worker.domain.values import Ref
from worker.method.capacity.demand import remaining
from worker.method.formulas.group import units_of_people
from worker.method.formulas.rays import due_of, start_of
from worker.method.measures import CardMeasure
from worker.method.whatif.questions import Seen, begin_of, subject_of
from worker.world.world import World

USUAL_WEEK = Decimal(40)
SURE = Decimal(1)
Money = Decimal | None


def apply_change(world: World, row: Scenario, seen: Seen) -> World:
    """Return a world with one change made; `seen` is the real one with its measures."""
    return CHANGES[row.what or ""](world, row, seen)


def last_day(row: Scenario, today: date) -> date:
    """Return the last day on which all is as it was."""
    return begin_of(row, today) - A_DAY


def _pin(world: World, row: Scenario, _seen: Seen) -> World:
    """Write the amount into the plan's row, pinned, as a person does."""
    subject = subject_of(row)
    rows = []
    for plan in world.rows.get("plans", ()):
        if plan.ref == subject:
            fields = {**plan.fields, "target": row.value, "pinned": True}
            plan = replace(plan, fields=fields)
        rows.append(plan)
    return replace(world, rows={**world.rows, "plans": tuple(rows)})


# -- clients -----------------------------------------------------------------------------------------------------------


def _lose_client(world: World, row: Scenario, seen: Seen) -> World:
    """End the contract, give up what is not agreed, and cut the work that lies behind the last day."""
    subject = subject_of(row)
    last = last_day(row, world.today)
    client = world.clients[subject]
    end = min(client.contract_end or last, last)
    ended = replace(client, contract_end=end)

    cards = dict(world.cards)
    work = dict(world.work)
    for ref, card in world.cards.items():
        if card.client != subject:
            continue
        if _goes(card, last, world.today):
            cards[ref] = replace(card, stage=Stage.LOST)
        elif ref in work:
            work[ref] = _cut_work(work[ref], card, last, seen=seen)
    return replace(
        world,
        clients={**world.clients, subject: ended},
        cards=cards,
        work=work,
        issues=_issues_of(world, work),
    )


def _goes(card: Card, last: date, today: date) -> bool:
    """Tell whether nothing is left of a card: it was not agreed, or would have begun too late."""
    if card.stage in RUNNING:
        return last < today
    if card.stage is Stage.AGREED:
        start = start_of(card)
        return start is None or start > last
    return card.stage in HUNTED


def _cut_work(work: CardWork, card: Card, last: date, *, seen: Seen) -> CardWork:
    """Return the work with what is left of open issues up to a day: they lie evenly on their working days."""
    world = seen.world
    measure = seen.measures.cards.get(card.ref)
    end = _end_of(card, measure, world)
    start = max(world.today, card.start or world.today)
    issues = []
    for issue in work.issues:
        if not issue.done:
            issue = _cut(issue, start, end, last=last, calendar=world.calendar)
        issues.append(issue)
    return replace(work, issues=tuple(issues))


def _end_of(card: Card, measure: CardMeasure | None, world: World) -> date:
    """Return by when a card's undated issues are to be done, as their load is counted."""
    due = due_of(card, measure)
    if due is not None:
        return due
    if measure is not None and measure.forecast is not None:
        return measure.forecast.p85
    return world.today + timedelta(weeks=world.thresholds.undated_weeks)


def _cut(
    issue: Issue, start: date, end: date, *, last: date, calendar: WorkCalendar
) -> Issue:
    until = issue.due or end
    if until <= last:
        return issue
    left = remaining(issue)
    if left is None:
        return replace(issue, due=last)
    whole = calendar.working_days(start, until)
    before = calendar.working_days(start, last)
    part = 0
    if whole:
        part = left * before // whole
    return replace(issue, remaining=part, estimate=issue.estimate or left, due=last)


def _issues_of(world: World, work: Mapping[Ref, CardWork]) -> Mapping[str, Issue]:
    changed: dict[str, Issue] = {}
    for ref, now in work.items():
        if now is not world.work.get(ref):
            changed |= {issue.id: issue for issue in now.issues}
    if not changed:
        return world.issues
    return {**world.issues, **changed}


def _change_fee(world: World, row: Scenario, _seen: Seen) -> World:
    subject = subject_of(row)
    client = world.clients[subject]
    begin = begin_of(row, world.today)
    fees = _from(client.fees, client.monthly_fee, begin, row.value)
    changed = replace(client, fees=fees, monthly_fee=fees.on(world.today))
    return replace(world, clients={**world.clients, subject: changed})


def _from(
    dated: Dated[Money] | None, now: Money, day: date, value: Money
) -> Dated[Money]:
    """Return a history that holds a value from a day on, whatever was to come later."""
    history = dated or Dated(now)
    earlier = [change for change in history.changes if change[0] < day]
    return Dated(history.first, (*earlier, (day, value)))


# -- people ------------------------------------------------------------------------------------------------------------


def _add_person(world: World, row: Scenario, _seen: Seen) -> World:
    """Add somebody with an account of their own and no work yet."""
    name = f"whatif:{row.ref.key}"
    person = Person(
        Ref("people", name),
        row.name,
        role=row.role,
        jira=name,
        capacity=row.value or USUAL_WEEK,
        unit=subject_of(row),
        start=begin_of(row, world.today),
    )
    return replace(world, people={**world.people, person.ref: person})


def _lose_person(world: World, row: Scenario, _seen: Seen) -> World:
    """Let somebody go: out of the triangle, and out of the hours from the day on."""
    subject = subject_of(row)
    person = world.people[subject]
    home = person.unit
    if home is None and not person.allocation:
        named = units_of_people(world).get(subject, ())
        home = next(iter(named), None)
    gone = replace(person, end=last_day(row, world.today), unit=home)
    units = {ref: _without(unit, subject) for ref, unit in world.units.items()}
    return replace(world, people={**world.people, subject: gone}, units=units)


def _without(unit: Unit, person: Ref) -> Unit:
    roles = {}
    for name in ("am", "tls", "pms"):
        people: tuple[Ref, ...] = getattr(unit, name)
        roles[name] = tuple(ref for ref in people if ref != person)
    return replace(unit, **roles)


def _change_rate(world: World, row: Scenario, _seen: Seen) -> World:
    subject = subject_of(row)
    person = world.people[subject]
    begin = begin_of(row, world.today)
    rates = _from(person.rates, person.rate, begin, row.value)
    changed = replace(person, rates=rates, rate=rates.on(world.today))
    return replace(world, people={**world.people, subject: changed})


# -- cards -------------------------------------------------------------------------------------------------------------


def _move_start(world: World, row: Scenario, _seen: Seen) -> World:
    card = world.cards[subject_of(row)]
    moved = replace(card, start=row.start)
    if card.stage in HUNTED:
        moved = replace(card, expected_start=row.start)
    return _with_card(world, moved)


def _move_due(world: World, row: Scenario, _seen: Seen) -> World:
    """Promise another date, as a person does."""
    card = world.cards[subject_of(row)]
    promised = replace(world, own_cells=world.own_cells - {(card.ref, "due")})
    return _with_card(promised, replace(card, due=row.start))


def _win(world: World, row: Scenario, _seen: Seen) -> World:
    card = world.cards[subject_of(row)]
    begin = row.start or card.expected_start
    won = replace(card, stage=Stage.AGREED, probability=SURE, expected_start=begin)
    return _with_card(world, won)


def _with_card(world: World, card: Card) -> World:
    return replace(world, cards={**world.cards, card.ref: card})


CHANGES: Mapping[str, Callable[[World, Scenario, Seen], World]] = {
    "pin": _pin,
    "lose_client": _lose_client,
    "add_person": _add_person,
    "lose_person": _lose_person,
    "move_start": _move_start,
    "move_due": _move_due,
    "fee": _change_fee,
    "rate": _change_rate,
    "win": _win,
}
"""How the world changes, by `what` of a row."""


def lost_clients(rows: tuple[Scenario, ...], today: date) -> dict[Ref, date]:
    """Return the clients that a scenario loses, with the last day of each."""
    lost = {}
    for row in rows:
        if row.what == "lose_client":
            lost[subject_of(row)] = last_day(row, today)
    return lost
