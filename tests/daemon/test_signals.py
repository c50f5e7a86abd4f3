"""What signals do to a daemon: it ends while nobody answers, takes a new configuration over, tells its manager so."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.offices import Office, free, open_office
from tests.support.silence import Silence, silent, unanswered
from tests.support.stages import one_object, rayline, start_rayline
from tests.support.waiting import LONG, end, wait_for, wait_for_line
from worker.app.settings import load_settings
from worker.config import Workspace
from worker.daemon.instance import lease_name
from worker.daemon.notify import open_notifier
from worker.daemon.roster import Roster, changes
from worker.mapping.load import shipped_folder
from worker.state import runs, triggers
from worker.state.processes import name_owner


@pytest.fixture
def silence() -> Iterator[Silence]:
    with silent() as server:
        yield server


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = open_office(tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.store.close()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_a_daemon_ends_while_a_request_is_never_answered_and_leaves_nothing_behind(
    office: Office, silence: Silence, name: str
) -> None:
    unanswered(office, silence)
    with office.daemon() as process:
        wait_for(silence.asked.is_set)
        with office.store.transaction("studio") as tx:
            number = triggers.ask(tx, now=office.store.now()).id
        wait_for(lambda: is_taken(office, number))
        out, said = end(process, getattr(signal, name))
    assert (process.returncode, one_object(out)["workspaces"]) == (0, ["studio"])
    assert "cycle.abandoned" in said
    with office.store.reading("studio") as tx:
        (run,) = runs.recent(tx)
        request = triggers.get(tx, number)
    assert (run.status, run.outcome["stopped"]) == (runs.RunStatus.FAILED, True)
    assert request is not None
    assert request.state is triggers.TriggerState.WAITING
    assert free(office, "studio")
    assert free(office, lease_name("studio"))


def is_taken(office: Office, number: int) -> bool:
    with office.store.reading("studio") as tx:
        request = triggers.get(tx, number)
    return request is not None and request.state is triggers.TriggerState.RUNNING


def test_a_single_run_ends_while_a_request_is_never_answered(
    office: Office, silence: Silence
) -> None:
    unanswered(office, silence)
    process = start_rayline(
        "sync", "--json", "-c", str(office.config), home=office.folder
    )
    wait_for(silence.asked.is_set)
    out, said = end(process, signal.SIGTERM)
    assert (process.returncode, one_object(out)["error"]) == (75, "Stopped")
    assert "did not answer" in said
    assert free(office, "studio")


@contextmanager
def reloading(office: Office) -> Iterator[subprocess.Popen[str]]:
    with office.daemon() as process:
        yield process
        end(process, signal.SIGTERM)
        assert process.returncode == 0


def line_of(process: subprocess.Popen[str], part: str) -> dict[str, Any]:
    return dict(json.loads(wait_for_line(process, part)))


def test_a_hang_up_takes_over_what_changed_and_says_it_without_its_value(
    office: Office,
) -> None:
    token = office.folder / "token"
    with reloading(office) as process:
        text = office.config.read_text()
        office.config.write_text(
            text.replace("lease = 3600", "lease = 3600\ndelta = 77")
        )
        token.write_text("another-token-of-nobody")
        process.send_signal(signal.SIGHUP)
        changed = line_of(process, "workspace.changed")
        assert changed["changed"] == ["jira.token", "notion.token", "schedule.delta"]
        assert "another-token" not in json.dumps(changed)
        line_of(process, "configuration.reloaded")
        process.send_signal(signal.SIGHUP)
        again = line_of(process, "configuration.reloaded")
        assert again["workspaces"] == ["studio"]


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ("lease = 3600", "lease = 'long'", "lease"),
        ("lease = 3600", "leash = 1", "leash"),
        (
            "[workspaces.studio.notion]",
            "[workspaces.studio.notion",
            "configuration.bad",
        ),
        ("127.0.0.1:9", "127.0.0.1:nine", "configuration.bad"),
    ],
)
def test_a_bad_new_configuration_is_told_and_the_old_one_goes_on(
    office: Office, before: str, after: str, part: str
) -> None:
    with reloading(office) as process:
        good = office.config.read_text()
        office.config.write_text(good.replace(before, after))
        process.send_signal(signal.SIGHUP)
        assert part in wait_for_line(process, "configuration.bad")
        office.config.write_text(good)
        process.send_signal(signal.SIGHUP)
        line_of(process, "configuration.reloaded")
        with office.store.transaction("studio") as tx:
            number = triggers.ask(tx, now=office.store.now()).id
        wait_for(lambda: not is_waiting(office, number))


def is_waiting(office: Office, number: int) -> bool:
    with office.store.reading("studio") as tx:
        request = triggers.get(tx, number)
    return request is None or request.state is triggers.TriggerState.WAITING


def another_workspace(text: str) -> str:
    """Return the tables of the one workspace of a configuration for a second one, on a page of its own."""
    _, head, rest = text.partition("[workspaces.studio.schedule]")
    return f"{head}{rest}".replace("studio", "attic").replace("0" * 32, "1" * 32)


def test_workspaces_come_and_go_with_the_configuration(office: Office) -> None:
    text = office.config.read_text()
    more = text + another_workspace(text)
    with reloading(office) as process:
        office.config.write_text(more)
        process.send_signal(signal.SIGHUP)
        assert line_of(process, "workspace.added")["workspace"] == "attic"
        assert not free(office, lease_name("attic"))
        office.config.write_text(text)
        process.send_signal(signal.SIGHUP)
        assert line_of(process, "workspace.removed")["workspace"] == "attic"
        wait_for(lambda: free(office, lease_name("attic")))
        assert not free(office, lease_name("studio"))


def test_a_workspace_that_comes_while_the_state_is_away_is_told_and_ends_nobody(
    office: Office,
) -> None:
    text = office.config.read_text()
    more = text + another_workspace(text)
    office.config.write_text(more)
    workspaces = load_settings(office.config).workspaces
    roster = Roster(office.store, owner=name_owner(), on_report=lambda report: None)
    with office.store.transaction("") as tx:
        tx.connection.exec_driver_sql("ALTER TABLE leases RENAME TO put_away")
    with capture_logs() as logged:
        roster.reload(workspaces)
    assert [each["workspace"] for each in logged] == sorted(workspaces)
    assert all(
        "the database of the state is damaged" in each["error"] for each in logged
    )
    assert all("rayline restore" in each["error"] for each in logged)
    assert roster.names == []

    with office.store.transaction("") as tx:
        tx.connection.exec_driver_sql("ALTER TABLE put_away RENAME TO leases")
    roster.reload(workspaces)
    assert roster.names == ["attic", "studio"]
    roster.close()
    assert free(office, lease_name("attic"))


def test_a_hang_up_reads_the_mappings_again_and_keeps_the_old_ones_when_they_are_bad(
    office: Office,
) -> None:
    folder = office.folder / "mappings"
    for path in shipped_folder().rglob("*.toml"):
        copy = folder / path.relative_to(shipped_folder())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    text = office.config.read_text()
    head = f'[workspaces.studio]\nmappings = "{folder}"\n[workspaces.studio.schedule]'
    office.config.write_text(text.replace("[workspaces.studio.schedule]", head))
    clients = folder / "workspace" / "clients.toml"
    good = clients.read_text()
    with reloading(office) as process:
        clients.write_text(good.replace('en = "Clients"', 'en = "Customers"'))
        process.send_signal(signal.SIGHUP)
        assert line_of(process, "workspace.changed")["changed"] == ["mappings"]
        clients.write_text("nonsense = ")
        process.send_signal(signal.SIGHUP)
        assert "clients.toml" in wait_for_line(process, "workspace.not_reloaded")


def test_a_service_manager_is_told_of_the_start_the_life_a_reload_and_the_end(
    office: Office,
) -> None:
    place = office.folder / "n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(place))
        manager.settimeout(LONG)

        def hear(part: str) -> str:
            while part not in (message := manager.recv(4096).decode()):
                pass
            return message

        process = start_rayline(
            "run",
            "-c",
            str(office.config),
            home=office.folder,
            NOTIFY_SOCKET=str(place),
            WATCHDOG_USEC="30000000",
        )
        assert "STATUS=serving studio" in hear("READY=1")
        hear("WATCHDOG=1")
        process.send_signal(signal.SIGHUP)
        assert re.search(r"^MONOTONIC_USEC=\d+$", hear("RELOADING=1"), re.MULTILINE)
        hear("READY=1")
        process.send_signal(signal.SIGTERM)
        hear("STOPPING=1")
        process.communicate(timeout=LONG)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("environment", "address", "watchdog"),
    [
        ({}, "", None),
        ({"NOTIFY_SOCKET": "/run/n"}, "/run/n", None),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "5000000"}, "@n", 5.0),
        ({"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"}, "", None),
        ({"WATCHDOG_USEC": "soon"}, "", None),
    ],
)
def test_who_is_to_be_told_stands_in_the_environment(
    environment: dict[str, str], address: str, watchdog: float | None
) -> None:
    notifier = open_notifier(environment)
    assert (notifier.address, notifier.watchdog) == (address, watchdog)


def test_a_manager_that_is_gone_keeps_nobody_from_working(tmp_path: Path) -> None:
    for address in (str(tmp_path / "nobody"), "@nobody-listens-here"):
        notifier = open_notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1"})
        notifier.ready("x")
        notifier.alive()


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, []),
        ({"locale": "ru"}, ["locale"]),
        (
            {"schedule": {"delta": 9}, "notion": {"token": "b"}},
            ["notion.token", "schedule.delta"],
        ),
    ],
)
def test_what_differs_between_two_configurations_is_named(
    change: dict[str, Any], names: list[str]
) -> None:
    before = Workspace.model_validate({"notion": {"token": "a"}})
    after = Workspace.model_validate({"notion": {"token": "a"}, **change})
    assert list(changes(before, after)) == names


def test_a_second_daemon_is_refused_after_a_reload_as_well(office: Office) -> None:
    with reloading(office) as process:
        process.send_signal(signal.SIGHUP)
        line_of(process, "configuration.reloaded")
        told = rayline("run", "-c", str(office.config), home=office.folder)
        assert told.returncode == 75
