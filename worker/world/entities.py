"""Decoded rows to typed entities. A bad field is reported and empty; the row goes on without it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from worker.codecs.notion import LAST_YEAR
from worker.codecs.pages import place
from worker.domain.entities import (
    Card,
    Client,
    Contact,
    CostRate,
    Document,
    Feedback,
    Goal,
    Idea,
    Person,
    Revenue,
    Row,
    Scenario,
    Service,
    Stage,
    Term,
    Unit,
)
from worker.domain.messages import NOTHING, Text, listed, message, tell, withhold
from worker.domain.periods import A_DAY, A_WEEK, WORKING_DAYS, Week
from worker.domain.values import (
    Ref,
    Span,
    day_of,
    number_of,
    refs_of,
    text_form,
    text_of,
)
from worker.errors import Code, Problem, Severity
from worker.mapping.schema import Source

Entity = TypeVar("Entity")


@dataclass(frozen=True, slots=True)
class Needs:
    """The cells that a row needs, and what becomes of it without them; `fault` has a place for their `{fields}`."""

    code: Code
    columns: tuple[str, ...]
    fault: str


NEEDS: Mapping[str, Needs] = {
    "revenue": Needs(
        Code.INCOMPLETE_REVENUE,
        ("client", "month", "amount", "kind"),
        message("without a usable {fields} the entry is left out"),
    ),
    "costs": Needs(
        Code.INCOMPLETE_COST,
        ("person", "cost_rate"),
        message("without a usable {fields} the cost rate counts nowhere"),
    ),
    "feedback": Needs(
        Code.INCOMPLETE_FEEDBACK,
        ("client", "date"),
        message("without a usable {fields} the feedback counts nowhere"),
    ),
    "documents": Needs(
        Code.INCOMPLETE_ROW,
        ("client",),
        message("without a usable {fields} nobody looks after the document's end"),
    ),
    "contacts": Needs(
        Code.INCOMPLETE_ROW,
        ("client",),
        message("without a usable {fields} the contact counts for no client"),
    ),
    "services": Needs(
        Code.INCOMPLETE_ROW,
        ("kind",),
        message(
            "without a usable {fields} no redesign and no graduation is proposed for the service"
        ),
    ),
}
"""What the rows of each data source cannot do without."""
WORST_TO_BEST = 5
YEARLESS = 1904
"""People who do not know a year of birth type 1900, or 1904, the first year after it that has a 29 February."""
HOURS = re.compile(r"[0-9]{1,2}(?:[.,][0-9]{1,2})?")
DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(slots=True)
class Reader:
    """Typed access to one row's fields, collecting what is wrong; `present` names the rows a relation may point to."""

    row: Row
    source: Source
    zone: ZoneInfo
    present: Mapping[str, frozenset[Ref]]
    problems: list[Problem] = field(default_factory=list)

    def report(
        self,
        code: Code,
        name: str,
        fault: Text,
        *,
        hint: Text = NOTHING,
        severity: Severity = Severity.WARNING,
    ) -> None:
        """Add a problem about one field of the row, which quotes no private cell."""
        self.problems.append(
            Problem(
                code=code,
                where=place(self.row, self.source),
                field=name,
                column=self._label(name),
                message=withhold(fault) if self.source.private else fault,
                hint=hint,
                url=self.row.url,
                severity=severity,
            )
        )

    def _label(self, name: str) -> Text:
        prop = self.source.properties.get(name)
        return listed(prop.label) if prop else NOTHING

    def lacks(self, **cells: object) -> bool:
        """Tell whether the row lacks one of the cells it needs (`NEEDS`), given as read; these are reported."""
        needs = NEEDS[self.source.name]
        missing = [name for name in needs.columns if cells[name] is None]
        if missing:
            fields = listed(*(self.source.properties[name].label for name in missing))
            self.report(
                needs.code,
                missing[0],
                tell(needs.fault, fields=fields),
                hint=tell("fill in {fields}", fields=fields),
            )
        return bool(missing)

    def text(self, name: str) -> str | None:
        """Return a text or an option key."""
        return text_of(self.row.fields.get(name))

    def number(self, name: str) -> Decimal | None:
        """Return a number as it is."""
        return number_of(self.row.fields.get(name))

    def amount(self, name: str) -> Decimal | None:
        """Return a number that cannot be negative."""
        value = self.number(name)
        if value is not None and value < 0:
            self.report(
                Code.NEGATIVE_AMOUNT,
                name,
                tell("{value} is below zero", value=value),
                hint=tell("enter zero or more"),
            )
            return None
        return value

    def count(self, name: str) -> int | None:
        """Return a whole number that cannot be negative."""
        value = self.amount(name)
        if value is None:
            return None
        if value != int(value):
            self.report(
                Code.OUT_OF_RANGE,
                name,
                tell("{value} is no whole number", value=value),
                hint=tell("enter a whole number"),
            )
            return None
        return int(value)

    def share(self, name: str) -> Decimal | None:
        """Return a share from 0 to 1 (0 to 100 %)."""
        value = self.number(name)
        if value is not None and not 0 <= value <= 1:
            self.report(
                Code.OUT_OF_RANGE,
                name,
                tell("{value}% is not between 0 and 100%", value=f"{value * 100:f}"),
                hint=tell("enter 0 to 100%"),
            )
            return None
        return value

    def day(self, name: str, *, last: bool = False) -> date | None:
        """Return a date in the workspace's zone; of a range its first day, or its `last`."""
        return day_of(self.row.fields.get(name), self.zone, last=last)

    def days(self, first: str, last: str) -> tuple[date | None, date | None]:
        """Return two dates in order; when reversed, the first is dropped and reported."""
        start = self.day(first)
        end = self.day(last, last=True)
        if start is not None and end is not None and end < start:
            self.report(
                Code.REVERSED_DATES,
                first,
                tell("{start} is after {last}, {end}", start=start, last=last, end=end),
                hint=tell("correct one of the two dates"),
            )
            return None, end
        return start, end

    def many(self, name: str) -> tuple[Ref, ...]:
        """Return the rows a relation points to, without those that do not exist."""
        refs = refs_of(self.row.fields.get(name))
        missing = [
            ref for ref in refs if ref not in self.present.get(ref.source, frozenset())
        ]
        if missing:
            self.report(
                Code.DANGLING_RELATION,
                name,
                tell(
                    "points to {number} row(s) that cannot be read", number=len(missing)
                ),
                hint=tell("restore the row, share its data source, or remove the link"),
            )
        return tuple(ref for ref in refs if ref not in missing)

    def one(self, name: str) -> Ref | None:
        """Return the one row a relation points to; several are reported and count as none."""
        refs = self.many(name)
        if len(refs) > 1:
            self.report(
                Code.SEVERAL_ROWS,
                name,
                tell("points to {number} rows where one is meant", number=len(refs)),
                hint=tell("leave only one"),
            )
            return None
        return refs[0] if refs else None


