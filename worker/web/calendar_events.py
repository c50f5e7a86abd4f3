"""What stands in the calendar of an account manager or of a unit: birthdays, what ends, meetings.

A calendar leaves the house: nothing of private boards is in it, and no year of a birth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from worker.codecs.calendar_file import Event
from worker.domain.entities import Client, Contact, Person, Row
from worker.domain.messages import message
from worker.domain.values import Ref, Span, Unset, Value
from worker.mapping.schema import Schema
from worker.method.formulas.sprints import anniversary
from worker.pages.view import View

KEPT = timedelta(days=92)
"""How long what is over stays."""
MEETINGS = frozenset({"quarterly", "monthly", "monday_cut"})
"""Kinds of rows at which people meet; the others are pages to read."""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""When a row was changed of which that is not known."""


class Owner(msgspec.Struct, frozen=True, gc=False):
    """Whose calendar it is: a person's, of all units they are the account manager of, or a unit's."""

    ref: Ref
    name: str
    units: tuple[Ref, ...]


def list_owners(view: View) -> tuple[Owner, ...]:
    """Return whose calendars there are: units by name, then their account managers."""
    units = sorted(view.world.units.values(), key=lambda unit: (unit.name, unit.ref))
    managers: dict[Ref, list[Ref]] = {}
    for unit in units:
        for manager in unit.am:
            managers.setdefault(manager, []).append(unit.ref)

    owners = [Owner(unit.ref, unit.name, (unit.ref,)) for unit in units]
    people = sorted(
        view.world.people.values(), key=lambda person: (person.name, person.ref)
    )
    for person in people:
        theirs = managers.get(person.ref)
        if theirs and person.is_staff(view.today):
            owners.append(Owner(person.ref, person.name, tuple(theirs)))
    return tuple(owners)


def list_events(view: View, owner: Owner, schema: Schema) -> tuple[Event, ...]:
    """Return the entries of a calendar in the view's language, in an order of their own."""
    clients: dict[Ref, Client] = {}
    for unit in owner.units:
        for client in view.clients_of(unit):
            clients[client.ref] = client
    events = (
        *_contacts(view, clients),
        *_staff(view, owner.units),
        *_contracts(view, clients.values()),
        *_documents(view, clients),
        *_meetings(view, owner.units),
    )
    shown = [event for event in events if not schema.is_private(event.about.source)]
    shown.sort(key=lambda event: (event.kind, event.about))
    return tuple(shown)


def _contacts(view: View, clients: Mapping[Ref, Client]) -> Iterator[Event]:
    for ref, client in clients.items():
        for contact in view.shelf(ref).contacts:
            name = f"{contact.name} ({client.name})"
            yield from _birthday(view, contact, name)


def _staff(view: View, units: tuple[Ref, ...]) -> Iterator[Event]:
    named: set[Ref] = set()
    for unit in units:
        named.update(view.team_of(unit))
    for person in view.world.people.values():
        is_theirs = person.unit in units or person.ref in named
        if is_theirs and person.is_staff(view.today):
            yield from _birthday(view, person, person.name)


def _birthday(view: View, who: Contact | Person, name: str) -> Iterator[Event]:
    if who.birthday is None:
        return
    yield Event(
        "birthday",
        who.ref,
        view.say(message("Birthday: {name}"), name=name),
        anniversary(who.birthday, view.today.year),
        _changed(view, who.ref),
        yearly=who.birthday,
        url=who.url,
    )


def _contracts(view: View, clients: Iterable[Client]) -> Iterator[Event]:
    for client in clients:
        end = client.contract_end
        if end is not None and _is_near(view, end):
            title = view.say(message("Contract ends: {name}"), name=client.name)
            changed = _changed(view, client.ref)
            yield Event("contract", client.ref, title, end, changed, url=client.url)


def _documents(view: View, clients: Mapping[Ref, Client]) -> Iterator[Event]:
    pattern = message("Expires: {name} ({client})")
    for document in view.world.documents.values():
        end = document.expires
        if document.client is None or end is None:
            continue
        client = clients.get(document.client)
        if client is not None and _is_near(view, end):
            title = view.say(pattern, name=document.name, client=client.name)
            changed = _changed(view, document.ref)
            yield Event("document", document.ref, title, end, changed, url=document.url)


def _meetings(view: View, units: tuple[Ref, ...]) -> Iterator[Event]:
    for row in view.world.rows.get("meetings", ()):
        held = _held(row.fields.get("date"))
        is_meeting = row.fields.get("kind") in MEETINGS
        if held is None or not (is_meeting and _is_of(row, units)):
            continue
        start, end = held
        if _is_near(view, end):
            yield Event(
                "meeting", row.ref, row.title, start, row.edited, end=end, url=row.url
            )


def _held(value: Value | Unset) -> tuple[date | datetime, date | datetime] | None:
    """Return from when to when a meeting is; one with a time has no end."""
    match value:
        case Span():
            return value.start, value.end
        case date():
            return value, value
    return None


def _is_of(row: Row, units: tuple[Ref, ...]) -> bool:
    named = row.fields.get("unit")
    return isinstance(named, tuple) and any(unit in units for unit in named)


def _is_near(view: View, end: date | datetime) -> bool:
    day = view.world.day_of(end) if isinstance(end, datetime) else end
    return day >= view.today - KEPT


def _changed(view: View, ref: Ref) -> datetime:
    row = view.rows.get(ref)
    return row.edited if row else LONG_AGO
