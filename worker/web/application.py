"""The whole application: pages, interface for programs, and what each error is answered with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from worker import __version__
from worker.domain.messages import NOTHING, Text, message, render, tell
from worker.domain.text import visible
from worker.domain.words import Words
from worker.errors import Code, ConfigError, QueueFull, StateFault
from worker.web import actions, api, console, counterparts, doors, feed, hooks, what_if
from worker.web.desk import (
    Desk,
    KeyTaken,
    NotAllowed,
    NotSignedIn,
    NotThere,
    TooManyFailed,
    desk_of,
)
from worker.web.guard import App, Guard, Message, host_name
from worker.web.inputs import Unreadable, refuse_controls
from worker.web.screens import path_of, show, words_for, words_for_all

log = structlog.get_logger("worker.web")
PROGRAMS = ("/api/", "/metrics", "/hooks/")
"""Paths at which programs ask: they are answered with JSON, and signed in by tokens alone."""
OWN_NAMES = ("127.0.0.1", "localhost", "::1")
KINDS = {
    "workspace": message("workspace"),
    "run": message("run"),
    "plan": message("plan"),
    "client": message("client"),
    "problem": message("problem"),
    "counterpart": message("counterpart"),
    "request": message("request"),
    "calendar": message("calendar"),
}
TITLES = {
    400: message("This request makes no sense"),
    403: message("This is not allowed"),
    404: message("There is nothing here"),
    405: message("This is not done so"),
    408: message("The request took too long"),
    409: message("This cannot be done now"),
    413: message("This is too large"),
    421: message("This is not served here"),
    422: message("This request makes no sense"),
    429: message("Too many requests"),
    500: message("Something is broken"),
    503: message("The state does not answer"),
}


def make_application(desk: Desk, hosts: Collection[str] = ()) -> App:
    """Return the application behind its guard; `hosts` are the names it may be called by, loopback's beside them."""
    application = FastAPI(
        title="Rayline",
        version=__version__,
        description="What Rayline knows of each workspace, and asking it for a run.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        dependencies=[Depends(refuse_controls)],
    )
    application.state.desk = desk
    for router in (
        doors.router,
        console.router,
        actions.router,
        what_if.router,
        counterparts.router,
        api.router,
        api.probes,
        hooks.router,
        feed.router,
    ):
        application.include_router(router)
    static = StaticFiles(directory=Path(__file__).with_name("static"))
    application.mount("/static", static, name="static")
    for kind, answer in ANSWERS.items():
        application.add_exception_handler(kind, answer)
    given = (*desk.settings.hosts, *hosts)
    names = {*OWN_NAMES, *(host_name(name) or name.lower() for name in given)}

    def refuse(scope: Message, status: int, reason: Text) -> App:
        # A host that is refused is no part of any address; the rest of the head tells the language and colours.
        headers = [pair for pair in scope["headers"] if pair[0] != b"host"]
        seen = {**scope, "headers": headers, "app": application}
        return _fault(Request(seen), status, reason)

    https = desk.settings.https
    return Guard(application, refuse, frozenset(names), https=https)


def _fault(request: Request, status: int, reason: Text = NOTHING) -> Response:
    """Return an error: JSON for programs, a page for people."""
    heading = TITLES.get(status, TITLES[400])
    if request.scope["path"].startswith(PROGRAMS):
        words = words_for(request, None)
        title = words.say(heading)
        text = _in_words(reason, words)
        return JSONResponse({"error": title, "message": text or title}, status)
    return _fault_page(request, status, heading, reason)


def _fault_page(request: Request, status: int, heading: str, reason: Text) -> Response:
    """Return the page of an error; who is signed in keeps the way on, in the language of the page that was asked for."""
    desk = desk_of(request)
    visitor = desk.known(request)
    words = words_for(request, None)
    workspace = None
    if visitor is not None:
        contexts = desk.contexts()
        context = contexts.get(request.path_params.get("workspace", ""))
        words = words_for_all(request, contexts.values())
        if context is not None:
            workspace = context.name
            words = words_for(request, context)

    title = words.say(heading)
    values = {"title": title, "text": _in_words(reason, words), "workspace": workspace}
    return show(
        request, "fault.html", values, visitor=visitor, words=words, status=status
    )


