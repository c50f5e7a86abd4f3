"""The rows of the worker's own boards as values, and how their keys are built: risks, tasks, plans, and the rest.

People may type into these rows too. A cell that holds what it should not counts as empty here; what is wrong with it
was told when its page was decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, tzinfo
from decimal import Decimal
from typing import TypeVar

import msgspec

from worker.domain.entities import Row
from worker.domain.periods import Period, local_day
from worker.domain.values import (
    Ref,
    Span,
    Value,
    day_of,
    first_ref,
    number_of,
    refs_of,
    text_of,
)


class RiskRow(msgspec.Struct, frozen=True, gc=False):
    """A row of the risk map. Without a `key` it is a person's own.

    `created` is the day the page was made; `probability` and `impact` are marks, as typed; `horizon`, `last_change`
    and `snooze_until` of a range are its last day.
    """

    ref: Ref
    key: str
    title: str
    created: date
    status: str | None
    kind: str | None
    level: str | None
    evidence: str | None
    steps: str | None
    clients: tuple[Ref, ...]
    units: tuple[Ref, ...]
    cards: tuple[Ref, ...]
    owner: Ref | None
    probability: Decimal | None
    impact: Decimal | None
    exposure: Decimal | None
    first_seen: date | None
    last_change: date | None
    horizon: date | None
    snooze_until: date | None
    spells: str | None = None

    @property
    def client(self) -> Ref | None:
        """Return the client it names, of several the first."""
        return self.clients[0] if self.clients else None

    @property
    def unit(self) -> Ref | None:
        """Return the unit it names, of several the first."""
        return self.units[0] if self.units else None

    @property
    def card(self) -> Ref | None:
        """Return the card it is about, of several the first."""
        return self.cards[0] if self.cards else None

    @property
    def opened(self) -> date:
        """Return the day its condition was first seen, as far as the row knows."""
        return self.first_seen or self.created


class TaskRow(msgspec.Struct, frozen=True, gc=False):
    """A row of the account sprint. Without a `key` it is a person's own or came from outside.

    `created` and `edited` are the days of its page; `due` and `snooze_until` of a range are its last day. `seed` tells
    title, assignee and due date as they stand in the cells (`seed_of`), `tried` what came of it
    (`worker.method.hindsight.tries`).
    """

    ref: Ref
    key: str
    title: str
    url: str
    created: date
    edited: date
    status: str | None
    source: str | None
    request: str | None
    note: str | None
    moved: str | None
    sprint: str | None
    clients: tuple[Ref, ...]
    cards: tuple[Ref, ...]
    assignees: tuple[Ref, ...]
    candidates: tuple[Ref, ...]
    due: date | None
    snooze_until: date | None
    seed: str
    risks: tuple[Ref, ...] = ()
    tried: str | None = None

    @property
    def opened(self) -> date:
        """Return the day it was made."""
        return self.created

    @property
    def client(self) -> Ref | None:
        """Return the client it names, of several the first."""
        return self.clients[0] if self.clients else None

    @property
    def card(self) -> Ref | None:
        """Return the card it is about, of several the first."""
        return self.cards[0] if self.cards else None

    @property
    def assignee(self) -> Ref | None:
        """Return who does it, of several the first."""
        return self.assignees[0] if self.assignees else None


class PlanRow(msgspec.Struct, frozen=True, gc=False):
    """A row of plans: the `target` as it stands, whether a person pinned it, and its health and `fact` as last written.

    `told` is the forecast that keeps score (`worker.method.hindsight.takings`).
    """

    ref: Ref
    key: str
    title: str
    url: str
    target: Decimal | None
    pinned: bool
    health: str | None
    grain: str | None = None
    period: Span | None = None
    fact: Decimal | None = None
    told: str | None = None


class LedgerRow(msgspec.Struct, frozen=True, gc=False):
    """A row of the ledger: a closed month of a client by its first day, or the opening balance up to that month.

    `until` is the month's last day, `created` the day the row was made. `true_ups` are (first day of a month closed before, what became known of it).
    """

    ref: Ref
    key: str
    title: str
    url: str
    client_key: str
    created: date
    month: date
    until: date
    is_opening: bool
    recognised: Decimal
    earned: Decimal
    billed: Decimal
    paid: Decimal
    hours: Decimal
    true_ups: tuple[tuple[date, Decimal], ...]


class BonusRow(msgspec.Struct, frozen=True, gc=False):
    """A row of bonuses; `paid` when people ticked it."""

    ref: Ref
    key: str
    paid: bool


def is_asleep(row: RiskRow, today: date) -> bool:
    """Tell whether people put a risk off: until a day, or without one."""
    if row.snooze_until is not None:
        return row.snooze_until > today
    return row.status == "snoozed"


class StaffRequest(msgspec.Struct, frozen=True, gc=False):
    """A row of staff requests: a person asked for, with the status that people gave it; `created` is its page's day."""

    ref: Ref
    key: str
    title: str
    created: date
    status: str | None


