"""One view of the agency at one instant: all that the rules may know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

import msgspec

from worker.config import QuarterTargets, Thresholds
from worker.domain.entities import (
    Above,
    Card,
    CardWork,
    Client,
    Contact,
    CostRate,
    Document,
    Feedback,
    Goal,
    Idea,
    Issue,
    JiraProject,
    LoggedTime,
    Person,
    Revenue,
    Row,
    Scenario,
    Service,
    Unit,
)
from worker.domain.money import minor_unit
from worker.domain.periods import WorkCalendar, day_begins, local_day
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import Problem
from worker.world.memory import Memory
from worker.world.rows import (
    BonusRow,
    LedgerRow,
    MarginRow,
    MeetingRow,
    PlanRow,
    RiskRow,
    StaffRequest,
    TaskRow,
    read_bonus,
    read_ledger,
    read_margin,
    read_meeting,
    read_plan,
    read_risk,
    read_staff_request,
    read_task,
)
from worker.world.terms import Terms

PLACES = "places"
"""The source of pages that are no rows."""
HOME = Ref(PLACES, "home")
"""The root page of a workspace, which everybody opens first."""
CLIENT_PAGES = Ref(PLACES, "clients")
"""The page below it, under which the pages for clients' own eyes stand."""


def client_page(kind: str, client: Ref) -> Ref:
    """Return the page of a kind that is made for a client's own eyes."""
    return Ref(PLACES, f"{kind}:{client.key}")


def parent_of(ref: Ref) -> Ref | None:
    """Return the place below which a place is made; None for the root page, and for what is no place."""
    if ref.source != PLACES or ref == HOME:
        return None
    return HOME if ref == CLIENT_PAGES else CLIENT_PAGES


class Place(msgspec.Struct, frozen=True, gc=False):
    """Something in Notion that is no row of a board and can be opened: a page, or a board itself with the views that
    were made with it, by their English names."""

    page_id: str
    title: str
    url: str = ""
    views: Mapping[str, Place] = {}


