"""Whether the answer to a query may change while no issue does, by its text alone: time passes, a sprint begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from worker.world.reach import split_query

_SPAN = r"[+-]?\d+(?:\.\d+)?[mMhHdDwWyY]"
_RELATIVE = re.compile(rf"-?\s*{_SPAN}(?:\s+{_SPAN})*\Z")
_OPENERS = frozenset(
    {"in", "and", "or", "not", "during", "&&", "||", "&", "|", "!", "(", ","}
)


def is_passing(jql: str) -> bool:
    """Tell whether a query calls a function, such as `now()` or `openSprints()`, or counts from now, as in `-7d`.

    Source: docs/facts/jira-api.md 2.1.
    """
    try:
        tokens = split_query(jql)
    except ValueError:
        return False
    return any(_is_relative(token) for token in tokens) or _calls(tokens)


def _is_relative(token: str) -> bool:
    return _RELATIVE.match(token.strip("\"'")) is not None


def _calls(tokens: Sequence[str]) -> bool:
    """Tell whether a word is followed by a bracket as only a function's name is."""
    for word, sign in pairwise(tokens):
        if sign == "(" and word.casefold() not in _OPENERS and word[0].isalpha():
            return True
    return False
