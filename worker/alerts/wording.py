"""What is said: of one change in a line, of several in one message, in the language of the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from worker.alerts.ledger import Change, Kind, Level, Note
from worker.domain.messages import message
from worker.domain.words import Words

LONGEST = 3500
"""Signs that each kind of chat takes in one message (Telegram 4,096, Slack 4,000, Discord less with a title)."""
ICONS = {
    Change.BEGAN: "🔴",
    Change.WORSE: "🔴",
    Change.STILL: "🔴",
    Change.ENDED: "🟢",
    Change.PAGE: "🗓",
    Change.TEST: "🔔",
}
WARNING_ICON = "🟠"


class Advice(msgspec.Struct, frozen=True, gc=False):
    """What one kind of alert is called, what is said when it is over, and the one thing that mends it."""

    name: str
    over: str
    action: str


ADVICE: Mapping[Kind, Advice] = {
    Kind.FAILING: Advice(
        message("runs fail"),
        message("runs go well again"),
        message("read what went wrong: {command}"),
    ),
    Kind.REFUSED: Advice(
        message("a plan was refused"),
        message("the plan is no longer refused"),
        message("read why, and apply the plan if it is meant: {command}"),
    ),
    Kind.ABSENT: Advice(
        message("no run begins"),
        message("runs begin again"),
        message("see whether the daemon is at work: {command}"),
    ),
    Kind.STALE: Advice(
        message("what the boards say is old"),
        message("both systems are read again"),
        message("see what keeps runs from ending well: {command}"),
    ),
    Kind.TOKEN: Advice(
        message("a token expires"),
        message("the token is good again"),
        message(
            "make a new token, write it into its file and its last day into token_expires, then send SIGHUP"
        ),
    ),
    Kind.UNMATCHED: Advice(
        message("more cards or projects have no match"),
        message("cards and projects have their match"),
        message("link them, or put them to sleep in the console: {command}"),
    ),
}
COMMANDS = {
    Kind.FAILING: "rayline runs -w {workspace}",
    Kind.REFUSED: "rayline runs -w {workspace}",
    Kind.ABSENT: "rayline status -w {workspace}",
    Kind.STALE: "rayline status -w {workspace}",
    Kind.UNMATCHED: "rayline check -w {workspace}",
}
"""The command by which each is looked into."""
PATHS = {Kind.FAILING: "/runs", Kind.REFUSED: "/runs", Kind.UNMATCHED: "/problems"}
"""The page of the console that helps, where it is not the workspace's first."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """A note with the workspace it is of, as its people read it."""

    workspace: str
    note: Note
    words: Words
    zone: ZoneInfo


class Message(msgspec.Struct, frozen=True, gc=False):
    """What is sent: a subject, text without any markup, and the notes it tells."""

    title: str
    body: str
    told: tuple[Told, ...] = ()

    @property
    def level(self) -> Level:
        """Return how bad the worst of it is; what is over is not bad any more."""
        worst = Level.INFO
        for each in self.told:
            if each.note.change is not Change.ENDED:
                worst = max(worst, each.note.level)
        return worst


def advise(kind: Kind, workspace: str, words: Words) -> str:
    """Return the one thing that mends it."""
    command = COMMANDS.get(kind, "").format(workspace=workspace)
    pattern = ADVICE[kind].action
    return words.say(pattern, command=command) if command else words.say(pattern)


def link_of(kind: Kind, workspace: str, console: str) -> str:
    """Return the page of the console that helps, empty where its address is not known."""
    if not console:
        return ""
    address = console.rstrip("/")
    path = PATHS.get(kind, "")
    return f"{address}/w/{workspace}{path}"


def compose(parts: Sequence[Told]) -> tuple[Message, ...]:
    """Return what is sent of several notes: one message of all changes, and one of each page."""
    changes = []
    messages = []
    for each in parts:
        note = each.note
        if note.change is Change.PAGE:
            page = Message(note.what, note.body, (each,))
            messages.append(page)
        else:
            changes.append(each)
    if changes:
        digest = _digest(changes)
        messages.insert(0, digest)
    return tuple(messages)