class MarginRow(msgspec.Struct, frozen=True, gc=False):
    """A row of margins: what was left of a client's month (its first day), as far as that was known."""

    ref: Ref
    key: str
    client: Ref | None
    month: date | None
    margin: Decimal | None


class MeetingRow(msgspec.Struct, frozen=True, gc=False):
    """A row of meetings; without a `key` it is a person's own. `day` of a range is its last."""

    ref: Ref
    key: str
    kind: str | None
    day: date | None


def read_risk(row: Row, zone: tzinfo) -> RiskRow:
    """Return a row of the risk map; instants become days of `zone`."""
    cell = row.fields.get
    return RiskRow(
        row.ref,
        row.key,
        row.title,
        created=local_day(row.created, zone),
        status=text_of(cell("status")),
        kind=text_of(cell("kind")),
        level=text_of(cell("level")),
        evidence=text_of(cell("evidence")),
        steps=text_of(cell("steps")),
        clients=refs_of(cell("client")),
        units=refs_of(cell("unit")),
        cards=refs_of(cell("project")),
        owner=first_ref(cell("owner")),
        probability=number_of(cell("probability")),
        impact=number_of(cell("impact")),
        exposure=number_of(cell("exposure")),
        first_seen=day_of(cell("first_seen"), zone),
        last_change=day_of(cell("last_change"), zone, last=True),
        horizon=day_of(cell("horizon"), zone, last=True),
        snooze_until=day_of(cell("snooze_until"), zone, last=True),
        spells=text_of(cell("spells")),
    )


def read_task(row: Row, zone: tzinfo) -> TaskRow:
    """Return a row of the account sprint; instants become days of `zone`."""
    cell = row.fields.get
    assignees = refs_of(cell("assignee"))
    return TaskRow(
        row.ref,
        row.key,
        row.title,
        row.url,
        created=local_day(row.created, zone),
        edited=local_day(row.edited, zone),
        status=text_of(cell("status")),
        source=text_of(cell("source")),
        request=text_of(cell("request")),
        note=text_of(cell("note")),
        moved=text_of(cell("moved")),
        sprint=text_of(cell("sprint")),
        clients=refs_of(cell("client")),
        cards=refs_of(cell("project")),
        assignees=assignees,
        candidates=refs_of(cell("candidates")),
        due=day_of(cell("due"), zone, last=True),
        snooze_until=day_of(cell("snooze_until"), zone, last=True),
        seed=seed_of(row.title, assignees, cell("due")),
        risks=refs_of(cell("risk")),
        tried=text_of(cell("tried")),
    )


def read_plan(row: Row) -> PlanRow:
    """Return a row of plans."""
    period = row.fields.get("period")
    if not isinstance(period, Span):
        period = None
    return PlanRow(
        row.ref,
        row.key,
        row.title,
        row.url,
        target=number_of(row.fields.get("target")),
        pinned=row.fields.get("pinned") is True,
        health=text_of(row.fields.get("health")),
        grain=text_of(row.fields.get("grain")),
        period=period,
        fact=number_of(row.fields.get("fact")),
        told=text_of(row.fields.get("told")),
    )


def read_bonus(row: Row) -> BonusRow:
    """Return a row of bonuses."""
    return BonusRow(row.ref, row.key, paid=row.fields.get("paid") is True)


def read_ledger(row: Row, zone: tzinfo) -> LedgerRow | None:
    """Return a row of the ledger; None for people's own and for one whose period cannot be read."""
    names = read_ledger_key(row.key)
    period = row.fields.get("period")
    if names is None or not isinstance(period, Span):
        return None
    client_key, moment = names

    def number(name: str) -> Decimal:
        return number_of(row.fields.get(name)) or Decimal(0)

    true_ups = []
    for line in (text_of(row.fields.get("true_ups")) or "").splitlines():
        true_up = _read_true_up(line)
        if true_up is not None:
            true_ups.append(true_up)
    return LedgerRow(
        row.ref,
        row.key,
        row.title,
        row.url,
        client_key,
        local_day(row.created, zone),
        period.end.replace(day=1),
        period.end,
        moment == "opening",
        recognised=number("recognised"),
        earned=number("earned"),
        billed=number("billed"),
        paid=number("paid"),
        hours=number("hours"),
        true_ups=tuple(true_ups),
    )


