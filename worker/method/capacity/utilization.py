"""Capacity, utilization and load of people, units and plan nodes (docs/method.md 3.1; docs/facts/definitions.md 2).

Weeks are full ISO weeks: the last ones are behind us, the next ones begin next Monday (today, on a Monday). Units count
their producing people only, and each person once, but look at the load of every role; a group's figure is the ratio of
sums. What cannot be known stays empty: utilization where too few hours are logged, load where too few open items carry
an estimate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from operator import attrgetter

import msgspec

from worker.domain.entities import FIRM, Person
from worker.domain.periods import quarter_of
from worker.domain.values import Ref, Span, Value
from worker.method.capacity.demand import (
    Assigned,
    Expected,
    assigned_work,
    expected_work,
    share_out,
)
from worker.method.capacity.load import Load, hours, loads_of, spread
from worker.method.formulas.group import Staffing, staff
from worker.method.formulas.working_time import (
    Presence,
    contracted,
    effective,
    full_weeks_ahead,
    full_weeks_before,
    part_of,
    presence,
)
from worker.method.measures import (
    CardMeasure,
    LoadMeasure,
    PersonLoad,
    PlanMeasure,
    RoleLoad,
    UnitLoad,
    WeekLoad,
)
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.rows import plan_key
from worker.world.world import World

SHOWN_WEEKS = (4, 8)
HOUR = 3600


class _Staff(msgspec.Struct, frozen=True, gc=False):
    """What one run works on."""

    world: World
    past: Span
    ahead: tuple[Span, ...]
    staffing: Staffing
    assigned: Assigned
    expected: tuple[Expected, ...]
    loads: Mapping[Ref, Load]
    logged: Mapping[Ref, Load]
    presences: Mapping[Ref, Presence]
    cards: Mapping[Ref, set[Ref]]


def measure_utilization(
    world: World, cards: Mapping[Ref, CardMeasure], plans: Sequence[PlanMeasure]
) -> Findings[LoadMeasure]:
    """Return the fields of people, units and plan nodes, with everybody's weeks behind and ahead."""
    view = _view_of(world, cards, plans)
    people = {ref: _person(view, person) for ref, person in world.people.items()}
    everybody = tuple(ref for team in view.staffing.teams.values() for ref in team)
    teams = {unit: view.staffing.teams.get(unit, ()) for unit in world.units} | {
        FIRM: everybody
    }
    units = {
        unit: _unit(view, unit, [people[ref] for ref in team], people=people)
        for unit, team in teams.items()
    }
    facts = (
        *(fact for load in people.values() for fact in _person_facts(view, load)),
        *(
            fact
            for ref, load in units.items()
            if ref != FIRM
            for fact in _unit_facts(view, load)
        ),
        *(
            fact
            for plan in plans
            for fact in _plan_facts(view, plan, units.get(plan.unit))
        ),
    )
    return Findings(LoadMeasure(people, units), facts)


def _view_of(
    world: World, cards: Mapping[Ref, CardMeasure], plans: Iterable[PlanMeasure]
) -> _Staff:
    limits = world.thresholds
    staffing = staff(world)
    past = full_weeks_before(world.today, limits.utilization_weeks)
    ahead = _weeks_ahead(world)
    assigned = assigned_work(world, cards, accounts=staffing.accounts)
    expected = tuple(expected_work(world, cards, staffing))
    pieces = [
        *assigned.pieces,
        *(
            piece
            for demand in expected
            for piece in share_out(
                demand,
                [world.people[ref] for ref in staffing.teams.get(demand.unit, ())],
            )
        ),
    ]
    whole = Span(
        min(past.start, quarter_of(world.today).start),
        max(ahead[-1].end, *(plan.period.end for plan in plans), world.today),
    )
    logged = _logged_hours(world, staffing, since=whole.start)
    return _Staff(
        world,
        past,
        ahead,
        staffing,
        assigned,
        expected,
        spread(
            pieces, world.people, Span(world.today, whole.end), calendar=world.calendar
        ),
        {ref: loads_of(logged.get(ref, {}), whole) for ref in world.people},
        {
            ref: presence(person, whole, world.calendar)
            for ref, person in world.people.items()
        },
        _cards_of_people(world, staffing, assigned, since=past.start),
    )


def _weeks_ahead(world: World) -> tuple[Span, ...]:
    """Return the full weeks ahead: as many as are shown or a run may need, and one more for every week nobody works."""
    limits = world.thresholds
    count = max(*SHOWN_WEEKS, limits.hiring_lead_weeks + limits.load_weeks)
    idle = sum(
        world.calendar.working_days(week.start, week.end) == 0
        for week in full_weeks_ahead(world.today, count)
    )
    return full_weeks_ahead(world.today, count + idle)


