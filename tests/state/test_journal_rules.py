"""What the journal knows of a creation, step by step: claimed, sent, answered, looked up, read as a row that is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.sql.dml import Insert

from worker.domain.values import Ref, Value
from worker.mapping.schema import Binding, Owner, Property, Rows, Schema, Source
from worker.state import bases, journal
from worker.state.journal import Intent
from worker.state.store import Store, Tx
from worker.state.tables import intents
from worker.state.transitions import Status

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
TICK = timedelta(microseconds=1)
RUN, OTHER = "17", "18"
RISK, SECOND = Ref("risks", "risk:late:1"), Ref("risks", "risk:late:2")
WANTED: dict[str, Value] = {"title": "Late", "chance": "high"}
SCHEMA = Schema(
    {
        "risks": Source(
            "risks",
            Rows.WORKER,
            {"en": "Risks"},
            "",
            {
                "title": Property("title", "title", Owner.WORKER, {"en": "title"}),
                "chance": Property("chance", "select", Owner.SHARED, {"en": "chance"}),
            },
        )
    }
)
BINDINGS = {"risks": Binding("risks", "base", "source", {"title": "a", "chance": "b"})}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Yield one database for all tests, each of which has a workspace of its own."""
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('journal') / 'state.db'}")
    yield opened
    opened.close()


@pytest.fixture
def tx(store: Store, request: pytest.FixtureRequest) -> Iterator[Tx]:
    """Yield a transaction beside a workspace that makes the same rows, and is none the worse for it."""
    space = request.node.name
    with store.transaction(f"{space}, beside") as beside:
        journal.intend(beside, RISK, {"title": "beside"}, claim=RUN, now=NOW)
        journal.intend(beside, SECOND, {}, claim=RUN, now=NOW)
        journal.finish(beside, SECOND, "beside", claim=RUN, now=NOW)
        before = journal.load(beside), journal.created_pages(beside)
        yield Tx(beside.connection, space)
        assert (journal.load(beside), journal.created_pages(beside)) == before


def _claimed(tx: Tx) -> Intent:
    assert journal.intend(tx, RISK, WANTED, claim=RUN, now=NOW)
    return _standing(tx)


def _standing(tx: Tx) -> Intent:
    intent = journal.find(tx, RISK)
    assert intent is not None
    return intent


def _adopt(tx: Tx, pages: dict[Ref, str], **how: Any) -> None:
    journal.adopt(tx, pages, now=LATER, schema=SCHEMA, bindings=BINDINGS, **how)


# --- a claim


def test_the_first_claim_of_a_row_is_kept_with_what_it_was_to_hold(tx: Tx) -> None:
    assert journal.find(tx, RISK) is None
    assert journal.load(tx) == ()
    assert journal.intend(tx, RISK, WANTED, claim=RUN, now=NOW) is True
    claimed = Intent(RISK, Status.INTENDED, NOW, wanted=WANTED, claim=RUN)
    assert journal.load(tx) == (claimed,)
    assert (_standing(tx), claimed.attempt) == (claimed, 1)
    assert journal.find(tx, SECOND) is None


@pytest.mark.parametrize("run", [RUN, OTHER])
def test_a_row_that_is_being_made_is_claimed_by_nobody_else(tx: Tx, run: str) -> None:
    claimed = _claimed(tx)
    assert journal.intend(tx, RISK, {}, claim=run, now=LATER) is False
    assert _standing(tx) == claimed


def test_a_row_that_was_certainly_not_made_is_tried_again_and_each_try_is_counted(
    tx: Tx,
) -> None:
    _claimed(tx)
    for number in (2, 3, 4):
        run = f"run {number}"
        assert journal.fail(tx, RISK, claim=_standing(tx).claim) is True
        assert _standing(tx).status is Status.FAILED
        assert journal.intend(tx, RISK, {"title": run}, claim=run, now=LATER) is True
        assert _standing(tx) == Intent(
            RISK, Status.INTENDED, LATER, "", number, {"title": run}, run
        )


def test_a_request_leaves_by_the_run_that_claimed_the_row_alone(tx: Tx) -> None:
    _claimed(tx)
    assert journal.send(tx, RISK, claim=OTHER, now=LATER) is False
    assert _standing(tx).sent_at == NOW
    assert journal.send(tx, RISK, claim=RUN, now=LATER) is True
    sent = Intent(RISK, Status.INTENDED, LATER, wanted=WANTED, claim=RUN)
    assert _standing(tx) == sent


