"""What the relation with a client rests on: contact, contract, documents, rates; one look for risks and for tasks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from worker.domain.entities import RUNNING, Card, Client, Contact, Document, Stage
from worker.domain.values import Ref
from worker.world.world import World

ACTIVE = (Stage.AGREED, *RUNNING)
LATE = 30
"""Days after which a document that ended is no longer news."""


def active_clients(cards: Iterable[Card]) -> set[Ref]:
    """Return the clients with agreed or running work."""
    return {card.client for card in cards if card.client and card.stage in ACTIVE}


def last_contact(client: Client, contacts: Iterable[Contact]) -> date | None:
    """Return the newest day somebody spoke with the client or one of its people."""
    days = [client.last_contact, *(contact.last_contact for contact in contacts)]
    return max((day for day in days if day is not None), default=None)


def served_since(client: Client, cards: Iterable[Card]) -> date | None:
    """Return the day the relation began: as its row says, else the first start of its agreed or running work."""
    if client.since is not None:
        return client.since
    starts = []
    for card in cards:
        if card.client != client.ref or card.start is None:
            continue
        if card.stage in ACTIVE:
            starts.append(card.start)
    return min(starts, default=None)


def partners_never_noted(client: Client, world: World) -> date | None:
    """Return since when a client is known whose partners' contact nobody ever noted, if that is for long enough to ask.

    Nothing noted is no data: it is neither a silence nor a contact.
    """
    if client.last_partner_contact is not None:
        return None
    since = client.since
    if since is None and client.created is not None:
        since = world.day_of(client.created)
    limit = world.thresholds.no_partner_days
    silent = is_silent(since, world.today, limit)
    if not silent:
        return None
    return since


def is_silent(since: date | None, today: date, days: int) -> bool | None:
    """Tell whether the silence lasts more than `days` days; None when its beginning is not known."""
    return None if since is None else (today - since).days > days


def rate_since(client: Client) -> date | None:
    """Return the day from which the client's rate stands: the last indexation, else the start of the relation."""
    return client.rate_indexed or client.since


def is_rate_old(client: Client, today: date, days: int) -> bool:
    """Tell whether an account's rate stands for `days` days or more."""
    since = rate_since(client)
    return (
        client.group == "account" and since is not None and (today - since).days >= days
    )


def contract_ends(client: Client, today: date, days: int, *, active: bool) -> bool:
    """Tell whether the contract ends within `days` days, or has ended while work goes on."""
    end = client.contract_end
    return (
        end is not None
        and end <= today + timedelta(days=days)
        and (end >= today or active)
    )


def document_ends(document: Document, today: date, days: int) -> bool:
    """Tell whether a document ends within `days` days, or ended not long ago."""
    end = document.expires
    return end is not None and -min(days, LATE) <= (end - today).days <= days
