"""Events of the services: whom they are believed to be of, what they wake, and that nothing else of them counts."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace as renew  # noqa: TID251 - a site is no struct
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.stages import Play, small_play
from worker.app.hearing import STATUS, Answer, hear
from worker.config import Webhooks
from worker.errors import QueueFull
from worker.http.webhooks import (
    LARGEST,
    Event,
    Malformed,
    Service,
    read_button,
    read_jira,
    read_notion,
    verify_jira,
    verify_notion,
    verify_shared,
)
from worker.site import Site
from worker.state import triggers
from worker.state.triggers import Source, Trigger

SECRET = "It's a Secret to Everybody"
VECTOR = b"Hello World!"
SIGNED = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
"""The pair that Jira's documentation gives as an example."""


def sign(raw: bytes, secret: str = SECRET, method: str = "sha256") -> str:
    digest = hmac.new(secret.encode(), raw, getattr(hashlib, method)).hexdigest()
    return f"{method}={digest}"


def test_the_example_of_the_documentation_is_signed_as_jira_signs() -> None:
    assert sign(VECTOR) == SIGNED
    assert verify_jira(VECTOR, SIGNED, SECRET)


@pytest.mark.parametrize("verify", [verify_notion, verify_jira])
@pytest.mark.parametrize(
    ("raw", "signature", "secret"),
    [
        (VECTOR + b" ", SIGNED, SECRET),
        (VECTOR, SIGNED[:-1] + "0", SECRET),
        (VECTOR, SIGNED, "another"),
        (VECTOR, SIGNED, ""),
        (VECTOR, sign(VECTOR, ""), ""),
        (VECTOR, "", SECRET),
        (VECTOR, SIGNED.removeprefix("sha256="), SECRET),
        (VECTOR, "sha256=", SECRET),
        (VECTOR, "sha256=ключ", SECRET),
        (VECTOR, sign(VECTOR, method="md5"), SECRET),
        (VECTOR, sign(VECTOR, method="sha1"), SECRET),
        (VECTOR, "new=" + "0" * 64, SECRET),
        (VECTOR, "__class__=0", SECRET),
    ],
)
def test_what_is_not_signed_with_the_secret_is_not_believed(
    verify: Any, raw: bytes, signature: str, secret: str
) -> None:
    assert not verify(raw, signature, secret)


def test_jira_may_sign_in_a_stronger_way_and_notion_signs_in_one() -> None:
    stronger = sign(VECTOR, method="sha512")
    assert verify_jira(VECTOR, stronger, SECRET)
    assert not verify_notion(VECTOR, stronger, SECRET)
    assert verify_notion(VECTOR, SIGNED.upper().replace("SHA", "sha"), SECRET)


@pytest.mark.parametrize(
    ("given", "secret", "same"),
    [
        ("a", "a", True),
        ("", "", False),
        ("a", "", False),
        ("a", "ab", False),
        ("ж", "a", False),
    ],
)
def test_a_shared_secret_is_compared_whole_and_nothing_is_none(
    given: str, secret: str, *, same: bool
) -> None:
    assert verify_shared(given, secret) is same


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"{",
        b"\xff",
        b'{"type": 3, "data": 3}',
        b"[" * 100_000,
        b" " * (LARGEST + 1),
    ],
)
def test_a_body_that_is_no_event_is_malformed(raw: bytes) -> None:
    for read in (read_notion, read_button, lambda body: read_jira(body, {})):
        with pytest.raises(Malformed):
            read(raw)


def test_an_event_is_told_from_its_echo() -> None:
    body = {
        "id": "e1",
        "type": "page.created",
        "authors": [{"id": "me"}],
        "entity": {"id": "p", "type": "page"},
        "news": 1,
    }
    raw = json.dumps(body).encode()
    assert read_notion(raw) == Event("e1", "page.created", "p")
    mine = {"me", "me before"}
    assert read_notion(raw, own=mine) == Event("e1", "page.created", "p", own=True)
    for authors, own in (
        (["me", "ann"], False),
        (["me before", "me"], True),
        (["ann"], False),
        ([""], False),
        ([], False),
    ):
        several = body | {"authors": [{"id": author} for author in authors]}
        event = read_notion(json.dumps(several).encode(), own=mine)
        assert event == Event("e1", "page.created", "p", own=own)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("heard")) as found:
        found.sync()
        yield found


