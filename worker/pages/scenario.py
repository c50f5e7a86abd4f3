"""The page of a what-if question: what would change, before and after (docs/method.md 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, islice

from worker.domain.document import Block, Bullet, Callout, link, plain
from worker.domain.entities import FIRM, Scenario
from worker.domain.messages import message, render
from worker.domain.period_titles import period_title
from worker.domain.periods import Grain
from worker.domain.values import Ref
from worker.method.capacity.staffing import role_name
from worker.method.measures import RiskMeasure
from worker.method.whatif.answers import (
    Answer,
    Fault,
    Hours,
    LoadLine,
    MoneyLine,
    NeedLine,
    Pair,
    RiskLine,
)
from worker.method.whatif.changes import USUAL_WEEK
from worker.method.whatif.questions import begin_of, subject_of
from worker.pages.view import NONE, View, client_link

MOST_ROWS = 16
MOST_WEEKS = 8
MATTER = 3
"""So many consequences are told on top."""
SLIGHT = Decimal("0.1")
"""Load that changes by less of the hours does not matter so much."""
ARROW = "→"
ZERO = Decimal(0)

WHAT = {
    "pin": message("{name}: {value} pinned"),
    "lose_client": message("{name} leaves; nothing comes from {day} on"),
    "add_person": message("{name}: one more {role} from {day}, {hours} h a week"),
    "lose_person": message("{name} is no longer there from {day}"),
    "move_start": message("{name} starts on {day}"),
    "move_due": message("{name} is due on {day}"),
    "fee": message("{name}: monthly fee {value} from {day}"),
    "rate": message("{name}: {value} an hour from {day}"),
    "win": message("{name} is won"),
}
"""Each change in a line."""


def write_scenario(view: View, answer: Answer) -> tuple[Block, ...]:
    """Return the blocks of a scenario's page."""
    return (
        Callout(plain(sum_up(view, answer)), "🔮"),
        *_assumed(view, answer.assumed),
        *_faults(view, answer.faults),
        *_money(view, answer),
        *_load(view, answer.load),
        *_rays(view, answer),
        *_risks(view, answer),
        *_needs(view, answer.needs),
    )


def sum_up(view: View, answer: Answer) -> str:
    """Return the consequences that matter most in one sentence; what keeps a scenario from being asked, if so."""
    if not answer.assumed:
        faults = [tell_fault(view, fault) for fault in answer.faults]
        return " ".join(faults)
    if answer.failed:
        return view.say(
            "It could not be worked out: the rules {rules} failed. Report this.",
            rules=", ".join(answer.failed),
        )
    most = tuple(islice(_consequences(view, answer), MATTER))
    if not most:
        if answer.is_empty:
            return view.say("Nothing would change.")
        return view.say("Only what stands below would change.")
    text = "; ".join(most)
    return f"{text[0].upper()}{text[1:]}."


# -- what matters most -------------------------------------------------------------------------------------------------


def _consequences(view: View, answer: Answer) -> Iterator[str]:
    """Yield what would change, what matters most first: money, risks, people, load, funds, rays, targets."""
    tellers: tuple[Callable[[View, Answer], Iterator[str]], ...] = (
        _forecast_change,
        _opening,
        _asked,
        _load_change,
        _hours_change,
        _fund_change,
        _ray_change,
        _target_change,
        _closing,
    )
    return chain.from_iterable(teller(view, answer) for teller in tellers)


def _gap(pair: Pair[Decimal | None]) -> Decimal:
    return (pair.after or ZERO) - (pair.before or ZERO)


def _main_line(
    lines: Iterable[MoneyLine], amount: Callable[[MoneyLine], Pair[Decimal | None]]
) -> MoneyLine | None:
    """Return the line that tells most: the firm's before a unit's, a quarter's before a month's, then the largest change."""
    changed = [line for line in lines if amount(line).differs]

    def weight(line: MoneyLine) -> tuple[bool, bool, Decimal]:
        is_quarter = line.period.grain is Grain.QUARTER
        return line.unit == FIRM, is_quarter, abs(_gap(amount(line)))

    return max(changed, key=weight, default=None)


