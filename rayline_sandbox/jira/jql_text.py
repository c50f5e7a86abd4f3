"""Text searches (`~`): words, phrases, `?` inside and `*` at the end of a word, AND, OR, NOT, `+` and `-`.

Words without an operator must all be there. What Jira's two deployments disagree on or do not document (grouping,
fuzziness, distance, boosts, AND mixed with OR, nothing but exclusions) is refused, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
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
    pieces = list(_pieces(query, field))
    wanted = [piece.term for piece in pieces if piece.sign != "-"]
    unwanted = [piece.term for piece in pieces if piece.sign == "-"]
    either = any(piece.join == "or" for piece in pieces)
    if not wanted or (either and not _is_plain_choice(pieces)):
        raise _unclear(query, field)
    enough = any if either else all

    def found(value: Any) -> bool:
        have = words(value)
        if any(term(have) for term in unwanted):
            return False
        return enough(term(have) for term in wanted)

    return found


def _is_plain_choice(pieces: Sequence[_Piece]) -> bool:
    """Tell whether all pieces are joined by OR, none of them with a sign."""
    for number, piece in enumerate(pieces):
        if piece.sign:
            return False
        if number and piece.join != "or":
            return False
    return True


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
        word = ""
        if match["word"]:
            word = match["sign"] + match["word"]
        if word in _JOINS and not (join or sign or first):
            join = _JOINS[word]
        elif word in _NOT and not sign:
            sign = "-"
        elif word in _JOINS or word in _NOT or (sign and match["sign"]):
            raise _unclear(query, field)
        else:
            term = _term(match, query, field)
            yield _Piece(join, sign or match["sign"], term)
            join = sign = ""
            first = False
    if join or sign:
        raise _unclear(query, field)


def _term(match: re.Match[str], query: str, field: str) -> Term:
    phrase = match["phrase"]
    if phrase is not None:
        wanted = words(_plain(phrase))
        return _phrase(wanted, query, field)

    word = match["word"]
    unescaped = re.sub(r"\\.", "", word)
    if word[0] in "+-" or _RESERVED.search(unescaped):
        raise _unclear(query, field)
    patterns = re.findall(r"[\w?*]+", _plain(word).casefold())
    if not patterns:
        raise _unclear(query, field)

    for pattern in patterns:
        if pattern[0] in "?*":
            raise JqlSyntax(
                f"The text query '{query}' for field '{field}' is not allowed to "
                f"start with '{pattern[0]}'."
            )
    tests = []
    for pattern in patterns:
        if "*" in pattern[:-1]:
            raise _unclear(query, field)
        written = pattern.replace("?", r"\w").replace("*", r"\w*")
        tests.append(re.compile(written).fullmatch)
    return lambda have: all(any(map(test, have)) for test in tests)


def _plain(text: str) -> str:
    """Return text without escapes: an escaped sign only parts words, as every sign in a text does."""

    def unescape(escape: re.Match[str]) -> str:
        character = escape[1]
        return character if character.isalnum() else " "

    return re.sub(r"\\(.)", unescape, text)


def _phrase(wanted: Words, query: str, field: str) -> Term:
    if not wanted:
        raise _unclear(query, field)
    length = len(wanted)

    def found(have: Words) -> bool:
        for start in range(len(have)):
            end = start + length
            if have[start:end] == wanted:
                return True
        return False

    return found
