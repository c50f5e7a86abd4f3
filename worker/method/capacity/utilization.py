"""Capacity, utilization and load of people, units and plan nodes (docs/method.md 3.1; docs/facts/definitions.md 2).

Weeks are full ISO weeks: the last ones are behind us, the next ones begin next Monday (today, on a Monday). Units count
their producing people only, and each person once, but look at the load of every role; a group's figure is the ratio of
sums. What cannot be known stays empty: utilization where too few hours are logged, load where too few open items carry
an estimate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from operator import attrgetter

import msgspec

from worker.domain.entities import FIRM, LoggedTime, Person
from worker.domain.periods import A_DAY, quarter_of
from worker.domain.values import Ref, Span, Value
from worker.domain.words import Words
from worker.method.capacity.demand import (
    Assigned,
    Expected,
    assigned_work,
    expected_work,
    share_out,
    team_at,
)
from worker.method.capacity.load import Load, hours, loads_of, spread
from worker.method.figures import count_days, name_people, name_row
from worker.method.formulas.billable import billable_of
from worker.method.formulas.group import WHOLE, Staffing, Team, staff
from worker.method.formulas.inputs import provisional_inputs
from worker.method.formulas.working_time import (
    contracted,
    effective,
    full_weeks_ahead,
    full_weeks_before,
    part_of,
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
from worker.world.logged import uncounted
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
    billable: Mapping[Ref, Load]
    cards: Mapping[Ref, set[Ref]]


def measure_utilization(
    world: World, cards: Mapping[Ref, CardMeasure], plans: Sequence[PlanMeasure]
) -> Findings[LoadMeasure]:
    """Return the fields of people, units and plan nodes, with everybody's weeks behind and ahead."""
    view = _view_of(world, cards, plans)
    people: dict[Ref, PersonLoad] = {}
    for ref, person in world.people.items():
        people[ref] = _person(view, person)
    teams: dict[Ref, Team] = {}
    for unit in world.units:
        teams[unit] = view.staffing.teams.get(unit, {})
    teams[FIRM] = view.staffing.everybody()
    units = {
        unit: _unit(view, unit, team, people=people) for unit, team in teams.items()
    }
    of_no_unit = view.staffing.visible.get(None, {})
    outside = tuple(_roles(view, of_no_unit, people))
    facts: list[Fact] = []
    for own in people.values():
        facts += _person_facts(view, own)
    for unit, load in units.items():
        if unit != FIRM:
            facts += _unit_facts(view, load)
    for plan in plans:
        facts += _plan_facts(view, plan, units.get(plan.unit))
    return Findings(LoadMeasure(people, units, outside), tuple(facts))


