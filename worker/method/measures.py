"""What the rules measured, as values: computed once, read by every later rule. `None` is unknown, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from worker.domain.periods import Grain, Period
from worker.domain.values import Ref
from worker.method.delivery.records import CardFlow, Promises
from worker.method.formulas.working_time import part_of
from worker.method.hindsight.scoring import Calibration, Odds, Takings
from worker.method.hindsight.worth import Worth
from worker.method.outlook import (
    DataNote,
    Graduation,
    Loyalty,
    Pipeline,
    Portfolio,
    RayMeasure,
    Revolution,
    ServiceMap,
)
from worker.method.whatif.answers import Answer
from worker.world.memory import Ledger


class Rag(StrEnum):
    """Red, amber, green, or grey for unknown (docs/method.md 8.1: unknown is grey, never green)."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    GREY = "grey"


class Forecast(msgspec.Struct, frozen=True, gc=False):
    """When the remaining work ends, by Monte Carlo on daily throughput (docs/method.md 1.1); days are calendar dates."""

    p50: date
    p85: date
    remaining: int
    draws: int


class Burst(msgspec.Struct, frozen=True, gc=False):
    """So many items were finished on one working day (or the days off before it): too many to tell of speed."""

    day: date
    items: int


class CardMeasure(msgspec.Struct, frozen=True, gc=False):
    """Progress of one card. Shares are 0..1; `by` says `estimate` or `count`; hours are hours.

    `work_done` and `work_total` are in `work_unit`: `h` (hours), `points`, or empty for items. `due` is the people's
    date or else `jira_due`, the latest of the open items; `promised` only what a person gave. `known` is false when the card's link could not be read this
    time. `oldest_age` (of the item `oldest`, by its key) and `sle` count days alike, both ends included; `new_items` were made in the last `scope_weeks`,
    `rejected_lately` of all `rejected` items were closed in them; `work_added` and `work_gone` weigh them. `unagreed` is
    the growth since a change was `agreed`. `is_outgrown` when as much work comes in as is finished, so that there is no forecast; `on_time` (0..1) is told then too. `lenders` are the cards
    whose pace a forecast borrows; `queue` are the open items of the one lender that the card is a part of. `earned_days` over `actual_days` (working days) is `spi_t`. `worth`
    is what the hours come to at standard rates, of a card with a budget.
    """

    card: Ref
    by: str = "count"
    total: int = 0
    done: int = 0
    progress: Decimal | None = None
    scope_change: Decimal | None = None
    throughput: Decimal | None = None
    forecast: Forecast | None = None
    on_time: Decimal | None = None
    spi_t: Decimal | None = None
    hours: Decimal | None = None
    burn: Decimal | None = None
    wip: int = 0
    blocked: int = 0
    overdue: int = 0
    oldest_age: int | None = None
    oldest: str = ""
    sle: int | None = None
    reopened_share: Decimal | None = None
    defect_share: Decimal | None = None
    last_activity: date | None = None
    top_share: Decimal | None = None
    top_person: str | None = None
    days_in_stage: int | None = None
    rag: Rag = Rag.GREY
    why: str = ""
    open: int = 0
    work_done: Decimal = Decimal(0)
    work_total: Decimal = Decimal(0)
    work_unit: str = ""
    due: date | None = None
    defect_age: int | None = None
    stage_since: date | None = None
    known: bool = True
    jira_due: date | None = None
    promised: date | None = None
    new_items: int = 0
    rejected: int = 0
    rejected_lately: int = 0
    bursts: tuple[Burst, ...] = ()
    promises: Promises | None = None
    flow: CardFlow = msgspec.field(default_factory=CardFlow)
    is_outgrown: bool = False
    lenders: tuple[Ref, ...] = ()
    queue: int = 0
    agreed: date | None = None
    unagreed: Decimal | None = None
    work_added: Decimal = Decimal(0)
    work_gone: Decimal = Decimal(0)
    earned_days: Decimal | None = None
    actual_days: int | None = None
    worth: Decimal | None = None

    @property
    def open_growth(self) -> Decimal | None:
        """Return the growth of the last weeks that no change of budget or date answers for."""
        return self.scope_change if self.agreed is None else self.unagreed

    @property
    def history(self) -> int:
        """Return how many finished items tell of speed."""
        return self.done - sum(burst.items for burst in self.bursts)


class Factor(msgspec.Struct, frozen=True, gc=False):
    """One factor of a health score: `score` 0..100 or None without data; `reason` in the workspace's language."""

    name: str
    weight: Decimal
    score: Decimal | None
    reason: str = ""


