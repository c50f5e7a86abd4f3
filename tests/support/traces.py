"""What really happened to claims and leases in a run, seen from outside, and whether the tables have it.

A `Tracer` listens to the database and to the wire: it compares the rows at each commit with those before, and takes down
each creation that leaves. Nothing of the product is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace  # noqa: TID251 - no structs
from datetime import datetime, timedelta

from sqlalchemy import Connection, event, select

from rayline_sandbox.wire import Request, Response
from worker.state.processes import is_gone
from worker.state.store import Store, from_micros
from worker.state.tables import intents, leases
from worker.state.transitions import INTENTS, LEASES, Act, Grip, Status, Step, judge

_NEVER = from_micros(0)
CERTAIN = range(400, 500)
"""Answers after which nothing was made."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as the journal holds it."""

    status: Status = Status.ABSENT
    run: str = ""
    attempt: int = 0
    sent_at: datetime = _NEVER
    page_id: str = ""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as it stands; `until` None when it was given back or never taken."""

    owner: str = ""
    epoch: int = 0
    until: datetime | None = None

    def grip(self, at: datetime, ttl: timedelta) -> Grip:
        """Tell how it is held."""
        left = None if self.until is None else self.until - at
        return judge(left, ttl=ttl, is_dead=bool(self.owner) and is_gone(self.owner))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim was changed."""

    at: datetime
    place: str
    before: ClaimRow
    after: ClaimRow


@dataclass(frozen=True, slots=True)
class Leased:
    """A lease was changed."""

    at: datetime
    place: str
    before: LeaseRow
    after: LeaseRow


@dataclass(frozen=True, slots=True)
class Sent:
    """A creation left for the wire; `place` is empty when nobody ever claimed its key, `status` that of the answer, 0
    when none came."""

    at: datetime
    place: str
    status: int


Event = Claimed | Leased | Sent


@dataclass(slots=True)
class Tracer:
    """Takes down what happens; `now` tells the time of the state. Whoever puts another state in place says so by
    `forget`."""

    now: Callable[[], datetime]
    events: list[Event] = field(default_factory=list)
    _claims: dict[str, ClaimRow] = field(default_factory=dict)
    _leases: dict[str, LeaseRow] = field(default_factory=dict)

    def listen(self, store: Store) -> None:
        """Hear each commit of a state's database."""
        event.listen(store.engine, "commit", self._commit)

    def forget(self) -> None:
        """Believe nothing of what was seen, and judge nothing by it."""
        self.events.clear()
        self._claims.clear()
        self._leases.clear()

    def watch(
        self, handle: Callable[[Request], Response]
    ) -> Callable[[Request], Response]:
        """Return what answers requests, with each creation taken down when it was answered or its answer was lost."""

        def watched(request: Request) -> Response:
            if (request.method, request.path) != ("POST", "/v1/pages"):
                return handle(request)
            sent = Sent(self.now(), self._place_of(request), 0)
            self.events.append(sent)
            response = handle(request)
            if not response.fault:
                answered = replace(sent, status=response.status)
                self.events[self.events.index(sent)] = answered
            return response

        return watched

    def _place_of(self, request: Request) -> str:
        texts = set(_texts(json.loads(request.body)))
        keys = {
            place.partition("/")[2].partition("/")[2]: place for place in self._claims
        }
        return next((place for key, place in keys.items() if key in texts), "")

    def _commit(self, connection: Connection) -> None:
        at = self.now()
        for row in connection.execute(select(intents)):
            place = f"{row.workspace}/{row.ref}"
            claim = ClaimRow(
                Status(row.status),
                row.claim,
                row.attempt,
                from_micros(row.sent_at),
                row.page_id,
            )
            before = self._claims.get(place, ClaimRow())
            if claim != before:
                self.events.append(Claimed(at, place, before, claim))
            self._claims[place] = claim
        for row in connection.execute(select(leases)):
            until = from_micros(row.until) if row.until else None
            lease = LeaseRow(row.owner, row.epoch, until)
            held = self._leases.get(row.workspace, LeaseRow())
            if lease != held:
                self.events.append(Leased(at, row.workspace, held, lease))
            self._leases[row.workspace] = lease


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


