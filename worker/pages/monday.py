"""The Monday cut of a unit or of the firm: last week, month and quarter to date, pace, what is required, carry-over.

Everything is counted up to the Sunday before, by week parts, so that a cut looked at on Tuesday is Monday's. The month
and the quarter are those of the last working day before: the first cut of a month closes the month before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from worker.domain.cascade import parts_of
from worker.domain.document import Block, Bullet, Callout, Heading, Paragraph, Picture, bold, link, plain
from worker.domain.flow import ratio
from worker.domain.measures import PlanMeasure, Rag
from worker.domain.messages import message
from worker.domain.model import Client
from worker.domain.periods import Grain, Period, month_of, quarter_of, week_of
from worker.domain.titles import days, period_title
from worker.domain.values import Ref
from worker.pages.pictures import draw_plan
from worker.pages.view import DOTS, NONE, View
from worker.rules.plans import BASES, FIRM

USUAL_WEEKS = 4
MOST_CAUSES = 6
ENGAGEMENTS = {"fixed_price": message("fixed price"), "tm": message("T&M"), "retainer": message("retainer")}


@dataclass(frozen=True, slots=True)
class Line:
    """Plan and fact of a stretch of time up to the cut; `left` is what a working day must bring until its end."""

    title: str
    plan: Decimal | None
    fact: Decimal | None
    left: Decimal | None = None

    @property
    def variance(self) -> Decimal | None:
        """Return fact - plan."""
        return None if self.plan is None or self.fact is None else self.fact - self.plan

    @property
    def pace(self) -> Decimal | None:
        """Return fact / planned to date."""
        return ratio(self.fact / self.plan) if self.plan and self.fact is not None else None


def write_cut(view: View, unit: Ref, monday: date) -> tuple[Block, ...]:
    """Return the blocks of the cut of one Monday."""
    weeks = _last_week(monday)
    last = view.world.calendar.add(monday, -1)
    lines = (_week_line(view, unit, weeks), _to_date(view, unit, month_of(last), monday),
             _to_date(view, unit, quarter_of(last), monday))
    return (_verdict(view, lines, monday), Heading(view.say("Plan and fact")), _table(view, lines),
            *_chart(view, unit, monday), *_causes(view, unit, weeks), *_ahead(view, unit, monday),
            *(_units(view, monday) if unit == FIRM else ()))


def _last_week(monday: date) -> tuple[Period, ...]:
    first, last = week_of(monday - timedelta(days=7)), week_of(monday - timedelta(days=1))
    return (first,) if first == last else (first, last)


def _measures(view: View, unit: Ref, periods: Iterable[Period]) -> list[PlanMeasure]:
    return [plan for period in periods if (plan := view.plans.get((unit, period))) is not None]


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _fact(view: View, unit: Ref, periods: Iterable[Period]) -> Decimal | None:
    if view.measures.money is None:
        return None
    wanted = set(periods)
    return sum((fact.amount for fact in view.measures.money if fact.week in wanted and unit in (FIRM, fact.unit)),
               Decimal(0))


def _week_line(view: View, unit: Ref, weeks: tuple[Period, ...]) -> Line:
    worked = [week for week in weeks if view.world.calendar.in_period(week)] or weeks
    title = view.say("Last week, {days}", days=" + ".join(days(week, view.words) for week in worked))
    return Line(title, _sum(plan.target for plan in _measures(view, unit, weeks)), _fact(view, unit, weeks))


def _weeks_of(period: Period) -> tuple[Period, ...]:
    months = parts_of(period) if period.grain is Grain.QUARTER else (period,)
    return tuple(week for month in months for week in parts_of(month))


def _to_date(view: View, unit: Ref, period: Period, monday: date) -> Line:
    past = tuple(week for week in _weeks_of(period) if week.end < monday)
    plan, fact = _sum(one.target for one in _measures(view, unit, past)), _fact(view, unit, past)
    whole = view.plans.get((unit, period))
    left = view.world.calendar.working_days(max(monday, period.start), period.end)
    required = None
    if whole is not None and whole.target is not None and fact is not None and left:
        required = max(Decimal(0), whole.target - fact) / left
    return Line(view.say("{period} to date", period=period_title(period, view.words)), plan, fact, required)


def _colour(view: View, line: Line) -> Rag:
    band = view.world.thresholds.pace
    if line.pace is None:
        return Rag.GREY
    return Rag.GREEN if line.pace >= band.green else Rag.AMBER if line.pace >= band.amber else Rag.RED


def _verdict(view: View, lines: tuple[Line, ...], monday: date) -> Block:
    week, _, quarter = lines
    colour = _colour(view, quarter)
    shades = {Rag.RED: "red_background", Rag.AMBER: "yellow_background", Rag.GREEN: "green_background"}
    said = view.say("Cut of {day}. Last week {fact} of {plan} planned ({variance}); quarter pace {pace}.",
                    day=bold(view.date(monday)), fact=bold(view.money(week.fact)), plan=view.money(week.plan),
                    variance=view.change(week.variance), pace=bold(view.percent(quarter.pace)))
    return Callout(said, DOTS[colour], shades.get(colour, "gray_background"))


def _table(view: View, lines: tuple[Line, ...]) -> Block:
    return view.table(
        (message("Period"), message("Plan"), message("Fact"), message("Variance"), message("Pace"),
         message("Required a working day")),
        ((line.title, view.money(line.plan), view.money(line.fact), view.change(line.variance),
          f"{DOTS[_colour(view, line)]}\u00a0{view.percent(line.pace)}" if line.pace is not None else NONE,
          view.money(line.left)) for line in lines))


def _chart(view: View, unit: Ref, monday: date) -> Iterator[Block]:
    chart = draw_plan(view, unit, quarter_of(view.world.calendar.add(monday, -1)), until=monday)
    if chart is not None:
        yield Picture(chart)


def _causes(view: View, unit: Ref, weeks: tuple[Period, ...]) -> Iterator[Block]:
    """Name the clients whose week was not their usual one: the mean of their four weeks before."""
    differences = [(amount, client) for client in view.clients_of(unit)
                   if (amount := _difference(view, client, weeks)) is not None and abs(amount) >= 1]
    if not differences:
        return
    yield Heading(view.say("What made the difference"))
    yield Paragraph(view.say("Last week against the client's usual week (mean of the four weeks before)."))
    for amount, client in sorted(differences, key=lambda found: (-abs(found[0]), found[1].name))[:MOST_CAUSES]:
        model = view.say(ENGAGEMENTS[client.engagement]) if client.engagement in ENGAGEMENTS else ""
        details = " · ".join(part for part in (model, _bases(view, client, weeks)) if part)
        yield Bullet(f"{'▲' if amount > 0 else '▼'} {link(client.name, client.url)}: {bold(view.change(amount))}"
                     + (f" ({plain(details)})" if details else ""))


def _difference(view: View, client: Client, weeks: tuple[Period, ...]) -> Decimal | None:
    """Return last week's money over the mean of the four weeks before, both by working day; None without history."""
    if view.measures.money is None:
        return None
    calendar, monday = view.world.calendar, weeks[0].start - timedelta(days=weeks[0].start.weekday())
    start = monday - timedelta(weeks=USUAL_WEEKS)
    past = sum((f.amount for f in view.measures.money if f.client == client.ref and start <= f.week.start < monday),
               Decimal(0))
    now = sum((f.amount for f in view.measures.money if f.client == client.ref and f.week in weeks), Decimal(0))
    before = calendar.working_days(start, monday - timedelta(days=1))
    during = sum(calendar.in_period(week) for week in weeks)
    return now - past / before * during if before and (past or now) else None


