"""Jira's failures, translated once. Everything here reads, so that whatever may pass is simply asked again.

The package's error texts and retries are not used: the first carry cookies, the second ignore what the server said
(docs/facts/jira-api.md 1.4).
"""

from __future__ import annotations

from typing import Any

import msgspec
import requests

from worker.errors import ApiError, Denied, Missing, Rejected, Transient
from worker.http.retry import Setback, read_retry_after
from worker.http.secrets import redact

API = "jira"
REDIRECTED = "redirected to another address: is the base URL right?"
REMOVED = "this endpoint was removed from Jira"


class Forbidden(Exception):
    """A request this program must never send: a write, or one to another host."""


def translate_failure(error: Exception, call: str, secrets: tuple[str, ...]) -> Setback:
    """Return what a failed attempt means; `call` is method and path."""
    match error:
        case requests.TooManyRedirects():
            return Setback(Rejected(API, call, REDIRECTED))
        case Forbidden() | requests.exceptions.InvalidURL():
            return Setback(Rejected(API, call, redact(str(error), secrets)))
        case requests.exceptions.InvalidSchema() | requests.exceptions.MissingSchema():
            return Setback(
                Rejected(API, call, "the base URL is not an http or https address")
            )
        case requests.Timeout():
            return Setback(Transient(API, call, "timed out"), again=True)
        case msgspec.DecodeError() | ValueError() | RecursionError():
            return Setback(
                Transient(API, call, "the answer is not the JSON expected"), again=True
            )
        case _:
            return Setback(
                Transient(
                    API, call, redact(f"{type(error).__name__}: {error}", secrets)
                ),
                again=True,
            )


def translate_answer(
    response: requests.Response, call: str, secrets: tuple[str, ...]
) -> Setback:
    """Return what an answer other than 2xx means."""
    status = response.status_code
    detail = redact(_messages_of(response) or f"HTTP {status}", secrets)
    if status == 429 or status >= 500 or status in (408, 409, 425):
        wait = read_retry_after(response.headers)
        error = Transient(
            API,
            call,
            detail,
            status=status,
            request_id=_trace(response),
            retry_after=wait,
        )
        return Setback(error, again=True, wait=wait)
    kind: type[ApiError] = {401: Denied, 403: Denied, 404: Missing, 410: Missing}.get(
        status, Rejected
    )
    if status == 410:
        detail = redact(f"{REMOVED}: {detail}", secrets)
    if 300 <= status < 400:
        detail = REDIRECTED
    return Setback(kind(API, call, detail, status=status, request_id=_trace(response)))


def _trace(response: requests.Response) -> str:
    return (
        response.headers.get("atl-traceid")
        or response.headers.get("x-arequestid")
        or ""
    )


def _messages_of(response: requests.Response) -> str:
    """Return the messages of an error answer, or why a login was refused."""
    denied = response.headers.get("x-authentication-denied-reason")
    if denied:
        return denied
    try:
        body: Any = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    fields = (
        [f"{name}: {text}" for name, text in errors.items()]
        if isinstance(errors, dict)
        else []
    )
    messages = body.get("errorMessages")
    messages = list(map(str, messages)) if isinstance(messages, list) else []
    single = [str(body[name]) for name in ("errorMessage", "message") if body.get(name)]
    return "; ".join([*messages, *fields, *single])