def read_client(reader: Reader) -> Client:
    """Return a client."""
    since, contract_end = reader.days("since", "contract_end")
    row = reader.row
    group = reader.text("group")
    unit = reader.one("unit")
    if group == "account" and unit is None:
        reader.report(
            Code.CLIENT_WITHOUT_UNIT,
            "unit",
            tell("the account has no unit"),
            hint=tell("choose the unit that serves it"),
        )
    return Client(
        row.ref,
        row.title,
        row.url,
        group=group,
        engagement=reader.text("engagement"),
        unit=unit,
        contract_end=contract_end,
        monthly_fee=reader.amount("monthly_fee"),
        since=since,
        source=reader.text("source"),
        services=reader.many("services"),
        rate_indexed=reader.day("rate_indexed"),
        last_partner_contact=reader.day("last_partner_contact"),
        last_contact=reader.day("last_contact"),
        unfit=reader.many("unfit_services"),
        status_page=row.fields.get("status_page") is True,
        presentation=row.fields.get("presentation") is True,
        sync_now=row.fields.get("sync_now") is True,
        created=row.created,
        by_hand=reader.text("health_by_hand"),
        by_hand_note=reader.text("by_hand_note"),
        by_hand_until=reader.day("by_hand_until"),
        hours_frame=reader.amount("hours_frame"),
        rollover_months=reader.count("rollover_months"),
    )


