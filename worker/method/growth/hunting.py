"""Hunting and loyalty: how full each AM's portfolio is, and whether new projects come of their own (docs/method.md 5.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from worker.domain.entities import RUNNING, Card, Stage, Unit
from worker.domain.values import Ref, Value
from worker.method.figures import name_people, name_row, show_percent, show_text
from worker.method.formulas.rays import add_months
from worker.method.measures import PersonLoad
from worker.method.outlook import Loyalty, Portfolio
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

RULE = "hunting"
LOYAL = ("referral", "return")


def measure_portfolios(
    world: World, people: Mapping[Ref, PersonLoad]
) -> Findings[Mapping[Ref, Portfolio]]:
    """Return the portfolios of all AMs with the facts of their units."""
    portfolios = _portfolios(world, people)
    facts = tuple(
        fact
        for unit in world.units.values()
        for fact in _facts(unit, portfolios, world)
    )
    return Findings(portfolios, facts)


def measure_loyalty(world: World) -> Findings[Loyalty | None]:
    """Return the firm's loyalty."""
    return Findings(_loyalty(world))


def _portfolios(world: World, people: Mapping[Ref, PersonLoad]) -> dict[Ref, Portfolio]:
    units: dict[Ref, set[Ref | None]] = defaultdict(set)
    for unit in world.units.values():
        for manager in unit.am:
            units[manager].add(unit.ref)
    accounts: dict[Ref | None, list[Ref]] = defaultdict(list)
    for client in world.clients.values():
        if client.group == "account":
            accounts[client.unit].append(client.ref)
    return {
        manager: _portfolio(
            manager,
            tuple(ref for unit in sorted(own, key=str) for ref in accounts[unit]),
            world,
            people.get(manager),
        )
        for manager, own in units.items()
    }


def _portfolio(
    manager: Ref, accounts: tuple[Ref, ...], world: World, person: PersonLoad | None
) -> Portfolio:
    limits = world.thresholds
    load = person.next_4 if person else None
    is_full = load is not None and load >= limits.am_load
    free = 0 if is_full else max(0, limits.am_accounts - len(accounts))
    return Portfolio(manager, accounts, limits.am_accounts, load, free)


def _facts(
    unit: Unit, portfolios: dict[Ref, Portfolio], world: World
) -> Iterator[Fact]:
    words = world.words
    own = [portfolios[manager] for manager in unit.am]
    row = name_row(words.say("unit"), unit)
    accounts: list[Input] = []
    loads: list[Input] = []
    for portfolio in own:
        accounts += _accounts(portfolio, world)
        loads += _leeway(portfolio, world)
    threshold = words.say(
        "{accounts} accounts or {load} load",
        accounts=world.thresholds.am_accounts,
        load=words.percent(world.thresholds.am_load),
    )
    values: dict[str, tuple[Value, list[Input], str]] = {
        "portfolio": (
            " · ".join(_size(portfolio, world) for portfolio in own) or None,
            accounts,
            words.say("accounts of all units of the AM / limit"),
        ),
        "may_hunt": (
            " · ".join(_leave(portfolio, world) for portfolio in own) or None,
            loads,
            words.say("limit − accounts; none while the AM's own load is at its limit"),
        ),
    }
    for name, (value, figures, formula) in values.items():
        why = Why(RULE, (row, *figures), formula, threshold)
        yield Fact(unit.ref, name, value, why)


def _accounts(portfolio: Portfolio, world: World) -> Iterator[Input]:
    """Yield an AM, then each account."""
    say = world.words.say
    yield from name_people(say("AM"), (portfolio.manager,), world)
    for ref in portfolio.accounts:
        yield name_row(say("account"), world.clients[ref])


def _leeway(portfolio: Portfolio, world: World) -> Iterator[Input]:
    """Yield an AM, then how many accounts they have, may have, and how loaded they are."""
    words = world.words
    say = words.say
    yield from name_people(say("AM"), (portfolio.manager,), world)
    yield show_text(say("accounts"), len(portfolio.accounts))
    yield show_text(say("limit"), portfolio.limit)
    yield show_percent(say("load of the next weeks"), portfolio.load, words)


def _size(portfolio: Portfolio, world: World) -> str:
    return world.words.say(
        "{accounts} / {limit}", accounts=len(portfolio.accounts), limit=portfolio.limit
    )


def _leave(portfolio: Portfolio, world: World) -> str:
    words = world.words
    if portfolio.free:
        return words.count("up to {n}", "up to {n}", portfolio.free)
    if len(portfolio.accounts) < portfolio.limit:
        return words.say("none: the load is at its limit")
    return words.say("none: the portfolio is full")


def _loyalty(world: World) -> Loyalty:
    """Count the projects begun in the last months: loyal are those of clients that were referred or came back, and
    every further project of a client."""
    since = add_months(world.today, -world.thresholds.loyalty_months)
    starts: dict[Ref, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        if (
            card.client in world.clients
            and card.client
            and card.start
            and card.stage in (*RUNNING, Stage.DONE)
        ):
            starts[card.client].append(card)
    sources = [
        source
        for client, cards in starts.items()
        for card, source in _sources(client, cards, world)
        if card.start and since < card.start <= world.today
    ]
    return Loyalty(
        since,
        len(sources),
        sum(source in LOYAL for source in sources),
        sources.count(""),
    )


def _sources(
    client: Ref, cards: list[Card], world: World
) -> Iterator[tuple[Card, str]]:
    ordered = sorted(cards, key=lambda card: (str(card.start), card.ref))
    for number, card in enumerate(ordered):
        yield card, "return" if number else world.clients[client].source or ""