def test_what_came_of_a_request_is_said_by_the_run_that_claimed_the_row_alone(
    tx: Tx,
) -> None:
    claimed = _claimed(tx)
    assert journal.fail(tx, RISK, claim=OTHER) is False
    assert journal.doubt(tx, RISK, claim=OTHER, now=LATER) is False
    assert _standing(tx) == claimed
    assert journal.doubt(tx, RISK, claim=RUN, now=LATER) is True
    doubted = Intent(RISK, Status.UNKNOWN, LATER, wanted=WANTED, claim=RUN)
    assert _standing(tx) == doubted
    assert journal.fail(tx, RISK, claim=RUN) is False
    assert _standing(tx) == doubted


# --- a page that was made


def test_a_page_that_was_made_stands_for_its_row_and_is_proved_ours(tx: Tx) -> None:
    _claimed(tx)
    assert journal.finish(tx, RISK, "page", claim=RUN, now=LATER) == "page"
    assert _standing(tx) == Intent(RISK, Status.DONE, NOW, "page", 1, WANTED, RUN)
    assert journal.canonical_pages(tx) == {RISK: "page"}
    assert journal.created_pages(tx) == journal.created_by(tx, RUN) == {"page"}
    assert journal.unsettled(tx) == ()


def test_a_second_page_of_a_row_is_proved_and_does_not_stand_for_it(tx: Tx) -> None:
    _claimed(tx)
    journal.finish(tx, RISK, "page", claim=RUN, now=NOW)
    for run in (RUN, OTHER):
        assert journal.finish(tx, RISK, f"late {run}", claim=run, now=NOW) == "page"
    assert journal.canonical_pages(tx) == {RISK: "page"}
    assert journal.created_by(tx, RUN) == {"page"}
    assert journal.created_by(tx, OTHER) == frozenset()
    assert journal.created_pages(tx) == {"page", f"late {RUN}", f"late {OTHER}"}
    journal.disown(tx, "page")
    assert journal.created_pages(tx) == {f"late {RUN}", f"late {OTHER}"}


def test_a_page_of_a_row_that_is_not_done_yet_stands_for_nothing(tx: Tx) -> None:
    _claimed(tx)
    assert journal.finish(tx, RISK, "page", claim=OTHER, now=NOW) == ""
    assert _standing(tx).status is Status.INTENDED
    assert journal.canonical_pages(tx) == {}
    assert journal.created_pages(tx) == {"page"}


def test_a_page_of_a_row_that_the_journal_lost_is_proved_all_the_same(tx: Tx) -> None:
    assert journal.finish(tx, RISK, "page", claim=RUN, now=NOW) == ""
    assert journal.find(tx, RISK) is None
    assert journal.created_pages(tx) == {"page"}


def test_which_run_made_a_page_that_stands_is_told(tx: Tx) -> None:
    for ref, run in ((RISK, RUN), (SECOND, OTHER)):
        journal.intend(tx, ref, {}, claim=run, now=NOW)
        journal.finish(tx, ref, f"by {run}", claim=run, now=NOW)
    third = Ref("risks", "risk:late:3")
    journal.intend(tx, third, {}, claim=RUN, now=NOW)
    assert journal.created_by(tx, RUN) == {f"by {RUN}"}
    assert journal.created_by(tx, OTHER) == {f"by {OTHER}"}
    assert journal.canonical_pages(tx) == {RISK: f"by {RUN}", SECOND: f"by {OTHER}"}


# --- a look-up


def test_a_page_that_was_found_is_the_rows_and_proved_ours(tx: Tx) -> None:
    claimed = _claimed(tx)
    assert journal.settle(tx, claimed, "found", now=LATER) is True
    assert _standing(tx) == Intent(RISK, Status.DONE, NOW, "found", 1, WANTED, RUN)
    assert journal.created_pages(tx) == {"found"}


def test_a_row_that_was_not_found_was_not_made(tx: Tx) -> None:
    _claimed(tx)
    journal.doubt(tx, RISK, claim=RUN, now=LATER)
    assert journal.settle(tx, _standing(tx), "", now=LATER) is True
    assert _standing(tx) == Intent(RISK, Status.FAILED, LATER, "", 1, WANTED, RUN)
    assert journal.created_pages(tx) == frozenset()


def _send_again(tx: Tx) -> None:
    journal.send(tx, RISK, claim=RUN, now=NOW + TICK)


