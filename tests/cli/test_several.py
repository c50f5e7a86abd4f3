"""Commands over several workspaces: each is told, one that fails stops no other, the worst code is the command's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.campus import Campus, bind, open_campus
from tests.support.stages import rayline
from worker.state.store import Store

NAMES = ("north", "south")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with a configuration of two workspaces."""

    config: Path
    campus: Campus

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command and return how it ended and what it said."""
        home = self.config.parent
        done = rayline(*words, "--config", str(self.config), home=home)
        return done.returncode, done.stdout, done.stderr

    def told(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        """Run a command and return how it ended and what it told of each workspace."""
        code, said, _ = self.run(*words, "--json")
        return code, json.loads(said)["workspaces"]

    def spoil(self, name: str) -> None:
        """Have a workspace come with a token that Notion does not know."""
        text = self.config.read_text("utf-8")
        self.config.write_text(text.replace(f'"ntn_{name}"', '"ntn_nobody"'), "utf-8")

    def put_off(self, name: str) -> None:
        """Have a workspace's Notion ask whoever comes to wait for longer than a run may."""
        rule = {"kind": "429", "retry_after": 1200, "times": 100}
        self.campus.rooms[name].control("faults", {"rules": [rule]})


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with open_campus(tmp_path, NAMES) as (campus, config):
        (tmp_path / "state").mkdir()
        store = Store(f"sqlite:///{tmp_path / 'state' / 'rayline.db'}")
        bind(campus, store)
        store.close()
        yield Machine(config, campus)


def test_a_run_serves_all_workspaces_and_the_next_finds_nothing_due(
    machine: Machine,
) -> None:
    code, told = machine.told("sync", "--all", "--due")
    assert code == 0
    assert [one["workspace"] for one in told] == list(NAMES)
    assert all(one["changes"]["create"] > 0 for one in told)

    code, told = machine.told("sync", "--all", "--due")
    assert code == 0
    assert [one["due"] for one in told] == [False, False]


def test_one_that_fails_is_told_and_the_others_are_served(machine: Machine) -> None:
    machine.spoil("north")
    code, told = machine.told("sync")
    assert code == 2
    assert [one["workspace"] for one in told] == list(NAMES)
    north, south = told
    assert north["error"]
    assert south["changes"]["create"] > 0

    code, told = machine.told("status")
    assert code == 0
    assert [one["last_run"]["status"] for one in told] == ["failed", "done"]

    code, told = machine.told("check")
    assert code == 2
    assert told[0]["problems"]


def test_people_read_of_each_by_its_name(machine: Machine) -> None:
    machine.spoil("south")
    code, said, _ = machine.run("sync", "--delta")
    assert code == 2
    assert "south" in said
    for words, ending in ((("status",), 0), (("check",), 2)):
        code, said, _ = machine.run(*words)
        assert code == ending
        assert all(f"Workspace {name}" in said for name in NAMES)


def test_a_plan_is_drawn_for_each_and_the_worst_code_counts(machine: Machine) -> None:
    code, told = machine.told("plan", "--exit-code")
    assert code == 3
    assert [one["workspace"] for one in told] == list(NAMES)
    assert all(one["changes"] for one in told)
    code, said, _ = machine.run("plan")
    assert code == 0
    assert all(f"Workspace {name}" in said for name in NAMES)

    machine.spoil("south")
    code, said, _ = machine.run("plan", "--exit-code")
    assert code == 2
    assert "Workspace north" in said
    assert "south: Notion refused this connection" in said


def test_a_service_that_asks_to_wait_is_waited_for_unless_another_is_wrong(
    machine: Machine,
) -> None:
    machine.put_off("north")
    for command in ("check", "plan", "sync"):
        code, told = machine.told(command)
        assert code == 75, command
        assert [one["workspace"] for one in told] == list(NAMES)
    machine.spoil("south")
    for command in ("check", "plan", "sync"):
        assert machine.told(command)[0] == 2, command


def test_what_is_of_one_workspace_wants_its_name(machine: Machine) -> None:
    for words in (("sync", "Acme"), ("plan", "Acme"), ("sync", "--checksum", "abc")):
        code, _, said = machine.run(*words)
        assert code == 2
        assert "which workspace?" in said
    code, _, said = machine.run("sync", "--due", "--force")
    assert code == 2
    assert "--due" in said


def test_one_that_is_named_is_told_as_one_object(machine: Machine) -> None:
    code, said, _ = machine.run("sync", "--workspace", "south", "--json")
    assert code == 0
    assert json.loads(said)["workspace"] == "south"
