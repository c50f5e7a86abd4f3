"""Who is told of changes in Notion: subscriptions with their handshake, the shape of events, and how they are gathered.

Built after docs/facts/notion-api.md 4.4: events hold ids alone, most are gathered for a while and may then have several
authors, and what was made and deleted meanwhile is not told. Only what the connection sees is told. Nothing is kept or
compared until somebody subscribes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rayline_sandbox.arguments import text_of, texts_of
from rayline_sandbox.notion.comments import Comment
from rayline_sandbox.notion.store import Page, Parent, Record, Store
from rayline_sandbox.notion.watch import Happening, Watch
from rayline_sandbox.webhooks import (
    Event,
    Lane,
    Lanes,
    Manner,
    Policy,
    check_target,
    encode,
    read_manner,
    sign,
)

Json = dict[str, Any]
API_VERSION = "2026-03-11"
GATHERED = 0.2
"""Seconds in which changes of one thing become one event; in Notion usually less than a minute."""
DELAYS = (
    60.0,
    300.0,
    1_200.0,
    3_600.0,
    10_800.0,
    21_600.0,
    43_200.0,  # about a day after the first attempt
)
"""Seconds before each further attempt: eight attempts, the last about a day after the first."""
LIFE = frozenset({"created", "deleted", "undeleted"})
TYPES = frozenset(
    {
        "page.created",
        "page.deleted",
        "page.undeleted",
        "page.moved",
        "page.locked",
        "page.unlocked",
        "page.properties_updated",
        "page.content_updated",
        "data_source.created",
        "data_source.deleted",
        "data_source.undeleted",
        "data_source.moved",
        "data_source.schema_updated",
        "data_source.content_updated",
        "database.created",
        "database.deleted",
        "database.undeleted",
        "database.moved",
        "comment.created",
        "comment.updated",
        "comment.deleted",
    }
)
OPPOSITES = {
    "created": "deleted",
    "deleted": "undeleted",
    "undeleted": "deleted",  # as it was before
}
"""What undoes an event: together with it, nothing is told."""
HANDSHAKE = "verification"


@dataclass(slots=True)
class Subscription:
    """Who is told of which types; nothing is told until the handshake's token was given back."""

    id: str
    types: frozenset[str]
    token: str
    lane: Lane
    verified: bool = False

    def shown(self) -> Json:
        """Return the subscription as the control API shows it."""
        return {
            "id": self.id,
            "url": self.lane.url,
            "types": sorted(self.types),
            "verification_token": self.token,
            "verified": self.verified,
        }