def _logged_hours(
    world: World, staffing: Staffing, *, since: date
) -> Mapping[Ref, Mapping[date, float]]:
    """Return the hours by person and day since a day."""
    begin = world.begin_of(since)
    hours_by_author: dict[str, dict[date, float]] = defaultdict(
        lambda: defaultdict(float)
    )
    for log in world.worklogs:
        if log.started >= begin:
            hours_by_author[log.author][world.day_of(log.started)] += log.seconds / HOUR
    return {
        staffing.accounts[author]: hours
        for author, hours in hours_by_author.items()
        if author in staffing.accounts
    }


def _cards_of_people(
    world: World, staffing: Staffing, assigned: Assigned, *, since: date
) -> Mapping[Ref, set[Ref]]:
    """Return the cards of a person's open items and of the work logged since a day."""
    begin = world.begin_of(since)
    cards_by_author: dict[str, set[Ref]] = defaultdict(set, assigned.cards)
    for ref, work in world.work.items():
        for author in {log.author for log in work.worklogs if log.started >= begin}:
            cards_by_author[author].add(ref)
    return {
        staffing.accounts[author]: cards
        for author, cards in cards_by_author.items()
        if author in staffing.accounts
    }


def _person(view: _Staff, person: Person) -> PersonLoad:
    world = view.world
    ref = person.ref
    logged = (
        hours(view.logged[ref].within(view.past))
        if person.jira and world.worklogs
        else None
    )
    capacity = effective(person, view.past, view.presences[ref])
    open_items = view.assigned.open[person.jira or ""]
    estimated = open_items - view.assigned.unestimated[person.jira or ""]
    weeks = (
        tuple(
            _week(
                view,
                [person],
                week,
                known=_is_load_known(view, person, open_items, estimated),
            )
            for week in view.ahead
        )
        if person.capacity is not None
        else ()
    )
    next_4, next_8 = (_ratio_of(weeks[:count]) for count in SHOWN_WEEKS)
    return PersonLoad(
        ref,
        view.staffing.homes.get(ref),
        contracted(person, view.past),
        capacity,
        logged,
        part_of(logged, capacity),
        open_items,
        estimated,
        weeks,
        next_4,
        next_8,
        tuple(sorted(view.cards.get(ref, ()), key=attrgetter("key"))),
    )


def _effective_sum(view: _Staff, people: Iterable[Person], span: Span) -> Decimal:
    total = Decimal(0)
    for person in people:
        present = view.presences[person.ref]
        total += effective(person, span, present) or Decimal(0)
    return total


def _is_load_known(
    view: _Staff, person: Person | None, items: int, estimated: int
) -> bool:
    has_account = person is None or person.jira is not None
    return (
        bool(view.world.issues)
        and has_account
        and estimated >= view.world.thresholds.estimate_share * items
    )


def _week(
    view: _Staff, people: Sequence[Person], week: Span, *, known: bool
) -> WeekLoad:
    planned = sum(view.loads[person.ref].within(week) for person in people)
    return WeekLoad(
        week.start,
        _effective_sum(view, people, week),
        hours(planned) if known else None,
    )


def _ratio_of(weeks: Sequence[WeekLoad]) -> Decimal | None:
    planned, capacity = _sums(weeks)
    return part_of(planned, capacity)


def _sums(weeks: Sequence[WeekLoad]) -> tuple[Decimal | None, Decimal]:
    known = [week.load for week in weeks if week.load is not None]
    capacity = sum((week.capacity for week in weeks), Decimal(0))
    return (
        sum(known, Decimal(0)) if weeks and len(known) == len(weeks) else None
    ), capacity


def _unit(
    view: _Staff,
    unit: Ref,
    loads: Sequence[PersonLoad],
    *,
    people: Mapping[Ref, PersonLoad],
) -> UnitLoad:
    team = [view.world.people[load.person] for load in loads]
    known = _is_known(view, loads)
    weeks = tuple(_week(view, team, week, known=known) for week in view.ahead)
    planned, capacity = _sums(weeks[: SHOWN_WEEKS[0]])
    logged = (
        sum((load.logged or Decimal(0) for load in loads), Decimal(0))
        if view.world.worklogs
        else None
    )
    past = sum((load.effective or Decimal(0) for load in loads), Decimal(0))
    missing = () if logged is None else _missing_most(view, loads, logged, past=past)
    return UnitLoad(
        unit,
        tuple(load.person for load in loads),
        capacity,
        part_of(planned, capacity),
        past,
        logged,
        None if missing else part_of(logged, past),
        missing,
        weeks,
        tuple(_roles(view, unit, people)),
    )


