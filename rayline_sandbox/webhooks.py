"""Sending events to who subscribed, as both services do: in the background, signed, again until it is acknowledged.

What causes an event never waits for its delivery. Only this machine is sent to: a sandbox is no way into a network. Each
subscription has a lane of its own, so that a receiver that hangs keeps nobody else waiting; its thread lives only while
something waits. Delays are in real seconds, multiplied by the subscription's `scale`.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import itertools
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from rayline_sandbox.arguments import count_of, seconds_of
from rayline_sandbox.control import LOOPBACK_NAMES

Json = dict[str, Any]
MOST_WAITING = 10_000
"""Events that wait for one receiver; what comes beyond is dropped and counted."""
LOG_LENGTH = 5_000
ANSWER_SECONDS = 30.0
"""How long a receiver may take to acknowledge."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is told: `id` is the same on each try. Of one `subject` (none when empty) one event waits at a time; `headers`
    are its own."""

    id: str
    type: str
    body: Json
    subject: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """When an event that was not acknowledged is sent again: after each of `delays`, where the status (0: no answer) is
    one that `repeats`."""

    delays: Sequence[float]
    repeats: Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a subscription is served: `window` seconds in which events of one subject become one, `scale` of all delays,
    `copies` of each event that is acknowledged, `shuffle` for no order, `most` that may wait."""

    window: float = 0.0
    scale: float = 1.0
    copies: int = 1
    shuffle: bool = False
    most: int = MOST_WAITING


Dress = Callable[[Event, int], tuple[Mapping[str, str], bytes]]
"""Gives headers and body of an event's attempt, the first being 1."""
Merge = Callable[[Event, Event], Event | None]
"""Gives the one event that tells of two; None when together they tell nothing."""
Acknowledged = Callable[[Event], None]


@dataclass(slots=True)
class _Waiting:
    event: Event | None
    attempt: int = 1


def read_manner(payload: Mapping[str, Any], usual: Manner) -> Manner:
    """Return how a payload wants to be served; raises `ValueError` in plain words."""
    times = {
        name: seconds_of(payload, name)
        for name in ("window", "scale")
        if payload.get(name) is not None
    }
    return Manner(
        times.get("window", usual.window),
        times.get("scale", usual.scale),
        count_of(payload, "copies") or usual.copies,
        bool(payload.get("shuffle", usual.shuffle)),
        count_of(payload, "most") or usual.most,
    )


def check_target(url: object) -> str:
    """Return an address of this machine; raises `ValueError` for any other."""
    if not isinstance(url, str):
        raise ValueError("url is the address of a receiver")
    try:
        parts = urlsplit(url)
        is_here = parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES
        is_here = is_here and parts.port != 0
    except ValueError:
        is_here = False
    if not is_here:
        raise ValueError(
            "the sandbox sends to this machine alone: url is http://127.0.0.1:PORT/PATH"
        )
    return url


