"""A run's deadline begins with the run: what an earlier run of the same process took of its own is no matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as altered  # noqa: TID251 - neither is a struct

import pytest

from rayline_sandbox.wire import HandlerTransport
from tests.support.stages import Play, small_play
from worker.cycle.context import CycleRequest
from worker.cycle.undoing import undo
from worker.errors import ApiError, ConfigError
from worker.http.deadline import Deadline
from worker.notion.gateway import NotionGateway

LIMIT = 3600.0


@pytest.fixture
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("deadline")) as standing:
        yield _in_virtual_time(standing)


def _in_virtual_time(play: Play) -> Play:
    """Return the stage with a Notion whose deadlines go by the clock of the stage."""
    clock = play.stage.clock

    def monotonic() -> float:
        return clock.now().timestamp()

    deadline = Deadline(monotonic=monotonic)
    gateway = NotionGateway(
        play.stage.context.settings.notion,
        transport=HandlerTransport(play.stage.notion.handle),
        sleep=lambda seconds: play.later(seconds=seconds),
        monotonic=monotonic,
        deadline=deadline,
    )
    through = play.through(gateway)
    context = altered(through.stage.context, begin=lambda: deadline.restart(LIMIT))
    return altered(through, stage=altered(through.stage, context=context))


def test_a_first_contact_that_failed_hours_ago_does_not_end_what_comes_after(
    play: Play,
) -> None:
    away = {"match": {"path_regex": "/data_sources/"}, "kind": "503", "times": 0}
    play.stage.notion.control("faults", {"rules": [away]})
    with pytest.raises(ApiError):
        play.sync()
    play.stage.notion.control("clear_faults", {})

    play.later(seconds=2 * LIMIT)
    with pytest.raises(ConfigError):
        undo(play.stage.context, CycleRequest(undoes=1))
    play.later(seconds=2 * LIMIT)
    assert play.sync().refused == ()
