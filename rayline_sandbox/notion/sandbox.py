"""The emulator as one object: a lock, the store, the budgets, the fault plan and the log."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from rayline_sandbox.faults import BEFORE, FaultPlan, Rule, spoil
from rayline_sandbox.notion import people
from rayline_sandbox.notion.errors import NotionError
from rayline_sandbox.notion.events import Events
from rayline_sandbox.notion.faults import (
    COMMITTED,
    ERRORS,
    KINDS,
    LATE,
    SAVED,
    SHAPES,
    LateWrites,
    bent,
    committed_503,
)
from rayline_sandbox.notion.files import serve_file
from rayline_sandbox.notion.journal import LogEntry, count
from rayline_sandbox.notion.limiter import OWN, SPACE, Budget
from rayline_sandbox.notion.richtext import plain_rich_text
from rayline_sandbox.notion.router import (
    Match,
    about,
    answer,
    check_token,
    find_route,
    refusal,
)
from rayline_sandbox.notion.store import WORKSPACE, Page, Store
from rayline_sandbox.server_date import ServerDate
from rayline_sandbox.wire import Clock, Request, Response, named_wait

LOGGER = logging.getLogger(__name__)
LOG_LENGTH = 200_000
VIEWER = "x-sandbox-viewer"


class NotionSandbox:
    """A stateful Notion workspace with one connection (docs/facts/reliability.md 3.2).

    `limit` requests per `window` seconds of `real` time per connection (None: no limit); content times come from
    `clock`. `empty=False` adds two members to the workspace. Thread-safe.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 7,
        limit: int | None = 180,
        window: float = 60.0,
        empty: bool = True,
        real: Callable[[], float] = time.monotonic,
        known_token: bool = False,
    ) -> None:
        self._lock = threading.RLock()
        self._real = real
        self.store = Store(clock, seed)
        seeded = self.store.ids.token()
        # Whoever knows the program knows the seeded token, and may reach the port.
        self.token = seeded if known_token else f"ntn_{secrets.token_hex(23)}"
        self.bot_id = self.store.bot_id
        self.owner_id = self.store.add_user(
            "Workspace owner", email="owner@example.com"
        ).id
        self.root_page_id = self._add_root("Rayline")
        self.private_root_page_id = ""
        self.own = Budget(limit, window, OWN, real)
        self.space = Budget(None, window, SPACE, real)
        self.faults = FaultPlan(KINDS, shapes=SHAPES, act=self.control)
        self.late = LateWrites()
        self.date = ServerDate(self.now)
        self.events = Events(self.store)
        self.log: deque[LogEntry] = deque(maxlen=LOG_LENGTH)
        self._sequence = 0
        self.revoked = False
        if not empty:
            for name in ("Anna Petrova", "Boris Orlov"):
                self.store.add_user(
                    name, email=f"{name.split()[0].lower()}@example.com"
                )

    def add_private_root(self) -> str:
        """Add a second page, shared with the connection, for what few people may see; return its id."""
        with self._lock:
            self.private_root_page_id = self.private_root_page_id or self._add_root(
                "Rayline · private"
            )
            return self.private_root_page_id

    def _add_root(self, title: str) -> str:
        page = Page(
            id=self.store.ids.content(),
            parent=WORKSPACE,
            **self.store.stamps(self.owner_id),
        )
        page.values["title"] = plain_rich_text(title)
        self.store.pages[page.id] = page
        self.store.shared[page.id] = True
        return page.id

    def handle(self, request: Request) -> Response:
        """Answer one request and log it."""
        return self.date.stamp(self._handle(request))

    def _handle(self, request: Request) -> Response:
        with self._lock:
            self.commit_late()
            if (file := serve_file(self.store, request)) is not None:
                return file
            match = find_route(request)
            if VIEWER in request.headers:
                return self._view(request, match)
            entry = self._entry(request, match)
            response = self._respond(request, match, entry)
            entry.status = response.status
            entry.wait = named_wait(response)
            entry.page_id = entry.page_id or about(match, response)
            if entry.write:
                self.events.tell(self.bot_id)
            return response

    def _view(self, request: Request, match: Match | None) -> Response:
        """Answer a read of the browser view: no budget, no fault, no log; a write is refused."""
        try:
            check_token(request, self.token)
            if match and match.endpoint.write:
                raise NotionError(
                    403, "restricted_resource", "The browser view only reads."
                )
            return answer(self.store, request, match)
        except NotionError as error:
            return refusal(self.store, error)

    def revision(self) -> int:
        """Return the number of requests and human actions so far: while it stands still, so does the workspace."""
        return self._sequence

    def control(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Do what a person or the tester does outside the API; raises ValueError with a clear text."""
        with self._lock:
            self.commit_late()
            try:
                return people.perform(self, action, payload)
            finally:
                self.events.tell(people.actor_of(self, payload))

    def counts(self) -> dict[str, Any]:
        """Return the request counts so far."""
        return count(self.log)

    def note(self, action: str, actor: str, subject: str, summary: str) -> None:
        """Log a human action."""
        self._sequence += 1
        self.log.append(
            LogEntry(
                self._sequence,
                self.store.now(),
                actor,
                "CONTROL",
                action,
                kind=action,
                write=True,
                outcome="committed",
                summary=summary,
                page_id=subject,
            )
        )

    def _entry(self, request: Request, match: Match | None) -> LogEntry:
        self._sequence += 1
        entry = LogEntry(
            self._sequence,
            self.store.now(),
            self.bot_id,
            request.method,
            request.path,
            kind=match.endpoint.kind if match else "",
            write=bool(match and match.endpoint.write),
            summary=request.body[:200].decode("utf-8", "replace"),
        )
        self.log.append(entry)
        return entry

    def _respond(
        self, request: Request, match: Match | None, entry: LogEntry
    ) -> Response:
        rule = self.faults.strike(request)
        shapes = self.faults.shaping(request)
        try:
            if rule and rule.kind in ERRORS:
                raise ERRORS[rule.kind](rule, self.date.now())
            if rule and rule.kind in BEFORE:
                entry.outcome = f"fault:{rule.kind}"
                return BEFORE[rule.kind]
            self._admit(request)
            if rule and rule.kind == LATE:
                self.late.postpone(request, rule, now=self.store.now())
                entry.outcome = f"fault:{rule.kind}"
                return Response(0, fault="hang")
            usual = self.store.lag
            self.store.lag = bent(usual, shapes)
            try:
                response = self._answer(request, match, entry)
            finally:
                self.store.lag = usual
            entry.page_id = about(match, response)
            entry.outcome = "committed" if entry.write else "read"
            return self._spoil(rule, response, entry) if rule else response
        except NotionError as error:
            entry.outcome = (
                f"fault:{rule.kind}"
                if rule and rule.kind in ERRORS
                else _refused(error)
            )
            return refusal(self.store, error)

    def _answer(
        self, request: Request, match: Match | None, entry: LogEntry
    ) -> Response:
        try:
            return answer(self.store, request, match)
        except (TypeError, AttributeError, KeyError, ValueError, IndexError) as error:
            LOGGER.exception("%s %s", request.method, request.path)
            entry.summary = f"{type(error).__name__}: {error} | {entry.summary}"[:400]
            raise NotionError(
                500, "internal_server_error", "Unexpected error occurred."
            ) from error

    def _admit(self, request: Request) -> None:
        if self.revoked:
            raise NotionError(401, "unauthorized", "API token is invalid.")
        check_token(request, self.token)
        self.space.spend()
        self.own.spend()

    def _spoil(self, rule: Rule, response: Response, entry: LogEntry) -> Response:
        entry.outcome = f"fault:{rule.kind}" + ("+committed" if entry.write else "")
        if rule.kind in (COMMITTED, SAVED):
            names_it = rule.kind == COMMITTED
            saved = committed_503(response, entry.page_id, names_it=names_it)
            return refusal(self.store, saved)
        return spoil(rule, response, now=self.date.now())

    def commit_late(self) -> None:
        """Carry out the postponed writes whose time has come."""
        for request in self.late.due(self.store.now()):
            match = find_route(request)
            entry = self._entry(request, match)
            try:
                response = self._answer(request, match, entry)
                entry.status = response.status
                entry.page_id = about(match, response)
            except NotionError as error:
                entry.status = error.status
            entry.outcome = "late_commit"
            self.events.tell(self.bot_id)

    def entries(self, since: int = 0) -> list[LogEntry]:
        """Return the log after sequence number `since`."""
        log = list(self.log)  # at once: other threads write it meanwhile
        return [entry for entry in log if entry.seq > since]

    def now(self) -> datetime:
        """Return the present instant of the virtual clock."""
        return self.store.now()

    def close(self) -> None:
        """Send no more events."""
        self.events.lanes.close()


def _refused(error: NotionError) -> str:
    return "limited" if error.status in (429, 529) else "refused"
