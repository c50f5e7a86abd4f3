"""The section on a client's own page: the ray, money, health with reasons, risks, people, next actions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Paragraph,
    Picture,
    bold,
    link,
    plain,
    reference,
)
from worker.domain.entities import HUNTED, RUNNING, Card, Client
from worker.domain.messages import message, stage_label
from worker.domain.period_titles import period_name, period_title
from worker.domain.periods import month_of, quarter_of
from worker.method.clients.health import NAMES
from worker.method.measures import ClientMeasure, Rag, TaskMeasure
from worker.method.money.forecasts import Ahead
from worker.method.money.retainer_hours import describe_balance
from worker.pages.pictures import chart_cards, weekly
from worker.pages.public import pages_for, public_view
from worker.pages.view import (
    DOTS,
    NONE,
    SHADES,
    View,
    by_stage,
    join_parts,
    meeting_ref,
    people_of,
    risk_reason,
    task_line,
)
from worker.world.rows import is_asleep
from worker.world.world import client_page

RAGS = {
    Rag.RED: message("Red"),
    Rag.AMBER: message("Amber"),
    Rag.GREEN: message("Green"),
    Rag.GREY: message("Grey"),
}
MOST_RISKS = 8
MOST_TASKS = 10
MOST_WAITING = 10


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
        *_sleeping(view, client),
        *_people(view, client),
        *_actions(view, client),
        *_waiting(view, client),
        *_for_the_client(view, client),
    )


def _for_the_client(view: View, client: Client) -> Iterator[Block]:
    """Yield what leads to the pages for the client's own eyes, by their titles: a lost state finds them so."""
    titles = pages_for(view, client, public_view(view, client))
    if not titles:
        return
    yield view.heading("For the client's eyes")
    for kind, title in titles.items():
        former = meeting_ref(kind, client.ref.key)
        ref = former if former in view.rows else client_page(kind, client.ref)
        yield Bullet(reference(title, ref))


def _head(view: View, measure: ClientMeasure) -> Block:
    score = (
        view.say("health score {score}", score=view.number(measure.score, 0))
        if measure.score is not None
        else ""
    )
    parts = [
        bold(view.say(RAGS[measure.rag])),
        score,
        view.say("data coverage {share}", share=view.percent(measure.coverage)),
    ]
    return Callout(join_parts(parts), DOTS[measure.rag], SHADES[measure.rag])


def _ray(view: View, client: Client, measure: ClientMeasure) -> Iterator[Block]:
    yield view.heading("Ray")
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
                message("Due"),
                message("Safe finish (P85)"),
                message("On-time chance"),
            ),
            (_card_row(view, card) for card in by_stage(live)),
        )


def _ray_line(view: View, measure: ClientMeasure) -> str:
    if measure.horizon is None:
        return view.say(
            "No running work, no agreed card and no contract end: no work is secured."
        )
    line = view.say(
        "Work is secured until {day}.", day=bold(view.date(measure.horizon))
    )
    match measure.ray_gap_weeks:
        case None:
            gap = view.say("Nothing after it has an expected start.")
        case 0:
            gap = view.say("The next card starts before that: no gap.")
        case weeks:
            gap = view.count(
                "Then a gap of {n} week until the next card.",
                "Then a gap of {n} weeks until the next card.",
                weeks,
            )
    return f"{line} {gap}"


def _card_row(view: View, card: Card) -> tuple[str, ...]:
    name = link(card.name, card.url)
    progress = safe = on_time = None
    measure = view.measures.cards.get(card.ref)
    if measure is not None:
        progress = measure.progress
        on_time = measure.on_time
        if measure.rag is not Rag.GREY:
            name = f"{DOTS[measure.rag]} {name}"
        if measure.forecast is not None:
            safe = measure.forecast.p85
    return (
        name,
        stage_label(card.stage, view.words),
        view.percent(progress),
        _due(view, card),
        view.date(safe),
        view.percent(on_time),
    )


def _due(view: View, card: Card) -> str:
    """Return when a card is due, with how often that moved."""
    day = view.date(view.due_of(card))
    measure = view.measures.cards.get(card.ref)
    promises = measure.promises if measure else None
    if promises is None or not promises.moves:
        return day
    moved = view.count(
        "moved {n} time, first {first}",
        "moved {n} times, first {first}",
        promises.moves,
        first=view.date(promises.first.due),
    )
    return f"{day} ({moved})"


