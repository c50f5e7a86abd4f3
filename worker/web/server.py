"""The console on a socket, served by a thread of this process."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from worker.domain.messages import Text, literal, tell
from worker.domain.structs import make_ready
from worker.errors import Code, ConfigError, Problem, Severity
from worker.web.access import CODE_LIFE
from worker.web.application import make_application
from worker.web.desk import Desk

log = structlog.get_logger("worker.web")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
START = 60.0
"""Seconds in which the thread must have begun to serve."""


@contextmanager
def serve_console(desk: Desk, listen: str) -> Iterator[str]:
    """Serve the console on `HOST:PORT` (port 0: any that is free) and yield its address; stops when left.

    Raises `ConfigError` when it cannot listen there, or would be open to other machines with nobody to sign in.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    if host not in LOOPBACK and not desk.settings.people:
        raise ConfigError([_nobody(listen)])
    listener = _listen(host, int(port))
    names = [] if host in ("0.0.0.0", "::") else [host]
    config = uvicorn.Config(
        make_application(desk, names),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=64 * 1024,
        limit_concurrency=200,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, args=([listener],), name="console", daemon=True
    )
    make_ready()
    thread.start()
    try:
        _wait_until_it_serves(server, thread)
        bound = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        yield f"{'https' if desk.settings.https else 'http'}://{shown}:{bound}"
    finally:
        server.should_exit = True
        thread.join(START)
        listener.close()


def sign_in_link(desk: Desk, address: str, *, life: float | None = CODE_LIFE) -> str:
    """Return a link that signs in one operator once within `life` seconds; None: as often as it is opened."""
    code = desk.access.issue_code(life)
    return f"{address}/sign-in?code={code}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        reason = (
            tell("another process listens there")
            if error.errno == errno.EADDRINUSE
            else literal(error.strerror or str(error))
        )
        raise ConfigError([_problem(f"{host}:{port}", reason)]) from None


def _problem(listen: str, reason: Text) -> Problem:
    return Problem(
        code=Code.CONFIG,
        where=literal(listen),
        field="console.listen",
        message=tell("the console cannot listen here: {reason}", reason=reason),
        hint=tell("choose another port with --listen, or 0 for any that is free"),
        severity=Severity.ERROR,
    )


def _nobody(listen: str) -> Problem:
    return Problem(
        code=Code.CONFIG,
        where=literal(listen),
        field="console.people",
        message=tell("other machines could reach the console, and nobody may sign in"),
        hint=tell("name people with their tokens, or listen on 127.0.0.1"),
        severity=Severity.ERROR,
    )


def _wait_until_it_serves(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("the console did not start")
        time.sleep(0.01)
