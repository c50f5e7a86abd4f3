"""What is refused before anything looks at it: how it is told, and to whom it does not happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.console import PEOPLE, TOKENS, Console, served
from tests.support.stages import Play, small_play
from worker.config import ConsoleSettings
from worker.domain.messages import Text
from worker.web.access import HELD_BACK, Attempts
from worker.web.guard import HOLD, MOST_BODY, App, Guard, Message, Receive, Send

RUSSIAN = {"accept-language": "ru-RU,ru;q=0.9,en;q=0.8"}
PROXY = ConsoleSettings(people=PEOPLE, proxies=("127.0.0.1",))


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("guard")) as play:
        yield play


@pytest.fixture(scope="module")
def console(play: Play) -> Iterator[Console]:
    with served(play) as console:
        yield console


REFUSED: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "host": (
        {"method": "GET", "headers": {"host": "evil.example"}},
        421,
        "is not served under that name",
        "под этим именем",
    ),
    "no host": (
        {"method": "GET", "headers": {"host": "[::1"}},
        400,
        "must name one host",
        "ровно один узел",
    ),
    "size": (
        {"method": "POST", "content": b"x" * (MOST_BODY + 1)},
        413,
        "is larger than",
        "больше",
    ),
    "site": (
        {"method": "POST", "headers": {"origin": "https://evil.example"}},
        403,
        "from another site",
        "с другого сайта",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_a_page_in_the_visitors_language_and_json_for_programs(
    console: Console, case: str
) -> None:
    request, status, english, russian = REFUSED[case]
    headers = request.get("headers", {})
    for asked, words in (({}, english), (RUSSIAN, russian)):
        given = {**request, "headers": {**headers, **asked}}
        page = console.client().request(url="/sign-in", **given)
        assert page.status_code == status
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert words in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]

        told = console.client().request(url="/api/v1/workspaces", **given)
        assert told.status_code == status
        assert words in told.json()["message"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("RU-ru", "ru"),
        ("de, ru;q=0.3", "ru"),
        ("en;q=0.4, ru;q=0.8", "ru"),
        ("ru;q=0.4, en;q=0.8", "en"),
        ("ru;q=0", "en"),
        ("ru;q=x", "en"),
        ("run, *", "en"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_likes_best(
    console: Console, header: str, language: str
) -> None:
    page = console.client(headers={"accept-language": header}).get("/sign-in")
    assert f'<html lang="{language}"' in page.text


@pytest.mark.parametrize(
    "name", ["rayline.example.com", "rayline.example.com:8443", "Rayline.Example.com:1"]
)
def test_a_name_counts_with_its_port_and_without(play: Play, name: str) -> None:
    settings = ConsoleSettings(people=PEOPLE, hosts=(name,))
    with served(play, settings) as console:
        for host in ("rayline.example.com", "rayline.example.com:8443"):
            answer = console.client(headers={"host": host}).get("/healthz")
            assert answer.status_code == 200
        other = console.client(headers={"host": "example.com"}).get("/healthz")
        assert other.status_code == 421


def test_wrong_tokens_from_everywhere_shut_nobody_out(play: Play) -> None:
    with served(play, PROXY, Attempts(of_one=8, of_all=3)) as console:

        def ask(token: str, number: int) -> int:
            headers = {
                "authorization": f"Bearer {token}",
                "x-forwarded-for": f"203.0.113.{number}",
            }
            client = console.client(headers=headers)
            return client.get("/api/v1/workspaces").status_code

        assert [ask("wrong", number) for number in range(5)] == [401] * 5
        assert ask(TOKENS["vera"], 77) == 200


def test_an_answer_is_held_back_as_long_as_the_door_says() -> None:
    waited: list[float] = []
    sent: list[Message] = []

    async def door(scope: Message, _receive: Receive, send: Send) -> None:
        scope["state"][HOLD] = HELD_BACK if scope["path"] == "/wrong" else 0.0
        start = {"type": "http.response.start", "status": 401, "headers": []}
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    def refuse(_scope: Message, _status: int, _reason: Text) -> App:
        raise AssertionError

    async def sleep(seconds: float) -> None:
        assert not sent
        waited.append(seconds)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    guard = Guard(door, refuse, {"localhost"}, sleep=sleep)
    for path in ("/wrong", "/right"):
        sent.clear()
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": [(b"host", b"localhost")],
        }
        asyncio.run(guard(scope, receive, send))
        assert len(sent) == 2
    assert waited == [HELD_BACK]


UNFIT = ["\x00", "a\x00b", "\x1b[31m", "\x7f", "\x85"]
FORMS = {
    "/w/studio/sync": {"scope": "?"},
    "/w/studio/apply": {"checksum": "?"},
    "/w/studio/snooze": {"problem": "?", "days": "1"},
    "/w/studio/pause": {"reason": "?"},
    "/sign-in": {"token": "?"},
    "/preferences": {"back": "?"},
}


@pytest.mark.parametrize("sign", UNFIT)
@pytest.mark.parametrize("path", FORMS)
def test_no_form_takes_signs_that_are_no_text(
    console: Console, path: str, sign: str
) -> None:
    client = console.signed_in()
    key = console.form_key(client)
    fields = {name: value.replace("?", sign) for name, value in FORMS[path].items()}
    answer = client.post(path, data={**fields, "form_key": key})
    assert answer.status_code == 422


@pytest.mark.parametrize("sign", UNFIT)
@pytest.mark.parametrize(
    "path",
    [
        "/w/?",
        "/w/studio/plans/?",
        "/w/studio/clients/?",
        "/sign-in?code=?",
        "/feed/?.ics",
        "/api/v1/workspaces/?/status",
    ],
)
def test_no_address_takes_signs_that_are_no_text(
    console: Console, path: str, sign: str
) -> None:
    head, mark, tail = path.partition("?") if "=?" not in path else (path[:-1], "?", "")
    address = f"{head}{quote(sign) if mark else ''}{tail}"
    client = console.signed_in()
    client.headers["authorization"] = f"Bearer {TOKENS['anna']}"
    assert client.get(address).status_code == 422


@pytest.mark.parametrize("sign", [*UNFIT, "\ud800"])
@pytest.mark.parametrize("field", ["scope", "else", "?"])
def test_no_document_takes_signs_that_are_no_text(
    console: Console, sign: str, field: str
) -> None:
    name = field.replace("?", f"x{sign}")
    client = console.program()
    answer = client.post(
        "/api/v1/workspaces/studio/sync",
        content=json.dumps({name: sign}),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json()["message"]
