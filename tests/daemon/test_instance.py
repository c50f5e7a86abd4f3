"""One daemon per workspace: a second is refused, a dead one followed at once, one taken over ends; and what signals do.

Real processes on SQLite and PostgreSQL. Neither API is there: a daemon stays at work all the same.
"""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.offices import Office, open_office
from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from tests.support.stages import one_object
from tests.support.waiting import LONG, end, pause, wait_for, wait_for_line
from worker.cli import exits, prose
from worker.daemon.instance import hold_workspaces, lease_name
from worker.errors import AlreadyRunning
from worker.locales import load_words
from worker.state import leases, triggers
from worker.state.processes import name_owner
from worker.state.store import Store

BUSY = 75
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    state = (
        f"sqlite:///{tmp_path / 'state.db'}"
        if request.param == "sqlite"
        else str(request.getfixturevalue("postgres_url"))
    )
    found = open_office(tmp_path, state)
    yield found
    found.store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield found
    found.close()


def test_a_second_daemon_says_who_is_at_work_and_one_that_was_killed_is_followed_at_once(
    office: Office,
) -> None:
    with office.daemon() as first:
        since = office.lease().since
        code, told, said = office.second()
        assert (code, told["error"]) == (BUSY, "AlreadyRunning")
        for part in (
            f"process {first.pid} on {socket.gethostname()}",
            f"{since:%b} {since.day}, {since:%Y, %H:%M} UTC",
            "studio",
        ):
            assert part in told["message"]
        assert str(first.pid) in said
        assert (first.poll(), office.holder()) == (None, first.pid)

        first.kill()
        with office.daemon() as next_one:
            assert office.holder() == next_one.pid
            assert office.lease().epoch == 2
            end(next_one, signal.SIGTERM)
            assert next_one.returncode == 0
    assert office.lease().until <= office.store.now(), "it was given back"