def sign(secret: str, body: bytes) -> str:
    """Return the signature of a body: `sha256=HEX`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def encode(body: Json) -> bytes:
    """Return a body as it is sent."""
    return msgspec.json.encode(body)


@dataclass(slots=True)
class Log:
    """What became of the attempts to deliver, newest last."""

    entries: deque[Json] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))

    def note(self, lane: Lane, event: Event, attempt: int, status: int) -> None:
        """Keep how one attempt ended; status 0 is no answer."""
        entry = {
            "subscription": lane.id,
            "event": event.id,
            "type": event.type,
            "attempt": attempt,
            "status": status,
        }
        self.entries.append(entry)


class Lane:
    """One subscription's events on their way."""

    def __init__(
        self,
        identity: str,
        url: str,
        *,
        dress: Dress,
        policy: Policy,
        log: Log,
        manner: Manner | None = None,
        merge: Merge = lambda _, second: second,
        acknowledged: Acknowledged = lambda _: None,
    ) -> None:
        self.id = identity
        self.url = url
        self.dropped = 0
        self._dress = dress
        self._policy = policy
        self._log = log
        self._manner = manner or Manner()
        self._merge = merge
        self._acknowledged = acknowledged
        self._order = itertools.count()
        self._random = random.Random(identity)
        self._later: list[tuple[float, int, _Waiting]] = []
        self._ready: list[_Waiting] = []
        self._subjects: dict[str, _Waiting] = {}
        self._under_way = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, event: Event) -> None:
        """Have an event sent; one that waits for the same subject becomes one with it. Returns at once."""
        with self._changed:
            if self._closed:
                return
            waiting = self._subjects.get(event.subject) if event.subject else None
            if waiting is not None and waiting.event is not None:
                self._join(waiting, waiting.event, event)
            elif self._count() >= self._manner.most:
                self.dropped += 1
            else:
                self._add(event)

    def _join(self, waiting: _Waiting, first: Event, second: Event) -> None:
        waiting.event = self._merge(first, second)
        if waiting.event is None:
            del self._subjects[second.subject]

    def _add(self, event: Event) -> None:
        waiting = _Waiting(event)
        if event.subject:
            self._subjects[event.subject] = waiting
        self._schedule(waiting, self._manner.window if event.subject else 0.0)

    def _schedule(self, waiting: _Waiting, delay: float) -> None:
        entry = (time.monotonic() + delay, next(self._order), waiting)
        heapq.heappush(self._later, entry)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._serve, name=f"webhook-{self.id}", daemon=True
            )
            self._thread.start()
        self._changed.notify()

    def _count(self) -> int:
        return len(self._later) + len(self._ready) + self._under_way

    def waiting(self) -> int:
        """Return how many events are not done with."""
        with self._changed:
            return self._count()

    def pending(self) -> list[str]:
        """Return the types of the events that wait for their first attempt."""
        with self._changed:
            waiting = [*self._ready, *(entry[2] for entry in self._later)]
        return [one.event.type for one in waiting if one.event and one.attempt == 1]

    def close(self) -> None:
        """Send no more."""
        with self._changed:
            self._closed = True
            self._later.clear()
            self._ready.clear()
            self._changed.notify()

    def _serve(self) -> None:
        with httpx.Client(trust_env=False, timeout=ANSWER_SECONDS) as client:
            while (waiting := self._next()) is not None:
                self._attempt(client, waiting)

    def _next(self) -> _Waiting | None:
        """Return what is due, once it is; None when nothing waits any more."""
        with self._changed:
            while self._later or self._ready:
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    self._ready.append(heapq.heappop(self._later)[2])
                if self._ready:
                    return self._take()
                self._changed.wait(self._later[0][0] - now)
            self._thread = None
            return None

    def _take(self) -> _Waiting:
        place = 0
        if self._manner.shuffle:
            place = self._random.randrange(len(self._ready))
        waiting = self._ready.pop(place)
        if waiting.event is not None:
            # From here on the event is told as it is: what comes now is another one.
            self._subjects.pop(waiting.event.subject, None)
            self._under_way = 1
        return waiting

    def _attempt(self, client: httpx.Client, waiting: _Waiting) -> None:
        event = waiting.event
        if event is None:
            return
        status = self._send(client, event, waiting.attempt)
        is_taken = 200 <= status < 300
        if is_taken:
            for _ in range(self._manner.copies - 1):
                self._send(client, event, waiting.attempt)
            self._acknowledged(event)
        with self._changed:
            self._under_way = 0
            if not is_taken:
                self._send_again(waiting, status)

    def _send(self, client: httpx.Client, event: Event, attempt: int) -> int:
        headers, body = self._dress(event, attempt)
        try:
            answer = client.post(self.url, content=body, headers=dict(headers))
            status = answer.status_code
        except httpx.HTTPError:
            status = 0
        self._log.note(self, event, attempt, status)
        return status

    def _send_again(self, waiting: _Waiting, status: int) -> None:
        policy = self._policy
        is_last = waiting.attempt > len(policy.delays)
        if self._closed or is_last or not policy.repeats(status):
            return
        delay = policy.delays[waiting.attempt - 1]
        waiting.attempt += 1
        self._schedule(waiting, delay * self._manner.scale)


@dataclass(slots=True)
class Lanes:
    """The lanes of one side, and the log they share."""

    log: Log = field(default_factory=Log)
    by_id: dict[str, Lane] = field(default_factory=dict)

    def drop(self, identity: object) -> Lane:
        """End a subscription; `ValueError` when there is none."""
        lane = self.by_id.pop(str(identity), None)
        if lane is None:
            raise ValueError(f"no subscription {identity}")
        lane.close()
        return lane

    def close(self) -> None:
        """End all."""
        for identity in list(self.by_id):
            self.drop(identity)

    def shown(self, payload: Mapping[str, Any]) -> Json:
        """Return what was delivered (from entry `since` on), and what waits or was dropped."""
        since = count_of(payload, "since", least=0) or 0
        lanes = self.by_id.values()
        return {
            "entries": list(self.log.entries)[since:],
            "waiting": sum(lane.waiting() for lane in lanes),
            "dropped": sum(lane.dropped for lane in lanes),
        }
