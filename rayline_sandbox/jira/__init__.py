"""A stateful Jira: Cloud v3 with Agile, or Data Center v2, as one handler with a control channel for people and faults.

`docs/facts/jira-api.md` is what it is built after; each module names the sections it follows.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo

from rayline_sandbox.faults import FaultPlan
from rayline_sandbox.jira.catalogue import ALL_ROUTES
from rayline_sandbox.jira.faults import ERRORS, SHAPES
from rayline_sandbox.jira.limits import Limiter
from rayline_sandbox.jira.model import Json
from rayline_sandbox.jira.people import People
from rayline_sandbox.jira.raw_issues import load_lines
from rayline_sandbox.jira.router import Router, base_of
from rayline_sandbox.jira.site import Site
from rayline_sandbox.jira.store import Store
from rayline_sandbox.jira.walks import Walks
from rayline_sandbox.jira.webhooks import Webhooks
from rayline_sandbox.server_date import ServerDate
from rayline_sandbox.wire import Clock, Request, Response, named_wait

_LOG = logging.getLogger(__name__)
_LOG_LENGTH = 50_000
LOADING = frozenset({"load", "load_jsonl"})
"""Actions that set a site up, of which nobody is told."""


class JiraSandbox:
    """One Jira site of one deployment, seen by one service account."""

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 7,
        deployment: str = "cloud",
        time_zone: str = "Europe/Moscow",
        limit: int | None = None,
        real: Callable[[], float] = time.monotonic,
        known_token: bool = False,
    ) -> None:
        if deployment not in ("cloud", "datacenter"):
            raise ValueError(f"deployment is cloud or datacenter, not {deployment!r}")
        self._lock = threading.RLock()
        self.email = "rayline@sandbox.invalid"
        seeded = f"{random.Random(seed).getrandbits(96):024x}"
        # Whoever knows the program knows the seeded token, and may reach the port.
        self.token = f"sandbox-{seeded if known_token else secrets.token_hex(12)}"
        self._site = _site(
            clock,
            seed=seed,
            deployment=deployment,
            time_zone=time_zone,
            email=self.email,
        )
        self.webhooks = Webhooks(self._site)
        self._site.webhooks = self.webhooks
        self._faults = FaultPlan(ERRORS, shapes=SHAPES, act=self.control)
        self._date = ServerDate(clock.now)
        limiter = Limiter(limit, real, clock.now)
        self._router = Router(
            self._site,
            ALL_ROUTES,
            email=self.email,
            token=self.token,
            limiter=limiter,
            faults=self._faults,
            date=self._date,
        )
        self.log: deque[Json] = deque(maxlen=_LOG_LENGTH)
        self._requests: Counter[str] = Counter()
        self._people = People(
            self._site,
            faults=self._faults,
            limiter=limiter,
            log=self.log,
            requests=self._requests,
            webhooks=self.webhooks,
        )

    def handle(self, request: Request) -> Response:
        """Answer one request; what nobody foresaw is logged with its trace and raised."""
        return self._date.stamp(self._handle(request))

    def _handle(self, request: Request) -> Response:
        with self._lock:
            try:
                response, endpoint, befell = self._router.answer(request)
            except Exception:
                _LOG.exception(
                    "%s %s could not be answered", request.method, request.path
                )
                raise
            self._requests[endpoint] += 1
            self._tell(request, response)
            self.log.append(
                {
                    "at": self._site.clock.now().isoformat(),
                    "method": request.method,
                    "path": request.path,
                    "query": [list(pair) for pair in request.query],
                    "endpoint": endpoint,
                    "status": response.status,
                    "fault": befell,
                    "wait": named_wait(response),
                }
            )
            return response

    def _tell(self, request: Request, response: Response) -> None:
        """Tell those who subscribed what a request has changed; what was refused has changed nothing."""
        if 400 <= response.status < 500:
            self.webhooks.forget()
        elif request.method != "GET":
            self.webhooks.tell(base_of(request))

    def control(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Act as a person or set the site up; actions and payloads are listed in `people`."""
        with self._lock:
            if action == "date":
                return self._date.set(payload)
            try:
                answer = self._people.act(action, payload)
            except Exception:
                self.webhooks.forget()
                raise
            if action in LOADING:
                self.webhooks.forget()
            else:
                self.webhooks.tell()
            return answer

    def close(self) -> None:
        """Send no more events."""
        self.webhooks.lanes.close()

    def load_jsonl(self, lines: Iterable[bytes | str]) -> int:
        """Load raw issues, one JSON object a line, and return how many; what was wrong is in `control("problems")`."""
        with self._lock:
            report = load_lines(self._site, lines)
            self._people.problems.extend(report["problems"])
            self.webhooks.forget()
            return int(report["issues"])


def _site(
    clock: Clock, *, seed: int, deployment: str, time_zone: str, email: str
) -> Site:
    sites: list[Site] = []
    store = Store(lambda: sites[0].now(), seed=seed, deployment=deployment)
    me = store.add_user("Rayline Service", email, name="rayline", zone=time_zone)
    bits = store.random.getrandbits(128)
    cloud_id = str(uuid.UUID(int=bits, version=4))
    site = Site(
        store,
        clock,
        me,
        ZoneInfo(time_zone),
        deployment == "cloud",
        Walks(seed),
        cloud_id,
    )
    sites.append(site)
    return site


__all__ = ["JiraSandbox"]
