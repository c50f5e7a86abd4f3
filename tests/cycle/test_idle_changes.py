"""What ends idleness, through whole cycles; and an idle cycle is told and kept as the whole one in its place would be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace  # noqa: TID251 - a stage is no struct
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from rayline_demo.board import living
from tests.support.stages import ACME, BETA, PITCH, Play, small_play
from worker.cycle.context import Mode
from worker.cycle.ownership import claim_boards
from worker.cycle.report import Report
from worker.errors import RaylineError
from worker.mapping.load import load_schema
from worker.state import copies, history, leases, memory, runs, snapshots

BOARDS = sorted(load_schema().sources)
PATIENCE = 8
"""Cycles after which a workspace where nothing happens is idle, at the latest."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A stage whose cycles are watched: what phases the latest came to."""

    play: Play
    phases: list[str]

    def over(self, play: Play) -> Watch:
        """Return the same watch over another way to run cycles."""
        progress = self._note
        context = replace(play.stage.context, progress=progress)
        return replace(
            self, play=replace(play, stage=replace(play.stage, context=context))
        )

    def _note(self, phase: str, _done: int, _total: int) -> None:
        self.phases.append(phase)

    def cycle(self, mode: Mode = Mode.DELTA, **order: Any) -> Report:
        """Run a cycle five minutes later."""
        self.phases.clear()
        self.play.later(minutes=5)
        return self.play.sync(mode, **order)

    def is_idle(self) -> bool:
        """Tell whether the latest cycle read both systems and applied no rule."""
        assert "jira" in self.phases
        return "rules" not in self.phases

    def rest(self) -> Report:
        """Run cycles until one is idle and return its report."""
        for _ in range(PATIENCE):
            report = self.cycle()
            if self.is_idle():
                return report
        raise AssertionError("cycles do not come to rest")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    folder = tmp_path_factory.mktemp("idle")
    with small_play(folder, private=True) as play:
        watch = Watch(play, []).over(play)
        watch.cycle(Mode.FULL)
        yield watch


@pytest.fixture
def watch(shared: Watch) -> Watch:
    shared.rest()
    return shared


def _jira(action: str, **payload: Any) -> Callable[[Play], None]:
    def act(play: Play) -> None:
        play.stage.jira.control(action, payload)

    return act


def _notion(action: str, source: str, index: int) -> Callable[[Play], None]:
    def act(play: Play) -> None:
        play.stage.notion.control(action, {"id": play.page(source, index)})

    return act


def _worklog(play: Play, issue: str = "ACME-20") -> str:
    started = play.stage.clock.now().isoformat()
    made = play.stage.jira.control(
        "worklog",
        {
            "issue": issue,
            "author": "acc-developer",
            "seconds": 3600,
            "started": started,
        },
    )
    return str(made["id"])


def _retitle_a_row(play: Play, source: str) -> None:
    """Let a person retitle a row of a board, or add one where there is none."""
    title = play.stage.context.schema.sources[source].title_property.name
    values = {title: f"Retitled at {play.stage.clock.now():%d %H:%M}"}
    cards = living(play.stage, source)
    if cards:
        play.edit(source, cards[0].page_id, **values)
    else:
        play.stage.scribe.add(source, **values)


def _add_a_client(play: Play) -> None:
    play.stage.scribe.add("clients", name="Delta Foods", group="newbiz")


def _let_half_a_creation_fail(play: Play) -> None:
    """Have Notion take a row and say nothing of it, for a client that is new."""
    _add_a_client(play)
    rule = {
        "kind": "reset_after",
        "match": {"method": "POST", "path_regex": "/v1/pages$", "nth": 1},
    }
    play.stage.notion.control("faults", {"rules": [rule]})
    play.sync(Mode.DELTA)
    play.stage.notion.control("clear_faults", {})


def _fail_once(play: Play) -> None:
    """Let a cycle fail because Jira is away."""
    away = {"kind": "401", "times": 0}
    play.stage.jira.control("faults", {"rules": [away]})
    with pytest.raises(RaylineError):
        play.sync(Mode.DELTA)
    play.stage.jira.control("clear_faults", {})


def _block(play: Play) -> None:
    """Let a person write below a client's section."""
    text = {"type": "text", "text": {"content": "A remark"}}
    paragraph = {"type": "paragraph", "paragraph": {"rich_text": [text]}}
    page = play.page("clients", 0)
    play.stage.notion.control("append", {"block_id": page, "children": [paragraph]})


