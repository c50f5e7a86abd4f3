"""Text searches (`~`): words, phrases, `?` inside and `*` at the end of a word, AND, OR, NOT, `+` and `-`.

Words without an operator must all be there. What Jira's two deployments disagree on or do not document (grouping,
fuzziness, distance, boosts, AND mixed with OR, nothing but exclusions) is refused, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rayline_sandbox.jira.documents import words
from rayline_sandbox.jira.jql import JqlSyntax

Words = tuple[str, ...]
Term = Callable[[Words], bool]
_PARTS = re.compile(
    r'\s*(?P<sign>[+-]?)(?:"(?P<phrase>(?:\\.|[^"\\])*)"|(?P<word>(?:\\.|[^\s"\\])+))(?=\s|\Z)'
)
_RESERVED = re.compile(r"[(){}\[\]^~:!&|]")
_JOINS = {"AND": "and", "&&": "and", "OR": "or", "||": "or"}
_NOT = frozenset({"NOT", "!"})


class _Piece(NamedTuple):
    """One word or phrase as written: how it is joined to the one before, its sign, and its test."""

    join: str
    sign: str
    term: Term


def read_text(query: str, field: str) -> Callable[[Any], bool]:
    """Return the test of a text or document; raises `JqlSyntax` for a query that is not understood."""
    if not query.strip():
        raise JqlSyntax(
            f"The field '{field}' does not support searching for an empty string."
        )
    pieces = tuple(_pieces(query, field))
    wanted = [piece.term for piece in pieces if piece.sign != "-"]
    unwanted = [piece.term for piece in pieces if piece.sign == "-"]
    either = any(piece.join == "or" for piece in pieces)
    plain = all(piece.join == "or" for piece in pieces[1:]) and not any(
        piece.sign for piece in pieces
    )
    if not wanted or (either and not plain):
        raise _unclear(query, field)
    enough = any if either else all

    def found(value: Any) -> bool:
        have = words(value)
        return enough(term(have) for term in wanted) and not any(
            term(have) for term in unwanted
        )

    return found


def _unclear(query: str, field: str) -> JqlSyntax:
    return JqlSyntax(f"Unable to parse the text '{query}' for field '{field}'.")


def _pieces(query: str, field: str) -> Iterator[_Piece]:
    place = 0
    join = ""
    sign = ""
    first = True
    text = query.rstrip()
    while place < len(text):
        match = _PARTS.match(text, place)
        if match is None:
            raise _unclear(query, field)
        place = match.end()
        word = match["sign"] + match["word"] if match["word"] else ""
        if word in _JOINS and not (join or sign or first):
            join = _JOINS[word]
        elif word in _NOT and not sign:
            sign = "-"
        elif word in _JOINS or word in _NOT or (sign and match["sign"]):
            raise _unclear(query, field)
        else:
            yield _Piece(join, sign or match["sign"], _term(match, query, field))
            join = sign = ""
            first = False
    if join or sign:
        raise _unclear(query, field)


def _term(match: re.Match[str], query: str, field: str) -> Term:
    if match["phrase"] is not None:
        return _phrase(words(_plain(match["phrase"])), query, field)
    if match["word"][0] in "+-" or _RESERVED.search(re.sub(r"\\.", "", match["word"])):
        raise _unclear(query, field)
    patterns = re.findall(r"[\w?*]+", _plain(match["word"]).casefold())
    if wild := next((each for each in patterns if each[0] in "?*"), None):
        raise JqlSyntax(
            f"The text query '{query}' for field '{field}' is not allowed to start with '{wild[0]}'."
        )
    if not patterns or any("*" in each[:-1] for each in patterns):
        raise _unclear(query, field)
    tests = [
        re.compile(each.replace("?", r"\w").replace("*", r"\w*")).fullmatch
        for each in patterns
    ]
    return lambda have: all(any(map(test, have)) for test in tests)


def _plain(text: str) -> str:
    """Return text without escapes: an escaped sign only parts words, as every sign in a text does."""
    return re.sub(r"\\(.)", lambda m: m[1] if m[1].isalnum() else " ", text)


def _phrase(wanted: Words, query: str, field: str) -> Term:
    if not wanted:
        raise _unclear(query, field)
    return lambda have: any(
        have[start : start + len(wanted)] == wanted for start in range(len(have))
    )