def _digest(parts: Sequence[Told]) -> Message:
    """Return one message of several changes; those that say the same of several workspaces are one line."""
    by_sense: dict[tuple[str, ...], list[Told]] = {}
    for each in sorted(parts, key=_urgency):
        group = by_sense.setdefault(_sense(each), [])
        group.append(each)
    groups = list(by_sense.values())
    lines = []
    for group in groups:
        line = _line(group)
        lines.append(line)
    subject = _subject(parts, groups)
    body = _fit(lines, parts[0].words)
    return Message(subject, body, tuple(parts))


def _urgency(told: Told) -> tuple[int, datetime]:
    """Return what sorts the worst first, and of equals the oldest."""
    return -told.note.level, told.note.at


def _sense(told: Told) -> tuple[str, ...]:
    note = told.note
    return note.change.value, note.kind, note.what, told.words.locale


def _subject(parts: Sequence[Told], groups: Sequence[Sequence[Told]]) -> str:
    words = parts[0].words
    workspaces = _names(parts)
    if len(groups) > 1:
        return words.say(
            "Rayline: {number} changes in {workspaces}",
            number=len(groups),
            workspaces=_some(workspaces, words),
        )
    first = groups[0][0]
    icon = _icon(first.note)
    name = _name(first)
    return f"{icon} Rayline · {_some(workspaces, words)}: {name}"


def _names(told: Iterable[Told]) -> list[str]:
    return list(dict.fromkeys(one.workspace for one in told))


def _some(names: Sequence[str], words: Words) -> str:
    """Return names as a list; of many the first three and how many more."""
    if len(names) <= 4:
        return ", ".join(names)
    first = ", ".join(names[:3])
    return words.say("{names} and {number} more", names=first, number=len(names) - 3)


def _icon(note: Note) -> str:
    is_mild = note.level is not Level.CRITICAL and note.change is Change.BEGAN
    return WARNING_ICON if is_mild else ICONS[note.change]


def _name(told: Told) -> str:
    """Return the change in few words."""
    note, words = told.note, told.words
    if note.change is Change.TEST:
        return words.say("a test")
    advice = ADVICE[Kind(note.kind)]
    if note.change is Change.ENDED:
        return words.say(advice.over)
    return words.say(advice.name)


def _line(group: Sequence[Told]) -> str:
    """Return what is said of one change: where, what, since when, what to do, and where to look."""
    first = group[0]
    note, words = first.note, first.words
    where = _some(_names(group), words)
    parts = [f"{_icon(note)} {where}: {note.what}"]
    if note.since is not None:
        moment = say_moment(note.since, first.zone, words)
        since = words.say("Since {moment}.", moment=moment)
        parts.append(since)
    if note.action:
        action = words.say("What to do: {action}", action=note.action)
        parts.append(action)
    if note.url:
        parts.append(note.url)
    return "\n".join(parts)


def say_moment(moment: datetime, zone: ZoneInfo, words: Words) -> str:
    """Return an instant as people there say it, to the minute."""
    local = moment.astimezone(zone)
    return f"{words.date(local.date())}, {local:%H:%M}"


def _fit(lines: Sequence[str], words: Words) -> str:
    """Return lines as one text that a chat takes; what does not fit is counted."""
    kept = list(_within(lines, LONGEST - 100))
    hidden = len(lines) - len(kept)
    if hidden:
        rest = words.say("and {n} more", n=hidden)
        kept.append(rest)
    return "\n\n".join(kept)


def _within(lines: Iterable[str], room: int) -> Iterator[str]:
    """Yield the lines that fit; the first always, cut if it must be."""
    used = 0
    for line in lines:
        if used and used + len(line) > room:
            return
        used += len(line) + 2
        yield line if len(line) <= room else f"{line[: room - 1]}…"