def write_true_up(month: date, amount: Decimal) -> str:
    """Return one line of a ledger row's true-ups, as it is read back: `2026-09: 40000.00`."""
    return f"{month:%Y-%m}: {amount:f}"


def _read_true_up(line: str) -> tuple[date, Decimal] | None:
    month, _, amount = line.partition(":")
    try:
        return date.fromisoformat(f"{month.strip()}-01"), Decimal(amount.strip())
    except (ValueError, ArithmeticError):
        return None


def read_staff_request(row: Row, zone: tzinfo) -> StaffRequest:
    """Return a row of staff requests."""
    return StaffRequest(
        row.ref,
        row.key,
        row.title,
        created=local_day(row.created, zone),
        status=text_of(row.fields.get("status")),
    )


def read_margin(row: Row) -> MarginRow:
    """Return a row of margins: whose and which month its key says, which is not typed into."""
    named = row.key.split(":")
    client = month = None
    if len(named) == 3 and named[0] == "margin":
        client = Ref("clients", named[1])
        month = _first_day(named[2])
    return MarginRow(
        row.ref, row.key, client, month, number_of(row.fields.get("margin"))
    )


def read_meeting(row: Row, zone: tzinfo) -> MeetingRow:
    """Return a row of meetings; instants become days of `zone`."""
    kind = text_of(row.fields.get("kind"))
    return MeetingRow(row.ref, row.key, kind, day_of(row.fields.get("date"), zone))


def _first_day(code: str) -> date | None:
    try:
        return date.fromisoformat(f"{code}-01")
    except ValueError:
        return None


def seed_of(title: str, assignees: Iterable[Ref], due: Value) -> str:
    """Return what a task is made with in one text: whoever changes title, assignee or due date makes it theirs."""
    people = ",".join(str(person) for person in assignees)
    return f"{title}|{people}|{due or ''}"


Keyed = TypeVar("Keyed", RiskRow, TaskRow, PlanRow, StaffRequest)


def by_key(rows: Iterable[Keyed]) -> dict[str, Keyed]:
    """Return the worker's rows by Worker key; of copies the first, which is the oldest."""
    rows_by_key: dict[str, Keyed] = {}
    for row in rows:
        if row.key:
            rows_by_key.setdefault(row.key, row)
    return rows_by_key


# -- keys: no dates, titles or numbers that may change for the same subject --------------------------------------------


def risk_key(signal: str, subject: Ref) -> str:
    """Return the key of a signal's risk about a subject."""
    return f"risk:{signal}:{subject.key}"


def task_key(playbook: str, subject: Ref) -> str:
    """Return the key of a playbook's task about a subject."""
    return f"task:{playbook}:{subject.key}"


def read_key(key: str) -> tuple[str, str]:
    """Return the signal or playbook and the subject that the key of a risk or task names."""
    _, name, subject = key.split(":", 2)
    return name, subject


def plan_key(unit: Ref, period: Period) -> str:
    """Return the key of a unit's plan for a period."""
    return f"plan:{unit.key}:{period.code}"


def read_plan_key(key: str) -> tuple[str, str] | None:
    """Return the unit's key and the period's code that the key of a plan names; None for any other key."""
    parts = key.split(":")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "plan" else None


def term_key(what: str, subject: Ref, day: date | None = None) -> str:
    """Return the key of what a cell came to say on a day, or of what it said in the beginning."""
    moment = day.isoformat() if day else "first"
    return f"term:{what}:{subject.key}:{moment}"


def ledger_key(client: Ref, month: date | None = None) -> str:
    """Return the key of a client's closed month, or of its opening balance."""
    moment = f"{month:%Y-%m}" if month else "opening"
    return f"ledger:{client.key}:{moment}"


def read_ledger_key(key: str) -> tuple[str, str] | None:
    """Return the client's key and the month (or `opening`) that the key of a ledger row names; None for any other."""
    parts = key.split(":")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "ledger" else None


def bonus_key(unit: Ref, month: Period) -> str:
    """Return the key of a unit's bonus for a month."""
    return f"bonus:{unit.key}:{month.code}"


def staff_key(unit: Ref, role: str) -> str:
    """Return the key of what a role of a unit lacks."""
    return f"request:{unit.key}:{role}"


def margin_key(client: Ref, month: Period) -> str:
    """Return the key of a client's margin of a month."""
    return f"margin:{client.key}:{month.code}"
