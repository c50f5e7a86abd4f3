"""Building a storyline's world: people type the rows, Jira is loaded with a past made of compact batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rayline_demo.stories.editor import StoryEditor, Unnamed, listed
from rayline_demo.stories.script import Story, Table, in_locale
from worker.domain.periods import WorkCalendar

OFFICE = ZoneInfo("Europe/Moscow")
HOUR = 3600
TO_DO = "To Do"
IN_PROGRESS = "In Progress"
DONE = "Done"
CREATED_AT = time(10)
STARTED_AT = time(11)
LOGGED_AT = time(12)
FINISHED_AT = time(17)
SPREAD = frozenset({"count", "first_finished", "each", "every", "took", "hours", "by"})
"""What of a batch says how its issues differ, and is no field of theirs."""


class Move(NamedTuple):
    """A day that a storyline tells of an issue: its name there, the hour in the office, and the status it leads to."""

    name: str
    at: time
    status: str


MOVES = (Move("started", STARTED_AT, IN_PROGRESS), Move("finished", FINISHED_AT, DONE))


@dataclass(frozen=True, slots=True)
class Pending:
    """Relations to rows that were not there yet when their row was added."""

    source: str
    page_id: str
    cells: Mapping[str, Any]


def type_world(story: Story, editor: StoryEditor, calendar: WorkCalendar) -> None:
    """Fill both sandboxes with the storyline's world."""
    _add_users(story, editor)
    pending = []
    for source, tables in story.rows.items():
        for table in tables:
            pending += _add_table(editor, source, table)
    for one in pending:
        edit_row(editor, one.source, one.page_id, one.cells)
    _load_jira(story, editor, calendar)


def _add_table(editor: StoryEditor, source: str, table: Table) -> list[Pending]:
    """Add a row of the storyline and return what of it has to wait for other rows."""
    now: dict[str, Any] = {}
    later: dict[str, Any] = {}
    for name, value in _with_defaults(source, table).items():
        if name == "id":
            continue
        waits = _is_open(editor, source, name, value=value)
        cells = later if waits else now
        cells[name] = value

    page_id = add_row(editor, source, now)
    if "id" in table:
        alias = table["id"]
        editor.pages[alias] = page_id
    return [Pending(source, page_id, later)] if later else []


def add_row(editor: StoryEditor, source: str, values: Mapping[str, Any]) -> str:
    """Add a row as a person and return its page."""
    binding = editor.bindings[source]
    page = editor.in_notion(
        "create",
        data_source_id=binding.data_source_id,
        properties=editor.raw(source, values),
    )
    return str(page["id"])


def edit_row(
    editor: StoryEditor, source: str, page_id: str, values: Mapping[str, Any]
) -> None:
    """Change cells of a row as a person."""
    properties = editor.raw(source, values)
    editor.in_notion("edit", page_id=page_id, properties=properties)


def _add_users(story: Story, editor: StoryEditor) -> None:
    """Give everybody an account of Notion, and those with an alias one of Jira."""
    accounts = []
    for person in story.rows.get("people", ()):
        alias = person.get("id", "")
        name = in_locale(person["name"], editor.locale)
        mailbox = alias or "somebody"
        user = {"name": str(name), "email": f"{mailbox}@studio.example"}
        made = editor.in_notion("add_user", **user)
        editor.users[alias] = str(made["id"])
        if alias:
            accounts.append({"id": alias, **user})
    editor.in_jira("load", users=accounts)


def _with_defaults(source: str, table: Table) -> dict[str, Any]:
    defaults = {}
    if source == "people" and "id" in table:
        alias = table["id"]
        defaults = {"notion_user": alias, "jira_account": alias}
    return {**defaults, **table}


def _is_open(editor: StoryEditor, source: str, name: str, *, value: Any) -> bool:
    """Tell whether a relation names a row that is not there yet."""
    prop = editor.prop(source, name)
    if prop.type != "relation":
        return False
    named = [one for one in listed(value) if one]
    return any(one not in editor.pages for one in named)


# Jira


