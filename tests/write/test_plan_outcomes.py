"""What a run reports of a plan that was carried out: each change counted once, each failure told, nothing begun that must not be."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import pytest
from board_rig import SCHEMA, WORKSPACE, Board
from msgspec.structs import replace
from section_rig import plan_section
from structlog.testing import capture_logs
from wire_rig import (
    archive,
    connect,
    create,
    creates,
    plan,
    refusal,
    status_of,
    update,
    writes,
)

from rayline_sandbox.wire import Request, Response
from tests.support.waiting import LONG
from worker.domain.document import Paragraph
from worker.domain.values import Ref, Value
from worker.errors import (
    Busy,
    ClockFault,
    Denied,
    Postponed,
    Severity,
    Unreachable,
    WrongClock,
)
from worker.mapping.schema import KEY_PROPERTY, Schema
from worker.plan.diff import SECTION
from worker.plan.plan import Change, Kind
from worker.site import Site
from worker.state import bases, journal
from worker.state.transitions import Status
from worker.world.world import CLIENT_PAGES, client_page
from worker.write.context import PlanBasis, RunControl
from worker.write.writer import Applied, apply

RISK, OTHER = Ref("risks", "risk:late:1"), Ref("risks", "risk:late:2")
QUARTER, MONTH = Ref("plans", "plan:firm:2026-Q4"), Ref("plans", "plan:firm:2026-11")
CARD = Ref("cards", "card:offer:1")
TRIES = 6
"""How often the gateway sends what certainly did not happen."""
NOTHING = {"create": 0, "update": 0, "archive": 0, "sections": 0}
FOLDER = Change(Kind.CREATE, CLIENT_PAGES, "", "Pages for clients")


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def codes(applied: Applied) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in applied.failures]


def base(board: Board, page_id: str) -> dict[str, Value]:
    with board.store.reading(WORKSPACE) as tx:
        return dict(bases.of_page(tx, page_id))


def made(board: Board, ref: Ref, **cells: Value) -> str:
    """Have a row made in a run of its own; return its page."""
    board.apply(plan(create(ref, name="Late", **cells)))
    return board.row(ref).page_id


def row_ids(board: Board) -> set[str]:
    return {row.page_id for rows in board.rows().values() for row in rows}


# --- what is counted


def test_where_nothing_was_to_do_nothing_was_done_or_cut_short(board: Board) -> None:
    applied = board.apply(plan())
    assert (applied, applied.counts()) == (Applied(), NOTHING)
    assert not applied.stopped


def test_each_kind_of_change_is_counted_once_and_done_in_its_order(
    board: Board,
) -> None:
    page, old = made(board, RISK), made(board, OTHER)
    client = board.client("Neptune")
    section = plan_section(board, client, (Paragraph("We talked"),), [])[0].changes
    heard: list[tuple[str, int, int]] = []
    sent: list[str] = []

    def watch(request: Request) -> None:
        if request.method != "GET":
            sent.append(f"{request.method} {request.path.removeprefix('/v1/')}")

    applied = board.apply(
        plan(
            archive(OTHER, old), *section, update(RISK, page, name="Later"), quarter()
        ),
        connect(board, watch),
        control=RunControl(progress=lambda *told: heard.append(told)),
    )
    assert applied.counts() == {"create": 1, "update": 1, "archive": 1, "sections": 1}
    assert heard == [("apply", done, 4) for done in (1, 2, 3, 4)]
    assert sent == [
        "POST pages",
        f"PATCH pages/{page}",
        f"PATCH blocks/{client.key}/children",
        f"PATCH pages/{old}",
    ]
    assert (applied.gone, applied.failures, applied.unknown) == (
        frozenset({old}),
        (),
        (),
    )
    assert not applied.stopped


def quarter() -> Change:
    return create(QUARTER, name="Q4")


def test_rows_that_need_each_other_are_counted_as_made_and_as_updated(
    board: Board,
) -> None:
    applied = board.apply(
        plan(
            create(MONTH, name="November", parent=(QUARTER,)),
            create(QUARTER, name="Q4", parent=(MONTH,)),
        )
    )
    assert applied.counts() == NOTHING | {"create": 2, "update": 1}
    assert board.row(MONTH).fields["parent"] == (QUARTER,)
    assert board.row(QUARTER).fields["parent"] == (MONTH,)


def test_a_second_row_that_is_put_away_is_counted_but_its_key_is_not_gone(
    board: Board,
) -> None:
    properties = board.bindings["risks"].properties
    cells = {
        properties["name"]: {"title": [{"text": {"content": "Late"}}]},
        properties[KEY_PROPERTY]: {"rich_text": [{"text": {"content": RISK.key}}]},
    }
    made(board, RISK)
    source = board.bindings["risks"].data_source_id
    second = board.notion.create_page(source, cells).id
    applied = board.apply(plan(archive(RISK, second, surplus=True)))
    assert (applied.counts()["archive"], applied.gone) == (1, frozenset())


def test_a_row_made_without_a_section_is_not_held_to_have_one(board: Board) -> None:
    assert SECTION not in base(board, made(board, RISK))


def test_the_page_above_is_put_away_after_the_pages_below_it(board: Board) -> None:
    client = board.client("Neptune")
    ref = client_page("status", client)
    status = Change(Kind.CREATE, ref, "", "Status")
    board.apply(plan(FOLDER, status))
    with board.store.reading(WORKSPACE) as tx:
        pages = journal.canonical_pages(tx)
    folder, page = pages[CLIENT_PAGES], pages[ref]
    applied = board.apply(plan(archive(CLIENT_PAGES, folder), archive(ref, page)))
    assert (applied.counts()["archive"], applied.failures) == (2, ())
    assert applied.gone == {folder, page}


# --- what is told, in an order that does not hang on chance


def test_values_of_people_that_stand_are_told_in_the_order_of_rows_and_fields(
    board: Board,
) -> None:
    pages = {
        ref: made(board, ref, probability=Decimal("0.1"), steps="call")
        for ref in (RISK, OTHER)
    }
    for page in pages.values():
        board.edit(page, "probability", Decimal("0.9"))
        board.edit(page, "steps", "by hand")
    applied = board.apply(
        plan(
            *(
                update(ref, pages[ref], steps="write", probability=Decimal("0.2"))
                for ref in (OTHER, RISK)
            )
        )
    )
    assert [(kept.ref, kept.field) for kept in applied.kept] == [
        (RISK, "probability"),
        (RISK, "steps"),
        (OTHER, "probability"),
        (OTHER, "steps"),
    ]


def test_creations_in_doubt_and_failures_are_told_in_the_order_of_rows(
    board: Board,
) -> None:
    refs = [Ref("risks", f"risk:late:{number}") for number in range(8)]
    board.break_next("hang_after", times=8)
    doubt = board.apply(plan(*(create(ref, name="Late") for ref in reversed(refs))))
    assert doubt.unknown == tuple(refs)
    clients = [board.client(f"Client {number}") for number in range(8)]
    told = board.apply(
        plan(*(update(one, one.key, health="purple") for one in clients))
    )
    assert codes(told) == [
        ("value-unwritable", where) for where in sorted(map(str, clients))
    ]


# --- whose pages a relation leads to


def test_a_relation_to_a_row_just_made_is_remembered_as_a_read_will_show_it(
    board: Board,
) -> None:
    client = board.client("Neptune")
    board.apply(
        plan(
            quarter(),
            create(MONTH, name="November", parent=(QUARTER,)),
            create(CARD, name="Offer"),
            create(RISK, name="Late", card=(CARD,), client=(client,)),
        )
    )
    for ref, field in ((MONTH, "parent"), (RISK, "card"), (RISK, "client")):
        row = board.row(ref)
        assert row.fields[field]
        assert base(board, row.page_id)[field] == row.fields[field]


# --- side by side, or one at a time


def test_as_many_changes_as_are_allowed_run_side_by_side(board: Board) -> None:
    both, asking = threading.Barrier(2, timeout=LONG), threading.get_ident()

    def meet(request: Request) -> None:
        if creates(request):
            assert threading.get_ident() != asking, "nothing would ever come beside it"
            both.wait()

    two = plan(create(RISK, name="Late"), create(OTHER, name="Late"))
    applied = board.apply(two, connect(board, meet), width=2)
    assert (applied.counts()["create"], applied.failures) == (2, ())


def test_one_at_a_time_all_is_done_by_the_thread_that_asked(board: Board) -> None:
    threads = set()

    def watch(request: Request) -> None:
        threads.add(threading.get_ident())

    two = plan(create(RISK, name="Late"), create(OTHER, name="Late"))
    board.apply(two, connect(board, watch), width=1)
    assert threads == {threading.get_ident()}


# --- ends


def test_a_stop_leaves_the_one_change_that_was_not_begun_without_a_claim(
    board: Board,
) -> None:
    stop = threading.Event()
    control = RunControl(stop=stop, progress=lambda *told: stop.set())
    two = plan(create(RISK, name="Late"), create(OTHER, name="Late"))
    with capture_logs() as logged:
        applied = board.apply(two, control=control)
    assert (applied.stopped, applied.taken_by) == (True, "")
    assert (applied.counts()["create"], applied.failures) == (1, ())
    assert (status_of(board, RISK), status_of(board, OTHER)) == (Status.DONE, None)
    assert "lease.lost" not in [one["event"] for one in logged]


def test_nothing_leaves_after_a_wait_in_which_the_end_was_asked_for(
    board: Board,
) -> None:
    stop, sent = threading.Event(), []
    board.break_next("429", retry_after=1)
    wait = board.pass_time

    def sleep(seconds: float) -> None:
        wait(seconds)
        stop.set()

    board.pass_time = sleep
    applied = board.apply(
        plan(create(RISK, name="Late")),
        connect(board, lambda request: sent.append(request.path)),
        control=RunControl(stop=stop),
    )
    assert sent == ["/v1/pages"]
    assert (applied.stopped, applied.failures, applied.unknown) == (True, (), ())


@pytest.mark.parametrize(
    ("fault", "asked", "told", "stopped"),
    [
        ("409", False, ["write-failed"], False),
        ("409", True, [], True),
        ("400", True, ["write-rejected"], False),
    ],
)
def test_only_what_could_not_be_sent_for_the_end_is_left_to_the_next_run(
    board: Board, fault: str, asked: bool, told: list[str], stopped: bool
) -> None:
    stop = threading.Event()
    tries: list[str] = []

    def refuse(request: Request) -> Response:
        tries.append(request.path)
        if asked and (fault == "400" or len(tries) == TRIES):
            stop.set()
        return refusal("No.", status=int(fault))

    applied = board.apply(
        plan(create(RISK, name="Late")),
        connect(board, refuse),
        control=RunControl(stop=stop),
    )
    assert ([one.code for one in applied.failures], applied.stopped) == (told, stopped)
    assert len(tries) == (1 if fault == "400" else TRIES)


def test_two_changes_that_lose_the_workspace_at_once_tell_it_once(board: Board) -> None:
    both, asking = threading.Barrier(2, timeout=LONG), threading.get_ident()

    def lose() -> None:
        assert threading.get_ident() != asking, "nothing would ever come beside it"
        both.wait()
        raise Busy(WORKSPACE, "another")

    two = plan(create(RISK, name="Late"), create(OTHER, name="Late"))
    with capture_logs() as logged:
        applied = board.apply(two, control=RunControl(fence=lose), width=2)
    assert (applied.stopped, applied.taken_by) == (True, "another")
    lost = [one for one in logged if one["event"] == "lease.lost"]
    assert [one["holder"] for one in lost] == ["another"]


def test_a_clock_that_is_wrong_is_asked_once_and_nothing_more_is_begun(
    board: Board,
) -> None:
    asked = []

    def look() -> None:
        asked.append(True)
        raise WrongClock(ClockFault.WRONG, {})

    two = plan(create(RISK, name="Late"), create(OTHER, name="Late"))
    applied = board.apply(two, control=RunControl(fence=look))
    assert (len(asked), applied.stopped, applied.failures) == (1, True, ())
    assert row_ids(board) == set()


@pytest.mark.parametrize(
    ("status", "code", "halted", "hint"),
    [
        (403, "write-denied", Denied, "check the token"),
        (429, "postponed", Postponed, "tried again in the next run"),
        (407, "unreachable", Unreachable, "proxy"),
    ],
)
def test_what_the_next_change_would_meet_too_is_told_once_and_halts_the_run(
    board: Board, status: int, code: str, halted: type[Exception], hint: str
) -> None:
    sent = []

    def refuse(request: Request) -> Response:
        sent.append(request.path)
        return Response(status, {"retry-after": "2000"}, b"{}")

    two = plan(create(RISK, name="Late"), create(OTHER, name="Late"))
    applied = board.apply(two, connect(board, refuse))
    assert (codes(applied), sent) == ([(code, str(RISK))], ["/v1/pages"])
    assert isinstance(applied.halted_by, halted)
    assert applied.stopped
    (told,) = applied.failures
    assert (told.severity, told.field) == (Severity.ERROR, "")
    assert hint in told.hint


# --- failures


def test_a_refused_change_holds_up_no_other(board: Board) -> None:
    asked: set[str] = set()

    def refuse(request: Request) -> Response | None:
        asked.add(request.path)
        if creates(request) and RISK.key in request.body.decode():
            return refusal("No.")
        return None

    two = plan(create(RISK, name="Late"), create(OTHER, name="Late"))
    applied = board.apply(two, connect(board, refuse))
    assert codes(applied) == [("write-rejected", str(RISK))]
    assert applied.counts()["create"] == 1
    assert (applied.halted_by, applied.stopped) == (None, False)
    assert "tried again" in applied.failures[0].hint
    assert asked == {"/v1/pages"}, "no page is looked at of a row that has none"


def test_a_failure_names_the_column_that_is_refused(board: Board) -> None:
    key = board.bindings["risks"].properties[KEY_PROPERTY]

    def refuse(request: Request) -> Response:
        return refusal(f"body failed: body.properties.{key}.x should be defined.")

    applied = board.apply(plan(create(RISK, name="Late")), connect(board, refuse))
    assert [(one.code, one.field) for one in applied.failures] == [
        ("write-rejected", key)
    ]


def test_a_fault_of_our_own_is_told_by_its_kind_alone(board: Board) -> None:
    def fail(request: Request) -> Response:
        raise RuntimeError("what somebody typed")

    applied = board.apply(plan(create(RISK, name="Late")), connect(board, fail))
    assert codes(applied) == [("apply-failed", str(RISK))]
    (told,) = applied.failures
    assert "RuntimeError" in told.message
    assert "somebody" not in told.message
    assert "Late" in told.message


@pytest.mark.parametrize("private", [True, False])
def test_of_a_private_row_neither_title_nor_notions_words_are_told(
    board: Board, private: bool
) -> None:
    risks = replace(SCHEMA.sources["risks"], private=private)
    schema = Schema({**SCHEMA.sources, "risks": risks})
    seen = board.site()
    site = Site(seen.name, seen.settings, schema, seen.words, seen.store, seen.now)
    notion = connect(board, lambda request: refusal("Neptune owes 5 EUR"))
    applied = apply(
        plan(create(RISK, name="Neptune is late")),
        notion,
        site,
        board.bindings,
        basis=PlanBasis(),
        control=RunControl(),
    )
    (told,) = applied.failures
    assert told.code == "write-rejected"
    assert ("owes" in told.message, "is late" in told.message) == (not private,) * 2
    assert ("Rejected" in told.message, RISK.key in told.message) == (private,) * 2


# --- pages that are gone


def trash(board: Board, page_id: str) -> None:
    board.person("trash", id=page_id)


def test_a_persons_row_deleted_since_it_was_read_is_gone_and_no_failure(
    board: Board,
) -> None:
    client = board.client("Neptune")
    trash(board, client.key)
    applied = board.apply(plan(update(client, client.key, health="red")))
    assert (applied.gone, applied.failures) == (frozenset({client.key}), ())
    assert (applied.counts(), applied.unknown) == (NOTHING, ())


def test_a_row_of_ours_deleted_before_the_rest_of_it_was_written_is_gone(
    board: Board,
) -> None:
    page = made(board, RISK)
    trash(board, page)
    applied = board.apply(plan(update(RISK, "", name="Later")))
    assert (applied.gone, applied.failures) == (frozenset({page}), ())


@pytest.mark.parametrize("status", [403, 409, 500])
def test_a_failure_of_access_or_of_the_service_says_nothing_of_the_page(
    board: Board, status: int
) -> None:
    page = made(board, RISK)
    trash(board, page)

    def refuse(request: Request) -> Response | None:
        return refusal("No.", status=status) if writes(request) else None

    applied = board.apply(
        plan(update(RISK, page, name="Later")), connect(board, refuse)
    )
    assert [one.where for one in applied.failures] == [str(RISK)]
    assert applied.gone == frozenset()


def test_a_refusal_of_a_page_that_stands_is_a_failure_and_the_page_is_not_gone(
    board: Board,
) -> None:
    page = made(board, RISK)

    def refuse(request: Request) -> Response | None:
        return refusal("No.") if writes(request) else None

    applied = board.apply(plan(archive(RISK, page)), connect(board, refuse))
    assert codes(applied) == [("write-rejected", str(RISK))]
    assert applied.gone == frozenset()


# --- pages that are no rows


def closed(board: Board, status: int) -> Applied:
    """Have the folder for clients' pages refused, and a row made after it."""

    def refuse(request: Request) -> Response | None:
        is_folder = creates(request) and FOLDER.title in request.body.decode()
        return refusal("No.", status=status) if is_folder else None

    return board.apply(plan(FOLDER, create(RISK, name="Late")), connect(board, refuse))


