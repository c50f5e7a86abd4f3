"""The portfolio for the head of accounting: all clients, rays, mix, concentration, risk map, account managers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from worker.domain.document import Block, Bullet, Callout, Picture, bold, link, plain
from worker.domain.entities import FIRM, Client
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import quarter_of
from worker.domain.values import Ref
from worker.method.money.finance import FEW, finished_months, is_units
from worker.pages.calibration import write_calibration
from worker.pages.pictures import chart_clients, chart_load, chart_risks, weekly
from worker.pages.pipeline import write_pipeline
from worker.pages.view import (
    DOTS,
    NONE,
    View,
    first_lines,
    join_parts,
    note_lines,
    risk_line,
)

MOST_RISKS = 10
MOST_NOTES = 20


def write_portfolio(view: View) -> tuple[Block, ...]:
    """Return the blocks of the portfolio page."""
    money = _by_client(view)
    return (
        _summary(view, money),
        view.heading("Clients"),
        _clients(view, money),
        *_rays(view),
        *_mix(view),
        *write_pipeline(view),
        *_loyalty(view),
        *_risks(view),
        *_managers(view, money),
        *_load(view),
        *write_calibration(view),
        *_notes(view),
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
    total = None
    if money is not None:
        total = sum(money.values(), Decimal(0))
    pace = ""
    if plan and plan.pace is not None:
        pace = view.say("pace {pace}", pace=view.percent(plan.pace))
    parts = [
        view.say("As of {day}", day=view.date(view.today)),
        bold(words.count("{n} client", "{n} clients", len(clients))),
        words.count("{n} account", "{n} accounts", groups["account"]),
        words.count("{n} newbiz client", "{n} newbiz clients", groups["newbiz"]),
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
        if measure is None:
            return len(order), Decimal(0), client.name
        score = measure.score or Decimal(0)
        return order[measure.rag], score, client.name

    clients = sorted(view.world.clients.values(), key=rank)
    rows = []
    total = None
    if money is None:
        amounts: dict[Ref, Decimal] = {}
    else:
        refs = [client.ref for client in clients]
        shown = view.whole([money[ref] for ref in refs])
        amounts = dict(zip(refs, shown, strict=True))
        total = sum(shown, Decimal(0))
    for client in clients:
        row = _row(view, client, amounts.get(client.ref))
        rows.append(row)
    share = None
    if view.shares:
        share = sum(view.shares.values(), Decimal(0))
    everyone = (
        bold(view.unit_name(FIRM)),
        "",
        bold(view.money(total)),
        view.share(share),
        "",
        "",
        "",
    )
    return view.table(
        (
            message("Client"),
            message("Unit"),
            period_title(quarter_of(view.today), view.words),
            view.say("Share, {months}", months=view.share_months()),
            message("Work secured until"),
            message("Risks"),
            message("Next action"),
        ),
        (*rows, everyone) if rows else (),
    )


def _row(view: View, client: Client, amount: Decimal | None) -> tuple[str, ...]:
    measure = view.measures.clients.get(client.ref)
    dot = ""
    horizon = None
    if measure is not None:
        horizon = measure.horizon
        dot = f"{DOTS[measure.rag]} "
        if measure.score is not None:
            score = view.number(measure.score, 0)
            dot += f"{score} "
    shelf = view.shelf(client.ref)
    action = NONE
    if shelf.tasks:
        task = shelf.tasks[0]
        action = view.linked(task.ref, task.title)
    return (
        f"{dot}{link(client.name, client.url)}",
        plain(view.unit_name(client.unit)),
        view.money(amount),
        view.share(view.shares.get(client.ref)),
        view.date(horizon),
        str(len(shelf.risks)),
        action,
    )


def _rays(view: View) -> Iterator[Block]:
    chart = chart_clients(view)
    if chart is not None:
        yield view.heading("Rays")
        yield Picture(
            chart,
            view.say(
                "A bar ends where secured work ends; the shortest rays stand on top."
            ),
            weekly(
                view,
                chart.title,
                sorted((ray.label, ray.start, ray.stage) for ray in chart.rays),
            ),
        )


def _mix(view: View) -> Iterator[Block]:
    """Yield mix and concentration over the last three finished months, as the risks of both are judged."""
    shares = view.shares
    if not shares:
        return
    world = view.world
    units = Decimal(0)
    newbiz = Decimal(0)
    for ref, share in shares.items():
        client = world.clients[ref]
        if client.is_newbiz:
            newbiz += share
        elif is_units(client, world):
            units += share
    other = 1 - units - newbiz
    yield view.heading("Revenue mix and concentration")
    months = finished_months(view.today, FEW)
    yield view.paragraph(
        "Money of the last three finished months, {first} – {last}.",
        first=view.date(months[0].start),
        last=view.date(months[-1].end),
    )
    yield Bullet(
        view.say(
            "Accounts in units bring {share}, newbiz {rest}; a healthy firm has about {target} of units.",
            share=bold(view.share(units)),
            rest=view.share(newbiz),
            target=view.percent(world.thresholds.units_share),
        )
    )
    if other:
        brought = bold(view.share(other))
        line = view.say("Clients that are neither bring {share}.", share=brought)
        yield Bullet(line)
    ranked = list(shares.items())
    ranked.sort(key=lambda item: (-item[1], item[0]))
    largest, share = ranked[0]
    first = world.clients[largest]
    alarm = world.thresholds.concentration_share
    mark = " 🔴" if share >= alarm else ""
    yield Bullet(
        view.say(
            "The largest client, {client}, brings {share} (alarm at {limit}).",
            client=link(first.name, first.url),
            share=bold(view.share(share)),
            limit=view.percent(alarm),
        )
        + mark
    )
    three = Decimal(0)
    for _, own in ranked[:3]:
        three += own
    yield Bullet(
        view.say("The three largest bring {share}.", share=bold(view.share(three)))
    )


def _loyalty(view: View) -> Iterator[Block]:
    loyalty = view.measures.loyalty
    if loyalty is None:
        return
    words = view.words
    yield view.heading("Loyalty and new clients")
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
            "Account managers have room for {n} new client.",
            "Account managers have room for {n} new clients.",
            free,
        )
    )


def _risks(view: View) -> Iterator[Block]:
    chart = chart_risks(view, view.risks, title=view.say("Risk map"))
    if chart is None:
        return
    yield view.heading("Risk map")
    yield Picture(chart)
    for risk in view.risks[:MOST_RISKS]:
        line = risk_line(view, risk)
        yield Bullet(line)
    if len(view.risks) > MOST_RISKS:
        yield view.paragraph(
            "and {n} more on the risk map", n=len(view.risks) - MOST_RISKS
        )


def _managers(view: View, money: dict[Ref, Decimal] | None) -> Iterator[Block]:
    """Yield the account managers; clients of none or of several have lines of their own, so that all add up."""
    managers = sorted(
        {ref for unit in view.world.units.values() for ref in unit.am},
        key=lambda ref: view.names((ref,)),
    )
    if not managers:
        return
    shared = message("Several account managers")
    nobody = message("Without an account manager")
    names: tuple[Ref | str, ...] = (*managers, shared, nobody)
    clients: dict[Ref | str, list[Ref]] = {}
    for name in names:
        clients[name] = []
    for client in view.world.clients.values():
        unit = view.world.unit(client.unit)
        own: tuple[Ref, ...] = ()
        if unit is not None:
            own = unit.am
        match own:
            case ():
                name = nobody
            case (only,):
                name = only
            case _:
                name = shared
        of_name = clients[name]
        of_name.append(client.ref)

    whole = None
    sums: list[Decimal | None] = []
    for refs in clients.values():
        total = _sum(refs, money)
        sums.append(total)
    if money is not None:
        whole = sum(money.values(), Decimal(0))
    amounts, _ = view.parts(whole, sums)
    rows = []
    for (name, refs), amount in zip(clients.items(), amounts, strict=True):
        count = len(refs)
        if isinstance(name, Ref):
            row = _manager(view, name, count, amount)
            rows.append(row)
        elif refs:
            title = view.say(name)
            row = _others(view, title, count, amount)
            rows.append(row)
    firm = bold(view.unit_name(FIRM))
    count = len(view.world.clients)
    everyone = _others(view, firm, count, whole)
    yield view.heading("Account managers")
    yield view.table(
        (
            message("Account manager"),
            message("Clients"),
            message("Accounts"),
            message("Load"),
            message("Room for new clients"),
            period_title(quarter_of(view.today), view.words),
            message("Open tasks"),
            message("Overdue"),
        ),
        (*rows, everyone),
    )


def _sum(clients: Iterable[Ref], money: dict[Ref, Decimal] | None) -> Decimal | None:
    if money is None:
        return None
    total = Decimal(0)
    for ref in clients:
        total += money[ref]
    return total


def _others(
    view: View, name: str, clients: int, amount: Decimal | None
) -> tuple[str, ...]:
    return (name, str(clients), "", "", "", view.money(amount), "", "")


def _manager(
    view: View, person: Ref, clients: int, amount: Decimal | None
) -> tuple[str, ...]:
    tasks = late = 0
    for task in view.tasks:
        if task.assignee != person:
            continue
        tasks += 1
        if task.due is not None and task.due < view.today:
            late += 1
    accounts = load = free = NONE
    own = view.measures.portfolios.get(person)
    if own is not None:
        count = len(own.accounts)
        accounts = view.say("{accounts} of {limit}", accounts=count, limit=own.limit)
        # Where nothing of theirs is planned in Jira, as is usual, nobody knows how busy they are.
        load = view.percent(own.load) if own.load else NONE
        manager = view.measures.people.get(person)
        if own.load and manager is not None and manager.ahead:
            load = view.say(
                "{share} of {hours} h", share=load, hours=view.number(manager.ahead, 0)
            )
        free = str(own.free)
    return (
        view.names((person,)),
        str(clients),
        accounts,
        load,
        free,
        view.money(amount),
        str(tasks),
        str(late),
    )


def _load(view: View) -> Iterator[Block]:
    chart = chart_load(
        view, view.measures.people, title=view.say("Load of the weeks ahead")
    )
    if chart is not None:
        yield view.heading("Load")
        yield Picture(
            chart,
            view.say("Planned hours as a share of the available ones, week by week."),
            weekly(view, chart.title),
        )


def _notes(view: View) -> Iterator[Block]:
    """Yield the rows that lack something, as it stands on each."""
    lines = list(note_lines(view))
    if not lines:
        return
    heading = view.heading("Data to mend")
    yield heading
    yield from first_lines(view, lines, MOST_NOTES)
