"""What Jira says of work and cannot be: amounts below zero, hours of days to come (docs/method.md 1.1).

Such values are set aside where they are read; here they are told, run after run until somebody mends them.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from worker.domain.entities import Card, CardWork, Issue, LoggedTime
from worker.domain.messages import Text, literal, tell
from worker.errors import Code, Problem
from worker.method.formulas.flow import HOUR
from worker.world.world import World


def find_implausible(world: World) -> Iterator[Problem]:
    """Yield a problem for every such value of the cards' work; work that two cards share is told once."""
    named: set[tuple[Text, str, Text]] = set()
    for ref, work in world.work.items():
        card = world.card(ref)
        for problem in _problems(work, card, world):
            name = problem.where, problem.field, problem.message
            if name in named:
                continue
            named.add(name)
            yield problem


def _problems(work: CardWork, card: Card | None, world: World) -> Iterator[Problem]:
    for issue in work.issues:
        yield from _negative_amounts(issue, card)
    yield from _misdated_logs(work, card, world)


def _negative_amounts(issue: Issue, card: Card | None) -> Iterator[Problem]:
    efforts = {
        "estimate": issue.estimate,
        "remaining": issue.remaining,
        "spent": issue.spent,
    }
    for field, seconds in efforts.items():
        if seconds is None or seconds >= 0:
            continue
        hours = _in_hours(seconds)
        yield _negative(issue, field, f"{hours} h", card=card)

    points = issue.points
    if points is not None and points < 0:
        yield _negative(issue, "points", f"{points:g}", card=card)


def _in_hours(seconds: int) -> str:
    hours = Decimal(seconds) / HOUR
    return f"{hours.normalize():f}"


def _negative(issue: Issue, field: str, amount: str, *, card: Card | None) -> Problem:
    return Problem(
        code=Code.NEGATIVE_AMOUNT,
        where=literal(issue.key),
        field=field,
        message=tell("{amount} is below zero and is set aside", amount=amount),
        hint=tell("mend the amount in Jira"),
        url=card.url if card else "",
    )


def _misdated_logs(
    work: CardWork, card: Card | None, world: World
) -> Iterator[Problem]:
    ahead = [log for log in work.worklogs if log.day > world.today]
    if not ahead:
        return
    keys = {issue.id: issue.key for issue in work.issues}
    for log in ahead:
        issue = world.issues.get(log.issue)
        key = issue.key if issue else keys.get(log.issue, log.issue)
        yield _misdated(log, key, card=card)


def _misdated(log: LoggedTime, key: str, *, card: Card | None) -> Problem:
    return Problem(
        code=Code.FUTURE_WORKLOG,
        where=literal(key),
        field="started",
        message=tell(
            "{hours} h of {person} are dated {day}, which is still to come",
            hours=_in_hours(log.seconds),
            person=log.author,
            day=log.day.isoformat(),
        ),
        hint=tell("mend the date of this time log in Jira"),
        url=card.url if card else "",
    )
