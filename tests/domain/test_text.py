"""Whatever characters come in, what goes on is text; whatever is shown, nothing in it is obeyed."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.domain.text import clean, clean_line, visible, visible_json

EVERY_CHARACTER = st.characters(exclude_categories=())
TEXTS = st.text(EVERY_CHARACTER, max_size=60)
TURNS = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def is_no_text(character: str) -> bool:
    """Tell, from Unicode's own tables, whether a character is a control, a noncharacter, a half or a turn."""
    code = ord(character)
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or 0xFDD0 <= code <= 0xFDEF
        or code & 0xFFFE == 0xFFFE
        or character in TURNS
    )


def test_no_character_at_all_gets_through_that_is_no_text() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    bad = [one for one in every if is_no_text(one)]
    text = "".join(one for one in every if not is_no_text(one))
    assert clean(text) == clean_line(text) == visible(text) == text
    assert {clean(one) for one in bad} == {"", "\t", "\n", "\ufffd"}
    assert {clean_line(one) for one in bad} == {"", " ", "\ufffd"}
    assert [one for one in bad if not visible(one).startswith("\\")] == []


@given(TEXTS)
@example("New\x0bsite\r\n\r\x85\u2028end\u2029")
@example("\ud83d\ude00 \udfff")
def test_cleaning_is_total_settles_at_once_and_can_be_encoded(text: str) -> None:
    for way in (clean, clean_line):
        done = way(text)
        assert way(done) == done
        assert done.encode().decode() == done
        assert not [one for one in done if is_no_text(one) and one not in "\n\t"]
    assert not {*clean_line(text)} & {*"\n\t"}
    assert clean_line(clean(text)) == clean_line(text)


@given(TEXTS)
def test_what_is_text_stays_in_its_order(text: str) -> None:
    kept = [one for one in text if not is_no_text(one)]
    assert [one for one in clean(text) if one not in "\n\t\ufffd"] == [
        one for one in kept if one != "\ufffd"
    ]


@pytest.mark.parametrize(
    ("text", "is_clean", "on_one_line"),
    [
        ("New\x0bsite", "New\nsite", "New site"),
        ("a\u2028b\u2029c\x85d\x0ce\r\nf\rg", "a\nb\nc\nd\ne\nf\ng", "a b c d e f g"),
        ("\x1b[31mred\x9b0m", "[31mred0m", "[31mred0m"),
        ("x\u202eexe.txt", "xexe.txt", "xexe.txt"),
        ("half \ud83d pair", "half \ufffd pair", "half \ufffd pair"),
        ("\ufffe\uffff\U0001fffe\ufdd0.", ".", "."),
        ("👩\u200d👩\u200d👧 שלום\u200e ﻿ok", "👩\u200d👩\u200d👧 שלום\u200e ﻿ok", None),
        ("\x00\x07\x7f", "", ""),
    ],
)
def test_breaks_stay_breaks_and_the_rest_goes(
    text: str, is_clean: str, on_one_line: str | None
) -> None:
    assert clean(text) == is_clean
    assert clean_line(text) == (is_clean if on_one_line is None else on_one_line)


@given(TEXTS)
def test_nothing_shown_is_obeyed_and_all_of_it_can_be_encoded(text: str) -> None:
    shown = visible(text)
    assert not [one for one in shown if is_no_text(one)]
    assert shown.encode().decode() == shown
    assert visible(shown) == shown


def test_what_is_hidden_is_shown_by_its_number() -> None:
    assert visible("X\x1b[2J\x9b\u202e\udfff\U0001ffff") == (
        r"X\x1b[2J\x9b\u202e\udfff\U0001ffff"
    )
    assert visible("a\tb\nc", kept="\n\t") == "a\tb\nc"


@given(st.recursive(TEXTS | st.integers(), lambda inner: st.lists(inner, max_size=4)))
def test_json_means_the_same_and_hides_nothing(data: object) -> None:
    shown = visible_json(json.dumps(data, ensure_ascii=False, indent=1))
    assert json.loads(shown) == data
    assert not [one for one in shown if is_no_text(one) and one != "\n"]
