"""How long tokens are good for, where the configuration says it: no service tells it (docs/facts/jira-api.md 4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from worker.config import Workspace
from worker.domain.messages import Text, literal, message, tell
from worker.domain.words import Words
from worker.errors import Code, Problem, Severity

WARNED = 14
"""Days before its end from which a token is a problem."""


class Expiry(msgspec.Struct, frozen=True, gc=False):
    """The last day of a side's token."""

    side: str
    day: date

    def say(self, today: date) -> Text:
        """Return that it ends, or has ended."""
        pattern = (
            message("the {service} token expired after {day}")
            if self.day < today
            else message("the {service} token expires after {day}")
        )
        days = {locale: Words(locale).date(self.day) for locale in ("en", "ru")}
        return tell(pattern, service=self.side.capitalize(), day=days)


def expiries(settings: Workspace) -> Iterator[Expiry]:
    """Yield the last days of the tokens, where they are known."""
    sides = {"jira": settings.jira, "notion": settings.notion}
    for side, connection in sides.items():
        if connection.token_expires is not None:
            yield Expiry(side, connection.token_expires)


def expiring(settings: Workspace, today: date) -> Iterator[Problem]:
    """Yield the tokens that end soon, or have ended, as problems."""
    for expiry in expiries(settings):
        left = (expiry.day - today).days
        if left <= WARNED:
            yield Problem(
                code=Code.TOKEN_EXPIRES,
                where=literal(f"{expiry.side}.token"),
                message=expiry.say(today),
                hint=tell(
                    "make a new one, write it into its file and its last day into {key}",
                    key=f"{expiry.side}.token_expires",
                ),
                severity=Severity.ERROR if left < 0 else Severity.WARNING,
            )
