"""The agency out of a seed: who works there, for whom, on what, for how much. Pure; `today` is passed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random
from typing import Any

from rayline_demo.agency import names
from rayline_demo.agency.cards import CARDS, CardSketch
from rayline_demo.agency.model import (
    Agency,
    SampleCard,
    SampleClient,
    SampleContact,
    SampleDocument,
    SampleRevenue,
    Staff,
)
from rayline_demo.agency.plans import OFFERS
from rayline_demo.agency.speech import Speech
from rayline_demo.agency.tracker import Flow, Hand, Tracker
from worker.domain.periods import Period, WorkCalendar, month_of, previous_period

ZERO, THOUSAND = Decimal(0), Decimal(1000)
UNBILLED, LATE = "ZEL", "KVA"
FLOWS = (
    Flow("SEVB", "", 340, 0.93, ahead=60),
    Flow("POLET", "", 330, 0.91, growth=0.04, ahead=60),
    Flow("ZEL", "", 240, 0.78, growth=0.16),
    Flow("MED", "", 290, 0.9, reopened=0.12, bugs=0.3, ahead=60),
    Flow("KVA", "", 150, 0.6, months=7, due_in=20),
    Flow("RASS", "", 300, 0.93, ahead=60),
    Flow("LUK", "", 190, 0.7, idle=19, due_in=30),
    Flow("KITA", "", 310, 0.9, due_in=None, ahead=60),
)
PROMISED = Flow("NB", "", 130, 0.86, bugs=0, months=5, epics=4)
"""The fixed-price work of newbiz clients, an epic each."""
SHARES = {
    "SEVB": 1,
    "POLET": 11,
    "ZEL": 9,
    "MED": 1,
    "KVA": 1,
    "RASS": 3,
    "LUK": 1,
    "KITA": 1,
}
"""How the time of a team that works for two clients is parted."""
NEWCOMER = ("sales", 1)
FORGETFUL, OFTEN, SELDOM = 4, 0.97, 0.6
"""The unit whose people forget to log their time, and the shares of days that others and they log."""
LINK = re.compile(r"[A-Z]+(?:-\d+)?$")
GRACE = 5
"""Working days after its end in which a month's act is not yet late."""
RUNNING = ("in_progress", "evolution")


def generate(
    *, seed: int, now: datetime, locale: str, calendar: WorkCalendar
) -> Agency:
    """Return the sample agency as it stands at `now` (UTC); the same seed, date and locale give the same agency."""
    random = Random(seed)
    speech = Speech(locale)
    today = now.date()
    staff = tuple(_staff(random, speech, today))
    clients = tuple(_clients(random, speech, today))
    hands = {
        person.jira: Hand(
            person.jira,
            person.capacity,
            person.rate,
            person.start,
            SELDOM if person.unit == FORGETFUL else OFTEN,
        )
        for person in staff
    }
    tracker = Tracker(hands, random, speech, calendar, now)
    for flow in FLOWS:
        tracker.project(_named(flow, speech), _team(flow.key, staff))
    tracker.promise(_named(PROMISED, speech), _team(PROMISED.key, staff))
    accounts = {flow.key: _team(flow.key, staff) for flow in FLOWS}
    tracker.plan(accounts, seed=seed)
    flows = {flow.key: flow for flow in FLOWS}
    tracker.fill_days(accounts, flows, shares=SHARES, seed=seed)
    cards = tuple(_card(sketch, speech, today) for sketch in CARDS)
    return Agency(
        locale,
        today,
        staff,
        tuple(speech(unit) for unit in names.UNITS),
        clients,
        tuple(
            (speech(name), kind, value * 1000, lead)
            for name, kind, value, lead in names.SERVICES
        ),
        cards,
        tuple(_contacts(random, speech, today, clients)),
        tuple(_documents(speech, today, clients)),
        tuple(_revenue(tracker, today, clients, cards)),
        _load(staff, tracker, speech),
    )


def _named(flow: Flow, speech: Speech) -> Flow:
    titles = {key: speech(name) for name, key, *_ in names.ACCOUNTS} | {
        "NB": speech(names.NEWBIZ_PROJECT[0])
    }
    return Flow(
        flow.key,
        titles[flow.key],
        *(
            getattr(flow, name)
            for name in (
                "issues",
                "done",
                "growth",
                "reopened",
                "bugs",
                "idle",
                "months",
                "epics",
                "due_in",
                "ahead",
            )
        ),
    )