def _view_of(
    world: World, cards: Mapping[Ref, CardMeasure], plans: Iterable[PlanMeasure]
) -> _Staff:
    limits = world.thresholds
    staffing = staff(world)
    past = full_weeks_before(world.today, limits.utilization_weeks)
    ahead = _weeks_ahead(world)
    assigned = assigned_work(world, cards, accounts=staffing.accounts)
    expected = tuple(expected_work(world, cards, staffing))
    pieces = list(assigned.pieces)
    for demand in expected:
        team = team_at(world, staffing, demand)
        pieces += share_out(demand, team)

    quarter = quarter_of(world.today)
    first = min(past.start, quarter.start)
    last = max(ahead[-1].end, world.today)
    for plan in plans:
        last = max(last, plan.period.end)
    whole = Span(first, last)
    window = Span(world.today, last)
    since = whole.start
    logs = _billable_logs(world)
    logged = _logged_hours(world.worklogs, staffing, since=since)
    paid = _logged_hours(logs, staffing, since=since)
    return _Staff(
        world,
        past,
        ahead,
        staffing,
        assigned,
        expected,
        spread(pieces, world.people, window, calendar=world.calendar),
        {ref: loads_of(logged.get(ref, {}), whole) for ref in world.people},
        {ref: loads_of(paid.get(ref, {}), whole) for ref in world.people},
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


def _billable_logs(world: World) -> Iterator[LoggedTime]:
    """Yield the logs that clients are to pay, each once however many cards show it."""
    billable = billable_of(world)
    counted: set[str] = set()
    for card in world.cards.values():
        yield from uncounted(billable.logs_of(card), counted)


def _logged_hours(
    worklogs: Iterable[LoggedTime], staffing: Staffing, *, since: date
) -> Mapping[Ref, Mapping[date, float]]:
    """Return the hours by person and day since a day."""
    hours_by_author: dict[str, dict[date, float]] = defaultdict(
        lambda: defaultdict(float)
    )
    for log in worklogs:
        if log.day >= since:
            hours_by_author[log.author][log.day] += log.seconds / HOUR
    hours_by_person: dict[Ref, Mapping[date, float]] = {}
    for author, amounts in hours_by_author.items():
        if author in staffing.accounts:
            person = staffing.accounts[author]
            hours_by_person[person] = amounts
    return hours_by_person


def _cards_of_people(
    world: World, staffing: Staffing, assigned: Assigned, *, since: date
) -> Mapping[Ref, set[Ref]]:
    """Return the cards of a person's open items and of the work logged since a day."""
    cards_by_author: dict[str, set[Ref]] = defaultdict(set, assigned.cards)
    for ref, work in world.work.items():
        for author in {log.author for log in work.worklogs if log.day >= since}:
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
    billable = hours(view.billable[ref].within(view.past))
    capacity = effective(person, view.past, world.calendar)
    alone = {ref: WHOLE}
    open_items = view.assigned.open[person.jira or ""]
    estimated = open_items - view.assigned.unestimated[person.jira or ""]
    weeks = (
        tuple(
            _week(
                view,
                alone,
                week,
                known=_is_load_known(view, person, open_items, estimated),
            )
            for week in view.ahead
        )
        if person.capacity is not None
        else ()
    )
    ahead = None
    if weeks:
        _, ahead = _sums(weeks[: SHOWN_WEEKS[0]])
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
        ahead=ahead,
        billable=None if logged is None else billable,
        target=_target(world, person),
    )


def _target(world: World, person: Person) -> Decimal | None:
    return world.thresholds.utilization_targets.get(person.role or "")


def _effective_sum(view: _Staff, team: Team, span: Span) -> Decimal:
    total = Decimal(0)
    for ref, share in team.items():
        person = view.world.people[ref]
        own = effective(person, span, view.world.calendar)
        total += (own or Decimal(0)) * share
    return total


def _within(loads: Mapping[Ref, Load], team: Team, span: Span) -> Decimal:
    """Return the hours of a team in a span, of who is shared its share."""
    total = 0.0
    for ref, share in team.items():
        own = loads[ref].within(span)
        total += own * float(share)
    return hours(total)


def _is_load_known(
    view: _Staff, person: Person | None, items: int, estimated: int
) -> bool:
    has_account = person is None or person.jira is not None
    return (
        bool(view.world.issues)
        and has_account
        and estimated >= view.world.thresholds.estimate_share * items
    )


def _week(view: _Staff, team: Team, week: Span, *, known: bool) -> WeekLoad:
    planned = None
    if known:
        planned = _within(view.loads, team, week)
    capacity = _effective_sum(view, team, week)
    return WeekLoad(week.start, capacity, planned)


def _ratio_of(weeks: Sequence[WeekLoad]) -> Decimal | None:
    planned, capacity = _sums(weeks)
    return part_of(planned, capacity)


def _sums(weeks: Sequence[WeekLoad]) -> tuple[Decimal | None, Decimal]:
    capacity = planned = Decimal(0)
    is_known = bool(weeks)
    for week in weeks:
        capacity += week.capacity
        planned += week.load or Decimal(0)
        is_known &= week.load is not None
    if not is_known:
        return None, capacity
    return planned, capacity


