"""The Monday cut of a unit or of the firm as a page; the arithmetic is `worker.method.money.monday`'s."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Heading,
    Paragraph,
    Picture,
    bold,
    link,
    plain,
)
from worker.domain.entities import FIRM
from worker.domain.messages import message
from worker.domain.period_titles import days, period_title
from worker.domain.periods import Period, quarter_of
from worker.domain.values import Ref
from worker.method.formulas.bands import colour_of
from worker.method.formulas.cascade import tree_of
from worker.method.measures import PlanMeasure, Rag
from worker.method.money.monday import Cause, Cut, Line, cut
from worker.method.money.plans import BASES
from worker.pages.pictures import chart_plan
from worker.pages.view import DOTS, NONE, SHADES, View, join_parts
from worker.world.rows import by_key, plan_key

MOST_CAUSES = 6
ENGAGEMENTS = {
    "fixed_price": message("fixed price"),
    "tm": message("T&M"),
    "retainer": message("retainer"),
}


def write_cut(view: View, unit: Ref, monday: date) -> tuple[Block, ...]:
    """Return the blocks of the cut of one Monday."""
    found = _cut(view, unit, monday)
    return (
        _verdict(view, found, monday),
        Heading(view.say("Plan and fact")),
        _table(view, found),
        *_chart(view, unit, monday),
        *_causes(view, found),
        *_ahead(view, found),
        *(_units(view, monday) if unit == FIRM else ()),
    )


def _cut(view: View, unit: Ref, monday: date) -> Cut:
    plans = {period: plan for (ref, period), plan in view.plans.items() if ref == unit}
    last = quarter_of(monday - timedelta(days=7))
    plans |= {} if last in plans else _kept_plans(view, unit, last)
    money = view.measures.money
    own = (
        None if money is None else [fact for fact in money if unit in (FIRM, fact.unit)]
    )
    return cut(
        monday, plans, own, clients=view.world.clients, calendar=view.world.calendar
    )


def _kept_plans(view: View, unit: Ref, quarter: Period) -> dict[Period, PlanMeasure]:
    """Return the targets of a quarter that is over, as its rows keep them."""
    found = {}
    rows = by_key(view.world.plan_rows())
    for period in tree_of(quarter):
        row = rows.get(plan_key(unit, period))
        if row is not None and row.target is not None:
            found[period] = PlanMeasure(
                unit,
                period,
                row.target,
                pinned=False,
                fact=None,
                fact_basis="",
                forecast=None,
                carry=Decimal(0),
                per_day=None,
                pace=None,
                rag=Rag.GREY,
            )
    return found


def _titled(view: View, found: Cut) -> tuple[tuple[str, Line], ...]:
    worked = [
        week for week in found.weeks if view.world.calendar.in_period(week)
    ] or found.weeks
    week = view.say(
        "Last week, {days}", days=" + ".join(days(week, view.words) for week in worked)
    )
    return (
        (week, found.week),
        *(
            (
                view.say(
                    "{period} to date", period=period_title(line.period, view.words)
                ),
                line,
            )
            for line in (found.month, found.quarter)
        ),
    )


def _colour(view: View, line: Line) -> Rag:
    band = view.world.thresholds.pace
    if line.pace is None:
        return Rag.GREY
    return colour_of(line.pace, band)


def _verdict(view: View, found: Cut, monday: date) -> Block:
    week = found.week
    quarter = found.quarter
    colour = _colour(view, quarter)

    said = view.say(
        "Cut of {day}. Last week {fact} of {plan} planned ({variance}); quarter pace {pace}.",
        day=bold(view.date(monday)),
        fact=bold(view.money(week.fact)),
        plan=view.money(week.plan),
        variance=view.change(week.variance),
        pace=bold(view.percent(quarter.pace)),
    )
    return Callout(said, DOTS[colour], SHADES[colour])


def _table(view: View, found: Cut) -> Block:
    return view.table(
        (
            message("Period"),
            message("Plan"),
            message("Fact"),
            message("Variance"),
            message("Pace"),
            message("Required a working day"),
        ),
        (
            (
                title,
                view.money(line.plan),
                view.money(line.fact),
                view.change(line.variance),
                f"{DOTS[_colour(view, line)]}\u00a0{view.percent(line.pace)}"
                if line.pace is not None
                else NONE,
                view.money(line.required),
            )
            for title, line in _titled(view, found)
        ),
    )


def _chart(view: View, unit: Ref, monday: date) -> Iterator[Block]:
    chart = chart_plan(
        view, unit, quarter_of(view.world.calendar.add(monday, -1)), until=monday
    )
    if chart is not None:
        yield Picture(chart)


def _causes(view: View, found: Cut) -> Iterator[Block]:
    """Name the clients and models that made the variance, the largest first."""
    told = [one for one in found.clients if abs(one.amount) >= 1]
    if not told:
        return
    yield Heading(view.say("What made the difference"))
    yield Paragraph(
        view.say(
            "The week's plan is shared out by what clients brought in the four weeks before."
        )
    )
    for one in told[:MOST_CAUSES]:
        yield Bullet(_cause(view, one, found.weeks))
    models = [
        f"{plain(_model(view, one.model))} {bold(view.change(one.amount))}"
        for one in found.models
        if one.model in ENGAGEMENTS and abs(one.amount) >= 1
    ]
    if len(models) > 1:
        yield Paragraph(view.say("By model: {models}.", models=", ".join(models)))


def _model(view: View, model: str) -> str:
    return view.say(ENGAGEMENTS[model]) if model in ENGAGEMENTS else ""


def _cause(view: View, one: Cause, weeks: tuple[Period, ...]) -> str:
    client = view.world.client(one.client)
    name = (
        link(client.name, client.url)
        if client
        else plain(view.say("nobody in particular"))
    )
    mark = "▲" if one.amount > 0 else "▼"
    line = f"{mark} {name}: {bold(view.change(one.amount))}"
    model = _model(view, one.model)
    bases = _bases(view, one.client, weeks)
    details = join_parts((model, bases))
    return f"{line} ({plain(details)})" if details else line


def _bases(view: View, client: Ref | None, weeks: tuple[Period, ...]) -> str:
    found = sorted(
        {fact.basis for fact in view.shelf(client).money if fact.week in weeks}
    )
    return ", ".join(view.say(BASES[basis]) for basis in found if basis in BASES)


def _ahead(view: View, found: Cut) -> Iterator[Block]:
    """Say where the shortfall of the finished weeks went."""
    if not found.short:
        return
    yield Heading(view.say("Carry-over"))
    yield Paragraph(
        view.say(
            "The finished weeks of the quarter are short of {amount}.",
            amount=bold(view.money(found.short)),
        )
    )
    if found.carried:
        yield view.table(
            (
                message("Week"),
                message("Target"),
                message("Carried over"),
                message("Together"),
            ),
            (
                (
                    period_title(one.period, view.words),
                    view.money(one.target),
                    view.change(one.carry),
                    view.money(one.target + one.carry),
                )
                for one in found.carried
            ),
        )


def _units(view: View, monday: date) -> Iterator[Block]:
    rows: list[tuple[str, ...]] = []
    for ref, unit in sorted(view.world.units.items(), key=lambda item: item[1].name):
        found = _cut(view, ref, monday)
        rows.append(
            (
                link(unit.name, unit.url),
                view.money(found.week.plan),
                view.money(found.week.fact),
                view.change(found.week.variance),
                view.percent(found.month.pace),
                f"{DOTS[_colour(view, found.quarter)]}\u00a0{view.percent(found.quarter.pace)}",
            )
        )
    if rows:
        yield Heading(view.say("By unit"))
        yield view.table(
            (
                message("Unit"),
                message("Plan of the week"),
                message("Fact"),
                message("Variance"),
                message("Pace of the month"),
                message("Pace of the quarter"),
            ),
            rows,
        )
