"""The interface for programs: described, fuzzed by its description, and never more open than it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from tests.support.console import PEOPLE, TOKENS, Console, answering, served
from tests.support.stages import Play, small_play
from tests.support.waiting import LONG, wait_for
from worker.config import ConsoleSettings
from worker.web.access import Access, Attempts
from worker.web.desk import Desk
from worker.web.server import serve_console

DESCRIPTION = "/api/v1/openapi.json"
BASE = "/api/v1/workspaces"


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("api")) as play:
        play.sync()
        yield play


@pytest.fixture(scope="module")
def console(play: Play) -> Iterator[Console]:
    with served(play) as console:
        yield console


@pytest.fixture(scope="module")
def program(console: Console) -> httpx.Client:
    return console.program()


def test_who_asks_on_with_a_good_token_comes_in_as_soon_as_the_wait_is_over(
    play: Play,
) -> None:
    passed = [0.0]
    attempts = Attempts(of_one=3, span=60, now=lambda: passed[0])
    desk = Desk(
        lambda: {"studio": play.stage.context},
        ConsoleSettings(people=PEOPLE),
        Access(PEOPLE),
        attempts=attempts,
    )
    with (
        serve_console(desk, "127.0.0.1:0") as address,
        httpx.Client(base_url=address, timeout=LONG) as client,
    ):

        def ask(token: str, path: str = BASE) -> httpx.Response:
            return client.get(path, headers={"authorization": f"Bearer {token}"})

        assert [ask("wrong").status_code for _ in range(3)] == [401] * 3
        for path in (BASE, "/metrics", f"{BASE}/studio/status") * 2:
            refused = ask(TOKENS["vera"], path)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) > 0
            passed[0] += 9
        passed[0] = 61
        assert ask(TOKENS["vera"]).status_code == 200


def test_whatever_is_sent_is_answered_as_described(console: Console) -> None:
    schema = schemathesis.openapi.from_url(f"{console.address}{DESCRIPTION}")
    headers = {"authorization": f"Bearer {TOKENS['anna']}"}
    operations = list(schema.get_all_operations())
    assert len(operations) >= 9
    for result in operations:
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(max_examples=12, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def answers(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers=headers)

        answers()


@pytest.mark.parametrize(
    "path",
    [
        BASE,
        f"{BASE}/studio/status",
        f"{BASE}/studio/runs",
        f"{BASE}/studio/runs/1",
        f"{BASE}/studio/runs/1/plan",
        f"{BASE}/studio/problems",
        f"{BASE}/studio/clients",
    ],
)
def test_what_is_read_needs_a_token_and_a_cookie_is_none(
    console: Console, program: httpx.Client, path: str
) -> None:
    assert program.get(path).status_code == 200
    assert console.program("vera").get(path).status_code == 200
    for nobody in (
        console.client(),
        console.signed_in(),
        console.client(headers={"authorization": "Bearer wrong"}),
        console.client(headers={"authorization": f"Basic {TOKENS['anna']}"}),
        console.client(headers={"authorization": TOKENS["anna"]}),
    ):
        answer = nobody.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("studoi/status", "“studio”"),
        ("STUDIO/status", ""),
        ("studio/runs/77", "“77”"),
        ("studio/runs/77/plan", "“77”"),
        ("studio/triggers/7777", "“7777”"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest_name(
    program: httpx.Client, path: str, names: str
) -> None:
    answer = program.get(f"{BASE}/{path}")
    assert answer.status_code == 404
    assert names in answer.json()["message"]


def test_a_run_is_asked_for_and_followed_to_its_end(
    program: httpx.Client, play: Play
) -> None:
    asked = program.post(f"{BASE}/studio/sync", json={"scope": "acme bank"})
    assert asked.status_code == 202
    told = asked.json()
    assert (told["scope"], told["asked_by"], told["source"]) == (
        "Acme Bank",
        "anna",
        "api",
    )
    address = asked.headers["location"]
    assert program.get(address).json()["state"] == "waiting"
    with answering(play):
        wait_for(lambda: program.get(address).json()["state"] == "done", "the run")
    run_id = program.get(address).json()["run_id"]
    run = program.get(f"{BASE}/studio/runs/{run_id}").json()
    assert (run["status"], run["scope"]) == ("done", "Acme Bank")


def test_the_same_key_asks_once_and_is_no_good_for_something_else(
    program: httpx.Client, console: Console, play: Play
) -> None:
    key = {"idempotency-key": "order 17"}
    path = f"{BASE}/studio/sync"
    first = program.post(path, json={"full": True}, headers=key).json()
    with answering(play):
        wait_for(
            lambda: program.get(first["address"]).json()["state"] == "done", "the run"
        )
    again = program.post(path, json={"full": True}, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, first["id"])
    other = program.post(path, json={"full": False}, headers=key)
    assert other.status_code == 409
    afresh = program.post(path, json={"full": True})
    assert afresh.json()["id"] != first["id"]


def test_a_client_that_is_not_there_is_refused_with_the_nearest(
    program: httpx.Client,
) -> None:
    answer = program.post(f"{BASE}/studio/sync", json={"scope": "Acme Bnak"})
    assert answer.status_code == 404
    assert "Acme Bank" in answer.json()["message"]


def test_a_viewers_token_asks_for_nothing(console: Console) -> None:
    answer = console.program("vera").post(f"{BASE}/studio/sync", json={})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"full": "yes"}', b'{"unknown": 1}', b'{"scope": 5}', b"\xff"],
)
def test_an_order_that_cannot_be_read_asks_for_nothing(
    program: httpx.Client, play: Play, body: bytes
) -> None:
    answer = program.post(
        f"{BASE}/studio/sync",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error", "message"}


def test_a_plan_for_programs_hides_private_rows(program: httpx.Client) -> None:
    plan = program.get(f"{BASE}/studio/runs/1/plan").json()
    assert plan["workspace"] == "studio"
    assert plan["changes"]