def _unit(
    view: _Staff, unit: Ref, team: Team, *, people: Mapping[Ref, PersonLoad]
) -> UnitLoad:
    loads = [people[ref] for ref in team]
    known = _is_known(view, loads)
    weeks: list[WeekLoad] = []
    for week in view.ahead:
        weeks.append(_week(view, team, week, known=known))
    planned, capacity = _sums(weeks[: SHOWN_WEEKS[0]])
    # Those without a Jira account are in no team: the hours of all are known, or nobody's are.
    is_logged = bool(view.world.worklogs)
    logged = billable = None
    if is_logged:
        logged = _within(view.logged, team, view.past)
        billable = _within(view.billable, team, view.past)
    past = _effective_sum(view, team, view.past)
    missing: tuple[Ref, ...] = ()
    if logged is not None:
        missing = _missing_most(view, loads, logged, past=past)
    return UnitLoad(
        unit,
        tuple(team),
        capacity,
        part_of(planned, capacity),
        past,
        logged,
        None if missing else part_of(logged, past),
        missing,
        tuple(weeks),
        tuple(_roles(view, _visible(view, unit), people)),
        billable=None if missing else billable,
        target=_target_of(view, team),
    )


def _target_of(view: _Staff, team: Team) -> Decimal | None:
    """Return the targets of a team's roles, weighed by the hours of those who have one; None when nobody has."""
    aim = whole = Decimal(0)
    for ref, share in team.items():
        target = _target(view.world, view.world.people[ref])
        if target is not None:
            part = _effective_sum(view, {ref: share}, view.past)
            aim += part * target
            whole += part
    return part_of(aim, whole)


def _missing_most(
    view: _Staff, loads: Sequence[PersonLoad], logged: Decimal, *, past: Decimal
) -> tuple[Ref, ...]:
    """Return who logged too few of their hours, the largest gap first, where the whole unit did."""
    least = view.world.thresholds.logs_share
    if logged >= least * past:
        return ()
    short = []
    for load in loads:
        there = load.effective or Decimal(0)
        gap = there - (load.logged or Decimal(0))
        if gap > (1 - least) * there:
            short.append((-gap, load.person))
    return tuple(person for _, person in sorted(short))


def _is_known(view: _Staff, loads: Iterable[PersonLoad]) -> bool:
    """Tell whether the load of people is known together: enough of their open items carry an estimate."""
    open_items = sum(load.open for load in loads)
    estimated = sum(load.estimated for load in loads)
    return _is_load_known(view, None, open_items, estimated)


def _roles(
    view: _Staff, team: Team, people: Mapping[Ref, PersonLoad]
) -> Iterator[RoleLoad]:
    """Yield the load of every role somebody of a team has, the producing ones first."""
    by_role: dict[str, dict[Ref, Decimal]] = {}
    for ref, share in team.items():
        role = view.world.people[ref].role
        if role:
            by_role.setdefault(role, {})[ref] = share

    producing = view.world.thresholds.producing_roles
    first = [role for role in producing if role in by_role]
    rest = sorted(by_role.keys() - first)
    for role in (*first, *rest):
        own = by_role[role]
        known = _is_known(view, [people[ref] for ref in own])
        weeks: list[WeekLoad] = []
        for week in view.ahead:
            weeks.append(_week(view, own, week, known=known))
        yield RoleLoad(role, tuple(weeks))


def _visible(view: _Staff, unit: Ref) -> Team:
    """Return the people of a unit, or of the whole firm, whose work can be seen."""
    visible = view.staffing.visible
    if unit == FIRM:
        return {ref: WHOLE for team in visible.values() for ref in team}
    return visible.get(unit, {})


def _why(inputs: Sequence[Input], formula: str, threshold: str = "") -> Why:
    return Why("resources", tuple(inputs), formula, threshold)


def _percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """Return a share as it is written: to a whole percent, so that the noise of single hours writes nothing.

    Rounded once, from the amounts: 25.497 % would be 25.50 % first, and 26 % then.
    """
    if part is None or not whole:
        return None
    share = part / whole
    return share.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _tenth(value: Decimal | None) -> Decimal | None:
    """Return hours as they are written."""
    if value is None:
        return None
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)


