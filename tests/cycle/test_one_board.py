"""One board, or one long cell of one row, that Notion does not give stops nothing else, and heals by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
import pytest

from rayline_sandbox.wire import HandlerTransport, Request, Response, json_response
from tests.support.stages import ACME, Play, small_play
from worker.cycle.context import Mode
from worker.errors import ApiError
from worker.notion.gateway import NotionGateway

Answer = Callable[[Request], Response | None]


def _error(status: int, code: str) -> Response:
    body = {
        "object": "error",
        "status": status,
        "code": code,
        "message": "not today",
        "request_id": "r",
    }
    return json_response(status, body)


REFUSALS = {
    "400": _error(400, "validation_error"),
    "403": _error(403, "restricted_resource"),
    "404": _error(404, "object_not_found"),
    "409": _error(409, "conflict_error"),
    "500": _error(500, "internal_server_error"),
    "502": Response(502, {"content-type": "text/html"}, b"<html>502</html>"),
    "504": _error(504, "gateway_timeout"),
    "nothing": Response(200, {"content-type": "application/json"}, b""),
}

ITEMS = 30


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("board")) as found:
        for _ in range(2):
            found.sync()
            found.later(minutes=10)
        yield found


def _move_one(play: Play) -> Decimal:
    """Let a developer finish an item of the project's card, or take it up again; return what its progress is to be."""
    done = round(play.row("projects", ACME).values["progress"] * ITEMS)
    is_open = done == ITEMS * 4 // 5
    status = "Done" if is_open else "To Do"
    play.stage.jira.control("transition", {"issue": "ACME-5", "status": status})
    return round(Decimal(done + (1 if is_open else -1)) / ITEMS, 4)


def _is_quiet(play: Play) -> bool:
    """Tell whether a full pass some minutes later has nothing to write."""
    play.later(minutes=10)
    mark = play.mark()
    return play.sync(Mode.FULL).plan.changes == () and play.writes(mark) == []


def _behind(play: Play, answer: Answer, *, width: int = 4) -> Play:
    """Return the stage with a Notion that answers some requests otherwise."""
    sandbox = play.stage.notion

    def handle(request: Request) -> Response:
        return answer(request) or sandbox.handle(request)

    settings = play.stage.context.settings
    notion = settings.notion.model_copy(update={"width": width})
    gateway = NotionGateway(
        notion,
        transport=HandlerTransport(handle),
        sleep=lambda seconds: None,
        monotonic=lambda: play.stage.clock.now().timestamp(),
    )
    return play.with_settings(notion=notion).through(gateway)


def _query_of(play: Play, *sources: str) -> Callable[[Request], bool]:
    paths = {f"/v1/data_sources/{play.data_source(one)}/query" for one in sources}
    return lambda request: request.path in paths


HURT = [
    *(("risks", Mode.DELTA, 4, one) for one in sorted({*REFUSALS} - {"404"})),
    ("revenue", Mode.FULL, 4, "404"),
    ("revenue", Mode.FULL, 4, "504"),
    ("backlog", Mode.DELTA, 1, "400"),  # the first to be read
    ("units", Mode.FULL, 1, "502"),
]


@pytest.mark.parametrize(("source", "mode", "width", "refusal"), HURT)
def test_a_board_that_cannot_be_queried_is_told_and_all_others_are_read_and_written(
    play: Play, source: str, mode: Mode, width: int, refusal: str
) -> None:
    is_hit = _query_of(play, source)
    hurt = _behind(
        play,
        lambda request: REFUSALS[refusal] if is_hit(request) else None,
        width=width,
    )
    keyed = {card.page_id for card in play.keyed("risks")}
    progress = _move_one(play)
    report = hurt.sync(mode)
    told = {(one.code, one.where) for one in report.plan.problems}
    assert ("incomplete-read", source) in told
    assert (report.refused, report.applied.failures) == ((), ())
    assert play.row("projects", ACME).values["progress"] == progress
    assert {card.page_id for card in play.keyed("risks")} >= keyed

    play.later(minutes=10)
    mended = play.sync(Mode.FULL)
    assert "incomplete-read" not in {one.code for one in mended.plan.problems}
    assert _is_quiet(play)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("refusal", ["500", "502", "400"])
def test_a_notion_that_answers_for_no_board_is_no_boards_fault(
    play: Play, refusal: str, width: int
) -> None:
    asked = []

    def answer(request: Request) -> Response | None:
        if not request.path.endswith("/query"):
            return None
        asked.append(request.path)
        return REFUSALS[refusal]

    mark = play.mark()
    with pytest.raises(ApiError):
        _behind(play, answer, width=width).sync(Mode.DELTA)
    assert len(set(asked)) <= 2 * width
    assert play.writes(mark) == []


@pytest.mark.parametrize("refusal", ["400", "404", "500"])
def test_a_row_whose_long_cell_cannot_be_read_counts_as_it_was_read_last(
    play: Play, refusal: str
) -> None:
    unit = play.page("units", 0)
    stands = play.row("units", 0).values
    members = [{"id": play.page("people", index)} for index in range(3)]
    answers = iter([True])

    def answer(request: Request) -> Response | None:
        if "/properties/" in request.path and unit in request.path:
            return REFUSALS[refusal]
        if not _query_of(play, "units")(request) or next(answers, None) is None:
            return None
        body = msgspec.json.decode(play.stage.notion.handle(request).body)
        for page in body["results"]:
            cell = page["properties"][play.label("units", "members")]
            cell |= {"relation": members, "has_more": True}
        return json_response(200, body)

    progress = _move_one(play)
    report = _behind(play, answer).sync(Mode.FULL)
    told = {(one.code, one.where) for one in report.plan.problems}
    assert ("unreadable-page", "Units: North") in told
    assert report.applied.failures == ()
    assert play.row("projects", ACME).values["progress"] == progress
    assert play.row("units", 0).values["capacity"] == stands["capacity"]

    play.later(minutes=10)
    assert "unreadable-page" not in {one.code for one in play.sync().plan.problems}