@pytest.mark.parametrize("status", [403, 404, 400])
def test_a_page_that_may_not_be_made_is_told_and_all_else_is_written(
    board: Board, status: int
) -> None:
    applied = closed(board, status)
    assert [(one.code, one.where) for one in applied.warnings] == [
        ("place-closed", FOLDER.title)
    ]
    assert "share the page" in applied.warnings[0].hint
    assert (applied.failures, applied.halted_by, applied.gone) == (
        (),
        None,
        frozenset(),
    )
    assert applied.counts() == NOTHING | {"create": 1}


def test_a_page_that_could_not_be_sent_is_a_failure_like_any_other(
    board: Board,
) -> None:
    applied = closed(board, 409)
    assert (codes(applied), applied.warnings) == (
        [("write-failed", str(CLIENT_PAGES))],
        (),
    )


def test_a_page_whose_folder_was_deleted_meanwhile_is_no_failure(board: Board) -> None:
    client = board.client("Neptune")
    board.apply(plan(FOLDER))
    with board.store.reading(WORKSPACE) as tx:
        folder = journal.canonical_pages(tx)[CLIENT_PAGES]
    trash(board, folder)
    status = Change(Kind.CREATE, client_page("status", client), "", "Status")
    applied = board.apply(plan(status))
    assert (applied.gone, applied.failures, applied.warnings) == (
        frozenset({folder}),
        (),
        (),
    )