def _doubt(tx: Tx) -> None:
    journal.doubt(tx, RISK, claim=RUN, now=NOW)


def _try_again(tx: Tx) -> None:
    journal.fail(tx, RISK, claim=RUN)
    journal.intend(tx, RISK, WANTED, claim=RUN, now=NOW)


def _leave_to_another(tx: Tx) -> None:
    tx.connection.execute(intents.delete().where(intents.c.workspace == tx.workspace))
    journal.intend(tx, RISK, WANTED, claim=OTHER, now=NOW)


@pytest.mark.parametrize("page", ["", "found"])
@pytest.mark.parametrize("moves", [_send_again, _doubt, _try_again, _leave_to_another])
def test_a_look_up_says_nothing_of_a_row_that_moved_on_meanwhile(
    tx: Tx, moves: Any, page: str
) -> None:
    read = _claimed(tx)
    moves(tx)
    moved = _standing(tx)
    assert moved != read
    assert journal.settle(tx, read, page, now=LATER) is False
    assert _standing(tx) == moved
    assert journal.created_pages(tx) == frozenset()


def test_a_row_is_looked_up_from_the_very_end_of_its_settle_time(tx: Tx) -> None:
    made = Ref("risks", "risk:late:3")
    for ref in (SECOND, RISK, made):
        journal.intend(tx, ref, {}, claim=RUN, now=NOW)
    journal.finish(tx, made, "page", claim=RUN, now=NOW)
    journal.doubt(tx, SECOND, claim=RUN, now=LATER)

    def due(before: datetime | None) -> list[Ref]:
        return [intent.ref for intent in journal.unsettled(tx, before=before)]

    assert due(NOW - TICK) == []
    assert due(NOW) == due(LATER - TICK) == [RISK]
    assert due(LATER) == due(None) == [RISK, SECOND]


# --- rows that were read


def test_a_row_that_was_read_and_is_not_known_is_done_and_was_tried_by_nobody(
    tx: Tx,
) -> None:
    _adopt(tx, {RISK: "read"}, made={"read"})
    assert _standing(tx) == Intent(RISK, Status.DONE, LATER, "read", 0)
    assert journal.created_pages(tx) == frozenset()
    assert bases.load(tx) == ({}, {})


def test_a_row_that_was_read_for_a_claim_is_done_and_may_hold_what_was_wanted(
    tx: Tx,
) -> None:
    _claimed(tx)
    _adopt(tx, {RISK: "read"}, made={"another"})
    assert _standing(tx) == Intent(RISK, Status.DONE, NOW, "read", 1, WANTED, RUN)
    assert journal.created_pages(tx) == frozenset()
    tried = {("read", name): value for name, value in WANTED.items()}
    assert bases.load(tx) == ({}, tried)


def test_a_row_that_was_read_for_a_claim_and_that_we_made_is_proved_ours(
    tx: Tx,
) -> None:
    _claimed(tx)
    _adopt(tx, {RISK: "read"}, made={"read"})
    assert _standing(tx).status is Status.DONE
    assert journal.created_pages(tx) == {"read"}
    given = {("read", "title"): "Late", ("read", "chance"): "high"}
    assert bases.load(tx) == (given, {})


def test_a_copy_that_was_read_takes_nothing_from_the_page_that_stands(tx: Tx) -> None:
    _claimed(tx)
    journal.finish(tx, RISK, "page", claim=RUN, now=NOW)
    done = _standing(tx)
    _adopt(tx, {RISK: "copy", SECOND: "read"}, made={"copy"})
    assert _standing(tx) == done
    assert journal.canonical_pages(tx) == {RISK: "page", SECOND: "read"}
    assert journal.created_pages(tx) == {"page"}


def test_rows_are_kept_in_the_order_of_their_keys_so_that_nobody_waits_crosswise(
    store: Store, tx: Tx
) -> None:
    keys: list[str] = []

    def hear(
        _on: object, clause: object, _many: object, row: Any, _how: object
    ) -> None:
        if isinstance(clause, Insert) and clause.table is intents:
            keys.append(row["ref"])

    event.listen(store.engine, "before_execute", hear)
    read = [Ref("risks", f"risk:late:{number}") for number in range(12)]
    _adopt(tx, {ref: f"page of {ref}" for ref in reversed(read)})
    event.remove(store.engine, "before_execute", hear)
    assert len(keys) == len(read)
    assert keys == sorted(keys)
