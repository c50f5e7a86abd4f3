"""What people can do on a day of a storyline, in Notion and in Jira; each act says in words what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time, timedelta
from typing import Any

from rayline_demo.acts import Expected, HumanEdits
from rayline_demo.stories.editor import StoryEditor, Unnamed
from rayline_demo.stories.script import Table, in_locale
from rayline_demo.stories.world import HOUR, add_row, at_local
from worker.mapping.schema import KEY_PROPERTY

Act = Callable[[StoryEditor, Table, HumanEdits], str]
DONE = "Done"


def do_act(typist: StoryEditor, table: Table, deeds: HumanEdits) -> None:
    """Do one act of the script; raise `Unnamed` when it names what is not there."""
    name = table.get("act", "")
    if name not in ACTS:
        raise Unnamed(f"unknown act {name!r}; there are {', '.join(ACTS)}")
    try:
        deeds.told.append(ACTS[name](typist, table, deeds))
    except KeyError as error:
        raise Unnamed(f"the act {name!r} needs {error}") from None


# Notion


def _edit(typist: StoryEditor, table: Table, deeds: HumanEdits) -> str:
    """`row`, `set`: change cells; what is set must stand at the end, unless `loose = true`."""
    source, page_id = typist.page(table["row"])
    typist.rig.notion.control(
        "edit", {"page_id": page_id, "properties": typist.raw(source, table["set"])}
    )
    row = next(one for one in typist.rows(source) if one.page_id == page_id)
    told = f"{table['row']} is edited: {', '.join(f'{name} = {_said(value)}' for name, value in table['set'].items())}"
    for name in table["set"]:
        deeds.forget(source, page_id, name)
        if not table.get("loose"):
            deeds.expected.append(
                Expected(source, page_id, name, _kept(row.values[name]), told)
            )
    return told


def _kept(value: Any) -> Any:
    """Return a value as the board's reader gives it: of a range of days, the first."""
    return (
        value[0]
        if isinstance(value, tuple) and len(value) == 2 and len(value[0]) == 10
        else value
    )


def _said(value: Any) -> str:
    return str(value if not isinstance(value, Mapping) else in_locale(value, "en"))


def _create(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`source`, `set`, `id?`: add a row."""
    page_id = add_row(typist, table["source"], table["set"])
    if "id" in table:
        typist.pages[table["id"]] = page_id
    return (
        f"a row is added to {table['source']}: {table.get('id') or _said(table['set'])}"
    )


def _trash(typist: StoryEditor, table: Table, deeds: HumanEdits) -> str:
    """`row`: delete a row."""
    source, page_id = typist.page(table["row"])
    row = next(one for one in typist.rows(source) if one.page_id == page_id)
    typist.rig.notion.control("trash", {"id": page_id})
    deeds.expected = [one for one in deeds.expected if one.page_id != page_id]
    if row.values.get(KEY_PROPERTY):
        deeds.trashed.append((source, row.values[KEY_PROPERTY]))
    return f"{table['row']} is deleted"


def _duplicate(typist: StoryEditor, table: Table, deeds: HumanEdits) -> str:
    """`row`, `id?`: copy a row."""
    source, page_id = typist.page(table["row"])
    copy = typist.rig.notion.control("duplicate", {"page_id": page_id})["id"]
    typist.pages[table.get("id", copy)] = copy
    if source == "risks":
        deeds.copies.append(copy)
    return f"{table['row']} is duplicated"


def _call(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`row`, `id`: give an alias to a row the worker made."""
    typist.pages[table["id"]] = typist.page(table["row"])[1]
    return f"{table['row']} is called {table['id']} from now on"


# Jira


def _transition(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`issue`, `to`: move an issue to a status."""
    typist.rig.jira.control(
        "transition", {"issue": table["issue"], "status": table["to"]}
    )
    return f"{table['issue']} is now {table['to']}"


def _finish(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`project`, `count?`: finish the oldest open issues, at two minutes each."""
    found = _open_issues(typist, table["project"])[: table.get("count", 1)]
    for key in found:
        for status in ("In Progress", DONE):
            typist.rig.jira.control("transition", {"issue": key, "status": status})
            typist.rig.clock.advance(timedelta(minutes=1))
    return f"finished: {', '.join(found) or 'nothing'}"


def _open_issues(typist: StoryEditor, project: str) -> list[str]:
    issues = typist.rig.jira.control("dump", {})["issues"]
    return sorted(
        (
            issue["key"]
            for issue in issues
            if issue["key"].startswith(f"{project}-")
            and issue["key"] not in typist.rig.epics
            and issue["status_name"] != DONE
        ),
        key=lambda key: int(key.rpartition("-")[2]),
    )


def _new(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`project`, `count?`, `type?`, `parent?`, `due?`, `estimate?` (hours), `by?`: create issues."""
    fields: dict[str, Any] = {"issuetype": {"name": table.get("type", "Task")}}
    fields |= {"parent": {"key": table["parent"]}} if "parent" in table else {}
    fields |= {"duedate": table["due"].isoformat()} if "due" in table else {}
    fields |= {"assignee": {"accountId": table["by"]}} if "by" in table else {}
    fields |= (
        {"timetracking": {"originalEstimate": f"{table['estimate']}h"}}
        if "estimate" in table
        else {}
    )
    made = [
        typist.rig.jira.control(
            "create",
            {
                "project": table["project"],
                "fields": fields
                | {"summary": f"{table.get('summary', 'Change request')} {number + 1}"},
            },
        )["key"]
        for number in range(table.get("count", 1))
    ]
    typist.rig.epics.update(made if table.get("type") == "Epic" else ())
    return f"created: {', '.join(made)}"


def _change(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`issue`, `set`: edit fields as Jira calls them (`duedate`, `assignee`, `labels`...)."""
    fields = {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in table["set"].items()
    }
    typist.rig.jira.control("edit", {"issue": table["issue"], "fields": fields})
    return f"{table['issue']} is edited: {', '.join(fields)}"


def _log(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`issue`, `by`, `hours`, `on?`: log time; without `on` it ends now."""
    zone, seconds = typist.rig.context.settings.time_zone, int(table["hours"] * HOUR)
    started = (
        at_local(table["on"], time(12), zone)
        if "on" in table
        else typist.rig.clock.now() - timedelta(seconds=seconds)
    )
    typist.rig.jira.control(
        "worklog",
        {
            "issue": table["issue"],
            "author": table["by"],
            "seconds": seconds,
            "started": started.isoformat(),
        },
    )
    return f"{table['by']} logs {table['hours']} h on {table['issue']}"


def _remove(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`issue`: delete an issue with its sub-tasks."""
    typist.rig.jira.control("delete", {"issue": table["issue"], "subtasks": True})
    return f"{table['issue']} is deleted"


def _wait(typist: StoryEditor, table: Table, _: HumanEdits) -> str:
    """`minutes`: let time pass."""
    typist.rig.clock.advance(timedelta(minutes=table["minutes"]))
    return f"{table['minutes']} minutes pass"


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