def read_unit(reader: Reader) -> Unit:
    """Return a unit; two account managers and a unit of nobody are reported."""
    row = reader.row
    unit = Unit(
        row.ref,
        row.title,
        row.url,
        reader.many("am"),
        reader.many("tls"),
        reader.many("pms"),
        reader.many("members"),
        reader.share("bonus_rate"),
        reader.share("target_share"),
    )
    if len(unit.am) > 1:
        reader.report(
            Code.TWO_AMS,
            "am",
            tell("the unit has {number} account managers", number=len(unit.am)),
            hint=tell("leave exactly one"),
        )
    if not (unit.am or unit.tls or unit.pms or unit.members):
        reader.report(
            Code.UNIT_WITHOUT_PEOPLE,
            "members",
            tell("nobody is in the unit"),
            hint=tell("fill in AM, Team leads, PMs and Members"),
        )
    return unit


def read_person(reader: Reader) -> Person:
    """Return a member of staff."""
    row = reader.row
    users = reader.row.fields.get("notion_user")
    user = str(users[0]) if isinstance(users, tuple) and users else None
    start, end = reader.days("start", "end")
    week = _week(reader)
    capacity = reader.amount("capacity")
    return Person(
        row.ref,
        row.title,
        row.url,
        role=reader.text("role"),
        notion_user=user,
        jira=(reader.text("jira_account") or "").strip() or None,
        capacity=capacity if week is None else sum(week, Decimal(0)),
        rate=reader.amount("rate"),
        unit=reader.one("unit"),
        start=start,
        birthday=_birthday(reader),
        time_off=_time_off(reader),
        end=end,
        week=week,
        bonus_weight=reader.amount("bonus_weight"),
    )


def _week(reader: Reader) -> Week | None:
    """Return the hours of the weekdays as people wrote them; hours a week that differ from them are told."""
    text = (reader.text("week") or "").strip()
    if not text:
        return None
    week = parse_week(text)
    if week is None:
        reader.report(
            Code.BAD_WEEK,
            "week",
            tell("cannot read “{text}”", text=text[:60]),
            hint=tell(
                "write the hours of five to seven days from Monday on: 8 8 8 8 0"
            ),
        )
        return None
    total = sum(week, Decimal(0))
    contract = reader.number("capacity")
    if contract is not None and contract != total:
        reader.report(
            Code.BAD_WEEK,
            "week",
            tell(
                "the days come to {total} h, the contract to {capacity} h a week; the days count",
                total=f"{total.normalize():f}",
                capacity=f"{contract.normalize():f}",
            ),
            hint=tell("make them the same, or clear the contract hours"),
        )
    return week


def parse_week(text: str) -> Week | None:
    """Return the hours of a week, `8 8 8 8 0` or `8 8 8 7,5 0 0 0`; None for anything else, and for no hour at all."""
    words = text.split()
    if not WORKING_DAYS <= len(words) <= A_WEEK.days:
        return None
    if not all(HOURS.fullmatch(word) for word in words):
        return None
    days = [Decimal(word.replace(",", ".")) for word in words]
    if max(days) > A_DAY / timedelta(hours=1) or not any(days):
        return None
    free = A_WEEK.days - len(days)
    return (*days, *(Decimal(0),) * free)


