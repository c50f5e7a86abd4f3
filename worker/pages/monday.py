"""The Monday cut of a unit or of the firm as a page; the arithmetic is `worker.method.money.monday`'s."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from worker.domain.document import Block, Bullet, Callout, Picture, bold, link, plain
from worker.domain.entities import FIRM
from worker.domain.messages import message
from worker.domain.money import round_money
from worker.domain.period_titles import days, period_name, period_title
from worker.domain.periods import A_WEEK, Period, month_of, quarter_of
from worker.domain.values import Ref
from worker.method.formulas.bands import colour_of
from worker.method.formulas.cascade import tree_of
from worker.method.measures import PlanMeasure, Rag
from worker.method.money.monday import Cause, Cut, Line, cut
from worker.method.money.plans import BASES
from worker.pages.forecast import FORECAST_HEADER, forecast_row
from worker.pages.pictures import chart_plan
from worker.pages.view import DOTS, NONE, SHADES, View, client_link, join_parts
from worker.world.rows import by_key, plan_key

MOST_CAUSES = 6
ENGAGEMENTS = {
    "fixed_price": message("fixed price"),
    "tm": message("T&M"),
    "retainer": message("retainer"),
}


def write_cut(view: View, unit: Ref, monday: date) -> tuple[Block, ...]:
    """Return the blocks of the cut of one Monday."""
    figures = _cut(view, unit, monday)
    return (
        _verdict(view, figures, monday),
        view.heading("Plan and actual"),
        _table(view, figures),
        *_forecasts(view, unit, monday),
        *_chart(view, unit, monday),
        *_causes(view, figures),
        *_corrections(view, unit, monday),
        *_ahead(view, figures),
        *(_units(view, monday) if unit == FIRM else ()),
    )


def _cut(view: View, unit: Ref, monday: date) -> Cut:
    plans = {}
    for (ref, period), plan in view.plans.items():
        if ref == unit:
            plans[period] = plan
    last = quarter_of(monday - timedelta(days=7))
    if last not in plans:
        plans |= _kept_plans(view, unit, last)
    money = view.measures.money
    own = None
    if money is not None:
        own = [fact for fact in money if unit in (FIRM, fact.unit)]
    return cut(
        monday,
        plans,
        own,
        clients=view.world.clients,
        calendar=view.world.calendar,
        minor=view.world.minor_unit,
    )


def _kept_plans(view: View, unit: Ref, quarter: Period) -> dict[Period, PlanMeasure]:
    """Return the targets of a quarter that is over, as its rows keep them."""
    plans = {}
    rows = by_key(view.world.plan_rows())
    for period in tree_of(quarter):
        row = rows.get(plan_key(unit, period))
        if row is not None and row.target is not None:
            plans[period] = PlanMeasure(
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
    return plans


def _titled(view: View, figures: Cut) -> tuple[tuple[str, Line], ...]:
    calendar = view.world.calendar
    worked = []
    for week in figures.weeks:
        if calendar.in_period(week):
            worked.append(week)
    spans = []
    for week in worked or figures.weeks:
        span = days(week, view.words)
        spans.append(span)
    title = view.say("Last week, {days}", days=" + ".join(spans))
    titled = [(title, figures.week)]
    for line in (figures.month, figures.quarter):
        period = period_title(line.period, view.words)
        title = f"{period}, {_until(view, figures)}"
        place = title, line
        titled.append(place)
    return tuple(titled)


def _until(view: View, figures: Cut) -> str:
    """Say what day the figures count to: other pages count on."""
    sunday = figures.weeks[-1].end
    return view.say("as of Sunday, {day}", day=view.words.day_month(sunday))


def _colour(view: View, line: Line) -> Rag:
    band = view.world.thresholds.pace
    if line.pace is None:
        return Rag.GREY
    return colour_of(line.pace, band)


def _coloured_pace(view: View, line: Line) -> str:
    dot = DOTS[_colour(view, line)]
    return f"{dot}\u00a0{view.percent(line.pace)}"


def _verdict(view: View, figures: Cut, monday: date) -> Block:
    week = figures.week
    quarter = figures.quarter
    colour = _colour(view, quarter)

    text = view.say(
        "Snapshot of {day}. Last week {fact} of {plan} planned ({variance}); quarter pace {pace}.",
        day=bold(view.date(monday)),
        fact=bold(view.money(week.fact)),
        plan=view.money(week.plan),
        variance=view.change(view.variance(week.plan, week.fact)),
        pace=bold(view.percent(quarter.pace)),
    )
    return Callout(text, DOTS[colour], SHADES[colour])


def _table(view: View, figures: Cut) -> Block:
    return view.table(
        (
            message("Period"),
            message("Plan"),
            message("Actual"),
            message("Variance"),
            message("Pace"),
            message("Required a working day"),
        ),
        (
            (
                title,
                view.money(line.plan),
                view.money(line.fact),
                view.change(view.variance(line.plan, line.fact)),
                _coloured_pace(view, line) if line.pace is not None else NONE,
                view.money(line.required),
            )
            for title, line in _titled(view, figures)
        ),
    )


def _chart(view: View, unit: Ref, monday: date) -> Iterator[Block]:
    before = view.world.calendar.add(monday, -1)
    quarter = quarter_of(before)
    chart = chart_plan(view, unit, quarter, until=monday)
    if chart is not None:
        yield Picture(chart)


def _forecasts(view: View, unit: Ref, monday: date) -> Iterator[Block]:
    """Say what the running month and quarter are to come to, each part apart."""
    rows = []
    running = view.world.calendar.add(monday, 0)
    month = month_of(running)
    quarter = quarter_of(running)
    for period in (month, quarter):
        plan = view.plans.get((unit, period))
        row = forecast_row(view, plan)
        if row is not None:
            rows.append(row)
    if rows:
        day = view.words.day_month(view.today)
        yield view.heading("Forecast, actual to {day}", day=day)
        yield view.table(FORECAST_HEADER, rows)


def _causes(view: View, figures: Cut) -> Iterator[Block]:
    """Name the clients and models that made the variance, the largest first, and what the others made of it."""
    week = figures.week
    total = view.variance(week.plan, week.fact)
    amounts = view.whole([cause.amount for cause in figures.clients], total)
    causes = []
    for cause, amount in zip(figures.clients, amounts, strict=True):
        if amount:
            place = cause, amount
            causes.append(place)
    if not causes:
        return
    yield view.heading("What made the difference")
    yield view.paragraph(
        "The week's plan is shared out by what clients brought in the four weeks before."
    )
    for cause, amount in causes[:MOST_CAUSES]:
        yield Bullet(_cause(view, cause, amount, figures.weeks))
    rest = [amount for _, amount in causes[MOST_CAUSES:]]
    if rest:
        others = view.count("{n} more client", "{n} more clients", len(rest))
        total_rest = sum(rest, Decimal(0))
        change = bold(view.change(total_rest))
        yield Bullet(f"{others}: {change}")
    yield from _by_model(view, figures, total)


def _by_model(view: View, figures: Cut, total: Decimal | None) -> Iterator[Block]:
    amounts = view.whole([cause.amount for cause in figures.models], total)
    models = []
    for cause, amount in zip(figures.models, amounts, strict=True):
        if amount:
            model = _model(view, cause.model) or view.say("without an engagement model")
            name = plain(model)
            change = bold(view.change(amount))
            line = f"{name} {change}"
            models.append(line)
    if len(models) > 1:
        yield view.paragraph("By engagement model: {models}.", models=", ".join(models))


def _model(view: View, model: str) -> str:
    if model not in ENGAGEMENTS:
        return ""
    return view.say(ENGAGEMENTS[model])


def _cause(view: View, cause: Cause, change: Decimal, weeks: tuple[Period, ...]) -> str:
    nobody = plain(view.say("nobody in particular"))
    name = client_link(view, cause.client) or nobody
    mark = "▲" if change > 0 else "▼"
    amount = bold(view.change(change))
    line = f"{mark} {name}: {amount}"
    model = _model(view, cause.model)
    bases = _bases(view, cause.client, weeks)
    details = join_parts((model, bases))
    if details:
        line += f" ({plain(details)})"
    return line


def _bases(view: View, client: Ref | None, weeks: tuple[Period, ...]) -> str:
    bases = set()
    for fact in view.shelf(client).money:
        if fact.week in weeks:
            bases.add(fact.basis)
    names = []
    for basis in sorted(bases):
        if basis in BASES:
            name = view.say(BASES[basis])
            names.append(name)
    return ", ".join(names)


def _corrections(view: View, unit: Ref, monday: date) -> Iterator[Block]:
    """Name what last week's money corrects of earlier money, by client and closed month or by card."""
    amounts: dict[tuple[Ref, date | None, Ref | None], Decimal] = defaultdict(Decimal)
    for correction in view.measures.corrections:
        client = view.world.clients[correction.client]
        day = correction.day
        is_ours = unit in (FIRM, client.unit_on(day))
        if is_ours and monday - A_WEEK <= day < monday:
            place = correction.client, correction.month, correction.card
            amounts[place] += correction.amount
    lines = [place for place in amounts if amounts[place]]
    if not lines:
        return
    yield view.heading("True-ups")
    yield view.paragraph("Part of the week's money corrects what was counted before.")
    lines.sort(key=str)
    lines.sort(key=lambda place: abs(amounts[place]), reverse=True)
    for place in lines[:MOST_CAUSES]:
        yield Bullet(_correction(view, place, amounts[place]))
    rest = [amounts[place] for place in lines[MOST_CAUSES:]]
    if rest:
        others = view.count("{n} more true-up", "{n} more true-ups", len(rest))
        total_rest = sum(rest, Decimal(0))
        change = bold(view.change(total_rest))
        yield Bullet(f"{others}: {change}")


