"""A process that dies at a chosen point: before and after each request is answered, before and after each commit.

`Points` is what a process under test comes by; `cut_off` forks the whole world at a point, so that the child lives on in
a world whose worker has died there: nothing is unwound, closed or given back, as after a power cut, while the parent goes
on undisturbed to the next point. What a death leaves behind is the database and the two services alone, so that points
between which none of them changed are one state, and are judged once.
"""

from __future__ import annotations

import os
import pickle
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import event

from rayline_sandbox.wire import Clock, Handler, Request, Response
from worker.ports.notion import Notion
from worker.state.processes import name_owner
from worker.state.store import Store, Tx

T = TypeVar("T")
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_COMPILED: dict[Any, Any] = {}


class Crash(BaseException):
    """The process is gone: nothing may catch this."""


class Steps:
    """Counts steps and dies at the chosen one (0: never)."""

    def __init__(self, fatal: int = 0) -> None:
        self.fatal, self.taken = fatal, 0

    def take(self) -> None:
        """Take one step."""
        self.taken += 1
        if self.taken == self.fatal:
            raise Crash


class MortalNotion:
    """A port that may die before a request is sent and after it was answered."""

    def __init__(self, inner: Notion, steps: Steps) -> None:
        self._inner, self._steps = inner, steps

    def guarded(self, check: Callable[[], None]) -> MortalNotion:
        """Return the same port, as mortal."""
        return MortalNotion(self._inner.guarded(check), self._steps)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def mortal(*args: Any, **kwargs: Any) -> Any:
            self._steps.take()
            answer = call(*args, **kwargs)
            self._steps.take()
            return answer

        return mortal


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a process: its number from 1 on, what happens there, and how often anything lasting has changed."""

    number: int
    label: str
    changes: int

    @property
    def kind(self) -> str:
        """What happens there, of whatever page."""
        return _ID.sub("*", self.label)


def _live_on(_point: Point) -> None:
    """Pass a point by."""


@dataclass(slots=True)
class Points:
    """The points that a process comes by; `visit` is called at each, on the thread that made this alone."""

    visit: Callable[[Point], None] = _live_on
    passed: list[Point] = field(default_factory=list)
    _changes: int = 0
    _thread: int = field(default_factory=threading.get_ident)

    def come_by(self, label: str, *, changed: bool = False) -> None:
        """Come by a point; `changed` when a database or a service is no longer as it was at the point before."""
        if threading.get_ident() != self._thread:
            return
        self._changes += changed
        point = Point(len(self.passed) + 1, label, self._changes)
        self.passed.append(point)
        self.visit(point)

    def watch(
        self, handler: Handler, *, is_write: Callable[[Request], bool]
    ) -> Handler:
        """Return a service whose every request has a point before it and one after its answer."""

        def handle(request: Request) -> Response:
            told = f"{request.method} {request.path}"
            self.come_by(f"before {told}")
            answer = handler(request)
            self.come_by(f"after {told}", changed=is_write(request))
            return answer

        return handle


class MortalStore(Store):
    """A state with a point before and after each commit; it goes by a virtual clock and does not wait for the disk."""

    def __init__(self, url: str, points: Points, clock: Clock) -> None:
        self.points, self.clock = points, clock
        super().__init__(url)
        if self.file is not None:
            event.listen(self.engine, "connect", _hurry)
            self.engine.dispose()
        # Each process has an engine of its own; what SQLAlchemy makes of a statement is the same for all.
        self.engine.update_execution_options(compiled_cache=_COMPILED)

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction."""
        with super().transaction(workspace) as tx:
            yield tx
            who = _caller()
            self.points.come_by(f"before the commit of {who}")
        self.points.come_by(f"after the commit of {who}", changed=True)


def _caller() -> str:
    """Return which function of the product has the transaction in hand."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("worker.") and module != Store.__module__:
            return f"{module.removeprefix('worker.')}.{frame.f_code.co_name}"
    return "the test"


def _hurry(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def states(points: Sequence[Point]) -> list[Point]:
    """Return the first point of each state that the points leave behind."""
    first: dict[int, Point] = {}
    for point in points:
        first.setdefault(point.changes, point)
    return list(first.values())


def sample(points: Sequence[Point], *, each: int) -> list[Point]:
    """Return states in which everything that happens is cut off once, in the midst of its like, the making of the
    first row too, and `each` more of them, evenly spread."""
    every = states(points)
    place = {point.changes: point for point in every}
    chosen = {point.changes for point in every[:: max(1, len(every) // each)]}
    by_kind: dict[str, list[int]] = {}
    for point in points:
        by_kind.setdefault(point.kind, []).append(point.changes)
    for kind, changes in by_kind.items():
        chosen.add(changes[len(changes) // 2])
        if kind == "after POST /v1/pages":
            chosen.add(changes[0])
    return [place[one] for one in sorted(chosen)]


def name_of_the_dead(number: int) -> str:
    """Return the name of a process of this host that has ended; another one for each number."""
    host, pid, mark = name_owner().rsplit(":", 2)
    space, _, start = mark.partition(".")
    return f"{host}:{pid}:{space}.{int(start) - 1 - number}"


def in_a_fork(work: Callable[[], T]) -> T:
    """Return what `work` returns in a copy of this process, of which nothing else comes back.

    Raises `AssertionError` with the copy's traceback when it fails.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            _answer(writer, work)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        body = answers.read()
    os.waitpid(child, 0)
    if not body:
        raise AssertionError("the copy of the process ended without a word")
    is_well, answer = pickle.loads(body)
    if not is_well:
        raise AssertionError(answer)
    found: T = answer
    return found


def _answer(writer: int, work: Callable[[], Any]) -> None:
    try:
        body = pickle.dumps((True, work()))
    except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
        body = pickle.dumps((False, traceback.format_exc()))
    with os.fdopen(writer, "wb") as answers:
        answers.write(body)