@pytest.fixture
def site(play: Play, tmp_path: Path) -> Site:
    for name in ("jira", "button"):
        (tmp_path / name).write_text(SECRET + "\n")
        (tmp_path / name).chmod(0o600)
    hooks = Webhooks(
        notion_token_file=tmp_path / "notion",
        jira_secret_file=tmp_path / "jira",
        button_secret_file=tmp_path / "button",
    )
    settings = play.stage.context.settings.model_copy(update={"webhooks": hooks})
    answer_all(play)
    return renew(play.stage.context, settings=settings)


def waiting(site: Site) -> tuple[Trigger, ...]:
    with site.reading() as tx:
        return triggers.pending(tx)


def answer_all(play: Play) -> None:
    with play.stage.store.transaction("studio") as tx:
        triggers.take(tx, 999)
        triggers.take(tx, 999, triggers.Order(full=True))


def notion_event(number: int) -> bytes:
    return json.dumps({"id": f"n{number}", "type": "page.created"}).encode()


def jira(site: Site, raw: bytes, number: object, **headers: str) -> Answer:
    named = {
        "x-hub-signature": sign(raw),
        "x-atlassian-webhook-identifier": str(number),
    }
    return hear(site, Service.JIRA, raw, {**named, **headers})


ISSUE = b'{"webhookEvent": "jira:issue_updated", "issue": {"key": "ACME-1"}}'


def test_a_signed_event_wakes_a_cycle_and_its_retries_and_a_storm_wake_no_more(
    site: Site, play: Play
) -> None:
    assert jira(site, ISSUE, "a") is Answer.WOKEN
    assert [jira(site, ISSUE, "a") for _ in range(3)] == [Answer.KNOWN] * 3
    for number in range(200):
        assert jira(site, ISSUE, number) is Answer.WOKEN
    (request,) = waiting(site)
    assert (request.order, request.asker.source) == (triggers.Order(), Source.WEBHOOK)
    answer_all(play)
    assert jira(site, ISSUE, "a") is Answer.KNOWN
    assert waiting(site) == ()
    assert jira(site, ISSUE, "b") is Answer.WOKEN
    assert len(waiting(site)) == 1


def test_an_event_that_could_not_be_taken_is_heard_when_it_comes_again(
    site: Site,
) -> None:
    others = [triggers.Order(f"client {at}") for at in range(triggers.MOST_WAITING)]
    with site.transaction() as tx:
        for order in others:
            triggers.ask(tx, order, now=site.now())
    for _ in range(2):
        with pytest.raises(QueueFull):
            jira(site, ISSUE, "again")

    with site.transaction() as tx:
        for order in others:
            triggers.take(tx, 999, order)
    assert jira(site, ISSUE, "again") is Answer.WOKEN
    assert [request.asker.source for request in waiting(site)] == [Source.WEBHOOK]
    assert jira(site, ISSUE, "again") is Answer.KNOWN


@pytest.mark.parametrize(
    ("service", "header"),
    [
        (Service.JIRA, "x-hub-signature"),
        (Service.BUTTON, "x-rayline-secret"),
        (Service.NOTION, "x-notion-signature"),
    ],
)
@pytest.mark.parametrize("value", ["", "sha256=0", SECRET[:-1], SIGNED])
def test_what_is_forged_wakes_nobody(
    site: Site, service: Service, header: str, value: str
) -> None:
    if service is Service.NOTION:
        hear(site, service, b'{"verification_token": "secret_1"}', {})
    with capture_logs() as logged:
        answer = hear(site, service, ISSUE, {header: value})
    assert (answer, STATUS[answer]) == (Answer.UNPROVEN, 401)
    assert waiting(site) == ()
    assert SECRET not in str(logged)


def test_notions_handshake_is_kept_once_closed_to_others_and_never_logged(
    site: Site,
) -> None:
    file = site.settings.webhooks.notion_token_file
    assert file is not None
    event = notion_event(1)
    assert hear(site, Service.NOTION, event, {}) is Answer.UNPROVEN
    with capture_logs() as logged:
        first = b'{"verification_token": "secret_first"}'
        assert hear(site, Service.NOTION, first, {}) is Answer.KEPT
        second = b'{"verification_token": "secret_second"}'
        assert hear(site, Service.NOTION, second, {}) is Answer.UNPROVEN
    assert file.read_text() == "secret_first\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "secret_" not in str(logged)
    for token, answer in (
        ("secret_second", Answer.UNPROVEN),
        ("secret_first", Answer.WOKEN),
    ):
        headers = {"x-notion-signature": sign(event, token)}
        assert hear(site, Service.NOTION, event, headers) is answer
    assert len(waiting(site)) == 1


