"""`rayline adopt` against the sandbox: it asks, shows, and writes only after consent; people's cells stay as they are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pexpect
import pytest

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.server import serve
from rayline_sandbox.wire import Clock
from tests.adoption.agencies import Agency, open_agency
from tests.support.waiting import LONG
from worker.mapping.load import read_overlay

CONFIG = """\
state = "sqlite:///state.db"

[workspaces.studio]
locale = "{locale}"
time_zone = "Europe/Berlin"
currency = "EUR"

[workspaces.studio.notion]
root_page_id = "{root}"
base_url = "{notion}"
requests = 100000

[workspaces.studio.jira]
deployment = "cloud"
base_url = "{jira}"
email = "{email}"
projects = []
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """An agency's Notion on a socket, and a folder with a configuration for it."""

    agency: Agency
    folder: Path
    secrets: Mapping[str, str]

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(
            [sys.executable, "-m", "worker", *words],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Return what the command is started with."""
        own = {"HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        return {**os.environ, **own, **self.secrets}

    @contextmanager
    def terminal(self, *words: str) -> Iterator[pexpect.spawn]:
        """Run a command at a terminal."""
        child = pexpect.spawn(
            sys.executable,
            ["-m", "worker", *words],
            cwd=str(self.folder),
            env={**self.environment, "TERM": "xterm-256color"},
            encoding="utf-8",
            timeout=LONG,
            dimensions=(40, 100),
        )
        try:
            yield child
        finally:
            child.close(force=True)

    @property
    def overlay(self) -> Path:
        """Return where the overlay is written."""
        return self.folder / "mappings" / "studio" / "overlay.toml"

    def writes(self) -> int:
        """Return how many writing requests Notion has had."""
        return sum(entry.write for entry in self.agency.sandbox.log)

    def columns(self, board: str) -> dict[str, str]:
        """Return the types of a board's columns by name."""
        raw = self.agency.notion.data_source(self.agency.ids[board])
        return {column.name: column.type for column in raw.properties}

    def cells(self) -> dict[str, dict[str, Any]]:
        """Return what people's rows hold in the columns that people have."""
        found = {}
        for name, identity in self.agency.ids.items():
            own = self.agency.described["boards"][name]["columns"]
            for row in self.agency.notion.query(identity).pages:
                found[row.id] = {
                    column: cell
                    for column, cell in row.properties.items()
                    if column in own
                }
        return found


@pytest.fixture
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    name, locale = getattr(request, "param", ("agency", "en"))
    agency = open_agency(name)
    jira = JiraSandbox(Clock(start=datetime.now(UTC), speed=1.0, real=time.monotonic))
    with serve(agency.sandbox, jira) as sockets:
        where = sockets.describe()
        text = CONFIG.format(
            locale=locale,
            root=where["notion"]["root_page_id"],
            notion=where["notion"]["base_url"],
            jira=where["jira"]["base_url"],
            email=where["jira"]["email"],
        )
        (tmp_path / "rayline.toml").write_text(text, "utf-8")
        place = "RAYLINE_WORKSPACES__STUDIO__{}__TOKEN"
        secrets = {
            place.format("NOTION"): where["notion"]["token"],
            place.format("JIRA"): where["jira"]["token"],
        }
        yield Desk(agency, tmp_path, secrets)


def test_nothing_is_written_before_consent(desk: Desk) -> None:
    before = desk.writes()
    done = desk.run("adopt", "--json", typed="n\n")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["written"] is False
    assert "⚙ Health" in done.stderr
    assert not desk.overlay.exists()
    assert desk.writes() == before


@pytest.mark.parametrize(
    "desk", [("agency", "en"), ("merged", "en"), ("kanban", "ru")], indirect=True
)
def test_after_consent_the_own_boards_are_used_and_every_cell_is_as_it_was(
    desk: Desk,
) -> None:
    before = desk.cells()
    relations = {name: relations_of(desk, name) for name in desk.agency.ids}
    done = desk.run("adopt", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    overlay, problems = read_overlay(desk.overlay)
    assert problems == []
    assert {part: told.board for part, told in overlay.items()} == {
        part: desk.agency.ids[told["board"]]
        for part, told in desk.agency.expected.items()
    }
    assert desk.cells() == before
    assert {name: relations_of(desk, name) for name in desk.agency.ids} == relations
    synced = desk.run("sync", "--json")
    assert synced.returncode == 0, synced.stderr + synced.stdout
    assert filled(desk.cells(), before) == filled(before, before)


def filled(
    cells: Mapping[str, Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[str, str], Any]:
    """Return the cells that people had filled: a date of an empty one may be set by the first run."""
    return {
        (row, column): cells[row][column]
        for row, columns in before.items()
        for column, cell in columns.items()
        if cell[cell["type"]]
    }


def relations_of(desk: Desk, board: str) -> int:
    return sum(kind == "relation" for kind in desk.columns(board).values())


def test_only_the_first_columns_are_added_unless_all_are_wanted(desk: Desk) -> None:
    before = len(desk.columns("accounts"))
    assert desk.run("adopt", "--yes").returncode == 0
    added = len(desk.columns("accounts")) - before
    assert 0 < added <= 5
    text = desk.overlay.read_text("utf-8")
    assert 'columns.group = "Type"' in text
    assert "# Group" in text


def test_all_columns_are_added_when_they_are_wanted(desk: Desk) -> None:
    assert desk.run("adopt", "--yes", "--all-columns").returncode == 0
    assert {"⚙ Health score, 0–100", "⚙ Pace", "⚙ White space"} <= desk.columns(
        "accounts"
    ).keys()


@pytest.mark.parametrize("desk", [("messy", "en")], indirect=True)
def test_what_is_not_sure_is_asked_and_answers_may_stand_in_a_file(desk: Desk) -> None:
    answers = desk.folder / "answers.toml"
    answers.write_text(
        f'consent = true\n[parts]\nclients = "{desk.agency.ids["clients"]}"\n'
        f'projects = "Work / Projects"\n',
        "utf-8",
    )
    done = desk.run("adopt", "--answers", str(answers), "--json")
    assert done.returncode == 0, done.stderr
    overlay, _ = read_overlay(desk.overlay)
    assert overlay["clients"].board == desk.agency.ids["clients"]
    assert overlay["projects"].board == desk.agency.ids["projects"]
    assert overlay["projects"].types == {"stage": "select", "jira": "url"}


@pytest.mark.parametrize("desk", [("messy", "en")], indirect=True)
def test_yes_takes_only_what_is_sure(desk: Desk) -> None:
    done = desk.run("adopt", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parts"].keys() == {"people", "tasks"}


def test_what_was_adopted_is_not_asked_again_and_stays_as_it_was_written(
    desk: Desk,
) -> None:
    assert desk.run("adopt", "--yes").returncode == 0
    own = desk.overlay.read_text("utf-8") + "# a remark\n"
    desk.overlay.write_text(own, "utf-8")
    done = desk.run("adopt", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parts"] == {}
    assert desk.overlay.read_text("utf-8") == own


QUESTION = re.compile(r"\(empty: none of these\): ")
CONSENT = re.compile(r"\(y/n\): ")


@pytest.mark.parametrize("desk", [("messy", "en")], indirect=True)
def test_at_a_terminal_numbers_are_typed_and_nothing_moves_meanwhile(
    desk: Desk,
) -> None:
    before = desk.writes()
    with desk.terminal("adopt") as child:
        asked = 0
        while child.expect([QUESTION, CONSENT]) == 0:
            asked += 1
            assert "1. " in child.before
            assert asked == 1 or "reading Notion" not in child.before
            child.sendline("1")
        assert asked >= 2
        assert "gets columns" in child.before
        assert desk.writes() == before
        child.sendline("y")
        child.expect(pexpect.EOF)
    assert child.exitstatus == 0
    overlay, problems = read_overlay(desk.overlay)
    assert problems == []
    assert {"clients", "projects"} <= overlay.keys()
    assert desk.writes() > before


def test_who_declines_at_a_terminal_has_nothing_written(desk: Desk) -> None:
    before = desk.writes()
    with desk.terminal("adopt") as child:
        while child.expect([QUESTION, CONSENT]) == 0:
            child.sendline("")
        child.sendline("n")
        child.expect("Nothing was written")
        child.expect(pexpect.EOF)
    assert child.exitstatus == 0
    assert desk.writes() == before
    assert not desk.overlay.exists()
