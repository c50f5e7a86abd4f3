"""The webhooks an administrator sets up, by `/rest/webhooks/1.0` or by the control API, and what each is sent.

Built after docs/facts/jira-api.md 6. A query narrows events of issues and comments, never others. Nothing is compared
until there is a webhook.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rayline_sandbox.arguments import text_of, texts_of
from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.events import EVENTS, Happening, Watch
from rayline_sandbox.jira.jql import JqlSyntax, parse
from rayline_sandbox.jira.jql_evaluate import compile_query
from rayline_sandbox.jira.model import Issue, Json
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site
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

DELAYS = (300.0, 450.0, 600.0, 750.0, 900.0)
"""Seconds before each further attempt: up to five, 5 to 15 minutes apart."""
REPEATED = frozenset({0, 408, 409, 425, 429})
SECTION = "issue-related-events-section"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as it was set up; `is_bare` is sent without a body."""

    id: int
    name: str
    url: str
    events: frozenset[str]
    jql: str
    secret: str
    is_bare: bool
    is_enabled: bool
    updated: int
    lane: Lane

    def shown(self, base: str) -> Json:
        """Return the webhook as REST answers it; its secret is never shown."""
        return {
            "id": self.id,
            "self": f"{base}/rest/webhooks/1.0/webhook/{self.id}",
            "name": self.name,
            "url": self.url,
            "events": sorted(self.events),
            "filters": {SECTION: self.jql},
            "excludeBody": self.is_bare,
            "enabled": self.is_enabled,
            "isSigned": bool(self.secret),
            "lastUpdated": self.updated,
        }


@dataclass(slots=True)
class Webhooks:
    """The webhooks of one site; `watch` is none while there are none."""

    site: Site
    lanes: Lanes = field(default_factory=Lanes)
    watch: Watch | None = None
    by_id: dict[int, Webhook] = field(default_factory=dict)

    def tell(self, base: str = "") -> None:
        """Tell of everything that happened since the last call; `base` is where the site was called."""
        if self.watch is None:
            return
        self.watch.base = base or self.watch.base
        for happening in self.watch.happenings():
            self._address(happening)

    def forget(self) -> None:
        """Tell nothing of what happened: it was taken back, or a whole site is being loaded."""
        if self.watch is not None:
            self.watch.settle()

    def _address(self, happening: Happening) -> None:
        body = {
            "timestamp": self.site.now(),
            "webhookEvent": happening.name,
            **happening.parts,
        }
        for webhook in self.by_id.values():
            is_meant = happening.to is None or webhook.lane.id in happening.to
            if is_meant and webhook.is_enabled and happening.name in webhook.events:
                identity = str(uuid.uuid4())
                headers = {
                    "X-Atlassian-Webhook-Identifier": identity,
                    "X-Atlassian-Webhook-Flow": happening.flow,
                }
                event = Event(identity, happening.name, body, headers=headers)
                webhook.lane.put(event)

    def _matching(self, issue: Issue) -> frozenset[str]:
        return frozenset(
            webhook.lane.id
            for webhook in self.by_id.values()
            if self._is_known(webhook.jql, issue)
        )

    def _is_known(self, jql: str, issue: Issue) -> bool:
        plan = compile_query(parse(jql), self.site.sight())
        return not plan.unknown and plan.test(issue)

    def put(
        self, payload: Mapping[str, Any], manner: Manner, *, instead: int | None = None
    ) -> Webhook:
        """Set a webhook up, `instead` of another where one is named; raises `ValueError` in plain words."""
        number = instead or self.site.store.counters.take("webhook", 1)
        webhook = self._read(payload, number, manner)
        if instead is not None:
            self.lanes.drop(instead)
        self.lanes.by_id[webhook.lane.id] = webhook.lane
        self.by_id[number] = webhook
        if self.watch is None:
            self.watch = Watch(self.site, self._matching)
            self.site.store.listener = self.watch.hear
        return webhook

    def _read(self, payload: Mapping[str, Any], number: int, manner: Manner) -> Webhook:
        url = check_target(payload.get("url"))
        given = {"events": sorted(EVENTS), **payload}
        events = frozenset(texts_of(given, "events"))
        strange = ", ".join(sorted(events - EVENTS))
        if strange:
            raise ValueError(f"unknown events: {strange}")
        secret = text_of(payload, "secret") or ""
        is_bare = bool(payload.get("excludeBody", False))
        lane = Lane(
            str(number),
            url,
            dress=_dress(secret, is_bare=is_bare),
            policy=Policy(DELAYS, _is_repeated),
            log=self.lanes.log,
            manner=manner,
        )
        return Webhook(
            number,
            text_of(payload, "name") or f"Webhook {number}",
            url,
            events,
            self._query(payload),
            secret,
            is_bare,
            bool(payload.get("enabled", True)),
            self.site.now(),
            lane,
        )

    def _query(self, payload: Mapping[str, Any]) -> str:
        """Return the query of a payload: `jql` of the control API, a section of `filters` by REST."""
        filters = payload.get("filters")
        if isinstance(filters, dict):
            payload = {"jql": filters.get(SECTION)}
        jql = text_of(payload, "jql") or ""
        try:
            compile_query(parse(jql), self.site.sight())
        except JqlSyntax as error:
            raise ValueError(f"the query cannot be read: {error}") from None
        return jql

    def remove(self, number: int) -> None:
        """End a webhook."""
        self.lanes.drop(number)
        del self.by_id[number]
        if not self.by_id:
            self.watch = None
            self.site.store.listener = None

    # The control API ------------------------------------------------------

    def actions(self) -> Mapping[str, Callable[[Json], Json]]:
        """Return the actions by name."""
        return {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "subscriptions": self._listed,
            "deliveries": self.lanes.shown,
        }

    def _subscribe(self, payload: Json) -> Json:
        manner = read_manner(payload, Manner())
        return self.put(payload, manner).shown(self.site.self_base)

    def _unsubscribe(self, payload: Json) -> Json:
        number = payload["id"]
        if number not in self.by_id:
            raise ValueError(f"no subscription {number}")
        self.remove(number)
        return {"id": number}

    def _listed(self, _: Json) -> Json:
        base = self.site.self_base
        shown = [webhook.shown(base) for webhook in self.by_id.values()]
        return {"subscriptions": shown}


