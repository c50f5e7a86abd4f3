"""Asking for a cycle: clients known by the last read, what joins what, plans alone, and how far a run has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as renew  # noqa: TID251 - a context is no struct
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.support.stages import Play, small_play
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.progress import ProgressRecord
from worker.cycle.story import sync
from worker.cycle.triggering import ask_cycle, find_trigger, read_clients
from worker.domain.values import Ref
from worker.errors import ConfigError
from worker.state import problems, runs, triggers
from worker.state.store import Store
from worker.state.triggers import Asker, Order, Source

ANN = Asker("Ann", Source.CLI)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("asked")) as play:
        play.sync()
        yield play


def ask(play: Play, scope: str = "", *, full: bool = False) -> triggers.Trigger:
    asked = ask_cycle(play.stage.context, Order(scope, full=full), ANN)
    found = find_trigger(play.stage.context, asked.id)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("way", ["name", "small", "part", "page", "bare"])
def test_a_client_is_found_however_it_is_called(synced: Play, way: str) -> None:
    page = synced.page("clients", 0)
    name = read_clients(synced.stage.context)[Ref("clients", page)]
    spellings = {
        "name": name,
        "small": name.casefold(),
        "part": name[:-2],
        "page": page,
        "bare": page.replace("-", ""),
    }
    assert ask(synced, spellings[way]).order.scope == name


@pytest.mark.parametrize(
    "text", ["Acme Bnak", "acmebank", "Bank of Acme", "ACME BANKK", "Àcme Bank"]
)
def test_a_client_that_is_not_there_is_refused_at_once_with_the_nearest_name(
    synced: Play, text: str
) -> None:
    with synced.stage.store.reading("studio") as tx:
        before = triggers.recent(tx)
    with pytest.raises(ConfigError, match="clients are called") as refused:
        ask(synced, text)
    (problem,) = refused.value.problems
    hint = dict(problem.hint.values)["names"]
    assert isinstance(hint, str)
    assert hint.startswith("Acme Bank")
    with synced.stage.store.reading("studio") as tx:
        assert triggers.recent(tx) == before


def test_before_the_first_read_any_client_may_be_asked_for(tmp_path: Path) -> None:
    with small_play(tmp_path) as play:
        assert ask(play, "Whoever").order.scope == "Whoever"


def test_who_asks_a_thousand_times_waits_once_and_costs_no_write(synced: Play) -> None:
    first = ask(synced, "Acme Bank", full=True)
    said: list[str] = []
    engine = synced.stage.store.engine

    def note(_1: object, _2: object, statement: str, *_: object) -> None:
        said.append(statement.split()[0])

    event.listen(engine, "before_cursor_execute", note)
    for _ in range(1000):
        assert ask(synced, "Acme Bank", full=True).id == first.id
    event.remove(engine, "before_cursor_execute", note)
    assert not {"INSERT", "UPDATE", "IMMEDIATE"} & set(said)


def test_a_dry_run_keeps_its_plan_writes_nothing_and_forgets_itself(
    synced: Play,
) -> None:
    synced.later(minutes=10)
    synced.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    with synced.stage.store.reading("studio") as tx:
        standing = problems.load(tx)
    mark = synced.mark()
    report = synced.sync(dry_run=True)
    assert report.plan.changes
    assert synced.writes(mark) == []
    with synced.stage.store.reading("studio") as tx:
        run = runs.get(tx, report.run_id)
        assert problems.load(tx) == standing
        assert runs.load_plan(tx, report.plan.checksum()) == report.plan
    assert run is not None
    assert (run.status, run.dry_run) == (runs.RunStatus.DONE, True)
    assert run.outcome["changes"] == {
        "create": 0,
        "update": 0,
        "archive": 0,
        "sections": 0,
    }
    carried_out = synced.sync(checksum=report.plan.checksum())
    assert carried_out.applied.counts()["update"] > 0
    assert synced.sync().plan.changes == ()


def test_a_run_tells_every_phase_while_it_is_under_way(synced: Play) -> None:
    store, seen = synced.stage.store, set[str]()

    def look(_: str, __: int, ___: int) -> None:
        with store.reading("studio") as tx:
            run = runs.recent(tx, 1)[0]
        assert run.status is runs.RunStatus.RUNNING
        seen.add(run.progress.phase)

    watched = renew(synced.stage.context, progress=look)
    sync(watched, CycleRequest(Mode.FULL))
    with store.reading("studio") as tx:
        seen.add(runs.recent(tx, 1)[0].progress.phase)
    assert {"notion", "jira", "rules"} <= seen


def test_progress_within_a_phase_is_recorded_no_more_than_once_a_second(
    tmp_path: Path,
) -> None:
    store, clock, heard = Store(f"sqlite:///{tmp_path / 's.db'}"), [100.0], list[int]()
    with store.transaction("studio") as tx:
        run_id = runs.start(tx, "manual", now=store.now())

    def watch(_: str, done: int, __: int) -> None:
        heard.append(done)

    record = ProgressRecord(store, "studio", run_id, watch, lambda: clock[0])
    stood = []
    for done in range(8):
        record("apply", done, 8)
        clock[0] += 0.4
        with store.reading("studio") as tx:
            stood.append(runs.progress(tx, run_id))
    record("apply", 8, 8)
    store.close()
    assert heard == list(range(9))
    assert [one.done for one in stood if one] == [0, 0, 0, 3, 3, 3, 6, 6]