def _load_jira(story: Story, editor: StoryEditor, calendar: WorkCalendar) -> None:
    jira = story.jira
    locale = editor.locale
    numbers: Counter[str] = Counter()
    issues = []
    for table in jira.get("issues", ()):
        issue = _issue(table, numbers, locale)
        issues.append(issue)
    for batch in jira.get("batches", ()):
        issues += _batch(batch, numbers, calendar)

    projects = [_project(table, locale) for table in jira.get("projects", ())]
    report = editor.in_jira("load", projects=projects, issues=issues)
    problems = report["problems"]
    if problems:
        raise Unnamed("; ".join(problems))
    for issue in issues:
        if issue["type"] == "Epic":
            editor.rig.epics.add(issue["key"])


def _project(table: Table, locale: str) -> dict[str, Any]:
    name = table.get("name", table["key"])
    return {"board": "kanban", **table, "name": in_locale(name, locale)}


def _issue(table: Table, numbers: Counter[str], locale: str) -> dict[str, Any]:
    """Return one issue as the sandbox loads it: days become office hours, hours become seconds."""
    project = table["project"]
    numbers[project] += 1
    created = _at_office(table["created"], CREATED_AT)
    history = _history(table)
    worklogs = [_worklog(log) for log in table.get("logs", ())]

    issue = {
        "key": f"{project}-{numbers[project]}",
        "type": "Task",
        "status": TO_DO,
        **table,
        "created": created,
        "history": history,
        "worklogs": worklogs,
    }
    summary = table.get("summary", issue["key"])
    issue["summary"] = in_locale(summary, locale)

    moments = [created]
    moments += [move["at"] for move in history]
    moments += [log["started"] for log in worklogs]
    issue["updated"] = max(moments)

    if history:
        issue["status"] = history[-1]["to"]
    _name_as_jira(issue)
    return issue


def _history(table: Table) -> list[dict[str, str]]:
    """Return the moves of an issue that its days tell of."""
    history = []
    status = TO_DO
    for move in MOVES:
        day = table.get(move.name)
        if day is None:
            continue
        change = {
            "at": _at_office(day, move.at),
            "field": "status",
            "from": status,
            "to": move.status,
        }
        history.append(change)
        status = move.status
    return history


def _worklog(log: Table) -> dict[str, Any]:
    hours = log["hours"]
    return {
        "author": log["by"],
        "started": _at_office(log["on"], LOGGED_AT),
        "seconds": int(hours * HOUR),
    }


def _name_as_jira(issue: dict[str, Any]) -> None:
    """Take the storyline's words out of an issue, and give its due day and estimate as Jira has them."""
    for name in ("started", "finished", "logs"):
        issue.pop(name, None)
    if "due" in issue:
        due = issue.pop("due")
        issue["duedate"] = due.isoformat()
    if "estimate" in issue:
        hours = issue["estimate"]
        issue["estimate"] = int(hours * HOUR)


def _batch(
    table: Table, numbers: Counter[str], calendar: WorkCalendar
) -> Iterator[dict[str, Any]]:
    """Yield `count` issues alike; with `first_finished`, `each` of them finished every `every`-th working day."""
    shape = {name: value for name, value in table.items() if name not in SPREAD}
    if "by" in table:
        shape["assignee"] = table["by"]
    for index in range(table["count"]):
        issue = dict(shape)
        if "first_finished" in table:
            issue |= _working_days(table, index, calendar)
        if "hours" in table:
            log = {
                "by": table["by"],
                "on": issue.get("finished", table["created"]),
                "hours": table["hours"],
            }
            issue["logs"] = [log]
        yield _issue(issue, numbers, "en")


def _working_days(table: Table, index: int, calendar: WorkCalendar) -> dict[str, date]:
    """Return the days on which the issue of a batch was started and finished."""
    each = table.get("each", 1)
    every = table.get("every", 1)
    took = table.get("took", 1)
    offset = index // each * every
    finished = calendar.add(table["first_finished"], offset)
    started = finished
    if took:
        started = calendar.add(finished, -took)
    return {"finished": finished, "started": started}


# Instants


def _at_office(day: date, at: time) -> str:
    """Return an hour of a day in the office; an instant stands as it is."""
    moment = day
    if not isinstance(moment, datetime):
        moment = datetime.combine(day, at, OFFICE)
    instant = moment.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds")


def at_local(day: date, at: time, zone: str) -> datetime:
    """Return the instant of a local time."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    return local.astimezone(UTC)
