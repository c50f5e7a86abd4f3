"""What people can do on a day of a storyline, in Notion and in Jira; each act says in words what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from rayline_demo.acts import Expected, HumanEdits
from rayline_demo.stories.editor import Standing, StoryEditor, Unnamed
from rayline_demo.stories.script import Table, in_locale
from rayline_demo.stories.world import (
    DONE,
    HOUR,
    IN_PROGRESS,
    add_row,
    at_local,
    edit_row,
)
from worker.mapping.schema import KEY_PROPERTY

Act = Callable[[StoryEditor, Table, HumanEdits], str]
EPIC = "Epic"
NOON = time(12)
MINUTE = timedelta(minutes=1)
DAY_LENGTH = len("2026-11-02")


def do_act(typist: StoryEditor, table: Table, deeds: HumanEdits) -> None:
    """Do one act of the script; raise `Unnamed` when it names what is not there."""
    name = table.get("act", "")
    if name not in ACTS:
        known = ", ".join(ACTS)
        raise Unnamed(f"unknown act {name!r}; there are {known}")
    act = ACTS[name]
    try:
        told = act(typist, table, deeds)
    except KeyError as error:
        raise Unnamed(f"the act {name!r} needs {error}") from None
    deeds.told.append(told)


# Notion


def _edit(typist: StoryEditor, table: Table, deeds: HumanEdits) -> str:
    """`row`, `set`: change cells; what is set must stand at the end, unless `loose = true`."""
    row = table["row"]
    cells = table["set"]
    source, page_id = typist.page(row)
    edit_row(typist, source, page_id, cells)

    written = []
    for name, value in cells.items():
        text = _said(value)
        written.append(f"{name} = {text}")
    listing = ", ".join(written)
    told = f"{row} is edited: {listing}"

    values = _standing(typist, source, page_id).values
    for name in cells:
        deeds.forget(source, page_id, name)
        if table.get("loose"):
            continue
        kept = _kept(values[name])
        expected = Expected(source, page_id, name, kept, told)
        deeds.expected.append(expected)
    return told


def _standing(typist: StoryEditor, source: str, page_id: str) -> Standing:
    rows = typist.rows(source)
    return next(row for row in rows if row.page_id == page_id)


def _kept(value: Any) -> Any:
    """Return a value as the board's reader gives it: of a range of days, the first."""
    if isinstance(value, tuple) and len(value) == 2:
        first = value[0]
        # Ids of rows and people are longer than a day.
        if len(first) == DAY_LENGTH:
            return first
    return value


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        value = in_locale(value, "en")
    return str(value)


