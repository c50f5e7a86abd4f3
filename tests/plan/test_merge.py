"""The ownership table over its whole domain, written out by hand, and its properties over arbitrary values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.values import UNSET, Ref, Span, Unset, Value
from worker.mapping.schema import Owner
from worker.plan.merge import Verdict, decide, is_empty, last_written

# Each pattern is desired, base, current: `-` UNSET, `0` empty, letters are filled values; equal letters, equal values.
# Up to the names of the values these are all the triples there are.
N, W, D, K, C, A = (
    Verdict.NOTHING,
    Verdict.WRITE,
    Verdict.DRIFT,
    Verdict.KEEP,
    Verdict.CONFLICT,
    Verdict.ADOPT,
)
TABLE: dict[str, tuple[Verdict, Verdict]] = {
    # pattern: (worker, shared)
    "---": (N, N),
    "--0": (N, N),
    "-0-": (N, N),
    "-00": (N, N),
    "--a": (N, N),
    "-0a": (N, N),
    "-a-": (N, N),
    "-a0": (N, N),
    "-aa": (N, N),
    "-ab": (N, N),
    "0--": (N, N),
    "00-": (N, N),
    "0a-": (N, N),
    "a--": (N, N),
    "a0-": (N, N),
    "aa-": (N, N),
    "ab-": (N, N),
    "0-0": (A, A),
    "a-a": (A, A),
    "0a0": (A, A),
    "a0a": (A, A),
    "aba": (A, A),
    "000": (N, N),
    "aaa": (N, N),
    "a-0": (W, W),
    "0-a": (W, K),
    "a-b": (W, K),
    "a00": (W, W),
    "0aa": (W, W),
    "abb": (W, W),
    "00a": (D, K),
    "aa0": (D, K),
    "aab": (D, K),
    "0ab": (D, C),
    "ab0": (D, C),
    "a0b": (D, C),
    "abc": (D, C),
}
VALUES: dict[str, Value | Unset] = {
    "-": UNSET,
    "0": None,
    "a": "alpha",
    "b": Decimal(2),
    "c": ("x", "y"),
}


def _pattern(triple: tuple[str, ...]) -> str:
    names: dict[str, str] = {}
    return "".join(
        letter if letter in "-0" else names.setdefault(letter, "abc"[len(names)])
        for letter in triple
    )


def _decide(owner: Owner, pattern: tuple[str, ...]) -> Verdict:
    desired, base, current = (VALUES[letter] for letter in pattern)
    return decide(owner, desired, base, current)


def test_the_table_names_every_triple_of_values() -> None:
    assert {_pattern(triple) for triple in product("-0abc", repeat=3)} == set(TABLE)


@pytest.mark.parametrize("triple", list(product("-0abc", repeat=3)), ids="".join)
def test_every_triple_has_the_verdict_of_the_table(triple: tuple[str, ...]) -> None:
    worker, shared = TABLE[_pattern(triple)]
    assert _decide(Owner.WORKER, triple) is worker
    assert _decide(Owner.SHARED, triple) is shared


def test_peoples_fields_of_a_row_are_never_written() -> None:
    assert {_decide(Owner.HUMAN, triple) for triple in product("-0abc", repeat=3)} == {
        Verdict.NOTHING
    }


def test_a_seed_is_given_once_into_an_empty_cell_and_never_again() -> None:
    written = {
        "".join(triple)
        for triple in product("-0abc", repeat=3)
        if _decide(Owner.SEED, triple) is Verdict.WRITE
    }
    assert written == {"a-0", "b-0", "c-0"}
    assert {_decide(Owner.SEED, triple) for triple in product("-0abc", repeat=3)} == {
        Verdict.NOTHING,
        Verdict.WRITE,
    }


anything = st.one_of(
    st.just(UNSET),
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.dates(),
    st.integers(0, 3).map(Decimal),
    st.lists(st.sampled_from("xyz"), max_size=2).map(tuple),
)
owners = st.sampled_from(list(Owner))


def _after(
    verdict: Verdict,
    desired: Value | Unset,
    base: Value | Unset,
    current: Value | Unset,
) -> tuple[Value | Unset, Value | Unset]:
    """Return (base, current) after the verdict was carried out."""
    match verdict:
        case Verdict.WRITE | Verdict.DRIFT:
            return desired, desired
        case Verdict.ADOPT:
            return current, current
        case _:
            return base, current


@given(owners, anything, anything, anything)
def test_a_second_pass_never_writes(
    owner: Owner, desired: Value | Unset, base: Value | Unset, current: Value | Unset
) -> None:
    base, current = _after(
        decide(owner, desired, base, current), desired, base, current
    )
    assert decide(owner, desired, base, current) not in (
        Verdict.WRITE,
        Verdict.DRIFT,
        Verdict.ADOPT,
    )


@given(anything, anything, anything, anything)
def test_a_persons_edit_of_a_shared_field_survives_whatever_the_source_says(
    first: Value | Unset,
    second: Value | Unset,
    edit: Value | Unset,
    base: Value | Unset,
) -> None:
    """Whatever was written before, an edit to something else stands unless it is what we want anyway."""
    if base is UNSET or edit in (base, first, second):
        return
    for desired in (first, second, first):
        assert decide(Owner.SHARED, desired, base, edit) in (
            Verdict.NOTHING,
            Verdict.KEEP,
            Verdict.CONFLICT,
        )


@given(anything, anything)
def test_setting_a_shared_field_back_hands_it_back(
    desired: Value | Unset, base: Value | Unset
) -> None:
    if desired is UNSET or base is UNSET or desired == base:
        return
    assert decide(Owner.SHARED, desired, base, base) is Verdict.WRITE


@given(anything, anything)
def test_a_filled_shared_cell_is_a_persons_at_first_contact(
    desired: Value | Unset, current: Value | Unset
) -> None:
    if desired is UNSET or current is UNSET or is_empty(current) or desired == current:
        return
    assert decide(Owner.SHARED, desired, UNSET, current) is Verdict.KEEP


def test_a_write_without_an_answer_is_recognised_as_ours() -> None:
    assert last_written("old", "tried", "tried") == "tried"
    assert last_written("old", "tried", "a person's") == "old"
    assert last_written("old", UNSET, "old") == "old"


@pytest.mark.parametrize("base", ["old", None, UNSET])
@pytest.mark.parametrize("attempted", ["tried", None, UNSET])
def test_a_cell_that_cannot_be_read_leaves_what_was_written_last(
    base: Value | Unset, attempted: Value | Unset
) -> None:
    assert last_written(base, attempted, UNSET) is base


@pytest.mark.parametrize("value", [None, False, "", ()])
def test_a_cell_without_anything_in_it_is_empty(value: Value) -> None:
    assert is_empty(value) is True


@pytest.mark.parametrize(
    "value",
    [
        UNSET,
        True,
        Decimal(0),
        "0",
        " ",
        ("",),
        (Ref("risks", "r1"),),
        date(2026, 11, 30),
        Span(date(2026, 11, 30), date(2026, 11, 30)),
    ],
    ids=str,
)
def test_a_zero_a_tick_and_what_cannot_be_read_are_not_empty(
    value: Value | Unset,
) -> None:
    assert not is_empty(value)


@pytest.mark.parametrize("empty", [None, False, "", ()])
def test_every_empty_cell_may_be_filled_at_first_contact(empty: Value) -> None:
    assert decide(Owner.SHARED, "a", UNSET, empty) is Verdict.WRITE
    assert decide(Owner.SEED, "a", UNSET, empty) is Verdict.WRITE
    assert decide(Owner.SEED, empty, UNSET, empty) is Verdict.NOTHING
