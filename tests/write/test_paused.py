"""A run that is paused at any point of its writing while another one does its work, on a clock that is moved by hand.

Before a request is checked nothing may leave any more; after it nothing can hold it back, and then it is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from board_rig import SETTLE, WORKSPACE, Board, fact

from rayline_sandbox.notion.comments import add_comment
from rayline_sandbox.notion.richtext import plain_rich_text
from rayline_sandbox.notion.store import Parent
from rayline_sandbox.wire import HandlerTransport, Request, Response
from worker.domain.entities import Row
from worker.domain.values import Ref
from worker.plan.facts import Fact
from worker.plan.limits import is_destructive
from worker.plan.plan import Kind
from worker.ports.notion import Notion
from worker.state import bases, journal, leases
from worker.state.leases import Held
from worker.write.context import RunControl
from worker.write.writer import Applied

LEASE = timedelta(seconds=180)
RISKS = [Ref("risks", f"risk:late:{number}") for number in range(4)]
QUARTER, MONTH = Ref("plans", "plan:firm:2026-Q4"), Ref("plans", "plan:firm:2026-11")
WRITES = 8


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@dataclass(slots=True)
class Pause:
    """Calls `act` once, when it was reached for the `at`-th time (0: never)."""

    at: int
    act: Callable[[], None]
    reached: int = 0

    def reach(self) -> None:
        """Come by."""
        self.reached += 1
        if self.reached == self.at:
            self.act()


class Gapped:
    """A port that comes by between a request's last check and the wire."""

    def __init__(self, inner: Notion, gap: Callable[[], None]) -> None:
        self._inner, self._gap = inner, gap

    def guarded(self, check: Callable[[], None]) -> Gapped:
        """Return the same port, with one more check before the gap."""
        return Gapped(self._inner.guarded(check), self._gap)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner.guarded(self._gap), name)


@dataclass(slots=True)
class Shop:
    """A board with two workers on one database, each taking the lease for its cycle."""

    board: Board
    facts: list[Fact]
    others: list[Applied] = field(default_factory=list)

    def work(
        self, name: str, *, before: Pause | None = None, after: Pause | None = None
    ) -> Applied:
        """Run one worker's cycle; it may be paused before each check, or between the last check and the wire."""
        with self._leased(name) as held:
            checked = []

            def check() -> None:
                if before is not None:
                    before.reach()
                held.check()
                checked.append(name)

            def leave() -> None:
                if checked and after is not None:
                    checked.clear()
                    after.reach()

            return self.board.cycle(
                self.facts,
                cast(Notion, Gapped(self.board.notion, leave)),
                control=RunControl(claim=name, fence=check),
            )

    @contextmanager
    def _leased(self, name: str) -> Iterator[Held]:
        state = self.board.store
        with leases.hold(
            state, WORKSPACE, name, ttl=LEASE, now=self.board.clock.now
        ) as held:
            self.board.store = state.guarded(held.confirm)
            try:
                yield held
            finally:
                self.board.store = state

    def sleep_through(self) -> None:
        """Let the lease and the settle time run out and another worker do all there is to do."""
        mine = self.board.store
        self.board.clock.advance(LEASE + SETTLE)
        self.board.store = mine.unguarded()
        self.others.append(self.work("second"))
        self.board.store = mine

    def keys(self) -> list[str]:
        """Return the Worker keys of all living rows, as often as they come."""
        return sorted(
            row.key for rows in self.board.rows().values() for row in rows if row.key
        )


def _shop(board: Board) -> Shop:
    client = board.client("Нептун")
    facts = [
        one
        for ref in RISKS
        for one in (
            fact(ref, "name", "Late"),
            fact(ref, "probability", Decimal("0.3")),
            fact(ref, "steps", "call"),
        )
    ]
    facts += [
        fact(QUARTER, "name", "Q4"),
        fact(MONTH, "name", "November"),
        fact(MONTH, "parent", (QUARTER,)),
        fact(client, "health", "red"),
        fact(client, "due", board.clock.now().date()),
    ]
    return Shop(board, facts)


ROWS = sorted(ref.key for ref in (*RISKS, QUARTER, MONTH))


def test_a_run_that_is_not_paused_takes_as_many_requests_as_the_tests_below_assume(
    board: Board,
) -> None:
    counting = Pause(0, lambda: None)
    shop = _shop(board)
    shop.work("first", before=counting)
    assert (counting.reached, shop.keys()) == (WRITES, ROWS), "one page is read again"


@pytest.mark.parametrize("at", range(1, WRITES))
def test_a_run_paused_before_any_request_sends_nothing_more_and_tells_what_it_wrote(
    board: Board, at: int
) -> None:
    shop = _shop(board)
    applied = shop.work("first", before=Pause(at, shop.sleep_through))
    assert (applied.taken_by, applied.stopped) == ("second", True)
    assert sum(applied.counts().values()) == at - 1
    assert (applied.failures, applied.unknown) == ((), ())
    (other,) = shop.others
    assert sum(other.counts().values()) == WRITES - at
    assert shop.keys() == ROWS
    writes = board.writes()
    again = shop.work("third")
    assert (board.writes(), again.failures) == (writes, ())


