"""What every page and answer is made from: the workspaces, who may come in, and what follows from the last run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request
from rapidfuzz import process

from worker.config import ConsoleSettings
from worker.cycle.context import Context
from worker.web.access import Access, Attempts, Visitor
from worker.web.guard import HOLD
from worker.web.insight import Insights
from worker.web.metrics import Metrics

SESSION = "rayline_session"
NOTION = "https://www.notion.so/"
PAGE = re.compile(r"^https://(?:www\.notion\.so|app\.notion\.com)/.*?([0-9a-f]{32})$")
"""The address of a page as Notion itself gives it."""
NEAR = 60.0
"""How like a known name one must be to be meant by it, of 100."""


def notion_address(page_id: str) -> str:
    """Return where people open a page of Notion."""
    return NOTION + page_id.replace("-", "")


class NotSignedIn(Exception):
    """Nobody is known to have made the request."""


class TooManyFailed(Exception):
    """So many attempts to come in failed that nobody is listened to for `wait` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


class NotAllowed(Exception):
    """Who made the request may only look; or the form was not made for them (`is_forged`)."""

    def __init__(self, *, is_forged: bool = False) -> None:
        super().__init__()
        self.is_forged = is_forged


class NotThere(Exception):
    """What was named does not exist; `nearest` is what may have been meant."""

    def __init__(self, kind: str, name: str, nearest: str = "") -> None:
        super().__init__(name)
        self.kind, self.name, self.nearest = kind, name, nearest


class KeyTaken(Exception):
    """The key of a request was used for something else before."""


@dataclass(frozen=True, slots=True)
class Desk:
    """`contexts` gives the workspaces as they are configured now; `page_url` where people open a page; `boards_url` is a
    place to look at all boards, where there is one."""

    contexts: Callable[[], Mapping[str, Context]]
    settings: ConsoleSettings
    access: Access
    page_url: Callable[[str], str] = notion_address
    boards_url: str = ""
    attempts: Attempts = field(default_factory=Attempts)
    insights: Insights = field(default_factory=Insights)
    metrics: Metrics = field(default_factory=Metrics)

    def workspace(self, name: str) -> Context:
        """Return a workspace by name; raises `NotThere` with the nearest one."""
        contexts = self.contexts()
        if name in contexts:
            return contexts[name]
        raise NotThere("workspace", name, nearest(name, contexts))

    def link(self, url: str) -> str:
        """Return where a link leads people: to a page of Notion as this desk opens pages, anywhere else as it says."""
        page = PAGE.search(url)
        return self.page_url(page[1]) if page else url

    def visitor(self, request: Request) -> Visitor:
        """Return who makes a request in a browser; raises `NotSignedIn`."""
        visitor = self.known(request)
        if visitor is None:
            raise NotSignedIn
        return visitor

    def known(self, request: Request) -> Visitor | None:
        """Return who makes a request in a browser, None when nobody is signed in."""
        cookie = request.cookies.get(SESSION, "")
        visitor = self.access.by_session(cookie) if cookie else None
        return visitor or self._introduced(request)

    def bearer(self, request: Request) -> Visitor | None:
        """Return whose token a program shows."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        return self.access.by_token(token.strip())

    def caller(self, request: Request) -> str:
        """Return the address whose failed attempts count: behind a trusted proxy the one that called it, by the last
        entry of X-Forwarded-For, which the proxy itself wrote."""
        peer = address_of(request)
        if peer not in self.settings.proxies:
            return peer
        entries = ",".join(request.headers.getlist("x-forwarded-for"))
        return entries.rpartition(",")[2].strip() or peer

    def listen_to(self, request: Request) -> None:
        """Raise `TooManyFailed` while nobody of the caller's address is listened to."""
        wait = self.attempts.wait(self.caller(request))
        if wait:
            raise TooManyFailed(wait)

    def note_failure(self, request: Request) -> None:
        """Remember that the caller failed to come in; its answer may be held back."""
        held_back = self.attempts.note_failure(self.caller(request))
        request.scope["state"][HOLD] = held_back

    def _introduced(self, request: Request) -> Visitor | None:
        """Return whom a trusted proxy names; a name that was said twice was said by somebody else too."""
        names = (
            request.headers.getlist(self.settings.user_header)
            if self.settings.user_header
            else []
        )
        if len(names) != 1 or address_of(request) not in self.settings.proxies:
            return None
        return self.access.by_name(names[0])


def nearest(name: str, known: Mapping[str, object] | list[str]) -> str:
    """Return the known name that is most like one, empty when none is."""
    match = process.extractOne(name, list(known), score_cutoff=NEAR)
    return str(match[0]) if match else ""


def address_of(request: Request) -> str:
    """Return from which address a request came."""
    return request.client.host if request.client else ""


def desk_of(request: Request) -> Desk:
    """Return the desk of the application that answers."""
    desk: Desk = request.app.state.desk
    return desk