def _is_repeated(status: int) -> bool:
    return status in REPEATED or status >= 500


def _dress(
    secret: str, *, is_bare: bool
) -> Callable[[Event, int], tuple[Mapping[str, str], bytes]]:
    def dress(event: Event, attempt: int) -> tuple[Mapping[str, str], bytes]:
        body = b"" if is_bare else encode(event.body)
        headers = {"content-type": "application/json; charset=UTF-8"}
        headers.update(event.headers)
        if attempt > 1:
            headers["X-Atlassian-Webhook-Retry"] = str(attempt - 1)
        if secret:
            headers["X-Hub-Signature"] = sign(secret, body)
        return headers, body

    return dress


# -- /rest/webhooks/1.0 ----------------------------------------------------------------------------------------------


def _webhooks(site: Site) -> Webhooks:
    site.need_administrator()
    assert isinstance(site.webhooks, Webhooks)
    return site.webhooks


def _shown(site: Site, call: Call, webhook: Webhook) -> Json:
    return webhook.shown(site.self_base or call.base)


def _named(site: Site, call: Call) -> Webhook:
    ref = call.parameters["webhook"]
    webhook = _webhooks(site).by_id.get(as_identity(ref) or 0)
    if webhook is None:
        raise missing("webhook", ref)
    return webhook


def _put(site: Site, asked: Json, *, instead: int | None = None) -> Webhook:
    if not asked.get("name"):
        reason = "The name of the webhook is required."
        raise Refusal(400, errors={"name": reason})
    try:
        return _webhooks(site).put(asked, Manner(), instead=instead)
    except ValueError as error:
        raise Refusal(400, str(error)) from None


def list_webhooks(site: Site, call: Call) -> list[Json]:
    """Answer all webhooks."""
    known = _webhooks(site).by_id
    return [_shown(site, call, webhook) for webhook in known.values()]


def create_webhook(site: Site, call: Call) -> Outcome:
    """Set a webhook up."""
    _webhooks(site)
    webhook = _put(site, call.object())
    return Outcome(201, _shown(site, call, webhook))


def get_webhook(site: Site, call: Call) -> Json:
    """Answer one webhook."""
    return _shown(site, call, _named(site, call))


def update_webhook(site: Site, call: Call) -> Json:
    """Change a webhook; what is not said stays."""
    webhook = _named(site, call)
    standing = {
        "name": webhook.name,
        "url": webhook.url,
        "events": sorted(webhook.events),
        "jql": webhook.jql,
        "secret": webhook.secret,
        "excludeBody": webhook.is_bare,
        "enabled": webhook.is_enabled,
    }
    changed = {**standing, **call.object()}
    return _shown(site, call, _put(site, changed, instead=webhook.id))


def delete_webhook(site: Site, call: Call) -> Outcome:
    """End a webhook."""
    webhook = _named(site, call)
    _webhooks(site).remove(webhook.id)
    return Outcome(204)


ROUTES = table(
    {
        "GET webhook": list_webhooks,
        "POST webhook": create_webhook,
        "GET webhook/{webhook}": get_webhook,
        "PUT webhook/{webhook}": update_webhook,
        "DELETE webhook/{webhook}": delete_webhook,
    },
    root="webhooks",
)
