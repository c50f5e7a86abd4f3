"""Who comes in: tokens, codes that work once, sessions that end, attempts that are counted."""

from __future__ import annotations

from hashlib import sha256

import pytest
from pydantic import SecretStr

from worker.config import ConsolePerson
from worker.web.access import (
    CODE_LIFE,
    HELD_BACK,
    IDLE,
    LONGEST,
    MOST_ADDRESSES,
    MOST_SESSIONS,
    Access,
    Attempts,
    Role,
)

TOKEN = "a-long-token-of-anna-123"
HASHED = "another-token-of-boris-1"
PEOPLE = {
    "anna": ConsolePerson(role="operator", token=SecretStr(TOKEN)),
    "boris": ConsolePerson(token_sha256=sha256(HASHED.encode()).hexdigest()),
    "proxied": ConsolePerson(),
}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> Access:
    return Access(PEOPLE, clock)


@pytest.mark.parametrize(
    ("token", "who", "role"),
    [(TOKEN, "anna", Role.OPERATOR), (HASHED, "boris", Role.VIEWER)],
)
def test_a_token_says_who_comes_also_where_only_its_hash_is_kept(
    access: Access, token: str, who: str, role: Role
) -> None:
    visitor = access.by_token(token)
    assert visitor is not None
    assert (visitor.name, visitor.role) == (who, role)


@pytest.mark.parametrize(
    "token",
    [
        "",
        TOKEN[:-1],
        TOKEN.upper(),
        PEOPLE["boris"].token_sha256,
        "\udcff",
        sha256(b"").hexdigest(),
        "ж" * 40,
    ],
)
def test_nobody_has_a_wrong_token_an_empty_one_or_a_hash(
    access: Access, token: str
) -> None:
    assert access.by_token(token) is None


def test_a_code_signs_in_one_operator_once(access: Access) -> None:
    code = access.issue_code()
    visitor = access.redeem(code)
    assert visitor is not None
    assert visitor.may_act
    assert access.redeem(code) is None
    assert access.redeem("") is None


def test_a_code_is_good_until_its_end(access: Access, clock: Clock) -> None:
    early, late = access.issue_code(), access.issue_code()
    clock.seconds += CODE_LIFE
    assert access.redeem(early) is not None
    clock.seconds += 1
    assert access.redeem(late) is None


def test_a_lasting_code_signs_in_as_often_as_it_is_shown(
    access: Access, clock: Clock
) -> None:
    code = access.issue_code(None)
    for _ in range(3):
        clock.seconds += CODE_LIFE
        assert access.redeem(code) is not None
    assert access.redeem(f"{code}x") is None


def test_a_session_ends_when_it_is_closed_idle_or_too_old(
    access: Access, clock: Clock
) -> None:
    visitor = access.by_token(TOKEN)
    assert visitor is not None
    closed, idle = access.open_session(visitor), access.open_session(visitor)
    assert closed != idle
    access.close_session(closed)
    assert access.by_session(closed) is None
    clock.seconds += IDLE
    assert access.by_session(idle) is not None
    clock.seconds += IDLE + 1
    assert access.by_session(idle) is None

    busy = access.open_session(visitor)
    began = clock.seconds
    while clock.seconds + IDLE <= began + LONGEST:
        clock.seconds += IDLE
        assert access.by_session(busy) is not None
    clock.seconds += IDLE
    assert access.by_session(busy) is None


@pytest.mark.parametrize(
    "people",
    [
        {"boris": PEOPLE["boris"]},
        PEOPLE | {"anna": ConsolePerson(token=SecretStr(TOKEN))},
        PEOPLE | {"anna": ConsolePerson(role="operator", token=SecretStr(TOKEN[::-1]))},
    ],
    ids=["left", "looks only", "new token"],
)
def test_who_left_or_changed_is_out_at_once_and_the_others_stay(
    access: Access, people: dict[str, ConsolePerson]
) -> None:
    anna, boris = access.by_token(TOKEN), access.by_token(HASHED)
    guest = access.redeem(access.issue_code())
    assert anna is not None
    assert boris is not None
    assert guest is not None
    gone, *kept = [access.open_session(one) for one in (anna, boris, guest)]

    assert "anna" in access.admit(people)
    assert access.by_session(gone) is None
    assert all(access.by_session(cookie) for cookie in kept)
    again = access.by_token(TOKEN)
    assert again is None or not again.may_act


def test_the_same_people_keep_their_sessions(access: Access) -> None:
    anna = access.by_token(TOKEN)
    assert anna is not None
    cookie = access.open_session(anna)
    assert access.admit(dict(PEOPLE)) == []
    assert access.by_session(cookie) is not None


def test_the_oldest_session_makes_room(access: Access) -> None:
    visitor = access.by_token(TOKEN)
    assert visitor is not None
    first, second, *_ = [access.open_session(visitor) for _ in range(MOST_SESSIONS + 1)]
    assert access.by_session(first) is None
    assert access.by_session(second) is not None


def test_the_form_key_of_one_session_is_no_good_in_another(access: Access) -> None:
    visitor = access.by_token(TOKEN)
    assert visitor is not None
    mine, other = (access.by_session(access.open_session(visitor)) for _ in range(2))
    assert mine is not None
    assert other is not None
    key = access.form_key(mine)
    assert access.is_form_key(mine, key)
    for wrong in (access.form_key(other), "", key[:-1], key.upper(), "ж", "\udcff"):
        assert not access.is_form_key(mine, wrong)


def test_after_too_many_failures_of_an_address_only_that_one_waits(
    clock: Clock,
) -> None:
    attempts = Attempts(of_one=3, of_all=5, span=60, now=clock)
    for _ in range(3):
        assert attempts.wait("a") == 0
        attempts.note_failure("a")
        clock.seconds += 10
    assert 0 < attempts.wait("a") <= 60
    assert attempts.wait("b") == 0
    clock.seconds += attempts.wait("a")
    assert attempts.wait("a") == 0


def test_failures_from_everywhere_hold_back_failures_and_shut_nobody_out(
    clock: Clock,
) -> None:
    attempts = Attempts(of_one=3, of_all=5, span=60, now=clock)
    held = [attempts.note_failure(f"10.0.0.{number}") for number in range(7)]
    assert held == [0, 0, 0, 0, 0, HELD_BACK, HELD_BACK]
    assert attempts.wait("somebody else") == 0
    clock.seconds += 61
    assert attempts.note_failure("10.0.0.1") == 0


def test_who_fails_from_everywhere_is_still_counted_by_address(clock: Clock) -> None:
    attempts = Attempts(of_one=3, of_all=5, span=60, now=clock)
    for number in range(2 * MOST_ADDRESSES):
        attempts.note_failure(f"address {number}")
    for _ in range(3):
        assert attempts.wait("late") == 0
        attempts.note_failure("late")
    assert attempts.wait("late") > 0


@pytest.mark.parametrize(
    ("first", "other", "same"),
    [
        ("203.0.113.9", "203.0.113.10", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("a name", "another", False),
        ("", "203.0.113.9", False),
    ],
)
def test_one_household_is_one_caller(
    clock: Clock, first: str, other: str, *, same: bool
) -> None:
    attempts = Attempts(of_one=1, now=clock)
    attempts.note_failure(first)
    assert (attempts.wait(other) > 0) == same