def _forecast_change(view: View, answer: Answer) -> Iterator[str]:
    line = _main_line(answer.money, lambda line: line.forecast)
    if line is None:
        return
    period = period_title(line.period, view.words)
    change = view.change(_gap(line.forecast))
    if line.unit == FIRM:
        yield view.say(
            "the firm's forecast of {period}: {change}", period=period, change=change
        )
        return
    yield view.say(
        "forecast of {unit} for {period}: {change}",
        unit=view.unit_name(line.unit),
        period=period,
        change=change,
    )


def _target_change(view: View, answer: Answer) -> Iterator[str]:
    line = _main_line(answer.money, lambda line: line.target)
    if line is None:
        return
    period = period_title(line.period, view.words)
    change = view.change(_gap(line.target))
    if line.unit == FIRM:
        yield view.say(
            "the firm's target of {period}: {change}", period=period, change=change
        )
        return
    yield view.say(
        "target of {unit} for {period}: {change}",
        unit=view.unit_name(line.unit),
        period=period,
        change=change,
    )


def _opening(view: View, answer: Answer) -> Iterator[str]:
    risks = sorted(answer.opening, key=lambda risk: (-risk.probability, risk.title))
    if risks:
        yield view.count(
            "{n} risk would open: {title}",
            "{n} risks would open, first of all: {title}",
            len(risks),
            title=risks[0].title,
        )


def _closing(view: View, answer: Answer) -> Iterator[str]:
    if answer.closing:
        yield view.count(
            "{n} risk would close", "{n} risks would close", len(answer.closing)
        )


def _asked(view: View, answer: Answer) -> Iterator[str]:
    for line in answer.needs:
        name = _place(view, line.unit, line.role)
        if line.hours.before is None:
            yield view.say(
                "somebody would be asked for: {name}, {hours} h a week",
                name=name,
                hours=view.number(line.hours.after or ZERO, 0),
            )
            return
        if line.hours.after is None:
            yield view.say("nobody would be asked for any more: {name}", name=name)
            return
        yield view.say(
            "hours a week that are asked for: {name}, {before} → {after}",
            name=name,
            before=view.number(line.hours.before, 0),
            after=view.number(line.hours.after, 0),
        )
        return


def _load_change(view: View, answer: Answer) -> Iterator[str]:
    """Tell of the role and week, of those shown, whose share of planned hours would change most."""
    changes = []
    shown = _mondays(answer.load)
    for line in answer.load:
        for monday in shown:
            pair = line.weeks.get(monday)
            if pair is None:
                continue
            was = _ratio(pair.before)
            now = _ratio(pair.after)
            if was is None or now is None or abs(now - was) < SLIGHT:
                continue
            place = (-abs(now - was), monday, str(line.unit), line.role)
            changes.append((place, line, was, now))
    if changes:
        (_, monday, *_), line, was, now = min(changes, key=lambda change: change[0])
        yield view.say(
            "load of {name} in the week of {day}: {before} → {after}",
            name=_place(view, line.unit, line.role),
            day=view.date(monday),
            before=view.percent(was),
            after=view.percent(now),
        )


def _hours_change(view: View, answer: Answer) -> Iterator[str]:
    """Tell of the first week in which a role would have other hours, where nobody knows how many are planned."""
    for line in answer.load:
        for monday, pair in sorted(line.weeks.items()):
            is_known = pair.before.load is not None and pair.after.load is not None
            if is_known or pair.before.capacity == pair.after.capacity:
                continue
            yield view.say(
                "hours of {name} in the week of {day}: {before} → {after}",
                name=_place(view, line.unit, line.role),
                day=view.date(monday),
                before=view.number(pair.before.capacity, 0),
                after=view.number(pair.after.capacity, 0),
            )
            return


