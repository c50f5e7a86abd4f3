"""The look back of a growth group's meeting: plan and fact, goals, risks, tasks and their cards, promises not kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from worker.domain.document import Block, Bullet, link, plain
from worker.domain.entities import Card
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import Grain, Period
from worker.domain.values import Ref
from worker.method.delivery.due_dates import describe_shift
from worker.method.formulas.cascade import parts_of
from worker.method.formulas.flow import ratio
from worker.method.formulas.sprints import sprints_between
from worker.method.growth.hypotheses import find_measured
from worker.method.hindsight.spells import read_spells
from worker.method.measures import GoalMeasure, PlanMeasure
from worker.pages.development import describe_effect
from worker.pages.playbooks import write_worths
from worker.pages.view import DOTS, NONE, View, due_text, first_lines, join_parts
from worker.world.rows import RiskRow, TaskRow

MOST = 15
CLOSED = ("done", "cancelled")


def write_retrospective(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    """Yield the blocks about a period that is ending."""
    yield view.heading("Plan and actual", 3)
    yield plan_table(view, unit, (past, *parts_of(past)))
    yield view.heading("Goals", 3)
    yield from goals_of(
        view, unit, past, otherwise=message("No goal was set for the period.")
    )
    yield from _risks(view, unit, past)
    yield from _moved_dates(view, unit, past)
    yield from _hypotheses(view, unit, past)
    yield from _tasks(view, unit, past)
    if past.grain is Grain.QUARTER:
        yield from write_worths(view)


def plan_table(view: View, unit: Ref, periods: Iterable[Period]) -> Block:
    """Return plan and fact of a period, the first one, and of its parts."""
    whole, *others = periods
    plan = view.plans.get((unit, whole))
    parts = []
    for period in others:
        part = view.plans.get((unit, period))
        if part is not None:
            parts.append(part)
    if plan is None and not parts:
        return view.paragraph("Nothing was planned.")

    target = fact = None
    if plan is not None:
        target = plan.target
        fact = plan.fact
    targets, no_target = view.parts(target, [part.target for part in parts])
    facts, no_fact = view.parts(fact, [part.fact for part in parts])
    rows = []
    if plan is not None:
        row = _plan_row(view, plan, target, fact)
        rows.append(row)
    for part, aim, got in zip(parts, targets, facts, strict=True):
        row = _plan_row(view, part, aim, got)
        rows.append(row)
    if parts and (no_target or no_fact):
        name = view.say("In none of the parts")
        row = (name, view.money(no_target), view.money(no_fact), NONE, "")
        rows.append(row)
    return view.table(
        (
            message("Period"),
            message("Plan"),
            message("Actual"),
            message("Fulfilled"),
            message("Health"),
        ),
        rows,
    )


def _plan_row(
    view: View, plan: PlanMeasure, target: Decimal | None, fact: Decimal | None
) -> tuple[str, ...]:
    share = None
    if plan.fact is not None and plan.target:
        share = ratio(plan.fact / plan.target)
    return (
        period_title(plan.period, view.words),
        view.money(target),
        view.money(fact),
        view.percent(share),
        DOTS[plan.rag],
    )


# -- goals -------------------------------------------------------------------------------------------------------------


def goals_of(
    view: View, unit: Ref, period: Period, *, otherwise: str
) -> Iterator[Block]:
    """Yield the goals that lie in a period or hold it, each with its months; the sentence `otherwise` without one."""
    goals = view.measures.goals or ()
    own = [goal for goal in goals if goal.unit == unit]
    known = {goal.ref for goal in own}
    near = [goal for goal in own if _meets(goal.period, period)]
    roots = [goal for goal in near if goal.parent not in known]
    months = [goal for goal in near if goal.period.grain is Grain.MONTH]
    roots.sort(key=lambda goal: (goal.period, goal.title))
    months.sort(key=lambda goal: goal.period)

    rows = []
    for root in roots:
        row = _goal_row(view, root)
        rows.append(row)
        for month in months:
            if month.parent == root.ref:
                row = _goal_row(view, month)
                rows.append(row)
    if rows:
        yield view.table(
            (
                message("Goal"),
                message("Owner"),
                message("Plan"),
                message("Actual"),
                message("Pace"),
            ),
            rows,
        )
    else:
        yield view.paragraph(otherwise)


def _meets(one: Period, other: Period) -> bool:
    return one.start <= other.end and other.start <= one.end


def _goal_row(view: View, goal: GoalMeasure) -> tuple[str, ...]:
    number = view.words.number
    owner = NONE
    if goal.owner:
        owner = view.names((goal.owner,))
    target = number(goal.target, 2)
    if goal.measure:
        target += f" ({plain(goal.measure)})"
    current = NONE
    if goal.current is not None:
        current = number(goal.current, 2)
    return (
        view.linked(goal.ref, goal.title),
        owner,
        target,
        current,
        f"{DOTS[goal.rag]}\u00a0{view.percent(goal.pace)}",
    )


def _moved_dates(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    """Yield the promised dates that moved in a period, card by card."""
    lines: list[str] = []
    cards = list(view.cards_of(unit))
    cards.sort(key=lambda card: card.name.casefold())
    for card in cards:
        measure = view.measures.cards.get(card.ref)
        if measure is None or measure.promises is None:
            continue
        moves = measure.promises.moved_in(past)
        lines += _moves_of(view, card, moves)

    if lines:
        yield view.heading("Promised dates moved", 3)
        yield from first_lines(view, lines, MOST)


def _moves_of(
    view: View, card: Card, moves: Iterable[tuple[date, date]]
) -> Iterator[str]:
    name = link(card.name, card.url)
    for before, after in moves:
        yield view.say(
            "{card}: from {before} to {after} ({shift})",
            card=name,
            before=view.date(before),
            after=view.date(after),
            shift=describe_shift(before, after, view.words),
        )


def _hypotheses(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    """Yield what hypotheses brought, as far as it was measured in a period."""
    items = find_measured(unit, view.measures.backlog or (), past)
    if items:
        yield view.heading("Hypotheses measured", 3)
    for item in items[:MOST]:
        name = link(item.title, item.url)
        yield Bullet(join_parts((name, describe_effect(view, item))))


# -- risks and tasks ---------------------------------------------------------------------------------------------------


def _risks_of(view: View, unit: Ref) -> Iterator[RiskRow]:
    """Yield the rows of risks of a unit and its clients."""
    mine = {client.ref for client in view.clients_of(unit)}
    for row in view.risk_rows:
        if mine.intersection(row.clients) or unit in row.units:
            yield row


def _tasks_of(view: View, unit: Ref) -> Iterator[TaskRow]:
    """Yield the rows of tasks of a unit's clients; those that name no client go by the unit's people."""
    mine = {client.ref for client in view.clients_of(unit)}
    people = set(view.team_of(unit))
    for row in view.task_rows:
        is_theirs = not row.clients and people.intersection(row.assignees)
        if mine.intersection(row.clients) or is_theirs:
            yield row


def _is_in(day: date | None, period: Period) -> bool:
    return day is not None and day in period


def _risks(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    opened = []
    closed = []
    for row in _risks_of(view, unit):
        spells = read_spells(row)
        began: list[date | None] = [spell.opened for spell in spells]
        if not spells:
            began = [row.first_seen]
        if any(_is_in(day, past) for day in began):
            opened.append(row)
        if any(_is_in(spell.over, past) for spell in spells):
            closed.append(row)
    if opened or closed:
        yield view.heading("Risks opened and closed", 3)
        yield Bullet(
            view.count("{n} risk opened", "{n} risks opened", len(opened)),
            _links(view, opened),
        )
        yield Bullet(
            view.count("{n} risk closed", "{n} risks closed", len(closed)),
            _links(view, closed),
        )


def _links(
    view: View, rows: Sequence[RiskRow] | Sequence[TaskRow]
) -> tuple[Bullet, ...]:
    names = []
    for row in rows:
        name = view.linked(row.ref, row.title)
        names.append(name)
    return first_lines(view, names, MOST)


def _tasks(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    rows = []
    for row in _tasks_of(view, unit):
        if _is_in(row.due, past) and row.status != "cancelled":
            rows.append(row)
    done = [row for row in rows if row.status == "done"]
    still = [row for row in done if _is_stuck(view, row)]
    moved = []
    for row in done:
        stage = _moved(view, row)
        if stage:
            moved.append((row, stage))

    yield view.heading("Account sprint", 3)
    if not rows:
        yield view.paragraph("No task was due in the period.")
        return
    yield Bullet(
        view.say(
            "{done} of {all} tasks due in the period are done",
            done=len(done),
            all=len(rows),
        )
    )
    if moved:
        yield _moved_cards(view, moved)
    if still:
        yield Bullet(view.say("Done, but the card did not move:"), _links(view, still))
    yield from _broken_promises(view, rows)


def _broken_promises(view: View, rows: list[TaskRow]) -> Iterator[Block]:
    late = []
    for row in rows:
        if row.status not in CLOSED and row.due is not None and row.due < view.today:
            late.append((row.due, row.title, row))
    if not late:
        return
    late.sort(key=lambda place: place[:2])
    yield view.heading("Promises not kept", 3)
    for _, _, row in late[:MOST]:
        yield Bullet(_late_line(view, row))


def _is_stuck(view: View, row: TaskRow) -> bool:
    record = view.records.get(row.ref)
    return record is not None and record.stuck


def _moved_cards(view: View, moved: list[tuple[TaskRow, str]]) -> Bullet:
    cards = {row.cards for row, _ in moved}
    lines = []
    for row, stage in moved[:MOST]:
        name = view.linked(row.ref, row.title)
        line = f"{name} · {plain(stage)}"
        lines.append(Bullet(line))
    return Bullet(
        view.count("{n} card moved by them", "{n} cards moved by them", len(cards)),
        tuple(lines),
    )


def _moved(view: View, row: TaskRow) -> str:
    """Return where the card of a task went; nothing when it stayed."""
    if row.moved:
        return row.moved
    record = view.records.get(row.ref)
    return record.moved if record else ""


def _late_line(view: View, row: TaskRow) -> str:
    """Return a task that waits for long in one line: what, whose, since when, how often carried over."""
    parts = [
        view.linked(row.ref, row.title),
        view.names(row.assignees) if row.assignees else "",
        due_text(view, row.due),
        _carried(view, row),
    ]
    return join_parts(parts)


def _carried(view: View, row: TaskRow) -> str:
    record = view.records.get(row.ref)
    if record is None:
        return ""
    weeks = view.world.thresholds.sprint_weeks
    times = sprints_between(record.opened, view.today, weeks=weeks)
    if not times:
        return ""
    return view.count("carried over {n} time", "carried over {n} times", times)


def carried_tasks(view: View, unit: Ref) -> Iterator[Block]:
    """Yield the tasks carried over often enough to be the HoA's matter."""
    often = set()
    for record in view.records.values():
        if record.to_head:
            often.add(record.ref)
    rows = [
        row
        for row in _tasks_of(view, unit)
        if row.ref in often and row.status not in CLOSED
    ]
    if not rows:
        times = view.world.thresholds.carries_to_hoa
        yield view.paragraph("No task was carried over {n} times or more.", n=times)
    for row in rows[:MOST]:
        line = _late_line(view, row)
        yield Bullet(line)
