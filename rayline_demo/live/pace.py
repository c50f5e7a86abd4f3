"""A script played on real time, beside the daemon, until the end is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rayline_demo.live.script import Script
from worker.domain.messages import Text

AT_ONCE = 0.1
"""The first act comes after this part of the pace: who has just opened a board wants to see something happen."""


@contextmanager
def played(
    script: Script,
    *,
    seconds: float,
    stop: threading.Event,
    say: Callable[[Text], None],
) -> Iterator[None]:
    """Play a minute of the script every so many `seconds` while the block runs; none with zero."""
    if not seconds:
        yield
        return
    ended = threading.Event()

    def play() -> None:
        pause = seconds * AT_ONCE
        while not (ended.wait(pause) or stop.is_set()):
            act = script.play()
            if act is not None:
                say(act)
            pause = seconds

    thread = threading.Thread(target=play, name="demo-people", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
