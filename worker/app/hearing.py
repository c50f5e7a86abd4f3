"""What becomes of an event that a service sends: a cycle is asked for, once however often the event is told.

The sender is believed by its signature or secret, the event is not: it wakes a cycle, which reads for itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import structlog

from worker.app.settings import open_mode
from worker.cycle.remembering import AUTHORS
from worker.cycle.triggering import ask_cycle, read_clients
from worker.http import webhooks
from worker.http.webhooks import Event, Handshake, Malformed, Service
from worker.site import Site
from worker.state.settings import Setting
from worker.state.store import to_micros
from worker.state.triggers import Asker, Order, Source

log = structlog.get_logger("worker.webhooks")
REMEMBERED = timedelta(days=2)
"""How long an event is known again: both services give up delivering one after about a day."""
MOST = 1000
_SEEN = Setting("webhook_events", dict[str, int], dict)
SIGNATURES: Mapping[Service, str] = {
    Service.NOTION: "x-notion-signature",
    Service.JIRA: "x-hub-signature",
    Service.BUTTON: "x-rayline-secret",
}
"""In which header each sender proves itself."""


class Answer(StrEnum):
    """What is answered, with the status that says it."""

    WOKEN = "woken"
    KNOWN = "known"
    OWN = "own"
    KEPT = "kept"
    UNPROVEN = "unproven"
    MALFORMED = "malformed"
    NOT_SET_UP = "not set up"


STATUS: Mapping[Answer, int] = {
    Answer.WOKEN: 202,
    Answer.KNOWN: 200,
    Answer.OWN: 200,
    Answer.KEPT: 200,
    Answer.UNPROVEN: 401,
    Answer.MALFORMED: 400,
    Answer.NOT_SET_UP: 404,
}


def hear(
    site: Site, service: Service, raw: bytes, headers: Mapping[str, str]
) -> Answer:
    """Take one delivery in; `headers` by small names. Raises `QueueFull` when too much waits: it is to come again.

    A delivery that is not proven is not looked into; only Notion's handshake comes without proof, and is kept once.
    """
    file = _file(site, service)
    if file is None:
        return Answer.NOT_SET_UP
    secret = _secret(file, is_to_come=service is Service.NOTION)
    if service is Service.NOTION and not secret:
        return _keep_handshake(site, raw, file)
    if not _is_proven(service, raw, headers, secret):
        log.warning("webhook.unproven", workspace=site.name, service=service.value)
        return Answer.UNPROVEN
    try:
        event = _read(site, service, raw, headers)
    except Malformed:
        return Answer.MALFORMED
    if isinstance(event, Handshake):
        return Answer.KNOWN
    return _wake(site, service, event)


def _file(site: Site, service: Service) -> Path | None:
    settings = site.settings.webhooks
    return {
        Service.NOTION: settings.notion_token_file,
        Service.JIRA: settings.jira_secret_file,
        Service.BUTTON: settings.button_secret_file,
    }[service]


def _secret(file: Path, *, is_to_come: bool) -> str:
    """Return the secret of a file; none where it cannot be read, or others can read it. One that `is_to_come` with a
    handshake may not be there yet."""
    try:
        if open_mode(file):
            log.error("webhook.secret_open", file=str(file))
            return ""
        return file.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        if not (is_to_come and isinstance(error, FileNotFoundError)):
            log.error("webhook.secret_unread", file=str(file), error=_reason(error))
        return ""


def _reason(error: OSError | ValueError) -> str:
    """Return why a file cannot be used; what stands in it is never said."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or type(error).__name__


def _keep_handshake(site: Site, raw: bytes, file: Path) -> Answer:
    """Keep the token of Notion's handshake where it will be looked for, unless one stands there; it is never logged."""
    try:
        event = webhooks.read_notion(raw)
    except Malformed:
        return Answer.MALFORMED
    if not isinstance(event, Handshake):
        return Answer.UNPROVEN
    try:
        place = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return Answer.UNPROVEN
    except OSError as error:
        log.error("webhook.handshake_lost", file=str(file), error=_reason(error))
        return Answer.UNPROVEN
    with os.fdopen(place, "w", encoding="utf-8") as out:
        out.write(event.token + "\n")
    log.warning("webhook.handshake", workspace=site.name, file=str(file))
    return Answer.KEPT


def _is_proven(
    service: Service, raw: bytes, headers: Mapping[str, str], secret: str
) -> bool:
    given = headers.get(SIGNATURES[service], "")
    if service is Service.NOTION:
        return webhooks.verify_notion(raw, given, secret)
    if service is Service.JIRA:
        return webhooks.verify_jira(raw, given, secret)
    return webhooks.verify_shared(given, secret)


def _read(
    site: Site, service: Service, raw: bytes, headers: Mapping[str, str]
) -> Event | Handshake:
    if service is Service.NOTION:
        with site.reading() as tx:
            own = AUTHORS.load(tx)
        return webhooks.read_notion(raw, own=own)
    if service is Service.JIRA:
        return webhooks.read_jira(raw, headers)
    return webhooks.read_button(raw)


def _wake(site: Site, service: Service, event: Event) -> Answer:
    if event.own:
        return Answer.OWN
    name = f"{service.value} {event.id}" if event.id else ""
    if name and _is_known(site, name):
        return Answer.KNOWN
    is_button = service is Service.BUTTON
    source = Source.BUTTON if is_button else Source.WEBHOOK
    # What changed anywhere may show anywhere: a look reads changes alone, so narrowing it to a client saves nothing.
    order = Order(_client(site, event.page) if is_button else "")
    ask_cycle(site, order, Asker(service.value, source))
    # Remembered only now: what could not be asked for is to be heard when it comes again.
    if name:
        _remember(site, name)
    return Answer.WOKEN


def _is_known(site: Site, name: str) -> bool:
    """Tell whether an event came before."""
    with site.reading() as tx:
        return name in _SEEN.load(tx)


def _remember(site: Site, name: str) -> None:
    """Know an event again when it comes once more."""
    now = site.now()
    edge = to_micros(now - REMEMBERED)
    with site.transaction() as tx:
        kept = [(key, at) for key, at in _SEEN.load(tx).items() if at > edge]
        _SEEN.save(tx, dict([*kept[-MOST + 1 :], (name, to_micros(now))]))


def _client(site: Site, page: str) -> str:
    """Return the client whose row a button stands on; of any other page all are meant."""
    bare = page.replace("-", "")
    clients = read_clients(site) if bare else {}
    return next((ref.key for ref in clients if ref.key.replace("-", "") == bare), "")
