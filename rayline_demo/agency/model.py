"""The sample agency as plain values, before it is put into the sandboxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Staff:
    """One of the forty."""

    name: str
    email: str
    role: str
    unit: int | None
    capacity: int
    rate: int
    start: date
    birthday: date
    time_off: str = ""
    jira: str = ""


@dataclass(frozen=True, slots=True)
class SampleClient:
    """One of the twelve; `unit` is an index, `project` its Jira project key (accounts)."""

    name: str
    group: str
    engagement: str
    unit: int | None
    project: str
    fee: Decimal | None
    since: date
    source: str
    contract_end: date | None
    rate_indexed: date | None
    last_contact: date
    last_partner_contact: date


@dataclass(frozen=True, slots=True)
class SampleCard:
    """One of the thirty-five; `client` and `service` are indices, `jira` the link as people typed it, `moved` whether it
    came to its stage lately."""

    name: str
    client: int
    stage: str
    service: int
    engagement: str
    budget: Decimal | None
    start: date | None
    due: date | None
    probability: Decimal | None
    expected_start: date | None
    jira: str
    moved: bool = False


@dataclass(frozen=True, slots=True)
class SampleContact:
    """Somebody on a client's, contractor's or partner's side."""

    name: str
    organisation: str
    side: str
    role: str
    client: int | None
    birthday: date
    email: str
    last_contact: date
    offers: str = ""


@dataclass(frozen=True, slots=True)
class SampleDocument:
    """A contract, NDA or act."""

    name: str
    client: int
    kind: str
    signed: date
    expires: date | None


@dataclass(frozen=True, slots=True)
class SampleRevenue:
    """An act or a payment of one client in one month."""

    client: int
    month: date
    amount: Decimal
    kind: str


@dataclass(frozen=True, slots=True)
class Agency:
    """Everything the studio has. `jira` is the load of the Jira sandbox (see `rayline_sandbox.jira.load`)."""

    locale: str
    today: date
    staff: tuple[Staff, ...]
    units: tuple[str, ...]
    clients: tuple[SampleClient, ...]
    services: tuple[tuple[str, str, int, int], ...]
    cards: tuple[SampleCard, ...]
    contacts: tuple[SampleContact, ...]
    documents: tuple[SampleDocument, ...]
    revenue: tuple[SampleRevenue, ...]
    jira: dict[str, Any] = field(default_factory=dict)