def _person_name(random: Random, speech: Speech, index: int) -> tuple[str, str]:
    is_woman = index % 2 == 0
    given = (names.WOMEN if is_woman else names.MEN)[index // 2 % 20]
    surname = names.SURNAMES[(index * 7) % len(names.SURNAMES)]
    ending = ("a", "а") if is_woman else ("", "")
    full = (
        f"{given[0]} {surname[0]}{ending[0]}",
        f"{given[1]} {surname[1]}{ending[1]}",
    )
    return speech(full), full[0].lower().replace(" ", ".")


def _staff(random: Random, speech: Speech, today: date) -> Iterator[Staff]:
    index = 0
    for role, count in names.ROLES_IN_STAFF:
        for ordinal in range(count):
            name, mailbox = _person_name(random, speech, index)
            unit = _unit_of(role, ordinal)
            off = ""
            if index % 9 == 4:
                first = today + timedelta(days=random.randint(3, 30))
                off = f"{first}..{first + timedelta(days=random.choice((4, 6, 13)))}"
            since = random.randint(90, 2900)
            yield Staff(
                name,
                f"{mailbox}@studio.example",
                role,
                unit,
                20 if index % 11 == 10 else 40,
                names.RATES[role],
                today - timedelta(days=4 if (role, ordinal) == NEWCOMER else since),
                date(
                    random.randint(1978, 2002),
                    random.randint(1, 12),
                    random.randint(1, 28),
                ),
                off,
                f"acc-{index:03d}",
            )
            index += 1


def _unit_of(role: str, ordinal: int) -> int | None:
    if role in ("am", "pm", "tl", "designer", "developer", "qa", "analyst"):
        return ordinal % len(names.UNITS)
    return None


def _clients(random: Random, speech: Speech, today: date) -> Iterator[SampleClient]:
    ends = (40, 200, 330, 55, 150, 400, None, 260)
    for index, (name, key, unit, engagement, fee, months) in enumerate(names.ACCOUNTS):
        since = today - timedelta(days=30 * months)
        end = ends[index]
        indexed = today - timedelta(days=(420 if index == 5 else 60 + 35 * index))
        yield SampleClient(
            speech(name),
            "account",
            engagement,
            unit,
            key,
            fee * THOUSAND if fee else None,
            since,
            ("referral", "return", "inbound", "hunt")[index % 4],
            None if end is None else today + timedelta(days=end),
            indexed,
            today - timedelta(days=(23 if index == 6 else random.randint(1, 10))),
            today - timedelta(days=random.randint(10, 50)),
        )
    for index, name in enumerate(names.NEWBIZ):
        yield SampleClient(
            speech(name),
            "newbiz",
            "fixed_price",
            None,
            "NB",
            None,
            today - timedelta(days=170 + 30 * index),
            ("inbound", "hunt", "referral", "hunt")[index],
            None,
            None,
            today - timedelta(days=(17 if index == 3 else random.randint(1, 9))),
            today - timedelta(days=random.randint(5, 40)),
        )


def _card(sketch: CardSketch, speech: Speech, today: date) -> SampleCard:
    def day(offset: int | None) -> date | None:
        return None if offset is None else today + timedelta(days=offset)

    return SampleCard(
        speech(sketch.name),
        sketch.client,
        sketch.stage,
        sketch.service,
        sketch.engagement,
        None if sketch.budget is None else sketch.budget * THOUSAND,
        day(sketch.start),
        day(sketch.due),
        None if sketch.probability is None else Decimal(sketch.probability) / 100,
        day(sketch.expected),
        sketch.jira,
        sketch.moved,
    )


def _contacts(
    random: Random, speech: Speech, today: date, clients: tuple[SampleClient, ...]
) -> Iterator[SampleContact]:
    roles = (
        ("Marketing director", "Директор по маркетингу"),
        ("Product owner", "Владелец продукта"),
        ("Accountant", "Бухгалтер"),
    )
    for index, client in enumerate(clients):
        for ordinal in range(3 if client.group == "account" else 2):
            number = 40 + index * 3 + ordinal
            name, mailbox = _person_name(random, speech, number)
            soon = today + timedelta(days=5)
            birthday = _birthday(number, soon, random)
            yield SampleContact(
                name,
                client.name,
                "client",
                speech(roles[ordinal]),
                index,
                birthday,
                f"{mailbox}@client{index}.example",
                today - timedelta(days=random.randint(1, 60)),
            )
    for ordinal, firm in enumerate(names.CONTRACTORS):
        name, mailbox = _person_name(random, speech, 90 + ordinal)
        yield SampleContact(
            name,
            speech(firm),
            "contractor",
            speech(("Manager", "Менеджер")),
            None,
            date(1990, 1 + ordinal, 12),
            f"{mailbox}@contractor.example",
            today - timedelta(days=80),
            speech(OFFERS[ordinal]),
        )


def _documents(
    speech: Speech, today: date, clients: tuple[SampleClient, ...]
) -> Iterator[SampleDocument]:
    for index, client in enumerate(clients):
        yield SampleDocument(
            f"{speech(('Contract', 'Договор'))} · {client.name}",
            index,
            "contract",
            client.since,
            client.contract_end,
        )
        if index % 3 == 0:
            yield SampleDocument(
                f"NDA · {client.name}",
                index,
                "nda",
                client.since,
                today + timedelta(days=35 + 90 * index),
            )
        if index % 4 == 1:
            yield SampleDocument(
                f"{speech(('Power of attorney', 'Доверенность'))} · {client.name}",
                index,
                "power_of_attorney",
                client.since,
                today + timedelta(days=20 + 60 * index),
            )


def _revenue(
    tracker: Tracker,
    today: date,
    clients: tuple[SampleClient, ...],
    cards: tuple[SampleCard, ...],
) -> Iterator[SampleRevenue]:
    """Yield an act for each of the nine finished months, and a payment where it had time to come.

    An act asks for the fee, for the hours of T&M work and for what of a fixed price was done. Nobody has billed the
    last month of one T&M client whose act is late, and one client pays late.
    """
    last = previous_period(month_of(today))
    is_late = tracker.calendar.add(last.end, GRACE) < today
    unbilled = 1 if is_late else 2
    for index, client in enumerate(clients):
        month = last
        running = [
            card
            for card in cards
            if card.client == index and card.jira and card.stage in RUNNING
        ]
        for age in range(9):
            if client.since > month.end:
                break
            amount = (client.fee or ZERO) + sum(
                (_billed(card, tracker, month) for card in running), ZERO
            )
            if amount and not (client.project == UNBILLED and age < unbilled):
                yield SampleRevenue(index, month.start, amount, "act")
                paid_by = -1 if today.day > 27 else 0
                if age > (2 if client.project == LATE else paid_by):
                    yield SampleRevenue(index, month.start, amount, "payment")
            month = previous_period(month)


def _billed(card: SampleCard, tracker: Tracker, month: Period) -> Decimal:
    """Return what the act of a month asks for a card: nothing where the fee is for it."""
    scope = LINK.search(card.jira)
    if scope is None or card.engagement == "retainer":
        return ZERO
    if card.engagement == "tm":
        return _rounded(tracker.worth(scope[0])[month.start])
    until, before = (
        tracker.done_until(scope[0], day)
        for day in (month.end, month.start - timedelta(days=1))
    )
    return _rounded((card.budget or ZERO) * (until - before))


def _rounded(amount: Decimal) -> Decimal:
    """Return an amount in whole thousands, never less than it."""
    return (amount / THOUSAND).to_integral_value(ROUND_CEILING) * THOUSAND


def _team(key: str, staff: tuple[Staff, ...]) -> list[str]:
    unit = next(
        (unit for _, project, unit, *_ in names.ACCOUNTS if project == key), None
    )
    hands = ("designer", "developer", "qa", "analyst", "tl", "pm")
    return [
        person.jira
        for person in staff
        if person.role in hands and (unit is None or person.unit == unit)
    ]


def _load(staff: tuple[Staff, ...], tracker: Tracker, speech: Speech) -> dict[str, Any]:
    projects = [{"key": key, "name": speech(name)} for name, key, *_ in names.ACCOUNTS]
    projects.append(
        {"key": names.NEWBIZ_PROJECT[1], "name": speech(names.NEWBIZ_PROJECT[0])}
    )
    users = [
        {"id": person.jira, "name": person.name, "email": person.email}
        for person in staff
    ]
    boards = [
        {"name": project["name"], "type": "scrum", "project": project["key"]}
        for project in projects
    ]
    return {
        "projects": projects,
        "users": users,
        "issues": tracker.issues,
        "boards": boards,
    }


def _birthday(number: int, soon: date, random: Random) -> date:
    """Return a birthday: one on a leap day, two that come soon, the others anywhere."""
    if number == 47:
        return date(1988, 2, 29)
    if number in (43, 58):
        return date(1985, soon.month, soon.day)
    return date(
        random.randint(1970, 1999), random.randint(1, 12), random.randint(1, 28)
    )
