"""Relations with clients: contact, contact of partners, contracts and documents, rates (docs/method.md 4.3).

Each look gives a condition for the risk map and a signal for the account sprint, so that both always agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from worker.domain.entities import Client, Contact, Document
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.mapping.playbooks import Playbooks
from worker.method.clients import silence as relations
from worker.method.conditions import Look, Sighting, Subject, state_looks
from worker.method.formulas.bands import mark_above, mark_below
from worker.method.run import Findings
from worker.world.world import World

NOTHING = Decimal(0)


def find_relation_conditions(world: World, playbooks: Playbooks) -> Findings[None]:
    """Return the conditions and signals of all clients and documents; it states no facts itself."""
    looks = (*_clients(world, playbooks), *_documents(world, playbooks))
    conditions, signals = state_looks(looks, words=world.words)
    return Findings(None, conditions=conditions, signals=signals)


def _clients(world: World, playbooks: Playbooks) -> Iterator[Look]:
    contacts: dict[Ref | None, list[Contact]] = defaultdict(list)
    for contact in world.contacts.values():
        contacts[contact.client].append(contact)

    active = relations.active_clients(world.cards.values())
    for client in world.clients.values():
        is_active = client.ref in active
        is_served = is_active or client.group == "account"
        people = contacts[client.ref]
        yield _contact(client, people, world, served=is_served)
        yield _partners(client, world, served=is_served)
        yield _contract(client, world, playbooks, active=is_active)
        yield _rate(client, world, playbooks)


def _documents(world: World, playbooks: Playbooks) -> Iterator[Look]:
    for document in world.documents.values():
        yield _document(document, world, playbooks)


def _about(client: Client, day: date | None, world: World) -> Subject:
    """Return a client as the subject of a condition about a day."""
    names = {
        "name": "",
        "client": client.name,
        "date": world.words.date(day) if day else "",
    }
    return Subject(client.ref, names, client=client.ref)


def _contact(
    client: Client, contacts: Iterable[Contact], world: World, *, served: bool
) -> Look:
    words = world.words
    limit = world.thresholds.no_contact_days
    last = relations.last_contact(client, contacts)
    silent_since = last or relations.served_since(client, world.cards.values())
    holds = relations.is_silent(silent_since, world.today, limit) if served else False
    seen = Sighting(
        holds,
        _mark_of_silence(last, world.today, limit),
        _describe_contact(last, silent_since, words),
        _longer_than(limit, words),
    )
    return ("relations.no_contact", _about(client, last, world), seen)


def _describe_contact(last: date | None, since: date | None, words: Words) -> str:
    if last is not None:
        return words.say("Last contact on {day}.", day=words.date(last))
    if since is not None:
        return words.say(
            "No contact was ever noted since {day}.", day=words.date(since)
        )
    return words.say("No contact was ever noted.")


def _partners(client: Client, world: World, *, served: bool) -> Look:
    words = world.words
    limit = world.thresholds.no_partner_days
    last = client.last_partner_contact
    holds = relations.is_silent(last, world.today, limit) if served else False
    evidence = ""
    if last is not None:
        day = words.date(last)
        evidence = words.say("Last contact of the agency partner on {day}.", day=day)
    seen = Sighting(
        holds,
        _mark_of_silence(last, world.today, limit) - 1,
        evidence,
        _longer_than(limit, words),
    )
    return ("relations.no_partner_contact", _about(client, last, world), seen)


def _longer_than(days: int, words: Words) -> str:
    return words.say("days > {limit}", limit=days)


def _within(days: int, words: Words) -> str:
    return words.say("days ≤ {limit}", limit=days)


def _mark_of_silence(last: date | None, today: date, limit: int) -> int:
    """Mark 3 for up to twice the limit, 4 up to four times, then 5."""
    times = (today - last).days / limit if last else 0
    return mark_above(times, 2, 4, least=3)


def _contract(
    client: Client, world: World, playbooks: Playbooks, *, active: bool
) -> Look:
    words = world.words
    end = client.contract_end
    limit = _days(playbooks, "contract_end", world.thresholds.contract_days)
    seen = Sighting(
        relations.contract_ends(client, world.today, limit, active=active),
        _mark_of_end(end, world.today),
        words.say("The contract ends on {day}.", day=words.date(end)) if end else "",
        _within(limit, words),
        horizon=end,
    )
    return ("money.contract_ends", _about(client, end, world), seen)


def _mark_of_end(end: date | None, today: date) -> int:
    """Mark 3 while more than 30 days are left, 4 until two weeks before, then 5."""
    left = (end - today).days if end else 60
    return mark_below(left, 31, 15, least=3)


def _rate(client: Client, world: World, playbooks: Playbooks) -> Look:
    words = world.words
    since = relations.rate_since(client)
    limit = _days(playbooks, "index_rate", world.thresholds.rate_days)
    is_very_old = since and (world.today - since).days > 1.5 * limit
    seen = Sighting(
        relations.is_rate_old(client, world.today, limit),
        4 if is_very_old else 3,
        words.say("Rates stand since {day}.", day=words.date(since)) if since else "",
        _longer_than(limit, words),
        impact=2,
        stake=NOTHING,
    )
    return ("money.rate_not_indexed", _about(client, since, world), seen)


def _document(document: Document, world: World, playbooks: Playbooks) -> Look:
    words = world.words
    end = document.expires
    limit = _days(playbooks, "document_end", world.thresholds.contract_days)
    client = world.client(document.client)
    # The contract that ends on the client's own contract end is one condition, and that is told of the client.
    ends_with_client = (
        document.kind == "contract"
        and client is not None
        and client.contract_end == end
    )
    evidence = ""
    if end is not None:
        day = words.date(end)
        evidence = words.say("The document is valid until {day}.", day=day)
    # Money does not tell what a document is worth, so none is counted as exposed.
    seen = Sighting(
        relations.document_ends(document, world.today, limit) and not ends_with_client,
        _mark_of_end(end, world.today),
        evidence,
        _within(limit, words),
        impact=4 if document.kind == "contract" else 2,
        stake=NOTHING,
        horizon=end,
        inputs=((words.say("document"), document.name, document.url),),
    )
    names = {
        "name": document.name,
        "client": client.name if client else "",
        "date": words.date(end) if end else "",
    }
    owner = client.ref if client else None
    return ("documents.ends", Subject(document.ref, names, client=owner), seen)


def _days(playbooks: Playbooks, name: str, default: int) -> int:
    """Return how far a playbook looks; the threshold where people removed the playbook or its days."""
    book = playbooks.tasks.get(name)
    return book.days if book and book.days else default