@pytest.mark.parametrize("at", range(1, WRITES))
def test_what_slips_through_between_check_and_wire_is_told_and_put_away_by_the_next_run(
    board: Board, at: int
) -> None:
    shop = _shop(board)
    applied = shop.work("first", after=Pause(at, shop.sleep_through))
    doubled = [one for one in applied.failures if one.code == "surplus-row"]
    keys = shop.keys()
    assert len(keys) - len(set(keys)) == len(doubled) <= 1
    standing = {**_canonical(board)}
    for problem in doubled:
        page = _row_at(board, problem.url)
        assert page.ref in standing
        assert standing[page.ref] != page.page_id
        assert page.page_id in problem.message
    again = shop.work("third")
    assert again.counts()["archive"] == len(doubled)
    assert (shop.keys(), _canonical(board)) == (ROWS, standing)


def _row_at(board: Board, url: str) -> Row:
    found = (row for rows in board.rows().values() for row in rows)
    return next(row for row in found if url.endswith(row.page_id.replace("-", "")))


def _canonical(board: Board) -> dict[Ref, str]:
    with board.store.reading(WORKSPACE) as tx:
        return dict(journal.canonical_pages(tx))


def test_a_wait_longer_than_the_lease_is_no_loss_while_nobody_else_comes(
    board: Board,
) -> None:
    shop = _shop(board)
    board.break_next("429", retry_after=900)
    applied = shop.work("first")
    assert (applied.taken_by, sum(applied.counts().values())) == ("", WRITES - 1)
    assert shop.keys() == ROWS


def test_a_wait_in_which_another_took_over_ends_without_a_request(board: Board) -> None:
    shop = _shop(board)
    board.break_next("429", retry_after=900)
    wait = board.pass_time
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        wait(seconds)
        if len(slept) == 1:
            shop.sleep_through()

    board.pass_time = sleep
    applied = shop.work("first")
    assert slept == [900]
    assert (applied.taken_by, applied.counts()["create"]) == ("second", 0)
    assert shop.keys() == ROWS


@pytest.mark.parametrize("kind", ["429", "409"])
def test_an_end_asked_for_during_a_wait_sends_nothing_more_and_fails_nothing(
    board: Board, kind: str
) -> None:
    shop, stop = _shop(board), threading.Event()
    board.break_next(kind, retry_after=60)
    wait = board.pass_time

    def sleep(seconds: float) -> None:
        wait(seconds)
        stop.set()

    board.pass_time = sleep
    writes = board.writes()
    applied = board.cycle(shop.facts, control=RunControl(stop=stop))
    assert board.writes() == writes + 1
    assert (applied.stopped, applied.failures, applied.unknown) == (True, (), ())
    board.pass_time = wait
    board.cycle(shop.facts)
    assert shop.keys() == ROWS


def test_a_claim_whose_request_left_late_is_not_looked_up_before_its_time(
    board: Board,
) -> None:
    board.break_next("429", retry_after=900)
    died = _Dying(board)
    with pytest.raises(_Died):
        board.cycle([fact(RISKS[0], "name", "Late")], died.notion)
    assert board.settle().waiting == (RISKS[0],)
    board.clock.advance(SETTLE - timedelta(seconds=1))
    assert board.settle().waiting == (RISKS[0],)
    board.clock.advance(timedelta(seconds=1))
    assert board.settle().adopted == (RISKS[0],)


class _Died(BaseException):
    """The process is gone."""