def _person_facts(view: _Staff, load: PersonLoad) -> Iterator[Fact]:
    say = view.world.words.say
    words = view.world.words
    yield Fact(
        load.person,
        "utilization",
        _percent(load.logged, load.effective),
        _why(
            (
                Input(say("logged hours"), _shown(load.logged, words)),
                Input(say("effective hours"), _shown(load.effective, words)),
                Input(say("contracted, h"), _shown(load.contracted, words)),
                Input(say("weeks"), _span(view, view.past)),
            ),
            say(
                "logged hours / {capacity} effective hours",
                capacity=_shown(load.effective, words),
            ),
        ),
    )
    yield _billable_fact(view, load.person, load)
    yield _effective_fact(view, load.person, load)
    for count, name in zip(SHOWN_WEEKS, ("load_4", "load_8"), strict=True):
        planned, capacity = _sums(load.weeks[:count])
        yield Fact(
            load.person,
            name,
            _percent(planned, capacity),
            _why(
                (
                    Input(say("planned, h"), _shown(planned, words)),
                    Input(say("effective hours"), _shown(capacity, words)),
                    Input(say("open issues"), str(load.open)),
                    Input(say("with an estimate"), str(load.estimated)),
                    Input(
                        say("of proposals, h"),
                        words.number(_expected_hours(view, load.person)),
                    ),
                ),
                say(
                    "work left and expected / {capacity} effective hours",
                    capacity=_shown(capacity, words),
                ),
                say(
                    "share of issues with an estimate ≥ {limit}",
                    limit=view.world.thresholds.estimate_share,
                ),
            ),
        )
    weeks = Input(say("weeks"), _span(view, _next_weeks(view)))
    yield Fact(
        load.person,
        "ahead",
        _tenth(load.ahead),
        _why((weeks,), _capacity_formula(view)),
    )
    yield Fact(
        load.person,
        "projects",
        load.projects,
        _why(
            (
                Input(say("open issues"), str(load.open)),
                *(
                    name_row(say("card"), view.world.cards[ref])
                    for ref in load.projects
                    if ref in view.world.cards
                ),
            ),
            say("cards with open issues or time logs of this person"),
        ),
    )


def _billable_fact(view: _Staff, ref: Ref, load: PersonLoad | UnitLoad) -> Fact:
    """State the share of a person's or a unit's capacity that clients are to pay, and what it should be."""
    words = view.world.words
    target = ""
    threshold = ""
    if load.target is not None:
        target = words.percent(load.target)
        threshold = f"≥ {target}"
    inputs = (
        Input(words.say("billable hours"), _shown(load.billable, words)),
        Input(words.say("logged hours"), _shown(load.logged, words)),
        Input(words.say("effective hours"), _shown(load.effective, words)),
        Input(words.say("target of the role"), target or "-"),
    )
    formula = words.say(
        "billable hours / {capacity} effective hours",
        capacity=_shown(load.effective, words),
    )
    return Fact(
        ref,
        "billable_utilization",
        _percent(load.billable, load.effective),
        _why(inputs, formula, threshold),
    )


def _effective_fact(view: _Staff, ref: Ref, load: PersonLoad | UnitLoad) -> Fact:
    """State the hours that utilization is measured by."""
    weeks = Input(view.world.words.say("weeks"), _span(view, view.past))
    why = _why((weeks,), _capacity_formula(view))
    return Fact(ref, "effective", _tenth(load.effective), why)


def _next_weeks(view: _Staff) -> Span:
    near = view.ahead[: SHOWN_WEEKS[0]]
    first = near[0]
    last = near[-1]
    return Span(first.start, last.end)


def _capacity_formula(view: _Staff) -> str:
    return view.world.words.say(
        "hours of the working days between first and last day − time off"
    )