class ClientMeasure(msgspec.Struct, frozen=True, gc=False):
    """Health and money of one client. `score` 0..100, `coverage` 0..1; `trend` of the score `up`, `flat` or `down`."""

    client: Ref
    cards: tuple[Ref, ...] = ()
    factors: tuple[Factor, ...] = ()
    score: Decimal | None = None
    coverage: Decimal = Decimal(0)
    rag: Rag = Rag.GREY
    why: str = ""
    revenue_month: Decimal | None = None
    revenue_quarter: Decimal | None = None
    horizon: date | None = None
    ray_gap_weeks: int | None = None
    last_contact: date | None = None
    trend: str | None = None


class PlanMeasure(msgspec.Struct, frozen=True, gc=False):
    """One node unit x period of the cascade: money exact to the cent. `forecast` is fact + `committed` + `weighted`."""

    unit: Ref
    period: Period
    target: Decimal | None
    pinned: bool
    fact: Decimal | None
    fact_basis: str
    forecast: Decimal | None
    carry: Decimal
    per_day: Decimal | None
    pace: Decimal | None
    rag: Rag
    why: str = ""
    conflict: bool = False
    planned: Decimal | None = None
    committed: Decimal | None = None
    weighted: Decimal | None = None


class MoneyFact(msgspec.Struct, frozen=True, gc=False):
    """Recognised money of one client in one week part; `basis`: `act`, `tm`, `retainer`, `fixed_price`; `true_up`
    of a month that was closed; `payment` where revenue is what is paid."""

    client: Ref
    unit: Ref | None
    week: Period
    amount: Decimal
    basis: str


class MonthMoney(msgspec.Struct, frozen=True, gc=False):
    """Money of one client in one calendar month (its first day); `basis` as of `MoneyFact`, or `none` for no money.

    A month of several bases has that of the largest. `billed` is what its acts say.
    """

    month: date
    amount: Decimal
    basis: str
    billed: Decimal = Decimal(0)


ACT = "act"
"""The basis of money that is billed ahead of the work."""


class Growth(msgspec.Struct, frozen=True, gc=False):
    """What one obligation was recognised to have grown by in the part of time that begins on `day`.

    `model` is the model that earned most in it. `earned` and `billed` are the growth of those series in the same part;
    `is_ahead` when more was billed up to its end than earned.
    """

    day: date
    amount: Decimal
    model: str
    earned: Decimal
    billed: Decimal
    is_ahead: bool

    @property
    def basis(self) -> str:
        """Return what the amount rests on: the act where it is ahead of the work, else the model of the work."""
        return ACT if self.is_ahead else self.model


TRUE_UP = "true_up"
"""The basis of money of a closed month that became known later."""


class Correction(msgspec.Struct, frozen=True, gc=False):
    """Money of a `day` that corrects what was counted before: of a closed `month` (its first day), or, without one, of
    a `card` whose scope, budget or finished work changed."""

    client: Ref
    day: date
    amount: Decimal
    month: date | None = None
    card: Ref | None = None


class MoneyMeasure(msgspec.Struct, frozen=True, gc=False):
    """All money: by client and week part of this and the last quarter, and every client's by month.

    `history` is without gaps, oldest first, up to the current month. `obligations` are the growths of each.
    `corrections` are the money of days that corrects earlier ones; `closed` the months that do not move any more;
    `owners` the card of each obligation (None: the contract with all the rest).
    """

    weeks: tuple[MoneyFact, ...]
    history: Mapping[Ref, tuple[MonthMoney, ...]]
    obligations: Mapping[Ref, tuple[tuple[Growth, ...], ...]] = msgspec.field(
        default_factory=dict
    )
    corrections: tuple[Correction, ...] = ()
    closed: Mapping[Ref, Ledger] = msgspec.field(default_factory=dict)
    owners: Mapping[Ref, tuple[Ref | None, ...]] = msgspec.field(default_factory=dict)


class Coming(msgspec.Struct, frozen=True, gc=False):
    """What is still to come from one client in one week part: `committed`, and `weighted` by probability."""

    client: Ref
    unit: Ref | None
    week: Period
    committed: Decimal
    weighted: Decimal


class Spent(msgspec.Struct, frozen=True, gc=False):
    """What one person spent on a card for one client on one day; `model` is that of the card on the day, else the
    client's."""

    client: Ref
    card: Ref
    model: str | None
    author: str
    day: date
    hours: Decimal
    billable: bool

    @property
    def month(self) -> date:
        """Return the first day of its month."""
        return self.day.replace(day=1)