def test_a_button_on_a_clients_row_asks_for_that_client_and_elsewhere_for_all(
    site: Site, play: Play
) -> None:
    page = play.page("clients", 0)
    for body, scope in (
        ({"data": {"id": page, "name": "whatever"}}, "Acme Bank"),
        ({"data": {"id": page.replace("-", "")}}, "Acme Bank"),
        ({"data": {"id": "0" * 32}}, ""),
        ({}, ""),
    ):
        answer_all(play)
        raw = json.dumps(body).encode()
        assert (
            hear(site, Service.BUTTON, raw, {"x-rayline-secret": SECRET})
            is Answer.WOKEN
        )
        assert [request.order.scope for request in waiting(site)] == [scope]


def test_nobody_is_heard_without_a_secret_or_with_one_that_others_can_read(
    site: Site, play: Play
) -> None:
    for service in Service:
        assert hear(play.stage.context, service, ISSUE, {}) is Answer.NOT_SET_UP
    file = site.settings.webhooks.jira_secret_file
    assert file is not None
    file.chmod(0o644)
    assert jira(site, ISSUE, "c") is Answer.UNPROVEN


def test_a_secret_that_cannot_be_read_is_said_with_its_file_and_the_reason(
    site: Site, tmp_path: Path
) -> None:
    jira_file, button_file = tmp_path / "jira", tmp_path / "button"
    jira_file.unlink()
    jira_file.mkdir(mode=0o700)
    button_file.unlink()
    with capture_logs() as logged:
        assert jira(site, ISSUE, "d") is Answer.UNPROVEN
        assert hear(site, Service.BUTTON, b"{}", {}) is Answer.UNPROVEN
    told = [(one["event"], one.get("file"), one.get("error")) for one in logged]
    for file, reason in (
        (jira_file, "Is a directory"),
        (button_file, "No such file or directory"),
    ):
        assert ("webhook.secret_unread", str(file), reason) in told


def test_a_handshake_that_cannot_be_kept_is_said_without_its_token(
    site: Site, tmp_path: Path
) -> None:
    nowhere = tmp_path / "missing" / "notion"
    hooks = site.settings.webhooks.model_copy(update={"notion_token_file": nowhere})
    settings = site.settings.model_copy(update={"webhooks": hooks})
    lost = renew(site, settings=settings)
    first = b'{"verification_token": "secret_first"}'
    with capture_logs() as logged:
        assert hear(lost, Service.NOTION, first, {}) is Answer.UNPROVEN
    (line,) = logged
    assert (line["event"], line["file"]) == ("webhook.handshake_lost", str(nowhere))
    assert "secret_first" not in str(logged)


def test_a_signed_body_that_is_no_event_is_malformed_and_wakes_nobody(
    site: Site,
) -> None:
    for raw in (b"", b"[]", b"{}", b'{"webhookEvent": 7}'):
        assert jira(site, raw, "m") is Answer.MALFORMED
    assert waiting(site) == ()


def by(author: str, number: object) -> bytes:
    body = {
        "id": f"by-{number}",
        "type": "page.created",
        "authors": [{"id": author, "type": "bot"}],
    }
    return json.dumps(body).encode()


def test_what_we_did_ourselves_wakes_nobody_once_our_rows_were_read(
    site: Site, play: Play, tmp_path: Path
) -> None:
    (tmp_path / "notion").write_text(SECRET)
    (tmp_path / "notion").chmod(0o600)

    def heard(author: str, number: object) -> Answer:
        raw = by(author, number)
        return hear(site, Service.NOTION, raw, {"x-notion-signature": sign(raw)})

    play.sync()
    reads, before = play.mark(), waiting(site)
    assert heard(play.bot_id, "echo") is Answer.OWN
    assert waiting(site) == before
    assert play.reads(reads) == []
    assert heard(play.stage.notion.owner_id, "person") is Answer.WOKEN


def test_an_old_event_that_was_never_heard_is_late_and_not_lost(site: Site) -> None:
    raw = b'{"webhookEvent": "jira:issue_updated", "timestamp": 86400000}'
    assert jira(site, raw, "late") is Answer.WOKEN
    assert jira(site, raw, "late") is Answer.KNOWN
