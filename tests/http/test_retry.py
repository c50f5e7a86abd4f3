"""When an attempt is repeated, after how long, and when it is given up: every boundary on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

import pytest

from worker.errors import Postponed, Rejected, TooHeavy, Transient
from worker.http.deadline import Deadline
from worker.http.retry import Policy, Setback, read_retry_after

DATE = "Fri, 20 Nov 2026 09:00:00 GMT"
LATER = "Fri, 20 Nov 2026 09:01:30 GMT"


class Attempts:
    """Attempts that fail one after the other and then succeed, under a clock that only sleeping moves."""

    def __init__(self, setbacks: Iterable[Setback]) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.made = 0
        self._setbacks: Iterator[Setback] = iter(setbacks)

    def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> str:
        """Fail by the next setback, or succeed."""
        self.made += 1
        for setback in self._setbacks:
            raise setback
        return "done"

    def run(self, seconds: float = float("inf"), **policy: float) -> str:
        """Run the attempts with a deadline so many seconds away."""
        deadline = Deadline(seconds, monotonic=lambda: self.now)
        made = Policy(self.sleep, Random(1), deadline, **policy)  # type: ignore[arg-type]
        return made.run(self)


def passing(*waits: float | None) -> list[Setback]:
    return [
        Setback(Transient("jira", "GET x", f"the {number}."), again=True, wait=wait)
        for number, wait in enumerate(waits)
    ]


@pytest.mark.parametrize(("failures", "made"), [(0, 1), (1, 2), (5, 6)])
def test_fewer_failures_than_attempts_are_survived(failures: int, made: int) -> None:
    attempts = Attempts(passing(*[None] * failures))
    assert attempts.run(attempts=6) == "done"
    assert (attempts.made, len(attempts.slept)) == (made, failures)


@pytest.mark.parametrize("failures", [6, 7, 50])
def test_the_last_attempts_error_is_reported_without_another_wait(
    failures: int,
) -> None:
    attempts = Attempts(passing(*[None] * failures))
    with pytest.raises(Transient) as caught:
        attempts.run(attempts=6)
    assert caught.value.detail == "the 5."
    assert (attempts.made, len(attempts.slept)) == (6, 5)


def test_waits_the_server_named_have_more_attempts_and_are_kept_whole() -> None:
    attempts = Attempts(passing(*[7.0] * 8))
    assert attempts.run(attempts=6, named_attempts=9) == "done"
    assert attempts.slept == [7.0] * 8
    attempts = Attempts(passing(*[7.0] * 9))
    with pytest.raises(Transient):
        attempts.run(attempts=6, named_attempts=9)
    assert attempts.made == 9


def test_a_wait_of_no_time_is_a_named_one() -> None:
    attempts = Attempts(passing(*[0.0] * 8))
    assert attempts.run(attempts=2, named_attempts=9) == "done"
    assert attempts.slept == [0.0] * 8


@pytest.mark.parametrize(("wait", "made"), [(59.0, 2), (60.0, 2), (60.5, 1)])
def test_patience_is_the_longest_wait_still_waited(wait: float, made: int) -> None:
    attempts = Attempts(passing(wait))
    if made == 2:
        assert attempts.run(patience=60.0) == "done"
    else:
        with pytest.raises(Transient):
            attempts.run(patience=60.0)
    assert attempts.made == made


@pytest.mark.parametrize(("wait", "made"), [(29.0, 2), (30.0, 1), (31.0, 1)])
def test_a_wait_that_leaves_no_time_before_the_deadline_is_not_waited(
    wait: float, made: int
) -> None:
    attempts = Attempts(passing(wait))
    if made == 2:
        assert attempts.run(30.0) == "done"
    else:
        with pytest.raises(Transient):
            attempts.run(30.0)
    assert attempts.made == made
    assert attempts.now <= 130.0


def test_unnamed_waits_double_up_to_a_cap_with_jitter_of_half() -> None:
    attempts = Attempts(passing(*[None] * 7))
    attempts.run(attempts=8, base=1.0, cap=10.0)
    widest = [2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0]
    for waited, most in zip(attempts.slept, widest, strict=True):
        assert most / 2 <= waited <= most
    assert len(set(attempts.slept)) == 7


def test_what_will_not_pass_is_not_tried_again() -> None:
    attempts = Attempts([Setback(Rejected("jira", "GET x", "no"), wait=1.0)])
    with pytest.raises(Rejected):
        attempts.run()
    assert (attempts.made, attempts.slept) == (1, [])


def test_an_error_that_is_no_setback_is_not_waited_for() -> None:
    def broken() -> str:
        raise KeyError("a bug")

    attempts = Attempts([])
    deadline = Deadline(monotonic=lambda: attempts.now)
    with pytest.raises(KeyError):
        Policy(attempts.sleep, Random(1), deadline).run(broken)
    assert attempts.slept == []


def test_the_error_that_leaves_holds_no_other_in_its_context() -> None:
    with pytest.raises(Transient) as caught:
        Attempts(passing(*[None] * 9)).run()
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("1", 1.0),
        ("1.5", 1.5),
        (" 45 ", 45.0),
        ("1847", 1847.0),
        ("-1", None),
        ("-0.001", None),
        ("inf", None),
        ("-inf", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        (LATER, 90.0),
        (DATE, 0.0),
        ("Fri, 20 Nov 2026 08:00:00 GMT", 0.0),
        ("Fri, 99 Nov 2026 08:00:00 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date_from_nought_on(
    value: str, seconds: float | None
) -> None:
    assert read_retry_after({"retry-after": value, "date": DATE}) == seconds


def test_a_date_without_the_answers_own_date_says_nothing() -> None:
    assert read_retry_after({"retry-after": LATER}) is None


@pytest.mark.parametrize(
    ("header", "fallback", "seconds"),
    [
        (None, None, None),
        (None, 12, 12.0),
        (None, "12", 12.0),
        ("3", 12, 3.0),
        ("0", 12, 0.0),
        ("soon", 12, 12.0),
        ("-5", 12, 12.0),
        ("soon", "later", None),
    ],
)
def test_the_body_is_believed_where_the_header_says_nothing(
    header: str | None, fallback: object, seconds: float | None
) -> None:
    headers = {} if header is None else {"retry-after": header}
    assert read_retry_after(headers, fallback) == seconds


@pytest.mark.parametrize(
    ("waits", "seconds", "asked", "slept"),
    [
        ([1200], float("inf"), 1, 0),
        ([901], float("inf"), 1, 0),
        ([600, 301], float("inf"), 2, 600),
        ([60] * 50, float("inf"), 16, 900),
        ([30, 30], 60.0, 2, 30),
    ],
)
def test_waits_beyond_patience_or_the_runs_end_are_told_at_once_with_their_time(
    waits: list[float], seconds: float, asked: int, slept: float
) -> None:
    attempts = Attempts(passing(*waits))
    with pytest.raises(Postponed) as caught:
        attempts.run(seconds, patience=900.0, named_attempts=99)
    assert caught.value.retry_after == waits[asked - 1]
    assert (attempts.made, sum(attempts.slept)) == (asked, slept)


def test_only_what_is_too_heavy_has_fewer_attempts() -> None:
    heavy = [Setback(TooHeavy("jira", "GET x", "slow"), again=True)] * 9
    for setbacks, attempts_made in ((heavy, 2), (passing(*[None] * 9), 6)):
        attempts = Attempts(setbacks)
        policy = Policy(
            attempts.sleep, Random(1), Deadline(monotonic=lambda: 0.0), attempts=6
        )
        with pytest.raises(Transient):
            policy.for_heavy(2).run(attempts)
        assert attempts.made == attempts_made
