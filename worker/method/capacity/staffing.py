"""Too much and too little work for the people a unit has, and what keeps that from being known (docs/method.md 3.2).

A role is over when its load passes the limit some weeks in a row; the signal for a week appears a hiring lead time
ahead of it, so that a person can be found in time. A unit is under when its next weeks are. Weeks in which nobody works
neither break such a run nor make it. Missing time logs are said first, in hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

import msgspec

from worker.domain.entities import FIRM, Person, Unit
from worker.domain.messages import Text, literal, message, tell
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import Code, Problem, Severity
from worker.method.capacity.load import first_run
from worker.method.conditions import Look, Sighting, Subject, state_looks
from worker.method.formulas.group import members, staff, units_of_people
from worker.method.formulas.working_time import full_weeks_before
from worker.method.measures import LoadMeasure, RoleLoad, StaffNeed, UnitLoad, WeekLoad
from worker.method.run import Findings
from worker.world.world import World

OVER, UNDER, LOGS = "team.overload", "team.underload", "team.missing_logs"
SHOWN = 4
"""So many weeks of a spell are told."""

LISTED = 20
"""So many unknown accounts are listed one by one."""

ROLES = {
    "tl": message("team lead"),
    "developer": message("developer"),
    "designer": message("designer"),
    "qa": message("QA engineer"),
    "analyst": message("analyst"),
    "pm": message("project manager"),
    "am": message("account manager"),
    "hoa": message("Head of Accounts"),
    "head_newbiz": message("Head of Newbiz"),
    "sales": message("sales"),
    "finance": message("finance"),
    "lawyer": message("lawyer"),
    "founder": message("founder"),
}


class _Spell(msgspec.Struct, frozen=True, gc=False):
    """Weeks in a row beyond a limit."""

    weeks: tuple[WeekLoad, ...]

    @property
    def hours(self) -> Decimal:
        """Return the mean hours a week above the capacity (below it: negative), rounded up to whole hours."""
        gap = Decimal(0)
        for week in self.weeks:
            load = week.load or Decimal(0)
            gap += load - week.capacity
        mean = gap / len(self.weeks)
        return mean.to_integral_value(ROUND_CEILING)


def find_staffing_needs(
    world: World, loads: LoadMeasure
) -> Findings[tuple[StaffNeed, ...] | None]:
    """Return what roles lack, with the conditions and signals of every unit, and what is wrong in the rows below them."""
    needs = tuple(_needs(world, loads))
    looks = list(_looks(world, loads))
    for need in needs:
        looks.append(_overload(need, world))
    conditions, signals = state_looks(looks, words=world.words)
    problems = tuple(_problems(world))
    return Findings(needs, conditions=conditions, signals=signals, problems=problems)


def _looks(world: World, loads: LoadMeasure) -> Iterator[Look]:
    for ref, unit in world.units.items():
        load = loads.units.get(ref)
        if load is not None:
            yield _missing_logs(unit, load, world)
            yield _underload(unit, load, world)


def _needs(world: World, loads: LoadMeasure) -> Iterator[StaffNeed]:
    for ref in world.units:
        load = loads.units.get(ref)
        if load is None:
            continue
        for role in load.roles:
            yield _need(ref, role, world)
    for role in loads.outside:
        yield _need(FIRM, role, world)


def _missing_logs(unit: Unit, load: UnitLoad, world: World) -> Look:
    words = world.words
    missing = [world.people[ref].name for ref in load.missing]
    names = ", ".join(missing)
    holds = bool(load.missing) if load.logged is not None else None
    evidence = (
        words.say(
            "{logged} of {hours} h at work are logged. Missing most: {names}.",
            logged=words.number(load.logged or Decimal(0), 0),
            hours=words.number(load.effective, 0),
            names=names,
        )
        if holds
        else ""
    )
    seen = Sighting(
        holds,
        3,
        evidence,
        words.say(
            "logged hours / effective hours < {limit}",
            limit=world.thresholds.logs_share,
        ),
        impact=2,
        inputs=((words.say("unit"), unit.name, unit.url),),
    )
    subject = Subject(unit.ref, {"name": names, "unit": unit.name}, unit=unit.ref)
    return LOGS, subject, seen


def _need(unit: Ref, role: RoleLoad, world: World) -> StaffNeed:
    """Look at one role: the first run of weeks over the limit that begins within the hiring lead time."""
    limits = world.thresholds
    latest = world.today + timedelta(weeks=limits.hiring_lead_weeks)
    over: list[bool | None] = []
    for week in role.weeks:
        flag = None
        if week.ratio is not None:
            flag = week.ratio > limits.overload
        over.append(flag)
    spell = _spell(role.weeks, over, limits.load_weeks)
    if spell is None or spell.weeks[0].monday > latest:
        return StaffNeed(unit, role.role, _known(role.weeks, holds=False))
    return StaffNeed(
        unit,
        role.role,
        _known(role.weeks, holds=True),
        hours=spell.hours,
        since=spell.weeks[0].monday,
        evidence=_evidence(spell, world.words),
    )


def _overload(need: StaffNeed, world: World) -> Look:
    limits = world.thresholds
    words = world.words
    unit = world.unit(need.unit)
    where = words.say("Whole firm")
    url = ""
    if unit is not None:
        where = unit.name
        url = unit.url
    since = ""
    hours = ""
    if need.since is not None:
        since = words.date(need.since)
        hours = words.number(need.hours, 0)
    seen = Sighting(
        need.holds,
        4,
        need.evidence,
        words.say(
            "load > {limit}, weeks in a row ≥ {weeks}",
            limit=limits.overload,
            weeks=limits.load_weeks,
        ),
        impact=3,
        horizon=need.since,
        inputs=((words.say("unit"), where, url),),
    )
    names = {
        "role": role_name(need.role, words),
        "hours": hours,
        "date": since,
        "unit": where,
    }
    about = Ref("units", f"{need.unit.key}:{need.role}")
    subject = Subject(about, names)
    if unit is not None:
        subject = Subject(about, names, unit=unit.ref)
    return OVER, subject, seen


def _underload(unit: Unit, load: UnitLoad, world: World) -> Look:
    limits = world.thresholds
    words = world.words
    next_weeks: list[WeekLoad] = []
    for week in load.weeks:
        if week.capacity and len(next_weeks) < limits.load_weeks:
            next_weeks.append(week)
    low: list[bool | None] = []
    for week in next_weeks:
        flag = None
        if week.ratio is not None:
            flag = week.ratio < limits.underload
        low.append(flag)
    spell = _spell(next_weeks, low, limits.load_weeks)
    seen = Sighting(
        _known(next_weeks, holds=spell is not None) if load.people else False,
        3,
        _evidence(spell, words) if spell else "",
        words.say(
            "load < {limit}, weeks in a row ≥ {weeks}",
            limit=limits.underload,
            weeks=limits.load_weeks,
        ),
        impact=3,
        horizon=spell.weeks[0].monday if spell else None,
        inputs=((words.say("unit"), unit.name, unit.url),),
    )
    names = {
        "hours": words.number(-spell.hours, 0) if spell else "",
        "date": words.date(spell.weeks[0].monday) if spell else "",
        "unit": unit.name,
    }
    return UNDER, Subject(unit.ref, names, unit=unit.ref), seen


def _spell(
    weeks: Sequence[WeekLoad], flags: Sequence[bool | None], length: int
) -> _Spell | None:
    run = first_run(flags, length)
    if run is None:
        return None
    beyond = [weeks[place] for place in run]
    return _Spell(tuple(beyond))


def _known(weeks: Sequence[WeekLoad], *, holds: bool) -> bool | None:
    for week in weeks:
        if week.load is None:
            return None
    return holds


def _evidence(spell: _Spell, words: Words) -> str:
    weeks = []
    for week in spell.weeks[:SHOWN]:
        load = week.load or Decimal(0)
        ratio = week.ratio or Decimal(0)
        line = words.say(
            "week of {day}: {load} h of {capacity} h, {ratio}",
            day=words.day_month(week.monday),
            load=words.number(load, 0),
            capacity=words.number(week.capacity, 0),
            ratio=words.percent(ratio),
        )
        weeks.append(line)
    return "; ".join(weeks)


def role_name(role: str, words: Words) -> str:
    """Return what people call a role; one of their own as it is."""
    if role not in ROLES:
        return role
    return words.say(ROLES[role])


def _problems(world: World) -> Iterator[Problem]:
    yield from _two_units(world)
    yield from _incomplete_people(world)
    yield from _strangers(world)


def _two_units(world: World) -> Iterator[Problem]:
    """Yield people whose hours two units would count; an account manager may keep several."""
    named = units_of_people(world)
    for ref, person in world.people.items():
        units: set[Ref] = set()
        for unit in (person.unit, *named.get(ref, ())):
            if unit is not None and unit in world.units:
                units.add(unit)
        is_shared = person.role == "am" or bool(person.allocation)
        if len(units) > 1 and not is_shared and person.is_staff(world.today):
            titles = [world.units[unit].name for unit in units]
            names = ", ".join(sorted(titles))
            yield Problem(
                code=Code.TWO_UNITS,
                where=_place(person),
                field="unit",
                message=tell(
                    "stands in {count} units: {names}; the hours count in one of them",
                    count=len(units),
                    names=names,
                ),
                hint=tell(
                    "leave the person in one unit, or write the shares into Allocation"
                ),
                url=person.url,
            )


def _incomplete_people(world: World) -> Iterator[Problem]:
    seen = {issue.assignee for issue in world.issues.values()}
    seen |= {log.author for log in world.worklogs}
    named: set[Ref] = set()
    for unit in world.units.values():
        named.update(members(unit))
    for ref, person in world.people.items():
        if person.role not in world.thresholds.producing_roles and ref not in named:
            continue
        if not person.is_staff(world.today):
            continue
        if person.capacity is None:
            yield _missing(
                person,
                Code.NO_CAPACITY,
                "capacity",
                tell("has no hours a week, load and utilization stay empty"),
            )
        if person.jira is None and person.role in world.thresholds.producing_roles:
            yield _missing(
                person,
                Code.NO_JIRA_ACCOUNT,
                "jira_account",
                tell("has no Jira account, the work cannot be seen"),
            )
        elif person.jira is not None and person.jira not in seen:
            yield from _called_otherwise(person, person.jira)


def _called_otherwise(person: Person, typed: str) -> Iterator[Problem]:
    """Yield that a name or an e-mail stands where an account's id is to be; who is new has no work either."""
    if "@" not in typed and " " not in typed:
        return
    yield Problem(
        code=Code.NO_JIRA_ACCOUNT,
        where=_place(person),
        field="jira_account",
        message=tell(
            "“{text}” is no account's id: no issue and no time log is of it, the work cannot be seen",
            text=typed,
        ),
        hint=tell(
            "write the id of the account, or empty the cell and run `rayline match`, which finds it by e-mail or name"
        ),
        url=person.url,
    )