class HoursBalance(msgspec.Struct, frozen=True, gc=False):
    """A client's retainer hours of one month: the frame, what was rolled over from earlier months (by first day, the
    oldest first), and what was used of both."""

    month: date
    frame: Decimal
    kept: tuple[tuple[date, Decimal], ...]
    used: Decimal

    @property
    def rolled(self) -> Decimal:
        """Return the hours that were rolled over into the month."""
        return sum((hours for _, hours in self.kept), Decimal(0))

    @property
    def available(self) -> Decimal:
        """Return the hours of the month before any was used."""
        return self.frame + self.rolled

    @property
    def left(self) -> Decimal:
        """Return the hours left; below zero those used beyond what there was."""
        return self.available - self.used


class HoursMeasure(msgspec.Struct, frozen=True, gc=False):
    """The hours on clients' cards of this and the last quarter, which nobody looks behind, and the balance of the running
    month of each client with a frame of hours."""

    spent: tuple[Spent, ...] = ()
    balances: Mapping[Ref, HoursBalance] = msgspec.field(default_factory=dict)


class Step(msgspec.Struct, frozen=True, gc=False):
    """One response step of a risk and the working day it is for."""

    day: date
    text: str


class RiskMeasure(msgspec.Struct, frozen=True, gc=False):
    """One machine-found risk that is open: what it says now. `asleep` while a person's snooze holds.

    `subject` is the row it is about; `card` and `unit` only where it has one. `steps` are as people keep them.
    `answered`: a playbook of its own makes the task for this signal.
    """

    ref: Ref
    signal: str
    title: str
    client: Ref | None
    card: Ref | None
    probability: int
    impact: int
    level: str
    exposure: Decimal | None
    evidence: str
    asleep: bool = False
    kind: str = "other"
    subject: Ref | None = None
    unit: Ref | None = None
    horizon: date | None = None
    first_seen: date | None = None
    owner: Ref | None = None
    steps: tuple[Step, ...] = ()
    answered: bool = False

    @property
    def score(self) -> int:
        """Return probability x impact, 1..25."""
        return self.probability * self.impact


class Condition(msgspec.Struct, frozen=True, gc=False):
    """Something that may be a risk, looked at today by its chapter's rule; the risk map makes and closes the rows.

    `signal` names it (`money.concentration`), `subject` the row it is about: together they are the risk's key. `holds`
    is None when it cannot be known (then nothing opens or closes). `probability` 1..5; `stake` is the money that may be
    lost: its share of the client's money (of the portfolio, without a `card`) gives the impact unless `impact` 1..5 is
    given. `title` and `evidence` are in the workspace's language, evidence with its numbers; `horizon` is the day it
    bites; `inputs` are (name, value, url).
    """

    signal: str
    kind: str
    subject: Ref
    holds: bool | None
    title: str = ""
    evidence: str = ""
    probability: int = 3
    impact: int | None = None
    stake: Decimal | None = None
    client: Ref | None = None
    unit: Ref | None = None
    card: Ref | None = None
    horizon: date | None = None
    inputs: tuple[tuple[str, str, str], ...] = ()
    formula: str = ""
    threshold: str = ""


class Signal(msgspec.Struct, frozen=True, gc=False):
    """A condition a playbook answers, looked at today. `holds` is None when it cannot be known.

    `may_open` is false when a new task must not be made now (a running one goes on). `values` fill the playbook's text,
    `risk` is the one it answers, if not the one of the same signal and subject. `due` overrides its working days, `role` the playbook's role; `strength` orders what competes for a client's sprint.
    """

    playbook: str
    subject: Ref
    client: Ref | None
    card: Ref | None
    holds: bool | None
    reason: str = ""
    ended: str = ""
    may_open: bool = True
    strength: int = 0
    values: Mapping[str, str] = msgspec.field(default_factory=dict)
    due: date | None = None
    role: str = ""
    unit: Ref | None = None
    risk: Ref | None = None


class TaskMeasure(msgspec.Struct, frozen=True, gc=False):
    """One open task of the account sprint, the worker's or a person's."""

    ref: Ref
    title: str
    client: Ref | None
    card: Ref | None
    due: date | None
    assignee: Ref | None
    strength: int = 0


class SprintMeasure(msgspec.Struct, frozen=True, gc=False):
    """The account sprint: its `open` tasks (None: not looked for), and what is `waiting` for a place, strongest first."""

    open: tuple[TaskMeasure, ...] | None = None
    waiting: tuple[TaskMeasure, ...] = ()