def _correction(
    view: View, place: tuple[Ref, date | None, Ref | None], amount: Decimal
) -> str:
    ref, month, project = place
    card = view.world.card(project)
    reason = view.say("a changed budget or scope, or reopened work")
    if month is not None:
        period = period_name(month_of(month), view.words)
        reason = view.say("of {month}, which is closed", month=period)
    name = client_link(view, ref)
    if card is not None:
        name = link(card.name, card.url)
    change = bold(view.change(amount))
    return f"{name}: {change} ({plain(reason)})"


def _ahead(view: View, figures: Cut) -> Iterator[Block]:
    """Say where the shortfall of the finished weeks went."""
    if not figures.short:
        return
    short = _short(view, figures)
    yield view.heading("Shortfall carried over")
    yield view.paragraph(
        "The finished weeks of the quarter are short of {amount}.",
        amount=bold(view.money(short)),
    )
    if figures.carried:
        yield view.table(
            (
                message("Week"),
                message("Target"),
                message("Shortfall carried over"),
                message("Together"),
            ),
            _carried(view, figures, short),
        )


def _short(view: View, figures: Cut) -> Decimal:
    """Return the shortfall as it is shown: where it is the variance of the quarter, as that is shown above."""
    quarter = figures.quarter
    shown = view.variance(quarter.plan, quarter.fact)
    if shown is not None and quarter.variance == -figures.short:
        return -shown
    return round_money(figures.short, Decimal(1))


