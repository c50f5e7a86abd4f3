"""In which projects the issues of a query can lie, by its text alone.

Asking Jira would tell people who write a query what projects hold that are not theirs to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(
    r"""
      \s+
    | (?P<text> "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' )
    | (?P<sign> && | \|\| | [!=<>~]=? | [(),&|] )
    | (?P<word> [^\s"'()=!<>~,&|]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_ISSUE = re.compile(r"([A-Za-z][A-Za-z0-9_]*)-[0-9]+\Z")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_AND = frozenset({"and", "&&", "&"})
_OR = frozenset({"or", "||", "|"})
_NOT = frozenset({"not", "!"})
_ENDS = _AND | _OR
_BETWEEN = frozenset("(),=!<>~") | {"!=", "in", "not", "is", "was", "empty", "null"}
"""What stands between a field and its values."""
_ISSUE_FIELDS = frozenset({"key", "issuekey", "issue", "id"})
_DEEPEST = 100

Reach = frozenset[str] | None
"""The projects a query names, as typed; None when its issues may lie in any."""


def find_reach(jql: str) -> Reach:
    """Return the projects outside of which no issue of a query lies: by key, id or name as typed.

    Raises `ValueError` for what is no query: its brackets or quotes do not close.
    """
    parser = _Parser(split_query(jql))
    reach = parser.read_any(0)
    if parser.at != len(parser.tokens):
        raise ValueError("a bracket closes that was not opened")
    return reach


def find_mentions(jql: str) -> frozenset[str]:
    """Return every project that a query names anywhere, as typed: itself, or by the key of an issue.

    Raises `ValueError` as `find_reach` does.
    """
    names: set[str] = set()
    is_project = False
    for token in split_query(jql):
        text = _plain(token)
        key = _ISSUE.match(text)
        if key is not None:
            names.add(key[1])
        elif token.casefold() in _ENDS:
            is_project = False
        elif is_project and token.casefold() not in _BETWEEN:
            names.add(text)
        is_project |= text.casefold() == "project"
    return frozenset(names)


def split_query(jql: str) -> list[str]:
    """Return the tokens of a query; a text keeps its quotes, so that no word of it is taken for one of the language.

    Raises `ValueError` for a quote that does not close.
    """
    tokens = []
    at = 0
    while at < len(jql):
        match = _TOKEN.match(jql, at)
        if match is None:
            raise ValueError("a quote does not close")
        if match.lastgroup is not None:
            tokens.append(match[match.lastgroup])
        at = match.end()
    return tokens


class _Parser:
    """Reads a query from left to right: `or` binds less than `and`, `and` less than `not`."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _takes(self, words: frozenset[str]) -> bool:
        if self._next().casefold() not in words:
            return False
        self.at += 1
        return True

    def read_any(self, depth: int) -> Reach:
        """Read what stands between `or`."""
        reach = self._read_all(depth)
        while self._takes(_OR):
            other = self._read_all(depth)
            reach = None if reach is None or other is None else reach | other
        return reach

    def _read_all(self, depth: int) -> Reach:
        reach = self._read_one(depth)
        while self._takes(_AND):
            reach = _both(reach, self._read_one(depth))
        return reach

    def _read_one(self, depth: int) -> Reach:
        if depth > _DEEPEST:
            raise ValueError("its brackets are too deep")
        if self._takes(_NOT):
            self._read_one(depth + 1)
            return None
        if self._takes(frozenset("(")):
            reach = self.read_any(depth + 1)
            if not self._takes(frozenset(")")):
                raise ValueError("a bracket does not close")
            return reach
        return self._read_clause()

    def _read_clause(self) -> Reach:
        start = self.at
        depth = 0
        while self.at < len(self.tokens):
            token = self._next().casefold()
            if depth == 0 and (token == ")" or token in _AND or token in _OR):
                break
            depth += (token == "(") - (token == ")")
            self.at += 1
        if depth:
            raise ValueError("a bracket does not close")
        return _reach_of(self.tokens[start : self.at])


def _both(left: Reach, right: Reach) -> Reach:
    """Return what bounds issues that are within both; as two spellings may mean one project, nothing is taken out."""
    if left is None or right is None:
        return left if right is None else right
    return min(left, right, key=len)


def _reach_of(clause: Sequence[str]) -> Reach:
    match [token.casefold() for token in clause]:
        case [_, "=", _]:
            return _named(clause[0], clause[2:])
        case [_, "in", "(", *values, ")"] if "(" not in values:
            return _named(clause[0], [value for value in clause[3:-1] if value != ","])
    return None


def _named(name: str, values: Sequence[str]) -> Reach:
    field = _plain(name).casefold()
    texts = [_plain(value) for value in values]
    if field == "project" and texts:
        return frozenset(texts)
    if field in _ISSUE_FIELDS and texts:
        keys = [key[1] for text in texts if (key := _ISSUE.match(text))]
        if len(keys) == len(texts):
            return frozenset(keys)
    return None


def _plain(token: str) -> str:
    """Return a token without its quotes."""
    if token.startswith(('"', "'")):
        return _ESCAPED.sub(r"\1", token[1:-1])
    return token
