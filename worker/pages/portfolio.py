"""The portfolio for the head of accounting: all clients, rays, mix, concentration, risk map, account managers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from worker.domain.document import Block, Bullet, Callout, Picture, bold, link, plain
from worker.domain.entities import FIRM, Client
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import quarter_of
from worker.domain.values import Ref
from worker.method.money.finance import FEW, finished_months, is_units
from worker.pages.pictures import chart_clients, chart_load, chart_risks, weekly
from worker.pages.view import DOTS, NONE, View, join_parts, risk_line

MOST_RISKS, TITLE = 10, 48


def write_portfolio(view: View) -> tuple[Block, ...]:
    """Return the blocks of the portfolio page."""
    money = _by_client(view)
    return (
        _summary(view, money),
        view.heading("Clients"),
        _clients(view, money),
        *_rays(view),
        *_mix(view),
        *_loyalty(view),
        *_risks(view),
        *_managers(view, money),
        *_load(view),
    )


def _by_client(view: View) -> dict[Ref, Decimal] | None:
    if view.measures.money is None:
        return None
    quarter = quarter_of(view.today)
    sums = dict.fromkeys(view.world.clients, Decimal(0))
    for fact in view.measures.money:
        if fact.week.start in quarter and fact.client in sums:
            sums[fact.client] += fact.amount
    return sums


def _summary(view: View, money: dict[Ref, Decimal] | None) -> Block:
    clients = view.world.clients.values()
    words = view.words
    groups = Counter(client.group for client in clients)
    levels = Counter(risk.level for risk in view.risks)
    quarter = quarter_of(view.today)
    plan = view.plans.get((FIRM, quarter))
    total = sum(money.values(), Decimal(0)) if money is not None else None
    pace = ""
    if plan and plan.pace is not None:
        pace = view.say("pace {pace}", pace=view.percent(plan.pace))
    parts = [
        bold(words.count("{n} client", "{n} clients", len(clients))),
        words.count("{n} account", "{n} accounts", groups["account"]),
        words.count("{n} newbiz", "{n} newbiz clients", groups["newbiz"]),
        f"{period_title(quarter, words)}: {view.money(total)}",
        pace,
        words.count("{n} high risk", "{n} high risks", levels["high"]),
    ]
    return Callout(join_parts(parts), "🧭", "blue_background")


def _clients(view: View, money: dict[Ref, Decimal] | None) -> Block:
    order = {dot: index for index, dot in enumerate(DOTS)}
    measures = view.measures.clients

    def rank(client: Client) -> tuple[int, Decimal, str]:
        measure = measures.get(client.ref)
        return (
            order[measure.rag] if measure else 9,
            (measure.score if measure else None) or Decimal(0),
            client.name,
        )

    return view.table(
        (
            message("Client"),
            message("Unit"),
            message("Quarter"),
            message("Share"),
            message("Work until"),
            message("Risks"),
            message("Next action"),
        ),
        (
            _row(view, client, money)
            for client in sorted(view.world.clients.values(), key=rank)
        ),
    )


def _row(
    view: View, client: Client, money: dict[Ref, Decimal] | None
) -> tuple[str, ...]:
    measure = view.measures.clients.get(client.ref)
    total = sum(money.values(), Decimal(0)) if money else Decimal(0)
    amount = money[client.ref] if money is not None else None
    score = (
        view.number(measure.score, 0) if measure and measure.score is not None else ""
    )
    shelf = view.shelf(client.ref)
    task = shelf.tasks[0] if shelf.tasks else None
    dot = f"{DOTS[measure.rag]} {score} ".replace("  ", " ") if measure else ""
    share = None
    if amount is not None and total:
        share = amount / total
    horizon = measure.horizon if measure else None
    action = NONE
    if task is not None:
        action = view.linked(task.ref, _short(task.title))
    return (
        f"{dot}{link(client.name, client.url)}",
        plain(view.unit_name(client.unit)),
        view.brief_money(amount),
        view.percent(share),
        view.date(horizon),
        str(len(shelf.risks)),
        action,
    )


def _short(title: str) -> str:
    return title if len(title) <= TITLE else title[: TITLE - 1].rstrip() + "…"


def _rays(view: View) -> Iterator[Block]:
    chart = chart_clients(view)
    if chart is not None:
        yield view.heading("Rays")
        yield Picture(
            chart,
            view.say(
                "A bar ends where known work ends; the shortest rays stand on top."
            ),
            weekly(
                view,
                chart.title,
                sorted((ray.label, ray.start, ray.stage) for ray in chart.rays),
            ),
        )


def _mix(view: View) -> Iterator[Block]:
    """Yield mix and concentration over the last three finished months, as the risks of both are judged."""
    months = finished_months(view.today, FEW)
    first_day = months[0].start
    days = {month.start for month in months}
    money = {
        ref: sum((month.amount for month in history if month.month in days), Decimal(0))
        for ref, history in (view.measures.history or {}).items()
        if ref in view.world.clients
    }
    total = sum(money.values(), Decimal(0))
    if not total:
        return
    units = sum(
        (
            amount
            for ref, amount in money.items()
            if is_units(view.world.clients[ref], view.world)
        ),
        Decimal(0),
    )
    yield view.heading("Mix and concentration")
    yield view.paragraph(
        "Money of the last three finished months, {first} – {last}.",
        first=view.date(first_day),
        last=view.date(months[-1].end),
    )
    healthy = view.percent(view.world.thresholds.units_share)
    yield Bullet(
        view.say(
            "Accounts in units bring {share}, newbiz {rest}; a healthy firm has about {target} of units.",
            share=bold(view.percent(units / total)),
            rest=view.percent(1 - units / total),
            target=healthy,
        )
    )
    ranked = sorted(money.items(), key=lambda item: (-item[1], item[0]))
    first = view.world.clients[ranked[0][0]]
    share = ranked[0][1] / total
    alarm = view.world.thresholds.concentration_share
    mark = " 🔴" if share >= alarm else ""
    yield Bullet(
        view.say(
            "The largest client, {client}, brings {share} (alarm at {limit}).",
            client=link(first.name, first.url),
            share=bold(view.percent(share)),
            limit=view.percent(alarm),
        )
        + mark
    )
    three = sum((amount for _, amount in ranked[:3]), Decimal(0)) / total
    yield Bullet(
        view.say("The three largest bring {share}.", share=bold(view.percent(three)))
    )


def _loyalty(view: View) -> Iterator[Block]:
    loyalty = view.measures.loyalty
    if loyalty is None:
        return
    words = view.words
    yield view.heading("Loyalty and hunting")
    known = words.count(
        "{n} project begun since {since} has a known source",
        "{n} projects begun since {since} have a known source",
        loyalty.new - loyalty.unknown,
        since=view.date(loyalty.since),
    )
    if loyalty.share is not None:
        yield Bullet(
            view.say(
                "By referral or return: {share} ({known}).",
                share=bold(view.percent(loyalty.share)),
                known=known,
            )
        )
    free = sum(own.free for own in view.measures.portfolios.values())
    yield Bullet(
        words.count(
            "Account managers may hunt {n} client more.",
            "Account managers may hunt {n} clients more.",
            free,
        )
    )


def _risks(view: View) -> Iterator[Block]:
    chart = chart_risks(view, view.risks, title=view.say("Risk map"))
    if chart is None:
        return
    yield view.heading("Risk map")
    yield Picture(chart)
    yield from (Bullet(risk_line(view, risk)) for risk in view.risks[:MOST_RISKS])
    if len(view.risks) > MOST_RISKS:
        yield view.paragraph(
            "and {n} more on the risk map", n=len(view.risks) - MOST_RISKS
        )


def _managers(view: View, money: dict[Ref, Decimal] | None) -> Iterator[Block]:
    managers = sorted(
        {ref for unit in view.world.units.values() for ref in unit.am},
        key=lambda ref: view.names((ref,)),
    )
    if managers:
        yield view.heading("Account managers")
        yield view.table(
            (
                message("Account manager"),
                message("Clients"),
                message("Accounts"),
                message("Load"),
                message("May hunt"),
                message("Quarter"),
                message("Open tasks"),
                message("Overdue"),
            ),
            (_manager(view, ref, money) for ref in managers),
        )


def _manager(
    view: View, person: Ref, money: dict[Ref, Decimal] | None
) -> tuple[str, ...]:
    units = {ref for ref, unit in view.world.units.items() if person in unit.am}
    clients = [client for client in view.world.clients.values() if client.unit in units]
    tasks = [task for task in view.tasks if task.assignee == person]
    dues = [task.due for task in tasks if task.due is not None]
    late = [due for due in dues if due < view.today]
    total = None
    if money is not None:
        total = sum((money[client.ref] for client in clients), Decimal(0))

    accounts = load = free = NONE
    own = view.measures.portfolios.get(person)
    if own is not None:
        count = len(own.accounts)
        accounts = view.say("{accounts} of {limit}", accounts=count, limit=own.limit)
        load = view.percent(own.load)
        manager = view.measures.people.get(person)
        if manager is not None and manager.ahead:
            load = view.say(
                "{share} of {hours} h", share=load, hours=view.number(manager.ahead, 0)
            )
        free = str(own.free)
    return (
        view.names((person,)),
        str(len(clients)),
        accounts,
        load,
        free,
        view.brief_money(total),
        str(len(tasks)),
        str(len(late)),
    )


def _load(view: View) -> Iterator[Block]:
    chart = chart_load(
        view, view.measures.people, title=view.say("Load of the weeks ahead")
    )
    if chart is not None:
        yield view.heading("Load")
        yield Picture(
            chart,
            view.say("Planned hours as a share of capacity, week by week."),
            weekly(view, chart.title),
        )
