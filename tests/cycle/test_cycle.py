"""Whole cycles over real sockets: what is written, what is left alone, what is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from rayline_demo.board import living
from tests.support.english import english
from tests.support.stages import ACME, BETA, PITCH, Play, small_play
from worker.config import Limits
from worker.cycle.context import Mode
from worker.domain.values import Ref
from worker.errors import Busy, ConfigError, Denied, Stopped, in_words
from worker.locales import load_words
from worker.state import journal, leases, memory, runs, triggers

DESIGN_KEYS = {
    "run_id",
    "workspace",
    "seconds",
    "requests",
    "changes",
    "kept",
    "conflicts",
    "problems",
    "refused",
}


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


@pytest.fixture
def synced(play: Play) -> Play:
    play.sync()
    play.later(minutes=10)
    return play


def test_the_first_cycle_makes_plans_risks_and_tasks_and_the_second_writes_nothing(
    play: Play,
) -> None:
    first = play.sync()
    assert first.applied.counts()["create"] == len(play.all_keyed())
    assert len(play.keyed("plans")) > 20
    assert play.keyed("risks")
    assert play.keyed("tasks")
    mark = play.mark()
    second = play.sync()
    assert second.applied.counts() == {
        "create": 0,
        "update": 0,
        "archive": 0,
        "sections": 0,
    }
    assert play.writes(mark) == []
    assert first.data().keys() == second.data().keys() == DESIGN_KEYS


def test_a_planted_card_has_all_that_follows_from_it_in_the_same_cycle(
    synced: Play,
) -> None:
    idea = synced.stage.scribe.add(
        "backlog",
        name="Loyalty app",
        kind="feature",
        status="accepted",
        client=(Ref("clients", synced.page("clients", 0)),),
    )
    report = synced.sync(Mode.DELTA)
    card = next(
        card
        for card in living(synced.stage, "projects")
        if card.values["name"] == "Loyalty app"
    )
    assert (card.values["stage"], card.values["health"]) == ("Idea", None)
    assert report.applied.counts()["create"] >= 1
    assert {f"projects/{card.page_id}", f"backlog/{idea}"} <= {
        str(change.ref) for change in report.plan.changes
    }
    synced.later(minutes=10)
    mark = synced.mark()
    synced.sync()
    assert synced.writes(mark) == []


def test_a_second_round_that_cannot_be_done_hides_nothing_of_the_first(
    synced: Play,
) -> None:
    def lock_out(phase: str, done: int, total: int) -> None:
        if phase == "apply" and done == total:
            synced.stage.jira.control(
                "faults", {"rules": [{"kind": "401", "times": 0}]}
            )

    synced.stage.scribe.add(
        "backlog",
        name="Loyalty app",
        kind="feature",
        status="accepted",
        client=(Ref("clients", synced.page("clients", 0)),),
    )
    context = replace(synced.stage.context, progress=lock_out)
    report = replace(synced, stage=replace(synced.stage, context=context)).sync(
        Mode.DELTA
    )
    assert report.applied.counts()["create"] >= 1
    assert [failure.code for failure in report.failures()] == ["second-round"]
    with synced.stage.store.reading("studio") as tx:
        run = runs.recent(tx, 1)[0]
        assert runs.load_plan(tx, run.outcome["checksum"]) == report.plan
    assert (run.status, run.outcome["changes"]) == (
        runs.RunStatus.FAILED,
        report.applied.counts(),
    )
    synced.stage.jira.control("clear_faults", {})
    assert sum(synced.sync().applied.counts().values()) > 0
    assert sum(synced.sync().applied.counts().values()) == 0


def test_a_run_whose_process_died_is_closed_by_the_next_and_its_requests_wait_again(
    synced: Play,
) -> None:
    now, store = synced.stage.context.now(), synced.stage.store
    with store.transaction("studio") as tx:
        lost = runs.start(tx, "manual", now=now)
        number = triggers.ask(tx, now=now).id
        triggers.take(tx, lost)
    synced.sync()
    with store.reading("studio") as tx:
        run, asked = runs.get(tx, lost), triggers.get(tx, number)
    assert run is not None
    assert (run.status, run.outcome) == (runs.RunStatus.FAILED, {"error": runs.LOST})
    assert asked is not None
    assert (asked.state, asked.run_id) == (triggers.TriggerState.WAITING, None)


def test_deltas_notice_a_board_that_is_gone_and_that_it_is_back(synced: Play) -> None:
    database = synced.stage.bindings()["risks"].database_id
    synced.stage.notion.control("trash", {"id": database})
    gone = [synced.sync(Mode.DELTA) for _ in range(2)]
    for report in gone:
        assert (report.refused, report.failures()) == ((), ())
        assert "board-unseen" in {problem.code for problem in report.problems()}
    synced.stage.notion.control("restore", {"id": database})
    back = synced.sync(Mode.DELTA)
    assert (back.refused, back.failures()) == ((), ())
    assert "board-unseen" not in {problem.code for problem in back.problems()}


def test_runs_and_their_plans_are_kept_for_ninety_days(synced: Play) -> None:
    synced.later(days=91)
    synced.sync()
    with synced.stage.store.reading("studio") as tx:
        assert [run.id for run in runs.recent(tx)] == [2]


def test_a_reviewed_plan_is_carried_out_as_it_was_and_no_further(synced: Play) -> None:
    synced.stage.scribe.add(
        "backlog",
        name="Loyalty app",
        kind="feature",
        status="accepted",
        client=(Ref("clients", synced.page("clients", 0)),),
    )
    reviewed = synced.draw(Mode.DELTA).plan
    assert (
        synced.sync(Mode.DELTA, checksum=reviewed.checksum()).plan.changes
        == reviewed.changes
    )


def test_a_delta_after_a_change_in_jira_writes_only_what_hangs_on_it(
    synced: Play,
) -> None:
    for number in (5, 10, 15):
        synced.stage.jira.control(
            "transition", {"issue": f"ACME-{number}", "status": "Done"}
        )
    report = synced.sync(Mode.DELTA)
    assert synced.row("projects", ACME).values["progress"] == Decimal("0.9")
    touched = {change.ref.source for change in report.plan.changes}
    assert "plans" not in touched
    assert synced.page("projects", BETA) not in {
        change.page_id for change in report.plan.changes
    }
    assert report.applied.counts()["create"] == 0


def test_what_people_set_stands_and_what_is_the_workers_comes_back(
    synced: Play,
) -> None:
    risk, task = synced.keyed("risks")[0], synced.keyed("tasks")[0]
    synced.edit("risks", risk.page_id, probability=Decimal(1))
    synced.edit("tasks", task.page_id, name="Call them today")
    synced.edit("projects", synced.page("projects", ACME), progress=Decimal("0.01"))
    report = synced.sync(Mode.DELTA)
    now = {
        card.page_id: card
        for source in ("risks", "tasks")
        for card in synced.keyed(source)
    }
    assert now[risk.page_id].values["probability"] == Decimal(1)
    assert now[task.page_id].values["name"] == "Call them today"
    assert synced.row("projects", ACME).values["progress"] == Decimal("0.8")
    assert now[risk.page_id].values["score"] == now[risk.page_id].values["impact"]
    drift = [
        field.field
        for change in report.plan.changes
        for field in change.fields
        if field.drift
    ]
    assert drift == ["progress"]


def test_a_cycle_of_one_client_leaves_the_others_for_the_next(play: Play) -> None:
    report = play.sync(scope="Acme Bank")
    assert report.applied.counts()["create"] > 0
    assert play.row("projects", ACME).values["progress"] is not None
    assert play.row("projects", BETA).values["progress"] is None
    assert not [
        card
        for card in play.keyed("tasks")
        if play.page("clients", 1) in card.values["client"]
    ]
    rest = play.sync()
    assert play.row("projects", BETA).values["progress"] == Decimal("0.75")
    assert rest.applied.counts()["create"] > 0
    assert play.sync().applied.counts()["create"] == 0


def test_a_narrowed_first_cycle_and_a_full_one_end_where_a_full_one_alone_does(
    play: Play, tmp_path: Path
) -> None:
    play.sync(scope="Beta Travel")
    play.sync()
    made = [
        card.values["worker_key"].partition(":")[2].rpartition(":")[0]
        for card in play.keyed("tasks")
    ]
    (tmp_path / "other").mkdir()
    with small_play(tmp_path / "other") as other:
        other.sync()
        assert sorted(made) == sorted(
            card.values["worker_key"].partition(":")[2].rpartition(":")[0]
            for card in other.keyed("tasks")
        )


def test_a_client_nobody_has_is_a_matter_of_usage(synced: Play) -> None:
    mark = synced.mark()
    with pytest.raises(ConfigError) as caught:
        synced.sync(scope="Nobody & Sons")
    (problem,) = caught.value.problems
    assert "Acme Bank" in english(problem.hint)
    russian = in_words(problem, load_words("ru", "RUB"))
    assert russian.where == "командная строка"
    assert russian.message == "клиентов с именем «Nobody & Sons»: 0"
    assert synced.writes(mark) == []


def test_only_the_reviewed_plan_is_applied(play: Play) -> None:
    reviewed = play.draw().plan.checksum()
    mark = play.mark()
    other = play.sync(checksum="0" * len(reviewed))
    assert [reason.code for reason in other.refused] == ["other-plan"]
    assert reviewed in other.refused[0].message
    assert play.writes(mark) == []
    assert not play.sync(checksum=reviewed).refused


def test_a_refused_plan_writes_nothing_is_kept_for_reading_and_force_goes_past_it(
    synced: Play,
) -> None:
    strict = synced.with_settings(limits=Limits(changes=1))
    synced.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    mark = strict.mark()
    report = strict.sync()
    assert [reason.code for reason in report.refused] == ["too-many-changes"]
    assert report.data()["changes"] == {
        "create": 0,
        "update": 0,
        "archive": 0,
        "sections": 0,
    }
    assert strict.writes(mark) == []
    with strict.stage.store.reading("studio") as tx:
        run = runs.get(tx, report.run_id)
        assert run is not None
        assert run.status is runs.RunStatus.REFUSED
        assert runs.load_plan(tx, str(run.outcome["checksum"])) == report.plan
    assert strict.sync(force=True).applied.counts()["update"] > 0


def test_looking_remembers_nothing_and_a_refusal_neither(play: Play) -> None:
    def is_first(one: Play) -> bool:
        with one.stage.store.reading("studio") as tx:
            return memory.load(tx).first_run

    play.draw()
    assert is_first(play)
    play.sync(checksum="0")
    assert is_first(play)
    play.sync()
    assert not is_first(play)


def test_a_lost_database_closes_nothing_makes_nothing_twice_and_takes_its_rows_up_again(
    synced: Play,
) -> None:
    before = synced.all_keyed()
    lost = synced.forgetful()
    report = lost.sync()
    assert {
        field.field for change in report.plan.changes for field in change.fields
    } <= {"days_in_stage"}  # history
    assert lost.all_keyed() == before
    with lost.stage.store.reading("studio") as tx:
        known = journal.canonical_pages(tx)
        made = journal.created_pages(tx)
    assert set(known.values()) == set(before)
    assert made == frozenset()
    assert lost.sync().plan.changes == ()


def test_a_lost_database_closes_nothing_even_when_its_reasons_are_gone(
    synced: Play,
) -> None:
    synced.later(days=1)  # the day before, the account manager had enough new tasks
    synced.sync()
    synced.edit(
        "clients",
        synced.page("clients", 1),
        last_contact=synced.stage.clock.now().date(),
    )
    lost = synced.forgetful()
    lost.sync()
    still = [
        card
        for card in lost.keyed("tasks", "contact_client")
        if card.values["status"] not in ("Done", "Cancelled")
    ]
    assert len(still) == 1


def test_a_row_a_person_threw_away_does_not_come_back(synced: Play) -> None:
    task = synced.keyed("tasks")[0]
    synced.stage.notion.control("trash", {"id": task.page_id})
    for _ in range(3):
        synced.sync()
        synced.later(days=1)
    assert task.values["worker_key"] not in {
        card.values["worker_key"] for card in synced.keyed("tasks")
    }


def test_a_row_deleted_before_it_was_written_is_taken_as_deleted_at_once(
    synced: Play,
) -> None:
    page = synced.page("projects", ACME)
    synced.stage.notion.control("trash", {"id": page})
    synced.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    applied = synced.sync(Mode.DELTA).applied
    assert (applied.failures, applied.gone) == ((), frozenset({page}))
    assert page not in {ref.key for ref in synced.draw(Mode.DELTA).world.cards}


def test_the_turn_of_a_quarter_empties_a_pace_without_alarm(synced: Play) -> None:
    synced.later(days=43)
    synced.sync(force=True)
    strict = synced.with_settings(
        limits=Limits(destructive_share=Decimal("0.3"), floor=1)
    )
    strict.later(days=1)  # the first of January: nothing of the quarter is behind us
    drawn = strict.draw()
    emptied = {
        (change.ref.source, one.field)
        for change in drawn.plan.changes
        for one in change.fields
        if one.after is None and one.before is not None
    }
    assert {("clients", "pace"), ("units", "pace")} <= emptied
    assert "units" not in {reason.where for reason in drawn.refused}


def test_a_copied_row_is_named_and_left_to_its_maker(synced: Play) -> None:
    risk = synced.keyed("risks")[0]
    copy = synced.stage.notion.control("duplicate", {"page_id": risk.page_id})["id"]
    mark = synced.mark()
    report = synced.sync()
    assert [
        problem.code
        for problem in report.plan.problems
        if problem.code == "duplicate-key"
    ] == ["duplicate-key"]
    assert copy not in {entry.page_id for entry in synced.writes(mark)}


def test_who_holds_the_workspace_is_named_and_nothing_is_done(play: Play) -> None:
    mark = play.mark()
    with (
        leases.hold(
            play.stage.store,
            "studio",
            "somebody-else",
            ttl=timedelta(minutes=3),
            now=play.stage.store.now,
        ),
        pytest.raises(Busy, match="somebody-else"),
    ):
        play.sync()
    assert play.reads(mark) == []


def test_an_end_asked_for_before_the_cycle_reads_nothing(play: Play) -> None:
    mark = play.mark()
    play.stage.context.stop.set()
    with pytest.raises(Stopped):
        play.sync()
    assert play.reads(mark) == []


def test_an_end_asked_for_in_the_middle_leaves_nothing_in_doubt_and_the_rest_to_the_next(
    play: Play,
) -> None:
    def stop_soon(phase: str, done: int, total: int) -> None:
        if phase == "apply" and done == 5:
            play.stage.context.stop.set()

    stopping = replace(
        play,
        stage=replace(
            play.stage, context=replace(play.stage.context, progress=stop_soon)
        ),
    )
    report = stopping.sync()
    assert report.applied.stopped
    assert "ended-early" in {problem["code"] for problem in report.data()["problems"]}
    assert 0 < sum(report.applied.counts().values()) < 20
    with play.stage.store.reading("studio") as tx:
        assert journal.unsettled(tx) == ()
        assert memory.load(tx).first_run
        run = runs.get(tx, report.run_id)
    assert run is not None
    assert run.status is runs.RunStatus.FAILED
    play.stage.context.stop.clear()
    play.sync()
    assert play.sync().applied.counts() == {
        "create": 0,
        "update": 0,
        "archive": 0,
        "sections": 0,
    }


@pytest.mark.parametrize("phase", ["apply", "remember"])
def test_a_run_that_was_taken_over_tells_what_it_wrote_and_keeps_nothing_else(
    play: Play, phase: str
) -> None:
    state = play.stage.store

    def lose(_phase: str, done: int, total: int) -> None:
        if _phase == "apply" and done == (5 if phase == "apply" else total):
            with state.transaction("studio") as tx:
                lease = leases.current(tx)
                assert lease is not None
                later = lease.until + timedelta(minutes=1)
                leases.claim(tx, "another", now=later, ttl=timedelta(hours=1))

    context = replace(play.stage.context, progress=lose)
    losing = replace(play, stage=replace(play.stage, context=context))
    mark = play.mark()
    report = losing.sync()
    assert report.applied.taken_by == "another"
    assert sum(report.applied.counts().values()) > 0
    kinds = [entry.path for entry in play.writes(mark) if entry.method == "POST"]
    assert report.applied.counts()["create"] == kinds.count("/v1/pages")
    (note,) = report.notes
    assert (note.code, "another" in note.message) == ("taken-over", True)
    with state.reading("studio") as tx:
        assert memory.load(tx).first_run, "memory is the other run's to keep"
        run = runs.get(tx, report.run_id)
        lease = leases.current(tx)
    assert run is not None
    assert (run.status, run.outcome["stopped"]) == (runs.RunStatus.FAILED, True)
    assert lease is not None
    assert lease.owner == "another", "what is another's is not given back"


def test_a_creation_of_unknown_outcome_is_reported_and_not_repeated_before_it_is_settled(
    play: Play,
) -> None:
    play.stage.notion.control(
        "faults",
        {
            "rules": [
                {
                    "kind": "reset_after",
                    "match": {"method": "POST", "path_regex": "/v1/pages$", "nth": 3},
                }
            ]
        },
    )
    report = play.sync()
    assert "creation-in-doubt" in {problem.code for problem in report.failures()}
    play.later(minutes=1)
    again = play.sync()
    keys = [card.values["worker_key"] for card in play.all_keyed().values()]
    assert len(keys) == len(set(keys))
    assert again.failures() == ()


def test_a_connection_that_may_not_write_changes_nothing_and_says_so(
    play: Play,
) -> None:
    play.stage.notion.control("set_capabilities", {"insert": False, "update": False})
    report = play.sync()
    assert report.is_denied()
    assert report.applied.counts() == {
        "create": 0,
        "update": 0,
        "archive": 0,
        "sections": 0,
    }
    assert "insert" in report.failures()[0].hint


def test_a_run_that_dies_is_recorded_as_failed(synced: Play) -> None:
    synced.stage.notion.control("revoke_token", {})
    with pytest.raises(Denied):
        synced.sync()
    with synced.stage.store.reading("studio") as tx:
        last = runs.recent(tx, 1)[0]
    assert last.status is runs.RunStatus.FAILED
    assert last.ended is not None
    assert synced.stage.notion.token not in str(last.outcome)


def test_a_card_that_is_not_running_gets_no_progress_and_no_colour(
    synced: Play,
) -> None:
    values = synced.row("projects", PITCH).values
    assert (values["progress"], values["health"]) == (None, None)
    assert str(values["why"]).startswith("Not running")
