"""Jira's failures, translated once. Everything here reads, so that whatever may pass is simply asked again.

The package's error texts and retries are not used: the first carry cookies, the second ignore what the server said
(docs/facts/jira-api.md 1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import requests

from worker.domain.messages import message
from worker.errors import ApiError, Denied, Missing, Rejected, TooHeavy, Transient
from worker.http.obstacles import (
    Obstacle,
    Place,
    find_obstacle,
    find_stranger,
    is_refused,
)
from worker.http.retry import Setback, read_retry_after
from worker.http.secrets import redact

API = "jira"
REMOVED = "this endpoint was removed from Jira"
REFUSED = message(
    "nobody answers at this address: the server is being started, or the address or its port is wrong"
)
TIMED_OUT = message("it did not answer in time")
NO_CONNECTION = message("no connection came about in time")
HEAVY = (502, 504)
"""What stands before a server that does not come to an end with an answer says so."""
DENIED_LOGINS = (
    "AUTHENTICATED_FAILED",
    "AUTHENTICATION_DENIED",
    "AUTHORISATION_FAILED",
)
"""Values of X-Seraph-LoginReason with which Jira answers as it would to anybody, also with status 200."""
CAPTCHA = "Jira wants a CAPTCHA after several failed logins: sign in once with this account in a browser"


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, and of whom: `name` is method and path; `secrets` must not be shown."""

    name: str
    place: Place
    secrets: tuple[str, ...] = ()

    def redact(self, text: str) -> str:
        """Return a text that can be shown."""
        return redact(text, self.secrets)


class Oversized(requests.exceptions.ChunkedEncodingError):
    """The answer is larger than accepted."""


class Forbidden(Exception):
    """A request this program must never send: a write, or one to another host."""


def translate_failure(error: Exception, call: Call) -> Setback:
    """Return what a failed attempt means."""
    obstacle = _redirection(error, call) or find_obstacle(error, call.place)
    if obstacle is not None:
        return Setback(call.place.fails(call.name, obstacle))
    match error:
        case Forbidden() | requests.exceptions.InvalidURL():
            return Setback(Rejected(API, call.name, call.redact(str(error))))
        case requests.exceptions.InvalidSchema() | requests.exceptions.MissingSchema():
            return Setback(
                Rejected(API, call.name, "the base URL is not an http or https address")
            )
    return Setback(_passing(error, call), again=True)


def _redirection(error: Exception, call: Call) -> Obstacle | None:
    """Return where an answer sends to: requests raises it where none is followed."""
    if not isinstance(error, requests.TooManyRedirects) or error.response is None:
        return None
    answer = error.response
    return find_stranger(answer.status_code, answer.headers, b"", call.place)


def _passing(error: Exception, call: Call) -> Transient:
    match error:
        case requests.ConnectTimeout():
            return Transient(API, call.name, NO_CONNECTION)
        case requests.Timeout():
            return TooHeavy(API, call.name, TIMED_OUT)
        case Oversized():
            return TooHeavy(API, call.name, str(error))
        case msgspec.DecodeError() | ValueError() | RecursionError() if not isinstance(
            error, requests.RequestException
        ):
            return Transient(API, call.name, "the answer is not the JSON expected")
    if is_refused(error):
        return Transient(API, call.name, REFUSED)
    shown = call.redact(f"{type(error).__name__}: {error}")
    return Transient(API, call.name, shown)


def check_answer(response: requests.Response, call: Call) -> None:
    """Raise the `Setback` of an answer that is not what Jira gives to whom it knows."""
    stranger = find_stranger(
        response.status_code, response.headers, response.content, call.place
    )
    if stranger is not None:
        raise Setback(
            call.place.fails(call.name, stranger, status=response.status_code)
        )
    if response.status_code // 100 != 2:
        raise translate_answer(response, call)
    if _login(response.headers) in DENIED_LOGINS:
        reason = f"answered as to a stranger ({_login(response.headers)})"
        raise Setback(_error(Denied, reason, response, call))


def translate_answer(response: requests.Response, call: Call) -> Setback:
    """Return what an answer other than 2xx means."""
    status = response.status_code
    detail = call.redact(_messages_of(response) or f"HTTP {status}")
    if status == 429 or status >= 500 or status in (408, 409, 425):
        wait = read_retry_after(response.headers)
        kind = TooHeavy if status in HEAVY else Transient
        error = kind(
            API,
            call.name,
            detail,
            status=status,
            request_id=_trace(response),
            retry_after=wait,
        )
        return Setback(error, again=True, wait=wait)
    refusal: type[ApiError] = {
        401: Denied,
        403: Denied,
        404: Missing,
        410: Missing,
    }.get(status, Rejected)
    if status == 410:
        detail = call.redact(f"{REMOVED}: {detail}")
    return Setback(_error(refusal, detail, response, call))


def _error(
    kind: type[ApiError], detail: str, response: requests.Response, call: Call
) -> ApiError:
    return kind(
        API, call.name, detail, status=response.status_code, request_id=_trace(response)
    )


def _login(headers: Mapping[str, str]) -> str:
    """Return what Jira says of the login, of several words the last."""
    return headers.get("x-seraph-loginreason", "").rpartition(",")[2].strip()


def _trace(response: requests.Response) -> str:
    return (
        response.headers.get("atl-traceid")
        or response.headers.get("x-arequestid")
        or ""
    )


def _messages_of(response: requests.Response) -> str:
    """Return the messages of an error answer, or why a login was refused."""
    denied = response.headers.get("x-authentication-denied-reason", "")
    if denied.startswith("CAPTCHA_CHALLENGE"):
        return CAPTCHA
    if denied:
        return denied
    try:
        body: Any = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeError):
        return _login(response.headers)
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