def test_a_daemon_that_was_paused_too_long_ends_when_it_wakes_beside_its_follower(
    tmp_path: Path,
) -> None:
    office = open_office(tmp_path, f"sqlite:///{tmp_path / 'state.db'}", lease=2)
    with office.daemon() as first:
        pause(first, office.store)
        wait_for(lambda: office.lease().until <= office.store.now())
        lasting = open_office(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
        with lasting.daemon() as second:
            assert office.holder() == second.pid
            out, said = end(first, signal.SIGCONT)
            assert first.returncode == BUSY, said
            told = one_object(out)
            assert told["error"] == "AlreadyRunning"
            assert f"process {second.pid} on" in told["message"]
            assert "taken over" in told["message"]
            assert (second.poll(), office.holder()) == (None, second.pid)
        lasting.store.close()
    office.store.close()


def test_a_daemon_of_another_host_is_believed_until_it_is_silent_for_too_long(
    store: Store,
) -> None:
    patience = {"studio": HOUR}
    with store.transaction(lease_name("studio")) as tx:
        leases.claim(tx, "far-away:17:ab.1", now=store.now(), ttl=HOUR)
    with (
        pytest.raises(AlreadyRunning) as caught,
        hold_workspaces(store, patience, owner=name_owner()),
    ):
        pass
    assert caught.value.holder == "far-away:17:ab.1"
    with store.transaction(lease_name("studio")) as tx:
        held = leases.current(tx)
        assert held is not None
        leases.renew(tx, held, now=store.now() - 2 * HOUR, ttl=HOUR)
    with hold_workspaces(store, patience, owner=name_owner()) as check:
        check()


def test_of_several_workspaces_a_daemon_holds_all_or_none(store: Store) -> None:
    patience = dict.fromkeys(("alpha", "beta", "gamma"), HOUR)
    with (
        hold_workspaces(store, {"beta": HOUR}, owner="b:1:x.1"),
        pytest.raises(AlreadyRunning) as caught,
        hold_workspaces(store, patience, owner="a:1:x.1"),
    ):
        pass
    assert (caught.value.workspace, caught.value.holder) == ("beta", "b:1:x.1")
    for name in patience:
        with store.reading(lease_name(name)) as tx:
            held = leases.current(tx)
        assert held is None or held.until <= store.now()
    with (
        hold_workspaces(store, {"alpha": HOUR}, owner="a:1:x.1") as alpha,
        hold_workspaces(store, {"beta": HOUR}, owner="b:1:x.1") as beta,
    ):
        alpha()
        beta()


def test_a_daemon_keeps_nobody_from_a_single_run_and_a_run_no_daemon(
    store: Store,
) -> None:
    with (
        leases.hold(store, "studio", "a:1:x.1", ttl=HOUR, now=store.now),
        hold_workspaces(store, {"studio": HOUR}, owner="b:1:x.1"),
    ):
        pass


def test_a_daemon_taken_over_is_told_by_its_check_and_leaves_the_follower_alone(
    store: Store,
) -> None:
    with hold_workspaces(store, {"studio": HOUR}, owner="a:1:x.1") as check:
        check()
        with store.transaction(lease_name("studio")) as tx:
            leases.claim(tx, "b:1:x.1", now=store.now() + 2 * HOUR, ttl=HOUR)
        with pytest.raises(AlreadyRunning) as caught:
            check()
    assert (caught.value.is_loss, caught.value.holder) == (True, "b:1:x.1")
    with store.reading(lease_name("studio")) as tx:
        held = leases.current(tx)
    assert held is not None
    assert (held.owner, held.until > store.now()) == ("b:1:x.1", True)


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("is_loss", [True, False])
def test_who_is_at_work_is_said_in_the_language_of_the_workspace(
    locale: str, is_loss: bool, store: Store
) -> None:
    words = load_words(locale, "EUR")
    since = store.now()
    for error in (
        AlreadyRunning("studio", "host:17:x.1", since=since, is_loss=is_loss),
        AlreadyRunning("studio", "host:17:x.1", since=None, is_loss=is_loss),
    ):
        said = prose.explain(error, words)
        assert ("Workspace" in said) == (locale == "en")
        assert (f"{since:%H:%M} UTC" in said) == (error.since is not None)
        assert all(part in said for part in ("studio", "17", "host"))
        assert exits.exit_code(error) == BUSY


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Office]:
    found = open_office(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    yield found
    found.store.close()


def test_signals_that_mean_nothing_are_told_and_do_not_end_the_daemon(
    alone: Office,
) -> None:
    with alone.daemon() as process:
        for name, part in (("SIGUSR1", "SIGTERM"), ("SIGUSR2", "SIGTERM")):
            process.send_signal(getattr(signal, name))
            line = json.loads(wait_for_line(process, "signal.ignored"))
            assert (line["signal"], part in line["reason"]) == (name, True)
        out, _ = end(process, signal.SIGTERM)
        assert process.returncode == 0
        assert one_object(out)["workspaces"] == ["studio"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT"])
def test_a_signal_to_end_ends_the_daemon_in_good_order(
    alone: Office, name: str
) -> None:
    with alone.daemon() as process:
        out, _ = end(process, getattr(signal, name))
        assert process.returncode == 0
        assert one_object(out)["workspaces"] == ["studio"]
    assert alone.lease().until <= alone.store.now()


def test_a_daemon_whose_log_nobody_reads_any_more_works_on_and_ends_well(
    alone: Office,
) -> None:
    with alone.daemon() as process:
        assert process.stderr is not None
        process.stderr.close()
        process.send_signal(signal.SIGHUP)
        with alone.store.transaction("studio") as tx:
            number = triggers.ask(tx, now=alone.store.now()).id

        def is_done() -> bool:
            with alone.store.reading("studio") as tx:
                found = triggers.get(tx, number)
            return found is not None and found.state not in triggers.OPEN

        wait_for(is_done)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG) == 0
        assert process.stdout is not None
        assert one_object(process.stdout.read())["cycles"] == 0