@dataclass(slots=True)
class Events:
    """The subscriptions of one workspace; `watch` is none while there are none."""

    store: Store
    lanes: Lanes = field(default_factory=Lanes)
    watch: Watch | None = None
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def tell(self, actor: str) -> None:
        """Tell what somebody has changed."""
        if self.watch is None:
            return
        for happening in self.watch.changes():
            if self._is_seen(happening.record):
                self._address(happening, actor)

    def _address(self, happening: Happening, actor: str) -> None:
        for subscription in self.subscriptions.values():
            if subscription.verified and happening.type in subscription.types:
                event = self._event(happening, actor, subscription.id)
                subscription.lane.put(event)

    def _is_seen(self, record: Record | Comment) -> bool:
        if isinstance(record, Comment):
            parent = self.store.find(record.parent.id)
            return parent is not None and self.store.visible(parent)
        return self.store.visible(record)

    def _event(self, happening: Happening, actor: str, subscription: str) -> Event:
        store = self.store
        kind, _, name = happening.type.partition(".")
        record = happening.record
        event_id = store.ids.request()
        author = {"id": actor, "type": "person"}
        if actor == store.bot_id:
            author["type"] = "bot"
        body = {
            "id": event_id,
            "timestamp": _stamp(store),
            "workspace_id": store.workspace_id,
            "workspace_name": store.workspace_name,
            "subscription_id": subscription,
            "integration_id": store.integration_id,
            "authors": [author],
            "api_version": API_VERSION,
            "type": happening.type,
            "entity": {"id": record.id, "type": kind},
            "data": {**self._place(record), **happening.detail},
        }
        # Of one thing's life one event is waited with, so that what was made and deleted meanwhile is not told.
        group = "life" if name in LIFE else name
        subject = "" if kind == "comment" else f"{record.id} {group}"
        return Event(event_id, happening.type, body, subject)

    def _place(self, record: Record | Comment) -> Json:
        if not isinstance(record, Comment):
            return {"parent": self._parent(record.parent)}
        holder = self.store.find(record.parent.id)
        line = self.store.line(holder) if holder else []
        pages = [above.id for above in line if isinstance(above, Page)]
        kind = record.parent.kind.removesuffix("_id")
        parent = {"id": record.parent.id, "type": kind}
        return {"parent": parent, "page_id": next(iter(pages), "")}

    def _parent(self, parent: Parent) -> Json:
        if parent.kind == "workspace":
            return {"id": self.store.workspace_id, "type": "space"}
        source = self.store.data_sources.get(parent.id)
        if source is not None:
            return {
                "id": source.parent.id,
                "type": "database",
                "data_source_id": source.id,
            }
        return {"id": parent.id, "type": parent.kind.removesuffix("_id")}

    # -- subscribing -----------------------------------------------------------------------------------------------

    def subscribe(self, payload: Json) -> Json:
        """Add a subscription: `url`, `types` (all unless given); the handshake goes out at once.

        Source: docs/facts/notion-api.md 4.3. It counts as verified once the receiver has taken the handshake, as if a person had pasted the token back; with
        `verify: false` only `verify` does that. A `token` that both sides know already needs no handshake.
        """
        url = check_target(payload.get("url"))
        given = {"types": sorted(TYPES), **payload}
        types = frozenset(texts_of(given, "types"))
        strange = ", ".join(sorted(types - TYPES))
        if strange:
            raise ValueError(f"unknown types of events: {strange}")
        manner = read_manner(payload, Manner(window=GATHERED))
        known = text_of(payload, "token")
        token = known or f"secret_{secrets.token_urlsafe(32)}"
        identity = self.store.ids.request()
        pastes = bool(payload.get("verify", True))

        def verify(event: Event) -> None:
            if event.type == HANDSHAKE and pastes:
                subscription.verified = True

        lane = Lane(
            identity,
            url,
            dress=_dress(token),
            policy=Policy(DELAYS, lambda _: True),
            log=self.lanes.log,
            manner=manner,
            merge=merge,
            acknowledged=verify,
        )
        subscription = Subscription(identity, types, token, lane, bool(known))
        self.lanes.by_id[identity] = lane
        self.subscriptions[identity] = subscription
        self.watch = self.watch or Watch(self.store)
        self.store.on_touch = self.watch.note
        if not known:
            self._shake(subscription)
        return subscription.shown()

    def _shake(self, subscription: Subscription) -> None:
        body = {"verification_token": subscription.token}
        handshake = Event(self.store.ids.request(), HANDSHAKE, body)
        subscription.lane.put(handshake)

    def _named(self, payload: Json) -> Subscription:
        found = self.subscriptions.get(str(payload["id"]))
        if found is None:
            raise ValueError(f"no subscription {payload['id']}")
        return found

    def resend(self, payload: Json) -> Json:
        """Send the handshake of a subscription again: `id`."""
        subscription = self._named(payload)
        self._shake(subscription)
        return subscription.shown()

    def verify(self, payload: Json) -> Json:
        """Give a handshake's token back, as a person pastes it into the form: `id`, `token`."""
        subscription = self._named(payload)
        if payload["token"] != subscription.token:
            raise ValueError("this is not the token of the handshake")
        subscription.verified = True
        return subscription.shown()

    def unsubscribe(self, payload: Json) -> Json:
        """End a subscription: `id`."""
        subscription = self._named(payload)
        self.lanes.drop(subscription.id)
        del self.subscriptions[subscription.id]
        if not self.subscriptions:
            self.watch = None
            self.store.on_touch = None
        return {"id": subscription.id}

    def listed(self, _: Json) -> Json:
        """Return the subscriptions."""
        return {"subscriptions": [one.shown() for one in self.subscriptions.values()]}

    def deliveries(self, payload: Json) -> Json:
        """Return what was delivered, and what waits or was dropped."""
        return self.lanes.shown(payload)

    def actions(self) -> Mapping[str, Callable[[Json], Json]]:
        """Return the actions of the control API, by name."""
        return {
            "subscribe": self.subscribe,
            "resend": self.resend,
            "verify": self.verify,
            "unsubscribe": self.unsubscribe,
            "subscriptions": self.listed,
            "deliveries": self.deliveries,
        }


def _stamp(store: Store) -> str:
    return store.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dress(token: str) -> Callable[[Event, int], tuple[Mapping[str, str], bytes]]:
    def dress(event: Event, attempt: int) -> tuple[Mapping[str, str], bytes]:
        kind = {"content-type": "application/json"}
        if event.type == HANDSHAKE:
            return kind, encode(event.body)
        body = encode({**event.body, "attempt_number": attempt})
        return {**kind, "X-Notion-Signature": sign(token, body)}, body

    return dress


def merge(first: Event, second: Event) -> Event | None:
    """Return one event for two of the same thing: the authors and what is listed of both; None when one undoes the other."""
    before = first.type.rpartition(".")[2]
    now = second.type.rpartition(".")[2]
    if before != now and OPPOSITES.get(before) == now:
        return None
    authors = _joined(first.body["authors"], second.body["authors"])
    data = dict(second.body["data"])
    for name, listed in first.body["data"].items():
        if isinstance(listed, list):
            data[name] = _joined(listed, data.get(name, ()))
    body = {**second.body, "id": first.id, "authors": authors, "data": data}
    return Event(first.id, second.type, body, second.subject)


def _joined(first: Collection[Any], second: Collection[Any]) -> list[Any]:
    joined = list(first)
    joined += [entry for entry in second if entry not in joined]
    return joined
