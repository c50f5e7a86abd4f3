"""What the state says of a workspace: its last and next runs, who is at work, what waits, which problems stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.cycle.context import Mode
from worker.daemon.job_log import JobLog
from worker.daemon.service import next_times
from worker.domain.messages import message
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import RenderedProblem
from worker.site import Site
from worker.state import journal, leases, problems, runs, triggers

HOUR = timedelta(hours=1)
JOBS = {
    "delta": message("a look at what changed"),
    "full": message("a full run"),
    "nightly": message("the run of the night"),
    "daily": message("the morning's pages"),
    "monday": message("the Monday snapshot"),
}
TRIGGERS = {
    **JOBS,
    "manual": message("a person"),
    "webhook": message("an event"),
    "start": message("the start of the daemon"),
    "plan": message("a plan to look at"),
    "check": message("a check"),
    "undo": message("a run to be taken back"),
    "import": message("a table that is brought in"),
    "match": message("accepted counterparts"),
}
"""What a run was begun for, in words."""


def say_trigger(trigger: str, words: Words) -> str:
    """Return what a run was begun for in a reader's language; several are told one after another."""
    parts = trigger.split(", ")
    return ", ".join(words.say(TRIGGERS.get(part, part)) for part in parts)


@dataclass(frozen=True, slots=True)
class Standing:
    """One workspace at one instant. `success` is when each mode last ended well, `next` when each job is due; `problems`
    are since when they stand; `requests` those of the last hour by service."""

    workspace: str
    now: datetime
    latest: tuple[runs.Run, ...]
    success: Mapping[str, datetime | None]
    next: Mapping[str, datetime]
    holder: str | None
    waiting: tuple[triggers.Trigger, ...]
    unsettled: tuple[Ref, ...]
    problems: Mapping[RenderedProblem, datetime]
    requests: Mapping[str, int]

    @property
    def last(self) -> runs.Run | None:
        """Return the newest run."""
        return next(iter(self.latest), None)

    @property
    def fresh(self) -> datetime | None:
        """Return when both systems were last read well: how old what the boards say is."""
        return max((at for at in self.success.values() if at), default=None)

    @property
    def failures(self) -> int:
        """Return how many of the newest ended runs failed in a row."""
        ended = [run for run in self.latest if run.status is not runs.RunStatus.RUNNING]
        for count, run in enumerate(ended):
            if run.status is not runs.RunStatus.FAILED:
                return count
        return len(ended)


def read_standing(site: Site) -> Standing:
    """Return how a workspace stands; asks the state alone."""
    now = site.now()
    jobs = JobLog(site.store, site.name)
    success = {mode.value: jobs.last_success(mode.value) for mode in Mode}
    with site.reading() as tx:
        latest = runs.recent(tx)
        requests = runs.requests_since(tx, now - HOUR)
        holder = leases.holder(tx, now=site.store.now())
        waiting = triggers.pending(tx)
        unsettled = tuple(intent.ref for intent in journal.unsettled(tx))
        standing = problems.load(tx)
    return Standing(
        workspace=site.name,
        now=now,
        latest=latest,
        success=success,
        next=next_times(
            site.settings,
            now,
            last_full=success[Mode.FULL.value],
            last_delta=success[Mode.DELTA.value],
        ),
        holder=holder,
        waiting=waiting,
        unsettled=unsettled,
        problems=standing,
        requests=requests,
    )
