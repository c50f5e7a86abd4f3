"""The things an agency has, as read from Notion and Jira.

Every entity read from a Notion row carries its `ref`; a missing or unreadable field is `None`, never a guess.
Money is in the workspace's currency; hours are hours; instants are UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from worker.domain.dated import Dated
from worker.domain.periods import Week, month_of
from worker.domain.values import Ref, Span, Value


class Stage(StrEnum):
    """Where a project card stands, in order."""

    IDEA = "idea"
    SHAPING = "shaping"
    PROPOSAL = "proposal"
    AGREED = "agreed"
    IN_PROGRESS = "in_progress"
    EVOLUTION = "evolution"
    DONE = "done"
    LOST = "lost"


HUNTED = (Stage.IDEA, Stage.SHAPING, Stage.PROPOSAL, Stage.AGREED)
RUNNING = (Stage.IN_PROGRESS, Stage.EVOLUTION)


class Row(msgspec.Struct, frozen=True, gc=False):
    """One Notion row, decoded by the mapping: `fields` by logical name; unreadable fields are absent and reported.

    `key` is the Worker key of rows the worker made, else empty. `ref.key` is `key` for those, the page id for others.
    """

    ref: Ref
    page_id: str
    key: str
    title: str
    url: str
    created: datetime
    edited: datetime
    edited_by: str
    fields: Mapping[str, Value]
    created_by: str = ""


class Client(msgspec.Struct, frozen=True, gc=False):
    """A client: newbiz or account (docs/method.md 5.1); `unfit` are services that do not apply to it.

    `status_page` and `presentation` ask for the pages made for the client's own eyes, `sync_now` for a look. `by_hand` is the colour people gave
    it, with their note, until a day. `hours_frame` are the hours a month its contract buys; unused ones roll over for
    `rollover_months` months. Model, unit and fee are those of today; what they were on other days `models`,
    `units` and `fees` tell, as far as they ever changed.
    """

    ref: Ref
    name: str
    url: str = ""
    group: str | None = None
    engagement: str | None = None
    unit: Ref | None = None
    contract_end: date | None = None
    monthly_fee: Decimal | None = None
    since: date | None = None
    source: str | None = None
    services: tuple[Ref, ...] = ()
    rate_indexed: date | None = None
    last_partner_contact: date | None = None
    last_contact: date | None = None
    unfit: tuple[Ref, ...] = ()
    status_page: bool = False
    presentation: bool = False
    sync_now: bool = False
    created: datetime | None = None
    by_hand: str | None = None
    by_hand_note: str | None = None
    by_hand_until: date | None = None
    hours_frame: Decimal | None = None
    rollover_months: int | None = None
    models: Dated[str | None] | None = None
    units: Dated[Ref | None] | None = None
    fees: Dated[Decimal | None] | None = None

    def model_on(self, day: date) -> str | None:
        """Return the model in force on a day."""
        return self.models.on(day) if self.models else self.engagement

    @property
    def is_newbiz(self) -> bool:
        """Tell whether people keep the client as newbiz."""
        return self.group == "newbiz"

    def unit_on(self, day: date) -> Ref | None:
        """Return the unit that served the client on a day."""
        return self.units.on(day) if self.units else self.unit

    def fee_on(self, day: date) -> Decimal | None:
        """Return the monthly fee in force on a day."""
        return self.fees.on(day) if self.fees else self.monthly_fee


FIRM = Ref("units", "firm")
"""The firm as a whole, as its plans are keyed beside those of units."""

OUTSIDE = Ref("units", "outside")
"""The clients outside of units, whose plans make those of units come to the firm's."""


