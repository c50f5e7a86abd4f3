"""The section on the root page, which everybody opens first: how things stand, what needs people, where things are.

It says nothing of the hour: it is written anew only when something it tells of has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from worker.domain.document import Block, Bullet, Callout, bold, link
from worker.domain.entities import FIRM, RUNNING, Card
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import monday_of, month_of, quarter_of
from worker.domain.values import Ref
from worker.method.formulas.lateness import is_past_due
from worker.method.measures import CardMeasure, Rag
from worker.pages.view import (
    DOTS,
    View,
    client_link,
    first_lines,
    is_doubtful,
    join_parts,
    meeting_ref,
    note_lines,
    risk_line,
)

MOST_RISKS, MOST_CARDS, MOST_IDEAS, MOST_REQUESTS, MOST_NOTES = 5, 5, 5, 3, 8
FOR_GROUP, OPEN, HIGH = "for_group", "open", "high"
PORTFOLIO, CUT = "portfolio", "monday"

ROLES = {
    message("Account manager"): (
        "tasks/My tasks",
        "clients/My clients",
        "tasks/This week by day",
        "risks/To answer this week",
        "contacts",
    ),
    message("Team lead"): (
        "tasks/My tasks",
        "projects/Changed lately",
        "people/Load",
        "backlog/By status",
    ),
    message("Project manager"): (
        "tasks/My tasks",
        "projects/By stage",
        "projects/Timeline",
        "meetings/Dailies",
    ),
    message("Head of Accounts"): (
        "portfolio",
        "clients/By health",
        "risks/By level",
        "plans/This month",
        "requests",
    ),
    message("Head of Newbiz"): (
        "portfolio",
        "projects/By stage",
        "clients/By group",
        "services",
    ),
    message("Founder"): (
        "monday",
        "portfolio",
        "plans/This quarter by unit",
        "clients/Money",
        "goals",
    ),
}
"""What each role opens first: boards by their name, one of their views behind a slash (docs/boards.md), and the pages of
`_pages`."""
MANNERS = (
    message(
        "Rayline reads Jira and these boards and works out the columns marked ⚙. All the others are yours."
    ),
    message(
        "What you type stays: where you give a value, Rayline does not write over it."
    ),
    message(
        "A task or a risk can wait: give it a day under “Snooze until”, and it comes back then."
    ),
    message(
        "A target is yours once it is typed and pinned; the other periods are worked out around it."
    ),
    message(
        "Write notes on any page, above or below Rayline's section: they are never touched."
    ),
    message(
        "Home and portfolio count to today, a Monday snapshot to the Sunday before it."
    ),
    message(
        "What is amiss in a row stands on the row, under “Data notes”, and goes when it is mended."
    ),
)


def write_home(view: View) -> tuple[Block, ...]:
    """Return the blocks of the root page."""
    return (
        view.paragraph(
            "Hello! Here is how the agency stands, what needs you, and where to find things."
        ),
        _figures(view),
        *_decisions(view),
        *_notes(view),
        *_roles(view),
        *_freshness(view),
        view.heading("How this works"),
        *(Bullet(view.say(manner)) for manner in MANNERS),
    )


def _figures(view: View) -> Block:
    parts = (_clients(view), _money(view), _risks(view), _tasks(view))
    return Callout(join_parts(parts), "📍", "blue_background")


def _clients(view: View) -> str:
    number = len(view.world.clients)
    if not number:
        return view.say(
            "There are no clients yet: the first row among the clients begins it all."
        )
    measures = view.measures.clients.values()
    colours = Counter(measure.rag for measure in measures)
    dots = []
    for rag in Rag:
        if colours[rag]:
            dots.append(f"{DOTS[rag]} {colours[rag]}")
    named = view.count("{n} client", "{n} clients", number)
    return " ".join((bold(named), *dots))


def _money(view: View) -> str:
    quarter = quarter_of(view.today)
    plan = view.plans.get((FIRM, quarter))
    if plan is None or plan.fact is None:
        return ""
    period = period_title(quarter, view.words)
    fact = bold(view.money(plan.fact))
    if plan.target is None:
        return f"{period}: {fact}"
    earned = view.say(
        "{period}: {fact} of {target}",
        period=period,
        fact=fact,
        target=view.money(plan.target),
    )
    pace = ""
    if plan.pace is not None:
        share = view.percent(plan.pace)
        pace = view.say("pace {pace}", pace=share)
    return join_parts((earned, pace))


def _risks(view: View) -> str:
    levels = Counter(risk.level for risk in view.risks)
    return view.count("{n} high risk", "{n} high risks", levels[HIGH])


def _tasks(view: View) -> str:
    late = 0
    for task in view.tasks:
        if task.due is not None and task.due < view.today:
            late += 1
    number = len(view.tasks)
    count = view.count("{n} open task", "{n} open tasks", number)
    overdue = ""
    if late:
        said = view.say("{n} of them overdue", n=late)
        overdue = bold(said)
    return join_parts((count, overdue))


def _decisions(view: View) -> Iterator[Block]:
    lines = (
        *_high_risks(view),
        *_doubtful_dates(view),
        *_ideas(view),
        *_requests(view),
    )
    yield view.heading("What needs a decision")
    if not lines:
        yield view.paragraph("Nothing waits for a decision.")
    yield from lines


def _high_risks(view: View) -> Iterator[Block]:
    lines = []
    for risk in view.risks:
        if risk.level == HIGH:
            line = join_parts((risk_line(view, risk), client_link(view, risk.client)))
            lines.append(line)
    yield from first_lines(view, lines, MOST_RISKS)


def _doubtful_dates(view: View) -> Iterator[Block]:
    """Yield the cards whose date is rather missed than held, the soonest first: it wants agreeing anew."""
    lines = []
    for card in view.cards_of(FIRM):
        measure = view.measure_of(card)
        if card.stage in RUNNING and is_doubtful(measure):
            line = _doubtful_date(view, card, measure)
            day = view.due_of(card) or date.max
            lines.append((day, card.name, line))
    lines.sort()
    soonest = [line for _, _, line in lines]
    yield from first_lines(view, soonest, MOST_CARDS)


_ADVICE = {
    (False, False): message(
        "agree a new date: {day} is held with {chance}, no end is in sight"
    ),
    (False, True): message(
        "agree a new date: {day} is held with {chance}, safe is {safe}"
    ),
    (True, False): message("agree a new date: {day} has passed, no end is in sight"),
    (True, True): message("agree a new date: {day} has passed, safe is {safe}"),
}
"""What is advised of a date, by whether it has passed and whether an end is in sight."""


def _doubtful_date(view: View, card: Card, measure: CardMeasure) -> str:
    pattern = _ADVICE[is_past_due(measure, view.today), measure.forecast is not None]
    safe = measure.forecast.p85 if measure.forecast else None
    advice = view.say(
        pattern,
        day=view.date(view.due_of(card)),
        chance=view.percent(measure.on_time),
        safe=view.date(safe),
    )
    name = link(card.name, card.url)
    client = client_link(view, card.client)
    return join_parts((f"📅 {name}", client, advice))


def _ideas(view: View) -> Iterator[Block]:
    lines = []
    for item in view.measures.backlog or ():
        if item.status != FOR_GROUP:
            continue
        name = link(item.title, item.url)
        client = client_link(view, item.client)
        advice = view.say("the growth group takes it or not")
        line = join_parts((f"💡 {name}", client, advice))
        lines.append(line)
    yield from first_lines(view, lines, MOST_IDEAS)


def _requests(view: View) -> Iterator[Block]:
    lines = []
    for request in view.staff_requests:
        if request.status != OPEN:
            continue
        name = view.linked(request.ref, request.title)
        advice = view.say("agree or decline it")
        line = join_parts((f"🙋 {name}", advice))
        lines.append(line)
    yield from first_lines(view, lines, MOST_REQUESTS)


def _notes(view: View) -> Iterator[Block]:
    """Yield the rows that people can mend, with what they lack."""
    lines = [*note_lines(view), *_without_work(view)]
    if not lines:
        return
    yield view.heading("Data to mend")
    yield from first_lines(view, lines, MOST_NOTES)


def _without_work(view: View) -> Iterator[str]:
    for card in view.cards_of(FIRM):
        if card.jira or card.stage not in RUNNING:
            continue
        name = link(card.name, card.url)
        fault = view.say(
            "runs, but names no work in Jira: put a project or epic key into its Jira field"
        )
        yield join_parts((name, fault))


def _roles(view: View) -> Iterator[Block]:
    yield view.heading("Where to look")
    for role, names in ROLES.items():
        doors = [_door(view, name) for name in names]
        line = join_parts(doors)
        if line:
            title = view.say(role)
            title = title[:1].upper() + title[1:]
            yield Bullet(f"{bold(title)}: {line}")


def _door(view: View, name: str) -> str:
    """Return the name of a board, a view of it, or a page that leads there; nothing for a board that is not there."""
    source, _, called = name.partition("/")
    board = view.world.boards.get(source)
    if board is not None:
        opened = board.views.get(called)
        if opened is None:
            return link(board.title, board.url)
        return link(f"{board.title}: {opened.title}", opened.url)
    page = _pages(view).get(name)
    return view.linked(*page) if page else ""


def _pages(view: View) -> dict[str, tuple[Ref, str]]:
    if "meetings" not in view.world.sources:
        return {}
    monday = monday_of(view.today)
    cut = view.say("Monday snapshot {day}", day=view.date(monday))
    return {
        PORTFOLIO: (meeting_ref(PORTFOLIO), view.say("Portfolio")),
        CUT: (meeting_ref(CUT, FIRM.key, monday.isoformat()), cut),
    }


def _freshness(view: View) -> Iterator[Block]:
    """Yield how new the newest of each source is, by the day."""
    known = []
    for name, newest in _newest(view):
        if newest is not None:
            known.append((view.say(name), newest))
    if known:
        yield view.heading("How fresh the data is")
        header = (message("Source"), message("The newest of it"))
        yield view.table(header, known)


def _newest(view: View) -> Iterator[tuple[str, str | None]]:
    world = view.world
    changed = (issue.updated for issue in world.issues.values())
    logged = (log.day for log in world.worklogs)
    contacts = world.contacts.values()
    days = {one.last_contact for one in contacts if one.last_contact}
    months = {row.month for row in world.revenue}
    yield message("Work in Jira"), _last_moment(view, changed)
    yield message("Hours logged in Jira"), _last_day(view, logged)
    if months:
        month = month_of(max(months))
        yield message("Revenue"), period_title(month, view.words)
    if days:
        yield message("Talks with clients"), view.date(max(days))


def _last_moment(view: View, moments: Iterable[datetime]) -> str | None:
    newest = max(moments, default=None)
    if newest is None:
        return None
    day = view.world.day_of(newest)
    return view.date(day)


def _last_day(view: View, days: Iterable[date]) -> str | None:
    newest = max(days, default=None)
    if newest is None:
        return None
    return view.date(newest)