class _Dying:
    """A gateway whose process dies as soon as a creation was answered well."""

    def __init__(self, board: Board) -> None:
        def handle(request: Request) -> Response:
            response = board.sandbox.handle(request)
            if (request.method, request.path) == ("POST", "/v1/pages") and (
                response.status == 200
            ):
                raise _Died
            return response

        self.notion: Notion = board.connect(HandlerTransport(handle))


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": ""}, {"id": 5}])
def test_an_answer_that_does_not_name_its_row_leaves_the_creation_in_doubt(
    board: Board, answer: dict[str, Any]
) -> None:
    class Nameless(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            made = HandlerTransport(board.sandbox.handle).handle_request(request)
            is_creation = (request.method, request.url.path) == ("POST", "/v1/pages")
            return httpx.Response(200, json=answer) if is_creation else made

    ref = RISKS[0]
    applied = board.cycle([fact(ref, "name", "Late")], board.connect(Nameless()))
    assert (applied.unknown, applied.counts()["create"]) == ((ref,), 0)
    board.clock.advance(SETTLE)
    assert board.settle().adopted == (ref,)
    assert board.cycle([fact(ref, "name", "Late")]).counts()["create"] == 0
    assert len(board.content()) == 1


# --- surplus rows


def _surplus(board: Board) -> tuple[str, str]:
    """Have a row made twice; return the page that stands and the surplus one."""
    shop = _shop(board)
    shop.work("first", after=Pause(2, shop.sleep_through))
    pages = {row.page_id: row for rows in board.rows().values() for row in rows}
    standing = set(_canonical(board).values())
    (second,) = (
        page for page, row in pages.items() if row.key and page not in standing
    )
    return _canonical(board)[pages[second].ref], second


def _facts(board: Board) -> list[Fact]:
    return [fact(ref, "name", "Late") for ref in RISKS]


def _type(name: str, value: Any) -> Callable[[Board, str], None]:
    return lambda board, page_id: board.edit(page_id, name, value)


def _write_on_the_page(board: Board, page_id: str) -> None:
    words = {"paragraph": {"rich_text": [{"text": {"content": "we talked"}}]}}
    board.person("append", block_id=page_id, children=[words])


def _comment(board: Board, page_id: str) -> None:
    store, words = board.sandbox.store, plain_rich_text("look at this")
    add_comment(store, Parent("page_id", page_id), words, board.sandbox.owner_id)


PEOPLE: dict[str, Callable[[Board, str], None]] = {
    "a human cell": _type("note", "we talked"),
    "a shared cell": _type("probability", Decimal("0.9")),
    "a shared cell emptied": _type("probability", None),
    "a seed cell": _type("steps", "call twice"),
    "the title": _type("name", "Very late"),
    "a block": _write_on_the_page,
}


def _is_living(board: Board, page_id: str) -> bool:
    return not board.notion.page(page_id).is_gone


def test_a_surplus_row_nobody_wrote_in_is_put_away_and_takes_nothing_from_anybody(
    board: Board,
) -> None:
    _, second = _surplus(board)
    plan, _ = board.draw(_facts(board))
    (change,) = plan.changes
    assert (change.kind, change.page_id, change.surplus) == (Kind.ARCHIVE, second, True)
    assert not is_destructive(change)
    board.cycle(_facts(board))
    assert not _is_living(board, second)


@pytest.mark.parametrize("what", PEOPLE)
def test_a_surplus_row_people_wrote_in_stays_and_is_told_with_its_link_until_it_is_mended(
    board: Board, what: str
) -> None:
    _, second = _surplus(board)
    PEOPLE[what](board, second)
    for _ in range(2):
        plan, _ = board.draw(_facts(board))
        assert plan.changes == ()
        assert [(one.code, bool(one.hint)) for one in plan.problems] == [
            ("duplicate-key", True)
        ]
        assert second.replace("-", "") in plan.problems[0].url
        board.cycle(_facts(board))
    assert _is_living(board, second)
    board.person("trash", id=second)
    assert board.draw(_facts(board))[0].problems == ()


@pytest.mark.parametrize("what", [*PEOPLE, "a comment"])
def test_a_surplus_row_written_in_after_it_was_read_stays_and_is_told_from_then_on(
    board: Board, what: str
) -> None:
    _, second = _surplus(board)
    plan, _ = board.draw(_facts(board))
    if what == "a comment":
        _comment(board, second)
    else:
        PEOPLE[what](board, second)
    applied = board.apply(plan)
    assert (applied.counts()["archive"], _is_living(board, second)) == (0, True)
    assert [(one.code, one.where) for one in applied.failures] == [
        ("duplicate-key", str(plan.changes[0].ref))
    ]
    assert second.replace("-", "") in applied.failures[0].url
    again, _ = board.draw(_facts(board))
    assert (again.changes, len(again.problems)) == ((), 1)


def test_a_surplus_row_that_the_journal_does_not_prove_ours_stays(board: Board) -> None:
    _, second = _surplus(board)
    with board.store.transaction(WORKSPACE) as tx:
        journal.disown(tx, second)
    assert board.cycle(_facts(board)).counts()["archive"] == 0
    assert _is_living(board, second)


def test_a_surplus_row_is_put_away_where_comments_may_not_be_seen(board: Board) -> None:
    _, second = _surplus(board)
    board.sandbox.control("set_capabilities", {"comments": False})
    assert board.cycle(_facts(board)).counts()["archive"] == 1
    assert not _is_living(board, second)


def test_a_surplus_row_stays_when_the_row_that_stands_was_thrown_away_meanwhile(
    board: Board,
) -> None:
    standing, second = _surplus(board)
    plan, _ = board.draw(_facts(board))
    board.person("trash", id=standing)
    board.apply(plan)
    assert _is_living(board, second)


def test_a_state_guarded_by_a_lost_lease_keeps_the_answer_of_a_creation_as_proof_alone(
    board: Board,
) -> None:
    shop = _shop(board)

    def lose() -> None:
        board.clock.advance(2 * LEASE)
        with board.store.unguarded().transaction(WORKSPACE) as tx:
            leases.claim(tx, "second", now=board.clock.now(), ttl=LEASE)

    applied = shop.work("first", after=Pause(1, lose))
    assert (applied.counts()["create"], applied.taken_by) == (1, "second")
    (page_id,) = _canonical(board).values()
    with board.store.reading(WORKSPACE) as tx:
        assert bases.of_page(tx, page_id) == {}
        assert set(bases.attempts_of(tx, page_id)) == {"name"} | (
            set() if _canonical(board).keys() == {QUARTER} else {"probability", "steps"}
        )