def _carried(view: View, figures: Cut, short: Decimal) -> Iterator[tuple[str, ...]]:
    carries = [week.carry for week in figures.carried]
    total = None
    if sum(carries, Decimal(0)) == figures.short:
        total = short
    amounts = view.whole(carries, total)
    for week, carry in zip(figures.carried, amounts, strict=True):
        target = round_money(week.target, Decimal(1))
        yield (
            period_title(week.period, view.words),
            view.money(target),
            view.change(carry),
            view.money(target + carry),
        )


def _units(view: View, monday: date) -> Iterator[Block]:
    """Show every unit, what the firm has outside of them, and the firm, so that plan, fact and variance add up."""
    units = list(view.world.units.values())
    units.sort(key=lambda unit: (unit.name, unit.ref))
    if not units:
        return
    firm = _cut(view, FIRM, monday)
    whole = firm.week
    cuts = []
    expected = []
    earned = []
    for unit in units:
        own = _cut(view, unit.ref, monday)
        cuts.append(own)
        expected.append(own.week.plan)
        earned.append(own.week.fact)
    plans, plan = view.parts(whole.plan, expected)
    facts, fact = view.parts(whole.fact, earned)
    is_planned = whole.plan is not None
    rows = []
    for number, unit in enumerate(units):
        line = (link(unit.name, unit.url), plans[number], facts[number])
        row = _unit_row(view, line, cuts[number], is_planned=is_planned)
        rows.append(row)
    if plan or fact:
        rows.append(
            (
                view.say("Outside of units"),
                view.money(plan if is_planned else None),
                view.money(fact),
                view.change(fact - plan) if is_planned else NONE,
                NONE,
                NONE,
            )
        )
    name = bold(view.unit_name(FIRM))
    line = (name, whole.plan, whole.fact)
    everyone = _unit_row(view, line, firm, is_planned=is_planned)
    yield view.heading("By unit, {until}", until=_until(view, firm))
    yield view.table(
        (
            message("Unit"),
            message("Plan of the week"),
            message("Actual"),
            message("Variance"),
            message("Pace of the month"),
            message("Pace of the quarter"),
        ),
        (*rows, everyone),
    )


def _unit_row(
    view: View,
    line: tuple[str, Decimal | None, Decimal | None],
    figures: Cut,
    *,
    is_planned: bool,
) -> tuple[str, ...]:
    """Return a unit's row; where the firm has a plan, a unit without one was to bring nothing of it."""
    name, plan, fact = line
    expected = plan
    if plan is None and is_planned:
        expected = Decimal(0)
    return (
        name,
        view.money(plan),
        view.money(fact),
        view.change(view.variance(expected, fact)),
        view.percent(figures.month.pace),
        _coloured_pace(view, figures.quarter),
    )
