"""Worklogs into the snapshot: with an issue that is new all of its own, then by Jira's feeds what changed.

The feeds are everybody's, so they are read from the last bound alone. An issue and its worklogs are kept in one
transaction: whatever the snapshot holds of an issue is whole up to the feeds' bound, also when a run was broken off.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.domain.entities import Issue, Worklog
from worker.domain.messages import literal, tell
from worker.errors import Code, Problem, Severity
from worker.ports.tracker import Tracker, Unread, WorklogBatch
from worker.read.lookup import Lookup
from worker.site import Site
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.store import Tx

AT_ONCE = 500
"""Issues whose worklogs are in hand as Jira sent them: many times what is kept of them."""
CLOCK_SKEW = timedelta(days=1)
WORKLOGS = "jira:worklogs"


@dataclass(frozen=True, slots=True)
class Logged:
    """The worklogs of some issues; of those `left_out` they did not come, as of issues that are gone meanwhile."""

    logs: Sequence[Worklog]
    left_out: frozenset[str]
    problems: Sequence[Problem] = ()


def read_logged(jira: Tracker, lookup: Lookup, issues: Sequence[Issue]) -> Logged:
    """Return all worklogs of some issues, asking for those with time on them."""
    asked: set[str] = set()
    for issue in issues:
        if issue.spent:
            asked.add(issue.id)
    if not asked:
        return Logged((), frozenset())

    ids = sorted(asked)
    logs: list[Worklog] = []
    left_out = set(asked)
    unread: list[Unread] = []
    problems: list[Problem] = []
    for start in range(0, len(ids), AT_ONCE):
        read = jira.worklogs_of(ids[start : start + AT_ONCE])
        for each in read.by_issue.values():
            logs += each
        left_out -= read.by_issue.keys()
        unread += read.unread
        problems += read.problems
    lookup.note_unread(
        unread, kinds={"worklog"}, read=lambda worklog: worklog.issue in asked
    )
    told = {problem.where for problem in problems}
    for issue in issues:
        if issue.id in left_out and literal(issue.key) not in told:
            problems.append(_gone(issue))
    return Logged(logs, frozenset(left_out), problems)


def _gone(issue: Issue) -> Problem:
    """Return the problem of an issue that was there when it was listed, and not when its worklogs were asked for."""
    return Problem(
        code=Code.BAD_ISSUE,
        where=literal(issue.key),
        field="worklog",
        message=tell(
            "Jira lists it, and says that it is not there when its time logs are asked for"
        ),
        hint=tell(
            "if it was deleted, nothing is to be done; otherwise let the account that reads see it: "
            "until then it is left out, or as it was"
        ),
        severity=Severity.INFO,
    )


def worklog_bound(tx: Tx, *, now: datetime) -> int | None:
    """Return where the feeds were read to (epoch ms); none that lies ahead of us, for a read from there on would see
    nothing."""
    cursors = registry.load_cursors(tx)
    text = cursors.get(WORKLOGS)
    if not text:
        return None
    bound = int(text)
    if bound > _millis(now + CLOCK_SKEW):
        return None
    return bound


def read_feeds(
    jira: Tracker, site: Site, lookup: Lookup, *, since: int | None, now: datetime
) -> WorklogBatch:
    """Bring the worklogs of the snapshot's issues up to date from a bound on.

    Without one all of them were read just now: what changed meanwhile is less than a day old by any clock.
    """
    present = _millis(now)
    bound = since
    if bound is None:
        bound = _millis(now - CLOCK_SKEW)
    batch = jira.worklogs(bound, now=present)
    linked: Collection[str] = ()
    if batch.changed or batch.unread:
        with site.reading() as tx:
            linked = snapshots.issue_ids(tx)
    _note_unread(lookup, batch, linked)

    changed = [log for log in batch.changed if log.issue in linked]
    with site.transaction() as tx:
        snapshots.save_worklogs(tx, changed, batch.deleted)
        if batch.complete:
            reached = min(batch.until, present)
            registry.set_cursor(tx, WORKLOGS, str(reached))
    return batch


def _note_unread(lookup: Lookup, batch: WorklogBatch, linked: Collection[str]) -> None:
    """Note the worklogs of linked issues that cannot be read; those told again are over."""
    answered = {"", *batch.deleted}
    answered |= {log.id for log in batch.changed}
    answered |= {worklog.name for worklog in batch.unread}
    concerned = {"", *linked}
    unread = [worklog for worklog in batch.unread if worklog.issue in concerned]
    lookup.note_unread(
        unread, kinds={"worklog"}, read=lambda worklog: worklog.name in answered
    )


def _millis(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
