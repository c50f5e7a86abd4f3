"""What people can do on a day of a storyline, in Notion and in Jira; each act says in words what was done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

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

EPIC = "Epic"
NOON = time(12)
MINUTE = timedelta(minutes=1)
DAY_LENGTH = len("2026-11-02")


def do_act(editor: StoryEditor, table: Table, edits: HumanEdits) -> None:
    """Do one act of the script; raise `Unnamed` when it is none, or names what is not there."""
    try:
        act = msgspec.convert(table, AnyAct)
    except msgspec.ValidationError as error:
        raise Unnamed(f"{dict(table)} is no act: {error}") from None
    told = act.do(editor, edits)
    edits.told.append(told)


class Act(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="act",
    tag=str.lower,
):
    """One act as it stands in `story.toml`, by its name; `do` does it and says what was done."""


# Notion


class Edit(Act, frozen=True):
    """Change cells; what is set must stand at the end, unless `loose`."""

    row: str
    cells: Mapping[str, Any] = msgspec.field(name="set")
    loose: bool = False

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Type the cells."""
        source, page_id = editor.page(self.row)
        edit_row(editor, source, page_id, self.cells)
        sentence = f"{self.row} is edited: {_listing(self.cells)}"

        values = _standing(editor, source, page_id).values
        for name in self.cells:
            edits.forget(source, page_id, name)
            if self.loose:
                continue
            kept = _kept(values[name])
            expected = Expected(source, page_id, name, kept, sentence)
            edits.expected.append(expected)
        return sentence


def _listing(cells: Mapping[str, Any]) -> str:
    written = []
    for name, value in cells.items():
        text = _said(value)
        written.append(f"{name} = {text}")
    return ", ".join(written)


def _standing(editor: StoryEditor, source: str, page_id: str) -> Standing:
    for row in editor.rows(source):
        if row.page_id == page_id:
            return row
    raise Unnamed(f"no living row of {source} is the page {page_id}")


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


class Create(Act, frozen=True):
    """Add a row."""

    source: str
    cells: Mapping[str, Any] = msgspec.field(name="set")
    id: str | None = None

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Type the row."""
        page_id = add_row(editor, self.source, self.cells)
        if self.id is not None:
            editor.pages[self.id] = page_id
        label = self.id or _said(self.cells)
        return f"a row is added to {self.source}: {label}"


class Trash(Act, frozen=True):
    """Delete a row."""

    row: str

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Delete it; nothing is expected of its cells any more."""
        source, page_id = editor.page(self.row)
        standing = _standing(editor, source, page_id)
        editor.in_notion("trash", id=page_id)

        expected = edits.expected
        edits.expected = [one for one in expected if one.page_id != page_id]
        key = standing.values.get(KEY_PROPERTY)
        if key:
            edits.trashed.append((source, key))
        return f"{self.row} is deleted"


class Duplicate(Act, frozen=True):
    """Copy a row."""

    row: str
    id: str | None = None

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Copy it."""
        source, page_id = editor.page(self.row)
        made = editor.in_notion("duplicate", page_id=page_id)

        copy = made["id"]
        alias = self.id or copy
        editor.pages[alias] = copy
        if source == "risks":
            edits.copies.append(copy)
        return f"{self.row} is duplicated"


class Call(Act, frozen=True):
    """Give an alias to a row the worker made."""

    row: str
    id: str

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Remember it by its alias."""
        _, page_id = editor.page(self.row)
        editor.pages[self.id] = page_id
        return f"{self.row} is called {self.id} from now on"


# Jira


class Transition(Act, frozen=True):
    """Move an issue to a status; `resolution` says how it ended."""

    issue: str
    to: str
    resolution: str | None = None

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Move it."""
        editor.in_jira(
            "transition", issue=self.issue, status=self.to, resolution=self.resolution
        )
        ending = f" ({self.resolution})" if self.resolution else ""
        return f"{self.issue} is now {self.to}{ending}"


class Finish(Act, frozen=True):
    """Finish the oldest open issues of a project, at two minutes each."""

    project: str
    count: int = 1

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Take them through work to done."""
        keys = _open_issues(editor, self.project)
        finished = keys[: self.count]
        clock = editor.rig.clock
        for key in finished:
            for status in (IN_PROGRESS, DONE):
                editor.in_jira("transition", issue=key, status=status)
                clock.advance(MINUTE)
        listing = ", ".join(finished)
        return f"finished: {listing or 'nothing'}"


