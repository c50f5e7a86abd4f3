"""Whole answers as Jira's own document describes them: a read gives what it can, and ends only as the gateway says it does."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jira_gateway_rig import Script, issue, make
from test_jira_gateway_malformed import CLOUD, NOW

from rayline_sandbox.wire import json_response
from tests.support.json_schemas import SPECS, Drawing, document
from worker.errors import RaylineError
from worker.jira.gateway import JiraGateway

pytestmark = pytest.mark.skipif(
    not SPECS.exists(), reason="../shared/specs is not there"
)
MOMENTS = ("2026-11-19T10:00:00.000+0000", "2026-11-19T20:00:00.000-0500")
STAMPS = ("created", "updated", "started", "serverTime")
NAMED: dict[str, Callable[[Random], Any]] = {
    "fields": lambda chance: issue(1)["fields"] if chance.random() < 0.5 else {}
} | {name: lambda chance: chance.choice(MOMENTS) for name in STAMPS}

Read = Callable[[JiraGateway], Any]
READS: dict[str, tuple[str, Read]] = {
    "POST search/jql": (
        "SearchAndReconcileResults",
        lambda one: one.issues("project = ACME"),
    ),
    "POST issue/bulkfetch": ("BulkIssueResults", lambda one: one.by_keys(["ACME-1"])),
    "POST changelog/bulkfetch": (
        "BulkChangelogResponseBean",
        lambda one: one.moves(["10001"]),
    ),
    "POST worklog/list": ("[Worklog]", lambda one: one.worklogs(5, now=NOW)),
    "GET worklog/updated": ("ChangedWorklogs", lambda one: one.worklogs(5, now=NOW)),
    "GET worklog/deleted": ("ChangedWorklogs", lambda one: one.worklogs(5, now=NOW)),
    "GET project/search": ("PageBeanProject", lambda one: one.projects()),
    "GET status": ("[StatusDetails]", lambda one: one.moves(["10001"])),
    "GET field": ("[FieldDetails]", lambda one: one.issues("project = ACME")),
    "GET myself": ("User", lambda one: one.server_info()),
    "GET serverInfo": ("ServerInformation", lambda one: one.server_info()),
    "POST jql/parse": (
        "ParsedJqlQueries",
        lambda one: one.validate(["project = ACME"]),
    ),
}


def drawing(kind: str, chance: Random) -> Any:
    """Return an answer of a kind of Jira's document; `[kind]` is a list of them."""
    known = document("jira-cloud-v3.json")
    schema: Any = {"$ref": f"#/components/schemas/{kind.strip('[]')}"}
    if kind.startswith("["):
        schema = {"type": "array", "items": schema}
    return Drawing(known, chance, NAMED).draw(schema)


@pytest.mark.parametrize("endpoint", sorted(READS))
def test_every_answer_that_the_document_allows_is_read_or_refused_in_words(
    endpoint: str,
) -> None:
    kind, ask = READS[endpoint]
    sound = {name: json_response(200, answer) for name, answer in CLOUD.items()}

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(st.randoms(use_true_random=False))
    def is_read_or_refused(chance: Random) -> None:
        drawn = json_response(200, drawing(kind, chance))
        ended = outcome(ask, make(Script({**sound, endpoint: drawn})))
        assert ended

    is_read_or_refused()


def outcome(ask: Read, gateway: JiraGateway) -> str:
    """Return how a read ended: only an error of our own may end it, and it says why."""
    try:
        return type(ask(gateway)).__name__
    except RaylineError as error:
        return str(error)