def _birthday(reader: Reader) -> date | None:
    """Return a birthday; one typed without its year (Notion has no such date) still has its day."""
    day = reader.day("birthday")
    if day is not None and day.year <= YEARLESS:
        reader.report(
            Code.NO_BIRTH_YEAR,
            "birthday",
            tell(
                "the year {year} cannot be the year of birth, the day is kept",
                year=day.year,
            ),
            hint=tell("enter the year if you know it"),
            severity=Severity.INFO,
        )
    return day


def _time_off(reader: Reader) -> tuple[Span, ...]:
    spans = []
    for line in (reader.text("time_off") or "").splitlines():
        if not line.strip():
            continue
        span = parse_span(line)
        if span is None:
            reader.report(
                Code.BAD_TIME_OFF,
                "time_off",
                tell("cannot read “{text}”", text=line.strip()[:60]),
                hint=tell("write one range a line: 2026-12-01..2026-12-14"),
            )
        else:
            spans.append(span)
    return tuple(sorted(spans))


def parse_span(line: str) -> Span | None:
    """Return the range of days in a line, `2026-12-01..2026-12-14` or `01.12.2026 - 14.12.2026`, or a single day."""
    days = [_parse_day(match) for match in DAY.finditer(line)]
    rest = DAY.sub("", line).strip(" .–—-\t,;")
    if rest or not 1 <= len(days) <= 2 or None in days:
        return None
    start = days[0]
    end = days[-1]
    return (
        Span(start, end)
        if start is not None and end is not None and start <= end
        else None
    )


def _parse_day(match: re.Match[str]) -> date | None:
    year, month, day = (
        (match[1], match[2], match[3]) if match[1] else (match[6], match[5], match[4])
    )
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def read_contact(reader: Reader) -> Contact:
    """Return a contact."""
    row = reader.row
    side = reader.text("side")
    client = reader.one("client")
    if side == "client":
        reader.lacks(client=client)
    return Contact(
        row.ref,
        row.title,
        row.url,
        organisation=reader.text("organisation"),
        side=side,
        role=reader.text("role"),
        client=client,
        birthday=_birthday(reader),
        email=reader.text("email"),
        last_contact=reader.day("last_contact"),
        offers=reader.text("offers"),
        since=reader.day("since"),
        created=row.created,
    )


def read_card(reader: Reader) -> Card:
    """Return a project card; one without a client is reported."""
    row = reader.row
    stage = reader.text("stage")
    start, due = reader.days("start", "due")
    if not row.fields.get("client"):
        reader.report(
            Code.CARD_WITHOUT_CLIENT,
            "client",
            tell("the card has no client"),
            hint=tell("choose its client"),
        )
    return Card(
        row.ref,
        row.title,
        row.url,
        client=reader.one("client"),
        stage=Stage(stage) if stage else None,
        service=reader.one("service"),
        engagement=reader.text("engagement"),
        budget=reader.amount("budget"),
        start=start,
        due=due,
        probability=reader.share("probability"),
        jira=reader.text("jira"),
        expected_start=reader.day("expected_start"),
        is_counted=bool(reader.text("done_total")),
        due_first=reader.day("due_first"),
        due_moves=reader.number("due_moves"),
        forecasts=reader.text("forecasts"),
        billable=reader.text("billable") != "no",
        created=row.created,
        edited=row.edited,
    )


def read_service(reader: Reader) -> Service:
    """Return a service line."""
    kind = reader.text("kind")
    reader.lacks(kind=kind)
    return Service(
        reader.row.ref,
        reader.row.title,
        kind,
        reader.amount("monthly_value"),
        reader.amount("lead_weeks"),
    )


def read_document(reader: Reader) -> Document:
    """Return a document."""
    row = reader.row
    signed, expires = reader.days("signed", "expires")
    client = reader.one("client")
    reader.lacks(client=client)
    return Document(
        row.ref,
        row.title,
        row.url,
        client=client,
        kind=reader.text("kind"),
        signed=signed,
        expires=expires,
    )