def _bases(view: View, client: Client, weeks: tuple[Period, ...]) -> str:
    found = sorted({f.basis for f in view.measures.money or () if f.client == client.ref and f.week in weeks})
    return ", ".join(view.say(BASES[basis]) for basis in found if basis in BASES)


def _ahead(view: View, unit: Ref, monday: date) -> Iterator[Block]:
    """Say where the shortfall of the finished weeks went."""
    quarter = quarter_of(monday)
    whole = view.plans.get((unit, quarter))
    carried = [plan for plan in _measures(view, unit, _weeks_of(quarter)) if plan.carry and plan.period.end >= monday]
    if whole is None or not whole.carry:
        return
    yield Heading(view.say("Carry-over"))
    yield Paragraph(view.say("The finished weeks of the quarter are short of {amount}.", amount=bold(
        view.money(whole.carry))))
    if carried:
        yield view.table((message("Week"), message("Target"), message("Carried over"), message("Together")), (
            (period_title(plan.period, view.words), view.money(plan.target), view.change(plan.carry),
             view.money((plan.target or Decimal(0)) + plan.carry)) for plan in carried))


def _units(view: View, monday: date) -> Iterator[Block]:
    weeks, last = _last_week(monday), view.world.calendar.add(monday, -1)
    rows: dict[Ref, tuple[str, ...]] = defaultdict(tuple)
    for ref, unit in sorted(view.world.units.items(), key=lambda item: item[1].name):
        week = _week_line(view, ref, weeks)
        month, quarter = (_to_date(view, ref, of(last), monday) for of in (month_of, quarter_of))
        rows[ref] = (link(unit.name, unit.url), view.money(week.plan), view.money(week.fact),
                     view.change(week.variance), view.percent(month.pace),
                     f"{DOTS[_colour(view, quarter)]}\u00a0{view.percent(quarter.pace)}")
    if rows:
        yield Heading(view.say("By unit"))
        yield view.table((message("Unit"), message("Plan of the week"), message("Fact"), message("Variance"),
                          message("Pace of the month"), message("Pace of the quarter")), rows.values())
