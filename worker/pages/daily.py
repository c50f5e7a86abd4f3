"""The daily page of a unit before its stand-up: what moved, what is stuck, what is for today, who is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from worker.domain.document import Block, Bullet, Callout, ToDo, bold, link, plain
from worker.domain.entities import RUNNING, Card, Category, Issue
from worker.domain.messages import message
from worker.domain.values import Ref
from worker.pages.view import View, first_lines, join_parts, risk_line, task_line

MOST, MOST_LINES = 12, 24
MOVES = {
    Category.DONE.value: ("✅", message("finished")),
    Category.ACTIVE.value: ("▶️", message("started")),
    Category.NEW.value: ("↩️", message("back to the queue")),
}


def write_daily(view: View, unit: Ref) -> tuple[Block, ...]:
    """Return the blocks of today's page."""
    since = view.world.calendar.add(view.today, -1)
    cards = []
    for card in view.cards_of(unit):
        if card.stage in RUNNING:
            cards.append(card)
    return (
        *_moved(view, cards, since),
        *_stuck(view, cards),
        *_for_today(view, unit),
        *_away(view, unit),
    )


def _moved(view: View, cards: list[Card], since: date) -> Iterator[Block]:
    """List what changed its status category from the last working day up to this morning."""
    yield view.heading("Moved in Jira since {day}", day=view.date(since))
    is_still = True
    for card in cards:
        moves = list(_moves(view, card, since))
        if moves:
            is_still = False
            yield _moved_card(view, card, moves)
    if is_still:
        yield view.paragraph("Nothing moved.")


def _moved_card(view: View, card: Card, moves: list[tuple[Issue, str]]) -> Bullet:
    done = sum(category == Category.DONE.value for _, category in moves)
    head = view.count(
        "issues moved: {total}, finished: {n}",
        "issues moved: {total}, finished: {n}",
        done,
        total=len(moves),
    )
    lines = []
    for issue, category in moves:
        line = _move_line(view, issue, category)
        lines.append(line)
    name = link(card.name, card.url)
    below = first_lines(view, lines, MOST)
    return Bullet(f"{name}: {head}", below)


def _moves(view: View, card: Card, since: date) -> Iterator[tuple[Issue, str]]:
    first = view.world.begin_of(since)
    end = view.world.begin_of(view.today)
    issues = list(_issues(view, card))
    issues.sort(key=lambda issue: issue.key)
    for issue in issues:
        moves = []
        for move in issue.moves:
            if first <= move.at < end:
                moves.append(move)
        if not moves:
            continue

        before = moves[0].before
        after = moves[-1].after
        if before != after:
            yield issue, after


def _issues(view: View, card: Card) -> tuple[Issue, ...]:
    work = view.world.work.get(card.ref)
    if work is None:
        return ()
    return tuple(work.issues)


def _move_line(view: View, issue: Issue, category: str) -> str:
    icon, label = MOVES.get(category, ("•", issue.status))
    step = view.say(label)
    return f"{icon} {_issue_name(issue)} — {step}"


def _issue_name(issue: Issue) -> str:
    key = plain(issue.key)
    summary = plain(issue.summary)
    return f"{key} {summary}"


def _stuck(view: View, cards: list[Card]) -> Iterator[Block]:
    lines: list[str] = []
    for card in cards:
        lines += _stuck_lines(view, card)
    if not lines:
        return

    yield view.heading("Blocked and overdue")
    for line in lines[:MOST_LINES]:
        yield Bullet(line)
    hidden = len(lines) - MOST_LINES
    if hidden > 0:
        yield view.paragraph("and {n} more", n=hidden)


def _stuck_lines(view: View, card: Card) -> Iterator[str]:
    left = []
    for issue in _issues(view, card):
        if not issue.done:
            left.append(issue)
    left.sort(key=lambda issue: (issue.due or date.max, issue.key))
    for issue in left:
        reasons = ", ".join(_reasons(view, issue))
        if reasons:
            home = link(card.name, card.url)
            yield join_parts((reasons, _issue_name(issue), home))


def _reasons(view: View, issue: Issue) -> Iterator[str]:
    """Yield why an issue needs a word at the stand-up."""
    blocked = view.world.thresholds.blocked_statuses
    if issue.flagged or issue.status.casefold() in blocked:
        state = view.say("blocked")
        yield f"⛔ {state}"
    if issue.due is not None and issue.due < view.today:
        day = view.date(issue.due)
        late = view.say("due {day}", day=day)
        yield f"⏰ {late}"


def _for_today(view: View, unit: Ref) -> Iterator[Block]:
    tasks = []
    for task in view.tasks_of(unit):
        if task.due is not None and task.due <= view.today:
            tasks.append(task)
    lines = []
    for task in tasks[:MOST_LINES]:
        line = task_line(view, task)
        lines.append(line)
    lines += _risk_steps(view, unit)

    yield view.heading("For today")
    if not lines:
        yield view.paragraph("No task is due and no risk step is dated today.")
    for line in lines:
        yield ToDo(line)


def _risk_steps(view: View, unit: Ref) -> Iterator[str]:
    for risk in view.risks_of(unit):
        for step in risk.steps:
            if step.day == view.today:
                action = bold(step.text)
                about = risk_line(view, risk)
                yield f"{action} — {about}"


def _away(view: View, unit: Ref) -> Iterator[Block]:
    away = []
    for ref in view.team_of(unit):
        person = view.world.people.get(ref)
        if person is None:
            continue
        for span in person.time_off:
            if span.start <= view.today <= span.end:
                line = view.say(
                    "{person} until {day}",
                    person=bold(person.name),
                    day=view.date(span.end),
                )
                away.append(line)
    if away:
        text = view.say("Away: {people}", people="; ".join(away))
        yield Callout(text, "🏖️", "blue_background")
