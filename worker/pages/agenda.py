"""The agenda of a growth group's monthly or quarterly meeting: retrospective, then what is to be decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Divider,
    Picture,
    Quote,
    bold,
    link,
)
from worker.domain.messages import message
from worker.domain.period_titles import period_name, period_title
from worker.domain.periods import Period, monday_of, previous_period, quarter_of
from worker.domain.values import Ref
from worker.method.capacity.staffing import ROLES
from worker.method.clients.silence import active_clients, partners_never_noted
from worker.method.formulas.cascade import parts_of
from worker.method.formulas.working_time import part_of
from worker.method.measures import PlanMeasure, UnitLoad, WeekLoad
from worker.pages.development import write_development
from worker.pages.forecast import FORECAST_HEADER, forecast_row
from worker.pages.pictures import chart_load, chart_plan, chart_risks, weekly
from worker.pages.retrospective import carried_tasks, goals_of, write_retrospective
from worker.pages.view import NONE, View, risk_reason

MOST = 15
NEAR, FAR = 4, 8


def write_agenda(view: View, unit: Ref, period: Period) -> tuple[Block, ...]:
    """Return the agenda of the meeting that opens a period."""
    past = previous_period(period)
    head = view.say(
        "Looks back at {past} and plans {next}.",
        past=bold(period_name(past, view.words)),
        next=bold(period_name(period, view.words)),
    )
    return (
        Callout(head, "🗓️", "blue_background"),
        view.heading("1. Retrospective", 1),
        *write_retrospective(view, unit, past),
        view.heading("2. Resources", 1),
        *_resources(view, unit),
        view.heading("3. Risks", 1),
        *_risks(view, unit),
        view.heading("4. Finance", 1),
        *_finance(view, unit, past),
        view.heading("5. Unit development", 1),
        *write_development(view, unit, past),
        view.heading("6. For the Head of Accounts", 1),
        *carried_tasks(view, unit),
        *_partners_to_ask(view, unit),
        view.heading("7. Plan: {period}", 1, period=period_name(period, view.words)),
        *_plan(view, unit, period),
    )


def _resources(view: View, unit: Ref) -> Iterator[Block]:
    load = view.measures.units.get(unit)
    if load is None or not load.people:
        yield view.paragraph("Available hours and load are not known.")
        return
    if load.utilization is not None:
        yield Bullet(
            view.say(
                "Utilization of the last four weeks: {share} of {hours} effective hours",
                share=bold(view.percent(load.utilization)),
                hours=view.number(load.effective, 0),
            )
        )
    if load.billable_utilization is not None and load.target is not None:
        yield Bullet(
            view.say(
                "Billable: {share} of {hours} effective hours, target {target}",
                share=bold(view.percent(load.billable_utilization)),
                hours=view.number(load.effective, 0),
                target=view.percent(load.target),
            )
        )
    if load.missing:
        yield Bullet(
            view.say(
                "Too few time logs to tell more: {people}",
                people=view.names(load.missing),
            )
        )
    yield view.table(
        (
            message("Role"),
            message("Available hours, 4 weeks"),
            message("Load, 4 weeks"),
            message("4 weeks"),
            message("8 weeks"),
        ),
        _loads(view, load),
    )
    chart = chart_load(view, load.people, title=view.say("Load of the weeks ahead"))
    if chart is not None:
        yield Picture(chart, edition=weekly(view, chart.title))


def _loads(view: View, load: UnitLoad) -> Iterator[tuple[str, ...]]:
    for role in load.roles:
        yield (
            view.say(ROLES[role.role]) if role.role in ROLES else role.role,
            *_weeks(view, role.weeks),
        )
    # A unit's load is that of its producing people; account and project managers stand above for themselves.
    yield (view.say("Unit, producing people"), *_weeks(view, load.weeks))


def _weeks(view: View, weeks: tuple[WeekLoad, ...]) -> tuple[str, ...]:
    capacity = _sum(week.capacity for week in weeks[:NEAR])
    load = _sum(week.load for week in weeks[:NEAR])
    far = part_of(
        _sum(week.load for week in weeks[:FAR]),
        _sum(week.capacity for week in weeks[:FAR]),
    )
    return (
        _hours(view, capacity),
        _hours(view, load),
        view.percent(part_of(load, capacity)),
        view.percent(far),
    )


def _sum(hours: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for some in hours:
        if some is None:
            return None
        total += some
    return total


def _hours(view: View, hours: Decimal | None) -> str:
    if hours is None:
        return NONE
    return view.say("{n} h", n=view.number(hours, 0))


def _risks(view: View, unit: Ref) -> Iterator[Block]:
    risks = view.risks_of(unit)
    chart = chart_risks(
        view, risks, title=view.say("Risk map") + f" · {view.unit_name(unit)}"
    )
    if chart is None:
        yield view.paragraph("No open risk.")
        return
    yield Picture(chart)
    for risk in risks[:MOST]:
        steps = tuple(
            Bullet(f"{view.date(step.day)}: {step.text}")
            for step in risk.steps
            if step.day >= view.today
        )
        yield Bullet(risk_reason(view, risk), steps[:5])


def _finance(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    over = quarter_of(past.start)
    monday = monday_of(view.today)
    chart = chart_plan(view, unit, over, until=monday)
    if chart is not None:
        yield Picture(chart)
    quarter = view.plans.get((unit, over))
    if quarter is None or (quarter.target is None and not quarter.fact):
        yield view.paragraph("No money was planned or earned.")
    else:
        yield Bullet(
            view.say(
                "Actual of the quarter: {fact} of {target}.",
                fact=bold(view.money(quarter.fact)),
                target=view.money(quarter.target),
            )
        )
        row = forecast_row(view, quarter)
        if row is not None:
            yield view.table(FORECAST_HEADER, (row,))


def _plan_row(
    view: View, plan: PlanMeasure, target: Decimal | None, carry: Decimal | None
) -> tuple[str, ...]:
    return (
        period_title(plan.period, view.words),
        view.money(target),
        view.change(carry) if carry else NONE,
    )


def _partners_to_ask(view: View, unit: Ref) -> Iterator[Block]:
    """Yield the served clients of which nobody knows when the partners last spoke with them."""
    active = active_clients(view.world.cards.values())
    for client in view.clients_of(unit):
        is_served = client.ref in active or client.group == "account"
        since = partners_never_noted(client, view.world)
        if not is_served or since is None:
            continue
        question = view.say(
            "{client}: when did the agency partner last speak with them? Nothing is noted "
            "since {day}; note it in the client's row.",
            client=link(client.name, client.url),
            day=view.date(since),
        )
        yield Bullet(question)


def _plan(view: View, unit: Ref, period: Period) -> Iterator[Block]:
    plans = []
    for part in (period, *parts_of(period)):
        plan = view.plans.get((unit, part))
        if plan is not None:
            plans.append(plan)
    rows = []
    if plans:
        whole, *parts = plans
        targets, rest = view.parts(whole.target, [plan.target for plan in parts])
        carries, _ = view.parts(whole.carry, [plan.carry for plan in parts])
        row = _plan_row(view, whole, whole.target, whole.carry)
        rows.append(row)
        for plan, target, carry in zip(parts, targets, carries, strict=True):
            row = _plan_row(view, plan, target, carry)
            rows.append(row)
        if rest and parts:
            row = (view.say("In none of the parts"), view.money(rest), NONE)
            rows.append(row)
    if rows:
        yield view.table(
            (message("Period"), message("Target"), message("Shortfall carried over")),
            rows,
        )
    else:
        yield view.paragraph("The targets of this period are not set yet.")
    yield view.heading("Goals", 3)
    yield from goals_of(
        view, unit, period, otherwise=message("No goal is set for the period yet.")
    )
    yield Divider()
    yield Quote(
        view.say("Write decisions below the section: they stay as you write them.")
    )
