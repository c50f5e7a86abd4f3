"""The first words with both services: side by side, tried seldom, and over within seconds whatever does not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from dataclasses import replace as altered  # noqa: TID251 - a context is no struct

import httpx
import pytest
import requests

from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Handler, HandlerTransport, Request, Response
from tests.support.stages import Play, small_play
from tests.support.waiting import LONG
from worker.cycle.contact import SECONDS, make_contact
from worker.cycle.context import Context
from worker.errors import Transient
from worker.http.deadline import Deadline
from worker.jira.gateway import JiraGateway
from worker.notion.gateway import NotionGateway

SIDES = ("notion", "jira")
CONNECT_SECONDS = 10.0
MOST_ATTEMPTS = 5


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("contact")) as standing:
        yield standing


@dataclass(slots=True)
class Line:
    """A way to one service with a clock of its own, on which alone waits and silence take time."""

    answer: Handler
    now: float = 0.0
    asked: list[Request] = field(default_factory=list)
    deadline: Deadline = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = Deadline(monotonic=self.monotonic)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def handle(self, request: Request) -> Response:
        self.asked.append(request)
        return self.answer(request)


def over(play: Play, notion: Line, jira: Line) -> Context:
    """Return the stage's context with these ways to both services."""
    lines = (notion, jira)

    def limit(seconds: float) -> None:
        for line in lines:
            line.deadline.restart(seconds)

    context = play.stage.context
    return altered(
        context,
        limit=limit,
        begin=lambda: limit(context.settings.schedule.run_limit),
        notion=NotionGateway(
            context.settings.notion,
            transport=HandlerTransport(notion.handle),
            sleep=notion.sleep,
            monotonic=notion.monotonic,
            deadline=notion.deadline,
        ),
        jira=JiraGateway(
            context.settings.jira,
            adapter=HandlerAdapter(jira.handle),
            sleep=jira.sleep,
            monotonic=jira.monotonic,
            deadline=jira.deadline,
        ),
    )


def lines_of(play: Play) -> dict[str, Line]:
    return {side: Line(getattr(play.stage, side).handle) for side in SIDES}


def refuse(line: Line, side: str) -> Handler:
    """Answer as a closed port does."""
    error = httpx.ConnectError if side == "notion" else requests.ConnectionError

    def answer(_request: Request) -> Response:
        raise error("connection refused")

    return answer


def stay_silent(line: Line, side: str) -> Handler:
    """Answer as a host does that takes no connection and says nothing."""
    error = httpx.ConnectTimeout if side == "notion" else requests.ConnectTimeout

    def answer(_request: Request) -> Response:
        line.now += min(CONNECT_SECONDS, line.deadline.remaining())
        raise error("timed out")

    return answer


@pytest.mark.parametrize("away", [SIDES[:1], SIDES[1:], SIDES])
@pytest.mark.parametrize("fault", [refuse, stay_silent])
def test_who_does_not_answer_is_tried_seldom_and_told_within_seconds(
    play: Play, away: tuple[str, ...], fault: Callable[[Line, str], Handler]
) -> None:
    lines = lines_of(play)
    for side in away:
        lines[side].answer = fault(lines[side], side)

    contact = make_contact(over(play, **lines))

    for side in SIDES:
        answer = getattr(contact, side)
        assert isinstance(answer.exception(), Transient) == (side in away)
        assert len(lines[side].asked) <= MOST_ATTEMPTS
        assert lines[side].now <= SECONDS


def test_both_services_are_asked_side_by_side(play: Play) -> None:
    lines = lines_of(play)
    first = threading.Barrier(len(lines))

    def meeting(line: Line) -> Handler:
        inner = line.answer

        def answer(request: Request) -> Response:
            if len(line.asked) == 1:
                first.wait(LONG)
            return inner(request)

        return answer

    for line in lines.values():
        line.answer = meeting(line)
    contact = make_contact(over(play, **lines))
    assert contact.notion.result().id == play.bot_id
    assert contact.jira.result().account


def test_what_is_asked_after_it_has_the_time_of_a_run(play: Play) -> None:
    lines = lines_of(play)
    context = over(play, **lines)
    make_contact(context)
    for line in lines.values():
        line.sleep(SECONDS)
        assert line.deadline.remaining() > 0
    assert context.notion.me().id == play.bot_id