def test_a_folder_that_cannot_be_looked_up_is_not_taken_for_deleted(
    board: Board,
) -> None:
    client = board.client("Neptune")
    board.apply(plan(FOLDER))

    def refuse(request: Request) -> Response | None:
        if creates(request):
            return refusal("No.", status=404)
        if request.path.startswith("/v1/pages/"):
            return refusal("No.", status=403)
        return None

    status = Change(Kind.CREATE, client_page("status", client), "", "Status")
    applied = board.apply(plan(status), connect(board, refuse))
    assert [one.code for one in applied.warnings] == ["place-closed"]
    assert (applied.gone, applied.failures) == (frozenset(), ())


# --- the log


def test_each_change_is_logged_with_its_page(board: Board) -> None:
    client = board.client("Neptune")
    with capture_logs() as logged:
        board.apply(
            plan(create(RISK, name="Late"), update(client, client.key, health="red"))
        )
    lines = [one for one in logged if one["event"] == "change"]
    assert [(one["page"], one["outcome"], one["fields"]) for one in lines] == [
        (board.row(RISK).page_id, "done", ["name"]),
        (client.key, "done", ["health"]),
    ]


def test_a_failure_is_logged_by_its_code_and_its_words(board: Board) -> None:
    notion = connect(board, lambda request: refusal("Nobody knows why."))
    with capture_logs() as logged:
        board.apply(plan(create(RISK, name="Late")), notion)
    (line,) = (one for one in logged if one["event"] == "change")
    assert (line["outcome"], line["problem"]) == ("failed", "write-rejected")
    assert "Nobody knows why." in line["message"]
