"""What the pages show, looked up once: who and what belongs to whom, and how figures are said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeGuard

import msgspec
from msgspec.structs import replace

from worker.domain.document import (
    Bullet,
    Heading,
    Paragraph,
    Table,
    bold,
    link,
    plain,
    reference,
)
from worker.domain.entities import (
    FIRM,
    HUNTED,
    RUNNING,
    Card,
    Client,
    Contact,
    Row,
    Unit,
    holder_of,
)
from worker.domain.messages import BESIDE_UNITS, message
from worker.domain.money import foot, round_money
from worker.domain.period_titles import name_months
from worker.domain.periods import Period, month_of, previous_period, quarter_of
from worker.domain.values import Ref, Unset, Value
from worker.domain.words import Words
from worker.method.formulas.cascade import tree_of
from worker.method.formulas.group import members
from worker.method.formulas.rays import due_of
from worker.method.measures import (
    CardMeasure,
    Measures,
    MoneyFact,
    PlanMeasure,
    Rag,
    RiskMeasure,
    TaskMeasure,
    TaskRecord,
)
from worker.method.money.finance import FEW, finished_months, share_revenue
from worker.method.money.forecasts import Sums as Coming
from worker.method.money.forecasts import sum_ahead
from worker.method.outcome import Outcome
from worker.plan.facts import Fact
from worker.world.rows import (
    RiskRow,
    StaffRequest,
    TaskRow,
    read_plan_key,
    read_risk,
    read_staff_request,
    read_task,
)
from worker.world.world import World

UNIT = Decimal(1)
"""What money is shown in: no page needs cents."""
EVEN = Decimal("0.5")
"""Below this chance a date is rather missed than held."""

Sums = Mapping[tuple[Ref, Period], Decimal]

DOTS = {Rag.RED: "🔴", Rag.AMBER: "🟡", Rag.GREEN: "🟢", Rag.GREY: "⚪"}
SHADES = {
    Rag.RED: "red_background",
    Rag.AMBER: "yellow_background",
    Rag.GREEN: "green_background",
    Rag.GREY: "gray_background",
}
"""What colour a callout has that tells of one."""
LEVELS = {"high": "🔴", "medium": "🟡", "low": "🟢"}
NONE = "—"
ROLES = {
    "am": message("Account manager"),
    "tls": message("Team leads"),
    "pms": message("Project managers"),
    "members": message("Team"),
}


def meeting_ref(*parts: str) -> Ref:
    """Return the ref of a page of its own, whose row stands in the meetings' board."""
    return Ref("meetings", ":".join(("meeting", *parts)))


class Shelf(msgspec.Struct, frozen=True, gc=False):
    """What belongs to one client, in the order of the view."""

    risks: list[RiskMeasure] = msgspec.field(default_factory=list)
    tasks: list[TaskMeasure] = msgspec.field(default_factory=list)
    waiting: list[TaskMeasure] = msgspec.field(default_factory=list)
    contacts: list[Contact] = msgspec.field(default_factory=list)
    money: list[MoneyFact] = msgspec.field(default_factory=list)


