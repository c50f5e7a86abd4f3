"""The in-process way into an emulator for clients built over `requests`, as `HandlerTransport` is for httpx."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from rayline_sandbox.wire import Handler, Response, from_parts


class HandlerAdapter(BaseAdapter):
    """Mounted on a session, answers its requests through a handler; faults are raised as a client would see them."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Answer one request; the body can be read from `raw` as from a connection."""
        body = request.body or b""
        answer = self._handler(
            from_parts(
                request.method or "GET",
                request.url or "",
                dict(request.headers),
                body if isinstance(body, bytes) else str(body).encode(),
            )
        )
        match answer.fault:
            case "reset":
                raise requests.ConnectionError("connection reset", request=request)
            case "hang" | "drip":
                raise requests.ReadTimeout("timed out", request=request)
        return _response(request, answer)

    def close(self) -> None:
        """There is nothing to close."""


def _response(request: requests.PreparedRequest, answer: Response) -> requests.Response:
    body = (
        answer.body[: len(answer.body) // 2]
        if answer.fault == "truncate"
        else answer.body
    )
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(
        {"content-length": str(len(answer.body)), **answer.headers}
    )
    response.raw = io.BytesIO(body)
    response.url = request.url or ""
    response.request = request
    return response
