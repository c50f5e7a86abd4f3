"""Events of Notion and Jira over a real socket: a proven one wakes a look, any other changes nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace as renew  # noqa: TID251 - a stage is no struct

import pytest

from tests.support.console import Console, served
from tests.support.stages import Play, small_play
from worker.config import Webhooks
from worker.http.webhooks import LARGEST
from worker.state import triggers
from worker.state.triggers import Source

SECRET = "a-secret-of-the-tests"
BODY = json.dumps(
    {
        "webhookEvent": "jira:issue_updated",
        "timestamp": 1,
        "issue": {"key": "ACME-5", "fields": {"project": {"key": "ACME"}}},
    }
).encode()


DEEP = b'{"webhookEvent":' + b"[" * 50_000
HUGE = b" " * (LARGEST + 1)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("hooks")
    file = folder / "jira-secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    with small_play(folder) as play:
        hooks = Webhooks(jira_secret_file=file, button_secret_file=file)
        settings = play.stage.context.settings.model_copy(update={"webhooks": hooks})
        context = renew(play.stage.context, settings=settings)
        yield renew(play, stage=renew(play.stage, context=context))


@pytest.fixture(scope="module")
def console(play: Play) -> Iterator[Console]:
    with served(play) as console:
        yield console


def waiting(play: Play) -> list[Source]:
    with play.stage.store.reading("studio") as tx:
        return [
            asker.source
            for asked in triggers.pending(tx)
            for asker in (asked.asker, *asked.also)
        ]


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature": f"sha256={digest}"}


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("jira/studio", {}, BODY, 401),
        ("jira/studio", signed(BODY, "another secret"), BODY, 401),
        ("jira/studio", signed(BODY), BODY + b" ", 401),
        ("jira/studio", signed(b"{"), b"{", 400),
        ("jira/other", signed(BODY), BODY, 404),
        ("notion/studio", signed(BODY), BODY, 404),
        ("trello/studio", signed(BODY), BODY, 422),
        ("notion-button/studio", {"x-rayline-secret": "wrong"}, b"{}", 401),
        ("notion-button/studio", {}, b"{}", 401),
        ("jira/studio", {"x-hub-signature": "sha1=" + "0" * 40}, BODY, 401),
        ("jira/studio", {"x-hub-signature": "sha256="}, BODY, 401),
        ("jira/studio", signed(b"not JSON"), b"not JSON", 400),
        ("jira/studio", signed(b"\xff\xfe"), b"\xff\xfe", 400),
        ("jira/studio", signed(b"[]"), b"[]", 400),
        ("jira/studio", signed(b"{}"), b"{}", 400),
        ("jira/studio", signed(b""), b"", 400),
        ("jira/studio", signed(DEEP), DEEP, 400),
        ("jira/studio", signed(HUGE), HUGE, 413),
        ("jira/studio", {}, HUGE, 413),
        ("jira/..%2fstudio", signed(BODY), BODY, 404),
        ("jira/studio", signed(BODY) | {"origin": "https://evil.example"}, BODY, 403),
    ],
)
def test_what_is_not_proven_wakes_nobody(
    console: Console,
    play: Play,
    path: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
) -> None:
    before = waiting(play)
    answer = console.client().post(f"/hooks/{path}", content=body, headers=headers)
    assert answer.status_code == status
    assert waiting(play) == before
    assert console.client().get("/hooks/jira/studio").status_code == 405


def test_a_proven_event_wakes_one_look_however_often_it_comes(
    console: Console, play: Play
) -> None:
    headers = signed(BODY) | {"x-atlassian-webhook-identifier": "event-1"}
    statuses = [
        console.client()
        .post("/hooks/jira/studio", content=BODY, headers=headers)
        .status_code
        for _ in range(3)
    ]
    assert statuses == [202, 200, 200]
    assert waiting(play).count(Source.WEBHOOK) == 1


def test_an_event_of_an_issue_with_much_to_say_is_heard(
    console: Console, play: Play
) -> None:
    issue = {"key": "ACME-5", "fields": {"description": "x" * 600_000}}
    body = json.dumps({"webhookEvent": "jira:issue_updated", "issue": issue}).encode()
    headers = signed(body) | {"x-atlassian-webhook-identifier": "long"}
    answer = console.client().post("/hooks/jira/studio", content=body, headers=headers)
    assert answer.status_code == 202
    assert Source.WEBHOOK in waiting(play)


def test_an_old_event_that_comes_for_the_first_time_is_heard_and_a_replay_is_known(
    console: Console,
) -> None:
    old = json.dumps({"webhookEvent": "worklog_created", "timestamp": 1}).encode()
    headers = signed(old) | {"x-atlassian-webhook-identifier": "old"}
    statuses = [
        console.client()
        .post("/hooks/jira/studio", content=old, headers=headers)
        .status_code
        for _ in range(2)
    ]
    assert statuses == [202, 200]


def test_a_button_that_shows_its_secret_wakes_a_look(
    console: Console, play: Play
) -> None:
    headers = {"x-rayline-secret": SECRET}
    body = json.dumps({"data": {"id": play.page("clients", 0)}}).encode()
    answer = console.client().post(
        "/hooks/notion-button/studio", content=body, headers=headers
    )
    assert answer.status_code == 202
    assert Source.BUTTON in waiting(play)
