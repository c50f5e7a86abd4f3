"""The agenda of a growth group's monthly or quarterly meeting: retrospective, then what is to be decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

from worker.domain.cascade import parts_of
from worker.domain.document import Block, Bullet, Callout, Divider, Heading, Paragraph, Picture, Quote, bold, link
from worker.domain.flow import ratio
from worker.domain.messages import message, stage_label
from worker.domain.model import Row, Stage
from worker.domain.periods import Period, previous_period, quarter_of
from worker.domain.titles import period_title
from worker.domain.values import Ref
from worker.pages.pictures import draw_load, draw_plan, draw_risks
from worker.pages.view import DOTS, NONE, View, refs_of, risk_reason

MOST = 15
CARRIES = 3
CONCERNS = {
    "feature": message("TL: validated features"), "hypothesis": message("PM: hypotheses"),
    "idea": message("AM: ideas for the client"), "feedback": message("Feedback")}
READY = ("validated", "for_group", "presented")


def write_agenda(view: View, unit: Ref, period: Period) -> tuple[Block, ...]:
    """Return the agenda of the meeting that opens a period."""
    past = previous_period(period)
    head = view.say("Looks back at {past} and plans {next}.", past=bold(period_title(past, view.words)),
                    next=bold(period_title(period, view.words)))
    return (Callout(head, "🗓️", "blue_background"),
            Heading(view.say("1. Retrospective"), 1), *_retrospective(view, unit, past),
            Heading(view.say("2. Resources"), 1), *_resources(view, unit),
            Heading(view.say("3. Risks"), 1), *_risks(view, unit),
            Heading(view.say("4. Finance"), 1), *_finance(view, unit, past),
            Heading(view.say("5. Unit development"), 1), *_development(view, unit),
            Heading(view.say("6. Plan: {period}", period=period_title(period, view.words)), 1),
            *_plan(view, unit, period))


def _retrospective(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    yield Heading(view.say("Plan and fact"), 3)
    yield _plan_table(view, unit, (past, *parts_of(past)))
    yield from _risk_history(view, unit, past)
    yield from _task_history(view, unit, past)


def _plan_table(view: View, unit: Ref, periods: Iterable[Period]) -> Block:
    rows = []
    for period in periods:
        plan = view.plans.get((unit, period))
        if plan is not None:
            share = ratio(plan.fact / plan.target) if plan.fact is not None and plan.target else None
            rows.append((period_title(period, view.words), view.money(plan.target), view.money(plan.fact),
                         view.percent(share), DOTS[plan.rag]))
    if not rows:
        return Paragraph(view.say("Nothing was planned."))
    return view.table((message("Period"), message("Plan"), message("Fact"), message("Fulfilled"), message("Health")),
                      rows)


def _rows_of(view: View, source: str, unit: Ref) -> Iterator[Row]:
    mine = {client.ref for client in view.clients_of(unit)}
    for row in view.later.get(source, view.world.rows.get(source, ())):
        if set(refs_of(row.fields.get("client"))) & mine or unit in refs_of(row.fields.get("unit")):
            yield row


def _in_period(row: Row, name: str, period: Period) -> bool:
    day = row.fields.get(name)
    return hasattr(day, "year") and period.start.isoformat() <= str(day)[:10] <= period.end.isoformat()


def _risk_history(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    rows = list(_rows_of(view, "risks", unit))
    opened = [row for row in rows if _in_period(row, "first_seen", past)]
    closed = [row for row in rows if row.fields.get("status") == "closed" and _in_period(row, "last_change", past)]
    if opened or closed:
        yield Heading(view.say("Risks"), 3)
        yield Bullet(view.words.count("{n} risk opened", "{n} risks opened", len(opened)), _links(view, opened))
        yield Bullet(view.words.count("{n} risk closed", "{n} risks closed", len(closed)), _links(view, closed))


def _links(view: View, rows: list[Row]) -> tuple[Bullet, ...]:
    return tuple(Bullet(view.linked(row.ref, row.title)) for row in rows[:MOST])


def _task_history(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    rows = [row for row in _rows_of(view, "tasks", unit) if _in_period(row, "due", past)]
    done = [row for row in rows if row.fields.get("status") == "done"]
    still = [row for row in done if refs_of(row.fields.get("project")) and not row.fields.get("moved")]
    carried = [row for row in _rows_of(view, "tasks", unit) if row.fields.get("status") not in ("done", "cancelled")
               and isinstance(count := row.fields.get("carried"), Decimal) and count >= CARRIES]
    if rows or carried:
        yield Heading(view.say("Account sprint"), 3)
        yield Bullet(view.say("{done} of {all} tasks due in the period are done", done=len(done), all=len(rows)))
    if still:
        yield Bullet(view.say("Done, but the card did not move:"), _links(view, still))
    if carried:
        yield Bullet(view.say("Carried over three times or more:"), _links(view, carried))


def _resources(view: View, unit: Ref) -> Iterator[Block]:
    load = view.measures.units.get(unit)
    if load is None:
        yield Paragraph(view.say("Capacity and load are not known."))
        return
    yield Bullet(view.say("Utilization of the last four weeks: {share} of {hours} h effective capacity",
                          share=bold(view.percent(load.utilization)), hours=view.words.number(load.effective, 0)))
    chart = draw_load(view, load.people, title=view.say("Load of the weeks ahead"))
    if chart is not None:
        yield Picture(chart)


def _risks(view: View, unit: Ref) -> Iterator[Block]:
    risks = view.risks_of(unit)
    chart = draw_risks(view, risks, title=view.say("Risk map") + f" · {view.unit_name(unit)}")
    if chart is None:
        yield Paragraph(view.say("No open risk."))
        return
    yield Picture(chart)
    for risk in risks[:MOST]:
        steps = tuple(Bullet(f"{view.date(step.day)}: {step.text}") for step in risk.steps if step.day >= view.today)
        yield Bullet(risk_reason(view, risk), steps[:5])


def _finance(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    chart = draw_plan(view, unit, quarter_of(past.start), until=view.today - timedelta(days=view.today.weekday()))
    if chart is not None:
        yield Picture(chart)
    quarter = view.plans.get((unit, quarter_of(past.start)))
    if quarter is not None:
        yield Bullet(view.say("Fact of the quarter: {fact} of {target}; forecast {forecast}.",
                              fact=bold(view.money(quarter.fact)), target=view.money(quarter.target),
                              forecast=view.money(quarter.forecast)))


def _development(view: View, unit: Ref) -> Iterator[Block]:
    cards = [card for card in view.cards_of(unit) if card.stage in (Stage.IDEA, Stage.SHAPING)]
    for kind, title in CONCERNS.items():
        # Feedback on a person is private and belongs to the head of accounting's page alone.
        rows = [row for row in _rows_of(view, "backlog", unit) if row.fields.get("kind") == kind
                and row.fields.get("status") in READY] if kind != "feedback" else []
        if rows:
            yield Heading(view.say(title), 3)
            yield from _links(view, rows)
    yield Heading(view.say("Idea cards to move forward"), 3)
    if not cards:
        yield Paragraph(view.say("No card is at the idea or shaping stage."))
    for card in cards[:MOST]:
        client = view.world.clients.get(card.client) if card.client else None
        yield Bullet(f"{link(card.name, card.url)} · {link(client.name, client.url) if client else NONE} · "
                     f"{stage_label(card.stage, view.words)}")


def _plan(view: View, unit: Ref, period: Period) -> Iterator[Block]:
    rows = [(period_title(part, view.words), view.money(plan.target), view.change(plan.carry) if plan.carry else NONE)
            for part in (period, *parts_of(period)) if (plan := view.plans.get((unit, part))) is not None]
    if rows:
        yield view.table((message("Period"), message("Target"), message("Carried over")), rows)
    else:
        yield Paragraph(view.say("The targets of this period are not set yet."))
    yield Divider()
    yield Quote(view.say("Write decisions below the section: they stay as you write them."))
