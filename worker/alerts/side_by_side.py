"""Calls to others side by side, each given up after a while: one that hangs keeps nobody waiting for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def call_all(
    calls: Mapping[K, Callable[[], V]], *, seconds: float, late: V
) -> dict[K, V]:
    """Return what each call gave, `late` for those that gave nothing in time; these are left behind, and keep no process
    from its end."""
    answers: dict[K, V] = {}

    def run(key: K, call: Callable[[], V]) -> None:
        answers[key] = call()

    threads = [
        threading.Thread(target=run, args=pair, daemon=True, name="alerts-call")
        for pair in calls.items()
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return {key: answers.get(key, late) for key in calls}