def read_revenue(reader: Reader) -> Revenue | None:
    """Return a money fact, or None when client and project, month, amount or kind is missing: it then counts nowhere."""
    month = reader.day("month")
    kind = reader.text("kind")
    # A credit note is an act below zero.
    amount = reader.number("amount") if kind == "act" else reader.amount("amount")
    client = reader.one("client")
    project = reader.one("project")
    until = reader.day("month", last=True)
    if month is not None and until is not None and until < month:
        reader.report(
            Code.REVERSED_DATES,
            "month",
            tell(
                "its period ends on {end}, before it begins on {start}; the entry is left out",
                start=month,
                end=until,
            ),
            hint=tell("correct the period"),
        )
        return None
    whose = client or project
    lacks = reader.lacks(client=whose, month=month, amount=amount, kind=kind)
    if lacks or month is None or amount is None or kind is None:
        return None
    return Revenue(
        reader.row.ref,
        client,
        project,
        month,
        amount,
        kind,
        reader.text("currency"),
        until,
    )


AMOUNTS = ("fee", "rate", "budget")
SUBJECTS = {
    "fee": ("client",),
    "rate": ("person",),
    "model": ("client", "project"),
    "budget": ("project",),
    "unit": ("client",),
}
"""Whose terms each kind of term may be."""


def read_term(reader: Reader) -> Term | None:
    """Return a dated term, or None when it does not say whose, what, since when or how much: it then counts nowhere."""
    row = reader.row
    what = reader.text("what")
    start = reader.day("from")
    if what not in SUBJECTS:
        _report_term(reader, "what", tell("it does not say what is dated"))
        return None
    if start is None:
        _report_term(reader, "from", tell("it does not say from when"))
        return None

    subjects = []
    for name in ("client", "project", "person"):
        for ref in reader.many(name):
            subjects.append((name, ref))
    if len(subjects) != 1 or subjects[0][0] not in SUBJECTS[what]:
        fault = tell("it does not name the one row whose term it is")
        _report_term(reader, SUBJECTS[what][0], fault)
        return None
    value = _term_value(reader, what)
    if value is None:
        name = "value" if what in AMOUNTS else what
        _report_term(reader, name, tell("it does not say what is in force"))
        return None
    return Term(
        row.ref,
        row.key,
        row.title,
        row.url,
        row.created,
        subject=subjects[0][1],
        what=what,
        value=value,
        start=start,
    )


def _term_value(reader: Reader, what: str) -> str | None:
    # An emptied cell has its row too: nothing is in force from then on.
    emptied = "" if reader.row.key else None
    if what in AMOUNTS:
        return text_form(reader.amount("value")) or emptied
    if what == "unit":
        return text_form(reader.one("unit")) or emptied
    return reader.text("model") or emptied


def _report_term(reader: Reader, name: str, fault: Text) -> None:
    reader.report(
        Code.INCOMPLETE_TERM,
        name,
        tell("{fault}; the row counts nowhere", fault=fault),
        hint=tell("name a client, project or person, what, from when and the value"),
    )


def read_cost(reader: Reader) -> CostRate | None:
    """Return a cost rate, or None when it is nobody's or no amount; one without a day is in force ever since."""
    row = reader.row
    person = reader.one("person")
    rate = reader.amount("cost_rate")
    reader.lacks(person=person, cost_rate=rate)
    if person is None or rate is None:
        return None
    since = reader.day("from") or date.min
    return CostRate(row.ref, row.url, person, rate, since, row.created)


def read_idea(reader: Reader) -> Idea:
    """Return an item of the backlog."""
    row = reader.row
    return Idea(
        row.ref,
        row.title,
        row.url,
        row.created,
        kind=reader.text("kind"),
        horizon=reader.text("horizon"),
        status=reader.text("status"),
        unit=reader.one("unit"),
        client=reader.one("client"),
        author=reader.one("author"),
        impact=reader.amount("impact"),
        effort=reader.amount("effort"),
        cards=reader.many("card"),
        metric=reader.text("metric"),
        expected_effect=reader.text("expected_effect"),
        measured_effect=reader.text("measured_effect"),
    )


