"""Pages from templates: in the visitor's language and colours, with nothing in them that a browser would obey."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from worker.cycle.context import Context
from worker.daemon.standing import say_trigger
from worker.domain.messages import Text, message, render
from worker.domain.words import Words
from worker.errors import Severity
from worker.locales import load_words
from worker.plan.reading import KINDS, Reader
from worker.state.runs import RunStatus
from worker.web.access import Visitor
from worker.web.desk import Desk
from worker.web.health import Light

LANGUAGES = {"en": "English", "ru": "Русский"}
THEMES = {
    "auto": message("As the system"),
    "light": message("Light"),
    "dark": message("Dark"),
}
A_SECOND = timedelta(seconds=1)
LANGUAGE, THEME = "rayline_language", "rayline_theme"
STATUSES = {
    RunStatus.RUNNING: message("at work"),
    RunStatus.DONE: message("done"),
    RunStatus.FAILED: message("failed"),
    RunStatus.REFUSED: message("refused"),
}
LIGHTS = {
    Light.GREY: message("not known"),
    Light.GREEN: message("fine"),
    Light.AMBER: message("look at it"),
    Light.RED: message("act"),
}
SEVERITIES = {
    Severity.ERROR: message("error"),
    Severity.WARNING: message("warning"),
    Severity.INFO: message("note"),
}
TEMPLATES = Environment(
    loader=PackageLoader("worker.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Voice:
    """What templates say things with: one language, and the zone of a workspace."""

    def __init__(self, words: Words, zone: str, now: datetime) -> None:
        self.words, self.now = words, now
        self._zone = ZoneInfo(zone)

    def say(self, text: str | Text, **values: object) -> str:
        """Return a sentence in the visitor's language."""
        if isinstance(text, Text):
            return render(text, self.words)
        return self.words.say(text, **values)

    def instant(self, at: datetime | None) -> str:
        """Return an instant on the workspace's clock; today's by its time alone."""
        if at is None:
            return "—"
        local = at.astimezone(self._zone)
        if local.date() == self.now.astimezone(self._zone).date():
            return f"{local:%H:%M:%S}"
        return f"{self.words.date(local.date())}, {local:%H:%M}"

    def ago(self, at: datetime | None) -> str:
        """Return how far an instant is from now, in one unit: `3 minutes ago`, `in 2 hours`."""
        if at is None:
            return "—"
        if abs(at - self.now) < A_SECOND:
            return self.words.say("now")
        text: str = format_timedelta(
            at - self.now, add_direction=True, locale=self.words.locale
        )
        return text

    def soon(self, at: datetime) -> str:
        """Return how far an instant ahead is; `now` once it has come."""
        return self.ago(at) if at > self.now else self.words.say("now")

    def trigger(self, trigger: str) -> str:
        """Return what a run was begun for."""
        return say_trigger(trigger, self.words)

    def day(self, day: date | None) -> str:
        """Return a day."""
        return "—" if day is None else self.words.date(day)


def language_of(request: Request, usual: str) -> str:
    """Return the language a visitor chose, else the usual one."""
    chosen = request.cookies.get(LANGUAGE, "")
    return chosen if chosen in LANGUAGES else usual


def theme_of(request: Request) -> str:
    """Return the colours a visitor chose."""
    chosen = request.cookies.get(THEME, "")
    return chosen if chosen in THEMES else "auto"


def words_for(request: Request, context: Context | None) -> Words:
    """Return the voice of a page: the language chosen, else the workspace's, else what the browser asks for."""
    if context is not None:
        settings = context.settings
        return load_words(language_of(request, settings.locale), settings.currency)
    asked = asked_language(request.headers.get("accept-language", ""))
    return load_words(language_of(request, asked), "")


def words_for_all(request: Request, contexts: Iterable[Context]) -> Words:
    """Return the voice of a page about several workspaces: the language chosen, else the one they share, else what the
    browser asks for."""
    shared = {context.settings.locale for context in contexts}
    if len(shared) != 1:
        return words_for(request, None)
    return load_words(language_of(request, shared.pop()), "")


def asked_language(header: str) -> str:
    """Return which of our languages a browser asks for most (RFC 9110 12.5.4), English when for none."""
    weights: dict[str, float] = {}
    for choice in header.split(","):
        name, _, parameters = choice.partition(";")
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            weights[language] = max(weights.get(language, 0.0), _weight(parameters))
    liked = [language for language in weights if weights[language] > 0]
    return max(liked, key=lambda language: weights[language], default="en")


def _weight(parameters: str) -> float:
    """Return how much a language is liked, 1 unless it is said; what cannot be read is not liked."""
    match = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", parameters)
    if match:
        return float(match[1])
    return 0.0 if parameters.strip() else 1.0


def voice_for(request: Request, context: Context, words: Words | None = None) -> Voice:
    """Return what a workspace's page speaks with."""
    words = words or words_for(request, context)
    return Voice(words, context.settings.time_zone, context.now())


def path_of(request: Request) -> str:
    """Return where a request leads to, with what it asks, to come back to."""
    path: str = request.scope["path"]
    return f"{path}?{request.url.query}" if request.url.query else path


def reader_for(desk: Desk, context: Context, words: Words) -> Reader:
    """Return how plans of a workspace are read."""
    return Reader(
        context.schema,
        words,
        ZoneInfo(context.settings.time_zone),
        desk.page_url,
        desk.insights.names(context),
    )


def show(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    *,
    visitor: Visitor | None = None,
    words: Words | None = None,
    status: int = 200,
) -> HTMLResponse:
    """Return a page."""
    desk: Desk = request.app.state.desk
    words = words or words_for(request, None)
    text = TEMPLATES.get_template(template).render(
        {
            "words": words,
            "say": words.say,
            "count": words.count,
            "tell": lambda text: render(text, words),
            "language": words.locale,
            "languages": LANGUAGES,
            "theme": theme_of(request),
            "themes": THEMES,
            "visitor": visitor,
            "form_key": desk.access.form_key(visitor) if visitor else "",
            "here": request.scope["path"],
            "again": _again(request),
            "statuses": STATUSES,
            "lights": LIGHTS,
            "severities": SEVERITIES,
            "kinds": KINDS,
            "boards_url": desk.boards_url,
            "link": desk.link,
            "voice": None,
            "workspace": None,
            **values,
        }
    )
    return HTMLResponse(text, status)


def _again(request: Request) -> str:
    """Return where this page is asked for again: with what follows the path, such as the code of a sign-in link; what
    was sent and not asked for is not sent twice."""
    if request.method != "GET":
        return "/"
    return path_of(request)