def _missing_most(
    view: _Staff, loads: Sequence[PersonLoad], logged: Decimal, *, past: Decimal
) -> tuple[Ref, ...]:
    """Return who logged too few of their hours, the largest gap first, where the whole unit did."""
    least = view.world.thresholds.logs_share
    if logged >= least * past:
        return ()
    gaps = [
        (load.effective - (load.logged or Decimal(0)), load)
        for load in loads
        if load.effective is not None
    ]
    short = [
        (-gap, load.person)
        for gap, load in gaps
        if gap > (1 - least) * (load.effective or Decimal(0))
    ]
    return tuple(person for _, person in sorted(short))


def _is_known(view: _Staff, loads: Iterable[PersonLoad]) -> bool:
    """Tell whether the load of people is known together: enough of their open items carry an estimate."""
    open_items = sum(load.open for load in loads)
    estimated = sum(load.estimated for load in loads)
    return _is_load_known(view, None, open_items, estimated)


def _roles(
    view: _Staff, unit: Ref, people: Mapping[Ref, PersonLoad]
) -> Iterator[RoleLoad]:
    """Yield the load of every role somebody has in a unit, the producing ones first."""
    team = [view.world.people[ref] for ref in _visible(view, unit)]
    taken = sorted({person.role for person in team if person.role})
    producing = view.world.thresholds.producing_roles
    first = [role for role in producing if role in taken]
    for role in (*first, *(role for role in taken if role not in producing)):
        own = [person for person in team if person.role == role]
        known = _is_known(view, [people[person.ref] for person in own])
        weeks = (_week(view, own, week, known=known) for week in view.ahead)
        yield RoleLoad(role, tuple(weeks))


def _visible(view: _Staff, unit: Ref) -> tuple[Ref, ...]:
    """Return the people of a unit, or of the whole firm, whose work can be seen."""
    visible = view.staffing.visible
    if unit == FIRM:
        return tuple(ref for team in visible.values() for ref in team)
    return visible.get(unit, ())


def _why(inputs: Sequence[Input], formula: str, threshold: str = "") -> Why:
    return Why("resources", tuple(inputs), formula, threshold)


