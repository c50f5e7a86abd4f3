"""Proof that an event is the service's own, and what is read of it: that something changed, and at most where.

Nothing else of a body is believed: an event wakes a cycle, which reads for itself. Pure; secrets are given.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TypeVar

import msgspec

Body = TypeVar("Body")
LARGEST = 1_000_000
"""Bytes; most are a few thousand, but Jira's hold a whole issue with its comments."""
NOTION = frozenset({"sha256"})
METHODS = frozenset({"sha256", "sha384", "sha512"})
"""Jira says that the method it signs with may change (docs/facts/jira-api.md 6)."""


class Value(msgspec.Struct, frozen=True, gc=False):
    """What every value here is."""


class Malformed(Exception):
    """A body that is no event of this service."""


class Service(StrEnum):
    """Who tells of a change."""

    NOTION = "notion"
    JIRA = "jira"
    BUTTON = "notion-button"


class Event(Value, frozen=True):
    """That something changed: `id` is the same each time an event is delivered (empty: none is known), `kind` its type,
    `page` the page a button or an event names, `own` whether only this connection did it."""

    id: str = ""
    kind: str = ""
    page: str = ""
    own: bool = False


class Handshake(Value, frozen=True):
    """What Notion sends once, so that it can be pasted into its form; from then on it signs with it."""

    token: str


def verify_notion(raw: bytes, signature: str, token: str) -> bool:
    """Tell whether a body is signed by Notion: `X-Notion-Signature` (docs/facts/notion-api.md 4.3)."""
    return _is_signed(raw, signature, token, methods=NOTION)


def verify_jira(raw: bytes, signature: str, secret: str) -> bool:
    """Tell whether a body is signed by Jira: `X-Hub-Signature` (docs/facts/jira-api.md 6)."""
    return _is_signed(raw, signature, secret, methods=METHODS)


def verify_shared(given: str, secret: str) -> bool:
    """Tell whether a header holds a shared secret, in constant time; nothing is never a secret."""
    if not secret:
        return False
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _is_signed(
    raw: bytes, signature: str, secret: str, *, methods: frozenset[str]
) -> bool:
    name, _, digest = signature.strip().partition("=")
    method = name.lower()
    if not secret:
        return False
    if method not in methods:
        return False
    key = secret.encode()
    wanted = hmac.digest(key, raw, method).hex()
    given = digest.lower()
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace"))


class _Author(Value, frozen=True):
    id: str = ""


class _Entity(Value, frozen=True):
    id: str = ""
    type: str = ""


class _NotionBody(Value, frozen=True):
    verification_token: str = ""
    id: str = ""
    type: str = ""
    authors: tuple[_Author, ...] = ()
    entity: _Entity = _Entity()


class _ButtonData(Value, frozen=True):
    id: str = ""


class _ButtonBody(Value, frozen=True):
    data: _ButtonData = _ButtonData()


class _JiraBody(msgspec.Struct, frozen=True, gc=False, rename={"kind": "webhookEvent"}):
    kind: str = ""
    timestamp: int | float | None = None


def read_notion(raw: bytes, *, own: Collection[str] = ()) -> Event | Handshake:
    """Return a Notion event, or its handshake; `own` are the ids we go by there. Raises `Malformed`.

    Several may have made what an event tells of; it is an echo only if all of them are we (docs/facts/notion-api.md 4.3).
    """
    body = _read(raw, _NotionBody)
    if body.verification_token:
        return Handshake(body.verification_token)
    if not body.type:
        raise Malformed("it names no type")
    authors = {author.id for author in body.authors}
    is_page = body.entity.type == "page"
    is_own = bool(authors) and authors <= set(own)
    return Event(body.id, body.type, body.entity.id if is_page else "", own=is_own)


def read_button(raw: bytes) -> Event:
    """Return what a button or an automation of Notion sends; its page, if it names one. Raises `Malformed`."""
    body = _read(raw, _ButtonBody)
    return Event(kind="button", page=body.data.id)


def read_jira(raw: bytes, headers: Mapping[str, str]) -> Event:
    """Return a Jira event; `headers` by small names. Raises `Malformed`."""
    body = _read(raw, _JiraBody)
    if not body.kind:
        raise Malformed("it names no event")
    identifier = headers.get("x-atlassian-webhook-identifier", "")
    return Event(identifier.strip(), body.kind)


def _read(raw: bytes, shape: type[Body]) -> Body:
    size = len(raw)
    if size > LARGEST:
        raise Malformed("it is too large")
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        reason = "it is no event"
        raise Malformed(reason) from None