class WeekLoad(msgspec.Struct, frozen=True, gc=False):
    """Hours of one full ISO week, by its Monday: what a person or a group can do and what is planned; None: unknown."""

    monday: date
    capacity: Decimal
    load: Decimal | None

    @property
    def ratio(self) -> Decimal | None:
        """Return load / capacity to four decimals; None when the load is unknown or there is no capacity."""
        return part_of(self.load, self.capacity)


class RoleLoad(msgspec.Struct, frozen=True, gc=False):
    """The weeks ahead of the people of one role in a unit."""

    role: str
    weeks: tuple[WeekLoad, ...]


class PersonLoad(msgspec.Struct, frozen=True, gc=False):
    """Hours of one person: of the last full weeks, and of the full weeks ahead.

    `effective` capacity and `logged` hours make `utilization`. `weeks` holds what is planned; `open` items are assigned,
    `estimated` carry an estimate; `contracted` is by contract. `next_4` and `next_8` are load / capacity of so many weeks,
    `ahead` is the capacity of four. `billable` are the logged hours that clients are to pay, `target` the share of capacity that they should come to.
    """

    person: Ref
    unit: Ref | None
    contracted: Decimal | None
    effective: Decimal | None
    logged: Decimal | None
    utilization: Decimal | None
    open: int
    estimated: int
    weeks: tuple[WeekLoad, ...]
    next_4: Decimal | None = None
    next_8: Decimal | None = None
    projects: tuple[Ref, ...] = ()
    ahead: Decimal | None = None
    billable: Decimal | None = None
    target: Decimal | None = None

    @property
    def billable_utilization(self) -> Decimal | None:
        """Return billable hours / effective capacity."""
        return part_of(self.billable, self.effective)


class UnitLoad(msgspec.Struct, frozen=True, gc=False):
    """Sums over the producing `people` of a unit, or of the firm (`units/firm`); utilization and load: ratios of sums.

    `missing` names who left more than the allowed share of their hours unlogged, when the whole unit did. `roles` are those
    of all its people, producing or not.
    """

    unit: Ref
    people: tuple[Ref, ...]
    capacity: Decimal
    load: Decimal | None
    effective: Decimal
    logged: Decimal | None
    utilization: Decimal | None
    missing: tuple[Ref, ...]
    weeks: tuple[WeekLoad, ...]
    roles: tuple[RoleLoad, ...]
    billable: Decimal | None = None
    target: Decimal | None = None

    @property
    def billable_utilization(self) -> Decimal | None:
        """Return billable hours / effective capacity."""
        return part_of(self.billable, self.effective)


class StaffNeed(msgspec.Struct, frozen=True, gc=False):
    """What a role of a unit lacks (of people in no unit: of the firm); `holds` is None where the load is unknown.

    `hours` a week are wanted `since` a Monday; `evidence` tells the weeks.
    """

    unit: Ref
    role: str
    holds: bool | None
    hours: Decimal = Decimal(0)
    since: date | None = None
    evidence: str = ""


class LoadMeasure(msgspec.Struct, frozen=True, gc=False):
    """What people and units carry; the firm is among the units. `outside` are the roles of those in no unit."""

    people: Mapping[Ref, PersonLoad] = msgspec.field(default_factory=dict)
    units: Mapping[Ref, UnitLoad] = msgspec.field(default_factory=dict)
    outside: tuple[RoleLoad, ...] = ()


class RequestMeasure(msgspec.Struct, frozen=True, gc=False):
    """One open task from outside: `kind` is what is asked, or its source; `due` the answer time."""

    ref: Ref
    title: str
    source: str
    kind: str
    client: Ref | None
    assignee: Ref | None
    asked: date
    due: date


class TaskRecord(msgspec.Struct, frozen=True, gc=False):
    """One row of the account sprint, open or closed, as meetings look back on it.

    `carried` counts the sprints it was carried over; `to_head`: often enough to be the HoA's matter (a promise not
    kept). `moved` says where its card went; `stuck`: done two weeks ago and its card has not moved. `closed` by a
    person or by the end of its condition (`by_itself`).
    """

    ref: Ref
    title: str
    url: str
    client: Ref | None
    card: Ref | None
    assignee: Ref | None
    status: str
    source: str
    opened: date
    closed: date | None
    due: date | None
    carried: int
    moved: str = ""
    stuck: bool = False
    to_head: bool = False
    by_itself: bool = False