class World(msgspec.Struct, frozen=True, gc=False):
    """Everything read, normalised and linked. `now` is UTC, `today` the local date in its `zone`.

    `sources` names the data sources that exist; `rows` holds the decoded rows of every source (worker's and people's);
    `trashed` the refs of our rows that people deleted; `seeds` the page of every row we planted among people's, by its
    Worker key. `work` is the Jira work by card; `issues` every issue by id. `own_cells` names the cells
    people share with the worker, of those that rules ask about, in which stands what it wrote there last, by row and field; `above` are parents of issues that are not among them, by id. `terms` are the changes of prices and the like that were seen.
    `jira_url` is where people see Jira, empty when nobody knows.
    `places` are the pages that hold a section without being a row, such as `HOME`; `boards` the open data sources by name.
    """

    workspace: str
    now: datetime
    today: date
    thresholds: Thresholds
    words: Words
    calendar: WorkCalendar = msgspec.field(default_factory=WorkCalendar)
    sources: frozenset[str] = frozenset()
    rows: Mapping[str, tuple[Row, ...]] = msgspec.field(default_factory=dict)
    clients: Mapping[Ref, Client] = msgspec.field(default_factory=dict)
    units: Mapping[Ref, Unit] = msgspec.field(default_factory=dict)
    people: Mapping[Ref, Person] = msgspec.field(default_factory=dict)
    contacts: Mapping[Ref, Contact] = msgspec.field(default_factory=dict)
    cards: Mapping[Ref, Card] = msgspec.field(default_factory=dict)
    services: Mapping[Ref, Service] = msgspec.field(default_factory=dict)
    documents: Mapping[Ref, Document] = msgspec.field(default_factory=dict)
    revenue: tuple[Revenue, ...] = ()
    ideas: Mapping[Ref, Idea] = msgspec.field(default_factory=dict)
    feedback: Mapping[Ref, Feedback] = msgspec.field(default_factory=dict)
    goals: Mapping[Ref, Goal] = msgspec.field(default_factory=dict)
    scenarios: Mapping[Ref, Scenario] = msgspec.field(default_factory=dict)
    work: Mapping[Ref, CardWork] = msgspec.field(default_factory=dict)
    issues: Mapping[str, Issue] = msgspec.field(default_factory=dict)
    worklogs: tuple[LoggedTime, ...] = ()
    jira_projects: tuple[JiraProject, ...] = ()
    unmatched_projects: tuple[JiraProject, ...] = ()
    trashed: frozenset[Ref] = frozenset()
    seeds: Mapping[Ref, Ref] = msgspec.field(default_factory=dict)
    own_cells: frozenset[tuple[Ref, str]] = frozenset()
    memory: Memory = msgspec.field(default_factory=Memory)
    problems: tuple[Problem, ...] = ()
    targets: QuarterTargets = msgspec.field(default_factory=QuarterTargets)
    zone: tzinfo = UTC
    terms: Terms = msgspec.field(default_factory=Terms)
    costs: tuple[CostRate, ...] = ()
    above: Mapping[str, Above] = msgspec.field(default_factory=dict)
    jira_url: str = ""
    places: Mapping[Ref, Place] = msgspec.field(default_factory=dict)
    boards: Mapping[str, Place] = msgspec.field(default_factory=dict)

    @property
    def minor_unit(self) -> Decimal:
        """Return the smallest amount of the workspace's currency, to which all money is rounded and split."""
        return minor_unit(self.words.currency)

    def day_of(self, moment: datetime) -> date:
        """Return the day of an instant in the workspace's zone: no day is counted in any other."""
        return local_day(moment, self.zone)

    def begin_of(self, day: date) -> datetime:
        """Return the instant at which a day begins in the workspace's zone."""
        return day_begins(day, self.zone)

    def risk_rows(self) -> tuple[RiskRow, ...]:
        """Return the rows of the risk map, the worker's and people's, the oldest first."""
        return tuple(read_risk(row, self.zone) for row in self.rows.get("risks", ()))

    def task_rows(self) -> tuple[TaskRow, ...]:
        """Return the rows of the account sprint, the worker's and people's, the oldest first."""
        return tuple(read_task(row, self.zone) for row in self.rows.get("tasks", ()))

    def plan_rows(self) -> tuple[PlanRow, ...]:
        """Return the rows of plans, the oldest first."""
        return tuple(read_plan(row) for row in self.rows.get("plans", ()))

    def bonus_rows(self) -> tuple[BonusRow, ...]:
        """Return the rows of bonuses, the oldest first."""
        return tuple(read_bonus(row) for row in self.rows.get("bonuses", ()))

    def ledger_rows(self) -> tuple[LedgerRow, ...]:
        """Return the worker's rows of the ledger, the oldest first; of copies the first."""
        rows: dict[str, LedgerRow] = {}
        for row in self.rows.get("ledger", ()):
            ledger_row = read_ledger(row, self.zone)
            if ledger_row is not None:
                rows.setdefault(ledger_row.key, ledger_row)
        return tuple(rows.values())

    def staff_requests(self) -> tuple[StaffRequest, ...]:
        """Return the rows of staff requests, the oldest first."""
        rows = self.rows.get("requests", ())
        return tuple(read_staff_request(row, self.zone) for row in rows)

    def meeting_rows(self) -> tuple[MeetingRow, ...]:
        """Return the rows of meetings, the oldest first."""
        rows = self.rows.get("meetings", ())
        return tuple(read_meeting(row, self.zone) for row in rows)

    def margin_rows(self) -> tuple[MarginRow, ...]:
        """Return the rows of margins, the oldest first."""
        return tuple(read_margin(row) for row in self.rows.get("margins", ()))

    def client(self, ref: Ref | None) -> Client | None:
        """Return a client by its ref; None when there is no ref or no such row."""
        return self.clients.get(ref) if ref else None

    def card(self, ref: Ref | None) -> Card | None:
        """Return a card by its ref; None when there is no ref or no such row."""
        return self.cards.get(ref) if ref else None

    def client_of(self, client: Ref | None, card: Ref | None) -> Ref | None:
        """Return the client a row is about: the one it names, else its card's."""
        card_row = self.card(card)
        return client or (card_row.client if card_row else None)

    def unit(self, ref: Ref | None) -> Unit | None:
        """Return a unit by its ref; None when there is no ref or no such row."""
        return self.units.get(ref) if ref else None

    def person(self, ref: Ref | None) -> Person | None:
        """Return a person by its ref; None when there is no ref or no such row."""
        return self.people.get(ref) if ref else None

    def service(self, ref: Ref | None) -> Service | None:
        """Return a service by its ref; None when there is no ref or no such row."""
        return self.services.get(ref) if ref else None
