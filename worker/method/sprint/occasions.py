"""People to think of: birthdays on every side and newcomers at the client (docs/method.md 6.3).

It states when the next birthday is and signals to the account sprint; making the tasks is that chapter's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from msgspec.structs import replace

from worker.domain.entities import Client, Contact, Person
from worker.mapping.playbooks import Playbooks
from worker.method.conditions import Sighting, Subject, state_signal
from worker.method.formulas.roles import person_for
from worker.method.formulas.sprints import next_yearly
from worker.method.measures import Signal
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

HOSTS = ("am", "pm", "hoa", "head_newbiz", "founder")
"""Who congratulates a colleague, in this order; never the colleague."""


def find_occasions(world: World, playbooks: Playbooks) -> Findings[None]:
    """Return the contacts' next birthdays, with the signals of birthdays and newcomers."""
    signals: list[Signal] = []
    birthday = playbooks.tasks.get("birthday")
    if birthday:
        ahead = timedelta(days=birthday.days or 0)
        signals += _birthdays(world, ahead)

    newcomer = playbooks.tasks.get("meet_newcomer")
    if newcomer:
        back = timedelta(days=newcomer.days or 0)
        signals += _newcomers(world, back)

    contacts = world.contacts.values()
    facts = tuple(_next_birthday(contact, world) for contact in contacts)
    return Findings(None, facts, signals=tuple(signals))


def _next_birthday(contact: Contact, world: World) -> Fact:
    born = contact.birthday
    say = world.words.say
    inputs = (Input(say("birthday"), str(born or "-"), contact.url),)
    return Fact(
        contact.ref,
        "next_birthday",
        next_yearly(born, world.today) if born else None,
        Why(
            "care",
            inputs,
            say("the next anniversary; 29 February is kept on the 28th in other years"),
        ),
    )


def _birthdays(world: World, ahead: timedelta) -> Iterator[Signal]:
    for contact in world.contacts.values():
        born = contact.birthday
        if born is None:
            continue
        client = world.client(contact.client)
        payer = client.name if client else ""
        signal = _birthday(contact, born, payer, ahead=ahead, world=world)
        yield replace(signal, client=contact.client)

    for person in world.people.values():
        born = person.birthday
        if born is None or not person.is_staff(world.today):
            continue
        signal = _birthday(person, born, "", ahead=ahead, world=world)
        role = _host(person, world) if signal.holds else ""
        yield replace(signal, unit=person.unit, role=role)


def _birthday(
    who: Contact | Person, born: date, client: str, *, ahead: timedelta, world: World
) -> Signal:
    words = world.words
    coming = next_yearly(born, world.today)
    day = words.day_month(coming)
    names = {"name": who.name, "date": day, "client": client}
    seen = Sighting(
        coming - world.today <= ahead,
        evidence=words.say("The birthday is on {day}.", day=day),
    )
    signal = state_signal("birthday", Subject(who.ref, names), seen, words=words)
    return replace(signal, due=coming)


def _newcomers(world: World, back: timedelta) -> Iterator[Signal]:
    words = world.words
    for contact in world.contacts.values():
        client = world.client(contact.client)
        first = _first_day(contact, client, world)
        if client is None or contact.side != "client" or first is None:
            continue
        here = world.today - first
        shown = words.date(first)
        names = {"name": contact.name, "date": shown, "client": client.name}
        subject = Subject(contact.ref, names, client=client.ref)
        seen = Sighting(
            timedelta() <= here <= back,
            evidence=words.say("New at the client since {day}.", day=shown),
        )
        yield state_signal("meet_newcomer", subject, seen, words=words)


def _first_day(contact: Contact, client: Client | None, world: World) -> date | None:
    """Return since when a contact is known at the client: as people say, else the day the row was added to a client's.

    A row as old as its client's was typed in with it, which makes nobody a newcomer.
    """
    if contact.since is not None:
        return contact.since
    if client is None or client.created is None or contact.created is None:
        return None
    added = world.day_of(contact.created)
    typed = world.day_of(client.created)
    return added if added > typed else None


def _host(person: Person, world: World) -> str:
    """Return the role that looks after a colleague: the unit's AM, else its PM, else a head."""
    for role in HOSTS:
        if person_for(role, None, world, unit=person.unit) not in (person.ref, None):
            return role
    return HOSTS[0]
