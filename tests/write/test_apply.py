"""Plans carried out on the emulated Notion: what is written, what is remembered, what people did in between."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from board_rig import SETTLE, WORKSPACE, Board, fact
from msgspec.structs import replace

from tests.support.english import english
from worker.domain.values import Ref, Value
from worker.errors import Busy
from worker.plan.facts import Fact, Why
from worker.plan.plan import Change, FieldChange, Kind, Plan
from worker.state import bases, journal
from worker.state.transitions import Status
from worker.write.context import RunControl
from worker.write.creation_order import arrange
from worker.write.settle import Settled

RISK, OTHER = Ref("risks", "risk:late:c1"), Ref("risks", "risk:late:c2")
QUARTER, MONTH = Ref("plans", "plan:firm:2026-Q4"), Ref("plans", "plan:firm:2026-11")


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def _risk(
    probability: str = "0.3", *, ref: Ref = RISK, name: str = "Late"
) -> list[Fact]:
    return [
        fact(ref, "name", name),
        fact(ref, "probability", Decimal(probability)),
        fact(ref, "steps", "call"),
    ]


def _base(board: Board, page_id: str, name: str) -> Value:
    with board.store.reading(WORKSPACE) as tx:
        return bases.load(tx)[0][page_id, name]


def _status(board: Board, ref: Ref) -> Status | None:
    with board.store.reading(WORKSPACE) as tx:
        intent = journal.find(tx, ref)
    return intent.status if intent else None


# --- writing


def test_a_second_plan_after_the_apply_is_empty(board: Board) -> None:
    client = board.client("Нептун")
    facts = [
        *_risk(),
        fact(RISK, "client", (client,)),
        fact(client, "health", "red"),
        fact(client, "score", Decimal(40)),
        fact(QUARTER, "name", "Q4"),
        fact(MONTH, "name", "November"),
        fact(MONTH, "parent", (QUARTER,)),
        fact(QUARTER, "target", None),
        fact(client, "due", None),
    ]
    assert board.cycle(facts).counts() == {
        "create": 3,
        "update": 1,
        "archive": 0,
        "sections": 0,
    }
    plan, _ = board.draw(facts)
    assert plan == Plan(WORKSPACE, adopted=plan.adopted)
    writes = board.writes()
    board.cycle(facts)
    assert board.writes() == writes
    assert board.draw(facts)[0] == Plan(WORKSPACE)


def test_an_update_sends_only_the_fields_that_differ(board: Board) -> None:
    client = board.client("Нептун")
    board.cycle([fact(client, "health", "red"), fact(client, "score", Decimal(40))])
    board.cycle([fact(client, "health", "red"), fact(client, "score", Decimal(45))])
    last = [entry for entry in board.sandbox.log if entry.write][-1]
    assert last.method == "PATCH"
    assert board.bindings["clients"].properties["score"] in last.summary
    assert board.bindings["clients"].properties["health"] not in last.summary


def test_the_base_is_what_came_back_not_what_was_sent(board: Board) -> None:
    board.cycle(_risk("0.30000000000000000001", name="Late\x00 again"))
    page_id = board.row(RISK).page_id
    assert _base(board, page_id, "probability") == Decimal("0.3")
    assert _base(board, page_id, "name") == "Late again"
    again = _risk("0.40000000000000000001", name="Late\x00 as ever")
    assert board.cycle(again).counts()["update"] == 1
    assert _base(board, page_id, "probability") == Decimal("0.4")
    assert _base(board, page_id, "name") == "Late as ever"


def test_children_find_their_parents_page(board: Board) -> None:
    board.cycle(
        [
            fact(MONTH, "name", "November"),
            fact(MONTH, "parent", (QUARTER,)),
            fact(QUARTER, "name", "Q4"),
        ]
    )
    assert board.row(MONTH).fields["parent"] == (QUARTER,)


def test_rows_that_point_at_each_other_are_created_all_the_same(board: Board) -> None:
    facts = [
        fact(MONTH, "name", "November"),
        fact(MONTH, "parent", (QUARTER,)),
        fact(QUARTER, "name", "Q4"),
        fact(QUARTER, "parent", (MONTH,)),
    ]
    assert board.cycle(facts).failures == ()
    assert board.row(MONTH).fields["parent"] == (QUARTER,)
    assert board.row(QUARTER).fields["parent"] == (MONTH,)
    assert board.draw(facts)[0].changes == ()


@pytest.mark.parametrize("width", [1, 8])
def test_any_width_writes_the_same(board: Board, width: int) -> None:
    refs = [Ref("risks", f"risk:late:{number}") for number in range(40)]
    applied = board.cycle([one for ref in refs for one in _risk(ref=ref)], width=width)
    assert applied.counts()["create"] == 40
    assert len(board.content()) == 40
    with board.store.reading(WORKSPACE) as tx:
        assert set(journal.canonical_pages(tx)) == set(refs)


# --- people


def test_a_persons_edit_of_a_shared_field_survives_a_source_that_moves(
    board: Board,
) -> None:
    board.cycle(_risk("0.3"))
    board.edit(board.row(RISK).page_id, "probability", Decimal("0.9"))
    plan, _ = board.draw(_risk("0.5"))
    assert [(kept.current, kept.desired, kept.conflict) for kept in plan.kept] == [
        (Decimal("0.9"), Decimal("0.5"), True)
    ]
    board.cycle(_risk("0.5"))
    assert board.row(RISK).fields["probability"] == Decimal("0.9")


def test_a_shared_field_set_back_is_the_workers_again(board: Board) -> None:
    board.cycle(_risk("0.3"))
    page_id = board.row(RISK).page_id
    for value in ("0.9", "0.3"):
        board.edit(page_id, "probability", Decimal(value))
    board.cycle(_risk("0.5"))
    assert board.row(RISK).fields["probability"] == Decimal("0.5")


def test_a_workers_field_edited_by_a_person_is_overwritten_and_called_drift(
    board: Board,
) -> None:
    board.cycle(_risk())
    board.edit(board.row(RISK).page_id, "name", "Mine")
    plan, _ = board.draw(_risk())
    assert [item.drift for change in plan.changes for item in change.fields] == [True]
    board.cycle(_risk())
    assert board.row(RISK).title == "Late"


def test_a_seeded_field_is_a_persons_from_the_first_day(board: Board) -> None:
    board.cycle(_risk())
    board.edit(board.row(RISK).page_id, "steps", "")
    board.cycle(_risk())
    assert board.row(RISK).fields["steps"] is None


def test_a_row_a_person_duplicated_is_left_alone(board: Board) -> None:
    board.cycle(_risk("0.3"))
    copy = board.person("duplicate", page_id=board.row(RISK).page_id)["id"]
    plan, _ = board.draw(_risk("0.5", name="Very late"))
    assert [problem.code for problem in plan.problems] == ["duplicate-key"]
    assert copy not in {change.page_id for change in plan.changes}
    board.cycle(_risk("0.5", name="Very late"))
    titles = {row.page_id: row.title for row in board.rows()["risks"]}
    assert titles.pop(copy) == "Late (1)"
    assert list(titles.values()) == ["Very late"]


def test_a_row_a_person_trashed_is_not_created_again(board: Board) -> None:
    board.cycle(_risk())
    page_id = board.row(RISK).page_id
    board.person("trash", id=page_id)
    assert board.draw(_risk())[0].changes == (), (
        "a row of ours that a read did not show is not created again"
    )
    board.gone.add(page_id)
    assert board.draw(_risk())[0] == Plan(WORKSPACE)


def test_a_copy_of_a_trashed_row_is_not_taken_for_it(board: Board) -> None:
    board.cycle(_risk())
    original = board.row(RISK).page_id
    board.person("duplicate", page_id=original)
    board.person("trash", id=original)
    plan, _ = board.draw(_risk(name="Very late"))
    assert plan.changes == ()
    assert [problem.code for problem in plan.problems] == ["duplicate-key"]


def test_a_lost_state_changes_nothing_and_keeps_what_people_typed(
    board: Board, tmp_path: Path
) -> None:
    facts = [
        *_risk(),
        fact(MONTH, "name", "November"),
        fact(MONTH, "parent", (QUARTER,)),
        fact(QUARTER, "name", "Q4"),
    ]
    board.cycle(facts)
    board.edit(board.row(RISK).page_id, "probability", Decimal("0.9"))
    before, writes = board.content(), board.writes()
    board.folder = tmp_path / "new home"
    board.reopen()
    board.cycle(facts)
    assert (board.content(), board.writes()) == (before, writes)
    board.cycle([*facts, fact(MONTH, "parent", ())])
    board.cycle(facts)
    assert board.content() == before


# --- failures


def test_a_refused_value_is_a_problem_of_its_change_alone(board: Board) -> None:
    client = board.client("Нептун")
    applied = board.cycle([fact(client, "health", "purple"), *_risk()])
    assert [(problem.code, problem.where) for problem in applied.failures] == [
        ("value-unwritable", str(client))
    ]
    assert applied.counts()["create"] == 1


@pytest.mark.parametrize("kind", ["hang_after", "reset_after", "502_after", "truncate"])
def test_a_creation_that_happened_unseen_is_found_and_not_repeated(
    board: Board, kind: str
) -> None:
    board.break_next(kind)
    applied = board.cycle(_risk())
    assert applied.unknown == (RISK,)
    assert _status(board, RISK) is Status.UNKNOWN
    assert board.settle() == Settled(waiting=(RISK,))
    board.clock.advance(SETTLE)
    assert board.settle() == Settled(adopted=(RISK,))
    assert board.draw(_risk())[0].changes == ()
    assert board.cycle(_risk("0.5")).counts()["update"] == 1, (
        "its shared field is known to be ours"
    )
    assert board.content()[str(RISK)]["probability"] == Decimal("0.5")


@pytest.mark.parametrize("kind", ["hang_after", "503_committed"])
def test_what_was_given_once_by_a_creation_that_happened_unseen_is_not_given_again(
    board: Board, kind: str
) -> None:
    facts = [*_risk(), fact(RISK, "steps", "call")]
    board.break_next(kind)
    board.cycle(facts)
    board.clock.advance(SETTLE)
    board.cycle(facts)
    board.edit(board.row(RISK).page_id, "steps", "")
    assert board.cycle(facts).counts()["update"] == 0
    assert not board.content()[str(RISK)]["steps"]


@pytest.mark.parametrize("wait", [timedelta(), SETTLE])
@pytest.mark.parametrize("kind", ["hang_after", "503_committed", "503_saved"])
@pytest.mark.parametrize("name", ["steps", "probability"])
@pytest.mark.parametrize("later", ["0.3", "0.5"])
def test_what_a_person_empties_before_a_row_made_unseen_is_found_stays_empty(
    board: Board, kind: str, name: str, wait: timedelta, later: str
) -> None:
    board.break_next(kind)
    board.cycle(_risk())
    board.edit(board.row(RISK).page_id, name, None)
    board.clock.advance(wait)
    for _ in range(3):
        board.cycle(_risk(later))
    assert board.row(RISK).fields[name] is None


def test_a_creation_seen_by_a_read_needs_no_settling(board: Board) -> None:
    board.break_next("hang_after")
    board.cycle(_risk("0.3"))
    for probability in ("0.5", "0.7"):
        board.cycle(_risk(probability))
    assert board.settle() == Settled()
    assert board.content()[str(RISK)]["probability"] == Decimal("0.7")


@pytest.mark.parametrize("kind", ["hang_before", "reset_before", "500"])
def test_a_creation_that_did_not_happen_is_repeated_after_the_settle_time(
    board: Board, kind: str
) -> None:
    board.break_next(kind)
    assert board.cycle(_risk()).unknown == (RISK,)
    assert board.settle() == Settled(waiting=(RISK,))
    board.clock.advance(SETTLE)
    assert board.cycle(_risk()).counts()["create"] == 1
    assert len(board.content()) == 1


@pytest.mark.parametrize("kind", ["hang_before", "reset_before", "500"])
def test_a_creation_that_did_not_happen_is_told_as_free_and_not_as_found(
    board: Board, kind: str
) -> None:
    board.break_next(kind)
    board.cycle(_risk())
    board.clock.advance(SETTLE)
    assert board.settle() == Settled(reopened=(RISK,))


def test_a_creation_that_somebody_has_made_already_is_no_doubt(board: Board) -> None:
    plan = board.draw(_risk())[0]
    board.cycle(_risk())
    again = board.apply(plan)
    assert (again.unknown, again.failures) == ((), ())
    assert len(board.content()) == 1


def test_a_creation_in_doubt_stays_in_doubt_for_whoever_wants_it(board: Board) -> None:
    plan = board.draw(_risk())[0]
    board.break_next("hang_after")
    board.cycle(_risk())
    assert board.apply(plan).unknown == (RISK,)
    assert len(board.content()) == 1


def test_a_creation_that_commits_late_is_not_made_twice(board: Board) -> None:
    board.break_next("late_commit", seconds=60)
    board.cycle(_risk())
    for _ in range(6):
        board.clock.advance(timedelta(seconds=45))
        board.cycle(_risk())
    assert len(board.content()) == 1


def test_a_saved_but_503_answer_is_as_good_as_done(board: Board) -> None:
    board.break_next("503_committed")
    applied = board.cycle(_risk())
    assert (applied.counts()["create"], applied.unknown) == (1, ())
    assert _status(board, RISK) is Status.DONE
    board.cycle(_risk("0.5"))
    assert board.content()[str(RISK)]["probability"] == Decimal("0.5")


def test_two_rows_of_an_unknown_creation_stop_its_key(board: Board) -> None:
    board.break_next("hang_after")
    board.cycle(_risk())
    board.person("duplicate", page_id=board.row(RISK).page_id)
    board.clock.advance(SETTLE)
    settled = board.settle()
    assert [
        (problem.code, english(problem.message)) for problem in settled.problems
    ] == [("unsettled-creation", "2 rows carry the key")]
    assert _status(board, RISK) is Status.UNKNOWN


def test_an_update_whose_answer_was_lost_is_recognised_as_ours(board: Board) -> None:
    board.cycle(_risk("0.3"))
    board.break_next("hang_after", method="PATCH", path="/v1/pages/", times=10)
    applied = board.cycle(_risk("0.5"))
    assert applied.failures == (), "it was read again after the wait"
    board.sandbox.control("clear_faults", {})
    assert board.cycle(_risk("0.7")).counts()["update"] == 1
    assert board.row(RISK).fields["probability"] == Decimal("0.7")


def test_a_write_that_certainly_failed_leaves_no_claim_on_the_cell(
    board: Board,
) -> None:
    board.cycle(_risk("0.3"))
    plan, _ = board.draw(_risk("0.5"))
    board.person("trash", id=board.row(RISK).page_id)
    applied = board.apply(plan)
    assert (applied.failures, applied.gone) == (
        (),
        frozenset({plan.changes[0].page_id}),
    ), "nothing is left to write"
    with board.store.reading(WORKSPACE) as tx:
        assert bases.load(tx)[1] == {}


def test_a_refusal_of_a_page_that_stands_is_a_failure(board: Board) -> None:
    board.cycle(_risk("0.3"))
    plan, _ = board.draw(_risk("0.5"))
    board.person(
        "retype_property",
        data_source_id=board.bindings["risks"].data_source_id,
        property="probability",
        type="rich_text",
    )
    applied = board.apply(plan)
    assert ([problem.where for problem in applied.failures], applied.gone) == (
        [str(RISK)],
        frozenset(),
    )


def test_a_revoked_token_stops_the_apply_at_once(board: Board) -> None:
    plan, _ = board.draw([*_risk(), *_risk(ref=OTHER)])
    board.sandbox.control("revoke_token", {})
    applied = board.apply(plan)
    assert [problem.code for problem in applied.failures] == ["write-denied"]
    assert applied.stopped
    assert _status(board, RISK) is Status.FAILED
    assert _status(board, OTHER) is None


# --- ends


def test_a_stop_finishes_the_change_in_hand_and_begins_no_other(board: Board) -> None:
    stop = threading.Event()
    refs = [Ref("risks", f"risk:late:{number}") for number in range(5)]

    def progress(_phase: str, done: int, total: int) -> None:
        assert total == 5
        if done == 2:
            stop.set()

    applied = board.cycle(
        [one for ref in refs for one in _risk(ref=ref)],
        control=RunControl(stop=stop, progress=progress),
    )
    assert (applied.counts()["create"], applied.stopped) == (2, True)
    assert len(board.content()) == 2


@pytest.mark.parametrize("width", [1, 4])
def test_a_lost_lease_ends_the_apply_before_the_next_write(
    board: Board, width: int
) -> None:
    passes = iter([None, None])

    def fence() -> None:
        if next(passes, "lost") == "lost":
            raise Busy(WORKSPACE, "another")

    refs = [Ref("risks", f"risk:late:{number}") for number in range(12)]
    applied = board.cycle(
        [one for ref in refs for one in _risk(ref=ref)],
        control=RunControl(fence=fence),
        width=width,
    )
    assert (applied.stopped, applied.taken_by) == (True, "another")
    assert (applied.counts()["create"], applied.failures, applied.unknown) == (
        2,
        (),
        (),
    )
    assert len(board.content()) == 2
    with board.store.reading(WORKSPACE) as tx:
        assert journal.unsettled(tx) == (), "what was not sent is free to be made"


def test_two_workers_with_the_same_plan_create_each_row_once(board: Board) -> None:
    plan, _ = board.draw(
        [
            one
            for number in range(20)
            for one in _risk(ref=Ref("risks", f"risk:late:{number}"))
        ]
    )
    threads = [threading.Thread(target=board.apply, args=(plan,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(board.content()) == 20


# --- order


def _creation(name: str, *parents: str) -> Change:
    refs = tuple(Ref("plans", parent) for parent in parents)
    return Change(
        Kind.CREATE,
        Ref("plans", name),
        "",
        name,
        (
            FieldChange("name", None, name, Why("test")),
            FieldChange("parent", None, refs, Why("test")),
        ),
    )


def test_parents_come_before_children() -> None:
    week, month, quarter = (
        _creation("week", "month"),
        _creation("month", "quarter"),
        _creation("quarter", "absent"),
    )
    assert arrange([week, month, quarter]).levels == ((quarter,), (month,), (week,))
    assert arrange([week, month, quarter]).later == ()


def test_a_cycle_is_cut_at_its_first_row_and_closed_by_an_update() -> None:
    one, two = _creation("one", "two"), _creation("two", "one")
    arrangement = arrange([one, two])
    assert arrangement.levels == ((replace(one, fields=one.fields[:1]),), (two,))
    assert arrangement.later == (replace(one, kind=Kind.UPDATE, fields=one.fields[1:]),)


def test_a_row_that_points_at_itself_is_created_first() -> None:
    own = _creation("own", "own")
    assert arrange([own]).later == (
        replace(own, kind=Kind.UPDATE, fields=own.fields[1:]),
    )
