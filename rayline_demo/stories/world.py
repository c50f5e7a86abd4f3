"""Building a storyline's world: people type the rows, Jira is loaded with a past made of compact batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from rayline_demo.stories.editor import StoryEditor, Unnamed, listed
from rayline_demo.stories.script import Story, Table, in_locale
from worker.domain.periods import WorkCalendar

OFFICE = ZoneInfo("Europe/Moscow")
HOUR = 3600


def type_world(story: Story, typist: StoryEditor, calendar: WorkCalendar) -> None:
    """Fill both sandboxes with the storyline's world."""
    _add_users(story, typist)
    pending: list[tuple[str, str, dict[str, Any]]] = []
    for source, table in (
        (source, table) for source, tables in story.rows.items() for table in tables
    ):
        values = {
            name: value
            for name, value in _with_defaults(source, table).items()
            if name != "id"
        }
        later = {
            name: value
            for name, value in values.items()
            if _is_open(typist, source, name, value=value)
        }
        page_id = add_row(
            typist,
            source,
            {name: value for name, value in values.items() if name not in later},
        )
        if "id" in table:
            typist.pages[table["id"]] = page_id
        if later:
            pending.append((source, page_id, later))
    for source, page_id, later in pending:
        typist.rig.notion.control(
            "edit", {"page_id": page_id, "properties": typist.raw(source, later)}
        )
    _load_jira(story, typist, calendar)


def add_row(typist: StoryEditor, source: str, values: Mapping[str, Any]) -> str:
    """Add a row as a person and return its page."""
    page = typist.rig.notion.control(
        "create",
        {
            "data_source_id": typist.bindings[source].data_source_id,
            "properties": typist.raw(source, values),
        },
    )
    return str(page["id"])


def _add_users(story: Story, typist: StoryEditor) -> None:
    users = []
    for person in story.rows.get("people", ()):
        alias, name = (
            person.get("id", ""),
            str(in_locale(person["name"], typist.locale)),
        )
        email = f"{alias or 'somebody'}@studio.example"
        typist.users[alias] = str(
            typist.rig.notion.control("add_user", {"name": name, "email": email})["id"]
        )
        users.append({"id": alias, "name": name, "email": email})
    typist.rig.jira.control("load", {"users": [user for user in users if user["id"]]})


def _with_defaults(source: str, table: Table) -> dict[str, Any]:
    if source == "people" and "id" in table:
        return {"notion_user": table["id"], "jira_account": table["id"], **table}
    return dict(table)


def _is_open(typist: StoryEditor, source: str, name: str, *, value: Any) -> bool:
    """Tell whether a relation names a row that is not there yet."""
    prop = typist.prop(source, name)
    return prop.type == "relation" and any(
        one and one not in typist.pages for one in listed(value)
    )


# Jira


def _load_jira(story: Story, typist: StoryEditor, calendar: WorkCalendar) -> None:
    jira = story.jira
    projects = [
        {
            "board": "kanban",
            **project,
            "name": in_locale(project.get("name", project["key"]), typist.locale),
        }
        for project in jira.get("projects", ())
    ]
    numbers: Counter[str] = Counter()
    issues = [_issue(table, numbers, typist.locale) for table in jira.get("issues", ())]
    for batch in jira.get("batches", ()):
        issues += _batch(batch, numbers, calendar)
    report = typist.rig.jira.control("load", {"projects": projects, "issues": issues})
    if report["problems"]:
        raise Unnamed("; ".join(report["problems"]))
    typist.rig.epics.update(issue["key"] for issue in issues if issue["type"] == "Epic")


def _issue(table: Table, numbers: Counter[str], locale: str) -> dict[str, Any]:
    """Return one issue as the sandbox loads it: days become office hours, hours become seconds."""
    numbers[table["project"]] += 1
    found = {
        "key": f"{table['project']}-{numbers[table['project']]}",
        "type": "Task",
        "status": "To Do",
        **table,
    }
    found["summary"] = in_locale(table.get("summary", found["key"]), locale)
    created = _instant(table["created"], time(10))
    moves = [
        ("In Progress", table.get("started"), time(11)),
        ("Done", table.get("finished"), time(17)),
    ]
    history, status = [], "To Do"
    for name, day, at in moves:
        if day is not None:
            history.append(
                {
                    "at": _text(_instant(day, at)),
                    "field": "status",
                    "from": status,
                    "to": name,
                }
            )
            status = name
    if history:
        found["status"] = status
    logs = [
        {
            "author": log["by"],
            "started": _text(_instant(log["on"], time(12))),
            "seconds": int(log["hours"] * HOUR),
        }
        for log in table.get("logs", ())
    ]
    instants = [
        _text(created),
        *(move["at"] for move in history),
        *(log["started"] for log in logs),
    ]
    for name in ("started", "finished", "logs"):
        found.pop(name, None)
    for name, key in (("due", "duedate"), ("estimate", "estimate")):
        if name in found:
            value = found.pop(name)
            found[key] = (
                value.isoformat() if isinstance(value, date) else int(value * HOUR)
            )
    return found | {
        "created": _text(created),
        "updated": max(instants),
        "history": history,
        "worklogs": logs,
    }


def _batch(
    table: Table, numbers: Counter[str], calendar: WorkCalendar
) -> Iterator[dict[str, Any]]:
    """Yield `count` issues alike; with `first_finished`, `each` of them finished every `every`-th working day."""
    shape = {
        name: value
        for name, value in table.items()
        if name
        not in ("count", "first_finished", "each", "every", "took", "hours", "by")
    }
    for index in range(table["count"]):
        given = dict(shape)
        if "first_finished" in table:
            day = calendar.add(
                table["first_finished"],
                index // table.get("each", 1) * table.get("every", 1),
            )
            took = table.get("took", 1)
            given |= {
                "finished": day,
                "started": calendar.add(day, -took) if took else day,
            }
        if "by" in table:
            given["assignee"] = table["by"]
        if "hours" in table:
            given["logs"] = [
                {
                    "by": table["by"],
                    "on": given.get("finished", table["created"]),
                    "hours": table["hours"],
                }
            ]
        yield _issue(given, numbers, "en")


def _instant(day: date, at: time) -> datetime:
    return (
        day.astimezone(UTC)
        if isinstance(day, datetime)
        else datetime.combine(day, at, OFFICE).astimezone(UTC)
    )


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def at_local(day: date, at: time, zone: str) -> datetime:
    """Return the instant of a local time."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
