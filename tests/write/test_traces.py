"""What real runs did to claims and leases is what the tables have, through faults, crashes and a second worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace  # noqa: TID251 - no structs
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from board_rig import SETTLE, WORKSPACE, Board, fact

from rayline_sandbox.wire import HandlerTransport
from tests.support.crashes import Crash, MortalNotion, Steps
from tests.support.traces import Claimed, Event, Leased, Sent, Tracer, check_trace
from worker.domain.values import Ref
from worker.ports.notion import Notion
from worker.state import leases
from worker.state.transitions import Status
from worker.write.context import RunControl

TTL = timedelta(seconds=180)
RISKS = [Ref("risks", f"risk:late:{number}") for number in range(3)]
FACTS = [fact(ref, "name", "Late") for ref in RISKS]


def _live(folder: Path, fatal: int) -> list[Event]:
    """Let runs meet faults and one die at a step, and another go on until nothing is left to do."""
    folder.mkdir()
    board = Board(folder)
    tracer = Tracer(board.clock.now)
    tracer.listen(board.store)
    board.notion = board.connect(HandlerTransport(tracer.watch(board.sandbox.handle)))
    board.break_next("409")
    board.break_next("429", retry_after=60)
    board.break_next("reset_after")
    steps = Steps(fatal)
    for number in range(6):
        try:
            _work(board, f"run {number}", steps)
        except Crash:
            board.clock.advance(TTL)
        board.clock.advance(SETTLE)
    assert sorted(board.content()) == [str(ref) for ref in RISKS]
    return tracer.events


def _work(board: Board, name: str, steps: Steps) -> None:
    """Run one cycle under a lease, which stays as it is when the process dies."""
    state, now = board.store, board.clock.now
    with state.transaction(WORKSPACE) as tx:
        lease = leases.claim(tx, name, now=now(), ttl=TTL)
    held = leases.Held(state, lease, ttl=TTL, now=now)
    board.store = state.guarded(held.confirm)
    try:
        mortal = cast(Notion, MortalNotion(board.notion, steps))
        board.cycle(FACTS, mortal, control=RunControl(claim=name, fence=held.check))
    finally:
        board.store = state
    with state.transaction(WORKSPACE) as tx:
        leases.release(tx, lease)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    return _live(tmp_path_factory.mktemp("traces") / "board", 17)


@pytest.mark.parametrize("fatal", [0, 13, 14, 15, 16, 18])
def test_a_run_through_faults_and_a_crash_does_only_what_the_tables_have(
    tmp_path: Path, fatal: int
) -> None:
    events = _live(tmp_path / "board", fatal)
    assert check_trace(events, ttl=TTL, settle=SETTLE) == []


def test_the_trace_below_meets_a_doubt_a_look_up_and_a_second_attempt(
    trace: list[Event],
) -> None:
    assert check_trace(trace, ttl=TTL, settle=SETTLE) == []
    claims = [one.after for one in trace if isinstance(one, Claimed)]
    assert {one.status for one in claims} >= {Status.UNKNOWN, Status.DONE}
    assert [one.status for one in trace if isinstance(one, Sent)].count(429) == 1


def _send_again(trace: list[Event]) -> list[Event]:
    place = next(
        place
        for place, one in enumerate(trace)
        if isinstance(one, Sent) and one.status not in range(400, 500)
    )
    return [*trace[: place + 1], trace[place], *trace[place + 1 :]]


def _send_unclaimed(trace: list[Event]) -> list[Event]:
    """Have a request leave at once after its claim was given up."""
    return [
        replace(one, after=replace(one.after, status=Status.FAILED))
        if isinstance(one, Claimed) and one.before.status is Status.INTENDED
        else one
        for one in trace
    ]


def _send_unknown(trace: list[Event]) -> list[Event]:
    return [replace(one, place="") if isinstance(one, Sent) else one for one in trace]


def _send_unleased(trace: list[Event]) -> list[Event]:
    return [
        replace(one, after=replace(one.after, until=None))
        if isinstance(one, Leased)
        else one
        for one in trace
    ]


def _go_back(trace: list[Event]) -> list[Event]:
    done = next(
        one
        for one in trace
        if isinstance(one, Claimed) and one.after.status is Status.DONE
    )
    return [*trace, replace(done, before=done.after, after=done.before)]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_send_again, "left twice"),
        (_send_unclaimed, "left while it was failed"),
        (_send_unleased, "left under a lease that was free"),
        (_send_unknown, "that nobody claimed"),
        (_go_back, "which the table does not have"),
    ],
)
def test_a_trace_that_leaves_the_tables_is_told(
    trace: list[Event], spoil: Callable[[list[Event]], list[Event]], told: str
) -> None:
    wrong = check_trace(spoil(trace), ttl=TTL, settle=SETTLE)
    assert any(told in one for one in wrong), wrong
