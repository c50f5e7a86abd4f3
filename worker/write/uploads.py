"""The one place where a chart becomes bytes: in a process of its own, which ends when the work is done.

The engine can be killed by a character in a name, and holds over a hundred megabytes once it has drawn. Whatever
becomes of its process is a fault of the picture in hand (`NotDrawn`) and of nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from worker.charts import specify
from worker.domain.charts import Chart
from worker.domain.messages import ENGLISH, Text, render, tell

VERSION = "v6.4"
SCALE = 2.0
KEPT = 64
PATIENCE = 60.0
"""Seconds a picture may take; a slow machine needs two."""
MOST_HUNG = 2
LONGEST_HEAD, LARGEST = 1_000, 20_000_000
NOWHERE = "http://127.0.0.1:9"
PNG = b"\x89PNG\r\n\x1a\n"
# By its path, and without the folder it lies in on the search path: it imports nothing of Rayline.
COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("renderer.py")))
_LOCALES = {"ru": "ru-RU"}


class NotDrawn(Exception):
    """A chart could not be drawn; `reason` says why, to a person, and quotes nothing of the chart."""

    def __init__(self, chart: Chart, reason: Text) -> None:
        super().__init__(render(reason, ENGLISH))
        self.chart = chart
        self.reason = reason


class _Failed(Exception):
    """The process did not give a picture: it died, hung or spoke nonsense."""


class _Hung(_Failed):
    """The process was ended because it took too long."""


class _Engine:
    """One process of the chart engine."""

    def __init__(self, command: Sequence[str], patience: float) -> None:
        self._patience = patience
        # A session of its own: Ctrl-C is for this process, which lets the work in hand finish.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_surroundings(),
            start_new_session=True,
        )

    def draw(self, order: bytes) -> tuple[bytes, str]:
        """Return a picture, or the kind of refusal; raise `_Failed` when the process is of no more use."""
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            self._process.kill()

        bell = threading.Timer(self._patience, give_up)
        bell.daemon = True
        bell.start()
        try:
            return self._exchange(order)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise (_Hung if is_late.is_set() else _Failed) from error
        finally:
            bell.cancel()

    def _exchange(self, order: bytes) -> tuple[bytes, str]:
        orders = self._process.stdin
        answers = self._process.stdout
        assert orders is not None
        assert answers is not None
        orders.write(order + b"\n")
        orders.flush()
        head = json.loads(answers.readline(LONGEST_HEAD))
        if "error" in head:
            return b"", str(head["error"])[:50]
        size = int(head["size"])
        picture = b""
        if size <= LARGEST:
            picture = answers.read(size)
        if len(picture) != size or not picture.startswith(PNG):
            raise ValueError("not a picture")
        return picture, ""

    def end(self) -> None:
        """End the process and wait until it is gone."""
        self._process.kill()
        for pipe in (self._process.stdout, self._process.stdin):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:  # what was left to write has no reader any more
                pass
        self._process.wait()


def _surroundings() -> dict[str, str]:
    """Return the environment of the engine: none of our secrets, and a proxy that is not there.

    What the engine draws from comes with the order; pictures within a picture it would fetch past `allowed_base_urls`.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RAYLINE_") and not name.lower().endswith("_proxy")
    }
    return kept | dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), NOWHERE)


class Engines:
    """Draws charts in one process, begun when it is needed and replaced when it dies. Thread-safe; `close` ends it.

    One is enough: a picture costs Notion's budget two requests, in whose time several are drawn. Each process more
    would cost over half a second of CPU and a hundred megabytes before its first picture.
    """

    def __init__(
        self, *, command: Sequence[str] = COMMAND, patience: float = PATIENCE
    ) -> None:
        self._command = command
        self._patience = patience
        self._engine: _Engine | None = None
        self._hung = 0
        self._turn = threading.Lock()

    def draw(self, chart: Chart) -> bytes:
        """Return a chart as PNG, the same bytes for the same chart on one machine; raises `NotDrawn`.

        A process that dies is replaced once: something else may have ended it. One that hangs is not waited for again.
        """
        order = _order(chart)
        known = _remembered.get(order)
        if known:
            return known
        with self._turn:
            try:
                picture, refusal = self._try(order)
            except _Hung:
                raise NotDrawn(
                    chart, tell("the chart engine did not answer in time")
                ) from None
            except (_Failed, OSError):
                raise NotDrawn(
                    chart, tell("the chart engine ended without a picture")
                ) from None
        if refusal:
            raise NotDrawn(
                chart, tell("the chart engine refused it ({error})", error=refusal)
            )
        _remembered.put(order, picture)
        return picture

    def _try(self, order: bytes) -> tuple[bytes, str]:
        try:
            return self._draw(order)
        except _Hung:
            raise
        except _Failed:
            return self._draw(order)

    def _draw(self, order: bytes) -> tuple[bytes, str]:
        if self._hung >= MOST_HUNG:
            raise _Hung
        if self._engine is None:
            self._engine = _Engine(self._command, self._patience)
        try:
            return self._engine.draw(order)
        except BaseException as error:
            if isinstance(error, _Hung):
                self._hung += 1
            self.close()
            raise

    def close(self) -> None:
        """End the process; no chart may be in hand."""
        if self._engine is not None:
            self._engine.end()
            self._engine = None


@contextmanager
def open_engines() -> Iterator[Engines]:
    """Yield what draws the pictures of a run, and end it."""
    engines = Engines()
    try:
        yield engines
    finally:
        engines.close()


class _Remembered:
    """The last pictures by their order: one whose page could not be written is there when it is tried again."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, order: bytes) -> bytes | None:
        """Return a picture that is remembered."""
        with self._lock:
            return self._pictures.get(order)

    def put(self, order: bytes, picture: bytes) -> None:
        """Remember a picture, and forget the oldest."""
        with self._lock:
            self._pictures[order] = picture
            if len(self._pictures) > KEPT:
                self._pictures.popitem(last=False)


_remembered = _Remembered()


def _order(chart: Chart) -> bytes:
    """Return what the engine is asked; raises `NotDrawn` for a chart that is no JSON (a number that is none)."""
    try:
        order = {"spec": specify(chart), "options": {"scale": SCALE, **options(chart)}}
        return json.dumps(order, allow_nan=False).encode()
    except (ValueError, TypeError, ArithmeticError):
        raise NotDrawn(chart, tell("a figure in it is not a number")) from None


def options(chart: Chart) -> dict[str, Any]:
    """Return how the engine reads a spec: its version, its language, and no address it may fetch from."""
    name = _LOCALES.get(chart.locale)
    spoken = {"format_locale": name, "time_format_locale": name} if name else {}
    return {"vl_version": VERSION, "allowed_base_urls": [], **spoken}
