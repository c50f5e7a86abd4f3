"""Virtual time and an in-process adapter for `requests`: a Jira without sockets."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from rayline_sandbox.wire import Handler, Response, from_parts

BASE = "https://acme.example.net"


@dataclass
class VirtualTime:
    """A clock that moves only when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the present."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.slept.append(seconds)
        self.now += seconds


class HandlerAdapter(BaseAdapter):
    """Answers `requests` through a handler in process; faults become the errors a client would see."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Answer one request."""
        body = (
            request.body.encode()
            if isinstance(request.body, str)
            else request.body or b""
        )
        found = self._handler(
            from_parts(
                request.method or "", request.url or "", dict(request.headers), body
            )
        )
        if found.fault == "reset":
            raise requests.ConnectionError("connection reset by peer")
        if found.fault in ("hang", "drip"):
            raise requests.ReadTimeout("timed out")
        return _response(request, found)

    def close(self) -> None:
        """Do nothing: there are no connections."""


def _response(request: requests.PreparedRequest, found: Response) -> requests.Response:
    response = requests.Response()
    response.status_code = found.status
    response.headers = CaseInsensitiveDict(found.headers)
    whole = len(found.body)
    response.raw = io.BytesIO(
        found.body[: whole // 2] if found.fault == "truncate" else found.body
    )
    response.headers["content-length"] = str(whole)
    response.request, response.url = request, request.url or ""
    return response