def holder_of(unit: Ref | None, units: Collection[Ref]) -> Ref:
    """Return whose plans the money of a unit belongs to: `OUTSIDE` where there is none, or none any more."""
    if unit is None or unit not in units:
        return OUTSIDE
    return unit


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A team around one account: one AM, at least one TL and one PM (people's refs)."""

    ref: Ref
    name: str
    url: str = ""
    am: tuple[Ref, ...] = ()
    tls: tuple[Ref, ...] = ()
    pms: tuple[Ref, ...] = ()
    members: tuple[Ref, ...] = ()
    bonus_rate: Decimal | None = None
    target_share: Decimal | None = None


class Person(msgspec.Struct, frozen=True, gc=False):
    """A member of staff; `capacity` in hours a week, `rate` per hour, `jira` an account id (DC: user name).

    `rates` tells what the rate was on other days, as far as it ever changed.
    `week` are the hours of their weekdays, if they are not even; `end` is their last day. `allocation` says which share
    of their hours is whose, where several units share them. `bonus_weight` is their part in the bonus of their role.
    """

    ref: Ref
    name: str
    url: str = ""
    role: str | None = None
    notion_user: str | None = None
    jira: str | None = None
    capacity: Decimal | None = None
    rate: Decimal | None = None
    unit: Ref | None = None
    start: date | None = None
    birthday: date | None = None
    time_off: tuple[Span, ...] = ()
    end: date | None = None
    week: Week | None = None
    allocation: tuple[tuple[Ref, Decimal], ...] = ()
    rates: Dated[Decimal | None] | None = None
    bonus_weight: Decimal | None = None

    def is_staff(self, day: date) -> bool:
        """Tell whether they have not left before a day."""
        return self.end is None or day <= self.end

    def rate_on(self, day: date) -> Decimal | None:
        """Return the rate in force on a day."""
        return self.rates.on(day) if self.rates else self.rate


class Contact(msgspec.Struct, frozen=True, gc=False):
    """A person at a client or another contractor; `since` is when they began there, `created` when their row was made."""

    ref: Ref
    name: str
    url: str = ""
    organisation: str | None = None
    side: str | None = None
    role: str | None = None
    client: Ref | None = None
    birthday: date | None = None
    email: str | None = None
    last_contact: date | None = None
    offers: str | None = None
    since: date | None = None
    created: datetime | None = None


class Card(msgspec.Struct, frozen=True, gc=False):
    """A project on the client's kanban; `jira` is its one link as people typed it.

    `is_counted` when its row holds a count of issues, which only the worker writes; so are `due_first` and `due_moves`, the
    first date that was promised and how often it moved, and `forecasts`, what was told of it. Model and budget are those of today; what they were on other days
    `models` and `budgets` tell, as far as they ever changed.
    Hours on it are the client's to pay unless people said that it is not `billable`.
    """

    ref: Ref
    name: str
    url: str = ""
    client: Ref | None = None
    stage: Stage | None = None
    service: Ref | None = None
    engagement: str | None = None
    budget: Decimal | None = None
    start: date | None = None
    due: date | None = None
    probability: Decimal | None = None
    jira: str | None = None
    expected_start: date | None = None
    created: datetime | None = None
    edited: datetime | None = None
    is_counted: bool = False
    billable: bool = True
    models: Dated[str | None] | None = None
    budgets: Dated[Decimal | None] | None = None
    due_first: date | None = None
    due_moves: Decimal | None = None
    forecasts: str | None = None

    def model_on(self, day: date) -> str | None:
        """Return the model of its own in force on a day; None: its client's."""
        return self.models.on(day) if self.models else self.engagement

    def budget_on(self, day: date) -> Decimal | None:
        """Return the budget in force on a day."""
        return self.budgets.on(day) if self.budgets else self.budget


class Service(msgspec.Struct, frozen=True, gc=False):
    """A service line: one-off or endless."""

    ref: Ref
    name: str
    kind: str | None = None
    monthly_value: Decimal | None = None
    lead_weeks: Decimal | None = None


class Document(msgspec.Struct, frozen=True, gc=False):
    """A contract, NDA, act or power of attorney of a client."""

    ref: Ref
    name: str
    url: str = ""
    client: Ref | None = None
    kind: str | None = None
    signed: date | None = None
    expires: date | None = None


class Revenue(msgspec.Struct, frozen=True, gc=False):
    """A money fact of a client: an act, an invoice, a payment, pass-through money, or what is written off.

    It is for a month (any day of it), or for all days to `until`. An act below zero is a credit note. `currency` as
    people typed it; None is the workspace's.
    """

    ref: Ref
    client: Ref | None
    project: Ref | None
    month: date
    amount: Decimal
    kind: str
    currency: str | None = None
    until: date | None = None

    @property
    def period(self) -> tuple[date, date]:
        """Return the first and the last day it is for."""
        if self.until is not None and self.until > self.month:
            return self.month, self.until
        month = month_of(self.month)
        return month.start, month.end


class Term(msgspec.Struct, frozen=True, gc=False):
    """A price, model, budget or unit in force from a day: `what` of a client, project or person (`subject`).

    `value` is a text in one form for all: an amount, the key of a model, or a unit's ref. Without a `key` it is a
    person's own, else a change that the worker saw.
    """

    ref: Ref
    key: str
    title: str
    url: str
    created: datetime
    subject: Ref
    what: str
    value: str
    start: date


class CostRate(msgspec.Struct, frozen=True, gc=False):
    """What an hour of a person costs the agency from a day on; `created` is when the row was made. Private."""

    ref: Ref
    url: str
    person: Ref
    rate: Decimal
    since: date
    created: datetime


class Idea(msgspec.Struct, frozen=True, gc=False):
    """An item of the development backlog; `horizon` (of a hypothesis) is `operational` or `strategic`."""

    ref: Ref
    name: str
    url: str = ""
    created: datetime | None = None
    kind: str | None = None
    horizon: str | None = None
    status: str | None = None
    unit: Ref | None = None
    client: Ref | None = None
    author: Ref | None = None
    impact: Decimal | None = None
    effort: Decimal | None = None
    cards: tuple[Ref, ...] = ()
    metric: str | None = None
    expected_effect: str | None = None
    measured_effect: str | None = None


class Feedback(msgspec.Struct, frozen=True, gc=False):
    """What a client said about the team or a member on a day; `score` 1..5."""

    ref: Ref
    url: str = ""
    client: Ref | None = None
    person: Ref | None = None
    day: date | None = None
    score: Decimal | None = None
    text: str = ""


class Scenario(msgspec.Struct, frozen=True, gc=False):
    """One change of a what-if question: rows of one name are one question.

    `subjects` are all rows it names; `role` and `value` (hours a week) are of a person to be added, `value` is else an
    amount of money.
    """

    ref: Ref
    name: str
    url: str = ""
    what: str | None = None
    subjects: tuple[Ref, ...] = ()
    role: str | None = None
    value: Decimal | None = None
    start: date | None = None


class Goal(msgspec.Struct, frozen=True, gc=False):
    """A development goal, or a part of one that the worker made (`key` is then its Worker key)."""

    ref: Ref
    name: str
    url: str = ""
    key: str = ""
    owner: tuple[Ref, ...] = ()
    unit: Ref | None = None
    grain: str | None = None
    period: Span | None = None
    measure: str | None = None
    rollup: str | None = None
    target: Decimal | None = None
    current: Decimal | None = None
    status: str | None = None
    parent: Ref | None = None


class Category(StrEnum):
    """Jira's status category keys (docs/facts/jira-api.md 2.5)."""

    NEW = "new"
    ACTIVE = "indeterminate"
    DONE = "done"
    UNDEFINED = "undefined"


class Move(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One change of an issue's status category, oldest first in an issue's `moves`."""

    at: datetime
    before: str
    after: str


class Issue(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One Jira issue, narrowed to what the rules read. Identity is `id`; `key` is for show (it changes on a move).

    Times in UTC, efforts in seconds, `category` one of `Category` values, `level` Jira's hierarchyLevel (epic 1,
    story 0, sub-task -1). `parent` is the parent's id. `moves` is empty until the history was read.
    `rejected` when it was closed by a resolution that means not done. Not `billable` when a label of its own says so.
    """

    id: str
    key: str
    project: str
    type: str
    level: int
    status: str
    category: str
    created: datetime
    updated: datetime
    summary: str = ""
    resolved: datetime | None = None
    due: date | None = None
    parent: str | None = None
    assignee: str | None = None
    estimate: int | None = None
    remaining: int | None = None
    spent: int | None = None
    points: float | None = None
    flagged: bool = False
    labels: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    rejected: bool = False
    billable: bool = True

    @property
    def done(self) -> bool:
        """Tell whether the status category is done."""
        return self.category == "done"


class Worklog(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Time one person logged on one issue: `started` is when the work was done (UTC), `seconds` how long."""

    id: str
    issue: str
    author: str
    started: datetime
    seconds: int


class LoggedTime(msgspec.Struct, frozen=True, gc=False):
    """A work log as the rules see it: so many `seconds` of a person on an issue on a day of the workspace's zone."""

    issue: str
    author: str
    day: date
    seconds: int


class Above(msgspec.Struct, frozen=True, gc=False):
    """What is known of an issue that is only above others: its parent's id, and whether its hours may be billed."""

    parent: str | None = None
    billable: bool = True


class Account(msgspec.Struct, frozen=True, gc=False):
    """Somebody as a service knows them: an account of Jira, a user of Notion; `email` is empty where it is not told."""

    id: str
    name: str = ""
    email: str = ""


class JiraProject(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A Jira project as listed, for matching with cards; `former` are keys it had before, to which Jira still answers."""

    id: str
    key: str
    name: str
    former: tuple[str, ...] = ()


class CardWork(msgspec.Struct, frozen=True, gc=False):
    """The Jira work of one card: what its link resolved to and every issue under it (epics themselves left out).

    `link` says how it was read: `project ACME`, `epic ACME-12`, `jql ...`; empty when the card has none. `as_of` is set
    when Jira does not answer to the link any more: the work is then what it came to at that moment. What was closed as
    not done stands apart in `rejected`: it is no scope, though its hours were spent. `others` is given for an ordinary
    issue alone: how many more its project has.
    """

    link: str = ""
    issues: tuple[Issue, ...] = ()
    worklogs: tuple[LoggedTime, ...] = ()
    as_of: datetime | None = None
    rejected: tuple[Issue, ...] = ()
    extra: Mapping[str, str] = msgspec.field(default_factory=dict)
    others: int | None = None