@dataclass(slots=True)
class _Judge:
    """Goes through a trace. `open` are the creations that left and that nothing has settled."""

    ttl: timedelta
    settle: timedelta
    gap: timedelta
    claims: dict[str, ClaimRow] = field(default_factory=dict)
    leases: dict[str, LeaseRow] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    def look(self, one: Event) -> Iterator[str]:
        """Yield what is wrong with the next event."""
        match one:
            case Claimed():
                yield from self._claimed(one)
                self.claims[one.place] = one.after
            case Leased():
                yield from self._leased(one)
                self.leases[one.place] = one.after
            case Sent():
                yield from self._sent(one)

    def _claimed(self, one: Claimed) -> Iterator[str]:
        steps = find_steps(one.before, one.after)
        told = f"{one.at} {one.place}: {one.before.status} to {one.after.status}"
        if not steps:
            yield f"{told}, which the table does not have"
        if Step.MISS in steps and one.place in self.open:
            if one.at - one.before.sent_at < self.settle:
                yield f"{told} before its settle time was over"
            self.open.discard(one.place)

    def _leased(self, one: Leased) -> Iterator[str]:
        acts = LEASES[one.before.grip(one.at, self.ttl)]
        told = f"{one.at} lease of {one.place}: {one.before} to {one.after}"
        if (one.after.owner, one.after.epoch) != (one.before.owner, one.before.epoch):
            if Act.CLAIM not in acts:
                yield f"{told}, which was not to be had"
            if one.after.epoch != one.before.epoch + 1:
                yield f"{told}, where the epoch does not grow by one"
        elif one.after.until is not None and Act.RENEW not in acts:
            yield f"{told}, which could not be renewed"

    def _sent(self, one: Sent) -> Iterator[str]:
        if not one.place:
            yield f"{one.at} a row that nobody claimed left"
            return
        claim = self.claims.get(one.place, ClaimRow())
        workspace = one.place.partition("/")[0]
        lease = self.leases.get(workspace)
        slipped = one.at - claim.sent_at > self.gap
        if one.place in self.open and not slipped:
            yield f"{one.at} {one.place} left twice with nothing settled between"
        if claim.status is not Status.INTENDED and not slipped:
            yield f"{one.at} {one.place} left while it was {claim.status}"
        if lease is not None and not slipped:
            grip = lease.grip(one.at, self.ttl)
            if Act.SEND not in LEASES[grip]:
                yield f"{one.at} {one.place} left under a lease that was {grip}"
        if one.status not in CERTAIN:
            self.open.add(one.place)


def find_steps(before: ClaimRow, after: ClaimRow) -> set[Step]:
    """Return the steps of the table that may have made one claim of another."""
    renewed = after.sent_at != before.sent_at
    is_new = (after.run, after.attempt) != (before.run, before.attempt)
    return {
        step
        for step, status in INTENTS[before.status].items()
        if status is after.status
        and (step in (Step.CLAIM, Step.ADOPT) or not is_new)
        and (is_new or step is not Step.CLAIM)
        and (step in (Step.CLAIM, Step.SEND, Step.DOUBT, Step.ADOPT) or not renewed)
    }


def check_trace(
    events: Iterable[Event],
    *,
    ttl: timedelta,
    settle: timedelta,
    gap: timedelta = timedelta(seconds=5),
) -> list[str]:
    """Return what the tables do not have, in words; none when the trace is one of theirs.

    `ttl` and `settle` are those of the runs. A request that leaves more than `gap` after its claim was noted slipped
    through between the last check and the wire, where nothing can hold it: that is told elsewhere, and not judged here.
    """
    judging = _Judge(ttl, settle, gap)
    return [wrong for one in events for wrong in judging.look(one)]
