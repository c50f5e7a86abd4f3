"""When a workspace is tried again after a cycle that could not be: kept in the state, for the daemon and for `status`.

What waiting mends is tried again when the service said; what a person has to mend, more seldom than on every beat, and at
once when the daemon starts or somebody asks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from worker.config import Schedule
from worker.domain.messages import Labels, Text, render, tell
from worker.domain.words import Words
from worker.errors import (
    ApiError,
    Code,
    ConfigError,
    Denied,
    Missing,
    Postponed,
    Stopped,
    Unreachable,
)
from worker.locales import load_words
from worker.state.settings import Setting
from worker.state.store import Tx

SLOWER = timedelta(minutes=15)
"""How often a workspace is tried at the least that waits for a person."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class PutOff(msgspec.Struct, frozen=True):
    """No cycle on a schedule before `until`; `reason` in English, as runs keep theirs, and `told` in every language;
    `lasting` when a person has to mend it."""

    until: datetime = BEGINNING
    reason: str = ""
    lasting: bool = False
    told: Labels = Labels(())

    def say(self, words: Words) -> str:
        """Return the reason in the language of `words`; what an earlier release kept is English."""
        return dict(self.told.by_locale).get(words.locale, self.reason)


OF_THE_ORDER = frozenset({Code.SCOPE, Code.RUN})
"""What is wrong with what was asked for, not with the workspace."""
PUT_OFF = Setting("put_off", PutOff, PutOff)


def put_off_after(
    error: Exception, schedule: Schedule, *, now: datetime
) -> PutOff | None:
    """Return until when the next cycle is put off after an error; None when it comes on its usual beat."""
    match error:
        case Postponed():
            wait = timedelta(seconds=error.retry_after or 0)
            return PutOff(now + wait, str(error), told=_told(error))
        case ConfigError() if any(one.code in OF_THE_ORDER for one in error.problems):
            return None  # only of what was asked for
        case Unreachable() | Denied() | Missing() | ConfigError():
            usual = timedelta(seconds=schedule.delta)
            slower = min(SLOWER, timedelta(seconds=schedule.full))
            until = now + max(usual, slower)
            return PutOff(until, str(error), lasting=True, told=_told(error))
    return None


def _told(error: ApiError | ConfigError) -> Labels:
    """Return the reason in every language: nobody knows yet who will read it."""
    reason = _reason(error)
    return Labels(
        tuple(
            (locale, render(reason, load_words(locale, ""))) for locale in ("en", "ru")
        )
    )


def _reason(error: ApiError | ConfigError) -> Text:
    if isinstance(error, ConfigError):
        first = error.problems[0]
        return tell("{where}: {fault}", where=first.where, fault=first.message)
    api = error.api.capitalize()
    match error:
        case Postponed():
            return tell("{api} asks to wait: {reason}", api=api, reason=error.detail)
        case Unreachable():
            return tell("{api} cannot be reached: {fault}", api=api, fault=error.fault)
        case Denied():
            return tell(
                "{api} refused this connection: {reason}", api=api, reason=error.detail
            )
    return tell(
        "{api} does not show what was asked for ({request})",
        api=api,
        request=error.request,
    )


def note_failure(
    tx: Tx, error: Exception, schedule: Schedule, *, now: datetime
) -> None:
    """Remember when the next cycle is tried after one that ended with an error."""
    if isinstance(error, Stopped):
        return
    PUT_OFF.save(tx, put_off_after(error, schedule, now=now) or PutOff())


def note_wait(
    tx: Tx, error: ApiError | None, schedule: Schedule, *, now: datetime
) -> None:
    """Remember when the next cycle is tried after one that came through: later when writing met such an `error`."""
    standing = PUT_OFF.load(tx)
    wanted = put_off_after(error, schedule, now=now) if error is not None else None
    if wanted is not None or standing != PutOff():
        PUT_OFF.save(tx, wanted or PutOff())
