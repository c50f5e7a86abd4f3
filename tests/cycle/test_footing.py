"""What a cycle goes by to tell whether there is anything to think about holds all that a plan rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace  # noqa: TID251 - a context is no struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as other
from pydantic import SecretStr

from worker.app.build import Surroundings, build_context, open_store
from worker.config import JiraSettings, NotionSettings, Workspace
from worker.cycle.context import FINGERPRINT, MANAGED, Context, Footing
from worker.cycle.planning import BESIDE, Read, find_footing
from worker.cycle.stale_memory import DOUBTS, HELD
from worker.errors import RenderedProblem
from worker.mapping.playbooks import Playbooks
from worker.read.absent import GONE
from worker.read.address import ADDRESS
from worker.read.boards import BoardsRead
from worker.read.schema import Bound
from worker.read.tracker import TrackerRead
from worker.state import snapshots
from worker.state.settings import Setting

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
READ = Read(Bound({}), BoardsRead({}), TrackerRead({}), (), pending=False)
PARTS = [
    (part, field.name)
    for part in ("bound", "boards", "tracker")
    for field in fields(getattr(READ, part))
]
DECIDING = {"settings", "fingerprint", "playbooks", "now"}
ASIDE: Mapping[str, str] = {
    "name": "a state keeps what it remembers by workspace",
    "schema": "its fingerprint goes in",
    "words": "they follow from the settings and the installed files",
    "store": "what a plan takes from it is counted, or changed by runs alone",
    "notion": "what it answers goes in",
    "jira": "what it answers goes in",
    "owner": "who holds the workspace decides no row",
    "begin": "a deadline ends a run, it decides no row",
    "limit": "a deadline ends a look, it decides no row",
    "sizes": "how many rows come at a time decides none of them",
    "clocks": "a clock that is wrong is told as a problem, or ends the run",
    "stop": "a run that is to end decides nothing",
    "progress": "who looks on decides nothing",
    "pause": "how long is waited decides nothing",
}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    store = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    try:
        yield build_context("studio", _settings(), store, Surroundings(lambda: NOW))
    finally:
        store.close()


def _settings(token: str = "secret") -> Workspace:
    return Workspace(
        notion=NotionSettings(token=SecretStr(token), root_page_id="f" * 32),
        jira=JiraSettings(
            base_url="https://studio.example", email="a@b.example", token=SecretStr("s")
        ),
    )


def _footing(context: Context, read: Read = READ, now: datetime = NOW) -> Footing:
    with context.reading() as tx:
        return find_footing(context, tx, read, now=now)


def test_the_same_read_is_the_same_footing(context: Context) -> None:
    assert _footing(context) == _footing(context, now=NOW + timedelta(hours=3))


@pytest.mark.parametrize(("part", "name"), PARTS)
def test_each_field_of_a_read_goes_in_or_is_named_with_a_reason(
    context: Context, part: str, name: str
) -> None:
    change: dict[str, Any] = {name: {"other": "than it was"}}
    read = READ._replace(**{part: replace(getattr(READ, part), **change)})
    is_other = _footing(context, read) != _footing(context)
    assert is_other is (name not in BESIDE)


def test_problems_and_creations_in_doubt_go_in(context: Context) -> None:
    problem = RenderedProblem(code="bad-link", where="Acme", message="cannot read")
    assert _footing(context, READ._replace(problems=(problem,))) != _footing(context)
    assert _footing(context, READ._replace(pending=True)) != _footing(context)
    named = {"bound", "boards", "tracker", "problems", "pending"}
    assert set(Read._fields) == named


def test_each_thing_a_cycle_works_with_goes_in_or_is_named_with_a_reason() -> None:
    assert {field.name for field in fields(Context)} == DECIDING | ASIDE.keys()


def test_other_settings_mappings_and_playbooks_go_in(context: Context) -> None:
    before = _footing(context)
    for name, value in {
        "time_zone": "Asia/Tokyo",
        "locale": "ru",
        "currency": "USD",
    }.items():
        settings = context.settings.model_copy(update={name: value})
        assert _footing(replace(context, settings=settings)) != before
    assert _footing(replace(context, fingerprint="other")) != before
    playbooks = other(context.playbooks, **_one_less(context.playbooks))
    assert _footing(replace(context, playbooks=playbooks)) != before


def _one_less(playbooks: Playbooks) -> dict[str, Any]:
    """Return one of the collections of the playbooks without its first member."""
    for name in playbooks.__struct_fields__:
        value = getattr(playbooks, name)
        if isinstance(value, tuple) and value:
            return {name: value[1:]}
        if isinstance(value, dict) and value:
            return {name: dict(list(value.items())[1:])}
    raise AssertionError("playbooks hold nothing")


def test_a_token_is_no_part_of_it_but_what_is_read_with_it(context: Context) -> None:
    renewed = replace(context, settings=_settings("another"))
    assert _footing(renewed) == _footing(context)


def test_the_date_that_turns_in_the_zone_of_the_workspace_goes_in(
    context: Context,
) -> None:
    assert _footing(context, now=NOW + timedelta(days=1)) != _footing(context)


MEMORIES: tuple[tuple[Setting[Any], Any], ...] = (
    (HELD, ("risks/one",)),
    (DOUBTS, {"page#due": "1"}),
    (FINGERPRINT, "other"),
    (MANAGED, {"risks": 3}),
    (GONE, ("page",)),
    (ADDRESS, ("https://studio.example", "https://seen.example")),
)


@pytest.mark.parametrize(("setting", "value"), MEMORIES, ids=lambda one: str(one)[:24])
def test_what_is_kept_of_earlier_runs_goes_in(
    context: Context, setting: Setting[Any], value: Any
) -> None:
    before = _footing(context)
    with context.transaction() as tx:
        setting.save(tx, value)
    assert _footing(context) != before


def test_a_change_of_the_snapshot_goes_in(context: Context) -> None:
    before = _footing(context)
    with context.transaction() as tx:
        snapshots.forget_pages(tx, ["page"])
    assert _footing(context) != before
