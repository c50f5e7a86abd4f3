"""The console beside the daemon: where it listens, and how people are told of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog

from worker.cli import show
from worker.config import ConsoleSettings
from worker.cycle.context import Context
from worker.domain.words import Words
from worker.web.access import Access
from worker.web.desk import Desk
from worker.web.server import serve_console, sign_in_link

log = structlog.get_logger("worker.web")


@contextmanager
def open_console(
    settings: ConsoleSettings,
    contexts: Callable[[], Mapping[str, Context]],
    words: Words,
) -> Iterator[Callable[[ConsoleSettings | None], None]]:
    """Serve the console as long as the context lasts; its address is said on stderr. Yields what takes new settings over.

    A sign-in link is said with it where a person sees it: on a terminal, never in a log.
    """
    desk = Desk(contexts, settings, Access(settings.people))
    with serve_console(desk, settings.listen) as bound:
        address = public_address(settings, bound)
        show.say(words.say("Console: {address}", address=address))
        if sys.stderr.isatty():
            link = sign_in_link(desk, address)
            show.say(words.say("Sign in once, within 15 minutes: {link}", link=link))
        yield lambda renewed: take_over(desk, renewed)


def public_address(settings: ConsoleSettings, bound: str) -> str:
    """Return where browsers find the console: behind a proxy that encrypts by the first of its names, for where the
    console itself listens nobody answers to HTTPS."""
    if settings.https and settings.hosts:
        return f"https://{settings.hosts[0]}"
    return bound


def take_over(desk: Desk, renewed: ConsoleSettings | None) -> None:
    """Let in whom new settings name and nobody else; what else they change needs a restart. Both are logged by name."""
    people = renewed.people if renewed is not None else {}
    changed = desk.access.admit(people)
    if changed:
        log.info("console.changed", people=changed)

    others = {"people": desk.settings.people}
    if renewed is None or renewed.model_copy(update=others) != desk.settings:
        log.warning("configuration.needs_restart", setting="console")