def _fund_change(view: View, answer: Answer) -> Iterator[str]:
    if answer.bonuses:
        line = max(answer.bonuses, key=lambda line: abs(_gap(line.fund)))
        yield view.say(
            "bonus fund of {unit} in {period}: {change}",
            unit=view.unit_name(line.unit),
            period=period_title(line.period, view.words),
            change=view.change(_gap(line.fund)),
        )


def _ray_change(view: View, answer: Answer) -> Iterator[str]:
    for line in answer.rays[:1]:
        client = view.world.clients[line.client]
        yield view.say(
            "work of {client} is secured until {after} instead of {before}",
            client=client.name,
            after=view.date(line.horizon.after),
            before=view.date(line.horizon.before),
        )


# -- what is asked -----------------------------------------------------------------------------------------------------


def describe_change(view: View, row: Scenario) -> str:
    """Return one change in a line of inline Markdown."""
    return view.say(
        WHAT[row.what or ""],
        name=_name(view, subject_of(row)),
        value=view.money(row.value),
        day=view.date(begin_of(row, view.today)),
        role=role_name(row.role or "", view.words),
        hours=view.number(row.value or USUAL_WEEK, 1),
    )


def _name(view: View, ref: Ref) -> str:
    """Return the name of what changes, with its address."""
    world = view.world
    row = world.client(ref) or world.card(ref) or world.unit(ref) or world.person(ref)
    if row is not None:
        return link(row.name, row.url)
    plan = view.rows.get(ref)
    return link(plan.title, plan.url) if plan else NONE


def _assumed(view: View, rows: Iterable[Scenario]) -> Iterator[Block]:
    lines = [Bullet(describe_change(view, row)) for row in rows]
    if lines:
        yield view.paragraph("What if:")
        yield from lines


def tell_fault(view: View, fault: Fault) -> str:
    """Return in plain text what is wrong with a row, with the way out."""
    said = render(fault.said, view.words)
    hint = render(fault.hint, view.words)
    return f"{said[:1].upper()}{said[1:]} {ARROW} {hint}."


def _faults(view: View, faults: Iterable[Fault]) -> Iterator[Block]:
    lines = []
    for fault in faults:
        name = link(fault.row.name or NONE, fault.row.url)
        lines.append(Bullet(f"{name}: {plain(tell_fault(view, fault))}"))
    if lines:
        yield view.paragraph("These rows do not count:")
        yield from lines


# -- tables ------------------------------------------------------------------------------------------------------------


def _money(view: View, answer: Answer) -> Iterator[Block]:
    rows = []
    for line in answer.money:
        row = (
            plain(view.unit_name(line.unit)),
            period_title(line.period, view.words),
            _pair(view, line.target, view.money),
            _pair(view, line.forecast, view.money),
        )
        rows.append(row)
    yield from _table(
        view,
        message("Money"),
        (message("Unit"), message("Period"), message("Target"), message("Forecast")),
        rows,
    )
    funds = []
    for bonus in answer.bonuses:
        cells = (
            plain(view.unit_name(bonus.unit)),
            period_title(bonus.period, view.words),
            view.money(bonus.fund.before),
            view.money(bonus.fund.after),
        )
        funds.append(cells)
    yield from _table(
        view,
        message("Bonus funds"),
        (message("Unit"), message("Period"), message("Before"), message("After")),
        funds,
    )


def _pair(
    view: View, pair: Pair[Decimal | None], tell: Callable[[Decimal | None], str]
) -> str:
    """Return a figure with what it would be, if that is another."""
    was = tell(pair.before)
    now = tell(pair.after)
    return was if was == now else view.say("{before} → {after}", before=was, after=now)


