"""What only a real connection shows: dripping, bombs, short bodies, silence, and what reaches the wire."""

from __future__ import annotations

import gzip
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random

import pytest
from gateway_rig import CANARY, page
from pydantic import SecretStr

from tests.support.waiting import LONG
from worker.config import NotionSettings
from worker.errors import Transient, Unknown
from worker.http.deadline import Deadline
from worker.notion.gateway import NotionGateway

Talk = Callable[[socket.socket], None]
BODY = json.dumps(page(1)).encode()


@contextmanager
def serving(*talks: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one connection per talk on loopback; yield the address and the requests received."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            for talk in talks:
                with suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        received.append(hear(connection))
                        talk(connection)

        threading.Thread(target=run, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received


def hear(connection: socket.socket) -> bytes:
    """Return a whole request: closing with some of it unread would reset the connection."""
    request = connection.recv(65_536)
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += connection.recv(65_536)
    return request


def answer(body: bytes, *, length: int | None = None, encoding: str = "") -> Talk:
    """Return a talk that sends one answer."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length or len(body)}\r\n"
    head += f"content-encoding: {encoding}\r\n" if encoding else ""
    return lambda connection: connection.sendall(
        head.encode() + b"connection: close\r\n\r\n" + body
    )


def drip(connection: socket.socket) -> None:
    """Send a byte every 20 ms until the client leaves."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)


def hush(connection: socket.socket) -> None:
    """Say nothing until the client leaves."""
    connection.settimeout(None)
    with suppress(OSError):
        connection.recv(1)


def cut(connection: socket.socket) -> None:
    """Hang up."""


def make(
    url: str, timeout: float = LONG, seconds: float = float("inf")
) -> NotionGateway:
    """Return a gateway over real sockets that does not wait between attempts."""
    settings = NotionSettings(base_url=url, token=SecretStr(CANARY), timeout=timeout)
    return NotionGateway(
        settings, sleep=lambda _: None, random=Random(1), deadline=Deadline(seconds)
    )


@pytest.mark.parametrize(
    "talk",
    [
        drip,
        hush,
        cut,
        answer(BODY, length=len(BODY) + 10),
        answer(BODY[:-5]),
        answer(gzip.compress(BODY)[:-9], encoding="gzip"),
        answer(b"not gzip", encoding="gzip"),
        answer(BODY, encoding="br"),
    ],
    ids=[
        "drip",
        "silence",
        "hang up",
        "short",
        "cut json",
        "cut gzip",
        "no gzip",
        "brotli",
    ],
)
def test_a_bad_answer_is_asked_for_again_and_a_create_is_not(talk: Talk) -> None:
    timeout = 3.0 if talk in (drip, hush) else LONG
    with serving(talk, answer(BODY)) as (url, received):
        assert make(url, timeout=timeout).page("page-1").id == "page-1"
        assert len(received) == 2
    with serving(talk, answer(BODY)) as (url, received):
        with pytest.raises(Unknown):
            make(url, timeout=timeout).create_page("source", {})
        assert len(received) == 1


def test_a_compressed_answer_is_unpacked_and_a_bomb_is_not() -> None:
    with serving(answer(gzip.compress(BODY), encoding="gzip")) as (url, received):
        assert make(url).page("page-1").id == "page-1"
        assert b"accept-encoding: gzip\r\n" in received[0].lower()
    bomb = answer(gzip.compress(b" " * 70_000_000, 1), encoding="gzip")
    with serving(bomb) as (url, _), pytest.raises(Unknown, match="larger than"):
        make(url).create_page("source", {})


def test_no_call_outlasts_the_runs_deadline() -> None:
    with serving(hush, hush) as (url, _), pytest.raises(Transient):
        make(url, timeout=LONG * 6, seconds=0.3).me()


def test_a_server_that_is_not_there_is_transient_even_for_a_create() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    gateway = make(f"http://127.0.0.1:{port}")
    with pytest.raises(Transient):
        gateway.create_page("source", {})
    assert gateway.requests() == 6


def test_proxies_and_netrc_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(answer(BODY)) as (url, received):
        make(url).me()
        assert f"authorization: bearer {CANARY}".encode().lower() in received[0].lower()


def test_a_redirect_to_another_host_is_not_followed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(answer(BODY)) as (other, stolen):
        moved = f"HTTP/1.1 302 Found\r\nlocation: {other}/v1/users/me\r\ncontent-length: 0\r\n\r\n".encode()
        with (
            serving(lambda connection: connection.sendall(moved)) as (url, _),
            pytest.raises(Exception, match="another address"),
        ):
            make(url).me()
        assert stolen == []
    assert CANARY not in caplog.text


def test_a_refused_request_does_not_reach_the_wire_although_the_connection_stands() -> (
    None
):
    opened, heard = threading.Event(), list[bytes]()

    class Refused(Exception):
        pass

    def check() -> None:
        assert opened.wait(60), "the check comes after the connection"
        raise Refused

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            connection, _ = listener.accept()
            with connection:
                opened.set()
                heard.append(connection.recv(1))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Refused):
            make(url, timeout=60).guarded(check).create_page("source", {})
        thread.join(60)
    assert heard == [b""], "the connection was closed without a byte"


def test_each_request_on_a_connection_that_is_used_again_is_checked_once_in_turn() -> (
    None
):
    keep = f"HTTP/1.1 200 OK\r\ncontent-length: {len(BODY)}\r\n\r\n".encode() + BODY

    def talk(connection: socket.socket) -> None:
        connection.sendall(keep)
        for _ in range(2):
            hear(connection)
            connection.sendall(keep)

    checked: list[int] = []
    with serving(talk) as (url, received):
        first = make(url, timeout=60).guarded(lambda: checked.append(1))
        guarded = first.guarded(lambda: checked.append(2))
        for _ in range(3):
            assert guarded.update_page("page-1", {}).id == "page-1"
    assert (len(received), checked) == (1, 3 * [1, 2])
