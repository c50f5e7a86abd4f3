"""People to be found: a role that is over its capacity is one row that people answer (docs/method.md 3.4).

A row opens with its need and is kept true while the need lasts. What people answered stands: after `hired` or
`declined` nobody is asked for again until the need was gone and came back, which makes a new row. A row whose need ended
says so; its status is people's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from worker.domain.values import Ref, Value
from worker.method.capacity.staffing import ROLES, role_name
from worker.method.formulas.occurrences import (
    COMPLETE,
    Rules,
    Sight,
    advance,
    name_of,
    recall,
)
from worker.method.measures import StaffNeed
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import Closing, Occurrence
from worker.world.rows import StaffRequest, by_key, staff_key
from worker.world.world import World

SOURCE = "requests"


class _Board(msgspec.Struct, frozen=True, gc=False):
    """What one run works on: the rows by key, and what is known of every request."""

    world: World
    rows: Mapping[str, StaffRequest]
    known: Mapping[str, Occurrence]


def plan_staff_requests(
    world: World, needs: tuple[StaffNeed, ...] | None
) -> Findings[None]:
    """Return the rows of all needs; without the data source, or where the needs are unknown, nothing."""
    if SOURCE not in world.sources or needs is None:
        return Findings(None)
    board = _board_of(world)
    wanted: dict[str, StaffNeed | None] = {}
    for key in sorted(board.known):
        wanted[key] = None
    for need in needs:
        key = staff_key(need.unit, need.role)
        wanted[key] = need

    facts: list[Fact] = []
    occurrences: dict[str, Occurrence] = {}
    for key, wish in wanted.items():
        now = _advanced(board, key, wish)
        if now is None:
            continue
        occurrences[key] = now
        name = name_of(key, now.number)
        ref = Ref(SOURCE, name)
        if now.closed is not None:
            facts += _ending(board, ref, now)
        elif wish is not None and wish.holds:
            facts += _facts(board, ref, wish)
    return Findings(None, tuple(facts), occurrences=occurrences)


def _board_of(world: World) -> _Board:
    rows = by_key(world.staff_requests())
    opened: dict[str, date] = {}
    for key, row in rows.items():
        opened[key] = row.created
    memory = world.memory.occurrences
    known = recall(SOURCE, opened, world.trashed, known=memory)
    return _Board(world, rows, known)


def _advanced(board: _Board, key: str, need: StaffNeed | None) -> Occurrence | None:
    """Return the life of a request after today's look; a role that nobody has any more needs nobody."""
    world = board.world
    before = board.known.get(key)
    row = None
    trashed = False
    if before is not None:
        name = name_of(key, before.number)
        row = board.rows.get(name)
        trashed = Ref(SOURCE, name) in world.trashed

    status = None
    if row is not None:
        status = row.status
    holds: bool | None = False
    if need is not None:
        holds = need.holds
    sight = Sight(
        holds,
        world.today,
        status,
        trashed=trashed,
        may_close=not world.memory.first_run,
    )
    rules = Rules(
        gone_days=world.thresholds.risk_gone_days, reuse_row=status not in COMPLETE
    )
    return advance(before, key, sight, rules=rules)


def _ending(board: _Board, ref: Ref, now: Occurrence) -> Iterator[Fact]:
    """Say in a row that nobody answered for good that its need is over."""
    world = board.world
    row = board.rows.get(ref.key)
    if row is None or row.status in COMPLETE:
        return
    if now.closing is Closing.CONDITION:
        day = now.gone or world.today
        text = world.words.say(
            "Nobody is needed any more since {day}: the load fits.",
            day=world.words.date(day),
        )
        threshold = world.words.say(
            "days ≥ {limit}", limit=world.thresholds.risk_gone_days
        )
        why = Why("hiring", (), text, threshold)
        yield Fact(ref, "why", text, why)


def _facts(board: _Board, ref: Ref, need: StaffNeed) -> Iterator[Fact]:
    world = board.world
    words = world.words
    limits = world.thresholds
    unit = world.unit(need.unit)
    where = words.say("Whole firm")
    url = ""
    if unit is not None:
        where = unit.name
        url = unit.url
    role = role_name(need.role, words)

    why = Why(
        "hiring",
        (
            Input(words.say("unit"), where, url),
            Input(words.say("role"), role),
            Input(words.say("evidence"), need.evidence),
        ),
        words.say("load − effective hours, mean of the weeks above the limit"),
        words.say(
            "load > {limit}, weeks in a row ≥ {weeks}",
            limit=limits.overload,
            weeks=limits.load_weeks,
        ),
    )
    values: dict[str, Value] = {
        "name": f"{where}: {role}",
        "unit": (unit.ref,) if unit else (),
        "role": need.role if need.role in ROLES else None,
        "hours": need.hours,
        "since": need.since,
        "why": need.evidence,
    }
    if ref.key not in board.rows:
        values["status"] = "open"
    for name, value in values.items():
        yield Fact(ref, name, value, why)
