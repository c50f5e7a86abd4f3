"""What developers do in Jira in a minute: begin, review, finish, reopen, log, estimate, cut into sub-tasks.

No project runs dry: the less is left to do, the likelier something comes back.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from rayline_demo.developers import ACTIVE, DONE, HOUR, REVIEW, TO_DO, Ticket
from rayline_demo.live.office import Deed, Done, Office, shorten
from worker.domain.messages import Text, tell

QUARTERS_LOGGED = (2, 12)
"""Quarters of an hour that are logged at once, at least and at most."""
LEFT_TO_DO = 3
"""So many issues wait in a project; with fewer, one that was done comes back."""
ESTIMATES = (2, 3, 4, 6, 8, 12)
PARTS = (
    ("Try it on the staging server", "Проверить на стенде"),
    ("Check on a phone", "Проверить на телефоне"),
    ("Agree on the wording", "Согласовать тексты"),
    ("Prepare the release", "Подготовить выпуск"),
    ("Look at the logs", "Посмотреть журналы"),
)


def begin(office: Office, random: Random) -> Done | None:
    """Somebody takes an issue that waits."""
    ticket = _pick(office, random, TO_DO, room=True)
    if ticket is None:
        return None
    who = _somebody(office, random, ticket)
    ticket.assignee = who
    office.jira(
        "edit", issue=ticket.key, fields={"assignee": {"accountId": who}}, user=who
    )
    _move(office, ticket, ACTIVE)
    names = _names(office, ticket)
    told = tell("{who} begins {issue}", **names)
    return Done(told)


def review(office: Office, random: Random) -> Done | None:
    """What is under way goes to review."""
    ticket = _pick(office, random, ACTIVE)
    if ticket is None:
        return None
    _move(office, ticket, REVIEW)
    names = _names(office, ticket)
    told = tell("{who} hands {issue} in for review", **names)
    return Done(told)


def finish(office: Office, random: Random) -> Done | None:
    """What was reviewed is done."""
    ticket = _pick(office, random, REVIEW)
    if ticket is None:
        return None
    _move(office, ticket, DONE)
    names = _names(office, ticket)
    told = tell("{who} finishes {issue}", **names)
    return Done(told)


def reject(office: Office, random: Random) -> Done | None:
    """A review finds something."""
    ticket = _pick(office, random, REVIEW)
    if ticket is None:
        return None
    _move(office, ticket, ACTIVE)
    names = _names(office, ticket)
    told = tell("{who} takes {issue} back from review", **names)
    return Done(told)


def reopen(office: Office, random: Random) -> Done | None:
    """What was done comes back: where little is left to do it waits, else it is under way at once."""
    ticket = _pick(office, random, DONE)
    if ticket is None:
        return None
    waiting = _tickets(office, ticket.project, TO_DO)
    if len(waiting) >= LEFT_TO_DO:
        _move(office, ticket, ACTIVE)
        names = _names(office, ticket)
        act = tell("{who} reopens {issue}", **names)
        return Done(act)

    _move(office, ticket, TO_DO)
    names = _names(office, ticket)
    act = tell("{issue} is wanted otherwise and waits again", **names)
    return Done(act)


def log_work(office: Office, random: Random) -> Done | None:
    """Somebody writes down their hours."""
    ticket = _pick(office, random, ACTIVE, REVIEW)
    if ticket is None or not ticket.assignee:
        return None
    who = ticket.assignee
    quarters = random.randint(*QUARTERS_LOGGED)
    seconds = quarters * HOUR // 4
    length = timedelta(seconds=seconds)
    now = office.rig.clock.now()
    started = now - length
    made = office.jira(
        "worklog",
        issue=ticket.key,
        author=who,
        seconds=seconds,
        started=started.isoformat(),
    )
    worklog_id = made["id"]
    names = _names(office, ticket)

    def undo() -> Text:
        office.jira("delete_worklog", id=worklog_id, user=who)
        return tell("{who} deletes a time log of {issue}", **names)

    hours, rest = divmod(quarters, 4)
    minutes = 15 * rest
    spent = f"{hours}:{minutes:02}"
    told = tell("{who} logs {spent} h on {issue}", spent=spent, **names)
    return Done(told, undo)


def estimate(office: Office, random: Random) -> Done | None:
    """Somebody thinks again about how long it takes."""
    ticket = _pick(office, random, TO_DO, ACTIVE)
    if ticket is None:
        return None
    hours = random.choice(ESTIMATES)
    who = _somebody(office, random, ticket)
    office.jira(
        "edit",
        issue=ticket.key,
        fields={"timetracking": {"originalEstimate": f"{hours}h"}},
        user=who,
    )
    names = _names(office, ticket, who=who)
    told = tell("{who} estimates {issue} at {hours} h", hours=hours, **names)
    return Done(told)


def split(office: Office, random: Random) -> Done | None:
    """An issue gets a sub-task."""
    ticket = _pick(office, random, ACTIVE, whole=True)
    if ticket is None or not ticket.assignee:
        return None
    who = ticket.assignee
    project = ticket.project
    part_name = random.choice(PARTS)
    summary = office.say(part_name)
    hours = random.choice(ESTIMATES)
    made = office.jira(
        "create",
        project=project,
        user=who,
        fields={
            "issuetype": {"name": "Sub-task"},
            "parent": {"key": ticket.key},
            "summary": summary,
            "timetracking": {"originalEstimate": f"{hours}h"},
        },
    )
    key = made["key"]
    part = Ticket(key, project, TO_DO, who)
    tickets = office.developers.tickets[project]
    tickets.append(part)
    office.summaries[key] = summary
    office.parts.add(key)
    act = tell(
        "{who} adds {part} to {key}",
        who=office.names[who],
        part=_title(office, part),
        key=ticket.key,
    )

    def undo() -> Text:
        office.jira("delete", issue=key)
        names = _names(office, part)
        tickets.remove(part)
        office.parts.discard(key)
        del office.summaries[key]
        return tell("{who} deletes {issue}, which was not needed", **names)

    return Done(act, undo)


DEEDS: tuple[tuple[int, Deed], ...] = (
    (4, begin),
    (5, review),
    (4, finish),
    (1, reject),
    (2, reopen),
    (7, log_work),
    (1, estimate),
    (2, split),
)
"""What is done in Jira: how often beside the others, and how."""


def _tickets(office: Office, project: str, *statuses: str) -> list[Ticket]:
    tickets = office.developers.tickets[project]
    return [ticket for ticket in tickets if ticket.status in statuses]


def _pick(
    office: Office,
    random: Random,
    *statuses: str,
    room: bool = False,
    whole: bool = False,
) -> Ticket | None:
    """Return an issue of a project in which there is one: of a team that has `room` for more, no sub-task if `whole`."""
    projects = sorted(office.developers.teams)
    random.shuffle(projects)
    for project in projects:
        team = office.developers.teams[project]
        under_way = _tickets(office, project, ACTIVE, REVIEW)
        is_full = len(under_way) >= len(team)
        if room and is_full:
            continue
        fitting = [
            ticket
            for ticket in _tickets(office, project, *statuses)
            if not (whole and ticket.key in office.parts)
        ]
        if fitting:
            return random.choice(fitting)
    return None


def _somebody(office: Office, random: Random, ticket: Ticket) -> str:
    """Return who works on an issue, else one of the team."""
    if ticket.assignee:
        return ticket.assignee

    team = office.developers.teams[ticket.project]
    return random.choice(team)


def _move(office: Office, ticket: Ticket, status: str) -> None:
    if not ticket.assignee:
        team = office.developers.teams[ticket.project]
        ticket.assignee = team[0]
    office.jira("transition", issue=ticket.key, status=status, user=ticket.assignee)
    ticket.status = status


def _names(office: Office, ticket: Ticket, who: str = "") -> dict[str, str | Text]:
    account = who or ticket.assignee
    name = office.names.get(account, account)
    title = _title(office, ticket)
    return {"who": name, "issue": title}


def _title(office: Office, ticket: Ticket) -> str | Text:
    summary = office.summaries.get(ticket.key, "")
    if not summary:
        return ticket.key
    short = shorten(summary)
    return tell("{key} “{summary}”", key=ticket.key, summary=short)