def _percent(value: Decimal | None) -> Decimal | None:
    """Return a share as it is written: to a whole percent, so that the noise of single hours writes nothing."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP) if value is not None else None


def _tenth(value: Decimal | None) -> Decimal | None:
    """Return hours as they are written."""
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP) if value is not None else None


def _person_facts(view: _Staff, load: PersonLoad) -> Iterator[Fact]:
    say = view.world.words.say
    words = view.world.words
    yield Fact(
        load.person,
        "utilization",
        _percent(load.utilization),
        _why(
            (
                Input(say("logged hours"), _shown(load.logged)),
                Input(say("effective capacity, h"), _shown(load.effective)),
                Input(say("contracted, h"), _shown(load.contracted)),
                Input(say("weeks"), _span(view, view.past)),
            ),
            say(
                "logged hours / effective capacity of {capacity} h",
                capacity=_shown(load.effective),
            ),
        ),
    )
    for count, name, value in zip(
        SHOWN_WEEKS, ("load_4", "load_8"), (load.next_4, load.next_8), strict=True
    ):
        planned, capacity = _sums(load.weeks[:count])
        yield Fact(
            load.person,
            name,
            _percent(value),
            _why(
                (
                    Input(say("planned, h"), _shown(planned)),
                    Input(say("effective capacity, h"), _shown(capacity)),
                    Input(say("open items"), str(load.open)),
                    Input(say("with an estimate"), str(load.estimated)),
                    Input(
                        say("of proposals, h"),
                        words.number(_expected_hours(view, load.person)),
                    ),
                ),
                say(
                    "work left and expected / effective capacity of {capacity} h",
                    capacity=_shown(capacity),
                ),
                f"estimate >= {view.world.thresholds.estimate_share}",
            ),
        )
    yield Fact(
        load.person,
        "projects",
        load.projects,
        _why(
            (Input(say("open items"), str(load.open)),),
            say("cards with open items or work logs of this person"),
        ),
    )


def _expected_hours(view: _Staff, person: Ref) -> Decimal:
    """Return what falls on a person of all that proposals may bring, whenever that is."""
    home = view.staffing.homes.get(person)
    people = view.world.people
    if person not in view.staffing.teams.get(home, ()):
        return Decimal(0)
    team = [people[ref].capacity or Decimal(0) for ref in view.staffing.teams[home]]
    whole = sum(
        (demand.hours for demand in view.expected if demand.unit == home), Decimal(0)
    )
    return whole * (people[person].capacity or Decimal(0)) / sum(team, Decimal(0))


def _shown(value: Decimal | None) -> str:
    rounded = _tenth(value)
    return "-" if rounded is None else f"{rounded.normalize():f}"


def _span(view: _Staff, span: Span) -> str:
    words = view.world.words
    return f"{words.day_month(span.start)} - {words.date(span.end)}"


def _unit_facts(view: _Staff, load: UnitLoad) -> Iterator[Fact]:
    say = view.world.words.say
    limits = view.world.thresholds
    planned, _ = _sums(load.weeks[: SHOWN_WEEKS[0]])
    capacity = Input(say("effective capacity, h"), _shown(load.capacity))
    people = Input(
        say("producing people"),
        ", ".join(view.world.people[ref].name for ref in load.people) or "-",
    )
    yield Fact(
        load.unit,
        "capacity",
        _tenth(load.capacity) if load.people else None,
        _why(
            (
                people,
                Input(
                    say("weeks"),
                    _span(
                        view,
                        Span(view.ahead[0].start, view.ahead[SHOWN_WEEKS[0] - 1].end),
                    ),
                ),
            ),
            say(
                "hours a week x working days / 5 - holidays - time off, of the producing people"
            ),
        ),
    )
    yield Fact(
        load.unit,
        "load",
        _percent(load.load),
        _why(
            (people, Input(say("planned, h"), _shown(planned)), capacity),
            say(
                "work left and expected / effective capacity of {capacity} h",
                capacity=_shown(load.capacity),
            ),
            f"{limits.underload} .. {limits.overload}",
        ),
    )
    logs = (
        Input(say("logged hours"), _shown(load.logged)),
        Input(say("effective capacity, h"), _shown(load.effective)),
    )
    least = f"logged hours / effective capacity >= {limits.logs_share}"
    yield Fact(
        load.unit,
        "utilization",
        _percent(load.utilization),
        _why(
            (people, *logs),
            say(
                "logged hours / effective capacity of {capacity} h",
                capacity=_shown(load.effective),
            ),
            least,
        ),
    )
    yield Fact(
        load.unit,
        "missing_logs",
        _missing(view, load),
        _why(
            logs,
            say(
                "people whose hours at work are not logged, when the whole unit's are not"
            ),
            least,
        ),
    )


def _missing(view: _Staff, load: UnitLoad) -> str | None:
    return ", ".join(view.world.people[ref].name for ref in load.missing) or None


def _plan_facts(
    view: _Staff, plan: PlanMeasure, load: UnitLoad | None
) -> Iterator[Fact]:
    """State hours of current and future nodes: what was logged up to yesterday and what is planned from today on."""
    world = view.world
    period = plan.period
    ref = Ref("plans", plan_key(plan.unit, period))
    if (
        load is None
        or not load.people
        or period.end < world.today
        or ref in world.trashed
    ):
        return
    say = world.words.say
    span = Span(period.start, period.end)
    capacity = _effective_sum(
        view, (world.people[person] for person in load.people), span
    )
    behind = Span(period.start, max(world.today, period.start) - timedelta(days=1))
    spent = hours(sum(view.logged[person].within(behind) for person in load.people))
    ahead = hours(sum(view.loads[person].within(span) for person in load.people))
    planned = spent + ahead if load.load is not None else None
    inputs = (
        Input(say("logged hours"), _shown(spent)),
        Input(say("planned, h"), _shown(ahead)),
        Input(say("effective capacity, h"), _shown(capacity)),
    )
    values: dict[str, tuple[Value, str]] = {
        "capacity": (
            _tenth(capacity),
            say(
                "hours a week x working days / 5 - holidays - time off, of the producing people"
            ),
        ),
        "load": (
            _tenth(planned),
            say("hours logged so far + work left and expected in the period"),
        ),
        "utilization": (
            _percent(part_of(planned, capacity)),
            say("load / effective capacity of {capacity} h", capacity=_shown(capacity)),
        ),
    }
    for name, (value, formula) in values.items():
        yield Fact(ref, name, value, _why(inputs, formula))