def _expected_hours(view: _Staff, person: Ref) -> Decimal:
    """Return what falls on a person of all that proposals may bring, whenever that is."""
    total = Decimal(0)
    for demand in view.expected:
        team = team_at(view.world, view.staffing, demand)
        whole = sum(team.values(), Decimal(0))
        if person in team:
            total += demand.hours * team[person] / whole
    return total


def _shown(value: Decimal | None, words: Words) -> str:
    rounded = _tenth(value)
    return "-" if rounded is None else words.number(rounded)


def _span(view: _Staff, span: Span) -> str:
    words = view.world.words
    first = words.day_month(span.start)
    last = words.date(span.end)
    return f"{first} - {last}"


def _unit_facts(view: _Staff, load: UnitLoad) -> Iterator[Fact]:
    words = view.world.words
    say = words.say
    limits = view.world.thresholds
    planned, _ = _sums(load.weeks[: SHOWN_WEEKS[0]])
    capacity = Input(say("effective hours"), _shown(load.capacity, words))
    people = Input(
        say("producing people"),
        ", ".join(view.world.people[ref].name for ref in load.people) or "-",
    )
    yield Fact(
        load.unit,
        "capacity",
        _tenth(load.capacity) if load.people else None,
        _why(
            (people, Input(say("weeks"), _span(view, _next_weeks(view)))),
            _capacity_formula(view),
        ),
    )
    yield Fact(
        load.unit,
        "load",
        _percent(planned, load.capacity),
        _why(
            (people, Input(say("planned, h"), _shown(planned, words)), capacity),
            say(
                "work left and expected / {capacity} effective hours",
                capacity=_shown(load.capacity, words),
            ),
            say("from {least} to {most}", least=limits.underload, most=limits.overload),
        ),
    )
    logs = (
        Input(say("logged hours"), _shown(load.logged, words)),
        Input(say("effective hours"), _shown(load.effective, words)),
    )
    used = None
    if not load.missing:
        used = _percent(load.logged, load.effective)
    least = say("logged hours / effective hours ≥ {limit}", limit=limits.logs_share)
    yield Fact(
        load.unit,
        "utilization",
        used,
        _why(
            (people, *logs),
            say(
                "logged hours / {capacity} effective hours",
                capacity=_shown(load.effective, words),
            ),
            least,
        ),
    )
    yield _billable_fact(view, load.unit, load)
    yield _effective_fact(view, load.unit, load)
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
    names = []
    for ref in load.missing:
        person = view.world.people[ref]
        names.append(person.name)
    return ", ".join(names) or None


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
    words = world.words
    say = words.say
    span = Span(period.start, period.end)
    team = view.staffing.everybody()
    if plan.unit != FIRM:
        team = view.staffing.teams[plan.unit]
    capacity = _effective_sum(view, team, span)
    now = max(world.today, period.start)
    behind = Span(period.start, now - A_DAY)
    spent = _within(view.logged, team, behind)
    ahead = _within(view.loads, team, span)
    planned = None
    if load.load is not None:
        planned = spent + ahead
    inputs = (
        Input(say("logged hours"), _shown(spent, words)),
        Input(say("planned, h"), _shown(ahead, words)),
        Input(say("effective hours"), _shown(capacity, words)),
        *provisional_inputs(period.end, world),
    )
    values: dict[str, tuple[Value, str]] = {
        "capacity": (_tenth(capacity), _capacity_formula(view)),
        "load": (
            _tenth(planned),
            say("hours logged so far + work left and expected in the period"),
        ),
        "utilization": (
            _percent(planned, capacity),
            say("load / {capacity} effective hours", capacity=_shown(capacity, words)),
        ),
    }
    logged, left, whole = inputs[:3]
    years = inputs[3:]
    figures: dict[str, Sequence[Input]] = {
        "capacity": (
            *name_people(say("producing people"), load.people, world),
            count_days(say("working days"), span, world.calendar),
            *years,
        ),
        "load": (logged, left),
        "utilization": (Input(say("load, h"), _shown(planned, words)), whole, *years),
    }
    for name, (value, formula) in values.items():
        yield Fact(ref, name, value, _why(figures[name], formula))
