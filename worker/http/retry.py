"""One retry policy for both APIs: what may be tried again, after how long, until when.

The gateways translate every failure into a `Setback` once; this module alone waits. Stopping is by attempts and by the
run's own deadline: tenacity's `stop_after_delay` reads the real clock and never ends under a virtual one
(docs/facts/reliability.md 1.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import replace as renew  # noqa: TID251 - a policy is no struct
from email.utils import parsedate_to_datetime
from random import Random
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from worker.errors import ApiError, Postponed, TooHeavy, Transient
from worker.http.deadline import Deadline

T = TypeVar("T")


class Setback(Exception):
    """One attempt failed: the `error` to report, whether to try `again`, and the `wait` in seconds the server named."""

    def __init__(
        self, error: ApiError, *, again: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.wait = wait
        self.is_too_long = False


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how patiently: waits in seconds, doubling from `base` to `cap` with jitter of 50 to 100 %.

    Waits the server named are kept whole and allow `named_attempts`; together they may be no longer than `patience` nor
    outlast the deadline: then the call is `Postponed` at once.
    """

    sleep: Callable[[float], None]
    random: Random
    deadline: Deadline
    attempts: int = 6
    named_attempts: int = 20
    base: float = 0.5
    cap: float = 30.0
    patience: float = 900.0
    heavy_attempts: int | None = None

    def for_heavy(self, attempts: int | None) -> Policy:
        """Return the same policy that tries what is `TooHeavy` so often (None: like the rest), for callers who can ask
        for less."""
        return renew(self, heavy_attempts=attempts)

    def run(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns; raise the `ApiError` of its last `Setback`."""
        retrying = Retrying(
            sleep=self.sleep,
            wait=self._wait,
            stop=self._stop,
            reraise=True,
            retry=retry_if_exception(_may_repeat),
        )
        try:
            return retrying(attempt)
        except Setback as setback:
            error = self._final(setback)
        # Raised outside the handler: library exceptions hold the request with its credentials in their context.
        raise error

    def _wait(self, state: RetryCallState) -> float:
        setback = _setback(state)
        if setback.wait is not None:
            return setback.wait
        doubled = self.base * 2.0**state.attempt_number
        widest = min(self.cap, doubled)
        jitter = self.random.uniform(0.5, 1.0)
        return widest * jitter

    def _stop(self, state: RetryCallState) -> bool:
        setback = _setback(state)
        wait = state.upcoming_sleep
        if setback.wait is not None:
            setback.is_too_long = self._is_too_long(state.idle_for + wait)
            return setback.is_too_long or state.attempt_number >= self.named_attempts
        most = self.attempts
        if self.heavy_attempts is not None and isinstance(setback.error, TooHeavy):
            most = self.heavy_attempts
        return state.attempt_number >= most or wait >= self.deadline.remaining()

    def _is_too_long(self, seconds: float) -> bool:
        return seconds > self.patience or seconds >= self.deadline.remaining()

    def _final(self, setback: Setback) -> ApiError:
        """Return the error to report of the last attempt."""
        error = setback.error
        if setback.is_too_long and isinstance(error, Transient):
            return postponed(error, setback.wait)
        return error


def postponed(error: Transient, seconds: float | None) -> Postponed:
    """Return a failure whose `seconds` of waiting are more than a run has."""
    return Postponed(
        error.api,
        error.request,
        error.detail,
        status=error.status,
        request_id=error.request_id,
        retry_after=seconds,
    )


def _may_repeat(error: BaseException) -> bool:
    return isinstance(error, Setback) and error.again


def _setback(state: RetryCallState) -> Setback:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, Setback):
        raise TypeError("only a Setback is waited for")
    return error


def read_retry_after(
    headers: Mapping[str, str], fallback: object = None
) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date against the answer's own Date header.

    `fallback` is the value some bodies repeat; None when nothing usable was named.
    """
    for named in (headers.get("retry-after"), fallback):
        if named is None:
            continue
        text = str(named)
        seconds = _seconds(text)
        if seconds is None:
            seconds = _until(text, headers.get("date"))
        if seconds is not None:
            return seconds
    return None


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _until(text: str, date: str | None) -> float | None:
    try:
        until = parsedate_to_datetime(text)
        answered = parsedate_to_datetime(date or "")
        wait = until - answered
    except (ValueError, TypeError, IndexError):
        return None
    return max(0.0, wait.total_seconds())
