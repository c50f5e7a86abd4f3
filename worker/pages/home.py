"""The section on the root page, which everybody opens first: how things stand, what needs people, where things are.

It says nothing of the hour: it is written anew only when something it tells of has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from worker.domain.document import Block, Bullet, Callout, bold, link, plain
from worker.domain.entities import FIRM, RUNNING, Card
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import monday_of, month_of, quarter_of
from worker.domain.values import Ref
from worker.method.measures import Rag
from worker.pages.view import (
    DOTS,
    NONE,
    View,
    client_link,
    first_lines,
    join_parts,
    meeting_ref,
    risk_line,
)

MOST_RISKS, MOST_CARDS, MOST_IDEAS, MOST_REQUESTS, MOST_NOTES = 5, 5, 5, 3, 8
EVEN = Decimal("0.5")
"""Below this chance a date is rather missed than held."""
FOR_GROUP, OPEN, HIGH = "for_group", "open", "high"
PORTFOLIO, CUT = "portfolio", "monday"

ROLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (message("Account manager"), ("tasks", "clients", "contacts", "risks")),
    (message("Team lead"), ("projects", "risks", "backlog")),
    (message("Project manager"), ("projects", "meetings", "backlog")),
    (message("Head of Accounts"), (PORTFOLIO, "risks", "plans", "requests")),
    (message("Head of Newbiz"), (PORTFOLIO, "projects", "clients", "services")),
    (message("Founder"), (CUT, PORTFOLIO, "plans", "goals")),
)
"""What each role opens first: boards by their name, and pages."""
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
    found = len(view.world.clients)
    if not found:
        return view.say(
            "There are no clients yet: the first row among the clients begins it all."
        )
    colours = Counter(measure.rag for measure in view.measures.clients.values())
    dots = [f"{DOTS[rag]} {colours[rag]}" for rag in Rag if colours[rag]]
    named = bold(view.count("{n} client", "{n} clients", found))
    return " ".join((named, *dots))


def _money(view: View) -> str:
    quarter = quarter_of(view.today)
    plan = view.plans.get((FIRM, quarter))
    if plan is None or plan.fact is None:
        return ""
    period = period_title(quarter, view.words)
    fact = bold(view.money(plan.fact))
    if plan.target is None:
        return f"{period}: {fact}"
    target = view.money(plan.target)
    earned = view.say(
        "{period}: {fact} of {target}", period=period, fact=fact, target=target
    )
    pace = ""
    if plan.pace is not None:
        pace = view.say("pace {pace}", pace=view.percent(plan.pace))
    return join_parts((earned, pace))


def _risks(view: View) -> str:
    levels = Counter(risk.level for risk in view.risks)
    return view.count("{n} high risk", "{n} high risks", levels[HIGH])


def _tasks(view: View) -> str:
    late = [
        task for task in view.tasks if task.due is not None and task.due < view.today
    ]
    count = view.count("{n} open task", "{n} open tasks", len(view.tasks))
    overdue = ""
    if late:
        overdue = bold(view.say("{n} of them overdue", n=len(late)))
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
    """Yield the cards whose date is rather missed than held: it wants agreeing anew."""
    lines = []
    for card in view.cards_of(FIRM):
        measure = view.measures.cards.get(card.ref)
        if card.stage not in RUNNING or measure is None or measure.on_time is None:
            continue
        if measure.on_time < EVEN:
            safe = measure.forecast.p85 if measure.forecast else None
            lines.append(_doubtful_date(view, card, measure.on_time, safe))
    yield from first_lines(view, lines, MOST_CARDS)


def _doubtful_date(view: View, card: Card, on_time: Decimal, safe: date | None) -> str:
    day = view.date(view.due_of(card))
    chance = view.percent(on_time)
    told = view.say(
        "agree a new date: {day} is held with {chance}, no end is in sight",
        day=day,
        chance=chance,
    )
    if safe is not None:
        told = view.say(
            "agree a new date: {day} is held with {chance}, safe is {safe}",
            day=day,
            chance=chance,
            safe=view.date(safe),
        )
    name = link(card.name, card.url)
    return join_parts((f"📅 {name}", client_link(view, card.client), told))


def _ideas(view: View) -> Iterator[Block]:
    lines = []
    for item in view.measures.backlog or ():
        if item.status == FOR_GROUP:
            name = link(item.title, item.url)
            told = view.say("the growth group takes it or not")
            lines.append(
                join_parts((f"💡 {name}", client_link(view, item.client), told))
            )
    yield from first_lines(view, lines, MOST_IDEAS)


def _requests(view: View) -> Iterator[Block]:
    lines = []
    for request in view.staff_requests:
        if request.status == OPEN:
            name = view.linked(request.ref, request.title)
            told = view.say("agree or decline it")
            lines.append(join_parts((f"🙋 {name}", told)))
    yield from first_lines(view, lines, MOST_REQUESTS)


def _notes(view: View) -> Iterator[Block]:
    """Yield the rows that people can mend, with what they lack."""
    lines = []
    for note in view.measures.notes:
        name = link(note.title or NONE, note.url)
        told = join_parts(map(plain, note.lines))
        lines.append(f"{name}: {told}")
    if lines:
        yield view.heading("Data to mend")
        yield from first_lines(view, lines, MOST_NOTES)


def _roles(view: View) -> Iterator[Block]:
    yield view.heading("Where to look")
    for role, names in ROLES:
        found = [_door(view, name) for name in names]
        doors = join_parts(found)
        if doors:
            yield Bullet(f"{bold(view.say(role))}: {doors}")


def _door(view: View, name: str) -> str:
    """Return the name of a board or page that leads there; nothing for a board that is not there."""
    board = view.world.boards.get(name)
    if board is not None:
        return link(board.title, board.url)
    page = _pages(view).get(name)
    return view.linked(*page) if page else ""


def _pages(view: View) -> dict[str, tuple[Ref, str]]:
    if "meetings" not in view.world.sources:
        return {}
    monday = monday_of(view.today)
    cut = view.say("Monday cut {day}", day=view.date(monday))
    return {
        PORTFOLIO: (meeting_ref(PORTFOLIO), view.say("Portfolio")),
        CUT: (meeting_ref(CUT, FIRM.key, monday.isoformat()), cut),
    }


def _freshness(view: View) -> Iterator[Block]:
    """Yield how new the newest of each source is, by the day."""
    known = [(view.say(name), newest) for name, newest in _newest(view) if newest]
    if known:
        yield view.heading("How fresh the data is")
        yield view.table((message("Source"), message("The newest of it")), known)


def _newest(view: View) -> Iterator[tuple[str, str]]:
    world = view.world
    changed = max((issue.updated for issue in world.issues.values()), default=None)
    logged = max((worklog.started for worklog in world.worklogs), default=None)
    spoken = [
        contact.last_contact
        for contact in world.contacts.values()
        if contact.last_contact
    ]
    months = [row.month for row in world.revenue]
    month = ""
    if months:
        month = period_title(month_of(max(months)), view.words)
    yield message("Work in Jira"), view.date(world.day_of(changed)) if changed else ""
    yield (
        message("Hours logged in Jira"),
        view.date(world.day_of(logged)) if logged else "",
    )
    yield message("Revenue"), month
    yield message("Talks with clients"), view.date(max(spoken)) if spoken else ""
