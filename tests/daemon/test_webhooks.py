"""Both sandboxes tell a real daemon, over real sockets, what changed: it shows in Notion with no beat due."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.stages import ACME, Play, small_play, start_rayline, write_config
from tests.support.waiting import LONG, wait_for, wait_for_line
from worker.cycle.remembering import AUTHORS
from worker.state import runs, triggers
from worker.state.runs import Run
from worker.state.store import Store

RUNNING, DONE = runs.RunStatus.RUNNING, runs.RunStatus.DONE
JIRA_SECRET = "a-secret-of-the-tests"
HOOKED = """
[console]
listen = "127.0.0.1:0"
[console.people.anna]
role = "viewer"
token = "viewer-token-of-anna-123"
[workspaces.studio.webhooks]
notion_token_file = "{folder}/notion-hook"
jira_secret_file = "{folder}/jira-hook"
[workspaces.studio.schedule]
delta = {delta}
quiet = {delta}
full = 36000
nightly = 23:59:59
daily = 23:59:59
monday = 23:59:59
"""


@dataclass(frozen=True, slots=True)
class Office:
    """A daemon at work on a stage, and the state it keeps."""

    play: Play
    store: Store
    address: str

    def runs(self) -> list[Run]:
        """Return the runs so far, oldest first."""
        with self.store.reading("studio") as tx:
            return sorted(runs.recent(tx, 100), key=lambda run: run.id)

    def is_quiet(self) -> bool:
        """Tell whether nothing is on its way, asked for or under way."""
        sides = (self.play.stage.notion, self.play.stage.jira)
        if any(side.control("deliveries", {})["waiting"] for side in sides):
            return False
        with self.store.reading("studio") as tx:
            is_asked = bool(triggers.pending(tx))
        return not is_asked and all(run.status is not RUNNING for run in self.runs())

    def settle(self) -> list[Run]:
        """Wait until nothing more happens, and return the runs."""
        wait_for(self.is_quiet, "quiet")
        return self.runs()

    def subscribe(self) -> None:
        """Have both sides tell the daemon of changes."""
        notion = self.play.stage.notion
        url = f"{self.address}/hooks/{{}}/studio"
        made = notion.control("subscribe", {"url": url.format("notion")})
        given = {"url": url.format("jira"), "secret": JIRA_SECRET}
        self.play.stage.jira.control("subscribe", given)

        def is_verified() -> bool:
            listed = notion.control("subscriptions", {})["subscriptions"]
            return any(one["verified"] for one in listed if one["id"] == made["id"])

        wait_for(is_verified, "the handshake")


@contextmanager
def office(folder: Path, *, delta: int) -> Iterator[Office]:
    """Yield a daemon whose first cycle is done; it begins no other by itself for `delta` seconds."""
    with small_play(folder) as play:
        secret = folder / "jira-hook"
        secret.write_text(JIRA_SECRET)
        secret.chmod(0o600)
        config = write_config(play, extra=HOOKED.format(folder=folder, delta=delta))
        config.chmod(0o600)
        process = start_rayline("run", "-c", str(config), home=folder)
        try:
            address = wait_for_line(process, "http://127.0.0.1:").split()[-1]
            drain = ThreadPoolExecutor(1)
            drain.submit(_drain, process)
            store = Store(f"sqlite:///{folder / 'cli.db'}")
            desk = Office(play, store, address)
            wait_for(lambda: [run for run in desk.runs() if run.status is DONE])
            yield desk
            store.close()
        finally:
            process.kill()
            process.wait(LONG)
            drain.shutdown()


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for _ in process.stderr:
        pass


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("hooked"), delta=3600) as desk:
        desk.subscribe()
        yield desk


def done_issues(office: Office) -> Any:
    """Return how far the card of a project is, as its row in Notion says."""
    return office.play.row("projects", ACME).values["progress"]


def move_issue(office: Office, key: str = "ACME-5", status: str = "Done") -> None:
    office.play.stage.jira.control("transition", {"issue": key, "status": status})


def test_an_issue_that_moves_in_jira_moves_its_card_in_notion_with_no_beat_due(
    hooked: Office,
) -> None:
    known = len(hooked.settle())
    before = done_issues(hooked)
    move_issue(hooked)
    wait_for(lambda: done_issues(hooked) != before, "the change in Notion")
    assert {run.trigger for run in hooked.settle()[known:]} == {"webhook"}


def test_what_a_person_changes_in_notion_is_answered_with_no_beat_due(
    hooked: Office,
) -> None:
    play = hooked.play
    known = len(hooked.settle())
    page = play.page("clients", 0)
    play.edit("clients", page, sync_now=True)
    wait_for(lambda: not play.row("clients", 0).values["sync_now"], "the answer")
    assert {run.trigger for run in hooked.settle()[known:]} == {"webhook"}


def test_what_we_write_ourselves_wakes_no_further_look(hooked: Office) -> None:
    # Once our own rows were read, we are known by what the journal proves.
    move_issue(hooked, "ACME-5", "In Progress")
    hooked.settle()
    with hooked.store.reading("studio") as tx:
        assert AUTHORS.load(tx) == {hooked.play.bot_id}
    known = len(hooked.settle())
    writes = hooked.play.mark()
    before = done_issues(hooked)
    move_issue(hooked, "ACME-10")
    wait_for(lambda: done_issues(hooked) != before, "the change in Notion")
    assert len(hooked.settle()) == known + 1
    assert hooked.play.writes(writes)
    answers = hooked.play.stage.notion.control("deliveries", {})["entries"]
    assert [one for one in answers if one["type"] != "verification"]
    assert {one["status"] for one in answers} <= {200, 202}


def test_a_thousand_events_in_a_burst_cost_a_few_looks(hooked: Office) -> None:
    known = len(hooked.settle())
    for number in range(500):
        status = ("In Progress", "To Do")[number % 2]
        move_issue(hooked, "ACME-5", status)
        move_issue(hooked, "ACME-10", status)
    move_issue(hooked, "ACME-15")
    sent = hooked.play.stage.jira.control
    wait_for(lambda: sent("deliveries", {})["waiting"] == 0, "the last delivery")
    looks = hooked.settle()[known:]
    assert 1 <= len(looks) <= 10
    assert sent("deliveries", {})["dropped"] == 0
    with hooked.store.reading("studio") as tx:
        assert triggers.pending(tx) == ()


def test_without_webhooks_a_change_shows_at_the_next_beat(tmp_path: Path) -> None:
    with office(tmp_path, delta=5) as quiet:
        before = done_issues(quiet)
        move_issue(quiet)
        wait_for(lambda: done_issues(quiet) != before, "the next beat")
        assert {run.trigger for run in quiet.runs()[1:]} == {"delta"}
