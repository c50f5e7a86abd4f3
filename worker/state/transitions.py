"""The life of a creation's claim and of a lease, each as one table: what may happen to it, and what it is then.

What a table does not hold is refused: the journal and the leases ask here before they change anything, so that there is
no other place to look at (as in h11's `_state.py`). The pictures in docs/transitions.md are drawn from the tables; it
tells what was proven of every interleaving of two workers that they allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Status(StrEnum):
    """How far a creation has come; the journal keeps it, and has no row where it is absent."""

    ABSENT = "absent"
    INTENDED = "intended"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DONE = "done"


class Step(StrEnum):
    """What happens to a creation: its run claims it, notes that the request leaves, and what was answered; a look-up finds
    the row or misses it; a row that was read is adopted."""

    CLAIM = "claim"
    SEND = "send"
    FINISH = "finish"
    FAIL = "fail"
    DOUBT = "doubt"
    FIND = "find"
    MISS = "miss"
    ADOPT = "adopt"


OF_CLAIMANT = frozenset({Step.SEND, Step.FINISH, Step.FAIL, Step.DOUBT})
"""Steps that only the run makes whose claim it is."""
OF_LOOK_UP = frozenset({Step.FIND, Step.MISS})
"""Steps that are made only once the settle time since the request left is over."""

ABSENT, INTENDED, UNKNOWN, FAILED, DONE = Status
INTENTS: Mapping[Status, Mapping[Step, Status]] = {
    ABSENT: {Step.CLAIM: INTENDED, Step.ADOPT: DONE},
    INTENDED: {
        Step.SEND: INTENDED,
        Step.FINISH: DONE,
        Step.FAIL: FAILED,
        Step.DOUBT: UNKNOWN,
        Step.FIND: DONE,
        Step.MISS: FAILED,
        Step.ADOPT: DONE,
    },
    UNKNOWN: {Step.FIND: DONE, Step.MISS: FAILED, Step.ADOPT: DONE},
    # Certainly not made, as far as was known: an answer that comes later than the look-up still counts.
    FAILED: {
        Step.CLAIM: INTENDED,
        Step.FINISH: DONE,
        Step.DOUBT: UNKNOWN,
        Step.ADOPT: DONE,
    },
    DONE: {},
}


def origins(step: Step) -> tuple[Status, ...]:
    """Return the statuses in which a step may be made."""
    return tuple(status for status, steps in INTENTS.items() if step in steps)


def outcome(step: Step) -> Status:
    """Return what a creation is after a step: the same wherever it was made."""
    (status,) = {steps[step] for steps in INTENTS.values() if step in steps}
    return status


class Grip(StrEnum):
    """How firmly a lease is held at an instant: `short` has less than half of its time left, `astray` reaches further than
    any lease lasts, since it was taken by a clock that was wrong."""

    FREE = "free"
    FRESH = "fresh"
    SHORT = "short"
    LAPSED = "lapsed"
    DEAD = "dead"
    ASTRAY = "astray"


class Act(StrEnum):
    """What happens to a lease: anybody may claim it, its holder renews it, sends a request under it, gives it back; time
    passes, the holder's process dies, a clock is set right."""

    CLAIM = "claim"
    RENEW = "renew"
    SEND = "send"
    RELEASE = "release"
    WAIT = "wait"
    DIE = "die"
    CORRECT = "correct"


OF_WORLD = frozenset({Act.WAIT, Act.DIE, Act.CORRECT})
"""What happens to a lease without anybody's asking."""

FREE, FRESH, SHORT, LAPSED, DEAD, ASTRAY = Grip
LEASES: Mapping[Grip, Mapping[Act, Grip]] = {
    FREE: {Act.CLAIM: FRESH},
    FRESH: {
        Act.SEND: FRESH,
        Act.RENEW: FRESH,
        Act.RELEASE: FREE,
        Act.WAIT: SHORT,
        Act.DIE: DEAD,
        Act.CORRECT: ASTRAY,
    },
    SHORT: {Act.RENEW: FRESH, Act.RELEASE: FREE, Act.WAIT: LAPSED, Act.DIE: DEAD},
    LAPSED: {Act.CLAIM: FRESH, Act.RENEW: FRESH, Act.RELEASE: FREE},
    DEAD: {Act.CLAIM: FRESH, Act.WAIT: LAPSED},
    ASTRAY: {Act.CLAIM: FRESH, Act.RENEW: FRESH, Act.RELEASE: FREE},
}

LONGEST = timedelta(days=1)
"""A lease that reaches further, and further than twice our own, was taken by a clock that was wrong."""


def judge(left: timedelta | None, *, ttl: timedelta, is_dead: bool = False) -> Grip:
    """Return how a lease is held that has so much time `left`, None when it was given back or never taken; `ttl` is how
    long whoever asks takes one."""
    if left is None:
        return FREE
    if left <= timedelta(0):
        return LAPSED
    if is_dead:
        return DEAD
    if left > max(2 * ttl, LONGEST):
        return ASTRAY
    if left < ttl / 2:
        return SHORT
    return FRESH
