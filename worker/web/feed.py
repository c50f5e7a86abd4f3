"""Calendars by secret address: whoever has the address reads the one calendar, and nothing else.

An address comes of `console.feed_key` and of whose calendar it is, so that none is kept anywhere; another key makes all
addresses anew.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import HTMLResponse, Response
from msgspec.structs import replace

from worker.codecs.calendar_file import MEDIA_TYPE, write_calendar
from worker.cycle.context import Context
from worker.locales import load_words
from worker.pages.view import View
from worker.web.calendar_events import Owner, list_events, list_owners
from worker.web.console import Chosen, Guest, Here, workspace_screen
from worker.web.desk import Desk, NotAllowed, NotThere

router = APIRouter(include_in_schema=False)
KEPT = "private, max-age=900"
"""A calendar may be shown anew for a quarter of an hour by who has it; nobody in between keeps it."""


class Calendar(NamedTuple):
    """One calendar: its workspace, whose it is, and the secret of its address."""

    context: Context
    view: View
    owner: Owner
    secret: str

    @property
    def path(self) -> str:
        """Return where it is read."""
        return f"/feed/{self.secret}.ics"


def list_calendars(desk: Desk, context: Context) -> Iterator[Calendar]:
    """Yield the calendars of a workspace; none before its first run has ended, or without a key."""
    key = desk.settings.feed_key.get_secret_value()
    view = desk.insights.view(context, context.words) if key else None
    if view is None:
        return
    for owner in list_owners(view):
        subject = "\n".join((context.name, str(owner.ref)))
        secret = hmac.new(key.encode(), subject.encode(), sha256).hexdigest()[:48]
        yield Calendar(context, view, owner, secret)


@router.api_route("/feed/{secret}.ics", methods=["GET", "HEAD"])
def read_calendar(
    request: Request,
    desk: Here,
    secret: Annotated[str, Path(max_length=200)],
    language: Annotated[Literal["en", "ru"] | None, Query()] = None,
    if_none_match: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """Return a calendar in its workspace's language or the one asked for; raises `NotThere` for a wrong address.

    Wrong addresses count as failed attempts to sign in.
    """
    desk.listen_to(request)
    calendar = _find(desk, secret)
    if calendar is None:
        desk.note_failure(request)
        raise NotThere("calendar", "")

    body = _written(calendar, language or calendar.context.settings.locale)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": KEPT}
    if _is_known(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)


def _find(desk: Desk, secret: str) -> Calendar | None:
    """Return the calendar of an address; every one is compared, whichever it is, in the same time."""
    shown = secret.encode("utf-8", "replace")
    meant = [
        calendar
        for context in desk.contexts().values()
        for calendar in list_calendars(desk, context)
        if hmac.compare_digest(calendar.secret.encode(), shown)
    ]
    return next(iter(meant), None)


def _written(calendar: Calendar, language: str) -> bytes:
    context, owner = calendar.context, calendar.owner
    words = load_words(language, context.settings.currency)
    view = replace(calendar.view, world=replace(calendar.view.world, words=words))
    return write_calendar(
        list_events(view, owner, context.schema),
        name=f"{owner.name} · Rayline",
        zone=context.settings.time_zone,
        workspace=context.name,
        language=language,
    )


def _is_known(tag: str, if_none_match: str) -> bool:
    """Tell whether the caller has this edition (RFC 9110 13.1.2: a weak comparison)."""
    tags = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return bool(tags & {tag, "*"})


@router.get("/w/{workspace}/calendars")
def calendars_page(
    request: Request, desk: Here, context: Chosen, visitor: Guest
) -> HTMLResponse:
    """Show an operator the addresses of all calendars."""
    if not visitor.may_act:
        raise NotAllowed
    return workspace_screen(
        request,
        "calendars.html",
        context,
        visitor=visitor,
        has_key=bool(desk.settings.feed_key.get_secret_value()),
        calendars=[
            (one.owner.name, one.owner.ref.source, f"{_base(request)}{one.path}")
            for one in list_calendars(desk, context)
        ],
    )


def _base(request: Request) -> str:
    desk: Desk = request.app.state.desk
    scheme = "https" if desk.settings.https else "http"
    return f"{scheme}://{request.headers['host']}"