def read_feedback(reader: Reader) -> Feedback:
    """Return a client's feedback; a score that is not 1 to 5 counts nowhere."""
    row = reader.row
    score = reader.number("score")
    if score is not None and not 1 <= score <= WORST_TO_BEST:
        reader.report(
            Code.OUT_OF_RANGE,
            "score",
            tell(
                "{value} is not between 1 and {best}", value=score, best=WORST_TO_BEST
            ),
            hint=tell("enter 1 to 5"),
        )
        score = None
    client = reader.one("client")
    day = reader.day("date")
    reader.lacks(client=client, date=day)
    return Feedback(
        row.ref,
        row.url,
        client=client,
        person=reader.one("person"),
        day=day,
        score=score,
        text=reader.text("text") or "",
    )


def read_goal(reader: Reader) -> Goal:
    """Return a goal; one of people's without a measure or a period is reported."""
    row = reader.row
    period = reader.row.fields.get("period")
    day = reader.day("period")
    one_day = Span(day, day) if day else None
    goal = Goal(
        row.ref,
        row.title,
        row.url,
        row.key,
        owner=reader.many("owner"),
        unit=reader.one("unit"),
        grain=reader.text("grain"),
        measure=(reader.text("measure") or "").strip() or None,
        period=period if isinstance(period, Span) else one_day,
        rollup=reader.text("rollup"),
        target=reader.amount("target"),
        current=reader.amount("current"),
        status=reader.text("status"),
        parent=reader.one("parent"),
    )
    if goal.measure is None or goal.target is None:
        name = "target" if goal.measure else "measure"
        reader.report(
            Code.GOAL_WITHOUT_MEASURE,
            name,
            tell("nobody can tell whether the goal is reached"),
            hint=tell("say what is counted and how much of it is the goal"),
        )
    if goal.period is not None and goal.period.start.year >= LAST_YEAR:
        reader.report(
            Code.OUT_OF_RANGE,
            "period",
            tell("the year {year} is no period to plan", year=LAST_YEAR),
            hint=tell("enter its first and last day"),
        )
        return replace(goal, period=None)
    if goal.period is None:
        reader.report(
            Code.GOAL_WITHOUT_PERIOD,
            "period",
            tell("the goal has no period"),
            hint=tell("enter its first and last day"),
        )
    return goal


SCENARIO_SUBJECTS = ("client", "project", "person", "unit", "plan")


def read_scenario(reader: Reader) -> Scenario:
    """Return one change of a what-if question; whether it can be asked is the method's to tell."""
    row = reader.row
    subjects: list[Ref] = []
    for name in SCENARIO_SUBJECTS:
        subjects += reader.many(name)
    return Scenario(
        row.ref,
        row.title,
        row.url,
        what=reader.text("what"),
        subjects=tuple(subjects),
        role=reader.text("role"),
        value=reader.number("value"),
        start=reader.day("date"),
    )


def read_rows(
    rows: Iterable[Row],
    source: Source,
    read: Callable[[Reader], Entity],
    *,
    zone: ZoneInfo,
    present: Mapping[str, frozenset[Ref]],
) -> tuple[dict[Ref, Entity], list[Problem]]:
    """Return the entities of a source's rows by ref, with all that is wrong in them."""
    entities: dict[Ref, Entity] = {}
    problems: list[Problem] = []
    for row in rows:
        reader = Reader(row, source, zone, present, problems)
        if not row.title.strip():
            reader.report(
                Code.NO_TITLE,
                source.title_property.name,
                tell("the row has no name"),
                hint=tell("give it one"),
                severity=Severity.INFO,
            )
        entities[row.ref] = read(reader)
    return entities, problems
