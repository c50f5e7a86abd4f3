"""How alike two names are, in English and Russian: from 0 (nothing in common) to 1 (the same name)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from rapidfuzz import fuzz

SAME = 1.0
NEARLY = 0.86
"""From here on two spellings are forms of one word: plural, case, a slip."""
STEM = 0.75
SHORT = 3
"""Words of so few letters are the same or they are not: `am` is not `pm`."""
FILLING = frozenset(
    {
        "the", "our", "a", "an", "of", "all", "my", "list", "database", "db", "board", "table", "new", "in", "for",
        "наши", "наша", "наш", "все", "мои", "список", "база", "доска", "таблица", "и", "в", "на", "and", "по",
    }
)  # fmt: skip
WORD = re.compile(r"[^\W_]+")


def likeness(name: str, known: Iterable[str]) -> float:
    """Return how much a name is like the likest of some known ones."""
    return max((_pair(name, one) for one in known), default=0.0)


@cache
def _pair(name: str, known: str) -> float:
    ours, theirs = _words(known), _words(name)
    if not ours or not theirs:
        return 0.0
    if ours == theirs or sorted(ours) == sorted(theirs):
        return SAME
    whole = _spelling(" ".join(ours), " ".join(theirs))
    return max(whole, _contained(ours, theirs), 0.8 * _contained(theirs, ours))


def _words(name: str) -> tuple[str, ...]:
    found = tuple(WORD.findall(name.casefold().replace("ё", "е")))
    telling = tuple(word for word in found if word not in FILLING)
    return telling or found


def _contained(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    """Return how well all words of one name are found in another that says more."""
    if len(theirs) <= len(ours):
        return 0.0
    worst = min(max(_word(mine, other) for other in theirs) for mine in ours)
    surplus = len(theirs) - len(ours)
    return worst * max(0.9 - 0.1 * surplus, 0.5)


def _word(mine: str, other: str) -> float:
    if mine == other:
        return SAME
    return _spelling(mine, other)


def _spelling(mine: str, other: str) -> float:
    """Return how alike two spellings are: 0 unless they are forms of one word."""
    if min(len(mine), len(other)) <= SHORT:
        return 0.0
    ratio = fuzz.ratio(mine, other) / 100
    if ratio >= NEARLY:
        return ratio * 0.98
    return 0.85 if _has_stem(mine, other) else 0.0


def _has_stem(mine: str, other: str) -> bool:
    common = 0
    for one, two in zip(mine, other, strict=False):
        if one != two:
            break
        common += 1
    return common > SHORT and common >= STEM * max(len(mine), len(other))
