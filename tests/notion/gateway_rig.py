"""What the gateway's tests share: virtual time, a scripted server, and a gateway wired to both."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from pydantic import SecretStr

from worker.config import NotionSettings
from worker.http.deadline import Deadline
from worker.notion.gateway import NotionGateway

CANARY = "ntn_canary0123456789abcdefghijklmnopqrstuvwxyz"
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class VirtualTime:
    """A clock that moves only when somebody sleeps. Thread-safe."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def monotonic(self) -> float:
        """Return the present."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


class Script:
    """A transport that gives prepared answers in order, then the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Give the next answer."""
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def bodies(self) -> list[dict[str, Any]]:
        """Return the JSON bodies received."""
        return [json.loads(request.content) for request in self.requests]


def page(number: int, **more: Any) -> dict[str, Any]:
    """Return a row created `number` minutes after the epoch of the tests."""
    stamp = f"2026-11-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00.000Z"
    return {
        "object": "page",
        "id": f"page-{number}",
        "created_time": stamp,
        "properties": {},
        **more,
    }


def listing(
    rows: Iterable[dict[str, Any]], cursor: str | None = None, **more: Any
) -> httpx.Response:
    """Return one page of a list."""
    body = {
        "object": "list",
        "results": list(rows),
        "has_more": cursor is not None,
        "next_cursor": cursor,
        **more,
    }
    return httpx.Response(200, json=body)


def refusal(
    status: int,
    code: str,
    message: str = "no",
    *,
    headers: dict[str, str] | None = None,
    **additional: Any,
) -> httpx.Response:
    """Return an error answer."""
    body = {
        "object": "error",
        "status": status,
        "code": code,
        "message": message,
        "request_id": "request-1",
        "additional_data": additional,
    }
    return httpx.Response(status, json=body, headers=headers)


def limited(
    seconds: int, reason: str = "public_api_request_rate_limit"
) -> httpx.Response:
    """Return a 429."""
    return refusal(
        429,
        "rate_limited",
        "slow down",
        headers={"retry-after": str(seconds)},
        rate_limit_reason=reason,
    )


def make(
    transport: httpx.BaseTransport | Script,
    *,
    time: VirtualTime | None = None,
    seconds: float = float("inf"),
    token: str = CANARY,
    **settings: Any,
) -> NotionGateway:
    """Return a gateway under virtual time that talks to `transport`."""
    time = time or VirtualTime()
    inner = (
        httpx.MockTransport(transport) if isinstance(transport, Script) else transport
    )
    return NotionGateway(
        NotionSettings(token=SecretStr(token), **settings),
        transport=inner,
        sleep=time.sleep,
        monotonic=time.monotonic,
        random=Random(1),
        deadline=Deadline(seconds, monotonic=time.monotonic),
    )
