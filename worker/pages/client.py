"""The section on a client's own page: the ray, money, health with reasons, risks, people, next actions."""

from __future__ import annotations

from collections.abc import Iterator
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
from worker.domain.entities import FIRM, HUNTED, RUNNING, Card, Client
from worker.domain.messages import message, stage_label
from worker.domain.period_titles import period_title
from worker.domain.periods import month_of, quarter_of
from worker.method.clients.health import NAMES
from worker.method.measures import ClientMeasure, Rag
from worker.pages.pictures import chart_cards, weekly
from worker.pages.view import (
    DOTS,
    NONE,
    SHADES,
    View,
    join_parts,
    people_of,
    risk_reason,
    task_line,
)

RAGS = {
    Rag.RED: message("Red"),
    Rag.AMBER: message("Amber"),
    Rag.GREEN: message("Green"),
    Rag.GREY: message("Grey"),
}
MOST_RISKS, MOST_TASKS = 8, 10


def write_client(view: View, client: Client) -> tuple[Block, ...]:
    """Return the blocks of a client's page."""
    measure = view.measures.clients.get(client.ref)
    if measure is None:
        return ()
    return (
        _head(view, measure),
        *_ray(view, client, measure),
        *_money(view, client, measure),
        *_health(view, measure),
        *_risks(view, client),
        *_people(view, client),
        *_actions(view, client),
    )


def _head(view: View, measure: ClientMeasure) -> Block:
    score = (
        view.say("score {score}", score=view.words.number(measure.score, 0))
        if measure.score is not None
        else ""
    )
    parts = [
        bold(view.say(RAGS[measure.rag])),
        score,
        view.say("coverage {share}", share=view.percent(measure.coverage)),
    ]
    return Callout(join_parts(parts), DOTS[measure.rag], SHADES[measure.rag])


def _ray(view: View, client: Client, measure: ClientMeasure) -> Iterator[Block]:
    yield Heading(view.say("Ray"))
    yield Paragraph(_ray_line(view, measure))
    cards = view.cards.get(client.ref, ())
    live = [card for card in cards if card.stage in (*RUNNING, *HUNTED)]
    chart = chart_cards(
        view, cards, title=view.say("Ray of {client}", client=client.name)
    )
    if chart is not None:
        typed = [
            (card.name, card.stage, card.start, card.expected_start, view.due_of(card))
            for card in live
        ]
        yield Picture(chart, edition=weekly(view, chart.title, typed))
    if live:
        yield view.table(
            (
                message("Card"),
                message("Stage"),
                message("Done"),
                message("Promised"),
                message("Forecast P85"),
                message("P(on time)"),
            ),
            (_card_row(view, card) for card in _ordered(live)),
        )


def _ordered(cards: list[Card]) -> list[Card]:
    order = {stage: index for index, stage in enumerate((*RUNNING, *reversed(HUNTED)))}

    def rank(card: Card) -> tuple[int, str]:
        place = order[card.stage] if card.stage else len(order)
        return place, card.name

    return sorted(cards, key=rank)


def _ray_line(view: View, measure: ClientMeasure) -> str:
    if measure.horizon is None:
        return view.say(
            "No running work, no agreed card and no contract end: the ray has no horizon."
        )
    line = view.say("Work is known until {day}.", day=bold(view.date(measure.horizon)))
    match measure.ray_gap_weeks:
        case None:
            gap = view.say("Nothing after it has an expected start.")
        case 0:
            gap = view.say("The next card starts before that: no gap.")
        case weeks:
            gap = view.words.count(
                "Then a gap of {n} week until the next card.",
                "Then a gap of {n} weeks until the next card.",
                weeks,
            )
    return f"{line} {gap}"


def _card_row(view: View, card: Card) -> tuple[str, ...]:
    measure = view.measures.cards.get(card.ref)
    forecast = measure.forecast if measure else None
    dot = f"{DOTS[measure.rag]} " if measure and measure.rag is not Rag.GREY else ""
    due = view.due_of(card)
    progress = measure.progress if measure else None
    safe = forecast.p85 if forecast else None
    on_time = forecast.on_time if forecast else None
    return (
        f"{dot}{link(card.name, card.url)}",
        stage_label(card.stage, view.words),
        view.percent(progress),
        view.date(due),
        view.date(safe),
        view.percent(on_time),
    )


def _money(view: View, client: Client, measure: ClientMeasure) -> Iterator[Block]:
    if measure.revenue_quarter is None:
        return
    quarter = quarter_of(view.today)
    whole = (view.sums or {}).get((FIRM, quarter))
    share = measure.revenue_quarter / whole if whole else None
    yield Heading(view.say("Money"))
    rows = [
        (
            period_title(month_of(view.today), view.words),
            view.money(measure.revenue_month),
        ),
        (period_title(quarter, view.words), view.money(measure.revenue_quarter)),
        (view.say("Share of the firm's quarter"), view.percent(share)),
        (view.say("Monthly fee"), view.money(client.monthly_fee)),
        (view.say("Contract until"), view.date(client.contract_end)),
        (view.say("Client since"), view.date(client.since)),
        (view.say("Rate indexed on"), view.date(client.rate_indexed)),
    ]
    yield view.table(
        (message("Money"), message("Amount")), [row for row in rows if row[1] != NONE]
    )


def _health(view: View, measure: ClientMeasure) -> Iterator[Block]:
    known = [factor for factor in measure.factors if factor.score is not None]
    known.sort(key=lambda factor: (factor.score, factor.name))
    if not known:
        return
    yield Heading(view.say("Health and its reasons"))
    yield view.table(
        (message("Factor"), message("Score"), message("Weight"), message("Reason")),
        [
            (
                view.say(NAMES[factor.name]).capitalize(),
                view.words.number(factor.score or Decimal(0), 0),
                view.words.number(factor.weight, 1),
                plain(factor.reason),
            )
            for factor in known
        ],
    )
    missing = []
    for factor in measure.factors:
        if factor.score is None:
            name = view.say(NAMES[factor.name])
            missing.append(name)
    if missing:
        yield Paragraph(view.say("No data for: {factors}.", factors=", ".join(missing)))


def _risks(view: View, client: Client) -> Iterator[Block]:
    risks = view.shelf(client.ref).risks
    if risks:
        yield Heading(view.say("Open risks"))
        yield from (Bullet(risk_reason(view, risk)) for risk in risks[:MOST_RISKS])
        if len(risks) > MOST_RISKS:
            yield Paragraph(
                view.say("and {n} more on the risk map", n=len(risks) - MOST_RISKS)
            )


def _people(view: View, client: Client) -> Iterator[Block]:
    unit = view.world.unit(client.unit)
    contacts = view.shelf(client.ref).contacts
    if unit is None and not contacts:
        return
    yield Heading(view.say("People"))
    if unit is not None:
        yield Bullet(
            link(unit.name, unit.url),
            tuple(
                Bullet(f"{view.say(role)}: {view.names(people)}")
                for role, people in people_of(unit)
            ),
        )
    for contact in contacts:
        last = (
            view.say("last contact {day}", day=view.date(contact.last_contact))
            if contact.last_contact
            else ""
        )
        parts = (link(contact.name, contact.url), plain(contact.role or ""), last)
        yield Bullet(join_parts(parts))


def _actions(view: View, client: Client) -> Iterator[Block]:
    tasks = view.shelf(client.ref).tasks
    yield Heading(view.say("Next actions"))
    if not tasks:
        yield Paragraph(view.say("No open task."))
    yield from (
        Bullet(task_line(view, task, on=client.ref)) for task in tasks[:MOST_TASKS]
    )
