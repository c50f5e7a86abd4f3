"""From notes that wait to messages that arrived: claimed, sent side by side, and kept as what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog

from worker.alerts import outbox
from worker.alerts.books import alerts_of, changing, load, rests, zone_of
from worker.alerts.ledger import Note
from worker.alerts.sending import DEADLINE, TOO_SLOW, Send
from worker.alerts.side_by_side import call_all
from worker.alerts.wording import Message, Told, compose
from worker.app.targets import Target, targets_of
from worker.cycle.context import Context
from worker.domain.messages import ENGLISH, Text, render

log = structlog.get_logger("worker.alerts")
Guard = Callable[[str, Callable[[], None]], None]
"""Takes a step for a workspace; what that fails at stops no other."""


@dataclass(slots=True)
class Letter:
    """What goes to one address: the target, and what it is told."""

    target: Target
    parts: list[Told] = field(default_factory=list)


@dataclass(slots=True)
class Delivery:
    """One round: the notes of each workspace that are due, then those that are claimed, and what came of them. The last
    round of a process gathers no more."""

    served: Mapping[str, Context]
    send: Send
    guard: Guard
    is_last: bool = False
    notes: dict[str, tuple[Note, ...]] = field(default_factory=dict)
    answers: dict[str, dict[tuple[int, str], str]] = field(default_factory=dict)

    def run(self) -> None:
        """Send what is due of all workspaces: to each target one message of all that changed."""
        for name, context in self.served.items():
            step = partial(self._find_due, context)
            self.guard(name, step)
        is_time = self.is_last or any(map(self._is_gathered, self.notes))
        if not is_time:
            return
        self._take_turns(self._claim)
        self._send()
        self._take_turns(self._settle)

    def _take_turns(self, step: Callable[[Context], None]) -> None:
        """Take a step for each workspace that has notes."""
        for name in list(self.notes):
            context = self.served[name]
            bound = partial(step, context)
            self.guard(name, bound)

    def _find_due(self, context: Context) -> None:
        now = context.now()
        if rests(context, now):
            return
        ledger = load(context)
        alerts = alerts_of(context)
        zone = zone_of(context)
        hour = outbox.Hour(alerts, zone, now)
        due = outbox.find_due(ledger.notes, hour)
        if due:
            self.notes[context.name] = due

    def _is_gathered(self, name: str) -> bool:
        context = self.served[name]
        now = context.now()
        notes = self.notes[name]
        alerts = alerts_of(context)
        return outbox.is_gathered(notes, alerts, now)

    def _claim(self, context: Context) -> None:
        """Claim the notes of a workspace; those that another process had meanwhile are left to it."""
        name = context.name
        now = context.now()
        due = self.notes.pop(name)
        numbers = {note.number for note in due}
        with changing(context) as draft:
            ledger, mine = outbox.claim(draft.ledger, numbers, now)
            draft.ledger = ledger
        self.notes[name] = mine

    def _settle(self, context: Context) -> None:
        name = context.name
        now = context.now()
        notes = self.notes[name]
        answers = self.answers.get(name, {})
        with changing(context) as draft:
            draft.ledger = outbox.settle(draft.ledger, notes, answers, now)

    def _messages(self) -> Iterable[tuple[Target, Message]]:
        """Yield each message with the target it goes to; workspaces that have one in common share its message."""
        letters: dict[str, Letter] = {}
        for name, notes in self.notes.items():
            context = self.served[name]
            zone = zone_of(context)
            words = context.words
            for note in notes:
                part = Told(name, note, words, zone)
                for target in _wanted(context, note):
                    empty = Letter(target)
                    letter = letters.setdefault(target.url, empty)
                    letter.parts.append(part)
        for letter in letters.values():
            for message in compose(letter.parts):
                yield letter.target, message

    def _send(self) -> None:
        """Send messages side by side, and note by workspace, note and target why one was not taken."""
        sheets = dict(enumerate(self._messages()))
        calls: dict[int, Callable[[], Text]] = {}
        for place, sheet in sheets.items():
            calls[place] = partial(self.send, *sheet)
        reasons = call_all(calls, seconds=DEADLINE, late=TOO_SLOW)
        for place, answer in reasons.items():
            target, message = sheets[place]
            reason = render(answer, ENGLISH)
            if reason:
                log.warning("alerts.not_sent", target=target.name, error=reason)
            for part in message.told:
                self._note_answer(part, target, reason)

    def _note_answer(self, part: Told, target: Target, reason: str) -> None:
        """Note an answer for each name that the address has in the workspace of the note."""
        name = part.workspace
        note = part.note
        answers = self.answers.setdefault(name, {})
        for known in _wanted(self.served[name], note):
            if known.url == target.url:
                answers[note.number, known.name] = reason


def _wanted(context: Context, note: Note) -> list[Target]:
    """Return the targets that did not get a note yet, those of them that still exist."""
    wanted = []
    alerts = alerts_of(context)
    for target in targets_of(alerts):
        if target.name in note.left:
            wanted.append(target)
    return wanted