def _money(view: View, client: Client, measure: ClientMeasure) -> Iterator[Block]:
    if measure.revenue_quarter is None:
        return
    month = month_of(view.today)
    quarter = quarter_of(view.today)
    forecast = None
    if view.ahead is not None:
        ahead = view.ahead.get((client.ref, quarter), Ahead())
        forecast = measure.revenue_quarter + ahead.committed + ahead.weighted
    months = view.share_months()
    share = view.shares.get(client.ref)
    until = period_name(quarter, view.words)
    lines = {
        period_title(month, view.words): view.money(measure.revenue_month),
        period_title(quarter, view.words): view.money(measure.revenue_quarter),
        view.say("Forecast of {period}", period=until): view.money(forecast),
        view.say("Share of the firm's revenue, {months}", months=months): view.share(
            share
        ),
        view.say("Monthly fee"): view.money(client.monthly_fee),
        view.say("Hours of the month"): _hours(view, client),
        view.say("Contract until"): view.date(client.contract_end),
        view.say("Client since"): view.date(client.since),
        view.say("Rate indexed on"): view.date(client.rate_indexed),
    }
    known = [(name, text) for name, text in lines.items() if text != NONE]

    yield view.heading("Money")
    yield view.table((message("Money"), message("Amount")), known)


def _hours(view: View, client: Client) -> str:
    hours = view.measures.hours
    balance = hours.balances.get(client.ref) if hours else None
    if not balance:
        return NONE
    return describe_balance(balance, view.words)


def _health(view: View, measure: ClientMeasure) -> Iterator[Block]:
    known = [factor for factor in measure.factors if factor.score is not None]
    known.sort(key=lambda factor: (factor.score, factor.name))
    if not known:
        return
    yield view.heading("Health and its reasons")
    yield view.table(
        (
            message("Factor"),
            message("Score, 0–100"),
            message("Weight"),
            message("Reason"),
        ),
        [
            (
                view.say(NAMES[factor.name]).capitalize(),
                view.number(factor.score or Decimal(0), 0),
                view.number(factor.weight, 1),
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
        yield view.paragraph("No data for: {factors}.", factors=", ".join(missing))


def _risks(view: View, client: Client) -> Iterator[Block]:
    risks = view.shelf(client.ref).risks
    if risks:
        yield view.heading("Open risks")
        for risk in risks[:MOST_RISKS]:
            reason = risk_reason(view, risk)
            yield Bullet(reason)
        if len(risks) > MOST_RISKS:
            yield view.paragraph(
                "and {n} more on the risk map", n=len(risks) - MOST_RISKS
            )


def _sleeping(view: View, client: Client) -> Iterator[Block]:
    """Yield the risks that people put off, so that nobody takes them for gone."""
    for row in view.risk_rows:
        if row.client != client.ref or row.status == "closed":
            continue
        if not is_asleep(row, view.today):
            continue
        name = view.linked(row.ref, row.title)
        if row.snooze_until is None:
            yield Bullet(view.say("💤 {risk} — put off", risk=name))
        else:
            day = view.date(row.snooze_until)
            yield Bullet(
                view.say("💤 {risk} — put off until {day}", risk=name, day=day)
            )


def _people(view: View, client: Client) -> Iterator[Block]:
    unit = view.world.unit(client.unit)
    contacts = view.shelf(client.ref).contacts
    if unit is None and not contacts:
        return
    yield view.heading("People")
    if unit is not None:
        team = []
        for role, people in people_of(unit):
            line = f"{view.say(role)}: {view.names(people)}"
            team.append(Bullet(line))
        yield Bullet(link(unit.name, unit.url), tuple(team))

    for contact in contacts:
        last = ""
        if contact.last_contact:
            day = view.date(contact.last_contact)
            last = view.say("last contact {day}", day=day)
        name = link(contact.name, contact.url)
        role = plain(contact.role or "")
        yield Bullet(join_parts((name, role, last)))


def _actions(view: View, client: Client) -> Iterator[Block]:
    tasks = view.shelf(client.ref).tasks
    yield view.heading("Next actions")
    if not tasks:
        yield view.paragraph("No open task.")
        return

    for task in tasks[:MOST_TASKS]:
        line = task_line(view, task, on=client.ref)
        yield Bullet(line)


def _waiting(view: View, client: Client) -> Iterator[Block]:
    """Yield what is to be done later: tasks that are made as soon as the client's sprint and the person's day have room."""
    waiting = view.shelf(client.ref).waiting
    if not waiting:
        return
    yield view.heading("Waiting their turn")
    yield view.paragraph(
        "These become tasks one after another, so that nobody gets more at once than can be done."
    )
    for task in waiting[:MOST_WAITING]:
        line = _waiting_line(view, task)
        yield Bullet(line)

    left = len(waiting) - MOST_WAITING
    if left > 0:
        yield view.paragraph("and {n} more", n=left)


def _waiting_line(view: View, task: TaskMeasure) -> str:
    title = plain(task.title)
    person = view.world.person(task.assignee)
    if person is None:
        return title
    name = plain(person.name)
    return join_parts((title, name))
