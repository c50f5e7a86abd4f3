"""What is seen of a workspace that somebody should know: from how it stands, without a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from worker.alerts.ledger import Kind, Level
from worker.config import Alerts, Workspace
from worker.cycle.tokens import expiries
from worker.daemon.beats import pace
from worker.daemon.standing import Standing
from worker.domain.messages import Text, literal, tell
from worker.domain.periods import local_day
from worker.errors import Code
from worker.state.runs import Run, RunStatus

LATE = 3
"""Beats after which data is late, however short a time is set."""
SOON = 3
"""Days before its end from which a token is critical."""
AT_ONCE = timedelta()
AT_FIRST = timedelta(minutes=1)
"""How soon after somebody begins to watch the run begins for which nobody watched."""
LONGEST_REASON = 300
UNMATCHED = frozenset({Code.UNMATCHED_CARD.value, Code.UNMATCHED_PROJECT.value})


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """A condition as it is seen now. It is told once it was seen for `grace`, at once when `ripe`; one that is `hidden`
    by what causes it is neither told nor over."""

    key: str
    kind: Kind
    level: Level
    since: datetime
    what: Text
    grace: timedelta = AT_ONCE
    ripe: bool = False
    hidden: bool = False


def find_sightings(
    standing: Standing,
    settings: Workspace,
    alerts: Alerts,
    *,
    started: datetime,
    rested: datetime | None = None,
) -> tuple[Sighting, ...]:
    """Return what is seen; `started` is since when somebody watches, before which nothing that is missing now is missed;
    `rested` until when the workspace was last left alone on purpose."""
    sightings = list(_ends(standing, alerts))
    absent = list(_absent(standing, settings, alerts, started=started))
    sightings += absent or _was_absent(
        standing, settings, alerts, started=started, rested=rested
    )
    is_explained = bool(sightings)
    for stale in _stale(standing, settings, alerts):
        sightings.append(replace(stale, hidden=is_explained))
    sightings += _tokens(standing, settings, alerts)
    return tuple(sightings)


def count_unmatched(standing: Standing) -> int:
    """Return how many cards and projects have no match."""
    return sum(problem.code in UNMATCHED for problem in standing.problems)


def _ends(standing: Standing, alerts: Alerts) -> Iterator[Sighting]:
    """Yield what the last run ended with; one that was asked to end, or only planned, says nothing."""
    ended = [run for run in standing.latest if _counts(run)]
    if not ended:
        return
    last = ended[0]
    at = last.ended or last.started
    if last.status is RunStatus.REFUSED:
        what = tell("run {run}: the plan was refused: {reason}", **_of(last))
        yield Sighting("refused", Kind.REFUSED, Level.CRITICAL, at, what)
    if last.status is RunStatus.FAILED:
        failures = _in_a_row(ended)
        first = failures[-1]
        yield Sighting(
            "failing",
            Kind.FAILING,
            Level.CRITICAL,
            first.ended or first.started,
            tell("runs fail: {reason}", reason=_reason(last)),
            timedelta(seconds=alerts.failing),
            ripe=len(failures) >= alerts.failures,
        )


def _counts(run: Run) -> bool:
    return run.ended is not None and not (run.was_stopped() or run.dry_run)


def _in_a_row(ended: list[Run]) -> list[Run]:
    """Return the newest runs that failed one after another, the newest first."""
    failures = []
    for run in ended:
        if run.status is not RunStatus.FAILED:
            break
        failures.append(run)
    return failures


def _of(run: Run) -> dict[str, Text | str]:
    return {"run": str(run.id), "reason": _reason(run)}


def _reason(run: Run) -> Text:
    """Return why a run ended as it did, from its record."""
    refused = run.outcome.get("refused") or []
    problems = run.outcome.get("problems") or []
    errors = [one for one in problems if one.get("severity") == "error"]
    said = str(run.outcome.get("error") or "")
    for problem in (*refused, *errors, *problems):
        said = said or str(problem.get("message") or "")
    shortened = said[:LONGEST_REASON]
    return literal(shortened) or tell("no reason was kept")


def _absent(
    standing: Standing, settings: Workspace, alerts: Alerts, *, started: datetime
) -> Iterator[Sighting]:
    last = standing.last
    at = max(last.started, started) if last else started
    if standing.now - at > _limit(alerts.absent, settings, standing.now):
        yield Sighting(
            "absent", Kind.ABSENT, Level.CRITICAL, at, tell("no run has begun")
        )


def _was_absent(
    standing: Standing,
    settings: Workspace,
    alerts: Alerts,
    *,
    started: datetime,
    rested: datetime | None,
) -> Iterator[Sighting]:
    """Yield that no run began for long before the newest, where nobody watched to tell it, as where cron begins each run.
    It is over, so it does not break the quiet hours."""
    if len(standing.latest) < 2:
        return
    newest, before = standing.latest[:2]
    if newest.started > started + AT_FIRST:
        return
    at = max(before.started, rested or before.started)
    if newest.started - at > _limit(alerts.absent, settings, standing.now):
        what = tell("no run began for long, until run {run}", run=str(newest.id))
        yield Sighting("absent", Kind.ABSENT, Level.WARNING, at, what)


def _stale(
    standing: Standing, settings: Workspace, alerts: Alerts
) -> Iterator[Sighting]:
    fresh = standing.fresh
    if fresh is None:
        return
    if standing.now - fresh > _limit(alerts.stale, settings, standing.now):
        yield Sighting(
            "stale",
            Kind.STALE,
            Level.CRITICAL,
            fresh,
            tell("what the boards say is old: no run ended well"),
            timedelta(seconds=alerts.failing),
        )


def _limit(seconds: float, settings: Workspace, now: datetime) -> timedelta:
    """Return an age that is too much: as set, and never less than a few beats."""
    beats = LATE * max(settings.schedule.delta, pace(settings, now))
    return timedelta(seconds=max(seconds, beats))


def _tokens(
    standing: Standing, settings: Workspace, alerts: Alerts
) -> Iterator[Sighting]:
    zone = ZoneInfo(settings.time_zone)
    today = local_day(standing.now, zone)
    for expiry in expiries(settings):
        left = (expiry.day - today).days
        if left <= alerts.token_days:
            yield Sighting(
                f"token:{expiry.side}",
                Kind.TOKEN,
                Level.CRITICAL if left <= SOON else Level.WARNING,
                _first_told(expiry.day, alerts, zone, standing.now),
                expiry.say(today),
            )


def _first_told(last: date, alerts: Alerts, zone: ZoneInfo, now: datetime) -> datetime:
    first = last - timedelta(days=alerts.token_days)
    begin = datetime.combine(first, datetime.min.time(), zone)
    return min(begin, now)