def _create(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`source`, `set`, `id?`: add a row."""
    source = table["source"]
    cells = table["set"]
    alias = table.get("id")
    page_id = add_row(typist, source, cells)
    if alias is not None:
        typist.pages[alias] = page_id
    label = alias or _said(cells)
    return f"a row is added to {source}: {label}"


def _trash(typist: StoryEditor, table: Table, deeds: HumanEdits) -> str:
    """`row`: delete a row."""
    row = table["row"]
    source, page_id = typist.page(row)
    standing = _standing(typist, source, page_id)
    typist.in_notion("trash", id=page_id)

    expected = deeds.expected
    deeds.expected = [one for one in expected if one.page_id != page_id]
    key = standing.values.get(KEY_PROPERTY)
    if key:
        deeds.trashed.append((source, key))
    return f"{row} is deleted"


def _duplicate(typist: StoryEditor, table: Table, deeds: HumanEdits) -> str:
    """`row`, `id?`: copy a row."""
    row = table["row"]
    source, page_id = typist.page(row)
    made = typist.in_notion("duplicate", page_id=page_id)

    copy = made["id"]
    alias = table.get("id", copy)
    typist.pages[alias] = copy
    if source == "risks":
        deeds.copies.append(copy)
    return f"{row} is duplicated"


def _call(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`row`, `id`: give an alias to a row the worker made."""
    row = table["row"]
    alias = table["id"]
    page_id = typist.page(row)[1]
    typist.pages[alias] = page_id
    return f"{row} is called {alias} from now on"


# Jira


def _transition(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`issue`, `to`: move an issue to a status."""
    key = table["issue"]
    status = table["to"]
    typist.in_jira("transition", issue=key, status=status)
    return f"{key} is now {status}"


def _finish(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`project`, `count?`: finish the oldest open issues, at two minutes each."""
    keys = _open_issues(typist, table["project"])
    count = table.get("count", 1)
    finished = keys[:count]
    clock = typist.rig.clock
    for key in finished:
        for status in (IN_PROGRESS, DONE):
            typist.in_jira("transition", issue=key, status=status)
            clock.advance(MINUTE)
    listing = ", ".join(finished)
    return f"finished: {listing or 'nothing'}"


def _open_issues(typist: StoryEditor, project: str) -> list[str]:
    """Return the keys of a project's issues that are not done, oldest first; epics are no work."""
    epics = typist.rig.epics
    dump = typist.in_jira("dump")
    numbers = []
    for issue in dump["issues"]:
        key = issue["key"]
        where, _, number = key.rpartition("-")
        is_open = issue["status_name"] != DONE
        if where == project and is_open and key not in epics:
            numbers.append(int(number))
    numbers.sort()
    return [f"{project}-{number}" for number in numbers]


def _new(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`project`, `count?`, `type?`, `parent?`, `due?`, `estimate?` (hours), `by?`: create issues."""
    project = table["project"]
    kind = table.get("type", "Task")
    summary = table.get("summary", "Change request")
    fields = {"issuetype": {"name": kind}, **_optional_fields(table)}

    keys = []
    count = table.get("count", 1)
    for index in range(count):
        number = index + 1
        fields["summary"] = f"{summary} {number}"
        made = typist.in_jira("create", project=project, fields=dict(fields))
        keys.append(made["key"])

    if kind == EPIC:
        typist.rig.epics.update(keys)
    listing = ", ".join(keys)
    return f"created: {listing}"


def _optional_fields(table: Table) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "parent" in table:
        parent = table["parent"]
        fields["parent"] = {"key": parent}
    if "due" in table:
        due = table["due"]
        fields["duedate"] = due.isoformat()
    if "by" in table:
        account = table["by"]
        fields["assignee"] = {"accountId": account}
    if "estimate" in table:
        hours = table["estimate"]
        fields["timetracking"] = {"originalEstimate": f"{hours}h"}
    return fields


def _change(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`issue`, `set`: edit fields as Jira calls them (`duedate`, `assignee`, `labels`...)."""
    key = table["issue"]
    fields = dict(table["set"])
    for name, value in fields.items():
        if isinstance(value, date | time):
            fields[name] = value.isoformat()
    typist.in_jira("edit", issue=key, fields=fields)
    listing = ", ".join(fields)
    return f"{key} is edited: {listing}"


def _log(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`issue`, `by`, `hours`, `on?`: log time; without `on` it ends now."""
    key = table["issue"]
    author = table["by"]
    hours = table["hours"]
    seconds = int(hours * HOUR)
    started = _start_of_work(typist, table, seconds)
    typist.in_jira(
        "worklog",
        issue=key,
        author=author,
        seconds=seconds,
        started=started.isoformat(),
    )
    return f"{author} logs {hours} h on {key}"


def _start_of_work(typist: StoryEditor, table: Table, seconds: int) -> datetime:
    rig = typist.rig
    if "on" in table:
        day = table["on"]
        zone = rig.context.settings.time_zone
        return at_local(day, NOON, zone)
    duration = timedelta(seconds=seconds)
    return rig.clock.now() - duration


def _remove(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`issue`: delete an issue with its sub-tasks."""
    key = table["issue"]
    typist.in_jira("delete", issue=key, subtasks=True)
    return f"{key} is deleted"


def _wait(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`minutes`: let time pass."""
    minutes = table["minutes"]
    passed = timedelta(minutes=minutes)
    typist.rig.clock.advance(passed)
    return f"{minutes} minutes pass"


ACTS: dict[str, Act] = {
    "edit": _edit,
    "create": _create,
    "trash": _trash,
    "duplicate": _duplicate,
    "call": _call,
    "transition": _transition,
    "finish": _finish,
    "new": _new,
    "change": _change,
    "log": _log,
    "remove": _remove,
    "wait": _wait,
}
