"""A machine whose clock is wrong, beside servers whose clocks are right: it keeps nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as renew  # noqa: TID251 - no structs
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.stages import Play, one_object, rayline, small_play, write_config
from worker.app.build import Surroundings, build_context
from worker.cycle.context import Mode
from worker.cycle.put_off import PUT_OFF, PutOff
from worker.errors import ClockFault, WrongClock
from worker.state import runs, tables
from worker.state.store import Store

DAY = 86_400
OFF = [40 * DAY, -2 * 3600, 2 * 3600, 400]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


class Machine:
    """A machine's clock: the true time, and what it is ahead of that."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def on(play: Play, machine: Machine, *, is_judged: bool = True) -> Play:
    """Return the stage as a worker plays it that goes by a machine's clock."""
    stage = play.stage
    around = Surroundings(machine.now, judges_clock=is_judged)
    context = build_context("studio", stage.context.settings, stage.store, around)
    return renew(play, stage=renew(stage, context=context))


def set_servers(play: Play, *, notion: float = 0, jira: float = 0, **more: Any) -> None:
    play.stage.notion.control("date", {"ahead": notion, **more})
    play.stage.jira.control("date", {"ahead": jira, **more})


def snapshot(store: Store) -> int:
    with store.reading("studio") as tx:
        return len(tx.connection.execute(select(tables.pages)).all())


@pytest.mark.parametrize("ahead", OFF)
def test_a_clock_that_is_off_both_servers_keeps_and_writes_nothing_and_recovers(
    play: Play, ahead: float
) -> None:
    machine = Machine()
    worker, mark = on(play, machine), play.mark()
    machine.ahead = timedelta(seconds=ahead)
    for mode in (Mode.FULL, Mode.DELTA):
        with pytest.raises(WrongClock) as caught:
            worker.sync(mode)
        assert caught.value.fault is ClockFault.WRONG
        assert caught.value.ahead.keys() == {"notion", "jira"}
    assert (play.writes(mark), snapshot(play.stage.store)) == ([], 0)
    machine.ahead = timedelta()
    with play.stage.store.reading("studio") as tx:
        assert PUT_OFF.load(tx) == PutOff(), "nobody waits for a day that is far off"
    assert worker.sync().applied.counts()["create"] > 0


def test_a_clock_that_is_right_asks_nothing_more(play: Play) -> None:
    worker = on(play, Machine())
    worker.sync()
    worker.sync(Mode.DELTA)
    asked = []
    for is_judged in (True, False):
        mark, before = play.mark(), len(play.jira_log())
        on(play, Machine(), is_judged=is_judged).sync(Mode.DELTA)
        asked.append((len(play.reads(mark)), len(play.jira_log()) - before))
    assert asked[0] == asked[1]


def test_one_server_is_believed_when_the_other_tells_no_time(play: Play) -> None:
    worker = on(play, Machine())
    set_servers(play, notion=DAY)
    play.stage.jira.control("date", {"clock": "none"})
    with pytest.raises(WrongClock):
        worker.sync()


@pytest.mark.parametrize("side", ["notion", "jira"])
def test_a_server_that_is_wrong_alone_is_told_and_holds_nothing_up(
    play: Play, side: str
) -> None:
    worker = on(play, Machine())
    set_servers(play, **{side: -3600})
    report = worker.sync()
    assert report.applied.counts()["create"] > 0
    told = [one for one in report.problems() if one.code == "server-clock"]
    assert [one.where for one in told] == [side.capitalize()]
    assert "-60" in told[0].message
    set_servers(play)
    assert "server-clock" not in {one.code for one in worker.sync().problems()}


def test_clocks_of_which_no_two_agree_are_all_told(play: Play) -> None:
    worker, mark = on(play, Machine()), play.mark()
    set_servers(play, notion=-DAY, jira=DAY)
    with pytest.raises(WrongClock) as caught:
        worker.sync()
    assert caught.value.fault is ClockFault.UNCLEAR
    assert play.writes(mark) == []


def test_a_clock_that_is_set_while_a_run_writes_ends_the_writing(play: Play) -> None:
    machine, written = Machine(), 5
    worker, mark = on(play, machine), play.mark()

    def set_clock(phase: str, done: int, _total: int) -> None:
        if phase == "apply" and done >= written:
            machine.ahead = timedelta(days=40)

    context = renew(worker.stage.context, progress=set_clock)
    settings = context.settings
    narrow = settings.notion.model_copy(update={"width": 1})
    settings = settings.model_copy(update={"notion": narrow})
    context = renew(context, settings=settings)
    with pytest.raises(WrongClock) as caught:
        renew(worker, stage=renew(worker.stage, context=context)).sync()
    assert caught.value.fault is ClockFault.JUMPED
    made = len(play.all_keyed())
    assert written <= made <= written + 2
    assert len(play.writes(mark)) >= made
    machine.ahead = timedelta()
    worker.sync()
    assert worker.sync().plan.changes == ()
    keys = [card.values["worker_key"] for card in play.all_keyed().values()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_the_command_says_by_how_much_and_what_to_do(
    tmp_path: Path, locale: str
) -> None:
    with small_play(tmp_path, locale=locale) as play:
        set_servers(play, notion=-40 * DAY, jira=-40 * DAY)
        config, mark = write_config(play), play.mark()
        ended = rayline("sync", "--json", "-c", str(config), home=play.folder)
        assert ended.returncode == 2, ended.stderr
        told = one_object(ended.stdout)
        assert told["error"] == "WrongClock"
        words = (
            ("40 d 0 h", "ahead of Notion") if locale == "en" else ("40 д", "спешат")
        )
        for word in words:
            assert word in told["message"]
        assert play.writes(mark) == []
        set_servers(play)
        ended = rayline("sync", "--json", "-c", str(config), home=play.folder)
        assert ended.returncode == 0, ended.stderr
        store = Store(f"sqlite:///{play.folder / 'cli.db'}")
        with store.reading("studio") as tx:
            assert [run.status for run in runs.recent(tx)][-1] is runs.RunStatus.FAILED
        store.close()