class View(msgspec.Struct, frozen=True, gc=False):
    """One world with its measures, indexed for writing pages.

    `risk_rows`, `task_rows` and `staff_requests` stand as they will once this run's facts are written: what a page says of them must not
    change by the writing. `sums` is the money of a unit in a period, None when nobody knows any. `shares` are the clients'
    of the firm's revenue in the last finished months (`share_months`), with one decimal of a percent: together 100 %. `ahead` is what is
    still to come, None when that is not known.
    """

    world: World
    measures: Measures
    cards: Mapping[Ref, tuple[Card, ...]]
    risks: tuple[RiskMeasure, ...]
    tasks: tuple[TaskMeasure, ...]
    rows: Mapping[Ref, Row]
    risk_rows: tuple[RiskRow, ...]
    task_rows: tuple[TaskRow, ...]
    staff_requests: tuple[StaffRequest, ...]
    records: Mapping[Ref, TaskRecord]
    plans: Mapping[tuple[Ref, Period], PlanMeasure]
    sums: Sums | None
    by_client: Mapping[Ref | None, Shelf]
    shares: Mapping[Ref, Decimal]
    ahead: Coming | None

    @property
    def words(self) -> Words:
        """Return the workspace's voice."""
        return self.world.words

    @property
    def today(self) -> date:
        """Return the local date."""
        return self.world.today

    def say(self, text: str, **values: object) -> str:
        """Return a translated sentence."""
        return self.world.words.say(text, **values)

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """Return a translated sentence in the right plural form for `number`, which fills `{n}`."""
        return self.words.count(one, many, number, **values)

    def number(self, value: Decimal, digits: int = 1) -> str:
        """Return a number with at most `digits` decimals."""
        return self.words.number(value, digits)

    def heading(self, text: str, level: int = 2, **values: object) -> Heading:
        """Return a heading with a translated sentence."""
        return Heading(self.say(text, **values), level)

    def paragraph(self, text: str, **values: object) -> Paragraph:
        """Return a paragraph with a translated sentence."""
        return Paragraph(self.say(text, **values))

    def clients_of(self, unit: Ref) -> tuple[Client, ...]:
        """Return the clients of a unit, of all when it is the firm; by name."""
        return tuple(
            sorted(
                (
                    client
                    for client in self.world.clients.values()
                    if unit in (FIRM, client.unit)
                ),
                key=lambda client: client.name.casefold(),
            )
        )

    def cards_of(self, unit: Ref) -> tuple[Card, ...]:
        """Return the cards of a unit's clients."""
        return tuple(
            card
            for client in self.clients_of(unit)
            for card in self.cards.get(client.ref, ())
        )

    def risks_of(self, unit: Ref) -> tuple[RiskMeasure, ...]:
        """Return the open risks of a unit and its clients, the strongest first."""
        mine = {client.ref for client in self.clients_of(unit)}
        return tuple(
            risk
            for risk in self.risks
            if unit == FIRM or risk.client in mine or risk.unit == unit
        )

    def tasks_of(self, unit: Ref) -> tuple[TaskMeasure, ...]:
        """Return the open tasks about a unit's clients or its people's, the most urgent first."""
        mine = {client.ref for client in self.clients_of(unit)}
        people = self.team_of(unit)
        return tuple(
            task
            for task in self.tasks
            if self.client_of(task) in mine or task.assignee in people
        )

    def team_of(self, unit: Ref) -> tuple[Ref, ...]:
        """Return everybody a unit's row names."""
        found = self.world.units.get(unit)
        return members(found) if found else ()

    def client_of(self, task: TaskMeasure) -> Ref | None:
        """Return the client of a task, its card's if it names none."""
        return self.world.client_of(task.client, task.card)

    def shelf(self, client: Ref | None) -> Shelf:
        """Return what belongs to a client."""
        return self.by_client.get(client, Shelf())

    def measure_of(self, card: Card) -> CardMeasure | None:
        """Return what was measured of a card."""
        return self.measures.cards.get(card.ref)

    def due_of(self, card: Card) -> date | None:
        """Return when a card is due."""
        return due_of(card, self.measures.cards.get(card.ref))

    def unit_name(self, unit: Ref | None) -> str:
        """Return a unit's name."""
        if unit in BESIDE_UNITS:
            return self.say(BESIDE_UNITS[unit])
        found = self.world.unit(unit)
        return found.name if found else NONE

    def names(self, people: Iterable[Ref]) -> str:
        """Return people by name."""
        found = [
            person.name for ref in people if (person := self.world.people.get(ref))
        ]
        return plain(", ".join(found)) or NONE

    def linked(self, ref: Ref, name: str) -> str:
        """Return the name of a row that leads to it, also before the row is there."""
        row = self.rows.get(ref)
        return (
            link(name, row.url)
            if row is not None and not row.key
            else reference(name, ref)
        )

    def money(self, amount: Decimal | None) -> str:
        """Return an amount without cents, which no page needs."""
        if amount is None:
            return NONE
        return self.words.money(round_money(amount, UNIT))

    def whole(
        self, amounts: Sequence[Decimal], total: Decimal | None = None
    ) -> list[Decimal]:
        """Return amounts as `money` shows them, but so that they come to `total`, else to their sum, as that is shown."""
        if total is not None:
            total = round_money(total, UNIT)
        return foot(amounts, UNIT, total=total)

    def parts(
        self, total: Decimal | None, parts: Sequence[Decimal | None]
    ) -> tuple[list[Decimal | None], Decimal]:
        """Return the parts of a total as they are shown, and what of the total as it is shown lies in none of them.

        What is not known is no part. Parts that come to the total are rounded so that they are seen to.
        """
        known = [part for part in parts if part is not None]
        exact = sum(known, Decimal(0))
        shown = self.whole(known, total if total == exact else None)
        rest = Decimal(0)
        if total is not None:
            rest = round_money(total, UNIT) - sum(shown, Decimal(0))
        amounts = iter(shown)
        return [None if part is None else next(amounts) for part in parts], rest

    def variance(self, plan: Decimal | None, fact: Decimal | None) -> Decimal | None:
        """Return fact - plan as both are shown; None where one is not known."""
        if plan is None or fact is None:
            return None
        return round_money(fact, UNIT) - round_money(plan, UNIT)

    def share(self, share: Decimal | None) -> str:
        """Return a share with a decimal of a percent."""
        return NONE if share is None else self.words.share(share)

    def share_months(self) -> str:
        """Return the months in which shares of the revenue are counted."""
        months = finished_months(self.today, FEW)
        return name_months(months[0], months[-1], self.words)

    def brief_money(self, amount: Decimal | None) -> str:
        """Return an amount in thousands or millions, for narrow columns."""
        if amount is None:
            return NONE
        return self.words.brief_money(amount)

    def percent(self, share: Decimal | None) -> str:
        """Return a share."""
        return NONE if share is None else self.words.percent(share)

    def date(self, day: date | None) -> str:
        """Return a day."""
        return NONE if day is None else self.words.date(day)

    def change(self, amount: Decimal | None) -> str:
        """Return a difference with its sign."""
        if amount is None:
            return NONE
        sign = "+" if amount > 0 else "−"
        return f"{sign if amount else ''}{self.money(abs(amount))}"

    def table(self, header: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
        """Return a table with a translated header."""
        return Table(
            tuple(self.say(cell) for cell in header), tuple(tuple(row) for row in rows)
        )


def look(world: World, outcome: Outcome) -> View:
    """Return the view of a world and of what the rules made of it."""
    measures = outcome.measures
    facts = outcome.facts
    cards: dict[Ref, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        if card.client is not None:
            cards[card.client].append(card)
    risks = sorted(
        (risk for risk in measures.risks or () if not risk.asleep),
        key=lambda risk: (-risk.score, -(risk.exposure or 0), risk.title),
    )
    tasks = sorted(
        measures.tasks or (), key=lambda task: (task.due or date.max, task.title)
    )
    sums = _sums(measures, world.units)
    return View(
        world,
        measures,
        {ref: tuple(found) for ref, found in cards.items()},
        tuple(risks),
        tuple(tasks),
        {row.ref: row for rows in world.rows.values() for row in rows},
        tuple(read_risk(row, world.zone) for row in _later(world, facts, "risks")),
        tuple(read_task(row, world.zone) for row in _later(world, facts, "tasks")),
        tuple(
            read_staff_request(row, world.zone)
            for row in _later(world, facts, "requests")
        ),
        {record.ref: record for record in measures.records or ()},
        {
            **_finished(world, sums),
            **{(plan.unit, plan.period): plan for plan in measures.plans},
        },
        sums,
        _shelves(world, measures, risks=risks, tasks=tasks),
        share_revenue(measures.history or {}, world.today),
        sum_ahead(measures.coming, world.units),
    )


def _shelves(
    world: World,
    measures: Measures,
    *,
    risks: Iterable[RiskMeasure],
    tasks: Iterable[TaskMeasure],
) -> Mapping[Ref | None, Shelf]:
    shelves: dict[Ref | None, Shelf] = defaultdict(Shelf)
    for risk in risks:
        shelves[risk.client].risks.append(risk)
    for task in tasks:
        client = world.client_of(task.client, task.card)
        shelves[client].tasks.append(task)
    for task in measures.waiting:
        client = world.client_of(task.client, task.card)
        shelves[client].waiting.append(task)
    for contact in sorted(world.contacts.values(), key=lambda contact: contact.name):
        shelves[contact.client].contacts.append(contact)
    for money in measures.money or ():
        shelves[money.client].money.append(money)
    return dict(shelves)


def _finished(world: World, sums: Sums | None) -> dict[tuple[Ref, Period], PlanMeasure]:
    """Return the last quarter's plans, which nobody measures any more: targets from their rows, facts as now known."""
    quarter = previous_period(quarter_of(world.today))
    codes = {period.code: period for period in tree_of(quarter)}
    plans = {}
    for row in world.plan_rows():
        named = read_plan_key(row.key)
        if named is None or named[1] not in codes:
            continue
        unit = Ref("units", named[0])
        period = codes[named[1]]
        plans[unit, period] = PlanMeasure(
            unit,
            period,
            row.target,
            row.pinned,
            sums.get((unit, period), Decimal(0)) if sums is not None else None,
            fact_basis="",
            forecast=None,
            carry=Decimal(0),
            per_day=None,
            pace=None,
            rag=Rag(row.health) if row.health else Rag.GREY,
        )
    return plans


def _sums(measures: Measures, units: Collection[Ref]) -> Sums | None:
    if measures.money is None:
        return None
    sums: dict[tuple[Ref, Period], Decimal] = defaultdict(Decimal)
    for fact in measures.money:
        for unit in (holder_of(fact.unit, units), FIRM):
            for period in (
                fact.week,
                month_of(fact.week.start),
                quarter_of(fact.week.start),
            ):
                sums[unit, period] += fact.amount
    return sums


SEEDED = frozenset(
    {
        "name",
        "client",
        "project",
        "assignee",
        "due",
        "kind",
        "source",
        "steps",
        "owner",
        "review",
    }
)
"""Fields that are given once: what a row already says in them stands."""


def _later(world: World, facts: Iterable[Fact], source: str) -> tuple[Row, ...]:
    wanted: dict[Ref, dict[str, Value]] = defaultdict(dict)
    for fact in facts:
        if (
            fact.ref.source == source
            and fact.ref not in world.trashed
            and not isinstance(fact.value, Unset)
        ):
            wanted[fact.ref][fact.field] = fact.value
    rows = []
    for row in world.rows.get(source, ()):
        fields = dict(row.fields)
        for name, value in wanted.pop(row.ref, {}).items():
            if name not in SEEDED or fields.get(name) in (None, (), ""):
                fields[name] = value
        rows.append(replace(row, fields=fields))

    made = [
        Row(
            ref,
            "",
            ref.key,
            str(fields.get("name") or ref.key),
            "",
            world.now,
            world.now,
            "",
            fields,
        )
        for ref, fields in wanted.items()
    ]
    return tuple(sorted((*rows, *made), key=lambda row: (row.title, row.ref)))


def task_line(view: View, task: TaskMeasure, *, on: Ref | None = None) -> str:
    """Return a task in one line: what, for whom (unless it stands on that client's page), by when, who."""
    owner = view.client_of(task)
    client = view.world.client(owner) if owner != on else None
    person = view.world.person(task.assignee)
    parts = (
        view.linked(task.ref, task.title),
        plain(client.name) if client else "",
        due_text(view, task.due),
        plain(person.name) if person else "",
    )
    return join_parts(parts)


def by_stage(cards: Iterable[Card]) -> list[Card]:
    """Return the cards that are not over: running ones first, then the nearest to a start; by name."""
    order = {stage: index for index, stage in enumerate((*RUNNING, *reversed(HUNTED)))}
    placed = []
    for card in cards:
        if card.stage in order:
            placed.append((order[card.stage], card.name, card))
    placed.sort(key=lambda place: place[:2])
    return [card for _, _, card in placed]


def due_text(view: View, due: date | None) -> str:
    """Return by when something is due, in bold once it is late; nothing without a date."""
    if due is None:
        return ""
    text = view.say("due {day}", day=view.date(due))
    if due < view.today:
        return bold(text)
    return text


def client_link(view: View, ref: Ref | None) -> str:
    """Return the name of a client that leads to its page; nothing for a client that is not there."""
    client = view.world.client(ref)
    return link(client.name, client.url) if client else ""


def first_lines(view: View, lines: Sequence[str], most: int) -> tuple[Bullet, ...]:
    """Return the first lines as bullets, and how many more there are."""
    shown = list(lines[:most])
    if len(lines) > most:
        more = view.say("and {n} more", n=len(lines) - most)
        shown.append(more)
    return tuple(Bullet(line) for line in shown)


def is_doubtful(measure: CardMeasure | None) -> TypeGuard[CardMeasure]:
    """Tell whether a card's date is rather missed than held, so that it wants agreeing anew."""
    if measure is None or measure.on_time is None:
        return False
    return measure.on_time < EVEN


def note_lines(view: View) -> Iterator[str]:
    """Yield the rows that lack something, each with what stands on it."""
    for note in view.measures.notes:
        title = note.title or NONE
        name = link(title, note.url)
        parts = map(plain, note.lines)
        lacks = join_parts(parts)
        yield join_parts((name, lacks))


def join_parts(parts: Iterable[str]) -> str:
    """Return what there is to say side by side; what is empty is left out."""
    return " · ".join(part for part in parts if part)


def risk_line(view: View, risk: RiskMeasure) -> str:
    """Return a risk in one line: level, what, score and money at stake."""
    level = LEVELS.get(risk.level, "⚪")
    title = view.linked(risk.ref, risk.title)
    score = f"**{risk.score}** ({risk.probability}×{risk.impact})"
    exposure = ""
    if risk.exposure:
        exposure = view.brief_money(risk.exposure)
    return join_parts((f"{level} {title}", score, exposure))


def risk_reason(view: View, risk: RiskMeasure) -> str:
    """Return a risk in one line with its evidence."""
    return f"{risk_line(view, risk)} — {plain(risk.evidence)}"


def people_of(unit: Unit) -> tuple[tuple[str, tuple[Ref, ...]], ...]:
    """Return a unit's people by role, roles as message ids."""
    lead = {*unit.am, *unit.tls, *unit.pms}
    others = tuple(ref for ref in unit.members if ref not in lead)
    roles = {"am": unit.am, "tls": unit.tls, "pms": unit.pms, "members": others}
    return tuple((ROLES[role], people) for role, people in roles.items() if people)