def _missing(person: Person, code: Code, field: str, text: Text) -> Problem:
    return Problem(
        code=code,
        where=_place(person),
        field=field,
        message=text,
        hint=tell("fill in this field"),
        url=person.url,
    )


def _place(person: Person) -> Text:
    return tell("People: {name}", name=person.name)


def _strangers(world: World) -> Iterator[Problem]:
    """Yield Jira accounts that have open items or fresh work logs but are nobody's in People."""
    accounts = staff(world).accounts
    weeks = full_weeks_before(world.today, world.thresholds.utilization_weeks)
    items: Counter[str] = Counter()
    for issue in world.issues.values():
        who = issue.assignee
        if who and who not in accounts and issue.category != "done":
            items[who] += 1
    logs: Counter[str] = Counter()
    for log in world.worklogs:
        if log.author not in accounts and log.day >= weeks.start:
            logs[log.author] += 1
    strangers = sorted(
        items.keys() | logs.keys(),
        key=lambda account: (-items[account] - logs[account], account),
    )
    for account in strangers[:LISTED]:
        yield Problem(
            code=Code.UNKNOWN_ACCOUNT,
            where=literal(f"Jira: {account}"),
            field="assignee",
            message=tell(
                "{items} open issues and {logs} fresh time logs are of an account that is nobody's in People",
                items=items[account],
                logs=logs[account],
            ),
            hint=tell("write the account into the person's row"),
            severity=Severity.INFO,
        )
    if len(strangers) > LISTED:
        yield Problem(
            code=Code.UNKNOWN_ACCOUNT,
            where=literal("Jira"),
            field="assignee",
            message=tell(
                "{count} more accounts are nobody's in People",
                count=len(strangers) - LISTED,
            ),
            hint=tell("write the accounts into the people's rows"),
            severity=Severity.INFO,
        )