def _open_issues(editor: StoryEditor, project: str) -> list[str]:
    """Return the keys of a project's issues that are not done, oldest first; epics are no work."""
    epics = editor.rig.epics
    dump = editor.in_jira("dump")
    numbers = []
    for issue in dump["issues"]:
        key = issue["key"]
        where, _, number = key.rpartition("-")
        is_open = issue["status_name"] != DONE
        if where == project and is_open and key not in epics:
            numbers.append(int(number))
    numbers.sort()
    return [f"{project}-{number}" for number in numbers]


class New(Act, frozen=True):
    """Create issues alike; `estimate` in hours, `by` who is to do them."""

    project: str
    count: int = 1
    type: str = "Task"
    summary: str = "Change request"
    parent: str | None = None
    due: date | None = None
    by: str | None = None
    estimate: Decimal | None = None

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Create them one by one."""
        keys = []
        for number in range(1, self.count + 1):
            fields = dict(self._fields(number))
            made = editor.in_jira("create", project=self.project, fields=fields)
            keys.append(made["key"])

        if self.type == EPIC:
            editor.rig.epics.update(keys)
        listing = ", ".join(keys)
        return f"created: {listing}"

    def _fields(self, number: int) -> Iterator[tuple[str, Any]]:
        yield "issuetype", {"name": self.type}
        yield "summary", f"{self.summary} {number}"
        if self.parent is not None:
            yield "parent", {"key": self.parent}
        if self.due is not None:
            yield "duedate", self.due.isoformat()
        if self.by is not None:
            yield "assignee", {"accountId": self.by}
        if self.estimate is not None:
            yield "timetracking", {"originalEstimate": f"{self.estimate}h"}


class Change(Act, frozen=True):
    """Edit fields as Jira calls them (`duedate`, `assignee`, `labels`...)."""

    issue: str
    fields: Mapping[str, Any] = msgspec.field(name="set")

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Edit them."""
        fields = dict(self.fields)
        for name, value in fields.items():
            if isinstance(value, date | time):
                fields[name] = value.isoformat()
        editor.in_jira("edit", issue=self.issue, fields=fields)
        listing = ", ".join(fields)
        return f"{self.issue} is edited: {listing}"


class Log(Act, frozen=True):
    """Log hours, on a day or, without one, up to now."""

    issue: str
    by: str
    hours: Decimal
    on: date | None = None

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Log them."""
        seconds = int(self.hours * HOUR)
        started = self._start(editor, seconds)
        editor.in_jira(
            "worklog",
            issue=self.issue,
            author=self.by,
            seconds=seconds,
            started=started.isoformat(),
        )
        return f"{self.by} logs {self.hours} h on {self.issue}"

    def _start(self, editor: StoryEditor, seconds: int) -> datetime:
        rig = editor.rig
        if self.on is not None:
            zone = rig.context.settings.time_zone
            return at_local(self.on, NOON, zone)
        duration = timedelta(seconds=seconds)
        return rig.clock.now() - duration


class Remove(Act, frozen=True):
    """Delete an issue with its sub-tasks."""

    issue: str

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Delete them."""
        editor.in_jira("delete", issue=self.issue, subtasks=True)
        return f"{self.issue} is deleted"


class Wait(Act, frozen=True):
    """Let time pass."""

    minutes: int

    def do(self, editor: StoryEditor, edits: HumanEdits) -> str:
        """Turn the clock on."""
        passed = timedelta(minutes=self.minutes)
        editor.rig.clock.advance(passed)
        return f"{self.minutes} minutes pass"


AnyAct = (
    Edit
    | Create
    | Trash
    | Duplicate
    | Call
    | Transition
    | Finish
    | New
    | Change
    | Log
    | Remove
    | Wait
)
