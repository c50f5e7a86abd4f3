"""Who is told what when: over real targets on loopback, with the state on disk and a clock of our own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from tests.support.receivers import Receiver, receiving
from tests.support.waiting import wait_for
from tests.support.watched import DONE, FAILED, NOON, REFUSED, Office, alerts_to
from worker.alerts import outbox
from worker.alerts.ledger import LEDGER
from worker.alerts.watch import Watch
from worker.config import JiraSettings, Maintenance
from worker.errors import RenderedProblem
from worker.state import pauses
from worker.state.pauses import Pause
from worker.state.store import Store

MINUTES = timedelta(minutes=1)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield Office(store)
    store.close()


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def unmatched(name: str) -> RenderedProblem:
    return RenderedProblem(code="unmatched-card", where=name, message="names no work")


def test_a_failure_is_told_once_it_lasted_and_once_it_is_over(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target))
    office.run(DONE)
    office.look()
    office.run(FAILED)
    office.pass_time(minutes=5)
    assert chat.titles == []

    office.run(FAILED)
    office.run(FAILED)
    office.pass_time(minutes=5)
    office.run(FAILED)
    office.pass_time(minutes=5)
    assert chat.titles == ["🔴 Rayline · studio: runs fail"]
    assert "jira is away" in chat.texts[0]
    assert "rayline runs -w studio" in chat.texts[0]
    assert "Nov 18, 2026, 12:00" in chat.texts[0]

    office.run(DONE)
    office.look()
    office.run(DONE)
    office.pass_time(minutes=6)
    assert chat.titles[1:] == ["🟢 Rayline · studio: runs go well again"]


def test_one_failure_that_stays_is_told_when_its_minutes_are_over(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failing=600))
    office.run(FAILED)
    office.look()
    office.pass_time(minutes=9)
    assert chat.titles == []
    office.pass_time(minutes=2)
    assert len(chat.titles) == 1


def test_runs_that_were_asked_to_end_or_only_planned_are_no_failures(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failures=1))
    office.run(DONE)
    for _ in range(5):
        office.run(FAILED, outcome={"error": "asked to end", "stopped": True})
        office.pass_time(minutes=4)
    assert chat.titles == []


def test_a_restart_repeats_nothing(office: Office, chat: Receiver) -> None:
    office.open(alerts_to(chat.target, failures=1))
    office.run(FAILED)
    office.look()
    assert len(chat.titles) == 1
    for _ in range(5):
        office.restart()
        office.run(FAILED)
        office.pass_time(minutes=5)
    assert len(chat.titles) == 1


def test_what_stays_critical_is_told_again_once_a_day(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failures=1))
    for _ in range(3 * 24 + 1):
        office.run(FAILED)
        office.pass_time(minutes=59)
    assert len(chat.titles) == 3


def test_what_comes_and_goes_is_a_handful_of_messages(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failures=1))
    for number in range(100):
        office.run(FAILED if number % 2 else DONE)
        office.pass_time(minutes=5)
    assert 1 <= len(chat.titles) <= 12


def test_a_target_that_is_down_gets_everything_later_and_once(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failures=1))
    chat.status = 500
    office.run(FAILED)
    office.look()
    asked = len(chat.paths)
    office.restart()
    office.pass_time(seconds=90)
    assert len(chat.paths) > asked

    chat.status = 200
    for _ in range(3):
        office.run(FAILED)
        office.pass_time(minutes=20)
    assert chat.titles == ["🔴 Rayline · studio: runs fail"]
    assert office.ledger().notes == ()


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_target_that_never_takes_it_is_given_up_and_told_of(
    office: Office, chat: Receiver, status: int
) -> None:
    office.open(alerts_to(chat.target, failures=1, remind=86_400 * 300))
    chat.status = status
    with capture_logs() as logs:
        for _ in range(40):
            office.run(FAILED)
            office.pass_time(minutes=50)
    assert len(chat.paths) <= outbox.MOST_TRIES
    given_up = [line for line in logs if line["event"] == "alerts.given_up"]
    assert len(given_up) == 1
    assert office.ledger().lost.count == 1
    assert "secret" not in str(logs)
    assert "secret" not in str(office.ledger())


def test_of_two_targets_only_the_one_that_is_down_is_asked_again(
    office: Office, chat: Receiver
) -> None:
    with receiving() as other:
        office.open(alerts_to(chat.target, other.target, failures=1))
        other.status = 500
        office.run(FAILED)
        office.look()
        other.status = 200
        office.pass_time(minutes=10)
        assert len(chat.titles) == len(other.titles) == 1


def test_a_kill_between_sending_and_keeping_repeats_one_message_at_most(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failures=1))
    office.run(FAILED)
    sent: list[str] = []

    class Killed(BaseException):
        pass

    real = outbox.settle

    def killed(*_: object, **__: object) -> None:
        sent.append("sent")
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "settle", killed)
        with pytest.raises(Killed):
            office.look()
    assert outbox.settle is real
    assert sent == ["sent"]
    assert len(chat.titles) == 1

    office.restart()
    for _ in range(20):
        office.pass_time(minutes=1)
    assert len(chat.titles) == 2
    assert office.ledger().notes == ()


def test_two_watches_over_one_state_tell_it_once(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failures=1))
    other = Watch(lambda: dict(office.contexts))
    office.run(FAILED)
    for _ in range(5):
        other.look()
        office.watch.look()
        office.now += timedelta(seconds=20)
    assert len(chat.titles) == 1


def test_while_one_watch_sends_another_leaves_the_note_alone(
    office: Office, chat: Receiver
) -> None:
    context = office.open(alerts_to(chat.target, failures=1))
    office.run(FAILED)
    office.watch.look()
    office.now += timedelta(seconds=1)
    with context.transaction() as tx:
        ledger = LEDGER.load(tx)
        numbers = [note.number for note in ledger.notes]
        claimed, mine = outbox.claim(ledger, numbers, office.now)
        LEDGER.save(tx, claimed)
    assert len(mine) == 1
    office.pass_time(minutes=1)
    assert chat.titles == []
    office.pass_time(minutes=6)
    assert len(chat.titles) == 1


def test_a_target_that_hangs_keeps_no_look_for_ever_and_others_get_theirs(
    office: Office, chat: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.alerts.delivery.DEADLINE", 0.5)
    with receiving() as other:
        other.answering.clear()
        office.open(alerts_to(chat.target, other.target, failures=1))
        office.run(FAILED)
        office.look()
        wait_for(lambda: chat.titles, "the message")
        assert [note.left for note in office.ledger().notes] == [("json-2",)]


def test_quiet_hours_hold_what_can_wait_and_tell_it_in_one_message(
    office: Office, chat: Receiver
) -> None:
    quiet = {"quiet_from": time(22), "quiet_to": time(7)}
    office.open(alerts_to(chat.target, **quiet))
    office.now = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)  # 23:00
    office.run(DONE)
    office.stand(unmatched("A"))
    office.look()
    office.stand(unmatched("A"), unmatched("B"))
    office.look()
    office.stand(unmatched("A"), unmatched("B"), unmatched("C"))
    office.run(DONE)
    office.pass_time(minutes=30)
    office.run(DONE)
    office.pass_time(minutes=30)
    assert chat.titles == []

    office.now = datetime(2026, 11, 19, 4, 0, 1, tzinfo=UTC)  # 7:00
    office.run(DONE)
    office.look()
    assert chat.titles == ["Rayline: 2 changes in studio"]
    assert "up from 1" in chat.texts[0]
    assert "up from 2" in chat.texts[0]


@pytest.mark.parametrize(("may_pass", "count"), [(True, 1), (False, 0)])
def test_what_is_critical_may_pass_the_quiet_hours(
    office: Office, chat: Receiver, may_pass: bool, count: int
) -> None:
    quiet = {"quiet_from": time(0), "quiet_to": time(23, 59)}
    given = {**quiet, "critical_in_quiet": may_pass}
    office.open(alerts_to(chat.target, failures=1, **given))
    office.run(FAILED)
    office.look()
    assert len(chat.titles) == count


def test_many_workspaces_that_fail_for_one_reason_are_one_message(
    office: Office, chat: Receiver
) -> None:
    names = [f"agency{number}" for number in range(40)]
    for name in names:
        office.open(alerts_to(chat.target, failures=1, gather=60), name)
        office.run(FAILED, name)
    office.look()
    assert chat.titles == []
    office.pass_time(minutes=2)
    assert chat.titles == [
        "🔴 Rayline · agency0, agency1, agency2 and 37 more: runs fail"
    ]
    assert len(chat.texts[0]) <= 3_500


def test_a_workspace_that_cannot_be_looked_at_keeps_no_other_from_being_told(
    office: Office, chat: Receiver
) -> None:
    broken = office.open(alerts_to(chat.target), "a-broken")
    with broken.transaction() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO settings (workspace, key, body) VALUES ('a-broken', 'alerts', '[]')"
        )
    office.open(alerts_to(chat.target, failures=1))
    office.run(FAILED)
    with capture_logs() as logs:
        office.look()
        office.look()
    assert len(chat.titles) == 1
    told = [line for line in logs if line.get("workspace") == "a-broken"]
    assert len(told) == 1


def test_a_plan_that_is_refused_is_told_at_once_and_once(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, console_url="https://rayline.example/"))
    outcome = {"refused": [{"message": "too much would be archived"}]}
    for _ in range(6):
        office.run(REFUSED, outcome=outcome)
        office.pass_time(minutes=5)
    assert chat.titles == ["🔴 Rayline · studio: a plan was refused"]
    assert "too much would be archived" in chat.texts[0]
    assert "https://rayline.example/w/studio/runs" in chat.texts[0]


def test_that_no_run_begins_is_told_from_the_start_of_the_watch_on(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target))
    office.run(DONE)
    office.pass_time(days=2)
    assert chat.titles == []
    office.pass_time(minutes=61)
    assert chat.titles == ["🔴 Rayline · studio: no run begins"]
    office.run(DONE)
    office.look()
    office.run(DONE)
    office.pass_time(minutes=6)
    assert chat.titles[1:] == ["🟢 Rayline · studio: runs begin again"]


def test_old_data_is_told_where_runs_begin_and_none_ends_well(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target))
    office.run(DONE)
    for _ in range(8):
        office.pass_time(minutes=10)
        office.begin()
    office.pass_time(minutes=10)
    assert chat.titles == ["🔴 Rayline · studio: what the boards say is old"]


def test_old_data_is_not_told_beside_its_cause(office: Office, chat: Receiver) -> None:
    office.open(alerts_to(chat.target))
    office.run(DONE)
    for _ in range(20):
        office.pass_time(minutes=10)
        office.run(FAILED)
    assert chat.titles == ["🔴 Rayline · studio: runs fail"]


@pytest.mark.parametrize(
    ("days", "told"), [(15, 0), (14, 1), (4, 1), (3, 1), (0, 1), (-1, 1)]
)
def test_a_token_that_expires_is_told_two_weeks_before(
    office: Office, chat: Receiver, days: int, told: int
) -> None:
    last = date(2026, 11, 18) + timedelta(days=days)
    office.open(alerts_to(chat.target), jira=JiraSettings(token_expires=last))
    office.run(DONE)
    office.look()
    assert len(chat.titles) == told
    assert all("Jira token expire" in text for text in chat.texts)


def test_a_token_is_told_again_when_it_becomes_urgent_and_not_every_day_before(
    office: Office, chat: Receiver
) -> None:
    jira = JiraSettings(token_expires=date(2026, 11, 30))
    office.open(alerts_to(chat.target, remind=86_400 * 30), jira=jira)
    for _ in range(14):
        office.run(DONE)
        office.watch.look()
        office.now += MINUTES
        office.watch.look()
        office.now += timedelta(days=1)
    assert len(chat.titles) == 2


def test_only_growth_of_what_has_no_match_is_told(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target))
    office.run(DONE)
    office.stand(unmatched("A"), unmatched("B"))
    office.look()
    assert chat.titles == []
    for _ in range(20):
        office.stand(unmatched("A"))
        office.look()
        office.stand(unmatched("A"), unmatched("B"))
        office.look()
    assert chat.titles == []
    office.stand(unmatched("A"), unmatched("B"), unmatched("C"))
    office.look()
    assert len(chat.titles) == 1
    assert "3, up from 2" in chat.texts[0]


def test_a_workspace_that_is_left_alone_on_purpose_alerts_nobody(
    office: Office, chat: Receiver
) -> None:
    context = office.open(
        alerts_to(chat.target, failures=1),
        maintenance=(Maintenance(start=time(11), end=time(14)),),
    )
    office.run(FAILED)
    office.look()
    assert chat.titles == []
    with context.transaction() as tx:
        pauses.pause(tx, Pause("Anna", NOON, NOON + timedelta(hours=6)))
    office.pass_time(hours=3)
    office.pass_time(minutes=179)
    assert chat.titles == []
    office.pass_time(minutes=1)
    assert chat.titles == ["🔴 Rayline · studio: runs fail"]


def test_what_nobody_is_told_costs_no_write(office: Office, chat: Receiver) -> None:
    context = office.open(alerts_to(chat.target))
    office.run(DONE)
    office.look()
    before = context.store
    with before.reading("studio") as tx:
        version = tx.connection.exec_driver_sql("PRAGMA data_version").scalar()
        for _ in range(5):
            office.watch.look()
        assert tx.connection.exec_driver_sql("PRAGMA data_version").scalar() == version


def test_alerts_speak_the_language_of_the_workspace(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failures=1), locale="ru")
    office.run(FAILED)
    office.look()
    assert chat.titles == ["🔴 Rayline · studio: запуски заканчиваются ошибкой"]
    assert "Что делать" in chat.texts[0]


def test_the_secret_of_a_target_is_in_no_log_and_not_in_the_state(
    office: Office, chat: Receiver, tmp_path: Path
) -> None:
    chat.status = 500
    bad = "slack://not-a-slack-secret-zz"
    office.open(alerts_to(chat.target, bad, failures=1))
    office.run(FAILED)
    with capture_logs() as logs:
        office.look()
    sent = [line for line in logs if line["event"] == "alerts.not_sent"]
    assert {line["target"] for line in sent} == {"json-1", "slack-1"}
    assert "secret" not in str(logs)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))
    assert b"secret-zz" not in kept
    assert b"hook-secret" not in kept


def test_without_a_table_nobody_looks(office: Office) -> None:
    office.open(None)
    office.run(FAILED)
    office.look()
    assert office.ledger().watched == ()


def test_a_heartbeat_alone_needs_no_target(office: Office, chat: Receiver) -> None:
    office.open(alerts_to(heartbeat_url=SecretStr(chat.url)))
    office.run(DONE)
    office.look()
    office.run(DONE)
    office.look()
    assert chat.paths == ["/ping-secret-77aa"]
    assert office.ledger().watched == ()


def look_as_cron(office: Office) -> None:
    """Look once, as a command does that begins a run and is gone."""
    office.restart()
    office.run(DONE)
    office.watch.look(is_last=True)


def test_where_cron_begins_each_run_the_next_one_tells_that_none_began(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target))
    look_as_cron(office)
    office.now += 5 * MINUTES
    look_as_cron(office)
    assert chat.titles == []

    office.now += 180 * MINUTES
    look_as_cron(office)
    assert chat.titles == ["🟠 Rayline · studio: no run begins"]
    assert "until run 3" in chat.texts[0]
    assert "Since Nov 18, 2026, 12:05" in chat.texts[0]

    for _ in range(3):
        office.now += 6 * MINUTES
        look_as_cron(office)
    assert chat.titles[1:] == ["🟢 Rayline · studio: runs begin again"]


def test_a_time_in_which_a_workspace_was_left_alone_counts_for_no_cron_either(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target))
    look_as_cron(office)
    office.now += 5 * MINUTES
    with office.store.transaction("studio") as tx:
        pauses.pause(tx, Pause("Anna", office.now))
    for _ in range(3):
        office.now += 60 * MINUTES
        office.restart()
        office.watch.look(is_last=True)
    with office.store.transaction("studio") as tx:
        pauses.resume(tx)
    look_as_cron(office)
    assert chat.titles == []