CHANGES: Mapping[str, Callable[[Play], object]] = {
    "a row added": _add_a_client,
    "a section edited": _block,
    "Sync now ticked": lambda play: play.edit(
        "clients", play.page("clients", 0), sync_now=True
    ),
    "a link changed": lambda play: play.edit(
        "projects", play.page("projects", PITCH), jira="OTHER"
    ),
    "a link nobody can read": lambda play: play.edit(
        "projects", play.page("projects", PITCH), jira="nonsense ="
    ),
    "a due date moved": lambda play: play.edit(
        "projects", play.page("projects", BETA), due=play.stage.clock.now().date()
    ),
    "an issue moved": _jira("transition", issue="ACME-5", status="In Progress"),
    "an issue new": _jira("create", project="ACME", fields={"summary": "New"}),
    "an issue edited": _jira("edit", issue="ACME-6", fields={"summary": "Other"}),
    "an issue commented": _jira("comment", issue="ACME-7", body="Seen"),
    "a worklog added": _worklog,
    "the date turned": lambda play: play.later(days=1),
    "a weekend over": lambda play: play.later(days=3),
    "a creation in doubt": _let_half_a_creation_fail,
    "a failed run": _fail_once,
    "a look at a plan": lambda play: play.sync(Mode.DELTA, dry_run=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_ends_idleness_and_idleness_comes_back(
    watch: Watch, change: str
) -> None:
    CHANGES[change](watch.play)
    watch.cycle()
    assert not watch.is_idle()
    assert watch.rest().plan == watch.play.draw(Mode.DELTA).plan


@pytest.mark.parametrize("source", BOARDS)
def test_a_row_that_a_person_edits_ends_idleness(watch: Watch, source: str) -> None:
    _retitle_a_row(watch.play, source)
    watch.cycle()
    assert not watch.is_idle()


def test_a_worklog_that_is_deleted_ends_idleness(watch: Watch) -> None:
    made = _worklog(watch.play)
    watch.rest()
    watch.play.stage.jira.control("delete_worklog", {"id": made})
    watch.cycle()
    assert not watch.is_idle()


@pytest.mark.parametrize(("hurt", "heal"), [("unshare", "share"), ("trash", "restore")])
def test_a_board_that_goes_and_one_that_comes_back_end_idleness(
    watch: Watch, hurt: str, heal: str
) -> None:
    database = watch.play.stage.bindings()["risks"].database_id
    for action in (hurt, heal):
        watch.play.stage.notion.control(action, {"id": database})
        watch.cycle()
        assert not watch.is_idle()
        watch.rest()


def test_a_trashed_row_ends_idleness_when_it_is_noticed_and_so_does_its_return(
    watch: Watch,
) -> None:
    _notion("trash", "revenue", 0)(watch.play)
    watch.cycle()
    # Nothing that is asked of a board for its changes tells of the trash.
    assert watch.is_idle()
    watch.cycle(Mode.FULL)
    assert not watch.is_idle()
    watch.rest()

    _notion("restore", "revenue", 0)(watch.play)
    watch.cycle()
    assert not watch.is_idle()


BESIDE: Mapping[str, Callable[[Play], object]] = {
    "a worklog of an issue that no card links": lambda play: _worklog(play, "OTHER-3"),
    "a column renamed": lambda play: play.stage.notion.control(
        "rename_property",
        {
            "data_source_id": play.data_source("people"),
            "property": play.label("people", "capacity"),
            "name": f"Hours a week {len(play.writes(0))}",
        },
    ),
    "a board retitled": lambda play: play.stage.notion.control(
        "rename_database",
        {"id": play.stage.bindings()["people"].database_id, "title": "All of us"},
    ),
    "boards taken over": lambda play: claim_boards(
        play.stage.context, play.stage.context.notion, take_over=True
    ),
    "hours that pass": lambda play: play.later(hours=2),
}


@pytest.mark.parametrize("change", BESIDE)
def test_what_a_read_of_changes_does_not_tell_of_changes_no_plan(
    watch: Watch, change: str
) -> None:
    BESIDE[change](watch.play)
    report = watch.cycle()
    whole = watch.play.draw(Mode.DELTA)
    assert whole.plan.changes == ()
    assert whole.refused == report.refused


ORDERS: tuple[dict[str, Any], ...] = (
    {"mode": Mode.FULL},
    {"force": True},
    {"dry_run": True},
    {"scope": "Beta Travel"},
    {"rules": ("delivery.progress",)},
)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_whoever_asks_for_more_than_changes_gets_a_whole_run(
    watch: Watch, order: dict[str, Any]
) -> None:
    watch.cycle(**order)
    assert not watch.is_idle()


SETTINGS: tuple[dict[str, Any], ...] = (
    {"time_zone": "Asia/Vladivostok"},
    {"currency": "USD"},
)


@pytest.mark.parametrize("change", SETTINGS, ids=str)
def test_other_settings_end_idleness(watch: Watch, change: dict[str, Any]) -> None:
    other = watch.over(watch.play.with_settings(**change))
    other.cycle()
    assert not other.is_idle()


def test_an_idle_run_writes_nothing_and_is_kept_and_told_as_the_one_before(
    watch: Watch,
) -> None:
    play = watch.play
    context = play.stage.context
    before = watch.cycle()
    with context.reading() as tx:
        remembered = (memory.load(tx), history.load(tx), snapshots.count_changes(tx))
    mark = play.mark()
    report = watch.cycle()

    assert watch.is_idle()
    assert play.writes(mark) == []
    kept = ("changes", "kept", "conflicts", "problems", "refused")
    told = report.data()
    assert {name: told[name] for name in kept} == {
        name: before.data()[name] for name in kept
    }
    assert report.plan == before.plan
    assert report.requests == before.requests
    with context.reading() as tx:
        after = (memory.load(tx), history.load(tx), snapshots.count_changes(tx))
        run = runs.get(tx, report.run_id)
        assert run is not None
        assert run.status is runs.RunStatus.DONE
        assert run.ended is not None
        assert run.outcome["mode"] == "delta"
        assert run.outcome["checksum"] == report.plan.checksum()
        assert runs.plan_of(tx, run) == report.plan
        assert runs.load_plan(tx) == report.plan
        assert leases.holder(tx, now=context.store.now()) is None
    assert after == remembered
    assert report.run_id == before.run_id + 1


WHOLE = ("pages", "issues", "worklogs", "memory", "bases", "history", "creations")
"""Tables that grow with the workspace."""


def test_an_idle_cycle_asks_for_no_table_that_grows_but_by_the_names_of_rows(
    watch: Watch,
) -> None:
    asked: list[str] = []

    def note(*said: Any) -> None:
        asked.append(" ".join(str(said[2]).split()))

    engine = watch.play.stage.store.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        watch.cycle()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert watch.is_idle()
    whole = [one for one in asked if " IN (" not in one]
    assert whole
    assert [one for one in whole if any(f"FROM {name} " in one for name in WHOLE)] == []


def test_a_state_that_is_put_back_is_judged_anew(watch: Watch, tmp_path: Path) -> None:
    play = watch.play
    copy = tmp_path / "copy.db"
    copies.back_up(play.stage.store, copy)
    there = tmp_path / "rayline.db"
    copies.restore(f"sqlite:///{there}", copy, now=play.stage.clock.now())
    again = play.reopened(str(there))
    back = watch.over(again)
    with again.stage.context.reading() as tx:
        assert snapshots.count_changes(tx) > 0
    back.cycle()
    assert not back.is_idle()


ACTS: tuple[Callable[[Play, Random], object], ...] = (
    lambda play, random: play.later(minutes=random.randrange(1, 90)),
    lambda play, random: play.later(hours=random.randrange(1, 30)),
    lambda play, random: play.edit(
        "projects",
        play.page("projects", random.choice((ACME, BETA, PITCH))),
        budget=random.randrange(1, 9) * 100_000,
    ),
    lambda play, random: play.stage.jira.control(
        "transition",
        {
            "issue": f"ACME-{random.randrange(3, 33)}",
            "status": random.choice(("To Do", "In Progress", "Done")),
        },
    ),
    lambda play, random: _worklog(play, f"ACME-{random.randrange(3, 33)}"),
    lambda play, random: _retitle_a_row(play, random.choice(BOARDS)),
    lambda play, random: play.sync(random.choice((Mode.FULL, Mode.DELTA))),
)


@pytest.mark.parametrize("seed", range(2))
def test_an_idle_cycle_is_what_a_whole_one_would_be_whatever_happened(
    shared: Watch, seed: int
) -> None:
    random = Random(seed)
    idle = 0
    for _ in range(25):
        if random.random() < 0.35:
            random.choice(ACTS)(shared.play, random)
        report = shared.cycle()
        if not shared.is_idle():
            continue
        idle += 1
        whole = shared.play.draw(Mode.DELTA)
        assert msgspec.structs.asdict(whole.plan) == msgspec.structs.asdict(report.plan)
        assert (whole.refused, whole.held, whole.doubts) == ((), (), {})
    assert idle > 0
