"""A process that dies at a chosen step: before a request, after its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from worker.ports.notion import Notion


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