class Effect(msgspec.Struct, frozen=True, gc=False):
    """What a hypothesis was to bring and brought, as people typed it; empty where they did not.

    `measured_on` is the day the effect was first seen; `waits_since` the day of its validation while there is none.
    """

    metric: str = ""
    expected: str = ""
    measured: str = ""
    measured_on: date | None = None
    waits_since: date | None = None


class BacklogItem(msgspec.Struct, frozen=True, gc=False):
    """One idea of the development backlog; `agenda` is the period whose planning meeting it goes to, if any.

    `kind`: `feature`, `hypothesis`, `idea`, `feedback`; `weeks` since it was written; `card` once accepted;
    `effect` of a hypothesis.
    """

    ref: Ref
    title: str
    url: str
    kind: str
    status: str
    strategic: bool
    unit: Ref | None
    client: Ref | None
    author: Ref | None
    impact: Decimal | None
    effort: Decimal | None
    weeks: int
    agenda: Period | None
    card: Ref | None = None
    effect: Effect | None = None


class FeedbackMeasure(msgspec.Struct, frozen=True, gc=False):
    """What a client said about the team or a member. Private: for the HoA's pages under the private root alone."""

    ref: Ref
    url: str
    client: Ref | None
    person: Ref | None
    day: date
    score: Decimal
    trend: str | None
    negative: bool
    text: str = ""


class GoalMeasure(msgspec.Struct, frozen=True, gc=False):
    """One development goal or a part of it; `current` as people say, else rolled up from its parts."""

    ref: Ref
    title: str
    url: str
    unit: Ref | None
    owner: Ref | None
    period: Period
    measure: str
    target: Decimal
    current: Decimal | None
    pace: Decimal | None
    rag: Rag
    status: str
    parent: Ref | None = None


class Measures(msgspec.Struct, frozen=True, gc=False):
    """Everything measured in one run, by ref; None where its rule did not run or failed. `failed` names those.

    `history` is every client's money by month without gaps, oldest first, up to the current month; `left` the clients
    that left, with the day their life ended; `paces` the clients' revenue of the quarter over what was planned to date;
    `corrections` the money of days that corrects earlier ones; `answers` what scenarios would change, by each of their rows;
    `calibration`, `risk_odds` and `takings` (by length of the period) what forecasts were worth, `worths` what playbooks were.
    """

    cards: Mapping[Ref, CardMeasure] = msgspec.field(default_factory=dict)
    clients: Mapping[Ref, ClientMeasure] = msgspec.field(default_factory=dict)
    plans: tuple[PlanMeasure, ...] = ()
    money: tuple[MoneyFact, ...] | None = None
    coming: tuple[Coming, ...] | None = None
    corrections: tuple[Correction, ...] = ()
    conditions: tuple[Condition, ...] = ()
    risks: tuple[RiskMeasure, ...] | None = None
    signals: tuple[Signal, ...] | None = None
    tasks: tuple[TaskMeasure, ...] | None = None
    waiting: tuple[TaskMeasure, ...] = ()
    failed: tuple[str, ...] = ()
    history: Mapping[Ref, tuple[MonthMoney, ...]] | None = None
    left: Mapping[Ref, date] = msgspec.field(default_factory=dict)
    paces: Mapping[Ref, Decimal | None] | None = None
    people: Mapping[Ref, PersonLoad] = msgspec.field(default_factory=dict)
    units: Mapping[Ref, UnitLoad] = msgspec.field(default_factory=dict)
    requests: tuple[RequestMeasure, ...] | None = None
    records: tuple[TaskRecord, ...] | None = None
    backlog: tuple[BacklogItem, ...] | None = None
    feedback: tuple[FeedbackMeasure, ...] | None = None
    goals: tuple[GoalMeasure, ...] | None = None
    rays: Mapping[Ref, RayMeasure] = msgspec.field(default_factory=dict)
    graduations: Mapping[Ref, Graduation] = msgspec.field(default_factory=dict)
    revolutions: tuple[Revolution, ...] = ()
    services: ServiceMap | None = None
    loyalty: Loyalty | None = None
    portfolios: Mapping[Ref, Portfolio] = msgspec.field(default_factory=dict)
    hours: HoursMeasure | None = None
    pipeline: Pipeline | None = None
    notes: tuple[DataNote, ...] = ()
    calibration: Calibration | None = None
    risk_odds: Odds | None = None
    takings: Mapping[Grain, Takings] = msgspec.field(default_factory=dict)
    worths: tuple[Worth, ...] | None = None
    needs: tuple[StaffNeed, ...] | None = None
    answers: Mapping[Ref, Answer] = msgspec.field(default_factory=dict)
