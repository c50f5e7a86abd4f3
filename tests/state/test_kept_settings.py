"""What the program remembers between cycles is typed, and what earlier versions left is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from worker.codecs.records import UnreadPage
from worker.cycle.context import FINGERPRINT, MANAGED
from worker.daemon.job_log import JobLog
from worker.domain.entities import JiraProject
from worker.errors import RenderedProblem, Severity
from worker.plan.refusals import Stray
from worker.ports.tracker import Unread
from worker.read.absent import GONE, LEFT
from worker.read.boards import UNREAD
from worker.read.lookup import LOOKUP, LinkedEpic, Lookup, Standing
from worker.read.missing_columns import Lost
from worker.read.schema import DRIFT, LOST, STALE
from worker.state.settings import Setting
from worker.state.store import Store, Tx, upsert
from worker.state.tables import settings
from worker.world.links import Link, LinkKind

THEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
KEPT: dict[str, tuple[Setting[Any], bytes, Any]] = {
    "pages found deleted": (GONE, b'["p1","p2"]', ("p1", "p2")),
    "rows moved elsewhere": (
        LEFT,
        b'[{"ref":"risks/r1","title":"Late","url":""}]',
        (Stray("risks/r1", "Late"),),
    ),
    "rows not read": (
        UNREAD,
        b'{"risks":[{"id":"p1","title":"","url":"","field":"name","said":"odd"}],'
        b'"tasks":[]}',
        {"risks": (UnreadPage("p1", field="name", said="odd"),), "tasks": ()},
    ),
    "columns that are gone": (
        LOST,
        b'{"risks":{"properties":{"score":"%3Aa"},"options":{"kind":{"team":'
        b'["o1","Team"]}},"values":{"p1":{"%3Aa":{"number":7}}}}}',
        {
            "risks": Lost(
                {"score": "%3Aa"},
                {"kind": {"team": ("o1", "Team")}},
                {"p1": {"%3Aa": {"number": 7}}},
            )
        },
    ),
    "what does not fit": (
        DRIFT,
        b'[{"code":"schema-source","where":"Risks","field":"","message":"gone",'
        b'"hint":"","url":"","severity":"warning"}]',
        (
            RenderedProblem(
                code="schema-source",
                where="Risks",
                message="gone",
                severity=Severity.WARNING,
            ),
        ),
    ),
    "a schema in doubt": (STALE, b"true", True),
    "what links came to": (
        LOOKUP,
        b'{"epics":{"A-1":["10","A"]},"filters":{"7":"x = 1"},"matched":{"x = 1":'
        b'["10"]},"projects":[["1","A","Acme"]],"scope":"s","unread":[{"kind":'
        b'"worklog","name":"9","issue":"10","field":"","said":"odd"}],"refused":'
        b'{"jql y":"no"},"standing":{"p1":{"link":{"kind":"jql","text":"x = 1"},'
        b'"condition":"x = 1","at":"2026-11-20T09:30:00Z"}},"read":'
        b'"2026-11-20T09:30:00Z","quiet":""}',
        Lookup(
            {"A-1": LinkedEpic("10", "A")},
            {"7": "x = 1"},
            {"x = 1": ["10"]},
            [JiraProject("1", "A", "Acme")],
            [Unread("worklog", "9", "10", "", "odd")],
            {"jql y": "no"},
            {"p1": Standing(Link(LinkKind.JQL, "x = 1"), "x = 1", THEN)},
            THEN,
        ),
    ),
    "links before any was refused": (
        LOOKUP,
        b'{"epics":{},"filters":{},"matched":{},"projects":[],"scope":"s"}',
        Lookup(),
    ),
    "the mapping": (FINGERPRINT, b'"a1b2"', "a1b2"),
    "counts of rows": (MANAGED, b'{"risks":20}', {"risks": 20}),
}
"""Each kind of value as earlier versions wrote it, and what it means."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


def _put(tx: Tx, name: str, body: bytes) -> None:
    upsert(tx, settings, [{"key": name, "body": body}])


@pytest.mark.parametrize("kind", KEPT)
def test_what_an_earlier_version_kept_is_read(store: Store, kind: str) -> None:
    setting, body, value = KEPT[kind]
    with store.transaction("studio") as tx:
        _put(tx, setting.name, body)
        assert setting.load(tx) == value


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_kept_comes_back_as_it_was(store: Store, kind: str) -> None:
    setting, _, value = KEPT[kind]
    with store.transaction("studio") as tx:
        setting.save(tx, value)
    with store.reading("studio") as tx:
        assert setting.load(tx) == value
    with store.reading("other") as tx:
        assert setting.load(tx) == setting.empty()


@pytest.mark.parametrize("kind", KEPT)
def test_what_was_never_kept_is_empty_and_nobodys_else(store: Store, kind: str) -> None:
    setting = KEPT[kind][0]
    with store.reading("studio") as tx:
        first, second = setting.load(tx), setting.load(tx)
    assert not first or first == Lookup()
    if isinstance(first, dict | Lookup):
        assert first is not second


@pytest.mark.parametrize(
    ("setting", "body"),
    [(GONE, b'{"p1":1}'), (MANAGED, b'["risks"]'), (FINGERPRINT, b"[7]")],
    ids=lambda given: given.name if isinstance(given, Setting) else None,
)
def test_what_is_of_another_type_is_not_taken_for_a_value(
    store: Store, setting: Setting[Any], body: bytes
) -> None:
    with store.transaction("studio") as tx:
        _put(tx, setting.name, body)
        with pytest.raises(msgspec.ValidationError):
            setting.load(tx)


def test_the_day_a_job_was_last_done_is_read_as_it_was_kept(store: Store) -> None:
    log = JobLog(store, "studio")
    assert log.last_date("monday") is None
    with store.transaction("studio") as tx:
        _put(tx, "date.monday", b'"2026-11-23"')
    assert log.last_date("monday") == date(2026, 11, 23)
    log.mark_date("monday", date(2026, 11, 30))
    assert log.last_date("monday") == date(2026, 11, 30)
    assert log.last_date("evening") is None
