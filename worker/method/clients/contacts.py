"""Relations with clients: contact, contact of partners, contracts and documents, rates (docs/method.md 4.3).

Each look gives a condition for the risk map and a signal for the account sprint, so that both always agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import Client, Contact, Document
from worker.domain.messages import message
from worker.domain.values import Ref
from worker.mapping.playbooks import Playbooks
from worker.method.clients import silence as relations
from worker.method.formulas.bands import mark_above, mark_below
from worker.method.measures import Condition, Signal
from worker.method.run import Found
from worker.world.world import World

NOTHING = Decimal(0)


class _Sighting(msgspec.Struct, frozen=True, gc=False):
    """One signal of one subject today. `day` is the date it is about; `mark` how likely it bites, `weight` its impact
    where money does not tell it (then no money is counted as exposed)."""

    signal: str
    playbook: str
    kind: str
    holds: bool | None
    day: date | None
    limit: int
    mark: int = 3
    weight: int | None = None
    ahead: bool = False


class _Texts(msgspec.Struct, frozen=True, gc=False):
    """The sentences of one signal; `{day}` is its date."""

    title: str
    reason: str
    ended: str
    formula: str


TEXTS = {
    "relations.no_contact": _Texts(
        message("{client}: no contact"),
        message("Last contact on {day}."),
        message("closed by itself: there was contact"),
        message("days since the last contact with anybody there"),
    ),
    "relations.no_partner_contact": _Texts(
        message("{client}: no contact of the partners"),
        message("Last contact of the partners on {day}."),
        message("closed by itself: the partners were in contact"),
        message("days since the last partner contact"),
    ),
    "money.contract_ends": _Texts(
        message("{client}: the contract ends"),
        message("The contract ends on {day}."),
        message("closed by itself: the contract does not end soon"),
        message("days until the contract ends"),
    ),
    "money.rate_not_indexed": _Texts(
        message("{client}: the rate is not indexed"),
        message("Rates stand since {day}."),
        message("closed by itself: the rates were indexed"),
        message("days since the last indexation, or since the start of the relation"),
    ),
    "documents.ends": _Texts(
        message("{client}: “{name}” ends"),
        message("The document is valid until {day}."),
        message("closed by itself: the document does not end soon"),
        message("days until the document ends"),
    ),
}


def find_relation_conditions(world: World, playbooks: Playbooks) -> Found[None]:
    """Return the conditions and signals of all clients and documents; it states no facts itself."""
    found = [(look, client, None) for client, look in _clients(world, playbooks)]
    documents = [
        (
            _document(document, world, playbooks),
            world.clients.get(document.client or Ref("clients", "")),
            document,
        )
        for document in world.documents.values()
    ]
    conditions: list[Condition] = []
    signals: list[Signal] = []
    for look, client, document in (*found, *documents):
        conditions.append(_condition(look, client, document, world=world))
        signals.append(_signal(look, client, document, world=world))
    return Found(None, conditions=tuple(conditions), signals=tuple(signals))


def _clients(world: World, playbooks: Playbooks) -> Iterator[tuple[Client, _Sighting]]:
    contacts: dict[Ref | None, list[Contact]] = defaultdict(list)
    for contact in world.contacts.values():
        contacts[contact.client].append(contact)
    active = relations.active_clients(world.cards.values())
    for client in world.clients.values():
        served = client.group == "account" or client.ref in active
        for look in (
            _contact(client, contacts[client.ref], world, served=served),
            _partners(client, world, served=served),
            _contract(client, world, playbooks, active=client.ref in active),
            _rate(client, world, playbooks),
        ):
            yield client, look


def _contact(
    client: Client, contacts: Iterable[Contact], world: World, *, served: bool
) -> _Sighting:
    last, limit = (
        relations.last_contact(client, contacts),
        world.thresholds.no_contact_days,
    )
    holds = relations.is_silent(last, world.today, limit) if served else False
    return _Sighting(
        "relations.no_contact",
        "contact_client",
        "other",
        holds,
        last,
        limit,
        _mark_of_silence(last, world.today, limit),
    )


def _partners(client: Client, world: World, *, served: bool) -> _Sighting:
    last, limit = client.last_partner_contact, world.thresholds.no_partner_days
    holds = relations.is_silent(last, world.today, limit) if served else False
    return _Sighting(
        "relations.no_partner_contact",
        "contact_partner",
        "other",
        holds,
        last,
        limit,
        _mark_of_silence(last, world.today, limit) - 1,
    )


def _mark_of_silence(last: date | None, today: date, limit: int) -> int:
    """Mark 3 for up to twice the limit, 4 up to four times, then 5."""
    times = (today - last).days / limit if last else 0
    return mark_above(times, 2, 4, least=3)


def _contract(
    client: Client, world: World, playbooks: Playbooks, *, active: bool
) -> _Sighting:
    limit = _days(playbooks, "contract_end", world.thresholds.contract_days)
    holds = relations.contract_ends(client, world.today, limit, active=active)
    return _Sighting(
        "money.contract_ends",
        "contract_end",
        "money",
        holds,
        client.contract_end,
        limit,
        _mark_of_end(client.contract_end, world.today),
        ahead=True,
    )


def _mark_of_end(end: date | None, today: date) -> int:
    """Mark 3 while more than 30 days are left, 4 until two weeks before, then 5."""
    left = (end - today).days if end else 60
    return mark_below(left, 31, 15, least=3)


def _rate(client: Client, world: World, playbooks: Playbooks) -> _Sighting:
    limit, since = (
        _days(playbooks, "index_rate", world.thresholds.rate_days),
        relations.rate_since(client),
    )
    holds = relations.is_rate_old(client, world.today, limit)
    mark = 4 if since and (world.today - since).days > 1.5 * limit else 3
    return _Sighting(
        "money.rate_not_indexed",
        "index_rate",
        "money",
        holds,
        since,
        limit,
        mark,
        weight=2,
    )


def _document(document: Document, world: World, playbooks: Playbooks) -> _Sighting:
    limit = _days(playbooks, "document_end", world.thresholds.contract_days)
    client = world.clients.get(document.client) if document.client else None
    # The contract that ends on the client's own contract end is one condition, and that is told of the client.
    told = (
        document.kind == "contract"
        and client is not None
        and client.contract_end == document.expires
    )
    holds = relations.document_ends(document, world.today, limit) and not told
    weight = 4 if document.kind == "contract" else 2
    return _Sighting(
        "documents.ends",
        "document_end",
        "other",
        holds,
        document.expires,
        limit,
        _mark_of_end(document.expires, world.today),
        weight=weight,
        ahead=True,
    )


def _days(playbooks: Playbooks, name: str, default: int) -> int:
    """Return how far a playbook looks; the threshold where people removed the playbook or its days."""
    book = playbooks.tasks.get(name)
    return book.days if book and book.days else default


def _condition(
    look: _Sighting, client: Client | None, document: Document | None, *, world: World
) -> Condition:
    subject, owner = _subject(client, document), client.ref if client else None
    if not look.holds:
        return Condition(look.signal, look.kind, subject, look.holds, client=owner)
    words, texts = world.words, TEXTS[look.signal]
    return Condition(
        look.signal,
        look.kind,
        subject,
        holds=True,
        title=words.say(texts.title, **_names(client, document)),
        evidence=_reason(look, world),
        probability=look.mark,
        impact=look.weight,
        stake=NOTHING if look.weight else None,
        client=owner,
        horizon=look.day if look.ahead else None,
        inputs=((words.say("document"), document.name, document.url),)
        if document
        else (),
        formula=words.say(texts.formula),
        threshold=f"days {'<=' if look.ahead else '>'} {look.limit}",
    )


def _subject(client: Client | None, document: Document | None) -> Ref:
    subject = document or client
    return subject.ref if subject else Ref("clients", "")


def _names(client: Client | None, document: Document | None) -> dict[str, str]:
    return {
        "client": client.name if client else "-",
        "name": document.name if document else "",
    }


def _reason(look: _Sighting, world: World) -> str:
    return (
        world.words.say(TEXTS[look.signal].reason, day=world.words.date(look.day))
        if look.day
        else ""
    )


def _signal(
    look: _Sighting, client: Client | None, document: Document | None, *, world: World
) -> Signal:
    words = world.words
    values = {
        "name": document.name if document else "",
        "client": client.name if client else "",
        "date": words.date(look.day) if look.day else "",
    }
    return Signal(
        look.playbook,
        _subject(client, document),
        client.ref if client else None,
        None,
        look.holds,
        reason=_reason(look, world),
        ended=words.say(TEXTS[look.signal].ended),
        values=values,
    )
