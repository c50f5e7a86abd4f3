"""The box "Sync now": a cycle that reads a tick serves it, takes it back and says when; one that fails leaves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.support.stages import ACME, Play, small_play
from worker.cycle.context import Mode
from worker.errors import Denied, RaylineError


@pytest.fixture(params=["en", "ru"])
def play(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("ticked")
    with small_play(folder, locale=request.param) as found:
        found.sync()
        found.later(minutes=10)
        yield found


def stamp(play: Play, index: int = 0) -> str:
    return str(play.row("clients", index).values["synced"] or "")


def is_ticked(play: Play, index: int = 0) -> bool:
    return bool(play.row("clients", index).values["sync_now"])


def tick(play: Play, *indexes: int) -> None:
    for index in indexes:
        play.edit("clients", play.page("clients", index), sync_now=True)


def test_a_delta_serves_the_tick_takes_it_back_with_a_stamp_and_then_rests(
    play: Play,
) -> None:
    tick(play, 0)
    play.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    report = play.sync(Mode.DELTA)
    assert report.plan.changes
    assert not is_ticked(play)
    assert stamp(play).endswith(str(report.run_id))
    assert re.search(r"\d\d:\d\d", stamp(play))
    play.later(minutes=10)
    mark = play.mark()
    assert play.sync(Mode.DELTA).plan.changes == ()
    assert play.sync().plan.changes == ()
    assert play.writes(mark) == []


def test_without_a_tick_nothing_is_asked_or_written_for_it(play: Play) -> None:
    mark = play.mark()
    play.sync(Mode.DELTA)
    assert play.writes(mark) == []
    assert stamp(play) == ""


def test_a_tick_costs_one_request_and_each_is_answered(play: Play) -> None:
    before = play.mark()
    play.sync(Mode.DELTA)
    quiet = len(play.reads(before))
    play.later(minutes=10)
    tick(play, 0, 1)
    before = play.mark()
    play.sync(Mode.DELTA)
    assert len(play.writes(before)) == 2
    assert len(play.reads(before)) <= quiet + 1
    assert (is_ticked(play, 0), is_ticked(play, 1)) == (False, False)


def test_a_run_of_one_client_answers_its_tick_alone(play: Play) -> None:
    tick(play, 0, 1)
    play.sync(Mode.DELTA, scope="Acme Bank")
    assert (is_ticked(play, 0), is_ticked(play, 1)) == (False, True)


def test_a_run_that_only_plans_leaves_the_tick(play: Play) -> None:
    tick(play, 0)
    play.sync(dry_run=True)
    assert is_ticked(play)
    assert stamp(play) == ""


def test_a_plan_that_is_refused_says_so_at_the_box(play: Play) -> None:
    limits = play.stage.context.settings.limits.model_copy(update={"changes": 1})
    tight = play.with_settings(limits=limits)
    tick(play, 0)
    for index in (ACME, ACME + 1):
        play.edit("projects", play.page("projects", index), progress=Decimal("0.01"))
    report = tight.sync()
    assert report.refused
    assert not is_ticked(play)
    assert report.refused[0].message in stamp(play)
    play.sync()


def test_a_run_that_cannot_read_leaves_the_tick_to_the_next(play: Play) -> None:
    tick(play, 0)
    rule = {"kind": "401", "match": {"method": "GET", "path_regex": ".*"}, "times": 50}
    play.stage.jira.control("faults", {"rules": [rule]})
    with pytest.raises(RaylineError) as failed:
        play.sync()
    assert isinstance(failed.value, Denied)
    assert is_ticked(play)
    play.stage.jira.control("clear_faults", {})
    play.sync(Mode.DELTA)
    assert not is_ticked(play)


def test_a_run_that_is_denied_its_writing_leaves_the_tick_to_the_next(
    play: Play,
) -> None:
    tick(play, 0)
    play.stage.jira.control("transition", {"issue": "ACME-10", "status": "Done"})
    rule = {"kind": "401", "match": {"method": "PATCH", "nth": 2}, "times": 1}
    play.stage.notion.control("faults", {"rules": [rule]})
    assert play.sync().failures()
    assert is_ticked(play)
    play.later(minutes=10)
    report = play.sync(Mode.DELTA)
    assert not is_ticked(play)
    assert stamp(play).endswith(str(report.run_id))