def _load(view: View, lines: Sequence[LoadLine]) -> Iterator[Block]:
    mondays = _mondays(lines)
    rows = []
    for line in lines:
        pairs = [line.weeks.get(monday) for monday in mondays]
        # What differs by less than is shown, or later, says nothing here.
        if any(pair is not None and _is_seen(view, pair) for pair in pairs):
            cells = [_week(view, pair) for pair in pairs]
            rows.append((plain(_place(view, line.unit, line.role)), *cells))
    days = [view.words.day_month(monday) for monday in mondays]
    header = (message("Load, weeks from"), *days)
    yield from _table(view, message("Load by week and role"), header, rows)


def _mondays(lines: Sequence[LoadLine]) -> list[date]:
    """Return the weeks that are shown: the next ones, or the last where nothing differs before."""
    mondays = sorted({monday for line in lines for monday in line.weeks})
    changed = [
        monday for line in lines for monday, pair in line.weeks.items() if pair.differs
    ]
    if changed and min(changed) in mondays[MOST_WEEKS:]:
        return mondays[-MOST_WEEKS:]
    return mondays[:MOST_WEEKS]


def _is_seen(view: View, pair: Pair[Hours]) -> bool:
    return _hours(view, pair.before) != _hours(view, pair.after)


def _week(view: View, pair: Pair[Hours] | None) -> str:
    if pair is None:
        return NONE
    was = _hours(view, pair.before)
    now = _hours(view, pair.after)
    return was if was == now else view.say("{before} → {after}", before=was, after=now)


def _ratio(hours: Hours) -> Decimal | None:
    if hours.load is None or not hours.capacity:
        return None
    return hours.load / hours.capacity


def _hours(view: View, hours: Hours) -> str:
    """Return the planned share of the hours there are; where that is not known, these hours."""
    ratio = _ratio(hours)
    if ratio is not None:
        return view.percent(ratio)
    return view.say("{hours} h", hours=view.number(hours.capacity, 0))


def _place(view: View, unit: Ref, role: str) -> str:
    return f"{view.unit_name(unit)} · {role_name(role, view.words)}"


def _rays(view: View, answer: Answer) -> Iterator[Block]:
    rows = []
    for line in answer.rays:
        row = (
            client_link(view, line.client),
            _day(view, line.horizon.before),
            _day(view, line.horizon.after),
        )
        rows.append(row)
    header = (message("Client"), message("Before"), message("After"))
    yield from _table(view, message("Work secured until"), header, rows)


def _day(view: View, day: date | None) -> str:
    return view.date(day)


def _risks(view: View, answer: Answer) -> Iterator[Block]:
    for title, risks in (
        (message("Risks that would open"), answer.opening),
        (message("Risks that would close"), answer.closing),
    ):
        rows = [_risk(view, risk) for risk in risks]
        header = (message("Risk"), message("Evidence"))
        yield from _table(view, title, header, rows)


def _risk(view: View, risk: RiskLine) -> tuple[str, str]:
    standing = _standing(view, risk)
    title = plain(risk.title)
    if standing is not None:
        title = view.linked(standing.ref, risk.title)
    return title, plain(risk.evidence)


def _standing(view: View, risk: RiskLine) -> RiskMeasure | None:
    for one in view.risks:
        if (one.signal, one.subject) == (risk.signal, risk.subject):
            return one
    return None


def _needs(view: View, lines: Iterable[NeedLine]) -> Iterator[Block]:
    rows = []
    for line in lines:
        name = plain(_place(view, line.unit, line.role))
        cells = [
            NONE if hours is None else view.number(hours, 0)
            for hours in (line.hours.before, line.hours.after)
        ]
        rows.append((name, *cells))
    header = (message("Hours a week"), message("Before"), message("After"))
    yield from _table(view, message("Staff requests"), header, rows)


def _table(
    view: View, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[Block]:
    if not rows:
        return
    yield view.heading(title)
    yield view.table(header, rows[:MOST_ROWS])
    left = len(rows) - MOST_ROWS
    if left > 0:
        yield view.paragraph("and {n} more", n=left)