def _in_words(reason: Text, words: Words) -> str:
    if reason:
        return render(reason, words)
    return ""


def _not_signed_in(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith(PROGRAMS):
        answer = _fault(request, 401, tell("show a token: Authorization: Bearer TOKEN"))
        answer.headers["www-authenticate"] = "Bearer"
        return answer
    if request.method != "GET":
        return RedirectResponse("/sign-in", 303)
    return RedirectResponse(f"/sign-in?back={quote(path_of(request), safe='')}", 303)


def _too_many_failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooManyFailed)
    reason = tell(
        "too many attempts failed; try again in {seconds} s", seconds=error.wait
    )
    answer = _fault(request, 429, reason)
    answer.headers["retry-after"] = str(error.wait)
    return answer


def _not_allowed(request: Request, error: Exception) -> Response:
    is_forged = isinstance(error, NotAllowed) and error.is_forged
    reason = (
        tell("this form was not made for you, or is too old: load its page again")
        if is_forged
        else tell("your role is viewer: it looks and does not act")
    )
    return _fault(request, 403, reason)


def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotThere)
    kind = tell(KINDS[error.kind])
    if not error.name:
        return _fault(request, 404)
    name = visible(error.name)
    reason = tell("there is no {kind} “{name}”", kind=kind, name=name)
    if error.nearest:
        reason = tell(
            "there is no {kind} “{name}”; perhaps “{nearest}” is meant",
            kind=kind,
            name=name,
            nearest=visible(error.nearest),
        )
    return _fault(request, 404, reason)


def _key_taken(request: Request, _error: Exception) -> Response:
    return _fault(
        request, 409, tell("this Idempotency-Key was used for something else")
    )


def _state_away(request: Request, error: Exception) -> Response:
    log.error("state.failed", error=type(error).__name__, reason=_reason(error))
    sentence = (
        tell("{what}: {advice}", what=error.fault, advice=error.way_out)
        if isinstance(error, StateFault)
        else tell("the database is locked or away; try again in a while")
    )
    answer = _fault(request, 503, sentence)
    answer.headers["retry-after"] = "10"
    return answer


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, StateFault) else ""


def _refused(request: Request, error: Exception) -> Response:
    """Answer what the use case itself refuses: a client that is not there, a queue that is full."""
    if isinstance(error, QueueFull):
        answer = _fault(
            request, 429, tell("{number} requests wait already", number=error.waiting)
        )
        answer.headers["retry-after"] = "60"
        return answer
    assert isinstance(error, ConfigError)
    problem, *_ = error.problems
    status = 404 if problem.code == Code.SCOPE else 409
    reason = (
        tell("{what}: {advice}", what=problem.message, advice=problem.hint)
        if problem.hint
        else problem.message
    )
    return _fault(request, status, reason)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _fault(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = ", ".join(sorted({str(each["loc"][-1]) for each in error.errors()}))
    reason = tell("what cannot be read: {fields}", fields=fields)
    return _fault(request, 422, reason)


def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unreadable)
    return _fault(
        request, 422, tell("what cannot be read: {fields}", fields=error.field)
    )


def _broken(request: Request, error: Exception) -> Response:
    log.error("bug", error=type(error).__name__, exc_info=error)
    return _fault(request, 500, tell("the log says more"))


ANSWERS: dict[type[Exception], Callable[[Request, Any], Response]] = {
    NotSignedIn: _not_signed_in,
    TooManyFailed: _too_many_failed,
    NotAllowed: _not_allowed,
    NotThere: _not_there,
    KeyTaken: _key_taken,
    SQLAlchemyError: _state_away,
    ConfigError: _refused,
    QueueFull: _refused,
    HTTPException: _http,
    RequestValidationError: _invalid,
    Unreadable: _unreadable,
    Exception: _broken,
}
logging.getLogger("uvicorn.error").addFilter(lambda record: record.exc_info is None)
"""What breaks is logged by `_broken` already, without the values that a trace of the server would hold."""
