"""The listeners on real sockets: requests arrive whole, faults happen on the connection, stopping is quick."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from notion_client import Client

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import (
    BODY_LIMIT,
    Listener,
    Running,
    _send_dripping,
    is_loopback,
    serve,
)
from rayline_sandbox.wire import Clock, Handler, Request, Response, json_response
from tests.support.waiting import LONG

BODY = b'{"object":"list","results":[1,2,3,4,5,6,7,8]}'


@contextmanager
def listening(handler: Handler, greeting: str = "") -> Iterator[Listener]:
    listener = Listener(
        handler, name="test", host="127.0.0.1", port=0, greeting=greeting
    )
    listener.start()
    try:
        yield listener
    finally:
        listener.ask_to_stop()
        listener.join()


def faulty(fault: str, delay: float = 0.0) -> Handler:
    return lambda _: Response(
        200, {"content-type": "application/json"}, BODY, fault, delay
    )


def echo(request: Request) -> Response:
    return json_response(
        200,
        {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": dict(request.headers),
            "body": request.body.decode(),
        },
    )


def raw_exchange(url: str) -> bytes:
    """Return all bytes a server sends for one GET, until it closes or resets."""
    host, port = url.removeprefix("http://").split(":")
    with closing(
        socket.create_connection((host, int(port)), timeout=LONG)
    ) as connection:
        connection.sendall(b"GET /x HTTP/1.1\r\nHost: test\r\n\r\n")
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


@pytest.fixture
def running() -> Iterator[Running]:
    clock = Clock(datetime(2026, 11, 20, 9, tzinfo=UTC))
    with serve(NotionSandbox(clock), JiraSandbox(clock), control=True) as server:
        yield server


def test_a_request_reaches_the_handler_as_it_was_sent() -> None:
    with listening(echo) as listener:
        answer = httpx.patch(
            f"{listener.url}/v1/pages/a/properties/%3FB%3AW?p=1&p=%D1%8F&empty=",
            content=b"body",
            headers={"X-Mixed-Case": "Yes"},
        ).json()
    assert answer["method"] == "PATCH"
    assert answer["path"] == "/v1/pages/a/properties/%3FB%3AW"
    assert answer["query"] == [["p", "1"], ["p", "я"], ["empty", ""]]
    assert answer["headers"]["x-mixed-case"] == "Yes"
    assert answer["body"] == "body"


def test_connections_are_kept_alive_between_requests() -> None:
    with listening(echo) as listener, httpx.Client() as client:
        streams = {
            id(client.get(listener.url + "/a").extensions["network_stream"])
            for _ in range(3)
        }
    assert len(streams) == 1


def test_requests_are_answered_side_by_side() -> None:
    together = threading.Barrier(4, timeout=LONG)

    def meet(_: Request) -> Response:
        together.wait()
        return Response(200, {}, b"met")

    with listening(meet) as listener:
        answers: list[str] = []
        clients = [
            threading.Thread(
                target=lambda: answers.append(httpx.get(f"{listener.url}/x").text)
            )
            for _ in range(4)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert answers == ["met"] * 4


def test_a_browser_at_the_root_is_told_what_this_is() -> None:
    with listening(echo, greeting="a Notion API\n") as listener:
        assert httpx.get(listener.url).text == "a Notion API\n"
        assert httpx.get(listener.url + "/v1").json()["path"] == "/v1"


def test_reset_breaks_the_connection_with_rst() -> None:
    with listening(faulty("reset")) as listener, pytest.raises(ConnectionResetError):
        raw_exchange(listener.url)


def test_truncate_promises_more_bytes_than_it_sends() -> None:
    with listening(faulty("truncate")) as listener:
        head, _, body = raw_exchange(listener.url).partition(b"\r\n\r\n")
        assert f"content-length: {len(BODY)}".encode() in head.lower()
        assert body == BODY[: len(BODY) // 2]
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(listener.url + "/x")


def test_hang_answers_nothing_until_the_client_leaves() -> None:
    with listening(faulty("hang")) as listener:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(listener.url + "/x", timeout=0.2)
        with listening(faulty("")) as other:
            assert httpx.get(other.url + "/x").content == BODY


def test_drip_sends_a_whole_body_byte_by_byte_with_a_pause_after_each() -> None:
    with listening(lambda _: Response(200, {}, BODY[:16], "drip")) as listener:
        assert httpx.get(listener.url + "/x", timeout=LONG).content == BODY[:16]

    steps: list[bytes | str] = []

    async def receive() -> dict[str, Any]:
        steps.append("pause")
        await asyncio.Event().wait()
        raise AssertionError("nobody leaves")

    async def send(message: Any) -> None:
        steps.append(message.get("body", b""))

    asyncio.run(_send_dripping(Response(200, {}, b"abc", "drip"), receive, send))
    assert steps == [b"", b"a", "pause", b"b", "pause", b"c"]


def test_a_delay_holds_the_answer_back_and_nobody_elses() -> None:
    def hold_back(request: Request) -> Response:
        return Response(200, {}, BODY, "", LONG if request.path == "/slow" else 0.01)

    with listening(hold_back) as listener:
        host, port = listener.url.removeprefix("http://").split(":")
        with closing(socket.create_connection((host, int(port)), timeout=LONG)) as slow:
            slow.sendall(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
            for _ in range(20):
                assert httpx.get(listener.url + "/x", timeout=LONG).content == BODY
            slow.setblocking(False)
            with pytest.raises(BlockingIOError):
                slow.recv(1)


def test_other_clients_are_served_while_one_hangs() -> None:
    def first_hangs(request: Request) -> Response:
        return Response(200, {}, BODY, "hang" if request.path == "/hang" else "")

    with listening(first_hangs) as listener:
        host, port = listener.url.removeprefix("http://").split(":")
        with closing(socket.create_connection((host, int(port)), timeout=LONG)) as hung:
            hung.sendall(b"GET /hang HTTP/1.1\r\nHost: test\r\n\r\n")
            assert [httpx.get(listener.url + "/ok").content for _ in range(20)] == [
                BODY
            ] * 20
            listener.ask_to_stop()
            with pytest.raises(ConnectionResetError):
                hung.recv(10)


def test_an_oversized_request_is_refused_before_the_handler_sees_it() -> None:
    seen: list[int] = []

    def count(request: Request) -> Response:
        seen.append(len(request.body))
        return Response(200)

    with listening(count) as listener:
        assert (
            httpx.post(listener.url + "/x", content=b"x" * (BODY_LIMIT + 1)).status_code
            == 413
        )
    assert seen == []


def test_answers_without_a_body_carry_no_length() -> None:
    with listening(lambda _: Response(204, {}, b"")) as listener:
        answer = httpx.delete(listener.url + "/x")
    assert (answer.status_code, answer.headers.get("content-length")) == (204, None)


@pytest.mark.parametrize(
    ("host", "mine"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("127.8.8.8", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("example.com", False),
    ],
)
def test_only_this_machine_counts_as_loopback(host: str, mine: bool) -> None:
    assert is_loopback(host) is mine


def test_a_host_others_can_reach_is_refused_unless_asked() -> None:
    clock = Clock(datetime(2026, 11, 20, tzinfo=UTC))
    with pytest.raises(ValueError, match="loopback"):
        serve(NotionSandbox(clock), JiraSandbox(clock), host="0.0.0.0")
    serve(
        NotionSandbox(clock), JiraSandbox(clock), host="0.0.0.0", allow_remote=True
    ).stop()


def test_the_description_has_exactly_the_published_shape(running: Running) -> None:
    description: dict[str, Any] = running.describe()
    assert {
        key: sorted(value) if isinstance(value, dict) else type(value)
        for key, value in description.items()
    } == {
        "notion": ["base_url", "root_page_id", "token"],
        "jira": ["base_url", "email", "token"],
        "boards_url": str,
        "control_url": str,
    }


def test_the_published_notion_client_works_against_the_described_address(
    running: Running,
) -> None:
    notion = running.describe()["notion"]
    client = Client(
        auth=notion["token"], base_url=notion["base_url"], notion_version="2026-03-11"
    )
    made: Any = client.pages.create(
        parent={"page_id": notion["root_page_id"]},
        properties={"title": [{"type": "text", "text": {"content": "Привет"}}]},
    )
    read: Any = client.pages.retrieve(page_id=made["id"])
    assert read["properties"]["title"]["title"][0]["plain_text"] == "Привет"


def test_stopping_waits_for_no_client_that_stays_and_frees_the_ports() -> None:
    clock = Clock(datetime(2026, 11, 20, tzinfo=UTC))
    server = serve(NotionSandbox(clock), JiraSandbox(clock))
    port = int(server.notion_url.rpartition(":")[2])
    idle = httpx.Client()
    idle.get(server.notion_url)
    server.stop()
    server.stop()
    assert server.wait(0)
    with socket.create_server(("127.0.0.1", port)):
        idle.close()


def test_without_control_there_is_no_control_address() -> None:
    clock = Clock(datetime(2026, 11, 20, tzinfo=UTC))
    with serve(NotionSandbox(clock), JiraSandbox(clock)) as server:
        assert server.describe()["control_url"] is None
        answer = httpx.post(f"{server.boards_url}/_sandbox/counts", json={})
        assert answer.status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", ""])
def test_no_listener_answers_to_a_foreign_name_pointed_at_this_machine(
    running: Running, host: str
) -> None:
    notion = {"authorization": f"Bearer {running.notion.token}"}
    jira = httpx.BasicAuth(running.jira.email, running.jira.token)
    for url, auth in (
        (f"{running.notion_url}/v1/users/me", None),
        (f"{running.jira_url}/rest/api/3/myself", jira),
        (f"{running.boards_url}/", None),
    ):
        versioned = {**notion, "notion-version": "2026-03-11"}
        headers = versioned if auth is None else {}
        ours = httpx.get(url, headers=headers, auth=auth)
        assert ours.status_code == 200, url
        theirs = httpx.get(url, headers={**headers, "host": host}, auth=auth)
        assert theirs.status_code == 421, url
        assert "not served here" in theirs.text


@pytest.mark.parametrize("deployment", ["cloud", "datacenter"])
def test_tokens_are_new_at_each_start_and_nothing_else_is_unless_they_are_to_be_known(
    deployment: str,
) -> None:
    clock = Clock(datetime(2026, 11, 20, tzinfo=UTC))
    notions = [NotionSandbox(clock) for _ in range(3)]
    jiras = [JiraSandbox(clock, deployment=deployment) for _ in range(3)]
    assert len({one.token for one in notions}) == 3
    assert len({one.token for one in jiras}) == 3
    assert len({one.root_page_id for one in notions}) == 1
    same = {NotionSandbox(clock, known_token=True).token for _ in range(2)}
    assert len(same) == 1
    same = {
        JiraSandbox(clock, deployment=deployment, known_token=True).token
        for _ in range(2)
    }
    assert len(same) == 1
